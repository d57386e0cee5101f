"""Which run reports there are, which of them counts, and which no other names.

No other report states the SHA-256 of the newest one. Where a letter of it is damaged, it is often
no report any more; where it still is one:

=================================  =============================================================
the newest report                  is
=================================  =============================================================
has a greater version, and is in   damaged in that digit: a newer form of the store begins with a
all else of this form, with the    README.txt of its own
README.txt that this program, or
the report before it, writes
has a greater version              of a newer program: refused
names an account that neither the  damaged in that name, which is asked only where the account
report before it nor its manifests read now is another than its
name, and none that it had before
=================================  =============================================================

A *head* is a report that no other report names. The SHA-256 of the head is the seal: from it every
byte of the backup can be proved. How a run finds the heads that it names, and why two runs at once
leave two, stands in ``FORMAT.md``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from smugmug_backup.archive import generations, keys, reading
from smugmug_backup.archive.encoding import sha256
from smugmug_backup.archive.readme import README_TEXT
from smugmug_backup.archive.report import (
    AlbumState,
    CompleteAsOf,
    Link,
    RunReport,
    future,
    merged,
)
from smugmug_backup.errors import (
    EarlierForm,
    FormatTooNew,
    ListingIncomplete,
    NotABackup,
    NotStored,
    StoreError,
)
from smugmug_backup.model import Account
from smugmug_backup.ports import BackupStore

_FEW = 3
"""Where more of the newest reports than these cannot be read, the store cannot."""


@dataclass(slots=True)
class Reports:
    """The run reports of a store, as far as they had to be looked at.

    ``newest``: the newest of any kind. ``trusted``: the newest that tells the account's state.
    ``beside``: other heads that tell it, too (two runs at once). ``passed_over``: what should be
    told of reports that do not count, in words. ``listed``: run ids, ascending. ``after``: the key
    after which they were listed. ``read``: those that were read, None if that was in vain.
    ``unread``: those that are there and cannot be read tonight, and why; ``too_new``: those that
    say that a newer program wrote them.
    """

    newest: RunReport | None = None
    trusted: RunReport | None = None
    beside: tuple[RunReport, ...] = ()
    passed_over: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    after: str = ""
    read: dict[str, RunReport | None] = field(default_factory=dict)
    unread: dict[str, StoreError] = field(default_factory=dict)
    too_new: dict[str, FormatTooNew] = field(default_factory=dict)

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
        """One report, read once; None if it cannot be read as one.

        One that cannot be read tonight is none, too: without it listings are longer, no more.
        """
        if run not in self.read:
            self.read[run] = None
            try:
                self.read[run] = load_report(store, run)
            except (NotABackup, NotStored):
                pass
            except StoreError as error:
                self.unread[run] = error
            except FormatTooNew as error:
                # Where a report of this form is newer, its version is damaged.
                self.too_new[run] = error
        return self.read[run]


def load_report(store: BackupStore, run: str) -> RunReport:
    """One run's report. Raises NotStored, FormatTooNew, EarlierForm, NotABackup."""
    key = keys.report(run)
    return parsed_report(store.read(key), run)


def parsed_report(body: bytes, run: str) -> RunReport:
    """The report of ``run``. Raises FormatTooNew, EarlierForm, NotABackup."""
    key = keys.report(run)
    report = RunReport.from_bytes(body, key=key)
    if report.run_id != run:
        raise NotABackup(f"{key} is the report of another run")
    return report


def look(store: BackupStore, *, now: datetime) -> Reports:
    """The newest reports, looked for in this month and the last one, then everywhere.

    One that cannot be read, or whose run id lies more than 12 hours ahead of ``now``, is passed
    over and named: without it listings are longer, and nothing else. Raises StoreError if the
    store cannot be read at all, FormatTooNew, EarlierForm.
    """
    last_month = now.replace(day=1) - timedelta(days=1)
    reports = Reports(after=f"{keys.RUNS}{last_month:%Y/%m}/")
    _find(store, reports, now)
    if reports.trusted is None:
        reports.after = ""
        _find(store, reports, now)
    return reports


def list_runs(store: BackupStore, *, after: str = "") -> list[str]:
    """The run ids of all reports after a key, ascending, but for months that cannot be seen."""
    return _seen_runs(store, after)[0]


def look_among(store: BackupStore, listed: Iterable[str], *, now: datetime) -> Reports:
    """The newest of the reports ``listed``; one that cannot be read tonight is passed over."""
    reports = Reports()
    _find_in(store, reports, sorted(listed), now, raising=False)
    return reports


def _seen_runs(store: BackupStore, after: str) -> tuple[list[str], tuple[str, ...]]:
    """(run ids, ascending; what could not be looked into)."""
    found = []
    unseen: tuple[str, ...] = ()
    try:
        for each in store.list(keys.RUNS, after=after):
            run = keys.parse_report(each.key)
            if run is not None:
                found.append(run)
    except ListingIncomplete as error:
        if keys.RUNS in error.keys:
            raise
        unseen = error.keys
    return sorted(found), unseen


def _find(store: BackupStore, reports: Reports, now: datetime) -> None:
    listed, unseen = _seen_runs(store, reports.after)
    _find_in(store, reports, listed, now)
    cannot = (f"{key} cannot be looked into; its reports are passed over" for key in unseen)
    reports.passed_over = (*cannot, *reports.passed_over)


