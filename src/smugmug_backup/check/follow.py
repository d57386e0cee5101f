"""What earlier checks found wrong, looked at again: a finding stays until it is found past.

======================  ========================================================================
the finding is of       it is past if
======================  ========================================================================
a folder                all of it was listed
a file nobody names     it is gone, or a line names it by now
an original             the bytes that a line of its album names under it lie there whole, under
                        any name of it; or no line of any generation names it
a records file          it, or a numbered name, is what its name stands for; or only older
                        generations name it, and each record is found elsewhere
a manifest              it has the SHA-256 that the next generation, or a report, states
a report                it has the SHA-256 that its successor states (if it could not be read:
                        it can be)
======================  ========================================================================

What the newest generation does not name any more is of the history from then on.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from smugmug_backup.archive import keys
from smugmug_backup.archive.check_report import Finding, Scope, Wrong
from smugmug_backup.archive.manifest import Entry, Manifest
from smugmug_backup.archive.original import Reason, StoredBytes
from smugmug_backup.check.albums import found_elsewhere
from smugmug_backup.check.reports import Known
from smugmug_backup.check.work import Patience, Work, ahead
from smugmug_backup.errors import Archived, BackupError, NotABackup, NotStored

_Item = TypeVar("_Item")

_BYTES = 5 * 10**9
"""So many bytes of what is known to be damaged are read again by one check that is not asked to
read everything; the day decides where it begins."""


class Follow:
    """See `run`."""

    def __init__(self, work: Work, known: Known) -> None:
        self.work = work
        self.known = known
        self._budget = _BYTES
        self._albums: dict[str, tuple[int, ...]] = {
            album_key: generations for album_key, _, generations in work.newest
        }
        self._newest = {album_key: newest for album_key, newest, _ in work.newest}

    def run(self) -> None:
        """Look at all that is known and was not seen by now, as far as the time goes."""
        work = self.work
        findings = work.ledger.to_follow()
        by_album: dict[str | None, list[Finding]] = {}
        for finding in findings:
            by_album.setdefault(finding.album_key, []).append(finding)
        ordered = sorted(by_album, key=lambda each: each or "")
        groups = [self._rotated(by_album[key]) for key in self._rotated(ordered)]
        patience, left = Patience(), 0
        for results in ahead(work.executor, self._group, groups):
            for finding, result in results:
                if result is True:
                    work.ledger.sound(finding.key, finding.album_key)
                elif result == finding:
                    continue  # It is carried on as it is.
                elif isinstance(result, Finding):
                    work.ledger.wrong(
                        result.key,
                        result.problem,
                        result.message,
                        album_key=result.album_key,
                        image_key=result.image_key,
                        scope=result.scope,
                    )
                elif isinstance(result, BackupError):
                    patience.bad(result)
                else:
                    left += 1
        if left:
            work.ledger.left(f"{left} findings of earlier checks were not looked at again")

    def _rotated(self, items: list[_Item]) -> list[_Item]:
        """Beginning elsewhere every day: what is cut off is not the same each time."""
        start = self.work.day * 7919 % len(items) if items else 0
        return items[start:] + items[:start]

    def _group(
        self, findings: list[Finding]
    ) -> list[tuple[Finding, bool | Finding | BackupError | None]]:
        """Each finding and what became of it: past (True), other (a Finding), not to be read (an
        error), or not looked at (None)."""
        found: list[tuple[Finding, bool | Finding | BackupError | None]] = []
        lines: _Lines | None = None
        for finding in findings:
            if self.work.deadline.passed:
                found.append((finding, None))
                continue
            if lines is None and finding.album_key is not None:
                lines = _Lines(self, finding.album_key)
            try:
                found.append((finding, self._look(finding, lines)))
            except BackupError as error:
                found.append((finding, error))
        return found

    def _look(self, finding: Finding, lines: "_Lines | None") -> bool | Finding | None:
        name = keys.plain(finding.key)[0]
        if finding.key.endswith("/"):
            return self.work.listings.seen_whole(finding.key) or finding
        if lines is None:
            return self._nobodys(finding, name)
        if keys.parse_original(name) is not None:
            return self._original(finding, lines)
        if keys.parse_records(name) is not None:
            return self._records(finding, lines)
        parsed = keys.parse_manifest(name)
        if parsed is not None:
            return self._manifest(finding, lines, parsed[1])
        return finding

    def _nobodys(self, finding: Finding, name: str) -> bool | Finding | None:
        run = keys.parse_report(name)
        if run is not None:
            if finding.problem is not Wrong.UNREADABLE:
                return finding
            self.work.archive.inspect_report(run)
            return True
        if name == keys.README:
            return finding
        if finding.problem is Wrong.FOREIGN:
            # All that is still there was seen again, if all was seen.
            return self.work.listings.seen_whole(finding.key) or finding
        gone = self.work.archive.store.head(finding.key) is None
        return gone if gone or finding.problem is not Wrong.UNREADABLE else self._reads(finding)

    def _reads(self, finding: Finding) -> bool:
        self.work.archive.store.read_part(finding.key, 0, 1)
        return True

    def _original(self, finding: Finding, lines: "_Lines") -> bool | Finding | None:
        if finding.key in self.work.forgotten:
            return True
        contents, scope = lines.contents(finding.key)
        if scope is None:
            return finding
        for content in contents:
            self._budget -= content.bytes
            if self._budget < 0 and not self.work.history:
                return None
            try:
                if self.work.archive.sound_name(content) is None:
                    return replace(finding, scope=scope)
            except Archived:
                return None
        return True

    def _records(self, finding: Finding, lines: "_Lines") -> bool | Finding:
        entries, scope = lines.records(finding.key)
        if scope is None:
            return finding
        if not entries:
            return True
        try:
            self.work.archive.sound_records(finding.key, entries)
        except (NotStored, NotABackup):
            moved = scope is Scope.HISTORY and found_elsewhere(
                self.work, str(finding.album_key), entries
            )
            return True if moved else replace(finding, scope=scope)
        return True

    def _manifest(self, finding: Finding, lines: "_Lines", number: int) -> bool | Finding:
        """It is past only where something states its SHA-256, and it has that."""
        album_key = str(finding.album_key)
        for later in sorted(self._albums.get(album_key, ())):
            if later <= number:
                continue
            manifest = lines.manifest(later)
            previous = manifest.header.previous if manifest else None
            if previous is not None and previous.generation == number:
                try:
                    self.work.archive.inspect(album_key, number, previous.sha256)
                except (NotStored, NotABackup):
                    break
                return True
        if finding.problem is Wrong.UNREADABLE and number == self._newest.get(album_key):
            return True
        newest = self._newest.get(album_key, 0)
        return replace(finding, scope=Scope.HISTORY if number < newest else finding.scope)


class _Lines:
    """The generations of one album, read when they are asked for; the newest first."""

    def __init__(self, follow: Follow, album_key: str) -> None:
        self._archive = follow.work.archive
        self._album_key = album_key
        self._generations = follow._albums.get(album_key, ())
        self._newest = follow._newest.get(album_key)
        self._read: dict[int, Manifest | None] = {}

    @property
    def _nobody(self) -> Scope | None:
        """What it means that no line names a file: nothing, if a generation could not be seen."""
        whole = self._newest is not None and None not in self._read.values()
        return Scope.HISTORY if whole else None

    def manifest(self, number: int) -> Manifest | None:
        """One generation; None for a damaged one. Raises StoreError."""
        if number not in self._read:
            try:
                self._read[number] = self._archive.manifest(self._album_key, number)
            except NotABackup:
                self._read[number] = None
        return self._read[number]

    def _entries(self, *, newest: bool) -> Iterator[Entry]:
        for number in reversed(self._generations):
            if (number == self._newest) is newest:
                manifest = self.manifest(number)
                yield from manifest.entries.values() if manifest else ()

    def contents(self, key: str) -> tuple[list[StoredBytes], Scope | None]:
        """What lines say of an original: those of the newest generation, else of older ones."""
        for newest, scope in self._scopes():
            found = {
                content.sha256: content
                for entry in self._entries(newest=newest)
                if entry.original.reason != Reason.FORGOTTEN
                for content in (entry.original.content, entry.original.previous)
                if content is not None and content.key == key
            }
            if found:
                return list(found.values()), scope
        return [], self._nobody

    def records(self, key: str) -> tuple[list[Entry], Scope | None]:
        """The lines that name a records file: of the newest generation, else of older ones."""
        for newest, scope in self._scopes():
            found = {
                (entry.image_key, entry.fingerprint): entry
                for entry in self._entries(newest=newest)
                if entry.record == key
            }
            if found:
                return list(found.values()), scope
        return [], self._nobody

    def _scopes(self) -> tuple[tuple[bool, Scope], ...]:
        return ((True, Scope.STATE), (False, Scope.HISTORY)) if self._newest else ()
