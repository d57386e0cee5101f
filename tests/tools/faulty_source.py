"""A source that fails where it is told to: lost, killed, or broken off midway.

    calls = enumerate_calls(lambda source: run(source), source)
    for call in calls:
        faulty = FaultySource(source, {call.number: Fault.ANSWER_LOST})

After a kill nothing of that process works any more, whichever thread asks.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeVar

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import PhotoError, SourceUnavailable
from smugmug_backup.model import Account, Album, Image, Listing, Offer
from smugmug_backup.ports import PhotoSource, PhotoStream
from tests.tools.killed import Killed
from tests.tools.streams import OfChunks, chunks_of

T = TypeVar("T")


class Fault(Enum):
    """What goes wrong with one call."""

    REQUEST_LOST = "request lost"
    """The source never heard of it."""
    ANSWER_LOST = "answer lost"
    """The source did it and counted it; we never learn."""
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    BROKEN_STREAM = "stream broken midway"
    """`open` only; any other call takes it for a lost answer."""
    KILLED_MIDWAY = "killed while the stream was read"
    """`open` only; any other call takes it for a kill after it."""


@dataclass(frozen=True)
class SourceCall:
    """The n-th call (1, 2, 3 ...): the method's name, and the keys it was about."""

    number: int
    method: str
    album: str | None = None
    image: str | None = None


Plan = Mapping[int, Fault] | Callable[[SourceCall], Fault | None]


class FaultySource:
    """Wraps a `PhotoSource`; ``plan`` says which calls fail, by number or by predicate.

    ``calls`` are those made so far, so a run without a plan enumerates them.
    """

    def __init__(self, source: PhotoSource, plan: Plan | None = None) -> None:
        self._source = source
        self._plan: Plan = {} if plan is None else plan
        self._lock = threading.Lock()
        self.calls: list[SourceCall] = []
        self.struck: list[SourceCall] = []
        self.dead = False

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def api_calls(self) -> int:
        return self._source.api_calls

    @property
    def answered_at(self) -> datetime | None:
        return self._source.answered_at

    def account(self, *, deadline: Deadline) -> Account:
        return self._do("account", lambda: self._source.account(deadline=deadline))

    def albums(self, *, deadline: Deadline) -> tuple[Album, ...]:
        return self._do("albums", lambda: self._source.albums(deadline=deadline))

    def images(self, album: Album, *, since: int | None, deadline: Deadline) -> Listing:
        return self._do(
            "images",
            lambda: self._source.images(album, since=since, deadline=deadline),
            album=album.key,
        )

    def resolve(self, album: Album, image: Image, *, deadline: Deadline) -> Offer:
        return self._do(
            "resolve",
            lambda: self._source.resolve(album, image, deadline=deadline),
            album=album.key,
            image=image.key,
        )

    @contextmanager
    def open(self, offer: Offer, *, deadline: Deadline) -> Iterator[PhotoStream]:
        fault = self._begin("open")
        if fault is Fault.REQUEST_LOST:
            raise PhotoError("the request was lost")
        if fault is Fault.KILLED_BEFORE:
            self._kill()
        with self._source.open(offer, deadline=deadline) as stream:
            if fault is Fault.ANSWER_LOST:
                raise PhotoError("the answer was lost")
            if fault is Fault.KILLED_AFTER:
                self._kill()
            yield _Stream(self, stream, fault)

    def _do(
        self,
        method: str,
        act: Callable[[], T],
        *,
        album: str | None = None,
        image: str | None = None,
    ) -> T:
        fault = self._begin(method, album, image)
        if fault is Fault.REQUEST_LOST:
            raise SourceUnavailable("the request was lost")
        if fault is Fault.KILLED_BEFORE:
            self._kill()
        result = act()
        if fault in (Fault.ANSWER_LOST, Fault.BROKEN_STREAM):
            raise SourceUnavailable("the answer was lost")
        if fault in (Fault.KILLED_AFTER, Fault.KILLED_MIDWAY):
            self._kill()
        return result

    def _begin(
        self, method: str, album: str | None = None, image: str | None = None
    ) -> Fault | None:
        self.check_alive()
        with self._lock:
            call = SourceCall(len(self.calls) + 1, method, album, image)
            self.calls.append(call)
        plan = self._plan
        fault = plan(call) if callable(plan) else plan.get(call.number)
        if fault is not None:
            self.struck.append(call)
        return fault

    def check_alive(self) -> None:
        """Raise Killed if the process is gone."""
        if self.dead:
            raise Killed

    def _kill(self) -> None:
        self.dead = True
        raise Killed


class _Stream(OfChunks):
    """A stream that gives half of its bytes, if so planned, and then fails."""

    def __init__(self, source: FaultySource, stream: PhotoStream, fault: Fault | None) -> None:
        self._source, self._stream, self._fault = source, stream, fault
        self.length = stream.length

    def chunks(self) -> Iterator[bytes]:
        for chunk in chunks_of(self._stream):
            self._source.check_alive()
            if self._fault in (Fault.BROKEN_STREAM, Fault.KILLED_MIDWAY):
                yield chunk[: len(chunk) // 2]
                if self._fault is Fault.KILLED_MIDWAY:
                    self._source.dead = True
                    raise Killed
                raise PhotoError("the stream broke off")
            yield chunk


def enumerate_calls(run: Callable[[FaultySource], object], source: PhotoSource) -> list[SourceCall]:
    """The calls that ``run`` makes when nothing fails."""
    watched = FaultySource(source)
    run(watched)
    return watched.calls
