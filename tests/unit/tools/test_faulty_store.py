"""The fault-injecting store does what it says; else the tests that use it prove nothing."""

import threading

import pytest

from smugmug_backup.errors import (
    AlreadyStored,
    ListingIncomplete,
    SourceUnavailable,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.storage.folder import FolderStore
from tests.tools.faults import Fault, Points, always, possible
from tests.tools.faulty_store import FaultyStore
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


def faulty(store, plan=None):
    return FaultyStore(store, Points(plan))


def test_all_operations_are_numbered_and_named():
    points = Points()
    work(FaultyStore(MemoryStore(), points))
    assert [each.name for each in points.log] == NAMES
    assert [each.number for each in points.log] == list(range(1, 9))
    assert points.log[0].label == ("create", KEY, 0)
    assert points.log[2].label == ("write", "originals/a/b.jpg", 1)
    assert points.log[7].label == ("list", "albums/", 0)
    assert points.struck == []


def test_time_passes_at_each_operation_and_a_plan_may_name_it_by_number_by_label_or_itself():
    for plan in (
        {3: Fault.ANSWER_LOST},
        {("write", "originals/a/b.jpg", 1): Fault.ANSWER_LOST},
        lambda each: Fault.ANSWER_LOST if each.number == 3 else None,
    ):
        ticks = []
        points = Points(plan, tick=lambda ticks=ticks: ticks.append(1))
        with pytest.raises(StoreUnavailable):
            work(FaultyStore(MemoryStore(), points))
        assert [each.number for each in points.struck] == [len(ticks)] == [3]


def test_each_page_of_a_listing_is_an_operation():
    store = MemoryStore()
    for number in range(2500):
        store.objects[f"runs/{number:04d}"] = b""
    points = Points({3: Fault.ANSWER_LOST})
    seen = []
    with pytest.raises(StoreUnavailable):
        seen.extend(each.key for each in FaultyStore(store, points).list("runs/"))
    assert [each.label for each in points.log] == [("list", "runs/", page) for page in range(3)]
    assert [each.key for each in FaultyStore(store).list("")] == store.keys()


@pytest.mark.parametrize("number", range(1, 9))
def test_a_lost_request_does_nothing(number):
    store = MemoryStore()
    points = Points({number: Fault.REQUEST_LOST})
    with pytest.raises(StoreUnavailable):
        work(FaultyStore(store, points))
    assert [each.number for each in points.struck] == [number]
    assert len(store.objects) == (number > 1) + (number > 4)


@pytest.mark.parametrize("number", range(1, 9))
def test_a_lost_answer_does_all_and_a_create_can_be_repeated(number):
    store = MemoryStore()
    store_again = faulty(store, {number: Fault.ANSWER_LOST})
    with pytest.raises(StoreUnavailable):
        work(store_again)
    assert len(store.objects) == 1 + (number > 3)
    store_again.create(KEY, b"one")


def test_a_creates_own_retry_is_not_noticed():
    store = MemoryStore()
    work(faulty(store, {1: Fault.RETRIED}))
    assert store.log.count(("put", KEY)) == 2
    assert store.objects == {KEY: b"one", "originals/a/b.jpg": b"bytes"}


def test_but_a_commits_own_retry_finds_the_key_taken():
    store = MemoryStore()
    with pytest.raises(AlreadyStored):
        work(faulty(store, {4: Fault.RETRIED}))
    assert store.objects["originals/a/b.jpg"] == b"bytes"
    assert store.overwrites == []


@pytest.mark.parametrize("number", range(1, 9))
def test_what_cannot_happen_to_an_operation_does_not(number):
    """A listing needs no room, and a source's answer has no bad sector."""
    for fault in set(Fault) - {*possible(NAMES[number - 1])}:
        points = Points({number: fault})
        work(FaultyStore(MemoryStore(), points))
        assert points.struck == []
    with (
        pytest.raises(SourceUnavailable),
        Points(always(Fault.REQUEST_LOST, "A")).at("source.images", "A"),
    ):
        pytest.fail("it was lost")
    with Points(always(Fault.FULL, "A")).at("source.images", "A"):
        pass


@pytest.mark.parametrize(
    ("fault", "error", "names"),
    [
        (Fault.FULL, StoreFull, {"create", "write", "commit"}),
        (Fault.REFUSED, StoreRefused, {"create", "commit", "head", "read", "open", "list"}),
    ],
)
def test_a_full_disk_and_a_refusal_do_nothing(fault, error, names):
    assert {name for name in NAMES if fault in possible(name)} == names
    for number in (number for number, name in enumerate(NAMES, 1) if name in names):
        store = MemoryStore()
        with pytest.raises(error) as caught:
            work(faulty(store, {number: fault}))
        assert type(caught.value) is error
        assert len(store.objects) == (number > 1) + (number > 4)


def test_a_body_that_cannot_be_read_is_there_all_the_same():
    store = MemoryStore()
    store.create(KEY, b"one")
    struck = faulty(store, always(Fault.UNREADABLE, "albums/"))
    with pytest.raises(StoreUnavailable):
        struck.read(KEY)
    with struck.open(KEY) as chunks, pytest.raises(StoreUnavailable):
        next(chunks)
    assert struck.head(KEY).bytes == 3
    assert [each.key for each in struck.list("")] == [KEY]


def test_what_is_barred_is_refused_and_named_by_its_listings():
    store = MemoryStore()
    for key in ("a/1", "b/1", "b/2", "c", "d/1"):
        store.objects[key] = b"x"
    barred = FaultyStore(store, barred=("b/", "c"))
    for key in ("b/1", "b/new", "c"):
        for act in (
            barred.head,
            barred.read,
            lambda key: barred.open(key).__enter__(),
            lambda key: barred.create(key, b"x"),
        ):
            with pytest.raises(StoreRefused, match=key):
                act(key)

    def listed(*prefix, **bounds):
        found = []
        try:
            found.extend(each.key for each in barred.list(*prefix, **bounds))
        except ListingIncomplete as error:
            return found, error.keys
        return found, ()

    assert listed("") == (["a/1", "d/1"], ("b/", "c"))
    assert listed("", after="b/1") == (["d/1"], ("b/", "c"))
    assert listed("", after="c") == (["d/1"], ())
    assert listed("", until="b/1") == (["a/1"], ("b/",))
    assert listed("b/1") == ([], ("b/",))
    assert listed("a/") == (["a/1"], ())
    assert sorted(store.objects) == ["a/1", "b/1", "b/2", "c", "d/1"]


@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
@pytest.mark.parametrize("number", range(1, 9))
def test_after_a_kill_nothing_works_from_any_thread(number, fault):
    store = MemoryStore()
    killed = faulty(store, {number: fault})
    with pytest.raises(Killed):
        work(killed)
    done = number - (fault is Fault.KILLED_BEFORE)
    assert len(store.objects) == (done >= 1) + (done >= 4)
    before, caught = dict(store.objects), []

    def try_all():
        for act in (
            lambda: killed.create("late", b""),
            lambda: killed.head(KEY),
            lambda: killed.read(KEY),
            lambda: killed.open(KEY).__enter__(),
            lambda: killed.upload("late").__enter__(),
            lambda: next(killed.list("")),
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
    killed = faulty(store, {("head", KEY, 0): Fault.KILLED_AFTER})
    listing = killed.list("")
    next(listing)
    with pytest.raises(Killed), killed.upload(KEY) as upload:
        upload.write(b"x")
        with pytest.raises(Killed):
            killed.head(KEY)
        upload.commit()
    with pytest.raises(Killed):
        next(listing)
    assert KEY not in store.objects


def test_a_killed_upload_is_not_cleaned_up(tmp_path):
    killed = faulty(FolderStore(tmp_path), {2: Fault.KILLED_BEFORE})
    with pytest.raises(Killed), killed.upload(KEY) as upload:
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
