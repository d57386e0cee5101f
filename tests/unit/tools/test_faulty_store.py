"""The fault-injecting store does what it says; else the tests that use it prove nothing."""

import threading

import pytest

from smugmug_backup.errors import AlreadyStored, StoreUnavailable
from smugmug_backup.storage.folder import FolderStore
from tests.tools.faulty_store import Fault, FaultyStore, enumerate_operations
from tests.tools.killed import Killed
from tests.tools.memory_store import MemoryStore

KEY = "albums/a/1.json"


def work(store):
    """Every operation once, and a listing of two pages."""
    store.create(KEY, b"one")
    with store.upload("originals/a/b.jpg") as upload:
        upload.write(b"by")
        upload.write(b"tes")
        upload.commit()
    store.head(KEY)
    store.read(KEY)
    with store.open(KEY) as chunks:
        list(chunks)
    list(store.list("albums/"))


NAMES = ["create", "write", "write", "commit", "head", "read", "open", "list"]


def test_all_operations_are_numbered_and_named():
    log = enumerate_operations(work, MemoryStore())
    assert [each.name for each in log] == NAMES
    assert [each.number for each in log] == list(range(1, 9))
    assert (log[0].key, log[3].key, log[7].key) == (KEY, "originals/a/b.jpg", "albums/")


def test_each_page_of_a_listing_is_an_operation():
    store = MemoryStore()
    for number in range(2500):
        store.objects[f"runs/{number:04d}"] = b""
    faulty = FaultyStore(store, {3: Fault.ANSWER_LOST})
    seen = []
    with pytest.raises(StoreUnavailable):
        seen.extend(each.key for each in faulty.list("runs/"))
    assert faulty.operations == [("list", "runs/")] * 3
    assert [each.key for each in FaultyStore(store).list("")] == store.keys()


@pytest.mark.parametrize("number", range(1, 9))
def test_a_lost_request_does_nothing(number):
    store = MemoryStore()
    faulty = FaultyStore(store, {number: Fault.REQUEST_LOST})
    with pytest.raises(StoreUnavailable):
        work(faulty)
    assert [each.number for each in faulty.struck] == [number]
    assert len(store.objects) == (number > 1) + (number > 4)


@pytest.mark.parametrize("number", range(1, 9))
def test_a_lost_answer_does_all_and_a_create_can_be_repeated(number):
    store = MemoryStore()
    faulty = FaultyStore(store, {number: Fault.ANSWER_LOST})
    with pytest.raises(StoreUnavailable):
        work(faulty)
    assert len(store.objects) == 1 + (number > 3)
    faulty.create(KEY, b"one")


@pytest.mark.parametrize("number", [1, 2, 5, 6, 7, 8])
def test_an_adapters_own_retry_is_not_noticed(number):
    store = MemoryStore()
    work(FaultyStore(store, {number: Fault.RETRIED}))
    assert store.objects == {KEY: b"one", "originals/a/b.jpg": b"bytes"}


def test_but_a_commits_own_retry_finds_the_key_taken():
    store = MemoryStore()
    with pytest.raises(AlreadyStored):
        work(FaultyStore(store, lambda each: Fault.RETRIED if each.name == "commit" else None))
    assert store.objects["originals/a/b.jpg"] == b"bytes"
    assert store.overwrites == []


@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
@pytest.mark.parametrize("number", range(1, 9))
def test_after_a_kill_nothing_works_from_any_thread(number, fault):
    store = MemoryStore()
    faulty = FaultyStore(store, {number: fault})
    with pytest.raises(Killed):
        work(faulty)
    done = number - (fault is Fault.KILLED_BEFORE)
    assert len(store.objects) == (done >= 1) + (done >= 4)
    before, caught = dict(store.objects), []

    def try_all():
        for act in (
            lambda: faulty.create("late", b""),
            lambda: faulty.head(KEY),
            lambda: faulty.read(KEY),
            lambda: faulty.open(KEY).__enter__(),
            lambda: faulty.upload("late").__enter__(),
            lambda: next(faulty.list("")),
        ):
            try:
                act()
            except Killed as error:
                caught.append(error)

    thread = threading.Thread(target=try_all)
    thread.start()
    thread.join()
    assert len(caught) == 6
    assert store.objects == before


def test_a_kill_from_elsewhere_stops_an_upload_and_a_listing_under_way():
    store = MemoryStore()
    for number in range(3):
        store.objects[f"runs/{number}"] = b""
    faulty = FaultyStore(store, lambda each: Fault.KILLED_AFTER if each.name == "head" else None)
    listing = faulty.list("")
    next(listing)
    with pytest.raises(Killed), faulty.upload(KEY) as upload:
        upload.write(b"x")
        with pytest.raises(Killed):
            faulty.head(KEY)
        upload.commit()
    with pytest.raises(Killed):
        next(listing)
    assert KEY not in store.objects


def test_a_killed_upload_is_not_cleaned_up(tmp_path):
    faulty = FaultyStore(FolderStore(tmp_path), {2: Fault.KILLED_BEFORE})
    with pytest.raises(Killed), faulty.upload(KEY) as upload:
        upload.write(b"x")
        upload.commit()
    assert len(list((tmp_path / ".incoming").iterdir())) == 1
    assert list(FolderStore(tmp_path).list("")) == []


def test_the_store_in_memory_tells_who_tried_to_overwrite():
    store = MemoryStore()
    store.create(KEY, b"one")
    store.create(KEY, b"one")
    assert store.overwrites == []
    with pytest.raises(AlreadyStored):
        store.create(KEY, b"two")
    assert store.overwrites == [KEY]
    assert store.keys() == [KEY]
