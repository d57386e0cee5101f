"""The folder store: born whole, on the disk, within its root, on a file system that will do."""

import errno
import fcntl
import os
import socket
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from smugmug_backup.errors import (
    AlreadyStored,
    BadBytes,
    ListingIncomplete,
    NotStored,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.storage import file_system, probe
from smugmug_backup.storage.folder import FolderStore
from tests.tools.faulty_disk import bar, failing, strike
from tests.tools.lacks import names

KEY = "records/hT4mWq=12/V2xgTbs/1f2e3d4c5b6a7988.json"
DAY = 24 * 3600


def files(root):
    return sorted(str(each.relative_to(root)) for each in root.rglob("*") if each.is_file())


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
    incoming = disk.log[4][1]
    assert disk.log == [
        ("mkdir", "albums"),
        ("fsync", str(root)),
        ("mkdir", "a"),
        ("fsync", str(root / "albums")),
        ("fsync", incoming),
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


def test_a_probe_whose_process_was_killed_is_swept_after_a_day(root, store):
    for name, days in (("probe-0123456789abcdef", 1.1), ("probe-123456789abcdef0", 0.9)):
        left = root / ".incoming" / name
        left.mkdir()
        (left / "aB").touch()
        (left / "elsewhere").symlink_to(root)
        then = time.time() - days * DAY
        os.utime(left, (then, then))
    (root / ".incoming" / "probe-of-mine").mkdir()
    store.create(KEY, b"{}")
    FolderStore(root)
    names = sorted(each.name for each in (root / ".incoming").iterdir())
    assert names == ["probe-123456789abcdef0", "probe-of-mine"]
    assert store.read(KEY) == b"{}"


def test_a_leftover_that_cannot_be_swept_stops_nothing(root, store, monkeypatch):
    old = leave(root, "0123456789abcdef.part", days=2)
    monkeypatch.setattr(Path, "unlink", failing(errno.EACCES))
    with monkeypatch.context() as patch:
        patch.setattr(probe, "_remove", failing(errno.EACCES))
        FolderStore(root)
    assert old.exists()


def test_after_a_kill_between_name_and_flush_everything_is_flushed(root, store, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "sync", lambda: synced.append(True))
    FolderStore(root)
    assert not synced
    store.create(KEY, b"{}")
    os.link(root / KEY, root / ".incoming" / "0123456789abcdef.part")
    FolderStore(root)
    assert synced


def test_of_several_leftovers_one_that_has_its_name_is_enough(root, store, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "sync", lambda: synced.append(True))
    iterdir = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(sorted(iterdir(self))))
    store.create(KEY, b"{}")
    os.link(root / KEY, root / ".incoming" / f"{'0' * 16}.part")
    (root / ".incoming" / f"{'f' * 16}.part").write_bytes(b"half")
    FolderStore(root)
    assert synced


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_network_disk_that_cannot_flush_folders_need_not(root, store, monkeypatch, number):
    def folders(descriptor):
        return stat.S_ISDIR(os.fstat(descriptor).st_mode)

    strike(monkeypatch, "fsync", number, when=folders)
    store.create(KEY, b"{}")
    assert store.read(KEY) == b"{}"


def test_a_folder_that_cannot_be_flushed_is_an_error(root, store, monkeypatch):
    strike(monkeypatch, "fsync", errno.EIO, when=lambda fd: stat.S_ISDIR(os.fstat(fd).st_mode))
    with pytest.raises(StoreUnavailable):
        store.create(KEY, b"{}")


# -- within its root -------------------------------------------------------------------------------


@pytest.mark.parametrize("link", ["records", "records/hT4mWq=12", "records/hT4mWq=12/V2xgTbs", KEY])
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
    ):
        with pytest.raises(StoreRefused, match=r"symbolic link"):
            attempt()
    folder = "records/hT4mWq=12/V2xgTbs/"
    if folder.startswith(f"{link}/"):
        with pytest.raises(StoreRefused, match=r"symbolic link"):
            list(store.list(folder))
    assert files(outside) == before
    assert files(root / ".incoming") == []


