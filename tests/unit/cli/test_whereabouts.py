"""Where a backup lies, in words by which another person finds it."""

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from smugmug_backup.aws.errors import AwsRefused
from smugmug_backup.cli import whereabouts as module
from smugmug_backup.cli.whereabouts import on_mount, on_volume, whereabouts
from smugmug_backup.keeping.letter import InBucket, OnDisk
from smugmug_backup.words import Location
from tests.tools.local_s3 import set_environment

MOUNTS = r"""
22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
40 22 8:17 / /media/anna/PHOTOS\0402 rw shared:9 - exfat /dev/sdb1 rw
41 22 0:50 / /mnt/nas rw - nfs4 nas:/volume1/photos rw
42 22 8:33 /inner /mnt/part rw - ext4 /dev/sdc1 rw
43 22 8:49 / /mnt/bare rw - ext4 /dev/sdd1 rw
nonsense
"""
LABELS = {"/dev/sda2": "root", "/dev/sdb1": "PHOTOS 2", "/dev/sdc1": "shelf"}


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("/media/anna/PHOTOS 2/backup", {"label": "PHOTOS 2", "inside": "/backup"}),
        ("/media/anna/PHOTOS 2", {"label": "PHOTOS 2", "inside": "/"}),
        ("/mnt/nas/backup", {"share": "nas:/volume1/photos", "inside": "/backup"}),
        ("/mnt/part/backup", {"label": "shelf", "inside": "/inner/backup"}),
        ("/mnt/bare/backup", {}),
        ("/mnt/nasty", {}),
        ("/home/anna/backup", {}),
    ],
)
def test_a_disk_is_named_by_its_label_and_a_share_by_its_own_name(folder, found):
    told = on_mount(folder, MOUNTS, LABELS, "study")
    assert told == OnDisk(folder=folder, machine="study", **found)


def test_where_no_mount_is_told_folder_and_machine_have_to_do():
    assert on_mount("/b", "", {}, "study") == OnDisk(folder="/b", machine="study")


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("/Volumes/PHOTOS/backup", {"label": "PHOTOS", "inside": "/backup"}),
        ("/Volumes/PHOTOS", {"label": "PHOTOS", "inside": "/"}),
        (r"\\nas\photos\backup", {"share": r"\\nas\photos", "inside": r"\backup"}),
        (r"E:\backup", {}),
        ("/Users/anna/backup", {}),
    ],
)
def test_elsewhere_the_path_tells(folder, found):
    assert on_volume(folder, "study") == OnDisk(folder=folder, machine="study", **found)


def test_a_folder_is_told_whole_and_nothing_is_asked(tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    monkeypatch.chdir(tmp_path)
    told = whereabouts(Location.parse("link"))
    assert isinstance(told, OnDisk) and told.folder == str((tmp_path / "disk").resolve())


@pytest.fixture
def s3(monkeypatch):
    set_environment(monkeypatch)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="photos")
        yield client


def test_the_account_of_a_bucket_is_told_where_s3_says_so(s3):
    told = whereabouts(Location.parse("s3://photos/smugmug"))
    assert told == InBucket(
        bucket="photos", prefix="smugmug", region="us-east-1", account="123456789012"
    )


def test_the_account_of_a_bucket_of_somebody_else_is_not_guessed(s3):
    told = whereabouts(Location.parse("s3://nobody-has-it"))
    assert told.account is None and told.bucket == "nobody-has-it"


def test_another_s3_is_named_and_its_owner_not_asked_for(monkeypatch):
    set_environment(monkeypatch, "https://key:secret@s3.example.org:9000/x")
    told = whereabouts(Location.parse("s3://photos/smugmug"))
    assert told == InBucket(bucket="photos", prefix="smugmug", host="s3.example.org:9000")


def test_the_s3_that_the_location_names_counts_before_the_environments(s3):
    at = Location.parse("s3://photos/smugmug").at(endpoint="https://s3.example.org", profile=None)
    assert whereabouts(at) == InBucket(bucket="photos", prefix="smugmug", host="s3.example.org")


def test_the_credentials_that_the_location_names_are_those_that_ask(monkeypatch):
    set_environment(monkeypatch)
    asked = []

    def refused(service, **settings):
        asked.append((service, settings))
        raise AwsRefused("no such profile")

    monkeypatch.setattr("smugmug_backup.aws.client.aws_client", refused)
    at = Location.parse("s3://photos").at(endpoint=None, profile="anna")
    assert whereabouts(at) == InBucket(bucket="photos", prefix="")
    assert asked == [("s3", {"endpoint": None, "profile": "anna"})]


def test_where_aws_is_not_reached_the_rest_is_told(monkeypatch):
    set_environment(monkeypatch)

    class Deaf:
        meta = type("Meta", (), {"endpoint_url": "https://s3.us-east-1.amazonaws.com"})

        def get_caller_identity(self):
            raise EndpointConnectionError(endpoint_url="x")

    monkeypatch.setattr("smugmug_backup.aws.client.aws_client", lambda service, **_: Deaf())
    told = module.whereabouts(Location.parse("s3://photos"))
    assert told == InBucket(bucket="photos", prefix="")
