"""``run LOCATION``: the function's backup, in this process."""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from smugmug_backup import system
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.report import NAMED, Counts, Failure, RunReport, RunStatus
from smugmug_backup.archive.titles import find_albums, shown
from smugmug_backup.backup.outcome import Forecast
from smugmug_backup.backup.run import Backup, DryRun, Options, RunRequest
from smugmug_backup.cli import known
from smugmug_backup.cli.arguments.run import NAME
from smugmug_backup.cli.errors import hint_of_code
from smugmug_backup.cli.estimate import PRICES, RunEstimate, estimate_run, money
from smugmug_backup.cli.interruption import GRACE, Interruption, interruptible
from smugmug_backup.cli.manners import Manners, manners_of
from smugmug_backup.cli.notify import Ending, Event, Notifier, told
from smugmug_backup.cli.output import (
    Column,
    day,
    make_console,
    number,
    plural,
    print_json,
    print_table,
    size,
)
from smugmug_backup.cli.parsing import (
    COULD_NOT,
    FINE,
    INTERRUPTED,
    NOT_ALL,
)
from smugmug_backup.cli.progress import (
    RunProgress,
    Watched,
    album_name,
    changes_of,
    duration,
    failure_text,
)
from smugmug_backup.cli.secret import credentials_of
from smugmug_backup.cli.settings import profile_of, source_settings_of
from smugmug_backup.cli.stoppable import stoppable
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.ports import BackupStore, PhotoSource
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.location import open_store
from smugmug_backup.wiring import (
    AtHome,
    WakingClock,
    build_source,
    check_whose,
    connections_of,
    new_token,
    options_of,
)
from smugmug_backup.words import ACCOUNT, Location

ENDED = {
    RunStatus.COMPLETE: FINE,
    RunStatus.CONTINUING: NOT_ALL,
    RunStatus.INCOMPLETE: NOT_ALL,
    RunStatus.REFUSED: COULD_NOT,
}

_SHOWN = 20
"""So many failures are named in a terminal."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a backup is made of. ``wake`` ends every wait, and ``hear`` says who listens to what the
    source has to say of its connection."""

    source: PhotoSource
    store: BackupStore
    clock: Clock
    options: Options
    wake: Callable[[], None] = lambda: None
    hear: Callable[[Callable[[str], None]], None] = lambda _: None


def run(
    args: argparse.Namespace, console: Console, *, interruption: Interruption | None = None
) -> int:
    """Back up, and tell those who want to know; see the parser. ``interruption`` says afterwards,
    however it ends, whether somebody asked for an end."""
    manners = manners_of(args, profile=profile_of(args))
    complain = make_console(stderr=True).print
    notifier = Notifier(() if args.dry_run else manners.notify, complain)
    with told(notifier, NAME, str(args.location)) as ending:
        return _run(args, console, manners, ending, interruption or Interruption())


