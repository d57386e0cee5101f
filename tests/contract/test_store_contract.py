"""The promises of `BackupStore`, kept by every store: in memory, folder, S3 (moto, ministack)."""

import gc
import hashlib
import os
import shutil
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC
from functools import cache
from itertools import islice

import pytest
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from moto import mock_aws

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AlreadyStored,
    BadRequest,
    ListingIncomplete,
    NotStored,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.storage.remove import FolderRemover
from smugmug_backup.wiring import SystemClock
from tests.contract import stores
from tests.tools import disks
from tests.tools import fake_s3 as wire
from tests.tools.faults import Fault, Points
from tests.tools.faulty_store import FaultyStore
from tests.tools.killed import Killed
from tests.tools.lacks import ONE_BY_ONE, SETS, play
from tests.tools.local_s3 import ministack

MIB = 1024 * 1024
KEY = "manifests/hT4mWq=12/00000001.jsonl"
VIDEO = "originals/V2xgTbs=11/rev-0123456789abcdef.mp4"
DISKS = [each.name for each in disks.kinds()]
FOLDERS = ["folder", *DISKS, *SETS]
NOT_A_FOLDER = ["memory", "faulty", "moto", "fake", "warm", "ministack"]
PLACES = [*FOLDERS, *NOT_A_FOLDER]


@pytest.fixture(scope="module")
def ministack_client(tmp_path_factory):
    stores.skip_without_ministack()
    with ministack(tmp_path_factory.mktemp("ministack")) as address:
        yield stores.client(address)


@pytest.fixture(scope="module")
def moto_client():
    with mock_aws():
        return stores.client()


@pytest.fixture(scope="module")
def fake_s3():
    with wire.FakeS3() as s3:
        yield s3, stores.client(s3.address)


@pytest.fixture(scope="module")
def mounts(tmp_path_factory):
    """Real file systems, each mounted when it is first asked for."""
    with ExitStack() as stack:
        place = stack.enter_context(disks.quick_place(tmp_path_factory.mktemp("disks")))

        @cache
        def mount(name):
            return stack.enter_context(disks.mounted(disks.named(name), place))

        # After each test what it left is collected; of all that was there before, once is enough.
        gc.collect()
        gc.freeze()
        yield mount
        gc.unfreeze()


@pytest.fixture(scope="module")
def quickly(tmp_path_factory):
    with disks.quick_place(tmp_path_factory.mktemp("quickly")) as place:
        yield place


@pytest.fixture(params=PLACES)
def place(request, tmp_path):
    match request.param:
        case "memory":
            opened = stores.memory()
        case "faulty":
            opened = stores.faulty()
        case "folder":
            opened = stores.folder(tmp_path)
        case name if name in SETS:
            opened = stores.lacking(name, request.getfixturevalue("quickly") / tmp_path.name)
        case name if name in DISKS:
            disk = request.getfixturevalue("mounts")(name)
            opened = on_disk(name, disk / tmp_path.name)
        case "moto":
            opened = stores.moto(request.getfixturevalue("moto_client"))
        case "fake" | "warm":
            warm = request.param == "warm"
            opened = stores.fake_s3(*request.getfixturevalue("fake_s3"), warm=warm)
        case _:
            opened = stores.local_s3(request.getfixturevalue("ministack_client"))
    with opened as place:
        yield place


@contextmanager
def on_disk(name, path):
    path.mkdir()
    with stores.folder(path, name, keeps_case=disks.named(name).keeps_case) as place:
        yield place
        # What is open there would stay as a hidden file, and lowntfs-3g gives its number anew.
        del place.store
    gc.collect()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def store(place):
    return place.store


def only(*places, reason):
    """This promise is tried on ``places`` only; ``reason`` says why the others cannot judge.
    ``folders`` are all that have the store in a folder."""
    also = {"folders": FOLDERS, "fake": ["fake", "warm"]}
    places = [each for name in places for each in also.get(name, [name])]
    return pytest.mark.parametrize("place", places, indirect=True, ids=lambda name: name)


def media(size):
    return hashlib.shake_128(str(size).encode()).digest(size)


def pieces(body, size=700_000):
    return [body[start : start + size] for start in range(0, len(body), size)]


def put_in_parts(store, key, body):
    with store.upload(key) as upload:
        for piece in pieces(body):
            upload.write(piece)
        upload.commit()


# -- create, head, read, open ----------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 3 * MIB + 1])
def test_what_is_created_is_read_back_whole(store, size):
    body = media(size)
    store.create(KEY, body)
    assert store.read(KEY) == body
    with store.open(KEY) as chunks:
        seen = list(chunks)
    assert b"".join(seen) == body
    assert all(0 < len(chunk) <= MIB for chunk in seen)
    found = store.head(KEY)
    assert (found.key, found.bytes, found.archived) == (KEY, size, False)
    assert found.modified is None or found.modified.tzinfo is UTC
    assert [(each.key, each.bytes) for each in store.list("")] == [(KEY, size)]


