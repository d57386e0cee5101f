"""Whose clock decides: SmugMug's, unless it is not known or cannot be right."""

from datetime import timedelta

import pytest

from smugmug_backup.backup.dates import RunDate
from tests.tools.clock import START


def test_the_run_goes_by_the_first_date_and_the_time_since():
    date = RunDate.of(START, now=START + timedelta(hours=3), monotonic=100.0)
    assert date.now(160.0) == START + timedelta(seconds=60)
    assert date.of_answer(START, now=START + timedelta(hours=3)) == START


@pytest.mark.parametrize("hours", [-13, 13, 24 * 400])
def test_a_machine_whose_clock_smugmug_contradicts_decides_nothing(hours):
    date = RunDate.of(START, now=START + timedelta(hours=hours), monotonic=0.0)
    assert date.doubted
    assert date.at == START
    assert date.now(60.0) is None
    assert date.of_answer(START, now=START) is None


def test_without_a_date_nothing_is_decided_and_nobody_is_doubted():
    date = RunDate.of(None, now=START, monotonic=0.0)
    assert not date.doubted
    assert date.now(1.0) is None


def test_one_answer_far_off_decides_nothing_for_its_album():
    date = RunDate.of(START, now=START, monotonic=0.0)
    assert date.of_answer(START + timedelta(days=2), now=START) is None
    assert date.of_answer(None, now=START) is None