def _run(
    args: argparse.Namespace,
    console: Console,
    manners: Manners,
    ending: Ending,
    interruption: Interruption,
) -> int:
    if not args.new_location:
        _refuse_another_location(args)
    say = make_console(stderr=args.json, quiet=args.quiet)
    progress = RunProgress(say, debug=args.debug, verbose=args.verbose)
    with build_parts(args) as parts:
        # A dry run fetches nothing, and may look at any hour.
        deadline = (
            Manners().deadline(parts.clock) if args.dry_run else manners.deadline(parts.clock)
        )
        parts.hear(progress.say)

        def stop() -> None:
            deadline.stop(grace=GRACE)
            parts.wake()
            progress.stopping()

        saying = f"Stopping: what is under way has {GRACE:.0f} s; what is whole is committed."
        with interruptible(say, stop, saying=saying, state=interruption), progress.live():
            chosen, accepted = _named_albums(args, parts, deadline)
            done = Backup(
                source=Watched(parts.source, progress, frozenset(chosen)),
                store=stoppable(parts.store, deadline),
                clock=parts.clock,
                token=new_token,
                options=parts.options,
                observer=progress,
            ).run(
                RunRequest(
                    albums=tuple(chosen),
                    full=args.full,
                    dry_run=args.dry_run,
                    accept_shrink=tuple(accepted),
                    accept_rename=args.accept_rename,
                    notes=parts.store.remarks if isinstance(parts.store, FolderStore) else (),
                ),
                deadline=deadline,
            )
    if isinstance(done, DryRun):
        _tell_plan(console, args, done)
        failed = any(each.error for each in done.forecasts)
        ended = NOT_ALL if failed else FINE
    else:
        known.remember(args.location, Archive(parts.store), done)
        if args.json:
            print_json(console, json.loads(done.to_bytes()))
        elif not (args.quiet and done.status == RunStatus.COMPLETE):
            tell_report(console, done, progress.titles, interrupted=interruption.happened)
        ended = ENDED[RunStatus(done.status)]
        well = done.status == RunStatus.COMPLETE or (
            done.status == RunStatus.CONTINUING and not interruption.happened
        )
        event = Event.SUCCESS if well else Event.FAILURE
        ending.is_now(event, summary(done, interrupted=interruption.happened))
    return INTERRUPTED if interruption.happened and ended != FINE else ended


def _refuse_another_location(args: argparse.Namespace) -> None:
    """Before a folder is made ready: the mount point of a disk that is away stays untouched."""
    if not known.recall(args.location):
        return
    folder = args.location.folder
    if folder is not None and not os.path.lexists(folder):
        met = known.Met.EMPTY
    else:
        met, _ = known.meet_at(args.location, Archive(open_store(args.location)))
    refused = known.refusal(met, args.location)
    if refused is not None:
        raise refused


@contextmanager
def build_parts(args: argparse.Namespace) -> Iterator[Parts]:
    """What the settings and the location mean. A dry run makes no folder."""
    clock = WakingClock()
    settings = source_settings_of(args)
    credentials = credentials_of(settings.secret)
    check_whose(settings, credentials)
    listeners: list[Callable[[str], None]] = []

    def tell(line: str) -> None:
        for listener in listeners:
            listener(line)

    home = AtHome(tell, bytes_per_second=manners_of(args, profile=profile_of(args)).limit_rate)
    connections = connections_of(settings)
    folder = args.location.folder
    is_new = folder is not None and not os.path.lexists(folder)
    with ExitStack() as stack:
        if args.dry_run and is_new:
            empty = stack.enter_context(tempfile.TemporaryDirectory(prefix="smugmug-backup-"))
            store: BackupStore = FolderStore(Path(empty))
        else:
            store = open_store(
                args.location,
                create=not args.dry_run,
                max_connections=connections,
                one_writer=args.one_writer,
            )
        source = build_source(settings, credentials, clock, store=store, home=home)
        options = options_of(settings)
        yield Parts(source, store, clock, options, wake=clock.wake, hear=listeners.append)


def _named_albums(
    args: argparse.Namespace, parts: Parts, deadline: Deadline
) -> tuple[list[str], list[str]]:
    """The keys of the albums that the owner chose, and of those whose loss is accepted."""
    accepted: list[str] = [ACCOUNT] if args.accept_shrink == [] else args.accept_shrink or []
    names = [name for name in accepted if name != ACCOUNT]
    if not (args.album or names):
        return [], accepted
    shown_now = {each.key: each for each in parts.source.albums(deadline=deadline)}
    chosen = find_albums(args.album, shown_now)
    if not names:
        return chosen, accepted
    known = Archive(parts.store).reports(now=parts.clock.now()).albums
    lost = find_albums(names, {**known, **shown_now})
    return chosen, [*([ACCOUNT] if ACCOUNT in accepted else []), *lost]


# -- the report ------------------------------------------------------------------------------------


