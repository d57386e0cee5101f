"""The second half of an album's work: fetch, write records, commit, and what the state is then."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from smugmug_backup.archive.changes import News, What, what_opened
from smugmug_backup.archive.manifest import (
    Entry,
    Header,
    Manifest,
    album_fingerprint,
    pending,
    unavailable,
)
from smugmug_backup.archive.original import Reason
from smugmug_backup.archive.report import AlbumState, Counts, Failure, NextFull
from smugmug_backup.backup import mend
from smugmug_backup.backup.compare import Changes, Wanted, missing_images, next_entries
from smugmug_backup.backup.context import Context
from smugmug_backup.backup.findings import mended
from smugmug_backup.backup.listing import new_cursor
from smugmug_backup.backup.originals import Fetched, Originals
from smugmug_backup.backup.outcome import Outcome
from smugmug_backup.backup.survey import Survey
from smugmug_backup.errors import Code, ListingNotBelieved
from smugmug_backup.model import Album

_LEAST_SECONDS = 60.0
"""Between two commits on the way by time; the pause grows by half with each."""
_NAMED = 20


class Commit:
    """One album's work after its survey."""

    def __init__(
        self,
        context: Context,
        originals: Originals,
        album: Album,
        state: AlbumState,
        survey: Survey,
        changes: Changes,
    ) -> None:
        self._context = context
        self._originals = originals
        self._album = album
        self._before = state
        self._survey = survey
        self._changes = changes
        self._known = survey.known
        self._generation = max(state.generation, survey.newest.generation)
        self._when = survey.when
        self._failures: list[Failure] = [*survey.mended.failures, *self._contradictions()]
        self._left_over = False
        self._news = self._album_news()
        self._counts = Counts(
            new=changes.new,
            changed=changes.changed,
            repaired=survey.mended.repaired,
            cursor_misses=changes.cursor_misses,
            late_arrivals=changes.late_arrivals,
        )

    def run(self) -> Outcome:
        """Raises CommitConflict, StoreError and what concerns the whole run."""
        self._write_records()
        self._fetch()
        self._left_over |= self._survey.mended.left
        return self._interrupted() if self._left_over else self._finished()

    def _contradictions(self) -> list[Failure]:
        message = "the listing shows this image twice, in different states; the first one is taken"
        return [
            Failure(self._album.key, key, Code.MALFORMED_ANSWER, message)
            for key in self._changes.contradicted
        ]

    # -- fetch -----------------------------------------------------------------------------------

    def _fetch(self) -> None:
        """Fetch what is wanted; commit on the way, so that little is lost at any moment."""
        clock, every = self._context.clock, self._context.options.commit_every
        began = last = clock.monotonic()
        since_commit = 0
        wanted = list(self._changes.wanted.items())
        self._context.space.expect(sum(each.image.offer.size or 0 for _, each in wanted))
        results = self._context.ahead(self._one, [each for _, each in wanted])
        for done, ((key, _), fetched) in enumerate(zip(wanted, results, strict=True), 1):
            self._take(key, fetched)
            since_commit += 1
            pause = max(_LEAST_SECONDS, (last - began) / 2)
            due = since_commit >= every or clock.monotonic() - last >= pause
            if due and done < len(wanted) and not self._left_over:
                self._commit_on_the_way()
                since_commit, last = 0, clock.monotonic()

    def _one(self, wanted: Wanted) -> Fetched:
        context = self._context
        if context.deadline.passed or context.alone.halted is not None:
            return Fetched(wanted.draft, left_over=True)
        return self._originals.fetch(self._album, wanted, when=self._when)

    def _take(self, key: str, fetched: Fetched) -> None:
        entries = self._changes.entries
        was_damaged = entries[key].original.reason == Reason.DAMAGED
        entries[key] = replace(entries[key], original=fetched.original)
        self._counts.repaired += was_damaged and fetched.original.stored
        self._left_over |= fetched.left_over
        if fetched.failure is not None:
            self._failures.append(fetched.failure)
        if fetched.bytes_stored is not None:
            self._counts.originals_stored += 1
            self._counts.bytes_stored += fetched.bytes_stored

    # -- write -----------------------------------------------------------------------------------

    def _write_records(self) -> None:
        """All records of this listing in one file, before anything else: a commit is one put."""
        changes = self._changes
        lines = {**self._survey.mended.records, **changes.records}
        if not lines:
            return
        places = self._context.archive.write_records(self._album.key, lines)
        for image_key, (key, at) in places.items():
            for entries in (changes.entries, changes.absences):
                if image_key in entries:
                    entry = entries[image_key]
                    entries[image_key] = replace(entry, record=key, record_at=at)
        # Those of a large album would only wait, in memory, until its originals are there.
        changes.records.clear()
        self._survey.mended.records.clear()

    def _write(
        self, entries: Mapping[str, Entry], cursor: int, full_listing_at: datetime | None
    ) -> None:
        context, known = self._context, self._known
        header = Header(
            album_key=self._album.key,
            generation=self._generation + 1,
            previous=known.named if known else None,
            run_id=context.run_id,
            written_at=context.clock.now(),
            account=context.account,
            source=context.source.name,
            title=self._album.title,
            path=self._album.path,
            album=self._album.data,
            urls=self._album.urls,
            image_count=0,
            line_count=0,
            cursor=cursor,
            full_listing_at=full_listing_at,
            deleted_at=None,
        )
        self._known = context.archive.commit(Manifest(header, dict(entries)))
        self._generation = header.generation

    def _commit_on_the_way(self) -> None:
        """Commit what is there; cursor and full-listing time stay where this run found them."""
        if self._known is None or self._changes.entries != self._known.entries:
            self._write(self._changes.entries, self._before.cursor, self._before.full_listing_at)

    # -- end -------------------------------------------------------------------------------------

    def _interrupted(self) -> Outcome:
        self._commit_on_the_way()
        state = replace(
            self._carried(), next_full=NextFull.INTERRUPTED, missing_since=None, deleted_at=None
        )
        if self._survey.newest.damage is not None:
            # The next run begins from this generation, and sees no more of it.
            self._name_damage(self._survey.newest.damage)
        return self._outcome(state, listed=False)

    def _finished(self) -> Outcome:
        survey, changes = self._survey, self._changes
        entries = next_entries(changes)
        cursor, full_at = self._before.cursor, self._before.full_listing_at
        if survey.believed or not survey.full:
            cursor = new_cursor(cursor, survey.dated)
        if survey.believed:
            full_at = survey.dated or full_at
        if self._differs(entries):
            for key, position in changes.positions.items():
                entries[key] = replace(entries[key], position=position)
            self._write(entries, cursor, full_at)
            if survey.newest.damage is not None:
                self._counts.repaired += 1
        self._counts.missing += changes.missing
        self._counts.deleted += changes.deleted
        self._news.add(changes.lost)
        state = replace(
            self._carried(),
            cursor=cursor,
            full_listing_at=full_at,
            missing_since=None,
            deleted_at=None,
        )
        if survey.newest.damage is not None:
            self._name_damage(survey.newest.damage)
        if survey.full and not survey.believed:
            return self._doubted(state)
        state = replace(state, listed_at=survey.dated or state.listed_at, next_full=None)
        if survey.believed:
            count = self._album.image_count
            state = replace(
                state,
                count_difference=0 if count is None else count - survey.listed,
                next_full=self._next_full(entries),
                doubt=None,
            )
        return self._outcome(state, listed=True)

    def _name_damage(self, damage: str) -> None:
        self._failures.append(mend.damage_failure(self._album.key, damage))

    def _next_full(self, entries: Mapping[str, Entry]) -> str | None:
        if missing_images(entries):
            return NextFull.IMAGES_MISSING
        if self._survey.mended.failures:
            return NextFull.MENDING
        return None

    def _doubted(self, state: AlbumState) -> Outcome:
        survey = self._survey
        message = (
            f"the full listing shows {survey.listed} images, "
            f"the album's count is {self._album.image_count}; what it shows is stored"
        )
        self._failures.append(Failure.of(ListingNotBelieved(message), album_key=self._album.key))
        doubt = survey.belief.doubt if survey.belief else None
        return self._outcome(
            replace(state, next_full=NextFull.NOT_BELIEVED, doubt=doubt), listed=False
        )

    def _differs(self, entries: Mapping[str, Entry]) -> bool:
        known = self._known
        return (
            known is None
            or self._survey.newest.damage is not None
            or known.header.deleted_at is not None
            or known.header.album_fingerprint != album_fingerprint(self._album.data)
            or known.header.title != self._album.title
            or known.header.path != self._album.path
            or known.entries != entries
            or self._changes.reordered
        )

    def _carried(self) -> AlbumState:
        """The state after this: what the newest manifest says, what this run has not moved yet."""
        if self._known is None:
            return self._before
        return self._before.committed(self._known, self._when)

    def _outcome(self, state: AlbumState, *, listed: bool) -> Outcome:
        known = self._known
        committed = self._generation != self._before.generation
        self._counts.albums_changed = int(committed)
        findings = self._context.findings.get(self._album.key, ())
        past = mended(findings, known, self._survey.mended.past)
        if self._before.next_full == NextFull.STATE_LOST:
            # The run that wrote the newest generation has left no report.
            self._failures += mend.passed_over_failures(self._album.key, findings, past)
        return Outcome(
            state,
            failures=tuple(self._failures),
            unavailable=unavailable(known) if known else (),
            pending=pending(known, self._when) if known else (),
            notes=(
                *notes_of(self._album.key, self._survey),
                *_unreachable(self._album.key, self._changes),
            ),
            counts=self._counts,
            committed=committed,
            left_over=self._left_over,
            listed=listed,
            fields=dict(self._changes.fields) if self._survey.full else {},
            album_fields=self._album_fields(),
            seen=self._changes.listed if self._survey.full else 0,
            mended=past,
            news=self._news,
        )

    def _album_news(self) -> News:
        """What changed before anything is fetched; absences count once all else is committed."""
        news, key, known = News(), self._album.key, self._known
        news.add(self._changes.news)
        if known is None and not self._generation:
            news.count(key, What.ALBUM_NEW, self._changes.listed)
        elif known is None:
            pass  # No generation of it is sound: nobody can say what changed.
        elif known.header.deleted_at is not None or self._before.next_full == NextFull.ALBUM_BACK:
            news.count(key, What.ALBUM_BACK, self._changes.listed)
        elif known.header.source == self._context.source.name:
            opened = what_opened(known.header.album, self._album.data)
            if opened is not None:
                news.count(key, opened, known.header.image_count)
        return news

    def _album_fields(self) -> tuple[str, ...]:
        before = self._survey.known
        if before is None:
            return ()
        then, now = before.header.album, self._album.data
        return tuple(name for name in then if name in now and then[name] != now[name])


def notes_of(album_key: str, survey: Survey) -> tuple[str, ...]:
    """What should be told of a survey, whatever came of it."""
    notes = []
    if survey.dated is None:
        notes.append("no credible Date in SmugMug's answer, so the cursor stays where it was")
    if survey.belief is not None and survey.belief.note is not None:
        notes.append(f"album {album_key}: {survey.belief.note}")
    return tuple(notes)


def _unreachable(album_key: str, changes: Changes) -> tuple[str, ...]:
    """Name the files beside images that this API does not give out; they are not backed up."""
    if not changes.unreachable:
        return ()
    keys_named = sorted(changes.unreachable)
    named = [f"{key} ({', '.join(changes.unreachable[key])})" for key in keys_named[:_NAMED]]
    more = len(keys_named) - len(named)
    tail = f" and {more} more" if more else ""
    return (f"not reachable, album {album_key}: files beside {', '.join(named)}{tail}",)
