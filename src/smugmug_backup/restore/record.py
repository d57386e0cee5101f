"""What a record says of its image, for a restored file: its time and its sidecars."""

import json
from collections.abc import Mapping
from typing import Any

from smugmug_backup.archive.encoding import canonical_json, fingerprint

Record = dict[str, Any]
"""What `archive.records` makes of a line."""


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
    except (ValueError, RecursionError):
        return False
