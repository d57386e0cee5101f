"""Time as an argument: aware UTC instants, the deadline of an invocation, and their texts."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The only source of time. Adapters and the core never look at the machine's clock."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean something."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(slots=True)
class Deadline:
    """When an invocation stops taking work, and when it drops what is still under way.

    Both are `Clock.monotonic` seconds. Between the two, what was begun may finish.
    """

    clock: Clock
    stops_taking: float
    ends: float

    @classmethod
    def after(cls, clock: Clock, seconds: float, *, reserve: float = 0.0) -> "Deadline":
        """``seconds`` from now is the end of all; ``reserve`` of them are kept for committing.

        Work under way is dropped when a third of the reserve is left, so that a commit and the
        report still fit.
        """
        start = clock.monotonic()
        return cls(clock, start + seconds - reserve, start + seconds - reserve / 3)

    @classmethod
    def none(cls, clock: Clock) -> "Deadline":
        """No deadline: a run on the owner's own machine."""
        return cls(clock, float("inf"), float("inf"))

    def stop(self, *, grace: float | None = None) -> None:
        """Take no more work from now on; what is under way may finish, and with a ``grace`` has so
        many seconds for it. From any thread."""
        if grace is not None:
            self.ends = min(self.ends, self.clock.monotonic() + grace)
        self.stops_taking = float("-inf")

    @property
    def stopped(self) -> bool:
        """Somebody asked for an end, so that no long wait is worth its while."""
        return self.stops_taking == float("-inf")

    @property
    def passed(self) -> bool:
        """No new work may be taken."""
        return self.clock.monotonic() >= self.stops_taking

    @property
    def over(self) -> bool:
        """What is under way must be dropped now."""
        return self.clock.monotonic() >= self.ends

    def remaining(self) -> float:
        """Seconds until what is under way must be dropped; never negative."""
        return max(0.0, self.ends - self.clock.monotonic())


def stamp(instant: datetime) -> str:
    """``2026-11-24T03:00:09Z``: our own timestamps, whole seconds, UTC."""
    if instant.tzinfo is None:
        raise ValueError("a naive time has no place here")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_stamp(text: str) -> datetime:
    """The instant that `stamp` wrote. Raises ValueError for anything else."""
    # Not by `strptime`, which takes a file that has thousands of these ten times as long.
    moment = datetime.fromisoformat(text)
    if stamp(moment) != text:
        raise ValueError(f"{text!r} is no time as it is written here")
    return moment


def stamp_or_none(instant: datetime | None) -> str | None:
    """`stamp`, or None for None."""
    return None if instant is None else stamp(instant)


def parse_stamp_or_none(text: str | None) -> datetime | None:
    """`parse_stamp`, or None for None."""
    return None if text is None else parse_stamp(text)
