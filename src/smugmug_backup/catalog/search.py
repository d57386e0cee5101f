"""Search a catalog: words and filters, made into one query.

=================  ==================================================================
asked for          found
=================  ==================================================================
words              images of whose file name, title, caption or keywords a word begins
                   with each of them; accents and case do not matter
``taken``          taken between two days, both included; of those without a date
                   nothing can be said, they are counted
``near``           within so many kilometres of a place
``gone``           what SmugMug shows no more; ``gone=False``: what it still shows
``past``           earlier versions count, too: a caption that was
=================  ==================================================================
"""

import math
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from itertools import groupby, islice
from typing import Any, Self

from smugmug_backup.errors import BadRequest

_EARTH_KM = 6371.0
_DEGREE_KM = 111.0
# Written without blanks between words, so that the tokenizer takes a whole sentence for one.
_UNPARTED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")

_NO_TEXT = re.compile("[\ud800-\udfff]")
"""What a shell hands over of bytes that are no UTF-8; SQLite takes none of it."""


class NotAsked(BadRequest):
    """Words or a filter that mean nothing."""

    hint = "`smugmug-backup find --help` shows how it is meant"


@dataclass(frozen=True, slots=True)
class Days:
    """From one day to another, both included: ``2019..2021``, ``2020-05``, ``..2001-02-03``."""

    first: str
    last: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises BadRequest, which says how it is written."""
        begin, dots, end = text.partition("..")
        if not dots:
            end = begin
        if not (begin or end):
            raise NotAsked("--taken wants a year, a month or a day, or two of them: 2019..2021")
        first = _bound(begin, text, "0001-01-01")
        last = _bound(end, text, "9999-12-31", last=True)
        if first > last:
            raise NotAsked(f"--taken {text}: the first day is later than the last one")
        return cls(first, last)


def _bound(text: str, whole: str, missing: str, *, last: bool = False) -> str:
    if not text:
        return missing
    try:
        parts = [int(each) for each in text.split("-")]
        if not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", text):
            raise ValueError
        date(*[*parts, 1, 1][:3])
    except ValueError:
        raise NotAsked(
            f"--taken {whole}: {text!r} is no day; write 2019, 2019-05, 2019-05-31, or two of them "
            "with .. between"
        ) from None
    return (text + "-12-31"[3 * (len(parts) - 1) :]) if last else text


@dataclass(frozen=True, slots=True)
class Near:
    """A place and how far from it, in kilometres: ``54.48,-0.61,5``."""

    latitude: float
    longitude: float
    km: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises BadRequest, which says how it is written."""
        try:
            latitude, longitude, km = (float(each) for each in text.split(","))
        except ValueError:
            latitude = longitude = km = math.nan
        if not (abs(latitude) <= 90 and abs(longitude) <= 180 and 0 < km <= 20_100):
            raise NotAsked(
                f"--near {text}: write degrees north, degrees east and kilometres, as in "
                "54.4861,-0.6133,5"
            )
        return cls(latitude, longitude, km)


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; see the module. ``albums``: their keys."""

    words: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()
    taken: Days | None = None
    gone: bool | None = None
    video: bool | None = None
    near: Near | None = None
    past: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One image that was found, in one album; fields as in ``SCHEMA.md``."""

    album_key: str
    album_name: str
    image_key: str
    file_name: str | None
    title: str | None
    caption: str | None
    keywords: str | None
    taken_at: str | None
    uploaded_at: str | None
    latitude: float | None
    longitude: float | None
    format: str | None
    is_video: bool
    bytes: int | None
    md5: str | None
    key: str | None
    status: str
    reason: str | None
    verified: bool
    gone_since: str | None
    valid_from: str
    valid_until: str | None

    @property
    def gone(self) -> bool:
        """SmugMug shows it no more."""
        return self.gone_since is not None


def search(db: sqlite3.Connection, query: Query, *, most: int | None = None) -> Iterator[Found]:
    """The images found, by album and in its order; with ``past`` the newest version found of each.

    Raises BadRequest for words that hold nothing to look for.
    """
    sql, values = _select(db, query)
    if query.past:
        return islice(_newest_of_each(db.execute(sql, values)), most)
    if most is not None:
        sql += f" LIMIT {int(most)}"
    return (Found(*row) for row in db.execute(sql, values))


def _select(db: sqlite3.Connection, query: Query) -> tuple[str, list[Any]]:
    tables, where, values = _asked(db, query)
    columns, order = _FOUND, _ORDER
    if query.past:
        columns, order = f"v.version_id, v.position, {_FOUND}", "a.name, a.album_key"
    return f"SELECT {columns} FROM {tables} WHERE {where} ORDER BY {order}", values


def _newest_of_each(rows: sqlite3.Cursor) -> Iterator[Found]:
    """Of versions album by album the newest of each image, by their positions."""
    for _, album in groupby(rows, key=lambda row: row[2:4]):
        newest: dict[str, tuple[int, int | None, Found]] = {}
        for version, position, *fields_ in album:
            found = Found(*fields_)
            if version > newest.get(found.image_key, (0,))[0]:
                newest[found.image_key] = version, position, found
        for _, _, found in sorted(newest.values(), key=_by_position):
            yield found


def _by_position(each: tuple[int, int | None, Found]) -> tuple[bool, int, str]:
    _, position, found = each
    return position is None, position or 0, found.image_key


def undated(db: sqlite3.Connection, query: Query) -> int:
    """How many images ``query`` would find but for ``taken``, of which no date is known."""
    tables, where, values = _asked(db, query, taken=False)
    counted = "DISTINCT v.album_key || '/' || v.image_key" if query.past else "*"
    sql = f"SELECT count({counted}) FROM {tables} WHERE {where} AND v.taken_at IS NULL"
    return int(db.execute(sql, values).fetchone()[0])


