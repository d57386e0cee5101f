"""A store that fails where it is told to: lost, met again, or killed.

    operations = enumerate_operations(lambda store: run(store), MemoryStore())
    for operation in operations:
        faulty = FaultyStore(store, {operation.number: Fault.ANSWER_LOST})

After a kill nothing of that process works any more, whichever thread asks; an upload that it had
begun is neither committed nor aborted.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import StoreUnavailable
from smugmug_backup.model import StoredObject
from smugmug_backup.ports import BackupStore, Upload
from tests.tools.killed import Killed

T = TypeVar("T")

_PAGE = 1000


class Fault(Enum):
    """What goes wrong with one operation."""

    REQUEST_LOST = "request lost"
    """The store never heard of it."""
    ANSWER_LOST = "answer lost"
    """The store did it; we never learn. A listing or a body breaks off after its first piece."""
    RETRIED = "answer lost, asked again by the adapter"
    """The store did it, and the adapter's own retry meets what it wrote itself."""
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"


_BREAKS_OFF = (Fault.ANSWER_LOST, Fault.KILLED_AFTER)


@dataclass(frozen=True)
class StoreOperation:
    """The n-th operation (1, 2, 3 ...): ``create``, ``write``, ``commit``, ``head``, ``read``,
    ``open``, or ``list`` (once for each 1,000 objects), and its key or prefix."""

    number: int
    name: str
    key: str


Plan = Mapping[int, Fault] | Callable[[StoreOperation], Fault | None]


class FaultyStore:
    """Wraps a `BackupStore`; ``plan`` says which operations fail, by number or by predicate.

    ``log`` holds the operations so far, so a run without a plan enumerates all points at which a
    process can fail; ``operations`` are their (name, key); ``struck`` those that failed.
    """

    def __init__(self, store: BackupStore, plan: Plan | None = None) -> None:
        self._store = store
        self._plan: Plan = {} if plan is None else plan
        self._lock = threading.Lock()
        self._orphans: list[Any] = []
        self.log: list[StoreOperation] = []
        self.struck: list[StoreOperation] = []
        self.dead = False

    @property
    def operations(self) -> list[tuple[str, str]]:
        """(name, key) of each operation so far, in order."""
        return [(each.name, each.key) for each in self.log]

    @property
    def requests(self) -> int:
        return self._store.requests

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        found = self._store.list(prefix, after=after, until=until)
        more = True
        while more:
            fault = self._begin("list", prefix)
            more = False
            for count, each in enumerate(found, start=1):
                self.check_alive()
                yield each
                if fault in _BREAKS_OFF:
                    break
                if count == _PAGE:
                    more = True
                    break
            self._end(fault)

    def head(self, key: str) -> StoredObject | None:
        return self._do("head", key, lambda: self._store.head(key))

    def read(self, key: str) -> bytes:
        return self._do("read", key, lambda: self._store.read(key))

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        fault = self._begin("open", key)
        with self._store.open(key) as chunks:
            yield self._chunks(chunks, fault)

    def bounded(self, deadline: Deadline) -> "FaultyStore":
        return self

    def create(self, key: str, body: bytes, *, file_name: str | None = None) -> None:
        self._do("create", key, lambda: self._store.create(key, body, file_name=file_name))

    @contextmanager
    def upload(self, key: str, *, file_name: str | None = None) -> Iterator["_FaultyUpload"]:
        self.check_alive()
        context = self._store.upload(key, file_name=file_name)
        upload = context.__enter__()
        try:
            yield _FaultyUpload(self, upload, key)
        except BaseException:
            if self.dead:
                # There is nobody left to abort it. It is kept, or Python would close it.
                self._orphans.append(context)
                raise
            if not context.__exit__(*sys.exc_info()):
                raise
        else:
            if self.dead:
                self._orphans.append(context)
                raise Killed
            context.__exit__(None, None, None)

    def check_alive(self) -> None:
        """Raise Killed if the process is gone."""
        if self.dead:
            raise Killed

    def _chunks(self, chunks: Iterator[bytes], fault: Fault | None) -> Iterator[bytes]:
        for chunk in chunks:
            self.check_alive()
            yield chunk
            if fault in _BREAKS_OFF:
                break
        self._end(fault)

    def _do(self, name: str, key: str, act: Callable[[], T]) -> T:
        fault = self._begin(name, key)
        result = act()
        self.check_alive()
        if fault is Fault.RETRIED:
            return act()
        self._end(fault)
        return result

    def _begin(self, name: str, key: str) -> Fault | None:
        with self._lock:
            self.check_alive()
            operation = StoreOperation(len(self.log) + 1, name, key)
            self.log.append(operation)
            plan = self._plan
            fault = plan(operation) if callable(plan) else plan.get(operation.number)
            if fault is not None:
                self.struck.append(operation)
            if fault is Fault.KILLED_BEFORE:
                self._kill()
        if fault is Fault.REQUEST_LOST:
            raise StoreUnavailable("the request was lost")
        return fault

    def _end(self, fault: Fault | None) -> None:
        if fault is Fault.KILLED_AFTER:
            self._kill()
        if fault is Fault.ANSWER_LOST:
            raise StoreUnavailable("the answer was lost")

    def _kill(self) -> None:
        self.dead = True
        raise Killed


class _FaultyUpload:
    def __init__(self, store: FaultyStore, upload: Upload, key: str) -> None:
        self._store, self._upload, self._key = store, upload, key

    def write(self, chunk: bytes) -> None:
        # An adapter sends a part again on its own; written twice, it would be another object.
        fault = self._store._begin("write", self._key)
        self._upload.write(chunk)
        self._store._end(fault)

    def commit(self) -> None:
        self._store._do("commit", self._key, self._upload.commit)


def enumerate_operations(
    run: Callable[[FaultyStore], object], store: BackupStore
) -> list[StoreOperation]:
    """The operations that ``run`` does when nothing fails."""
    watched = FaultyStore(store)
    run(watched)
    return watched.log
