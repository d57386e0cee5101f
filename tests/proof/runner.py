"""One process that backs up a small fake account into a folder, and dies; see `kills`.

``python -m tests.proof.runner FOLDER SEED NIGHT HOURS PAUSE DIES_AT LATER``: the account of that
seed as it is on that night, ``HOURS`` after the start; every operation takes ``PAUSE`` seconds.
``LATER`` seconds into the operation of that number it is killed.
"""

import os
import random
import secrets
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from smugmug_backup.backup.run import Backup, Options, RunReport, RunRequest
from smugmug_backup.clock import Deadline
from smugmug_backup.storage.folder import FolderStore
from tests.tools.clock import START, FakeClock
from tests.tools.fake_source import JPEG, FakeSource
from tests.tools.faults import Points
from tests.tools.faulty_source import FaultySource
from tests.tools.faulty_store import FaultyStore


class Nights(FakeClock):
    """Begins on a given night; the machine's own seconds pass."""

    def __init__(self, hours: float) -> None:
        super().__init__(START + timedelta(hours=hours))
        self._began = time.monotonic()

    def now(self) -> datetime:
        return self._now + timedelta(seconds=int(time.monotonic() - self._began))


def account(clock: FakeClock, seed: int, night: int) -> FakeSource:
    """The account of ``seed`` on ``night``: each night brings a few more changes."""
    calendar, dice = FakeClock(START - timedelta(days=1)), random.Random(seed)
    source = FakeSource(calendar)
    for number in range(4):
        source.album(f"A{number}", images=dice.randrange(2, 6))
    for each in range(night):
        # Between the last healthy run and the next process (see `kills`).
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
    source.clock = clock
    return source


def back_up(
    folder: Path,
    seed: int,
    night: int,
    hours: float,
    pause: float = 0.0,
    dies_at: int = 0,
    later: float = 0.0,
) -> RunReport:
    """One run, with real threads, that wait at each operation. At one of them, or shortly later,
    this process dies: what the other threads do then is never the same."""
    clock = Nights(hours)

    def tick() -> None:
        if dies_at and len(points.log) >= dies_at:
            time.sleep(later)
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(pause)

    points = Points(tick=tick)
    backup = Backup(
        source=FaultySource(account(clock, seed, night), points),
        store=FaultyStore(FolderStore(folder), points),
        clock=clock,
        token=lambda: secrets.token_hex(4),
        options=Options(concurrency=3, commit_every=2),
    )
    report = backup.run(RunRequest(), deadline=Deadline.none(clock))
    assert isinstance(report, RunReport)
    return report


def main() -> None:
    folder, seed, night, hours, pause, dies_at, later = sys.argv[1:]
    back_up(
        Path(folder),
        int(seed),
        int(night),
        float(hours),
        float(pause),
        int(dies_at),
        float(later),
    )
    print("done", flush=True)


if __name__ == "__main__":
    main()
