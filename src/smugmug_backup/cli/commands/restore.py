"""``restore LOCATION TARGET``: albums as folders again."""

import argparse
import itertools
import secrets
import shlex
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.titles import shown
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.cli.estimate import RestoreEstimate
from smugmug_backup.cli.interruption import interruptible
from smugmug_backup.cli.output import make_console, number, plural, print_json, size
from smugmug_backup.cli.parsing import (
    FINE,
    INTERRUPTED,
    NOT_ALL,
    add_location,
    command_parser,
)
from smugmug_backup.cli.progress import RestoreProgress, can_ask, duration
from smugmug_backup.cli.store import open_existing
from smugmug_backup.errors import BadRequest
from smugmug_backup.restore.alone import TargetUnusable
from smugmug_backup.restore.folder import free_bytes, longest_name, refuse_overlap, target_at
from smugmug_backup.restore.names import Limits
from smugmug_backup.restore.perform import Restorer, Result
from smugmug_backup.restore.plan import SIDECARS, Plan, Problem, folders, plan
from smugmug_backup.restore.select import select
from smugmug_backup.restore.survey import Survey
from smugmug_backup.restore.workers import Stopped
from smugmug_backup.words import Location

NAME = "restore"

_SHOWN = 10
"""So many of one kind are named in a terminal."""

_THAW = '{"Days": 14, "GlacierJobParameters": {"Tier": "Bulk"}}'

_DESCRIPTION = """\
Write the photos and videos of a backup into a folder: albums as folders named
as in SmugMug, files under their own names, their times set, a sidecar beside
each.

Nothing is ever overwritten. Every file is verified before it gets its name, so
the same command can be repeated after an interruption and goes on where it was.

Names: what no file system may have becomes _; of several images of one name in
an album the first keeps it, the others get their ImageKey: DSC_1 (V2xgTbs).JPG.
Videos come re-encoded from SmugMug: ferry.mov that is an mp4 becomes ferry.mp4.
Times: when the photo was taken, as SmugMug says. API 1.3.0 does not tell the
time zone: its times are read as UTC and may be some hours off.
An image in several albums is fetched once and written into each of them."""


def add_parser(subparsers: Any) -> None:
    """The command's arguments."""
    parser = command_parser(
        subparsers,
        NAME,
        help="write the photos of a backup into a folder",
        description=_DESCRIPTION,
        quiet="say nothing if all is restored",
        example="smugmug-backup restore ~/photos-backup ~/restored --album 'Harbour 2024'",
    )
    add_location(parser)
    parser.add_argument("target", metavar="TARGET", help="the folder to write into")
    parser.add_argument(
        "--album",
        action="append",
        default=[],
        metavar="KEY|TITLE|PATH",
        help="only this album, even if it has left SmugMug, as `albums` names it: by its key, "
        "its title, or path and title; can be repeated",
    )
    parser.add_argument(
        "--as-of",
        metavar="DAY|RUN",
        help="as the backup was at the end of a day (2026-03-01, UTC) or after a run (its id)",
    )
    parser.add_argument(
        "--deleted", action="store_true", help="bring back what has left SmugMug, too"
    )
    parser.add_argument(
        "--sidecar",
        choices=SIDECARS,
        default="json",
        help="json: all that SmugMug says of the image (default); xmp: title, caption, keywords "
        "and place, for Lightroom and its like; none",
    )
    parser.add_argument(
        "--threads", type=_threads, default=8, metavar="N", help="files at a time (default 8)"
    )
    parser.add_argument(
        "--yes", action="store_true", help="do not ask, whatever AWS charges for the data"
    )
    parser.add_argument(
        "--list-archived",
        action="store_true",
        help="fetch nothing; print the keys of what must be thawed first, one a line",
    )


def _threads(text: str) -> int:
    count = int(text) if text.isdecimal() else 0
    if not 1 <= count <= 64:
        raise argparse.ArgumentTypeError("must be a number from 1 to 64")
    return count


def run(args: argparse.Namespace, console: Console) -> int:
    """Restore; see the parser."""
    began = time.monotonic()
    target = target_at(args.target)
    refuse_overlap(str(args.location), target)
    archive = Archive(open_existing(args.location))
    say = make_console(stderr=args.json or args.list_archived, quiet=args.quiet)
    progress = RestoreProgress(say)
    restorer = Restorer(
        archive,
        target,
        token=secrets.token_hex(8),
        sidecar=args.sidecar,
        threads=args.threads,
        observer=progress,
    )
    try:
        with progress.live():
            planned = _planned(args, archive, target)
        if args.list_archived:
            with interruptible(say, restorer.stop, saying="Stopping."), progress.live():
                found = restorer.survey(planned)
                restorer.look_up(found, each=True)
            return _list_archived(args, console, say, planned, found)
        with restorer.workshop():
            with interruptible(say, restorer.stop, saying="Stopping."), progress.live():
                found = restorer.survey(planned)
                restorer.look_up(found)
            _check_space(found, target)
            if args.location.in_s3:
                _ask(args, make_console(stderr=args.json), found)
            result = _perform(say, restorer, progress, found)
    except Stopped:
        say.print("Interrupted before anything was written.")
        return INTERRUPTED
    result.problems += planned.problems
    if args.json:
        print_json(console, _as_json(args, planned, found, result))
    elif not args.quiet or result.problems or result.stopped:
        say = make_console()
        _tell(say, args, planned, found, result, seconds=time.monotonic() - began)
    if result.error is not None:
        raise result.error
    if result.stopped:
        return INTERRUPTED
    return NOT_ALL if result.problems else FINE


