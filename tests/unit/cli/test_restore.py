"""`smugmug-backup restore`: what the owner sees, and how it ends."""

import errno
import io
import json
import os
import shutil
import signal
from importlib import import_module

import boto3
import pytest
from moto import mock_aws

from smugmug_backup.cli.commands import restore
from smugmug_backup.cli.estimate import RestoreEstimate, money
from smugmug_backup.errors import StoreUnavailable
from smugmug_backup.restore import survey
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.location import open_store
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights


@pytest.fixture
def location(source, tmp_path):
    folder = tmp_path / "backup"
    nights = Nights(source, open_store(str(folder), create=True), source.clock)
    nights.run()
    return folder


@pytest.fixture
def bucket(location, monkeypatch):
    """The same backup as if it lay in S3."""
    store = MemoryStore()
    for each in FolderStore(location).list(""):
        store.objects[each.key] = FolderStore(location).read(each.key)
    monkeypatch.setattr(restore, "open_existing", lambda location: store)
    return store


def files(folder):
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".json", ".xmp", ".csv")
    )


def test_a_whole_restore_says_what_it_did_and_ends_with_0(shell, location, tmp_path):
    ran = shell("restore", location, tmp_path / "out")
    assert (ran.status, ran.err) == (0, "")
    assert "Restored 3 files" in ran.out
    assert "of 2 albums into" in ran.out
    assert files(tmp_path / "out") == [
        "Travel/Harbour 2024/DSC_00003.JPG",
        "Travel/Harbour 2024/DSC_00004.JPG",
        "Travel/Scans & Misc/DSC_00006.JPG",
    ]


def test_a_second_restore_finds_everything_there(shell, location, tmp_path):
    shell("restore", location, tmp_path / "out")
    ran = shell("restore", location, tmp_path / "out")
    assert ran.status == 0
    assert "Restored 0 files" in ran.out
    assert "3 were there already" in ran.out


def test_what_is_missing_is_named_and_ends_with_1(shell, source, location, tmp_path):
    original = min((location / "originals").rglob("*.jpg"))
    original.unlink()
    (tmp_path / "out/Travel/Scans & Misc").mkdir(parents=True)
    (tmp_path / "out/Travel/Scans & Misc/DSC_00006.JPG").write_bytes(b"mine")
    ran = shell("restore", location, tmp_path / "out")
    assert ran.status == 1
    assert "Not as it should be: 2" in ran.out
    assert "another file of that name is there" in ran.out
    assert "missing from the backup" in ran.out
    assert (tmp_path / "out/Travel/Scans & Misc/DSC_00006.JPG").read_bytes() == b"mine"


def test_json_names_everything(shell, location, tmp_path):
    ran = shell("restore", location, tmp_path / "out", "--json")
    assert ran.json == {
        "target": str(tmp_path / "out"),
        "albums": 2,
        "restored": 3,
        "bytes": ran.json["bytes"],
        "already_there": 0,
        "gone_left_out": 0,
        "not_embedded": None,
        "tables": ["albums.csv", "photos.csv"],
        "interrupted": False,
        "error": None,
        "problems": [],
        "archived": [],
    }


def test_an_album_is_named_by_key_or_title(shell, location, tmp_path):
    assert shell("restore", location, tmp_path / "a", "--album", "scans & misc").status == 0
    assert shell("restore", location, tmp_path / "b", "--album", "A2").status == 0
    assert files(tmp_path / "a") == files(tmp_path / "b") == ["Travel/Scans & Misc/DSC_00006.JPG"]
    ran = shell("restore", location, tmp_path / "c", "--album", "Harbor 2024")
    assert ran.status == 2
    assert "Harbour 2024" in ran.err
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--as-of", "1 March"], "neither a day"),
        (["--as-of", "2020-01-01"], "holds nothing as of"),
        (["--threads", "0"], "from 1 to 64"),
        (["--sidecar", "yaml"], "invalid choice"),
    ],
)
def test_what_makes_no_sense_ends_with_2(shell, location, tmp_path, words, says):
    ran = shell("restore", location, tmp_path / "out", *words)
    assert ran.status == 2
    assert says in ran.err
    assert not (tmp_path / "out").exists()


