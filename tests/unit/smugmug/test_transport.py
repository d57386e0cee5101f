"""The way to the API: bounded in count, time and size; strict; silent."""

import gzip
import logging
import random
import socket
import threading
import traceback
import zlib
from collections.abc import Iterator
from email.utils import format_datetime

import pytest
import requests

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AccessRefused,
    BadRequest,
    LoginLost,
    MalformedAnswer,
    OutOfTime,
    SourceError,
    SourceRetired,
    SourceUnavailable,
)
from smugmug_backup.smugmug.client_130 import SmugMug130
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.errors import EmptyAnswer
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.signing import Signer
from smugmug_backup.smugmug.transport import Transport, checked_api_url
from tests.unit.smugmug.server import SIGNED, START, FakeClock, Said, Server, serving

OK = Said('{"stat":"ok","method":"smugmug.service.ping"}')


@pytest.fixture
def server() -> Iterator[Server]:
    with serving([OK]) as running:
        yield running


def client(
    server: Server,
    clock: FakeClock,
    *,
    credentials: Credentials = SIGNED,
    attempts: int = 5,
    largest: int = 1 << 20,
) -> SmugMug130:
    rng = random.Random(7)
    return SmugMug130(
        Transport(
            api_url=server.url,
            signer=Signer(credentials, clock=clock, rng=rng) if credentials.signed else None,
            governor=Governor(clock=clock),
            clock=clock,
            rng=rng,
            attempts=attempts,
            largest=largest,
        ),
        credentials,
    )


def ping(one: SmugMug130, clock: FakeClock, seconds: float = 1e9) -> None:
    one.service_ping(deadline=Deadline.after(clock, seconds))


def list_images(one: SmugMug130, clock: FakeClock) -> None:
    one.images_get(album_id=1, album_key="hT4mWq", deadline=Deadline.none(clock))


def fail(code: int) -> Said:
    return Said(f'{{"stat":"fail","code":{code},"message":"x"}}')