def tell_report(
    console: Console, report: RunReport, titles: Mapping[str, str], *, interrupted: bool
) -> None:
    """How a run ended, for a person."""
    counts = report.counts
    if report.status == RunStatus.REFUSED:
        _tell_refusal(console, report)
        return
    word, style = {
        RunStatus.COMPLETE: ("Complete", "bold green"),
        RunStatus.CONTINUING: ("Interrupted" if interrupted else "Not finished yet", "bold yellow"),
        RunStatus.INCOMPLETE: ("Not complete", "bold red"),
    }[RunStatus(report.status)]
    part = " (only the albums you named)" if report.part else ""
    console.print(
        f"{word}{part}: {plural(counts.images, 'image')} in {plural(counts.albums, 'album')}; "
        f"it took {duration(counts.seconds)}.",
        style=style,
        soft_wrap=True,
    )
    changes = _changes(counts)
    calls = plural(counts.api_calls, "API call")
    console.print(f"This run: {changes}; {calls}.")
    _tell_missing(console, report, titles)
    for note in report.notes:
        console.print(f"  {shown(note)}")
    if report.status == RunStatus.CONTINUING:
        console.print("The same command goes on where it was; nothing is lost.")


def _changes(counts: Counts) -> str:
    """What became of the images; that an album's own record differs is not the news of a night."""
    nothing = "no photo has changed" if counts.albums_changed else "nothing has changed"
    return changes_of(counts) or nothing


def _tell_refusal(console: Console, report: RunReport) -> None:
    for each in report.failures:
        console.print(f"Refused: {shown(each.message)}", style="bold red")
    console.print("Nothing in the backup was changed.")
    for hint in dict.fromkeys(hint_of_code(each.code) for each in report.failures):
        if hint is not None:
            console.print(f"hint:  {hint}", soft_wrap=True)


def _tell_missing(console: Console, report: RunReport, titles: Mapping[str, str]) -> None:
    counts = report.counts
    failures = report.failures
    most = _SHOWN if console.is_terminal else NAMED
    for each in failures[:most]:
        console.print(f"  {_named(each, titles)}", style="red")
    more = len(failures) + report.more_failures - most
    if more > 0:
        console.print(f"  … and {number(more)} more, named in {report.key}")
    for waiting in report.pending[:most]:
        album = album_name(waiting.album_key, titles.get(waiting.album_key))
        since = f" since {day(waiting.since)}" if waiting.since else ""
        console.print(f"  {album}: image {waiting.image_key} waits{since}: {waiting.reason}")
    notes = [
        (counts.pending, "waits for its bytes", "wait for their bytes"),
        (counts.unavailable, "has none at SmugMug", "have none at SmugMug"),
        (counts.unverified, "is kept without a matching MD5", "are kept without a matching MD5"),
    ]
    for count, one, many in notes:
        if count:
            console.print(f"  {plural(count, 'image')} {one if count == 1 else many}")


def _named(failure: Failure, titles: Mapping[str, str]) -> str:
    if failure.album_key is None:
        return failure_text(failure)
    return (
        f"{album_name(failure.album_key, titles.get(failure.album_key))}: {failure_text(failure)}"
    )


def summary(report: RunReport, *, interrupted: bool = False) -> str:
    """A run in one line."""
    counts = report.counts
    word = {
        RunStatus.COMPLETE: "complete",
        RunStatus.CONTINUING: "interrupted" if interrupted else "not finished yet, goes on",
        RunStatus.INCOMPLETE: "not complete",
        RunStatus.REFUSED: "refused",
    }[RunStatus(report.status)]
    words = [f"{word}: {plural(counts.images, 'image')} in {plural(counts.albums, 'album')}"]
    words.append(_changes(counts))
    failures = len(report.failures) + report.more_failures
    if failures:
        words.append(f"{plural(failures, 'failure')}, the first: {report.failures[0].message}")
    if counts.pending:
        words.append(f"{plural(counts.pending, 'image')} waiting")
    return "; ".join(words)


# -- the dry run -----------------------------------------------------------------------------------


