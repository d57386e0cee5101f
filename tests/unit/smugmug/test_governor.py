"""The governor: as fast as it may, as slow as it is asked, and never beyond the time."""

import random
import threading
import time

import pytest

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import OutOfTime
from smugmug_backup.smugmug.governor import Governor, Lane, nap
from smugmug_backup.smugmug.width import Width
from tests.unit.smugmug.server import FakeClock


def starts(lane: Lane, clock: FakeClock, count: int) -> list[float]:
    begun = []
    for _ in range(count):
        with lane.turn(Deadline.none(clock)) as started:
            begun.append(started - 1000.0)
    return begun


def test_calls_are_paced_evenly(clock: FakeClock) -> None:
    lane = Lane(concurrency=8, per_second=4, clock=clock)
    assert starts(lane, clock, 5) == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])


@pytest.mark.parametrize("ceiling", [1, 10, 20, 50])
def test_no_second_sees_more_calls_than_the_ceiling_though_some_come_quicker(ceiling) -> None:
    clock = FakeClock()
    lane = Governor(clock=clock, calls_per_second=ceiling).calls
    way = random.Random(ceiling)
    arrived = [start + way.uniform(0.0, 0.05) for start in starts(lane, clock, 4 * ceiling + 2)]
    assert max(sum(0 <= later - each < 1 for later in arrived) for each in arrived) <= ceiling


def test_without_a_ceiling_nothing_waits(clock: FakeClock) -> None:
    lane = Governor(clock=clock).calls
    before = time.thread_time()  # What other programs take does not count.
    starts(lane, clock, 10_000)
    assert clock.sleeps == []
    assert time.thread_time() - before < 5.0  # 10 µs each here, 0.1 s in all


def test_a_pause_holds_everybody(clock: FakeClock) -> None:
    lane = Lane(concurrency=8, per_second=None, clock=clock)
    with lane.turn(Deadline.none(clock)) as started:
        lane.slow_down(started, pause=30.0)
    assert starts(lane, clock, 1) == [30.0]


@pytest.mark.parametrize("moment", [0.0000006, 0.1234567, 0.7654326])
def test_a_pause_is_no_shorter_though_the_wall_clock_knows_microseconds_only(clock, moment) -> None:
    lane = Lane(concurrency=1, per_second=None, clock=clock)
    began = clock.monotonic()
    lane.pause(7)
    clock.advance(seconds=moment)
    with lane.turn(Deadline.none(clock)) as started:
        assert started >= began + 7