_FEW = 1_000
_MOST_WORDS = 200
"""SQLite takes 1,000 conditions."""
_FROM_HITS = "image_versions v JOIN albums a USING (album_key)"
_BY_ALBUM = (
    "albums a CROSS JOIN image_versions v INDEXED BY image_versions_of ON v.album_key = a.album_key"
)
_IN_ORDER = (
    "albums a CROSS JOIN image_versions v INDEXED BY image_versions_shown "
    "ON v.album_key = a.album_key"
)
_ORDER = "a.name, a.album_key, v.position IS NULL, v.position, v.image_key"


def _asked(
    db: sqlite3.Connection, query: Query, *, taken: bool = True
) -> tuple[str, str, list[Any]]:
    """The tables in the order in which they are read, the conditions, and their values.

    Where words hit few versions these are read and sorted; sorting tens of thousands of hits took
    seconds at 100,000 images. Else an index that has the wanted order and all that the filters ask
    is read along, until there is enough. With the past its order is that of the albums only.
    """
    where, values = _conditions(query, taken=taken)
    if query.near:
        db.create_function("km", 4, _km, deterministic=True)
    return _FROM_HITS if _hits_few(db, query) else _IN_ORDER, where, values


def _hits_few(db: sqlite3.Connection, query: Query) -> bool:
    match = _match(query.words)
    if not match:
        return False
    (count,) = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM image_words WHERE image_words MATCH ? LIMIT ?)",
        (match, _FEW + 1),
    ).fetchone()
    return int(count) <= _FEW


_GONE_SINCE = "coalesce(v.deleted_at, v.missing_since, a.deleted_at, a.missing_since)"
_NAMES = {"album_name": "a.name", "gone_since": _GONE_SINCE}
_FOUND = ", ".join(_NAMES.get(each.name, f"v.{each.name}") for each in fields(Found))


def _conditions(query: Query, *, taken: bool = True) -> tuple[str, list[Any]]:
    tests: list[str] = [] if query.past else ["v.until_generation IS NULL"]
    values: list[Any] = []
    if query.albums:
        tests.append(f"v.album_key IN ({', '.join('?' * len(query.albums))})")
        values += query.albums
    if query.taken and taken:
        # A text that begins with the last day is of that day.
        tests.append("v.taken_at >= ? AND substr(v.taken_at, 1, 10) <= ?")
        values += [query.taken.first, query.taken.last]
    if query.gone is not None:
        tests.append(f"({_GONE_SINCE} IS NOT NULL) = ?")
        values.append(query.gone)
    if query.video is not None:
        tests.append("v.is_video = ?")
        values.append(query.video)
    if query.near:
        _near(query.near, tests, values)
    if query.words:
        _words(query.words, tests, values)
    return " AND ".join(tests) or "1", values


def _words(words: tuple[str, ...], tests: list[str], values: list[Any]) -> None:
    if broken := next((each for each in words if _NO_TEXT.search(each)), None):
        raise NotAsked(f"{broken!r} is no text")
    match = _match(words)
    unparted = [each for each in words if _UNPARTED.search(each)]
    if len(unparted) > _MOST_WORDS:
        raise NotAsked(f"{len(unparted):,} words are too many; {_MOST_WORDS} can be looked for")
    if not match and not unparted:
        raise NotAsked(f"there is no letter and no digit to look for in {' '.join(words)!r}")
    if match:
        tests.append("v.version_id IN (SELECT rowid FROM image_words WHERE image_words MATCH ?)")
        values.append(match)
    for each in unparted:
        tests.append(
            "instr(coalesce(v.file_name, '') || char(10) || coalesce(v.title, '') || char(10) || "
            "coalesce(v.caption, '') || char(10) || coalesce(v.keywords, ''), ?) > 0"
        )
        values.append(each)


def _match(words: tuple[str, ...]) -> str:
    """Those that the tokenizer takes apart, in the language of FTS5; empty if there is none."""
    parted = [each for each in words if any(map(str.isalnum, each)) and not _UNPARTED.search(each)]
    # A phrase, of which the last word may go on; quoted, so that nothing in it is a command.
    return " ".join('"' + each.replace('"', '""') + '"*' for each in parted)


def _near(near: Near, tests: list[str], values: list[Any]) -> None:
    """The circle, and a box around it, which costs less to ask."""
    tests.append("v.latitude BETWEEN ? AND ?")
    reach = near.km / _DEGREE_KM
    values += [near.latitude - reach, near.latitude + reach]
    widest = math.cos(math.radians(min(89.9, abs(near.latitude) + reach)))
    east = reach / widest if widest > 0 else 360.0
    if east < 180:
        west_end, east_end = near.longitude - east, near.longitude + east
        ranges = [(west_end, east_end)]
        if west_end < -180:
            ranges.append((west_end + 360, 180))
        if east_end > 180:
            ranges.append((-180, east_end - 360))
        tests.append("(" + " OR ".join("v.longitude BETWEEN ? AND ?" for _ in ranges) + ")")
        values += [each for pair in ranges for each in pair]
    tests.append("km(v.latitude, v.longitude, ?, ?) <= ?")
    values += [near.latitude, near.longitude, near.km]


def _km(
    latitude: float | None, longitude: float | None, of_latitude: float, of_longitude: float
) -> float | None:
    """Kilometres between two places along the surface; None where one of them is none."""
    if latitude is None or longitude is None:
        return None
    one, other = math.radians(of_latitude), math.radians(latitude)
    h = math.sin((other - one) / 2) ** 2
    h += math.cos(one) * math.cos(other) * math.sin(math.radians(longitude - of_longitude) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(h)))
