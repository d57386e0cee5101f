"""A file on its way into the folder store."""

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from smugmug_backup import system
from smugmug_backup.errors import AlreadyStored
from smugmug_backup.ports import Body
from smugmug_backup.storage import file_system
from smugmug_backup.storage.file_system import close

if TYPE_CHECKING:
    from smugmug_backup.storage.folder import FolderStore


class FolderUpload:
    """A file on its way in; see `Upload`. ``later``: see `FolderStore.put`."""

    def __init__(self, store: "FolderStore", key: str, later: set[str] | None = None) -> None:
        self._store = store
        self._key = key
        self._later = later
        self._path = store.path(file_system.INCOMING)
        self._descriptor: int | None = None

    def write(self, chunk: Body) -> None:
        """See `Upload.write`; nothing is held back."""
        with self._store.errors("writing", self._key):
            descriptor = self._opened()
            left = memoryview(chunk)
            while left:
                left = left[os.write(descriptor, left) :]

    def commit(self) -> None:
        """See `Upload.commit`."""
        with self._store.errors("writing", self._key):
            descriptor = self._opened()
            system.flush(descriptor)
            # Windows names, and removes, nothing that is open.
            close(descriptor)
            self._descriptor = None
            try:
                self._store.name(self._key, self._path.name, self._later)
            except FileExistsError:
                path = self._store.path(self._key)
                raise AlreadyStored(f"{path} is there already; it was left alone") from None
            finally:
                self._remove()

    def finish(self) -> str:
        """The name of the file, written but not yet on the disk, for `FolderBatch`."""
        with self._store.errors("writing", self._key):
            descriptor = self._opened()
            self._descriptor = None
            os.close(descriptor)
        return self._path.name

    def close(self) -> None:
        """Drop what was not committed."""
        if self._descriptor is not None:
            close(self._descriptor)
            self._descriptor = None
            self._remove()

    def _remove(self) -> None:
        with suppress(OSError):
            system.unlink(self._path)  # one that stays is swept a day later

    def _opened(self) -> int:
        if self._descriptor is None:
            self._path, self._descriptor = file_system.new_file(
                self._store.path(file_system.INCOMING)
            )
        return self._descriptor
