"""One word says where a store lies."""

import pytest

from smugmug_backup.errors import BadRequest, StoreRefused
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.location import open_store
from smugmug_backup.storage.s3 import S3Store
from tests.tools.local_s3 import set_environment


@pytest.fixture(autouse=True)
def _aws(monkeypatch):
    set_environment(monkeypatch)


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("s3://my-bucket", "s3://my-bucket/x"),
        ("s3://my-bucket/", "s3://my-bucket/x"),
        ("s3://my-bucket/photos", "s3://my-bucket/photos/x"),
        ("s3://my.bucket/photos/smugmug_1/", "s3://my.bucket/photos/smugmug_1/x"),
        ("s3://my-bucket/photos/.smugmug", "s3://my-bucket/photos/.smugmug/x"),
    ],
)
def test_a_bucket_and_a_prefix(location, name):
    store = open_store(location)
    assert isinstance(store, S3Store)
    assert store._bucket.name("x") == name


@pytest.mark.parametrize(
    "location",
    [
        "",
        "  ",
        "s3:",
        "s3://",
        "s3:///prefix",
        "s3:/bucket",
        "s3:bucket",
        "s3://Bucket",
        "s3://b",
        "s3://user@bucket/x",
        "s3://bucket//leading",
        "s3://bucket/a//b",
        "s3://bucket/../up",
        "s3://bucket/a b",
        "s3://bucket/größe",
        "s3://bucket?x=y",
        "s3://bucket/x#y",
        "s3://[::1",
        "S3://bucket",
        "https://bucket.s3.amazonaws.com/x",
        "gs://bucket",
        "file:///tmp",
        "a\0b",
    ],
)
def test_anything_else_is_told_to_be_no_location(location):
    with pytest.raises(BadRequest, match=r"s3://|photos/smugmug"):
        open_store(location)


def test_a_folder(tmp_path, monkeypatch):
    with pytest.raises(StoreRefused, match="there is no folder"):
        open_store(str(tmp_path / "backup"))
    assert isinstance(open_store(str(tmp_path / "backup"), create=True), FolderStore)
    assert isinstance(open_store(str(tmp_path / "backup")), FolderStore)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert isinstance(open_store("~/backup"), FolderStore)
    monkeypatch.chdir(tmp_path)
    open_store("backup").create("README.txt", b"x")
    assert (tmp_path / "backup" / "README.txt").read_bytes() == b"x"
