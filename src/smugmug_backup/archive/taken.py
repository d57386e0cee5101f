"""When an image was taken, as far as its record says."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_TIMES = ("DateTimeOriginal", "Date", "LastUpdated")


def moment_of(image: Mapping[str, Any], last_updated: str | None) -> datetime | None:
    """When the image was taken, as far as SmugMug says; else when it last changed; else None.

    API v2 says the zone. API 1.3.0 does not, and nobody knows it: its times are read as UTC, so
    that every machine sets the same; they may be hours off.
    """
    for text in (*(image.get(name) for name in _TIMES), last_updated):
        instant = _instant(text)
        if instant is not None:
            return instant
    return None


def _instant(text: object) -> datetime | None:
    try:
        instant = datetime.fromisoformat(str(text))
        instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
        # What is older than photography is a camera's or a program's mistake.
        return instant.astimezone(UTC) if instant.year >= 1826 else None
    except (ValueError, OverflowError):
        return None
