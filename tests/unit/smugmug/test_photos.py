"""Downloads: only from where they may come, never more than they may be, never for ever."""

import logging
import random
import socket
import threading
from typing import Any

import pytest

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    OutOfTime,
    PhotoError,
    PhotoRefused,
    PhotoTooLarge,
    PhotoUnsafe,
)
from smugmug_backup.model import Availability, Offer
from smugmug_backup.smugmug import hosts
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.photos import Photos
from smugmug_backup.smugmug.signing import Signer
from smugmug_backup.wiring import SystemClock
from smugmug_backup.words import parse_hosts
from tests.tools.streams import all_of, chunks_of
from tests.unit.smugmug.server import SIGNED, START, FakeClock, Said, Server


def photos(
    clock: FakeClock, *, allowed: str = "127.0.0.1", signed: bool = True, **more: Any
) -> Photos:
    rng = random.Random(7)
    return Photos(
        hosts=parse_hosts(allowed),
        signer=Signer(SIGNED, clock=clock, rng=rng) if signed else None,
        governor=Governor(clock=clock),
        clock=clock,
        rng=rng,
        **more,
    )


def offer(url: str | None, size: int | None = None) -> Offer:
    return Offer("original", Availability.READY, size=size, url=url)


def fetch(one: Photos, url: str, clock: FakeClock, seconds: float = 1e9) -> bytes:
    with one.open(offer(url), deadline=Deadline.after(clock, seconds)) as body:
        chunks = list(chunks_of(body))
    assert all(0 < len(chunk) <= 1 << 20 for chunk in chunks)
    return b"".join(chunks)


def test_bytes_come_as_they_are_signed_and_unencoded(server: Server, clock: FakeClock) -> None:
    content = random.Random(1).randbytes(3_000_000)
    server.answers = [Said(content)]
    assert fetch(photos(clock), server.url + "/a%20b.jpg?token=x", clock) == content
    asked = server.asked[0]
    assert asked.path == "/a%20b.jpg?token=x"
    assert asked.headers["Accept-Encoding"] == "identity"
    assert asked.headers["Authorization"].startswith("OAuth ")
    assert asked.headers["Host"] == f"127.0.0.1:{server.port}"


def test_the_length_is_told_before_the_bytes(server: Server, clock: FakeClock) -> None:
    server.answers = [Said(b"12345"), Said(b"12345", length=-1)]
    one = photos(clock)
    for expected in (5, None):
        with one.open(offer(server.url), deadline=Deadline.none(clock)) as body:
            assert body.length == expected
            assert all_of(body) == b"12345"


def test_a_chunked_body_is_read(server: Server, clock: FakeClock) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.answers = [Said(raw=head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")]
    assert fetch(photos(clock), server.url, clock) == b"abcde"
    server.answers = [Said(raw=head + b"3\r\nabc\r\n9\r\nde")]
    with pytest.raises(PhotoError):
        fetch(photos(clock), server.url, clock)


def test_a_short_body_is_an_error_and_no_end(server: Server, clock: FakeClock) -> None:
    server.answers = [Said(b"x" * 100, length=200)]
    with pytest.raises(PhotoError):
        fetch(photos(clock), server.url, clock)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_told_apart_and_not_repeated(
    status: int, server: Server, clock: FakeClock
) -> None:
    server.answers = [Said(b"gone", status)]
    with pytest.raises(PhotoRefused, match=str(status)):
        fetch(photos(clock), server.url, clock)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again_in_bounds(
    status: int, server: Server, clock: FakeClock
) -> None:
    server.answers = [Said(b"", status, {"Retry-After": "9"}), Said(b"ok")]
    assert fetch(photos(clock), server.url, clock) == b"ok"
    assert clock.elapsed >= 9
    server.answers = [Said(b"", status)]
    asked = len(server.asked)
    with pytest.raises(PhotoError):
        fetch(photos(clock), server.url, clock)
    assert len(server.asked) == asked + 3


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 302])
def test_any_other_status_is_an_error(status: int, server: Server, clock: FakeClock) -> None:
    server.answers = [Said(b"", status)]
    with pytest.raises(PhotoError) as caught:
        fetch(photos(clock), server.url, clock)
    assert not isinstance(caught.value, PhotoRefused)


