"""Records: what the API says of an image, as canonical JSON, a line each.

Which fields are volatile or secret, and what makes a revision, stands here and in ``FORMAT.md``.
Both sources and the core use these rules, so that a record means the same everywhere.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from smugmug_backup.archive.encoding import (
    Unreadable,
    canonical_json,
    damaged,
    fingerprint,
    json_line,
    known_format,
    sha256,
)
from smugmug_backup.model import Image, Offer

V130 = "smugmug-1.3.0"
V2 = "smugmug-v2"

_APIS = {V130: "API 1.3.0", V2: "API v2"}

VIDEO_URL_FIELDS = (
    "Video1920URL",
    "Video1280URL",
    "Video960URL",
    "Video640URL",
    "Video320URL",
)
"""The URL fields of API 1.3.0 that hold a whole video, the largest first."""

_VOLATILE_ENDINGS = ("URL", "Url", "Uri", "Uris")
_VOLATILE = frozenset({"Position"})
_VOLATILE_IN_ALBUMS = frozenset({"ImageCount", "LastUpdated", "ImagesLastUpdated", "Highlight"})
_SECRET = frozenset({"Password", "PasswordHint", "DownloadPassword", "UploadKey", "GuestUploadURL"})
_SECRET_ENDINGS = ("Token", "TokenSecret", "token", "token_secret")
_DROPPED_ENDINGS = _VOLATILE_ENDINGS + _SECRET_ENDINGS
_DROPPED = _VOLATILE | _SECRET
_DROPPED_OF_ALBUMS = _DROPPED | _VOLATILE_IN_ALBUMS
_DEEPEST = 64


def tidy(data: Mapping[str, Any], *, album: bool = False) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(``data`` without volatile and secret fields at any depth, names of its URL fields).

    The names are those of top-level fields that end in URL, Uri or Uris and are not empty,
    sorted; a secret field is not even named. ``album``: what is volatile in an album goes too.
    Raises ValueError if the data is nested deeper than any answer of SmugMug is.
    """
    drop = _DROPPED_OF_ALBUMS if album else _DROPPED
    urls = sorted(
        name
        for name, value in data.items()
        if name.endswith(_VOLATILE_ENDINGS) and name not in _SECRET and value
    )
    return _kept(data, drop, 1), tuple(urls)


def _kept(data: Mapping[str, Any], drop: frozenset[str], depth: int) -> dict[str, Any]:
    # Of every image of every listing: most values are texts and numbers, and cost no call.
    return {
        name: _tidied(value, drop, depth) if isinstance(value, (dict, list)) else value
        for name, value in data.items()
        if name not in drop and not name.endswith(_DROPPED_ENDINGS)
    }


def _tidied(value: Any, drop: frozenset[str], depth: int) -> Any:
    if not isinstance(value, (dict, list)):
        return value
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, list):
        return [_tidied(item, drop, depth + 1) for item in value]
    return _kept(value, drop, depth + 1)


FORMAT = "smugmug-backup/records"
VERSION = 1

MOST = 5_000
"""So many images a records file holds at most."""


def api_name(source: str) -> str:
    """What a ``source`` is called before a person."""
    return _APIS.get(source, source)


def record_line(image: Image, source: str) -> bytes:
    """The record of ``image``, as it stands in a records file, without the line end."""
    return canonical_json(
        {
            "image": dict(image.data),
            "image_key": image.key,
            "source": source,
            "urls": list(image.urls),
        }
    )


def parse_line(line: bytes) -> dict[str, Any] | None:
    """What `record_line` made, None for anything else."""
    try:
        data: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    whole = (
        isinstance(data, dict)
        and isinstance(data.get("image_key"), str)
        and isinstance(data.get("source"), str)
        and isinstance(data.get("image"), dict)
        and isinstance(data.get("urls"), list)
    )
    return data if whole else None


class RecordsFile(NamedTuple):
    """A records file: its bytes, and where each image's line stands in it (offset, length).

    It depends on its content alone: the same records give the same ``digest``, its name.
    """

    body: bytes
    digest: str
    places: Mapping[str, tuple[int, int]]


def records_files(album_key: str, lines: Mapping[str, bytes]) -> list[RecordsFile]:
    """The records ``lines`` (by image key) as files, each of at most `MOST` images."""
    keys = sorted(lines)
    parts = [keys[start : start + MOST] for start in range(0, len(keys), MOST)]
    return [_file(album_key, {key: lines[key] for key in part}) for part in parts]


def _file(album_key: str, lines: Mapping[str, bytes]) -> RecordsFile:
    body = bytearray(records_header(album_key))
    places = {}
    for key, line in lines.items():
        places[key] = (len(body), len(line))
        body += line + b"\n"
    whole = bytes(body)
    return RecordsFile(whole, sha256(whole)[:32], places)


def records_header(album_key: str) -> bytes:
    """The first line of each of an album's records files."""
    return json_line({"format": FORMAT, "version": VERSION, "album_key": album_key})


def lines_in(body: bytes, *, key: str) -> Iterator[tuple[int, bytes]]:
    """(offset, line) of every record in a records file read from ``key``, parsed or not.

    Raises FormatTooNew, and NotABackup if its first line is no header.
    """
    head, _, _ = body.partition(b"\n")
    try:
        known_format(json.loads(head), FORMAT, VERSION, key=key)
    except Unreadable as error:
        raise damaged(key, error) from None
    offset = len(head) + 1
    for line in body[offset:].split(b"\n"):
        if line:
            yield offset, line
        offset += len(line) + 1


def revision(offer: Offer) -> str:
    """What stands in ``rev-<revision>``: known before a download, another for other bytes."""
    return fingerprint(
        canonical_json([offer.serial, offer.size, offer.format, offer.md5, offer.url_field])
    )


class Traits(NamedTuple):
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
