"""The one way to SmugMug's API: bounded, patient, and silent about what it sends."""

import random
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from http.client import HTTPException
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3

from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import Answer, BadRequest, MalformedAnswer, OutOfTime, SourceUnavailable
from smugmug_backup.smugmug import answers
from smugmug_backup.smugmug.errors import Retry, TimedOut, Trouble
from smugmug_backup.smugmug.governor import Governor, nap, refuse_to_wait
from smugmug_backup.smugmug.pace import Pace, PacedAdapter, paced, tls_context
from smugmug_backup.smugmug.signing import Signer
from smugmug_backup.words import is_loopback_name

T = TypeVar("T")

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes, decoded: an album of 5,000 heavy images is about 10 MiB; a gzip bomb ends here."""

USER_AGENT = "smugmug-backup/1"

_CHUNK = 256 * 1024
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 60.0
_CREDIBLE_SKEW = 60.0
_WHOLE_SECONDS = 300.0
"""An answer that drips for longer than this is none."""


class Reply(NamedTuple):
    """One HTTP answer, read whole; ``body`` is decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Sends calls and reads answers; shared by all threads of an invocation.

    Raw exceptions of the libraries below never leave it, not even as a cause: their texts hold
    URLs and queries.
    """

    def __init__(
        self,
        *,
        api_url: str,
        signer: Signer | None,
        governor: Governor,
        clock: Clock,
        rng: random.Random,
        attempts: int = 5,
        backoff: float = 0.5,
        largest: int = LARGEST_ANSWER,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.api_url = checked_api_url(api_url)
        self._signer = signer
        self._lane = governor.calls
        self._outage = governor.outage
        self._clock = clock
        self._rng = rng
        self._attempts = attempts
        self._backoff = backoff
        self._largest = largest
        # The adapter itself and no Session around it: a Session reads the environment (proxies,
        # netrc, CA bundles), keeps cookies, and loads a redirect's body without any bound.
        self._adapter = PacedAdapter(
            tls=tls or tls_context(),
            pool_connections=2,
            pool_maxsize=governor.calls.concurrency,
        )
        self._calls = 0
        self._answered_at: datetime | None = None
        self._lock = threading.Lock()

    @property
    def calls(self) -> int:
        """Requests sent so far, each retry counted."""
        return self._calls

    @property
    def answered_at(self) -> datetime | None:
        """The date of the newest answer that was taken and had a credible one."""
        return self._answered_at

    def forget_date(self) -> None:
        """What was answered so far tells the time no more: a new run begins."""
        self._answered_at = None

    def call(
        self,
        request: requests.Request,
        read: Callable[[Reply], T],
        *,
        deadline: Deadline,
        impatient: bool = False,
    ) -> T:
        """Send ``request`` until ``read`` takes the answer, within bounds of count and time.

        ``impatient``: raise `TimedOut` at once, for the caller will ask for less.

        ``read`` judges a reply: it returns its meaning or raises `Trouble`. Raises the trouble's
        SourceError after the last attempt, and OutOfTime when the time ends before.
        """
        mended = False
        attempt = 0
        while True:
            attempt += 1
            reply: Reply | None = None
            with self._lane.turn(deadline) as started:
                try:
                    reply = self._send(request, deadline)
                except Trouble as failed:
                    trouble = failed
            if reply is None and trouble.unconnected and self._comes_back(deadline):
                attempt = 0
                continue
            if reply is not None:
                self._is_there()
                try:
                    result = read(reply)
                    self._lane.went_well(started)
                    self._heed_window(reply)
                    self._note_date(reply)
                    return result
                except Trouble as failed:
                    trouble = failed
                    if trouble.error.answer is Answer.EMPTY:
                        self._note_date(reply)
                    self._heed(trouble, reply, started)
            last = attempt == self._attempts or (impatient and isinstance(trouble.error, TimedOut))
            if trouble.retry is Retry.NO or last:
                raise trouble.error from None
            if trouble.retry is Retry.ONCE:
                if mended or (trouble.mends_clock and not self._mend_clock(reply)):
                    raise trouble.error from None
                mended = True
                continue
            self._wait(attempt, trouble, deadline)

    def _comes_back(self, deadline: Deadline) -> bool:
        return self._outage is not None and self._outage.came_back(deadline)

    def _is_there(self) -> None:
        if self._outage is not None:
            self._outage.went_well()

    def clock_is_off(self, reply: Reply) -> bool:
        """Whether what we sign with is not the server's time, so that it may refuse us for it."""
        date = answers.http_date(reply.headers.get("Date"))
        if self._signer is None or date is None:
            return False
        return abs((self._signer.now() - date).total_seconds()) > _CREDIBLE_SKEW

    def _note_date(self, reply: Reply) -> None:
        date = answers.answered_at(reply.headers)
        if date is not None:
            # One assignment: the last of several threads wins, and each is as new as any other.
            self._answered_at = date

    def _heed(self, trouble: Trouble, reply: Reply, started: float) -> None:
        if trouble.retry is not Retry.NO:
            trouble.retry_after = answers.wait_asked_for(reply.headers, now=self._clock.now())
            if trouble.retry_after is None and trouble.slow:
                trouble.retry_after = answers.window_left(reply.headers, now=self._clock.now())
        if trouble.slow:
            self._lane.slow_down(started, pause=trouble.retry_after)
        elif trouble.retry_after is not None:
            self._lane.pause(trouble.retry_after)

    def _heed_window(self, reply: Reply) -> None:
        left = answers.window_left(reply.headers, now=self._clock.now())
        if left:
            self._lane.pause(left)

    def _mend_clock(self, reply: Reply | None) -> bool:
        date = answers.http_date(reply.headers.get("Date")) if reply is not None else None
        if self._signer is None or date is None:
            return False
        self._signer.set_clock(date)
        return True

    def _wait(self, attempt: int, trouble: Trouble, deadline: Deadline) -> None:
        # Full jitter: threads that failed together do not come back together.
        seconds = self._rng.uniform(0.0, self._backoff * 2 ** (attempt - 1))
        if trouble.retry_after is not None:
            # The lane holds everybody back for so long; what is random comes on top.
            refuse_to_wait(trouble.retry_after, deadline)
        nap(seconds, deadline)

    def _send(self, request: requests.Request, deadline: Deadline) -> Reply:
        prepared = request.prepare()
        prepared.headers["User-Agent"] = USER_AGENT
        prepared.headers["Accept-Encoding"] = "gzip"
        if self._signer is not None:
            # Signed here, after all waiting, so that timestamp and nonce are fresh each time.
            self._signer.sign(prepared)
        with self._lock:
            self._calls += 1
        left = max(0.05, deadline.remaining())
        until = min(self._clock.monotonic() + _WHOLE_SECONDS, deadline.ends)
        try:
            with paced(Pace(self._clock, until=until, stall=_READ_SECONDS, deadline=deadline)):
                response = self._adapter.send(
                    prepared,
                    stream=True,
                    timeout=(min(_CONNECT_SECONDS, left), min(_READ_SECONDS, left)),
                    verify=True,
                )
            with closing(response):
                body = self._read_body(response, deadline)
                return Reply(response.status_code, response.headers, body)
        except requests.ConnectTimeout:
            error: SourceUnavailable = SourceUnavailable("SmugMug cannot be reached")
            unconnected = True
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError):
            error = TimedOut("SmugMug did not answer in time")
            unconnected = False
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            HTTPException,
            OSError,
        ):
            error = SourceUnavailable("the connection to SmugMug failed")
            unconnected = True
        if deadline.over:
            raise OutOfTime("no time left to wait for SmugMug's answer")
        raise Trouble(error, retry=Retry.YES, unconnected=unconnected)

    def _read_body(self, response: requests.Response, deadline: Deadline) -> bytes:
        raw: urllib3.HTTPResponse = response.raw
        body = bytearray()
        try:
            for chunk in _decoded(_arriving(raw), response.headers.get("Content-Encoding")):
                body += chunk
                if len(body) > self._largest:
                    message = "the answer is larger than any answer of SmugMug"
                    raise Trouble(MalformedAnswer(message))
                if deadline.over:
                    raise OutOfTime("no time left to read SmugMug's answer")
        except Trouble:
            if response.status_code == 200:
                raise
            # An error is one by its status, whatever a server on the way made of its page.
            return b""
        return bytes(body)


