"""Politeness: one governor for all threads of an invocation."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import OutOfTime
from smugmug_backup.smugmug.outage import Outage
from smugmug_backup.smugmug.rate import RateLimit
from smugmug_backup.smugmug.width import Width

LONGEST_PAUSE = 3600.0
"""A server that asks for more is not waited for: v2's windows are of this order."""

_SLOWEST = 1 / 64
_RECOVERY = 1 / 32
"""So much of the full pace comes back with each call that goes well."""
_CALM = 2.0
"""Seconds after a slow-down before anything comes back."""
_KEPT = 0.95
"""Of a ceiling of calls per second, so much is used: from its turn to SmugMug each call is on its
way for another time, and one that was quicker would be one more in some second there (seen: 21
of 20). So the way may differ by 50 ms."""
_COARSE = 0.001
"""The wall clock rounds: where both clocks go on, monotonic time alone says when a pause ends."""
_LOOK = 0.25
"""A thread that waits looks at its deadline so often (seconds)."""


class Lane:
    """A bound on what runs at once and on what starts per second, shared by threads.

    ``per_second`` None: no ceiling. With a free place and no ceiling, `turn` costs two locks.
    ``width``: of the ``concurrency`` places, so many are given as it says.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        per_second: float | None,
        clock: Clock,
        width: Width | None = None,
    ) -> None:
        if concurrency < 1 or (per_second is not None and per_second <= 0):
            raise ValueError("a governor needs room for at least one call")
        self.concurrency = concurrency
        self._interval = 1 / per_second if per_second is not None else 0.0
        self._clock = clock
        self._width = width
        self._free = threading.Condition()
        self._active = 0
        self._factor = 1.0
        self._next_start = 0.0
        self._paused_until = 0.0
        self._paused_until_by_the_wall = 0.0
        self._slowed_at = float("-inf")

    @contextmanager
    def turn(self, deadline: Deadline) -> Iterator[float]:
        """Wait for a place and hold it; gives the moment of the start.

        Raises OutOfTime as soon as it is clear that the turn cannot come in time.
        """
        started = self._enter(deadline)
        try:
            yield started
        finally:
            with self._free:
                self._active -= 1
                if self._width is not None and self._width.ended(self._clock.monotonic()):
                    self._free.notify_all()
                self._free.notify()

    def received(self, size: int) -> None:
        """So many bytes came in answer to what has its place here."""
        if self._width is not None:
            with self._free:
                self._width.came(size)

    def slow_down(self, started: float, *, pause: float | None = None) -> None:
        """The service asked for less, in answer to a call of ``started``; ``pause`` for all.

        A burst that was under way when the first one complained counts once.
        """
        now = self._clock.monotonic()
        with self._free:
            if started > self._slowed_at:
                if self._width is None:
                    self._factor = max(_SLOWEST, self._factor / 2)
                else:
                    self._width.complained(now)
                self._slowed_at = now
        if pause is not None:
            self.pause(pause)

    def pause(self, seconds: float) -> None:
        """No call starts for so long; the pace stays as it is."""
        seconds = min(seconds, LONGEST_PAUSE)
        until = self._clock.monotonic() + seconds
        wall = self._clock.now().timestamp() + seconds + _COARSE
        with self._free:
            self._paused_until = max(self._paused_until, until)
            self._paused_until_by_the_wall = max(self._paused_until_by_the_wall, wall)

    def went_well(self, started: float) -> None:
        """A call of ``started`` was answered; a slowed pace recovers a little."""
        if self._factor >= 1.0:
            return
        with self._free:
            if started >= self._slowed_at + _CALM:
                self._factor = min(1.0, self._factor + _RECOVERY)
                self._free.notify()

    def _enter(self, deadline: Deadline) -> float:
        self._free.acquire()
        try:
            while True:
                if deadline.over:
                    raise OutOfTime("no time left for a call to SmugMug")
                if self._active >= self._places():
                    if self._width is not None:
                        self._width.wanted()
                    self._free.wait(_LOOK)
                    continue
                now = self._clock.monotonic()
                pause = self._pause_left(now)
                if pause and deadline.stopped:
                    raise OutOfTime("interrupted while SmugMug asked to wait")
                start = max(now + pause, self._next_start)
                if start <= now:
                    self._active += 1
                    if self._interval:
                        self._next_start = max(now, self._next_start) + self._step()
                    return now
                self._nap(start - now, deadline)
        finally:
            self._free.release()

    def _places(self) -> int:
        if self._width is not None:
            return self._width.now
        return max(1, int(self.concurrency * self._factor))

    def _pause_left(self, now: float) -> float:
        if self._paused_until <= now:
            return 0.0
        # By both clocks: monotonic time may stand still while a function is frozen, and last
        # night's pause is over by then.
        wall = self._paused_until_by_the_wall - self._clock.now().timestamp()
        return max(0.0, min(self._paused_until - now, wall))

    def _step(self) -> float:
        return self._interval / self._factor

    def _nap(self, seconds: float, deadline: Deadline) -> None:
        _refuse_beyond(seconds, deadline)
        self._free.release()
        try:
            self._clock.sleep(min(seconds, _LOOK))
        finally:
            self._free.acquire()


class Governor:
    """The lanes of one invocation: calls to the API, and downloads of photos.

    Calls are at most ``max_concurrency`` at a time; downloads begin with as many, and find their
    own number up to ``max_downloads``. A child of an overflow is given its share of
    ``calls_per_second``. ``outage``: waits for a lost connection; ``limit``: bytes a second of all
    downloads together. A function has neither.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        max_concurrency: int = 8,
        max_downloads: int | None = None,
        calls_per_second: float | None = None,
        outage: Outage | None = None,
        limit: RateLimit | None = None,
    ) -> None:
        self.outage = outage
        self.limit = limit
        self.calls = Lane(
            concurrency=max_concurrency,
            per_second=None if calls_per_second is None else calls_per_second * _KEPT,
            clock=clock,
        )
        most = max_downloads or max_concurrency
        self.downloads = Lane(
            concurrency=most,
            per_second=None,
            clock=clock,
            width=Width(start=max_concurrency, most=most),
        )


def refuse_to_wait(seconds: float, deadline: Deadline) -> None:
    """Raise OutOfTime if a wait of ``seconds`` would end too late to do anything after it, or if
    somebody asked for an end."""
    if deadline.stopped:
        raise OutOfTime("interrupted before SmugMug was asked again")
    _refuse_beyond(seconds, deadline)


def nap(seconds: float, deadline: Deadline) -> None:
    """Wait before SmugMug is asked again; an end that somebody asks for ends the wait.

    Raises OutOfTime if it would end too late, or was ended.
    """
    refuse_to_wait(seconds, deadline)
    deadline.clock.sleep(seconds)
    if deadline.stopped:
        raise OutOfTime("interrupted before SmugMug was asked again")


def _refuse_beyond(seconds: float, deadline: Deadline) -> None:
    now = deadline.clock.monotonic()
    end = deadline.ends if now >= deadline.stops_taking else deadline.stops_taking
    if now + seconds >= end:
        raise OutOfTime("SmugMug asks to wait longer than there is time")
