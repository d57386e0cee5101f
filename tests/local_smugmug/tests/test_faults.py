"""Every fault that the local SmugMug can be struck with, and whom it strikes."""

import http.client
import json
import re
import threading
import zlib
from pathlib import Path

import pytest
import requests

from tests.local_smugmug import KINDS
from tests.local_smugmug.caller import PATH
from tests.tools.patience import until


def strike(caller, kind, **options):
    return caller.smugmug.faults.add(kind, **options)


def listing(caller, album) -> requests.Response:
    """A signed images.get, or albums.get for no album."""
    if not album:
        return caller.raw("smugmug.albums.get")
    ids = {"AlbumID": caller.account.albums[album].id, "AlbumKey": album}
    return caller.raw("smugmug.images.get", Heavy="1", **ids)


def original(caller, album) -> tuple[str, bytes]:
    """The URL of an original, and its bytes."""
    image = caller.account.albums[album].images[0]
    return caller.images(album, Heavy="1")[0]["OriginalURL"], image.body.read()


# -- whom, and how often ----------------------------------------------------------------------


def test_a_fault_strikes_as_often_as_told_after_sparing_some(caller, album):
    fault = strike(caller, "code", code=5, method="images", times=2, after=1)
    codes = [listing(caller, album).json().get("code", 0) for _ in range(5)]
    assert codes == [0, 5, 5, 0, 0]
    assert (fault.seen, fault.hits) == (5, 2)


def test_a_fault_strikes_for_ever_until_it_is_lifted(caller):
    fault = strike(caller, "status", times=None)
    assert [caller.raw("smugmug.albums.get").status_code for _ in range(3)] == [500] * 3
    caller.smugmug.faults.remove(fault)
    assert caller.raw("smugmug.albums.get").status_code == 200


def test_a_fault_strikes_only_whom_it_is_meant_for(caller, album):
    other = list(caller.account.albums)[1]
    strike(caller, "code", code=98, album=other, times=None)
    assert listing(caller, album).json()["stat"] == "ok"
    assert listing(caller, other).json()["code"] == 98
    caller.smugmug.faults.clear()
    url, body = original(caller, album)
    strike(caller, "status", status=404, on="photo", times=None)
    assert caller.photo(url).status_code == 404
    assert listing(caller, album).status_code == 200
    caller.smugmug.faults.clear()
    strike(caller, "status", status=404, image="other-image", times=None)
    strike(caller, "status", status=404, on="photo", album=other, times=None)
    strike(caller, "code", times=None)
    assert caller.photo(url).content == body
    strike(caller, "status", status=410, on="photo", album=album)
    assert caller.photo(url).status_code == 410


def test_a_fault_that_is_none_is_refused(caller):
    with pytest.raises(ValueError, match="no such fault"):
        caller.smugmug.faults.add("nonsense")


def test_slow_comes_on_top_of_another(caller):
    waits = []
    caller.smugmug._sleep = lambda seconds: bool(waits.append(seconds))
    strike(caller, "slow", seconds=2, times=None)
    strike(caller, "code", code=99)
    assert caller.code("smugmug.albums.get") == 99
    assert waits == [2.0]


# -- instead of an answer ---------------------------------------------------------------------


def failed(code, message):
    told = f'"code":{code},"message":"{message} (by a fault)"'
    return f'{{"stat":"fail","method":"smugmug.albums.get",{told}}}'


A_PAGE = "<!DOCTYPE html>"


@pytest.mark.parametrize(
    ("kind", "options", "status", "text"),
    [
        ("code", {"code": 5}, 200, failed(5, "system error")),
        ("code", {"code": 98}, 200, failed(98, "service unavailable")),
        ("code", {"code": 12345}, 200, failed(12345, "error")),
        ("status", {"status": 401}, 401, A_PAGE),
        ("status", {"status": 503}, 503, A_PAGE),
        ("no_content", {}, 204, ""),
        ("empty", {}, 200, ""),
        ("not_json", {}, 200, "Service temporarily overloaded"),
        ("html", {}, 200, A_PAGE),
        ("wrong_envelope", {}, 200, '{"stat":"ok","method":"smugmug.albums.get"}'),
        ("wrong_envelope", {"data": ["a list"]}, 200, '["a list"]'),
    ],
)
def test_what_comes_instead_of_an_answer(caller, kind, options, status, text):
    strike(caller, kind, message="by a fault", **options)
    answer = caller.raw("smugmug.albums.get")
    assert answer.status_code == status
    assert answer.text == text or (text is A_PAGE and answer.text.startswith(A_PAGE))
    assert caller.albums()


def test_nesting_that_is_too_deep(caller):
    strike(caller, "deep", depth=50_000)
    text = caller.raw("smugmug.albums.get").text
    assert text.startswith('{"a":{"a":')
    with pytest.raises(RecursionError):
        json.loads(text)


def test_retry_after_is_announced_and_calls_within_it_are_counted(caller):
    strike(caller, "status", status=429, retry_after=30)
    assert caller.raw("smugmug.albums.get").headers["Retry-After"] == "30"
    assert caller.smugmug.calls.during_retry_after == 0
    caller.raw("smugmug.albums.get")
    assert caller.smugmug.calls.during_retry_after == 1


