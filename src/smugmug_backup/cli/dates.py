"""The dates of photos of which SmugMug says none, read from the originals when it costs nothing.

On a folder they are read as far as there is time, at each call a little, and while pages are
served; from S3 only when asked. Each original is read once: what was read is kept by its MD5.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

from rich.console import Console

from smugmug_backup.archive.archive import Archive
from smugmug_backup.catalog import taken
from smugmug_backup.cli.estimate import out_of_s3
from smugmug_backup.cli.output import plural
from smugmug_backup.clock import Clock
from smugmug_backup.system import make_private
from smugmug_backup.words import Location

_PUT_EVERY = 20.0
_MOST_IN_VAIN = 20
"""Seconds between two writes of dates into the catalog; so many originals that cannot be read one
after the other are a store that is away."""


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
        wanted = taken.unread(db, dates)
        if wanted and asked and location.in_s3:
            say.print(_costs(wanted), soft_wrap=True)
        read = 0
        if asked or not location.in_s3:
            end = None if seconds is None else time.monotonic() + seconds
            for _ in taken.read(archive.original_part, wanted, dates):
                read += 1
                if end is not None and time.monotonic() > end:
                    break
        taken.fill(db, dates)
        return len(taken.unread(db, dates)) if wanted else 0


def _costs(wanted: Sequence[tuple[str, str, int]]) -> str:
    of_each = (min(taken.HEAD, size) for _, _, size in wanted)
    return (
        f"reads the first 128 KiB of {plural(len(wanted), 'photo')}: "
        f"{out_of_s3(len(wanted), sum(of_each))}"
    )


class DatesMeanwhile:
    """Reads them while pages are served, until it is stopped: what was read is kept, and the next
    start goes on from there.

    One original at a time, with a pause after each as long as that took, so that whoever looks
    comes first. Without Pillow nothing is read. ``alone``: holds the catalog for as long as it is
    entered.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        archive: Archive,
        cache: Path | None,
        *,
        alone: Callable[[], AbstractContextManager[object]],
        clock: Clock,
    ) -> None:
        self._db, self._archive, self._cache = db, archive, cache
        self._alone, self._clock = alone, clock
        self._stopped, self._more = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="dates", daemon=True)

    def tell(self, say: Console) -> None:
        """Say what that takes of a bucket."""
        with _dates(self._cache) as dates, self._alone():
            wanted = taken.unread(self._db, dates)
        if wanted:
            say.print(_costs(wanted), soft_wrap=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def look_again(self) -> None:
        """The catalog knows more than when it was read."""
        self._more.set()

    def stop(self) -> None:
        """End within a moment; an original that is being read from a bucket is not waited for."""
        self._stopped.set()
        self._more.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _work(self) -> None:
        while not self._stopped.is_set():
            # Without dates the pages are what they were; the next look tries again.
            with suppress(sqlite3.Error):
                self.read()
            self._more.wait()
            # Not before: that it was stopped, or that there is more, must not be lost.
            self._more.clear()

    def read(self) -> None:
        """Read all that is lacking now, or as far as it can be had."""
        with _dates(self._cache) as dates:
            with self._alone():
                taken.fill(self._db, dates)
                wanted = taken.unread(self._db, dates)
            found: dict[str, str | None] = {}
            begun = put = self._clock.monotonic()
            in_vain = 0
            for read in taken.read(self._archive.original_part, wanted, dates):
                in_vain = in_vain + 1 if read is None else 0
                found.update([read] if read is not None else [])
                now = self._clock.monotonic()
                if self._stopped.wait(now - begun) or in_vain >= _MOST_IN_VAIN:
                    break
                begun = self._clock.monotonic()
                if begun - put >= _PUT_EVERY:
                    self._put(found)
                    put = self._clock.monotonic()
            if not self._stopped.is_set():
                self._put(found)

    def _put(self, found: dict[str, str | None]) -> None:
        with self._alone():
            taken.put(self._db, found)
        found.clear()


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
        make_private(Path(place).parent)
    db = sqlite3.connect(place, timeout=60, isolation_level=None)
    try:
        # It can be read again.
        db.execute("PRAGMA synchronous = OFF")
        taken.Dates(db)
    except BaseException:
        db.close()
        raise
    return db
