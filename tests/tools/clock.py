"""A clock that moves only when told to."""

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 24, 3, 0, 0, tzinfo=UTC)


class FakeClock:
    """`Clock` for tests: `sleep` returns at once and moves the time on."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 1_000.0
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds=seconds)

    def advance(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        """Move on."""
        step = timedelta(days=days, hours=hours, seconds=seconds)
        with self._lock:
            self._now += step
            self._monotonic += step.total_seconds()

    def jump(self, **by: float) -> None:
        """The wall clock is set; monotonic time does not notice."""
        self._now += timedelta(**by)
