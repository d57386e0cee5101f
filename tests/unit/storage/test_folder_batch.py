"""A batch of the folder store: bytes before names, names before what counts, two syncs in all."""

import errno
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from smugmug_backup import system
from smugmug_backup.errors import AlreadyStored, StoreFull, StoreRefused, StoreUnavailable
from smugmug_backup.storage import folder_batch
from smugmug_backup.storage.folder import FolderStore
from tests.tools.faulty_disk import strike

KEYS = [f"originals/i{number}/a.jpg" for number in range(4)]


class Disk:
    """What a batch asks of a disk that can be synced whole, in order; ``fails``: these syncs."""

    def __init__(self, monkeypatch, fails=()):
        self.log, self.syncs, self.fails = [], 0, fails
        for name in ("fsync", "link"):
            self._watch(monkeypatch, name)
        monkeypatch.setattr(system, "syncs_whole", lambda _: self._sync)

    def _watch(self, monkeypatch, name):
        original = getattr(os, name)

        def watched(*arguments, **more):
            self.log.append(name)
            return original(*arguments, **more)

        monkeypatch.setattr(os, name, watched)

    def _sync(self):
        self.syncs += 1
        self.log.append("sync")
        if self.syncs in self.fails:
            raise OSError(errno.EIO, "Input/output error")


def parts(root):
    return [each.name for each in (root / ".incoming").iterdir()]


def test_bytes_are_synced_before_they_have_names_and_names_before_anything_counts(
    root, store, monkeypatch
):
    disk = Disk(monkeypatch)
    batch = store.batch()
    for key in KEYS:
        batch.create(key, key.encode())
    assert disk.log == []
    assert list(FolderStore(root, create=False).list("")) == []
    assert batch.barrier() == {}
    assert disk.log == ["sync", *["link"] * 4, "sync"]
    assert [each.key for each in store.list("")] == KEYS
    assert parts(root) == []
    batch.barrier()
    assert disk.syncs == 2


def test_where_the_disk_cannot_be_synced_whole_each_folder_is_flushed_once(
    root, store, monkeypatch
):
    disk = Disk(monkeypatch)
    monkeypatch.setattr(system, "syncs_whole", lambda _: None)
    batch = store.batch()
    for number in range(5):
        batch.create(f"originals/i/{number}.jpg", b"%d" % number)
    assert disk.log == ["fsync", "link"] * 5
    assert batch.barrier() == {}
    assert disk.log[10:] == ["fsync"] * 3  # the root, originals, originals/i
    batch.barrier()
    assert len(disk.log) == 13


@pytest.mark.parametrize("fails", [1, 2])
def test_after_a_sync_that_failed_nothing_of_it_is_said_to_be_stored(
    root, store, monkeypatch, fails
):
    Disk(monkeypatch, fails=[fails])
    batch = store.batch()
    for key in KEYS[:2]:
        batch.create(key, b"x")
    with batch.upload(KEYS[2]) as upload:
        upload.write(b"was under way")
        failed = batch.barrier()
        # What was written until then may be lost, too, and no later sync tells of it again.
        with pytest.raises(StoreUnavailable):
            upload.commit()
    assert failed.keys() == set(KEYS[:2])
    assert {type(each) for each in failed.values()} == {StoreUnavailable}
    assert parts(root) == []
    for key in KEYS[:3]:
        batch.create(key, b"x")
    assert batch.barrier() == {}


def test_a_name_that_is_refused_is_that_objects_failure_alone(root, store, monkeypatch):
    batch = store.batch()
    for key in KEYS:
        batch.create(key, b"x")
    with monkeypatch.context() as patch:
        strike(patch, "link", errno.EACCES, when=lambda *_, **more: True, times=1)
        failed = batch.barrier()
    assert [type(each) for each in failed.values()] == [StoreRefused]
    assert len(list(store.list(""))) == 3
    (key,) = failed
    batch.create(key, b"x")
    assert batch.barrier() == {}


def test_a_folder_that_cannot_be_flushed_is_told_of_all_that_lies_in_it(store, monkeypatch):
    monkeypatch.setattr(system, "syncs_whole", lambda _: None)
    batch = store.batch()
    batch.create("originals/i0/a.jpg", b"x")
    strike(monkeypatch, "fsync", errno.EIO, when=lambda _: True, times=3)
    failed = batch.barrier()
    assert failed.keys() == {"", "originals/", "originals/i0/"}


