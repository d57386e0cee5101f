"""The pass over manifests, and over what their lines name.

Albums come in the order of their folders, so that the listing of records is merged with them as a
stream. The newest manifest of each is read whole; with ``history`` every generation is, and must be
what the generation after it, or a report, states.
"""

from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.check_report import Scope, Wrong
from smugmug_backup.archive.manifest import Entry, Manifest
from smugmug_backup.archive.original import Reason, StoredBytes
from smugmug_backup.check.listings import Merged
from smugmug_backup.check.reports import Known
from smugmug_backup.check.turns import place
from smugmug_backup.check.work import Patience, Work, ahead, in_time
from smugmug_backup.errors import (
    Archived,
    BackupError,
    FormatTooNew,
    NotABackup,
    NotStored,
    StoreError,
)
from smugmug_backup.model import StoredObject


@dataclass(frozen=True, slots=True)
class Listed:
    """What a listing shows of an album: its generations, and those with numbered names."""

    album_key: str
    generations: tuple[int, ...]
    numbered: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Problem:
    key: str
    error: BackupError
    scope: Scope


@dataclass(slots=True)
class Seen:
    """What was read of one album. ``state``: its newest sound manifest; ``older``: in a check of
    the history, of the sound generations before it, the lines that name other files."""

    listed: Listed
    state: Manifest | None = None
    problems: list[_Problem] = field(default_factory=list)
    sound: list[int] = field(default_factory=list)
    older: dict[tuple[str, str], Entry] = field(default_factory=dict)
    read: int = 0
    lines: dict[bytes, Entry] = field(default_factory=dict)

    @property
    def album_key(self) -> str:
        """The album."""
        return self.listed.album_key


