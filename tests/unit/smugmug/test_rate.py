"""A bound on the bytes per second of all downloads together."""

import threading

import pytest

from smugmug_backup.clock import Deadline
from smugmug_backup.smugmug.rate import RateLimit
from tests.unit.smugmug.server import FakeClock


def test_bytes_take_as_long_as_the_limit_says(clock: FakeClock) -> None:
    limit = RateLimit(1000, clock)
    for _ in range(20):
        limit.take(500, Deadline.none(clock))
    assert clock.elapsed == pytest.approx(10, abs=0.3)


def test_what_was_not_used_is_not_saved_up(clock: FakeClock) -> None:
    limit = RateLimit(1000, clock)
    clock.sleep(3600)
    limit.take(10_000, Deadline.none(clock))
    assert clock.elapsed - 3600 == pytest.approx(9, abs=0.3)


def test_all_threads_together_get_no_more(clock: FakeClock) -> None:
    limit = RateLimit(1000, clock)

    def fetch() -> None:
        for _ in range(10):
            limit.take(100, Deadline.none(clock))

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.elapsed >= 2.9


def test_nobody_waits_beyond_the_end(clock: FakeClock) -> None:
    limit = RateLimit(1000, clock)
    limit.take(1_000_000, Deadline.after(clock, 5))
    assert clock.elapsed == pytest.approx(5, abs=0.3)


def test_a_limit_of_nothing_is_refused(clock: FakeClock) -> None:
    with pytest.raises(ValueError):
        RateLimit(0, clock)
