"""The run report: how a run ended, and every album's state from then on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Self

from smugmug_backup.archive import keys
from smugmug_backup.archive.manifest import (
    Entry,
    Header,
    Manifest,
    damaged,
    json_line,
    known_format,
)
from smugmug_backup.clock import parse_stamp, parse_stamp_or_none, stamp, stamp_or_none
from smugmug_backup.errors import BackupError, Remedy, remedy_of
from smugmug_backup.model import Account

FORMAT = "smugmug-backup/run-report"
VERSION = 1

COMPLETE = "complete"
CONTINUING = "continuing"
INCOMPLETE = "incomplete"
REFUSED = "refused"

ALBUM_BACK = "album is back"
ALBUM_MISSING = "album missing"
"""`AlbumState.next_full` while an album that has vanished has no tombstone yet."""


@dataclass(frozen=True, slots=True)
class AlbumState:
    """What the newest run report says of an album; fields as in store-format section 4.

    An album whose ``missing_since`` is set and whose ``next_full`` is null has its tombstone: its
    newest generation carries ``deleted_at``.
    """

    generation: int = 0
    cursor: int = 0
    full_listing_at: datetime | None = None
    listed_at: datetime | None = None
    image_count: int = 0
    count_difference: int | None = None
    pending: int = 0
    next_full: str | None = None
    missing_since: datetime | None = None

    @classmethod
    def of_header(cls, header: Header, *, reason: str) -> Self:
        """The state that a manifest's header still tells when no report does.

        The rest is unknown, so the album is listed in full, for ``reason``.
        """
        gone = header.deleted_at is not None
        return cls(
            generation=header.generation,
            cursor=header.cursor,
            full_listing_at=header.full_listing_at,
            image_count=header.image_count,
            next_full=None if gone else reason,
            missing_since=header.deleted_at,
        )

    @property
    def live(self) -> bool:
        """The source showed this album when it was last seen."""
        return self.missing_since is None

    @property
    def gone(self) -> bool:
        """The album has its tombstone."""
        return self.missing_since is not None and self.next_full is None

    @property
    def source_count(self) -> int:
        """What the account's listing said of its number of images."""
        return self.image_count + (self.count_difference or 0)

    def as_json(self) -> dict[str, Any]:
        """The entry as it stands in a report."""
        return {
            "generation": self.generation,
            "cursor": self.cursor,
            "full_listing_at": stamp_or_none(self.full_listing_at),
            "listed_at": stamp_or_none(self.listed_at),
            "image_count": self.image_count,
            "count_difference": self.count_difference,
            "pending": self.pending,
            "next_full": self.next_full,
            "missing_since": stamp_or_none(self.missing_since),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for what `as_json` did not make."""
        instants = ("full_listing_at", "listed_at", "missing_since")
        return cls(**{**data, **{name: parse_stamp_or_none(data[name]) for name in instants}})


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with an album, an image of it, or (no album) the run."""

    album_key: str | None
    image_key: str | None
    code: str
    message: str

    @classmethod
    def of(
        cls, error: BackupError, *, album_key: str | None = None, image_key: str | None = None
    ) -> Self:
        """``error`` as a failure of that album or image."""
        return cls(album_key, image_key, error.code, str(error))

    @property
    def passing(self) -> bool:
        """A retry of the same trigger may mend it."""
        return remedy_of(self.code) is Remedy.TIME

    def as_json(self) -> dict[str, Any]:
        """The entry as it stands in a report."""
        return {
            "album_key": self.album_key,
            "image_key": self.image_key,
            "code": self.code,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Unavailable:
    """An image whose bytes the source does not have."""

    album_key: str
    image_key: str
    reason: str


def unavailable(album_key: str, entries: Mapping[str, Entry]) -> tuple[Unavailable, ...]:
    """The live images of an album whose bytes the source does not have."""
    return tuple(
        Unavailable(album_key, key, entries[key].original.reason or "unknown")
        for key in sorted(entries)
        if entries[key].live and entries[key].original.status == "unavailable"
    )


def unverified(manifest: Manifest | None) -> int:
    """How many live images of an album, if it has not left, are stored without a matching MD5."""
    if manifest is None or manifest.header.deleted_at is not None:
        return 0
    return sum(
        entry.live and entry.original.stored and not entry.original.verified
        for entry in manifest.entries.values()
    )


@dataclass(slots=True)
class Counts:
    """The numbers of one run.

    Totals as of its end: albums, images, pending, unavailable, unverified. All others: what
    happened in this run. ``seconds`` is its duration.
    """

    albums: int = 0
    albums_changed: int = 0
    images: int = 0
    new: int = 0
    changed: int = 0
    missing: int = 0
    deleted: int = 0
    pending: int = 0
    unavailable: int = 0
    unverified: int = 0
    originals_stored: int = 0
    bytes_stored: int = 0
    cursor_misses: int = 0
    late_arrivals: int = 0
    api_calls: int = 0
    s3_requests: int = 0
    seconds: float = 0.0

    def add(self, other: "Counts") -> None:
        """Add all of ``other``."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run, as it ended, and the account as it is known since."""

    run_id: str
    status: str
    trigger: str | None
    attempt_of: str | None
    started_at: datetime
    ended_at: datetime
    part: bool
    account: Account | None
    source: str
    counts: Counts
    failures: Sequence[Failure] = ()
    unavailable: Sequence[Unavailable] = ()
    ignored_albums: Sequence[str] = ()
    notes: Sequence[str] = ()
    albums: Mapping[str, AlbumState] = field(default_factory=dict)

    @property
    def trusted(self) -> bool:
        """Later runs take it for the state of the account."""
        return self.status != REFUSED and not self.part

    def to_bytes(self) -> bytes:
        """The file."""
        return json_line(
            {
                "format": FORMAT,
                "version": VERSION,
                "run_id": self.run_id,
                "status": self.status,
                "trigger": self.trigger,
                "attempt_of": self.attempt_of,
                "started_at": stamp(self.started_at),
                "ended_at": stamp(self.ended_at),
                "part": self.part,
                "account": account_json(self.account),
                "source": self.source,
                "counts": asdict(self.counts),
                "failures": [failure.as_json() for failure in self.failures],
                "unavailable": [asdict(each) for each in self.unavailable],
                "ignored_albums": list(self.ignored_albums),
                "notes": list(self.notes),
                "albums": {key: self.albums[key].as_json() for key in sorted(self.albums)},
            }
        )

    @classmethod
    def from_bytes(cls, body: bytes, *, key: str) -> Self:
        """Parse a report read from ``key``. Raises FormatTooNew and NotABackup."""
        try:
            data = json.loads(body)
            known_format(data, FORMAT, VERSION, key=key)
            return cls(
                run_id=data["run_id"],
                status=data["status"],
                trigger=data["trigger"],
                attempt_of=data["attempt_of"],
                started_at=parse_stamp(data["started_at"]),
                ended_at=parse_stamp(data["ended_at"]),
                part=data["part"],
                account=account_of(data["account"]),
                source=data["source"],
                counts=Counts(**data["counts"]),
                failures=tuple(Failure(**each) for each in data["failures"]),
                unavailable=tuple(Unavailable(**each) for each in data["unavailable"]),
                ignored_albums=tuple(data["ignored_albums"]),
                notes=tuple(data["notes"]),
                albums={k: AlbumState.from_json(v) for k, v in data["albums"].items()},
            )
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise damaged(key, error) from None

    @property
    def key(self) -> str:
        """Where it lies."""
        return keys.report(self.run_id)


def account_json(account: Account | None) -> dict[str, str | None]:
    """The account as it stands in files; nulls if a refused run never got to know it."""
    if account is None:
        return {"nickname": None, "access": None}
    return {"nickname": account.nickname, "access": account.access}


def account_of(data: Mapping[str, Any]) -> Account | None:
    """What `account_json` made."""
    if data["nickname"] is None:
        return None
    return Account(data["nickname"], data["access"])