def test_names_that_tell_their_capitals_and_numbered_ones_are_keys_like_any(store):
    keys = ["albums/con=0/a.json", "albums/hT4mWq=12/a.2.json", "albums/hT4mWq=12/a.json"]
    keys += ["manifests/hT4mWq=12/00000001.2.jsonl", "manifests/hT4mWq=12/00000001.jsonl"]
    for key in reversed(keys):
        store.create(key, key.encode())
    assert [each.key for each in store.list("")] == keys
    assert [each.key for each in store.list("albums/hT4mWq=")] == keys[1:3]
    assert [store.read(key).decode() for key in keys] == keys


@pytest.mark.parametrize("size", [5, 17 * MIB], ids=["small", "large"])
def test_the_name_of_a_file_is_no_part_of_what_is_stored(place, size):
    with place.store.upload(VIDEO, file_name="Größe 1/日本.MOV") as upload:
        upload.write(media(size))
        upload.commit()
    place.store.create("originals/a/b.jpg", b"x", file_name="quay.jpg")
    place.store.create("originals/a/b.jpg", b"x", file_name="another name.jpg")
    assert place.open().read(VIDEO) == media(size)
    assert [each.key for each in place.store.list("")] == [VIDEO, "originals/a/b.jpg"]
    if place.is_s3:
        head = place.client.head_object(Bucket=stores.BUCKET, Key=f"{place.prefix}/{VIDEO}")
        name = "Gr%C3%B6%C3%9Fe%201%2F%E6%97%A5%E6%9C%AC.MOV"
        assert head["ContentDisposition"] == f"inline; filename*=UTF-8''{name}"
        assert head["ContentType"] == "video/mp4"


def test_another_process_sees_it(place):
    place.store.create(KEY, b"one")
    assert place.open().read(KEY) == b"one"


def test_nothing_is_under_a_key_that_was_not_created(place, store):
    store.create("albums/a/b.json", b"x")
    # No two keys of a backup differ only in capitals, which some disks do not tell apart.
    other_case = ["albums/A/b.json"] * place.keeps_case
    for key in (KEY, "albums/a", "albums/a/b", "albums/a/b.json/c", *other_case):
        assert store.head(key) is None
        with pytest.raises(NotStored):
            store.read(key)
        with pytest.raises(NotStored), store.open(key):
            pytest.fail("open raises on entering")


def test_a_key_that_is_taken_is_left_as_it_is(place):
    place.store.create(KEY, b"first")
    for store in (place.store, place.open()):
        for other in (b"other", b"", b"firs", b"first and more"):
            with pytest.raises(AlreadyStored):
                store.create(KEY, other)
    assert place.store.read(KEY) == b"first"
    assert len(list(place.store.list(""))) == 1


def test_the_same_bytes_once_more_are_no_conflict(place):
    for store in (place.store, place.store, place.open()):
        store.create(KEY, b"the same")
        store.create("empty.txt", b"")
    assert place.store.read(KEY) == b"the same"


def test_a_body_may_be_read_in_part(store):
    store.create(KEY, media(3 * MIB))
    with store.open(KEY) as chunks:
        assert next(chunks) == media(3 * MIB)[:MIB]
    assert store.read(KEY) == media(3 * MIB)


@pytest.mark.parametrize(
    ("offset", "length", "part"), [(0, 3, b"abc"), (2, 3, b"cde"), (4, 9, b"efg"), (6, 1, b"g")]
)
def test_a_part_of_an_object_is_one_request(store, offset, length, part):
    store.create(KEY, b"abcdefg")
    before = store.requests
    assert store.read_part(KEY, offset, length) == part
    assert store.requests == before + 1


@pytest.mark.parametrize("offset", [7, 8, 4000])
def test_a_part_beyond_the_end_is_not_stored(store, offset):
    store.create(KEY, b"abcdefg")
    with pytest.raises(NotStored):
        store.read_part(KEY, offset, 1)


def test_a_part_of_what_is_not_there_is_not_stored(store):
    with pytest.raises(NotStored):
        store.read_part(KEY, 0, 1)


def test_a_body_of_any_size_can_be_created(store):
    body = media(16 * MIB + 1)
    store.create(VIDEO, body)
    store.create(VIDEO, body)
    with pytest.raises(AlreadyStored):
        store.create(VIDEO, body[:-1] + b"?")
    assert store.read(VIDEO) == body


def test_every_operation_counts(store):
    before = store.requests
    store.create(KEY, b"x")
    store.head(KEY)
    store.read(KEY)
    with store.open(KEY) as chunks:
        list(chunks)
    list(store.list(""))
    assert store.requests >= before + 5


