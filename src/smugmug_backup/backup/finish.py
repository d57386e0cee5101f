"""The end of an overflow: a report made from its plan and the outcomes of its workers."""

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace

from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.report import Failure, RunReport, merged
from smugmug_backup.backup import overflow as handover
from smugmug_backup.backup.account import Binding
from smugmug_backup.backup.attempts import Attempts
from smugmug_backup.backup.dates import RunDate
from smugmug_backup.backup.overflow import PlannedAlbum
from smugmug_backup.backup.session import Parts, Session
from smugmug_backup.backup.tally import Ending, Tally, write_report
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BackupError, Code, NotABackup, NotStored, SourceError


class Finish(Session):
    """Closes one run's overflow."""

    def __init__(
        self,
        parts: Parts,
        run: str,
        deadline: Deadline,
        albums_pool: Executor,
        transfers: Executor,
    ) -> None:
        super().__init__(parts, deadline, albums_pool, transfers)
        self._run = run

    def finish(self) -> RunReport:
        """See `Backup.finish`."""
        plan = handover.read_plan(self.archive.store, self._run)
        store = self.archive.store
        turns = handover.all_turns(store, self._run, self.transfers.map, self.deadline)
        late = self.deadline.passed
        reports = self.archive.reports(now=self.started_at)
        begun = self._begun()
        tally = self._tally(reports, begun)
        if late:
            # A report of what was read is worth more than none.
            tally.notes.append(
                "time ran out while the workers' notes were read; what they did is stored, and the "
                "next run finds it"
            )
        if begun is None:
            message = f"run {self._run} ended without a report of what it did not hand over"
            tally.failures.append(Failure(None, None, Code.NOT_DONE, message))
        # What failed before the hand-over was tried again if it is in the plan.
        again = {planned.album.key for planned in plan.albums}
        tally.failures += (
            each
            for each in (begun.failures if begun else ())
            if each.album_key not in again and each.code != Code.OVERFLOW_NOT_STARTED
        )
        if begun is not None and begun.more_failures:
            message = f"run {self._run} had {begun.more_failures} more failures than it names"
            tally.failures.append(Failure(None, None, Code.NOT_DONE, message))
        for planned in plan.albums:
            self._take(tally, planned, turns.get(planned.album.key, ()))
        check, findings = self.checks(reports)
        if plan.check is not None and check is not None and check.run_id == plan.check:
            for key in again:
                done = [each for turn in turns.get(key, ()) for each in turn.outcome.mended]
                findings.looked_at(key, done)
            findings.elsewhere(plan.open_elsewhere, again)
        base = reports.trusted or begun
        bound = Binding(reports.account, reports.formerly)
        ending = Ending(
            run_id=self.archive.new_run_id(self.started_at, self.parts.token, reports),
            trigger=begun.trigger if begun else None,
            attempt_of=self._run,
            started_at=self.started_at,
            date=self._date(
                [turn.outcome.clock_doubted for each in turns.values() for turn in each]
            ),
            binding=bound.after(plan.account).beside(bound),
            source=self.source.name,
            begun=reports,
            check=check,
            findings=findings,
            readme_sha256=base.readme_sha256 if base else None,
            since=Attempts.until(self.archive, begun).since,
            ignored=self.options.ignore_albums,
        )
        tally.find_moved(self.archive, self.transfers.map)
        return write_report(self.archive, self.clock, tally, ending, finish=self.finished)

    def _begun(self) -> RunReport | None:
        """The report of the run that handed over; None if it died after it had."""
        with suppress(NotStored, NotABackup):
            return self.archive.report(self._run)
        return None

    def _tally(self, reports: Reports, begun: RunReport | None) -> Tally:
        counting = reports.counting or ((begun,) if begun else ())
        tally = Tally(dict(reports.albums) or dict(begun.albums if begun else {}), {}, {})
        for report in reversed(counting):
            tally.name(report, tally.states)
        return tally

    def _date(self, doubted: Sequence[bool]) -> RunDate:
        """SmugMug's clock now: the account is asked once to have one."""
        with suppress(SourceError, BackupError):
            self.ask_account()
        date = self.date()
        return date._replace(doubted=date.doubted or any(doubted))

    def _take(self, tally: Tally, planned: PlannedAlbum, turns: Sequence[handover.Turn]) -> None:
        key = planned.album.key
        if not turns:
            tally.states.setdefault(key, planned.state)
            message = "no worker brought an outcome of this album"
            tally.failures.append(Failure(key, None, Code.NOT_DONE, message))
            return
        outcome = handover.merged(turns)
        if outcome.left_over:
            failure = Failure(key, None, Code.NOT_DONE, "the workers ran out of turns")
            outcome = replace(outcome, failures=(*outcome.failures, failure), left_over=False)
        current = tally.states.get(key)
        if current is None or merged(outcome.state, current) is outcome.state:
            tally.take(key, outcome)
        else:
            # A later run has tried it meanwhile; what was done here counts all the same.
            tally.counts.add(outcome.counts)
            if outcome.listed:
                tally.listed.add(key)
