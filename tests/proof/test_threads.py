"""Real threads: many transfers of one run, and many runs of one account at the same time."""

import threading
from pathlib import Path
from typing import Any

import pytest

from smugmug_backup.ports import BackupStore
from smugmug_backup.storage.folder import FolderStore
from tests.proof.world import Limits, World
from tests.tools.faults import LOST, Points
from tests.tools.memory_store import MemoryStore


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BackupStore:
    return MemoryStore() if request.param == "memory" else FolderStore(tmp_path / "backup")


def at_once(world: World, runs: int, points: list[Points]) -> list[Any]:
    """Start ``runs`` runs together; their reports."""
    start, reports = threading.Barrier(runs), []

    def one(number: int) -> None:
        start.wait()
        reports.append(world.run(points[number]))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return reports


def test_runs_at_once_end_as_one_run_would_have(store: BackupStore) -> None:
    """I6: one winner a generation; the losers take up what it left."""
    world = World(store=store, limits=Limits(threads=4, commit_every=3))
    for key in "ABCD":
        world.source.album(key, images=8)
    for _ in range(3):
        reports = at_once(world, 4, [world.points() for _ in range(4)])
        assert any(report is not None for report in reports)
        world.look()
        world.clock.advance(days=1)
        for album in world.source.world.values():
            world.source.touch(album.images[0], caption=str(world.clock.now()))
            world.source.replace(album.images[1])
    for _ in range(2):
        world.run()
        world.clock.advance(days=1)
    world.look(exact=True)
    report = world.run()
    assert report is not None and report.status == "complete"


def test_a_run_of_many_threads_survives_lost_requests_and_answers(store: BackupStore) -> None:
    world = World(store=store, limits=Limits(threads=6, commit_every=4))
    for key in "ABC":
        world.source.album(key, images=10)
    faults = [None] * 11 + list(LOST)
    for night in range(6):
        turn = iter(range(night, 1_000_000))
        points = world.points(lambda _, turn=turn: faults[next(turn) % len(faults)])
        world.run(points)
        world.look()
        world.clock.advance(days=1)
    world.run()
    world.look(exact=True)