NO_KEYS = ["", "/", "/absolute", "folder/", "a//b", ".", "..", "../up", "a/../../up", "a/./b"]
NO_KEYS += [".incoming/x.part", "a/.hidden", "a/ends.", "Größe.json", "e\u0301", "日本", "a b"]
NO_KEYS += ["a\\b", "a\nb", "a\0b", "a?b", "a*b", "a:b", "a%2Fb", "x" * 200, "ab/" * 300 + "c"]


@only("memory", "folder", "moto", reason="no request is sent")
def test_what_is_no_key_is_refused(place):
    def attempts(key):
        yield lambda: place.store.create(key, b"x")
        yield lambda: place.store.head(key)
        yield lambda: place.store.read(key)
        yield lambda: place.store.open(key).__enter__()
        yield lambda: put_in_parts(place.store, key, b"x")

    for key in NO_KEYS:
        for attempt in attempts(key):
            with pytest.raises(BadRequest):
                attempt()
    assert list(place.store.list("")) == []


@only("memory", "folder", "moto", reason="no request is sent")
def test_what_begins_no_key_is_refused(place):
    for prefix in ("/", "../", "a/../", "a//", ".incoming/", "ü"):
        with pytest.raises(BadRequest):
            list(place.store.list(prefix))


# -- uploads ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 5, MIB + 1, 17 * MIB + 3], ids="{}".format)
def test_an_upload_is_invisible_until_it_is_committed(place, size):
    body = media(size)
    with place.store.upload(VIDEO) as upload:
        for piece in pieces(body):
            upload.write(piece)
        assert place.store.head(VIDEO) is None
        assert list(place.open().list("")) == []
        upload.commit()
        assert place.store.head(VIDEO).bytes == size
    assert place.open().read(VIDEO) == body
    assert place.leftovers() == []


def test_a_chunk_may_be_larger_than_a_part(store):
    body = media(25 * MIB)
    with store.upload(VIDEO) as upload:
        upload.write(body)
        upload.commit()
    assert store.read(VIDEO) == body


@pytest.mark.parametrize("size", [4, 16 * MIB + 1], ids=["small", "large"])
@pytest.mark.parametrize("same", [True, False], ids=["same", "other"])
def test_an_upload_never_takes_a_key_that_is_taken(place, size, same):
    place.store.create(VIDEO, media(4))
    body = media(4) if same else media(size)
    with pytest.raises(AlreadyStored):
        put_in_parts(place.store, VIDEO, body)
    assert place.store.read(VIDEO) == media(4)
    assert place.leftovers() == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, None])
@pytest.mark.parametrize("size", [4, 17 * MIB], ids=["small", "large"])
def test_an_upload_left_without_a_commit_leaves_nothing(place, size, error):
    def leave():
        with place.store.upload(VIDEO) as upload:
            upload.write(media(size))
            if error is not None:
                raise error

    if error is None:
        leave()
    else:
        with pytest.raises(error):
            leave()
    assert place.store.head(VIDEO) is None
    assert list(place.store.list("")) == []
    assert place.leftovers() == []
    place.store.create(VIDEO, b"free")


# -- batches ---------------------------------------------------------------------------------------


def test_what_a_batch_brought_is_there_for_good_after_its_barrier(place):
    batch = place.store.batch()
    batch.create(KEY, b"one")
    batch.create("originals/a/empty.jpg", b"")
    with batch.upload(VIDEO) as upload:
        for piece in pieces(media(MIB + 1)):
            upload.write(piece)
        upload.commit()
    assert batch.barrier() == {}
    seen = place.open()
    assert [each.key for each in seen.list("")] == [KEY, VIDEO, "originals/a/empty.jpg"]
    assert (seen.read(KEY), seen.read(VIDEO)) == (b"one", media(MIB + 1))
    assert place.leftovers() == []
    assert batch.barrier() == {}


def test_a_batch_takes_no_key_that_is_taken(place):
    place.store.create(KEY, b"first")
    batch = place.store.batch()
    batch.create(KEY, b"first")
    with pytest.raises(AlreadyStored):
        batch.create(KEY, b"other")
    with pytest.raises(AlreadyStored), batch.upload(KEY) as upload:
        upload.write(b"other")
        upload.commit()
    assert batch.barrier() == {}
    assert place.store.read(KEY) == b"first"
    assert place.leftovers() == []


def test_a_batch_that_brings_a_key_twice_keeps_the_first(place):
    batch = place.store.batch()
    batch.create(KEY, b"first")
    batch.create(KEY, b"first")
    with pytest.raises(AlreadyStored):
        batch.create(KEY, b"other")
    assert batch.barrier() == {}
    assert place.store.read(KEY) == b"first"


