"""The promises of `Way`: what comes by it is proved, and nothing is overwritten; asked of S3 as the
little one on loopback has it, and of two stand-ins for AWS that do not know all of it."""

import hashlib
from contextlib import ExitStack

import pytest
from moto import mock_aws

from smugmug_backup.archive.stated import Stated
from smugmug_backup.archive.transfer import bring
from smugmug_backup.storage.location import way_between
from smugmug_backup.storage.s3 import S3Store
from tests.contract import stores
from tests.tools import fake_s3 as wire
from tests.tools.local_s3 import ministack

KEY = "originals/V2xgTbs=11/51f7e3a09bd24cc8816e0f42d7a9c350.jpg"
LARGE = bytes(range(256)) * (64 * 1024 + 1)


def fake(stack, _):
    s3 = stack.enter_context(wire.FakeS3())
    return stores.client(s3.address)


def moto(stack, _):
    stack.enter_context(mock_aws())
    return stores.client()


def local(stack, folder):
    stores.skip_without_ministack()
    return stores.client(stack.enter_context(ministack(folder)))


@pytest.fixture(scope="module", params=[fake, moto, local], ids=["fake", "moto", "ministack"])
def client(request, tmp_path_factory):
    with ExitStack() as stack:
        client = request.param(stack, tmp_path_factory.mktemp("way"))
        if request.param is not fake:
            client.create_bucket(Bucket="bucket")
        yield request.param, client


@pytest.fixture
def pair(client, request):
    name = request.node.originalname
    return [S3Store(client[1], "bucket", f"{name}/{each}") for each in ("one", "two")]


def stated(body, sha256=None):
    return Stated(KEY, sha256 or hashlib.sha256(body).hexdigest(), len(body), "quay.jpg")


def brought(pair, body, way):
    passed = []
    return bring(*pair, stated(body), passed.append, way=way), sum(passed)


@pytest.mark.parametrize("body", [b"quay", LARGE], ids=["small", "large"])
def test_what_is_brought_is_whole_whether_it_comes_by_the_way_or_not(client, pair, body):
    for each in pair:
        each._bucket.prefix += f"{len(body)}/"
    pair[0].create(KEY, body)
    way = way_between(*pair)
    assert brought(pair, body, way) == (KEY, len(body))
    assert pair[1].read(KEY) == body
    assert way.copied == (client[0] is fake)
    assert (way.closed is None) == (client[0] is fake)


def test_nothing_is_overwritten_by_the_way(pair):
    pair[0].create(KEY, b"quay")
    pair[1].create(KEY, b"other")
    name, _ = brought(pair, b"quay", way_between(*pair))
    assert name == KEY.replace(".jpg", ".2.jpg")
    assert [pair[1].read(each) for each in (KEY, name)] == [b"other", b"quay"]


@pytest.mark.parametrize("names", [0, 1, 2])
def test_where_damaged_bytes_have_the_name_the_way_leads_to_the_next_number(client, pair, names):
    """What S3 states of bytes that a check found damaged is no proof that they are not."""
    for each in pair:
        each._bucket.prefix += f"{names}/"
    pair[0].create(KEY, b"quay")
    places = [KEY, KEY.replace(".jpg", ".2.jpg"), KEY.replace(".jpg", ".3.jpg")]
    for place in places[:names]:
        pair[1].create(place, b"quax")
    way = way_between(*pair)
    name = bring(*pair, stated(b"quay"), lambda _: None, way=way, taken=True)
    assert name == places[names]
    assert pair[1].read(name) == b"quay"
    assert way.copied == (client[0] is fake)
    assert [pair[1].read(each) for each in places[:names]] == [b"quax"] * names
