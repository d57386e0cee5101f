"""Every point at which a copy can fail, and `kill -9` of a real one at seeded moments."""

import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from smugmug_backup.archive import transfer
from smugmug_backup.archive.archive import Archive
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BackupError
from smugmug_backup.keeping.copy import Copied, Copier, look
from smugmug_backup.storage.folder import FolderStore
from tests.tools.clock import FakeClock
from tests.tools.faults import Fault, Label, Points, possible
from tests.tools.faulty_store import FaultyStore
from tests.tools.independent_reader import assert_sound
from tests.tools.killed import Killed
from tests.tools.memory_store import MemoryStore
from tests.tools.sample import sample_store

ROOT = Path(__file__).parents[2]
_OF_ONE_PLACE = ("checks/", "drills/", "work/")


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
    dice = random.Random(seed)
    source = folder / "photos-backup"
    sample_store(FolderStore(source))
    died = 0
    for number in range(kills):
        target = folder / f"copy-{number // 3}"
        died += _one(source, target, dice.uniform(0.0, 0.12))
        if (target / "manifests").exists():
            assert_sound(FolderStore(target))
        if number % 3 == 2 or number == kills - 1:
            assert not _one(source, target, None)
            assert assert_sound(FolderStore(target)).seal == assert_sound(FolderStore(source)).seal
            assert _files(target) == _files(source)
    return died


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".incoming" not in path.parts
    }


def _one(source: Path, target: Path, after: float | None) -> bool:
    """Copy in a process of its own, which is killed ``after`` it began to write; whether it was."""
    with subprocess.Popen(
        [sys.executable, "-m", "smugmug_backup.cli", "copy", str(source), str(target)],
        cwd=ROOT / "src",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        if after is not None:
            until = time.monotonic() + 20
            while not (target / "originals").exists() and time.monotonic() < until:
                if process.poll() is not None:
                    break
                time.sleep(0.002)
            time.sleep(after)
            process.kill()
        said = process.stdout.read()
        process.wait()
        assert after is not None or process.returncode == 0, said
        return process.returncode != 0
