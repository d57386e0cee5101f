"""Which run reports there are, which of them counts, and which no other names.

A *head* is a report that no other report names. The SHA-256 of the head is the seal: from it every
byte of the backup can be proved. How a run finds the heads that it names, and why two runs at once
leave two, stands in ``FORMAT.md``.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from smugmug_backup.archive import keys
from smugmug_backup.archive.report import (
    AlbumState,
    CompleteAsOf,
    Link,
    RunReport,
    future,
    merged,
)
from smugmug_backup.errors import NotABackup, NotStored, StoreError
from smugmug_backup.model import Account
from smugmug_backup.ports import BackupStore


@dataclass(slots=True)
class Reports:
    """The run reports of a store, as far as they had to be looked at.

    ``newest``: the newest of any kind. ``trusted``: the newest that tells the account's state.
    ``beside``: other heads that tell it, too (two runs at once). ``passed_over``: what should be
    told of reports that do not count, in words. ``listed``: run ids, ascending. ``lenient``: what
    cannot be read tonight is passed over, too, instead of raising.
    """

    newest: RunReport | None = None
    trusted: RunReport | None = None
    beside: tuple[RunReport, ...] = ()
    passed_over: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    after: str = ""
    read: dict[str, RunReport | None] = field(default_factory=dict)
    lenient: bool = False

    @property
    def albums(self) -> Mapping[str, AlbumState]:
        """Every album's state, by all the reports that count."""
        albums = dict(self.trusted.albums) if self.trusted else {}
        for report in self.beside:
            for key, state in report.albums.items():
                albums[key] = merged(albums[key], state) if key in albums else state
        return albums

    @property
    def counting(self) -> tuple[RunReport, ...]:
        """The reports that tell the account's state, the newest first."""
        return (self.trusted, *self.beside) if self.trusted else ()

    @property
    def complete_as_of(self) -> CompleteAsOf | None:
        """Of the newest complete run that these reports know."""
        found = [each.complete_as_of for each in self.counting if each.complete_as_of]
        return max(found, key=lambda each: each.run_id, default=None)

    @property
    def account(self) -> Account | None:
        """Whose backup this is, in the widest view ever reported."""
        accounts = [each.account for each in self.counting if each.account]
        owners = [each for each in accounts if each.access == "owner"]
        return next(iter(owners or accounts), None)

    @property
    def formerly(self) -> tuple[str, ...]:
        """The nicknames that the owner accepted as former ones of this account."""
        return tuple(dict.fromkeys(name for each in self.counting for name in each.formerly))

    def report(self, store: BackupStore, run: str) -> RunReport | None:
        """One report, read once; None if it cannot be read as one."""
        if run not in self.read:
            try:
                self.read[run] = load_report(store, run)
            except (NotABackup, NotStored):
                self.read[run] = None
            except StoreError:
                if not self.lenient:
                    raise
                self.read[run] = None
        return self.read[run]


def load_report(store: BackupStore, run: str) -> RunReport:
    """One run's report. Raises NotStored, FormatTooNew, EarlierForm, NotABackup."""
    key = keys.report(run)
    return RunReport.from_bytes(store.read(key), key=key)


def look(store: BackupStore, *, now: datetime) -> Reports:
    """The newest reports, looked for in this month and the last one, then everywhere.

    One that cannot be read, or whose run id lies more than 12 hours ahead of ``now``, is passed
    over and named: without it listings are longer, and nothing else.
    """
    last_month = now.replace(day=1) - timedelta(days=1)
    reports = Reports(after=f"{keys.RUNS}{last_month:%Y/%m}/")
    listed = list_runs(store, after=reports.after)
    _find(store, reports, listed, now)
    if reports.trusted is None:
        older = list_runs(store, until=reports.after)
        reports.after = ""
        listed = [*older, *listed]
        _find(store, reports, listed, now)
    reports.listed = tuple(listed)
    reports.beside = tuple(_beside(store, reports, now))
    return reports


