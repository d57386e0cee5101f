"""What deletes for good: in a folder, and in a bucket with versions."""

import os

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from smugmug_backup.errors import BadRequest, StoreError, StoreRefused
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.remove import FolderRemover, S3Remover, open_remover
from smugmug_backup.storage.s3_bucket import Bucket
from smugmug_backup.storage.s3_budget import Patience
from smugmug_backup.words import Location

KEY = "originals/V2xgTbs=11/51f7e3a09bd24cc8816e0f42d7a9c350.jpg"


# -- a folder --------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "backup")


def test_a_file_is_deleted_and_its_neighbours_stay(store, tmp_path):
    store.create(KEY, b"picture")
    store.create(f"{KEY[:-4]}.2.jpg", b"other")
    remover = open_remover(Location.parse(str(tmp_path / "backup")))
    remover.remove(KEY)
    assert store.head(KEY) is None
    assert store.read(f"{KEY[:-4]}.2.jpg") == b"other"
    store.create(KEY, b"anew")


def test_what_is_not_there_is_fine(store, tmp_path):
    remover = FolderRemover(tmp_path / "backup")
    remover.remove(KEY)
    store.create(KEY, b"picture")
    remover.remove(f"{KEY}/below.jpg")
    assert store.read(KEY) == b"picture"


def test_nothing_outside_the_folder_is_reached(store, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.jpg").write_bytes(b"mine")
    (tmp_path / "backup" / "originals").symlink_to(outside)
    remover = FolderRemover(tmp_path / "backup")
    with pytest.raises(StoreRefused, match="symbolic link"):
        remover.remove("originals/a.jpg")
    for key in ("../outside/a.jpg", "/etc/hosts", ".incoming/x"):
        with pytest.raises(BadRequest):
            remover.remove(key)
    assert (outside / "a.jpg").read_bytes() == b"mine"


def test_a_folder_is_no_file_and_a_disk_that_is_gone_is_told(store, tmp_path):
    store.create(KEY, b"picture")
    remover = FolderRemover(tmp_path / "backup")
    with pytest.raises(StoreRefused):
        remover.remove("originals/V2xgTbs=11")
    with pytest.raises(StoreRefused):
        FolderRemover(tmp_path / "nothing").remove(KEY)


def test_what_the_file_system_forbids_is_told_with_its_path(store, tmp_path, monkeypatch):
    store.create(KEY, b"picture")

    def refuse(path, **more):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "unlink", refuse)
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    with pytest.raises(StoreRefused, match=rf"deleting .*{KEY[-20:]}: not permitted"):
        FolderRemover(tmp_path / "backup").remove(KEY)


# -- a bucket --------------------------------------------------------------------------------------

BUCKET = "backup-bucket"


@pytest.fixture
def client():
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        yield client


def remover_of(client, prefix="photos"):
    bucket = Bucket(client, BUCKET, prefix, sleep=lambda _: None, patience=Patience())
    return S3Remover(bucket)


def put(client, key, body=b"picture", **more):
    return client.put_object(Bucket=BUCKET, Key=f"photos/{key}", Body=body, **more)["VersionId"]


def versions(client, prefix=""):
    found = client.list_object_versions(Bucket=BUCKET, Prefix=prefix)
    listed = [*found.get("Versions", ()), *found.get("DeleteMarkers", ())]
    return sorted(each["Key"] for each in listed)


def test_every_version_and_marker_of_the_key_goes_and_no_other(client):
    for body in (b"one", b"two", b"three"):
        put(client, KEY, body)
    client.delete_object(Bucket=BUCKET, Key=f"photos/{KEY}")
    put(client, KEY, b"four")
    put(client, f"{KEY}x", b"begins alike")
    client.put_object(Bucket=BUCKET, Key=KEY, Body=b"another prefix")
    remover_of(client).remove(KEY)
    assert versions(client) == sorted([f"photos/{KEY}x", KEY])
    remover_of(client).remove(KEY)


def test_what_was_only_hidden_by_hand_goes_too(client):
    put(client, KEY)
    client.delete_object(Bucket=BUCKET, Key=f"photos/{KEY}")
    remover_of(client).remove(KEY)
    assert versions(client) == []


def test_versions_of_many_pages_go(client, monkeypatch):
    for number in range(7):
        put(client, KEY, b"%d" % number)
    listed = client.list_object_versions
    pages = []

    def few(**arguments):
        pages.append(arguments)
        return listed(**{**arguments, "MaxKeys": 2})

    monkeypatch.setattr(client, "list_object_versions", few)
    remover_of(client).remove(KEY)
    assert versions(client) == []
    assert len(pages) > 1


def test_a_bucket_without_versions_has_one(client):
    client.create_bucket(Bucket="plain")
    client.put_object(Bucket="plain", Key=KEY, Body=b"picture")
    S3Remover(Bucket(client, "plain", "", patience=Patience())).remove(KEY)
    assert "Contents" not in client.list_objects_v2(Bucket="plain")


def test_a_legal_hold_keeps_its_version_and_the_message_says_what_may_forbid_it(client):
    put(client, KEY, b"one")
    held = put(client, KEY, b"two", ObjectLockLegalHoldStatus="ON")
    put(client, KEY, b"three")
    with pytest.raises(StoreError) as refusal:
        remover_of(client).remove(KEY)
    said = str(refusal.value)
    assert "s3:DeleteObjectVersion" in said and "Object Lock" in said and "policy" in said
    found = client.list_object_versions(Bucket=BUCKET)["Versions"]
    assert [each["VersionId"] for each in found] == [held]


def test_who_may_not_see_versions_is_told_what_is_needed(client, monkeypatch):
    def denied(**arguments):
        answer = {
            "Error": {"Code": "AccessDenied"},
            "ResponseMetadata": {"HTTPStatusCode": 403},
        }
        raise ClientError(answer, "ListObjectVersions")

    monkeypatch.setattr(client, "list_object_versions", denied)
    with pytest.raises(StoreRefused, match="s3:ListBucketVersions"):
        remover_of(client).remove(KEY)
