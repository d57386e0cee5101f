"""Check a store: its structure by listing it, and some of its bytes by reading them again.

Structure: check reports and run reports first, then one listing each of ``originals/``,
``records/`` and ``manifests/``. The last two are merged as streams, in the order of their keys; of
the originals sixteen bytes each are held (`OriginalsIndex`). Nothing is asked one by one but what
seems to be missing: a run may be storing it at this moment.

Of every album the newest manifest is read whole; with ``history`` all are, and the chain from the
newest report back to the first. What cannot be read is named, and all else is looked at.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.check_report import CheckReport, Finding, Scope, Wrong
from smugmug_backup.archive.report import future
from smugmug_backup.check.albums import AlbumsPass
from smugmug_backup.check.data import DataPass
from smugmug_backup.check.follow import Follow
from smugmug_backup.check.ledger import Ledger
from smugmug_backup.check.listings import Listings
from smugmug_backup.check.reports import Known, ReportsPass
from smugmug_backup.check.turns import OriginalsIndex, Weights, turn_of
from smugmug_backup.check.work import CheckCounts, CheckObserver, ReadPlan, Work
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import BackupError, BadRequest, OutOfTime, StoreError
from smugmug_backup.ports import BackupStore
from smugmug_backup.words import Amount

SOUND = "sound"
NOT_SOUND = "not_sound"
UNFINISHED = "unfinished"
"""Nothing wrong is known, but not all could be looked at."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How a check ended. ``not_written``: why its report could not be stored, else None."""

    report: CheckReport
    counts: CheckCounts
    plan: ReadPlan | None
    not_written: str | None = None

    @property
    def status(self) -> str:
        """One word of the three."""
        if self.report.open_findings:
            return NOT_SOUND
        return SOUND if self.report.sound else UNFINISHED

    @property
    def sound(self) -> bool:
        """Nothing is open, and all was seen that this check is to see."""
        return self.report.sound

    @property
    def findings(self) -> Sequence[Finding]:
        """What makes the store unsound first, then files that nobody names."""
        return self.report.findings

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        report = self.report
        return {
            "status": self.status,
            "run_id": report.run_id,
            "of_run": report.of_run,
            "history": report.history,
            "open_findings": report.open_findings,
            "findings": [finding.as_json() for finding in report.findings],
            "more_findings": report.more_findings,
            "accepted": list(report.accepted),
            "counts": asdict(self.counts),
            "not_checked": list(report.not_checked),
            "heads": [asdict(each) for each in report.heads],
            "report": None if self.not_written else report.key,
            "not_written": self.not_written,
            "reading": None if self.plan is None else self.plan.as_json(),
        }


def check(
    store: BackupStore,
    *,
    clock: Clock,
    token: str,
    deadline: Deadline,
    executor: Executor,
    read_data: str | None = None,
    history: bool = False,
    accept: Iterable[str] = (),
    trigger: str | None = None,
    observer: CheckObserver | None = None,
) -> CheckResult:
    """Say whether ``store`` is sound, and write that down under ``checks/``.

    ``read_data``: ``5GB``, ``5%`` or ``all`` of the originals and records are read again and
    compared with their SHA-256, those first that have waited longest (`turns`). ``history``: older
    generations and all reports too; ``all`` implies it. ``accept``: keys whose loss the owner
    accepts. ``token``: 8 random hex digits.

    Raises BadRequest for another amount, and for a key to accept that no open finding has;
    FormatTooNew and EarlierForm. Of all else that cannot be read it says so in its result.
    """
    amount = None if read_data is None else Amount.parse(read_data)
    thorough = history or (amount is not None and amount.turns == 1)
    one = _Check(store, clock, deadline, executor, amount, thorough, observer)
    return one.run(token, tuple(accept), trigger)


