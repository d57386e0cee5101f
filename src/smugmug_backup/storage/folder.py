"""The store in a folder: each key is a file, born whole, and never touched again."""

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import AlreadyStored, NotStored, StoreRefused, StoreUnavailable
from smugmug_backup.model import StoredObject
from smugmug_backup.ports import Body
from smugmug_backup.storage import file_system, probe
from smugmug_backup.storage.file_system import (
    check_is_there,
    close,
    flush,
    flush_folder,
    store_error,
)
from smugmug_backup.storage.folder_listing import FolderListing, stored
from smugmug_backup.storage.keys import checked, checked_prefix

_CHUNK = 1024 * 1024
_REMEMBERED = 10_000
"""So many folders are known to be on the disk; each is a short string."""


class FolderStore:
    """`BackupStore` in the folder ``root``.

    A file is written under ``.incoming/``, flushed to the disk, and then gets its name by a hard
    link: it appears whole or not at all, and no name is ever given twice. Files are read-only
    (0444, folders 0777, less the umask): nothing that touches up photos should change a backup.
    Symbolic links below ``root`` are refused, so nothing leads out of it; a listing passes over
    them, and over all else that is neither file nor folder.

    ``create``: make the folder if it is not there (but not its parent, which may be a disk that
    is not mounted), and see at once whether the file system will do. Without, that is seen at the
    first write, so that a copy on a read-only disk can be read. Raises StoreRefused.
    """

    def __init__(self, root: str | os.PathLike[str], *, create: bool = True) -> None:
        self._root = Path(root)
        self._lock = threading.Lock()
        self._requests = 0
        self._ready = False
        self._flushed: set[str] = set()
        probe.check_root(self._root, create=create)
        self._root = self._root.resolve()
        if create:
            self._prepare()

    @property
    def requests(self) -> int:
        """Operations so far."""
        return self._requests

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        """See `BackupStore.list`. The names in a folder are read when the listing comes to it."""
        checked_prefix(prefix)
        self._count()
        base = prefix[: prefix.rfind("/") + 1]
        listing = FolderListing(self._root, prefix, after=after, until=until)
        try:
            close(self._folder(base))
        except OSError as error:
            if base and isinstance(error, (FileNotFoundError, NotADirectoryError)):
                check_is_there(self._root)
                file_system.check_no_links(self._root, base)
                return
            listing.pass_over(base, error)
        else:
            yield from listing.walk(base)
        listing.end()

    def head(self, key: str) -> StoredObject | None:
        """See `BackupStore.head`."""
        self._count()
        try:
            descriptor, found = self._file(key)
        except NotStored:
            return None
        close(descriptor)
        return stored(key, found)

    def read(self, key: str) -> bytes:
        """See `BackupStore.read`."""
        with self.open(key) as chunks:
            return b"".join(chunks)

    def read_part(self, key: str, offset: int, length: int) -> bytes:
        """See `BackupStore.read_part`."""
        self._count()
        descriptor, _ = self._file(key)
        try:
            with self._errors("reading", key):
                part = os.pread(descriptor, length, offset)
        finally:
            os.close(descriptor)
        if not part:
            raise NotStored(f"{self._path(key)} ends before what is asked for")
        return part

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        """See `BackupStore.open`."""
        self._count()
        descriptor, found = self._file(key)
        try:
            yield self._chunks(key, descriptor, found.st_size)
        finally:
            close(descriptor)

    def bounded(self, deadline: Deadline) -> "FolderStore":
        """See `BackupStore.bounded`: a system call cannot be broken off."""
        return self

    def create(
        self, key: str, body: Body, *, file_name: str | None = None, sha256: str | None = None
    ) -> None:
        """See `BackupStore.create`."""
        with self.upload(key) as upload:
            # To look first saves writing what is there already.
            if self._holds(key, body):
                return
            upload.write(body)
            try:
                upload.commit()
            except AlreadyStored:
                if not self._holds(key, body):
                    raise StoreRefused(f"no file, and yet {self._path(key)} is taken") from None

    @contextmanager
    def upload(self, key: str, *, file_name: str | None = None) -> Iterator["FolderUpload"]:
        """See `BackupStore.upload`."""
        checked(key)
        self._count()
        self._prepare()
        upload = FolderUpload(self, key)
        try:
            yield upload
        finally:
            upload.close()

    def _holds(self, key: str, body: Body) -> bool:
        """Whether ``body`` lies under ``key``, for good. Raises AlreadyStored for other bytes."""
        try:
            descriptor, found = self._file(key)
        except NotStored:
            return False
        try:
            same, start = found.st_size == len(body), 0
            while same and start < len(body):
                with self._errors("reading", key):
                    chunk = os.read(descriptor, _CHUNK)
                same = bool(chunk) and body[start : start + len(chunk)] == chunk
                start += len(chunk)
            if not same:
                raise AlreadyStored(f"{self._path(key)} holds something else; it was left alone")
            # Whoever wrote it may have died before it was on the disk.
            with self._errors("flushing", key):
                flush(descriptor)
                self._link(key)
        finally:
            close(descriptor)
        return True

    def _link(self, key: str, incoming: str | None = None) -> None:
        """Give ``incoming``, if there is one, its name, and flush the folders that lead to it."""
        place, _, name = key.rpartition("/")
        folder = self._folder(place, make=True)
        try:
            if incoming is not None:
                source = self._folder(file_system.INCOMING)
                try:
                    os.link(incoming, name, src_dir_fd=source, dst_dir_fd=folder)
                finally:
                    close(source)
        finally:
            # Also if the name is taken: whoever took it may not have come so far.
            try:
                flush_folder(folder)
            finally:
                close(folder)

    def _folder(self, path: str, *, make: bool = False) -> int:
        """A descriptor of the folder ``path``, reached without following a symbolic link."""
        descriptor = os.open(self._root, file_system.ROOT)
        so_far = ""
        try:
            for part in filter(None, path.split("/")):
                so_far += f"{part}/"
                if make and so_far not in self._flushed:
                    file_system.make_folder(part, descriptor)
                    # Even if another thread made it: it may not have flushed it yet.
                    flush_folder(descriptor)
                    self._remember(so_far)
                inner = os.open(part, file_system.FOLDER, dir_fd=descriptor)
                close(descriptor)
                descriptor = inner
        except BaseException:
            close(descriptor)
            raise
        return descriptor

    def _file(self, key: str) -> tuple[int, os.stat_result]:
        """An open descriptor of ``key``'s file, and what it is. Raises NotStored."""
        checked(key)
        place, _, name = key.rpartition("/")
        with self._errors("reading", key):
            try:
                folder = self._folder(place)
                try:
                    descriptor = os.open(name, file_system.FILE, dir_fd=folder)
                finally:
                    close(folder)
            except (FileNotFoundError, NotADirectoryError):
                check_is_there(self._root)
                file_system.check_no_links(self._root, key)
                raise NotStored(f"there is no {self._path(key)}") from None
            try:
                found = os.fstat(descriptor)
            except OSError:
                close(descriptor)
                raise
        if stat.S_ISREG(found.st_mode):
            return descriptor, found
        close(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise NotStored(f"{self._path(key)} is a folder, not a file")
        raise StoreRefused(f"{self._path(key)} is no ordinary file")

    def _chunks(self, key: str, descriptor: int, size: int) -> Iterator[bytes]:
        done = 0
        while True:
            with self._errors("reading", key):
                chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                break
            done += len(chunk)
            yield chunk
        if done != size:
            raise StoreUnavailable(f"{self._path(key)} gave {done} bytes of {size}")

    def _prepare(self) -> None:
        """Once, before anything is written: see that the file system keeps our promises."""
        if self._ready:
            return
        with self._lock:
            if not self._ready:
                with self._errors("preparing", ""):
                    probe.prepare(self._root)
                self._ready = True

    def _remember(self, folder: str) -> None:
        with self._lock:
            if len(self._flushed) >= _REMEMBERED:
                self._flushed.clear()
            self._flushed.add(folder)

    def _count(self) -> None:
        with self._lock:
            self._requests += 1

    def _path(self, key: str) -> Path:
        return self._root / key

    @contextmanager
    def _errors(self, doing: str, key: str) -> Iterator[None]:
        """The one place where an error of the file system becomes one of ours."""
        try:
            yield
        except OSError as error:
            if error.errno in file_system.LINKED:
                file_system.check_no_links(self._root, key)
            raise store_error(error, f"{doing} {self._path(key)}") from error


class FolderUpload:
    """A file on its way in; see `Upload`."""

    def __init__(self, store: FolderStore, key: str) -> None:
        self._store = store
        self._key = key
        self._path = store._root / file_system.INCOMING
        self._descriptor: int | None = None

    def write(self, chunk: Body) -> None:
        """See `Upload.write`; nothing is held back."""
        with self._store._errors("writing", self._key):
            descriptor = self._opened()
            left = memoryview(chunk)
            while left:
                left = left[os.write(descriptor, left) :]

    def commit(self) -> None:
        """See `Upload.commit`."""
        with self._store._errors("writing", self._key):
            flush(self._opened())
            try:
                self._store._link(self._key, self._path.name)
            except FileExistsError:
                path = self._store._path(self._key)
                raise AlreadyStored(f"{path} is there already; it was left alone") from None

    def close(self) -> None:
        """Drop the temporary name; what was committed has its own."""
        if self._descriptor is None:
            return
        close(self._descriptor)
        self._descriptor = None
        with suppress(OSError):
            self._path.unlink()  # one that stays is swept a day later

    def _opened(self) -> int:
        if self._descriptor is None:
            self._path, self._descriptor = file_system.new_file(self._path)
        return self._descriptor
