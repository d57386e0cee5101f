"""A few real kills; the soak does 200."""

from pathlib import Path

from tests.proof.kills import kill_often


def test_killed_processes_leave_a_backup_that_tells_the_truth(tmp_path: Path) -> None:
    assert kill_often(tmp_path / "backup", 10, seed=4) > 0
