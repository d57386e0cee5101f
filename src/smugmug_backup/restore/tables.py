"""``albums.csv``, ``photos.csv`` and ``set-by-hand.csv``: what has no place in another program.

RFC 4180, UTF-8 with a byte order mark, without which Excel takes it for another encoding. A text
that a spreadsheet would take for a formula has an apostrophe before it.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smugmug_backup.archive.details import Details
from smugmug_backup.archive.encoding import canonical_json
from smugmug_backup.archive.manifest import Header, Manifest
from smugmug_backup.archive.texts import text_of
from smugmug_backup.archive.titles import album_name
from smugmug_backup.clock import stamp_or_none
from smugmug_backup.restore.plan import Plan, Problem
from smugmug_backup.restore.xmp import rating_of

ALBUMS, PHOTOS, BY_HAND = "albums.csv", "photos.csv", "set-by-hand.csv"

Records = Mapping[tuple[str, str], Mapping[str, Any]]
"""Records by album and image key."""

Cell = str | int | float | None

# fmt: off
_ALBUM_COLUMNS = (
    "album_key", "album", "folder", "description", "keywords", "privacy", "access", "sorted_by",
    "direction", "photos_here", "gone_since", "everything_else",
)
_PHOTO_COLUMNS = (
    "file", "album", "position", "image_key", "name_at_smugmug", "title", "caption", "keywords",
    "taken_at", "uploaded_at", "latitude", "longitude", "altitude", "rating", "hidden",
    "gone_since", "bytes", "sha256", "md5_of_smugmug", "said_in_the_file", "problem",
)
# fmt: on
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([defused(cell) for cell in row])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "backslashreplace")


def defused(cell: Cell) -> Cell:
    """What a spreadsheet shows and does not compute; a number of ours stays a number.

    Blanks before it do not hide a formula from every spreadsheet.
    """
    if isinstance(cell, str) and cell.lstrip(" \u00a0").startswith(_STARTS_A_FORMULA):
        return f"'{cell}"
    return cell


@dataclass(frozen=True, slots=True)
class AlbumRow:
    """What is told of an album's settings, in words of neither API.

    ==============  =============================  ============================================
    here            API 1.3.0                      API v2
    ==============  =============================  ============================================
    privacy         ``Public``: public or not      ``Privacy``
    access          ``Passworded``: a password     ``SecurityType``; ``None`` is anybody
    sorted_by       ``SortMethod``                 ``SortMethod``
    direction       ``SortDirection``, a flag      ``SortDirection``
    ==============  =============================  ============================================

    Neither the password, which is never backed up, nor the cover, which no record has.
    """

    description: str
    keywords: str
    privacy: str
    access: str
    sorted_by: str
    direction: str

    @classmethod
    def of(cls, album: Mapping[str, Any]) -> "AlbumRow":
        """Read an album's record of either source."""
        privacy = _flag(album.get("Public"), "Public", "not public")
        access = _flag(album.get("Passworded"), "Password", "None")
        direction = _flag(album.get("SortDirection"), "Descending", "Ascending")
        return cls(
            description=text_of(album.get("Description")),
            keywords=text_of(album.get("Keywords")),
            privacy=text_of(album.get("Privacy")) or privacy,
            access=text_of(album.get("SecurityType")) or access,
            sorted_by=text_of(album.get("SortMethod")),
            direction=text_of(album.get("SortDirection")) or direction,
        )


def _flag(value: object, yes: str, no: str) -> str:
    """A flag of API 1.3.0 in words; nothing for what is none."""
    if not isinstance(value, int) or value not in (0, 1):
        return ""
    return yes if value else no


def albums_table(manifests: Iterable[Manifest], homes: Mapping[str, str], plan: Plan) -> bytes:
    """A row for each album."""
    counts: dict[str, set[str]] = {}
    for target in plan.targets:
        counts.setdefault(target.album_key, set()).add(target.image_key)
    return table(_ALBUM_COLUMNS, _album_rows(manifests, homes, counts))


