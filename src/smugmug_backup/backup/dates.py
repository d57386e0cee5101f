"""Whose clock decides: SmugMug's, for everything that decides anything later.

========================================  =========================================================
what an answer says                       what it means
========================================  =========================================================
no ``Date`` (or one out of a cache)       nothing moves: cursor, full listing, missing, deleted
a ``Date`` 12 hours or less from ours     that is the time
a ``Date`` more than 12 hours from ours   nothing moves; the run is not trusted (`RunDate.doubted`)
========================================  =========================================================

Our own clock only names things: run ids, ``written_at``. The run's date, the ``Date`` of its first
credible answer plus the monotonic time since, stands where no answer has one of its own.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

_CREDIBLE = timedelta(hours=12)


def is_credible(answered_at: datetime | None, *, now: datetime) -> bool:
    """Whether the answer's date can be the source's clock; ``now``: by this machine's."""
    return answered_at is not None and abs(answered_at - now) <= _CREDIBLE


class RunDate(NamedTuple):
    """SmugMug's clock at one instant of a run; ``at`` is None if no answer had a date.

    ``doubted``: it was more than 12 hours away from this machine's clock.
    """

    at: datetime | None
    monotonic: float
    doubted: bool = False

    @classmethod
    def of(cls, answered_at: datetime | None, *, now: datetime, monotonic: float) -> "RunDate":
        """The date of an answer that has just come."""
        doubted = answered_at is not None and not is_credible(answered_at, now=now)
        return cls(answered_at, monotonic, doubted)

    def now(self, monotonic: float) -> datetime | None:
        """The date at another instant; None if it is not known or not believed."""
        if self.at is None or self.doubted:
            return None
        return (self.at + timedelta(seconds=monotonic - self.monotonic)).replace(microsecond=0)

    def of_answer(self, answered_at: datetime | None, *, now: datetime) -> datetime | None:
        """The date of an answer of this run, if it may decide anything."""
        if self.doubted or not is_credible(answered_at, now=now):
            return None
        return answered_at