def test_an_encoded_body_is_refused(server: Server, clock: FakeClock) -> None:
    server.answers = [Said(b"x", 200, {"Content-Encoding": "gzip"})]
    with pytest.raises(PhotoError):
        fetch(photos(clock), server.url, clock)


def test_redirects_are_followed_within_the_hosts(server: Server, clock: FakeClock) -> None:
    server.answers = [
        Said(b"", 302, {"Location": "/next?x=1"}),
        Said(b"", 307, {"Location": f"//127.0.0.1:{server.port}/last"}),
        Said(b"there"),
    ]
    assert fetch(photos(clock), server.url + "/first", clock) == b"there"
    assert [asked.path for asked in server.asked] == ["/first", "/next?x=1", "/last"]


def test_an_endless_redirect_ends(server: Server, clock: FakeClock) -> None:
    server.answers = [Said(b"", 302, {"Location": "/again"})]
    with pytest.raises(PhotoError):
        fetch(photos(clock), server.url, clock)
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/x.jpg",
        "http://photos.smugmug.com/x.jpg",
        "https://photos.smugmug.com.evil.example/",
        "https://photos.smugmug.com@evil.example/",
        "https://user:word@photos.smugmug.com/",
        "https://photos.smugmug.com:8443/",
        "http://localhost/",
        "http://[::1]/",
        "file:///etc/passwd",
        "ftp://photos.smugmug.com/",
        "gopher://127.0.0.1:11211/",
        "https://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "https://evil.example\\.smugmug.com/",
        "https://[/",
        "https://evilsmugmug.com/",
    ],
)
def test_a_redirect_that_leads_astray_is_not_followed(
    location: str, server: Server, clock: FakeClock
) -> None:
    server.answers = [Said(b"", 302, {"Location": location})]
    one = photos(clock, allowed="127.0.0.1,.smugmug.com", resolve=forbidden)
    with pytest.raises(PhotoUnsafe):
        fetch(one, server.url, clock)
    assert len(server.asked) == 1


def forbidden(host: str, port: int) -> list[str]:
    if host == "127.0.0.1":
        return [host]
    raise AssertionError(f"{host} must not even be looked up")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00:ec2::254",
        "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:a00:1::", "2001:0:53aa:64c::1", "ff02::1",
        "fec0::1", "fe80::1%eth0", "no address",
    ],
)  # fmt: skip
def test_a_name_that_leads_to_no_public_address_is_unsafe(address: str, clock: FakeClock) -> None:
    one = photos(clock, allowed=".smugmug.com", resolve=lambda host, port: [address])
    with pytest.raises(PhotoUnsafe):
        fetch(one, "https://photos.smugmug.com/x.jpg", clock)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are_public(address: str) -> None:
    assert hosts.is_public(address)