def test_a_place_without_a_backup_is_said_to_be_one(shell, tmp_path):
    (tmp_path / "empty").mkdir()
    ran = shell("restore", tmp_path / "empty", tmp_path / "out")
    assert ran.status == 2
    assert "holds no backup" in ran.err


def test_an_album_is_named_as_albums_prints_it(shell, location, tmp_path):
    name = "Travel / Scans & Misc"
    assert shell("restore", location, tmp_path / "a", "--album", name).status == 0
    assert files(tmp_path / "a") == ["Travel/Scans & Misc/DSC_00006.JPG"]


@pytest.mark.parametrize("target", ["", " ", "~nosuchuser/out", "x" * 300, "loop/out"])
def test_a_target_that_names_no_folder_is_told_and_nothing_is_written(
    shell, location, tmp_path, monkeypatch, target
):
    here = tmp_path / "here"
    here.mkdir()
    (here / "loop").symlink_to("loop")
    monkeypatch.chdir(here)
    ran = shell("restore", location, target)
    assert ran.status == 2
    assert "should not happen" not in ran.err
    assert ran.err.startswith("error: ")
    assert not files(here)


def test_one_album_that_cannot_be_read_costs_no_other_one(shell, location, tmp_path):
    for manifest in (location / "manifests").glob("*/*.jsonl"):
        if b"Scans" in manifest.read_bytes():
            manifest.write_bytes(manifest.read_bytes()[:-20])
    ran = shell("restore", location, tmp_path / "out")
    assert ran.status == 1
    assert "Restored 2 files" in ran.out
    assert "not readable as a file of this backup" in ran.out


def test_what_was_restored_is_told_whatever_ended_it(shell, location, tmp_path, monkeypatch):
    really, opened = FolderStore.open, []

    def stray(store, key):
        if key.startswith("originals/"):
            opened.append(key)
            if len(opened) == 2:
                raise ValueError("https://bucket/?X-Amz-Signature=abc")
        return really(store, key)

    monkeypatch.setattr(FolderStore, "open", stray)
    ran = shell("restore", location, tmp_path / "out", "--threads", "1")
    assert (ran.status, ran.err) == (1, "")
    assert "Restored 2 files" in ran.out
    assert "ValueError: this should not happen" in ran.out
    assert "Signature" not in ran.out


def test_a_store_that_goes_away_is_told_after_what_was_restored(
    shell, source, location, tmp_path, monkeypatch
):
    for _ in range(40):
        source.upload("A1")
    Nights(source, open_store(str(location)), source.clock).next_night()
    gone = []

    def away(store, *_, **__):
        raise StoreUnavailable("the share does not answer")

    def first(store, key):
        if key.startswith("originals/") and len(gone) == 3:
            monkeypatch.setattr(FolderStore, "list", away)
            monkeypatch.setattr(FolderStore, "open", away)
            away(store)
        gone.extend([key] * key.startswith("originals/"))
        return really(store, key)

    really = FolderStore.open
    monkeypatch.setattr(FolderStore, "open", first)
    ran = shell("restore", location, tmp_path / "out", "--threads", "1")
    assert ran.status == 2
    assert "Restored 3 files" in ran.out
    assert "cannot be read any more: the share does not answer" in ran.err
    assert "the same command goes on" in ran.err


def test_nothing_is_restored_into_the_backup(shell, location):
    ran = shell("restore", location, location / "out")
    assert ran.status == 2
    assert "within each other" in ran.err


def test_a_disk_without_room_is_refused_before_anything_is_written(
    shell, location, tmp_path, monkeypatch
):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 5, 4))
    ran = shell("restore", location, tmp_path / "out")
    assert ran.status == 2
    assert "4 B free" in ran.err
    assert not files(tmp_path / "out")


