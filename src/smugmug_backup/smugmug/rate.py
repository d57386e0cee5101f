"""A bound on the bytes per second of all downloads together."""

import threading

from smugmug_backup.clock import Clock, Deadline

_LOOK = 0.25
_AHEAD = 1.0
"""Seconds of which nothing came may be made up later, and no more."""


class RateLimit:
    """So many bytes a second, shared by all threads of a run. Bytes are paid for when they have
    come: who was given many waits longer, and the network holds the next ones back."""

    def __init__(self, bytes_per_second: float, clock: Clock) -> None:
        if bytes_per_second <= 0:
            raise ValueError("a limit of nothing lets nothing through")
        self._each = 1 / bytes_per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._paid_until = clock.monotonic()

    def take(self, size: int, deadline: Deadline) -> None:
        """Wait as long as ``size`` bytes take; no longer than there is time."""
        with self._lock:
            begin = max(self._paid_until, self._clock.monotonic() - _AHEAD)
            self._paid_until = until = begin + size * self._each
        while (left := until - self._clock.monotonic()) > 0 and not deadline.over:
            self._clock.sleep(min(left, _LOOK))
