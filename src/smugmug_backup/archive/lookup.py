"""Image records, found by what a manifest's line says of them.

================================  ==============================================================
where a record is looked for      how
================================  ==============================================================
the range that the line names     few of one file by ranged reads, many by reading it whole
the file's numbered names         the same bytes, so the same range
the album's other records files   by image key and fingerprint, all that are sought in one pass
================================  ==============================================================

The fingerprint proves each. A line whose record is nowhere has none: it is lost.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from smugmug_backup.archive import keys, reading
from smugmug_backup.archive.encoding import fingerprint
from smugmug_backup.archive.manifest import Entry
from smugmug_backup.archive.many import Map
from smugmug_backup.archive.records import lines_in, parse_line
from smugmug_backup.errors import FormatTooNew, NotABackup, NotStored
from smugmug_backup.ports import BackupStore

_WHOLE_FILE = 8
"""From so many records of one file on, it is read whole instead of by ranges."""


def find_lines(
    store: BackupStore, album_key: str, entries: Sequence[Entry], map_: Map
) -> dict[str, bytes]:
    """The record lines of ``entries``, by image key; those that are lost are left out.

    Raises StoreError for what cannot be read.
    """
    found = _at_their_places(store, [(each.record, each) for each in entries], map_)
    lacking = [each for each in entries if each.image_key not in found]
    if lacking:
        found |= _at_their_places(store, _numbered(store, lacking), map_)
    lacking = [each for each in lacking if each.image_key not in found]
    if lacking:
        found |= _sought(store, album_key, lacking)
    return found


def _numbered(store: BackupStore, entries: Iterable[Entry]) -> list[tuple[str | None, Entry]]:
    """The other names of the files that the lines name."""
    others: dict[str, list[str]] = {}
    places: list[tuple[str | None, Entry]] = []
    for entry in entries:
        if entry.record is not None:
            plain, _ = keys.plain(entry.record)
            if plain not in others:
                others[plain] = [plain, *reading.numbered_names(store, plain)]
            places += [(name, entry) for name in others[plain] if name != entry.record]
    return places


def _at_their_places(
    store: BackupStore, places: Iterable[tuple[str | None, Entry]], map_: Map
) -> dict[str, bytes]:
    """The lines that lie in these files at the places that the entries name."""
    by_file: dict[str, list[Entry]] = {}
    for key, entry in places:
        if key is not None and entry.record_at is not None:
            by_file.setdefault(key, []).append(entry)
    asked: list[tuple[str, list[Entry]]] = []
    for key, entries in by_file.items():
        if len(entries) < _WHOLE_FILE:
            asked += [(key, [each]) for each in entries]
        else:
            asked.append((key, entries))

    def one(file: tuple[str, list[Entry]]) -> dict[str, bytes]:
        with suppress(NotStored):
            return _read(store, *file)
        return {}

    found: dict[str, bytes] = {}
    for part in map_(one, asked):
        found |= part
    return found


def _read(store: BackupStore, key: str, entries: Sequence[Entry]) -> dict[str, bytes]:
    lines: dict[str, bytes] = {}
    if len(entries) == 1:
        (entry,) = entries
        lines[entry.image_key] = store.read_part(key, *(entry.record_at or (0, 0)))
    else:
        body = store.read(key)
        for entry in entries:
            offset, length = entry.record_at or (0, 0)
            lines[entry.image_key] = body[offset : offset + length]
    return {
        entry.image_key: lines[entry.image_key]
        for entry in entries
        if fingerprint(lines[entry.image_key]) == entry.fingerprint
    }


def _sought(store: BackupStore, album_key: str, entries: Iterable[Entry]) -> dict[str, bytes]:
    wanted = {entry.fingerprint: entry.image_key for entry in entries}
    found: dict[str, bytes] = {}
    for each in store.list(keys.album_records(album_key)):
        if len(found) == len(wanted):
            break
        with suppress(NotStored, NotABackup, FormatTooNew):
            for _, line in lines_in(store.read(each.key), key=each.key):
                image_key = wanted.get(fingerprint(line))
                record = parse_line(line) if image_key is not None else None
                if image_key is not None and record and record["image_key"] == image_key:
                    found[image_key] = line
    return found
