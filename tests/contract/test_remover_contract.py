"""The promises of `Remover`, kept by all that delete: in memory, a folder, S3 (moto), with and
without versions."""

from contextlib import ExitStack

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from smugmug_backup.errors import NotStored, StoreError
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.remove import FolderRemover, S3Remover
from smugmug_backup.storage.s3 import S3Store
from smugmug_backup.storage.s3_bucket import Bucket
from smugmug_backup.storage.s3_budget import Patience
from tests.tools.memory_remover import MemoryRemover
from tests.tools.memory_store import MemoryStore

KEY = "originals/V2xgTbs=11/51f7e3a09bd24cc8816e0f42d7a9c350.jpg"
OTHERS = (
    f"{KEY[:-4]}.2.jpg",
    f"{KEY}x",
    "originals/V2xgTbs=11/rev-0123456789abcdef.jpg",
    "originals/V2xgTbs/51f7e3a09bd24cc8816e0f42d7a9c350.jpg",
)


class Place:
    """A store, what deletes in it, and how to forbid that for a key."""

    def __init__(self, store, remover, forbid):
        self.store, self.remover, self.forbid = store, remover, forbid

    def keys(self):
        return [each.key for each in self.store.list("")]


def memory(stack, path):
    store = MemoryStore()
    remover = MemoryRemover(store)
    return Place(store, remover, remover.refused.add)


def folder(stack, path):
    store = FolderStore(path / "backup")

    def forbid(key):
        """Where a file is to be is a folder; no user is above that."""
        (path / "backup" / key).unlink()
        (path / "backup" / key / "below").mkdir(parents=True)

    return Place(store, FolderRemover(path / "backup"), forbid)


def bucket(stack, path, *, versions):
    stack.enter_context(mock_aws())
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="photos", ObjectLockEnabledForBucket=versions)
    store = S3Store(client, "photos", "mine", proved=True)

    def forbid(key):
        """A legal hold; only what has versions can have one, else it is the policy."""
        if versions:
            hold = {"Status": "ON"}
            client.put_object_legal_hold(Bucket="photos", Key=f"mine/{key}", LegalHold=hold)
            return
        delete = client.delete_object

        def denied(**asked):
            if asked["Key"] != f"mine/{key}":
                return delete(**asked)
            answer = {"Error": {"Code": "AccessDenied"}}
            raise ClientError({**answer, "ResponseMetadata": {"HTTPStatusCode": 403}}, "Delete")

        client.delete_object = denied

    return Place(store, S3Remover(Bucket(client, "photos", "mine", patience=Patience())), forbid)


PLACES = {
    "memory": memory,
    "folder": folder,
    "s3 with versions": lambda *made: bucket(*made, versions=True),
    "s3": lambda *made: bucket(*made, versions=False),
}


@pytest.fixture(params=PLACES)
def place(request, tmp_path):
    with ExitStack() as stack:
        yield PLACES[request.param](stack, tmp_path)


def test_what_lies_there_is_gone_and_all_else_stays(place):
    for key in (KEY, *OTHERS):
        place.store.create(key, key.encode())
    place.remover.remove(KEY)
    assert place.store.head(KEY) is None
    with pytest.raises(NotStored):
        place.store.read(KEY)
    assert place.keys() == sorted(OTHERS)
    assert [place.store.read(key) for key in OTHERS] == [key.encode() for key in OTHERS]


def test_nothing_there_is_fine_once_and_twice(place):
    place.remover.remove(KEY)
    place.store.create(KEY, b"picture")
    place.remover.remove(KEY)
    place.remover.remove(KEY)
    assert place.keys() == []


def test_the_name_is_free_again(place):
    place.store.create(KEY, b"picture")
    place.remover.remove(KEY)
    place.store.create(KEY, b"another")
    assert place.store.read(KEY) == b"another"


def test_what_is_forbidden_is_one_of_our_errors_and_the_rest_can_go(place):
    for key in (KEY, OTHERS[0]):
        place.store.create(key, b"picture")
    place.forbid(KEY)
    with pytest.raises(StoreError) as refusal:
        place.remover.remove(KEY)
    assert str(refusal.value)
    place.remover.remove(OTHERS[0])
    assert place.store.head(OTHERS[0]) is None
