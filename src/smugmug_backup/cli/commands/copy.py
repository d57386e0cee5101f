"""`smugmug-backup copy`: the whole backup into another place."""

import argparse
import shlex
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.titles import shown
from smugmug_backup.cli.arguments.copy import NAME
from smugmug_backup.cli.errors import Mistaken, tell_problems
from smugmug_backup.cli.estimate import CopyEstimate
from smugmug_backup.cli.interruption import GRACE, interruptible
from smugmug_backup.cli.manners import manners_of
from smugmug_backup.cli.notify import Ending, Event, Notifier, told
from smugmug_backup.cli.output import make_console, number, plural, print_json, size
from smugmug_backup.cli.parsing import (
    FINE,
    INTERRUPTED,
    NOT_ALL,
)
from smugmug_backup.cli.progress import CopyProgress, can_ask
from smugmug_backup.cli.store import open_existing, open_target, options_of, way_between
from smugmug_backup.cli.thaw import archived, command
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BadRequest, StoreFull
from smugmug_backup.keeping.copy import Copied, Copier, Plan, look
from smugmug_backup.restore.folder import Overlaps, refuse_overlap
from smugmug_backup.words import Location

_SHOWN = 50


def run(args: argparse.Namespace, console: Console) -> int:
    """Copy, and tell those who want to know; 0 all, 1 not all, 130 interrupted."""
    notifier = Notifier(manners_of(args).notify, make_console(stderr=True).print)
    with told(notifier, NAME, f"{args.source} to {args.target}") as ending:
        return _run(args, console, ending)


def _run(args: argparse.Namespace, console: Console, ending: Ending) -> int:
    here, there = Location.parse(args.source), Location.parse(args.target)
    refuse_same(here, there, same_s3=args.from_endpoint_url == args.to_endpoint_url)
    deadline = Deadline.none(SystemClock())
    connections = 2 * args.threads + 2
    source = Archive(
        open_existing(here, max_connections=connections, **options_of(args, "from")).bounded(
            deadline
        )
    )
    with ExitStack() as stack:
        looks = args.dry_run or args.list_archived
        if looks and there.folder is not None and not there.folder.exists():
            empty = stack.enter_context(TemporaryDirectory(prefix="smugmug-backup-"))
            there = Location.parse(empty)
        target = Archive(
            open_target(
                there,
                max_connections=connections,
                one_writer=args.one_writer,
                copies=here.in_s3,
                **options_of(args, "to"),
            ).bounded(deadline)
        )
        return _copy(args, console, ending, Work(source, target, here, there, deadline))


@dataclass(frozen=True, slots=True)
class Work:
    """What is copied where, and until when."""

    source: Archive
    target: Archive
    here: Location
    there: Location
    deadline: Deadline


def _copy(args: argparse.Namespace, console: Console, ending: Ending, work: Work) -> int:
    source, target, here, deadline = work.source, work.target, work.here, work.deadline
    say = make_console(stderr=args.json, quiet=args.quiet)
    progress = CopyProgress(say)
    way = way_between(source.store, target.store)

    def stop() -> None:
        progress.stopping()
        deadline.stop(grace=GRACE)

    source.reports(now=deadline.clock.now())  # Of a newer program nothing is copied.
    with ThreadPoolExecutor(args.threads) as executor:
        with progress.live():
            planned = look(source, target, map_=executor.map, thaws=here.in_s3)
        if args.list_archived:
            return _list_archived(args, console, here, planned)
        estimate = CopyEstimate.of(
            planned.files,
            planned.bytes,
            planned.large,
            out_of_s3=here.in_s3,
            into_s3=work.there.in_s3,
            inside=way is not None,
        )
        _announce(say, planned, estimate)
        if planned.archived:
            _tell_archived(args, say, here, planned)
        if args.dry_run:
            return _dry(args, console, planned, estimate)
        _check_room(target, work.there, planned)
        _ask(args, make_console(stderr=args.json), here, planned)
        progress.expect(planned.files, planned.bytes)
        copier = Copier(
            source,
            target,
            planned,
            deadline=deadline,
            map_=executor.map,
            leave_out=args.leave_unreadable,
            way=way,
            observer=progress,
        )
        saying = "Stopping: what is half done is dropped, what is done stays."
        with progress.live(), interruptible(say, stop, saying=saying):
            done = copier.copy()
    if args.json:
        print_json(console, _as_json(args, planned, done))
    elif not (args.quiet and done.whole):
        _tell(make_console(), planned, done)
    tell_problems(f"{key}: {why}" for key, why in _first(done.left_out))
    tell_problems(f"{key} waits: {why}" for key, why in _first(done.waiting))
    ending.is_now(Event.SUCCESS if done.whole else Event.FAILURE, _summary(done))
    if done.error is not None:
        raise done.error
    if done.stopped:
        return INTERRUPTED
    return FINE if done.whole else NOT_ALL


def refuse_same(here: Location, there: Location, *, same_s3: bool) -> None:
    """Nothing is copied into itself. Raises BadRequest."""
    if here.folder is not None and there.folder is not None:
        refuse_overlap(str(here), there.folder)
    if here.in_s3 and there.in_s3 and here.bucket == there.bucket and same_s3:
        one, other = here.key(""), there.key("")
        if one.startswith(other) or other.startswith(one):
            raise Overlaps(f"{here} and {there} lie within each other")