def _arriving(raw: urllib3.HTTPResponse) -> Iterator[bytes]:
    # read1 gives what is there: a dripping answer cannot hold us until a chunk is full.
    while chunk := raw.read1(_CHUNK, decode_content=False):
        yield chunk


def _decoded(chunks: Iterator[bytes], encoding: str | None) -> Iterator[bytes]:
    """Undo gzip, at most `_CHUNK` bytes at a time, however much is packed into few."""
    name = (encoding or "").strip().lower()
    if name in {"", "identity"}:
        yield from chunks
        return
    if name not in {"gzip", "x-gzip"}:
        raise Trouble(MalformedAnswer("the answer has an encoding nobody asked for"))
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            packed = chunk
            while packed:
                yield unpacker.decompress(packed, _CHUNK)
                packed = unpacker.unconsumed_tail
                if unpacker.eof and unpacker.unused_data:
                    packed, unpacker = unpacker.unused_data, zlib.decompressobj(wbits=31)
        while not unpacker.eof:
            rest = unpacker.decompress(unpacker.unconsumed_tail, _CHUNK)
            if not rest:
                raise Trouble(MalformedAnswer("the answer breaks off"), retry=Retry.YES)
            yield rest
    except zlib.error:
        raise Trouble(MalformedAnswer("the answer is damaged"), retry=Retry.YES) from None


def checked_api_url(url: str) -> str:
    """The API's address without a trailing slash. Raises BadRequest unless it is usable."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        fits = parts.scheme == "https" or (parts.scheme == "http" and is_loopback_name(host))
        usable = fits and bool(host) and not (parts.query or parts.fragment or parts.username)
        parts.port  # noqa: B018 - raises ValueError for an impossible port
    except ValueError:
        usable = False
    if not usable:
        raise BadRequest("SMUGMUG_API_URL must be https, or http on a loopback address")
    return url.rstrip("/")
