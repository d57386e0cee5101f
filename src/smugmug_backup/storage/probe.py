"""Whether a file system can hold a backup, found out by trying, and what was left on its way in."""

import errno
import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from smugmug_backup.errors import StoreRefused
from smugmug_backup.storage.file_system import (
    FULL,
    INCOMING,
    NEW,
    a_link,
    close,
    flush_path,
    is_link,
    store_error,
)

_LEFTOVER = re.compile(r"[0-9a-f]{16}\.part|probe-[0-9a-f]{16}")
_LEFTOVER_SECONDS = 24 * 3600

# Windows, and what imitates it, cannot hold "aux" or "con.json"; some old or encrypting file
# systems have no long names. Keys are ASCII, so the forms of Unicode (NFC, NFD) cannot matter.
_TRICKY = ("aux", "con.json", "-_", "_a.b-c", "hT4mWq=12", "x" * 128)

_NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


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
            flush_path(around)


def prepare(root: Path) -> None:
    """Try out ``root``'s file system, and sweep what killed processes left a day ago.

    Raises StoreRefused and OSError.
    """
    incoming = root / INCOMING
    with suppress(FileExistsError):
        incoming.mkdir()
        flush_path(root)
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
            if error.errno in FULL:
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
