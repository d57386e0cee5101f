"""A sample of the tool in a strange world; `strange` draws it for as long as one likes."""

import pytest

from tests.proof.strange import Strange, Zygote, place

SEED = 15
CASES = 24


@pytest.fixture(scope="module")
def strange():
    with place() as here:
        zygote = Zygote()
        yield Strange(here, SEED, zygote)
        zygote.close()


def test_in_a_strange_world_every_command_ends_as_it_should(strange):
    wrong = []
    for number in range(CASES):
        if number % 8:  # The others begin from nothing, which takes a second each.
            case, ended, problem = strange(number)
            if problem:
                wrong.append(f"{number}: {problem}\n{case.told()}\n{ended.err}")
    assert not wrong, "\n".join(wrong)
    assert len(strange.statuses) >= 3
