"""Every point at which a copy can fail, and `kill -9` of a real one at seeded steps."""

import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from smugmug_backup.archive import transfer
from smugmug_backup.archive.archive import Archive
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BackupError
from smugmug_backup.keeping.copy import Copied, Copier, look
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.location import open_store
from tests.tools.clock import FakeClock
from tests.tools.dying import ROOT, Dying
from tests.tools.fake_s3 import FakeS3, Request
from tests.tools.fake_s3 import Fault as Answer
from tests.tools.faults import Fault, Label, Points, possible
from tests.tools.faulty_store import FaultyStore
from tests.tools.independent_reader import assert_sound
from tests.tools.killed import Killed
from tests.tools.local_s3 import set_environment
from tests.tools.memory_store import MemoryStore
from tests.tools.sample import sample_store

_OF_ONE_PLACE = ("checks/", "drills/", "work/")
_COPY = (sys.executable, "-m", "smugmug_backup.cli", "copy")
_S3_ALLOWS = {"no_checks", "leftover", "uncommitted"}


def copied(source: Any, target: Any) -> Copied:
    """One copy, without threads, so that its operations are the same every time."""
    one, other = Archive(source), Archive(target)
    planned = look(one, other, map_=map)
    deadline = Deadline.none(FakeClock())
    return Copier(one, other, planned, deadline=deadline, map_=map).copy()


def futures(source: MemoryStore) -> list[tuple[Label, Fault]]:
    """All single faults of a copy, in either store."""
    points = Points()
    copied(FaultyStore(source, points), FaultyStore(MemoryStore(), points))
    return [(each.label, fault) for each in points.log for fault in possible(each.name)]


def try_all(size: int | None = None, *, in_memory: int = 24, seed: int = 1) -> int:
    """A copy with one fault, then the same command again; AssertionError names what it breaks.

    ``size``: so many of all faults, the same every time. Some originals go in parts.
    """
    source = sample_store().store
    before, transfer.IN_MEMORY = transfer.IN_MEMORY, in_memory
    try:
        chosen = futures(source)
        if size is not None:
            chosen = random.Random(seed).sample(chosen, size)
        cache: dict[str, Any] = {}
        for label, fault in chosen:
            try:
                _live_through(source, label, fault, cache)
            except Exception as error:
                raise AssertionError(f"{label}, {fault}: {error}") from error
    finally:
        transfer.IN_MEMORY = before
    return len(chosen)


def _live_through(source: MemoryStore, label: Label, fault: Fault, cache: dict[str, Any]) -> None:
    target, points = MemoryStore(), Points({label: fault})
    before = dict(source.objects)
    done = None
    with suppress(Killed, BackupError):
        done = copied(FaultyStore(source, points), FaultyStore(target, points))
    whole = {key: body for key, body in before.items() if not key.startswith(_OF_ONE_PLACE)}
    assert target.objects.items() <= whole.items()
    if any(key.startswith("manifests/") for key in target.objects):
        assert_sound(target, cache=cache)
    if done is not None and done.whole:
        assert target.objects == whole
    again = copied(source, target)
    assert again.whole, again
    assert target.objects == whole
    assert source.objects == before
    assert not target.overwrites
    assert [each.sha256 for each in again.seal] == assert_sound(target, cache=cache).seal


def kill_often(folder: Path, kills: int, *, seed: int) -> int:
    """Kill ``kills`` processes that copy a folder into another; how many died on the way."""
    dice, died = random.Random(seed), 0
    source = folder / "photos-backup"
    sample_store(FolderStore(source))
    with Dying() as command:
        status, steps = command("copy", source, folder / "undisturbed")
        assert status == 0
        for number in range(kills):
            target = folder / f"copy-{number // 3}"
            ended = command("copy", source, target, kill_at=dice.randint(1, steps))
            assert ended.killed or ended.status == 0, ended
            died += ended.killed
            if (target / "manifests").exists():
                assert_sound(FolderStore(target))
            if number % 3 == 2 or number == kills - 1:
                assert command("copy", source, target).status == 0
                seal = assert_sound(FolderStore(target)).seal
                assert seal == assert_sound(FolderStore(source)).seal
                assert _files(target) == _files(source)
    return died


def kill_in_s3(kills: int, *, seed: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """The same from bucket to bucket, where S3 copies by itself: each file that has its name is
    whole, and the end is the same; how many died on the way."""
    dice, died = random.Random(seed), 0
    alive: list[subprocess.Popen[bytes]] = []

    def kill(request: Request) -> None:
        alive[-1].kill()
        request.perform()

    with FakeS3() as s3:
        set_environment(monkeypatch, s3.address)
        sample_store(open_store("s3://bucket/a"))
        for number in range(kills + 1):
            s3.forget_faults()
            if number < kills:
                before: list[Answer] = [Request.perform] * dice.randint(1, 8)
                s3.next("UploadPartCopy", *before, kill)
            with subprocess.Popen(
                [*_COPY, "s3://bucket/a", "s3://bucket/b", "--yes"],
                cwd=ROOT / "src",
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as process:
                alive.append(process)
                died += process.wait() < 0
            there = _below(s3, "b/")
            assert there.items() <= _below(s3, "a/").items()
            if any(key.startswith("manifests/") for key in there):
                assert_sound(open_store("s3://bucket/b"), allow=_S3_ALLOWS)
        assert process.returncode == 0
        assert there == _below(s3, "a/")
    return died


def _below(s3: FakeS3, prefix: str) -> dict[str, bytes]:
    found = {key: body for key, body in dict(s3.objects).items() if key.startswith(prefix)}
    return {
        key.removeprefix(prefix): body
        for key, body in found.items()
        if not key.removeprefix(prefix).startswith(_OF_ONE_PLACE)
    }


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".incoming" not in path.parts
    }
