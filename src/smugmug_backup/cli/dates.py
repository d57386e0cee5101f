"""The dates of photos of which SmugMug says none, read from the originals when it costs nothing.

On a folder they are read as far as there is time, at each call a little; from S3 only when asked.
"""

import importlib.util
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console

from smugmug_backup.archive.archive import Archive
from smugmug_backup.catalog import taken
from smugmug_backup.cli.output import plural
from smugmug_backup.words import Location

_A_GET = 0.0004 / 1000
"""Dollars for a GET of S3 Standard (us-east-1)."""


def add_dates(
    db: sqlite3.Connection,
    archive: Archive,
    location: Location,
    cache: Path | None,
    say: Console,
    *,
    seconds: float | None,
    asked: bool,
) -> int:
    """Put dates into the catalog ``db``; how many photos may have one that was not read yet.

    ``seconds``: how long to read, None for to the end. ``asked``: read from S3, too, and say what
    that takes. Without Pillow nothing is read.
    """
    with _dates(cache) as dates:
        wanted = taken.unread(db, dates) if importlib.util.find_spec("PIL") else []
        if wanted and asked and location.in_s3:
            say.print(
                f"reads the first 128 KiB of {plural(len(wanted), 'photo')}: as many requests, "
                f"about ${len(wanted) * _A_GET:.2f} and the traffic",
                soft_wrap=True,
            )
        read = 0
        if asked or not location.in_s3:
            end = None if seconds is None else time.monotonic() + seconds
            for _ in taken.read(archive.original_part, wanted, dates):
                read += 1
                if end is not None and time.monotonic() > end:
                    break
        taken.fill(db, dates)
        return len(taken.unread(db, dates)) if wanted else 0


@contextmanager
def _dates(cache: Path | None) -> Iterator[taken.Dates]:
    """Beside the catalogs, shared by all of them; in memory where nothing can be kept."""
    place = ":memory:" if cache is None else str(cache.parent.parent / "taken.sqlite")
    try:
        db = _opened(place)
    except (OSError, sqlite3.DatabaseError):
        db = _opened(":memory:")
    with closing(db):
        yield taken.Dates(db)


def _opened(place: str) -> sqlite3.Connection:
    if place != ":memory:":
        Path(place).parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(place, timeout=60, isolation_level=None)
    # It can be read again.
    db.execute("PRAGMA synchronous = OFF")
    taken.Dates(db)
    return db
