"""What the owner has deleted for good: the files that tell it, and what has to be deleted.

An image's files of ``forgotten/`` are one and, where more has to be named later, numbered ones. A
records file that holds the image's line is to be replaced by one that holds all its other lines:
older generations name these, and readers seek them by image key and fingerprint.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from smugmug_backup.archive import keys, reading
from smugmug_backup.archive.encoding import json_line
from smugmug_backup.archive.inspection import forgotten_keys
from smugmug_backup.archive.many import Map
from smugmug_backup.archive.records import lines_in, parse_line
from smugmug_backup.clock import stamp
from smugmug_backup.errors import NotABackup, NotStored
from smugmug_backup.ports import BackupStore

FORMAT = "smugmug-backup/forgotten"
VERSION = 1


def tell(store: BackupStore, image_key: str, named: Iterable[str], *, at: datetime) -> str:
    """Write that the objects ``named`` of an image are deleted for good; the file's key."""
    body = json_line(
        {
            "format": FORMAT,
            "version": VERSION,
            "image_key": image_key,
            "forgotten_at": stamp(at),
            "keys": sorted(named),
        }
    )
    return reading.keep(store, keys.forgotten(image_key), body)


def told(store: BackupStore, image_key: str) -> frozenset[str] | None:
    """What is told to be deleted of an image; None if it was never forgotten.

    Raises NotABackup, FormatTooNew, StoreError.
    """
    name = keys.forgotten(image_key)
    found: set[str] = set()
    there = False
    for key in (name, *reading.numbered_names(store, name)):
        with suppress(NotStored):
            found.update(forgotten_keys(store.read(key), key=key))
            there = True
    return frozenset(found) if there else None


def originals_of(store: BackupStore, image_key: str) -> tuple[str, ...]:
    """All originals of an image, of every version, plain and numbered."""
    listed = (each.key for each in store.list(keys.image_originals(image_key)))
    return tuple(key for key in listed if keys.parse_original(keys.plain(key)[0]))


@dataclass(frozen=True, slots=True)
class Holding:
    """A records file that holds lines of ``images``; ``others``: its other lines, by image."""

    images: frozenset[str]
    others: Mapping[str, bytes]


def records_holding(
    store: BackupStore, album_key: str, images: Collection[str], map_: Map
) -> dict[str, Holding]:
    """The album's records files, plain and numbered, that hold a line of one of ``images``."""

    def one(key: str) -> tuple[str, Holding | None]:
        with suppress(NotStored):
            return key, holding(store.read(key), images, key=key)
        return key, None

    listed = [each.key for each in store.list(keys.album_records(album_key))]
    files = [key for key in listed if keys.parse_records(keys.plain(key)[0])]
    return {key: found for key, found in map_(one, files) if found is not None}


def holding(body: bytes, images: Collection[str], *, key: str) -> Holding | None:
    """What the records file ``body`` holds, if that is a line of one of ``images``.

    A damaged line counts as an image's if it says so. One that is no record any more cannot be
    what a manifest names, so it is not among the others. Raises FormatTooNew.
    """
    try:
        lines = [line for _, line in lines_in(body, key=key)]
    except NotABackup:
        lines = body.split(b"\n")
    held: set[str] = set()
    others: dict[str, bytes] = {}
    for line in lines:
        record = parse_line(line)
        if record is None:
            held.update(each for each in images if f'"image_key":"{each}"'.encode() in line)
        elif record["image_key"] in images:
            held.add(record["image_key"])
        elif keys.is_id(record["image_key"]):
            others[record["image_key"]] = line
    return Holding(frozenset(held), others) if held else None
