"""The store as it was, and what changed between two such states."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smugmug_backup.archive import keys
from smugmug_backup.archive.manifest import Entry, Header, Manifest, header_of
from smugmug_backup.archive.state import load_manifest, load_report
from smugmug_backup.errors import NotABackup, NotStored
from smugmug_backup.ports import BackupStore

Generations = Mapping[str, int]
"""Album key to generation; an album that was not known yet is not in it."""


def all_generations(store: BackupStore) -> dict[str, list[int]]:
    """All generations of every album, in order."""
    found: dict[str, list[int]] = {}
    for each in store.list(keys.MANIFESTS):
        parsed = keys.parse_manifest(each.key)
        if parsed is not None:
            found.setdefault(parsed[0], []).append(parsed[1])
    return found


def generations_at(
    store: BackupStore, found: Mapping[str, list[int]], executor: Executor, instant: datetime
) -> Generations:
    """What was the newest generation of each album at ``instant``, by when it was written."""
    return _last_where(store, found, executor, lambda header: header.written_at <= instant)


def generations_after_run(
    store: BackupStore, found: Mapping[str, list[int]], executor: Executor, run: str
) -> Generations:
    """What was the newest generation of each album when ``run`` ended, by its report.

    A run that left no report (it was killed) is judged by the run ids in the manifests.
    """
    try:
        report = load_report(store, run)
    except (NotStored, NotABackup):
        return _last_where(store, found, executor, lambda header: header.run_id <= run)
    states = report.albums.items()
    return {key: state.generation for key, state in states if state.generation}


def _last_where(
    store: BackupStore,
    found: Mapping[str, list[int]],
    executor: Executor,
    holds: Callable[[Header], bool],
) -> Generations:
    def one(album_key: str) -> tuple[str, int]:
        generations = found[album_key]
        # Mostly it is the newest or there are few; so few headers are read of a long history.
        if holds(_header(store, album_key, generations[-1])):
            return album_key, generations[-1]
        index = bisect_right(
            generations, False, key=lambda n: not holds(_header(store, album_key, n))
        )
        return album_key, generations[index - 1] if index else 0

    return {key: number for key, number in executor.map(one, found) if number}


def _header(store: BackupStore, album_key: str, generation: int) -> Header:
    """The header alone, without the lines after it."""
    key = keys.manifest(album_key, generation)
    head = b""
    with store.open(key) as chunks:
        for chunk in chunks:
            head += chunk
            if b"\n" in chunk:
                break
    return header_of(head, key=key)


@dataclass(frozen=True, slots=True)
class ImageChange:
    """One image of one album. ``what``: new, changed, replaced, moved, gone, missing or back.

    ``fields``: the API's names of what differs (changed). ``moved_to``: the album's key.
    """

    what: str
    image_key: str
    file_name: str | None
    fields: tuple[str, ...] = ()
    moved_to: str | None = None


@dataclass(slots=True)
class AlbumChange:
    """One album. ``what``: new, changed, gone or back; ``fields`` as in `ImageChange`."""

    what: str
    album_key: str
    title: str
    path: tuple[str, ...]
    fields: tuple[str, ...] = ()
    images: list[ImageChange] = field(default_factory=list)


def differences(
    store: BackupStore, executor: Executor, before: Generations, after: Generations
) -> list[AlbumChange]:
    """What changed from ``before`` to ``after``, album by album; same generation, nothing."""
    touched = [key for key in after if before.get(key, 0) != after[key]]

    def one(key: str) -> AlbumChange:
        old = load_manifest(store, key, before[key]) if before.get(key) else None
        return _album(store, old, load_manifest(store, key, after[key]))

    changes = list(executor.map(one, touched))
    _mark_moves(changes)
    return [each for each in changes if each.what != "changed" or each.fields or each.images]


def _album(store: BackupStore, old: Manifest | None, new: Manifest) -> AlbumChange:
    header = new.header
    gone = header.deleted_at is not None
    if old is None:
        what = "gone" if gone else "new"
    elif gone != (old.header.deleted_at is not None):
        what = "gone" if gone else "back"
    else:
        what = "changed"
    change = AlbumChange(what, header.album_key, header.title, header.path)
    if old is not None and old.header.record != header.record:
        change.fields = _fields(store, "album", old.header.record, header.record)
    if old is not None and old.header.path != header.path:
        change.fields = tuple(sorted({*change.fields, "path"}))
    known = old.entries if old is not None else {}
    for key, entry in new.entries.items():
        image = _image(store, known.get(key), entry)
        if image is not None:
            change.images.append(image)
    return change


def _image(store: BackupStore, old: Entry | None, new: Entry) -> ImageChange | None:
    def change(what: str, *names: str) -> ImageChange:
        return ImageChange(what, new.image_key, new.file_name, names)

    if old is None:
        return change("new" if new.live else "gone")
    if old.live and not new.live:
        return change("gone" if new.deleted_at else "missing")
    if not old.live:
        if new.live:
            return change("back")
        return change("gone") if new.deleted_at and not old.deleted_at else None
    names: tuple[str, ...] = ()
    if old.record != new.record:
        names = _fields(store, "image", old.record, new.record)
    if _bytes(old) != _bytes(new) and _bytes(old) is not None:
        return change("replaced", *names)
    if old.original.status != new.original.status:
        names = (*names, f"original {new.original.status}")
    return change("changed", *names) if names else None


def _bytes(entry: Entry) -> str | None:
    """What identifies the bytes that the line stands for."""
    return entry.original.key or entry.original.previous


def _fields(store: BackupStore, part: str, old: str, new: str) -> tuple[str, ...]:
    """The names whose values differ; LastUpdated always does and says nothing."""
    before, after = _record(store, old, part), _record(store, new, part)
    names = before.keys() | after.keys()
    differ = (n for n in names if before.get(n) != after.get(n) or (n in before) != (n in after))
    return tuple(sorted(set(differ) - {"LastUpdated"}))


def _record(store: BackupStore, key: str, part: str) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(store.read(key))[part]
    except (NotStored, KeyError, TypeError, ValueError):
        raise NotABackup(f"the record {key} is missing or damaged") from None
    return record


def _mark_moves(changes: list[AlbumChange]) -> None:
    """An image that left one album and is new in another has moved."""
    arrived = {image.image_key: album.album_key for album, image in _images(changes, "new")}
    left = {image.image_key for _, image in _images(changes, "gone", "missing")}
    moved = arrived.keys() & left
    for album in changes:
        album.images = [
            ImageChange("moved", each.image_key, each.file_name, (), arrived[each.image_key])
            if each.image_key in moved and each.what in ("gone", "missing")
            else each
            for each in album.images
            if not (each.image_key in moved and each.what == "new")
        ]


def _images(changes: list[AlbumChange], *kinds: str) -> Iterator[tuple[AlbumChange, ImageChange]]:
    for album in changes:
        for image in album.images:
            if image.what in kinds:
                yield album, image
