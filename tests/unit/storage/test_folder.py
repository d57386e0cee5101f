"""The folder store: born whole, on the disk, within its root, on a file system that will do."""

import errno
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from smugmug_backup.errors import AlreadyStored, NotStored, StoreRefused, StoreUnavailable
from smugmug_backup.storage import file_system
from smugmug_backup.storage.folder import FolderStore

KEY = "records/hT4mWq/V2xgTbs/1f2e3d4c5b6a7988.json"
DAY = 24 * 3600


@pytest.fixture
def root(tmp_path):
    return tmp_path / "backup"


@pytest.fixture
def store(root):
    return FolderStore(root)


def files(root):
    return sorted(str(each.relative_to(root)) for each in root.rglob("*") if each.is_file())


def failing(number):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    return fail


# -- on the disk -----------------------------------------------------------------------------------


def test_a_key_is_a_file_of_the_same_name_and_bytes(root, store):
    store.create(KEY, b"{}")
    assert files(root) == [KEY]
    assert (root / KEY).read_bytes() == b"{}"


def test_files_are_read_only_and_the_umask_is_kept(tmp_path):
    before = os.umask(0o027)
    try:
        root = tmp_path / "backup"
        FolderStore(root).create(KEY, b"{}")
    finally:
        os.umask(before)
    assert stat.S_IMODE((root / KEY).stat().st_mode) == 0o440
    assert stat.S_IMODE((root / "records").stat().st_mode) == 0o750


class Disk:
    """What the store asks of the disk, in order."""

    def __init__(self, monkeypatch):
        self.log = []
        self._watch(
            monkeypatch,
            "fsync",
            lambda descriptor: str(Path(f"/proc/self/fd/{descriptor}").readlink()),
        )
        self._watch(monkeypatch, "link", lambda source, target, **_: target)
        self._watch(monkeypatch, "mkdir", lambda name, *_, **__: str(name))

    def _watch(self, monkeypatch, name, what):
        original = getattr(os, name)

        def watched(*arguments, **more):
            self.log.append((name, what(*arguments, **more)))
            return original(*arguments, **more)

        monkeypatch.setattr(os, name, watched)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc: a Linux")
def test_bytes_are_on_the_disk_before_they_have_a_name_and_the_name_before_it_counts(
    root, store, monkeypatch
):
    disk = Disk(monkeypatch)
    store.create("albums/a/1.json", b"{}")
    incoming = disk.log[0][1]
    assert disk.log == [
        ("fsync", incoming),
        ("mkdir", "albums"),
        ("fsync", str(root)),
        ("mkdir", "a"),
        ("fsync", str(root / "albums")),
        ("link", "1.json"),
        ("fsync", str(root / "albums" / "a")),
    ]
    assert Path(incoming).parent == root / ".incoming"
    disk.log.clear()
    store.create("albums/a/2.json", b"{}")
    assert [name for name, _ in disk.log] == ["fsync", "link", "fsync"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc: a Linux")
def test_what_a_killed_process_wrote_is_flushed_before_it_counts(root, store, monkeypatch):
    store.create("a/1.json", b"{}")
    again = FolderStore(root)
    disk = Disk(monkeypatch)
    again.create("a/1.json", b"{}")
    assert {each for name, each in disk.log if name == "fsync"} == {
        str(root),
        str(root / "a"),
        str(root / "a/1.json"),
    }


def test_a_process_killed_while_it_writes_leaves_nothing_that_counts(root):
    script = (
        "import os, sys; from smugmug_backup.storage.folder import FolderStore\n"
        f"with FolderStore({str(root)!r}).upload({KEY!r}) as upload:\n"
        "    upload.write(b'half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    source = str(Path(file_system.__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": source}, check=False)
    assert done.returncode == -9
    store = FolderStore(root)
    assert list(store.list("")) == []
    assert len(files(root)) == 1
    store.create(KEY, b"whole")
    assert store.read(KEY) == b"whole"


# -- leftovers -------------------------------------------------------------------------------------


def leave(root, name, *, days):
    path = root / ".incoming" / name
    path.write_bytes(b"left")
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


def test_our_own_leftovers_are_swept_after_a_day_and_nothing_else(root, store):
    old = leave(root, "0123456789abcdef.part", days=1.1)
    young = leave(root, "123456789abcdef0.part", days=0.9)
    strange = leave(root, "holiday.part", days=9)
    assert list(store.list("")) == []
    FolderStore(root)
    assert not old.exists()
    assert young.exists()
    assert strange.exists()
    assert sorted((root / ".incoming").iterdir()) == sorted((young, strange))


