"""Download photos and videos: from SmugMug's hosts only, within bounds, never blindly."""

import random
import ssl
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import urljoin

import requests
import urllib3
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import OutOfTime, PhotoError, PhotoRefused, PhotoTooLarge, PhotoUnsafe
from smugmug_backup.model import Availability, Offer
from smugmug_backup.smugmug import answers, hosts
from smugmug_backup.smugmug.errors import SIGN_AGAIN, Retry, Trouble, rule_of_status
from smugmug_backup.smugmug.governor import Governor, Lane, nap, refuse_to_wait
from smugmug_backup.smugmug.pace import Pace, PacedPool, PacedTlsPool, paced, patiently, tls_context
from smugmug_backup.smugmug.rate import RateLimit
from smugmug_backup.smugmug.signing import Signer
from smugmug_backup.smugmug.transport import USER_AGENT
from smugmug_backup.words import is_loopback_name

LARGEST_PHOTO = 50 * 1024**3
"""Bytes. SmugMug's own limits are far below; more is no photo and no video of an account."""

_CHUNK = 256 * 1024
_PIECE = 1024 * 1024
"""So often somebody looks at the deadline, and is told how much came."""
_REDIRECTS = 5
_ADDRESSES = 3
_POOLS = 16
_NAMES_SECONDS = 60.0
_CONNECT_SECONDS = 10.0
_STALL_SECONDS = 30.0
_FAILED = (urllib3.exceptions.HTTPError, HTTPException, OSError)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a checked URL leads."""

    request: requests.PreparedRequest = field(repr=False)
    target: str = field(repr=False)
    scheme: str
    host: str
    port: int
    loopback: bool


class Photos:
    """The way to the photo hosts; shared by all threads of an invocation.

    A connection is made to the very address that was checked, and TLS still verifies the host's
    name, so a name that is resolved again to something else (DNS rebinding) gets nowhere. The
    environment's proxies and certificates are not used.
    """

    def __init__(
        self,
        *,
        hosts: Sequence[str],
        signer: Signer | None,
        governor: Governor,
        clock: Clock,
        rng: random.Random,
        largest: int = LARGEST_PHOTO,
        attempts: int = 3,
        backoff: float = 0.5,
        stall: float = _STALL_SECONDS,
        resolve: hosts.Resolve = hosts.resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._hosts = tuple(host.lower().strip("[]") for host in hosts)
        self._signer = signer
        self._lane = governor.downloads
        self._clock = clock
        self._rng = rng
        self._largest = largest
        self._attempts = attempts
        self._backoff = backoff
        self._stall = stall
        self._resolve = resolve
        self._tls = tls or tls_context()
        self._outage = governor.outage
        self._limit = governor.limit
        self._names: dict[str, tuple[float, list[str]]] = {}
        self._pools: OrderedDict[tuple[str, str, int, str], urllib3.HTTPConnectionPool]
        self._pools = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def open(self, offer: Offer, *, deadline: Deadline) -> Iterator["Body"]:
        """The bytes behind ``offer``. Raises PhotoRefused (403, 404, 410), PhotoUnsafe,
        PhotoTooLarge, PhotoError, OutOfTime; no text of them holds a URL."""
        if offer.url is None or offer.availability is not Availability.READY:
            raise PhotoError("SmugMug offers nothing to download")
        if offer.exact and offer.size is not None and offer.size > self._largest:
            raise PhotoTooLarge("the original is larger than the ceiling")
        attempt = 0
        while True:
            attempt += 1
            with ExitStack() as turn:
                started = turn.enter_context(self._lane.turn(deadline))
                try:
                    pace, response = self._follow(offer.url, deadline)
                except Trouble as failed:
                    trouble = failed
                    if trouble.slow:
                        self._lane.slow_down(started, pause=trouble.retry_after)
                    elif trouble.retry_after is not None:
                        self._lane.pause(trouble.retry_after)
                else:
                    turn.callback(response.close)
                    self._lane.went_well(started)
                    self._is_there()
                    yield Body(response, pace, deadline, self._largest, self._lane, self._limit)
                    return
            if trouble.unconnected and self._comes_back(deadline):
                attempt = 0
                continue
            if trouble.retry is Retry.NO or attempt == self._attempts:
                break
            if trouble.retry_after is not None:
                refuse_to_wait(trouble.retry_after, deadline)
            seconds = self._rng.uniform(0.0, self._backoff * 2 ** (attempt - 1))
            nap(seconds, deadline)
        raise trouble.error from None

    def _comes_back(self, deadline: Deadline) -> bool:
        return self._outage is not None and self._outage.came_back(deadline)

    def _is_there(self) -> None:
        if self._outage is not None:
            self._outage.went_well()

    def _follow(self, url: str, deadline: Deadline) -> tuple[Pace, urllib3.BaseHTTPResponse]:
        """The answer with status 200, over checked redirects, and its pace. Raises Trouble or
        PhotoUnsafe."""
        for _ in range(_REDIRECTS + 1):
            place = self._checked(url)
            pace = Pace(self._clock, until=deadline.ends, stall=self._stall, deadline=deadline)
            with paced(pace):
                response = self._get(place, deadline)
            location = response.headers.get("Location")
            if response.status in {301, 302, 303, 307, 308} and location:
                response.close()
                try:
                    url = urljoin(str(place.request.url), location)
                except ValueError:
                    url = ""
                continue
            try:
                self._judge(response)
            except BaseException:
                response.close()
                raise
            return pace, response
        raise Trouble(PhotoError("the photo host redirects for ever"))

    def _judge(self, response: urllib3.BaseHTTPResponse) -> None:
        status = response.status
        if status == 200:
            if (response.headers.get("Content-Encoding") or "identity").lower() != "identity":
                raise Trouble(PhotoError("the photo host encodes what it was asked not to"))
            length = _length(response)
            if length is not None and length > self._largest:
                raise PhotoTooLarge("the photo host announces more than the ceiling")
            return
        message = f"the photo host answered HTTP {status}"
        if status in {403, 404, 410}:
            raise Trouble(PhotoRefused(message))
        if status == 401:
            raise self._refused(response, message)
        rule = rule_of_status(status)
        trouble = Trouble(PhotoError(message))
        if rule is not None and (status == 429 or status == 408 or status >= 500):
            # A host that fails is asked for less, too, while nobody knows why.
            trouble.retry, trouble.slow = rule.retry, rule.slow or status >= 500
            now = self._clock.now()
            trouble.retry_after = answers.wait_asked_for(response.headers, now=now)
        raise trouble

    def _refused(self, response: urllib3.BaseHTTPResponse, message: str) -> Trouble:
        """What a 401 means: a signature that collided is made again, by the server's clock."""
        try:
            body = response.read1(_CHUNK, decode_content=False)
        except _FAILED:
            body = b""
        problem = answers.oauth_problem(response.headers, body)
        if problem is None:
            return Trouble(PhotoError(message))
        if problem not in SIGN_AGAIN or self._signer is None:
            return Trouble(PhotoError(f"{message} (oauth_problem {problem})"))
        date = answers.http_date(response.headers.get("Date"))
        if SIGN_AGAIN[problem].mends_clock and date is not None:
            self._signer.set_clock(date)
        return Trouble(PhotoError(f"{message} (oauth_problem {problem})"), retry=Retry.YES)

    def _checked(self, url: str) -> _Place:
        """Where ``url`` leads, if it may be followed at all. Raises PhotoUnsafe."""
        try:
            # One parser decides: what is requested later is built from these parts.
            prepared = _unsigned(url)
            parts = urllib3.util.parse_url(prepared.url or "")
            target = prepared.path_url
        except (ValueError, urllib3.exceptions.HTTPError):
            parts = urllib3.util.Url()
        host = (parts.host or "").lower().strip("[]").rstrip(".")
        if not host or parts.auth is not None or "\\" in url:
            raise PhotoUnsafe("a photo's address is no plain https URL")
        loopback = is_loopback_name(host)
        allowed = any(hosts.matches(host, pattern) for pattern in self._hosts)
        if not allowed:
            raise PhotoUnsafe("a photo lies on a host that is not SmugMug's")
        fits = parts.scheme == "https" and parts.port in {None, 443}
        if not (fits or (loopback and parts.scheme in {"http", "https"})):
            raise PhotoUnsafe("a photo is offered without https")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return _Place(prepared, target, str(parts.scheme), host, port, loopback)

    def _get(self, place: _Place, deadline: Deadline) -> urllib3.BaseHTTPResponse:
        headers = self._headers(place)
        problem = "the photo host cannot be reached"
        for address in self._addresses(place)[:_ADDRESSES]:
            left = max(0.05, deadline.remaining())
            try:
                return self._pool(place, address).urlopen(
                    "GET",
                    place.target,
                    headers=headers,
                    retries=False,
                    redirect=False,
                    assert_same_host=False,
                    timeout=urllib3.Timeout(
                        connect=min(_CONNECT_SECONDS, left), read=min(self._stall, left)
                    ),
                    preload_content=False,
                    decode_content=False,
                )
            except (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError):
                if deadline.over:
                    break
            except _FAILED:
                problem = "the connection to the photo host failed"
                break
        if deadline.over:
            raise OutOfTime("no time left to wait for the photo host")
        raise Trouble(PhotoError(problem), retry=Retry.YES, unconnected=True)

    def _headers(self, place: _Place) -> dict[str, str]:
        default = place.port == (443 if place.scheme == "https" else 80)
        name = f"[{place.host}]" if ":" in place.host else place.host
        headers = {
            "Host": name if default else f"{name}:{place.port}",
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            "Accept-Encoding": "identity",
        }
        if self._signer is not None and (place.loopback or hosts.is_smugmug(place.host)):
            try:
                self._signer.sign(place.request)
                headers["Authorization"] = str(place.request.headers["Authorization"])
            except ValueError:
                signed = False  # Its text holds the URL.
            else:
                signed = True
            if not signed:
                raise PhotoUnsafe("a photo's address cannot be signed")
        return headers

    def _addresses(self, place: _Place) -> list[str]:
        with self._lock:
            since, found = self._names.get(place.host, (0.0, []))
        now = self._clock.now().timestamp()
        if not found or abs(now - since) >= _NAMES_SECONDS:
            try:
                found = patiently(lambda: list(self._resolve(place.host, place.port)))
            except (OSError, UnicodeError):
                found = []
            if not found:
                message = "the photo host's name cannot be resolved"
                raise Trouble(PhotoError(message), retry=Retry.YES, unconnected=True)
            # Names change, rarely; a thousand downloads need not ask a thousand times.
            with self._lock:
                if len(self._names) > 64:
                    self._names.clear()
                self._names[place.host] = (now, found)
        fits = hosts.is_loopback if place.loopback else hosts.is_public
        usable = [address for address in found if fits(address)]
        if not usable:
            raise PhotoUnsafe("a photo host's name leads to an address that is not public")
        return usable

    def _pool(self, place: _Place, address: str) -> urllib3.HTTPConnectionPool:
        key = (place.scheme, place.host, place.port, address)
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._pools[key] = self._new_pool(place, address)
            self._pools.move_to_end(key)
            while len(self._pools) > _POOLS:
                # Not closed: a download may still be on its way; it is let go with its last one.
                self._pools.popitem(last=False)
            return pool

    def _new_pool(self, place: _Place, address: str) -> urllib3.HTTPConnectionPool:
        size = self._lane.concurrency
        if place.scheme == "http":
            return PacedPool(address, place.port, maxsize=size)
        return PacedTlsPool(
            address,
            place.port,
            maxsize=size,
            cert_reqs="CERT_REQUIRED",
            ca_certs=DEFAULT_CA_BUNDLE_PATH,
            server_hostname=place.host,
            # It has urllib3 check the name, and OpenSSL no more: for all that share the context,
            # and urllib3 checks theirs likewise.
            assert_hostname=place.host,
            ssl_context=self._tls,
        )


