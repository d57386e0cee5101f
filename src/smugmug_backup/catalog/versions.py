"""The history of one album as rows: each state of the album, and of each of its images.

A version of an image begins with the generation in which its line is another than before, and ends
where the next begins. Generations that cannot be read are passed over and named: what they said is
not known, and what a later one says holds from that one on.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.details import Details
from smugmug_backup.archive.history import image_change
from smugmug_backup.archive.manifest import Entry, Header, Manifest
from smugmug_backup.errors import BackupError


@dataclass(frozen=True, slots=True)
class Known:
    """The last generation of an album that a catalog has."""

    generation: int
    sha256: str
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class ImageVersion:
    """One state of an image, from ``generation`` on; ``details`` is None if its record is lost.

    ``what`` brought it about: new, changed, replaced, missing, gone, back or forgotten, as in
    `history.ImageChange`; ``original`` if only what is stored of it is another, and ``listed`` for
    all else (another position).
    """

    generation: int
    what: str
    entry: Entry
    details: Details | None


@dataclass(slots=True)
class AlbumHistory:
    """What a catalog lacks of an album. ``anew``: it has to forget what it had.

    ``headers``: one a generation, with the SHA-256 of its file and when it began to be the state.
    ``problems``: generations that cannot be read, and why.
    """

    album_key: str
    anew: bool
    headers: list[tuple[Header, str, datetime]] = field(default_factory=list)
    versions: list[ImageVersion] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


def read_history(
    archive: Archive,
    album_key: str,
    generations: Sequence[int],
    *,
    known: Known | None = None,
    stated: Mapping[int, str] | None = None,
) -> AlbumHistory:
    """Read the ``generations`` (ascending) that come after ``known``, or all of them where that
    one is no more what it was. ``stated``: the SHA-256 that a report says of some. Raises
    StoreError only where a record cannot be read tonight."""
    stated = dict(stated or {})
    if known is not None:
        found = _continued(archive, album_key, generations, known, stated)
        if found is not None:
            return found
    history = AlbumHistory(album_key, anew=True)
    _take(archive, history, generations, None, {}, stated)
    return history


def _continued(
    archive: Archive,
    album_key: str,
    generations: Sequence[int],
    known: Known,
    stated: Mapping[int, str],
) -> AlbumHistory | None:
    """None if the catalog's part of the album has to be made anew."""
    if stated.get(known.generation, known.sha256) != known.sha256:
        return None
    lines: dict[bytes, Entry] = {}
    history = AlbumHistory(album_key, anew=False)
    try:
        before = archive.manifest(album_key, known.generation, known.sha256, lines=lines)
    except BackupError:
        return None
    newer = [each for each in generations if each > known.generation]
    _take(archive, history, newer, before, lines, stated)
    previous = history.headers[0][0].previous if history.headers else None
    if previous and previous.generation == known.generation and previous.sha256 != known.sha256:
        return None
    # A clock that was ahead when the known one was written: its time counts as the later one's.
    if history.headers and history.headers[0][2] < known.valid_from:
        return None
    return history


def _take(
    archive: Archive,
    history: AlbumHistory,
    generations: Iterable[int],
    before: Manifest | None,
    lines: MutableMapping[bytes, Entry],
    stated: Mapping[int, str],
) -> None:
    manifests = _proved(archive, history, generations, lines, stated)
    entries: Mapping[str, Entry] = before.entries if before else {}
    for manifest in manifests:
        history.headers.append((manifest.header, manifest.named.sha256, manifest.header.written_at))
        _compare(archive, history, entries, manifest)
        entries = manifest.entries
    _order(history)


def _proved(
    archive: Archive,
    history: AlbumHistory,
    generations: Iterable[int],
    lines: MutableMapping[bytes, Entry],
    stated: Mapping[int, str],
) -> Iterator[Manifest]:
    """The generations that can be read, and that their successors and the reports vouch for."""
    last: Manifest | None = None
    for number in generations:
        try:
            manifest = archive.manifest(history.album_key, number, stated.get(number), lines=lines)
        except BackupError as error:
            history.problems.append((number, str(error)))
            continue
        if last is not None:
            yield from _vouched(archive, history, last, manifest.header)
        last = manifest
    if last is not None:
        yield last


def _vouched(
    archive: Archive, history: AlbumHistory, manifest: Manifest, after: Header
) -> Iterator[Manifest]:
    number = manifest.header.generation
    said = after.previous
    if said is None or said.generation != number or said.sha256 == manifest.sha256:
        yield manifest
        return
    try:
        yield archive.manifest(history.album_key, number, said.sha256)
    except BackupError as error:
        history.problems.append((number, str(error)))


def _order(history: AlbumHistory) -> None:
    """The order of generations is the history: a time above a later one's counts as that one's."""
    earliest: datetime | None = None
    for index in range(len(history.headers) - 1, -1, -1):
        header, sha256, at = history.headers[index]
        earliest = at if earliest is None else min(earliest, at)
        history.headers[index] = (header, sha256, earliest)


def _compare(
    archive: Archive, history: AlbumHistory, before: Mapping[str, Entry], manifest: Manifest
) -> None:
    differ = [
        entry
        for key, entry in manifest.entries.items()
        if before.get(key) is not entry and before.get(key) != entry
    ]
    recorded = [entry for entry in differ if entry.record is not None]
    records = archive.records(history.album_key, recorded, map)
    for entry in differ:
        record = records.get(entry.image_key)
        details = Details.of(record) if record is not None else None
        what = _what(before.get(entry.image_key), entry)
        history.versions.append(ImageVersion(manifest.header.generation, what, entry, details))


def _what(old: Entry | None, new: Entry) -> str:
    recorded = old is not None and old.fingerprint != new.fingerprint
    change = image_change(old, new, ("record",) if recorded else ())
    if change is None:
        return "listed"
    return "original" if change.what == "changed" and not recorded else change.what
