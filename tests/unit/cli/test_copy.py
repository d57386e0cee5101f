"""`smugmug-backup copy`: from anywhere to anywhere, and what the owner is told."""

import io
import sys

import pytest

from smugmug_backup.archive import transfer
from smugmug_backup.model import Room
from smugmug_backup.storage import s3_copy
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.location import open_store
from smugmug_backup.storage.s3_budget import Patience
from tests.tools import fake_s3 as wire
from tests.tools.independent_reader import assert_sound
from tests.tools.local_s3 import set_environment


@pytest.fixture
def other(tmp_path):
    return tmp_path / "disk" / "photos-backup"


@pytest.fixture
def disk(other):
    other.parent.mkdir()
    return other


@pytest.fixture
def s3(monkeypatch):
    with wire.FakeS3() as s3:
        set_environment(monkeypatch, s3.address)
        yield s3


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".incoming" not in path.parts
    }


def test_a_folder_into_a_folder_and_again(shell, sample, folder, disk):
    ran = shell("copy", folder, disk)
    assert ran.status == 0, ran.err
    assert "to be copied: " in ran.out and "$" not in ran.out
    assert ran.out.rstrip().endswith("all is there")
    assert f"seal {sample.nights.reports[-1].sha256}" in ran.out
    assert files(disk) == files(folder)
    again = shell("copy", folder, disk, "--json").json
    assert again["files"] == 0 and again["present"] > 20
    seals = [shell("status", each, "--json").json["seal"] for each in (folder, disk)]
    assert seals[0] == seals[1] == again["seal"]


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(shell, sample, folder, disk):
    told = shell("copy", folder, disk, "--dry-run", "--json").json
    assert told["files"] > 20 and told["bytes"] > 0
    assert not disk.exists()


def test_into_s3_each_file_has_its_type_and_its_own_name(shell, sample, folder, s3):
    ran = shell("copy", folder, "s3://bucket/photos")
    assert ran.status == 0, ran.err
    assert "PUT requests" in ran.out and "a month" in ran.out
    line = next(each for each in sample.nights.manifest("harbour").live if each.original.key)
    headers = s3.headers[f"photos/{line.original.key}"]
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Content-Disposition"] == f"inline; filename*=UTF-8''{line.file_name}"
    report = min(each for each in s3.objects if each.endswith(".json"))
    assert s3.headers[report]["Content-Type"] == "application/json"
    assert_sound(open_store("s3://bucket/photos"))


def test_out_of_s3_it_asks_before_anything_costs(shell, sample, folder, disk, s3, monkeypatch):
    assert shell("copy", folder, "s3://bucket/photos", "--quiet").out == ""
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    ran = shell("copy", "s3://bucket/photos", disk)
    assert ran.status == 2 and "nobody is there to agree" in ran.err
    assert not files(disk)
    ran = shell("copy", "s3://bucket/photos", disk, "--yes")
    assert ran.status == 0, ran.err
    assert "GET requests" in ran.out
    assert files(disk) == files(folder)


