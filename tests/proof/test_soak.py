"""What only the soak does at full size still has to work."""

import pytest

from tests.proof.big import nights
from tests.proof.by_hand import MUTANTS
from tests.proof.crash import SCENARIOS, sample, try_all


def test_a_great_account_costs_one_call_an_album_and_night() -> None:
    first, second, third = nights(12, 5, 3)
    assert first["albums_changed"] == 12
    assert [night["api_calls"] for night in (first, second, third)] == [14, 14, 14]
    assert second["s3_requests"] < first["s3_requests"]


@pytest.mark.parametrize(
    "name",
    ["manifest before records", "no barrier before the manifest", "no second look at images"],
)
def test_the_proof_sees_a_defect_that_was_put_in(name: str) -> None:
    with MUTANTS[name](), pytest.raises(AssertionError):
        for scenario in SCENARIOS:
            try_all(scenario, sample(scenario, 40))
