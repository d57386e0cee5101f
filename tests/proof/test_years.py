"""Some weeks of nightly runs; the soak lives through ten years."""

import pytest

from tests.proof.years import live_for


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_weeks_of_edits_and_faults_leave_nothing_out(seed: int) -> None:
    result = live_for(60, seed=seed)
    assert result.faults > 5