def test_each_place_has_an_endpoint_of_its_own(shell, sample, folder, s3, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with wire.FakeS3() as other:
        ran = shell("copy", folder, "s3://bucket/a", "--to-endpoint-url", s3.address)
        assert ran.status == 0, ran.err
        ran = shell(
            *("copy", "s3://bucket/a", "s3://bucket/a", "--yes"),
            *("--from-endpoint-url", s3.address, "--to-endpoint-url", other.address),
        )
        assert ran.status == 0, ran.err
        assert other.objects == s3.objects


def test_an_s3_that_overwrites_is_refused_and_taken_by_the_owners_word(shell, sample, folder, s3):
    s3.obeys = set()
    ran = shell("copy", folder, "s3://bucket/photos")
    assert ran.status == 2 and "--one-writer" in ran.err
    assert [key.removeprefix("photos/") for key in s3.objects] == ["work/probe.txt"]
    assert shell("copy", folder, "s3://bucket/photos", "--one-writer").status == 0
    assert_sound(open_store("s3://bucket/photos"), allow={"no_checks", "leftover", "uncommitted"})


def test_what_is_left_out_is_named_and_is_no_success(shell, sample, folder, disk):
    path = min((folder / "originals").rglob("*.jpg"))
    path.chmod(0o644)
    path.write_bytes(b"?")
    ran = shell("copy", folder, disk)
    assert ran.status == 1
    assert f"problem: {path.relative_to(folder).as_posix()}: " in ran.err
    assert "NOT ALL was copied" in ran.out


def test_nothing_is_copied_into_itself(shell, sample, folder, s3):
    for pair in (
        (folder, folder),
        (folder, folder / "copy"),
        ("s3://bucket/photos", "s3://bucket/photos"),
    ):
        ran = shell("copy", *pair)
        assert ran.status == 2, pair
    assert shell("copy", folder, "s3://bucket/photos").status == 0
    ran = shell("copy", "s3://bucket/photos", "s3://bucket/photos/copy")
    assert ran.status == 2 and "within each other" in ran.err


def test_a_place_that_is_no_backup_is_not_copied(shell, tmp_path, disk):
    (tmp_path / "empty").mkdir()
    ran = shell("copy", tmp_path / "empty", disk)
    assert ran.status == 2 and "holds no backup" in ran.err
    assert not disk.exists()


def test_a_copy_can_be_continued_by_runs(shell, sample, folder, disk):
    assert shell("copy", folder, disk).status == 0
    sample.nights.store = FolderStore(disk)
    sample.source.upload("alps")
    sample.nights.next_night()
    assert_sound(FolderStore(disk))


def test_from_s3_to_s3_no_byte_passes_where_s3_copies_by_itself(shell, sample, folder, s3):
    assert shell("copy", folder, "s3://bucket/a").status == 0
    s3.log.clear()
    ran = shell("copy", "s3://bucket/a", "s3://bucket/b", "--yes", "--json")
    assert ran.status == 0, ran.err
    told = ran.json
    assert told["copied_by_s3"] == told["files"] > 20 and told["not_by_s3"] is None
    assert "COPY" in ran.err and "passes through here" in ran.err
    assert not [key for name, key in s3.log if name == "GetObject" and "/originals/" in key]
    moved = {key: body for key, body in s3.objects.items() if key.startswith("b/")}
    assert moved == {f"b{key[1:]}": body for key, body in s3.objects.items() if key[0] == "a"}
    assert {s3.headers[key].get("Content-Disposition") for key in moved} == {
        s3.headers[f"a{key[1:]}"].get("Content-Disposition") for key in moved
    }


def test_while_s3_copies_something_large_it_may_say_nothing_for_minutes(
    shell, sample, folder, s3, monkeypatch
):
    made, waits = s3_copy.WithinS3, []

    def seen(source, target, promise):
        waits.append(target._client.meta.config.read_timeout)
        return made(source, target, promise)

    monkeypatch.setattr(s3_copy, "WithinS3", seen)
    assert shell("copy", folder, "s3://bucket/a").status == 0
    assert shell("copy", "s3://bucket/a", "s3://bucket/b", "--yes").status == 0
    assert waits == [Patience().completion]


def test_where_s3_may_not_copy_by_itself_that_is_told_once_and_the_bytes_pass(
    shell, sample, folder, s3
):
    assert shell("copy", folder, "s3://bucket/a").status == 0
    s3.always("UploadPartCopy", wire.refusing(403, "AccessDenied"))
    ran = shell("copy", "s3://bucket/a", "s3://bucket/b", "--yes")
    assert ran.status == 0, ran.err
    assert ran.out.count("S3 does not copy by itself") == 1
    assert "s3:GetObject on the source" in " ".join(ran.out.split())
    assert_sound(open_store("s3://bucket/b"), allow={"no_checks", "leftover", "uncommitted"})


# -- what lies in an archive class -----------------------------------------------------------------


@pytest.fixture
def frozen(shell, sample, folder, s3):
    """The keys of two originals that have to be thawed first."""
    assert shell("copy", folder, "s3://bucket/a").status == 0
    keys = [key for key in sorted(s3.objects) if "originals/" in key][:2]
    for key in keys:
        s3.headers[key]["x-amz-storage-class"] = "DEEP_ARCHIVE"
    return keys


@pytest.mark.parametrize("many", [0, 500])
def test_what_is_archived_is_told_before_anything_is_copied_and_waits(
    shell, s3, frozen, disk, monkeypatch, many
):
    monkeypatch.setattr(transfer, "_MANY", many)
    ran = shell("copy", "s3://bucket/a", disk, "--dry-run")
    assert "2 files, " in ran.out and "cannot be read now" in ran.out
    assert f"smugmug-backup copy s3://bucket/a {disk} --list-archived |" in ran.out
    assert "aws s3api restore-object --bucket bucket --key KEY" in ran.out
    s3.log.clear()
    ran = shell("copy", "s3://bucket/a", disk, "--yes", "--json")
    assert ran.status == 1
    assert ran.json["archived"] == frozen
    assert {f"a/{key}" for key in ran.json["waiting"]} > set(frozen)
    assert not [key for name, key in s3.log if name == "GetObject" and key in frozen]
    assert_sound(FolderStore(disk))
    for key in frozen:
        del s3.headers[key]["x-amz-storage-class"]
    again = shell("copy", "s3://bucket/a", disk, "--yes", "--json")
    assert again.status == 0 and again.json["archived"] == []
    assert_sound(FolderStore(disk))


def test_the_command_that_thaws_goes_to_the_place_that_was_named(shell, s3, frozen, disk):
    own = f"--from-endpoint-url {s3.address}"
    ran = shell("copy", "s3://bucket/a", disk, *own.split(), "--dry-run")
    assert f"smugmug-backup copy s3://bucket/a {disk} {own} --list-archived |" in ran.out
    assert f"--endpoint-url {s3.address}" in ran.out.partition("--list-archived |")[2]


def test_the_names_of_what_is_archived_are_printed_for_the_tool_that_thaws(shell, frozen, disk):
    ran = shell("copy", "s3://bucket/a", disk, "--list-archived")
    assert (ran.status, ran.out.split()) == (0, frozen)
    assert not disk.exists()
    assert shell("copy", "s3://bucket/a", disk, "--list-archived", "--json").json["archived"]


def test_by_the_owners_word_what_is_archived_is_left_out_and_comes_once_it_is_thawed(
    shell, s3, frozen
):
    words = ("copy", "s3://bucket/a", "s3://bucket/b", "--yes", "--leave-unreadable")
    ran = shell(*words, "--json")
    assert ran.status == 1 and not ran.json["waiting"]
    assert {f"a/{key}" for key in ran.json["left_out"]} == set(frozen)
    assert [key for key in s3.objects if key.startswith("b/runs/")]
    for key in frozen:
        del s3.headers[key]["x-amz-storage-class"]
    assert shell(*words).status == 0
    assert_sound(open_store("s3://bucket/b"), allow={"no_checks", "leftover", "uncommitted"})


def test_where_a_numbered_name_can_be_read_nothing_has_to_be_thawed(shell, s3, frozen, disk):
    for key in frozen:
        stem, _, extension = key.rpartition(".")
        s3.objects[f"{stem}.2.{extension}"] = s3.objects[key]
    ran = shell("copy", "s3://bucket/a", disk, "--yes", "--json")
    assert ran.status == 0 and ran.json["archived"] == []


def test_where_there_is_no_room_for_it_nothing_is_written(shell, sample, folder, disk, monkeypatch):
    monkeypatch.setattr(FolderStore, "room", lambda _: Room(free=50))
    ran = shell("copy", folder, disk)
    assert ran.status == 2
    assert "are to be copied, and" in ran.err and "has room for 50 B" in ran.err
    assert not files(disk)
    monkeypatch.setattr(FolderStore, "room", lambda _: Room(free=10**6))
    assert shell("copy", folder, disk).status == 0
    monkeypatch.setattr(FolderStore, "room", lambda _: Room(free=0))
    assert shell("copy", folder, disk).status == 0, "nothing is left to be copied"


def test_what_an_s3_says_of_damaged_bytes_is_not_believed_and_they_come_once_repaired(
    shell, sample, folder, s3
):
    assert shell("copy", folder, "s3://bucket/a").status == 0
    key = next(key for key in sorted(s3.objects) if "/originals/" in key)
    s3.objects[key] = b"!" * len(s3.objects[key])
    ran = shell("copy", "s3://bucket/a", "s3://bucket/b", "--yes", "--json")
    assert ran.status == 1 and list(ran.json["left_out"]) == [key[2:]]
    assert f"b{key[1:]}" not in s3.objects
    assert shell("check", "s3://bucket/a", "--read-data", "all").status == 1
    assert shell("repair", "s3://bucket/a", "--from", folder).status == 0
    assert shell("copy", "s3://bucket/a", "s3://bucket/b", "--yes").status == 0
    assert_sound(open_store("s3://bucket/b"), allow={"no_checks", "leftover", "uncommitted"})
