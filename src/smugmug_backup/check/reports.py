"""The pass over run reports and check reports: each is what its successor says, none is lost.

Reports are read in the order of their run ids and let go again: of each only its links stay, and
what it states of manifests, sixteen bytes for each generation.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from smugmug_backup.archive import keys
from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.check_report import Scope, Wrong
from smugmug_backup.archive.report import AlbumState, Link, RunReport, future
from smugmug_backup.check.turns import place
from smugmug_backup.check.work import Patience, Work, ahead, in_time
from smugmug_backup.errors import BackupError, FormatTooNew, NotABackup, NotStored

_RECENT = 40


class Stated:
    """What reports state of manifests: 64 bits of the key's hash, 64 of the SHA-256."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int]] = {}
        self._greatest: dict[str, int] = {}
        self._places = array("Q")
        self._hashes = array("Q")

    def note(self, album_key: str, generation: int, sha256: str) -> None:
        """A report states it; the reports come in their order, so most of them say it again."""
        hashed = _hashed(sha256)
        if self._last.get(album_key) != (generation, hashed):
            self._last[album_key] = (generation, hashed)
            self._greatest[album_key] = max(generation, self._greatest.get(album_key, 0))
            self._places.append(place(keys.manifest(album_key, generation)))
            self._hashes.append(hashed)

    def close(self) -> None:
        """All reports were seen."""
        order = sorted(range(len(self._places)), key=self._places.__getitem__)
        self._places = array("Q", (self._places[n] for n in order))
        self._hashes = array("Q", (self._hashes[n] for n in order))

    def newest(self, album_key: str) -> int:
        """The greatest generation that a report states of an album; 0 if none does."""
        return self._greatest.get(album_key, 0)

    def albums(self) -> Iterator[str]:
        """All albums of which a report states a generation."""
        return iter(self._last)

    def of(self, album_key: str, generation: int, sha256: str) -> bool | None:
        """Whether a report states this SHA-256 of the generation; None if none states any."""
        at = place(keys.manifest(album_key, generation))
        index = bisect_left(self._places, at)
        said = None
        while index < len(self._places) and self._places[index] == at:
            if self._hashes[index] == _hashed(sha256):
                return True
            said = False
            index += 1
        return said


def _hashed(sha256: str) -> int:
    return int(sha256[:16], 16)


@dataclass(slots=True)
class Known:
    """What the reports tell the passes after this one.

    ``states``: every album, by the reports that count. ``of_run``: the newest that counts.
    """

    reports: Reports = field(default_factory=Reports)
    states: dict[str, AlbumState] = field(default_factory=dict)
    of_run: str | None = None
    heads: tuple[Link, ...] = ()
    stated: Stated = field(default_factory=Stated)


@dataclass(slots=True)
class _Read:
    run: str
    error: BackupError | None = None
    sha256: str = ""
    previous: tuple[Link, ...] = ()
    check: Link | None = None
    albums: list[tuple[str, int, str]] = field(default_factory=list)


