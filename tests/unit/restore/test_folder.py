"""The folder that is restored into: what is refused, and what is left alone."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from smugmug_backup.errors import BadRequest
from smugmug_backup.restore import folder as module
from smugmug_backup.restore.alone import TargetUnusable
from smugmug_backup.restore.folder import (
    WORKSHOP,
    Differs,
    Folder,
    Linked,
    free_bytes,
    longest_name,
    refuse_overlap,
    target_at,
)
from tests.tools.faulty_disk import strike


def test_nothing_is_restored_into_the_backup_itself(tmp_path: Path) -> None:
    for target in (tmp_path, tmp_path / "inside", tmp_path.parent):
        with pytest.raises(BadRequest):
            refuse_overlap(str(tmp_path), target)
    refuse_overlap(str(tmp_path / "a"), tmp_path / "b")
    refuse_overlap("s3://bucket", tmp_path)


def test_the_backup_is_known_by_whatever_path_it_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup, mounted, other = tmp_path / "b", tmp_path / "mounted", tmp_path / "other"
    for each in (backup, mounted, other):
        each.mkdir()
    # As a bind mount does it, which only root can make: one folder under two paths.
    both = {backup.stat().st_ino, mounted.stat().st_ino}
    monkeypatch.setattr(os.path, "samestat", lambda one, two: {one.st_ino, two.st_ino} <= both)
    for target in (mounted, mounted / "new" / "deeper"):
        with pytest.raises(BadRequest, match="within each other"):
            refuse_overlap(str(backup), target)
    with pytest.raises(BadRequest, match="within each other"):
        refuse_overlap(str(backup / "photos"), mounted)
    refuse_overlap(str(backup), other)


@pytest.mark.parametrize("text", ["", "  ", "a\0b", "~nosuchuser/out"])
def test_what_names_no_folder_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="TARGET"):
        target_at(text)


def test_a_home_is_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert target_at("~/out") == tmp_path / "out"


def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("file", "file/below", "loop", "loop/below", "x" * 300):
        folder = Folder(tmp_path / name, token="a")
        with pytest.raises(TargetUnusable, match="cannot write into"), folder.workshop():
            pass


def test_room_and_names_are_asked_of_what_is_there_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def usage(path: Path) -> object:
        asked.append(path)
        return shutil._ntuple_diskusage(9, 5, 4)  # type: ignore[attr-defined]

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert free_bytes(tmp_path / "a" / "b") == 4
    assert asked == [tmp_path]
    assert longest_name(tmp_path / "a" / "b") == 255


def test_a_workshop_that_is_a_link_is_not_worked_in(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "out"
    target.mkdir()
    (target / WORKSHOP).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TargetUnusable, match="no folder"), Folder(target, token="a").workshop():
        pass


def test_a_link_on_the_way_is_named_and_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (target / "Travel").symlink_to(tmp_path / "elsewhere")
    folder = Folder(target, token="a")
    with pytest.raises(Linked, match="Travel is a link"):
        folder.look("Travel/H/x.jpg")
    with pytest.raises(Linked, match="Travel is a link"):
        folder.make_home("Travel/H/x.jpg")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "Travel").write_bytes(b"mine")
    folder = Folder(tmp_path, token="a")
    with pytest.raises(Differs, match="Travel is there, and is no folder"):
        folder.look("Travel/H/x.jpg")
    with pytest.raises(Differs, match="Travel is there, and is no folder"):
        folder.make_home("Travel/H/x.jpg")


def test_a_target_that_is_a_link_itself_is_the_owners_wish(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    folder = Folder(tmp_path / "out", token="a")
    with folder.workshop(), folder.part() as part:
        part.write_bytes(b"x")
        folder.place(part, "Travel/x.jpg", None)
    assert (tmp_path / "disk/Travel/x.jpg").read_bytes() == b"x"


def test_nothing_is_written_where_a_disk_was_taken_away(tmp_path: Path) -> None:
    target = tmp_path / "mnt"
    target.mkdir()
    folder = Folder(target, token="a")
    with folder.workshop():
        target.rename(tmp_path / "away")
        target.mkdir()  # The mount point, on another disk.
        with pytest.raises(TargetUnusable, match="is its disk still there"), folder.part():
            pass
        with pytest.raises(TargetUnusable, match="is its disk still there"):
            folder.make_home("Travel/H/x.jpg")
    assert not list(target.iterdir())


@pytest.mark.parametrize("old", [False, True])
def test_a_part_is_swept_only_if_it_is_old_where_no_locks_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bool
) -> None:
    monkeypatch.setattr(module, "fcntl", None)
    monkeypatch.setattr(module, "_LEFT_OVER", -1 if old else module._LEFT_OVER)
    one, two = Folder(tmp_path, token="a"), Folder(tmp_path, token="b")
    with one.workshop(), one.part() as part:
        # The time that the photo was taken says nothing of when its file was written.
        os.utime(part, (1_000_000_000, 1_000_000_000))
        with two.workshop(), two.part() as other:
            assert other != part
            assert part.exists() is not old
    assert not list(tmp_path.iterdir())


def test_a_restore_goes_on_after_another_one_tidied_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "fcntl", None)
    one, two = Folder(tmp_path, token="a"), Folder(tmp_path, token="b")
    with one.workshop():
        with two.workshop():
            pass
        assert not (tmp_path / WORKSHOP).exists()
        with one.part() as part:
            assert part.exists()


def test_a_restore_that_ends_as_another_begins_takes_nothing_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first had made TARGET and written nothing: it takes all away, the lock just taken too."""
    target, locked, really = tmp_path / "out", [], module._lock

    def lock(descriptor: int) -> bool | None:
        locked.append(descriptor)
        if len(locked) == 1:
            shutil.rmtree(target)
        return really(descriptor)

    monkeypatch.setattr(module, "_lock", lock)
    folder = Folder(target, token="a")
    with folder.workshop(), folder.part() as part:
        assert part.exists()
    assert len(locked) == 2


def test_a_part_whose_making_was_answered_late_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network disk repeats what it has done: the name is taken, by ourselves."""
    folder = Folder(tmp_path, token="a")
    with folder.workshop():
        strike(
            monkeypatch,
            "open",
            errno.EEXIST,
            when=lambda path, *_: str(path).endswith(".part"),
            times=1,
            after=True,
        )
        with folder.part() as part:
            assert part.name == "a-1.part"
    assert not list(tmp_path.iterdir())