def test_a_listing_passes_over_what_is_neither_file_nor_folder(root, store, monkeypatch):
    """One link that somebody put there ends no run; it is refused where a key leads to it."""
    store.create("runs/2026/11/a.json", b"{}")
    (root / "runs/etc").symlink_to("/etc")
    (root / "runs/2026/11/b.json").symlink_to(root / "runs/2026/11/a.json")
    (root / "runs/2026/10").symlink_to(root / "nowhere")
    os.mkfifo(root / "runs/2026/11/pipe.json")
    monkeypatch.chdir(root / "runs")  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    for prefix in ("", "runs/", "runs/2026/"):
        assert [each.key for each in store.list(prefix)] == ["runs/2026/11/a.json"]
    for key in ("runs/etc/passwd", "runs/2026/11/b.json", "runs/2026/11/pipe.json", "runs/socket"):
        for attempt in (store.head, store.read, lambda key: store.create(key, b"x")):
            with pytest.raises(StoreRefused, match=str(root / "runs")):
                attempt(key)


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


@pytest.mark.parametrize("change", [str.upper, lambda name: name[:8]])
def test_a_file_system_that_changes_names_is_refused(root, monkeypatch, change):
    touch = probe._touch
    monkeypatch.setattr(probe, "_touch", lambda path: touch(path.with_name(change(path.name))))
    with pytest.raises(StoreRefused, match="keep every name"):
        FolderStore(root)


def test_no_key_needs_a_name_that_windows_reserves(root, monkeypatch):
    with monkeypatch.context() as patch:
        names(patch)
        FolderStore(root).create("manifests/con=0/00000001.jsonl", b"{}")


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
        (errno.ENOSPC, StoreFull, "disk is full"),
        (errno.EDQUOT, StoreFull, "quota"),
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
    with pytest.raises((StoreRefused, StoreFull), match=str(root)):
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


def test_a_root_that_cannot_be_listed_is_an_error_not_empty(store, monkeypatch):
    store.create(KEY, b"{}")
    monkeypatch.setattr(os, "scandir", failing(errno.EACCES))
    with pytest.raises(StoreRefused, match="permission denied") as caught:
        list(store.list(""))
    assert type(caught.value) is StoreRefused


def unseen(listing):
    """What a listing gives, and what it says that it could not look into."""
    found = []
    with pytest.raises(ListingIncomplete) as caught:
        found.extend(each.key for each in listing)
    return found, caught.value.keys


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_a_listing_gives_all_it_can_and_then_names_the_folder_it_cannot_look_into(
    root, store, monkeypatch, number
):
    for key in ("albums/x", "originals/A/1.jpg", "originals/B/1.jpg", "originals/C/1.jpg"):
        store.create(key, b"x")
    bar(monkeypatch, "B", number)
    found, keys = unseen(store.list(""))
    assert (found, keys) == (
        ["albums/x", "originals/A/1.jpg", "originals/C/1.jpg"],
        ("originals/B/",),
    )
    assert unseen(store.list("originals/", after="originals/B/0"))[1] == ("originals/B/",)
    assert unseen(store.list("originals/B/")) == ([], ("originals/B/",))
    with pytest.raises(ListingIncomplete, match=str(root / "originals/B")):
        list(store.list("originals/B/1."))
    # What is not in question is not asked.
    assert [each.key for each in store.list("albums/")] == ["albums/x"]
    assert len(list(store.list("originals/", after="originals/B~"))) == 1
    assert len(list(store.list("originals/", until="originals/A~"))) == 1


