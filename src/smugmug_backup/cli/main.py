"""The command `smugmug-backup`: find the command, run it, turn every error into one line."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib import import_module
from typing import Any

from rich.console import Console

from smugmug_backup.cli.errors import as_json, tell
from smugmug_backup.cli.interruption import at_once
from smugmug_backup.cli.output import (
    OutputLost,
    Printed,
    give_up,
    make_console,
    prepare_streams,
    print_json,
)
from smugmug_backup.cli.parsing import (
    COULD_NOT,
    EXIT_STATUSES,
    INTERRUPTED,
    CommandParser,
    HelpFormatter,
)
from smugmug_backup.errors import BackupError, BadRequest, Code
from smugmug_backup.words import Location

COMMANDS = (
    *("authorize", "run", "status", "albums", "images", "find", "catalog"),
    *("check", "restore", "diff", "forget", "copy", "repair"),
)

_EXAMPLE = """\
A location is s3://bucket/prefix or a folder. Every command takes --json, for programs.

example:
  smugmug-backup status ~/photos-backup
"""

Command = Callable[[argparse.Namespace, Console], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status and never raises."""
    prepare_streams()
    try:
        return _main(argv)
    except BrokenPipeError:
        # The reader (`head`, `less`) went away, of this stream or of that.
        give_up(sys.stdout, sys.stderr)
        return INTERRUPTED
    except OutputLost:
        # Standard error itself cannot be written: there is nobody left to tell.
        give_up(sys.stdout, sys.stderr)
        return COULD_NOT


def _main(argv: Sequence[str] | None) -> int:
    errors = make_console(stderr=True)
    words = [*(sys.argv[1:] if argv is None else argv)]
    debug, before = "--debug" in words, Printed.documents
    hint = None
    try:
        args = _parsed(words)
        return args if isinstance(args, int) else _run(args)
    except KeyboardInterrupt:
        told: BackupError = Interrupted("interrupted")
    except BrokenPipeError:
        raise
    except BackupError as error:
        if debug:
            errors.print_exception()
        told = error
    except Exception as error:  # noqa: BLE001 (the owner never sees a traceback unasked)
        # Its text is not shown: an exception of an HTTP library may hold a signed URL.
        if debug:
            errors.print_exception()
        told = BackupError(f"{type(error).__name__}: this should not happen")
        hint = "the same command with --debug shows where; please report it"
    return _tell(errors, told, hint, document=_wants_json(words) and Printed.documents == before)


def _wants_json(words: Sequence[str]) -> bool:
    """Whether ``--json`` is said, whole or as argparse lets one cut it, before anything is parsed:
    a mistake is told as JSON, too."""
    return any(len(word) > 2 and "--json".startswith(word) for word in words)


def _tell(errors: Console, error: BackupError, hint: str | None, *, document: bool) -> int:
    """Tell it to whoever listens; its exit status. ``document``: a program waits for one."""
    if isinstance(error, OutputLost):
        give_up(sys.stdout)
    elif document:
        console = make_console()
        print_json(console, as_json(error, hint=hint))
        console.file.flush()
    if isinstance(error, Interrupted):
        errors.print(str(error))
        return INTERRUPTED
    tell(errors, error, hint=hint)
    return COULD_NOT


class Interrupted(BackupError):
    """Ctrl-C where nothing had to be put in order."""

    code = Code.INTERRUPTED
    hint = "the same command can be given again"


def _parsed(argv: Sequence[str]) -> argparse.Namespace | int:
    """The arguments, or the exit status where argparse has said all there is to say."""
    try:
        return _parser().parse_args(argv)
    except SystemExit as end:  # argparse's way to end after --help (0) and after a mistake (2)
        make_console().file.flush()
        return int(end.code or 0)


def _run(args: argparse.Namespace) -> int:
    command: Command = args.command
    if hasattr(args, "location"):
        args.location = Location.parse(args.location)
    console = make_console()
    began = time.monotonic()
    with at_once(console) if getattr(args, "looks_only", False) else nullcontext():
        status = command(args, console)
    console.file.flush()
    if getattr(args, "verbose", False):
        make_console(stderr=True).print(f"It took {time.monotonic() - began:.1f} s.")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="smugmug-backup",
        description="Back up a SmugMug account, look at the backup, check it, restore from it.",
        epilog=f"{EXIT_STATUSES}\n\n{_EXAMPLE}",
        formatter_class=HelpFormatter,
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        _add(name, subparsers)
    return parser


def _add(name: str, subparsers: Any) -> None:
    """Add one command; one that cannot be loaded must not take the others with it."""
    try:
        module = import_module(f"smugmug_backup.cli.commands.{name}")
    except ImportError as error:
        problem = error.name or type(error).__name__

        def missing(args: argparse.Namespace, console: Console) -> int:
            raise BadRequest(f"the command {name} cannot be loaded: {problem} is missing")

        parser = subparsers.add_parser(name, help="(cannot be loaded)")
        parser.add_argument("rest", nargs=argparse.REMAINDER)
        parser.set_defaults(command=missing)
        return
    module.add_parser(subparsers)
    subparsers.choices[module.NAME].set_defaults(command=module.run)
