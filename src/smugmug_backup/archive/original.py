"""The life of an original: what each event makes of the line that tells of an image's bytes.

Runs, mending, `repair` and `forget` all write such lines; what becomes of one is decided here.

======================  =====================  ======================  =============================
the line says           the same offer         a new offer             nothing is offered
======================  =====================  ======================  =============================
(no line yet)                                  pending, fetch          processing: pending;
                                                                       never, none: unavailable
stored                  kept                   pending, fetch;         kept
                                               ``previous``: the old
stored, md5_mismatch    fetch while it waits,  as stored               kept
                        and when listed whole
pending                 fetch                  a new wait, fetch       processing: the same wait;
                                                                       never, none: unavailable
unavailable             fetch when listed      a new wait, fetch       kept, with the present reason
                        whole or changed
damaged, pending        fetch                  times anew, fetch;      the same wait
                                               stays ``damaged``
damaged, unavailable    fetch when listed      the same                kept
                        whole or changed
forgotten               kept                   kept                    kept
======================  =====================  ======================  =============================

A new offer is one of another revision, or one that is ready after ``processing`` or
``no_original_url``. Nothing is offered: the source is still making it (``processing``), will never
have it (``never``), or names no file (``none``). What came of fetching:

======================  ============================================================================
right, or no MD5 says   stored; ``previous`` is given up
wrong MD5 twice         stored, ``md5_mismatch``, beside ``previous``; 14 days it counts as pending
larger than allowed     unavailable at once
refused (403, 404, 410) pending; unavailable after 14 days in which every attempt ended so
whole, but no picture   the same
broken transfer         pending for as long as it takes
======================  ============================================================================

``damaged`` stays the reason until other bytes are stored, whatever the attempts answer: 14 days
without the bytes, and nothing less, make it unavailable. What is stored or unavailable stays so
after a fetch in vain. The 14 days of a reason count from ``reason_since``. Every instant is the
source's; where its clock is not known, no time passes (`When`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Self

from smugmug_backup.archive import keys
from smugmug_backup.archive.encoding import digest
from smugmug_backup.clock import parse_stamp_or_none, stamp_or_none
from smugmug_backup.errors import BadBytes, PhotoRefused, PhotoTooLarge, SourceError
from smugmug_backup.model import Availability, Kind, Offer

PATIENCE = timedelta(days=14)
"""So long is a missing original waited for at every run."""


class Status(StrEnum):
    """Whether the bytes are there, waited for, or not to be had."""

    STORED = "stored"
    PENDING = "pending"
    UNAVAILABLE = "unavailable"


class Reason(StrEnum):
    """Why the right bytes are not there."""

    NOT_YET = "not_yet"
    PROCESSING = "processing"
    DOWNLOAD_FAILED = "download_failed"
    MD5_MISMATCH = "md5_mismatch"
    NO_ORIGINAL_URL = "no_original_url"
    REFUSED_BY_SOURCE = "refused_by_source"
    BAD_AT_SOURCE = "bad_at_source"
    TOO_LARGE = "too_large"
    DAMAGED = "damaged"
    FORGOTTEN = "forgotten"


_ENDS_IN_A_NAME = frozenset(
    (Reason.PROCESSING, Reason.REFUSED_BY_SOURCE, Reason.BAD_AT_SOURCE, Reason.DAMAGED)
)
"""After 14 days of one of these an image is unavailable; no other reason ever makes it so."""


class When(NamedTuple):
    """The instant of an event. ``decides``: it is by a clock by which time may be seen to pass."""

    at: datetime
    decides: bool = True

    def since(self, instant: datetime | None) -> timedelta:
        """How long ago ``instant`` was, as far as that is known."""
        if instant is None or not self.decides:
            return timedelta()
        return self.at - instant

    def begun(self, since: datetime | None) -> datetime:
        """When what goes on now began: ``since``, unless nobody knows, or a clock that was wrong
        wrote an instant that is still to come."""
        return self.at if since is None or self.since(since) < timedelta() else since


class StoredBytes(NamedTuple):
    """Bytes in the store: where they lie, their length, and their hashes (lower hex)."""

    key: str
    bytes: int
    sha256: str
    md5: str

    def as_json(self) -> dict[str, Any]:
        """The object as it stands under ``previous``."""
        return {"key": self.key, "bytes": self.bytes, "sha256": self.sha256, "md5": self.md5}


@dataclass(frozen=True, slots=True)
class Original:
    """What the store holds, or waits for, of one image's bytes. Fields: ``FORMAT.md``."""

    kind: Kind
    status: Status
    key: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None
    source_md5: str | None = None
    verified: bool = False
    reason: Reason | None = None
    reason_since: datetime | None = None
    pending_since: datetime | None = None
    previous: StoredBytes | None = None

    @property
    def stored(self) -> bool:
        """Bytes are there."""
        return self.status == Status.STORED

    @property
    def content(self) -> StoredBytes | None:
        """The bytes that are there."""
        if self.key is None or self.bytes is None or self.sha256 is None or self.md5 is None:
            return None
        return StoredBytes(self.key, self.bytes, self.sha256, self.md5)

    @property
    def best(self) -> StoredBytes | None:
        """The bytes that are there, else those that were there before."""
        return self.content or self.previous

    def waits(self, when: When) -> bool:
        """It counts as pending: not stored yet, or stored with a wrong MD5 not long ago."""
        if self.stored:
            waited = when.since(when.begun(self.reason_since))
            return self.reason == Reason.MD5_MISMATCH and waited < PATIENCE
        return self.status == Status.PENDING

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
            "reason_since": stamp_or_none(self.reason_since),
            "pending_since": stamp_or_none(self.pending_since),
            "previous": self.previous.as_json() if self.previous else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for what `as_json` did not make."""
        previous = data["previous"]
        return cls(
            kind=Kind(data["kind"]),
            status=Status(data["status"]),
            key=data["key"] and _key(data["key"]),
            bytes=data["bytes"],
            sha256=data["sha256"] and digest(data["sha256"], 64),
            md5=data["md5"] and digest(data["md5"], 32),
            source_md5=data["source_md5"] and digest(data["source_md5"], 32),
            verified=data["verified"],
            reason=None if data["reason"] is None else Reason(data["reason"]),
            reason_since=parse_stamp_or_none(data["reason_since"]),
            pending_since=parse_stamp_or_none(data["pending_since"]),
            previous=previous and _stored_bytes(previous),
        )


def _stored_bytes(data: Mapping[str, Any]) -> StoredBytes:
    sha256, md5 = digest(data["sha256"], 64), digest(data["md5"], 32)
    return StoredBytes(_key(data["key"]), data["bytes"], sha256, md5)


def _key(text: str) -> str:
    if keys.parse_original(keys.plain(text)[0]) is None:
        raise ValueError("no key of an original")
    return text


class Step(NamedTuple):
    """What the line says now, and whether to fetch the bytes.

    ``kept``: what it says again if the source, asked for this one, still states the MD5 of the
    bytes we hold (a video of API v2, of which a listing does not tell).
    """

    line: Original
    fetch: bool = False
    kept: Original | None = None


def offered(
    before: Original | None,
    offer: Offer,
    *,
    replaced: bool,
    changed: bool,
    same_source: bool,
    full: bool,
    when: When,
) -> Step:
    """What a listing makes of the line.

    ``replaced``: the source shows other bytes than the line stands for; ``changed``: the image's
    record is another; ``full``: the album was listed whole.
    """
    if before is not None and before.reason == Reason.FORGOTTEN:
        return Step(before)
    if before is None:
        return _asked(_new_wait(_blank(offer), when), offer, when)
    if before.stored and not replaced:
        return _stored_before(before, offer, changed, same_source, full, when)
    if before.stored:
        draft = replace(_blank(offer), previous=before.content)
        return _asked(_new_wait(draft, when), offer, when)
    line = replace(before, kind=_kind(before, offer), source_md5=offer.md5)
    if replaced:
        return _asked(_new_wait(line, when), offer, when)
    line = ready_again(line, offer, when)
    if line.status == Status.UNAVAILABLE and not (full or changed):
        return Step(line)
    return _asked(line, offer, when)


def _stored_before(
    before: Original,
    offer: Offer,
    changed: bool,
    same_source: bool,
    full: bool,
    when: When,
) -> Step:
    fetchable = offer.kind != Kind.NONE and offer.availability in (
        Availability.READY,
        Availability.LOOKUP,
    )
    if before.reason == Reason.MD5_MISMATCH and fetchable and (before.waits(when) or full):
        return Step(before, fetch=True)
    if not changed or offer.kind == Kind.NONE:
        return Step(before)
    if offer.availability is Availability.LOOKUP and offer.kind == Kind.RENDITION:
        # API v2 tells of a video's bytes only when asked for each one.
        if not same_source:
            return Step(before)
        # Pending until it was asked: with the new fingerprint and the old bytes, a failed question
        # would never be put again.
        draft = _new_wait(replace(_blank(offer), previous=before.content), when)
        return Step(draft, fetch=True, kept=before)
    verified = before.verified if offer.md5 is None else before.md5 == offer.md5
    return Step(replace(before, source_md5=offer.md5, verified=verified))


def _kind(line: Original, offer: Offer) -> Kind:
    """What is wanted now; what is damaged is wanted again, though nothing is offered."""
    lost = line.reason == Reason.DAMAGED and offer.kind == Kind.NONE
    return _some_kind(line) if lost else Kind(offer.kind)


def _some_kind(line: Original) -> Kind:
    """The kind that was wanted last; ``none`` is for ``no_original_url`` alone."""
    return Kind.ORIGINAL if line.kind == Kind.NONE else line.kind


def _blank(offer: Offer) -> Original:
    return Original(kind=Kind(offer.kind), status=Status.PENDING, source_md5=offer.md5)


def _new_wait(line: Original, when: When) -> Original:
    reason = Reason.DAMAGED if line.reason == Reason.DAMAGED else Reason.NOT_YET
    return replace(
        line, status=Status.PENDING, reason=reason, reason_since=when.at, pending_since=when.at
    )


def ready_again(line: Original, offer: Offer, when: When) -> Original:
    """``line`` after it became known what is offered: ready after processing is a new wait."""
    ready = offer.kind != Kind.NONE and offer.availability is Availability.READY
    if ready and line.reason in (Reason.PROCESSING, Reason.NO_ORIGINAL_URL):
        return _new_wait(line, when)
    return line


def _asked(line: Original, offer: Offer, when: When) -> Step:
    without = without_bytes(line, offer, when)
    return Step(line, fetch=True) if without is None else Step(without)


def without_bytes(line: Original, offer: Offer, when: When) -> Original | None:
    """What the line says if ``offer`` has nothing to fetch now; None if it has."""
    if line.stored:
        lacks = offer.kind == Kind.NONE or offer.availability in (
            Availability.PROCESSING,
            Availability.NEVER,
        )
        return line if lacks else None
    line = replace(line, kind=_kind(line, offer), source_md5=offer.md5)
    if offer.kind == Kind.NONE:
        return _because(line, Reason.NO_ORIGINAL_URL, when, at_once=True)
    if offer.availability is Availability.NEVER:
        return _because(line, Reason.PROCESSING, when, at_once=True)
    if offer.availability is Availability.PROCESSING:
        return _because(line, Reason.PROCESSING, when)
    return None


def failed(line: Original, error: SourceError, when: When) -> Original:
    """What the line says after a download in vain."""
    if line.stored:
        return line
    if isinstance(error, PhotoTooLarge):
        return _because(line, Reason.TOO_LARGE, when, at_once=True)
    if isinstance(error, PhotoRefused):
        return _because(line, Reason.REFUSED_BY_SOURCE, when)
    if isinstance(error, BadBytes):
        return _because(line, Reason.BAD_AT_SOURCE, when)
    return _because(line, Reason.DOWNLOAD_FAILED, when)


def _because(line: Original, reason: Reason, when: When, *, at_once: bool = False) -> Original:
    """The line with ``reason``; unavailable at once, or when 14 days of one reason are over.

    What is unavailable stays so, whatever an attempt of the meantime answers; what is damaged stays
    damaged, and is never unavailable at once.
    """
    if line.reason == Reason.DAMAGED:
        reason, at_once = Reason.DAMAGED, False
    if line.status == Status.UNAVAILABLE and reason == Reason.DOWNLOAD_FAILED:
        return line
    since = when.begun(line.reason_since if line.reason == reason else None)
    over = at_once or (reason in _ENDS_IN_A_NAME and when.since(since) >= PATIENCE)
    unavailable = over or line.status == Status.UNAVAILABLE
    return replace(
        line,
        status=Status.UNAVAILABLE if unavailable else Status.PENDING,
        reason=reason,
        reason_since=since,
        pending_since=line.pending_since or when.at,
    )


def stored(line: Original, content: StoredBytes, offer: Offer, when: When) -> Original:
    """What the line says once ``content`` is in the store.

    Only bytes whose MD5 the source states of exactly them can be a mismatch.
    """
    agrees = content.md5 == offer.md5
    mismatch = offer.exact and offer.md5 is not None and not agrees
    since = when.begun(line.reason_since if line.reason == Reason.MD5_MISMATCH else None)
    return Original(
        kind=Kind(offer.kind),
        status=Status.STORED,
        key=content.key,
        bytes=content.bytes,
        sha256=content.sha256,
        md5=content.md5,
        source_md5=offer.md5,
        verified=agrees,
        reason=Reason.MD5_MISMATCH if mismatch else None,
        reason_since=since if mismatch else None,
        pending_since=(line.pending_since or when.at) if mismatch else None,
        previous=line.previous if mismatch else None,
    )


def found_damaged(line: Original, when: When) -> Original:
    """What the line says once its bytes are found damaged or lost."""
    return Original(
        kind=_some_kind(line),
        status=Status.PENDING,
        source_md5=line.source_md5,
        reason=Reason.DAMAGED,
        reason_since=when.at,
        pending_since=when.at,
        previous=line.content or line.previous,
    )


def found_sound(line: Original, content: StoredBytes) -> Original:
    """What the line says once the bytes it names are found sound, perhaps under another name.

    What was stored stays as it was. What was damaged is stored again; but bytes that the MD5 of the
    source proves to be others than it offers now are those of an older offer, or a mismatch: the
    line waits for the right ones, beside them.
    """
    if line.stored:
        return replace(line, key=content.key)
    verified = content.md5 == line.source_md5
    if line.kind == Kind.ORIGINAL and line.source_md5 is not None and not verified:
        return replace(line, status=Status.PENDING, reason=Reason.NOT_YET, previous=content)
    return Original(
        kind=line.kind,
        status=Status.STORED,
        key=content.key,
        bytes=content.bytes,
        sha256=content.sha256,
        md5=content.md5,
        source_md5=line.source_md5,
        verified=verified,
    )


def lost_for_good(line: Original) -> Original:
    """A damaged original that the source has no more: unavailable, until a copy brings it."""
    return replace(line, status=Status.UNAVAILABLE)


def forgotten(line: Original, when: When) -> Original:
    """What the line says once the owner had the bytes deleted for good."""
    return Original(
        kind=_some_kind(line),
        status=Status.UNAVAILABLE,
        source_md5=line.source_md5,
        reason=Reason.FORGOTTEN,
        reason_since=when.at,
        pending_since=when.at,
    )