@pytest.mark.parametrize("theirs", [b"ours", b"theirs"])
def test_of_two_batches_that_bring_a_key_one_wins_and_the_other_is_told(place, theirs):
    batch, other = place.store.batch(), place.open().batch()
    batch.create(KEY, b"ours")
    batch.create("originals/a/b.jpg", b"alone")
    failed = {}
    try:
        other.create(KEY, theirs)
        failed = other.barrier()
        failed = {**failed, **batch.barrier()}
    except AlreadyStored as error:
        failed = {KEY: error}
    won = {b"ours"} if theirs == b"ours" else {b"ours", b"theirs"}
    assert place.store.read(KEY) in won
    assert [(key, type(error)) for key, error in failed.items()] == (
        [] if theirs == b"ours" else [(KEY, AlreadyStored)]
    )
    assert batch.barrier().keys() <= failed.keys()
    assert place.store.read("originals/a/b.jpg") == b"alone"
    assert place.leftovers() == []


@only("memory", "faulty", "folders", "fake", "ministack", reason="moto looks and stores in steps")
def test_many_threads_may_share_a_batch(place):
    batch = place.store.batch()

    def bring(number):
        for turn in range(5):
            batch.create(f"originals/{number}/{turn}.jpg", b"%d %d" % (number, turn))
            batch.create(f"originals/all/{turn}.jpg", b"%d" % turn)
            assert batch.barrier() == {}
            assert place.store.read(f"originals/{number}/{turn}.jpg") == b"%d %d" % (number, turn)
            assert place.store.read(f"originals/all/{turn}.jpg") == b"%d" % turn

    assert together(6, bring) == [None] * 6
    assert len(list(place.store.list("originals/"))) == 35
    assert place.leftovers() == []


@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
def test_a_kill_leaves_what_a_batch_brings_whole_or_free(place, fault):
    for number in range(1, 5):
        killed = FaultyStore(place.store, Points({number: fault})).batch()
        with pytest.raises(Killed):
            killed.create(f"originals/{number}/a.jpg", b"picture")
            put_in_parts(killed, f"originals/{number}/b.jpg", b"picture")
            killed.barrier()
            pytest.fail("there are four operations")
        healthy = place.open()
        assert all(healthy.read(each.key) == b"picture" for each in healthy.list(""))
        again = healthy.batch()
        for name in "ab":
            again.create(f"originals/{number}/{name}.jpg", b"picture")
        assert again.barrier() == {}
    assert len(list(place.store.list(""))) == 8


# -- what a disk or a system may lack, one by one -------------------------------------------------


@pytest.mark.parametrize("lack", ONE_BY_ONE)
def test_whatever_one_thing_is_lacking_the_store_keeps_its_promises(lack, quickly, tmp_path):
    """The sets in which these come run through the whole contract."""
    root = quickly / tmp_path.name
    with pytest.MonkeyPatch.context() as monkeypatch:
        play(monkeypatch, (ONE_BY_ONE[lack],))
        with stores.folder(root, lack) as place:
            place.store.create(KEY, b"one")
            for _ in range(2):
                place.store.create(KEY, b"one")
                with pytest.raises(AlreadyStored):
                    place.store.create(KEY, b"other")
            put_in_parts(place.store, VIDEO, media(MIB + 1))
            with pytest.raises(AlreadyStored):
                put_in_parts(place.store, VIDEO, b"other")
            batch = place.open().batch()
            batch.create("originals/a/b.jpg", b"batch")
            assert batch.barrier() == {}
            again = place.open()
            assert [each.key for each in again.list("")] == [KEY, VIDEO, "originals/a/b.jpg"]
            assert again.read(VIDEO) == media(MIB + 1)
            FolderRemover(place.root).remove(VIDEO)
            assert again.head(VIDEO) is None
            with place.store.upload(VIDEO) as upload:
                upload.write(b"left")
            assert place.leftovers() == []


# -- races -----------------------------------------------------------------------------------------

_MOTO_RACES = "moto looks and stores in two steps, without a lock"


def together(count, act):
    """``act(n)`` for n below ``count``, all at once: what each returned or raised."""
    barrier = threading.Barrier(count)

    def one(number):
        barrier.wait()
        try:
            return act(number)
        except AlreadyStored as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@only("memory", "faulty", "folders", "fake", "ministack", reason=_MOTO_RACES)
def test_of_many_who_create_one_key_exactly_one_wins(place):
    several = [place.open() for _ in range(3)]
    for turn in range(10):
        key = f"manifests/a/{turn:08d}.jsonl"
        results = together(
            12, lambda number, key=key: several[number % 3].create(key, b"%04d" % number)
        )
        winners = [number for number, result in enumerate(results) if result is None]
        assert len(winners) == 1
        assert place.store.read(key) == b"%04d" % winners[0]
    assert place.leftovers() == []


