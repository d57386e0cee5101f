"""The command `smugmug-backup`: find the command, run it, turn every error into one line."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from rich.console import Console

from smugmug_backup import __version__
from smugmug_backup.cli.errors import tell
from smugmug_backup.cli.output import (
    OutputLost,
    give_up,
    make_console,
    prepare_streams,
)
from smugmug_backup.cli.parsing import (
    COULD_NOT,
    EXIT_STATUSES,
    FINE,
    INTERRUPTED,
    CommandParser,
    HelpFormatter,
)
from smugmug_backup.cli.settings import location_of
from smugmug_backup.errors import BackupError, BadRequest

COMMANDS = (
    *("setup", "authorize", "doctor", "run", "status", "albums", "images", "find", "catalog"),
    *("check", "restore", "diff", "forget"),
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
    debug = False
    args: argparse.Namespace | int = FINE
    try:
        args = _parsed(argv)
        if isinstance(args, int):
            return args
        debug = args.debug
        return _run(args)
    except KeyboardInterrupt:
        errors.print("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except BackupError as error:
        if isinstance(error, OutputLost):
            give_up(sys.stdout)
        if debug:
            errors.print_exception()
        tell(errors, error, in_s3=getattr(getattr(args, "location", None), "in_s3", None))
        return COULD_NOT
    except Exception as error:  # noqa: BLE001 (the owner never sees a traceback unasked)
        # Its text is not shown: an exception of an HTTP library may hold a signed URL.
        if debug:
            errors.print_exception()
        tell(
            errors,
            BackupError(f"{type(error).__name__}: this should not happen"),
            hint="the same command with --debug shows where; please report it",
        )
        return COULD_NOT


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace | int:
    """The arguments, or the exit status where argparse has said all there is to say."""
    try:
        return _parser().parse_args(argv)
    except SystemExit as end:  # argparse's way to end after --help (0) and after a mistake (2)
        make_console().file.flush()
        return int(end.code or 0)


def _run(args: argparse.Namespace) -> int:
    command: Command = args.command
    if hasattr(args, "location"):
        args.location = location_of(args)
    console = make_console()
    status = command(args, console)
    console.file.flush()
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="smugmug-backup",
        description="Back up a SmugMug account, look at the backup, check it, restore from it.",
        epilog=f"{EXIT_STATUSES}\n\n{_EXAMPLE}",
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"smugmug-backup {__version__}")
    subparsers = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=CommandParser
    )
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
        parser.set_defaults(command=missing, debug=False)
        return
    module.add_parser(subparsers)
    subparsers.choices[module.NAME].set_defaults(command=module.run)
