"""A store that fails where it is told to: lost, met again, full, refused, unreadable or killed.

    points = Points({3: Fault.ANSWER_LOST})
    run(FaultyStore(store, points))

After a kill nothing of that process works any more, whichever thread asks; an upload that it had
begun is neither committed nor aborted.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import ListingIncomplete, StoreError, StoreRefused
from smugmug_backup.model import Room, StoredObject
from smugmug_backup.ports import BackupStore, Batch, Upload
from tests.tools.faults import Fault, Points

T = TypeVar("T")

_PAGE = 1000
_BREAKS_OFF = (Fault.ANSWER_LOST, Fault.KILLED_AFTER)


class FaultyStore:
    """Wraps a `BackupStore`; see `Points`.

    ``barred``: folders (they end with a slash) that nobody gets into, and files that nobody may
    look at; listings name them at their end.
    """

    def __init__(
        self, store: BackupStore, points: Points | None = None, *, barred: tuple[str, ...] = ()
    ) -> None:
        self.points = points or Points()
        self._store = store
        self._barred = tuple(sorted(barred))
        self._orphans: list[AbstractContextManager[Upload]] = []

    @property
    def requests(self) -> int:
        return self._store.requests

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        found = self._store.list(prefix, after=after, until=until)
        more = True
        while more:
            more = False
            with self.points.at("list", prefix) as fault:
                for count, each in enumerate(found, start=1):
                    self.points.check_alive()
                    if not each.key.startswith(self._barred):
                        yield each
                    if fault in _BREAKS_OFF:
                        break
                    if count == _PAGE:
                        more = True
                        break
        unseen = tuple(
            each
            for each in self._barred
            if each.startswith(prefix) or (each.endswith("/") and prefix.startswith(each))
            if each > after or (each.endswith("/") and after.startswith(each))
            if until is None or each <= until
        )
        if unseen:
            raise ListingIncomplete(f"cannot look into {unseen[0]}", keys=unseen)

    def head(self, key: str) -> StoredObject | None:
        return self._do("head", key, lambda: self._store.head(key))

    def read(self, key: str) -> bytes:
        return self._do("read", key, lambda: self._store.read(key))

    def read_part(self, key: str, offset: int, length: int) -> bytes:
        return self._do("read", key, lambda: self._store.read_part(key, offset, length))

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        fault = self._begin("open", key)
        with self._store.open(key) as chunks:
            yield self._chunks(key, chunks, fault)

    def bounded(self, deadline: Deadline) -> "FaultyStore":
        return self

    def create(self, key: str, body: bytes, **more: Any) -> None:
        self._do("create", key, lambda: self._store.create(key, body, **more))

    @contextmanager
    def upload(self, key: str, **more: Any) -> Iterator["_FaultyUpload"]:
        with self._uploading(self._store.upload(key, **more), key) as upload:
            yield upload

    @contextmanager
    def _uploading(
        self, context: AbstractContextManager[Upload], key: str
    ) -> Iterator["_FaultyUpload"]:
        self.points.check_alive()
        upload = context.__enter__()
        try:
            yield _FaultyUpload(self, upload, key)
            self.points.check_alive()
        except BaseException:
            if self.points.dead:
                # There is nobody left to abort it. It is kept, or Python would close it.
                self._orphans.append(context)
                raise
            if not context.__exit__(*sys.exc_info()):
                raise
        else:
            context.__exit__(None, None, None)

    def batch(self) -> "_FaultyBatch":
        return _FaultyBatch(self, self._store.batch())

    def room(self) -> Room:
        return self._store.room()

    def _begin(self, name: str, key: str) -> Fault | None:
        fault = self.points.begin(name, key)
        if key.startswith(self._barred):
            raise StoreRefused(f"{key}: {Fault.REFUSED.value}")
        return fault

    def _chunks(self, key: str, chunks: Iterator[bytes], fault: Fault | None) -> Iterator[bytes]:
        if fault is not Fault.UNREADABLE:
            for chunk in chunks:
                self.points.check_alive()
                yield chunk
                if fault in _BREAKS_OFF:
                    break
        self.points.end(fault, "open", key)

    def _do(self, name: str, key: str, act: Callable[[], T]) -> T:
        fault = self._begin(name, key)
        result = act()
        if fault is Fault.RETRIED:
            result = act()
        self.points.end(fault, name, key)
        return result


class _FaultyBatch:
    """What a killed process had in it is lost: the next has a batch of its own."""

    def __init__(self, store: FaultyStore, batch: Batch) -> None:
        self._store, self._batch = store, batch

    def create(self, key: str, body: bytes, **more: Any) -> None:
        self._store._do("create", key, lambda: self._batch.create(key, body, **more))

    @contextmanager
    def upload(self, key: str, **more: Any) -> Iterator["_FaultyUpload"]:
        with self._store._uploading(self._batch.upload(key, **more), key) as upload:
            yield upload

    def barrier(self) -> Mapping[str, StoreError]:
        return self._store._do("barrier", "", self._batch.barrier)


class _FaultyUpload:
    def __init__(self, store: FaultyStore, upload: Upload, key: str) -> None:
        self._store, self._upload, self._key = store, upload, key

    def write(self, chunk: bytes) -> None:
        self._store._do("write", self._key, lambda: self._upload.write(chunk))

    def commit(self) -> None:
        self._store._do("commit", self._key, self._upload.commit)