@only("memory", "faulty", "folders", "fake", "ministack", reason=_MOTO_RACES)
def test_many_who_create_the_same_all_succeed(place):
    several = [place.open() for _ in range(3)]
    results = together(12, lambda number: several[number % 3].create(KEY, b"the same"))
    assert results == [None] * 12
    assert place.store.read(KEY) == b"the same"


@pytest.mark.parametrize("size", [100, 17 * MIB], ids=["small", "large"])
@only("memory", "faulty", "folders", "fake", "ministack", reason=_MOTO_RACES)
def test_of_many_uploads_under_one_key_exactly_one_wins(place, size):
    count = 8 if size < MIB else 2
    bodies = [media(size + number) for number in range(count)]
    results = together(count, lambda number: put_in_parts(place.store, VIDEO, bodies[number]))
    winners = [number for number, result in enumerate(results) if result is None]
    assert len(winners) == 1
    assert place.store.read(VIDEO) == bodies[winners[0]]
    assert place.leftovers() == []


# -- listings --------------------------------------------------------------------------------------

SHELF = [
    *("README.txt", "a", "a-b", "a.b", "a0"),
    *("albums/-/1.json", "albums/A/1.json", "albums/_/1.json", "albums/a-b/1.json"),
    *("albums/a/1.json", "albums/a/b-c.json", "albums/a/b.json", "albums/a/b/c.json"),
    *("albums/a/b0.json", "albums/a0/1.json", "manifests/Ab/00000001.jsonl"),
    *("manifests/Ab/00000002.jsonl", "manifests/ab-c/00000001.jsonl"),
    *("manifests/ab-c=3/00000001.jsonl", "manifests/ab/00000001.jsonl"),
    *("manifests/ab=12/00000001.jsonl", "originals/x/1.jpg", "originals/x/1.png"),
    *("originals/xy/1.jpg", "runs/2026/11/a.json", "runs/2026/12/a.json", "runs/2027/01/a.json"),
    "zzz",
]
# Where capitals do not count, what they alone tell apart cannot lie there; a backup has none.
SHELF_OF_ANY_DISK = ["README.txt", *(k for k in SHELF if k == k.lower() and "=" not in k)]
BOUNDS = ["", "albums", "albums/", "albums/a", "albums/a/", "albums/a/b", "albums/a/b.json"]
BOUNDS += ["manifests/Ab/00000001.jsonl", "runs/2026/12/", "runs/2026/12/a.json", "~", "B", "a-b"]
PREFIXES = ["", "a", "albums/", "albums/a", "albums/a/b", "manifests/", "manifests/Ab/00"]
PREFIXES += ["originals/x/1.", "runs/2026/", "runs/2026", "nothing/", "README.txt/x", "zzz", "zzzz"]


def test_a_listing_is_in_the_order_of_the_bytes_and_within_its_bounds(place):
    shelf = SHELF if place.keeps_case else SHELF_OF_ANY_DISK
    place.fill(reversed(shelf))
    assert [each.key for each in place.store.list("")] == shelf
    # Each bound with each where that is quick, some of them over the wire.
    thorough = {"memory": 1, "faulty": 1, "folder": 1, "moto": 6, "ministack": 6}.get(place.name, 3)
    for prefix in PREFIXES if place.keeps_case else [p for p in PREFIXES if "/A" not in p]:
        for after in BOUNDS[::thorough]:
            for until in [None, *BOUNDS[1::thorough]]:
                found = list(place.store.list(prefix, after=after, until=until))
                assert [(each.key, each.bytes) for each in found] == [
                    (key, len(key))
                    for key in shelf
                    if key.startswith(prefix) and key > after and (until is None or key <= until)
                ], (prefix, after, until)


@only(*NOT_A_FOLDER, "folder", reason="a folder has no pages, whatever disk it is on")
def test_a_listing_goes_on_beyond_a_page_and_is_lazy(place):
    keys = [f"runs/2026/11/{number:04d}.json" for number in range(1, 1103)]
    place.fill(keys)
    assert [each.key for each in place.store.list("runs/")] == keys
    tail = place.store.list("runs/", after=keys[50], until=keys[1100])
    assert [each.key for each in tail] == keys[51:1101]
    before = place.store.requests
    few = [each.key for each in islice(place.store.list("runs/2026/11/0"), 3)]
    assert few == keys[:3]
    if place.is_s3:
        assert place.store.requests == before + 1
        list(place.store.list("runs/"))
        assert place.store.requests == before + 3


