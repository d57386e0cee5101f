"""``start --stack NAME``: a run of the deployed function, followed until its report."""

import argparse
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rich.console import Console

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.report import RunReport, RunStatus
from smugmug_backup.cli.bucket import differences, look_at, obstacles
from smugmug_backup.cli.commands.run import ENDED, tell_report
from smugmug_backup.cli.deployed import Deployment, deployment, invoke, overflow_ended, said_of
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.cli.output import make_console, plural, print_json
from smugmug_backup.cli.parsing import FINE, INTERRUPTED
from smugmug_backup.cli.store import open_new_or_old
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.clock import Clock
from smugmug_backup.errors import BackupError
from smugmug_backup.words import Location

_EVERY = 5.0
"""Seconds between two looks: a listing of the reports each, $0.000005."""
_SAID_EVERY = 60.0
_SKEW = timedelta(minutes=2)
"""This machine's clock names the moment, and the function's names its run."""
_LATE = 300.0
"""Lambda tries again after one and two minutes, and each attempt writes its report by itself."""


def run(args: argparse.Namespace, console: Console) -> int:
    """Start it, and follow; see the parser."""
    say = make_console(stderr=True) if args.json else console
    clock = SystemClock()
    stack = deployment(args.stack)
    _look_at_bucket(stack, say)
    # Before the start, so that its report is new.
    following = _Following.of(stack, clock)
    event = {"action": "backup"} | ({"full": True} if args.full else {})
    request = invoke(stack, event)
    say.print(f"The function {stack.function} is at work.", soft_wrap=True)
    if args.no_follow:
        if args.json:
            print_json(console, {"function": stack.function, "request_id": request})
        say.print(f"Later: smugmug-backup status {stack.location}", soft_wrap=True)
        return FINE
    try:
        report = following.until_its_report(request, say)
    except KeyboardInterrupt:
        say.print("It works on by itself.", end=" ")
        say.print(f"Later: smugmug-backup status {stack.location}", soft_wrap=True)
        return INTERRUPTED
    if args.json:
        print_json(console, json.loads(report.to_bytes()))
    else:
        titles = {key: state.title for key, state in report.albums.items()}
        tell_report(console, report, titles, interrupted=False)
        if report.status == RunStatus.INCOMPLETE and any(each.passing for each in report.failures):
            console.print("Lambda tries what may pass twice more by itself, within minutes.")
    return ENDED[RunStatus(report.status)]


def _look_at_bucket(stack: Deployment, say: Console) -> None:
    """Raise Mistaken for what would stop the run; tell what takes protection from it."""
    found = look_at(stack.bucket)
    stopping = [*obstacles(stack.bucket, found)]
    if stopping:
        raise Mistaken(
            "; ".join(stopping),
            hint="deploy again with another ExistingBucket, or without one; nothing was started",
        )
    for each in differences(stack.bucket, found):
        say.print(f"  {each}", style="yellow", soft_wrap=True)


@dataclass(slots=True)
class _Following:
    """Looks for the report of what was started after ``since``; ``known``: runs before it."""

    stack: Deployment
    archive: Archive
    clock: Clock
    since: datetime
    known: frozenset[str]
    read: dict[str, RunReport] = field(default_factory=dict)

    @classmethod
    def of(cls, stack: Deployment, clock: Clock) -> "_Following":
        archive = Archive(open_new_or_old(Location.parse(stack.location)))
        since = clock.now() - _SKEW
        return cls(stack, archive, clock, since, frozenset(archive.runs()))

    def until_its_report(self, request: str, say: Console) -> RunReport:
        """The report that ends the run. Raises Mistaken if none comes, or none can."""
        begun: RunReport | None = None
        waited = said = quiet = 0.0
        while True:
            for report in self._new():
                if begun is None and report.trigger is None and report.attempt_of is None:
                    begun = report
                    if report.status != RunStatus.CONTINUING:
                        return report
                    say.print("It goes on in Step Functions.", soft_wrap=True)
                elif begun is not None and report.attempt_of == begun.run_id:
                    return report
            if begun is None:
                problem = said_of(self.stack, request, self.since)
                if problem is not None and not any(True for _ in self._new()):
                    raise Mistaken(
                        f"the function gave up before it had a report: {problem}",
                        hint=f"Lambda tries twice more; the log is {self.stack.log_group}",
                    )
                if waited > self.stack.seconds + _LATE:
                    raise self._no_report(f"{plural(int(waited // 60), 'minute')}")
            elif overflow_ended(self.stack, begun.run_id):
                quiet += _EVERY
                if quiet > _LATE:
                    raise self._no_report("five minutes after its execution ended")
            if waited - said >= _SAID_EVERY:
                said = waited
                say.print(self._how_far(begun), soft_wrap=True)
            self.clock.sleep(_EVERY)
            waited += _EVERY

    def _new(self) -> Iterator[RunReport]:
        """The reports that came since, the oldest first."""
        for run in self.archive.runs():
            if run not in self.known:
                report = self._read(run)
                if report is not None and report.started_at >= self.since:
                    yield report

    def _read(self, run: str) -> RunReport | None:
        if self.read.get(run) is None:
            with suppress(BackupError):
                self.read[run] = self.archive.report(run)
        return self.read.get(run)

    def _how_far(self, begun: RunReport | None) -> str:
        if begun is None:
            return "still at work"
        notes = self.archive.store.list(f"{keys.WORK}{begun.run_id}/")
        albums = {found[0] for each in notes if (found := keys.parse_outcome(each.key))}
        return f"still at work: workers have looked at {plural(len(albums), 'album')}"

    def _no_report(self, when: str) -> Mistaken:
        return Mistaken(
            f"there is no report of the run after {when}",
            hint=f"look at the log {self.stack.log_group} and at the queue FailedRuns of the stack",
        )
