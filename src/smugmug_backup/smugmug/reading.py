"""What both sources make of an answer in the same way."""

from collections.abc import Mapping
from typing import Any

from smugmug_backup.archive import records
from smugmug_backup.errors import BadRequest, MalformedAnswer

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


def tidied(
    data: Mapping[str, Any], *, album: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """`records.tidy`, of an answer. Raises MalformedAnswer."""
    try:
        return records.tidy(data, album=album)
    except ValueError:
        raise MalformedAnswer("an entry of the answer is nested too deep") from None
