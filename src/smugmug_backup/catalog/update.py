"""Bring a catalog up to its archive: what has not changed since is not read again.

A catalog says for each generation that it has the SHA-256 of the manifest; an album whose newest
one is still that, by the newest reports and the listing, is not touched. All is one transaction:
whoever searches meanwhile sees the state before it, and a second update waits for the first.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive, Contents
from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.check_report import CheckReport
from smugmug_backup.archive.generations import Listed
from smugmug_backup.archive.manifest import Header
from smugmug_backup.archive.many import Map
from smugmug_backup.archive.original import When
from smugmug_backup.archive.report import AlbumState, RunReport
from smugmug_backup.archive.texts import keywords_of, text_of
from smugmug_backup.archive.titles import album_name, shown
from smugmug_backup.catalog.versions import AlbumHistory, ImageVersion, Known, read_history
from smugmug_backup.clock import parse_stamp, stamp, stamp_or_none
from smugmug_backup.errors import BackupError

_AT_A_TIME = 32
"""So many albums are read ahead of being written: memory holds no more."""

_REPORTS = 100
"""So many of the newest reports of runs, and of checks, are read; of older runs only the id."""

_PATIENCE = timedelta(days=1)

Tell = Callable[[int, int], None]
"""Told how many albums of how many were read."""


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did. ``problems``: what could not be read, in words, by album."""

    albums: int
    generations: int
    versions: int
    problems: Mapping[str, str]


def update(
    db: sqlite3.Connection, archive: Archive, *, now: datetime, map_: Map, tell: Tell | None = None
) -> Updated:
    """Read into ``db`` (see `schema`) what it lacks of the archive.

    ``db`` must be in autocommit mode. Raises StoreError or FormatTooNew if the archive cannot be
    read at all; then the catalog is as it was.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        updated = _update(db, archive, now, map_, tell or (lambda done, total: None))
    except BaseException:
        # A full disk has SQLite end the transaction by itself.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return updated


def _update(
    db: sqlite3.Connection, archive: Archive, now: datetime, map_: Map, tell: Tell
) -> Updated:
    reports = archive.reports(now=now)
    listed = archive.generations()
    newest: Listed[int] = Listed()
    newest.update({key: numbers[-1] for key, numbers in listed.items()})
    newest.unreadable = listed.unreadable
    contents = archive.contents(reports, newest, map_, when=When(now), tolerant=True)
    if _is_of_another(db, contents, reports):
        _clear(db)
    known = _known(db)
    # What could not be read may be repaired: looked at again, though not at every call.
    doubtful = {
        key
        for key, at in db.execute("SELECT album_key, min(seen_at) FROM problems GROUP BY 1")
        if parse_stamp(at) <= now - _PATIENCE
    }
    stated = {
        key: {state.generation: state.manifest_sha256}
        for key, state in reports.albums.items()
        if state.manifest_sha256
    }
    wanted = [
        key
        for key, numbers in listed.items()
        if key in doubtful or not _is_current(known.get(key), numbers[-1], stated.get(key, {}))
    ]

    def read(key: str) -> AlbumHistory | BackupError:
        last = None if key in doubtful else known.get(key)
        try:
            return read_history(archive, key, listed[key], known=last, stated=stated.get(key))
        except BackupError as error:
            return error

    problems = {key: str(error) for key, error in listed.unreadable.items()}
    generations = versions = 0
    for start in range(0, len(wanted), _AT_A_TIME):
        part = wanted[start : start + _AT_A_TIME]
        for key, found in zip(part, map_(read, part), strict=True):
            if isinstance(found, BackupError):
                problems[key] = str(found)
                continue
            _write(db, found, now)
            generations += len(found.headers)
            versions += len(found.versions)
        tell(min(start + _AT_A_TIME, len(wanted)), len(wanted))
    problems |= _albums(db, contents, reports, problems)
    _runs(db, archive, map_)
    _checks(db, archive, now)
    _facts(db, contents, reports, now)
    return Updated(len(wanted), generations, versions, problems)


def _is_of_another(db: sqlite3.Connection, contents: Contents, reports: Reports) -> bool:
    """The catalog was made of another account's archive, or of one that has begun anew."""
    facts = dict(db.execute("SELECT name, value FROM facts"))
    account = contents.account
    names = {account.nickname, *reports.formerly} if account else set()
    first = facts.get("first_run")
    listed = next(iter(reports.listed), None) if reports.after == "" else None
    begun_anew = first is not None and listed is not None and listed > first
    return bool(facts) and (facts.get("nickname") not in names or begun_anew)