def test_ctrl_c_drops_what_is_half_done_and_says_how_to_go_on(
    shell, source, location, tmp_path, monkeypatch
):
    pressed = []
    really = FolderStore.open

    def pressing(store, key):
        if key.startswith("originals/") and not pressed:
            pressed.append(key)
            os.kill(os.getpid(), signal.SIGINT)
        return really(store, key)

    monkeypatch.setattr(FolderStore, "open", pressing)
    ran = shell("restore", location, tmp_path / "out", "--threads", "1")
    assert ran.status == 130
    assert "Stopping" in ran.out
    assert "the same command goes on" in ran.out
    ran = shell("restore", location, tmp_path / "out")
    assert ran.status == 0
    assert len(files(tmp_path / "out")) == 3


def test_a_disk_that_fills_up_ends_with_what_was_restored_and_2(
    shell, location, tmp_path, monkeypatch
):
    really, calls = os.fsync, []

    def filling_up(descriptor):
        calls.append(descriptor)
        if len(calls) == 4:  # Of the second photo: the first has two sidecars.
            raise OSError(errno.ENOSPC, "No space left on device")
        really(descriptor)

    monkeypatch.setattr(os, "fsync", filling_up)
    ran = shell("restore", location, tmp_path / "out", "--threads", "1")
    assert ran.status == 2
    assert "Restored 1 file " in ran.out
    assert "No space left on device" in ran.err
    assert "the same command goes on where it was" in ran.err
    assert shell("restore", location, tmp_path / "out").status == 0


# -- S3 ----------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.usefixtures("bucket")
def test_from_s3_nothing_is_fetched_unasked(shell, tmp_path):
    ran = shell("restore", "s3://photos/smugmug", tmp_path / "out")
    assert ran.status == 2
    assert "AWS charges" in ran.out
    assert "us-east-1" in ran.out
    assert "--yes" in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 2), ("\n", 2), ("", 2)])
def test_from_s3_the_owner_is_asked(shell, tmp_path, monkeypatch, answer, status):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    ran = shell("restore", "s3://photos/smugmug", tmp_path / "out")
    assert ran.status == status
    assert "should not happen" not in ran.err
    assert len(files(tmp_path / "out")) == (3 if status == 0 else 0)


@pytest.mark.usefixtures("bucket")
def test_with_yes_the_cost_is_told_and_not_asked(shell, tmp_path):
    ran = shell("restore", "s3://photos/smugmug", tmp_path / "out", "--yes")
    assert ran.status == 0
    assert "AWS charges" in ran.out


@pytest.mark.usefixtures("bucket")
def test_what_is_there_already_costs_nothing(shell, tmp_path):
    shell("restore", "s3://photos/smugmug", tmp_path / "out", "--yes")
    ran = shell("restore", "s3://photos/smugmug", tmp_path / "out")
    assert ran.status == 0
    assert "AWS" not in ran.out


def test_what_lies_in_an_archive_is_named_with_the_command_that_thaws_it(shell, bucket, tmp_path):
    first, *others = sorted(key for key in bucket.objects if key.startswith("originals/"))
    bucket.archived.add(first)
    ran = shell("restore", "s3://photos/smugmug", tmp_path / "out", "--yes")
    assert ran.status == 1
    assert "must be thawed" in ran.out
    assert f"aws s3api restore-object --bucket photos --key smugmug/{first} " in ran.out
    assert len(files(tmp_path / "out")) == 2
    bucket.archived.update(others)
    ran = shell("restore", "s3://photos/smugmug", tmp_path / "new", "--yes")
    assert "xargs -I KEY aws s3api restore-object --bucket photos --key KEY" in ran.out
    ran = shell("restore", "s3://photos/smugmug", tmp_path / "new", "--yes", "--json")
    assert ran.json["archived"] == [f"smugmug/{key}" for key in (first, *others)]


