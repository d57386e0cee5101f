"""A fixed sample of all crash points; the soak tries every one, in both stores."""

from pathlib import Path

import pytest

from tests.proof.crash import SCENARIOS, Scenario, sample, try_all


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_process_may_fail_at_any_operation(scenario: Scenario) -> None:
    assert try_all(scenario, sample(scenario, 20))


@pytest.mark.parametrize("scenario", SCENARIOS[:3], ids=lambda scenario: scenario.name)
def test_a_process_may_fail_at_any_operation_on_a_folder(
    scenario: Scenario, tmp_path: Path
) -> None:
    assert try_all(scenario, sample(scenario, 5), tmp_path)
