"""The generations of albums: which there are, and which of them is the state.

=====================================  =========================================================
an album's newest generation           its state
=====================================  =========================================================
is sound                               that one
is damaged, or a report names it and   the newest sound one before it, and what is wrong;
it is not there (lost)                 none, if none is sound
cannot be read tonight, or is of a     not known: StoreError, FormatTooNew. The album fails
newer format (`newer`)                 alone and is left as it is
=====================================  =========================================================

*Damaged* is what was read whole and does not parse, does not count, is of another album or
generation, or does not have the SHA-256 that a report or the next generation states.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from typing import NamedTuple, TypeVar

from smugmug_backup.archive import keys, newer, reading
from smugmug_backup.archive.encoding import Unreadable
from smugmug_backup.archive.manifest import Entry, Header, Manifest, header_of
from smugmug_backup.archive.many import Map
from smugmug_backup.errors import (
    FormatTooNew,
    ListingIncomplete,
    NotABackup,
    NotStored,
    StoreError,
)
from smugmug_backup.model import StoredObject
from smugmug_backup.ports import BackupStore

_LONG = 10_000
"""From so many manifests on, key ranges are listed in parallel."""
_BOUNDS = "8GOVcks"
"""Splits what album keys are made of into eight ranges of about the same size."""

_T = TypeVar("_T")


class Listed(dict[str, _T]):
    """What a listing tells of each album that has a manifest, by album.

    ``unreadable``: albums whose manifests could not all be listed tonight, and why. What is said of
    these, or not said, proves nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unreadable: dict[str, StoreError] = {}


class Newest(NamedTuple):
    """An album's newest state: the sound manifest that tells it, and the greatest generation.

    ``damage`` says what is wrong with generations newer than ``manifest``; None if nothing is.
    """

    manifest: Manifest | None
    generation: int
    damage: str | None = None


def read_manifest(
    store: BackupStore,
    album_key: str,
    generation: int,
    sha256: str | None,
    lines: MutableMapping[bytes, Entry] | None = None,
) -> Manifest:
    """One generation of an album, read whole; ``lines`` as in `Manifest.from_bytes`.

    Raises NotABackup, FormatTooNew, StoreError.
    """
    return read_with_length(store, album_key, generation, sha256, lines)[0]


def read_with_length(
    store: BackupStore,
    album_key: str,
    generation: int,
    sha256: str | None,
    lines: MutableMapping[bytes, Entry] | None = None,
) -> tuple[Manifest, int]:
    """The same, and of how many bytes its file is."""
    key = keys.manifest(album_key, generation)
    try:
        body = reading.read_stated(store, key, sha256)
    except NotStored:
        raise NotABackup(f"{key} is not there") from None
    try:
        manifest = Manifest.from_bytes(body, key=key, lines=lines)
    except FormatTooNew as error:
        raise newer.judged(store, key, error) from None
    _belongs(manifest.header, album_key, generation, key)
    return manifest, len(body)


def whole_lines(store: BackupStore, album_key: str, generation: int) -> list[Entry]:
    """The lines of a damaged generation that can still be read; none if it is not there."""
    found = []
    with suppress(NotStored):
        for line in store.read(keys.manifest(album_key, generation)).split(b"\n")[1:]:
            with suppress(*Unreadable):
                found.append(Entry.from_json(json.loads(line)))
    return found


def read_header(store: BackupStore, album_key: str, generation: int) -> Header:
    """The header of one generation, without the lines after it. Raises as `read_manifest`."""
    key = keys.manifest(album_key, generation)
    begun = b""
    try:
        with store.open(key) as chunks:
            for chunk in chunks:
                begun += chunk
                if b"\n" in chunk:
                    break
    except NotStored:
        raise NotABackup(f"{key} is not there") from None
    try:
        header = header_of(begun, key=key)
    except FormatTooNew as error:
        raise newer.judged(store, key, error) from None
    _belongs(header, album_key, generation, key)
    return header


def _belongs(header: Header, album_key: str, generation: int, key: str) -> None:
    if header.album_key != album_key or header.generation != generation:
        raise NotABackup(f"{key} is the manifest of something else")


