"""Records: what the API says of an image or album, as canonical JSON that names itself.

Which fields are volatile or secret, and what makes a revision: sections 1 and 3 of the store's
format. Both sources and the core use these rules, so that a record means the same everywhere.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from smugmug_backup.model import Album, Image, Offer

V2 = "smugmug-v2"

VIDEO_URL_FIELDS = (
    "Video1920URL",
    "Video1280URL",
    "Video960URL",
    "Video640URL",
    "Video320URL",
)
"""The URL fields of API 1.3.0 that hold a whole video, the largest first."""

_VOLATILE_ENDINGS = ("URL", "Uri", "Uris")
_VOLATILE = frozenset({"Position"})
_VOLATILE_IN_ALBUMS = frozenset({"ImageCount", "LastUpdated", "ImagesLastUpdated", "Highlight"})
_SECRET = frozenset({"Password", "PasswordHint", "DownloadPassword", "UploadKey", "GuestUploadURL"})
_SECRET_ENDINGS = ("Token", "TokenSecret", "token", "token_secret")
_DEEPEST = 64


def tidy(data: Mapping[str, Any], *, album: bool = False) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(``data`` without volatile and secret fields at any depth, names of its URL fields).

    The names are those of top-level fields that end in URL, Uri or Uris and are not empty,
    sorted; a secret field is not even named. ``album``: what is volatile in an album goes too.
    Raises ValueError if the data is nested deeper than any answer of SmugMug is.
    """
    drop = _VOLATILE | _SECRET | (_VOLATILE_IN_ALBUMS if album else frozenset())
    urls = sorted(
        name
        for name, value in data.items()
        if name.endswith(_VOLATILE_ENDINGS) and name not in _SECRET and value
    )
    return {name: _tidied(value, drop, 1) for name, value in _kept(data, drop)}, tuple(urls)


def _kept(data: Mapping[str, Any], drop: frozenset[str]) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, value in data.items()
        if name not in drop and not name.endswith(_VOLATILE_ENDINGS + _SECRET_ENDINGS)
    ]


def _tidied(value: Any, drop: frozenset[str], depth: int) -> Any:
    if not isinstance(value, (dict, list)):
        return value
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, list):
        return [_tidied(item, drop, depth + 1) for item in value]
    return {name: _tidied(item, drop, depth + 1) for name, item in _kept(value, drop)}


def canonical_json(value: Any) -> bytes:
    """Keys sorted, no spaces, non-ASCII unescaped, UTF-8; a lone surrogate stays an escape.

    JSON text may hold ``\\ud83d`` alone, which no UTF-8 can; so any JSON text can be stored.
    Raises ValueError for NaN and infinities, which are not JSON.
    """
    text = json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    # Only surrogates cannot be encoded, and they only occur inside of strings, where
    # "backslashreplace" writes them just as JSON does.
    return text.encode("utf-8", "backslashreplace")


def image_record(album_key: str, image: Image, source: str) -> bytes:
    """The record file of ``image`` as ``album_key`` shows it."""
    return canonical_json(
        {
            "album_key": album_key,
            "format": "smugmug-backup/image-record",
            "image": dict(image.data),
            "image_key": image.key,
            "source": source,
            "urls": list(image.urls),
            "version": 1,
        }
    )


def is_image_record(data: Any) -> bool:
    """Whether ``data`` has what is read back from an image record."""
    return (
        isinstance(data, dict)
        and isinstance(data.get("source"), str)
        and isinstance(data.get("image"), dict)
        and isinstance(data.get("urls"), list)
    )


def album_record(album: Album, source: str) -> bytes:
    """The record file of ``album`` itself."""
    return canonical_json(
        {
            "album": dict(album.data),
            "album_key": album.key,
            "format": "smugmug-backup/album-record",
            "source": source,
            "urls": list(album.urls),
            "version": 1,
        }
    )


def fingerprint(record: bytes) -> str:
    """The name of a record file: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(record).hexdigest()[:16]


def revision(offer: Offer) -> str:
    """What stands in ``rev-<revision>``: known before a download, another for other bytes."""
    return fingerprint(
        canonical_json([offer.serial, offer.size, offer.format, offer.md5, offer.url_field])
    )


@dataclass(frozen=True, slots=True)
class Traits:
    """What tells, besides the MD5, that an image shows other bytes than before."""

    serial: int | str | None
    size: int | None
    format: str | None
    video_url_field: str | None


def traits(record: Mapping[str, Any]) -> Traits:
    """Read the traits back from an image record of either source."""
    image: Mapping[str, Any] = record["image"]
    size = image.get("ArchivedSize" if record["source"] == V2 else "Size")
    api_format = image.get("Format")
    return Traits(
        serial=serial(image.get("Serial")),
        size=whole_number(size),
        format=api_format if isinstance(api_format, str) and api_format else None,
        video_url_field=largest_video_url_field(record["urls"]),
    )


def largest_video_url_field(names: Collection[str]) -> str | None:
    """The field of the largest video among the URL fields ``names``, or None."""
    return next((field for field in VIDEO_URL_FIELDS if field in names), None)


def whole_number(value: object) -> int | None:
    """``value`` as an integer; SmugMug has written numbers as texts. None for all else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    # 19 digits hold every 64-bit id; more would be no number of SmugMug's.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        return int(value)
    return None


def serial(value: object) -> int | str | None:
    """An image's ``Serial``: a number, or the text that stands in its place."""
    number = whole_number(value)
    if number is not None:
        return number
    return value if isinstance(value, str) and value else None