@only("folders", "moto", "fake", "ministack", reason="nobody else can put anything there")
def test_what_others_put_there_is_not_seen(place):
    place.store.create("albums/a/1.json", b"ours")
    strange = ["albums/Größe.json", "albums/a b.json", "albums/.DS_Store", ".trash/x", "a/ends."]
    for name in strange:
        if place.is_s3:
            key = f"{place.prefix}/{name}"
            place.client.put_object(Bucket=stores.BUCKET, Key=key, Body=b"x")
        else:
            path = place.root / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"x")
    if place.is_s3:
        for key in (f"{place.prefix}/", f"{place.prefix}/albums/", f"{place.prefix}-2/b.json"):
            place.client.put_object(Bucket=stores.BUCKET, Key=key, Body=b"x")
    assert [each.key for each in place.store.list("")] == ["albums/a/1.json"]


@only("faulty", "folders", reason="all that can be listed there can be looked into")
def test_a_listing_gives_all_that_it_can_and_then_names_what_it_could_not_look_into(place):
    shelf = SHELF if place.keeps_case else SHELF_OF_ANY_DISK
    place.fill(shelf)
    with place.barred("albums/a/") as store:
        for after in BOUNDS:
            found = []
            bounds = {"after": after, "until": "originals/"}
            with (
                pytest.raises(ListingIncomplete) if after < "albums/b" else nullcontext() as caught
            ):
                found.extend(each.key for each in store.list("", **bounds))
            assert found == [
                key
                for key in shelf
                if after < key <= "originals/" and not key.startswith("albums/a/")
            ]
            assert caught is None or caught.value.keys == ("albums/a/",)
        with pytest.raises(ListingIncomplete):
            next(store.list("albums/a/b"))
        with pytest.raises(StoreRefused, match="albums/a"):
            store.head("albums/a/1.json")
        assert len(list(store.list("runs/"))) == 3


# -- lost requests, lost answers, kills, full disks ------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.REQUEST_LOST, Fault.ANSWER_LOST])
def test_a_create_whose_fate_is_unknown_can_be_repeated(store, fault):
    faulty = FaultyStore(store, Points({1: fault}))
    with pytest.raises(StoreUnavailable):
        faulty.create(KEY, b"one")
    assert (store.head(KEY) is not None) == (fault is Fault.ANSWER_LOST)
    faulty.create(KEY, b"one")
    assert store.read(KEY) == b"one"


def test_an_upload_whose_answer_was_lost_lies_there_when_it_is_repeated(store):
    faulty = FaultyStore(store, Points({("commit", VIDEO, 0): Fault.ANSWER_LOST}))
    with pytest.raises(StoreUnavailable):
        put_in_parts(faulty, VIDEO, b"a video")
    with pytest.raises(AlreadyStored):
        put_in_parts(store, VIDEO, b"a video")
    assert store.read(VIDEO) == b"a video"


@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
def test_a_kill_leaves_a_key_whole_or_free(place, fault):
    body = media(100)
    for number in range(1, 4):
        key = f"originals/{number}/a.jpg"
        killed = FaultyStore(place.store, Points({number: fault}))
        with pytest.raises(Killed):
            put_in_parts(killed, key, body)
            killed.create(f"records/{number}/b.json", b"record")
            pytest.fail("there are three operations")
        healthy = place.open()
        for each in healthy.list(""):
            assert healthy.read(each.key) in (body, b"record")
        if healthy.head(key) is None:
            put_in_parts(healthy, key, body)
        healthy.create(f"records/{number}/b.json", b"record")
    assert len(list(place.store.list(""))) == 6


@pytest.mark.parametrize(
    ("fault", "error"), [(Fault.FULL, StoreFull), (Fault.REFUSED, StoreRefused)]
)
def test_what_found_no_room_or_was_refused_leaves_nothing_and_can_be_repeated(place, fault, error):
    for number in (1, 2):
        key = f"originals/{number}/a.jpg"
        faulty = FaultyStore(place.store, Points(lambda each: fault if each.nth == 0 else None))
        for _ in range(2 if fault is Fault.FULL else 1):
            with pytest.raises(error):
                put_in_parts(faulty, key, b"a picture")
            assert place.store.head(key) is None
            assert place.leftovers() == []
        put_in_parts(faulty, key, b"a picture")
        assert place.store.read(key) == b"a picture"


def losing_one_answer(place, operation):
    """The next request of ``operation`` is done, and its answer lost."""
    left = [True]

    def send(request, **_):
        if left.pop() if left else False:
            session = URLLib3Session(proxies={})
            session.send(request)
            session.close()
            raise ConnectionClosedError(endpoint_url="lost")

    return stores.tampering(place.client, operation, send)


@only("fake", "ministack", reason="an answer can be lost on the wire only where there is one")
def test_the_own_retry_of_a_create_meets_its_own_write(place):
    before = place.store.requests
    with losing_one_answer(place, "PutObject"):
        place.store.create(KEY, b"one")
    # Put, put again (412), then head and get.
    assert place.store.requests - before == 4
    assert place.store.read(KEY) == b"one"


