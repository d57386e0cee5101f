"""A clock that is wrong decides nothing: neither this machine's, nor a date that nobody can use."""

from datetime import timedelta

import pytest

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.standing import standing_of
from smugmug_backup.errors import PhotoError
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights


class Machine:
    """A machine whose clock can be wrong; SmugMug's never is."""

    def __init__(self):
        self.clock = FakeClock()
        self.source = FakeSource(self.clock)
        self.off = timedelta()
        self.source.date_header = lambda _: self.clock.now() - self.off
        self.source.album("A", images=3)
        self.source.album("B", images=3)
        self.clock.advance(days=100)
        self.nights = Nights(self.source, MemoryStore(), self.clock)

    def wrong_by(self, days):
        self.clock.jump(days=days - self.off.days)
        self.off = timedelta(days=days)

    def standing(self):
        return standing_of(Archive(self.nights.store), now=self.clock.now())


@pytest.fixture
def machine():
    return Machine()


@pytest.mark.parametrize("days", [400, -30])
def test_a_run_whose_clock_smugmug_contradicts_says_so_and_is_not_the_newest(machine, days):
    nights = machine.nights
    nights.run()
    nights.next_night()
    machine.clock.advance(days=1)
    machine.wrong_by(days)
    report = nights.run()
    assert (report.status, report.clock_doubted) == ("incomplete", True)
    assert [failure.code for failure in report.failures] == ["clock_doubted"]
    machine.wrong_by(0)
    new = machine.source.upload("A")
    machine.source.errors[f"photo:{new.key}"] = PhotoError("broken")
    for _ in range(5):
        assert nights.next_night().status == "incomplete"
        assert not machine.standing().is_complete
    del machine.source.errors[f"photo:{new.key}"]
    assert nights.next_night().status == "complete"
    assert machine.standing().is_complete


def test_reports_of_the_future_are_named_and_passed_over(machine):
    machine.nights.run()
    machine.clock.advance(days=1)
    machine.wrong_by(400)
    ahead = machine.nights.run()
    machine.wrong_by(0)
    report = machine.nights.next_night()
    assert report.status == "complete"
    assert any(ahead.run_id in note for note in report.notes)


def test_a_night_with_the_clock_ahead_keeps_no_full_listing_away(machine):
    nights = machine.nights
    nights.run()
    machine.clock.advance(days=1)
    machine.wrong_by(400)
    nights.run(full=True)
    machine.wrong_by(0)
    machine.source.calls.clear()
    hidden = machine.source.world["A"].images[0]
    hidden.caption = "what no filter shows"
    for _ in range(30):
        nights.next_night()
    assert nights.record("A", hidden.key)["image"]["Caption"] == hidden.caption


@pytest.mark.parametrize("days", [-30, 400])
def test_an_image_is_missing_since_smugmugs_date_and_gone_after_20_hours_of_its_clock(
    machine, days
):
    nights = machine.nights
    nights.run()
    nights.next_night()
    gone = machine.source.world["A"].images.pop()
    machine.wrong_by(days)
    nights.run(full=True)
    machine.wrong_by(0)
    machine.clock.advance(seconds=300)
    nights.run(full=True)
    assert nights.line("A", gone.key).deleted_at is None
    nights.next_night()
    nights.next_night()
    assert nights.line("A", gone.key).deleted_at is not None


def test_a_missing_since_that_lies_in_the_future_is_set_anew(machine):
    nights = machine.nights
    nights.run()
    gone = machine.source.world["A"].images.pop()
    machine.source.date_header = lambda _: machine.clock.now() + timedelta(hours=11)
    nights.run()
    assert nights.line("A", gone.key).missing_since > machine.clock.now()
    machine.source.date_header = lambda _: machine.clock.now()
    nights.run()
    assert nights.line("A", gone.key).missing_since <= machine.clock.now()


def test_two_looks_ten_minutes_apart_bury_no_album_whatever_the_machine_says(machine):
    nights = machine.nights
    for number in range(10):
        machine.source.album(f"more{number}")
    nights.run()
    del machine.source.world["B"]
    nights.run()
    machine.clock.advance(seconds=600)
    machine.wrong_by(3)
    nights.run()
    assert Archive(nights.store).newest("B").manifest.header.deleted_at is None
    machine.wrong_by(0)
    nights.next_night()
    nights.next_night()
    assert Archive(nights.store).newest("B").manifest.header.deleted_at is not None