@pytest.mark.parametrize(
    "trouble",
    [
        Said("", 500),
        Said("<h1>Bad gateway</h1>", 502),
        Said("", 503),
        Said("", 429),
        fail(5),
        fail(98),
        fail(99),
        fail(33),
        Said(""),
        Said("", 204),
        Said('{"stat":"ok"'),
        Said('{"stat":"ok"}', length=40),
        Said(raw=b""),
        Said(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        Said("<html>", 200, {"Content-Type": "text/html"}),
        Said('{"stat":"ok","method":"smugmug.images.get"}'),
        Said("{}"),
        Said("", 404),
        Said("", 302, {"Location": "https://www.smugmug.com/"}),
    ],
)
def test_what_may_pass_is_tried_again(trouble: Said, server: Server, clock: FakeClock) -> None:
    server.answers = [trouble, trouble, OK]
    ping(client(server, clock), clock)
    assert len(server.asked) == 3


@pytest.mark.parametrize("code", [1, 3, 4, 9, 11, 16, 17, 18, 22, 31, 32, 34, 35, 36, 38, 77])
def test_what_will_not_pass_is_asked_once(code: int, server: Server, clock: FakeClock) -> None:
    server.answers = [fail(code)]
    with pytest.raises(SourceError) as caught:
        ping(client(server, clock), clock)
    assert len(server.asked) == 1
    assert caught.value.api_code == code


def test_the_number_of_attempts_is_bounded_and_counted(server: Server, clock: FakeClock) -> None:
    server.answers = [fail(98)]
    one = client(server, clock, attempts=4)
    with pytest.raises(SourceUnavailable, match="98"):
        ping(one, clock)
    assert len(server.asked) == 4 == one._transport.calls


def test_waits_grow_and_are_full_jitter(server: Server, clock: FakeClock) -> None:
    server.answers = [Said("", 500)]
    with pytest.raises(SourceUnavailable):
        ping(client(server, clock), clock)
    assert len(clock.sleeps) == 4
    assert all(0 <= wait <= 0.5 * 2**n for n, wait in enumerate(clock.sleeps))
    assert len(set(clock.sleeps)) == 4


@pytest.mark.parametrize(
    "value", ["20", format_datetime(START.replace(second=25), usegmt=True)], ids=["s", "date"]
)
@pytest.mark.parametrize("status", [429, 503, 500])
def test_retry_after_is_honoured(status: int, value: str, server: Server, clock: FakeClock) -> None:
    server.answers = [Said("", status, {"Retry-After": value}), OK]
    ping(client(server, clock), clock)
    assert 20 <= clock.elapsed <= 22


def test_retry_after_holds_for_all_threads(server: Server, clock: FakeClock) -> None:
    server.answers = [Said("", 429, {"Retry-After": "20"}), OK]
    one = client(server, clock, attempts=1)
    with pytest.raises(SourceUnavailable):
        ping(one, clock)
    thread = threading.Thread(target=ping, args=(one, clock))
    thread.start()
    thread.join()
    assert clock.elapsed == pytest.approx(20)


def test_a_wait_beyond_the_deadline_is_not_begun(server: Server, clock: FakeClock) -> None:
    server.answers = [Said("", 429, {"Retry-After": "200"}), OK]
    with pytest.raises(OutOfTime):
        ping(client(server, clock), clock, seconds=100)
    assert len(server.asked) == 1
    assert clock.elapsed < 1


def test_no_wait_is_begun_after_an_end_was_asked_for(server: Server, clock: FakeClock) -> None:
    server.answers = [Said("", 429, {"Retry-After": "200"}), OK]
    deadline = Deadline.none(clock)
    deadline.stop()
    with pytest.raises(OutOfTime):
        client(server, clock).service_ping(deadline=deadline)
    assert (len(server.asked), clock.elapsed) == (1, 0)


def test_nothing_is_asked_when_the_time_is_over(server: Server, clock: FakeClock) -> None:
    deadline = Deadline.after(clock, 10)
    clock.sleep(10)
    with pytest.raises(OutOfTime):
        client(server, clock).service_ping(deadline=deadline)
    assert server.asked == []


def test_an_expired_timestamp_is_mended_once_by_the_servers_date(
    server: Server, clock: FakeClock
) -> None:
    late = "Tue, 24 Nov 2026 05:00:00 GMT"
    server.answers = [Said('{"stat":"fail","code":30}', date=late), OK]
    one = client(server, clock)
    ping(one, clock)
    assert f'oauth_timestamp="{int(START.timestamp())}"' in server.asked[0].headers["Authorization"]
    two_hours = int(START.timestamp()) + 7196
    assert f'oauth_timestamp="{two_hours}"' in server.asked[1].headers["Authorization"]
    server.answers = [fail(30)]
    with pytest.raises(LoginLost, match="30"):
        ping(one, clock)
    assert len(server.asked) == 4


@pytest.mark.parametrize("where", ["header", "body"])
@pytest.mark.parametrize("problem", ["nonce_used", "timestamp_refused"])
def test_a_signature_that_collided_is_made_again_with_the_servers_time(
    problem: str, where: str, server: Server, clock: FakeClock
) -> None:
    told = f"oauth_problem={problem}"
    headers = {"WWW-Authenticate": f"OAuth {told}"} if where == "header" else {}
    late = "Tue, 24 Nov 2026 05:00:00 GMT"
    refused = Said(told if where == "body" else "", 401, headers, date=late)
    server.answers = [refused, OK]
    ping(client(server, clock), clock)
    first, second = (asked.headers["Authorization"] for asked in server.asked)
    assert first.split('oauth_nonce="')[1][:32] != second.split('oauth_nonce="')[1][:32]
    if problem == "timestamp_refused":
        assert f'oauth_timestamp="{int(START.timestamp()) + 7196}"' in second
    server.answers = [refused]
    with pytest.raises(LoginLost, match=problem):
        ping(client(server, clock, attempts=3), clock)


def test_a_clock_that_nothing_can_set_is_no_reason_to_ask_again(
    server: Server, clock: FakeClock
) -> None:
    """Nothing was signed by it, or the refusal tells no time."""
    told = "oauth_problem=timestamp_refused"
    for credentials, date in (
        (Credentials("KEY-1"), "Tue, 24 Nov 2026 05:00:00 GMT"),
        (SIGNED, None),
    ):
        server.asked.clear()
        server.answers = [Said(told, 401, date=date)]
        with pytest.raises(LoginLost, match="timestamp_refused"):
            ping(client(server, clock, credentials=credentials), clock)
        assert len(server.asked) == 1


def test_a_refusal_without_a_word_is_the_albums_and_of_the_login_only_if_it_says_so(
    server: Server, clock: FakeClock
) -> None:
    server.answers = [Said("<html>", 401)]
    with pytest.raises(AccessRefused, match="album's password"):
        list_images(client(server, clock), clock)
    with pytest.raises(LoginLost):
        ping(client(server, clock), clock)
    server.answers = [Said("oauth_problem=token_revoked&oauth_token=TOKEN-1", 401)]
    with pytest.raises(LoginLost, match="token_revoked") as caught:
        list_images(client(server, clock), clock)
    assert "TOKEN-1" not in str(caught.value)


def test_each_attempt_has_its_own_nonce_and_time(server: Server, clock: FakeClock) -> None:
    server.answers = [fail(33), Said("", 500), OK]
    ping(client(server, clock), clock)
    nonces = {a.headers["Authorization"].split('oauth_nonce="')[1][:32] for a in server.asked}
    assert len(nonces) == 3


def test_gzip_is_asked_for_and_undone(server: Server, clock: FakeClock) -> None:
    body = gzip.compress(OK.body[:20], mtime=0) + gzip.compress(OK.body[20:])
    server.answers = [Said(body, 200, {"Content-Encoding": "gzip"})]
    ping(client(server, clock), clock)
    assert server.asked[0].headers["Accept-Encoding"] == "gzip"


def test_a_bomb_ends_early(server: Server, clock: FakeClock) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([packer.compress(b" " * (1 << 20)) for _ in range(64)]) + packer.flush()
    assert len(bomb) < 100_000
    server.answers = [Said(bomb, 200, {"Content-Encoding": "gzip"})]
    with pytest.raises(MalformedAnswer, match="larger"):
        ping(client(server, clock), clock)
    assert len(server.asked) == 1


def test_a_plain_answer_is_capped_as_well(server: Server, clock: FakeClock) -> None:
    server.answers = [Said(b" " * 5000 + OK.body)]
    with pytest.raises(MalformedAnswer, match="larger"):
        ping(client(server, clock, largest=4999), clock)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b"x" * 99, mtime=0)[:-9], "gzip"),
        (b"no gzip", "gzip"),
        (b"x", "br"),
        (b"", "gzip"),
    ],
)
def test_a_damaged_or_strange_encoding_is_malformed(
    body: bytes, encoding: str, server: Server, clock: FakeClock
) -> None:
    server.answers = [Said(body, 200, {"Content-Encoding": encoding})]
    with pytest.raises(MalformedAnswer):
        ping(client(server, clock, attempts=2), clock)