def _unsigned(url: str) -> requests.PreparedRequest:
    """A GET of ``url`` that has nothing but its address and method, which a signature is made of.
    Raises ValueError."""
    request = requests.PreparedRequest()
    request.prepare_method("GET")
    request.prepare_url(url, None)
    request.headers = CaseInsensitiveDict()
    return request


class Body:
    """The bytes of one download, see `PhotoStream`."""

    def __init__(
        self,
        response: urllib3.BaseHTTPResponse,
        pace: Pace,
        deadline: Deadline,
        largest: int,
        lane: Lane,
        limit: RateLimit | None = None,
    ) -> None:
        self.length = _length(response)
        self._lane = lane
        self._limit = limit
        self._response = response
        self._pace = pace
        self._deadline = deadline
        self._largest = largest
        self._received = 0
        self._piece = _PIECE if limit is None else _CHUNK
        assert pace.answer is not None
        self._answer = pace.answer

    def readinto(self, buffer: memoryview) -> int:
        """See `PhotoStream.readinto`."""
        if self._deadline.over:
            raise OutOfTime("no time left for this download")
        try:
            # By http.client itself, which writes what comes where it is to be: urllib3 (2.8) would
            # copy it. However it drips, each wait for bytes keeps to the pace.
            count = self._answer.readinto(buffer[: self._piece])
        except _FAILED:
            slow = self._pace.too_slow
            problem = "the photo host sends too slowly" if slow else "the download broke off"
        else:
            return self._counted(count)
        if self._deadline.over:
            raise OutOfTime("no time left for this download")
        raise PhotoError(problem)

    def _counted(self, count: int) -> int:
        if self._limit is not None:
            self._limit.take(count, self._deadline)
        self._received += count
        self._lane.received(count)
        if self._received > self._largest:
            raise PhotoTooLarge("more bytes than the ceiling")
        if count == 0:
            if self.length is not None and self._received != self.length:
                raise PhotoError(f"{self._received} of {self.length} bytes came")
            self._response.release_conn()
        return count


def _length(response: urllib3.BaseHTTPResponse) -> int | None:
    text = (response.headers.get("Content-Length") or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
