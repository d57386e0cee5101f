"""A finished file gets its name, and whatever has that name stays as it is."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from smugmug_backup.restore import exclusive
from smugmug_backup.restore.exclusive import give_name
from tests.tools.faulty_disk import failing, strike


@pytest.fixture
def part(tmp_path: Path) -> Path:
    part = tmp_path / "1.part"
    part.write_bytes(b"the photo")
    os.utime(part, (1_000_000_000, 1_000_000_000))
    return part


def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """FAT, exFAT, SMB."""
    monkeypatch.setattr(os, "link", failing(errno.EPERM))


def no_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor anything that renames without replacing."""
    no_links(monkeypatch)
    monkeypatch.setattr(exclusive, "rename_without_replacing", lambda: None)


def no_rename_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system can, this file system (of FUSE) cannot."""

    def refused(part: bytes, final: bytes) -> int:
        exclusive.ctypes.set_errno(errno.EINVAL)
        return -1

    no_links(monkeypatch)
    monkeypatch.setattr(exclusive, "rename_without_replacing", lambda: refused)


WAYS = pytest.mark.parametrize("disk", [lambda _: None, no_links, no_rename, no_rename_here])
Disk = Callable[[pytest.MonkeyPatch], None]


@WAYS
def test_a_file_gets_its_name_with_its_bytes_and_its_time(
    disk: Disk, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk(monkeypatch)
    final = part.with_name("photo.jpg")
    give_name(part, final)
    assert final.read_bytes() == b"the photo"
    assert final.stat().st_mtime == 1_000_000_000


def test_where_no_links_are_the_file_itself_is_moved_and_not_copied(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it is whole under its name, whenever the process is killed."""
    no_links(monkeypatch)
    ours, final = part.stat(), part.with_name("photo.jpg")
    give_name(part, final)
    assert os.path.samestat(final.stat(), ours)
    assert not part.exists()


@WAYS
@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_has_the_name_stays_as_it_is(
    disk: Disk, kind: str, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk(monkeypatch)
    final = part.with_name("photo.jpg")
    if kind == "file":
        final.write_bytes(b"the owner's own picture")
    elif kind == "folder":
        final.mkdir()
    else:
        final.symlink_to(part.with_name("elsewhere"))
    before = final.lstat()
    with pytest.raises(FileExistsError):
        give_name(part, final)
    assert os.path.samestat(final.lstat(), before)
    assert kind != "file" or final.read_bytes() == b"the owner's own picture"
    assert not part.with_name("elsewhere").exists()


def test_where_no_links_are_a_file_saved_in_the_last_moment_is_not_replaced(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    final = part.with_name("photo.jpg")

    def link(*_: object) -> None:
        final.write_bytes(b"the owner's own picture, saved just now")
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(FileExistsError):
        give_name(part, final)
    assert final.read_bytes().startswith(b"the owner's")


def test_a_link_whose_answer_was_lost_is_known_as_our_own(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strike(monkeypatch, "link", errno.EEXIST, when=lambda *_: True, times=1, after=True)
    final = part.with_name("photo.jpg")
    give_name(part, final)
    assert final.read_bytes() == b"the photo"


def test_a_rename_whose_answer_was_lost_is_known_as_our_own(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(old: bytes, new: bytes) -> int:
        Path(os.fsdecode(old)).rename(os.fsdecode(new))
        exclusive.ctypes.set_errno(errno.ENOENT)
        return -1

    no_links(monkeypatch)
    monkeypatch.setattr(exclusive, "rename_without_replacing", lambda: again)
    final = part.with_name("photo.jpg")
    give_name(part, final)
    assert final.read_bytes() == b"the photo"


def test_a_rename_that_fails_leaves_nothing_under_the_name(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_rename(monkeypatch)
    monkeypatch.setattr(os, "rename", failing(errno.ENOSPC))
    with pytest.raises(OSError, match="No space"):
        give_name(part, part.with_name("photo.jpg"))
    assert list(part.parent.iterdir()) == [part]


def test_where_nothing_names_a_file_at_once_the_name_is_never_half_a_file(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever the process is killed: there is nothing between empty and whole."""
    no_rename(monkeypatch)
    final, seen, rename = part.with_name("photo.jpg"), [], os.rename

    def watched(old: Path, new: Path) -> None:
        seen.append(final.read_bytes())
        rename(old, new)
        seen.append(final.read_bytes())

    monkeypatch.setattr(os, "rename", watched)
    give_name(part, final)
    assert seen == [b"", b"the photo"]


def test_what_another_program_writes_into_the_name_that_was_claimed_stays(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_rename(monkeypatch)
    final, close = part.with_name("photo.jpg"), os.close

    def closed(descriptor: int) -> None:
        close(descriptor)
        final.write_bytes(b"the owner's own picture, saved just now")

    monkeypatch.setattr(os, "close", closed)
    with pytest.raises(FileExistsError):
        give_name(part, final)
    monkeypatch.undo()
    assert final.read_bytes().startswith(b"the owner's")


def test_an_error_of_the_rename_is_the_systems_own(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_links(monkeypatch)
    with pytest.raises(FileNotFoundError):
        give_name(part, part.parent / "no such folder" / "photo.jpg")
