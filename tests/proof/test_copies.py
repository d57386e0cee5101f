"""A sample of all points at which a copy can fail, and a few real kills; the soak does more."""

from pathlib import Path

import pytest

from tests.proof.copies import kill_in_s3, kill_often, try_all


def test_a_copy_may_fail_at_any_operation() -> None:
    assert try_all(40)


def test_killed_copies_are_sound_and_go_on(tmp_path: Path) -> None:
    assert kill_often(tmp_path, 2, seed=3) > 0


def test_killed_copies_from_bucket_to_bucket_are_sound_and_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert kill_in_s3(1, seed=3, monkeypatch=monkeypatch) == 1
