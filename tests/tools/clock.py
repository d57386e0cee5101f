"""A clock that moves only when told to."""

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 24, 3, 0, 0, tzinfo=UTC)


class FakeClock:
    """`Clock` for tests: `sleep` returns at once and moves the time on.

    ``elapsed``: the seconds that have passed; ``sleeps``: those that were slept, each; ``looks``:
    how often somebody asked for `monotonic`.
    """

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._lock = threading.Lock()
        self.elapsed = 0.0
        self.sleeps: list[float] = []
        self.looks = 0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        self.looks += 1
        return 1_000.0 + self.elapsed

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.sleeps.append(seconds)
        self.advance(seconds=seconds)

    def advance(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        """Move on."""
        with self._lock:
            self._now += timedelta(days=days, hours=hours, seconds=seconds)
            self.elapsed += 86_400 * days + 3_600 * hours + seconds

    def jump(self, **by: float) -> None:
        """The wall clock is set; monotonic time does not notice."""
        self._now += timedelta(**by)
