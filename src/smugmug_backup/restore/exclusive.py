"""Give a finished file its name, and never replace what has that name.

==================  ============================================================================
the file system     how
==================  ============================================================================
has hard links      link
has none (FAT,      rename that does not replace: ``renameat2`` (Linux), ``renamex_np`` (macOS),
SMB)                plain on Windows, where it refuses by itself
has neither         the name is made anew, for us alone, and the bytes are copied into it
==================  ============================================================================

A network disk whose answer was lost is asked again and meets what it did itself: a name that is
our own file already is no other file.
"""

import ctypes
import errno
import os  # noqa: TID251 - restored files are written here
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path  # noqa: TID251 - as above

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES}
_NOT_HERE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What a file system says that cannot rename without replacing (rename(2): EINVAL)."""

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_RENAME_EXCL = 4
_CHUNK = 1 << 20

Rename = Callable[[bytes, bytes], int]


def give_name(part: Path, final: Path) -> None:
    """Let the bytes of ``part`` be found under ``final``; ``part`` may be there still.

    Raises FileExistsError if something else is, and OSError.
    """
    ours = part.lstat()
    try:
        if not _linked(part, final) and not _renamed(part, final):
            _copy(part, final)
    except (FileExistsError, FileNotFoundError):
        if not _is_the_same(final, ours):
            raise


def _linked(part: Path, final: Path) -> bool:
    """False: there are no links here."""
    try:
        os.link(part, final)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    return True


def _renamed(part: Path, final: Path) -> bool:
    """False: nothing here can rename without replacing."""
    if sys.platform == "win32":
        part.rename(final)
        return True
    rename = rename_without_replacing()
    if rename is None:
        return False
    if rename(os.fsencode(part), os.fsencode(final)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_HERE:
        return False
    raise OSError(number, os.strerror(number), str(final))


def rename_without_replacing() -> Rename | None:
    """The system's own call; None if it has none (glibc before 2.28, musl)."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            call = library.renamex_np
            call.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint)
            return lambda part, final: int(call(part, final, _RENAME_EXCL))
        call = library.renameat2
    except (AttributeError, OSError, TypeError):
        return None
    here, text, flags = ctypes.c_int, ctypes.c_char_p, ctypes.c_uint
    call.argtypes = (here, text, here, text, flags)
    return lambda part, final: int(call(_AT_FDCWD, part, _AT_FDCWD, final, _RENAME_NOREPLACE))


def _copy(part: Path, final: Path) -> None:
    """The last way: a kill in the middle leaves a file that is not whole, which the next restore
    calls another file."""
    times = part.stat()
    descriptor = os.open(final, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    made = os.fstat(descriptor)
    try:
        with open(descriptor, "wb") as new, open(part, "rb") as old:
            shutil.copyfileobj(old, new, _CHUNK)
            new.flush()
            os.fsync(new.fileno())
    except BaseException:
        if _is_the_same(final, made):
            with suppress(OSError):
                final.unlink()
        raise
    with suppress(OSError, OverflowError):
        os.utime(final, ns=(times.st_atime_ns, times.st_mtime_ns))


def _is_the_same(path: Path, one: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.lstat(), one)
    except OSError:
        return False
