"""The store in a folder: each key is a file, born whole, and never touched again."""

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smugmug_backup import system
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import AlreadyStored, NotStored, StoreRefused, StoreUnavailable
from smugmug_backup.model import Room, StoredObject
from smugmug_backup.ports import Batch, Body
from smugmug_backup.storage import file_system, probe
from smugmug_backup.storage.file_system import check_is_there, close, store_error
from smugmug_backup.storage.folder_batch import FolderBatch
from smugmug_backup.storage.folder_listing import FolderListing, stored
from smugmug_backup.storage.folder_lock import OnlyWriter, only_writer
from smugmug_backup.storage.folder_naming import Naming, give_name
from smugmug_backup.storage.folder_tree import Folder, Tree
from smugmug_backup.storage.folder_upload import FolderUpload
from smugmug_backup.storage.keys import checked, checked_prefix
from smugmug_backup.storage.probe import Disk

_CHUNK = 1024 * 1024
_REMEMBERED = 10_000
"""So many folders are known to be on the disk; each is a short string."""

_STRAYS = 20
"""So many links and the like are remembered, to be told."""

_RESERVE = 64 * 1024 * 1024
"""So much is kept free of originals, or an eighth of a small disk: manifests and the report have
to fit when they do not."""


class FolderStore:
    """`BackupStore` in the folder ``root``.

    A file is written under ``.incoming/``, flushed to the disk, and then gets its name (how,
    depends on the disk: `folder_naming`): it appears whole or not at all, and no name is ever given
    twice. Files are read-only (0444, folders 0777, less the umask): nothing that touches up photos
    should change a backup. Symbolic links below ``root`` are refused, so nothing leads out of it; a
    listing passes over them, and over all else that is neither file nor folder.

    ``create``: make the folder if it is not there (but not its parent, which may be a disk that
    is not mounted), and see at once what the disk can do. Without, that is seen at the first write,
    so that a copy on a read-only disk can be read. Raises StoreRefused.
    """

    def __init__(self, root: str | os.PathLike[str], *, create: bool = True) -> None:
        self._root = Path(root)
        self._lock = threading.Lock()
        self._requests = 0
        self._disk: Disk | None = None
        self._writer: OnlyWriter | None = None
        self._turn = threading.Lock()
        self._flushed: set[str] = set()
        self._strays: dict[Path, None] = {}
        probe.check_root(self._root, create=create)
        self._root = system.long_path(probe.whole(self._root))
        self._tree = Tree(self._root)
        if create:
            self._prepare()

    @property
    def requests(self) -> int:
        """Operations so far."""
        return self._requests

    @property
    def remarks(self) -> tuple[str, ...]:
        """What its owner should know, though nothing is wrong with it."""
        remark = self._writer.remark if self._writer else None
        strays = (f"{each}: a link, or no file at all" for each in self._strays)
        return (*([remark] if remark else ()), *strays)

    def room(self) -> Room:
        """See `BackupStore.room`: as the file system tells it, less what is kept in reserve."""
        with self.errors("asking for the room in", ""):
            free, total = system.space(self._root)
        disk = self._disk
        return Room(
            free=max(0, free - min(_RESERVE, total // 8)),
            largest=system.LARGEST_ON_FAT if disk and not disk.takes_large else None,
        )

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        """See `BackupStore.list`. The names in a folder are read when the listing comes to it."""
        checked_prefix(prefix)
        self._count()
        base = prefix[: prefix.rfind("/") + 1]
        listing = FolderListing(self._root, prefix, after=after, until=until)
        try:
            self._tree.folder(base).close()
        except OSError as error:
            if base and isinstance(error, (FileNotFoundError, NotADirectoryError)):
                check_is_there(self._root)
                file_system.check_no_links(self._root, base)
                return
            listing.pass_over(base, error)
        else:
            try:
                yield from listing.walk(base)
            finally:
                for stray in listing.strays[: _STRAYS - len(self._strays)]:
                    self._strays[self.path(stray)] = None
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
            with self.errors("reading", key):
                os.lseek(descriptor, offset, os.SEEK_SET)  # Windows has no pread.
                part = os.read(descriptor, length)
        finally:
            os.close(descriptor)
        if not part:
            raise NotStored(f"{self.path(key)} ends before what is asked for")
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
        self.begin(key)
        self.put(key, body, None)

    @contextmanager
    def upload(self, key: str, *, file_name: str | None = None) -> Iterator[FolderUpload]:
        """See `BackupStore.upload`."""
        self.begin(key)
        upload = FolderUpload(self, key)
        try:
            yield upload
        finally:
            upload.close()

    def batch(self) -> Batch:
        """See `BackupStore.batch`."""
        return FolderBatch(self)

    # -- for its batches -------------------------------------------------------------------------

    def begin(self, key: str) -> None:
        """An operation that writes ``key``. Raises BadRequest, StoreError."""
        checked(key)
        self._count()
        self._prepare()

    def put(self, key: str, body: Body, later: set[str] | None) -> None:
        """`create`; ``later``: where the folders are named that somebody else will flush."""
        place, _, name = key.rpartition("/")
        with self.errors("writing", key), self.into(place, later) as (folder, is_new):
            there = None if is_new else folder.look(name)
        if there is not None and self.holds(key, body, later):
            return
        upload = FolderUpload(self, key, later)
        try:
            upload.write(body)
            upload.commit()
        except AlreadyStored:
            if not self.holds(key, body, later):
                raise StoreRefused(f"no file, and yet {self.path(key)} is taken") from None
        finally:
            upload.close()

    def holds(self, key: str, body: Body, later: set[str] | None = None) -> bool:
        """Whether ``body`` lies under ``key``, for good. Raises AlreadyStored for other bytes."""
        try:
            descriptor, found = self._file(key)
        except NotStored:
            return False
        try:
            same, start = found.st_size == len(body), 0
            while same and start < len(body):
                with self.errors("reading", key):
                    chunk = os.read(descriptor, _CHUNK)
                same = bool(chunk) and body[start : start + len(chunk)] == chunk
                start += len(chunk)
            if not same:
                raise AlreadyStored(f"{self.path(key)} holds something else; it was left alone")
            # Whoever wrote it may have died before it was on the disk.
            with self.errors("flushing", key):
                system.flush_unwritten(descriptor)
                place = key.rpartition("/")[0]
                with self.into(place, later) as (folder, _):
                    self._flush(folder, place, later)
        finally:
            close(descriptor)
        return True

    def name(self, key: str, part: str, later: set[str] | None = None) -> None:
        """Give ``part`` its name, and flush the folders that lead to it.

        Raises FileExistsError and other OSErrors.
        """
        place, _, name = key.rpartition("/")
        with self.into(place, later, there=True) as (folder, _):
            try:
                incoming = self._tree.kept(file_system.INCOMING)
                turn = self._writer.turn if self._writer else self._turn
                naming = self._disk.naming if self._disk else Naming.LINK
                give_name(naming, incoming, part, folder, name, turn)
            finally:
                # Also if the name is taken: whoever took it may not have come so far.
                self._flush(folder, place, later)

    def top(self) -> Folder:
        """The folder itself, opened; the caller closes it. Raises OSError."""
        return self._tree.top()

    def path(self, key: str) -> Path:
        """Where ``key`` lies."""
        return self._root / key

    # -- folders and files -----------------------------------------------------------------------

    @contextmanager
    def into(
        self, place: str, later: set[str] | None, *, there: bool = False
    ) -> Iterator[tuple[Folder, bool]]:
        """The folder ``place``, made if it is not there, and whether it was made now. ``there``:
        it will be; only what is tried first depends on it.

        Raises OSError.
        """
        try:
            folder, is_new, borrowed = self._made(place, later, there)
        except FileNotFoundError:
            # A kept folder may have been taken away and made anew.
            check_is_there(self._root)
            self._tree.check_root()
            self._tree.forget()
            with self._lock:
                self._flushed.clear()
            folder, is_new, borrowed = self._made(place, later, there)
        try:
            yield folder, is_new
        finally:
            if not borrowed:
                folder.close()

    def _made(self, place: str, later: set[str] | None, there: bool) -> tuple[Folder, bool, bool]:
        first, *rest = place.split("/")
        if not first:
            self._tree.check_root()
            return self._tree.top(), False, False
        is_new = False
        if first not in self._flushed and (later is None or not self._tree.keeps(first)):
            self._tree.check_root()
            here = self._tree.top()
            try:
                is_new = here.make(first)
                self._is_made(here, first, "", later)
            finally:
                here.close()
        here, path, borrowed = self._tree.kept(first), first, True
        for number, part in enumerate(rest, start=1):
            try:
                # All images share the upper one, and a name is given where its file was looked for.
                likely = there or number < len(rest)
                inner, is_new = self._inner(here, part, path, later, likely)
            finally:
                if not borrowed:
                    here.close()
            here, path, borrowed = inner, f"{path}/{part}", False
        return here, is_new, borrowed

    def _inner(
        self, here: Folder, name: str, place: str, later: set[str] | None, likely: bool
    ) -> tuple[Folder, bool]:
        """The folder ``name`` in ``here``, which is ``place``; and whether it was made now.
        ``likely``: it is there, and to make it is tried only if it is not."""
        path, is_new = f"{place}/{name}", False
        if path in self._flushed:
            return here.within(name), False
        try:
            inner = here.within(name) if likely else None
        except FileNotFoundError:
            inner = None
        if inner is None:
            is_new = here.make(name)
            inner = here.within(name)
        try:
            self._is_made(here, path, place, later)
        except BaseException:
            inner.close()
            raise
        return inner, is_new

    def _is_made(self, here: Folder, path: str, place: str, later: set[str] | None) -> None:
        # Even if another thread made it: it may not have flushed it yet.
        self._flush(here, place, later)
        if later is None:
            with self._lock:
                if len(self._flushed) >= _REMEMBERED:
                    self._flushed.clear()
                self._flushed.add(path)

    def _flush(self, folder: Folder, place: str, later: set[str] | None) -> None:
        if later is not None:
            later.add(place)
        elif self._disk is None or self._disk.flushes_folders:
            folder.flush()

    def flush_place(self, place: str) -> None:
        """Bring the names in the folder ``place`` onto the disk. Raises OSError."""
        if self._disk is not None and self._disk.flushes_folders:
            folder = self._tree.folder(place)
            try:
                folder.flush()
            finally:
                folder.close()

    def _file(self, key: str) -> tuple[int, os.stat_result]:
        """An open descriptor of ``key``'s file, and what it is. Raises NotStored."""
        checked(key)
        place, _, name = key.rpartition("/")
        with self.errors("reading", key):
            try:
                folder = self._tree.folder(place)
                try:
                    descriptor = folder.open(name, system.FILE)
                finally:
                    folder.close()
            except (FileNotFoundError, NotADirectoryError):
                check_is_there(self._root)
                file_system.check_no_links(self._root, key)
                raise NotStored(f"there is no {self.path(key)}") from None
            try:
                found = os.fstat(descriptor)
            except OSError:
                close(descriptor)
                raise
        if stat.S_ISREG(found.st_mode):
            return descriptor, found
        close(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise NotStored(f"{self.path(key)} is a folder, not a file")
        raise StoreRefused(f"{self.path(key)} is no ordinary file")

    def _chunks(self, key: str, descriptor: int, size: int) -> Iterator[bytes]:
        done = 0
        while True:
            with self.errors("reading", key):
                chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                break
            done += len(chunk)
            yield chunk
        if done != size:
            raise StoreUnavailable(f"{self.path(key)} gave {done} bytes of {size}")

    def _prepare(self) -> None:
        """Once, before anything is written: see what the disk can do."""
        if self._disk is not None:
            return
        with self._lock:
            if self._disk is None:
                with self.errors("preparing", ""):
                    disk, alone = probe.prepare(self._root), False
                    if disk.naming is Naming.ALONE:
                        self._writer, alone = only_writer(self.path(file_system.INCOMING))
                    probe.sweep(self._root, disk.tried_at, alone=alone)
                self._disk = disk

    def _count(self) -> None:
        with self._lock:
            self._requests += 1

    @contextmanager
    def errors(self, doing: str, key: str) -> Iterator[None]:
        """The one place where an error of the file system becomes one of ours."""
        try:
            yield
        except OSError as error:
            if error.errno in system.LINKED:
                file_system.check_no_links(self._root, key)
            file_system.check_answers(self._root, error)
            raise store_error(error, f"{doing} {self.path(key)}") from error