def test_a_pause_ends_at_once_when_somebody_asks_for_an_end(clock: FakeClock) -> None:
    """By a thread that holds the deadline, as at a first Ctrl-C."""
    deadline = Deadline.none(clock)

    class Interrupted(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.elapsed >= 5:
                deadline.stop()

    slow = Interrupted()
    lane = Lane(concurrency=8, per_second=None, clock=slow)
    lane.pause(3000)
    with pytest.raises(OutOfTime, match="interrupted"), lane.turn(deadline):
        pass
    assert 5 <= slow.elapsed < 6
    with pytest.raises(OutOfTime), lane.turn(deadline):
        pass
    assert slow.elapsed < 6, "and none is begun"


def test_after_a_nap_in_which_somebody_asked_for_an_end_nothing_is_asked_again() -> None:
    class Interrupted(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            deadline.stop()

    deadline = Deadline.none(Interrupted())
    with pytest.raises(OutOfTime, match="interrupted"):
        nap(5, deadline)


def test_a_pause_ends_at_once_by_a_keyboard_interrupt() -> None:
    class Interrupted(FakeClock):
        def sleep(self, seconds: float) -> None:
            raise KeyboardInterrupt

    clock = Interrupted()
    lane = Lane(concurrency=1, per_second=None, clock=clock)
    lane.pause(3000)
    with pytest.raises(KeyboardInterrupt), lane.turn(Deadline.none(clock)):
        pass
    clock.advance(seconds=3000 - clock.elapsed)
    with lane.turn(Deadline.none(clock)):
        pass  # The place was not lost.


def test_what_is_under_way_keeps_its_pace_after_an_end_was_asked_for(clock: FakeClock) -> None:
    lane = Lane(concurrency=1, per_second=2, clock=clock)
    deadline = Deadline.none(clock)
    deadline.stop()
    for _ in range(3):
        with lane.turn(deadline):
            pass
    assert clock.elapsed == pytest.approx(1.0)


def test_a_pause_that_ends_after_the_last_moment_for_new_work_is_not_slept_away(
    clock: FakeClock,
) -> None:
    deadline = Deadline.after(clock, 100, reserve=60)
    lane = Lane(concurrency=1, per_second=None, clock=clock)
    lane.pause(70)
    with pytest.raises(OutOfTime), lane.turn(deadline):
        pass
    assert clock.elapsed == 0


def test_last_nights_pause_is_over_though_monotonic_time_stood_still() -> None:
    class Thawed(FakeClock):
        frozen = 0.0

        def monotonic(self) -> float:
            return super().monotonic() - self.frozen

    clock = Thawed()
    lane = Lane(concurrency=8, per_second=None, clock=clock)
    lane.pause(3600.0)
    clock.advance(seconds=86_400)
    clock.frozen = 86_400
    with lane.turn(Deadline.none(clock)):
        assert clock.sleeps == []


def test_a_burst_of_complaints_counts_once_and_the_pace_comes_back(clock: FakeClock) -> None:
    lane = Lane(concurrency=8, per_second=4, clock=clock)
    begun = starts(lane, clock, 1)[0] + 1000.0
    for _ in range(5):
        lane.slow_down(begun)
    _, second, third = starts(lane, clock, 3)
    assert third - second == pytest.approx(0.5), "half the pace"
    clock.sleep(10)
    for _ in range(40):
        with lane.turn(Deadline.none(clock)) as started:
            lane.went_well(started)
    _, second, third = starts(lane, clock, 3)
    assert third - second == pytest.approx(0.25), "all of it again"


def test_half_the_places_are_left_after_a_complaint(clock: FakeClock) -> None:
    lane = Lane(concurrency=4, per_second=None, clock=clock)
    lane.slow_down(clock.monotonic())
    active, peak, lock = 0, 0, threading.Lock()
    two = threading.Barrier(2)

    def work() -> None:
        nonlocal active, peak
        for _ in range(5):
            with lane.turn(Deadline.none(clock)):
                with lock:
                    active += 1
                    peak = max(peak, active)
                two.wait(120)  # One alone would wait in vain.
                time.sleep(0.002)  # And a third could come.
                with lock:
                    active -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert peak == 2


def test_never_less_than_one_place(clock: FakeClock) -> None:
    lane = Lane(concurrency=2, per_second=None, clock=clock)
    for _ in range(20):
        clock.sleep(1)
        lane.slow_down(clock.monotonic())
    assert starts(lane, clock, 1) == [20]


def test_a_turn_that_cannot_come_in_time_is_refused_at_once(clock: FakeClock) -> None:
    lane = Lane(concurrency=1, per_second=None, clock=clock)
    lane.pause(100)
    with pytest.raises(OutOfTime), lane.turn(Deadline.after(clock, 90, reserve=30)):
        pass
    assert clock.sleeps == []


def test_a_thread_that_waits_for_a_place_sees_the_deadline(clock: FakeClock) -> None:
    lane = Lane(concurrency=1, per_second=None, clock=clock)
    with lane.turn(Deadline.none(clock)):
        deadline = Deadline.after(clock, 10)
        failed: list[Exception] = []

        def wait() -> None:
            try:
                with lane.turn(deadline):
                    pass
            except OutOfTime as error:
                failed.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        clock.sleep(11)
        thread.join(120)
        assert len(failed) == 1
    assert starts(lane, clock, 1) == [11], "the place is free again"


def test_between_the_two_deadlines_what_was_begun_may_wait_a_little(clock: FakeClock) -> None:
    lane = Lane(concurrency=1, per_second=None, clock=clock)
    deadline = Deadline.after(clock, 90, reserve=60)
    clock.sleep(40)
    lane.pause(5)
    with lane.turn(deadline) as started:
        assert started - 1000.0 == 45


def test_downloads_have_places_of_their_own(clock: FakeClock) -> None:
    governor = Governor(clock=clock, max_concurrency=1)
    with governor.calls.turn(Deadline.none(clock)), governor.downloads.turn(Deadline.none(clock)):
        pass


def test_downloads_for_which_others_wait_get_more_places(clock: FakeClock) -> None:
    width = Width(start=1, most=8)
    lane = Lane(concurrency=8, per_second=None, clock=clock, width=width)
    tried = set()
    for _ in range(100):
        with lane.turn(Deadline.none(clock)):
            width.wanted()
            clock.sleep(1)
        tried.add(width.now)
    assert tried == {1, 2}, "and no more, for no more came"


@pytest.mark.parametrize(("places", "pace"), [(0, None), (1, 0.0), (1, -1.0)])
def test_a_governor_with_no_room_is_refused(
    places: int, pace: float | None, clock: FakeClock
) -> None:
    with pytest.raises(ValueError):
        Governor(clock=clock, max_concurrency=places, calls_per_second=pace)
