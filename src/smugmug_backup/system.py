"""What Linux, macOS and Windows do differently with files: all of it stands here.

Linux is what the tests run on. macOS and Windows are **not yet tried**: what is said of them is
what their documentation, or the issue named beside it, says. Where a disk can be asked, it is
tried out instead (`storage.probe`); nothing is decided by a system's name that a try can tell.
"""

import ctypes
import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has none.
    fcntl = None  # type: ignore[assignment]

DESCRIPTORS = os.open in os.supports_dir_fd
"""Whether a file can be reached from an open folder, so that no link on the way is ever followed.
Windows opens no folder (docs.python.org, os.open; nodejs/node#3879) and is asked by paths."""

_BINARY = getattr(os, "O_BINARY", 0)  # Without it Windows makes "\r\n" of "\n" (MSVCRT, _open).
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)

FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_LINKS
ROOT = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_LINKS | _BINARY
"""No symbolic link is followed, and a pipe does not wait for its other end."""
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY

LINKED = {errno.ELOOP, errno.ENOTDIR}
"""What opening says of a symbolic link on the way (Linux and macOS differ)."""

Rename = Callable[[bytes, bytes], int]

# -- names -----------------------------------------------------------------------------------------

NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES}
"""What link() says where there are no hard links: EPERM on FAT and exFAT (link(2)), ENOTSUP on SMB
from macOS (facebook/rocksdb#9657), EOPNOTSUPP and EACCES on SMB from Linux, ENOSYS of FUSE."""
NO_EXCLUSIVE_RENAME = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What a file system says that cannot rename without replacing (rename(2): EINVAL)."""

_HERE = -100 if sys.platform == "linux" else -2
"""AT_FDCWD (Linux's fcntl.h; -2 in that of macOS)."""
_NOREPLACE = 1  # RENAME_NOREPLACE, linux/fs.h
_EXCL = (
    4  # RENAME_EXCL, sys/stdio.h of macOS: for APFS since 10.12, not for SMB or FAT (renamex_np)
)


def rename_without_replacing(source: int | None = None, target: int | None = None) -> Rename | None:
    """The system's own call, from one open folder to another; None if it has none.

    ``renameat2`` on Linux (glibc before 2.28 and musl lack it), ``renameatx_np`` on macOS.
    """
    here, there = (_HERE if each is None else each for each in (source, target))
    try:
        library = ctypes.CDLL(None, use_errno=True)
        darwin = sys.platform == "darwin"
        call = library.renameatx_np if darwin else library.renameat2
    except (AttributeError, OSError, TypeError):
        return None
    flag = _EXCL if darwin else _NOREPLACE
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return lambda old, new: int(call(here, old, there, new, flag))


def renamed(
    old: str | Path, new: str | Path, source: int | None = None, target: int | None = None
) -> bool:
    """Rename, unless something is called ``new``. False: nothing here can do that.

    Raises FileExistsError and other OSErrors.
    """
    if sys.platform == "win32":
        # os.rename is MoveFileExW without MOVEFILE_REPLACE_EXISTING: it refuses by itself
        # (docs.python.org, os.rename), on every disk that Windows has.
        os.rename(old, new)  # noqa: PTH104 - not to be `Path.replace` by mistake
        return True
    rename = rename_without_replacing(source, target)
    if rename is None:
        return False
    if rename(os.fsencode(old), os.fsencode(new)) == 0:
        return True
    number = ctypes.get_errno()
    if number in NO_EXCLUSIVE_RENAME:
        return False
    raise OSError(number, os.strerror(number), str(new))


def is_link(found: os.stat_result) -> bool:
    """Whether what was found (by lstat) leads elsewhere; on Windows junctions do, too."""
    tag = getattr(found, "st_reparse_tag", 0)  # IO_REPARSE_TAG_MOUNT_POINT, winnt.h
    return stat.S_ISLNK(found.st_mode) or tag == 0xA0000003


def long_path(path: Path) -> Path:
    """``path`` so that it may have more than 260 characters.

    Windows takes those, whatever its settings, behind ``\\\\?\\`` (learn.microsoft.com, "Maximum
    Path Length Limitation"); a share is ``\\\\?\\UNC\\server\\share``.
    """
    if sys.platform != "win32":
        return path
    text = str(path)
    if text.startswith("\\\\?\\"):
        return path
    return Path("\\\\?\\UNC\\" + text[2:] if text.startswith("\\\\") else "\\\\?\\" + text)


def unlink(name: str | Path, folder: int | None = None) -> None:
    """Remove a file, a read-only one too, which Windows and some shares refuse (isaacs/rimraf#161).

    Raises OSError.
    """
    try:
        os.unlink(name, dir_fd=folder)
    except PermissionError:
        with suppress(OSError, NotImplementedError):
            os.chmod(name, 0o600, dir_fd=folder)
        os.unlink(name, dir_fd=folder)


# -- what is on the disk ---------------------------------------------------------------------------

_NO_FULL_FLUSH = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY}
"""golang/go#64215 and vim/vim#4016 (SMB: ENOTSUP), macfuse/macfuse#79 (EINVAL), libuv/libuv#1579
(ENOTTY): all fall back to fsync, and so do we."""