def test_the_command_that_thaws_names_what_was_asked_for_and_fetches_nothing(
    shell, bucket, tmp_path
):
    originals = sorted(key for key in bucket.objects if key.startswith("originals/"))
    bucket.archived.update(originals)
    words = ["--album", "Harbour 2024", "--as-of", "2026-11-24", "--with-gone"]
    ran = shell("restore", "s3://photos/smugmug", tmp_path / "out", *words, "--yes")
    command = next(each for each in ran.out.splitlines() if "--list-archived" in each)
    bucket.log.clear()
    listed = shell.line(command.strip().removesuffix("|"))
    assert (listed.status, listed.err) == (0, "")
    assert len(listed.out.splitlines()) == 2
    assert {key.removeprefix("smugmug/") for key in listed.out.splitlines()} < set(originals)
    assert not [key for name, key in bucket.log if name == "get" and key in originals]
    assert "--yes" not in command
    ran = shell("restore", "s3://photos/smugmug", tmp_path / "out", "--list-archived", "--json")
    assert ran.json == {"archived": [f"smugmug/{key}" for key in originals]}


def test_what_is_archived_is_listed_by_a_question_for_each_for_a_listing_does_not_tell(
    shell, bucket, tmp_path, monkeypatch
):
    monkeypatch.setattr(survey, "_MANY", 1)
    originals = sorted(key for key in bucket.objects if key.startswith("originals/"))
    head = bucket.head
    bucket.head = lambda key: head(key)._replace(archived=key in originals)
    ran = shell("restore", "s3://photos/smugmug", tmp_path / "out", "--list-archived")
    assert ran.out.splitlines() == [f"smugmug/{key}" for key in originals]


def test_a_bucket_is_restored_like_a_folder(shell, location, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="photos")
        for each in FolderStore(location).list(""):
            body = FolderStore(location).read(each.key)
            archived = each.key.startswith("originals/") and body.endswith(b"3")
            kind = "DEEP_ARCHIVE" if archived else "STANDARD"
            key = f"smugmug/{each.key}"
            client.put_object(Bucket="photos", Key=key, Body=body, StorageClass=kind)
        ran = shell("restore", "s3://photos/smugmug", tmp_path / "out", "--yes")
    assert (ran.status, ran.err) == (1, "")
    assert "Restored 2 files" in ran.out
    assert "aws s3api restore-object --bucket photos --key smugmug/originals/" in ran.out
    assert len(files(tmp_path / "out")) == 2


def test_prices_are_told_to_the_cent():
    estimate = RestoreEstimate(bytes=812_000_000_000, requests=96_422)
    assert money(estimate.out_cost) == "$73.08"
    assert money(estimate.instant_retrieval_cost) == "$24.36"
    assert [money(0.0), money(0.001), money(1234.5)] == ["$0.00", "less than $0.01", "$1,234.50"]


def test_the_example_of_the_help_runs(shell, location, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    shutil.copytree(location, home / "photos-backup")
    example = shell("restore", "--help").out.strip().splitlines()[-1].strip()
    monkeypatch.chdir(home)
    ran = shell.line(example)
    assert ran.status == 0
    assert len(files(home / "restored")) == 2


@pytest.mark.parametrize("command", ["restore", "run", "authorize"])
def test_the_description_fits_a_terminal(command):
    module = import_module(f"smugmug_backup.cli.arguments.{command}")
    assert max(map(len, module._DESCRIPTION.splitlines())) <= 80


def test_a_hostile_name_is_shown_without_its_control_characters(shell, source, tmp_path):
    source.upload("A1", file_name="a\x1b[31m\u202eb.jpg", has_url=False)
    Nights(source, open_store(str(tmp_path / "b"), create=True), source.clock).run()
    ran = shell("restore", tmp_path / "b", tmp_path / "out")
    assert ran.status == 1
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out


def test_sidecars_are_optional(shell, location, tmp_path):
    shell("restore", location, tmp_path / "out", "--sidecar", "none")
    assert not list((tmp_path / "out").rglob("*.json"))
    shell("restore", location, tmp_path / "out", "--sidecar", "json")
    record = json.loads(min((tmp_path / "out").rglob("*.json")).read_bytes())
    assert sorted(record) == ["image", "image_key", "source", "urls"]
    top = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert top == ["Travel", "albums.csv", "photos.csv"]
