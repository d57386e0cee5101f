"""`kill -9` of a real process in the midst of a backup, at seeded operations."""

import random
import signal
import subprocess
import sys
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
        report = back_up(folder, seed, night, 24.0 * (night + later) + 10)
    assert report.status == "complete", report
    _look(folder, history, account(Nights(24.0 * (night + 2) + 10), seed, night))
    return night + 3


def _one(folder: Path, seed: int, night: int, hours: float, dice: random.Random) -> bool:
    dies_at, later = dice.randint(1, 60), dice.uniform(0, 0.004)
    arguments = map(str, [folder, seed, night, hours, 0.001, dies_at, later])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.proof.runner", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        said = process.communicate()[0]
        assert (said, process.returncode) in (("done\n", 0), ("", -signal.SIGKILL))
        return not said


def _look(folder: Path, history: History, truth: FakeSource | None = None) -> None:
    found = violations(FolderStore(folder), truth, history=history, exact=truth is not None)
    assert not found, "\n".join(found)
