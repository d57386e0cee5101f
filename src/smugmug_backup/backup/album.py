"""One album, one run: the unit of work, ``(album, state) → outcome``."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from smugmug_backup.archive import keys, records
from smugmug_backup.archive.manifest import Entry, Header, Manifest, live_count
from smugmug_backup.archive.report import (
    AlbumState,
    Counts,
    Failure,
    Unavailable,
    unavailable,
    unverified,
)
from smugmug_backup.archive.state import (
    load_header,
    load_manifest,
    newest_generation,
    unverified_since,
)
from smugmug_backup.backup.compare import Changes, compare, missing_images, next_entries
from smugmug_backup.backup.listing import (
    Choice,
    choose_listing,
    count_fits,
    is_believed,
    is_credible,
    new_cursor,
)
from smugmug_backup.backup.originals import Fetched, Originals, Wanted
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import (
    AlreadyStored,
    BackupError,
    CommitConflict,
    ListingNotBelieved,
    MalformedAnswer,
    NotStored,
    OutOfTime,
)
from smugmug_backup.model import Account, Album, Listing
from smugmug_backup.ports import BackupStore, PhotoSource

COMMIT_EVERY = 500
"""Originals between two commits on the way."""

INTERRUPTED = "interrupted"
NOT_BELIEVED = "last full listing not believed"
IMAGES_MISSING = "images missing"

_STARTS_OVER = 3
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one album in one run.

    ``state`` is carried on unchanged where ``failures`` say that the album could not be done.
    ``unavailable`` is None if the manifest was not looked at. ``left_over``: time ran out, there
    is more to do. ``committed``: a new generation was written. ``fatal``: an error that concerns
    the whole run, not this album alone.
    """

    state: AlbumState
    failures: tuple[Failure, ...] = ()
    unavailable: tuple[Unavailable, ...] | None = None
    notes: tuple[str, ...] = ()
    counts: Counts = field(default_factory=Counts)
    committed: bool = False
    left_over: bool = False
    fatal: BackupError | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do with one album: a dry run's answer. ``bytes`` as far as known."""

    album_key: str
    title: str
    full_listing: str | None = None
    new: int = 0
    changed: int = 0
    missing: int = 0
    originals: int = 0
    bytes: int = 0
    error: str | None = None


@dataclass(slots=True)
class _Survey:
    """A listing, compared. ``changes`` is None if there was no need to read the manifest."""

    now: datetime
    choice: Choice
    full: bool
    believed: bool
    listed: int
    answered_at: datetime | None
    known: Manifest | None = None
    changes: Changes | None = None


