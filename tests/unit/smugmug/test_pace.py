"""An answer has an end: over its whole, headers included, and not slower than a least speed."""

import random
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import OutOfTime, PhotoError, SourceUnavailable
from smugmug_backup.model import Availability, Offer
from smugmug_backup.smugmug.errors import TimedOut
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.pace import Pace, _Socket, paced, patiently
from smugmug_backup.smugmug.photos import Photos
from smugmug_backup.smugmug.transport import Reply, Transport
from smugmug_backup.wiring import SystemClock
from tests.tools.streams import all_of, chunks_of
from tests.unit.smugmug.server import FakeClock

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n"
END = b"X-Last: 1\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def dripping(
    clock: FakeClock,
    first: bytes,
    drip: bytes,
    *,
    seconds: float,
    size: int = 1,
    last: bytes = b"",
) -> Iterator[str]:
    """Sends ``first``, then ``drip`` by ``size`` bytes, ``seconds`` of the clock before each: the
    next when whoever waits has looked at the clock."""
    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while not gone.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1 << 16)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    try:
                        connection.sendall(first)
                        for start in range(0, len(drip), size):
                            clock.sleep(seconds)
                            looks = clock.looks
                            connection.sendall(drip[start : start + size])
                            while clock.looks == looks and not gone.is_set():
                                if select.select([connection], [], [], 0.002)[0]:
                                    break  # It has left.
                        connection.sendall(last)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            gone.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def ask(url: str, clock: FakeClock, deadline: Deadline, *, attempts: int = 1) -> Reply:
    transport = Transport(
        api_url=url,
        signer=None,
        governor=Governor(clock=clock),
        clock=clock,
        rng=random.Random(1),
        attempts=attempts,
    )
    whole: Callable[[Reply], Reply] = lambda reply: reply  # noqa: E731
    return transport.call(requests.Request("GET", url + "/x"), whole, deadline=deadline)


def fetch(url: str, clock: FakeClock, deadline: Deadline) -> bytes:
    photos = Photos(
        hosts=("127.0.0.1",),
        signer=None,
        governor=Governor(clock=clock),
        clock=clock,
        rng=random.Random(1),
        attempts=1,
    )
    offer = Offer("original", Availability.READY, url=url + "/x.jpg")
    with photos.open(offer, deadline=deadline) as body:
        return all_of(body)


WHOLE = 3 * 500
"""Seconds that one whole drip of these takes, had anybody the patience."""

DRIPS = [
    pytest.param(b"HTTP/1.1 200 OK\r\n", b"X-Padding: " + b"x" * 500, id="in the headers"),
    pytest.param(b"", b"HTTP/1.1 200 " + b"O" * 500, id="in the status line"),
    pytest.param(HEAD + END, b"x" * 500, id="in the body"),
    pytest.param(CHUNKED, b"0" * 500, id="in a chunk's length"),
]


@pytest.mark.parametrize(("first", "drip"), DRIPS)
def test_an_answer_that_drips_is_left_at_the_deadline(first: bytes, drip: bytes) -> None:
    clock = FakeClock()
    with dripping(clock, first, drip, seconds=3) as url:
        with pytest.raises(OutOfTime):
            ask(url, clock, Deadline.after(clock, 20))
        with pytest.raises(OutOfTime):
            fetch(url, clock, Deadline.after(clock, 20))
        assert clock.elapsed < WHOLE


@pytest.mark.parametrize(("first", "drip"), DRIPS)
def test_an_answer_that_drips_is_left_without_a_deadline(first: bytes, drip: bytes) -> None:
    clock = FakeClock()
    with dripping(clock, first, drip, seconds=3) as url:
        with pytest.raises(TimedOut) as caught:
            ask(url, clock, Deadline.none(clock))
        assert isinstance(caught.value, SourceUnavailable)
        with pytest.raises(PhotoError):
            fetch(url, clock, Deadline.none(clock))
        assert clock.elapsed < WHOLE


def test_an_answer_that_is_slow_to_begin_is_waited_for() -> None:
    clock = FakeClock()
    whole = b"TTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    with dripping(clock, b"", b"H", seconds=45, last=whole) as url:
        assert ask(url, clock, Deadline.none(clock)).body == b"hello"
        assert clock.elapsed >= 45


