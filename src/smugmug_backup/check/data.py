"""Read stored bytes again, and hold them to what the lines that name them say."""

import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from smugmug_backup.archive import keys
from smugmug_backup.archive.check_report import Scope, Wrong
from smugmug_backup.archive.manifest import Entry, Manifest
from smugmug_backup.archive.original import Reason, StoredBytes
from smugmug_backup.check.albums import found_elsewhere, named, named_by
from smugmug_backup.check.turns import Turn, place
from smugmug_backup.check.work import AT_A_TIME, Patience, ReadPlan, Work, ahead
from smugmug_backup.errors import (
    Archived,
    BackupError,
    ListingIncomplete,
    NotABackup,
    NotStored,
    OutOfTime,
)
from smugmug_backup.model import StoredObject


@dataclass(frozen=True, slots=True)
class _Task:
    """One object. ``content``: what a line says of an original; ``entries``: the lines that name a
    records file; neither: nobody names it, and its own name is all that is known."""

    key: str
    bytes: int
    scope: Scope
    album_key: str | None = None
    image_key: str | None = None
    content: StoredBytes | None = None
    entries: tuple[Entry, ...] = ()
    said: str = ""


class DataPass:
    """Today's turn; ``whole`` after `run`: nothing of it was left out."""

    def __init__(self, work: Work, plan: ReadPlan) -> None:
        self.work = work
        self.plan = plan
        self.whole = True
        self._left = plan.budget
        self._skipped = self._skipped_bytes = 0
        self._read_one = False
        self._waiting: deque[tuple[_Task, Future[BackupError | None]]] = deque()
        self._patience = Patience()
        self._records: set[int] = set()
        self._suspects: dict[str, str] = {}
        self._damaged: dict[str, tuple[_Task, BackupError]] = {}

    def run(self) -> None:
        """Read the turn's originals and records, album by album; then what no newest generation
        names, and so lies under its MD5 or digest, or is named by older ones. Raises StoreError
        if the store is away.

        The albums begin at another one in every round, so that a turn that is cut off at the
        deadline or the budget is not cut off at the same place each time.
        """
        try:
            for task in self._tasks():
                self._begin(task)
            while self._waiting:
                self._settle()
            if self._suspects:
                self._judge()
            if self._damaged:
                self._tell_others()
        finally:
            for _, future in self._waiting:
                future.cancel()
        self._tell()

    def _begin(self, task: _Task) -> None:
        late = self.work.deadline.passed
        first = not self._read_one
        if late or (self._left is not None and task.bytes > self._left and not first):
            self._skipped += 1
            self._skipped_bytes += task.bytes
            return
        self._read_one = True
        if self._left is not None:
            self._left -= task.bytes
        self._waiting.append((task, self.work.executor.submit(self._read, task)))
        if len(self._waiting) >= AT_A_TIME:
            self._settle()

    def _settle(self) -> None:
        task, future = self._waiting.popleft()
        ledger, counts = self.work.ledger, self.work.counts
        try:
            error = future.result()
        except OutOfTime:
            error = OutOfTime("no time was left")
        if isinstance(error, (OutOfTime, Archived)):
            self._skipped += 1
            self._skipped_bytes += task.bytes
            return
        counts.objects_read += 1
        counts.bytes_read += task.bytes
        if error is None:
            self._patience.good()
            ledger.sound(task.key, task.album_key)
            return
        if task.album_key is None and isinstance(error, NotABackup):
            self._suspects[task.key] = str(error)
            return
        ledger.failed(
            task.key,
            error,
            album_key=task.album_key,
            image_key=task.image_key,
            scope=task.scope,
        )
        if task.content is not None:
            self._damaged[task.key] = (task, error)
        self._patience.bad(error)

    def _tell(self) -> None:
        left, plan = self.work.ledger.left, self.plan
        if self._skipped:
            self.whole = False
            late = self.work.deadline.passed
            why = "the time ended" if late else "the amount was used up, or they are archived"
            tell = self.work.ledger.unfinished if late else left
            tell(
                f"{self._skipped} objects ({self._skipped_bytes} bytes) of today's turn were not "
                f"read: {why}"
            )
        if plan.archived:
            self.whole = False
            left(
                f"{plan.archived} archived objects ({plan.archived_bytes} bytes) of today's turn "
                "were not read: they must be thawed first"
            )

    # -- what there is to read -------------------------------------------------------------------

    def _tasks(self) -> Iterator[_Task]:
        albums, turn = self.work.newest, self.plan.turn
        start = turn.round * 7919 % len(albums) if albums else 0
        for album_key, lines in ahead(
            self.work.executor, self._lines, albums[start:] + albums[:start]
        ):
            yield from self._album(album_key, lines, turn)
        yield from self._nobodys(turn)

    def _lines(
        self, album: tuple[str, int, tuple[int, ...]]
    ) -> tuple[str, list[tuple[Entry, Scope]]]:
        """All lines of the newest manifest, and those older ones that name something else."""
        album_key, newest, generations = album
        found: list[tuple[Entry, Scope]] = []
        named_already: set[str] = set()
        for number in sorted({newest, *generations}, reverse=True):
            if number > newest or (number < newest and not self.work.history):
                continue
            scope = Scope.STATE if number == newest else Scope.HISTORY
            for entry in _entries(self._manifest(album_key, number)):
                names = named_by(entry)
                if scope is Scope.STATE or not names <= named_already:
                    found.append((entry, scope))
                    named_already |= names
        return album_key, found

    def _manifest(self, album_key: str, number: int) -> Manifest | None:
        try:
            return self.work.archive.manifest(album_key, number)
        except BackupError:
            return None  # The pass over the structure has told it.

    def _album(
        self, album_key: str, lines: list[tuple[Entry, Scope]], turn: Turn
    ) -> Iterator[_Task]:
        files: dict[str, list[Entry]] = {}
        scopes: dict[str, Scope] = {}
        for entry, scope in lines:
            if entry.record is not None:
                files.setdefault(entry.record, []).append(entry)
                scopes.setdefault(entry.record, scope)
            if entry.original.reason != Reason.FORGOTTEN:
                yield from self._originals(album_key, entry, scope, turn)
        for key, entries in files.items():
            at = place(key)
            if turn.has(at):
                self._records.add(at)
                size = max(sum(entry.record_at or (0, 0)) for entry in entries)
                yield _Task(key, size, scopes[key], album_key, entries=tuple(entries))

    def _originals(self, album_key: str, entry: Entry, scope: Scope, turn: Turn) -> Iterator[_Task]:
        index = self.work.index
        for content in (entry.original.content, entry.original.previous):
            at = place(content.key) if content is not None else 0
            found = index.find(at) if content is not None and turn.has(at) else None
            if content is None or found is None or found.archived or not index.claim(at):
                continue
            yield _Task(
                content.key,
                found.bytes,
                scope,
                album_key,
                entry.image_key,
                content,
                said=named(entry),
            )

    def _nobodys(self, turn: Turn) -> Iterator[_Task]:
        """Originals and records that no line named by now: of older versions, left by a killed
        run, or somebody else's."""
        index = self.work.index
        originals = self.work.archive.originals() if self.work.counts.originals_unused else iter(())
        for each in self._what_is_seen(originals):
            known, at = keys.parse_original(keys.plain(each.key)[0]), place(each.key)
            if known is None or each.archived or known[1].startswith("rev-"):
                continue
            if turn.has(at) and not index.is_referenced(at) and index.claim(at):
                yield _Task(each.key, each.bytes, Scope.HISTORY)
        for each in self._what_is_seen(self.work.archive.records_files()):
            at = place(each.key)
            if turn.has(at) and at not in self._records and not each.archived:
                yield _Task(each.key, each.bytes, Scope.HISTORY)

    def _what_is_seen(self, listing: Iterator[StoredObject]) -> Iterator[StoredObject]:
        """What cannot be looked into, the listing before has told."""
        try:
            yield from listing
        except ListingIncomplete:
            self.whole = False

    def _judge(self) -> None:
        """Files without the bytes of their names, which no line that was read names.

        If an older generation names one it is damaged, else it is none of ours: misnamed. They
        are few, so all albums that may have named them are looked through.
        """
        images = {keys.owners(key)[1] for key in self._suspects}
        named_albums = {keys.owners(key)[0] for key in self._suspects}

        def load(album: tuple[str, int, tuple[int, ...]]) -> list[tuple[str, str, Entry]]:
            album_key, newest, generations = album
            entries = list(_entries(self._manifest(album_key, newest)))
            if album_key not in named_albums and images.isdisjoint(e.image_key for e in entries):
                return []
            return [
                (album_key, key, entry)
                for number in generations
                for entry in _entries(self._manifest(album_key, number))
                for key in _files(entry) & self._suspects.keys()
            ]

        judged: set[str] = set()
        for found in ahead(self.work.executor, load, list(self.work.newest)):
            for album_key, key, entry in found:
                if (content := _content(entry, key)) is not None and self._sound(content):
                    continue
                judged.add(key)
                self.work.ledger.wrong(
                    key,
                    Wrong.DAMAGED,
                    f"an older version of {named(entry)} needs it: {self._suspects[key]}",
                    album_key=album_key,
                    image_key=entry.image_key if content is not None else None,
                    scope=Scope.HISTORY,
                )
        for key in sorted(self._suspects.keys() - judged):
            said = f"no line names it: {self._suspects[key]}"
            self.work.ledger.wrong(key, Wrong.MISNAMED, said, scope=Scope.HISTORY)

    def _tell_others(self) -> None:
        """An original is read once, and what is wrong with it is a finding of each album that has
        the image: each is mended by itself, and one may have left while another is there."""

        def load(album: tuple[str, int, tuple[int, ...]]) -> list[tuple[str, Entry, StoredBytes]]:
            album_key, newest, _ = album
            return [
                (album_key, entry, content)
                for entry in _entries(self._manifest(album_key, newest))
                if entry.original.reason != Reason.FORGOTTEN
                for content in (entry.original.content, entry.original.previous)
                if content is not None and content.key in self._damaged
            ]

        if self.work.deadline.passed:
            self.work.ledger.unfinished("which albums share what is damaged: the time ended")
            return
        for found in ahead(self.work.executor, load, list(self.work.newest)):
            for album_key, entry, content in found:
                task, error = self._damaged[content.key]
                if album_key != task.album_key and content == task.content:
                    image = entry.image_key
                    self.work.ledger.failed(
                        content.key, error, album_key=album_key, image_key=image
                    )

    def _sound(self, content: StoredBytes) -> bool:
        """Whether a numbered name has the bytes; what cannot be read is not known to be damaged."""
        try:
            return self.work.archive.sound_name(content) is not None
        except BackupError:
            return True

    # -- reading one object: in many threads -------------------------------------------------------

    def _read(self, task: _Task) -> BackupError | None:
        """What is wrong with an object, None if nothing is."""
        try:
            if task.content is not None:
                self._original(task, task.content)
            elif task.key.startswith(keys.RECORDS):
                self._one_records_file(task)
            else:
                self._by_its_name(task)
        except BackupError as error:
            return error
        return None

    def _original(self, task: _Task, content: StoredBytes) -> None:
        """Damaged is only what two reads find so, and no numbered name has whole."""
        try:
            size, _, sha256 = self._digests(task.key)
        except NotStored:
            size, sha256 = -1, ""
        if (size, sha256) == (content.bytes, content.sha256):
            return
        if self.work.archive.sound_name(content) is not None:
            return
        if size < 0:
            raise NotStored(f"the bytes of {task.said} are no longer there")
        raise NotABackup(f"the bytes of {task.said} do not have the SHA-256 of its line")

    def _one_records_file(self, task: _Task) -> None:
        try:
            self.work.archive.sound_records(task.key, task.entries)
        except (NotStored, NotABackup):
            moved = task.scope is Scope.HISTORY and task.entries and task.album_key
            if moved and found_elsewhere(self.work, str(task.album_key), task.entries):
                return
            raise
        if self.work.observer is not None:
            self.work.observer.read(task.bytes)

    def _by_its_name(self, task: _Task) -> None:
        _, md5, _ = self._digests(task.key)
        parsed = keys.parse_original(keys.plain(task.key)[0])
        if parsed is not None and parsed[1] != md5:
            raise NotABackup("its bytes do not have the MD5 of its name")

    def _digests(self, key: str) -> tuple[int, str, str]:
        md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        size = 0
        deadline, observer = self.work.deadline, self.work.observer
        if deadline.over:
            raise OutOfTime("no time was left to read it")
        with self.work.archive.store.open(key) as chunks:
            for chunk in chunks:
                md5.update(chunk)
                sha256.update(chunk)
                size += len(chunk)
                if observer is not None:
                    observer.read(len(chunk))
                if deadline.over:
                    raise OutOfTime("no time was left to read it")
        return size, md5.hexdigest(), sha256.hexdigest()


def _entries(manifest: Manifest | None) -> Iterator[Entry]:
    yield from manifest.entries.values() if manifest is not None else ()


def _files(entry: Entry) -> set[str]:
    contents = (entry.original.content, entry.original.previous)
    return {each.key for each in contents if each is not None} | {entry.record or ""}


def _content(entry: Entry, key: str) -> StoredBytes | None:
    contents = (entry.original.content, entry.original.previous)
    return next((each for each in contents if each is not None and each.key == key), None)
