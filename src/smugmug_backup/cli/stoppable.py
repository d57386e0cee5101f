"""A store in which the reading of a large original ends when somebody asks for an end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from smugmug_backup.archive.keys import parse_original, plain
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import OutOfTime
from smugmug_backup.ports import BackupStore


def stoppable(store: BackupStore, deadline: Deadline) -> BackupStore:
    """``store`` for one run that may be interrupted: bounded, and see above.

    What a commit and a report read is small, and is read to its end.
    """
    return cast("BackupStore", _Stoppable(store.bounded(deadline), deadline))


class _Stoppable:
    def __init__(self, store: BackupStore, deadline: Deadline) -> None:
        self._store = store
        self._deadline = deadline

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def bounded(self, deadline: Deadline) -> BackupStore:
        """See `BackupStore`."""
        return stoppable(self._store, deadline)

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        """See `BackupStore`. Raises OutOfTime, too."""
        with self._store.open(key) as chunks:
            yield self._in_time(chunks) if parse_original(plain(key)[0]) else chunks

    def _in_time(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self._deadline.over:
                raise OutOfTime("no time left to read this original")
            yield chunk
