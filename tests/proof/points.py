"""Every operation of a run as a point where something can go wrong.

`Points` numbers the operations of one process by name, key and occurrence, so that the same point
is met again in the next execution; `PointStore` and `PointSource` announce them. A process that is
killed does nothing more: every later operation of any of its threads fails alike.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import SourceUnavailable, StoreUnavailable
from smugmug_backup.model import Account, Album, Image, Listing, Offer, StoredObject
from smugmug_backup.ports import BackupStore, PhotoSource

LOST_REQUEST = "lost request"
LOST_ANSWER = "lost answer"
KILLED_BEFORE = "killed before"
KILLED_AFTER = "killed after"
KINDS = (LOST_REQUEST, LOST_ANSWER, KILLED_BEFORE, KILLED_AFTER)

Label = tuple[str, str, int]


class Killed(BaseException):
    """The process is gone. No handler of the product may see it as an error of its own."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and where."""

    label: Label
    kind: str


class Points:
    """The operations of one execution.

    At ``fault``, or at the ``nth`` operation, something goes wrong; ``chooser`` may say so of any.
    ``tick`` is called at each: time passes, or another run comes in between.
    """

    def __init__(
        self,
        fault: Fault | None = None,
        *,
        nth: tuple[int, str] | None = None,
        tick: Callable[[], None] | None = None,
        chooser: Callable[[str], str | None] | None = None,
    ) -> None:
        self.labels: list[Label] = []
        self.fault = fault
        self.nth = nth
        self.hit = False
        self.dead = False
        self._tick = tick
        self._chooser = chooser
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def at(self, name: str, key: str) -> Iterator[None]:
        """One operation."""
        kind = self._kind(name, key)
        if kind == LOST_REQUEST:
            raise _lost(name)
        if kind == KILLED_BEFORE:
            self._die()
        yield
        if kind == LOST_ANSWER:
            raise _lost(name)
        if kind == KILLED_AFTER:
            self._die()

    def revive(self) -> None:
        """A new process."""
        self.dead = False

    def _kind(self, name: str, key: str) -> str | None:
        with self._lock:
            if self.dead:
                raise Killed
            number = self._counts[name, key]
            self._counts[name, key] += 1
            label = (name, key, number)
            self.labels.append(label)
        if self._tick is not None:
            self._tick()
        if self.nth is not None and self.nth[0] == len(self.labels):
            self.hit = True
            return self.nth[1]
        if self.fault is not None and self.fault.label == label:
            self.hit = True
            return self.fault.kind
        return self._chooser(name) if self._chooser is not None else None

    def _die(self) -> None:
        self.dead = True
        raise Killed


def _lost(name: str) -> Exception:
    if name.startswith("store"):
        return StoreUnavailable("lost")
    return SourceUnavailable("lost")


class PointStore:
    """A store whose every operation is a point; it also watches that nothing is overwritten."""

    def __init__(self, inner: BackupStore, points: Points) -> None:
        self._inner = inner
        self._points = points

    @property
    def requests(self) -> int:
        return self._inner.requests

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        with self._points.at("store.list", prefix):
            found = list(self._inner.list(prefix, after=after, until=until))
        yield from found

    def head(self, key: str) -> StoredObject | None:
        with self._points.at("store.head", key):
            return self._inner.head(key)

    def read(self, key: str) -> bytes:
        with self._points.at("store.read", key):
            return self._inner.read(key)

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        with self._points.at("store.open", key), self._inner.open(key) as chunks:
            yield chunks

    def bounded(self, deadline: Deadline) -> "PointStore":
        return self

    def create(self, key: str, body: bytes, *, file_name: str | None = None) -> None:
        with self._points.at("store.create", key):
            self._inner.create(key, body, file_name=file_name)

    @contextmanager
    def upload(self, key: str, *, file_name: str | None = None) -> Iterator["_PointUpload"]:
        with self._points.at("store.upload", key):
            pass
        with self._inner.upload(key, file_name=file_name) as upload:
            yield _PointUpload(upload, key, self._points)


class _PointUpload:
    def __init__(self, inner: Any, key: str, points: Points) -> None:
        self._inner, self._key, self._points = inner, key, points

    def write(self, chunk: bytes) -> None:
        with self._points.at("store.write", self._key):
            self._inner.write(chunk)

    def commit(self) -> None:
        with self._points.at("store.commit", self._key):
            self._inner.commit()


class PointSource:
    """A source whose every operation is a point."""

    def __init__(self, inner: PhotoSource, points: Points) -> None:
        self._inner = inner
        self._points = points

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def api_calls(self) -> int:
        return self._inner.api_calls

    def account(self, *, deadline: Deadline) -> Account:
        with self._points.at("source.account", ""):
            return self._inner.account(deadline=deadline)

    def albums(self, *, deadline: Deadline) -> tuple[Album, ...]:
        with self._points.at("source.albums", ""):
            return self._inner.albums(deadline=deadline)

    def images(self, album: Album, *, since: int | None, deadline: Deadline) -> Listing:
        with self._points.at("source.images", album.key):
            return self._inner.images(album, since=since, deadline=deadline)

    def resolve(self, album: Album, image: Image, *, deadline: Deadline) -> Offer:
        with self._points.at("source.resolve", image.key):
            return self._inner.resolve(album, image, deadline=deadline)

    @contextmanager
    def open(self, offer: Offer, *, deadline: Deadline) -> Iterator[Any]:
        with self._points.at("source.open", str(offer.url)):
            pass
        with self._inner.open(offer, deadline=deadline) as stream:
            yield _PointStream(stream, str(offer.url), self._points)


class _PointStream:
    def __init__(self, inner: Any, key: str, points: Points) -> None:
        self._inner, self._key, self._points = inner, key, points
        self.length = inner.length

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._inner:
            with self._points.at("source.chunk", self._key):
                pass
            yield chunk