@pytest.mark.parametrize(
    "body",
    [
        b"[1]",
        b'"ok"',
        b"null",
        b'{"stat":"ok","x":NaN}',
        b'{"stat":"ok","x":-Infinity}',
        b'{"stat":"ok","x":1e999}',
        b'{"stat":"ok","x":' + b"9" * 10_000 + b"}",
        b'{"stat":"ok","x":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"stat":"ok","x":"\xff"}',
        b'{"stat":"ok"} {}',
        b"\x00\x01",
        b'{"stat":"maybe"}',
        b'{"stat":"fail"}',
        b'{"stat":"fail","code":"x"}',
        b'{"stat":["ok"]}',
    ],
)
def test_what_is_not_the_envelope_is_malformed(
    body: bytes, server: Server, clock: FakeClock
) -> None:
    server.answers = [Said(body)]
    with pytest.raises(MalformedAnswer):
        list_images(client(server, clock, attempts=2), clock)
    assert len(server.asked) == 2


@pytest.mark.parametrize(("body", "encoding"), [(b"\x0b\x02\x80", "br"), (b"", "gzip")])
@pytest.mark.parametrize(
    ("status", "error"),
    [(503, SourceUnavailable), (429, SourceUnavailable), (401, LoginLost), (404, SourceRetired)],
)
def test_an_error_is_one_by_its_status_however_its_page_is_packed(
    status: int,
    error: type[SourceError],
    body: bytes,
    encoding: str,
    server: Server,
    clock: FakeClock,
) -> None:
    headers = {"Content-Encoding": encoding, "Retry-After": "20"}
    server.answers = [Said(body, status, headers)]
    with pytest.raises(error):
        ping(client(server, clock, attempts=2), clock)
    if error is SourceUnavailable:
        assert 20 <= clock.elapsed <= 22


def test_no_redirect_is_followed(server: Server, clock: FakeClock) -> None:
    with serving([OK]) as other:
        server.answers = [Said("", 307, {"Location": other.url + "/services/api/json/1.3.0/"})]
        with pytest.raises(MalformedAnswer):
            list_images(client(server, clock), clock)
        assert other.asked == []