class AlbumsPass:
    """See `run`."""

    def __init__(self, work: Work, known: Known) -> None:
        self.work = work
        self.known = known
        self._conflicts: set[str] = set()
        self._patience = Patience()

    def run(self) -> None:
        """List originals, then look at each album. Raises OutOfTime, StoreError."""
        work = self.work
        self._originals()
        records = Merged(self._records())
        seen_albums: set[str] = set()
        for seen in ahead(work.executor, self._load, self._albums()):
            seen_albums.add(seen.album_key)
            self._album(seen, records)
            if work.observer is not None:
                work.observer.album(seen.album_key, work.counts.albums)
            in_time(work.deadline, f"the time ended after {work.counts.albums} albums")
        records.drain()
        self._lost_albums(seen_albums)
        if self._conflicts:
            self._tell_conflicts()
        work.counts.originals_unused = work.counts.originals - work.index.referenced

    # -- listings --------------------------------------------------------------------------------

    def _originals(self) -> None:
        counts = self.work.counts
        for each in self.work.listings.of(keys.ORIGINALS):
            at = place(each.key)
            self.work.index.add(at, each.bytes, archived=each.archived)
            self._weigh(each)
            counts.originals += 1
            counts.original_bytes += each.bytes
            if each.archived:
                counts.archived += 1
                counts.archived_bytes += each.bytes
        self.work.index.close()

    def _records(self) -> Iterator[StoredObject]:
        for each in self.work.listings.of(keys.RECORDS):
            self._weigh(each)
            self.work.counts.records += 1
            yield each

    def _weigh(self, each: StoredObject) -> None:
        self.work.weights.add(place(each.key), each.bytes)
        if each.archived:
            self.work.archived.add(place(each.key), each.bytes)

    def _albums(self) -> Iterator[Listed]:
        """Every album that has a manifest under any name, in the order of the folders."""
        album, plain, numbered = "", list[int](), set[int]()
        for each in self.work.listings.of(keys.MANIFESTS):
            name, number = keys.plain(each.key)
            parsed = keys.parse_manifest(name)
            if parsed is None:
                continue
            if parsed[0] != album:
                if album:
                    yield Listed(album, tuple(sorted(plain)), frozenset(numbered))
                album, plain, numbered = parsed[0], [], set()
            if number == 1:
                plain.append(parsed[1])
            else:
                numbered.add(parsed[1])
        if album:
            yield Listed(album, tuple(sorted(plain)), frozenset(numbered))

    # -- reading an album's manifests: in many threads ---------------------------------------------

    def _load(self, listed: Listed) -> Seen:
        """Read the newest manifest; the ones before it where that is damaged, or all."""
        seen = Seen(listed)
        album_key = listed.album_key
        state = self.known.states.get(album_key)
        stated: dict[int, set[str]] = {}
        if state is not None and state.generation and state.manifest_sha256:
            stated[state.generation] = {state.manifest_sha256}
        reported = max(state.generation if state else 0, self.known.stated.newest(album_key))
        # A numbered name is a generation only if a later one, or a report, states its SHA-256.
        newest = max([*listed.generations, reported])
        for number in range(newest, 0, -1):
            settled = seen.state is not None
            if settled and not self.work.history:
                break
            scope = Scope.HISTORY if settled else Scope.STATE
            manifest = self._generation(seen, number, stated.get(number, set()), scope)
            if manifest is None:
                if not settled and not self._may_go_back(seen):
                    break
                continue
            seen.sound.append(number)
            if manifest.header.previous is not None:
                link = manifest.header.previous
                stated.setdefault(link.generation, set()).add(link.sha256)
            if seen.state is None:
                seen.state = manifest
            else:
                _note_older(seen, manifest)
        self._gaps(seen, newest)
        seen.lines = {}
        return seen

    def _generation(
        self, seen: Seen, number: int, stated: set[str], scope: Scope
    ) -> Manifest | None:
        """One generation, if it is there and sound; what is wrong with it goes to ``seen``."""
        listed, archive = seen.listed, self.work.archive
        key = keys.manifest(listed.album_key, number)
        if self.work.listings.unknown(key):
            return None
        try:
            if number not in listed.generations and number not in listed.numbered:
                if scope is Scope.HISTORY or archive.store.head(key) is not None:
                    return None  # `_gaps` tells it; or it was committed while we listed.
                raise NotStored(f"{key} is not there: what it added is no longer known")
            seen.read += 1
            manifest = _stated_or_plain(archive, listed.album_key, number, stated, seen.lines)
            if not stated and self.known.stated.of(*_of(manifest)) is False:
                raise NotABackup(f"{key} does not have the SHA-256 that a run report states")
        except (NotABackup, NotStored) as error:
            if number in listed.numbered:
                for other in archive.numbered_manifests(listed.album_key, number):
                    if self.known.stated.of(*_of(other)):
                        return other
            seen.problems.append(_Problem(key, error, scope))
            return None
        except BackupError as error:
            seen.problems.append(_Problem(key, error, scope))
            return None
        return manifest

    def _may_go_back(self, seen: Seen) -> bool:
        """Damage gives way to the generation before; what cannot be read tonight does not."""
        if self.work.history or not seen.problems:
            return True
        return isinstance(seen.problems[-1].error, (NotABackup, NotStored))

    def _gaps(self, seen: Seen, newest: int) -> None:
        """Generations that are not there, below the newest one."""
        listed = seen.listed
        there = {*listed.generations, *seen.sound}
        told = {each.key for each in seen.problems}
        for number in range(1, newest):
            key = keys.manifest(listed.album_key, number)
            if number in there or key in told or self.work.listings.unknown(key):
                continue
            if number in listed.numbered and not self.work.history:
                continue  # Whether that is the right one, a check of the history says.
            said = f"{key} is not there: the newest state is, its history has a gap"
            seen.problems.append(_Problem(key, NotStored(said), Scope.HISTORY))

    # -- one album -------------------------------------------------------------------------------

    def _album(self, seen: Seen, records: Merged) -> None:
        work, listed = self.work, seen.listed
        counts = work.counts
        counts.albums += 1
        counts.generations += len(listed.generations)
        counts.manifests_read += seen.read
        for number in seen.sound:
            work.ledger.sound(keys.manifest(seen.album_key, number), seen.album_key)
        for problem in seen.problems:
            work.ledger.failed(
                problem.key, problem.error, album_key=seen.album_key, scope=problem.scope
            )
        for problem in seen.problems:
            self._patience.bad(problem.error)
        if not seen.problems:
            self._patience.good()
        if seen.state is None:
            return
        work.newest.append((seen.album_key, seen.state.header.generation, listed.generations))
        entries = seen.state.entries.values()
        counts.lines += len(entries)
        counts.images += len(seen.state.live)
        self._need_records(seen, records)
        # What is forgotten, the newest generation says so; the one before it, if that is damaged,
        # need not.
        behind = any(each.scope is Scope.STATE for each in seen.problems)
        for entry in entries:
            if entry.original.reason == Reason.DAMAGED and entry.original.previous is not None:
                work.ledger.awaited(entry.original.previous.key, seen.album_key)
            self._originals_of(seen.album_key, entry, Scope.STATE, newest=not behind)
        for entry in seen.older.values():
            self._originals_of(seen.album_key, entry, Scope.HISTORY)

    def _need_records(self, seen: Seen, records: Merged) -> None:
        """Each records file that lines name is there, and is long enough for them."""
        wanted: dict[str, list[Entry]] = {}
        state = seen.state.entries.values() if seen.state else ()
        for entry in (*state, *seen.older.values()):
            if entry.record is not None:
                wanted.setdefault(entry.record, []).append(entry)
        named = {entry.record for entry in state}
        for key in sorted(wanted):
            entries = wanted[key]
            ends = max(sum(entry.record_at or (0, 0)) for entry in entries) + 1
            found = records.find(key)
            if found is not None and found.bytes >= ends:
                continue
            scope = Scope.STATE if key in named else Scope.HISTORY
            self._records_lacking(seen.album_key, key, entries, found, scope)

    def _records_lacking(
        self,
        album_key: str,
        key: str,
        entries: list[Entry],
        found: StoredObject | None,
        scope: Scope,
    ) -> None:
        """The listing lacks a records file, or shows a short one: ask for it, then tell it."""
        if found is None and self.work.listings.unknown(key):
            return
        try:
            late = self.work.archive.store.head(key) if found is None else None
            if late is None:
                self.work.archive.sound_records(key, entries)
        except (NotStored, NotABackup) as error:
            if scope is Scope.HISTORY and found_elsewhere(self.work, album_key, entries):
                return
            self.work.ledger.failed(key, error, album_key=album_key, scope=scope)
        except (StoreError, FormatTooNew) as error:
            self.work.ledger.failed(key, error, album_key=album_key, scope=scope)

    def _originals_of(
        self, album_key: str, entry: Entry, scope: Scope, *, newest: bool = False
    ) -> None:
        line = entry.original
        for content in (line.content, line.previous):
            if content is not None and line.reason != Reason.FORGOTTEN:
                forgotten = not newest and content.key in self.work.forgotten
                self._bytes(album_key, entry, content, scope, forgotten=forgotten)

    def _bytes(
        self, album_key: str, entry: Entry, content: StoredBytes, scope: Scope, *, forgotten: bool
    ) -> None:
        """What a line says that it has is there and has its length, under some name of it."""
        index, at = self.work.index, place(content.key)
        found = index.find(at)
        if found is not None:
            if scope is Scope.STATE:
                index.refer(at)
            if not index.agrees(at, content.sha256):
                self._conflicts.add(content.key)
            if found.bytes == content.bytes:
                return
        elif forgotten or self.work.listings.unknown(content.key):
            return
        try:
            late = None if found else self.work.archive.store.head(content.key)
            if late is not None and late.bytes == content.bytes:
                return
            if self.work.archive.sound_name(content) is not None:
                return
            if found is None and late is None:
                raise NotStored(f"the bytes of {named(entry)} are not in the store")
            size = found.bytes if found else late.bytes if late else 0
            raise NotABackup(f"{named(entry)} has {size} bytes, its line says {content.bytes}")
        except Archived:
            return
        except BackupError as error:
            self.work.ledger.failed(
                content.key, error, album_key=album_key, image_key=entry.image_key, scope=scope
            )

    # -- what no single album tells ----------------------------------------------------------------

    def _lost_albums(self, seen: set[str]) -> None:
        """Albums of which reports state a generation, and of which nothing at all is there."""
        reported = {key for key, state in self.known.states.items() if state.generation}
        for album_key in sorted(({*self.known.stated.albums()} | reported) - seen):
            state = self.known.states.get(album_key)
            number = max(self.known.stated.newest(album_key), state.generation if state else 0)
            key = keys.manifest(album_key, number)
            if self.work.listings.unknown(key) or not number:
                continue
            try:
                if self.work.archive.store.head(key) is not None:
                    continue
                raise NotStored(f"{key} is not there, nor any other of its album")
            except StoreError as error:
                self.work.ledger.failed(key, error, album_key=album_key)

    def _tell_conflicts(self) -> None:
        """Lines of any album that name one key with different SHA-256: each is a finding."""
        for album_key, entries in self._all_lines():
            for entry, scope in entries:
                for content in (entry.original.content, entry.original.previous):
                    if content is not None and content.key in self._conflicts:
                        self.work.ledger.wrong(
                            content.key,
                            Wrong.DAMAGED,
                            f"two lines name it with different SHA-256, one is {named(entry)}",
                            album_key=album_key,
                            image_key=entry.image_key,
                            scope=scope,
                        )

    def _all_lines(self) -> Iterator[tuple[str, list[tuple[Entry, Scope]]]]:
        def load(
            album: tuple[str, int, tuple[int, ...]],
        ) -> tuple[str, list[tuple[Entry, Scope]]]:
            album_key, newest, generations = album
            numbers = generations if self.work.history else (newest,)
            found: list[tuple[Entry, Scope]] = []
            for number in reversed(numbers):
                try:
                    manifest = self.work.archive.manifest(album_key, number)
                except BackupError:
                    continue  # The pass before has told it.
                scope = Scope.STATE if number == newest else Scope.HISTORY
                found += ((entry, scope) for entry in manifest.entries.values())
            return album_key, found

        return ahead(self.work.executor, load, list(self.work.newest))