def _announce(say: Console, planned: Plan, estimate: CopyEstimate) -> None:
    say.print(
        f"to be copied: {plural(planned.files, 'file')}, {size(planned.bytes)}; "
        f"{number(planned.present)} are there already",
        soft_wrap=True,
    )
    for line in estimate.lines() if planned.files else ():
        say.print(f"  {line}", soft_wrap=True)
    if planned.forgotten_there:
        left = plural(len(planned.forgotten_there), "file")
        say.print(
            f"{left} that you had deleted for good from FROM lie in TO still: `smugmug-backup "
            "forget TO IMAGE` deletes them there",
            style="yellow",
            soft_wrap=True,
        )


def _tell_archived(args: argparse.Namespace, say: Console, here: Location, planned: Plan) -> None:
    keys = archived(here, planned.archived)
    listing = shlex.join(["smugmug-backup", "copy", *_again(args), "--list-archived"])
    then = "left out" if args.leave_unreadable else "kept back, with the albums that name it"
    lot = f"{plural(len(keys), 'file')}, {size(sum(planned.archived.values()))}"
    say.print(
        f"{lot}, of FROM cannot be read now: archived in S3, it is {then}. "
        "Thaw it (a day or two, by the bulk rate), then copy again:",
        style="bold",
        soft_wrap=True,
    )
    own = {"endpoint": args.from_endpoint_url, "profile": args.from_profile}
    say.print(f"  {command(here, keys, listing, **own)}", soft_wrap=True)


def _again(args: argparse.Namespace) -> list[str]:
    """The two places, as they were named."""
    words = [args.source, args.target]
    for name in ("from_endpoint_url", "from_profile", "to_endpoint_url", "to_profile"):
        value = getattr(args, name)
        if value:
            words += [f"--{name.replace('_', '-')}", value]
    return words


def _list_archived(
    args: argparse.Namespace, console: Console, here: Location, planned: Plan
) -> int:
    keys = archived(here, planned.archived)
    if args.json:
        print_json(console, {"from": args.source, "to": args.target, "archived": keys})
    for key in () if args.json else keys:
        console.file.write(f"{key}\n")
    return FINE


def _dry(args: argparse.Namespace, console: Console, planned: Plan, estimate: CopyEstimate) -> int:
    if args.json:
        told = {
            "archived": archived(Location.parse(args.source), planned.archived),
            "files": planned.files,
            "bytes": planned.bytes,
            "present": planned.present,
            "estimate": estimate.lines(),
            "forgotten_there": list(planned.forgotten_there),
        }
        print_json(console, {"from": args.source, "to": args.target, **told})
    return FINE


def _check_room(target: Archive, there: Location, planned: Plan) -> None:
    """Before hours are spent on what cannot end well. Raises StoreFull."""
    free = target.store.room().free
    if free is not None and planned.bytes > free:
        raise StoreFull(
            f"{size(planned.bytes)} are to be copied, and {there} has room for {size(free)}; "
            "nothing was written"
        )


def _ask(args: argparse.Namespace, say: Console, here: Location, planned: Plan) -> None:
    """Go on only if the owner agrees to what AWS will charge for what comes out of S3."""
    if not here.in_s3 or not planned.files or args.yes:
        return
    if not can_ask():
        raise Mistaken(
            "nobody is there to agree to what AWS charges; nothing was written",
            hint="the same command with --yes does not ask, with --dry-run tells the price",
        )
    say.print("Go on? [y/N] ", end="")
    try:
        agreed = input().strip().lower() in ("y", "yes")
    except EOFError:
        agreed = False
    if not agreed:
        raise BadRequest("not copied, as you wished; nothing was written")


def _first(found: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(found.items())[:_SHOWN]


def _summary(done: Copied) -> str:
    word = "copied" if done.whole else "NOT ALL was copied"
    return f"{word}: {plural(done.files, 'file')} ({size(done.bytes)})"


def _tell(console: Console, planned: Plan, done: Copied) -> None:
    inside = f"; {number(done.by_way)} of them S3 copied by itself" if done.by_way else ""
    console.print(
        f"copied {plural(done.files, 'file')} ({size(done.bytes)}){inside}", soft_wrap=True
    )
    for key, name in sorted(done.renamed.items())[:_SHOWN]:
        console.print(
            f"{shown(key)} lies in TO as {shown(name)}: other bytes have its name there",
            style="yellow",
            soft_wrap=True,
        )
    for kind, found in (("left out", done.left_out), ("waiting", done.waiting)):
        if len(found) > _SHOWN:
            console.print(f"{kind}: {number(len(found))} (--json names all)")
    if done.stopped:
        console.print("Interrupted; the same command goes on where it was.", style="yellow")
    elif done.left_out or done.waiting:
        console.print("NOT ALL was copied", style="bold red")
    elif done.error is None:
        for link in done.seal:
            console.print(f"seal {link.sha256} (run {link.run_id})", soft_wrap=True)
        console.print("all is there", style="bold green")


def _as_json(args: argparse.Namespace, planned: Plan, done: Copied) -> dict[str, Any]:
    return {
        "from": args.source,
        "to": args.target,
        "files": done.files,
        "bytes": done.bytes,
        "present": done.present,
        "renamed": done.renamed,
        "left_out": done.left_out,
        "waiting": done.waiting,
        "forgotten_there": list(planned.forgotten_there),
        "archived": archived(Location.parse(args.source), planned.archived),
        "copied_by_s3": done.by_way,
        "not_by_s3": done.way_closed,
        "seal": [{"run_id": each.run_id, "sha256": each.sha256} for each in done.seal],
        "interrupted": done.stopped,
        "error": str(done.error) if done.error else None,
    }
