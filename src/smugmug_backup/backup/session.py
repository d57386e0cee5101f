"""What a run, a worker's batch and the end of an overflow have in common."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import NamedTuple, Protocol

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.check_report import CheckReport, Finding, joined
from smugmug_backup.archive.report import Counts
from smugmug_backup.backup.alone import Alone
from smugmug_backup.backup.context import Context, Listener, Options
from smugmug_backup.backup.dates import RunDate
from smugmug_backup.backup.findings import Findings
from smugmug_backup.backup.forgotten import Forgotten
from smugmug_backup.backup.outcome import Outcome
from smugmug_backup.backup.room import Space
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.model import Account, Album
from smugmug_backup.ports import Overflow, PhotoSource


class Observer(Listener, Protocol):
    """Hears what a run does, from many threads; it never fails and never waits long."""

    def planned(self, albums: int) -> None:
        """So many albums are to be done."""

    def noted(self, note: str) -> None:
        """A note that whoever waits for the run should hear before its work begins."""

    def album_done(self, album: Album, outcome: Outcome) -> None:
        """One of them is done, or was left."""


class Parts(NamedTuple):
    """What runs are made of. ``token`` is 8 random hex digits."""

    source: PhotoSource
    archive: Archive
    clock: Clock
    options: Options
    token: str
    overflow: Overflow | None
    observer: Observer | None


class Session:
    """Pools, the clock at the start, and what was counted."""

    def __init__(
        self, parts: Parts, deadline: Deadline, albums_pool: Executor, transfers: Executor
    ) -> None:
        self.parts = parts
        self.source = parts.source
        self.archive = parts.archive
        self.clock = parts.clock
        self.options = parts.options
        self.deadline = deadline
        self.albums_pool = albums_pool
        self.transfers = transfers
        self.started_at = self.clock.now().replace(microsecond=0)
        self._began = self.clock.monotonic()
        self._calls = self.source.api_calls
        self._requests = self.archive.store.requests

    def ask_account(self) -> Account:
        """Whose account the source shows. Raises SourceError, OutOfTime."""
        return self.source.account(deadline=self.deadline)

    def date(self) -> RunDate:
        """SmugMug's clock, by the newest answer that had a date."""
        return RunDate.of(
            self.source.answered_at, now=self.clock.now(), monotonic=self.clock.monotonic()
        )

    def context(
        self,
        account: Account,
        run_id: str,
        date: RunDate,
        *,
        full: bool = False,
        accepted: Iterable[str] = (),
        findings: Mapping[str, tuple[Finding, ...]] | None = None,
    ) -> Context:
        """What the work on albums is handed."""
        return Context(
            source=self.source,
            archive=self.archive,
            clock=self.clock,
            deadline=self.deadline,
            options=self.options,
            account=account,
            run_id=run_id,
            date=date,
            alone=Alone(self.source, self.archive, self.deadline),
            space=Space(self.archive.store),
            forgotten=Forgotten(self.archive),
            transfers=self.transfers,
            listener=self.parts.observer,
            full=full,
            accepted=frozenset(accepted),
            findings=findings or {},
        )

    def checks(self, reports: Reports) -> tuple[CheckReport | None, Findings]:
        """The newest check report, and what of it, and of others beside it, is open."""
        heads = self.archive.check_heads(now=self.started_at)
        known = reports.trusted.check if reports.trusted else None
        if not heads:
            return None, Findings.of_check(None, known)
        findings = Findings.of_check(joined(heads), known, alone=len(heads) == 1)
        return heads[0], findings

    def finished(self, counts: Counts) -> None:
        """Fill in what only the end knows; the report's own put is among the requests."""
        counts.api_calls += self.source.api_calls - self._calls
        counts.s3_requests += self.archive.store.requests - self._requests + 1
        counts.seconds = round(counts.seconds + self.clock.monotonic() - self._began, 1)
