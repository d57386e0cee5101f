"""An answer under a deadline over its whole, headers included, and no slower than a least speed.

A time-out of a socket begins anew with each byte: a server that sends one every few seconds holds
a reader for ever, in the headers as in the body. Here every wait for bytes asks the `Pace` of its
answer how long it may be.
"""

import io
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any, TypeVar

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import create_urllib3_context

from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.tls import shared

T = TypeVar("T")

LEAST_RATE = 1000
"""Bytes per second, over `WINDOW_SECONDS` of waiting."""
WINDOW_SECONDS = 30.0
_LOOK = 0.5
"""Whoever waits looks at a deadline that may be moved so often (seconds)."""


class Pace:
    """How long one answer may take, from its first header to its last byte.

    ``until``: monotonic seconds at which it must have ended. ``stall``: seconds that may pass
    without a byte, and before the first one. Time that nobody waits for bytes counts for
    ``until`` only. ``deadline``: where one is given, no wait outlasts it though it is moved
    meanwhile, as a Ctrl-C does.
    """

    def __init__(
        self, clock: Clock, *, until: float, stall: float, deadline: Deadline | None = None
    ) -> None:
        self._clock, self._until, self._stall = clock, until, stall
        self.deadline = deadline
        self._begun = False
        self._waited = 0.0
        self._came = 0
        self.too_slow = False
        self.answer: HTTPResponse | None = None
        """The newest answer that keeps to it, below all that urllib3 makes of one."""

    def read(self, sock: socket.socket, raw: io.RawIOBase, buffer: Any) -> int | None:
        """Read from ``raw``, whose socket is ``sock``. Raises TimeoutError, OSError."""
        before = self._clock.monotonic()
        if self._waited >= WINDOW_SECONDS:
            if self._came < LEAST_RATE * WINDOW_SECONDS:
                self.too_slow = True
                raise TimeoutError("the answer comes too slowly")
            self._waited, self._came = 0.0, 0
        if before >= self._until:
            raise TimeoutError("the answer takes too long")
        count = self._receive(sock, raw, buffer, max(0.05, min(self._stall, self._until - before)))
        if self._begun:
            self._waited += self._clock.monotonic() - before
            self._came += count or 0
        # The wait for the first byte is the server's own work, however long it thinks.
        self._begun = True
        return count

    def _receive(
        self, sock: socket.socket, raw: io.RawIOBase, buffer: Any, seconds: float
    ) -> int | None:
        if self.deadline is None:
            sock.settimeout(seconds)
            return raw.readinto(buffer)
        left = seconds
        while True:
            sock.settimeout(min(left, _LOOK))
            try:
                # Not by `raw`, which reads no more after its first time-out.
                return sock.recv_into(buffer)
            except TimeoutError:
                left -= _LOOK
                if left <= 0 or self.deadline.over:
                    raise


_PACE: ContextVar[Pace | None] = ContextVar("pace", default=None)


@contextmanager
def paced(pace: Pace) -> Iterator[None]:
    """An answer that begins within this keeps to ``pace``, to its end."""
    token = _PACE.set(pace)
    try:
        yield
    finally:
        _PACE.reset(token)


def patiently(act: Callable[[], T], *, late: Callable[[], None] = lambda: None) -> T:
    """``act()``, in which a name is looked up or a connection made, which nothing can interrupt.

    Under a `Pace` whose deadline may be moved a thread does it: once that is over it is left to
    itself (TimeoutError), and does ``late`` should it end after all.
    """
    pace = _PACE.get()
    deadline = pace.deadline if pace is not None else None
    if deadline is None:
        return act()
    done: Future[T] = Future()
    left = threading.Event()

    def run() -> None:
        try:
            done.set_result(act())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            done.set_exception(error)
        if left.is_set():
            late()

    threading.Thread(target=run, name="connect", daemon=True).start()
    while True:
        wait([done], timeout=_LOOK)
        if done.done():
            return done.result()
        if deadline.over:
            left.set()
            if done.done():
                late()
            raise TimeoutError("no time left to connect")


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, pace: Pace) -> None:
        self._sock, self._pace = sock, pace
        # It holds the socket open until it is closed itself, as `makefile` promises.
        self._raw: Any = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        return self._pace.read(self._sock, self._raw, buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Socket:
    """What `HTTPResponse` takes for a socket: it asks it for a file and nothing else."""

    def __init__(self, sock: socket.socket, pace: Pace) -> None:
        self._sock, self._pace = sock, pace

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._pace))


class _Response(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **more: Any) -> None:
        pace = _PACE.get()
        given: Any = sock if pace is None else _Socket(sock, pace)
        super().__init__(given, *args, **more)
        if pace is not None:
            pace.answer = self


class _Connection(HTTPConnection):
    response_class = _Response

    def connect(self) -> None:
        """As it is, but nobody waits for it longer than there is time."""
        patiently(super().connect, late=self.close)


class _TlsConnection(HTTPSConnection):
    response_class = _Response

    def connect(self) -> None:
        """As it is, but nobody waits for it longer than there is time."""
        patiently(super().connect, late=self.close)


class PacedPool(urllib3.HTTPConnectionPool):
    """Connections whose answers keep to the `Pace` that was set when they began."""

    ConnectionCls = _Connection


class PacedTlsPool(urllib3.HTTPSConnectionPool):
    """The same, over TLS."""

    ConnectionCls = _TlsConnection


def tls_context() -> ssl.SSLContext:
    """What all connections of a source share."""
    return shared(create_urllib3_context())


class PacedAdapter(HTTPAdapter):
    """requests' adapter over such connections, which share the context ``tls``."""

    def __init__(self, *, tls: ssl.SSLContext, pool_connections: int, pool_maxsize: int) -> None:
        self._tls = tls
        super().__init__(pool_connections=pool_connections, pool_maxsize=pool_maxsize)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*args, ssl_context=self._tls, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": PacedPool, "https": PacedTlsPool}
