"""What a commit will name: written at once, and durable at one barrier instead of file by file.

======================  ========================================================================
the disk                what happens
======================  ========================================================================
can be synced whole     files wait under ``.incoming/``; at the barrier all that was written is
(`system.syncs_whole`)  synced, the files get their names, and the names are synced
any other               each file is flushed and named at once; at the barrier the folders are
                        flushed, each once
======================  ========================================================================

Either way no name is seen before its bytes are on the disk, and none counts before the barrier.
"""

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from smugmug_backup import system
from smugmug_backup.errors import AlreadyStored, NotStored, StoreError, StoreUnavailable
from smugmug_backup.ports import Body
from smugmug_backup.storage.file_system import INCOMING
from smugmug_backup.storage.folder_tree import Folder
from smugmug_backup.storage.folder_upload import FolderUpload

if TYPE_CHECKING:
    from smugmug_backup.storage.folder import FolderStore

_WAITING = 256
_WAITING_BYTES = 512 * 1024 * 1024
"""So much may wait for its name before it gets it by itself: a kill costs no more than that."""


class FolderBatch:
    """See `Batch`; for the threads of one run."""

    def __init__(self, store: "FolderStore") -> None:
        self._store = store
        self._lock = threading.Lock()
        self._barrier = threading.Lock()
        self._waiting: dict[str, str] = {}
        self._waiting_bytes = 0
        self._later: set[str] = set()
        self._failed: dict[str, StoreError] = {}
        self._root: Folder | None = None
        self._sync: Callable[[], None] | None = None
        self._age = 0

    def create(
        self, key: str, body: Body, *, file_name: str | None = None, sha256: str | None = None
    ) -> None:
        """See `Batch.create`."""
        self._begin(key)
        if self._sync is None:
            self._store.put(key, body, self._later)
        elif not (self._is_taken(key) and self._store.holds(key, body, self._later)):
            try:
                with self._uploading(key) as upload:
                    upload.write(body)
                    self._wait(upload, len(body))
            except AlreadyStored:
                if not self._store.holds(key, body, self._later):
                    raise
        self._failed.pop(key, None)

    @contextmanager
    def upload(self, key: str, *, file_name: str | None = None) -> Iterator["BatchUpload"]:
        """See `Batch.upload`."""
        self._begin(key)
        with self._uploading(key) as upload:
            yield upload

    @contextmanager
    def _uploading(self, key: str) -> Iterator["BatchUpload"]:
        upload = BatchUpload(self, self._store, key, self._later, self._age)
        try:
            yield upload
        finally:
            upload.close()

    def barrier(self) -> Mapping[str, StoreError]:
        """See `Batch.barrier`."""
        with self._barrier:
            with self._lock:
                waiting, self._waiting, self._waiting_bytes = self._waiting, {}, 0
                later = sorted(self._later)
                self._later.clear()
            if waiting:
                self._name_all(waiting)
            elif self._sync is None:
                self._flush(later)
            return dict(self._failed)

    # -- for its uploads -------------------------------------------------------------------------

    def commit(self, upload: "BatchUpload", size: int) -> None:
        """See `Upload.commit`."""
        if self._sync is None:
            upload.commit_now()
        elif self._is_taken(upload.key):
            raise AlreadyStored(f"{self._store.path(upload.key)} is there already")
        else:
            self._wait(upload, size)
        self._failed.pop(upload.key, None)

    def _begin(self, key: str) -> None:
        self._store.begin(key)
        with self._lock:
            if self._root is None:
                # Open before anything is written: what cannot be is told to who was there.
                with self._store.errors("opening", ""):
                    self._root = self._store.top()
                weakref.finalize(self, self._root.close)
                if self._root.descriptor is not None:
                    self._sync = system.syncs_whole(self._root.descriptor)
            known = key in self._waiting
        if known:
            self.barrier()

    def _is_taken(self, key: str) -> bool:
        """Whether something has that name; its folder is made by the way."""
        place, _, name = key.rpartition("/")
        with (
            self._store.errors("writing", key),
            self._store.into(place, self._later) as (folder, is_new),
        ):
            return not is_new and folder.look(name) is not None

    def _wait(self, upload: "BatchUpload", size: int) -> None:
        key, part = upload.key, upload.finish()
        with self._lock:
            meanwhile: StoreError | None = None
            if upload.age != self._age:
                # A sync failed meanwhile, and told it of all that was written until then.
                meanwhile = StoreUnavailable(f"{self._store.path(key)} could not be written")
            elif key in self._waiting:
                meanwhile = AlreadyStored(f"{self._store.path(key)} was written by another thread")
            else:
                self._waiting[key] = part
                self._waiting_bytes += size
            many = len(self._waiting) >= _WAITING or self._waiting_bytes >= _WAITING_BYTES
        if meanwhile is not None:
            self._drop([part])
            self.barrier()
            raise meanwhile
        if many:
            self.barrier()

    # -- at the barrier --------------------------------------------------------------------------

    def _name_all(self, waiting: Mapping[str, str]) -> None:
        try:
            if self._synced(waiting):
                for key, part in waiting.items():
                    try:
                        self._name(key, part)
                    except StoreError as error:
                        self._failed[key] = error
                self._synced(waiting)
        finally:
            self._drop(waiting.values())

    def _drop(self, parts: Iterable[str]) -> None:
        incoming = str(self._store.path(INCOMING))
        for part in parts:
            with suppress(OSError):
                system.unlink(os.path.join(incoming, part))  # noqa: PTH118 - there are many

    def _synced(self, waiting: Iterable[str]) -> bool:
        """Sync the disk; if it cannot, nothing that was written until now can be relied upon."""
        assert self._sync is not None
        try:
            with self._store.errors("flushing", ""):
                self._sync()
        except StoreError as error:
            with self._lock:
                self._age += 1
                lost = [*waiting, *self._waiting]
                self._drop(self._waiting.values())
                self._waiting.clear()
                self._waiting_bytes = 0
            self._failed.update(dict.fromkeys(lost, error))
            return False
        return True

    def _name(self, key: str, part: str) -> None:
        with self._store.errors("writing", key):
            try:
                self._store.name(key, part, set())
            except FileExistsError:
                if not self._same(key, part):
                    path = self._store.path(key)
                    raise AlreadyStored(f"{path} was taken by another process") from None

    def _same(self, key: str, part: str) -> bool:
        """Whether the file that has the name has the same bytes: it is ours (an answer was lost),
        or another process stored them."""
        mine = self._store.path(INCOMING) / part
        with suppress(NotStored), self._store.open(key) as chunks, open(mine, "rb") as part_of_us:
            same = all(part_of_us.read(len(each)) == each for each in chunks)
            return same and not part_of_us.read(1)
        return False

    def _flush(self, places: Iterable[str]) -> None:
        for place in places:
            try:
                with self._store.errors("flushing", place):
                    self._store.flush_place(place)
            except StoreError as error:
                self._failed[f"{place}/" if place else ""] = error


class BatchUpload(FolderUpload):
    """A file on its way into a batch."""

    def __init__(
        self, batch: FolderBatch, store: "FolderStore", key: str, later: set[str], age: int
    ) -> None:
        super().__init__(store, key, later)
        self._batch = batch
        self._size = 0
        self.key = key
        self.age = age

    def write(self, chunk: Body) -> None:
        """See `Upload.write`."""
        super().write(chunk)
        self._size += len(chunk)

    def commit(self) -> None:
        """See `Upload.commit`."""
        self._batch.commit(self, self._size)

    def commit_now(self) -> None:
        """Let it be found at once."""
        super().commit()
