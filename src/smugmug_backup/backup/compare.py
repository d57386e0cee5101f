"""Say how a listing differs from what a manifest knows; touch nothing."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from smugmug_backup.archive import keys, records
from smugmug_backup.archive.manifest import Entry, Original
from smugmug_backup.backup.listing import is_credible
from smugmug_backup.backup.originals import Wanted, without_bytes
from smugmug_backup.model import Album, Availability, Image, Listing, Offer

SECOND_LOOK = timedelta(hours=20)
"""An image or album is recorded as deleted when it was missing so long ago and still is."""

ReadRecord = Callable[[str], Mapping[str, Any] | None]
"""Reads an image record of the store by its key; None if it is lost."""


@dataclass(slots=True)
class Changes:
    """What a listing means for the manifest.

    ``entries``: every line of the next generation, originals that are still to be fetched as
    pending. ``wanted``: what to fetch, by image key. ``records``: files to write, by key.
    ``absences``: lines that a believed full listing turns into missing or deleted ones; they count
    only once all else is committed. ``positions``: of a believed full listing, by image key, to be
    taken over at the commit; ``reordered``: they tell another order than the manifest's.
    """

    entries: dict[str, Entry]
    wanted: dict[str, Wanted] = field(default_factory=dict)
    records: dict[str, bytes] = field(default_factory=dict)
    absences: dict[str, Entry] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    reordered: bool = False
    unreachable: dict[str, tuple[str, ...]] = field(default_factory=dict)
    new: int = 0
    changed: int = 0
    missing: int = 0
    deleted: int = 0
    cursor_misses: int = 0
    late_arrivals: int = 0


def compare(
    *,
    album: Album,
    listing: Listing,
    known: Mapping[str, Entry],
    believed: bool,
    cursor: int,
    source: str,
    now: datetime,
    read_record: ReadRecord,
) -> Changes:
    """Say how ``listing`` differs from the lines ``known``; nothing is written.

    ``believed``: a full listing that shows all there is, so that what it does not show has
    vanished. Old records are read only for images that changed.
    """
    changes = Changes(entries=dict(known))
    for image in listing.images:
        _take(
            changes, album, image, known.get(image.key), listing, cursor, source, now, read_record
        )
    if believed:
        dated = is_credible(listing.answered_at, now=now)
        _note_absences(changes, {image.key for image in listing.images}, known, now, dated=dated)
        _note_order(changes, listing.images, known)
    return changes


def _take(
    changes: Changes,
    album: Album,
    image: Image,
    before: Entry | None,
    listing: Listing,
    cursor: int,
    source: str,
    now: datetime,
    read_record: ReadRecord,
) -> None:
    if image.components:
        changes.unreachable[image.key] = image.components
    body = records.image_record(album.key, image, source)
    fingerprint = records.fingerprint(body)
    if before is not None and before.fingerprint == fingerprint:
        changed = replaced = False
        record = before.record
    else:
        record = keys.image_record(album.key, image.key, fingerprint)
        changes.records[record] = body
        changed, replaced = before is not None, False
    same_source = True
    if before is None:
        changes.new += 1
        if listing.full and cursor and _before(image.last_updated, cursor):
            changes.late_arrivals += 1
    elif changed:
        old = read_record(before.record)
        new = json.loads(body)
        same_source = old is None or old["source"] == source
        replaced = is_replaced(before.original, image.offer, old, new)
        if (
            listing.full
            and before.live
            and cursor
            and old is not None
            and same_source
            and _before(image.last_updated, cursor)
            and _shared_fields_differ(old, new)
        ):
            changes.cursor_misses += 1
    if changed or (before is not None and not before.live):
        changes.changed += 1
    draft, wanted = plan_original(
        image,
        before.original if before else None,
        replaced=replaced,
        changed=changed,
        same_source=same_source,
        full=listing.full,
        now=now,
    )
    if wanted is not None:
        changes.wanted[image.key] = wanted
    changes.entries[image.key] = Entry(
        image_key=image.key,
        image_id=image.id if image.id is not None else before.image_id if before else None,
        file_name=image.file_name,
        record=record,
        fingerprint=fingerprint,
        last_updated=image.last_updated,
        position=before.position if before else None,
        original=draft,
    )


def plan_original(
    image: Image,
    before: Original | None,
    *,
    replaced: bool,
    changed: bool,
    same_source: bool,
    full: bool,
    now: datetime,
) -> tuple[Original, Wanted | None]:
    """(what the line says of the original until it is fetched, what to fetch if anything)."""
    offer = image.offer
    if before is not None and before.stored and not replaced:
        return _keep_stored(
            image, before, changed=changed, same_source=same_source, full=full, now=now
        )
    if before is None or before.stored:
        draft = Original(
            kind=offer.kind,
            status="pending",
            source_md5=offer.md5,
            reason="not_yet",
            pending_since=now,
            previous=before.key if before else None,
        )
    else:
        # Pending or unavailable: its reason and since when are kept until it is tried.
        draft = replace(before, kind=offer.kind, source_md5=offer.md5)
        if draft.reason == "no_original_url" and offer.kind != "none":
            draft = replace(draft, status="pending", reason="not_yet", pending_since=now)
        if replaced:
            draft = replace(draft, status="pending", reason="not_yet")
        elif draft.status == "unavailable" and not (full or changed):
            return draft, None
    unfetchable = without_bytes(offer, draft, now=now)
    if unfetchable is not None:
        return unfetchable, None
    return draft, _wanted(image, draft)


def _keep_stored(
    image: Image,
    before: Original,
    *,
    changed: bool,
    same_source: bool,
    full: bool,
    now: datetime,
) -> tuple[Original, Wanted | None]:
    offer = image.offer
    fetchable = without_bytes(offer, before, now=now) is None
    if before.reason == "md5_mismatch" and fetchable and (before.waits(now) or full):
        return before, _wanted(image, before)
    if not changed:
        return before, None
    if offer.availability is Availability.LOOKUP and offer.kind == "rendition":
        # API v2 tells of a video's bytes only when asked for each one.
        if not same_source:
            return before, None
        # Pending until it was asked: with the new fingerprint and the old bytes, a failed question
        # would never be put again.
        draft = Original(
            kind=offer.kind,
            status="pending",
            source_md5=offer.md5,
            reason="not_yet",
            pending_since=now,
            previous=before.key,
        )
        return draft, _wanted(image, draft, kept=before)
    if offer.kind == "none":
        return before, None
    verified = before.verified if offer.md5 is None else before.md5 == offer.md5
    return replace(before, source_md5=offer.md5, verified=verified), None


def _wanted(image: Image, draft: Original, *, kept: Original | None = None) -> Wanted:
    if image.offer.availability is not Availability.LOOKUP:
        # An album of 5,000 waits here; only a look-up needs more than the offer.
        image = replace(image, data={}, urls=())
    return Wanted(image, draft, kept)


def is_replaced(
    before: Original, offer: Offer, old: Mapping[str, Any] | None, new: Mapping[str, Any]
) -> bool:
    """Whether the source shows other bytes than those that ``before`` stands for.

    ``old`` and ``new`` are the image's records; without the old one, what no MD5 proves to be the
    same counts as replaced. A change of API alone never counts: what the two
    APIs say of a video's MD5 and size are facts of different files.
    """
    same_source = old is None or old["source"] == new["source"]
    rendition = "rendition" in (before.kind, offer.kind)
    if before.source_md5 is not None and offer.md5 is not None and (same_source or not rendition):
        if before.source_md5 != offer.md5:
            return True
        if not rendition:
            return False
    elif not rendition and before.md5 is not None and offer.md5 is not None:
        # The source had given no MD5 so far; now it can be compared with the bytes themselves.
        return before.md5 != offer.md5
    if old is None:
        return True
    then, now = records.traits(old), records.traits(new)
    if not same_source:
        return None not in (then.serial, now.serial) and then.serial != now.serial
    return then != now


def _note_absences(
    changes: Changes, seen: set[str], known: Mapping[str, Entry], now: datetime, *, dated: bool
) -> None:
    """``dated``: the source's clock agrees with ours, so that 20 hours by ours are 20 hours."""
    for key, entry in known.items():
        if key in seen or entry.deleted_at is not None:
            continue
        if entry.missing_since is None:
            changes.absences[key] = replace(entry, missing_since=now)
            changes.missing += 1
        elif dated and now - entry.missing_since >= SECOND_LOOK:
            changes.absences[key] = replace(entry, deleted_at=now)
            changes.deleted += 1