def _clear(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO image_words(image_words) VALUES ('delete-all')")
    for table in (
        *("facts", "albums", "album_versions", "image_versions", "runs", "failures", "checks"),
        *("findings", "problems"),
    ):
        db.execute(f"DELETE FROM {table}")


def _known(db: sqlite3.Connection) -> dict[str, Known]:
    rows = db.execute(
        "SELECT album_key, max(generation), manifest_sha256, valid_from "
        "FROM album_versions GROUP BY album_key"
    )
    return {key: Known(number, sha256, parse_stamp(at)) for key, number, sha256, at in rows}


def _is_current(known: Known | None, newest: int, stated: Mapping[int, str]) -> bool:
    if known is None or known.generation != newest:
        return False
    return stated.get(newest, known.sha256) == known.sha256


# -- one album ---------------------------------------------------------------------------------


def _write(db: sqlite3.Connection, history: AlbumHistory, now: datetime) -> None:
    key = history.album_key
    if history.anew:
        db.execute("DELETE FROM problems WHERE album_key = ?", (key,))
        db.execute(
            "INSERT INTO image_words (image_words, rowid, file_name, title, caption, keywords) "
            "SELECT 'delete', version_id, file_name, title, caption, keywords "
            "FROM image_versions WHERE album_key = ?",
            (key,),
        )
        db.execute("DELETE FROM image_versions WHERE album_key = ?", (key,))
        db.execute("DELETE FROM album_versions WHERE album_key = ?", (key,))
    db.executemany(
        "INSERT INTO problems VALUES (?, ?, ?, ?)",
        [(key, generation, message, stamp(now)) for generation, message in history.problems],
    )
    begun: dict[int, str] = {}
    for header, sha256, at in history.headers:
        begun[header.generation] = stamp(at)
        db.execute(
            "UPDATE album_versions SET valid_until = ? WHERE album_key = ? AND valid_until IS NULL",
            (stamp(at), key),
        )
        db.execute(
            "INSERT INTO album_versions VALUES (?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            _album_version(header, sha256, at),
        )
    _write_versions(db, key, history.versions, begun)


def _album_version(header: Header, sha256: str, at: datetime) -> tuple[Any, ...]:
    return (
        *(header.album_key, header.generation, sha256, header.run_id, stamp(at)),
        *(album_name(header), shown(header.title), _path(header.path)),
        *_described(header.album),
        *(header.album_fingerprint, header.image_count, stamp_or_none(header.deleted_at)),
    )


def _described(album: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Description, keywords and privacy, as either API says them."""
    privacy = text_of(album.get("Privacy"))
    if not privacy and "Public" in album:
        privacy = "Public" if album["Public"] in (True, 1, "1") else "Unlisted"
    words = "; ".join(keywords_of(album))
    return text_of(album.get("Description")) or None, words or None, privacy or None


def _write_versions(
    db: sqlite3.Connection, key: str, versions: Sequence[ImageVersion], begun: Mapping[int, str]
) -> None:
    known = {row[0] for row in db.execute(_OPEN, (key,))}
    ended = []
    for each in versions:
        if each.entry.image_key in known:
            at = begun[each.generation]
            ended.append((each.generation, at, key, each.entry.image_key, each.generation))
        known.add(each.entry.image_key)
    # A number is given once, though its row be gone: an open page asks for pictures by it.
    (last,) = db.execute(
        "SELECT max(seq) FROM (SELECT 0 AS seq UNION ALL "
        "SELECT seq FROM sqlite_sequence WHERE name = 'image_versions')"
    ).fetchone()
    rows = [_row(last + n, key, each, begun[each.generation]) for n, each in enumerate(versions, 1)]
    db.executemany(_INSERT, rows)
    db.executemany(_END, ended)
    db.execute(
        "INSERT INTO image_words (rowid, file_name, title, caption, keywords) "
        "SELECT version_id, file_name, title, caption, keywords "
        "FROM image_versions WHERE version_id > ?",
        (last,),
    )


_OPEN = "SELECT image_key FROM image_versions WHERE album_key = ? AND until_generation IS NULL"
_END = (
    "UPDATE image_versions SET until_generation = ?, valid_until = ? WHERE album_key = ? "
    "AND image_key = ? AND until_generation IS NULL AND from_generation < ?"
)
_COLUMNS = 37
_INSERT = f"INSERT INTO image_versions VALUES ({', '.join('?' * _COLUMNS)})"


def _row(number: int, album_key: str, version: ImageVersion, at: str) -> tuple[Any, ...]:
    entry, details, original = version.entry, version.details, version.entry.original
    best, place = original.best, details.place if details else None
    return (
        *(number, album_key, entry.image_key, version.generation, None, at, None, version.what),
        *(entry.image_id, shown(entry.file_name) or None),
        *((details.title or None, details.caption or None) if details else (None, None)),
        "; ".join(details.keywords) or None if details else None,
        *((details.taken_at, details.uploaded_at) if details else (None, None)),
        entry.last_updated,
        *((place.latitude, place.longitude, place.altitude) if place else (None, None, None)),
        *((details.format, details.width, details.height) if details else (None, None, None)),
        *((details.seconds, details.is_video, details.hidden) if details else (None, False, False)),
        *(entry.position, entry.fingerprint),
        *(str(original.kind), str(original.status), original.reason and str(original.reason)),
        original.verified,
        *((best.key, best.bytes, best.sha256, best.md5) if best else (None, None, None, None)),
        *(stamp_or_none(entry.missing_since), stamp_or_none(entry.deleted_at)),
    )


# -- the account -------------------------------------------------------------------------------


def _albums(
    db: sqlite3.Connection, contents: Contents, reports: Reports, problems: Mapping[str, str]
) -> dict[str, str]:
    """Write the albums' states; what is wrong with some of them, in words."""
    told = {**contents.damage, **problems}
    for key, message in db.execute("SELECT album_key, min(message) FROM problems GROUP BY 1"):
        told.setdefault(key, message)
    ignored = set(reports.trusted.ignored_albums) if reports.trusted else set()
    described = {
        key: row
        for key, _, *row in db.execute(
            "SELECT album_key, max(generation), description, keywords, privacy "
            "FROM album_versions GROUP BY album_key"
        )
    }
    db.execute("DELETE FROM albums")
    for key, state in contents.albums.items():
        words = described.get(key, [None, None, None])
        db.execute(
            f"INSERT INTO albums VALUES ({', '.join('?' * 20)})",
            _album(key, state, words, key in ignored, told.get(key)),
        )
    return told


def _album(
    key: str, state: AlbumState, words: Sequence[Any], ignored: bool, problem: str | None
) -> tuple[Any, ...]:
    return (
        *(key, album_name(state), shown(state.title), _path(state.path), *words),
        *(state.generation, state.image_count, state.bytes),
        *(state.pending, state.unavailable, state.unverified),
        *(stamp_or_none(state.listed_at), stamp_or_none(state.full_listing_at)),
        *(stamp_or_none(state.missing_since), stamp_or_none(state.deleted_at)),
        *(not state.live, ignored, problem),
    )


def _path(path: Sequence[str]) -> str:
    """The folders as a JSON list: a name may hold anything, a slash too."""
    return json.dumps([shown(each) for each in path], ensure_ascii=False)


def _runs(db: sqlite3.Connection, archive: Archive, map_: Map) -> None:
    runs = archive.runs()
    db.executemany(
        "INSERT OR IGNORE INTO runs (run_id, began_at) VALUES (?, ?)",
        [(run, stamp(keys.run_start(run))) for run in runs],
    )
    read = {run for (run,) in db.execute("SELECT run_id FROM runs WHERE sha256 IS NOT NULL")}

    def one(run: str) -> RunReport | None:
        try:
            return archive.report(run)
        except BackupError:
            return None  # `status` and `check` tell of it.

    wanted = [run for run in runs[-_REPORTS:] if run not in read]
    # Each holds every album's state: a few at a time.
    for start in range(0, len(wanted), _AT_A_TIME):
        for report in map_(one, wanted[start : start + _AT_A_TIME]):
            if report is not None:
                _run(db, report)


def _run(db: sqlite3.Connection, report: RunReport) -> None:
    counts = report.counts
    db.execute(
        "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(report.run_id, stamp(report.started_at), stamp(report.ended_at), str(report.status)),
            *(report.part, report.source),
            *(counts.new, counts.changed, counts.missing, counts.deleted, counts.repaired),
            *(counts.originals_stored, counts.bytes_stored),
            *(len(report.failures) + report.more_failures, report.sha256),
        ),
    )
    db.execute("DELETE FROM failures WHERE run_id = ?", (report.run_id,))
    db.executemany(
        "INSERT INTO failures VALUES (?, ?, ?, ?, ?)",
        [
            (report.run_id, each.album_key, each.image_key, str(each.code), each.message)
            for each in report.failures
        ],
    )


def _checks(db: sqlite3.Connection, archive: Archive, now: datetime) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO checks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [_check(each) for each in islice(archive.checks(now=now), _REPORTS)],
    )
    db.execute("DELETE FROM findings")
    found = {each.key: each for head in archive.check_heads(now=now) for each in head.findings}
    db.executemany(
        "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(each.key, each.album_key, each.image_key, str(each.problem), str(each.scope)),
                *(stamp(each.since), each.message),
            )
            for each in found.values()
        ],
    )


def _check(report: CheckReport) -> tuple[Any, ...]:
    return (
        *(report.run_id, stamp(report.ended_at), report.sound, report.history),
        *(report.open_findings, report.objects, report.read_objects, report.read_bytes),
    )


def _facts(db: sqlite3.Connection, contents: Contents, reports: Reports, now: datetime) -> None:
    account, newest, complete = contents.account, reports.newest, reports.complete_as_of
    (first,) = db.execute("SELECT min(run_id) FROM runs").fetchone()
    facts = {
        "nickname": account.nickname if account else None,
        "access": account.access if account else None,
        "source": newest.source if newest else None,
        "newest_run": newest.run_id if newest else None,
        "first_run": first,
        "complete_as_of": stamp_or_none(complete.at) if complete else None,
        "updated_at": stamp(now),
    }
    db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())