def all_generations(store: BackupStore, folder: str = keys.MANIFESTS) -> Listed[list[int]]:
    """The generations in ``folder``, by album, in order."""
    found: Listed[list[int]] = Listed()
    with _as_far_as_seen(found):
        for album_key, generation in _parsed(store.list(folder)):
            found.setdefault(album_key, []).append(generation)
    return found


def newest_generations(store: BackupStore, map_: Map) -> Listed[int]:
    """The newest generation of every album.

    One list request per 1,000 manifests; a long listing is made in key ranges, in parallel.
    """
    found: Listed[int] = Listed()
    seen = None
    with _as_far_as_seen(found):
        seen = _note(found, store.list(keys.MANIFESTS), most=_LONG)
    if seen is None:
        return found
    bounds = [bound for each in _BOUNDS if (bound := f"{keys.MANIFESTS}{each}") > seen]

    def one(ends: tuple[str, str | None]) -> Listed[int]:
        start, end = ends
        part: Listed[int] = Listed()
        with _as_far_as_seen(part):
            _note(part, store.list(keys.MANIFESTS, after=start, until=end))
        return part

    for part in map_(one, list(zip([seen, *bounds], [*bounds, None], strict=True))):
        for album_key, generation in part.items():
            found[album_key] = max(generation, found.get(album_key, 0))
        found.unreadable |= part.unreadable
    return found


@contextmanager
def _as_far_as_seen(found: Listed[_T]) -> Iterator[None]:
    """Notes the albums that a listing could not look into; raises if that is all of them."""
    try:
        yield
    except ListingIncomplete as error:
        if keys.MANIFESTS in error.keys:
            raise
        for key in error.keys:
            album_key = keys.album_of_manifests(key)
            if album_key is not None:
                found.unreadable[album_key] = error


def _parsed(listed: Iterable[StoredObject]) -> Iterator[tuple[str, int]]:
    return (parsed for each in listed if (parsed := keys.parse_manifest(each.key)) is not None)


def _note(found: dict[str, int], listed: Iterable[StoredObject], *, most: int = 0) -> str | None:
    """Take the greatest generations; the last key taken if ``listed`` is longer than ``most``
    (0: any length)."""
    last = None
    for count, each in enumerate(listed, 1):
        if most and count > most:
            return last
        last = each.key
        parsed = keys.parse_manifest(last)
        if parsed is not None:
            album_key, generation = parsed
            found[album_key] = max(generation, found.get(album_key, 0))
    return None


def newest_sound(
    store: BackupStore,
    album_key: str,
    generations: Iterable[int],
    stated: Mapping[int, str | None],
) -> Newest:
    """The newest sound one of an album's ``generations``; what is wrong with newer ones.

    ``stated``: the SHA-256 that is known of some of them.
    """
    ordered = sorted(generations, reverse=True)
    damage: str | None = None
    for number in ordered:
        try:
            manifest = read_manifest(store, album_key, number, stated.get(number))
            return Newest(manifest, ordered[0], damage)
        except NotABackup as error:
            damage = damage or str(error)
    return Newest(None, ordered[0] if ordered else 0, damage)


def newest_state(
    store: BackupStore, album_key: str, generation: int, stated: Mapping[int, str | None]
) -> Newest:
    """The album's newest state, if its greatest generation is ``generation``, or a later one that
    the listing of the album shows; 0: the listing alone tells. ``stated`` as in `newest_sound`."""
    if generation:
        with suppress(NotABackup):
            manifest = read_manifest(store, album_key, generation, stated.get(generation))
            return Newest(manifest, generation)
    listed = all_generations(store, keys.album_manifests(album_key))
    if album_key in listed.unreadable:
        raise listed.unreadable[album_key]
    known = {*listed.get(album_key, ()), generation} - {0}
    return newest_sound(store, album_key, known, stated)


def stated_by_next(store: BackupStore, album_key: str, generation: int, after: int) -> str | None:
    """The SHA-256 that generation ``after`` states of ``generation``; None if it does not, or
    cannot be read."""
    with suppress(NotABackup, StoreError, FormatTooNew):
        previous = read_header(store, album_key, after).previous
        if previous is not None and previous.generation == generation:
            return previous.sha256
    return None