def _note_order(changes: Changes, images: Sequence[Image], known: Mapping[str, Entry]) -> None:
    shown = {image.key: image.position or index for index, image in enumerate(images, 1)}
    before = {key: known[key].position for key in shown if key in known}
    changes.positions = shown
    # Numbers that moved up because another image left are no change of the order.
    changes.reordered = (
        sorted(shown, key=lambda key: (shown[key], key))
        != sorted(shown, key=lambda key: (before.get(key) or 0, key))
        or None in before.values()
    )


def next_entries(changes: Changes) -> dict[str, Entry]:
    """The lines once everything was fetched: with what vanished, without new positions."""
    return {**changes.entries, **changes.absences}


def missing_images(entries: Mapping[str, Entry]) -> bool:
    """Whether some image is missing and not yet recorded as deleted."""
    return any(e.missing_since is not None and e.deleted_at is None for e in entries.values())


def _before(last_updated: str | None, cursor: int) -> bool:
    """Whether the source's own date lies before the cursor, read as if it were UTC.

    API 1.3.0 writes ``YYYY-MM-DD HH:MM:SS`` in a zone that no page states, API v2 ISO 8601 with
    an offset. An unreadable date is never before.
    """
    try:
        instant = datetime.fromisoformat(last_updated or "")
    except ValueError:
        return False
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return instant.timestamp() < cursor


def _shared_fields_differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    then, now = old["image"], new["image"]
    return any(then[name] != now[name] for name in then if name in now)
