"""Say how a listing differs from what a manifest knows; touch nothing."""

import json
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from smugmug_backup.archive import original, records
from smugmug_backup.archive.changes import News, What, what_changed
from smugmug_backup.archive.encoding import fingerprint
from smugmug_backup.archive.manifest import Entry
from smugmug_backup.archive.original import Original, Reason, Step, When
from smugmug_backup.archive.replaced import Record, is_replaced
from smugmug_backup.backup.belief import SECOND_LOOK
from smugmug_backup.backup.forgotten import forgotten_line
from smugmug_backup.model import Availability, Image

ReadRecords = Callable[[Sequence[Entry]], Mapping[str, Record]]
"""Reads the records of lines, by image key; those that are lost are left out."""


class Wanted(NamedTuple):
    """An original that is needed: for which image, and what its line says until it is there.

    ``kept`` is what the line says again if the source's MD5 is still that of the bytes we hold,
    where only a look at the source can tell whether they changed (a video of API v2).
    """

    image: Image
    draft: Original
    kept: Original | None = None


@dataclass(slots=True)
class Changes:
    """What a listing means for the manifest.

    ``entries``: every line of the next generation, originals that are still to be fetched as
    pending. ``wanted``: what to fetch, by image key. ``records``: record lines to write, by image
    key. ``absences``: lines that a believed full listing turns into missing or deleted ones; they
    count only once all else is committed. ``positions``: of a believed full listing that has a
    date, by image key, to be taken over at the commit; ``reordered``: they tell another order than
    the manifest's. ``contradicted``: images that the listing shows twice, in different states.
    ``fields``: how many images differ in each field. ``news``: what to tell the owner of this, and
    ``lost``: of the absences.
    """

    entries: dict[str, Entry]
    wanted: dict[str, Wanted] = field(default_factory=dict)
    records: dict[str, bytes] = field(default_factory=dict)
    absences: dict[str, Entry] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    reordered: bool = False
    unreachable: dict[str, tuple[str, ...]] = field(default_factory=dict)
    contradicted: tuple[str, ...] = ()
    fields: Counter[str] = field(default_factory=Counter)
    listed: int = 0
    new: int = 0
    changed: int = 0
    missing: int = 0
    deleted: int = 0
    cursor_misses: int = 0
    late_arrivals: int = 0
    news: News = field(default_factory=News)
    lost: News = field(default_factory=News)


class Comparison(NamedTuple):
    """What a listing is compared with, and under which circumstances.

    ``believed``: a full listing that shows all there is, so that what it does not show has
    vanished. ``dated``: the answer's date, None if nothing may vanish by it; ``when``: the instant
    that is recorded. ``forgotten``: images that the owner had deleted for good; asked only of those
    that are new, or would be fetched.
    """

    known: Mapping[str, Entry]
    full: bool
    believed: bool
    cursor: int
    source: str
    when: When
    dated: datetime | None
    forgotten: Container[str] = ()
    album_key: str = ""


def once_each(images: Sequence[Image], source: str) -> tuple[list[Image], tuple[str, ...]]:
    """(each image once, by its first entry; those whose entries differ)."""
    found: dict[str, Image] = {}
    contradicted: dict[str, None] = {}
    for image in images:
        first = found.setdefault(image.key, image)
        if first is not image and (
            records.record_line(first, source) != records.record_line(image, source)
        ):
            contradicted[image.key] = None
    return list(found.values()), tuple(contradicted)


def compare(
    images: Sequence[Image], comparison: Comparison, *, read_records: ReadRecords
) -> Changes:
    """Say how ``images`` (each once) differ from the lines known; nothing is written.

    Old records are read, many at a time, only for images that changed.
    """
    known, source = comparison.known, comparison.source
    changes = Changes(entries=dict(known), listed=len(images))
    lines = {image.key: records.record_line(image, source) for image in images}
    marks = {key: fingerprint(line) for key, line in lines.items()}
    changed = [
        known[image.key]
        for image in images
        if image.key in known and known[image.key].fingerprint != marks[image.key]
    ]
    old = read_records(changed) if changed else {}
    for image in images:
        line = lines.pop(image.key)
        _take(changes, comparison, image, line, marks[image.key], old.get(image.key))
    if comparison.believed:
        _note_absences(changes, {image.key for image in images}, comparison)
        if comparison.dated is not None:
            _note_order(changes, images, known)
    return changes