def _tell_plan(console: Console, args: argparse.Namespace, plan: DryRun) -> None:
    estimate = estimate_run(
        plan.forecasts, api_calls=plan.api_calls, known_albums=len(plan.forecasts)
    )
    in_s3 = args.location.in_s3
    if args.json:
        print_json(console, _plan_as_json(plan, estimate, in_s3=in_s3))
        return
    busy = [each for each in plan.forecasts if _is_busy(each)]
    if busy:
        columns = [
            Column("album", elastic=True),
            Column("key"),
            Column("new", right=True),
            Column("changed", right=True),
            Column("missing", right=True),
            Column("originals", right=True),
            Column("bytes", right=True),
        ]
        print_table(console, columns, (_row(each) for each in busy))
    for each in plan.forecasts:
        if each.error:
            name = album_name(each.album_key, each.title)
            line = f"{name} cannot be foretold: {shown(each.error)}"
            console.print(line, style="red")
    say = [
        (
            f"{plural(len(plan.forecasts), 'album')} looked at with "
            f"{plural(estimate.api_calls, 'API call')}; nothing was written."
        ),
        (
            f"A run would change {plural(estimate.albums, 'album')}: "
            f"{plural(estimate.images, 'image')} new or changed, "
            f"{plural(estimate.originals, 'original')} to fetch, "
            f"{size(estimate.bytes)} as far as SmugMug says."
        ),
    ]
    if plan.missing_albums:
        say.append(f"Missing at SmugMug: {', '.join(plan.missing_albums)} (they stay here).")
    say.append(_cost(estimate) if in_s3 else _room(args.location, estimate.bytes))
    for line in say:
        console.print(line)


def _room(location: Location, wanted: int) -> str:
    """How that compares with the room of the disk: where the folder is, or will be."""
    there = Path(str(location.folder)).absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    free, _ = system.space(there)
    if wanted <= free:
        return f"The disk has room for {size(free)}."
    return f"The disk has room for {size(free)} only: {size(wanted - free)} more are needed."


def _row(each: Forecast) -> list[str]:
    counts = (each.new, each.changed, each.missing, each.originals)
    return [shown(each.title), each.album_key, *map(number, counts), size(each.bytes)]


def _is_busy(each: Forecast) -> bool:
    return bool(each.new or each.changed or each.missing or each.originals)


def _cost(estimate: RunEstimate) -> str:
    return (
        f"AWS would charge {money(estimate.requests_cost)} once (about {number(estimate.writes)} "
        f"PUT and LIST and {number(estimate.reads)} GET requests), and "
        f"{money(estimate.storage_cost)} a month more in S3 Standard, or "
        f"{money(estimate.instant_storage_cost)} in Glacier Instant Retrieval ({PRICES.say})."
    )


def _plan_as_json(plan: DryRun, estimate: RunEstimate, *, in_s3: bool) -> dict[str, Any]:
    cost = {
        "requests_once": round(estimate.requests_cost, 4),
        "standard_a_month": round(estimate.storage_cost, 4),
        "glacier_instant_retrieval_a_month": round(estimate.instant_storage_cost, 4),
        "prices_noted": PRICES.noted,
        "region": PRICES.region,
    }
    return {
        "albums": len(plan.forecasts),
        "albums_to_change": estimate.albums,
        "images": estimate.images,
        "originals": estimate.originals,
        "bytes": estimate.bytes,
        "api_calls": estimate.api_calls,
        "write_requests": estimate.writes,
        "read_requests": estimate.reads,
        "cost_in_usd": cost if in_s3 else None,
        "missing_albums": list(plan.missing_albums),
        "ignored_albums": list(plan.ignored_albums),
        "forecasts": [
            {
                "album_key": each.album_key,
                "title": each.title,
                "full_listing": each.full_listing,
                "new": each.new,
                "changed": each.changed,
                "missing": each.missing,
                "originals": each.originals,
                "bytes": each.bytes,
                "error": each.error,
            }
            for each in plan.forecasts
        ],
    }


__all__ = ["ENDED", "NAME", "Parts", "build_parts", "run", "tell_report"]