@pytest.mark.parametrize(("rate", "comes"), [(500, False), (2000, True)])
def test_bytes_may_be_slow_for_long_but_not_slower_than_the_least_speed(
    rate: int, comes: bool
) -> None:
    """So many bytes a second, for minutes."""
    clock = FakeClock()
    seconds = 150 if comes else 3000
    body = b"x" * (rate * seconds)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with dripping(clock, head, body, seconds=2, size=2 * rate) as url:
        if comes:
            assert fetch(url, clock, Deadline.none(clock)) == body
            assert clock.elapsed >= seconds
            return
        with pytest.raises(PhotoError, match="slowly"):
            fetch(url, clock, Deadline.none(clock))
        assert 30 <= clock.elapsed < seconds


def test_time_that_nobody_waits_for_bytes_makes_no_answer_slow() -> None:
    """The store may take its time between two chunks."""
    clock = FakeClock()
    body = b"x" * 1_000_000
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    photos = Photos(
        hosts=("127.0.0.1",),
        signer=None,
        governor=Governor(clock=clock),
        clock=clock,
        rng=random.Random(1),
    )
    with dripping(clock, head, body, seconds=0, size=len(body)) as url:
        offer = Offer("original", Availability.READY, url=url + "/x.jpg")
        came = 0
        with photos.open(offer, deadline=Deadline.none(clock)) as stream:
            for chunk in chunks_of(stream):
                came += len(chunk)
                clock.sleep(100)
    assert came == len(body)


# -- an end that somebody asks for meanwhile -------------------------------------------------------


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\n", HEAD + END])
@pytest.mark.parametrize("what", [ask, fetch])
def test_whoever_waits_for_a_byte_hears_of_an_end(
    first: bytes, what: Callable[..., object]
) -> None:
    let_go = threading.Event()

    class Holding(FakeClock):
        def sleep(self, seconds: float) -> None:
            let_go.wait(300)

    with dripping(Holding(), first, b"x", seconds=1) as url:
        deadline = Deadline.none(SystemClock())
        threading.Timer(0.1, lambda: deadline.stop(grace=0.1)).start()
        began = time.monotonic()
        with pytest.raises(OutOfTime):
            what(url, SystemClock(), deadline)
        assert time.monotonic() - began < 120
        let_go.set()


def test_a_name_that_is_looked_up_for_ever_is_left_to_itself() -> None:
    deadline, late = Deadline.none(SystemClock()), threading.Event()
    let_go = threading.Event()
    threading.Timer(0.1, lambda: deadline.stop(grace=0.0)).start()
    began = time.monotonic()
    with (
        paced(Pace(SystemClock(), until=float("inf"), stall=300, deadline=deadline)),
        pytest.raises(TimeoutError),
    ):
        patiently(lambda: let_go.wait(300), late=late.set)
    assert time.monotonic() - began < 120 and not late.is_set()
    let_go.set()
    assert late.wait(120), "what came after all is given back"


def test_what_goes_wrong_in_the_other_thread_is_raised_here() -> None:
    def refuse() -> None:
        raise ConnectionRefusedError

    deadline = Deadline.none(SystemClock())
    with (
        paced(Pace(SystemClock(), until=float("inf"), stall=300, deadline=deadline)),
        pytest.raises(ConnectionRefusedError),
    ):
        patiently(refuse)


def test_a_connection_that_comes_at_the_very_end_is_given_back() -> None:
    let_go, given_back = threading.Event(), threading.Event()
    other: list[threading.Thread] = []

    def connect() -> None:
        other.append(threading.current_thread())
        let_go.wait(300)

    class AtTheEnd(FakeClock):
        """Whoever asks it is told of the end, and meanwhile the connection has come."""

        def monotonic(self) -> float:
            let_go.set()
            other[0].join(300)
            return float("inf")

    pace = Pace(SystemClock(), until=0.0, stall=300, deadline=Deadline(AtTheEnd(), 0.0, 0.0))
    with paced(pace), pytest.raises(TimeoutError):
        patiently(connect, late=given_back.set)
    assert given_back.is_set()


def test_an_answer_that_is_closed_is_read_no_more_and_lets_its_connection_go() -> None:
    here, there = socket.socketpair()
    with there:
        there.sendall(b"more")
        answer = _Socket(here, Pace(SystemClock(), until=0.0, stall=1)).makefile("rb")
        here.close()
        answer.close()
        assert answer.closed
        there.settimeout(60)
        with pytest.raises(ConnectionResetError):
            there.recv(1)
