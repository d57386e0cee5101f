"""From S3 to S3: what S3 copies by itself, what it has to prove, and when the bytes pass."""

import base64
import hashlib

import pytest

from smugmug_backup.storage import s3_copy
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.location import open_store, way_between
from smugmug_backup.storage.s3 import S3Store
from smugmug_backup.storage.s3_bucket import Bucket
from smugmug_backup.storage.s3_budget import Patience
from smugmug_backup.storage.s3_copy import way_within_s3
from tests.contract.stores import client
from tests.tools import fake_s3 as wire
from tests.tools.local_s3 import set_environment

KEY = "originals/V2xgTbs=11/51f7e3a09bd24cc8816e0f42d7a9c350.jpg"
LARGE = bytes(16 * 1024 * 1024 + 1)


@pytest.fixture
def stores(served, s3):
    patience = Patience(answer=300, backoff=0.01, attempts=2)
    return [S3Store(served[1], "bucket", each, patience=patience) for each in ("a", "b")]


@pytest.fixture
def way(stores, monkeypatch):
    """As in AWS, whose word counts."""
    monkeypatch.setattr(Bucket, "is_of_aws", True)
    return way_within_s3(*stores)


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def copied(way, body, *, size=None, key=KEY, meant=None):
    return way.copy(
        KEY,
        key,
        size=size,
        is_meant=(meant or sha256(body)).__eq__,
        file_name="quay 1.jpg",
    )


def put(stores, body=b"quay"):
    stores[0].create(KEY, body)


def asked(s3, *names):
    return [each for each, key in s3.log if each in names and "probe" not in key]


def test_a_photo_is_copied_by_one_request_with_its_type_and_its_name(s3, stores, way):
    put(stores)
    s3.log.clear()
    assert copied(way, b"quay", size=4) == 4
    assert asked(s3, "GetObject", "PutObject", "CopyObject") == ["CopyObject"]
    assert s3.objects[f"b/{KEY}"] == b"quay"
    headers = s3.headers[f"b/{KEY}"]
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Content-Disposition"] == "inline; filename*=UTF-8''quay%201.jpg"
    assert way.copied == 1 and way.closed is None


