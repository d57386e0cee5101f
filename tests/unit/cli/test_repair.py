"""`smugmug-backup repair`: what is damaged comes from a copy."""

import pytest

from smugmug_backup.storage import s3_copy
from smugmug_backup.storage.s3_budget import Patience
from tests.tools import fake_s3 as wire
from tests.tools.local_s3 import set_environment


@pytest.fixture
def copy(shell, sample, folder, tmp_path):
    assert shell("copy", folder, tmp_path / "copy").status == 0
    return tmp_path / "copy"


def damage(path):
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def test_check_repair_check(shell, sample, folder, copy):
    path = min((folder / "originals").rglob("*.jpg"))
    key = path.relative_to(folder).as_posix()
    damage(path)
    assert shell("check", folder, "--read-data", "all").status == 1
    sample.clock.advance(hours=1)
    ran = shell("repair", folder, "--from", copy)
    assert ran.status == 0, ran.err
    assert f"brought {key}, as {key.replace('.jpg', '.2.jpg')}" in ran.out
    sample.clock.advance(hours=1)
    assert shell("check", folder, "--read-data", "all").status == 0
    again = shell("repair", folder, "--from", copy, "--json").json
    assert again["brought"] == {} and again["left"] == {}


def test_what_no_copy_has_is_named_and_is_no_success(shell, sample, folder, copy):
    for place in (folder, copy):
        damage(min((place / "originals").rglob("*.jpg")))
    assert shell("check", folder, "--read-data", "all").status == 1
    sample.clock.advance(hours=1)
    ran = shell("repair", folder, "--from", copy)
    assert ran.status == 1
    assert "still damaged: 1 file" in ran.out
    assert "the other store has it no more" in ran.err


def test_without_a_check_it_says_how_damage_is_found(shell, sample, folder, copy):
    ran = shell("repair", folder, "--from", copy)
    assert ran.status == 0
    assert "no check has looked" in ran.out and "nothing to repair" in ran.out


def test_a_place_does_not_repair_itself(shell, sample, folder):
    assert shell("repair", folder, "--from", folder).status == 2


@pytest.fixture
def s3(monkeypatch):
    with wire.FakeS3() as s3:
        set_environment(monkeypatch, s3.address)
        yield s3


@pytest.fixture
def in_s3(shell, sample, folder, s3):
    """A backup and its copy in one S3, where an original of the first is damaged."""
    for place in ("a", "b"):
        assert shell("copy", folder, f"s3://bucket/{place}").status == 0
    s3.damaged = min(key for key in s3.objects if key.startswith("a/originals/"))
    s3.objects[s3.damaged] = s3.objects[s3.damaged][:-1] + b"?"
    assert shell("check", "s3://bucket/a", "--read-data", "all").status == 1
    sample.clock.advance(hours=1)
    s3.log.clear()
    return s3


def test_within_s3_no_good_byte_passes_and_the_bad_ones_stay(shell, sample, in_s3):
    damaged = in_s3.objects[in_s3.damaged]
    ran = shell("repair", "s3://bucket/a", "--from", "s3://bucket/b", "--json")
    assert ran.status == 0, ran.err
    ((key, name),) = ran.json["brought"].items()
    assert name == key.replace(".jpg", ".2.jpg")
    assert (ran.json["copied_by_s3"], ran.json["not_by_s3"]) == (1, None)
    assert not [each for call, each in in_s3.log if call == "GetObject" and "b/originals" in each]
    assert in_s3.objects[in_s3.damaged] == damaged
    assert in_s3.objects[f"a/{name}"] == in_s3.objects[f"b/{key}"]
    sample.clock.advance(hours=1)
    assert shell("check", "s3://bucket/a", "--read-data", "all").status == 0


def test_where_s3_may_not_copy_the_bytes_pass(shell, sample, in_s3):
    in_s3.always("UploadPartCopy", wire.refusing(403, "AccessDenied"))
    ran = shell("repair", "s3://bucket/a", "--from", "s3://bucket/b", "--json")
    assert ran.status == 0, ran.err
    assert ran.json["copied_by_s3"] == 0 and ran.json["not_by_s3"]
    assert len(ran.json["brought"]) == 1


def test_while_s3_copies_something_large_it_may_say_nothing_for_minutes(shell, in_s3, monkeypatch):
    made, waits = s3_copy.WithinS3, []

    def seen(source, target, promise):
        waits.append(target._client.meta.config.read_timeout)
        return made(source, target, promise)

    monkeypatch.setattr(s3_copy, "WithinS3", seen)
    assert shell("repair", "s3://bucket/a", "--from", "s3://bucket/b").status == 0
    assert waits == [Patience().completion]
