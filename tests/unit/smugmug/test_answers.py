"""Whatever SmugMug may send, it is read or it is malformed; nothing else happens."""

import json
import logging
import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smugmug_backup.archive import records
from smugmug_backup.archive.encoding import canonical_json
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import MalformedAnswer, PhotoUnsafe, SourceError
from smugmug_backup.model import Album, Availability, Image, Offer
from smugmug_backup.smugmug import answers
from smugmug_backup.smugmug import source_130 as api_130
from smugmug_backup.smugmug import source_v2 as api_v2
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.photos import Photos
from tests.tools.streams import all_of
from tests.unit.smugmug.server import START, FakeClock, Said, serving

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["0", "1", "true", "JPG", "MP4", "abc", "2024-08-11 09:14:52", "CanNotProcess"]
    )
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES_130 = [
    "id", "Key", "Title", "Category", "SubCategory", "ImageCount", "LastUpdated", "FileName",
    "Format", "Serial", "Position", "Size", "MD5Sum", "OriginalURL", "Video640URL",
    "VideoSMILURL", "Album",
]  # fmt: skip


def entries(names: list[str], keys: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Entries with our fields holding anything, and now and then a key that is right."""
    anything = st.dictionaries(st.sampled_from(names), JSON, max_size=10)
    right = st.fixed_dictionaries({}, optional={key: st.just("pW7dQkN") for key in keys})
    return st.tuples(anything, right).map(lambda pair: pair[0] | pair[1])


def holds(thing: Album | Image) -> None:
    """It can be stored, and be read back."""
    if isinstance(thing, Album):
        body = canonical_json(dict(thing.data))
    else:
        body = records.record_line(thing, "smugmug-1.3.0")
        assert len(records.revision(thing.offer)) == 16
        records.traits(json.loads(body))
        assert thing.id is None or isinstance(thing.id, int)
        assert thing.offer.size is None or thing.offer.size >= 0
        ready = thing.offer.availability is Availability.READY and thing.offer.kind != "none"
        assert ready is (thing.offer.url is not None)
    assert json.loads(body)


@settings(deadline=None)
@given(entries(NAMES_130, ("Key",)), st.booleans())
def test_any_entry_of_api_130_is_read_or_malformed(data: dict[str, Any], album: bool) -> None:
    with suppress(MalformedAnswer):
        holds(api_130.album_of(data) if album else api_130.image_of("hT4mWq", data))


@settings(deadline=None)
@given(
    entries([*api_v2.ALBUM_FIELDS, *api_v2.IMAGE_FIELDS, "Uri"], ("AlbumKey", "ImageKey")),
    st.booleans(),
)
def test_any_entry_of_api_v2_is_read_or_malformed(data: dict[str, Any], album: bool) -> None:
    try:
        holds(api_v2.album_of(data) if album else api_v2.image_of(1, data))
    except MalformedAnswer:
        pass
    except AssertionError:
        # A photo in the making may show its address already; it is not used before it is ready.
        assert data.get("Processing") or "CanNotProcess" in (
            data.get("Status"),
            data.get("SubStatus"),
        )


@settings(deadline=None, max_examples=50)
@given(JSON)
def test_any_answer_of_api_130_is_read_or_an_error(payload: Any) -> None:
    shapes = [{"stat": "ok", "Albums": payload}, {"stat": "ok", "Album": payload}, payload]
    album = Album("hT4mWq", 1, "", (), None, {}, ())
    clock = FakeClock()
    deadline = Deadline.none(clock)
    for shape in shapes:
        SHARED.answers = [Said(json.dumps(shape))]
        one: Any = source(api_130.SmugMug130Source, clock)
        two: Any = source(api_v2.SmugMugV2Source, clock)
        for ask in (
            lambda one=one: one.albums(deadline=deadline),
            lambda one=one: one.images(album, since=None, deadline=deadline),
            lambda one=one: one.account(deadline=deadline),
            lambda two=two: two.images(album, since=None, deadline=deadline),
            lambda two=two: two.albums(deadline=deadline),
            lambda two=two: two.account(deadline=deadline),
        ):
            with suppress(SourceError):
                ask()


def source(kind: Any, clock: FakeClock) -> Any:
    credentials = Credentials("KEY-1", "SECRET-1", "TOKEN-1", "TOKENSECRET-1")
    governor = Governor(clock=clock)
    return kind(credentials, "nick", api_url=SHARED.url, governor=governor, clock=clock, attempts=1)


@pytest.fixture(autouse=True, scope="module")
def _shared() -> Any:
    global SHARED
    with serving() as SHARED:
        yield


SHARED: Any = None


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_header_is_read_or_none(text: str) -> None:
    headers = {
        "Date": text,
        "Retry-After": text,
        "X-RateLimit-Remaining": text,
        "X-RateLimit-Reset": text,
    }
    assert answers.wait_asked_for(headers, now=START) is None or text
    answers.window_left(headers, now=START)
    answers.window_left({**headers, "X-RateLimit-Remaining": "0"}, now=START)
    answers.answered_at(headers)
    answers.instant(text)


@pytest.mark.parametrize("remaining", ["0", "00", "-3"])
def test_a_used_up_window_is_known(remaining: str) -> None:
    reset = str(int(START.timestamp()) + 30)
    headers = {"X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset}
    assert answers.window_left(headers, now=START) == 30
    headers["X-RateLimit-Remaining"] = "10"
    assert answers.window_left(headers, now=START) is None


def test_a_broken_header_puts_no_address_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon here\r\n\r\nok"
    clock = FakeClock()
    with serving([Said(raw=raw)]) as server:
        photos = Photos(
            hosts=("127.0.0.1",),
            signer=None,
            governor=Governor(clock=clock),
            clock=clock,
            rng=random.Random(1),
        )
        offer = Offer("original", Availability.READY, url=f"{server.url}/hidden-token")
        with photos.open(offer, deadline=Deadline.none(clock)) as body:
            all_of(body)
    assert "hidden-token" not in caplog.text


@pytest.mark.parametrize("url", ["https://photos.smugmug.com/x\r\nHost: evil", "https://a b/"])
def test_an_address_with_a_line_end_is_harmless(url: str) -> None:
    clock = FakeClock()
    photos = Photos(
        hosts=(".smugmug.com",),
        signer=None,
        governor=Governor(clock=clock),
        clock=clock,
        rng=random.Random(1),
    )
    try:
        place = photos._checked(url)
    except PhotoUnsafe:
        return
    assert not set("\r\n ") & set(place.target + place.host + str(place.request.url))


DATE = "Tue, 24 Nov 2026 03:00:05 GMT"


@pytest.mark.parametrize(
    ("age", "counts"),
    [
        (None, True), ("0", True), ("60", True), (" 59 ", True), ("61", False), ("3600", False),
        ("", False), ("-1", False), ("1, 2", False), ("soon", False), ("9" * 30, False),
    ],
)  # fmt: skip
def test_a_date_counts_unless_a_cache_kept_the_answer_for_long(
    age: str | None, counts: bool
) -> None:
    headers = {"Date": DATE} | ({} if age is None else {"Age": age})
    assert (answers.answered_at(headers) is not None) is counts


@pytest.mark.parametrize(
    ("header", "body", "problem"),
    [
        ("", b"", None),
        ("", b"<html>oauth</html>", None),
        ("", b"oauth_problem=nonce_used&oauth_token=s3cr3t", "nonce_used"),
        ("", b'{"Code":401,"Message":"oauth_problem=token_rejected"}', "token_rejected"),
        ("", b'{"oauth_problem": "timestamp_refused"}', "timestamp_refused"),
        ('OAuth realm="x", oauth_problem="signature_invalid"', b"", "signature_invalid"),
        ("OAuth oauth_problem=token_revoked", b"oauth_problem=nonce_used", "token_revoked"),
        ("", b"oauth_problem=abcdefghijkl", "a problem without a name"),
        ("", b" " * 5000 + b"oauth_problem=nonce_used", None),
        ("", b"\xff\x00oauth_problem=nonce_used", "nonce_used"),
    ],
)
def test_the_problem_of_a_refused_signature_is_read_by_its_word_alone(
    header: str, body: bytes, problem: str | None
) -> None:
    assert answers.oauth_problem({"WWW-Authenticate": header}, body) == problem
