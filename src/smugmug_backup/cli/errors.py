"""Every error is one line and a hint."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console

from smugmug_backup.archive.titles import shown
from smugmug_backup.cli.output import make_console
from smugmug_backup.errors import BackupError, BadRequest

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


def as_json(error: BackupError, *, hint: str | None = None) -> dict[str, Any]:
    """The same for programs."""
    told = {"code": str(error.code), "message": str(error), "hint": hint or hint_of(error)}
    return {"error": told}


def tell(console: Console, error: BackupError, *, hint: str | None = None) -> None:
    """Print ``error: …`` on one line, and a hint on the next."""
    console.print(f"error: {shown(str(error))}", style="bold red", soft_wrap=True)
    console.print(f"hint:  {hint or hint_of(error)}", soft_wrap=True)


def tell_problems(problems: Iterable[str]) -> None:
    """What is broken beside that which is told, a line each, on standard error."""
    errors = make_console(stderr=True)
    for each in problems:
        errors.print(f"problem: {shown(each)}", style="red", soft_wrap=True)