def test_a_file_that_cannot_be_looked_at_is_named_by_its_listing(root, store, monkeypatch):
    for name in ("1", "2", "3"):
        store.create(f"originals/A/{name}.jpg", b"x")
    with monkeypatch.context() as patch:
        strike(patch, "stat", errno.EIO, when=lambda path, **_: str(path).endswith("2.jpg"))
        strike(patch, "lstat", errno.EIO, when=lambda path, **_: str(path).endswith("2.jpg"))
        found, keys = unseen(store.list("originals/"))
    assert found == ["originals/A/1.jpg", "originals/A/3.jpg"]
    assert keys == ("originals/A/2.jpg",)


def test_a_file_that_goes_away_while_it_is_listed_hides_none_after_it(root, store):
    for name in "1234":
        store.create(f"originals/A/{name}.jpg", b"x")
    listing = store.list("originals/")
    first = next(listing).key
    (root / "originals/A/2.jpg").unlink()
    found, keys = unseen(listing)
    assert [first, *found] == [f"originals/A/{name}.jpg" for name in "134"]
    assert keys == ("originals/A/2.jpg",)


def test_a_listing_whose_disk_goes_away_is_not_the_shorter_for_it(root, store, monkeypatch):
    """The empty folder of a mount point looks like a backup whose files are gone."""
    for key in ("runs/a", "runs/b/1", "runs/b/2", "runs/c/1"):
        store.create(key, b"x")
    listing = store.list("runs/")
    seen = [next(listing).key]
    root.rename(root.with_name("elsewhere"))
    root.mkdir()
    assert seen == ["runs/a"]
    assert unseen(listing) == ([], ("runs/b/", "runs/c/"))


def test_a_disk_that_fails_as_a_whole_ends_a_listing_at_once(store, monkeypatch):
    for key in ("runs/a/1", "runs/b/1"):
        store.create(key, b"x")
    bar(monkeypatch, "a", errno.ESTALE)
    with pytest.raises(StoreUnavailable, match="Stale"):
        list(store.list("runs/"))


@pytest.mark.parametrize(
    ("number", "error"), [(errno.EACCES, StoreRefused), (errno.EIO, StoreUnavailable)]
)
def test_what_lies_in_a_folder_that_cannot_be_entered_fails_alone_and_in_words(
    root, store, monkeypatch, number, error
):
    store.create("originals/X/a.jpg", b"a")
    store.create("originals/Y/a.jpg", b"a")
    bar(monkeypatch, "X", number)
    for attempt in (
        lambda: store.head("originals/X/a.jpg"),
        lambda: store.read("originals/X/a.jpg"),
        lambda: store.create("originals/X/a.jpg", b"a"),
        lambda: store.create("originals/X/b.jpg", b"b"),
    ):
        with pytest.raises(error, match=str(root / "originals/X/")) as caught:
            attempt()
        assert type(caught.value) is error
    store.create("originals/Y/b.jpg", b"b")
    assert store.read("originals/Y/a.jpg") == b"a"


def test_a_file_that_ends_too_early_is_an_error_not_an_end(root, store):
    store.create(KEY, b"x" * (2 * 1024 * 1024))
    with store.open(KEY) as chunks:
        next(chunks)
        os.truncate(root / KEY, 1024 * 1024 + 5)
        with pytest.raises(StoreUnavailable, match="bytes of"):
            list(chunks)


# -- what a close, a network disk or macOS says ----------------------------------------------------


def is_part(descriptor):
    return Path(f"/proc/self/fd/{descriptor}").readlink().suffix == ".part"


@pytest.mark.skipif(sys.platform != "linux", reason="names descriptors by /proc")
def test_what_a_close_says_takes_the_place_of_nothing(root, store, monkeypatch):
    strike(monkeypatch, "close", errno.EDQUOT, when=is_part, after=True)
    with pytest.raises(BadBytes), store.upload(KEY) as upload:
        upload.write(b"x" * 1000)
        raise BadBytes("more bytes than were announced")
    assert files(root) == []
    # What was flushed and has its name cannot be lost by a close any more.
    store.create(KEY, b"{}")
    assert files(root) == [KEY]


CALLS = ("open", "close", "write", "read", "fsync", "link", "mkdir", "fstat", "scandir", "lstat")
CALLS += ("stat", "unlink", "rmdir", "listdir")


