"""Memory for originals on their way: one budget for all threads, and buffers that are used again.

A buffer that was used is better than a new one: of a new one, each page is made when it is touched
first (4 MiB: 1,000 faults). So many are kept as the budget has room for; it counts those in use
and those that wait.

==========================  ====================================================================
what is asked for           what is given
==========================  ====================================================================
a size that one waits for   that one
a size that fits            a new one; for its sake, those that wait for other sizes may go
a size that does not fit    one as soon as others were given back, in the order in which they asked
more than there is at all   one when nothing else is in use
more than was thought       at once (`Room.grow`): what is under way is not kept waiting
==========================  ====================================================================
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import OutOfTime

_LEAST = 64 * 1024
_LOOK = 0.25
"""A thread that waits looks at its deadline so often (seconds)."""


class Room:
    """What one original is given: ``view`` has at least the bytes asked for."""

    def __init__(self, buffers: "Buffers", buffer: bytearray, beside: int) -> None:
        self._buffers = buffers
        self.buffer = buffer
        self.beside = beside
        self.view = memoryview(buffer)

    def grow(self, size: int) -> None:
        """Have at least ``size`` bytes, beyond the budget if need be; what is there stays."""
        if size > len(self.buffer):
            larger = self._buffers._more(size)
            larger[: len(self.buffer)] = self.buffer
            self.view.release()
            self._buffers._give_back(self.buffer)
            self.buffer, self.view = larger, memoryview(larger)


class Buffers:
    """``budget`` bytes for all that are on their way at a time; used by many threads."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._used = 0
        self._waiting: dict[int, list[bytearray]] = {}
        self._kept = 0
        self._changed = threading.Condition()
        self._turn = threading.Lock()

    @property
    def used(self) -> int:
        """Bytes in use now."""
        return self._used

    @property
    def kept(self) -> int:
        """Bytes that wait to be used again."""
        return self._kept

    @contextmanager
    def room(self, size: int, *, deadline: Deadline, beside: int = 0) -> Iterator[Room]:
        """Room for ``size`` bytes, and ``beside`` it so many that somebody else holds for them.

        Waits until there is; raises OutOfTime. A buffer whose work failed is not used again: a
        request that was given up may still be sending it.
        """
        room = Room(self, self._take(size, beside, deadline), beside)
        sound = False
        try:
            yield room
            sound = True
        finally:
            room.view.release()
            self._give_back(room.buffer, beside=beside, again=sound)

    def _take(self, size: int, beside: int, deadline: Deadline) -> bytearray:
        wanted = _class_of(size)
        while not self._turn.acquire(timeout=_LOOK):
            _check(deadline)
        try:
            with self._changed:
                while self._used and self._used + wanted + beside > self._budget:
                    self._changed.wait(_LOOK)
                    _check(deadline)
                return self._given(wanted, beside)
        finally:
            self._turn.release()

    def _more(self, size: int) -> bytearray:
        with self._changed:
            return self._given(_class_of(size), 0)

    def _given(self, wanted: int, beside: int) -> bytearray:
        self._used += wanted + beside
        same = self._waiting.get(wanted)
        if same:
            self._kept -= wanted
            return same.pop()
        while self._kept and self._used + self._kept > self._budget:
            largest = max(each for each, those in self._waiting.items() if those)
            self._waiting[largest].pop()
            self._kept -= largest
        return bytearray(wanted)

    def _give_back(self, buffer: bytearray, *, beside: int = 0, again: bool = True) -> None:
        size = len(buffer)
        with self._changed:
            self._used -= size + beside
            if again and self._used + self._kept + size <= self._budget:
                self._waiting.setdefault(size, []).append(buffer)
                self._kept += size
            self._changed.notify()


def _class_of(size: int) -> int:
    """Of four sizes to each doubling the next: so few that most buffers fit again."""
    step = max(_LEAST, 1 << max(0, size - 1).bit_length()) // 8
    return max(_LEAST, -(-size // step) * step)


def _check(deadline: Deadline) -> None:
    if deadline.over:
        raise OutOfTime("no time left for this original")