NO_FOLDER_FLUSH = {errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM, errno.EBADF, errno.EIO}
"""What flushing a folder says where that does not exist: EINVAL (untitaker/python-atomicwrites#28),
EPERM, EACCES or EBADF on Windows (surrealdb/surrealkv#365: NTFS logs names by itself), EIO for a
share in WSL (microsoft/WSL#2557). Believed when the disk is tried out; later it is an error."""


def flush(descriptor: int) -> None:
    """Return when all that was written is on the disk itself. Raises OSError."""
    if sys.platform == "darwin":
        # fsync only hands the bytes to the drive there (fsync(2) of macOS).
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in _NO_FULL_FLUSH:
                raise
            os.fsync(descriptor)
    else:
        os.fsync(descriptor)


def flush_unwritten(descriptor: int) -> None:
    """The same of a file that is open for reading only, which Windows refuses to flush
    (FlushFileBuffers needs GENERIC_WRITE; surrealdb/surrealkv#365)."""
    try:
        flush(descriptor)
    except OSError as error:
        if DESCRIPTORS or error.errno not in (errno.EPERM, errno.EACCES, errno.EBADF):
            raise


_SYNCED_WHOLE = {
    0xEF53: "ext4",
    0x58465342: "XFS",
    0x9123683E: "Btrfs",
    0xF2F52010: "F2FS",
    0x01021994: "tmpfs",
}
"""File systems (statfs(2)) of which syncfs writes everything. On FUSE it does not reach the program
behind (fs/fuse/inode.c, fuse_sync_fs: for virtiofs alone), on network disks it is nobody's promise;
neither can be seen by trying, so whatever is not in this list is flushed file by file."""

_TELLS_ERRORS = (5, 8)
"""Before Linux 5.8 syncfs says nothing of what could not be written (syncfs(2))."""


