"""The manifest of an album: the only thing that says "this is backed up"."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from smugmug_backup.clock import parse_stamp, parse_stamp_or_none, stamp, stamp_or_none
from smugmug_backup.errors import FormatTooNew, NotABackup
from smugmug_backup.model import Account

FORMAT = "smugmug-backup/manifest"
VERSION = 1

PATIENCE = timedelta(days=14)
"""So long is a missing original waited for at every run."""


@dataclass(frozen=True, slots=True)
class Original:
    """What the store holds, or waits for, of one image's bytes. Fields: store-format section 3."""

    kind: str
    status: str
    key: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None
    source_md5: str | None = None
    verified: bool = False
    reason: str | None = None
    pending_since: datetime | None = None
    previous: str | None = None

    @property
    def stored(self) -> bool:
        """Bytes are there."""
        return self.status == "stored"

    def waits(self, now: datetime) -> bool:
        """It counts as pending: not stored yet, or stored with a wrong MD5 not long ago."""
        if self.stored:
            return (
                self.reason == "md5_mismatch"
                and self.pending_since is not None
                and now - self.pending_since < PATIENCE
            )
        return self.status == "pending"

    def as_json(self) -> dict[str, Any]:
        """The object as it stands in the manifest."""
        return {
            "kind": self.kind,
            "status": self.status,
            "key": self.key,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "md5": self.md5,
            "source_md5": self.source_md5,
            "verified": self.verified,
            "reason": self.reason,
            "pending_since": stamp_or_none(self.pending_since),
            "previous": self.previous,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for what `as_json` did not make."""
        return cls(**{**data, "pending_since": parse_stamp_or_none(data["pending_since"])})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a manifest: an image, live or gone."""

    image_key: str
    image_id: int | None
    file_name: str | None
    record: str
    fingerprint: str
    last_updated: str | None
    position: int | None
    original: Original
    missing_since: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def live(self) -> bool:
        """It is in the album, as far as we know."""
        return self.missing_since is None and self.deleted_at is None

    def as_json(self) -> dict[str, Any]:
        """The line as it stands in the manifest."""
        return {
            "image_key": self.image_key,
            "image_id": self.image_id,
            "file_name": self.file_name,
            "record": self.record,
            "fingerprint": self.fingerprint,
            "last_updated": self.last_updated,
            "position": self.position,
            "original": self.original.as_json(),
            "missing_since": stamp_or_none(self.missing_since),
            "deleted_at": stamp_or_none(self.deleted_at),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for what `as_json` did not make."""
        return cls(
            **{
                **data,
                "original": Original.from_json(data["original"]),
                "missing_since": parse_stamp_or_none(data["missing_since"]),
                "deleted_at": parse_stamp_or_none(data["deleted_at"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a manifest; ``image_count`` counts its live lines."""

    album_key: str
    generation: int
    run_id: str
    written_at: datetime
    account: Account
    source: str
    title: str
    path: tuple[str, ...]
    record: str
    image_count: int
    cursor: int
    full_listing_at: datetime | None
    deleted_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """The line as it stands in the manifest."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "album_key": self.album_key,
            "generation": self.generation,
            "run_id": self.run_id,
            "written_at": stamp(self.written_at),
            "account": {"nickname": self.account.nickname, "access": self.account.access},
            "source": self.source,
            "title": self.title,
            "path": list(self.path),
            "record": self.record,
            "image_count": self.image_count,
            "cursor": self.cursor,
            "full_listing_at": stamp_or_none(self.full_listing_at),
            "deleted_at": stamp_or_none(self.deleted_at),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for what `as_json` did not make."""
        fields = {name: data[name] for name in data if name not in ("format", "version")}
        return cls(
            **{
                **fields,
                "written_at": parse_stamp(data["written_at"]),
                "account": Account(data["account"]["nickname"], data["account"]["access"]),
                "path": tuple(data["path"]),
                "full_listing_at": parse_stamp_or_none(data["full_listing_at"]),
                "deleted_at": parse_stamp_or_none(data["deleted_at"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that the backup holds of one album at one generation; entries by image key."""

    header: Header
    entries: Mapping[str, Entry]

    def to_bytes(self) -> bytes:
        """The file, lines sorted by image key."""
        lines = [self.header.as_json()]
        lines += [self.entries[key].as_json() for key in sorted(self.entries)]
        return b"".join(json_line(line) for line in lines)

    @classmethod
    def from_bytes(cls, body: bytes, *, key: str) -> Self:
        """Parse a manifest read from ``key``. Raises FormatTooNew and NotABackup."""
        header = header_of(body, key=key)
        try:
            entries = [
                Entry.from_json(json.loads(line)) for line in body.split(b"\n")[1:] if line.strip()
            ]
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise damaged(key, error) from None
        return cls(header, {entry.image_key: entry for entry in entries})


def header_of(body: bytes, *, key: str) -> Header:
    """The header of a manifest file. Raises FormatTooNew and NotABackup."""
    try:
        data = json.loads(body.split(b"\n", 1)[0])
        known_format(data, FORMAT, VERSION, key=key)
        return Header.from_json(data)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise damaged(key, error) from None


def live_count(entries: Iterable[Entry]) -> int:
    """How many of ``entries`` are live."""
    return sum(entry.live for entry in entries)


def known_format(data: Mapping[str, Any], name: str, version: int, *, key: str) -> None:
    """Refuse what is not a file of format ``name``, or is newer than ``version``."""
    if data["format"] != name:
        raise ValueError(f"its format is not {name}")
    if data["version"] > version:
        raise FormatTooNew(
            f"{key} is of format version {data['version']}, this program knows {version}; "
            "install a newer SmugMug Backup"
        )


def damaged(key: str, error: Exception) -> NotABackup:
    """What to say of a file of ours that cannot be read."""
    return NotABackup(f"{key} is not readable as a file of this backup ({type(error).__name__})")


def json_line(value: Any) -> bytes:
    """One compact JSON line, fields in their order, non-ASCII unescaped.

    A lone surrogate, which UTF-8 cannot hold, stays an escape.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "backslashreplace") + b"\n"
