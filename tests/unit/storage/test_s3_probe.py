"""An S3 has to prove that it does not overwrite before anything of the backup lies in it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import AlreadyStored, Concerns, StoreRefused, StoreUnavailable
from smugmug_backup.storage.s3 import S3Store
from smugmug_backup.storage.s3_budget import Patience
from smugmug_backup.wiring import SystemClock
from tests.contract.stores import client
from tests.tools import fake_s3 as wire

KEY = "manifests/hT4mWq=12/00000001.jsonl"
PREFIX = "pre/"
PROBE = f"{PREFIX}work/probe.txt"
LARGE = bytes(16 * 1024 * 1024 + 1)


@pytest.fixture
def opened(served):
    """Another store on the same S3, as another run has."""
    return lambda: S3Store(served[1], "bucket", "pre", patience=Patience(answer=120, backoff=0.01))


def writes_of(s3):
    return [each for each in s3.log if each[0] not in ("GetObject", "HeadObject", "ListObjectsV2")]


def test_an_s3_that_does_not_overwrite_is_asked_once_before_the_first_write(s3, opened):
    store = opened()
    store.create(KEY, b"one")
    store.create("runs/a.json", b"two")
    assert writes_of(s3) == [
        *[("PutObject", PROBE)] * 2,
        ("PutObject", f"pre/{KEY}"),
        ("PutObject", "pre/runs/a.json"),
    ]
    assert s3.objects[PROBE].startswith(b"Written to see")


def test_a_thousand_nights_leave_one_probe_and_cost_a_request_each(s3, opened):
    opened().create(KEY, b"one")
    s3.log.clear()
    for night in range(3):
        opened().create(f"runs/{night}.json", b"x")
    assert writes_of(s3) == [
        each
        for night in range(3)
        for each in (("PutObject", PROBE), ("PutObject", f"pre/runs/{night}.json"))
    ]
    assert [key for key in s3.objects if "work/" in key] == [PROBE]


def test_reading_asks_for_no_proof(s3, opened):
    store = opened()
    assert store.head(KEY) is None
    assert list(store.list("")) == []
    assert not writes_of(s3)


def test_an_s3_that_ignores_conditions_is_refused_before_anything_is_written(s3, opened):
    s3.obeys = set()
    store = opened()
    for act in (
        lambda: store.create(KEY, b"one"),
        lambda: store.upload(KEY).__enter__(),
        store.prove,
    ):
        with pytest.raises(StoreRefused, match="this S3 overwrites") as caught:
            act()
        assert caught.value.concerns is Concerns.BUCKET
    assert set(s3.objects) == {PROBE}


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (501, "NotImplemented", "no conditional writes"),
        (400, "InvalidArgument", "rejects conditional writes"),
        (405, "MethodNotAllowed", "rejects conditional writes"),
    ],
)
def test_an_s3_that_rejects_conditions_is_refused_in_plain_words(s3, opened, status, code, words):
    s3.always("PutObject", wire.refusing_conditions(status, code))
    store = opened()
    with pytest.raises(StoreRefused, match=words) as caught:
        store.create(KEY, b"one")
    assert caught.value.remedy.value == "owner"
    assert s3.asked("PutObject") == 1
    assert not s3.objects


def test_an_s3_that_overwrites_at_the_end_of_large_uploads_only_is_found_out_in_time(s3, opened):
    s3.obeys = {"PutObject"}
    store = opened()
    store.create(KEY, b"small")
    with (
        pytest.raises(StoreRefused, match="this S3 overwrites"),
        store.upload("originals/a/b.mov") as upload,
    ):
        upload.write(LARGE)
        upload.commit()
    assert set(s3.objects) == {PROBE, f"pre/{KEY}"}


def test_large_uploads_are_proved_once(s3, opened):
    store = opened()
    for number in range(2):
        store.create(f"originals/{number}/b.mov", LARGE)
    completed = [key for operation, key in s3.log if operation == "CompleteMultipartUpload"]
    assert completed == [PROBE, "pre/originals/0/b.mov", "pre/originals/1/b.mov"]


def test_an_s3_that_cannot_be_asked_now_is_asked_again_before_the_next_write(s3, opened):
    store = opened()
    s3.next("PutObject", *[wire.refusing(503, "SlowDown")] * 5)
    with pytest.raises(StoreUnavailable):
        store.create(KEY, b"one")
    s3.obeys = set()
    with pytest.raises(StoreRefused):
        store.create(KEY, b"one")


def test_many_threads_and_every_run_of_a_store_share_one_proof(s3, opened):
    store = opened()
    runs = [store.bounded(Deadline.after(SystemClock(), 60)) for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: runs[n % 3].create(f"a/{n}.json", b"x"), range(12)))
    assert s3.log.count(("PutObject", PROBE)) == 2


def test_whoever_waits_for_the_proof_waits_no_longer_than_its_run(s3, served):
    s3.always("PutObject", wire.stall)
    patience = Patience(answer=200, attempts=1, last=0.3)
    store = S3Store(served[1], "bucket", "pre", patience=patience)
    clock, failed = SystemClock(), []
    proves = Deadline.none(clock)

    def prove():
        try:
            store.bounded(proves).create("a/0.json", b"x")
        except StoreUnavailable as error:
            failed.append(error)

    thread = threading.Thread(target=prove)
    thread.start()
    while ("PutObject", PROBE) not in s3.log:
        clock.sleep(0.002)
    began = clock.monotonic()
    with pytest.raises(StoreUnavailable, match="could not be told in time"):
        store.bounded(Deadline.after(clock, 0.1)).create("a/1.json", b"x")
    assert clock.monotonic() - began < 60  # The one that proves would take longer.
    proves.stop(grace=0.0)
    thread.join()
    assert len(failed) == 1 and s3.log == [("PutObject", PROBE)]


def test_aws_itself_need_not_prove_what_it_documents(monkeypatch):
    for endpoint in (None, "https://bucket.vpce-1.s3.eu-central-1.vpce.amazonaws.com"):
        store = S3Store(client(endpoint), "bucket")
        store.prove()
        assert store.requests == 0


@pytest.mark.parametrize(
    "endpoint", ["https://s3.example.com", "https://amazonaws.com.example.com", None]
)
def test_whoever_else_calls_itself_s3_must(endpoint):
    assert S3Store(client(endpoint), "bucket")._bucket.is_of_aws is (endpoint is None)


# -- the owner's word that nobody else writes ------------------------------------------------------


@pytest.fixture
def alone(served):
    """A store whose owner says that it is the only writer."""
    return lambda: S3Store(
        served[1],
        "bucket",
        "pre",
        patience=Patience(answer=120, backoff=0.01),
        one_writer=True,
    )


def ignores(s3):
    s3.obeys = set()


def rejects(s3):
    s3.always("PutObject", wire.refusing_conditions(501, "NotImplemented"))
    s3.always("CompleteMultipartUpload", wire.refusing_conditions(501, "NotImplemented"))


def rejects_by_another_word(s3):
    s3.always("PutObject", wire.refusing_conditions(400, "InvalidArgument"))
    s3.always("CompleteMultipartUpload", wire.refusing_conditions(400, "InvalidArgument"))


def ignores_at_completion(s3):
    s3.obeys = {"PutObject"}


@pytest.mark.parametrize("s3_that", [ignores, rejects, rejects_by_another_word])
@pytest.mark.parametrize("body", [b"one", LARGE], ids=["small", "large"])
def test_by_the_owners_word_it_is_looked_before_each_write(s3, alone, s3_that, body):
    s3_that(s3)
    store = alone()
    store.create(KEY, body)
    store.create(KEY, body)
    with pytest.raises(AlreadyStored):
        store.create(KEY, b"another")
    with pytest.raises(AlreadyStored), store.upload(KEY) as upload:
        upload.write(body[:-1])
        upload.commit()
    assert s3.objects[f"pre/{KEY}"] == body


def test_what_only_completes_over_others_is_looked_at_too(s3, alone):
    ignores_at_completion(s3)
    store = alone()
    store.create(KEY, b"one")
    with pytest.raises(AlreadyStored), store.upload(KEY) as upload:
        upload.write(LARGE)
        upload.commit()
    assert s3.objects[f"pre/{KEY}"] == b"one"


def test_an_s3_that_obeys_is_asked_to_whatever_the_owner_says(s3, alone):
    alone().create(KEY, b"one")
    assert s3.asked("HeadObject") == 0


def test_threads_of_the_only_writer_do_not_overwrite_each_other(s3, alone):
    ignores(s3)
    store = alone()

    def write(number):
        try:
            store.create(KEY, b"%d" % number)
        except AlreadyStored:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        (won,) = (each for each in pool.map(write, range(16)) if each is not None)
    assert s3.objects[f"pre/{KEY}"] == b"%d" % won