@pytest.mark.parametrize(
    ("theirs", "fails", "told"),
    [(b"the same", [], False), (b"others", [], True), (b"the same", [1], True)],
)
def test_what_another_thread_brings_meanwhile_counts_if_it_is_the_same_and_was_stored(
    root, store, monkeypatch, theirs, fails, told
):
    Disk(monkeypatch, fails)
    batch, (key, *_) = store.batch(), KEYS
    with monkeypatch.context() as patched:

        def write(upload, chunk):
            patched.undo()
            batch.create(key, theirs)
            upload.write(chunk)

        patched.setattr(folder_batch.BatchUpload, "write", write)
        with pytest.raises(AlreadyStored) if told else nullcontext():
            batch.create(key, b"the same")
    assert list(batch.barrier()) == ([key] if fails else [])
    assert (store.head(key) is None) == bool(fails)
    assert parts(root) == []


def test_a_disk_that_fills_up_in_a_batch_is_told_at_once(root, store, monkeypatch):
    batch = store.batch()
    batch.create(KEYS[0], b"whole")
    with monkeypatch.context() as patch:
        strike(patch, "write", errno.ENOSPC, when=lambda *_: True)
        with pytest.raises(StoreFull):
            batch.create(KEYS[1], b"x")
    assert batch.barrier() == {}
    assert [each.key for each in store.list("")] == [KEYS[0]]
    assert parts(root) == []


@pytest.mark.parametrize(("count", "size"), [(3, 1 << 30), (1000, 5)])
def test_not_too_much_waits_for_its_name(store, monkeypatch, count, size):
    monkeypatch.setattr(folder_batch, "_WAITING", count)
    monkeypatch.setattr(folder_batch, "_WAITING_BYTES", size)
    batch = store.batch()
    for key in KEYS[:2]:
        batch.create(key, b"xx")
    assert list(store.list("")) == []
    batch.create(KEYS[2], b"xx")
    assert [each.key for each in store.list("")] == KEYS[:3]


@pytest.mark.parametrize("theirs", [b"same", b"other"])
def test_a_name_that_another_process_took_meanwhile_is_told_if_the_bytes_differ(
    root, store, theirs
):
    batch = store.batch()
    batch.create(KEYS[0], b"same")
    FolderStore(root).create(KEYS[0], theirs)
    failed = batch.barrier()
    assert [type(each) for each in failed.values()] == [AlreadyStored] * (theirs == b"other")
    assert store.read(KEYS[0]) == theirs
    assert parts(root) == []


def test_a_kill_before_the_barrier_leaves_nothing_that_counts(root):
    script = (
        "import os; from smugmug_backup.storage.folder import FolderStore\n"
        f"batch = FolderStore({str(root)!r}).batch()\n"
        f"batch.create({KEYS[0]!r}, b'x')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    source = str(Path(system.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": source}, check=False)
    assert done.returncode == -9
    store = FolderStore(root)
    assert list(store.list("")) == []
    assert len(parts(root)) == 1
    batch = store.batch()
    batch.create(KEYS[0], b"x")
    assert batch.barrier() == {}


@pytest.mark.parametrize("whole", [True, False])
def test_a_folder_that_was_taken_away_meanwhile_is_made_anew(root, store, monkeypatch, whole):
    if not whole:
        monkeypatch.setattr(system, "syncs_whole", lambda _: None)
    batch = store.batch()
    batch.create("originals/i/a.jpg", b"x")
    assert batch.barrier() == {}
    (root / "originals").rename(root.with_name("elsewhere"))
    batch.create("originals/i/b.jpg", b"y")
    assert batch.barrier() == {}
    assert [each.key for each in store.list("originals/")] == ["originals/i/b.jpg"]


def test_another_folder_in_the_place_of_the_backup_gets_nothing(root, store):
    batch = store.batch()
    batch.create(KEYS[0], b"x")
    root.rename(root.with_name("elsewhere"))
    root.mkdir()
    with pytest.raises(StoreRefused, match="gone"):
        batch.create(KEYS[1], b"x")
    failed = batch.barrier()
    assert [type(each) for each in failed.values()] == [StoreRefused]
    assert list(root.iterdir()) == []