def _planned(args: argparse.Namespace, archive: Archive, target: Path) -> Plan:
    with ThreadPoolExecutor(args.threads) as executor:
        found = select(
            archive, executor.map, albums=args.album, as_of=args.as_of, deleted=args.deleted
        )
    limits = Limits.of(longest_name(target))
    planned = plan(
        found.manifests,
        folders(found.known, limits),
        sidecar=args.sidecar,
        deleted=args.deleted,
        limits=limits,
    )
    planned.problems += found.problems
    return planned


def _list_archived(
    args: argparse.Namespace, console: Console, say: Console, planned: Plan, found: Survey
) -> int:
    keys = _archived(args.location, found.thaw)
    if args.json:
        print_json(console, {"archived": keys})
    else:
        for key in keys:
            console.file.write(f"{key}\n")
    unread = [each for each in planned.problems if each.image_key is None]
    _tell_problems(say, unread)
    return NOT_ALL if unread else FINE


def _check_space(found: Survey, target: Path) -> None:
    free = free_bytes(target)
    if found.bytes > free:
        raise TargetUnusable(
            f"{size(found.bytes)} are to be written, and {target} has {size(free)} free; "
            "nothing was written (--album takes a part)"
        )


def _ask(args: argparse.Namespace, say: Console, found: Survey) -> None:
    """Tell what AWS will charge, and go on only if the owner agrees."""
    sizes = found.downloads()
    if not found.todo:
        return
    estimate = RestoreEstimate(sum(sizes.values()), len(sizes) + len(found.todo))
    say.print(estimate.text())
    if args.yes:
        return
    if not can_ask():
        raise Mistaken(
            "nobody is there to agree to what AWS charges; nothing was written",
            hint="the same command with --yes does not ask",
        )
    say.print("Go on? [y/N] ", end="")
    if not _agreed():
        raise BadRequest("not restored, as you wished; nothing was written")


def _agreed() -> bool:
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _perform(say: Console, restorer: Restorer, progress: RestoreProgress, found: Survey) -> Result:
    progress.expect(len(found.todo), sum(target.bytes for target in found.todo))
    saying = "Stopping: what is half done is dropped, what is done stays."
    with interruptible(say, restorer.stop, saying=saying), progress.live():
        return restorer.restore(found)


def _tell(
    say: Console,
    args: argparse.Namespace,
    planned: Plan,
    found: Survey,
    result: Result,
    *,
    seconds: float,
) -> None:
    written = sum(target.bytes for target in result.written if target.path not in found.present)
    line = (
        f"Restored {plural(len(result.written), 'file')} ({size(written)}) of "
        f"{plural(planned.albums, 'album')} into {args.target} in {duration(seconds)}."
    )
    if found.done:
        line += f" {number(len(found.done))} were there already."
    say.print(line, style="bold" if not result.problems else None)
    if planned.gone_left_out:
        gone = plural(planned.gone_left_out, "image that has", "images that have")
        say.print(f"Left out: {gone} left SmugMug; --deleted brings them back.")
    _tell_problems(say, result.problems)
    if result.thaw:
        _tell_thaw(say, args, result.thaw)
    if result.stopped and result.error is None:
        say.print("Interrupted; the same command goes on where it was.", style="yellow")


def _tell_problems(say: Console, problems: Sequence[Problem]) -> None:
    if not problems:
        return
    say.print(f"Not as it should be: {number(len(problems))}", style="bold red")
    by_reason = sorted(problems, key=lambda each: (each.code, each.message, each.path))
    counts = Counter((each.code, each.message) for each in problems)
    most = _SHOWN if say.is_terminal else len(problems)
    for (code, message), group in itertools.groupby(by_reason, lambda p: (p.code, p.message)):
        say.print(f"  {shown(message)}:", style="red")
        for each in itertools.islice(group, most):
            say.print(f"    {shown(each.path)}", soft_wrap=True)
        more = counts[code, message] - most
        if more > 0:
            say.print(f"    … and {number(more)} more (--json names all)")


def _tell_thaw(say: Console, args: argparse.Namespace, thaw: Sequence[str]) -> None:
    bucket, keys = args.location.bucket, _archived(args.location, thaw)
    request = f"--restore-request {shlex.quote(_THAW)}"
    say.print("Thaw it (a day or two, by the bulk rate), then restore again:", style="bold")
    if len(keys) == 1:
        command = f"aws s3api restore-object --bucket {bucket} --key {keys[0]} {request}"
    else:
        command = (
            f"{_the_same(args)} --list-archived |\n"
            f"  xargs -I KEY aws s3api restore-object --bucket {bucket} --key KEY {request}"
        )
    say.print(f"  {command}", soft_wrap=True)


def _the_same(args: argparse.Namespace) -> str:
    """The command again, for the same albums as they were then: nothing more is thawed, and paid
    for, than was asked for."""
    words = ["smugmug-backup", NAME, str(args.location), args.target]
    for album in args.album:
        words += ["--album", album]
    if args.as_of is not None:
        words += ["--as-of", args.as_of]
    if args.deleted:
        words.append("--deleted")
    return shlex.join(words)


def _archived(location: Location, thaw: Sequence[str]) -> list[str]:
    """The whole keys of what is to be thawed."""
    return [location.key(key) for key in sorted(set(thaw))]


def _as_json(
    args: argparse.Namespace, planned: Plan, found: Survey, result: Result
) -> dict[str, Any]:
    return {
        "target": args.target,
        "albums": planned.albums,
        "restored": len(result.written),
        "bytes": sum(t.bytes for t in result.written if t.path not in found.present),
        "already_there": len(found.done),
        "gone_left_out": planned.gone_left_out,
        "interrupted": result.stopped,
        "error": str(result.error) if result.error else None,
        "problems": [each.as_json() for each in result.problems],
        "archived": _archived(args.location, result.thaw),
    }
