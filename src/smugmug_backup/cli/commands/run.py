"""``run LOCATION``: the function's backup, in this process."""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.report import NAMED, Counts, Failure, RunReport, RunStatus
from smugmug_backup.archive.titles import find_albums, shown
from smugmug_backup.backup.run import Backup, DryRun, Options, RunRequest
from smugmug_backup.cli import known
from smugmug_backup.cli.arguments.run import NAME
from smugmug_backup.cli.errors import hint_of_code
from smugmug_backup.cli.interruption import GRACE, Interruption, interruptible
from smugmug_backup.cli.manners import Manners, manners_of
from smugmug_backup.cli.notify import Ending, Event, Notifier, told
from smugmug_backup.cli.output import (
    day,
    make_console,
    number,
    plural,
    print_json,
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
from smugmug_backup.words import ACCOUNT

if TYPE_CHECKING:
    from rich.console import Console

ENDED = {
    RunStatus.COMPLETE: FINE,
    RunStatus.CONTINUING: NOT_ALL,
    RunStatus.INCOMPLETE: NOT_ALL,
    RunStatus.REFUSED: COULD_NOT,
}

_SHOWN = 20
"""So many failures are named in a terminal."""


class Parts(NamedTuple):
    """What a backup is made of. ``wake`` ends every wait, and ``hear`` says who listens to what the
    source has to say of its connection."""

    source: PhotoSource
    store: BackupStore
    clock: Clock
    options: Options
    wake: Callable[[], None] = lambda: None
    hear: Callable[[Callable[[str], None]], None] = lambda _: None


def run(
    args: argparse.Namespace, console: "Console", *, interruption: Interruption | None = None
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
    console: "Console",
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
        from smugmug_backup.cli.dry_run import tell_plan

        tell_plan(console, args, done)
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
    console: "Console", report: RunReport, titles: Mapping[str, str], *, interrupted: bool
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


def _tell_refusal(console: "Console", report: RunReport) -> None:
    for each in report.failures:
        console.print(f"Refused: {shown(each.message)}", style="bold red")
    console.print("Nothing in the backup was changed.")
    for hint in dict.fromkeys(hint_of_code(each.code) for each in report.failures):
        if hint is not None:
            console.print(f"hint:  {hint}", soft_wrap=True)


def _tell_missing(console: "Console", report: RunReport, titles: Mapping[str, str]) -> None:
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


__all__ = ["ENDED", "NAME", "Parts", "build_parts", "run", "tell_report"]
