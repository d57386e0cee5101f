"""What both sources make of an answer in the same way."""

from collections.abc import Mapping
from typing import Any

from smugmug_backup.archive import records
from smugmug_backup.errors import BadRequest, LesserToken, MalformedAnswer

VIDEO_FORMATS = frozenset(
    {"MP4", "MPG", "MPEG", "MOV", "M4V", "AVI", "WMV", "3GP", "MTS", "M2TS", "MKV", "WEBM", "FLV"}
)
"""What ``Format`` says of videos; MP4 alone was seen, the others are what may be uploaded."""


def needed_nickname(nickname: str | None) -> str:
    """The nickname, which the public view cannot do without. Raises BadRequest."""
    if nickname is None:
        raise BadRequest("SMUGMUG_NICKNAME is needed without an access token")
    return nickname


def check_nickname(seen: str | None, wanted: str | None) -> None:
    """Raise unless the token's owner is the one who was set, if one was."""
    if seen is None:
        raise MalformedAnswer("SmugMug does not say whose access token this is")
    if wanted is not None and wanted.casefold() != seen.casefold():
        raise BadRequest(
            f"the access token belongs to '{seen}', but SMUGMUG_NICKNAME says '{wanted}'"
        )


def check_access(level: str | None) -> None:
    """Raise LesserToken for an access token that sees no more than any visitor.

    None: SmugMug does not say, and then the view counts as the public one.
    """
    if level is not None and level.casefold() != "full":
        raise LesserToken(
            "the access token sees public albums only: it was made with Access=Public. Give it "
            "Access=Full in SmugMug's account settings (authorizing again does not raise it), or "
            "take it out of the secret to back up the public view"
        )


def tidied(
    data: Mapping[str, Any], *, album: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """`records.tidy`, of an answer. Raises MalformedAnswer."""
    try:
        return records.tidy(data, album=album)
    except ValueError:
        raise MalformedAnswer("an entry of the answer is nested too deep") from None
