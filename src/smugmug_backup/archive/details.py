"""What a record says of its image, in words of neither API: for search, pages and ways out.

=============  ======================================  ===========================================
here           API 1.3.0                               API v2
=============  ======================================  ===========================================
keywords       ``Keywords``, parted by ``;`` or ``,``  ``KeywordArray``, else as there
taken_at       it says nothing                         ``DateTimeOriginal``
uploaded_at    ``Date``                                ``DateTimeUploaded``, else ``Date``
place          ``Latitude``, ``Longitude``; 0, 0 is    the same, sometimes as texts
               none
width, height  ``Width``, ``Height``                   ``OriginalWidth``, ``OriginalHeight``
is_video       a ``Video…URL`` was there, or a         ``IsVideo``
               ``Duration``
=============  ======================================  ===========================================

Texts are decoded (SmugMug writes HTML entities); what is unknown or makes no sense is None.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from smugmug_backup.archive.records import V2, largest_video_url_field, whole_number
from smugmug_backup.archive.texts import keywords_of, text_of

_FIRST_PHOTO = 1826
_TIMES = ("DateTimeOriginal", "Date", "LastUpdated")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image was taken: degrees, and metres above the sea."""

    latitude: float
    longitude: float
    altitude: float | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """What people search an image by. ``taken_at``, ``uploaded_at``: ISO 8601, with a zone only if
    the source says one. ``seconds``: how long a video is."""

    title: str = ""
    caption: str = ""
    keywords: tuple[str, ...] = ()
    taken_at: str | None = None
    uploaded_at: str | None = None
    place: Place | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    seconds: int | None = None
    is_video: bool = False
    hidden: bool = False

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Read a record of either source, as `archive.records` gives it."""
        image: Mapping[str, Any] = record["image"]
        v2 = record["source"] == V2
        seconds = whole_number(image.get("Duration"))
        video = bool(seconds) or largest_video_url_field(record["urls"]) is not None
        uploaded = _first(image, "DateTimeUploaded", "Date") if v2 else _first(image, "Date")
        return cls(
            title=text_of(image.get("Title")),
            caption=text_of(image.get("Caption")),
            keywords=tuple(keywords_of(image)),
            taken_at=_first(image, "DateTimeOriginal"),
            uploaded_at=uploaded,
            place=place_of(image),
            format=text_of(image.get("Format")) or None,
            width=whole_number(image.get("OriginalWidth" if v2 else "Width")),
            height=whole_number(image.get("OriginalHeight" if v2 else "Height")),
            seconds=seconds or None,
            is_video=bool(image.get("IsVideo")) if v2 else video,
            hidden=image.get("Hidden") in (True, 1, "1"),
        )


def _first(image: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        text = moment_text(image.get(name))
        if text is not None:
            return text
    return None


def moment_text(value: object) -> str | None:
    """A time as ISO 8601, the zone kept where there is one; None for what is none."""
    moment = _moment(value)
    return moment.isoformat(timespec="seconds") if moment else None


def instant_of(value: object) -> datetime | None:
    """A time as UTC; one without a zone is read as UTC, so that every machine reads the same."""
    moment = _moment(value)
    try:
        if moment is None:
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None


def moment_of(image: Mapping[str, Any], last_updated: str | None) -> datetime | None:
    """When the image was taken, as far as SmugMug says; else when it last changed; else None.

    API v2 says the zone. API 1.3.0 does not, and nobody knows it: its times are read as UTC, so
    that every machine sets the same; they may be hours off.
    """
    for text in (*(image.get(name) for name in _TIMES), last_updated):
        instant = instant_of(text)
        if instant is not None:
            return instant
    return None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    # What is older than photography is a camera's or a program's mistake.
    return moment if moment.year >= _FIRST_PHOTO else None


def place_of(image: Mapping[str, Any]) -> Place | None:
    """Where the image was taken; SmugMug says 0, 0 of what has no place."""
    latitude, longitude = _number(image.get("Latitude")), _number(image.get("Longitude"))
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    altitude = _number(image.get("Altitude"))
    if altitude is None or altitude == 0 or abs(altitude) >= 100_000:
        altitude = None
    return Place(latitude, longitude, altitude)


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