@pytest.mark.parametrize(
    "said",
    [
        Said("<!DOCTYPE html>", 200),
        Said("oops", 200, {"Content-Type": "text/html"}),
        Said("<html>", 404),
        Said("", 410),
        Said("", 301, {"Location": "https://api.smugmug.com/api/v2/doc"}),
        fail(17),
        fail(11),
        fail(38),
    ],
)
def test_a_retired_api_is_told_apart_and_says_what_to_do(
    said: Said, server: Server, clock: FakeClock
) -> None:
    server.answers = [said]
    with pytest.raises(SourceRetired, match="SMUGMUG_API=v2"):
        client(server, clock).albums_get(deadline=Deadline.none(clock))


@pytest.mark.parametrize("said", [Said("<html>"), Said("", 404), Said("", 410), Said("", 301)])
def test_one_album_answered_so_is_no_retirement(
    said: Said, server: Server, clock: FakeClock
) -> None:
    server.answers = [said]
    with pytest.raises(MalformedAnswer):
        list_images(client(server, clock), clock)


def test_a_code_counts_more_than_the_status_it_comes_with(server: Server, clock: FakeClock) -> None:
    server.answers = [Said('{"stat":"fail","code":"18"}', 400)]
    with pytest.raises(LoginLost):
        list_images(client(server, clock), clock)


def test_an_empty_set_tells_its_date(server: Server, clock: FakeClock) -> None:
    server.answers = [fail(15)]
    one = client(server, clock)
    with pytest.raises(EmptyAnswer) as caught:
        list_images(one, clock)
    assert caught.value.answered_at == one._transport.answered_at == START.replace(second=5)


@pytest.mark.parametrize(
    ("date", "headers"),
    [(None, {}), ("yesterday", {}), ("Tue, 24 Nov 2026 03:00:05 GMT", {"Age": "61"})],
)
def test_a_date_that_is_missing_unreadable_or_old_is_none(
    date: str | None, headers: dict[str, str], server: Server, clock: FakeClock
) -> None:
    server.answers = [Said(OK.body, 200, headers, date=date)]
    answer = client(server, clock).service_ping(deadline=Deadline.none(clock))
    assert answer.answered_at is None


def test_parameters_are_in_no_url_and_secrets_in_no_text(
    server: Server, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    one = client(server, clock, attempts=2)
    secrets = ["KEY-1", "SECRET-1", "TOKEN-1", "TOKENSECRET-1", "album-word", "site-word"]
    texts = [repr(one._transport.__dict__), repr(one.__dict__)]
    for said in (
        Said("", 500),
        fail(4),
        Said("<html>"),
        Said("album-word"),
        Said(raw=b"nonsense\r\n\r\n"),
    ):
        server.answers = [said]
        with pytest.raises(SourceError) as caught:
            one.images_get(
                album_id=1,
                album_key="hT4mWq",
                password="album-word",
                site_password="site-word",
                deadline=Deadline.none(clock),
            )
        assert caught.value.__cause__ is None
        texts += ["".join(traceback.format_exception(caught.value)), repr(caught.value)]
    assert {asked.path for asked in server.asked} == {"/services/api/json/1.3.0/"}
    for text in [*texts, caplog.text]:
        assert not [secret for secret in secrets if secret in text]


def test_a_host_that_does_not_answer_is_unavailable_without_its_address(clock: FakeClock) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = Server.__new__(Server)
        server.url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(SourceUnavailable) as caught:
            ping(client(server, clock, attempts=2), clock)
    assert "127.0.0.1" not in "".join(traceback.format_exception(caught.value)).split("raise")[-1]


def test_the_environment_changes_nothing(
    server: Server, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    ping(client(server, clock), clock)


def test_an_exhausted_window_holds_the_next_call(server: Server, clock: FakeClock) -> None:
    reset = str(int(START.timestamp()) + 35)
    window = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    server.answers = [Said(OK.body, 200, window), OK]
    one = client(server, clock)
    ping(one, clock)
    assert clock.elapsed == 0
    ping(one, clock)
    assert clock.elapsed == pytest.approx(34)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.smugmug.com",
        "ftp://127.0.0.1",
        "https://",
        "",
        "https://user:word@api.smugmug.com",
        "https://api.smugmug.com?x=1",
        "https://api.smugmug.com#x",
        "http://127.0.0.1:99999",
        "http://[",
    ],
)
def test_an_unusable_address_is_refused(url: str) -> None:
    with pytest.raises(BadRequest):
        checked_api_url(url)


def test_a_usable_address_loses_its_slash() -> None:
    assert checked_api_url("https://api.smugmug.com/") == "https://api.smugmug.com"
    assert checked_api_url("http://localhost:8080") == "http://localhost:8080"
    assert requests.__version__  # the session's environment is not read: see the test above
