"""Every error is one line and a hint."""

import errno
import os
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from smugmug_backup.errors import BackupError, BadRequest

if TYPE_CHECKING:
    from rich.console import Console

    from smugmug_backup.words import Location

_DOCTOR = "`smugmug-backup doctor` looks at all that a backup needs"
_NOTHING_CHANGED = "nothing in the backup was changed"

_HINTS = {
    "login_lost": "`smugmug-backup doctor` asks both APIs; `smugmug-backup authorize` gets a new "
    "access token",
    "access_refused": "`smugmug-backup doctor` says what this login may see",
    "source_retired": "try the other API: --api v2",
    "source_unavailable": "try again later; nothing is lost",
    "store_full": "make room, and run it again: it goes on where it stopped",
    "store_damaged": "`smugmug-backup check` names all that is wrong",
    "format_too_new": "this program is too old: pipx upgrade smugmug-backup, or uv tool upgrade",
    "aws_refused": "look at whose credentials are used (AWS_PROFILE, AWS_REGION)",
    "aws_error": "look at the credentials and the region (AWS_PROFILE, AWS_REGION)",
    "refused": f"{_NOTHING_CHANGED}; if it is right, say so here with --accept-shrink",
    "other_account": f"{_NOTHING_CHANGED}; name another location for another account, or, if "
    "SmugMug renamed yours, say so with --accept-rename",
    "lesser_view": f"{_NOTHING_CHANGED}; `smugmug-backup doctor` says what this login may see",
    "no_albums": f"{_NOTHING_CHANGED}; an account without any album is never believed: "
    "`smugmug-backup doctor` says what this login may see",
}
_OF_A_FOLDER = {
    "store_refused": "look at the folder: is its disk there, and may you write to it?",
    "store_unavailable": "look at the disk, and try again; what is stored is not touched",
}
_OF_S3 = {
    "store_refused": "look at the bucket, and whose credentials are used (AWS_PROFILE, AWS_REGION)",
    "store_unavailable": "try again later; what is stored is not touched",
    "store_full": "look at the bucket's quota, and run it again: it goes on where it stopped",
}


class Mistaken(BadRequest):
    """A BadRequest that brings its own hint."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def hint_of(error: BackupError, *, in_s3: bool | None = None) -> str:
    """What the owner can do about ``error``; ``in_s3``: whether the location is, if there is one.

    What helps with S3 is not said of a folder, nor the other way round.
    """
    own: str | None = getattr(error, "hint", None)
    of_place = _OF_A_FOLDER if in_s3 is False else _OF_S3 if in_s3 else {}
    return own or of_place.get(error.code) or _HINTS.get(error.code) or _DOCTOR


def hint_at(error: BackupError, location: "Location") -> str:
    """The same where it happened, by the location's own name."""
    return hint_of(error, in_s3=location.in_s3).replace("LOCATION", shlex.join(location.words))


def hint_of_code(code: str) -> str | None:
    """The same for a failure by its word in a report; None if that says nothing."""
    return _HINTS.get(code)


def of_the_system(error: Exception) -> BackupError | None:
    """What the system refuses to any program, in words; None if ``error`` is not of that kind.

    Its own text is not shown: an error of an HTTP library is an OSError, too, and holds a URL.
    """
    if isinstance(error, MemoryError):
        return Mistaken("there is not enough memory", hint="close something, or use fewer threads")
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return Mistaken("the system allows no more threads", hint="look at `ulimit -u`")
    if isinstance(error, FileNotFoundError) and _here_is_gone():
        return Mistaken(
            "the folder in which this was started is gone",
            hint="cd to another one, or name the place by its whole path",
        )
    number = error.errno if isinstance(error, OSError) else None
    if number is None or number not in _OF_THE_SYSTEM:
        return None
    return Mistaken(f"the system refuses: {os.strerror(number)}", hint=_OF_THE_SYSTEM[number])


def _here_is_gone() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 (what Path.cwd() asks)
    except FileNotFoundError:
        return True
    return False


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


def as_json(error: BackupError, *, hint: str | None = None) -> dict[str, Any]:
    """The same for programs."""
    hint = hint or hint_of(error)
    return {"error": {"code": str(error.code), "message": str(error), "hint": hint}}


def tell(console: "Console", error: BackupError, *, hint: str | None = None) -> None:
    """Print ``error: …`` on one line, and a hint on the next."""
    from smugmug_backup.archive.titles import shown

    console.print(f"error: {shown(str(error))}", style="bold red", soft_wrap=True)
    console.print(f"hint:  {hint or hint_of(error)}", soft_wrap=True)


def tell_problems(problems: Iterable[str]) -> None:
    """What is broken beside that which is told, a line each, on standard error."""
    from smugmug_backup.cli.output import make_console, shown

    errors = make_console(stderr=True)
    for each in problems:
        errors.print(f"problem: {shown(each)}", style="red", soft_wrap=True)
