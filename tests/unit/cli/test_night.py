"""When the next run of a schedule begins."""

import time as system_time
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smugmug_backup.cli.night import believed, due, next_run

BERLIN = ZoneInfo("Europe/Berlin")
THREE = time(3)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("of_day", "after", "expected"),
    [
        # Berlin is an hour before UTC in winter, two in summer.
        (THREE, "2026-11-28T12:00", "2026-11-29T02:00"),
        (THREE, "2026-11-29T01:59", "2026-11-29T02:00"),
        (THREE, "2026-11-29T02:00", "2026-11-30T02:00"),
        (THREE, "2026-07-01T12:00", "2026-07-02T01:00"),
        # A little before and after midnight there, which is another day here.
        (time(0, 30), "2026-11-28T23:15", "2026-11-28T23:30"),
        (time(23, 30), "2026-11-28T22:45", "2026-11-29T22:30"),
        # 2026-03-29: 02:00 to 03:00 is left out. A day of 23 hours.
        (time(2, 30), "2026-03-28T12:00", "2026-03-29T01:30"),
        (time(2, 30), "2026-03-29T01:30", "2026-03-30T00:30"),
        (THREE, "2026-03-28T12:00", "2026-03-29T01:00"),
        # 2026-10-25: 02:00 to 03:00 comes twice. A day of 25 hours.
        (time(2, 30), "2026-10-24T12:00", "2026-10-25T00:30"),
        (time(2, 30), "2026-10-25T00:30", "2026-10-26T01:30"),
        (THREE, "2026-10-24T12:00", "2026-10-25T02:00"),
    ],
)
def test_it_is_due_when_the_clock_on_the_wall_shows_it(of_day, after, expected):
    assert due(of_day, after=at(after), zone=BERLIN) == at(expected)


@pytest.mark.parametrize(
    ("last", "now", "expected"),
    [
        (None, "2026-11-28T12:00", "2026-11-28T12:00"),
        # It began since the newest 03:00 there.
        ("2026-11-28T02:00", "2026-11-28T12:00", "2026-11-29T02:00"),
        ("2026-11-28T11:00", "2026-11-28T12:00", "2026-11-29T02:00"),
        # Before it: asleep, off, or a run of 30 hours that ends now. One for all that were missed.
        ("2026-11-27T02:00", "2026-11-28T12:00", "2026-11-28T12:00"),
        ("2026-10-01T02:00", "2026-11-28T12:00", "2026-11-28T12:00"),
        # Woken a moment too early, or put right by a second: not twice in a night.
        ("2026-11-28T02:00:01", "2026-11-28T01:59:59", "2026-11-29T02:00"),
        # The clock was years ahead.
        ("2099-01-01T02:00", "2026-11-28T12:00", "2026-11-29T02:00"),
    ],
)
def test_the_newest_run_says_whether_a_night_was_missed(last, now, expected):
    found = next_run(THREE, last=last and at(last), now=at(now), zone=BERLIN)
    assert found == at(expected)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (None, None),
        ("2026-11-27T02:00", "2026-11-27T02:00"),
        ("2026-11-28T13:00", "2026-11-28T13:00"),
        ("2026-11-28T13:00:01", "2026-11-28T12:00"),
        ("2099-01-01T02:00", "2026-11-28T12:00"),
    ],
)
def test_a_run_of_a_clock_that_was_ahead_began_by_now(last, expected):
    found = believed(last and at(last), now=at("2026-11-28T12:00"))
    assert found == (expected and at(expected))


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),
    st.times().map(lambda each: each.replace(second=0, microsecond=0)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_there_is_one_on_every_day(after, of_day, zone):
    zone, after = ZoneInfo(zone), after.replace(tzinfo=UTC)
    first = due(of_day, after=after, zone=zone)
    second = due(of_day, after=first, zone=zone)
    assert after < first <= after + timedelta(hours=25)
    assert (second.astimezone(zone).date() - first.astimezone(zone).date()).days == 1


@pytest.fixture
def somewhere(monkeypatch):
    """The machine stands in Berlin."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    system_time.tzset()
    yield
    monkeypatch.undo()
    system_time.tzset()


@pytest.mark.parametrize("day", ["2026-03-28T12:00", "2026-10-24T12:00", "2026-11-28T12:00"])
@pytest.mark.parametrize("of_day", [time(2, 30), THREE])
def test_without_a_zone_it_is_that_of_the_machine(somewhere, day, of_day):
    after = at(day)
    for _ in range(3):
        found = due(of_day, after=after)
        assert found == due(of_day, after=after, zone=BERLIN)
        after = found
