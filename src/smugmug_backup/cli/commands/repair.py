"""`smugmug-backup repair`: what is damaged is brought from another copy of the backup."""

import argparse
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rich.console import Console

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.titles import shown
from smugmug_backup.cli.commands.copy import refuse_same
from smugmug_backup.cli.errors import tell_problems
from smugmug_backup.cli.interruption import GRACE, interruptible
from smugmug_backup.cli.output import make_console, plural, print_json
from smugmug_backup.cli.parsing import (
    FINE,
    INTERRUPTED,
    NOT_ALL,
)
from smugmug_backup.cli.store import open_existing, options_of, way_between
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.clock import Deadline
from smugmug_backup.keeping.repair import Repaired, repair
from smugmug_backup.words import Location


def run(args: argparse.Namespace, console: Console) -> int:
    """Repair; 0 nothing is damaged any more, 1 something is left."""
    there = Location.parse(args.other)
    refuse_same(there, args.location, same_s3=args.from_endpoint_url == args.location.endpoint)
    clock = SystemClock()
    deadline = Deadline.none(clock)
    archive = Archive(
        open_existing(args.location, one_writer=args.one_writer, copies=there.in_s3).bounded(
            deadline
        )
    )
    other = Archive(open_existing(there, **options_of(args, "from")).bounded(deadline))
    say = make_console(stderr=args.json, quiet=args.quiet)

    def stop() -> None:
        deadline.stop(grace=GRACE)

    with (
        ThreadPoolExecutor(8) as executor,
        interruptible(say, stop, saying="Stopping: what was brought stays."),
    ):
        done = repair(
            archive,
            other,
            now=clock.now(),
            deadline=deadline,
            map_=executor.map,
            way=way_between(other.store, archive.store),
        )
    if args.json:
        print_json(console, _as_json(args, done))
    elif not (args.quiet and done.whole):
        _tell(console, done)
    tell_problems(f"{key}: {why}" for key, why in sorted(done.left.items()))
    if done.stopped:
        return INTERRUPTED
    return FINE if done.whole else NOT_ALL


def _tell(console: Console, done: Repaired) -> None:
    if not done.checked:
        console.print(
            "no check has looked at this backup yet: `smugmug-backup check LOCATION --read-data "
            "all` finds what is damaged",
            style="yellow",
            soft_wrap=True,
        )
    for key, name in sorted(done.brought.items()):
        where = "" if key == name else f", as {shown(name)}"
        console.print(f"brought {shown(key)}{where}", soft_wrap=True)
    if done.by_way:
        console.print(f"S3 copied {plural(done.by_way, 'file')} of them by itself")
    if done.left:
        console.print(f"still damaged: {plural(len(done.left), 'file')}", style="bold red")
    elif done.brought:
        console.print("repaired; check it again", style="bold green")
    else:
        console.print("nothing to repair", style="bold green")


def _as_json(args: argparse.Namespace, done: Repaired) -> dict[str, Any]:
    return {
        "location": str(args.location),
        "from": args.other,
        "brought": done.brought,
        "left": done.left,
        "checked": done.checked,
        "copied_by_s3": done.by_way,
        "not_by_s3": done.way_closed,
        "interrupted": done.stopped,
    }
