"""`kill -9` of a real process in the midst of a backup, at seeded moments."""

import random
import subprocess
import sys
import time
from pathlib import Path

from smugmug_backup.storage.folder import FolderStore
from tests.proof.runner import Nights, account, back_up
from tests.tools.fake_source import FakeSource
from tests.tools.invariants import History, violations

ROOT = Path(__file__).parents[2]


def kill_often(folder: Path, kills: int, *, seed: int) -> int:
    """Kill ``kills`` processes that back up into ``folder``; look after each.

    Every few kills a process may end its work, and all must be there. Returns how many of the
    processes died before they were done.
    """
    dice, history, died = random.Random(seed), History(), 0
    folder.mkdir(parents=True, exist_ok=True)
    night = 0
    for number in range(kills):
        # A night has up to five processes; a healthy run closes it.
        hours = 24.0 * night + number % 5
        died += _one(folder, seed, night, hours, dice)
        _look(folder, history)
        if number % 5 == 4:
            night = heal(folder, seed, night, history)
    heal(folder, seed, night, history)
    return died


def heal(folder: Path, seed: int, night: int, history: History) -> int:
    """Healthy runs until what has left may be called gone; returns the next night."""
    for later in range(3):
        report = back_up(folder, seed, night, 24.0 * (night + later) + 10, 0)
    assert report.status == "complete", report
    _look(folder, history, account(Nights(24.0 * (night + 2) + 10), seed, night))
    return night + 3


def _one(folder: Path, seed: int, night: int, hours: float, dice: random.Random) -> bool:
    arguments = [str(folder), str(seed), str(night), str(hours), "0.004"]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.proof.runner", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("go\n")
        process.stdin.flush()
        time.sleep(dice.uniform(0, 0.15))
        process.kill()
        return "done" not in process.stdout.read()


def _look(folder: Path, history: History, truth: FakeSource | None = None) -> None:
    found = violations(FolderStore(folder), truth, history=history, exact=truth is not None)
    assert not found, "\n".join(found)
