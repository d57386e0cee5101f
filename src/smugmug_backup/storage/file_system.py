"""How the folder store calls the file system, and the file system's errors in words."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from smugmug_backup import system
from smugmug_backup.errors import Concerns, StoreError, StoreFull, StoreRefused, StoreUnavailable

INCOMING = ".incoming"

FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {
    errno.EROFS: "the disk is mounted read-only",
    errno.EACCES: "permission denied; look at the folder's owner and rights",
    errno.EPERM: "not permitted; look at the folder's owner and rights",
    errno.EFBIG: "the file system cannot hold so large a file (FAT32: less than 4 GiB)",
    errno.EXDEV: "it lies on another file system than the backup's folder",
    errno.ENAMETOOLONG: "the name is too long for the file system",
    errno.ENOENT: "the folder is gone; is the disk still mounted?",
    errno.ENOTDIR: "something that is no backup stands in the way",
    errno.EISDIR: "something that is no backup stands in the way",
    errno.EEXIST: "something that is no backup stands in the way",
    errno.ELOOP: "a symbolic link stands in the way",
    errno.ENXIO: "something that is no backup stands in the way",  # a socket
}

# One file or folder may answer so while the others are well: rights, a bad sector, damage that
# the file system has found (its own numbers on Linux), or what was taken away in between.
_ALONE = {errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT, errno.ENAMETOOLONG, errno.EBADMSG}
_ALONE |= {errno.ENOTDIR, errno.ELOOP, getattr(errno, "EUCLEAN", errno.EIO)}


def new_file(folder: Path) -> tuple[Path, int]:
    """A new file in ``folder`` for what is on its way in, and its descriptor. `probe` knows
    its name as a leftover. Raises OSError."""
    try:
        return _new_file(folder)
    except FileExistsError:
        # Names are random, so that is a network disk that met what its own lost answer had made.
        return _new_file(folder)


def _new_file(folder: Path) -> tuple[Path, int]:
    path = folder / f"{secrets.token_hex(8)}.part"
    return path, os.open(path, system.NEW, 0o444)


def close(descriptor: int) -> None:
    """Close what was only read, or is flushed, or is thrown away: no error can matter any more.

    On NFS close() is where late writes fail; what counts was flushed before.
    """
    with suppress(OSError):
        os.close(descriptor)


def store_error(error: OSError, doing: str) -> StoreError:
    """``error``, met while ``doing`` something, in words."""
    number = system.number_of(error)
    if number in FULL:
        return StoreFull(f"{doing}: the disk is full, or the quota used up")
    if number in _REFUSED:
        return StoreRefused(f"{doing}: {_REFUSED[number]}")
    return StoreUnavailable(f"{doing}: {error.strerror or type(error).__name__}")


def may_be_alone(error: OSError) -> bool:
    """Whether ``error`` may be that of one file or folder, and all others are well."""
    return system.number_of(error) in _ALONE


def a_link(path: Path) -> StoreRefused:
    """The error for a symbolic link inside a backup."""
    return StoreRefused(f"{path} is a symbolic link; a backup holds files and folders only")


def check_no_links(root: Path, key: str) -> None:
    """Raise StoreRefused if a symbolic link lies on the way to ``key``."""
    path = root
    for part in filter(None, key.split("/")):
        path /= part
        if is_link(path):
            raise a_link(path)


def is_link(path: Path) -> bool:
    """Whether ``path`` is seen to be a symbolic link. Never raises."""
    with suppress(OSError):  # `Path.is_symlink` raises until Python 3.13
        return system.is_link(path.lstat())
    return False


def check_is_there(root: Path) -> None:
    """Raise StoreRefused if ``root`` is not, or no longer, a folder."""
    try:
        mode = root.stat().st_mode
    except OSError as error:
        raise store_error(error, f"opening {root}") from None
    if not stat.S_ISDIR(mode):
        raise StoreRefused(f"{root} is not a folder")


def check_answers(root: Path, error: OSError) -> None:
    """Raise StoreRefused if ``error`` is that of a disk that was taken away: then the root does
    not answer either."""
    if system.number_of(error) not in system.GONE:
        return
    try:
        with os.scandir(root) as entries:
            next(entries, None)
        system.space(root)
    except OSError as same:
        raise StoreRefused(
            f"the disk of {root} does not answer ({same.strerror}); is it still plugged in?",
            concerns=Concerns.BUCKET,
        ) from error


def flush_path(folder: Path) -> None:
    """Return when the names in ``folder`` are on the disk; see `Folder.flush`. Raises OSError."""
    if not system.DESCRIPTORS:
        return
    descriptor = os.open(folder, system.ROOT)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        close(descriptor)
