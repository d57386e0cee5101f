"""`kill -9` of a real `run` in the midst of it, at seeded steps, night after night."""

import random
from datetime import timedelta
from pathlib import Path

from smugmug_backup.storage.folder import FolderStore
from tests.tools.clock import START, FakeClock
from tests.tools.dying import Dying
from tests.tools.fake_source import JPEG, FakeSource
from tests.tools.invariants import History, violations


def account(*, seed: int, night: int, hours: float) -> FakeSource:
    """The account of ``seed`` on ``night``, ``hours`` after the start: each night brings a few
    more changes."""
    calendar, dice = FakeClock(START - timedelta(days=1)), random.Random(seed)
    source = FakeSource(calendar)
    for number in range(4):
        source.album(f"A{number}", images=dice.randrange(2, 6))
    source.world["A3"].images.append(source.world["A0"].images[0])
    source.upload("A3", file_name="../x.jpg", body=JPEG + bytes(1 << 20))
    for each in range(night):
        # Between the last healthy run and the next process (see `heal`).
        calendar._now = START + timedelta(days=each - each % 3 + 2, hours=11)
        for _ in range(3):
            album = dice.choice(list(source.world.values()))
            what = dice.randrange(4)
            if what == 0 or len(album.images) < 2:
                source.upload(album.key, body=JPEG + dice.randbytes(60_000))
            elif what == 1:
                source.touch(dice.choice(album.images), caption=str(dice.random()))
            elif what == 2:
                source.replace(dice.choice(album.images))
            else:
                album.images.pop(dice.randrange(len(album.images)))
    source.clock = FakeClock(START + timedelta(hours=hours))
    return source


def kill_often(folder: Path, kills: int, *, seed: int) -> int:
    """Kill ``kills`` processes that back up into ``folder``; look after each.

    Every few kills a process may end its work, and all must be there. Returns how many of the
    processes died before they were done.
    """
    dice, history, died, night = random.Random(seed), History(), 0, 0
    with Dying(account) as command:
        beside = folder.with_name(f"{folder.name}-undisturbed")
        status, steps = command("run", beside, seed=seed, night=0, hours=0)
        assert status == 0
        for number in range(kills):
            # A night has up to five processes; a healthy run closes it.
            now = {"seed": seed, "night": night, "hours": 24 * night + number % 5}
            most = steps // 3 if night else steps * 2 // 3  # Of a first run; a later has fewer.
            ended = command("run", folder, kill_at=dice.randint(1, most), **now)
            assert ended.killed or ended.status == 0, ended
            died += ended.killed
            _look(folder, history)
            if number % 5 == 4:
                night = heal(command, folder, seed, night, history)
        heal(command, folder, seed, night, history)
    return died


def heal(command: Dying, folder: Path, seed: int, night: int, history: History) -> int:
    """Healthy runs until what has left may be called gone; returns the next night."""
    for later in range(night, night + 3):
        now = {"seed": seed, "night": night, "hours": 24 * later + 10}
        assert command("run", folder, **now).status == 0
    _look(folder, history, account(**now))
    return night + 3


def _look(folder: Path, history: History, truth: FakeSource | None = None) -> None:
    if folder.exists():
        found = violations(FolderStore(folder), truth, history=history, exact=truth is not None)
        assert not found, "\n".join(found)