def _note_older(seen: Seen, manifest: Manifest) -> None:
    """Keep the lines of an older generation that name what no later one does."""
    state = seen.state.entries if seen.state else {}
    for entry in manifest.entries.values():
        now = state.get(entry.image_key)
        if now is not None and named_by(now) >= named_by(entry):
            continue
        for name in sorted(named_by(entry)):
            seen.older.setdefault((entry.image_key, name), entry)


def named_by(entry: Entry) -> set[str]:
    """What tells which files a line needs: its record, and its bytes with their SHA-256."""
    found = {f"{entry.record} {entry.fingerprint}"} if entry.record is not None else set()
    contents = (entry.original.content, entry.original.previous)
    return found | {f"{each.key} {each.sha256}" for each in contents if each is not None}


def _of(manifest: Manifest) -> tuple[str, int, str]:
    return manifest.header.album_key, manifest.header.generation, str(manifest.sha256)


def _stated_or_plain(
    archive: Archive,
    album_key: str,
    number: int,
    stated: Iterable[str],
    lines: MutableMapping[bytes, Entry],
) -> Manifest:
    manifest: Manifest | None = None
    for sha256 in sorted(stated):
        manifest = archive.inspect(album_key, number, sha256, lines=lines)
    return manifest or archive.inspect(album_key, number, lines=lines)


def found_elsewhere(work: Work, album_key: str, entries: Iterable[Entry]) -> bool:
    """Whether each line's record is found by the readers' rule: mending moved it, or `forget` did,
    which moves all but those of the image that its owner had deleted."""
    left = {
        (entry.image_key, entry.fingerprint): entry
        for entry in entries
        if entry.image_key not in work.forgotten_images
    }
    while left:
        # Those of one image in several states are sought one after the other.
        sought = {entry.image_key: entry for entry in left.values()}
        found = work.archive.records(album_key, list(sought.values()), map)
        if len(found) < len(sought):
            return False
        for entry in sought.values():
            del left[entry.image_key, entry.fingerprint]
    return True


def named(entry: Entry) -> str:
    """An image as its owner knows it."""
    return f"{entry.file_name or 'an image without a file name'} ({entry.image_key})"
