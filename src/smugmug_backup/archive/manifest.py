"""The manifest of an album: the only thing that says "this is backed up"."""

import json
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Self

from smugmug_backup.archive import keys
from smugmug_backup.archive.encoding import (
    Unreadable,
    canonical_json,
    damaged,
    digest,
    fingerprint,
    json_line,
    known_format,
    sha256,
)
from smugmug_backup.archive.original import Original, Reason, Status, When
from smugmug_backup.clock import parse_stamp, parse_stamp_or_none, stamp, stamp_or_none
from smugmug_backup.model import Account
from smugmug_backup.words import is_id

FORMAT = "smugmug-backup/manifest"
VERSION = 1
ADDED = ("previous", "urls", "line_count")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a manifest: an image, live or gone.

    ``record`` and ``record_at`` (offset and length in bytes) find its record; both are None if it
    is lost, and until the records file of a commit is written.
    """

    image_key: str
    image_id: int | None
    file_name: str | None
    record: str | None
    record_at: tuple[int, int] | None
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

    @property
    def record_lost(self) -> bool:
        """Its record is damaged or gone, though its owner did not want that."""
        return self.record is None and self.original.reason != Reason.FORGOTTEN

    @property
    def unverified(self) -> bool:
        """Its bytes are stored, and no MD5 of the source's vouches for them."""
        return self.original.stored and not self.original.verified

    def as_json(self) -> dict[str, Any]:
        """The line as it stands in the manifest."""
        return {
            "image_key": self.image_key,
            "image_id": self.image_id,
            "file_name": self.file_name,
            "record": self.record,
            "record_at": list(self.record_at) if self.record_at else None,
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
        at = data["record_at"]
        if (at is None) != (data["record"] is None):
            raise ValueError("record and record_at go together")
        if not is_id(data["image_key"]):
            raise ValueError("its image_key is none")
        if at is not None and keys.parse_records(keys.plain(data["record"])[0]) is None:
            raise ValueError("no key of a records file")
        return cls(
            image_key=data["image_key"],
            image_id=data["image_id"],
            file_name=data["file_name"],
            record=data["record"],
            record_at=None if at is None else (int(at[0]), int(at[1])),
            fingerprint=digest(data["fingerprint"], 16),
            last_updated=data["last_updated"],
            position=data["position"],
            original=Original.from_json(data["original"]),
            missing_since=parse_stamp_or_none(data["missing_since"]),
            deleted_at=parse_stamp_or_none(data["deleted_at"]),
        )


class Named(NamedTuple):
    """A generation and the SHA-256 of its file, as its successor names it."""

    generation: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a manifest; ``image_count`` counts its live lines, ``line_count`` all.

    ``album`` is the album's own record, ``urls`` the URL fields that it had.
    """

    album_key: str
    generation: int
    previous: Named | None
    run_id: str
    written_at: datetime
    account: Account
    source: str
    title: str
    path: tuple[str, ...]
    album: Mapping[str, Any]
    urls: tuple[str, ...]
    image_count: int
    line_count: int
    cursor: int
    full_listing_at: datetime | None
    deleted_at: datetime | None

    @property
    def album_fingerprint(self) -> str:
        """What tells one state of the album's own record from another."""
        return album_fingerprint(self.album)

    def as_json(self) -> dict[str, Any]:
        """The line as it stands in the manifest."""
        previous = self.previous
        return {
            "format": FORMAT,
            "version": VERSION,
            "album_key": self.album_key,
            "generation": self.generation,
            "previous": previous and {"generation": previous.generation, "sha256": previous.sha256},
            "run_id": self.run_id,
            "written_at": stamp(self.written_at),
            "account": {"nickname": self.account.nickname, "access": self.account.access},
            "source": self.source,
            "title": self.title,
            "path": list(self.path),
            "album": dict(self.album),
            "urls": list(self.urls),
            "image_count": self.image_count,
            "line_count": self.line_count,
            "cursor": self.cursor,
            "full_listing_at": stamp_or_none(self.full_listing_at),
            "deleted_at": stamp_or_none(self.deleted_at),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for what `as_json` did not make."""
        previous = data["previous"]
        return cls(
            album_key=data["album_key"],
            generation=data["generation"],
            previous=previous and Named(previous["generation"], previous["sha256"]),
            run_id=data["run_id"],
            written_at=parse_stamp(data["written_at"]),
            account=Account(data["account"]["nickname"], data["account"]["access"]),
            source=data["source"],
            title=data["title"],
            path=tuple(data["path"]),
            album=data["album"],
            urls=tuple(data["urls"]),
            image_count=data["image_count"],
            line_count=data["line_count"],
            cursor=data["cursor"],
            full_listing_at=parse_stamp_or_none(data["full_listing_at"]),
            deleted_at=parse_stamp_or_none(data["deleted_at"]),
        )


def album_fingerprint(album: Mapping[str, Any]) -> str:
    """The first 16 hex digits of the SHA-256 of an album's record as canonical JSON."""
    return fingerprint(canonical_json(dict(album)))


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that the backup holds of one album at one generation; entries by image key.

    ``sha256`` is that of its file; None for one that is not written yet.
    """

    header: Header
    entries: Mapping[str, Entry]
    sha256: str | None = None

    @property
    def live(self) -> list[Entry]:
        """The lines of images that are in the album; none if the album has left."""
        if self.header.deleted_at is not None:
            return []
        return [entry for entry in self.entries.values() if entry.live]

    @property
    def named(self) -> Named:
        """How its successor names it."""
        if self.sha256 is None:
            raise ValueError("a manifest that was not written has no successor")
        return Named(self.header.generation, self.sha256)

    def to_bytes(self) -> bytes:
        """The file, lines sorted by image key."""
        lines = [self.header.as_json()]
        lines += [self.entries[key].as_json() for key in sorted(self.entries)]
        return b"".join(json_line(line) for line in lines)

    def counted(self) -> "Manifest":
        """With the header's counts as its lines are."""
        live, lines = live_count(self.entries.values()), len(self.entries)
        return replace(self, header=replace(self.header, image_count=live, line_count=lines))

    @classmethod
    def from_bytes(
        cls, body: bytes, *, key: str, lines: MutableMapping[bytes, Entry] | None = None
    ) -> Self:
        """Parse a manifest read whole from ``key``; what was cut off or does not count is damaged.

        ``lines``: those of another generation of the album; they become those of this one, and a
        line that is the same is the same `Entry`.
        Raises FormatTooNew, EarlierForm, NotABackup.
        """
        header = header_of(body, key=key)
        try:
            if not body.endswith(b"\n"):
                raise ValueError("its last line is not whole")
            bare = body[:-1].split(b"\n")[1:]
            known = dict(lines or {})
            found = {line: known.get(line) or Entry.from_json(json.loads(line)) for line in bare}
            entries = {entry.image_key: entry for entry in found.values()}
            if not len(bare) == len(entries) == header.line_count:
                raise ValueError("its lines are not as many as it says")
            if live_count(entries.values()) != header.image_count:
                raise ValueError("its images are not as many as it says")
        except Unreadable as error:
            raise damaged(key, error) from None
        if lines is not None:
            lines.clear()
            lines.update(found)
        return cls(header, entries, sha256(body))


def header_of(body: bytes, *, key: str) -> Header:
    """The header of a manifest file. Raises FormatTooNew, EarlierForm, NotABackup."""
    try:
        data = json.loads(body.split(b"\n", 1)[0])
        known_format(data, FORMAT, VERSION, key=key, added=ADDED)
        return Header.from_json(data)
    except Unreadable as error:
        raise damaged(key, error) from None


def live_count(entries: Iterable[Entry]) -> int:
    """How many of ``entries`` are live."""
    return sum(entry.live for entry in entries)


class Totals(NamedTuple):
    """What an album's live lines add up to.

    ``bytes``: of stored originals. ``pending`` counts what waits as of ``when``, a
    wrong MD5 in its 14 days too; ``unverified``: what is stored without a matching MD5.
    """

    image_count: int
    bytes: int
    pending: int
    unavailable: int
    unverified: int

    @classmethod
    def of(cls, manifest: Manifest, when: When) -> Self:
        """Add up the lines, whether the album is still there or has left."""
        live = [entry for entry in manifest.entries.values() if entry.live]
        return cls(
            image_count=len(live),
            bytes=sum(each.original.bytes or 0 for each in live if each.original.stored),
            pending=sum(each.original.waits(when) for each in live),
            unavailable=sum(each.original.status == Status.UNAVAILABLE for each in live),
            unverified=sum(each.unverified for each in live),
        )


@dataclass(frozen=True, slots=True)
class Unavailable:
    """An image whose bytes the source does not have (or whose record is lost: `RECORD_LOST`)."""

    album_key: str
    image_key: str
    reason: str
    file_name: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """An image that waits for its bytes, why, and since when."""

    album_key: str
    image_key: str
    reason: str
    since: datetime | None
    file_name: str | None = None


RECORD_LOST = "record_lost"


def unavailable(manifest: Manifest) -> tuple[Unavailable, ...]:
    """The live images of an album whose bytes the source does not have, or whose record is lost."""
    album_key = manifest.header.album_key
    found = []
    for entry in sorted(manifest.live, key=lambda each: each.image_key):
        if entry.original.status == Status.UNAVAILABLE:
            reason = entry.original.reason or "unknown"
            found.append(Unavailable(album_key, entry.image_key, reason, entry.file_name))
        if entry.record_lost:
            found.append(Unavailable(album_key, entry.image_key, RECORD_LOST, entry.file_name))
    return tuple(found)


def pending(manifest: Manifest, when: When) -> tuple[Pending, ...]:
    """The live images of an album that wait, and why; those that were not tried yet left out."""
    return tuple(
        Pending(
            manifest.header.album_key,
            entry.image_key,
            entry.original.reason or "unknown",
            entry.original.pending_since,
            entry.file_name,
        )
        for entry in sorted(manifest.live, key=lambda each: each.image_key)
        if entry.original.waits(when) and entry.original.reason != Reason.NOT_YET
    )
