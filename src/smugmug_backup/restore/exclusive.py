"""Give a finished file its name, and never replace what has that name.

==================  ============================================================================
the file system     how
==================  ============================================================================
has hard links      link
has none (FAT,      rename that does not replace: ``renameat2`` (Linux), ``renameatx_np`` (macOS),
SMB)                plain on Windows, where it refuses by itself (`system`)
has neither         the name is made anew, for us alone, and the file renamed over what was made
==================  ============================================================================

A network disk whose answer was lost is asked again and meets what it did itself: a name that is
our own file already is no other file.
"""

import ctypes
import os  # noqa: TID251 - restored files are written here
import sys
from contextlib import suppress
from pathlib import Path  # noqa: TID251 - as above

from smugmug_backup import system
from smugmug_backup.system import rename_without_replacing


def give_name(part: Path, final: Path) -> None:
    """Let the bytes of ``part`` be found under ``final``; ``part`` may be there still.

    Raises FileExistsError if something else is, and OSError.
    """
    ours = part.lstat()
    try:
        if not _linked(part, final) and not _renamed(part, final):
            _claim(part, final)
    except (FileExistsError, FileNotFoundError):
        if not _is_the_same(final, ours):
            raise


def _linked(part: Path, final: Path) -> bool:
    """False: there are no links here."""
    try:
        os.link(part, final)
    except OSError as error:
        if system.number_of(error) not in system.NO_LINKS:
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
    if number in system.NO_EXCLUSIVE_RENAME:
        return False
    raise OSError(number, os.strerror(number), str(final))


def _claim(part: Path, final: Path) -> None:
    """The last way: a kill in the middle leaves an empty file, and never half of one."""
    descriptor = os.open(final, system.NEW, 0o666)
    made = os.fstat(descriptor)
    os.close(descriptor)
    try:
        found = final.lstat()
        if found.st_size or not os.path.samestat(found, made):
            raise FileExistsError(f"{final} was taken just now")
        part.rename(final)
    except BaseException:
        # Another program may have written into it.
        with suppress(OSError):
            found = final.lstat()
            if not found.st_size and os.path.samestat(found, made):
                final.unlink()
        raise


def _is_the_same(path: Path, one: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.lstat(), one)
    except OSError:
        return False