def test_the_checked_address_is_the_one_connected_to(
    server: Server, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that resolves to something else the second time (DNS rebinding) gets nowhere."""
    server.answers = [Said(b"ok")]
    asked = []

    def once(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    def nothing_else(host: Any, *rest: Any, **more: Any) -> Any:
        assert host == "127.0.0.1", f"resolved again: {host}"
        return original(host, *rest, **more)

    original = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", nothing_else)
    one = photos(clock, allowed="localhost", resolve=once)
    assert fetch(one, f"http://localhost:{server.port}/", clock) == b"ok"
    assert asked == ["localhost"]
    assert server.asked[0].headers["Host"] == f"localhost:{server.port}"


def test_a_loopback_name_must_stay_on_this_machine(clock: FakeClock) -> None:
    one = photos(clock, allowed="localhost", resolve=lambda host, port: ["93.184.216.34"])
    with pytest.raises(PhotoUnsafe):
        fetch(one, "http://localhost/", clock)


def test_names_are_asked_for_again_after_a_while(server: Server, clock: FakeClock) -> None:
    server.answers = [Said(b"ok")]
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    one = photos(clock, resolve=resolve)
    for wait in (0, 1, 100):
        clock.sleep(wait)
        fetch(one, server.url, clock)
    assert len(asked) == 2


def test_loopback_is_closed_by_default(server: Server, clock: FakeClock) -> None:
    with pytest.raises(PhotoUnsafe):
        fetch(photos(clock, allowed=".smugmug.com"), server.url, clock)
    assert server.asked == []


def test_credentials_go_to_smugmug_only(clock: FakeClock) -> None:
    one = photos(clock, allowed=".smugmug.com,cdn.example")
    headers = [
        one._headers(one._checked(url))
        for url in (
            "https://photos.smugmug.com/x",
            "https://smugmug.com/x",
            "https://cdn.example/x",
        )
    ]
    assert ["Authorization" in fields for fields in headers] == [True, True, False]


def test_tls_is_for_the_name_and_verified(clock: FakeClock) -> None:
    one = photos(clock, allowed=".smugmug.com")
    pool: Any = one._pool(one._checked("https://photos.smugmug.com/x"), "93.184.216.34")
    assert (pool.host, pool.port) == ("93.184.216.34", 443)
    assert pool.assert_hostname == "photos.smugmug.com"
    assert pool.conn_kw["server_hostname"] == "photos.smugmug.com"
    assert pool.cert_reqs == "CERT_REQUIRED"


def test_a_tls_host_without_a_trusted_certificate_is_refused(
    server: Server, clock: FakeClock
) -> None:
    one = photos(clock, attempts=1)
    with pytest.raises(PhotoError):
        fetch(one, server.url.replace("http:", "https:"), clock)
    assert server.asked == []


def test_more_than_the_ceiling_is_too_large(server: Server, clock: FakeClock) -> None:
    one = photos(clock, largest=1000)
    with (
        pytest.raises(PhotoTooLarge),
        one.open(offer(server.url, 1001), deadline=Deadline.none(clock)),
    ):
        pass
    assert server.asked == []
    server.answers = [Said(b"x" * 1001)]
    with pytest.raises(PhotoTooLarge):
        fetch(one, server.url, clock)
    server.answers = [Said(b"x" * 1001, length=-1)]
    with pytest.raises(PhotoTooLarge):
        fetch(one, server.url, clock)


@pytest.mark.parametrize("problem", ["nonce_used", "timestamp_refused"])
def test_a_download_whose_signature_collided_is_signed_again(
    problem: str, server: Server, clock: FakeClock
) -> None:
    late = "Tue, 24 Nov 2026 05:00:00 GMT"
    refused = Said(f"oauth_problem={problem}", 401, date=late)
    server.answers = [refused, Said(b"bytes")]
    assert fetch(photos(clock), server.url, clock) == b"bytes"
    first, second = (asked.headers["Authorization"] for asked in server.asked)
    assert first.split('oauth_nonce="')[1][:32] != second.split('oauth_nonce="')[1][:32]
    if problem == "timestamp_refused":
        assert f'oauth_timestamp="{int(START.timestamp()) + 7196}"' in second


def test_a_download_refused_for_the_login_names_the_problem(
    server: Server, clock: FakeClock
) -> None:
    server.answers = [Said("oauth_problem=token_revoked&oauth_token=TOKEN-1", 401)]
    with pytest.raises(PhotoError, match="token_revoked") as caught:
        fetch(photos(clock), server.url, clock)
    assert "TOKEN-1" not in str(caught.value)
    assert len(server.asked) == 1


def test_what_was_not_signed_is_not_signed_again(server: Server, clock: FakeClock) -> None:
    server.answers = [Said("oauth_problem=timestamp_refused", 401)]
    with pytest.raises(PhotoError, match="timestamp_refused"):
        fetch(photos(clock, signed=False), server.url, clock)
    assert len(server.asked) == 1


def test_a_name_that_cannot_be_resolved_for_a_moment_is_tried_again(
    server: Server, clock: FakeClock
) -> None:
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        if len(asked) < 3:
            raise socket.gaierror("try again")
        return ["127.0.0.1"]

    server.answers = [Said(b"ok")]
    one = photos(clock, allowed="localhost", resolve=resolve)
    assert fetch(one, f"http://localhost:{server.port}/", clock) == b"ok"
    asked.clear()
    one = photos(clock, allowed="localhost", resolve=lambda host, port: [])
    with pytest.raises(PhotoError, match="resolved") as caught:
        fetch(one, f"http://localhost:{server.port}/", clock)
    assert caught.value.code == "download_failed"


def test_a_host_that_stalls_shortly_before_the_end_holds_us_no_longer(server: Server) -> None:
    clock, release = SystemClock(), threading.Event()
    server.answers = [Said(b"x" * 10, length=20, write=lambda out: release.wait(300))]
    one = photos(clock, stall=200.0)  # type: ignore[arg-type]
    begun = clock.monotonic()
    with (
        pytest.raises(OutOfTime),
        one.open(offer(server.url), deadline=Deadline.after(clock, 0.3)) as body,
    ):
        all_of(body)
    release.set()
    assert clock.monotonic() - begun < 120


def test_a_host_that_stalls_is_left(server: Server, clock: FakeClock) -> None:
    release = threading.Event()
    server.answers = [Said(b"x" * 10, length=20, write=lambda out: release.wait(300))]
    with pytest.raises(PhotoError):
        fetch(photos(clock, stall=0.1), server.url, clock)
    release.set()


def test_a_drip_does_not_hold_us_beyond_the_deadline(server: Server, clock: FakeClock) -> None:
    def drip(out: Any) -> None:
        for _ in range(100):
            clock.sleep(10)
            out.write(b"x")
            out.flush()
            threading.Event().wait(0.01)

    server.answers = [Said(b"", length=100_000, write=drip)]
    with pytest.raises(OutOfTime):
        fetch(photos(clock), server.url, clock, seconds=25)
    with pytest.raises(PhotoError, match="slowly"):
        fetch(photos(clock), server.url, clock)


def test_nothing_is_begun_when_the_time_is_over(server: Server, clock: FakeClock) -> None:
    deadline = Deadline.after(clock, 5)
    clock.sleep(5)
    with pytest.raises(OutOfTime), photos(clock).open(offer(server.url), deadline=deadline):
        pass
    assert server.asked == []


@pytest.mark.parametrize(
    "url", [None, "", "nonsense", "https:///x", "https://photos.smugmug.com:x/"]
)
def test_what_is_no_address_is_an_error(url: str | None, clock: FakeClock) -> None:
    with pytest.raises(PhotoError), photos(clock).open(offer(url), deadline=Deadline.none(clock)):
        pass


def test_no_address_and_no_secret_is_in_any_text(
    server: Server, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for said in (
        Said(b"", 404),
        Said(b"", 500),
        Said(b"", 302, {"Location": "https://evil.example/hidden-token"}),
        Said(b"x", length=5),
        Said(raw=b"nonsense\r\n\r\n"),
    ):
        server.answers = [said]
        with pytest.raises(PhotoError) as caught:
            fetch(photos(clock), server.url + "/hidden-token.jpg?a=%zz&b", clock)
        text = f"{caught.value!r} {caught.value} {caught.value.__context__!r}"
        assert caught.value.__cause__ is None
        assert "hidden-token" not in text and "KEY-1" not in text
    server.answers = [Said(b"ok")]
    fetch(photos(clock), server.url + "/hidden-token.jpg", clock)
    assert "hidden-token" not in caplog.text and "TOKEN-1" not in caplog.text
    assert "hidden-token" not in repr(offer("https://x/hidden-token"))


@pytest.mark.parametrize(
    ("host", "pattern", "fits"),
    [
        ("smugmug.com", ".smugmug.com", True),
        ("photos.smugmug.com", ".smugmug.com", True),
        ("a.b.smugmug.com", ".smugmug.com", True),
        ("evilsmugmug.com", ".smugmug.com", False),
        ("photos.smugmug.com", "photos.smugmug.com", True),
        ("x.photos.smugmug.com", "photos.smugmug.com", False),
    ],
)
def test_host_patterns(host: str, pattern: str, fits: bool) -> None:
    assert hosts.matches(host, pattern) is fits


@pytest.mark.parametrize(
    "text", ["", ",", "https://x.com", "x.com:443", "x.com/y", "com", ".com", "*.x.com", "a b.com"]
)
def test_host_lists_that_say_nothing_usable_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="host names"):
        parse_hosts(text)


def test_host_lists() -> None:
    text = " .SmugMug.com , photos.example.org,localhost,[::1],127.0.0.1"
    assert parse_hosts(text) == (
        ".smugmug.com", "photos.example.org", "localhost", "::1", "127.0.0.1"
    )  # fmt: skip
