"""`smugmug-backup schedule`: one run a night, in this process."""

import os
import signal
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from smugmug_backup.archive.archive import Archive
from smugmug_backup.backup.run import Options
from smugmug_backup.cli.commands import run
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.errors import AccessRefused, BadRequest, LoginLost
from smugmug_backup.storage.location import open_store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def parts(source, shell, monkeypatch):
    """The command as it is, with a fake account and its clock; the machine stands in Greenwich."""

    @contextmanager
    def fake_parts(args):
        yield run.Parts(
            source, open_store(args.location, create=True), source.clock, Options(concurrency=2)
        )

    monkeypatch.setattr(run, "build_parts", fake_parts)
    monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: source.clock.sleep(seconds))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    shell.at(source.clock)
    source.clock.jump(hours=9)
    assert source.clock.now() == NOON
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def schedule(shell, tmp_path):
    def start(*words):
        return shell("schedule", "--at", "03:00", tmp_path / "b", *words)

    return start


def begun(tmp_path):
    """When each run began, by the reports in the store."""
    return [
        datetime.strptime(each[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        for each in Archive(open_store(str(tmp_path / "b"))).runs()
    ]


def test_the_first_run_begins_at_once_and_the_others_at_night(schedule, source, tmp_path):
    ran = schedule("--nights", "3")
    assert (ran.status, ran.err) == (0, "")
    third = NOON.replace(day=26, hour=3)
    assert begun(tmp_path) == [NOON, third - timedelta(days=1), third]
    assert ran.out.count("Complete: 3 images in 2 albums") == 3
    assert "The next run begins at 2026-11-25 03:00 UTC, in " in ran.out
    # Whoever sleeps in one piece does not see that the machine slept, too.
    assert max(source.clock.sleeps) <= 60


def test_one_that_is_started_anew_does_not_run_again_the_same_day(schedule, tmp_path):
    schedule("--nights", "1")
    schedule("--nights", "1")
    assert begun(tmp_path) == [NOON, NOON.replace(day=25, hour=3)]


def test_runs_over_chosen_albums_do_not_stand_for_the_night(shell, schedule, source, tmp_path):
    schedule("--nights", "1")
    source.clock.advance(hours=24)
    shell("run", tmp_path / "b", "--album", "A1")
    assert schedule("--nights", "1").status == 0
    days = [each.replace(second=0) for each in begun(tmp_path)]
    assert days == [NOON, NOON.replace(day=25), NOON.replace(day=25)]


def test_nights_that_were_slept_through_are_made_up_for_by_one_run(
    schedule, source, tmp_path, monkeypatch
):
    slept = []

    def sleep(_, seconds):
        # The lid is closed for four days, in the middle of the first wait.
        source.clock.jump(days=0 if slept else 4)
        slept.append(seconds)
        source.clock.sleep(seconds)

    monkeypatch.setattr(SystemClock, "sleep", sleep)
    schedule("--nights", "3")
    fourth = NOON.replace(day=28) + timedelta(minutes=1)
    assert begun(tmp_path) == [NOON, fourth, NOON.replace(day=29, hour=3)]


def test_a_clock_that_was_days_ahead_costs_no_night_once_it_is_put_right(
    schedule, source, tmp_path, monkeypatch
):
    source.clock.jump(days=5)
    slept = []

    def sleep(_, seconds):
        source.clock.jump(days=0 if slept else -5)
        slept.append(seconds)
        assert len(slept) < 5000, "it waits for the day that the clock once showed"
        source.clock.sleep(seconds)

    monkeypatch.setattr(SystemClock, "sleep", sleep)
    assert schedule("--nights", "3").status == 0
    first = NOON.replace(day=25, hour=3)
    assert begun(tmp_path) == [first, first + timedelta(days=1), NOON.replace(day=29)]


def test_a_run_that_takes_longer_than_a_day_is_followed_by_one(schedule, source, tmp_path):
    under_way = []

    def long():
        under_way.append(source.clock.now())
        source.errors.pop("images:A1")
        source.clock.advance(hours=50)

    source.errors["images:A1"] = long
    schedule("--nights", "3")
    after = NOON + timedelta(hours=50)
    assert begun(tmp_path) == [NOON, after, NOON.replace(day=27, hour=3)]
    assert len(under_way) == 1


def test_a_run_that_cannot_be_made_is_told_and_the_next_night_comes(
    schedule, source, tmp_path, monkeypatch
):
    parts, hours = run.build_parts, []

    def missing(args):
        hours.append(source.clock.now().hour)
        if len(hours) < 3:
            raise BadRequest("the secret cannot be read")
        return parts(args)

    monkeypatch.setattr(run, "build_parts", missing)
    ran = schedule("--nights", "3")
    assert ran.status == 0
    assert hours == [12, 3, 3]
    told = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert told == ["error: the secret cannot be read"] * 2
    assert ran.err.count("hint:  ") == 2
    assert len(begun(tmp_path)) == 1


def test_a_run_that_is_refused_is_told_and_the_next_night_comes(schedule, source, tmp_path):
    def lost():
        source.errors.clear()
        raise LoginLost("SmugMug does not know this login")

    source.errors["account"] = lost
    ran = schedule("--nights", "2")
    assert ran.status == 0
    assert ran.out.count("Refused: SmugMug does not know this login") == 1
    assert ran.out.count("Complete: ") == 1


def test_what_nobody_foresaw_ends_a_night_and_not_the_schedule(schedule, source, tmp_path):
    nights = []

    def strange():
        nights.append(source.clock.now())
        if len(nights) == 1:
            raise ZeroDivisionError

    source.errors["account"] = strange
    ran = schedule("--nights", "2")
    assert ran.status == 0
    assert ran.err.startswith("error: ")
    assert len(nights) == 2


def test_it_ends_with_the_status_of_the_last_run(schedule, source):
    source.errors["images:A1"] = AccessRefused("wrong password")
    assert schedule("--nights", "1").status == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_while_it_waits_each_signal_ends_it_at_once(schedule, monkeypatch, tmp_path, number):
    before = signal.getsignal(number)
    monkeypatch.setattr(SystemClock, "sleep", lambda *_: os.kill(os.getpid(), number))
    ran = schedule()
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.endswith("Stopped.\n")
    assert len(begun(tmp_path)) == 1
    assert signal.getsignal(number) is before


def test_in_a_run_a_signal_ends_the_run_in_good_order_and_then_the_schedule(
    schedule, source, tmp_path
):
    source.errors["account"] = lambda: os.kill(os.getpid(), signal.SIGTERM)
    ran = schedule()
    assert ran.status == 130
    assert "Interrupted: " in ran.out
    assert "The next run" not in ran.out
    assert len(begun(tmp_path)) == 1


def test_a_signal_before_the_run_can_end_in_good_order_ends_it_all(schedule, monkeypatch):
    @contextmanager
    def parts(args):
        os.kill(os.getpid(), signal.SIGTERM)
        yield

    monkeypatch.setattr(run, "build_parts", parts)
    ran = schedule()
    assert ran.status == 130
    assert ran.out.endswith("Stopped.\n")


def test_a_location_that_cannot_be_asked_is_told_by_the_run(schedule, tmp_path):
    (tmp_path / "b").write_text("a file")
    ran = schedule("--nights", "1")
    assert ran.status == 2
    assert ran.err.count("error: ") == 1


def test_the_document_tells_of_the_schedule_and_the_runs_tell_beside_it(schedule):
    ran = schedule("--nights", "2", "--json")
    assert ran.json == {
        "at": "03:00",
        "runs": 2,
        "last_began_at": "2026-11-25T03:00:00Z",
        "last_status": 0,
    }
    assert ran.err.count("Complete: ") == 2


def test_quiet_says_nothing_of_what_is_well(schedule):
    ran = schedule("--nights", "2", "--quiet")
    assert (ran.status, ran.out, ran.err) == (0, "", "")


@pytest.mark.parametrize("words", [("--nights", "0"), ("--at", "25:00"), ("--dry-run",)])
def test_what_makes_no_schedule_is_a_mistake(schedule, words):
    assert schedule(*words).status == 2


def test_what_an_owner_accepts_once_is_not_accepted_every_night(shell):
    ran = shell("schedule", "--help")
    assert "--between" in ran.out and "--notify" in ran.out
    for option in ("--accept-shrink", "--accept-rename", "--new-location", "--dry-run"):
        assert option not in ran.out