def test_after_a_kill_between_name_and_flush_everything_is_flushed(root, store, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "sync", lambda: synced.append(True))
    FolderStore(root)
    assert not synced
    store.create(KEY, b"{}")
    os.link(root / KEY, root / ".incoming" / "0123456789abcdef.part")
    FolderStore(root)
    assert synced


# -- within its root -------------------------------------------------------------------------------


@pytest.mark.parametrize("link", ["records", "records/hT4mWq", "records/hT4mWq/V2xgTbs", KEY])
def test_a_symbolic_link_is_refused_wherever_it_lies(root, store, tmp_path, link):
    outside = tmp_path / "outside"
    outside.mkdir()
    if link == KEY:
        (outside / "file").write_bytes(b"theirs")
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to(outside / "file" if link == KEY else outside)
    before = files(outside)
    for attempt in (
        lambda: store.create(KEY, b"ours"),
        lambda: store.head(KEY),
        lambda: store.read(KEY),
        lambda: list(store.list("")),
        lambda: list(store.list("records/")),
        lambda: list(store.list("records/hT4mWq/V2xgTbs/1")),
    ):
        with pytest.raises(StoreRefused, match=r"symbolic link"):
            attempt()
    assert files(outside) == before
    assert files(root / ".incoming") == []


def test_the_incoming_folder_must_not_be_a_link(tmp_path, root):
    outside = tmp_path / "outside"
    outside.mkdir()
    root.mkdir()
    (root / ".incoming").symlink_to(outside)
    with pytest.raises(StoreRefused, match="symbolic link"):
        FolderStore(root)


def test_the_root_itself_may_be_a_link(tmp_path, root, store):
    (tmp_path / "link").symlink_to(root)
    FolderStore(tmp_path / "link").create(KEY, b"{}")
    assert store.read(KEY) == b"{}"


def test_what_is_no_file_is_not_read_and_not_replaced(root, store):
    (root / "albums" / "a.json").mkdir(parents=True)
    (root / "albums" / "b").write_bytes(b"")
    os.mkfifo(root / "albums" / "pipe")
    assert store.head("albums/a.json") is None
    with pytest.raises(NotStored):
        store.read("albums/a.json")
    for key in ("albums/a.json", "albums/b/c", "albums/pipe"):
        with pytest.raises(StoreRefused):
            store.create(key, b"x")
    assert [each.key for each in store.list("")] == ["albums/b"]
    assert files(root / ".incoming") == []


# -- a file system that will not do ----------------------------------------------------------------


def test_a_file_system_that_ignores_case_is_refused(root, monkeypatch):
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda self: self.name.lower() == "ab" or exists(self))
    with pytest.raises(StoreRefused, match="case-sensitive"):
        FolderStore(root)
    assert not list((root / ".incoming").iterdir())


def test_a_copy_on_a_file_system_that_ignores_case_is_seen_without_writing(root):
    root.mkdir()
    (root / "manifests").write_bytes(b"")
    os.link(root / "manifests", root / "MANIFESTS")  # one file under both names
    with pytest.raises(StoreRefused, match="case-sensitive"):
        FolderStore(root, create=False)


@pytest.mark.parametrize("change", [str.lower, str.upper, lambda name: name[:8]])
def test_a_file_system_that_changes_names_is_refused(root, monkeypatch, change):
    touch = file_system._touch
    monkeypatch.setattr(
        file_system, "_touch", lambda path: touch(path.with_name(change(path.name)))
    )
    with pytest.raises(StoreRefused, match="keep every name"):
        FolderStore(root)


def test_a_file_system_with_reserved_names_is_refused(root, monkeypatch):
    touch = file_system._touch

    def windows(path):
        if path.stem == "con":
            raise OSError(errno.EINVAL, "Invalid argument")
        touch(path)

    monkeypatch.setattr(file_system, "_touch", windows)
    with pytest.raises(StoreRefused, match="keep every name"):
        FolderStore(root)


def test_a_file_system_without_hard_links_is_refused(root, monkeypatch):
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    with pytest.raises(StoreRefused, match="hard links"):
        FolderStore(root)