def put(store):
    with store.upload(KEY) as upload:
        upload.write(b"z" * 1000)
        upload.commit()


def drop(store):
    with store.upload(KEY) as upload:
        upload.write(b"z" * 1000)


def look(store):
    assert [each.key for each in store.list("")] == [KEY]
    assert store.head(KEY).bytes == 1000
    assert store.read(KEY) == b"z" * 1000


@pytest.mark.parametrize("number", ["EIO", "EDQUOT", "EACCES", "EEXIST", "ESTALE", "ELOOP"])
@pytest.mark.parametrize("act", [FolderStore, put, drop, look], ids=lambda act: act.__name__)
def test_any_call_may_fail_and_one_of_our_errors_tells_it(tmp_path, monkeypatch, act, number):
    """Every system call of every operation, one after the other."""
    count = at = struck = 0
    opened = set()

    def watched(name, call):
        def one(*arguments, **more):
            nonlocal count, struck
            count += 1
            if count == at:
                struck += 1
                if name == "close":
                    opened.discard(*arguments)
                    call(*arguments)
                raise OSError(getattr(errno, number), number)
            if name == "fsync":
                return None
            if name == "close":
                opened.discard(*arguments)
            answer = call(*arguments, **more)
            if name == "open":
                opened.add(answer)
            return answer

        return one

    while struck == at:
        opened.clear()
        root = tmp_path / str(at)
        store = FolderStore(root)
        if act is look:
            put(store)
        at += 1
        count = 0
        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, watched(name, getattr(os, name)))
            with suppress(StoreError):
                act(root if act is FolderStore else store)
        assert opened <= {each.descriptor for each in store._tree._opened}  # kept, see `Tree`
        if (root / KEY).exists():
            assert (root / KEY).read_bytes() == b"z" * 1000
        if act is not put:
            act(root if act is FolderStore else FolderStore(root))
        else:
            FolderStore(root).create(KEY, b"z" * 1000)
    assert at > 3


@pytest.mark.parametrize(
    ("call", "word"),
    [
        ("link", "aB.json"),
        ("link", "linked"),
        ("open", ".part"),
        ("open", "con=0"),
        ("mkdir", "probe"),
    ],
)
def test_a_network_disk_that_lost_an_answer_and_says_that_it_exists_is_asked_anew(
    root, monkeypatch, call, word
):
    root.mkdir()

    def ours(*arguments, **_):
        return any(word in str(each) for each in arguments)

    strike(monkeypatch, call, errno.EEXIST, when=ours, times=1, after=True)
    store = FolderStore(root)
    store.create("originals/X/aB.json", b"a")
    assert store.read("originals/X/aB.json") == b"a"
    with pytest.raises(AlreadyStored):
        store.create("originals/X/aB.json", b"b")


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.EINVAL, errno.ENOTTY])
def test_a_network_disk_of_macos_that_has_no_full_flush_gets_the_plain_one(
    store, monkeypatch, number
):
    flushed = []
    fsync = os.fsync
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", failing(number))
    monkeypatch.setattr(os, "fsync", lambda file: (flushed.append(is_part(file)), fsync(file)))
    store.create(KEY, b"{}")
    assert flushed.count(True) == 1


def test_a_full_flush_that_fails_is_an_error(root, store, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", failing(errno.EIO))
    with pytest.raises(StoreUnavailable, match="Input/output"):
        store.create(KEY, b"{}")
    assert files(root) == []


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
    touch = probe._touch
    with monkeypatch.context() as patch:
        patch.setattr(probe, "_touch", lambda path: touch(path.with_name(path.name[:8])))
        with pytest.raises(StoreRefused, match="keep every name"):
            store.create(KEY, b"{}")
    store.create(KEY, b"{}")
    with pytest.raises(AlreadyStored):
        store.create(KEY, b"[]")
    assert files(root) == [KEY]
