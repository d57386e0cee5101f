"""A few dozen histories with random damage; the soak lives through hundreds."""

import pytest

from tests.proof.damage import Result, live_through


@pytest.mark.parametrize("first", range(1, 37, 12))
def test_what_is_damaged_is_mended_or_named_and_nothing_sound_is_lost(first: int) -> None:
    result = Result()
    for seed in range(first, first + 12):
        live_through(seed, result)
    assert result.found
