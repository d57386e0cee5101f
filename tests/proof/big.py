"""A great account that nobody could hold in memory, and a store that need not.

``python -m tests.proof.big ALBUMS IMAGES NIGHTS [THREADS]`` backs it up and prints a JSON line a
night: seconds, peak memory, calls, and what was written. Images are made when they are asked for;
each has a few bytes of its own. The store is a table on disk.
"""

import hashlib
import json
import resource
import sqlite3
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from smugmug_backup.backup.run import Backup, Options, RunReport, RunRequest
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import AlreadyStored, NotStored
from smugmug_backup.model import (
    Account,
    Album,
    Availability,
    Image,
    Listing,
    Offer,
    Room,
    StoredObject,
)
from tests.proof.world import InlineBackup
from tests.tools.clock import START, FakeClock
from tests.tools.fake_source import JPEG
from tests.tools.streams import OfChunks

_PAGE = 1_000
_OLD = START - timedelta(days=900)


class TableStore:
    """A `BackupStore` in one SQLite table; bodies are packed."""

    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-32000"):
            self._base.execute(f"PRAGMA {pragma}")
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS objects"
            "(key TEXT PRIMARY KEY, size INTEGER, body BLOB) WITHOUT ROWID"
        )
        self._lock = threading.Lock()
        self.requests = 0

    def batch(self) -> "TableStore":
        return self

    def barrier(self) -> dict[str, Any]:
        return {}

    def room(self) -> Room:
        return Room()

    def _ask(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            self.requests += 1
            return self._base.execute(query, values).fetchall()

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        last, end = max(after, prefix[:-1] if prefix else ""), until or prefix + "\x7f"
        while True:
            page = self._ask(
                "SELECT key, size FROM objects WHERE key > ? AND key <= ? ORDER BY key LIMIT ?",
                last,
                end,
                _PAGE,
            )
            for key, size in page:
                if key.startswith(prefix):
                    yield StoredObject(key, size)
            if len(page) < _PAGE:
                return
            last = page[-1][0]

    def head(self, key: str) -> StoredObject | None:
        found = self._ask("SELECT size FROM objects WHERE key = ?", key)
        return StoredObject(key, found[0][0]) if found else None

    def read(self, key: str) -> bytes:
        found = self._ask("SELECT body FROM objects WHERE key = ?", key)
        if not found:
            raise NotStored(key)
        return zlib.decompress(found[0][0])

    def read_part(self, key: str, offset: int, length: int) -> bytes:
        return self.read(key)[offset : offset + length]

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        yield iter([self.read(key)])

    def bounded(self, deadline: Deadline) -> "TableStore":
        return self

    def create(self, key: str, body: bytes, **_: Any) -> None:
        packed = zlib.compress(body, 1)
        try:
            self._ask("INSERT INTO objects VALUES (?, ?, ?)", key, len(body), packed)
        except sqlite3.IntegrityError:
            if self.read(key) != body:
                raise AlreadyStored(key) from None

    def close(self) -> None:
        self._base.close()

    def upload(self, key: str, *, file_name: str | None = None) -> Any:
        raise AssertionError("nothing is large here")


class BigSource:
    """An account of ``albums`` albums of ``images`` images; one album in 200 changes a night."""

    name = "smugmug-1.3.0"

    def __init__(self, clock: FakeClock, albums: int, images: int) -> None:
        self._clock, self._albums, self._images = clock, albums, images
        self.api_calls = 0

    @property
    def answered_at(self) -> datetime:
        return self._clock.now()

    def account(self, *, deadline: Deadline) -> Account:
        self.api_calls += 1
        return Account("larkfield", "owner")

    def albums(self, *, deadline: Deadline) -> tuple[Album, ...]:
        self.api_calls += 1
        return tuple(self._album(number) for number in range(self._albums))

    def _album(self, number: int) -> Album:
        key = f"a{number:06d}"
        return Album(
            key=key,
            id=number,
            title=f"Album {number}",
            path=("Travel",),
            image_count=self._images,
            data={"id": number, "Key": key, "Title": f"Album {number}"},
            urls=("URL",),
            changed_at=_OLD,
        )

    def images(self, album: Album, *, since: int | None, deadline: Deadline) -> Listing:
        self.api_calls += 1
        number = int(album.key[1:])
        now = self._clock.now()
        positions = range(self._images)
        if since is not None:
            # Only the first image is ever edited.
            positions = range(int(self._edited(number, now).timestamp() > since))
        images = tuple(self._image(number, each, now) for each in positions)
        return Listing(since is None, images, len(images), now)

    def _edited(self, album: int, now: datetime) -> datetime:
        """When the album's first image was last edited: on one night in 200."""
        days = (now - START).days
        night = days - (days - album) % 200
        return START + timedelta(days=night) - timedelta(hours=5) if night > 0 else _OLD

    def _image(self, album: int, position: int, now: datetime) -> Image:
        key = f"i{album:06d}x{position:04d}"
        body = JPEG + key.encode()
        edited = self._edited(album, now) if position == 0 else _OLD
        md5 = hashlib.md5(body).hexdigest()
        data = {
            "id": album * 10_000 + position,
            "Key": key,
            "FileName": f"DSC_{position:05d}.JPG",
            "Caption": f"The old quay, seen from {position}, {edited:%d %B}",
            "Keywords": "harbour; quay; boats; evening",
            "Serial": 0,
            "Size": len(body),
            "Format": "JPG",
            "MD5Sum": md5,
            "LastUpdated": f"{edited:%Y-%m-%d %H:%M:%S}",
            "Date": "2024-08-10 21:03:19",
            "Width": 4000,
            "Height": 3000,
            "Hidden": False,
        }
        return Image(
            key=key,
            id=album * 10_000 + position,
            file_name=f"DSC_{position:05d}.JPG",
            last_updated=data["LastUpdated"],
            position=position + 1,
            data=data,
            urls=("LargeURL", "OriginalURL", "ThumbURL"),
            offer=Offer(
                kind="original",
                availability=Availability.READY,
                serial=0,
                size=len(body),
                format="JPG",
                md5=md5,
                url_field="OriginalURL",
                url=key,
            ),
        )

    def resolve(self, album: Album, image: Image, *, deadline: Deadline) -> Offer:
        raise AssertionError("nothing to look up")

    @contextmanager
    def open(self, offer: Offer, *, deadline: Deadline) -> Iterator["_Body"]:
        yield _Body(JPEG + str(offer.url).encode())


class _Body(OfChunks):
    def __init__(self, body: bytes) -> None:
        self._body, self.length = body, len(body)

    def chunks(self) -> Iterator[bytes]:
        yield self._body


def nights(albums: int, images: int, number: int, threads: int = 0) -> Iterator[dict[str, Any]]:
    """Back the account up on ``number`` nights; what each one cost. No threads: one after all."""
    clock, count = FakeClock(), 0

    def token() -> str:
        nonlocal count
        count += 1
        return f"{count:08x}"

    with (
        tempfile.TemporaryDirectory() as folder,
        closing(TableStore(Path(folder) / "store.db")) as store,
    ):
        for night in range(number):
            source = BigSource(clock, albums, images)
            backup = (Backup if threads else InlineBackup)(
                source=source,
                store=store,
                clock=clock,
                token=token,
                options=Options(concurrency=threads or 1),
            )
            began, cpu = time.monotonic(), time.process_time()
            report = backup.run(RunRequest(), deadline=Deadline.none(clock))
            assert isinstance(report, RunReport) and report.status == "complete", report
            assert report.counts.images == albums * images
            yield {
                "night": night,
                "seconds": round(time.monotonic() - began, 1),
                "cpu": round(time.process_time() - cpu, 1),
                "peak_mb": peak_mb(),
                "api_calls": report.counts.api_calls,
                "s3_requests": report.counts.s3_requests,
                "albums_changed": report.counts.albums_changed,
            }
            del report
            clock.advance(days=1)


def peak_mb() -> int:
    """The most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    for night in nights(*(int(each) for each in sys.argv[1:])):
        print(json.dumps(night), flush=True)


if __name__ == "__main__":
    main()
