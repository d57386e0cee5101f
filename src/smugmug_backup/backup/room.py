"""How much more the store can take: asked before each original, so that none is fetched in vain.

====================================  ==========================================================
the store says                        then an original
====================================  ==========================================================
nothing (S3)                          is fetched
it is larger than any file there      is refused, and named, alone: the others may fit
more than what is free, less what     is refused, and ends the run (`Alone`): what is whole is
others have under way                 committed, and one failure says how much is needed
====================================  ==========================================================
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from smugmug_backup.archive.report import AlbumState
from smugmug_backup.errors import Concerns, StoreError, StoreFull, StoreRefused
from smugmug_backup.model import Album
from smugmug_backup.ports import BackupStore


class Space:
    """The room of one run's store; for many threads."""

    def __init__(self, store: BackupStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._under_way = 0
        self._wanted = 0
        self._foreseen = 0
        self._stored = 0

    def foresee(self, albums: Sequence[Album], states: Mapping[str, AlbumState]) -> str | None:
        """Compare what is to be fetched with what is free, before anything is; what to note if it
        will not fit, as far as sizes are known: those of the originals that are there already."""
        self._foreseen = foreseen(albums, states)
        free = self._free()
        if free is None or self._foreseen <= free:
            return None
        return (
            f"about {said(self._foreseen)} are to be fetched, and the disk has room for "
            f"{said(free)}; what fits is backed up, the rest when there is room"
        )

    def expect(self, size: int) -> None:
        """So many bytes of an album are to be fetched."""
        with self._lock:
            self._wanted += size

    @contextmanager
    def kept(self, size: int | None) -> Iterator["Kept"]:
        """Keep room for one original while it is fetched. Raises StoreFull, StoreRefused."""
        kept = Kept(self)
        try:
            kept.at_least(size or 0)
            yield kept
        finally:
            kept.end()

    def needed(self) -> str:
        """How much is missing, in words; at least, for what was not listed yet is not known."""
        with self._lock:
            more = max(self._wanted, self._foreseen) - self._stored
        free = self._free() or 0
        if more <= free:
            return "make room, and the next run goes on"
        return f"at least {said(more - free)} more are needed; make room, and the next run goes on"

    def _free(self) -> int | None:
        with suppress(StoreError):
            return self._store.room().free
        return None

    def take(self, kept: int, size: int) -> None:
        """Keep ``size`` instead of ``kept`` bytes. Raises StoreFull, StoreRefused."""
        room = self._store.room()
        if room.largest is not None and size > room.largest:
            raise StoreRefused(
                f"the disk holds no file of {said(size)} (it is FAT32: less than 4.3 GB); a disk "
                "with another file system does",
                concerns=Concerns.OBJECT,
            )
        with self._lock:
            if room.free is not None and size > room.free - self._under_way + kept:
                raise StoreFull(
                    f"the disk is full: {said(size)} of an original do not fit into the "
                    f"{said(room.free)} that are free for originals"
                )
            self._under_way += size - kept

    def written(self, size: int) -> None:
        """So much of what was kept is used up: the disk itself tells of it now."""
        with self._lock:
            self._under_way -= size

    def stored(self, size: int) -> None:
        """An original is stored."""
        with self._lock:
            self._stored += size


class Kept:
    """Room for one original."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._left = 0

    def at_least(self, size: int) -> None:
        """It turns out to be so large, before any of it is written. Raises StoreFull,
        StoreRefused."""
        if size > self._left:
            self._space.take(self._left, size)
            self._left = size

    def wrote(self, size: int) -> None:
        """So many bytes of it are written."""
        used = min(size, self._left)
        self._left -= used
        self._space.written(used)

    def end(self) -> None:
        """It is stored, or not."""
        self._space.written(self._left)


def foreseen(albums: Sequence[Album], states: Mapping[str, AlbumState]) -> int:
    """About how many bytes are new or awaited in ``albums``: by their counts, each image taken as
    large as those that the backup has are on average; 0 if it has none."""
    images = sum(state.image_count for state in states.values())
    average = sum(state.bytes for state in states.values()) / images if images else 0
    new = 0
    for album in albums:
        state = states.get(album.key, AlbumState())
        count = (album.image_count or 0) - (state.count_difference or 0)
        new += max(0, count - state.image_count) + state.pending
    return round(new * average)


def said(size: int) -> str:
    """``7.9 GB``, as disks are sold: by powers of 1,000."""
    value, unit = float(size), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