def _find_in(
    store: BackupStore,
    reports: Reports,
    listed: Sequence[str],
    now: datetime,
    *,
    raising: bool = True,
) -> None:
    """Look through ``listed``, the newest first. ``raising``: where many cannot be read tonight,
    the store is away."""
    passed_over = []
    unread = 0
    for run in reversed(listed):
        if future(run, now):
            passed_over.append(
                f"the report of run {run} is passed over: it was made by a clock that was ahead"
            )
            continue
        report = reports.report(store, run)
        if run in reports.too_new and reports.newest is None:
            older = [each for each in listed if each < run]
            if not _of_this_program(store, reports, run, older):
                raise reports.too_new[run]
        if report is None:
            error = reports.unread.get(run)
            unread += error is not None
            if error is not None and raising and unread > _FEW:
                raise error
            wrong = f"cannot be read ({error})" if error else "is damaged"
            passed_over.append(f"{keys.report(run)} {wrong}; it is passed over")
            continue
        reports.newest = reports.newest or report
        if report.trusted:
            reports.trusted = report
            break
    reports.passed_over = tuple(passed_over)
    reports.listed = tuple(listed)
    reports.beside = tuple(_beside(store, reports, now))


def _of_this_program(store: BackupStore, reports: Reports, run: str, older: Sequence[str]) -> bool:
    """Whether of a report of a newer version nothing is newer but that number."""
    report = RunReport.of_this_form(store.read(keys.report(run)), key=keys.report(run))
    if report is None or report.readme_sha256 is None:
        return False
    if report.readme_sha256 == sha256(README_TEXT.encode()):
        return True
    before = (reports.report(store, each) for each in reversed(older[-_FEW:]))
    nearest = next((each for each in before if each is not None), None)
    return nearest is not None and nearest.readme_sha256 == report.readme_sha256


def proved(store: BackupStore, reports: Reports, *, now: datetime) -> Reports:
    """``reports`` without those that name an account which all that they name contradicts."""
    found = reports
    while outvoted := [each for each in found.counting if _is_outvoted(store, each)]:
        read = {**found.read, **dict.fromkeys(each.run_id for each in outvoted)}
        found = Reports(after=found.after, read=read, unread=found.unread, too_new=found.too_new)
        _find_in(store, found, reports.listed, now)
    return found


def _is_outvoted(store: BackupStore, report: RunReport) -> bool:
    if report.account is None:
        return False
    names = {each.casefold() for each in (report.account.nickname, *report.formerly)}
    told = next(_named_accounts(store, report), None)
    return told is not None and told.nickname.casefold() not in names


def _named_accounts(store: BackupStore, report: RunReport) -> Iterator[Account]:
    """The account by what a report names: the reports before it, else its albums' manifests; each
    proved by its SHA-256."""
    for link in report.previous:
        with suppress(NotABackup, StoreError, FormatTooNew, EarlierForm):
            body = reading.read_stated(store, keys.report(link.run_id), link.sha256)
            account = parsed_report(body, link.run_id).account
            if account is not None:
                yield account
    for key, state in report.albums.items():
        if state.manifest_sha256 is not None:
            with suppress(NotABackup, StoreError, FormatTooNew, EarlierForm):
                yield generations.read_manifest(
                    store, key, state.generation, state.manifest_sha256
                ).header.account


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
    again = Reports(
        after=reports.after, read=reports.read, unread=reports.unread, too_new=reports.too_new
    )
    _find(store, again, now)
    return again


def heads(
    store: BackupStore,
    begun: Reports,
    ended: Reports,
    *,
    told: Iterable[Link] = (),
    told_after: str = "",
) -> tuple[Link, ...]:
    """The heads that a run which ends now names, sorted by run id.

    ``begun`` and ``ended``: the reports when it began and now. ``told``: those that the newest
    check report tells; ``told_after``: the newest run that this check knew. Candidates are the
    last report, each that is newer than what that one names, each that appeared meanwhile, and
    those told; of these the ones that no other names. One that lies in the future waits.
    """
    last = ended.newest
    if last is None:
        return ()
    oldest = min((link.run_id for link in last.previous), default="")
    appeared = set(ended.listed) - set(begun.listed)
    told_runs = {link.run_id for link in told if link.run_id <= last.run_id}
    candidates = {run for run in ended.listed if oldest < run <= last.run_id} | {last.run_id}
    candidates |= {run for run in appeared if run <= last.run_id} | told_runs
    if candidates == {last.run_id}:
        return (last.link,)
    asked = candidates | {link.run_id for link in last.previous}
    if told_runs:
        # A run that ended since may have named what the check tells.
        asked |= {run for run in ended.listed if told_after < run <= last.run_id}
    reports = [found for run in asked if (found := ended.report(store, run)) is not None]
    named = {link.run_id for report in reports for link in report.previous}
    left = [each for each in reports if each.run_id in candidates and each.run_id not in named]
    doubtful = [each.started_at for each in left if each.run_id not in told_runs]
    if len(left) > 1 and doubtful:
        named = _named_since(store, ended, reports, min(doubtful))
    left.sort(key=lambda each: each.run_id)
    return tuple(each.link for each in left if each.run_id not in named)


def _named_since(
    store: BackupStore, known: Reports, reports: Iterable[RunReport], since: datetime
) -> set[str]:
    """What ``reports``, and those that they name, name: back to those that ended before ``since``.

    A run that began before another and ended after it names it, though its own run id is smaller.
    """
    ahead = list(reports)
    seen = {each.run_id for each in ahead}
    named: set[str] = set()
    while ahead:
        for link in ahead.pop().previous:
            named.add(link.run_id)
            older = None if link.run_id in seen else known.report(store, link.run_id)
            seen.add(link.run_id)
            if older is not None and older.ended_at >= since:
                ahead.append(older)
    return named
