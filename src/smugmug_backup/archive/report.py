"""The run report: how a run ended, and every album's state from then on."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Self

from smugmug_backup.archive import keys
from smugmug_backup.archive.changes import News
from smugmug_backup.archive.encoding import (
    Unreadable,
    damaged,
    digest,
    json_line,
    known_format,
    sha256,
)
from smugmug_backup.archive.manifest import Manifest, Pending, Totals, Unavailable
from smugmug_backup.archive.original import When
from smugmug_backup.clock import parse_stamp, parse_stamp_or_none, stamp, stamp_or_none
from smugmug_backup.errors import BackupError, EarlierForm, NotABackup, Remedy, remedy_of
from smugmug_backup.model import Account

FORMAT = "smugmug-backup/run-report"
VERSION = 1
_ADDED = ("previous", "dated_at", "check")

NAMED = 1_000
"""So many failures, and images of each kind, a report names; it counts the rest."""

FUTURE = timedelta(hours=12)
"""A report whose run id lies further ahead than this was written by a clock that was wrong."""


class RunStatus(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    CONTINUING = "continuing"
    INCOMPLETE = "incomplete"
    REFUSED = "refused"


class NextFull(StrEnum):
    """Why an album is listed in full at its next turn."""

    ASKED_FOR = "asked for"
    ALBUM_BACK = "album is back"
    ALBUM_MISSING = "album missing"
    COMMITTED_MEANWHILE = "another run committed meanwhile"
    IMAGES_MISSING = "images missing"
    INTERRUPTED = "interrupted"
    MANIFEST_DAMAGED = "newest manifest damaged"
    MENDING = "something damaged is to be mended"
    NOT_BELIEVED = "last full listing not believed"
    STATE_LOST = "state not in the newest report"


class Doubt(NamedTuple):
    """Since when an album's full listings were not believed.

    ``difference``: its count less their length; ``keys``: what tells which images they showed.
    """

    since: datetime | None
    difference: int | None
    keys: str

    def as_json(self) -> dict[str, Any]:
        """The object as it stands in a report."""
        return {
            "since": stamp_or_none(self.since),
            "difference": self.difference,
            "keys": self.keys,
        }


@dataclass(frozen=True, slots=True)
class AlbumState:
    """What the newest run report says of an album; fields as in ``FORMAT.md``."""

    title: str = ""
    path: tuple[str, ...] = ()
    generation: int = 0
    manifest_sha256: str | None = None
    album_fingerprint: str | None = None
    cursor: int = 0
    full_listing_at: datetime | None = None
    listed_at: datetime | None = None
    tried_at: datetime | None = None
    image_count: int = 0
    bytes: int = 0
    count_difference: int | None = None
    pending: int = 0
    unavailable: int = 0
    unverified: int = 0
    next_full: str | None = None
    doubt: Doubt | None = None
    missing_since: datetime | None = None
    deleted_at: datetime | None = None

    @classmethod
    def of(cls, manifest: Manifest, *, reason: str, when: When) -> Self:
        """The state that a manifest still tells when no report does.

        The rest is unknown, so the album is listed in full, for ``reason``.
        """
        header = manifest.header
        gone = header.deleted_at is not None
        return cls(
            cursor=header.cursor,
            full_listing_at=header.full_listing_at,
            next_full=None if gone else reason,
            missing_since=header.deleted_at,
        ).committed(manifest, when)

    def committed(self, manifest: Manifest, when: When) -> Self:
        """The state once ``manifest`` is the album's newest: what it says, and adds up to."""
        header, totals = manifest.header, Totals.of(manifest, when)
        return replace(
            self,
            title=header.title,
            path=header.path,
            generation=header.generation,
            manifest_sha256=manifest.sha256,
            album_fingerprint=header.album_fingerprint,
            image_count=totals.image_count,
            bytes=totals.bytes,
            pending=totals.pending,
            unavailable=totals.unavailable,
            unverified=totals.unverified,
            deleted_at=header.deleted_at,
        )

    @property
    def live(self) -> bool:
        """The source showed this album when it was last seen."""
        return self.missing_since is None and self.deleted_at is None

    @property
    def gone(self) -> bool:
        """The album has left: its newest generation says so."""
        return self.deleted_at is not None

    @property
    def source_count(self) -> int:
        """What the account's listing said of its number of images."""
        return self.image_count + (self.count_difference or 0)

    def as_json(self) -> dict[str, Any]:
        """The entry as it stands in a report."""
        return {
            "title": self.title,
            "path": list(self.path),
            "generation": self.generation,
            "manifest_sha256": self.manifest_sha256,
            "album_fingerprint": self.album_fingerprint,
            "cursor": self.cursor,
            "full_listing_at": stamp_or_none(self.full_listing_at),
            "listed_at": stamp_or_none(self.listed_at),
            "tried_at": stamp_or_none(self.tried_at),
            "image_count": self.image_count,
            "bytes": self.bytes,
            "count_difference": self.count_difference,
            "pending": self.pending,
            "unavailable": self.unavailable,
            "unverified": self.unverified,
            "next_full": self.next_full,
            "doubt": self.doubt and self.doubt.as_json(),
            "missing_since": stamp_or_none(self.missing_since),
            "deleted_at": stamp_or_none(self.deleted_at),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for what `as_json` did not make."""
        known = {name: data[name] for name in _STATE}
        instants = ("full_listing_at", "listed_at", "tried_at", "missing_since", "deleted_at")
        known.update({name: parse_stamp_or_none(data[name]) for name in instants})
        known["path"] = tuple(data["path"])
        # A report that a disk has damaged must not be believed only because it parses.
        for name, length in (("manifest_sha256", 64), ("album_fingerprint", 16)):
            if known[name] is not None:
                digest(known[name], length)
        doubt = data["doubt"]
        known["doubt"] = doubt and Doubt(
            parse_stamp_or_none(doubt["since"]), doubt["difference"], doubt["keys"]
        )
        return cls(**known)


_STATE = tuple(each.name for each in fields(AlbumState))


class Failure(NamedTuple):
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

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises KeyError or TypeError for what `as_json` did not make."""
        return cls(data["album_key"], data["image_key"], data["code"], data["message"])


def pending_json(each: Pending) -> dict[str, Any]:
    """An image that waits, as it stands in a report."""
    return {**asdict(each), "since": stamp_or_none(each.since)}


def pending_of(data: Mapping[str, Any]) -> Pending:
    """What `pending_json` made."""
    since = parse_stamp_or_none(data["since"])
    name = data.get("file_name")
    return Pending(data["album_key"], data["image_key"], data["reason"], since, name)


def unavailable_of(data: Mapping[str, Any]) -> Unavailable:
    """An image without bytes, as it stands in a report."""
    name = data.get("file_name")
    return Unavailable(data["album_key"], data["image_key"], data["reason"], name)


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
    repaired: int = 0
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

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises KeyError for what `asdict` did not make."""
        return cls(**{each.name: data[each.name] for each in fields(cls)})


@dataclass(frozen=True, slots=True)
class Link:
    """A run or check report and the SHA-256 of its file, as its successor names it."""

    run_id: str
    sha256: str


class CompleteAsOf(NamedTuple):
    """The newest complete run, and its date: all that SmugMug showed then is stored."""

    run_id: str
    at: datetime | None

    @property
    def when(self) -> datetime:
        """Its date; if SmugMug told none, that of the machine."""
        return self.at or keys.run_start(self.run_id)


@dataclass(frozen=True, slots=True)
class Checked:
    """The newest check report that a run saw; ``open``: findings still open after the run."""

    run_id: str
    sha256: str
    ended_at: datetime
    sound: bool
    open: int


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
    previous: Sequence[Link] = ()
    dated_at: datetime | None = None
    clock_doubted: bool = False
    formerly: Sequence[str] = ()
    complete_as_of: CompleteAsOf | None = None
    check: Checked | None = None
    readme_sha256: str | None = None
    failures: Sequence[Failure] = ()
    more_failures: int = 0
    unavailable: Sequence[Unavailable] = ()
    more_unavailable: int = 0
    pending: Sequence[Pending] = ()
    more_pending: int = 0
    ignored_albums: Sequence[str] = ()
    notes: Sequence[str] = ()
    changes: News = field(default_factory=News)
    albums: Mapping[str, AlbumState] = field(default_factory=dict)
    sha256: str | None = None

    @property
    def trusted(self) -> bool:
        """Later runs take it for the state of the account."""
        return self.status != RunStatus.REFUSED and not self.part and not self.clock_doubted

    @property
    def complete(self) -> bool:
        """The whole account was complete when it ended."""
        return self.trusted and self.status == RunStatus.COMPLETE

    @property
    def link(self) -> Link:
        """How its successor names it."""
        if self.sha256 is None:
            raise ValueError("a report that was not written has no successor")
        return Link(self.run_id, self.sha256)

    def to_bytes(self) -> bytes:
        """The file."""
        return json_line(
            {
                "format": FORMAT,
                "version": VERSION,
                "run_id": self.run_id,
                "previous": [asdict(each) for each in self.previous],
                "status": self.status,
                "trigger": self.trigger,
                "attempt_of": self.attempt_of,
                "started_at": stamp(self.started_at),
                "ended_at": stamp(self.ended_at),
                "dated_at": stamp_or_none(self.dated_at),
                "clock_doubted": self.clock_doubted,
                "part": self.part,
                "account": {**account_json(self.account), "formerly": list(self.formerly)},
                "source": self.source,
                "complete_as_of": self.complete_as_of
                and {
                    "run_id": self.complete_as_of.run_id,
                    "at": stamp_or_none(self.complete_as_of.at),
                },
                "counts": asdict(self.counts),
                "failures": [failure.as_json() for failure in self.failures],
                "more_failures": self.more_failures,
                "unavailable": [asdict(each) for each in self.unavailable],
                "more_unavailable": self.more_unavailable,
                "pending": [pending_json(each) for each in self.pending],
                "more_pending": self.more_pending,
                "check": self.check
                and {**asdict(self.check), "ended_at": stamp(self.check.ended_at)},
                "readme_sha256": self.readme_sha256,
                "ignored_albums": list(self.ignored_albums),
                "notes": list(self.notes),
                "changes": self.changes.as_json() if self.changes else None,
                "albums": {key: self.albums[key].as_json() for key in sorted(self.albums)},
            }
        )

    @classmethod
    def from_bytes(cls, body: bytes, *, key: str) -> Self:
        """Parse a report read from ``key``. Raises FormatTooNew, EarlierForm, NotABackup."""
        try:
            data = json.loads(body)
            known_format(data, FORMAT, VERSION, key=key, added=_ADDED)
            as_of, check = data["complete_as_of"], data["check"]
            if not all(map(keys.is_id, data["albums"])):
                raise ValueError("it names an album by what is no key")
            return cls(
                run_id=named_run(data["run_id"], key, keys.report),
                previous=links_of(data["previous"]),
                status=RunStatus(data["status"]),
                trigger=data["trigger"],
                attempt_of=data["attempt_of"],
                started_at=parse_stamp(data["started_at"]),
                ended_at=parse_stamp(data["ended_at"]),
                dated_at=parse_stamp_or_none(data["dated_at"]),
                clock_doubted=data["clock_doubted"],
                part=data["part"],
                account=account_of(data["account"]),
                formerly=tuple(data["account"]["formerly"]),
                source=data["source"],
                complete_as_of=as_of
                and CompleteAsOf(run_of(as_of["run_id"]), parse_stamp_or_none(as_of["at"])),
                counts=Counts.from_json(data["counts"]),
                failures=tuple(Failure.from_json(each) for each in data["failures"]),
                more_failures=data["more_failures"],
                unavailable=tuple(unavailable_of(each) for each in data["unavailable"]),
                more_unavailable=data["more_unavailable"],
                pending=tuple(pending_of(each) for each in data["pending"]),
                more_pending=data["more_pending"],
                check=check
                and Checked(
                    run_of(check["run_id"]),
                    digest(check["sha256"], 64),
                    parse_stamp(check["ended_at"]),
                    check["sound"],
                    check["open"],
                ),
                readme_sha256=data["readme_sha256"] and digest(data["readme_sha256"], 64),
                ignored_albums=tuple(data["ignored_albums"]),
                notes=tuple(data["notes"]),
                changes=changes_of(data),
                albums={k: AlbumState.from_json(v) for k, v in data["albums"].items()},
                sha256=sha256(body),
            )
        except Unreadable as error:
            raise damaged(key, error) from None

    @classmethod
    def of_this_form(cls, body: bytes, *, key: str) -> Self | None:
        """The report in ``body``, whose version is too new, if nothing else of it is."""
        with suppress(NotABackup, EarlierForm, *Unreadable):
            data = json.loads(body)
            report = cls.from_bytes(json_line({**data, "version": VERSION}), key=key)
            if data.keys() == json.loads(report.to_bytes()).keys():
                return report
        return None

    @property
    def key(self) -> str:
        """Where it lies."""
        return keys.report(self.run_id)


def worth_a_page(report: RunReport) -> bool:
    """Whether a run has anything to show: quiet nights would bury the others. The page: `page`.

    ================================================  ======
    the run                                           a page
    ================================================  ======
    changed something in the backup                   yes
    saw something change at SmugMug                   yes
    missed something: something failed, or waits      yes
    did not end complete, whatever the reason         yes
    was complete and changed nothing                  no
    ================================================  ======
    """
    return bool(
        report.counts.albums_changed
        or report.changes
        or report.failures
        or report.status != RunStatus.COMPLETE
    )


def changes_of(data: Mapping[str, Any]) -> News:
    """What changed, by a report or an outcome; nothing by one that was written before they told."""
    found = data.get("changes")
    return News() if found is None else News.from_json(found)


def links_of(data: Sequence[Mapping[str, Any]]) -> tuple[Link, ...]:
    """The reports that a report names as its predecessors."""
    return tuple(Link(run_of(each["run_id"]), digest(each["sha256"], 64)) for each in data)


def run_of(text: str) -> str:
    """``text``, if it is a run id. Raises ValueError."""
    if not keys.is_run_id(text):
        raise ValueError("no run id")
    return text


def named_run(run: str, key: str, place: Callable[[str], str]) -> str:
    """The run id that a report read from ``key`` says it has, if it lies there. Raises ValueError.

    What parses is not yet what was written: nothing states the SHA-256 of the newest report.
    """
    if place(run_of(run)) != keys.plain(key)[0]:
        raise ValueError("the report of another run")
    return run


def account_json(account: Account | None) -> dict[str, str | None]:
    """The account as it stands in files; nulls if a refused run never got to know it."""
    if account is None:
        return {"nickname": None, "access": None}
    return {"nickname": account.nickname, "access": account.access}


def account_of(data: Mapping[str, Any]) -> Account | None:
    """What `account_json` made. Raises KeyError, ValueError."""
    if data["nickname"] is None:
        return None
    if data["access"] not in ("owner", "public"):
        raise ValueError("no view of an account")
    return Account(data["nickname"], data["access"])


def future(run: str, now: datetime) -> bool:
    """Whether a run id was given by a clock more than 12 hours ahead of ``now``."""
    return keys.run_start(run) > now + FUTURE


def merged(one: AlbumState, other: AlbumState) -> AlbumState:
    """Of two reports' entries of an album, the one that counts: the greater generation, then the
    later ``tried_at``; ``one`` where both are the same."""

    def rank(state: AlbumState) -> tuple[int, bool, datetime | None]:
        return (state.generation, state.tried_at is not None, state.tried_at)

    if rank(one)[:2] != rank(other)[:2]:
        return one if rank(one)[:2] > rank(other)[:2] else other
    if one.tried_at is not None and other.tried_at is not None and other.tried_at > one.tried_at:
        return other
    return one
