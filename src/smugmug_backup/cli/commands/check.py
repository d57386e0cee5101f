"""`smugmug-backup check`: is the backup sound."""

import argparse
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status

from smugmug_backup.archive.check_report import Finding, Scope
from smugmug_backup.archive.titles import shown
from smugmug_backup.check.check import NOT_SOUND, SOUND, CheckResult, check
from smugmug_backup.check.work import ReadPlan
from smugmug_backup.cli.arguments.check import NAME
from smugmug_backup.cli.estimate import PRICES, money
from smugmug_backup.cli.interruption import GRACE, interruptible
from smugmug_backup.cli.manners import manners_of
from smugmug_backup.cli.notify import Ending, Event, Notifier, told
from smugmug_backup.cli.output import day, make_console, number, plural, print_json, size
from smugmug_backup.cli.parsing import (
    COULD_NOT,
    FINE,
    INTERRUPTED,
    NOT_ALL,
)
from smugmug_backup.cli.settings import profile_of
from smugmug_backup.cli.stoppable import stoppable
from smugmug_backup.cli.store import open_existing
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.clock import Deadline
from smugmug_backup.words import Amount

_STATUS = {SOUND: FINE, NOT_SOUND: NOT_ALL}
_SHOWN = 50
_AT_A_TIME = 8


def run(args: argparse.Namespace, console: Console) -> int:
    """Check it, and tell those who want to know; 0 sound, 1 not sound, 2 not to the end."""
    notifier = Notifier(
        manners_of(args, profile=profile_of(args)).notify, make_console(stderr=True).print
    )
    with told(notifier, NAME, str(args.location)) as ending:
        return _run(args, console, ending)


def _run(args: argparse.Namespace, console: Console, ending: Ending) -> int:
    if args.read_data is not None:
        Amount.parse(args.read_data)
    store = open_existing(args.location)
    clock = SystemClock()
    out = make_console(stderr=args.json, quiet=args.quiet)
    deadline = Deadline.none(clock)

    def stop() -> None:
        deadline.stop(grace=GRACE)

    with (
        interruptible(out, stop, saying="Stopping: what was seen so far is told.") as interruption,
        _Progress(out, s3=args.location.in_s3) as progress,
        interruptible(out, stop, saying="Stopping: what was seen so far is told.") as interruption,
        ThreadPoolExecutor(_AT_A_TIME) as executor,
    ):
        result = check(
            stoppable(store, deadline),
            clock=clock,
            token=secrets.token_hex(4),
            deadline=deadline,
            executor=executor,
            read_data=args.read_data,
            history=args.history,
            accept=args.accept,
            observer=progress,
        )
    if args.json:
        print_json(console, {**result.as_json(), "location": str(args.location)})
    elif not (args.quiet and result.status == SOUND):
        _tell(console, result)
        for remark in getattr(store, "remarks", ()):  # A folder has some.
            console.print(f"passed over {shown(remark)}", style="yellow")
    ended = _STATUS.get(result.status, COULD_NOT)
    ending.is_now(Event.SUCCESS if ended == FINE else Event.FAILURE, _summary(result))
    return INTERRUPTED if interruption.happened and ended == COULD_NOT else ended


def _summary(result: CheckResult) -> str:
    word = {SOUND: "sound", NOT_SOUND: "NOT SOUND"}.get(result.status, "not checked to the end")
    findings = result.report.open_findings
    more = f"; {plural(findings, 'problem')}" if findings else ""
    return f"{word}: {plural(result.counts.images, 'image')} looked at{more}"


