"""The threads of a restore: what they do once they are told to stop."""

from pathlib import Path

import pytest

from smugmug_backup.restore import workers
from smugmug_backup.restore.workers import Stopped, Workers
from tests.unit.restore.world import World


def test_a_file_is_read_no_further_once_stop_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_CHUNK", 4)
    (tmp_path / "video.mp4").write_bytes(b"x" * 16)
    at_work = Workers(1)
    chunks = at_work.chunks_of(tmp_path / "video.mp4")
    assert next(chunks) == b"xxxx"
    at_work.stop()
    with pytest.raises(Stopped):
        next(chunks)


def test_a_survey_that_is_stopped_calls_no_file_a_problem(tmp_path: Path) -> None:
    world = World(tmp_path / "photos")
    world.source.album("A", images=2)
    world.nights.run()
    restorer, plan = world.restorer(), world.plan()
    restorer.stop()
    with restorer.workshop(), pytest.raises(Stopped):
        restorer.survey(plan)