def _album_rows(
    manifests: Iterable[Manifest], homes: Mapping[str, str], counts: Mapping[str, set[str]]
) -> Iterator[Sequence[Cell]]:
    for header in (each.header for each in manifests):
        key, row = header.album_key, AlbumRow.of(header.album)
        rest = canonical_json(dict(header.album)).decode("utf-8", "replace")
        yield (
            key,
            album_name(header),
            homes[key],
            row.description,
            row.keywords,
            row.privacy,
            row.access,
            row.sorted_by,
            row.direction,
            len(counts.get(key, ())),
            stamp_or_none(header.deleted_at),
            rest,
        )


def photos_table(
    manifests: Iterable[Manifest],
    plan: Plan,
    records: Records,
    *,
    embedded: Iterable[str],
    problems: Iterable[Problem],
) -> bytes:
    """A row for each file, and one for each that is not there; in the order of the album."""
    said = {each.path: each.code for each in problems if each.image_key is not None}
    files: dict[str, list[tuple[str, str, int | None, str | None]]] = {}
    for target in plan.targets:
        row = (target.path, target.image_key, target.bytes, target.sha256)
        files.setdefault(target.album_key, []).append(row)
    for problem in plan.problems:
        if problem.image_key is not None:
            row_of_none = (problem.path, problem.image_key, None, None)
            files.setdefault(problem.album_key, []).append(row_of_none)
            said.setdefault(problem.path, problem.code)
    holds = set(embedded)

    def rows() -> Iterator[Sequence[Cell]]:
        for manifest in manifests:
            key, name = manifest.header.album_key, album_name(manifest.header)
            chosen = files.get(key, [])
            chosen.sort(key=lambda each: (manifest.entries[each[1]].position or 0, each[0]))
            for path, image_key, size, sha256 in chosen:
                entry = manifest.entries[image_key]
                record = records.get((key, image_key))
                yield (
                    path,
                    name,
                    entry.position,
                    image_key,
                    text_of(entry.file_name),
                    *_described(record),
                    stamp_or_none(entry.deleted_at or entry.missing_since),
                    size,
                    sha256,
                    entry.original.source_md5,
                    "yes" if path in holds else "",
                    said.get(path),
                )

    return table(_PHOTO_COLUMNS, rows())


def _described(record: Mapping[str, Any] | None) -> tuple[Cell, ...]:
    """The columns from title to hidden."""
    details = Details.of(record) if record else Details()
    place = details.place
    return (
        details.title,
        details.caption,
        "; ".join(details.keywords),
        details.taken_at,
        details.uploaded_at,
        *((place.latitude, place.longitude, place.altitude) if place else (None, None, None)),
        rating_of(record["image"]) if record else None,
        "yes" if details.hidden else "",
    )


def by_hand_table(
    manifests: Iterable[Manifest], homes: Mapping[str, str], plan: Plan, embedded: Iterable[str]
) -> bytes:
    """For each album, what is to be set at SmugMug after its photos were uploaded."""
    holds = set(embedded)
    bare: dict[str, int] = {}
    for target in plan.targets:
        bare[target.album_key] = bare.get(target.album_key, 0) + (target.path not in holds)

    def rows() -> Iterator[Sequence[Cell]]:
        for header in (each.header for each in manifests):
            for what, value in _by_hand(header, bare.get(header.album_key, 0)):
                yield homes[header.album_key], album_name(header), what, value

    return table(("folder", "album", "set", "to"), rows())


def _by_hand(header: Header, bare: int) -> Iterator[tuple[str, Cell]]:
    row = AlbumRow.of(header.album)
    yield "title", text_of(header.title)
    for what, value in (
        ("description", row.description),
        ("keywords", row.keywords),
        ("privacy", row.privacy),
        ("access", row.access if row.access != "None" else ""),
        ("sorted by", f"{row.sorted_by}, {row.direction}".strip(", ")),
    ):
        if value:
            yield what, value
    if row.access == "Password":
        yield "password", "a new one: it is never backed up"
    yield "cover", "choose it again: SmugMug's answers to a backup do not name it"
    if bare:
        yield "title, caption, keywords", f"of {bare} files that cannot hold them: see {PHOTOS}"