class AlbumWork:
    """Backs up albums one by one; shared by the threads of one run.

    ``transfers`` is the pool that fetches and stores; it is not the one that calls `back_up`.
    """

    def __init__(
        self,
        *,
        source: PhotoSource,
        store: BackupStore,
        originals: Originals,
        transfers: Executor,
        clock: Clock,
        deadline: Deadline,
        account: Account,
        run_id: str,
        full: bool = False,
        full_listing_days: int = 30,
        commit_every: int = COMMIT_EVERY,
    ) -> None:
        self._source = source
        self._store = store
        self._originals = originals
        self._transfers = transfers
        self._clock = clock
        self._deadline = deadline
        self._account = account
        self._run_id = run_id
        self._full = full
        self._full_listing_days = full_listing_days
        self._commit_every = commit_every

    def back_up(self, album: Album, state: AlbumState) -> Outcome:
        """List ``album``, fetch what is needed and commit; never raises a BackupError."""
        current = state
        try:
            for _ in range(_STARTS_OVER):
                try:
                    outcome = self._once(album, current)
                    outcome.counts.unverified += unverified_since(
                        self._store, album.key, state.generation, current.generation
                    )
                    return outcome
                except CommitConflict:
                    # Another run won this generation: what it wrote is where we begin now.
                    current = self._newest_state(album.key)
            raise CommitConflict("other runs committed this album three times meanwhile")
        except OutOfTime:
            return Outcome(state, left_over=True)
        except BackupError as error:
            failure = Failure.of(error, album_key=album.key)
            return Outcome(state, failures=(failure,), fatal=error if error.fatal else None)

    def forecast(self, album: Album, state: AlbumState) -> Forecast:
        """Say what `back_up` would do; write nothing."""
        try:
            survey = self._survey(album, state)
        except BackupError as error:
            return Forecast(album.key, album.title, error=str(error))
        changes = survey.changes or Changes(entries={})
        return Forecast(
            album_key=album.key,
            title=album.title,
            full_listing=survey.choice.reason if survey.full else None,
            new=changes.new,
            changed=changes.changed,
            missing=changes.missing,
            originals=len(changes.wanted),
            bytes=sum(each.image.offer.size or 0 for each in changes.wanted.values()),
        )

    def bury(self, album_key: str, state: AlbumState) -> Outcome:
        """Commit the last generation of an album that has left: the same lines, ``deleted_at``."""
        try:
            known = load_manifest(self._store, album_key, state.generation)
            now = self._clock.now()
            header = replace(
                known.header,
                generation=state.generation + 1,
                run_id=self._run_id,
                written_at=now,
                account=self._account,
                deleted_at=now,
            )
            self._create(Manifest(header, known.entries))
        except CommitConflict:
            # Another run buried it, or saw it again; the next run looks.
            return Outcome(state)
        except BackupError as error:
            failure = Failure.of(error, album_key=album_key)
            return Outcome(state, failures=(failure,), fatal=error if error.fatal else None)
        buried = replace(state, generation=header.generation, pending=0, next_full=None)
        counts = Counts(albums_changed=1, deleted=1, unverified=-unverified(known))
        return Outcome(buried, unavailable=(), counts=counts, committed=True)

    def _newest_state(self, album_key: str) -> AlbumState:
        generation = newest_generation(self._store, album_key)
        header = load_header(self._store, album_key, generation)
        return AlbumState.of_header(header, reason="another run committed meanwhile")

    # -- look ------------------------------------------------------------------------------------

    def _survey(self, album: Album, state: AlbumState) -> _Survey:
        choice = choose_listing(
            state,
            now=self._clock.now(),
            album_key=album.key,
            days=self._full_listing_days,
            asked=self._full,
        )
        known: Manifest | None = None
        if choice.since is not None:
            listing = self._list(album, choice.since)
            if not listing.full:
                if not listing.images and not _touched(album, state):
                    live = state.image_count
                    changes = None
                else:
                    known = load_manifest(self._store, album.key, state.generation)
                    changes = self._compare(album, state, listing, known, believed=False)
                    live = live_count(changes.entries.values())
                if count_fits(live, album, state):
                    return self._surveyed(choice, listing, known, changes, believed=False)
                choice = Choice(None, "number of images differs")
                listing = self._list(album, None)
            else:
                choice = Choice(None, "the source lists changes only in full")
        else:
            listing = self._list(album, None)
        if known is None and state.generation:
            known = load_manifest(self._store, album.key, state.generation)
        believed = is_believed(listing, album)
        changes = self._compare(album, state, listing, known, believed=believed)
        return self._surveyed(choice, listing, known, changes, believed=believed)

    def _surveyed(
        self,
        choice: Choice,
        listing: Listing,
        known: Manifest | None,
        changes: Changes | None,
        *,
        believed: bool,
    ) -> _Survey:
        return _Survey(
            now=self._clock.now(),
            choice=choice,
            full=listing.full,
            believed=believed,
            listed=len(listing.images),
            answered_at=listing.answered_at,
            known=known,
            changes=changes,
        )

    def _list(self, album: Album, since: int | None) -> Listing:
        if self._deadline.passed:
            raise OutOfTime("no time left to list this album")
        listing = self._source.images(album, since=since, deadline=self._deadline)
        if len({image.key for image in listing.images}) != len(listing.images):
            raise MalformedAnswer("the listing names an image twice")
        return listing

    def _compare(
        self,
        album: Album,
        state: AlbumState,
        listing: Listing,
        known: Manifest | None,
        *,
        believed: bool,
    ) -> Changes:
        return compare(
            album=album,
            listing=listing,
            known=known.entries if known else {},
            believed=believed,
            cursor=state.cursor,
            source=self._source.name,
            now=self._clock.now(),
            read_record=self._read_record,
        )

    def _read_record(self, key: str) -> Mapping[str, Any] | None:
        try:
            record: Any = json.loads(self._store.read(key))
        except (NotStored, ValueError, RecursionError):
            record = None
        # Lost or damaged: `check` names it, and the album goes on.
        return record if records.is_image_record(record) else None

    # -- do --------------------------------------------------------------------------------------

    def _once(self, album: Album, state: AlbumState) -> Outcome:
        survey = self._survey(album, state)
        if survey.changes is None:
            return Outcome(self._moved_on(state, survey), notes=_notes(survey))
        return _Commit(self, album, state, survey, survey.changes).run()

    def _moved_on(self, state: AlbumState, survey: _Survey) -> AlbumState:
        cursor = new_cursor(state.cursor, survey.answered_at, now=survey.now)
        return replace(state, cursor=cursor, listed_at=survey.now)

    def _create(self, manifest: Manifest) -> None:
        header = manifest.header
        try:
            self._store.create(
                keys.manifest(header.album_key, header.generation), manifest.to_bytes()
            )
        except AlreadyStored:
            raise CommitConflict("another run committed this generation") from None


