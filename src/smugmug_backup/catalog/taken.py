"""When photos were taken, where SmugMug does not say it (API 1.3.0): from the originals' own EXIF.

Read once for each MD5: bytes do not change under it. What was read stands in a database of its own
(`Dates`), so that a catalog that is made anew asks no original again.
"""

import io
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from smugmug_backup.errors import BackupError

HEAD = 128 * 1024
"""So many bytes of an original are read: EXIF stands in the first 64 KiB of a JPEG."""

_EXTENSIONS = (".jpg", ".tif", ".webp", ".png")
_LONGEST_HEIC = 100 * 10**6
_FORM = 1
"""Of the database. In form 0, "none" may also mean that a library was not there."""

Part = Callable[[str, int, int], bytes]
"""Reads a part of an original: its key, the first byte, how many."""


class Dates:
    """What was read: MD5 to the time that stands there, None where none does."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute(
            "CREATE TABLE IF NOT EXISTS taken (md5 TEXT PRIMARY KEY, taken_at TEXT) WITHOUT ROWID"
        )
        if db.execute("PRAGMA user_version").fetchone()[0] < _FORM:
            db.execute("DELETE FROM taken WHERE taken_at IS NULL")
            db.execute(f"PRAGMA user_version = {_FORM}")

    def known(self) -> dict[str, str | None]:
        """All of it."""
        return dict(self._db.execute("SELECT md5, taken_at FROM taken"))

    def keep(self, md5: str, taken_at: str | None) -> None:
        """One more."""
        self._db.execute("INSERT OR REPLACE INTO taken VALUES (?, ?)", (md5, taken_at))


def fill(db: sqlite3.Connection, dates: Dates) -> None:
    """Put the dates that are known into the catalog ``db``."""
    known = dates.known()
    sql = "SELECT DISTINCT md5 FROM image_versions WHERE taken_at IS NULL"
    put(db, {md5: known[md5] for (md5,) in db.execute(sql) if known.get(md5) is not None})


def put(db: sqlite3.Connection, dated: Mapping[str, str | None]) -> None:
    """Put dates into the catalog ``db``, by MD5, where SmugMug says none."""
    found = [(taken_at, md5) for md5, taken_at in dated.items() if taken_at is not None]
    if not found:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        db.executemany(
            "UPDATE image_versions SET taken_at = ? WHERE md5 = ? AND taken_at IS NULL", found
        )
        db.execute("COMMIT")
    except BaseException:
        # A full disk has SQLite end the transaction by itself.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def unread(db: sqlite3.Connection, dates: Dates) -> list[tuple[str, str, int]]:
    """(MD5, key, bytes) of newest originals that say no date, were not read yet, and can be here.

    A kind whose library is not there is left for the day on which it is.
    """
    known, extensions = dates.known(), _readable()
    rows = db.execute(
        "SELECT md5, min(key), max(bytes) FROM image_versions WHERE until_generation IS NULL "
        "AND taken_at IS NULL AND key IS NOT NULL AND NOT is_video GROUP BY md5"
    )
    return [
        (md5, key, size)
        for md5, key, size in rows
        if md5 not in known and str(key).endswith(extensions)
    ]


def _readable() -> tuple[str, ...]:
    """The endings of what the libraries that are here can read."""
    try:
        import PIL  # noqa: F401
    except ImportError:
        return ()
    try:
        import pillow_heif
    except ImportError:
        return _EXTENSIONS
    pillow_heif.register_heif_opener()
    return (*_EXTENSIONS, ".heic")


def read(
    part: Part, wanted: Iterable[tuple[str, str, int]], dates: Dates
) -> Iterator[tuple[str, str | None] | None]:
    """Read the dates of ``wanted``, one by one; gives each MD5 and its date when it is kept.

    An original that cannot be read tonight is not kept, and asked again another time: None.
    """
    for md5, key, size in wanted:
        try:
            head = part(key, 0, min(HEAD, size))
        except BackupError:
            yield None
            continue
        taken_at = date_in(head, size)
        dates.keep(md5, taken_at)
        yield md5, taken_at


def date_in(head: bytes, size: int = 0) -> str | None:
    """``DateTimeOriginal`` (EXIF 2.3, tag 0x9003) in the first bytes of a picture of ``size``, as
    ISO 8601 with its zone (tag 0x9011) if it says one; None if there is none."""
    from PIL import Image, JpegImagePlugin

    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    if head[4:8] == b"ftyp" and len(head) < size <= _LONGEST_HEIC:
        # libheif opens none that ends before its boxes say. Cameras put the EXIF before the
        # picture (an iPhone at about byte 4,000), so that what follows may be anything.
        head += bytes(size - len(head))
    try:
        # Image.open refuses what has many pixels, as a panorama has; of those none is read here.
        is_jpeg = head.startswith(b"\xff\xd8")
        opener = JpegImagePlugin.JpegImageFile if is_jpeg else Image.open
        with opener(io.BytesIO(head)) as picture:
            tags = picture.getexif().get_ifd(0x8769)
            text = str(tags.get(0x9003) or "").strip("\0 ")
            zone = str(tags.get(0x9011) or "").strip("\0 ")
        moment = datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 (a camera's own)
    except Exception:  # noqa: BLE001 (decoders fail on damaged files in ways of their own)
        return None
    with suppress(ValueError):
        return datetime.fromisoformat(f"{moment.isoformat()}{zone}").isoformat()
    return moment.isoformat()