class ReportsPass:
    """See `run`; ``checks``: run ids of the check reports that are there."""

    def __init__(self, work: Work, checks: Iterable[str], told: Iterable[Link]) -> None:
        self.work = work
        self.known = Known()
        self._checks = set(checks)
        self._told = list(told)
        self._links: dict[str, set[str]] = {}
        self._check_links: dict[str, str] = {}
        self._found: dict[str, _Read] = {}

    def run(self) -> Known:
        """Look at the reports. Raises OutOfTime, FormatTooNew, EarlierForm."""
        work, known = self.work, self.known
        found = [each.key for each in work.listings.of(keys.RUNS)]
        listed = sorted(run for key in found if (run := keys.parse_report(key)) is not None)
        work.counts.reports = len(listed)
        known.reports = work.archive.reports_among(listed, now=work.now)
        known.states = dict(known.reports.albums)
        trusted = known.reports.trusted
        known.of_run = trusted.run_id if trusted else None
        window = self._window(listed)
        patience = Patience()
        for read in ahead(work.executor, self._read, window):
            in_time(work.deadline, "the time ended while run reports were read")
            self._take(read, patience)
        known.stated.close()
        self._judge(set(listed), newest=listed[-1] if listed else "")
        self._check_reports()
        self._readme(trusted)
        known.heads = self._heads(window)
        return known

    def _window(self, listed: list[str]) -> list[str]:
        older, recent = listed[:-_RECENT], listed[-_RECENT:]
        if older and not self.work.history:
            self.work.ledger.left(
                f"{len(older) - 1} older run reports (--history reads all of them)"
            )
            older = [older[self.work.day % len(older)]]
        return [*older, *recent]

    def _read(self, run: str) -> _Read:
        try:
            report = self.work.archive.inspect_report(run)
        except FormatTooNew as error:
            if future(run, self.work.now):
                return _Read(run, error)
            # Else nobody could have told which report is the newest: see `chain`.
            said = f"{keys.report(run)}: of its version a digit is damaged"
            return _Read(run, NotABackup(said))
        except BackupError as error:
            return _Read(run, error)
        read = _Read(run, None, str(report.sha256), tuple(report.previous))
        if report.check is not None:
            read.check = Link(report.check.run_id, report.check.sha256)
        # A run that was refused knows no better than the one before it.
        read.albums = [
            (key, state.generation, state.manifest_sha256)
            for key, state in report.albums.items()
            if state.generation and state.manifest_sha256
        ]
        return read

    def _take(self, read: _Read, patience: Patience) -> None:
        self._found[read.run] = read
        self.work.counts.reports_read += 1
        if read.error is not None:
            patience.bad(read.error)
            return
        patience.good()
        for link in read.previous:
            self._links.setdefault(link.run_id, set()).add(link.sha256)
        if read.check is not None:
            self._check_links[read.check.run_id] = read.check.sha256
        for album_key, generation, sha256 in read.albums:
            self.known.stated.note(album_key, generation, sha256)
        read.albums = []

    def _judge(self, listed: set[str], *, newest: str) -> None:
        """Each report that was read, or that one of these names."""
        ledger = self.work.ledger
        for run in sorted({*self._found, *self._links}):
            read = self._found.get(run)
            if read is None and run in listed:
                continue  # Not of today's.
            key = keys.report(run)
            if read is None and self.work.listings.unknown(key):
                continue
            scope = Scope.STATE if run in (newest, self.known.of_run) else Scope.HISTORY
            stated = self._links.get(run, set())
            if read is not None and read.error is None and stated <= {read.sha256}:
                ledger.sound(key)
                continue
            if not stated and read is not None and read.error is not None:
                ledger.failed(key, read.error, scope=scope)
                continue
            for sha256 in sorted(stated):
                self._proved(run, sha256, whole=read is not None and read.error is None)

    def _proved(self, run: str, sha256: str, *, whole: bool) -> None:
        """The report ``run`` must lie there with ``sha256``, under some name of it."""
        ledger, key = self.work.ledger, keys.report(run)
        try:
            self.work.archive.inspect_report(run, sha256)
        except NotABackup as error:
            if not whole:
                ledger.failed(key, error, scope=Scope.HISTORY)
                return
            said = "a later report states another SHA-256 of it: the chain breaks here"
            ledger.wrong(key, Wrong.BROKEN_CHAIN, said, scope=Scope.HISTORY)
        except BackupError as error:
            ledger.failed(key, error, scope=Scope.HISTORY)
        else:
            ledger.sound(key)

    def _check_reports(self) -> None:
        """Those that run reports name: a copy of a store has none of them, and that is right."""
        if not self._checks:
            if self._check_links:
                self.work.ledger.left("check reports that runs name: this store has none at all")
            return
        newest = max(self._check_links, default="")
        for run, sha256 in sorted(self._check_links.items()):
            key = keys.check_report(run)
            if not (self.work.history or run == newest) or self.work.listings.unknown(key):
                continue
            try:
                self.work.archive.inspect_check(run, sha256)
            except BackupError as error:
                self.work.ledger.failed(key, error, scope=Scope.HISTORY)
            else:
                self.work.ledger.sound(key)

    def _readme(self, trusted: RunReport | None) -> None:
        sha256 = trusted.readme_sha256 if trusted else None
        if sha256 is None:
            return
        try:
            if self.work.archive.readme_with(sha256) is None:
                there = self.work.archive.store.head(keys.README) is not None
                raise (
                    NotABackup(f"{keys.README} is not what the newest run report states")
                    if (there)
                    else NotStored(f"{keys.README} is not there")
                )
        except BackupError as error:
            self.work.ledger.failed(keys.README, error)
        else:
            self.work.ledger.sound(keys.README)

    def _heads(self, window: list[str]) -> tuple[Link, ...]:
        """The reports that no other names, as far as they were read, but for the newest one."""
        near = [run for run in window if not future(run, self.work.now)]
        heads = {link.run_id: link.sha256 for link in self._told}
        recent = near if self.work.history else near[-_RECENT:]
        for run in recent:
            read = self._found[run]
            if read.error is None:
                heads[run] = read.sha256
        newest = near[-1] if near else ""
        return tuple(
            Link(run, heads[run])
            for run in sorted(heads)
            if run not in self._links and run != newest
        )