class _Commit:
    """The second half of an album's work: fetch, write, commit, state."""

    def __init__(
        self, work: AlbumWork, album: Album, state: AlbumState, survey: _Survey, changes: Changes
    ) -> None:
        self._work = work
        self._album = album
        self._before = state
        self._survey = survey
        self._changes = changes
        self._known = survey.known
        self._generation = state.generation
        self._record_body = records.album_record(album, work._source.name)
        self._failures: list[Failure] = []
        self._left_over = False
        self._counts = Counts(
            new=changes.new,
            changed=changes.changed,
            cursor_misses=changes.cursor_misses,
            late_arrivals=changes.late_arrivals,
            unverified=-unverified(self._known),
        )

    def run(self) -> Outcome:
        wanted, size = list(self._changes.wanted.items()), self._work._commit_every
        for start in range(0, len(wanted), size):
            if start:
                self._commit_on_the_way()
            self._fetch(wanted[start : start + size])
            if self._left_over:
                break
        return self._interrupted() if self._left_over else self._finished()

    def _fetch(self, part: Sequence[tuple[str, Wanted]]) -> None:
        work, now = self._work, self._survey.now

        def one(wanted: Wanted) -> Fetched:
            if work._deadline.passed:
                return Fetched(wanted.draft, left_over=True)
            return work._originals.fetch(self._album, wanted, now=now, deadline=work._deadline)

        results = work._transfers.map(one, [wanted for _, wanted in part])
        for (key, _), fetched in zip(part, results, strict=True):
            entries = self._changes.entries
            entries[key] = replace(entries[key], original=fetched.original)
            self._left_over |= fetched.left_over
            if fetched.failure is not None:
                self._failures.append(fetched.failure)
            if fetched.bytes_stored is not None:
                self._counts.originals_stored += 1
                self._counts.bytes_stored += fetched.bytes_stored

    def _commit_on_the_way(self) -> None:
        """Commit what is there; cursor and full-listing time stay where this run found them."""
        if self._known is None or self._changes.entries != self._known.entries:
            self._write(self._changes.entries, self._before.cursor, self._before.full_listing_at)

    def _interrupted(self) -> Outcome:
        self._commit_on_the_way()
        entries = self._changes.entries
        state = replace(self._carried(entries), next_full=INTERRUPTED, missing_since=None)
        return self._outcome(state, entries)

    def _finished(self) -> Outcome:
        survey, changes = self._survey, self._changes
        entries = next_entries(changes)
        cursor, full_at = self._before.cursor, self._before.full_listing_at
        if survey.believed or not survey.full:
            cursor = new_cursor(cursor, survey.answered_at, now=survey.now)
        if survey.believed:
            full_at = survey.now
        if self._differs(entries):
            for key, position in changes.positions.items():
                entries[key] = replace(entries[key], position=position)
            self._write(entries, cursor, full_at)
        self._counts.missing += changes.missing
        self._counts.deleted += changes.deleted
        state = replace(
            self._carried(entries), cursor=cursor, full_listing_at=full_at, missing_since=None
        )
        if survey.full and not survey.believed:
            self._failures.append(
                Failure.of(
                    ListingNotBelieved(
                        f"the full listing shows {survey.listed} images, "
                        f"the album's count is {self._album.image_count}; what it shows is stored"
                    ),
                    album_key=self._album.key,
                )
            )
            state = replace(state, next_full=NOT_BELIEVED)
        else:
            state = replace(state, listed_at=survey.now, next_full=None)
        if survey.believed:
            count = self._album.image_count
            state = replace(
                state,
                count_difference=0 if count is None else count - survey.listed,
                next_full=IMAGES_MISSING if missing_images(entries) else None,
            )
        return self._outcome(state, entries)

    def _differs(self, entries: Mapping[str, Entry]) -> bool:
        known = self._known
        return (
            known is None
            or known.header.deleted_at is not None
            or known.header.record != self._record_key
            or known.entries != entries
            or self._changes.reordered
        )

    def _carried(self, entries: Mapping[str, Entry]) -> AlbumState:
        live = [entry for entry in entries.values() if entry.live]
        return replace(
            self._before,
            generation=self._generation,
            image_count=len(live),
            pending=sum(entry.original.waits(self._survey.now) for entry in live),
        )

    @property
    def _record_key(self) -> str:
        return keys.album_record(self._album.key, records.fingerprint(self._record_body))

    def _write(
        self, entries: Mapping[str, Entry], cursor: int, full_listing_at: datetime | None
    ) -> None:
        """Records, then the manifest: the one conditional write that is the commit."""
        work = self._work
        if self._known is None or self._known.header.record != self._record_key:
            work._store.create(self._record_key, self._record_body)
        files = self._changes.records
        for _ in work._transfers.map(work._store.create, files.keys(), files.values()):
            pass
        files.clear()
        header = Header(
            album_key=self._album.key,
            generation=self._generation + 1,
            run_id=work._run_id,
            written_at=work._clock.now(),
            account=work._account,
            source=work._source.name,
            title=self._album.title,
            path=self._album.path,
            record=self._record_key,
            image_count=live_count(entries.values()),
            cursor=cursor,
            full_listing_at=full_listing_at,
            deleted_at=None,
        )
        manifest = Manifest(header, dict(entries))
        work._create(manifest)
        self._known = manifest
        self._generation = header.generation

    def _outcome(self, state: AlbumState, entries: Mapping[str, Entry]) -> Outcome:
        self._counts.unverified += unverified(self._known)
        committed = self._generation != self._before.generation
        self._counts.albums_changed = int(committed)
        return Outcome(
            state,
            failures=tuple(self._failures),
            unavailable=unavailable(self._album.key, entries),
            notes=(*_notes(self._survey), *_unreachable(self._album.key, self._changes)),
            counts=self._counts,
            committed=committed,
            left_over=self._left_over,
        )


def _touched(album: Album, state: AlbumState) -> bool:
    """The album itself may have changed inside the overlap, so its record is compared."""
    return album.changed_at is not None and album.changed_at.timestamp() >= state.cursor


def _unreachable(album_key: str, changes: Changes) -> tuple[str, ...]:
    """Name the files beside images that this API does not give out; they are not backed up."""
    if not changes.unreachable:
        return ()
    keys_named = sorted(changes.unreachable)
    named = [f"{key} ({', '.join(changes.unreachable[key])})" for key in keys_named[:_NAMED]]
    more = len(keys_named) - len(named)
    tail = f" and {more} more" if more else ""
    return (f"not reachable, album {album_key}: files beside {', '.join(named)}{tail}",)


def _notes(survey: _Survey) -> tuple[str, ...]:
    if is_credible(survey.answered_at, now=survey.now):
        return ()
    return ("no credible Date in SmugMug's answer, so the cursor stays where it was",)