def _take(
    changes: Changes,
    comparison: Comparison,
    image: Image,
    line: bytes,
    mark: str,
    old: Record | None,
) -> None:
    before = comparison.known.get(image.key)
    if before is not None and before.original.reason == Reason.FORGOTTEN:
        # The owner wanted it gone: neither its bytes nor what SmugMug says of it come back.
        changes.entries[image.key] = replace(before, missing_since=None, deleted_at=None)
        return
    full, cursor = comparison.full, comparison.cursor
    if image.components:
        changes.unreachable[image.key] = image.components
    changed = before is not None and before.fingerprint != mark
    # A record that is lost is written anew, though it is the same.
    anew = before is None or changed or before.record is None
    if anew:
        changes.records[image.key] = line
    replaced, same_source = False, True
    if before is None:
        changes.new += 1
        if full and cursor and _before(image.last_updated, cursor):
            changes.late_arrivals += 1
    elif changed:
        new = json.loads(line)
        same_source = old is None or old["source"] == comparison.source
        replaced = is_replaced(before.original, image.offer, old, new)
        differing = _shared_fields(old, new) if old is not None and same_source else ()
        changes.fields.update(differing)
        if full and before.live and cursor and differing and _before(image.last_updated, cursor):
            changes.cursor_misses += 1
    if changed or (before is not None and not before.live):
        changes.changed += 1
    what: tuple[What, ...] = ()
    if before is None:
        what = (What.NEW,)
    elif not before.live:
        what = (What.BACK,)
    elif changed:
        what = what_changed(old, json.loads(line), replaced=replaced)
    if what:
        changes.news.note(comparison.album_key, image.key, image.file_name, what)
    step = original.offered(
        before.original if before else None,
        image.offer,
        replaced=replaced,
        changed=changed,
        same_source=same_source,
        full=full,
        when=comparison.when,
    )
    entry = Entry(
        image_key=image.key,
        image_id=image.id if image.id is not None else before.image_id if before else None,
        file_name=image.file_name,
        record=None if anew or before is None else before.record,
        record_at=None if anew or before is None else before.record_at,
        fingerprint=mark,
        last_updated=image.last_updated,
        position=before.position if before else None,
        original=step.line,
    )
    if (before is None or step.fetch) and image.key in comparison.forgotten:
        changes.records.pop(image.key, None)
        entry = forgotten_line(entry, comparison.when)
    elif step.fetch:
        changes.wanted[image.key] = _wanted(image, step)
    changes.entries[image.key] = entry


def _wanted(image: Image, step: Step) -> Wanted:
    if image.offer.availability is not Availability.LOOKUP:
        # An album of 5,000 waits here; only a look-up needs more than the offer.
        image = image._replace(data={}, urls=())
    return Wanted(image, step.line, step.kept)


def _note_absences(changes: Changes, seen: set[str], comparison: Comparison) -> None:
    now = comparison.dated
    if now is None:
        return
    for key, entry in comparison.known.items():
        if key in seen or entry.deleted_at is not None:
            continue
        since = entry.missing_since
        if since is None or since > now:
            # One that lies in the future was written by a clock that was wrong.
            changes.absences[key] = replace(entry, missing_since=now)
            changes.missing += since is None
            if since is None:
                changes.lost.note(comparison.album_key, key, entry.file_name, (What.MISSING,))
        elif now - since >= SECOND_LOOK:
            changes.absences[key] = replace(entry, deleted_at=now)
            changes.deleted += 1
            changes.lost.note(comparison.album_key, key, entry.file_name, (What.LEFT,))


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


def _shared_fields(old: Record, new: Record) -> tuple[str, ...]:
    then, now = old["image"], new["image"]
    return tuple(name for name in then if name in now and then[name] != now[name])