def test_a_file_system_whose_links_replace_is_refused(root, monkeypatch):
    monkeypatch.setattr(os, "link", lambda source, target: Path(target).write_bytes(b""))
    with pytest.raises(StoreRefused, match="another's name"):
        FolderStore(root)


def test_the_probe_leaves_nothing(root, store):
    assert [each.name for each in root.iterdir()] == [".incoming"]
    assert list((root / ".incoming").iterdir()) == []


# -- errors in words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "error", "words"),
    [
        (errno.ENOSPC, StoreUnavailable, "disk is full"),
        (errno.EDQUOT, StoreUnavailable, "quota"),
        (errno.EROFS, StoreRefused, "read-only"),
        (errno.EACCES, StoreRefused, "permission denied"),
        (errno.EFBIG, StoreRefused, "so large a file"),
        (errno.EIO, StoreUnavailable, "Input/output error"),
        (errno.ESTALE, StoreUnavailable, "Stale"),
    ],
)
def test_what_the_disk_refuses_is_one_of_our_errors(root, store, monkeypatch, number, error, words):
    for call in ("mkdir", "write", "fsync", "link"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing(number))
            with pytest.raises(error, match=words) as caught:
                store.create(KEY, b"{}")
        assert type(caught.value) is error
        assert str(root / KEY) in str(caught.value)
        assert files(root) == []
    store.create(KEY, b"{}")


def test_another_file_system_below_the_root_is_told(store, monkeypatch):
    monkeypatch.setattr(os, "link", failing(errno.EXDEV))
    with pytest.raises(StoreRefused, match="another file system"):
        store.create(KEY, b"{}")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_root_that_cannot_be_prepared_is_told(root, monkeypatch, number):
    root.mkdir()
    monkeypatch.setattr(Path, "mkdir", failing(number))
    with pytest.raises((StoreRefused, StoreUnavailable), match=str(root)):
        FolderStore(root)


def test_a_root_that_is_not_there_is_told_and_its_parent_never_made(tmp_path):
    with pytest.raises(StoreRefused, match="is the disk mounted"):
        FolderStore(tmp_path / "usb" / "backup")
    with pytest.raises(StoreRefused, match="is the disk mounted"):
        FolderStore(tmp_path / "backup", create=False)
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file", tmp_path / "file" / "backup"):
        with pytest.raises(StoreRefused):
            FolderStore(path)
    assert files(tmp_path) == ["file"]


def test_a_disk_that_went_away_is_not_an_empty_backup(root, store):
    store.create(KEY, b"{}")
    root.rename(root.with_name("elsewhere"))
    for attempt in (
        lambda: store.head(KEY),
        lambda: store.read(KEY),
        lambda: list(store.list("")),
        lambda: list(store.list("records/")),
        lambda: store.create(KEY, b"{}"),
    ):
        with pytest.raises(StoreRefused, match=r"mounted|gone"):
            attempt()


def test_a_folder_that_cannot_be_listed_is_an_error_not_empty(store, monkeypatch):
    store.create(KEY, b"{}")
    monkeypatch.setattr(os, "scandir", failing(errno.EACCES))
    with pytest.raises(StoreRefused, match="permission denied"):
        list(store.list(""))


def test_a_file_that_ends_too_early_is_an_error_not_an_end(root, store):
    store.create(KEY, b"x" * (2 * 1024 * 1024))
    with store.open(KEY) as chunks:
        next(chunks)
        os.truncate(root / KEY, 1024 * 1024 + 5)
        with pytest.raises(StoreUnavailable, match="bytes of"):
            list(chunks)


# -- a copy that is only read ----------------------------------------------------------------------


def test_reading_a_copy_writes_nothing(root):
    (root / "runs").mkdir(parents=True)
    (root / "runs" / "a.json").write_bytes(b"{}")
    store = FolderStore(root, create=False)
    assert store.read("runs/a.json") == b"{}"
    assert [each.key for each in store.list("")] == ["runs/a.json"]
    assert [each.name for each in root.iterdir()] == ["runs"]


def test_the_first_write_tries_the_file_system(root, monkeypatch):
    root.mkdir()
    store = FolderStore(root, create=False)
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", failing(errno.EPERM))
        with pytest.raises(StoreRefused, match="hard links"):
            store.create(KEY, b"{}")
    store.create(KEY, b"{}")
    with pytest.raises(AlreadyStored):
        store.create(KEY, b"[]")
    assert files(root) == [KEY]
