"""Catalogs as files: opened, made anew where they cannot be used, and brought up to date.

A new one is made beside its name and then takes it, so that nobody ever sees half of one; one that
is there is changed in one transaction, for which a second program waits.
"""

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from smugmug_backup.archive.archive import Archive
from smugmug_backup.catalog import schema
from smugmug_backup.catalog.update import Tell, Updated, update
from smugmug_backup.cli.account import many
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.cli.output import make_console
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.errors import BadRequest
from smugmug_backup.system import make_private
from smugmug_backup.words import Location

_CACHE_KIB = 32 * 1024
"""Of the catalog's pages so much is kept in memory: a search of a large one reads many twice."""
_PATIENCE_SECONDS = 600
_HEAD = 100
_FEW = 32


@dataclass(frozen=True, slots=True)
class Catalog:
    """A catalog that is open and up to date, and what that took; ``file``: None if it is in memory
    only."""

    db: sqlite3.Connection
    updated: Updated
    file: Path | None


@dataclass(frozen=True, slots=True)
class Writer:
    """What writes to a catalog that others read meanwhile. ``alone``: to be entered by whoever uses
    ``db``."""

    db: sqlite3.Connection
    alone: Callable[[], AbstractContextManager[object]]


def cache_of(location: Location) -> Path | None:
    """Where the catalog that the commands of this machine use for ``location`` lies; None if there
    is no home for it."""
    named = location.s3
    if location.folder is not None:
        named = str(location.folder.resolve())
    name = hashlib.sha256(named.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    try:
        cache = user_cache_path("smugmug-backup", appauthor=False)
    except RuntimeError:
        return None
    return cache / "catalogs" / f"{name}.sqlite"


@dataclass(frozen=True, slots=True)
class AlbumNamed:
    """An album of a catalog, as `find_albums` wants it; ``name``: folders and title."""

    title: str
    path: Sequence[str]
    name: str


def albums_of(db: sqlite3.Connection) -> dict[str, AlbumNamed]:
    """The albums by key."""
    rows = db.execute("SELECT album_key, title, path, name FROM albums")
    return {key: AlbumNamed(title, json.loads(path), name) for key, title, path, name in rows}


@contextmanager
def reading() -> Iterator[Tell]:
    """Shows on a terminal how far a catalog is, where that takes its time."""
    console = make_console(stderr=True)
    columns = (TextColumn("reading the backup"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=None, visible=False)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total > _FEW)

        yield tell


@contextmanager
def open_catalog(
    archive: Archive, file: Path | None, *, cached: bool = True, tell: Tell | None = None
) -> Iterator[Catalog]:
    """The catalog in ``file``, brought up to what ``archive`` holds now; None: one in memory.

    ``cached``: it is the machine's own, so whatever lies there may be replaced, and where it cannot
    be kept it is made in memory. Else only what was a catalog is; anything else raises BadRequest.
    """
    if file is None:
        db, updated = _in_memory(archive, tell)
    elif cached:
        try:
            make_private(file.parent)
            db, updated = _in_file(archive, file, tell)
        except OSError:
            file = None
            db, updated = _in_memory(archive, tell)
    else:
        try:
            _refuse_others(file)
            file.parent.mkdir(parents=True, exist_ok=True)
            db, updated = _in_file(archive, file, tell)
        except OSError as error:
            raise BadRequest(f"{file} cannot be written: {error.strerror or error}") from None
    with closing(db):
        try:
            yield Catalog(db, updated, file)
        except sqlite3.OperationalError as error:
            # In use, or no room: it is not broken, and somebody else may be at work on it.
            raise BadRequest(f"the catalog {file or 'in memory'} cannot be used: {error}") from None
        except sqlite3.DatabaseError as error:
            if file is not None:
                file.unlink(missing_ok=True)
            raise BadRequest(
                f"the catalog {file} was broken ({error}) and is deleted; nothing of the backup is "
                "lost: the same command makes it anew"
            ) from None


def _refuse_others(file: Path) -> None:
    # A device reads as an empty file, and root may put a file in its place.
    if file.exists() and not file.is_file():
        raise Mistaken(f"{file} is there and is no file", hint="give a name that is not taken")
    with suppress(FileNotFoundError), file.open("rb") as opened:
        if not schema.is_ours(opened.read(_HEAD)):
            raise Mistaken(
                f"{file} is there and is no catalog", hint="give a name that is not taken"
            )


def _in_file(archive: Archive, file: Path, tell: Tell | None) -> tuple[sqlite3.Connection, Updated]:
    found = _kept(archive, file, tell) if file.exists() else None
    return found or _made_anew(archive, file, tell)


def _kept(
    archive: Archive, file: Path, tell: Tell | None
) -> tuple[sqlite3.Connection, Updated] | None:
    """The catalog that is there; None if it is broken, or of another version."""
    try:
        db = _connect(file)
    except sqlite3.OperationalError:
        return None  # It may not be read.
    try:
        if schema.is_catalog(db):
            return db, _update(db, archive, tell)
    except sqlite3.DatabaseError as error:
        db.close()
        if "locked" in str(error):
            raise BadRequest(f"{file} is in use by another program") from None
        return None
    except BaseException:
        db.close()
        raise
    db.close()
    return None


def _made_anew(
    archive: Archive, file: Path, tell: Tell | None
) -> tuple[sqlite3.Connection, Updated]:
    fresh = file.with_name(f".{file.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        with closing(_connect(fresh)) as db:
            # Nobody else knows the file, and it can be made again.
            db.execute("PRAGMA journal_mode = MEMORY")
            db.execute("PRAGMA synchronous = OFF")
            schema.create(db)
            updated = _update(db, archive, tell)
            db.execute("INSERT INTO image_words(image_words) VALUES ('optimize')")
        fresh.replace(file)
        return _connect(file), updated
    except sqlite3.OperationalError as error:
        raise OSError(None, str(error)) from None
    finally:
        fresh.unlink(missing_ok=True)


def _in_memory(archive: Archive, tell: Tell | None) -> tuple[sqlite3.Connection, Updated]:
    db = _connect(Path(":memory:"))
    schema.create(db)
    return db, _update(db, archive, tell)


def _connect(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(
        file, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
    )
    # A file that is no catalog is found out, and told, by who reads it.
    with suppress(sqlite3.DatabaseError):
        db.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
    return db


@contextmanager
def writer_of(
    catalog: Catalog, unread: Callable[[], AbstractContextManager[object]]
) -> Iterator[Writer]:
    """Writes to ``catalog`` while its ``db`` is read, which sees what was there until all of it is
    written. ``unread``: nobody reads it while that is entered; only one in memory needs it."""
    if catalog.file is None:
        yield Writer(catalog.db, unread)
        return
    lock = threading.Lock()
    with closing(_connect(catalog.file)) as db:
        # With a page that it writes before the end, SQLite would keep every reader away.
        db.execute("PRAGMA cache_spill = OFF")
        yield Writer(db, lambda: lock)


def bring_up(db: sqlite3.Connection, archive: Archive) -> Updated:
    """Read into a catalog that is open what ``archive`` holds by now; see `update`."""
    return _update(db, archive, None)


def _update(db: sqlite3.Connection, archive: Archive, tell: Tell | None) -> Updated:
    with many() as map_:
        return update(db, archive, now=SystemClock().now(), map_=map_, tell=tell)