def test_a_gzip_bomb_is_small_on_the_wire(caller):
    strike(caller, "gzip_bomb", size=8 << 20)
    answer = caller.http.get(caller.smugmug.url + PATH + "?method=x", stream=True)
    packed = answer.raw.read(decode_content=False)
    assert len(packed) < 20_000
    assert len(zlib.decompress(packed, 31)) == 8 << 20


@pytest.mark.parametrize("on", ["api", "photo"])
def test_a_body_without_an_end(caller, album, on):
    url, _ = original(caller, album)
    strike(caller, "endless", on=on)
    target = url if on == "photo" else caller.smugmug.url + PATH + "?method=x"
    with caller.http.get(target, stream=True) as answer:
        assert "Content-Length" not in answer.headers
        assert len(answer.raw.read(1 << 20)) == 1 << 20


def test_a_redirect_to_anywhere(caller, album):
    url, _ = original(caller, album)
    strike(caller, "redirect", location="http://169.254.169.254/latest", on="photo")
    answer = caller.photo(url, allow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "http://169.254.169.254/latest"


def test_an_error_that_is_packed_as_nobody_asked(caller):
    strike(caller, "packed", encoding="br", status=503)
    answer = caller.http.get(caller.smugmug.url + PATH, params={"method": "x"}, stream=True)
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (503, "br")
    answer.close()
    strike(caller, "packed", encoding="gzip", status=429)
    answer = caller.http.get(caller.smugmug.url + PATH, params={"method": "x"}, stream=True)
    assert (answer.status_code, answer.raw.read()) == (429, b"")


@pytest.mark.parametrize("where", ["header", "body"])
def test_a_signature_that_is_refused_by_a_word(caller, album, where):
    url, _ = original(caller, album)
    for ask in (
        lambda: caller.raw("smugmug.albums.get"),
        lambda: caller.v2(f"/album/{album}"),
        lambda: caller.photo(url),
    ):
        strike(caller, "oauth_problem", problem="timestamp_refused", where=where)
        answer = ask()
        assert answer.status_code == 401
        told = answer.headers.get("WWW-Authenticate", "") + answer.text
        assert "oauth_problem=timestamp_refused" in told
        assert ("WWW-Authenticate" in answer.headers) is (where == "header")


# -- a broken answer --------------------------------------------------------------------------


def test_json_that_is_cut_off(caller, album):
    whole = listing(caller, album).text
    for kind, is_sized in (("truncated", True), ("truncated_unsized", False)):
        strike(caller, kind, keep=0.5)
        answer = listing(caller, album)
        assert answer.text == whole[: len(whole) // 2]
        assert ("Content-Length" in answer.headers) is is_sized


def test_a_connection_that_is_reset(caller):
    strike(caller, "reset")
    with pytest.raises(requests.ConnectionError):
        caller.raw("smugmug.albums.get")
    assert caller.smugmug.calls.api >= 1


@pytest.mark.parametrize("packed", ["gzip", "identity"])
def test_a_connection_that_ends_halfway(caller, album, packed):
    url, _ = original(caller, album)
    strike(caller, "close_midway", on="api")
    strike(caller, "short")
    caller.http.headers["Accept-Encoding"] = packed
    for ask in (lambda: listing(caller, album), lambda: caller.photo(url)):
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            ask()


@pytest.mark.parametrize("by", [10, -10])
def test_a_content_length_that_is_wrong(caller, album, by):
    url, body = original(caller, album)
    strike(caller, "length_wrong", by=by)
    answer = caller.photo(url, stream=True)
    assert int(answer.headers["Content-Length"]) == len(body) + by
    if by > 0:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            _ = answer.content
    answer.close()


def test_dates_that_cannot_be_believed(caller):
    strike(caller, "date", value="Mon, 01 Jan 2001 00:00:00 GMT")
    assert caller.raw("smugmug.albums.get").headers["Date"].startswith("Mon, 01 Jan 2001")
    strike(caller, "date", value=None)
    assert "Date" not in caller.raw("smugmug.albums.get").headers
    strike(caller, "age", seconds=60)
    answer = caller.raw("smugmug.albums.get")
    assert answer.headers["Age"] == "60"
    assert "Date" in answer.headers


@pytest.mark.parametrize(("kind", "piece"), [("trickle", 10), ("trickling_head", 50)])
def test_what_trickles(caller, kind, piece):
    waits = []
    caller.smugmug._sleep = lambda seconds: bool(waits.append(seconds))
    strike(caller, kind, piece=piece, pause=0.5)
    answer = caller.raw("smugmug.service.ping", signed=False)
    assert answer.json()["stat"] == "ok"
    of_the_body = (len(answer.content) - 1) // piece
    assert set(waits) == {0.5}
    assert len(waits) == of_the_body if kind == "trickle" else len(waits) > of_the_body + 2


def test_a_slow_answer_does_not_outlive_the_server(caller):
    strike(caller, "slow", seconds=600)
    failed = threading.Event()

    def ask() -> None:
        with requests.Session() as http:
            try:
                http.get(caller.smugmug.url + PATH + "?method=x", timeout=300)
            except requests.ConnectionError:
                failed.set()

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: caller.smugmug.calls.in_flight["api"])
    caller.smugmug.stop()
    thread.join(120)
    assert failed.is_set()


# -- a listing that cannot be believed --------------------------------------------------------


def first(key):
    """The first entry has this key, or none."""

    def now(was):
        keyless = {name: value for name, value in was[0].items() if name != "Key"}
        return [keyless | ({} if key is None else {"Key": key}), *was[1:]]

    return now


@pytest.mark.parametrize("of", ["albums", "images"])
@pytest.mark.parametrize(
    ("kind", "options", "now"),
    [
        ("duplicate", {}, lambda was: [*was, was[0]]),
        ("missing_key", {}, first(None)),
        ("malformed_key", {}, first("../../etc/passwd")),
        ("malformed_key", {"value": "a/b"}, first("a/b")),
        ("huge_ids", {}, lambda was: [each | {"id": 10**30 + n} for n, each in enumerate(was)]),
        ("million", {"count": 2000}, lambda _: [{"Key": f"m{n:07}", "id": n} for n in range(2000)]),
        ("dropped", {"count": 2}, lambda was: was[2:]),
    ],
)
def test_what_is_listed(caller, album, of, kind, options, now):
    def listed():
        found = listing(caller, album if of == "images" else "").json()
        return found.pop("Albums") if of == "albums" else found["Album"].pop("Images"), found

    was, counts = listed()
    strike(caller, kind, **options)
    assert listed() == (now(was), counts)
    assert listed() == (was, counts)


def test_an_order_that_is_another(caller, album):
    keys = [image["Key"] for image in caller.images(album)]
    strike(caller, "shuffled")
    shuffled = [image["Key"] for image in caller.images(album)]
    assert shuffled != keys
    assert sorted(shuffled) == sorted(keys)


def test_an_md5_that_is_wrong(caller, album):
    was = caller.images(album, Heavy="1")
    strike(caller, "wrong_md5", of=was[0]["Key"])
    assert caller.images(album, Heavy="1") == [was[0] | {"MD5Sum": "0" * 32}, *was[1:]]


def test_api_faults_strike_v2_in_its_own_words(caller, album):
    strike(caller, "code", code=98, times=1)
    answer = caller.v2(f"/album/{album}")
    assert (answer.status_code, answer.json()["Code"]) == (503, 503)
    strike(caller, "status", status=502)
    assert caller.v2(f"/album/{album}").json()["Code"] == 502
    strike(caller, "duplicate")
    assert len(caller.v2_things(f"/album/{album}!images")) == 5
    strike(caller, "missing_key")
    assert "ImageKey" not in caller.v2_things(f"/album/{album}!images")[0]
    strike(caller, "missing_key")
    assert "AlbumKey" not in caller.v2_things(f"/user/{caller.account.nickname}!albums")[0]
    strike(caller, "huge_ids")
    assert caller.v2_things(f"/album/{album}!images")[0]["UploadKey"] == str(10**30)


# -- bytes that are wrong ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "is_right"),
    [
        ("corrupt", lambda body, wrong: (len(wrong), wrong[:64]) == (len(body), body[:64])),
        ("shorter", lambda body, wrong: body.startswith(wrong)),
        ("placeholder", lambda _, wrong: wrong.startswith(b"GIF8")),
        ("not_image", lambda body, wrong: (len(wrong), wrong[:8]) == (len(body), b"this is ")),
        ("html", lambda _, wrong: wrong.startswith(b"<!DOCTYPE html>")),
    ],
)
def test_bytes_that_are_wrong(caller, album, kind, is_right):
    url, body = original(caller, album)
    strike(caller, kind, on="photo")
    answer = caller.photo(url)
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(len(answer.content)))
    assert answer.headers["Content-Type"].startswith("text/html" if kind == "html" else "image/")
    assert answer.content != body and is_right(body, answer.content)
    assert caller.photo(url).content == body


@pytest.mark.parametrize(("form", "start"), [("gif", b"GIF8"), ("jpeg", b"\xff\xd8\xff")])
def test_a_picture_in_the_place_of_a_video(caller, album, form, start):
    video = caller.smugmug.world.upload_video(album)
    url = caller.images(album, Heavy="1")[-1]["Video1280URL"]
    strike(caller, "placeholder", format=form, image=video.key)
    answer = caller.photo(url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, f"image/{form}")
    assert answer.content.startswith(start)
    assert caller.photo(url).content == video.renditions[1280].read()


# -- all of them ------------------------------------------------------------------------------


def test_nothing_but_http_ends_the_connection_only(caller):
    connection = http.client.HTTPConnection("127.0.0.1", caller.smugmug.port, timeout=120)
    connection.connect()
    connection.sock.sendall(b"nonsense\r\n\r\n")
    assert connection.sock.recv(100) == b""
    connection.close()
    assert caller.albums()


def test_every_kind_is_shown_here():
    text = Path(__file__).read_text()
    assert [kind for kind in KINDS if not re.search(rf'(\(|caller, )"{kind}"', text)] == []
