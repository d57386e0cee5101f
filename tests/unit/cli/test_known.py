"""A disk that is not plugged in is no new backup."""

import shutil
from contextlib import contextmanager

import pytest

from smugmug_backup.archive.report import Link
from smugmug_backup.backup.run import Options
from smugmug_backup.cli import known
from smugmug_backup.cli.commands import run
from smugmug_backup.cli.known import Known, Met, meet
from smugmug_backup.cli.profiles import state_folder
from smugmug_backup.storage.location import open_store
from smugmug_backup.words import Location
from tests.tools.cli import Shell
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource

NEWEST, EARLIER = Link("run-2", "b" * 64), Link("run-1", "a" * 64)


LARKFIELD = Known("larkfield", (NEWEST, EARLIER))
TORN = '{"backups": [{"account": "a", "reports": [1]}]}'
OTHER = Known("larkfield", (Link("run-9", "9" * 64),))


@pytest.mark.parametrize(
    ("known_there", "holds", "there", "verdict"),
    [
        ([], True, [NEWEST], (Met.NEW, None)),
        ([], False, [], (Met.NEW, None)),
        ([LARKFIELD], False, [], (Met.EMPTY, None)),
        ([LARKFIELD], True, [NEWEST, EARLIER], (Met.SAME, LARKFIELD)),
        ([LARKFIELD], True, [NEWEST], (Met.SAME, LARKFIELD)),
        ([OTHER, LARKFIELD], True, [NEWEST], (Met.SAME, LARKFIELD)),
        ([LARKFIELD], True, [EARLIER], (Met.OLDER, LARKFIELD)),
        ([OTHER, LARKFIELD], True, [EARLIER], (Met.OLDER, LARKFIELD)),
        ([OTHER, LARKFIELD], True, [], (Met.OTHER, None)),
    ],
)
def test_what_lies_there_is_told_by_the_reports_that_were_seen(known_there, holds, there, verdict):
    met = meet(known_there, holds_backup=lambda: holds, is_there=there.__contains__)
    assert met == verdict


@pytest.fixture
def source():
    source = FakeSource(FakeClock())
    source.album("A1", "Harbour", images=1)
    return source


@pytest.fixture
def shell(capsys, monkeypatch, tmp_path, source):
    @contextmanager
    def parts(args):
        store = open_store(args.location, create=not args.dry_run)
        yield run.Parts(source, store, source.clock, Options(concurrency=2))

    monkeypatch.setattr(run, "build_parts", parts)
    shell = Shell(capsys, monkeypatch, tmp_path / "home")
    shell.at(source.clock)
    return shell


@pytest.fixture
def disk(tmp_path):
    """Where a disk is mounted; what was on it, when it is not."""
    (tmp_path / "mnt").mkdir()
    return tmp_path / "mnt" / "backup"


def unplug(disk):
    shutil.move(disk, disk.with_name("away"))
    disk.mkdir()


def plug_in(disk):
    shutil.rmtree(disk)
    shutil.move(disk.with_name("away"), disk)


def test_the_empty_mount_point_of_a_disk_is_refused_and_stays_empty(shell, disk):
    assert shell("run", disk).status == 0
    unplug(disk)
    ran = shell("run", disk)
    assert ran.status == 2
    assert f"{disk} holds no backup, and it held that of larkfield: is the disk" in ran.err
    assert "--new-location" in ran.err
    assert not [*disk.iterdir()]
    assert shell("run", disk, "--dry-run").status == 2
    for command in ("status", "check", "albums"):
        looked = shell(command, disk)
        assert looked.status == 2 and "is the disk plugged in?" in looked.err
    disk.rmdir()
    assert "is the disk plugged in?" in shell("run", disk).err
    disk.mkdir()
    plug_in(disk)
    assert shell("run", disk).status == 0


def test_another_backup_in_its_place_is_refused_until_it_is_meant(shell, source, disk, tmp_path):
    assert shell("run", tmp_path / "other").status == 0
    assert shell("run", disk).status == 0
    unplug(disk)
    disk.rmdir()
    shutil.copytree(tmp_path / "other", disk)
    ran = shell("run", disk)
    assert ran.status == 2 and "is the right disk plugged in?" in ran.err
    looked = shell("status", disk)
    assert looked.status == 1 and "is the right disk plugged in?" in looked.err
    assert "is the right disk" in shell("status", disk, "--json").json["location"]
    assert shell("run", disk, "--new-location").status == 0
    looked = shell("status", disk)
    assert (looked.status, looked.err) == (0, "")


def test_two_disks_that_take_turns_are_both_known_once_the_second_was_meant(shell, source, disk):
    assert shell("run", disk).status == 0
    unplug(disk)
    assert shell("run", disk, "--new-location").status == 0
    for _ in range(6):
        source.clock.advance(days=1)
        assert shell("run", disk).status == 0
    shutil.move(disk, disk.with_name("second"))
    disk.mkdir()
    assert "is the disk plugged in?" in shell("run", disk).err
    plug_in(disk)
    assert shell("run", disk).status == 0
    assert [len(each.reports) for each in known.recall(Location.parse(str(disk)))] == [2, 5]


def test_an_older_copy_of_the_same_backup_goes_on_and_is_told_of(shell, source, disk):
    assert shell("run", disk).status == 0
    shutil.copytree(disk, disk.with_name("copy"))
    source.clock.advance(days=1)
    assert shell("run", disk).status == 0
    shutil.rmtree(disk)
    shutil.move(disk.with_name("copy"), disk)
    looked = shell("status", disk)
    assert looked.status == 1 and "is it an older copy?" in looked.err
    source.clock.advance(days=1)
    assert shell("run", disk).status == 0
    assert shell("status", disk).status == 0


def test_only_so_many_reports_are_remembered(shell, source, disk):
    for _ in range(7):
        assert shell("run", disk).status == 0
        source.clock.advance(days=1)
    (one,) = known.recall(Location.parse(str(disk)))
    assert len(one.reports) == 5
    assert len([*(state_folder() / "locations").iterdir()]) == 1


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"backups": [{"account": "a", "reports": [1]}]}', "\0"]
)
def test_what_cannot_be_read_is_not_known(shell, disk, text):
    assert shell("run", disk).status == 0
    (path,) = (state_folder() / "locations").iterdir()
    path.write_text(text)
    assert known.recall(Location.parse(str(disk))) == ()
    unplug(disk)
    assert shell("run", disk).status == 0


def test_a_place_for_the_memory_that_cannot_be_written_stops_no_run(shell, monkeypatch, disk):
    monkeypatch.setenv("XDG_STATE_HOME", "/proc")
    assert shell("run", disk).status == 0
    unplug(disk)
    assert shell("run", disk).status == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/a/b", "/a/b/", True),
        ("/a/b", "/a/../a/b", True),
        ("/a/b", "/a/c", False),
        ("s3://bucket/p", "s3://bucket/p/", True),
        ("s3://bucket/p", "s3://bucket", False),
    ],
)
def test_a_place_has_one_name(one, other, same):
    one, other = (known._name(Location.parse(each)) for each in (one, other))
    assert (one == other) is same