class _Check:
    """One check."""

    def __init__(
        self,
        store: BackupStore,
        clock: Clock,
        deadline: Deadline,
        executor: Executor,
        amount: Amount | None,
        history: bool,
        observer: CheckObserver | None,
    ) -> None:
        self.clock = clock
        self.started_at = clock.now().replace(microsecond=0)
        self.ledger = Ledger(clock)
        heard = observer.listed if observer is not None else None
        self.work = Work(
            archive=Archive(store),
            now=self.started_at,
            deadline=deadline,
            executor=executor,
            observer=observer,
            ledger=self.ledger,
            listings=Listings(store, self.ledger, deadline, heard),
            amount=amount,
            history=history,
            counts=CheckCounts(),
            index=OriginalsIndex(),
            weights=Weights(),
            archived=Weights(),
            newest=[],
        )
        self.known = Known()
        self.plan: ReadPlan | None = None
        self._before: list[CheckReport] = []
        self._checks: list[str] = []
        self._read_all = False

    def run(self, token: str, accept: tuple[str, ...], trigger: str | None) -> CheckResult:
        """See `check`."""
        structure = False
        try:
            self._earlier_checks()
            self._accept(accept)
            # In the order opposite to that of a run's writes: what a report names was committed
            # before it, so a run that goes on meanwhile cannot make us see a lack.
            told = [link for report in self._before for link in report.heads]
            self.known = ReportsPass(self.work, self._checks, told).run()
            self._runs_checked_before()
            self._forgotten()
            AlbumsPass(self.work, self.known).run()
            structure = True
            # Before the reading, which may take all the time there is.
            Follow(self.work, self.known).run()
            self._data()
        except OutOfTime as error:
            self.ledger.unfinished(str(error))
        except StoreError as error:
            self.ledger.unfinished(f"the store does not let itself be read: {error}")
        if self.work.amount is not None and not structure:
            self.ledger.left("nothing was read again: the structure was not seen whole")
        self._say_what_is_left()
        return self._written(self._report(token, trigger))

    # -- what was known before -------------------------------------------------------------------

    def _earlier_checks(self) -> None:
        """Carry on what the check reports say that no other names, and one that could not be read
        before and can be now."""
        listed = [each.key for each in self.work.listings.of(keys.CHECKS)]
        runs = (keys.parse_report(key, keys.CHECKS) for key in listed)
        self._checks = sorted(run for run in runs if run is not None)
        named: set[str] = set()
        for run in reversed(self._checks):
            links = [report.previous for report in self._before]
            if links and all(links) and run <= min(link.run_id for each in links for link in each):
                break
            report = None if future(run, self.started_at) else self._earlier_check(run)
            if report is None:
                continue
            if run not in named:
                self._before.append(report)
                self.ledger.carry_on(report)
            named.update(link.run_id for link in report.previous)
        for finding in self.ledger.to_follow():
            late = keys.parse_report(keys.plain(finding.key)[0], keys.CHECKS)
            if late is not None and finding.problem is Wrong.UNREADABLE:
                report = self._earlier_check(late)
                if report is not None:
                    self.ledger.sound(finding.key)
                    self._before.append(report)
                    self.ledger.carry_on(report)

    def _earlier_check(self, run: str) -> CheckReport | None:
        try:
            return self.work.archive.inspect_check(run)
        except BackupError as error:
            # What it found is not known any more, unless everything is looked at anew.
            self.ledger.failed(keys.check_report(run), error, scope=Scope.HISTORY)
            return None

    def _accept(self, accept: tuple[str, ...]) -> None:
        for key in accept:
            if not self.ledger.is_known(key):
                raise BadRequest(
                    f"no open finding has the key {key!r:.200}: nothing was accepted; "
                    "a check names them first"
                )
        for key in accept:
            self.ledger.accept(key)

    def _runs_checked_before(self) -> None:
        """A report of a run that an earlier check looked at is not lost."""
        listed = set(self.known.reports.listed)
        for report in self._before:
            run = report.of_run
            key = keys.report(run) if run is not None else ""
            if run is None or run in listed or self.work.listings.unknown(key):
                continue
            said = f"an earlier check saw {key}, and it is not there"
            self.ledger.wrong(key, Wrong.MISSING, said, scope=Scope.HISTORY)

    def _forgotten(self) -> None:
        found: list[str] = []
        images: list[str | None] = []
        try:
            for key in self.work.archive.forgotten_files():
                try:
                    found += self.work.archive.forgotten(key)
                except BackupError as error:
                    self.ledger.failed(key, error, scope=Scope.HISTORY)
                else:
                    images.append(keys.parse_forgotten(keys.plain(key)[0]))
                    self.ledger.sound(key)
        except StoreError as error:
            self.ledger.unfinished(f"what the owner had deleted is not known: {error}")
        self.work.forgotten = frozenset(found)
        self.work.forgotten_images = frozenset(each for each in images if each is not None)

    # -- reading again ---------------------------------------------------------------------------

    def _data(self) -> None:
        work = self.work
        if work.amount is None:
            return
        turn = turn_of(work.amount, work.weights, now=work.now)
        objects, size = work.weights.of(turn)
        archived, archived_size = work.archived.of(turn)
        self.plan = ReadPlan(
            amount=work.amount.text,
            turn=turn,
            budget=work.amount.bytes,
            objects=objects - archived,
            bytes=size - archived_size,
            archived=archived,
            archived_bytes=archived_size,
            get_requests=objects - archived + len(work.newest),
            list_requests=-(-(work.counts.records + work.counts.originals) // 1000) + 2,
        )
        if work.observer is not None:
            work.observer.reading(self.plan)
        data = DataPass(work, self.plan)
        data.run()
        self._read_all = data.whole and turn.turns == 1

    # -- the end ---------------------------------------------------------------------------------

    def _say_what_is_left(self) -> None:
        left, counts = self.ledger.left, self.work.counts
        if self.work.amount is None:
            left("the bytes of originals and records (--read-data reads them)")
        older = counts.generations - counts.albums
        if not self.work.history and older > 0:
            left(f"{_number(older, 'older version')} of albums (--history reads them)")
        if not self.work.history and counts.originals_unused > 0:
            left(
                f"{_number(counts.originals_unused, 'original')} that no newest version names "
                "(--history compares with the older ones)"
            )

    def _report(self, token: str, trigger: str | None) -> CheckReport:
        counts, ledger = self.work.counts, self.ledger
        everything = self.work.history and self._read_all and ledger.finished
        if everything:
            for finding in ledger.to_follow():
                if keys.parse_report(keys.plain(finding.key)[0], keys.CHECKS) is not None:
                    ledger.sound(finding.key)
        findings, more = ledger.close(everything=everything)
        sound = ledger.finished and not more and not any(each.open for each in findings)
        return CheckReport(
            run_id=self.work.archive.id_after(self.started_at, token, self._checks),
            previous=tuple(
                sorted({each.link for each in self._before}, key=lambda link: link.run_id)
            ),
            started_at=self.started_at,
            ended_at=_after(self.started_at, self.clock.now()),
            trigger=trigger,
            sound=sound,
            history=self.work.history and ledger.finished,
            of_run=self.known.of_run,
            objects=self.work.listings.objects,
            read_objects=counts.objects_read + counts.manifests_read + counts.reports_read,
            read_bytes=counts.bytes_read,
            not_checked=ledger.not_checked,
            findings=findings,
            more_findings=more,
            accepted=ledger.accepted,
            heads=self.known.heads,
        )

    def _written(self, report: CheckReport) -> CheckResult:
        try:
            report = self.work.archive.write_check(report)
        except StoreError as error:
            said = f"the report of this check could not be stored: {error}"
            return CheckResult(report, self.work.counts, self.plan, said)
        return CheckResult(report, self.work.counts, self.plan)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _after(start: datetime, end: datetime) -> datetime:
    """``end``, unless the machine's clock went back meanwhile."""
    return max(start, end.replace(microsecond=0))
