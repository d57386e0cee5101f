"""What Linux, macOS and Windows do differently, as far as it can be asked here."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from smugmug_backup import system
from tests.tools.faulty_disk import failing

SOURCE = Path(system.__file__).parents[1]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="a Linux")


def test_every_module_can_be_imported_where_there_is_no_fcntl():
    """As on Windows, where fcntl, pwd and grp are missing and os lacks much."""
    script = """
import os, pkgutil, sys
for name in ("fcntl", "pwd", "grp", "resource", "termios"):
    sys.modules[name] = None
for name in ("O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK", "statvfs", "sync", "pread", "uname"):
    if hasattr(os, name):
        delattr(os, name)
import smugmug_backup
for each in pkgutil.walk_packages(smugmug_backup.__path__, "smugmug_backup."):
    if not each.name.endswith("__main__"):
        try:
            __import__(each.name)
        except ImportError as error:
            if error.name in ("fcntl", "pwd", "grp", "resource", "termios"):
                sys.exit(f"{each.name}: {error}")
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize(
    ("path", "long"),
    [
        (r"C:\Photos", r"\\?\C:\Photos"),
        (r"\\nas\photos\b", r"\\?\UNC\nas\photos\b"),
        (r"\\?\C:\Photos", r"\\?\C:\Photos"),
    ],
)
def test_a_path_of_windows_may_have_more_than_260_characters(monkeypatch, path, long):
    monkeypatch.setattr(sys, "platform", "win32")
    assert str(system.long_path(Path(path))) == long


def test_any_other_path_is_as_long_as_it_is():
    assert system.long_path(Path("/mnt/disk")) == Path("/mnt/disk")


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (112, errno.ENOSPC),
        (39, errno.ENOSPC),
        (1295, errno.EDQUOT),
        (223, errno.EFBIG),
        (19, errno.EROFS),
        (21, errno.ENODEV),
        (206, errno.ENAMETOOLONG),
        (5, errno.EACCES),
    ],
)
def test_what_windows_says_more_exactly_counts(code, number):
    error = PermissionError(errno.EACCES, "Access is denied")
    error.winerror = code
    assert system.number_of(error) == number


def test_an_error_of_another_system_is_its_errno():
    assert system.number_of(OSError(errno.EIO, "x")) == errno.EIO
    assert system.number_of(OSError("without a number")) == 0


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOVERFLOW])
def test_a_disk_beyond_whose_limit_nobody_can_seek_takes_no_large_files(
    tmp_path, monkeypatch, number
):
    (tmp_path / "a").write_bytes(b"")
    with open(tmp_path / "a", "rb") as file:
        assert system.takes_large_files(file.fileno())
        monkeypatch.setattr(os, "lseek", failing(number))
        assert not system.takes_large_files(file.fileno())


def test_macos_tells_the_largest_file_by_its_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    (tmp_path / "a").write_bytes(b"")
    with open(tmp_path / "a", "rb") as file:
        for bits, large in ((33, False), (64, True), (0, True)):
            monkeypatch.setattr(os, "fpathconf", lambda *_, bits=bits: bits)
            assert system.takes_large_files(file.fileno()) is large


@LINUX
@pytest.mark.parametrize(
    ("release", "tells"), [("5.7.19", False), ("5.8.0", True), ("6.1-x", True)]
)
def test_syncfs_is_believed_where_it_tells_what_could_not_be_written(
    tmp_path, monkeypatch, release, tells
):
    monkeypatch.setattr(system, "_SYNCED_WHOLE", AnyKind())
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(release=release))
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        sync = system.syncs_whole(descriptor)
        assert (sync is not None) == tells
        if sync is not None:
            sync()
    finally:
        os.close(descriptor)
    if sync is not None:
        with pytest.raises(OSError, match="Bad file descriptor"):
            sync()


class AnyKind:
    def __contains__(self, _):
        return True


@LINUX
def test_syncfs_is_not_believed_of_a_file_system_that_is_not_known():
    descriptor = os.open("/proc", os.O_RDONLY)
    try:
        assert system.syncs_whole(descriptor) is None
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_only_linux_has_syncfs(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    assert system.syncs_whole(0) is None


def test_a_process_runs_or_does_not():
    assert system.runs(os.getpid())
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    assert not system.runs(process.pid)
    assert system.runs(1)


def test_a_lock_is_had_once_and_ends_with_its_file(tmp_path):
    one, other = (os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(2))
    assert system.lock(one) is True
    assert system.lock(other) is False
    os.close(one)
    assert system.lock(other) is True
    os.close(other)


def test_a_rename_that_does_not_replace(tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    assert system.renamed(tmp_path / "a", tmp_path / "c")
    with pytest.raises(FileExistsError):
        system.renamed(tmp_path / "c", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"b"
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert system.renamed("c", "d", folder, folder)
        with pytest.raises(FileNotFoundError):
            system.renamed("c", "e", folder, folder)
    finally:
        os.close(folder)
    assert (tmp_path / "d").read_bytes() == b"a"


def test_where_nothing_renames_without_replacing_nothing_is_renamed(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"a")
    monkeypatch.setattr(system, "rename_without_replacing", lambda *_: None)
    assert not system.renamed(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").exists()


def test_a_disk_without_inodes_has_no_room(tmp_path, monkeypatch):
    free, total = system.space(tmp_path)
    assert 0 < free <= total
    found = os.statvfs(tmp_path)
    few = SimpleNamespace(
        f_bavail=found.f_bavail,
        f_frsize=found.f_frsize,
        f_blocks=found.f_blocks,
        f_files=10_000,
        f_favail=20,
    )
    monkeypatch.setattr(os, "statvfs", lambda _: few)
    assert system.space(tmp_path) == (0, total)


def test_windows_tells_its_room_too(tmp_path, monkeypatch):
    free, total = system.space(tmp_path)
    monkeypatch.delattr(os, "statvfs")
    monkeypatch.setattr(
        system.shutil, "disk_usage", lambda _: SimpleNamespace(free=free, total=total)
    )
    assert system.space(tmp_path) == (free, total)


def test_a_private_folder_is_its_owners_alone_and_so_is_what_was_missing_above_it(tmp_path):
    before = os.umask(0)
    try:
        (tmp_path / "there").mkdir()
        system.make_private(tmp_path / "there" / "above" / "below")
        system.make_private(tmp_path / "there" / "above" / "below")
    finally:
        os.umask(before)
    modes = [
        stat.S_IMODE((tmp_path / each).stat().st_mode)
        for each in ("there", "there/above", "there/above/below")
    ]
    assert modes == [0o777, 0o700, 0o700]


def test_where_a_file_lies_no_private_folder_is_made(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError):
            system.make_private(folder)
