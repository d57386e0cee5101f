"""What a file system must do to hold a backup, found out by trying, and its errors in words."""

import errno
import os
import re
import secrets
import stat
import sys
from contextlib import suppress
from pathlib import Path

from smugmug_backup.errors import StoreError, StoreFull, StoreRefused, StoreUnavailable

INCOMING = ".incoming"

# How folders, files to read and new files are opened. No symbolic link is followed, and a pipe
# does not wait for its other end. (Windows lacks these flags; `check_root` refuses it.)
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
ROOT = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)

_LEFTOVER = re.compile(r"[0-9a-f]{16}\.part|probe-[0-9a-f]{16}")
_LEFTOVER_SECONDS = 24 * 3600

# Windows, and what imitates it, cannot hold "aux" or "con.json"; some old or encrypting file
# systems have no long names. Keys are ASCII, so the forms of Unicode (NFC, NFD) cannot matter.
_TRICKY = ("aux", "con.json", "-_", "_a.b-c", "hT4mWq=12", "x" * 128)

LINKED = {errno.ELOOP, errno.ENOTDIR}
"""What opening says of a symbolic link on the way (Linux and macOS differ)."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_FULL_FLUSH = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY}
_NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_REFUSED = {
    errno.EROFS: "the disk is mounted read-only",
    errno.EACCES: "permission denied; look at the folder's owner and rights",
    errno.EPERM: "not permitted; look at the folder's owner and rights",
    errno.EFBIG: "the file system cannot hold so large a file",
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
    """A new file in ``folder`` for what is on its way in, and its descriptor. `prepare` knows
    its name as a leftover. Raises OSError."""
    try:
        return _new_file(folder)
    except FileExistsError:
        # Names are random, so that is a network disk that met what its own lost answer had made.
        return _new_file(folder)


def _new_file(folder: Path) -> tuple[Path, int]:
    path = folder / f"{secrets.token_hex(8)}.part"
    return path, os.open(path, NEW, 0o444)


def close(descriptor: int) -> None:
    """Close what was only read, or is flushed, or is thrown away: no error can matter any more.

    On NFS close() is where late writes fail; what counts was flushed before.
    """
    with suppress(OSError):
        os.close(descriptor)


def store_error(error: OSError, doing: str) -> StoreError:
    """``error``, met while ``doing`` something, in words."""
    number = error.errno or 0
    if number in _FULL:
        return StoreFull(f"{doing}: the disk is full, or the quota used up")
    if number in _REFUSED:
        return StoreRefused(f"{doing}: {_REFUSED[number]}")
    return StoreUnavailable(f"{doing}: {error.strerror or type(error).__name__}")


def may_be_alone(error: OSError) -> bool:
    """Whether ``error`` may be that of one file or folder, and all others are well."""
    return error.errno in _ALONE


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
        return path.is_symlink()
    return False


def check_is_there(root: Path) -> None:
    """Raise StoreRefused if ``root`` is not, or no longer, a folder."""
    try:
        mode = root.stat().st_mode
    except OSError as error:
        raise store_error(error, f"opening {root}") from None
    if not stat.S_ISDIR(mode):
        raise StoreRefused(f"{root} is not a folder")


def check_root(root: Path, *, create: bool) -> None:
    """See that ``root`` is a folder that can be used; make it if asked. Raises StoreRefused."""
    if os.name != "posix":
        raise StoreRefused("a backup in a folder needs Linux, macOS or WSL, not Windows itself")
    try:
        if create:
            _make_root(root)
        if not root.is_dir():
            raise StoreRefused(f"there is no folder {root}; is the disk mounted?")
        if _ignores_case(root):
            raise _mixes_case(root)
    except OSError as error:
        raise store_error(error, f"opening {root}") from None


def _make_root(root: Path) -> None:
    around = root.absolute().parent
    if not around.is_dir():
        raise StoreRefused(f"there is no folder {around} to hold {root.name}; is the disk mounted?")
    with suppress(FileExistsError):
        root.mkdir()
        # A folder that may be passed through but not listed cannot be flushed either.
        with suppress(PermissionError):
            _flush_path(around)


def prepare(root: Path) -> None:
    """Try out ``root``'s file system, and sweep what killed processes left a day ago.

    Raises StoreRefused and OSError.
    """
    incoming = root / INCOMING
    with suppress(FileExistsError):
        incoming.mkdir()
        _flush_path(root)
    if is_link(incoming):
        raise a_link(incoming)
    try:
        now = _probe(root, incoming)
    except (StoreRefused, FileExistsError):
        # Once more: a network disk whose answer was lost met what it had made itself.
        now = _probe(root, incoming)
    _sweep(incoming, now)


def _probe(root: Path, incoming: Path) -> float:
    """Try it all in a folder of its own; what time it is for the file system."""
    probe = incoming / f"probe-{secrets.token_hex(8)}"
    probe.mkdir()
    try:
        _try_names(root, probe)
        _try_links(root, probe)
        return probe.stat().st_mtime
    finally:
        with suppress(OSError):
            _remove(probe)


def _try_names(root: Path, probe: Path) -> None:
    _touch(probe / "aB")
    if (probe / "Ab").exists():
        raise _mixes_case(root)
    for name in _TRICKY:
        try:
            _touch(probe / name)
        except OSError as error:
            if error.errno in _FULL:
                raise
            raise _changes_names(root) from error
    if {each.name for each in probe.iterdir()} != {"aB", *_TRICKY}:
        raise _changes_names(root)


def _try_links(root: Path, probe: Path) -> None:
    try:
        os.link(probe / "aB", probe / "linked")
    except OSError as error:
        if error.errno in _NO_LINKS:
            raise StoreRefused(
                f"the file system of {root} has no hard links, without which a file could be seen "
                "half written; use another disk (ext4, XFS, Btrfs, ZFS, APFS with case)"
            ) from error
        raise
    try:
        os.link(probe / "aux", probe / "linked")
    except FileExistsError:
        return
    raise StoreRefused(f"the file system of {root} lets one file take another's name")


def _touch(path: Path) -> None:
    close(os.open(path, NEW, 0o444))


def _sweep(incoming: Path, now: float) -> None:
    """``now`` is the file system's own time: that of the probe."""
    unfinished = False
    for each in incoming.iterdir():
        if not _LEFTOVER.fullmatch(each.name):
            continue
        with suppress(OSError):  # one that stays stops nothing
            found = each.lstat()
            unfinished = unfinished or (stat.S_ISREG(found.st_mode) and found.st_nlink > 1)
            if found.st_mtime < now - _LEFTOVER_SECONDS:
                _remove(each)
    if unfinished:
        # A process died after a file had got its name and before the folder was flushed. What
        # lies there is relied upon from now on, so it has to be on the disk.
        os.sync()


