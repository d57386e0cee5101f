"""A store in memory, for the fastest tests. It keeps the port's promises: the contract suite runs
on it too."""

import hashlib
import threading
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from contextlib import contextmanager

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import AlreadyStored, NotStored, StoreError
from smugmug_backup.model import Room, StoredObject
from smugmug_backup.ports import Body
from smugmug_backup.storage.keys import checked, checked_prefix

_CHUNK = 1024 * 1024


class Objects(dict[str, bytes]):
    """Bytes by key, in the order of the keys: which thread was first decides nothing."""

    def _ordered(self) -> dict[str, bytes]:
        return dict(sorted(super().items()))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(super().keys()))

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        return self._ordered().keys()

    def values(self) -> ValuesView[bytes]:  # type: ignore[override]
        return self._ordered().values()

    def items(self) -> ItemsView[str, bytes]:  # type: ignore[override]
        return self._ordered().items()


class MemoryStore:
    """`BackupStore` in a dict.

    A test may damage ``objects`` as it likes. ``overwrites`` names each key that was taken when
    other bytes were offered for it; ``archived`` are keys that say so of themselves; ``log`` has
    each operation (``list``, ``head``, ``get`` or ``put``) and its key.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = Objects()
        self.overwrites: list[str] = []
        self.archived: set[str] = set()
        self.log: list[tuple[str, str]] = []
        self.requests = 0
        self.has_room = Room()
        self._lock = threading.Lock()

    def keys(self) -> list[str]:
        """All keys, in order."""
        with self._lock:
            return sorted(self.objects)

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        checked_prefix(prefix)
        self._note("list", prefix)
        for key in self.keys():
            if key.startswith(prefix) and key > after and (until is None or key <= until):
                found = self._stored(key)
                if found is not None:
                    yield found

    def head(self, key: str) -> StoredObject | None:
        checked(key)
        self._note("head", key)
        return self._stored(key)

    def read(self, key: str) -> bytes:
        checked(key)
        self._note("get", key)
        body = self.objects.get(key)
        if body is None:
            raise NotStored(f"nothing is stored under {key}")
        return body

    def read_part(self, key: str, offset: int, length: int) -> bytes:
        part = self.read(key)[offset : offset + length]
        if not part:
            raise NotStored(f"{key} ends before what is asked for")
        return part

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        body = self.read(key)
        yield (body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK))

    def bounded(self, deadline: Deadline) -> "MemoryStore":
        return self

    def create(
        self, key: str, body: Body, *, file_name: str | None = None, sha256: str | None = None
    ) -> None:
        checked(key)
        assert sha256 in (None, hashlib.sha256(body).hexdigest())
        self._note("put", key)
        if not self._put(key, bytes(body)) and self.objects.get(key) != body:
            raise AlreadyStored(f"something else is stored under {key}")

    @contextmanager
    def upload(self, key: str, *, file_name: str | None = None) -> Iterator["_MemoryUpload"]:
        yield _MemoryUpload(self, checked(key))

    def batch(self) -> "_MemoryBatch":
        """Nothing of it is seen before the barrier: who needs it earlier is caught."""
        return _MemoryBatch(self)

    def room(self) -> Room:
        return self.has_room

    def _put(self, key: str, body: bytes) -> bool:
        with self._lock:
            if key not in self.objects:
                self.objects[key] = body
                return True
            if self.objects[key] != body:
                self.overwrites.append(key)
            return False

    def _stored(self, key: str) -> StoredObject | None:
        body = self.objects.get(key)
        return None if body is None else StoredObject(key, len(body), key in self.archived)

    def _note(self, operation: str, key: str) -> None:
        with self._lock:
            self.requests += 1
            self.log.append((operation, key))


class _MemoryBatch:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._waiting: dict[str, bytes] = {}
        self._failed: dict[str, StoreError] = {}
        self._lock = threading.Lock()

    def create(
        self, key: str, body: Body, *, file_name: str | None = None, sha256: str | None = None
    ) -> None:
        checked(key)
        self._note("put", key)
        if not self._put(key, bytes(body)) and self._there(key) != body:
            raise AlreadyStored(f"something else is stored under {key}")

    @contextmanager
    def upload(self, key: str, *, file_name: str | None = None) -> Iterator["_MemoryUpload"]:
        yield _MemoryUpload(self, checked(key))

    def barrier(self) -> Mapping[str, StoreError]:
        with self._lock:
            for key, body in self._waiting.items():
                if not self._store._put(key, body) and self._store.objects.get(key) != body:
                    self._failed[key] = AlreadyStored(f"something took {key}")
            self._waiting.clear()
            return dict(self._failed)

    def _note(self, operation: str, key: str) -> None:
        self._store._note(operation, key)

    def _there(self, key: str) -> bytes | None:
        return self._waiting.get(key, self._store.objects.get(key))

    def _put(self, key: str, body: bytes) -> bool:
        with self._lock:
            if self._there(key) is not None:
                if self._there(key) != body:
                    self._store.overwrites.append(key)
                return False
            self._failed.pop(key, None)
            self._waiting[key] = body
            return True


class _MemoryUpload:
    def __init__(self, store: "MemoryStore | _MemoryBatch", key: str) -> None:
        self._store = store
        self._key = key
        self._body = bytearray()

    def write(self, chunk: bytes) -> None:
        self._body += chunk

    def commit(self) -> None:
        self._store._note("put", self._key)
        if not self._store._put(self._key, bytes(self._body)):
            raise AlreadyStored(f"something is stored under {self._key} already")
