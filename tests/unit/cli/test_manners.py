"""How much of the line a run takes, and when: option, environment, profile."""

import argparse
from datetime import UTC, datetime, time, timedelta

import pytest

from smugmug_backup.cli.manners import Manners, WithinHours, manners_of
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BadRequest
from smugmug_backup.words import Hours, bytes_per_second
from tests.tools.clock import FakeClock


def args(**values):
    return argparse.Namespace(**{"limit_rate": None, "between": None, "notify": [], **values})


@pytest.mark.parametrize(
    ("text", "rate"),
    [("5M", 5e6), ("500K", 5e5), ("500k", 5e5), ("1.5 MB", 1.5e6), ("2G", 2e9), ("1000", 1000)],
)
def test_a_rate_is_bytes_a_second_in_decimal_units(text, rate):
    assert bytes_per_second(text) == rate


@pytest.mark.parametrize("text", ["", "0", "5", "-5M", "5Mbit", "M", "1e6", "5 T", "999", "0.5K"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="500K"):
        bytes_per_second(text)


@pytest.mark.parametrize(
    ("hours", "now", "within"),
    [
        ("01:00-06:00", "00:59", False),
        ("01:00-06:00", "01:00", True),
        ("01:00-06:00", "05:59", True),
        ("01:00-06:00", "06:00", False),
        ("22:30-06:00", "22:29", False),
        ("22:30-06:00", "23:59", True),
        ("22:30-06:00", "00:00", True),
        ("22:30-06:00", "06:00", False),
        ("00:00-23:59", "12:00", True),
    ],
)
def test_hours_hold_from_their_begin_until_before_their_end(hours, now, within):
    assert Hours.parse(hours).hold(time.fromisoformat(now)) is within
    assert str(Hours.parse(hours)) == hours


@pytest.mark.parametrize("text", ["", "1-6", "01:00", "01:00-01:00", "24:00-06:00", "01:60-02:00"])
def test_what_are_no_hours_is_refused(text):
    with pytest.raises(ValueError, match="01:00-06:00"):
        Hours.parse(text)


def test_an_option_counts_before_the_environment_and_that_before_the_profile():
    profile = {"limit_rate": "1M", "between": "01:00-02:00", "notify": ["https://a/x", "ntfy://b"]}
    environment = {
        "SMUGMUG_BACKUP_BETWEEN": "02:00-03:00",
        "SMUGMUG_BACKUP_NOTIFY": "json://c  json://d",
    }
    assert manners_of(args(), {}, profile) == Manners(
        1e6, Hours.parse("01:00-02:00"), ("https://a/x", "ntfy://b")
    )
    assert manners_of(args(), environment, profile) == Manners(
        1e6, Hours.parse("02:00-03:00"), ("json://c", "json://d")
    )
    given = args(limit_rate="2M", between="03:00-04:00", notify=["json://e"])
    assert manners_of(given, environment, profile) == Manners(
        2e6, Hours.parse("03:00-04:00"), ("json://e",)
    )
    assert manners_of(args(), {}, {}) == Manners()


def test_all_that_is_wrong_is_named_with_who_says_so():
    with pytest.raises(BadRequest) as caught:
        manners_of(
            args(limit_rate="0"),
            {"SMUGMUG_BACKUP_NOTIFY": "mail me"},
            {"between": "6"},
        )
    said = str(caught.value)
    assert "--limit-rate must" in said and "between in the profile must" in said
    assert "SMUGMUG_BACKUP_NOTIFY must" in said and "mail me" not in said


def test_outside_of_its_hours_no_work_is_taken_though_the_machine_slept():
    clock = FakeClock(datetime(2026, 11, 24, 5, 0, tzinfo=UTC))
    deadline = Manners(between=Hours.parse("01:00-06:00")).deadline(clock, local=lambda now: now)
    assert isinstance(deadline, WithinHours)
    assert not (deadline.passed or deadline.stopped or deadline.over)
    clock.jump(hours=1)  # the monotonic clock stands still while a laptop sleeps
    assert deadline.passed and not deadline.over, "what is under way may finish"
    clock.jump(hours=20)
    assert not deadline.passed
    deadline.stop(grace=5)
    assert deadline.passed and deadline.stopped and not deadline.over
    clock.advance(seconds=5)
    assert deadline.over


def test_hours_are_those_of_the_clock_on_the_wall():
    clock = FakeClock(datetime(2026, 11, 24, 23, 30, tzinfo=UTC))
    deadline = Manners(between=Hours.parse("01:00-06:00")).deadline(
        clock, local=lambda now: now + timedelta(hours=2)
    )
    assert not deadline.passed


def test_without_hours_a_run_takes_work_until_somebody_asks_for_an_end():
    deadline = Manners().deadline(FakeClock())
    assert type(deadline) is Deadline and not deadline.passed
