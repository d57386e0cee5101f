"""The command `smugmug-backup`: find the command, run it, turn every error into one line."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn, cast

from smugmug_backup import __version__
from smugmug_backup.cli.errors import as_json, hint_at, hint_of, of_the_system, tell, unforeseen
from smugmug_backup.cli.parsing import (
    COULD_NOT,
    EXIT_STATUSES,
    INTERRUPTED,
    CommandParser,
    HelpFormatter,
)
from smugmug_backup.cli.streams import OutputLost, Plain, Printed, Stream, give_up, prepare_streams
from smugmug_backup.errors import BackupError, BadRequest, Code

if TYPE_CHECKING:
    from rich.console import Console

COMMANDS = {
    "setup": "ask three questions, and back up every night",
    "authorize": "get access to a SmugMug account and store the secret",
    "doctor": "is all there that a backup needs, and what to do if not",
    "run": "back up now, into a bucket or a folder",
    "schedule": "stay, and back up every night",
    "start": "start a run of the deployed function, and follow it",
    "status": "is the backup complete, as of when, and what is wrong",
    "albums": "list the albums of a backup",
    "images": "list the images of one album of a backup",
    "find": "search a backup for photos and videos",
    "browse": "look through a backup in the browser",
    "catalog": "make a SQLite database of a backup",
    "check": "check that a backup is sound",
    "drill": "restore a few photos to nowhere, and compare them with SmugMug",
    "restore": "write the photos of a backup into a folder",
    "diff": "what changed between two runs or dates",
    "forget": "delete images from the backup for good",
    "copy": "copy the whole backup into another place",
    "repair": "bring what is damaged from another copy of the backup",
    "letter": "a page to print, for who has to find the photos one day",
    "completion": "print what bash, zsh or fish need to complete this command",
    "man": "print the manual page",
}
"""Each command, and its line in the help of all: of the one that is named, its arguments are loaded
for its help, and the rest when it is run."""

_EXAMPLE = """\
A location is s3://bucket/prefix or a folder. Every command takes --json, for programs.

example:
  smugmug-backup status ~/photos-backup
"""

Command = Callable[[argparse.Namespace, "Console"], int]


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


def program() -> NoReturn:
    """The command as a whole process."""
    status = main()
    # All is done and said. A Ctrl-C that comes while Python puts itself away would be told as a
    # traceback, or as another exit status.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if status == INTERRUPTED:
        # Nor is anything waited for that was left to a thread. And Python would end by the signal
        # where that came in the middle of an `exec`, as in a module that is being loaded.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, BackupError):
                stream.flush()
        os._exit(INTERRUPTED)
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        # Python itself had something to say there, of its own options, and would end with 120.
        give_up(sys.stderr)
    sys.exit(status)


def _main(argv: Sequence[str] | None) -> int:
    words = [*(sys.argv[1:] if argv is None else argv)]
    debug, before = "--debug" in words, Printed.documents
    hint = None
    args: argparse.Namespace | int = 0
    try:
        args = _parsed(words)
        return args if isinstance(args, int) else _run(args)
    except KeyboardInterrupt:
        told: BackupError = Interrupted("interrupted")
    except BrokenPipeError:
        raise
    except BackupError as error:
        if debug:
            _show_traceback(error)
        told, hint = error, _hint(error, args)
    except Exception as error:  # noqa: BLE001 (the owner never sees a traceback unasked)
        if debug:
            _show_traceback(error)
        told = of_the_system(error) or unforeseen(error)
    document = _wants_json(words) and Printed.documents == before
    return _tell(told, hint, document=document)


def _hint(error: BackupError, args: argparse.Namespace | int) -> str:
    """What helps at the location of the command line, if it has one, by its own name."""
    from smugmug_backup.words import Location

    location = getattr(args, "location", None)
    return hint_at(error, location) if isinstance(location, Location) else hint_of(error)


def _wants_json(words: Sequence[str]) -> bool:
    """Whether ``--json`` is said, whole or as argparse lets one cut it, before anything is parsed:
    a mistake is told as JSON, too."""
    return any(len(word) > 2 and "--json".startswith(word) for word in words)


def _console(*, stderr: bool = False) -> "Console":
    from smugmug_backup.cli.output import make_console

    return make_console(stderr=stderr)


def _at_once(console: "Console") -> AbstractContextManager[None]:
    from smugmug_backup.cli.interruption import at_once

    return at_once(console)


def _show_traceback(error: Exception) -> None:
    import traceback

    _console(stderr=True).print("".join(traceback.format_exception(error)), soft_wrap=True)


def _tell(error: BackupError, hint: str | None, *, document: bool) -> int:
    """Tell it to whoever listens; its exit status. ``document``: a program waits for one."""
    lost = error.stream if isinstance(error, OutputLost) else None
    if lost is not None:
        give_up(lost)
    if document and lost is not sys.stdout:
        from smugmug_backup.cli.output import print_json

        try:
            console = _console()
            print_json(console, as_json(error, hint=hint))
            console.file.flush()
        except OutputLost:
            give_up(sys.stdout)
    errors = _console(stderr=True)
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
        return _parser(argv).parse_args(argv)
    except SystemExit as end:  # argparse's way to end after --help (0) and after a mistake (2)
        Stream(sys.stdout).flush()
        return int(end.code or 0)


def _run(args: argparse.Namespace) -> int:
    command: Command = args.command
    if hasattr(args, "location"):
        from smugmug_backup.cli.settings import location_of

        args.location = location_of(args)
    console = cast("Console", Plain(sys.stdout)) if getattr(args, "plain", False) else _console()
    began = time.monotonic()
    with _at_once(console) if getattr(args, "looks_only", False) else nullcontext():
        status = command(args, console)
    console.file.flush()
    if getattr(args, "verbose", False):
        _console(stderr=True).print(f"It took {time.monotonic() - began:.1f} s.")
    return status


def _parser(argv: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """What understands ``argv``: of its command, each option; of the others, their lines.

    Without ``argv``, each option of each.
    """
    parser = CommandParser(
        prog="smugmug-backup",
        description="Back up a SmugMug account, look at the backup, check it, restore from it.",
        epilog=f"{EXIT_STATUSES}\n\n{_EXAMPLE}",
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"smugmug-backup {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    named = next((word for word in argv or () if not word.startswith("-")), None)
    for name, line in COMMANDS.items():
        if argv is None or name == named:
            _add(name, subparsers)
        else:
            subparsers.add_parser(name, help=line)
    return parser


def whole_parser() -> argparse.ArgumentParser:
    """The parser of all commands, for those who describe it: completion and manual."""
    return _parser()


def _add(name: str, subparsers: Any) -> None:
    """Add one command, of which only its arguments are loaded before it is run."""
    import_module(f"smugmug_backup.cli.arguments.{name}").add_parser(subparsers)
    subparsers.choices[name].set_defaults(command=partial(_work, name))


def _work(name: str, args: argparse.Namespace, console: "Console") -> int:
    """Load the command, and run it; one that cannot be loaded takes no other with it."""
    try:
        module = import_module(f"smugmug_backup.cli.commands.{name}")
    except ImportError as error:
        problem = error.name or type(error).__name__
        raise BadRequest(f"the command {name} cannot be loaded: {problem} is missing") from None
    command: Command = module.run
    return command(args, console)