def _tell(console: Console, result: CheckResult) -> None:
    report = result.report
    for label, value in _counted(result):
        console.print(f"{label:<12}{value}")
    for each in report.not_checked:
        console.print(f"not checked {shown(each)}")
    for finding in result.findings[:_SHOWN]:
        console.print(
            f"{shown(finding.key)}: {shown(finding.message)} ({finding.problem}"
            f"{_scope(finding)}, since {day(finding.since)})",
            style="red" if finding.open else "yellow",
        )
    more = len(result.findings) - _SHOWN + report.more_findings
    if more > 0:
        console.print(f"\u2026 and {number(more)} more (--json shows them)")
    if report.accepted:
        console.print(f"accepted as lost: {plural(len(report.accepted), 'file')}")
    if result.not_written:
        console.print(shown(result.not_written), style="yellow")
    else:
        console.print(f"report      {report.key}")
    if result.status == SOUND:
        console.print("sound", style="bold green")
    elif result.status == NOT_SOUND:
        open_ones = plural(report.open_findings, "problem")
        console.print(f"NOT SOUND: {open_ones}", style="bold red")
    else:
        console.print("not checked to the end", style="bold yellow")


def _scope(finding: Finding) -> str:
    if not finding.open:
        return ", no part of the backup"
    return ", of an older version" if finding.scope is Scope.HISTORY else ""


def _counted(result: CheckResult) -> Iterator[tuple[str, str]]:
    counts = result.counts
    yield "albums", f"{number(counts.albums)} in {plural(counts.generations, 'version')}"
    gone = counts.lines - counts.images
    yield "images", number(counts.images) + (f", and {number(gone)} gone" if gone else "")
    older = counts.originals_unused
    yield (
        "originals",
        f"{number(counts.originals)}, {size(counts.original_bytes)}"
        + (f"; {number(older)} of them of older versions" if older else ""),
    )
    if counts.archived:
        yield "archived", f"{plural(counts.archived, 'original')}, {size(counts.archived_bytes)}"
    yield "records", plural(counts.records, "file")
    yield "run reports", number(counts.reports)
    if result.plan is not None:
        yield "read again", f"{plural(counts.objects_read, 'object')}, {size(counts.bytes_read)}"


def _costs(plan: ReadPlan) -> Iterator[str]:
    requests = plan.get_requests / 1000 * PRICES.read_thousand
    requests += plan.list_requests / 1000 * PRICES.write_thousand
    gigabytes = plan.bytes / 10**9
    yield (
        f"{number(plan.get_requests)} GET and {number(plan.list_requests)} LIST requests: "
        f"{money(requests)}"
    )
    yield f"{size(plan.bytes)} out of S3: {money(gigabytes * PRICES.out_gb)}, within its region $0"
    instant = money(gigabytes * PRICES.instant_retrieval_gb)
    yield f"from Glacier Instant Retrieval: {instant} more"
    yield f"({PRICES.say})"


class _Progress:
    """One line that moves where a terminal is; else only the cost, before the reading."""

    def __init__(self, console: Console, *, s3: bool) -> None:
        self._console = console
        self._s3 = s3
        self._status: Status | None = None
        self._total = 0
        self._read = 0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("reading run reports")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def listed(self, what: str, objects: int) -> None:
        """Show how far the listing is."""
        self._show(f"listing {what}: {number(objects)}")

    def album(self, album_key: str, albums: int) -> None:
        """Show how many albums were seen."""
        self._show(f"albums: {number(albums)}")

    def reading(self, plan: ReadPlan) -> None:
        """Print what the reading will cost."""
        self._total = plan.bytes
        turn = plan.turn
        share = "everything" if turn.turns == 1 else f"turn {turn.number + 1} of {turn.turns}"
        self._console.print(
            f"reading {share}: {plural(plan.objects, 'object')}, {size(plan.bytes)}"
        )
        if turn.turns > 1:
            self._console.print(
                f"  checked every day, each object is read once in {turn.turns} days"
            )
        if self._s3:
            for line in _costs(plan):
                self._console.print(f"  {line}")

    def read(self, size_read: int) -> None:
        """Show how much was read."""
        self._read += size_read
        self._show(f"read {size(self._read)} of {size(self._total)}")

    def _show(self, text: str) -> None:
        if self._status is not None:
            self._status.update(text)
