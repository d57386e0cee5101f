"""What was asked for: counters, concurrency, and calls made while they were not wanted."""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.local_smugmug.world import World


@dataclass(slots=True)
class Call:
    """One request. ``what`` is the kind of thing asked for, the same name in both APIs:
    ``albums``, ``album``, ``images``, ``image``, ``account``, ``ping``, ``oauth``, ``photo``."""

    kind: str
    """``api``, ``photo``, ``oauth`` or ``other``."""
    what: str
    method: str
    """``smugmug.images.get``, ``v2:album!images``, ``photo`` ..."""
    album: str = ""
    image: str = ""
    at: float = 0.0
    """Monotonic seconds."""
    now: float = 0.0
    """Epoch by the world's clock."""
    status: int = 0
    sent: int = 0
    signed: bool = False
    open: bool = False
    """Its answer is not out yet."""


class Calls:
    """Counts every request; thread-safe. ``log`` has the latest 300,000."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget everything counted so far."""
        with self._lock:
            self.api = self.photos = self.oauth = 0
            self.by_method: Counter[str] = Counter()
            self.by_what: Counter[str] = Counter()
            self.by_album: Counter[tuple[str, str]] = Counter()
            self.by_status: Counter[int] = Counter()
            self.downloads: Counter[str] = Counter()
            self.bytes_by_image: Counter[str] = Counter()
            self.bytes_sent = 0
            self.peak: dict[str, int] = {"api": 0, "photo": 0, "all": 0}
            self.in_flight: dict[str, int] = {"api": 0, "photo": 0, "all": 0}
            self.during_retry_after = 0
            self.log: deque[Call] = deque(maxlen=300_000)
            self._quiet_from = self._quiet_until = 0.0

    @property
    def total(self) -> int:
        """Requests to the API and to the photo host."""
        return self.api + self.photos

    def of(self, what: str, album: str) -> int:
        """How often that was asked for of one album, in either API."""
        return self.by_album[(what, album)]

    def per_second(self, kind: str = "api") -> int:
        """The most calls that began within any one second of real time."""
        return most_within_a_second(call.at for call in list(self.log) if call.kind == kind)

    def begin(self, call: Call) -> None:
        """A request has come in."""
        call.at, call.now, call.open = time.monotonic(), self._world.now(), True
        if call.kind == "other":
            return
        with self._lock:
            if call.kind == "api":
                self.api += 1
            elif call.kind == "photo":
                self.photos += 1
                self.downloads[call.image] += 1
            else:
                self.oauth += 1
            self.by_method[call.method] += 1
            self.by_what[call.what] += 1
            if call.album:
                self.by_album[(call.what, call.album)] += 1
            if self._quiet_from <= call.now < self._quiet_until:
                self.during_retry_after += 1
            for name in (call.kind, "all"):
                if name in self.in_flight:
                    self.in_flight[name] += 1
                    self.peak[name] = max(self.peak[name], self.in_flight[name])
            self.log.append(call)

    def send(self, call: Call, status: int, count: int) -> None:
        """So many bytes of the body are about to go out; counted before, so that a client who has
        them finds them counted."""
        if call.kind == "other":
            return
        with self._lock:
            if not call.status:
                call.status = status
                self.by_status[status] += 1
            call.sent += count
            self.bytes_sent += count
            if call.kind == "photo":
                self.bytes_by_image[call.image] += count

    def end(self, call: Call) -> None:
        """The last of its answer is about to go out, or nothing ever will; twice is harmless."""
        with self._lock:
            if not call.open:
                return
            call.open = False
            for name in (call.kind, "all"):
                if name in self.in_flight and call.kind != "other":
                    self.in_flight[name] = max(0, self.in_flight[name] - 1)

    def announce(self, seconds: float) -> None:
        """The service has asked for quiet by Retry-After."""
        with self._lock:
            self._quiet_from = self._world.now()
            self._quiet_until = max(self._quiet_until, self._quiet_from + seconds)

    def as_json(self) -> dict[str, Any]:
        """All counters, for another process."""
        with self._lock:
            return {
                "api": self.api,
                "photos": self.photos,
                "oauth": self.oauth,
                "total": self.api + self.photos,
                "by_method": dict(self.by_method),
                "by_what": dict(self.by_what),
                "by_album": {f"{what} {album}": n for (what, album), n in self.by_album.items()},
                "by_status": {str(status): n for status, n in self.by_status.items()},
                "downloads": dict(self.downloads),
                "bytes_by_image": dict(self.bytes_by_image),
                "bytes_sent": self.bytes_sent,
                "peak": dict(self.peak),
                "during_retry_after": self.during_retry_after,
                "per_second": {
                    kind: most_within_a_second(c.at for c in self.log if c.kind == kind)
                    for kind in ("api", "photo")
                },
            }


def most_within_a_second(times: Iterable[float]) -> int:
    """The largest number of ``times`` within one second."""
    ordered = sorted(times)
    most = first = 0
    for last, at in enumerate(ordered):
        while at - ordered[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most
