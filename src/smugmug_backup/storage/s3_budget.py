"""How long S3 is waited for: each attempt, each call with its repetitions, each chunk of a body."""

import os
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeVar, cast

from smugmug_backup.clock import Deadline

T = TypeVar("T")

_LOOK = 0.5
"""Whoever waits looks so often whether somebody has asked for an end (seconds)."""


_IDLE = 10.0
"""So long a thread waits for its next call before it ends (seconds)."""


class TookTooLong(Exception):
    """What was asked for is still under way; it was left to itself."""


class Patience(NamedTuple):
    """Seconds and bytes a second that S3 is given, and how often it is asked.

    ``answer`` is for connecting and the first byte, which the client's own time-outs cut at 5 and
    10 s; whatever else may hang (names, roles, an answer that drips) ends with it. ``pause`` is
    what a body that has begun may take beyond its least ``rate``, chunk by chunk. ``completion``
    is that of a large upload: S3 may take minutes, and sends blanks meanwhile (S3 API reference,
    CompleteMultipartUpload). ``last`` is for a call that is begun when a run's time is over.
    """

    attempts: int = 5
    answer: float = 20.0
    pause: float = 6.0
    completion: float = 300.0
    rate: float = 1024 * 1024 / 60
    backoff: float = 1.0
    last: float = 10.0

    def attempt(self, size: int, *, completes: bool = False) -> float:
        """For one attempt that carries ``size`` bytes, or ends an upload."""
        return self.completion if completes else self.answer + size / self.rate


class Budget:
    """What one call may take, from now on; under a deadline, see `BackupStore.bounded`."""

    def __init__(self, patience: Patience, deadline: Deadline | None) -> None:
        self._patience = patience
        self._deadline = deadline
        left = float("inf") if deadline is None else deadline.remaining()
        self._end = time.monotonic() + max(left, patience.last)

    @property
    def left(self) -> float:
        """Seconds; none are left when it is not above 0. An end that somebody asks for meanwhile
        leaves as many as to a call that begins then."""
        now = time.monotonic()
        if self._deadline is not None and self._deadline.stopped:
            last = max(self._deadline.remaining(), self._patience.last)
            self._end = min(self._end, now + last)
        return self._end - now

    def attempt(self, size: int, *, completes: bool = False) -> float:
        """Seconds for the next attempt: half of what is left at most, for there may be another."""
        return min(self._patience.attempt(size, completes=completes), self.left / 2)

    def chunk(self, size: int) -> float:
        """Seconds for the next ``size`` bytes of a body."""
        return min(self._patience.pause + size / self._patience.rate, self.left)


def within(
    seconds: float,
    act: Callable[[], T],
    *,
    late: Callable[[T | None], None],
    budget: Budget | None = None,
) -> T:
    """``act()``, if it ends within ``seconds``, and within what is left of ``budget``; else
    TookTooLong.

    No time-out of a socket can do that: each byte that drips in begins it anew, and names are
    looked up without one. So a `_Hand` does it: what took too long is left to it, who holds up
    nobody's exit, and ``late`` gets there what came of it, or None, to give back what it holds.
    """
    if seconds <= 0:
        raise TookTooLong
    answers: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
    waiting = threading.Lock()
    left = False

    def run(hand: _Hand) -> None:
        done, failed = None, None
        try:
            done = act()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            failed = error
        with waiting:
            if not left:
                # First, so that whoever hears of it finds a free hand for what is next.
                hand.is_free()
                answers.put((done, failed))
                return
        late(done)
        hand.is_free()

    _Hand.take().do(run)
    try:
        done, error = _waited_for(answers, seconds, budget)
    except Empty:
        with waiting:
            left = True
        if answers.empty():
            raise TookTooLong from None
        done, error = answers.get()
    if error is not None:
        try:
            raise error
        finally:
            # It knows this frame, and through it whoever holds a part of 8 MiB.
            del error
    return cast(T, done)


class _Hand:
    """A thread that does one call after the other: to start one for each costs as much as the
    call (0.4 ms of CPU), and is a round more in which everybody waits for everybody."""

    _free: "list[_Hand]" = []
    _lock = threading.Lock()

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[_Hand], None]] = SimpleQueue()
        threading.Thread(target=self._work, name="s3", daemon=True).start()

    @classmethod
    def take(cls) -> "_Hand":
        """One that is free, or a new one."""
        with cls._lock:
            if cls._free:
                return cls._free.pop()
        return cls()

    @classmethod
    def forget_all(cls) -> None:
        """In a process that was forked none of them lives on."""
        cls._free, cls._lock = [], threading.Lock()

    def do(self, call: "Callable[[_Hand], None]") -> None:
        """``call(self)``, which says once whether this is free again."""
        self._calls.put(call)

    def is_free(self) -> None:
        """Let it be taken again."""
        with self._lock:
            self._free.append(self)

    def _work(self) -> None:
        while True:
            try:
                call = self._calls.get(timeout=_IDLE)
            except Empty:
                with self._lock:
                    if self in self._free:
                        self._free.remove(self)
                        return
            else:
                call(self)
                del call


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Hand.forget_all)


def _waited_for(answers: "SimpleQueue[T]", seconds: float, budget: Budget | None) -> T:
    """The first of ``answers``. Raises Empty."""
    if budget is None:
        return answers.get(timeout=seconds)
    until = time.monotonic() + seconds
    while True:
        left = min(until - time.monotonic(), budget.left)
        try:
            return answers.get(timeout=max(0.0, min(left, _LOOK)))
        except Empty:
            if left <= _LOOK:
                raise
