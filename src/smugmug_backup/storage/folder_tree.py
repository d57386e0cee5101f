"""The folders of a backup: reached without following a link, by open folders where there are any.

Where a system opens no folders (`system.DESCRIPTORS`), every part of a path is looked at instead.
"""

import errno
import os
import stat
import threading
import weakref
from contextlib import suppress
from pathlib import Path

from smugmug_backup import system


class Folder:
    """One folder, open while it is used (``descriptor`` None: known by its path alone)."""

    __slots__ = ("_above", "_name", "descriptor")

    def __init__(self, above: "Path | Folder", name: str, descriptor: int | None) -> None:
        self._above = above
        self._name = name
        self.descriptor = descriptor

    @property
    def path(self) -> Path:
        """Where it lies; made when it is asked for, as it is where no folder can be opened."""
        above = self._above
        return (above.path if isinstance(above, Folder) else above) / self._name

    def open(self, name: str, flags: int, mode: int = 0o777) -> int:
        """A descriptor of the file ``name``. Raises OSError."""
        if self.descriptor is not None:
            return os.open(name, flags, mode, dir_fd=self.descriptor)
        if not flags & os.O_CREAT and stat.S_ISDIR(_refuse_link(self.path / name).st_mode):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return os.open(self.path / name, flags, mode)

    def look(self, name: str) -> os.stat_result | None:
        """What is called ``name`` here, itself and not what it leads to. Raises OSError."""
        try:
            if self.descriptor is not None:
                return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
            return (self.path / name).lstat()
        except FileNotFoundError:
            return None

    def make(self, name: str) -> bool:
        """Make the folder ``name``; False if it is there. Raises OSError."""
        try:
            if self.descriptor is not None:
                os.mkdir(name, dir_fd=self.descriptor)
            else:
                (self.path / name).mkdir()
        except FileExistsError:
            return False
        return True

    def within(self, name: str) -> "Folder":
        """The folder ``name`` in this one. Raises OSError."""
        if self.descriptor is not None:
            return Folder(self, name, os.open(name, system.FOLDER, dir_fd=self.descriptor))
        path = self.path / name
        _refuse_link(path)
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        return Folder(self, name, None)

    def unlink(self, name: str) -> None:
        """Remove a file. Raises OSError."""
        if self.descriptor is not None:
            system.unlink(name, self.descriptor)
        else:
            system.unlink(self.path / name)

    def flush(self) -> None:
        """Return when the names in here are on the disk; some network disks cannot, and need not.

        Raises OSError.
        """
        if self.descriptor is None:
            return
        try:
            os.fsync(self.descriptor)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise

    def close(self) -> None:
        """No error of it can matter any more."""
        if self.descriptor is not None:
            with suppress(OSError):
                os.close(self.descriptor)


class Tree:
    """The folder ``root`` and those below it; for many threads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._there: os.stat_result | None = None
        self._kept: dict[str, tuple[Folder, os.stat_result]] = {}
        self._paths: dict[str, Path] = {}
        self._opened: list[Folder] = []
        weakref.finalize(self, _close_all, self._opened)

    def top(self) -> Folder:
        """The root itself. Raises OSError."""
        if not system.DESCRIPTORS:
            if not stat.S_ISDIR(self.root.stat().st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(self.root))
            return Folder(self.root, "", None)
        return Folder(self.root, "", os.open(self.root, system.ROOT))

    def folder(self, path: str) -> Folder:
        """The folder of that key, opened anew; the caller closes it. Raises OSError."""
        here = self.top()
        for part in filter(None, path.split("/")):
            try:
                inner = here.within(part)
            finally:
                here.close()
            here = inner
        return here

    def kept(self, name: str) -> Folder:
        """The first-level folder ``name`` (a backup has about eight), which stays open: nobody
        closes it. Raises OSError.

        It is looked at each time, so that another folder in its place, or a disk that was taken
        away, is noticed.
        """
        path = self._paths.get(name)
        if path is None:
            path = self._paths[name] = self.root / name
        there = path.lstat()
        with self._lock:
            known = self._kept.get(name)
            if known is not None and os.path.samestat(known[1], there):
                return known[0]
            self.check_root()
            folder = self.folder(name)
            self._opened.append(folder)
            self._kept[name] = folder, there
            return folder

    def keeps(self, name: str) -> bool:
        """Whether that one is open."""
        return name in self._kept

    def check_root(self) -> None:
        """Raise FileNotFoundError if the root is not the folder that it was."""
        there = self.root.stat()
        if self._there is None:
            self._there = there
        elif not os.path.samestat(there, self._there):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.root))

    def forget(self) -> None:
        """Open kept folders anew: one of them may be gone, or another, by now."""
        with self._lock:
            self._kept.clear()  # Closed with the tree: another thread may be using one.


def _close_all(opened: list[Folder]) -> None:
    for each in opened:
        each.close()


def _refuse_link(path: Path) -> os.stat_result:
    found = path.lstat()
    if system.is_link(found):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return found
