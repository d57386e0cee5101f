"""A store for those who only look at it."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import Archived, ListingIncomplete, NotABackup, StoreError, StoreRefused
from smugmug_backup.model import Room, StoredObject
from smugmug_backup.ports import BackupStore, Batch, Body, Upload


class Looking:
    """`BackupStore` in which one thing that is closed hides no other.

    A listing gives what it can, and an object that is refused counts as one that is no file of a
    backup: whoever looks has a rule for these.
    """

    def __init__(self, store: BackupStore) -> None:
        self._store = store
        self._unseen: dict[str, StoreError] = {}
        self._seen = False

    def unseen(self) -> tuple[str, ...]:
        """What could not be looked into, in words. Raises StoreError if that is all there is."""
        if self._unseen and not self._seen:
            raise next(iter(self._unseen.values()))
        return tuple(self._unseen)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
            self._seen = True
        except (StoreRefused, Archived) as error:
            self._unseen[str(error)] = error
            raise NotABackup(str(error)) from None

    @property
    def requests(self) -> int:
        """See `BackupStore`."""
        return self._store.requests

    def bounded(self, deadline: Deadline) -> BackupStore:
        """See `BackupStore`; what it cannot look into is told here, too."""
        bounded = Looking(self._store.bounded(deadline))
        bounded._unseen = self._unseen
        return bounded

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        """See `BackupStore`."""
        try:
            yield from self._store.list(prefix, after=after, until=until)
        except ListingIncomplete as error:
            self._unseen[str(error)] = error

    def head(self, key: str) -> StoredObject | None:
        """See `BackupStore`."""
        return self._store.head(key)

    def read(self, key: str) -> bytes:
        """See `BackupStore`."""
        with self._reading():
            return self._store.read(key)

    def read_part(self, key: str, offset: int, length: int) -> bytes:
        """See `BackupStore`."""
        with self._reading():
            return self._store.read_part(key, offset, length)

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        """See `BackupStore`."""
        with self._reading(), self._store.open(key) as chunks:
            yield chunks

    def create(
        self, key: str, body: Body, *, file_name: str | None = None, sha256: str | None = None
    ) -> None:
        """Nobody who looks writes."""
        raise NotImplementedError(key)

    def upload(self, key: str, *, file_name: str | None = None) -> AbstractContextManager[Upload]:
        """Nobody who looks writes."""
        raise NotImplementedError(key)

    def batch(self) -> Batch:
        """See `BackupStore`."""
        return self

    def barrier(self) -> Mapping[str, StoreError]:
        """Nobody who looks writes."""
        raise NotImplementedError

    def room(self) -> Room:
        """See `BackupStore`."""
        return self._store.room()
