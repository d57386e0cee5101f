"""The store in a folder: the same keys as files, created once, whole and durable."""

import errno
import os
import secrets
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from smugmug_backup.backup.errors import (
    AlreadyStored,
    NotStored,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.backup.ports import StoredObject
from smugmug_backup.storage.keys import checked

_INCOMING = ".incoming"
_CHUNK = 1024 * 1024
_LEFTOVER_SECONDS = 24 * 60 * 60
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG}


class FolderStore:
    """`BackupStore` under the folder ``root``.

    A file is written under ``.incoming/``, flushed to disk, and then linked to its key, which
    fails if the key is taken: so a key appears once, whole, or not at all. Raises StoreRefused for
    a folder whose file system cannot keep that promise.
    """

    def __init__(self, root: Path, *, create: bool = False) -> None:
        self._root = root
        self._requests = 0
        with _translated(str(root)):
            if create:
                root.mkdir(parents=True, exist_ok=True)
            if not root.is_dir():
                raise StoreRefused(f"there is no folder {root}")
            self._root = root.resolve()

    @property
    def requests(self) -> int:
        """Operations so far."""
        return self._requests

    def prepare(self) -> None:
        """Make ready for writing: probe the file system, sweep our own old leftovers.

        Raises StoreRefused if names that differ only in case or in Unicode form fall together, or
        if links are not possible.
        """
        with _translated(str(self._root)):
            incoming = self._root / _INCOMING
            incoming.mkdir(exist_ok=True)
            self._probe(incoming)
            oldest = time.time() - _LEFTOVER_SECONDS
            for leftover in incoming.iterdir():
                if leftover.suffix == ".part" and leftover.stat().st_mtime < oldest:
                    leftover.unlink(missing_ok=True)

    def _probe(self, incoming: Path) -> None:
        token = secrets.token_hex(8)
        names = [f"{token}-A.probe", f"{token}-a.probe"]
        names += [f"{token}-{unicodedata.normalize(form, 'é')}.probe" for form in ("NFC", "NFD")]
        try:
            for name in names:
                with open(incoming / name, "xb"):
                    pass
            os.link(incoming / names[0], incoming / f"{token}-link.probe")
            if not set(names) <= set(os.listdir(incoming)):
                raise FileExistsError(errno.EEXIST, "names are changed")
        except FileExistsError:
            raise StoreRefused(
                f"the file system of {self._root} treats names alike that differ in case or in "
                "their Unicode form; SmugMug's keys differ in case, so use a case-sensitive one"
            ) from None
        except OSError as error:
            if error.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK):
                raise StoreRefused(
                    f"the file system of {self._root} has no hard links, which this backup needs "
                    "to never overwrite a file; use another one (ext4, XFS, Btrfs, ZFS, APFS)"
                ) from None
            raise
        finally:
            for leftover in incoming.glob(f"{token}-*.probe"):
                leftover.unlink(missing_ok=True)

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        """See `BackupStore.list`; one folder at a time."""
        self._requests += 1
        start = prefix.rpartition("/")[0]
        for key, entry in self._walk(start + "/" if start else ""):
            if until is not None and key > until:
                return
            if not key.startswith(prefix) or key <= after:
                continue
            with _translated(key):
                found = entry.stat(follow_symlinks=False)
            yield StoredObject(
                key, found.st_size, modified=datetime.fromtimestamp(found.st_mtime, UTC)
            )

    def _walk(self, folder: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
        """Files in the byte order of their whole keys: a folder sorts as its name and a slash."""
        try:
            with _translated(folder), os.scandir(self._root / folder) as found:
                entries = [
                    (f"{each.name}/" if each.is_dir(follow_symlinks=False) else each.name, each)
                    for each in found
                    if not each.name.startswith(".")
                ]
        except NotStored:
            return
        for name, entry in sorted(entries, key=lambda pair: pair[0].encode()):
            if name.endswith("/"):
                yield from self._walk(folder + name)
            elif entry.is_file(follow_symlinks=False):
                yield folder + name, entry

    def head(self, key: str) -> StoredObject | None:
        """See `BackupStore.head`."""
        self._requests += 1
        path = self._path(key)
        try:
            with _translated(key):
                found = path.stat(follow_symlinks=False)
        except NotStored:
            return None
        modified = datetime.fromtimestamp(found.st_mtime, UTC)
        return StoredObject(key, found.st_size, modified=modified)

    def read(self, key: str) -> bytes:
        """See `BackupStore.read`."""
        self._requests += 1
        with _translated(key):
            return self._path(key).read_bytes()

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        """See `BackupStore.open`."""
        self._requests += 1
        with _translated(key):
            file = open(self._path(key), "rb")
        with file:
            yield _chunks(file, key)

    def create(self, key: str, body: bytes) -> None:
        """See `BackupStore.create`."""
        try:
            with self.upload(key) as upload:
                upload.write(body)
                upload.commit()
        except AlreadyStored:
            if self.read(key) != body:
                raise

    @contextmanager
    def upload(self, key: str) -> Iterator["FolderUpload"]:
        """See `BackupStore.upload`."""
        self._requests += 1
        with _translated(key):
            target = self._path(key)
            target.parent.mkdir(parents=True, exist_ok=True)
            incoming = self._root / _INCOMING
            incoming.mkdir(exist_ok=True)
            temporary = incoming / f"{secrets.token_hex(16)}.part"
            file = open(temporary, "xb")
        upload = FolderUpload(key, file, temporary, target, self._root)
        try:
            yield upload
        finally:
            upload.close()

    def _path(self, key: str) -> Path:
        return self._root / checked(key)


class FolderUpload:
    """A file on its way in. For one thread."""

    def __init__(self, key: str, file: BinaryIO, temporary: Path, target: Path, root: Path) -> None:
        self._key = key
        self._file = file
        self._temporary = temporary
        self._target = target
        self._root = root

    def write(self, chunk: bytes) -> None:
        """See `Upload.write`."""
        with _translated(self._key):
            self._file.write(chunk)

    def commit(self) -> None:
        """See `Upload.commit`: flushed to disk before the key appears, and its folders after."""
        with _translated(self._key):
            self._file.flush()
            os.fsync(self._file.fileno())
            try:
                os.link(self._temporary, self._target)
            except FileExistsError:
                raise AlreadyStored(f"{self._key} is there already, left as it is") from None
            folder = self._target.parent
            while True:
                _sync_folder(folder)
                if folder == self._root:
                    return
                folder = folder.parent

    def close(self) -> None:
        """Drop the temporary name; what was committed has its own."""
        with _translated(self._key):
            self._file.close()
            self._temporary.unlink(missing_ok=True)


def _chunks(file: BinaryIO, key: str) -> Iterator[bytes]:
    while True:
        with _translated(key):
            chunk = file.read(_CHUNK)
        if not chunk:
            return
        yield chunk


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Every error of the file system becomes one of ours here and nowhere else."""
    try:
        yield
    except StoreError:
        raise
    except FileNotFoundError:
        raise NotStored(f"{what} is not there") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if error.errno == errno.ENOSPC:
            raise StoreRefused(f"the disk is full: {what} was not written") from None
        if error.errno in _REFUSED:
            raise StoreRefused(f"{what}: {reason}; check the folder's owner and rights") from None
        raise StoreUnavailable(f"{what}: {reason}") from None
