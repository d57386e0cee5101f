"""The store in a folder: each key is a file, born whole, and never touched again."""

import os
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import AlreadyStored, NotStored, StoreRefused, StoreUnavailable
from smugmug_backup.model import StoredObject
from smugmug_backup.storage import file_system
from smugmug_backup.storage.file_system import check_is_there, flush, flush_folder, store_error
from smugmug_backup.storage.keys import checked, checked_prefix, is_key

_CHUNK = 1024 * 1024
_REMEMBERED = 10_000
"""So many folders are known to be on the disk; each is a short string."""


class FolderStore:
    """`BackupStore` in the folder ``root``.

    A file is written under ``.incoming/``, flushed to the disk, and then gets its name by a hard
    link: it appears whole or not at all, and no name is ever given twice. Files are read-only
    (0444, folders 0777, less the umask): nothing that touches up photos should change a backup.
    Symbolic links below ``root`` are refused, so nothing leads out of it.

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
        file_system.check_root(self._root, create=create)
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
        with self._errors("listing", base):
            try:
                os.close(self._folder(base))
            except (FileNotFoundError, NotADirectoryError):
                check_is_there(self._root)
                file_system.check_no_links(self._root, base)
                return
        yield from self._walk(base, prefix, after, until)

    def head(self, key: str) -> StoredObject | None:
        """See `BackupStore.head`."""
        self._count()
        try:
            descriptor, found = self._file(key)
        except NotStored:
            return None
        os.close(descriptor)
        return _stored(key, found)

    def read(self, key: str) -> bytes:
        """See `BackupStore.read`."""
        with self.open(key) as chunks:
            return b"".join(chunks)

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        """See `BackupStore.open`."""
        self._count()
        descriptor, found = self._file(key)
        try:
            yield self._chunks(key, descriptor, found.st_size)
        finally:
            os.close(descriptor)

    def bounded(self, deadline: Deadline) -> "FolderStore":
        """See `BackupStore.bounded`: a system call cannot be broken off."""
        return self

    def create(self, key: str, body: bytes, *, file_name: str | None = None) -> None:
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

    def _holds(self, key: str, body: bytes) -> bool:
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
            os.close(descriptor)
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
                    os.close(source)
        finally:
            # Also if the name is taken: whoever took it may not have come so far.
            try:
                flush_folder(folder)
            finally:
                os.close(folder)

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
                os.close(descriptor)
                descriptor = inner
        except BaseException:
            os.close(descriptor)
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
                    os.close(folder)
            except (FileNotFoundError, NotADirectoryError):
                check_is_there(self._root)
                file_system.check_no_links(self._root, key)
                raise NotStored(f"there is no {self._path(key)}") from None
            found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode):
            return descriptor, found
        os.close(descriptor)
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

    def _walk(
        self, folder: str, prefix: str, after: str, until: str | None
    ) -> Iterator[StoredObject]:
        for name in self._names(folder):
            path = folder + name
            if until is not None and path > until:
                return
            if name.endswith("/"):
                leads_there = path.startswith(prefix) or prefix.startswith(path)
                if leads_there and (path > after or after.startswith(path)):
                    yield from self._walk(path, prefix, after, until)
            elif path.startswith(prefix) and path > after:
                with self._errors("listing", path):
                    try:
                        found = (self._root / path).lstat()
                    except FileNotFoundError:
                        # The owner took it away while we were listing.
                        check_is_there(self._root)
                        continue
                yield _stored(path, found)

    def _names(self, folder: str) -> Sequence[str]:
        """The names in ``folder`` in the order of whole keys: a folder sorts as ``name/``."""
        names = []
        with self._errors("listing", folder), os.scandir(self._root / folder) as entries:
            for entry in entries:
                if not is_key(entry.name):
                    continue
                if entry.is_symlink():
                    raise file_system.a_link(self._root / folder / entry.name)
                if entry.is_dir(follow_symlinks=False):
                    names.append(f"{entry.name}/")
                elif entry.is_file(follow_symlinks=False):
                    names.append(entry.name)
        names.sort()
        return names

    def _prepare(self) -> None:
        """Once, before anything is written: see that the file system keeps our promises."""
        if self._ready:
            return
        with self._lock:
            if not self._ready:
                with self._errors("preparing", ""):
                    file_system.prepare(self._root)
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
            file_system.check_no_links(self._root, key)
            raise store_error(error, f"{doing} {self._path(key)}") from error


class FolderUpload:
    """A file on its way in; see `Upload`."""

    def __init__(self, store: FolderStore, key: str) -> None:
        self._store = store
        self._key = key
        self._path = store._root / file_system.INCOMING / file_system.new_name()
        self._descriptor: int | None = None

    def write(self, chunk: bytes) -> None:
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
        os.close(self._descriptor)
        self._descriptor = None
        with suppress(OSError):
            self._path.unlink()  # one that stays is swept a day later

    def _opened(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, file_system.NEW, 0o444)
        return self._descriptor


def _stored(key: str, found: os.stat_result) -> StoredObject:
    return StoredObject(
        key, found.st_size, modified=datetime.fromtimestamp(int(found.st_mtime), UTC)
    )
