"""Every error is one line and a hint."""

import errno
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from smugmug_backup.errors import BackupError, BadRequest

if TYPE_CHECKING:
    from rich.console import Console

_HINTS = {
    "login_lost": "`smugmug-backup authorize` asks SmugMug for a new access token",
    "source_retired": "try the other API: --api v2",
    "source_unavailable": "try again later; nothing is lost",
    "store_full": "make room, and run it again: it goes on where it stopped",
    "store_refused": "look at the location; for S3 also at the credentials (AWS_PROFILE)",
    "store_unavailable": "try again; what is stored is not touched",
    "store_damaged": "`smugmug-backup check LOCATION` names all that is wrong",
    "format_too_new": "pip install --upgrade smugmug-backup",
    "aws_refused": "look at whose credentials are used (AWS_PROFILE, AWS_REGION)",
    "aws_error": "look at the credentials and the region (AWS_PROFILE, AWS_REGION)",
    "refused": "nothing in the backup was changed; if it is right, say so to `run` with "
    "--accept-shrink or --accept-rename",
}


class Mistaken(BadRequest):
    """A BadRequest that brings its own hint."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def hint_of(error: BackupError) -> str:
    """What the owner can do about ``error``."""
    own = getattr(error, "hint", None)
    return own or _HINTS.get(error.code) or "`smugmug-backup COMMAND --help` shows an example"


def of_the_system(error: Exception) -> BackupError | None:
    """What the system refuses to any program, in words; None if ``error`` is not of that kind.

    Its own text is not shown: an error of an HTTP library is an OSError, too, and holds a URL.
    """
    if isinstance(error, MemoryError):
        return Mistaken("there is not enough memory", hint="close something, or use fewer threads")
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return Mistaken("the system allows no more threads", hint="look at `ulimit -u`")
    number = error.errno if isinstance(error, OSError) else None
    if number is None or number not in _OF_THE_SYSTEM:
        return None
    return Mistaken(f"the system refuses: {os.strerror(number)}", hint=_OF_THE_SYSTEM[number])


_OF_THE_SYSTEM: dict[int, str] = {
    errno.EMFILE: "this program may open too few files here: look at `ulimit -n`",
    errno.ENFILE: "too many files are open on this machine; try again later",
    errno.ENOMEM: "close something, and try again",
    errno.EAGAIN: "look at the limits of this user: `ulimit -a`",
    errno.ENOSPC: "make room (TMPDIR names another place for what is temporary)",
    errno.EDQUOT: "make room (TMPDIR names another place for what is temporary)",
    errno.EFBIG: "look at the largest file that is allowed here: `ulimit -f`",
    errno.EROFS: "name another place",
    errno.EIO: "a disk or a terminal does not answer; try again",
}


def unforeseen(error: Exception) -> BackupError:
    """What nobody foresaw. Its text is not shown: it may hold a signed URL."""
    return Mistaken(
        f"{type(error).__name__}: this should not happen",
        hint="the same command with --debug shows where; please report it",
    )


def as_json(error: BackupError) -> dict[str, Any]:
    """The same for programs."""
    return {
        "error": {"code": str(error.code), "message": str(error), "hint": hint_of(error)},
    }


def tell(console: "Console", error: BackupError) -> None:
    """Print ``error: …`` on one line, and a hint on the next."""
    from smugmug_backup.archive.titles import shown

    console.print(f"error: {shown(str(error))}", style="bold red", soft_wrap=True)
    console.print(f"hint:  {hint_of(error)}", soft_wrap=True)


def tell_problems(problems: Iterable[str]) -> None:
    """What is broken beside that which is told, a line each, on standard error."""
    from smugmug_backup.cli.output import make_console, shown

    errors = make_console(stderr=True)
    for each in problems:
        errors.print(f"problem: {shown(each)}", style="red", soft_wrap=True)