def look_among(store: BackupStore, listed: Iterable[str], *, now: datetime) -> Reports:
    """The newest of the reports ``listed``; one that cannot be read tonight is passed over."""
    reports = Reports(listed=tuple(sorted(listed)), lenient=True)
    _find(store, reports, reports.listed, now)
    reports.beside = tuple(_beside(store, reports, now))
    return reports


def list_runs(store: BackupStore, *, after: str = "", until: str | None = None) -> list[str]:
    """The run ids of all reports between two keys, ascending."""
    listed = store.list(keys.RUNS, after=after, until=until)
    found = (keys.parse_report(each.key) for each in listed)
    return sorted(run for run in found if run is not None)


def _find(store: BackupStore, reports: Reports, listed: Iterable[str], now: datetime) -> None:
    passed_over = []
    for run in sorted(listed, reverse=True):
        if future(run, now):
            passed_over.append(
                f"the report of run {run} is passed over: it was made by a clock that was ahead"
            )
            continue
        report = reports.report(store, run)
        if report is None:
            passed_over.append(f"{keys.report(run)} is damaged; it is passed over")
            continue
        reports.newest = reports.newest or report
        if report.trusted:
            reports.trusted = report
            break
    reports.passed_over = tuple(passed_over)


def _beside(store: BackupStore, reports: Reports, now: datetime) -> Iterator[RunReport]:
    """Other heads that tell the account's state: `trusted` may not have seen them."""
    trusted = reports.trusted
    if trusted is None:
        return
    seen = {link.run_id for link in trusted.previous} | {trusted.run_id}
    oldest = min((link.run_id for link in trusted.previous), default="")
    found = []
    for run in reports.listed:
        if oldest < run < trusted.run_id and run not in seen and not future(run, now):
            report = reports.report(store, run)
            if report is not None:
                found.append(report)
    named = {link.run_id for report in (*found, trusted) for link in report.previous}
    named |= (
        {link.run_id for run in seen for link in _names(store, reports, run)} if found else set()
    )
    yield from (each for each in found if each.trusted and each.run_id not in named)


def _names(store: BackupStore, reports: Reports, run: str) -> tuple[Link, ...]:
    report = reports.report(store, run)
    return tuple(report.previous) if report else ()


def look_again(store: BackupStore, reports: Reports, *, now: datetime) -> Reports:
    """The reports as they are when a run ends: what was read before is not read again."""
    again = Reports(after=reports.after, read=reports.read)
    again.listed = tuple(list_runs(store, after=reports.after))
    _find(store, again, again.listed, now)
    again.beside = tuple(_beside(store, again, now))
    return again


def heads(
    store: BackupStore,
    begun: Reports,
    ended: Reports,
    *,
    told: Iterable[Link] = (),
) -> tuple[Link, ...]:
    """The heads that a run which ends now names, sorted by run id.

    ``begun`` and ``ended``: the reports when it began and now. ``told``: those that the newest
    check report tells. Candidates are the last report, each that is newer than what that one
    names, each that appeared meanwhile, and those told; of these the ones that no other names.
    """
    last = ended.newest
    if last is None:
        return ()
    oldest = min((link.run_id for link in last.previous), default="")
    appeared = set(ended.listed) - set(begun.listed)
    candidates = {run for run in ended.listed if oldest < run <= last.run_id} | {last.run_id}
    candidates |= {run for run in appeared if run <= last.run_id}
    candidates |= {link.run_id for link in told}
    if candidates == {last.run_id}:
        return (last.link,)
    asked = candidates | {link.run_id for link in last.previous}
    reports = [found for run in asked if (found := ended.report(store, run)) is not None]
    named = {link.run_id for report in reports for link in report.previous}
    return tuple(
        report.link
        for report in sorted(reports, key=lambda each: each.run_id)
        if report.run_id in candidates and report.run_id not in named
    )