def syncs_whole(descriptor: int) -> Callable[[], None] | None:
    """What brings all that was written to the disk of ``descriptor`` onto it, and says so if it
    cannot; None if there is no such call. ``descriptor`` has to be open since before the writing.
    """
    if sys.platform != "linux" or _kernel() < _TELLS_ERRORS:
        return None
    try:
        library = ctypes.CDLL(None, use_errno=True)
        sync, look = library.syncfs, library.fstatfs
    except (AttributeError, OSError):
        return None
    found = ctypes.create_string_buffer(512)
    if look(descriptor, found) or ctypes.c_long.from_buffer(found).value not in _SYNCED_WHOLE:
        return None

    def synced() -> None:
        if sync(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return synced


def _kernel() -> tuple[int, ...]:
    numbers = os.uname().release.partition("-")[0].split(".")
    return tuple(int(each) for each in numbers if each.isdigit())[:2]


def sync_everything() -> None:
    """Bring what anybody wrote onto the disks; Windows cannot (and has no leftover links)."""
    if hasattr(os, "sync"):
        os.sync()


# -- how much it holds -----------------------------------------------------------------------------


def make_private(folder: Path) -> None:
    """Make ``folder``, and what is missing above it, for nobody but their owner; one that is there
    stays as it is. Raises OSError.

    (Of the folders above, `Path.mkdir` would leave all to the umask.)
    """
    missing = []
    for each in (folder, *folder.parents):
        if each.exists():
            break
        missing.append(each)
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    if not missing:
        folder.mkdir(mode=0o700, exist_ok=True)  # Says what else is there.


def space(folder: Path) -> tuple[int, int]:
    """(bytes free for us, bytes in all) of the disk of ``folder``; no more files count as no room.

    Raises OSError.
    """
    if not hasattr(os, "statvfs"):
        found = shutil.disk_usage(folder)
        return found.free, found.total
    disk = os.statvfs(folder)
    free, total = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    # Btrfs, and what counts no files, has 0 of 0.
    few = disk.f_files and disk.f_favail < min(1_000, disk.f_files // 16)
    return (0 if few else free), total


LARGEST_ON_FAT = 2**32 - 1


def takes_large_files(descriptor: int) -> bool:
    """Whether a file may have 4 GiB and more; nothing is written to find out.

    Linux lets nobody seek beyond the file system's limit (fs/read_write.c, vfs_setpos), macOS
    tells by pathconf (33 bits on FAT). Windows: not known before a write says EFBIG.
    """
    try:
        os.lseek(descriptor, LARGEST_ON_FAT + 1, os.SEEK_SET)
    except OSError as error:
        return error.errno not in (errno.EINVAL, errno.EOVERFLOW, errno.EFBIG)
    if sys.platform == "darwin":
        with suppress(OSError, ValueError):
            bits = os.fpathconf(descriptor, "PC_FILESIZEBITS")
            return not 0 < bits <= 33
    return True


# -- locks and processes ---------------------------------------------------------------------------


def lock(descriptor: int) -> bool | None:
    """Whether we have the lock of an open file; None if there are no locks here. It ends with the
    process, however that ends."""
    if sys.platform == "win32":
        import msvcrt

        # A lock is there for readers, too; far behind the end it keeps the text readable.
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return False if error.errno in (errno.EACCES, errno.EDEADLK) else None
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None  # ENOLCK of NFS without its lock daemon, ENOTSUP of SMB, ENOSYS of FUSE.
    return True


def runs(process: int) -> bool:
    """Whether this machine has a process of that number."""
    if sys.platform == "win32":
        # os.kill(…, 0) would not ask but send Ctrl-C (signal.CTRL_C_EVENT is 0).
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(0x1000, False, process)  # PROCESS_QUERY_LIMITED_INFORMATION
        if not handle:
            return bool(kernel.GetLastError() == 5)  # ERROR_ACCESS_DENIED: it is somebody else's.
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return code.value == 259  # STILL_ACTIVE
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


# -- errors ----------------------------------------------------------------------------------------

_WINDOWS_ERRORS = {
    19: errno.EROFS,  # ERROR_WRITE_PROTECT
    21: errno.ENODEV,  # ERROR_NOT_READY: no disk in the drive
    39: errno.ENOSPC,  # ERROR_HANDLE_DISK_FULL
    55: errno.ENODEV,  # ERROR_DEV_NOT_EXIST: a share that went away
    64: errno.ENODEV,  # ERROR_NETNAME_DELETED
    112: errno.ENOSPC,  # ERROR_DISK_FULL
    123: errno.EINVAL,  # ERROR_INVALID_NAME
    206: errno.ENAMETOOLONG,  # ERROR_FILENAME_EXCED_RANGE
    223: errno.EFBIG,  # ERROR_FILE_TOO_LARGE
    1167: errno.ENODEV,  # ERROR_DEVICE_NOT_CONNECTED
    1295: errno.EDQUOT,  # ERROR_DISK_QUOTA_EXCEEDED
}
"""System error codes (learn.microsoft.com); Python makes EACCES of 19 to 36 and EINVAL of what it
does not know (PC/errmap.h)."""


def number_of(error: OSError) -> int:
    """The errno of ``error``, with what Windows tells more exactly."""
    code = getattr(error, "winerror", None)
    return _WINDOWS_ERRORS.get(code, error.errno or 0) if code is not None else error.errno or 0


GONE: Sequence[int] = (errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN, errno.EIO)
"""What a disk says that was taken away: ENODEV and EIO of USB disks, ENXIO, ESTALE of NFS,
ENOTCONN of a FUSE program that died, EHOSTDOWN of a share."""
if hasattr(errno, "EHOSTDOWN"):
    GONE = (*GONE, errno.EHOSTDOWN)