@only("fake", "ministack", reason="an answer can be lost on the wire only where there is one")
def test_the_own_retry_of_a_completion_meets_its_own_object(place):
    with losing_one_answer(place, "CompleteMultipartUpload"):
        put_in_parts(place.store, VIDEO, media(17 * MIB))
    assert place.store.read(VIDEO) == media(17 * MIB)
    assert place.leftovers() == []


@only("fake", "ministack", reason="an answer can be lost on the wire only where there is one")
def test_a_small_upload_whose_own_retry_meets_it_says_that_the_key_is_taken(place):
    with losing_one_answer(place, "PutObject"), pytest.raises(AlreadyStored):
        put_in_parts(place.store, VIDEO, b"small")
    assert place.store.read(VIDEO) == b"small"


@pytest.mark.parametrize("operation", ["PutObject", "UploadPart"])
@only("fake", "ministack", reason="moto accepts wrong checksums; in a folder nothing travels")
def test_bytes_damaged_on_the_way_are_never_stored(place, operation):
    def damage(request, **_):
        sent = request.body
        body = bytearray(sent if isinstance(sent, bytes) else sent.getvalue())
        body[len(body) // 2] ^= 1
        request.body = bytes(body)

    body = media(100 if operation == "PutObject" else 17 * MIB)
    with (
        stores.tampering(place.client, operation, damage),
        pytest.raises(StoreUnavailable, match=r"BadDigest|ContentSHA256Mismatch"),
    ):
        put_in_parts(place.store, VIDEO, body)
    assert place.store.head(VIDEO) is None
    assert place.leftovers() == []


# -- what goes wrong on the wire ------------------------------------------------------------------

LARGE = 16 * MIB + 1
_WIRE = "only the little S3 fails on demand"
_WRITES = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")

PASSING = [
    *(("PutObject", fault) for fault in (wire.lost_request, wire.lost_answer, wire.stall)),
    *(("PutObject", fault) for fault in (wire.without_headers, wire.refusing(503, "SlowDown"))),
    *(("GetObject", fault) for fault in (wire.lost_request, wire.lost_answer, wire.stall)),
    *(("GetObject", fault) for fault in (wire.broken_body, wire.drip, wire.in_chunks)),
    *(("GetObject", fault) for fault in (wire.refusing(500, "InternalError"),)),
    *(("HeadObject", fault) for fault in (wire.lost_request, wire.lost_answer, wire.stall)),
    *(("HeadObject", fault) for fault in (wire.no_date, wire.refusing(503, ""))),
    *(("ListObjectsV2", fault) for fault in (wire.lost_request, wire.lost_answer, wire.stall)),
    *(("ListObjectsV2", fault) for fault in (wire.broken_body, wire.drip, wire.not_xml)),
    *(("ListObjectsV2", fault) for fault in (wire.empty_page,)),
    *((name, fault) for name in _WRITES for fault in (wire.lost_request, wire.lost_answer)),
    *((name, wire.not_xml) for name in ("CreateMultipartUpload", "CompleteMultipartUpload")),
]
NO_ANSWER = [
    *((name, wire.lost_request) for name in ("PutObject", "GetObject", "HeadObject", *_WRITES)),
    *((name, wire.stall) for name in ("PutObject", "GetObject", "HeadObject", *_WRITES)),
    *((name, wire.drip) for name in ("GetObject", "ListObjectsV2")),
    *((name, wire.broken_body) for name in ("GetObject", "ListObjectsV2")),
    ("GetObject", wire.until_the_end),
    *(("HeadObject", fault) for fault in (wire.without_headers, wire.no_date)),
    *(("ListObjectsV2", fault) for fault in (wire.not_xml, wire.well_formed_html)),
    *(("ListObjectsV2", fault) for fault in (wire.empty_page_without_token, wire.same_page)),
    *(("ListObjectsV2", fault) for fault in (wire.empty_page, wire.without_headers)),
    *((name, wire.not_xml) for name in ("CreateMultipartUpload", "CompleteMultipartUpload")),
    ("CreateMultipartUpload", wire.without_headers),
    ("UploadPart", wire.without_headers),
]


def called(pair):
    name, fault = pair
    return f"{name}-{getattr(fault, '__name__', 'refused')}"


def uses(store, operation):
    """Something that needs ``operation`` of S3, and its right outcome."""
    match operation:
        case "PutObject":
            return lambda: store.create("b.json", media(3000)), None
        case "GetObject":
            return lambda: store.read(KEY), media(3000)
        case "HeadObject":
            return lambda: store.head(KEY).bytes, 3000
        case "ListObjectsV2":
            return lambda: [each.key for each in store.list("")], ["a.json", KEY, "z.json"]
        case _:
            return lambda: store.create(VIDEO, media(LARGE)), None


def shelved(place):
    for key in ("a.json", KEY, "z.json"):
        place.store.create(key, media(3000))


@pytest.mark.parametrize("pair", PASSING, ids=called)
@only("fake", reason=_WIRE)
def test_what_goes_wrong_once_is_made_good(place, pair):
    shelved(place)
    act, right = uses(place.hurried(answer=1.0), pair[0])
    place.s3.next(*pair)
    asked = place.s3.asked(pair[0])
    assert act() == right
    assert place.s3.asked(pair[0]) > asked
    for key in place.store.list(""):
        assert place.store.read(key.key) == media(LARGE if key.key == VIDEO else 3000)


@pytest.mark.parametrize("pair", NO_ANSWER, ids=called)
@only("fake", reason=_WIRE)
def test_what_goes_wrong_for_ever_is_an_error_of_the_store_and_soon(place, pair):
    shelved(place)
    act, _ = uses(place.hurried(answer=0.3, attempts=2, rate=100 * MIB), pair[0])
    place.s3.always(*pair)
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        act()
    assert time.monotonic() - began < 60  # By its own patience it would be minutes.
    assert "secret" not in str(caught.value)
    place.s3.forget_faults()
    for each in place.store.list(""):
        assert place.store.read(each.key) == media(LARGE if each.key == VIDEO else 3000)
    place.store.create(VIDEO, media(LARGE))
    assert place.store.read(VIDEO) == media(LARGE)


@pytest.mark.parametrize("fault", [wire.stall, wire.lost_request, wire.refusing(503, "SlowDown")])
@pytest.mark.parametrize("operation", ["PutObject", "GetObject", "HeadObject", "ListObjectsV2"])
@only("fake", reason=_WIRE)
def test_no_call_outlasts_the_deadline_of_the_run(place, operation, fault):
    shelved(place)
    store = place.hurried(answer=100.0, attempts=50, last=0.2)
    deadline = Deadline.after(SystemClock(), 0.7, reserve=0.3)
    act, _ = uses(store.bounded(deadline), operation)
    place.s3.always(operation, fault)
    for _ in range(2):  # The first has what is left, the second what each gets afterwards.
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            act()
        assert time.monotonic() - began < 60  # One answer alone would be waited for for longer.
        deadline.clock.sleep(deadline.remaining())


@only("fake", reason=_WIRE)
def test_after_the_deadline_there_is_time_for_a_second_try_of_the_report(place):
    over = Deadline.after(SystemClock(), 0)
    store = place.hurried(answer=10.0, last=2.0).bounded(over)
    place.s3.next("PutObject", wire.stall)
    asked = place.s3.asked("PutObject")
    store.create("runs/2026/11/report.json", b"{}")
    assert place.store.read("runs/2026/11/report.json") == b"{}"
    assert place.s3.asked("PutObject") == asked + 2


def test_a_deadline_takes_nothing_from_a_store_that_answers(place):
    bounded = place.store.bounded(Deadline.after(SystemClock(), 30))
    bounded.create(KEY, b"one")
    put_in_parts(bounded, VIDEO, media(LARGE))
    assert bounded.read(KEY) == place.store.read(KEY) == b"one"
    assert bounded.head(VIDEO).bytes == LARGE
    assert [each.key for each in bounded.list("")] == [KEY, VIDEO]
    assert bounded.requests == place.store.requests


@only("memory", "folder", "fake", "ministack", reason="a wrapper around each")
def test_a_body_that_breaks_off_in_the_middle_never_looks_whole(place):
    place.store.create(KEY, media(3 * MIB))
    broken = FaultyStore(place.store, Points({1: Fault.ANSWER_LOST}))
    seen = []
    with pytest.raises(StoreUnavailable), broken.open(KEY) as chunks:
        seen.extend(chunks)
    assert b"".join(seen) == media(3 * MIB)[:MIB]
    assert broken.read(KEY) == media(3 * MIB)


# -- memory ----------------------------------------------------------------------------------------


@only("folder", "ministack", reason="the others hold the object in this very process")
def test_memory_does_not_grow_with_an_object(place):
    piece, count = os.urandom(MIB), 56
    place.store.create("warm/up.bin", b"x")
    tracemalloc.start()
    try:
        with place.store.upload(VIDEO) as upload:
            for _ in range(count):
                upload.write(piece)
            upload.commit()
        stored = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        with place.store.open(VIDEO) as chunks:
            size = sum(len(chunk) for chunk in chunks)
        read = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == count * MIB
    assert stored < 34 * MIB
    assert read < 8 * MIB