def test_what_has_no_sha_256_of_its_whole_is_the_one_part_of_an_upload(s3, stores, way):
    put(stores, LARGE)
    s3.log.clear()
    assert copied(way, LARGE) == len(LARGE)
    assert asked(s3, "GetObject", "UploadPart", "UploadPartCopy") == ["UploadPartCopy"]
    assert s3.objects[f"b/{KEY}"] == LARGE
    assert s3.headers[f"b/{KEY}"]["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize("body", [b"quay", LARGE])
def test_damaged_bytes_get_no_name(s3, stores, way, body):
    put(stores, body)
    assert copied(way, body, meant="0" * 64) is None
    assert f"b/{KEY}" not in s3.objects
    assert copied(way, body, size=3) is None
    assert f"b/{KEY}" not in s3.objects
    assert way.closed is None


@pytest.mark.parametrize("body", [b"quay", LARGE])
def test_what_is_there_already_stays_and_ours_is_known_as_ours(s3, stores, way, body):
    put(stores, body)
    stores[1].create(KEY, b"other")
    assert copied(way, body) is None
    assert s3.objects[f"b/{KEY}"] == b"other"


def test_an_answer_that_was_lost_is_made_good(s3, stores, way):
    put(stores)
    s3.next("CopyObject", wire.lost_answer)
    assert copied(way, b"quay") == 4
    assert asked(s3, "CopyObject") == ["CopyObject"] * 2


@pytest.mark.parametrize("fault", [wire.error_in_200, wire.refusing(503, "SlowDown")])
@pytest.mark.parametrize("body", [b"quay", LARGE])
def test_what_may_pass_is_asked_again_and_then_the_bytes_pass(s3, stores, way, fault, body):
    put(stores, body)
    s3.next("CopyObject", fault)
    s3.next("UploadPartCopy", fault)
    assert copied(way, body) == len(body)
    s3.always("CopyObject", fault)
    s3.always("UploadPartCopy", fault)
    assert copied(way, body, key=KEY.replace(".jpg", ".2.jpg")) is None
    assert way.closed is None, "the next may come again"


def test_a_conflict_is_asked_again(s3, stores, way):
    put(stores)
    s3.next("CopyObject", wire.refusing(409, "ConditionalRequestConflict"))
    assert copied(way, b"quay") == 4


@pytest.mark.parametrize(
    "refusal", [(403, "AccessDenied"), (501, "NotImplemented"), (400, "InvalidRequest")]
)
@pytest.mark.parametrize("body", [b"quay", LARGE])
def test_what_is_refused_closes_the_way_with_a_reason(s3, stores, way, refusal, body):
    put(stores, body)
    s3.always("CopyObject", wire.refusing(*refusal))
    s3.always("UploadPartCopy", wire.refusing(*refusal))
    assert copied(way, body) is None
    assert refusal[1] in way.closed and "secret words" not in way.closed
    s3.log.clear()
    assert copied(way, body) is None
    assert not s3.log


def test_the_reason_names_the_rights(s3, stores, way):
    put(stores)
    s3.always("CopyObject", wire.refusing(403, "AccessDenied"))
    copied(way, b"quay")
    assert "s3:GetObject on the source" in way.closed


@pytest.mark.parametrize("body", [b"quay", LARGE])
def test_an_s3_that_is_not_awss_names_nothing_before_it_is_proved(s3, stores, body):
    """Its word for what it has is not believed, nor that its copies overwrite nothing."""
    put(stores, body)
    way = way_within_s3(*stores)
    s3.obeys.discard("CopyObject")
    rotten = b"!" * len(body)
    s3.objects[f"a/{KEY}"] = rotten
    assert copied(way, body) is None
    assert f"b/{KEY}" not in s3.objects
    s3.objects[f"a/{KEY}"] = body
    assert copied(way, body) == len(body)
    assert not asked(s3, "CopyObject")
    other = KEY.replace(".jpg", ".2.jpg")
    stores[1].create(other, b"other")
    assert copied(way, body, key=other) is None
    assert s3.objects[f"b/{other}"] == b"other"


def test_where_the_owners_word_stands_in_for_conditions_each_key_is_looked_at(served, s3, stores):
    put(stores)
    s3.obeys.clear()
    target = S3Store(served[1], "bucket", "b", one_writer=True)
    way = way_within_s3(stores[0], target)
    assert copied(way, b"quay") == 4
    other = KEY.replace(".jpg", ".2.jpg")
    target.create(other, b"other")
    assert copied(way, b"quay", key=other) is None
    assert s3.objects[f"b/{other}"] == b"other"


@pytest.mark.parametrize("body", [b"quay", LARGE])
def test_an_answer_without_a_sha_256_proves_nothing(s3, stores, way, body):
    put(stores, body)
    s3.proves = False
    assert copied(way, body) is None
    if body is LARGE:
        assert f"b/{KEY}" not in s3.objects and "SHA-256" in way.closed


def test_what_is_not_there_or_archived_or_too_large_is_left_to_whoever_reads_it(
    s3, stores, way, monkeypatch
):
    assert copied(way, b"quay") is None
    put(stores)
    s3.next("CopyObject", wire.refusing(403, "ObjectNotInActiveTierError"))
    assert copied(way, b"quay") is None
    monkeypatch.setattr(s3_copy, "_AT_ONCE", 3)
    assert copied(way, b"quay") is None
    assert way.closed is None
    assert f"b/{KEY}" not in s3.objects


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_empty_is_not_copied_and_closes_no_way(s3, stores, way, whole):
    """S3 need not take a part without bytes, and what it refuses would close the way for all."""
    put(stores, b"")
    if not whole:
        s3.headers[f"a/{KEY}"].clear()
    s3.log.clear()
    assert copied(way, b"", size=0) is None
    assert way.closed is None
    assert not asked(s3, "CopyObject", "CreateMultipartUpload")


def test_an_answer_without_an_etag_is_none_and_nothing_is_left_of_the_upload(s3, stores, way):
    put(stores, LARGE)
    stated = base64.b64encode(hashlib.sha256(LARGE).digest()).decode()
    body = f"<CopyPartResult><ChecksumSHA256>{stated}</ChecksumSHA256></CopyPartResult>"
    s3.next("UploadPartCopy", lambda request: request.answer(200, body.encode()))
    assert copied(way, LARGE) is None
    assert f"b/{KEY}" not in s3.objects


def test_a_source_that_changes_under_way_is_not_copied(s3, stores, way):
    put(stores)
    s3.next(
        "CopyObject",
        lambda request: (s3.objects.update({f"a/{KEY}": b"else"}), wire._copy(request)),
    )
    assert copied(way, b"quay") is None
    assert f"b/{KEY}" not in s3.objects


def test_only_what_one_s3_holds_has_a_way(stores, tmp_path, monkeypatch):
    set_environment(monkeypatch)
    folder = FolderStore(tmp_path, create=True)
    aws = [open_store("s3://bucket/a"), open_store("s3://other-bucket/b")]
    assert way_between(*aws) is not None
    monkeypatch.setenv("AWS_REGION", "cn-north-1")
    china = open_store("s3://bucket/a")
    with wire.FakeS3() as elsewhere:
        other = S3Store(client(elsewhere.address), "bucket", "a")
        for pair in [(folder, aws[0]), (aws[0], folder), (aws[0], china), (stores[0], aws[0])]:
            assert way_between(*pair) is None
        assert way_between(stores[0], other) is None
    assert way_between(*stores) is not None
