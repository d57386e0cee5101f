"""`smugmug-backup forget`: what is asked, and what the owner is told."""

import io
import sys

import boto3
import pytest
from moto import mock_aws

from smugmug_backup.cli.commands import forget
from smugmug_backup.errors import StoreRefused
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.location import open_store
from smugmug_backup.words import Location
from tests.tools.cli import Shell
from tests.tools.independent_reader import assert_sound
from tests.tools.sample import sample_store


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backup"


@pytest.fixture
def sample(folder):
    sample = sample_store(FolderStore(folder))
    image = sample.source.world["harbour"].images[1]
    sample.source.world["alps"].images.append(image)
    sample.nights.next_night(full=True)
    sample.image = image.key
    return sample


@pytest.fixture
def shell(capsys, monkeypatch, tmp_path, sample):
    shell = Shell(capsys, monkeypatch, tmp_path / "home")
    shell.at(sample.clock)
    return shell


@pytest.fixture
def types(monkeypatch):
    def types(text):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return types


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_it_shows_what_it_would_delete_asks_and_deletes(shell, sample, folder, types):
    types(f"{sample.image}\n")
    ran = shell("forget", folder, sample.image)
    assert ran.status == 0, ran.err
    assert f"({sample.image}), in Travel / Alps" in ran.out
    assert "2 originals" in ran.out
    assert "file names stay" in ran.out
    assert "SmugMug keeps what it has" in ran.out
    assert ran.out.rstrip().endswith("forgotten")
    assert not list(folder.glob(f"originals/{sample.image}/*"))
    assert_sound(FolderStore(folder))
    status = shell("status", folder, "--json").json
    assert any(
        each["image_key"] == sample.image and each["why"] == "forgotten"
        for each in status["unavailable"]
    )
    checked = shell("check", folder, "--history", "--read-data", "100%")
    assert checked.status == 0, checked.out


@pytest.mark.parametrize("typed", ["", "\n", "yes\n", "y\n", "1\n", "i\n", "  \n"])
def test_nothing_but_the_key_is_a_yes(shell, sample, folder, types, typed):
    types(typed)
    before = files(folder)
    ran = shell("forget", folder, sample.image)
    assert ran.status == 2
    assert "nothing was changed" in ran.err
    assert files(folder) == before


@pytest.mark.parametrize("stdin", [None, io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n"), "utf-8")])
def test_where_nobody_can_answer_it_is_a_no(shell, sample, folder, monkeypatch, stdin):
    monkeypatch.setattr(sys, "stdin", stdin)
    before = files(folder)
    assert shell("forget", folder, sample.image).status == 2
    assert files(folder) == before


def test_of_several_their_number_is_asked(shell, sample, folder, types):
    other = sample.source.world["alps"].images[0].key
    types(f"{sample.image}\n")
    assert shell("forget", folder, sample.image, other, other).status == 2
    types("2\n")
    ran = shell("forget", folder, sample.image, other, other)
    assert ran.status == 0
    assert "the number of images (2)" in ran.out


def test_there_is_no_way_around_the_question(shell, sample, folder):
    assert shell("forget", folder, sample.image, "--yes").status == 2
    assert shell("forget", folder, sample.image, "-y").status == 2


def test_a_key_that_no_image_has_is_not_asked_about(shell, sample, folder, types):
    types("nobody\n")
    before = files(folder)
    ran = shell("forget", folder, "nobody")
    assert ran.status == 2
    assert "no image of this backup has the key nobody" in ran.err
    assert "Type" not in ran.out
    assert files(folder) == before


def test_json_is_all_that_standard_output_gets(shell, sample, folder, types):
    types(f"{sample.image}\n")
    ran = shell("forget", folder, sample.image, "--json")
    assert ran.status == 0
    assert ran.json["images"] == [sample.image]
    assert {each["album_key"] for each in ran.json["generations"]} == {"harbour", "alps"}
    assert len(ran.json["deleted"]) >= 3
    assert ran.json["not_deleted"] == []
    assert "Type the image's key" in ran.err


def test_what_could_not_be_deleted_is_named_and_is_no_success(
    shell, sample, folder, types, monkeypatch
):
    class Locked:
        def remove(self, key):
            raise StoreRefused("Object Lock forbids it")

    monkeypatch.setattr(forget, "open_remover", lambda location: Locked())
    types(f"{sample.image}\n")
    ran = shell("forget", folder, sample.image)
    assert ran.status == 1
    assert f"problem: originals/{sample.image}/" in ran.err
    assert "Object Lock forbids it" in ran.err
    assert "NOT ALL was deleted" in ran.out
    monkeypatch.undo()


def test_a_damaged_manifest_is_told_with_what_to_do(shell, sample, folder, types):
    newest = max((folder / "manifests" / "alps").iterdir())
    newest.chmod(0o644)
    newest.write_bytes(newest.read_bytes()[:-9])
    types(f"{sample.image}\n")
    ran = shell("forget", folder, sample.image)
    assert ran.status == 2
    assert "damaged" in ran.err and "a run mends" in ran.err


def test_restore_says_of_the_image_that_its_owner_forgot_it(shell, sample, folder, types, tmp_path):
    before = sample.nights.reports[-1].run_id
    types(f"{sample.image}\n")
    assert shell("forget", folder, sample.image).status == 0
    now = shell("restore", folder, tmp_path / "now")
    assert "forgotten by its owner" in now.out + now.err
    then = shell("restore", folder, tmp_path / "then", "--as-of", before)
    assert "forgotten by its owner" in then.out + then.err
    assert "missing from the backup" not in then.out + then.err


def test_diff_says_that_it_was_forgotten_and_not_that_anything_was_lost(
    shell, sample, folder, types
):
    first, last = sample.nights.reports[0].run_id, sample.nights.reports[-1].run_id
    sample.source.touch(sample.source.find(sample.image), caption="another")
    sample.nights.next_night()
    later = sample.nights.reports[-1].run_id
    types(f"{sample.image}\n")
    assert shell("forget", folder, sample.image).status == 0
    name = f"({sample.image})"
    for since in (first, last, later):
        ran = shell("diff", folder, since, "latest")
        assert ran.status == 0 and not ran.err
        assert f"{name} forgotten\n" in ran.out
        assert "lost" not in ran.out
    assert f"{name} changed: record forgotten" in shell("diff", folder, last, later).out


def test_in_a_bucket_with_versions_none_is_left(shell, sample, folder, types):
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="photos")
        client.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
        for each in FolderStore(folder).list(""):
            body = FolderStore(folder).read(each.key)
            for version in (b"an earlier version", body):
                client.put_object(Bucket="photos", Key=f"backup/{each.key}", Body=version)
        types(f"{sample.image}\n")
        ran = shell("forget", "s3://photos/backup", sample.image)
        assert ran.status == 0, ran.err
        found = client.list_object_versions(Bucket="photos")
        listed = [*found["Versions"], *found.get("DeleteMarkers", ())]
        assert not [e for e in listed if f"originals/{sample.image}/" in e["Key"]]
        assert_sound(open_store(Location.parse("s3://photos/backup")))
