"""The connection itself: whether it is gone, and waiting until it comes back.

======================================  ==========  =============================================
what happened                           the way to  what becomes of it
                                        the API
======================================  ==========  =============================================
a connection fails, one of the first    not asked   its own retries, as ever
a few fail, and none goes well between  is there    the same: it is that host, or that album
a few fail, and none goes well between  is gone     all wait, with growing pauses; it comes back:
                                                    each tries again, and nothing has failed
it does not come back in time           is gone     `ConnectionLost`, for everybody and at once
======================================  ==========  =============================================
"""

import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import ConnectionLost, OutOfTime

FEW = 3
"""Connections that fail one after the other before anybody asks whether it is all of them."""

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
_LOOK = 0.25
_CONNECT_SECONDS = 5.0


class Outage:
    """Shared by all threads of a run. ``patience``: seconds that a lost connection is waited for;
    with none, as in a function, each failure is what it is. ``reach`` raises OSError where there is
    no way. ``tell`` hears what begins and what ends, once.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        reach: Callable[[], None],
        patience: float = 0.0,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._reach = reach
        self._patience = patience
        self._tell = tell
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._failures = 0
        self._found = 0
        self._came_back = False
        self._lost: str | None = None

    def went_well(self) -> None:
        """Something answered, whatever it said."""
        # No lock: one assignment, and one failure more or less decides nothing.
        self._failures = 0

    def came_back(self, deadline: Deadline) -> bool:
        """A connection failed. Whether all were gone and are there again, so that this one should
        be tried once more as if nothing had been.

        Raises ConnectionLost if they stay away, OutOfTime if there is no time to wait for them.
        """
        if not self._patience:
            return False
        with self._lock:
            self._failures += 1
            seen = self._found
            if self._failures < FEW and self._lost is None:
                return False
        while not self._asking.acquire(timeout=_LOOK):
            _refuse(deadline)
        try:
            if self._lost is not None:
                raise ConnectionLost(self._lost)
            if self._found == seen:
                self._came_back = self._found_out(deadline)
                self._failures, self._found = 0, seen + 1
            return self._came_back
        finally:
            self._asking.release()

    def _found_out(self, deadline: Deadline) -> bool:
        if self._is_there():
            return False
        began = self._clock.monotonic()
        self._tell(
            "The connection to SmugMug is gone. Waiting for it, at most "
            f"{self._patience / 60:.0f} minutes."
        )
        for pause in _pauses():
            left = began + self._patience - self._clock.monotonic()
            if left <= 0:
                break
            _refuse(deadline)
            self._clock.sleep(min(pause, left))
            _refuse(deadline)
            if self._is_there():
                self._tell("The connection is back; the run goes on.")
                return True
        self._lost = (
            "SmugMug cannot be reached, and could not for "
            f"{self._patience / 60:.0f} minutes: the connection is gone"
        )
        raise ConnectionLost(self._lost)

    def _is_there(self) -> bool:
        try:
            self._reach()
        except OSError:
            return False
        return True


def _refuse(deadline: Deadline) -> None:
    if deadline.passed:
        raise OutOfTime("no time left to wait for the connection")


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE)


def reach(url: str) -> None:
    """Whether there is a way to the host of ``url``: connect, and say nothing. Raises OSError."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    with socket.create_connection((parts.hostname or "", port), timeout=_CONNECT_SECONDS):
        pass
