"""What disks and systems lack or refuse, played on this machine's disk: one by one, and in the sets
in which they come.

None of this was seen on the system itself: where a fact is from stands beside it.
"""

import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smugmug_backup import system
from smugmug_backup.storage import folder_lock
from tests.tools.faulty_disk import failing, strike

Lack = Callable[[pytest.MonkeyPatch], None]


def links(monkeypatch: pytest.MonkeyPatch) -> None:
    """No hard links. EPERM: FAT and exFAT (link(2)); SMB from macOS says ENOTSUP
    (facebook/rocksdb#9657), which `smb_links` plays."""
    monkeypatch.setattr(os, "link", failing(errno.EPERM))


def smb_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """No hard links, as shares say it."""
    monkeypatch.setattr(os, "link", failing(errno.ENOTSUP))


def exclusive_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rename without replacing: NFS (fs/nfs/dir.c, nfs_rename: EINVAL for any flag) and FUSE of
    Linux; on macOS all but APFS and HFS+ (rename(2) there: VOL_CAP_INT_RENAME_EXCL)."""
    monkeypatch.setattr(system, "renamed", lambda *_: False)


def folder_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """No flushing of folders: EINVAL of network disks (untitaker/python-atomicwrites#28)."""
    strike(monkeypatch, "fsync", errno.EINVAL, when=_is_folder)


def smb_folder_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of a share in WSL: EIO (microsoft/WSL#2557)."""
    strike(monkeypatch, "fsync", errno.EIO, when=_is_folder)


def locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No advisory locks: ENOLCK of NFS without lockd, ENOTSUP of shares (flock(2))."""
    monkeypatch.setattr(system, "lock", lambda _: None)


def whole_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """No syncfs: everything but Linux, and there all but its own local disks."""
    monkeypatch.setattr(system, "syncs_whole", lambda _: None)


def removing_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is open is neither removed nor renamed: Windows (ERROR_SHARING_VIOLATION, which Python
    makes PermissionError; the CRT opens without FILE_SHARE_DELETE)."""

    def is_open(path: Any, *_: Any, dir_fd: int | None = None, **more: Any) -> bool:
        folder = more.get("src_dir_fd", dir_fd)
        try:
            wanted = os.lstat(path) if folder is None else os.stat(path, dir_fd=folder)
        except OSError:
            return False
        own = Path("/proc/self/fd")
        for each in own.iterdir():
            try:
                found = os.fstat(int(each.name))
            except OSError:
                continue
            if stat.S_ISREG(found.st_mode) and os.path.samestat(found, wanted):
                return True
        return False

    for name in ("unlink", "rename"):
        strike(monkeypatch, name, errno.EACCES, when=is_open)


def removing_what_is_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only file is not removed before it is made writable: Windows (isaacs/rimraf#161),
    and shares that keep its attribute (Samba: ``delete readonly = no`` by default)."""

    def is_read_only(path: Any, *_: Any, dir_fd: int | None = None, **__: Any) -> bool:
        try:
            return not os.stat(path, dir_fd=dir_fd, follow_symlinks=False).st_mode & stat.S_IWUSR
        except OSError:
            return False

    strike(monkeypatch, "unlink", errno.EACCES, when=is_read_only)


def open_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders cannot be opened, and nothing is reached from one: Windows (nodejs/node#3879)."""

    def is_folder(path: Any, *_: Any, dir_fd: int | None = None, **__: Any) -> bool:
        assert dir_fd is None, "os.open has no dir_fd there"
        return not isinstance(path, int) and Path(path).is_dir()

    monkeypatch.setattr(system, "DESCRIPTORS", False)
    strike(monkeypatch, "open", errno.EACCES, when=is_folder)
    for name in ("mkdir", "stat", "unlink", "chmod"):
        call = getattr(os, name)

        def without(*arguments: Any, _call: Any = call, **more: Any) -> Any:
            assert more.pop("dir_fd", None) is None, "there is no dir_fd there"
            return _call(*arguments, **more)

        monkeypatch.setattr(os, name, without)
    monkeypatch.delattr(os, "pread")


_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reserved names, signs and endings are refused (learn.microsoft.com, "Naming Files, Paths, and
    Namespaces")."""

    def is_refused(path: Any, *_: Any, **__: Any) -> bool:
        if isinstance(path, int):
            return False
        name = Path(path).name
        bad = _RESERVED.fullmatch(name) or re.search(r'[<>:"\\|?*\x00-\x1f]|[. ]$', name)
        return bool(bad)

    for name in ("open", "mkdir"):
        strike(monkeypatch, name, errno.EINVAL, when=is_refused)


def lasting_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name that is made for the first time meets itself once: a network disk sends the request
    again when its answer is lost (link(2), BUGS: NFS)."""
    met: set[str] = set()
    link = os.link

    def linked(old: Any, new: Any, **more: Any) -> None:
        link(old, new, **more)
        if Path(new).name not in met:
            met.add(Path(new).name)
            raise FileExistsError(errno.EEXIST, "File exists")

    monkeypatch.setattr(os, "link", linked)


def _is_folder(descriptor: int) -> bool:
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)


ONE_BY_ONE: dict[str, Lack] = {
    each.__name__: each
    for each in (
        links,
        smb_links,
        exclusive_rename,
        folder_flush,
        smb_folder_flush,
        locks,
        whole_sync,
        removing_what_is_open,
        removing_what_is_read_only,
        open_folders,
        names,
        lasting_answers,
    )
}

_WINDOWS = (open_folders, removing_what_is_open, removing_what_is_read_only, names, whole_sync)

SETS: dict[str, tuple[Lack, ...]] = {
    "windows": _WINDOWS,
    "windows-exfat": (*_WINDOWS, links),
    "fat": (links, whole_sync),
    "smb": (smb_links, smb_folder_flush, removing_what_is_read_only, whole_sync),
    "smb-mac": (smb_links, exclusive_rename, folder_flush, locks, names, whole_sync),
    "nfs": (exclusive_rename, lasting_answers, locks, whole_sync),
}
"""Which come together, at their worst: Windows on NTFS and on a disk without links; FAT by Linux;
a share from Linux, and from macOS; NFS."""


def play(monkeypatch: pytest.MonkeyPatch, lacks: tuple[Lack, ...]) -> None:
    """From now on, this machine lacks these."""
    for each in lacks:
        each(monkeypatch)
    # Locks of other sets are those of other disks.
    monkeypatch.setattr(folder_lock, "_writers", type(folder_lock._writers)())