def _remove(left: Path) -> None:
    """Remove a file on its way in, or a probe and what is in it. Raises OSError."""
    if stat.S_ISDIR(left.lstat().st_mode):
        for each in left.iterdir():
            each.unlink()
        left.rmdir()
    else:
        left.unlink()


def _ignores_case(root: Path) -> bool:
    """Whether a name in ``root`` is also found with its case swapped: seen without writing."""
    with os.scandir(root) as entries:
        for entry in entries:
            other = root / entry.name.swapcase()
            if entry.name.isascii() and other.name != entry.name:
                try:
                    return os.path.samestat(other.lstat(), (root / entry.name).lstat())
                except FileNotFoundError:
                    return False
    return False


def _mixes_case(root: Path) -> StoreRefused:
    return StoreRefused(
        f"the file system of {root} takes aB and Ab for one name, and SmugMug's keys do not; use "
        "a case-sensitive disk (Linux: ext4, XFS, Btrfs, ZFS; macOS: an APFS volume with case)"
    )


def _changes_names(root: Path) -> StoreRefused:
    return StoreRefused(
        f"the file system of {root} does not keep every name as it is (names like aux, or long "
        "ones); use another disk (Linux: ext4, XFS, Btrfs, ZFS; macOS: an APFS volume with case)"
    )


def make_folder(name: str, parent: int) -> None:
    """Make the folder ``name`` in ``parent``, unless it is there."""
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)


def flush(descriptor: int) -> None:
    """Return when all that was written is on the disk itself."""
    if sys.platform == "darwin":
        import fcntl

        # fsync only hands the bytes to the drive there. Network disks (NFS, SMB) know nothing else.
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in _NO_FULL_FLUSH:
                raise
            os.fsync(descriptor)
    else:
        os.fsync(descriptor)


def flush_folder(descriptor: int) -> None:
    """The same for the names in a folder; some network file systems cannot, and need not."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


def _flush_path(folder: Path) -> None:
    descriptor = os.open(folder, ROOT)
    try:
        flush_folder(descriptor)
    finally:
        close(descriptor)
