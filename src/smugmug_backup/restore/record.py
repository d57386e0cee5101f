"""What a record says of its image, for a restored file: its time and its sidecars."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from smugmug_backup.archive.details import instant_of
from smugmug_backup.archive.encoding import canonical_json, fingerprint

Record = dict[str, Any]
"""What `archive.records` makes of a line."""

_TIMES = ("DateTimeOriginal", "Date", "LastUpdated")


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


def json_sidecar(record: Mapping[str, Any]) -> bytes:
    """The record, indented for people."""
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, indent=2)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def is_sidecar_of(body: bytes, path: str, record_fingerprint: str) -> bool:
    """Whether ``body`` is what we would write for that record, found out without the record."""
    if not path.endswith(".json"):
        return f'smugmug:Record="{record_fingerprint}"'.encode() in body
    try:
        return fingerprint(canonical_json(json.loads(body))) == record_fingerprint
    except (ValueError, TypeError, RecursionError):
        return False
