"""What a disk can do, found out by trying it in the folder itself, and what was left in there."""

import errno
import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from smugmug_backup import system
from smugmug_backup.errors import StoreRefused
from smugmug_backup.storage.file_system import (
    FULL,
    INCOMING,
    a_link,
    close,
    flush_path,
    is_link,
    store_error,
)
from smugmug_backup.storage.folder_naming import Naming
from smugmug_backup.storage.keys import with_capitals

_LEFTOVER = re.compile(r"[0-9a-f]{16}\.part|probe-[0-9a-f]{16}")
_LEFTOVER_SECONDS = 24 * 3600

# What a key can be made of. Some old or encrypting file systems have no long names. Keys are ASCII,
# so the forms of Unicode (NFC, NFD) cannot matter, and none is a name that Windows reserves.
_TRICKY = ("con=0", "-_", "_a.b-c", "hT4mWq=12", "x" * 128)


class Disk(NamedTuple):
    """What was found out. ``takes_large``: files of 4 GiB and more; ``flushes_folders``: names can
    be brought onto the disk by themselves (elsewhere they are, by the file system's own log);
    ``tried_at``: by the file system's own clock."""

    naming: Naming
    takes_large: bool
    flushes_folders: bool
    tried_at: float


def check_root(root: Path, *, create: bool) -> None:
    """See that ``root`` is a folder that can be used; make it if asked. Raises StoreRefused."""
    try:
        if create:
            _make_root(root)
        if not root.is_dir():
            raise StoreRefused(f"there is no folder {root}; is the disk mounted?")
    except OSError as error:
        raise store_error(error, f"opening {root}") from None


def whole(root: Path) -> Path:
    """``root`` without links, from the top. Raises StoreRefused if it begins in a current folder
    that is gone."""
    try:
        return root.resolve()
    except FileNotFoundError:
        raise StoreRefused(
            f"{root} is a way from the current folder, which is gone; name the place by its whole "
            "path"
        ) from None


def _make_root(root: Path) -> None:
    around = root.absolute().parent
    if not around.is_dir():
        raise StoreRefused(f"there is no folder {around} to hold {root.name}; is the disk mounted?")
    with suppress(FileExistsError):
        root.mkdir()
        # A folder that may be passed through but not listed cannot be flushed either.
        with suppress(PermissionError):
            flush_tried(around)


def prepare(root: Path) -> Disk:
    """Try out ``root``'s disk. Raises StoreRefused and OSError."""
    incoming = root / INCOMING
    with suppress(FileExistsError):
        incoming.mkdir()
        flush_tried(root)
    if is_link(incoming):
        raise a_link(incoming)
    try:
        return _probe(root, incoming)
    except (StoreRefused, FileExistsError):
        # Once more: a network disk whose answer was lost met what it had made itself.
        return _probe(root, incoming)


def _probe(root: Path, incoming: Path) -> Disk:
    """Try it all in a folder of its own."""
    probe = incoming / f"probe-{secrets.token_hex(8)}"
    probe.mkdir()
    try:
        _try_names(root, probe)
        return Disk(
            _naming(root, probe), _takes_large(probe), flush_tried(probe), probe.stat().st_mtime
        )
    finally:
        with suppress(OSError):
            _remove(probe)


def _try_names(root: Path, probe: Path) -> None:
    for name in _TRICKY:
        try:
            _touch(probe / name)
        except OSError as error:
            if system.number_of(error) in {*FULL, errno.EEXIST}:
                raise
            raise _changes_names(root) from error
    # NTFS mounted with ignore_case lists all names in small letters (ntfs-3g(8)).
    if {with_capitals(each.name) for each in probe.iterdir()} != {*_TRICKY}:
        raise _changes_names(root)


def _naming(root: Path, probe: Path) -> Naming:
    """The first way that works; see `Naming`.

    Where folders cannot be opened (Windows) what is open cannot be removed either, by none of its
    names: a link would leave the other one lying there, so a rename comes first.
    """
    ways = (_links, _renames) if system.DESCRIPTORS else (_renames, _links)
    for way in ways:
        found = way(root, probe)
        if found is not None:
            return found
    return Naming.ALONE


def _links(root: Path, probe: Path) -> Naming | None:
    new = probe / "linked"
    try:
        os.link(probe / _TRICKY[0], new)
    except OSError as error:
        if system.number_of(error) in system.NO_LINKS:
            return None
        raise
    try:
        os.link(probe / _TRICKY[1], new)
    except FileExistsError:
        return Naming.LINK
    raise _replaces(root)


def _renames(root: Path, probe: Path) -> Naming | None:
    new = probe / "renamed"
    try:
        if not system.renamed(probe / _TRICKY[2], new):
            return None
        try:
            system.renamed(probe / _TRICKY[3], new)
        except (FileExistsError, PermissionError):
            return Naming.RENAME
    except PermissionError:
        return None  # What is read-only is not renamed there; a plain rename will tell.
    raise _replaces(root)


def _replaces(root: Path) -> StoreRefused:
    return StoreRefused(f"the file system of {root} lets one file take another's name")


def _takes_large(probe: Path) -> bool:
    descriptor = os.open(probe / _TRICKY[4], system.FILE)
    try:
        return system.takes_large_files(descriptor)
    finally:
        close(descriptor)


def flush_tried(folder: Path) -> bool:
    """Flush ``folder``; False if there is no such thing here. Raises OSError."""
    try:
        flush_path(folder)
    except OSError as error:
        if system.number_of(error) not in system.NO_FOLDER_FLUSH:
            raise
        return False
    return system.DESCRIPTORS


def _touch(path: Path) -> None:
    close(os.open(path, system.NEW, 0o444))


def sweep(root: Path, now: float, *, alone: bool) -> None:
    """Remove what killed processes left on its way in: a day before ``now``, the file system's own
    time, or if nobody else can be at work here (``alone``), at any time. Raises OSError."""
    unfinished = False
    for each in (root / INCOMING).iterdir():
        if not _LEFTOVER.fullmatch(each.name):
            continue
        with suppress(OSError):  # one that stays stops nothing
            found = each.lstat()
            unfinished = unfinished or (stat.S_ISREG(found.st_mode) and found.st_nlink > 1)
            if alone or found.st_mtime < now - _LEFTOVER_SECONDS:
                _remove(each)
    if unfinished:
        # A process died after a file had got its name and before the folder was flushed. What
        # lies there is relied upon from now on, so it has to be on the disk.
        system.sync_everything()


def _remove(left: Path) -> None:
    """Remove a file on its way in, or a probe and what is in it. Raises OSError."""
    if stat.S_ISDIR(left.lstat().st_mode):
        for each in left.iterdir():
            system.unlink(each)
        left.rmdir()
    else:
        system.unlink(left)


def _changes_names(root: Path) -> StoreRefused:
    return StoreRefused(
        f"the file system of {root} does not keep every name as it is (long ones, or those with "
        "'=' or '-'); use another disk"
    )
