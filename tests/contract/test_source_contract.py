"""What the port `PhotoSource` promises, held against every source.

API 1.3.0 and API v2 read the same local SmugMug; the fake of the thousand nights keeps the
promises that need no HTTP.
"""

import contextlib
import json
import logging
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from smugmug_backup.archive import records
from smugmug_backup.archive.encoding import canonical_json
from smugmug_backup.archive.keys import is_id
from smugmug_backup.archive.manifest import album_fingerprint
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AccessRefused,
    BackupError,
    BadRequest,
    LoginLost,
    MalformedAnswer,
    OutOfTime,
    PhotoError,
    PhotoRefused,
    PhotoTooLarge,
    PhotoUnsafe,
    SourceError,
    SourceRetired,
    SourceUnavailable,
)
from smugmug_backup.model import Account, Album, Availability, Image, Offer
from smugmug_backup.ports import PhotoSource
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.source_130 import SmugMug130Source
from smugmug_backup.smugmug.source_v2 import SmugMugV2Source
from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.faults import Fault, Points, possible
from tests.tools.faulty_source import FaultySource
from tests.tools.killed import Killed
from tests.tools.streams import all_of

_SOURCES: dict[str, Any] = {"1.3.0": SmugMug130Source, "v2": SmugMugV2Source}


class Rig:
    """A world, the service that shows it, and sources that read it, on one clock."""

    def __init__(self, api: str, stack: ExitStack) -> None:
        self.api = api
        self.clock = FakeClock()
        account = generate_account(seed=5, albums=3, images=4, video_every=4)
        self.world = World(account, clock=self.clock.now)
        self.smugmug = stack.enter_context(LocalSmugMug(self.world))
        self.account = account
        self.deadline = Deadline.none(self.clock)

    def source(
        self, *, signed: bool = True, nickname: str | None = None, secret: Any = None, **more: Any
    ) -> PhotoSource:
        credentials = Credentials.from_json(
            json.dumps(secret or self.account.secret(signed=signed))
        )
        governor = Governor(clock=self.clock, max_concurrency=4, **more.pop("pace", {}))
        source: PhotoSource = _SOURCES[self.api](
            credentials,
            nickname or self.account.nickname,
            api_url=self.smugmug.url,
            governor=governor,
            clock=self.clock,
            photo_hosts=("127.0.0.1",),
            **{"attempts": 3, **more},
        )
        return source

    def ready(self, source: PhotoSource, album: Album, image: Image) -> Offer:
        """The offer, looked up if that is needed."""
        if image.offer.availability is Availability.LOOKUP:
            return source.resolve(album, image, deadline=self.deadline)
        return image.offer

    def bytes_of(self, source: PhotoSource, offer: Offer) -> bytes:
        with source.open(offer, deadline=self.deadline) as stream:
            body = all_of(stream)
        assert stream.length in (None, len(body))
        return body


@pytest.fixture(params=["1.3.0", "v2"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(request.param, stack)


def albums_of(rig: Rig, source: PhotoSource) -> dict[str, Album]:
    return {album.key: album for album in source.albums(deadline=rig.deadline)}


def listed(rig: Rig, source: PhotoSource, album: Album) -> dict[str, Image]:
    listing = source.images(album, since=None, deadline=rig.deadline)
    return {image.key: image for image in listing.images}


def first_album(rig: Rig) -> str:
    return next(iter(rig.account.albums))


# -- the account ---------------------------------------------------------------------------------


def test_the_account_is_checked_by_one_call(rig: Rig) -> None:
    source = rig.source()
    assert source.account(deadline=rig.deadline) == Account(rig.account.nickname, "owner")
    assert source.api_calls == rig.smugmug.calls.api == 1


def test_the_public_view_needs_no_call(rig: Rig) -> None:
    source = rig.source(signed=False)
    assert source.account(deadline=rig.deadline) == Account(rig.account.nickname, "public")
    assert rig.smugmug.calls.api == 0


def test_a_token_of_another_account_is_refused(rig: Rig) -> None:
    with pytest.raises(BadRequest):
        rig.source(nickname="somebodyelse").account(deadline=rig.deadline)


def test_the_nickname_is_the_same_in_any_case(rig: Rig) -> None:
    nickname = rig.account.nickname.upper()
    seen = rig.source(nickname=nickname).account(deadline=rig.deadline)
    assert seen.nickname == rig.account.nickname


@pytest.mark.parametrize("field", ["api_secret", "access_token", "access_token_secret", "api_key"])
def test_a_login_that_is_not_accepted_is_lost(field: str, rig: Rig) -> None:
    secret = {**rig.account.secret(), field: "wrong"}
    with pytest.raises(LoginLost):
        rig.source(secret=secret).account(deadline=rig.deadline)


def test_a_token_that_was_made_for_what_is_public_is_refused_with_a_hint(rig: Rig) -> None:
    rig.smugmug.switches.set(token_access="Public")
    with pytest.raises(BadRequest, match="Access=Full"):
        rig.source().account(deadline=rig.deadline)


# -- albums --------------------------------------------------------------------------------------


def test_every_album_is_shown_once_the_empty_ones_too(rig: Rig) -> None:
    empty = rig.world.new_album("Nothing yet", folders=("Travel", "Coast"))
    albums = rig.source().albums(deadline=rig.deadline)
    assert sorted(album.key for album in albums) == sorted(rig.account.albums)
    shown = {album.key: album for album in albums}
    assert shown[empty.key].image_count == 0
    assert shown[empty.key].title == "Nothing yet"
    assert shown[empty.key].path == ("Travel", "Coast")
    assert all(is_id(album.key) for album in albums)
    others = [album for album in albums if album.key != empty.key]
    assert [album.image_count for album in others] == [4, 4, 4]


def test_an_album_can_travel(rig: Rig) -> None:
    for album in rig.source().albums(deadline=rig.deadline):
        data = json.loads(json.dumps(dict(album.data)))
        again = replace(album, data=data, urls=tuple(json.loads(json.dumps(album.urls))))
        assert album_fingerprint(again.data) == album_fingerprint(album.data)


def test_an_account_without_albums_is_shown_as_such(rig: Rig) -> None:
    rig.world.drop_everything()
    assert rig.source().albums(deadline=rig.deadline) == ()


# -- images --------------------------------------------------------------------------------------


def test_a_full_listing_shows_all_images_in_their_order(rig: Rig) -> None:
    source = rig.source()
    for key, album in albums_of(rig, source).items():
        listing = source.images(album, since=None, deadline=rig.deadline)
        there = rig.world.listed(rig.account.albums[key])
        assert listing.full
        assert [image.key for image in listing.images] == [image.key for image in there]
        assert [image.position for image in listing.images] == list(range(1, len(there) + 1))
        assert [image.file_name for image in listing.images] == [i.file_name for i in there]
        assert listing.image_count == len(there) == album.image_count
        assert listing.answered_at == rig.clock.now().replace(microsecond=0)


def test_a_listing_of_changes_shows_what_changed(rig: Rig) -> None:
    source = rig.source()
    key = first_album(rig)
    since = int((rig.clock.now() - timedelta(hours=1)).timestamp())
    image = rig.account.albums[key].images[2]
    rig.world.edit(image.key, caption="The old quay")
    album = albums_of(rig, source)[key]
    listing = source.images(album, since=since, deadline=rig.deadline)
    found = {shown.key: shown for shown in listing.images}
    assert found[image.key].data["Caption"] == "The old quay"
    assert listing.full or len(found) == 1
    assert listing.answered_at == rig.clock.now().replace(microsecond=0)


def test_a_listing_of_no_changes_is_empty_and_dated(rig: Rig) -> None:
    source = rig.source()
    since = int((rig.clock.now() - timedelta(hours=1)).timestamp())
    album = albums_of(rig, source)[first_album(rig)]
    listing = source.images(album, since=since, deadline=rig.deadline)
    assert (listing.full, listing.images) == (False, ())
    assert listing.answered_at == rig.clock.now().replace(microsecond=0)
    assert rig.smugmug.calls.of("images", album.key) == (1 if rig.api == "1.3.0" else 0)


def test_an_empty_album_lists_nothing(rig: Rig) -> None:
    empty = rig.world.new_album("Nothing yet")
    source = rig.source()
    album = albums_of(rig, source)[empty.key]
    for shape in ("[]", "absent", "null"):
        for strict in (True, False):
            rig.smugmug.switches.set(empty_images=shape, strict_15=strict)
            listing = source.images(album, since=None, deadline=rig.deadline)
            assert (listing.full, listing.images) == (True, ())
            assert listing.image_count in (0, None)


def test_numbers_and_booleans_may_come_as_texts(rig: Rig) -> None:
    plain = rig.source()
    album = albums_of(rig, plain)[first_album(rig)]
    before = listed(rig, plain, album)
    rig.smugmug.switches.set(numbers_as_strings=True, booleans_as_strings=True)
    source = rig.source()
    again = albums_of(rig, source)[album.key]
    assert (again.id, again.image_count) == (album.id, album.image_count)
    after = listed(rig, source, again)
    for key, image in after.items():
        assert (image.id, image.position) == (before[key].id, before[key].position)
        assert (image.offer.size, image.offer.serial) == (
            before[key].offer.size,
            before[key].offer.serial,
        )


def test_records_stand_still_while_addresses_change(rig: Rig) -> None:
    source = rig.source()
    album = albums_of(rig, source)[first_album(rig)]

    def bodies() -> list[bytes]:
        images = listed(rig, source, albums_of(rig, source)[album.key]).values()
        return [records.record_line(image, source.name) for image in images]

    before = bodies()
    rig.smugmug.switches.set(url_rotation_each_call=True, url_rotation=9)
    assert bodies() == before


def test_records_hold_nothing_secret_and_no_address(rig: Rig) -> None:
    key = first_album(rig)
    rig.world.edit_album(key, password="hush-hush", password_hint="the-hint")
    source = rig.source()
    for album in albums_of(rig, source).values():
        texts = [canonical_json(dict(album.data)), repr(album).encode()]
        for image in listed(rig, source, album).values():
            texts += [records.record_line(image, source.name), repr(image).encode()]
        for text in texts:
            assert b"http" not in text
            for secret in [*rig.account.secret_texts(), "hush-hush", "the-hint"]:
                assert secret.encode() not in text


# -- originals -----------------------------------------------------------------------------------


def test_every_offer_is_what_it_says(rig: Rig) -> None:
    source = rig.source()
    kinds = set()
    for album in albums_of(rig, source).values():
        for image in listed(rig, source, album).values():
            there = rig.world.image(image.key)
            offer = rig.ready(source, album, image)
            kinds.add(offer.kind)
            assert offer.availability is Availability.READY
            assert there.best is not None
            body = rig.bytes_of(source, offer)
            assert body == b"".join(there.best.chunks())
            assert offer.kind == ("rendition" if there.is_video else "original")
            if offer.exact:
                assert offer.size == len(body)
                assert offer.md5 == there.best.md5
    assert kinds == {"original", "rendition"}


def test_a_video_in_the_making_is_said_to_be_so(rig: Rig) -> None:
    key = first_album(rig)
    video = rig.world.upload_video(key, processing=True)
    source = rig.source()
    album = albums_of(rig, source)[key]
    image = listed(rig, source, album)[video.key]
    assert rig.ready(source, album, image).availability is Availability.PROCESSING
    rig.world.finish_processing(video.key)
    image = listed(rig, source, album)[video.key]
    assert rig.ready(source, album, image).availability is Availability.READY


def test_a_photo_without_an_original_has_none(rig: Rig) -> None:
    key = first_album(rig)
    image_key = rig.account.albums[key].images[0].key
    rig.world.forget_original(image_key)
    source = rig.source()
    album = albums_of(rig, source)[key]
    assert rig.ready(source, album, listed(rig, source, album)[image_key]).kind == "none"


def test_a_collected_photo_is_found_at_home(rig: Rig) -> None:
    home, guest = list(rig.account.albums)[:2]
    image_key = rig.account.albums[home].images[0].key
    rig.world.collect(image_key, guest, with_original=False, shown_as="Smart")
    source = rig.source()
    album = albums_of(rig, source)[guest]
    offer = rig.ready(source, album, listed(rig, source, album)[image_key])
    best = rig.world.image(image_key).best
    assert best is not None
    assert rig.bytes_of(source, offer) == b"".join(best.chunks())


def test_a_collected_photo_without_an_original_anywhere_has_none(rig: Rig) -> None:
    home, guest = list(rig.account.albums)[:2]
    image_key = rig.account.albums[home].images[0].key
    rig.world.collect(image_key, guest, with_original=False)
    rig.world.forget_original(image_key)
    source = rig.source()
    album = albums_of(rig, source)[guest]
    assert rig.ready(source, album, listed(rig, source, album)[image_key]).kind == "none"


def test_a_photo_without_md5_is_offered_without(rig: Rig) -> None:
    key = first_album(rig)
    image_key = rig.account.albums[key].images[0].key
    rig.world.forget_md5(image_key)
    source = rig.source()
    image = listed(rig, source, albums_of(rig, source)[key])[image_key]
    assert (image.offer.md5, image.offer.kind) == (None, "original")


def test_a_private_photo_is_fetched_signed(rig: Rig) -> None:
    key = first_album(rig)
    rig.world.edit_album(key, privacy="Private")
    source = rig.source()
    album = albums_of(rig, source)[key]
    image = next(iter(listed(rig, source, album).values()))
    best = rig.world.image(image.key).best
    assert best is not None
    assert rig.bytes_of(source, image.offer) == b"".join(best.chunks())


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 403}, PhotoRefused),
        ({"kind": "status", "status": 404}, PhotoRefused),
        ({"kind": "status", "status": 410}, PhotoRefused),
        ({"kind": "status", "status": 500}, PhotoError),
        ({"kind": "status", "status": 429, "retry_after": 3}, PhotoError),
        ({"kind": "reset"}, PhotoError),
        ({"kind": "short"}, PhotoError),
        ({"kind": "close_midway"}, PhotoError),
        ({"kind": "redirect", "location": "https://evil.example/x.jpg"}, PhotoUnsafe),
        ({"kind": "redirect", "location": "http://10.0.0.1/x.jpg"}, PhotoUnsafe),
        ({"kind": "redirect", "location": "http://localhost/x.jpg"}, PhotoUnsafe),
    ],
)
def test_a_download_that_fails_says_how(
    fault: dict[str, Any], error: type[PhotoError], rig: Rig
) -> None:
    source = rig.source()
    album = albums_of(rig, source)[first_album(rig)]
    image = next(iter(listed(rig, source, album).values()))
    rig.smugmug.faults.add(on="photo", times=None, **fault)
    with pytest.raises(error) as caught:
        rig.bytes_of(source, image.offer)
    assert isinstance(caught.value, PhotoRefused) is (error is PhotoRefused)
    rig.smugmug.faults.clear()
    assert len(rig.bytes_of(source, image.offer)) == image.offer.size


def test_a_download_that_stumbles_once_succeeds(rig: Rig) -> None:
    source = rig.source()
    album = albums_of(rig, source)[first_album(rig)]
    image = next(iter(listed(rig, source, album).values()))
    rig.smugmug.faults.add("status", on="photo", status=503, retry_after=7)
    before = rig.clock.monotonic()
    assert len(rig.bytes_of(source, image.offer)) == image.offer.size
    assert rig.clock.monotonic() - before >= 7
    assert rig.smugmug.calls.during_retry_after == 0


def test_more_than_the_ceiling_is_too_large(rig: Rig) -> None:
    source = rig.source(max_photo_bytes=100)
    album = albums_of(rig, source)[first_album(rig)]
    image = next(iter(listed(rig, source, album).values()))
    with pytest.raises(PhotoTooLarge):
        rig.bytes_of(source, image.offer)
    with pytest.raises(PhotoTooLarge):
        rig.bytes_of(source, replace(image.offer, size=None))


# -- answers that cannot be believed -------------------------------------------------------------

WEATHER = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503, "retry_after": 2},
    {"kind": "status", "status": 429, "retry_after": 2},
    {"kind": "code", "code": 5},
    {"kind": "code", "code": 98},
    {"kind": "code", "code": 99},
    {"kind": "reset"},
    {"kind": "close_midway", "keep": 0.02},
]
NONSENSE = [
    {"kind": "html"},
    {"kind": "not_json"},
    {"kind": "empty"},
    {"kind": "no_content"},
    {"kind": "truncated"},
    {"kind": "truncated_unsized"},
    {"kind": "wrong_envelope"},
    {"kind": "deep"},
    {"kind": "gzip_bomb", "size": 65 << 20},
    {"kind": "redirect", "location": "https://www.smugmug.com/"},
    {"kind": "duplicate"},
    {"kind": "missing_key"},
    {"kind": "malformed_key"},
]


def name_of(fault: dict[str, Any]) -> str:
    return "-".join(map(str, fault.values()))


def test_an_image_that_is_listed_twice_is_handed_on_twice_and_first_things_first(rig: Rig) -> None:
    source = rig.source()
    album = albums_of(rig, source)[first_album(rig)]
    once = source.images(album, since=None, deadline=rig.deadline).images
    rig.smugmug.faults.add("duplicate", method="images", album=album.key, times=None)
    twice = source.images(album, since=None, deadline=rig.deadline).images
    assert [image.key for image in twice] == [*(image.key for image in once), once[0].key]


@pytest.mark.parametrize("fault", [*WEATHER, *NONSENSE[:-3], *NONSENSE[-2:]], ids=name_of)
def test_one_album_that_is_answered_badly_is_that_albums_error(
    fault: dict[str, Any], rig: Rig
) -> None:
    source = rig.source()
    albums = albums_of(rig, source)
    bad, *good = albums.values()
    rig.smugmug.faults.add(method="images", album=bad.key, times=None, **fault)
    with pytest.raises(SourceError) as caught:
        source.images(bad, since=None, deadline=rig.deadline)
    expected = SourceUnavailable if fault in WEATHER else MalformedAnswer
    assert type(caught.value) is expected
    assert not caught.value.fatal
    for album in good:
        assert len(listed(rig, source, album)) == 4
    rig.smugmug.faults.clear()
    assert len(listed(rig, source, bad)) == 4


@pytest.mark.parametrize("fault", WEATHER + NONSENSE, ids=name_of)
def test_an_account_that_is_answered_badly_is_never_empty(fault: dict[str, Any], rig: Rig) -> None:
    source = rig.source()
    source.account(deadline=rig.deadline)
    rig.smugmug.faults.add(method="albums", times=None, **fault)
    with pytest.raises(SourceError) as caught:
        source.albums(deadline=rig.deadline)
    if fault["kind"] in ("html", "redirect"):
        assert type(caught.value) is SourceRetired
        assert "SMUGMUG_API" in str(caught.value)
    elif fault in WEATHER:
        assert type(caught.value) is SourceUnavailable
    else:
        assert type(caught.value) is MalformedAnswer


@pytest.mark.parametrize("fault", WEATHER, ids=name_of)
def test_what_happens_once_is_not_noticed(fault: dict[str, Any], rig: Rig) -> None:
    source = rig.source()
    rig.smugmug.faults.add(method="albums", **fault)
    rig.smugmug.faults.add(method="images", **fault)
    album = albums_of(rig, source)[first_album(rig)]
    assert len(listed(rig, source, album)) == 4
    assert source.api_calls == rig.smugmug.calls.api == 4
    assert rig.smugmug.calls.during_retry_after == 0


@pytest.mark.parametrize("where", ["header", "body"])
@pytest.mark.parametrize("problem", ["nonce_used", "timestamp_refused"])
def test_a_signature_that_collided_once_is_not_noticed(problem: str, where: str, rig: Rig) -> None:
    source = rig.source()
    for method in ("account", "albums", "images", "photo"):
        rig.smugmug.faults.add("oauth_problem", method=method, problem=problem, where=where)
    source.account(deadline=rig.deadline)
    album = albums_of(rig, source)[first_album(rig)]
    image = next(iter(listed(rig, source, album).values()))
    assert len(rig.bytes_of(source, image.offer)) == image.offer.size


def test_a_clock_that_is_hours_off_is_mended_by_the_services_own(rig: Rig) -> None:
    rig.smugmug.switches.set(oauth_clock="world")
    rig.world.clock = lambda: rig.clock.now() + timedelta(hours=2)
    source = rig.source()
    assert source.account(deadline=rig.deadline).access == "owner"
    assert source.api_calls == 2
    album = albums_of(rig, source)[first_album(rig)]
    assert len(listed(rig, source, album)) == 4
    assert source.api_calls == 4, "and it stays mended"


def test_a_problem_of_the_login_is_named_and_one_of_an_album_is_that_albums(rig: Rig) -> None:
    source = rig.source()
    bad, *good = albums_of(rig, source).values()
    add = partial(rig.smugmug.faults.add, album=bad.key, method="images", times=None)
    for problem, error in (("token_revoked", LoginLost), ("permission_denied", AccessRefused)):
        add("oauth_problem", problem=problem)
        with pytest.raises(error, match=problem):
            source.images(bad, since=None, deadline=rig.deadline)
        rig.smugmug.faults.clear()
    add("status", status=401)
    with pytest.raises(AccessRefused):
        source.images(bad, since=None, deadline=rig.deadline)
    source.account(deadline=rig.deadline)
    for album in good:
        assert len(listed(rig, source, album)) == 4


@pytest.mark.parametrize("encoding", ["br", "gzip"])
@pytest.mark.parametrize(("status", "error"), [(503, SourceUnavailable), (401, LoginLost)])
def test_an_error_is_one_however_it_is_packed(
    status: int, error: type[SourceError], encoding: str, rig: Rig
) -> None:
    source = rig.source()
    source.account(deadline=rig.deadline)
    rig.smugmug.faults.add("packed", encoding=encoding, status=status, times=None)
    with pytest.raises(error):
        source.albums(deadline=rig.deadline)


@pytest.mark.parametrize("kind", ["trickle", "trickling_head"])
def test_an_answer_that_trickles_is_left_in_time(kind: str, rig: Rig) -> None:
    source = rig.source(attempts=1)
    album = albums_of(rig, source)[first_album(rig)]
    image = next(iter(listed(rig, source, album).values()))
    asks = (
        lambda deadline: source.albums(deadline=deadline),
        lambda deadline: source.open(image.offer, deadline=deadline).__enter__(),
    )

    def pass_by(seconds: float) -> bool:
        rig.clock.advance(seconds=seconds)
        time.sleep(0.005)
        return False

    rig.smugmug._sleep = pass_by  # type: ignore[method-assign]
    rig.smugmug.faults.add(kind, piece=2, pause=3, times=None)
    for ask in asks:
        if kind == "trickle" and ask is asks[1]:
            continue  # Its headers come at once; what its body does is below.
        begun = rig.clock.monotonic()
        with pytest.raises(OutOfTime):
            ask(Deadline.after(rig.clock, 20))
        with pytest.raises(SourceError):
            ask(rig.deadline)
        assert rig.clock.monotonic() - begun < 1000
    with pytest.raises(PhotoError):
        rig.bytes_of(source, image.offer)


# The switch retires API 1.3.0.
@pytest.mark.parametrize("rig", ["1.3.0"], indirect=True)
@pytest.mark.parametrize("retired", ["404", "410", "html", "redirect", "17", "11", "38"])
def test_a_retired_api_is_its_own_error(retired: str, rig: Rig) -> None:
    source = rig.source()
    rig.smugmug.switches.set(retired=retired)
    for ask in (source.account, source.albums):
        with pytest.raises(SourceRetired, match="SMUGMUG_API=v2"):
            ask(deadline=rig.deadline)


@pytest.mark.parametrize(
    "fault", [{"kind": "date", "value": None}, {"kind": "date", "value": "noon"}, {"kind": "age"}]
)
def test_a_date_that_proves_nothing_is_none(fault: dict[str, Any], rig: Rig) -> None:
    source = rig.source()
    album = albums_of(rig, source)[first_album(rig)]
    rig.smugmug.faults.add(method="images", **fault)
    listing = source.images(album, since=None, deadline=rig.deadline)
    assert listing.answered_at is None
    assert len(listing.images) == 4


@pytest.mark.parametrize(("seconds", "counts"), [(0, True), (60, True), (61, False)])
def test_a_date_that_a_cache_kept_for_a_minute_counts(seconds: int, counts: bool, rig: Rig) -> None:
    source = rig.source()
    album = albums_of(rig, source)[first_album(rig)]
    rig.smugmug.faults.add("age", method="images", seconds=seconds)
    listing = source.images(album, since=None, deadline=rig.deadline)
    assert (listing.answered_at is not None) is counts


def test_the_date_of_the_newest_answer_is_told(rig: Rig) -> None:
    source = rig.source()
    assert source.answered_at is None
    source.account(deadline=rig.deadline)
    assert source.answered_at == rig.clock.now().replace(microsecond=0)
    rig.clock.advance(seconds=300)
    album = albums_of(rig, source)[first_album(rig)]
    assert source.answered_at == rig.clock.now().replace(microsecond=0)
    rig.clock.advance(seconds=300)
    source.images(album, since=None, deadline=rig.deadline)
    newest = source.answered_at
    assert newest == rig.clock.now().replace(microsecond=0)
    rig.clock.advance(seconds=300)
    for fault in ({"kind": "date", "value": None}, {"kind": "age"}, {"kind": "html"}):
        rig.smugmug.faults.add(method="images", times=None, **fault)
        with contextlib.suppress(SourceError):
            source.images(album, since=None, deadline=rig.deadline)
        rig.smugmug.faults.clear()
        assert source.answered_at == newest, "what proves nothing changes nothing"


def test_the_dates_of_last_night_are_forgotten_when_the_account_is_asked_for(rig: Rig) -> None:
    for source in (rig.source(), rig.source(signed=False)):
        source.albums(deadline=rig.deadline)
        assert source.answered_at is not None
        rig.smugmug.faults.add("date", method="account", value=None)
        source.account(deadline=rig.deadline)
        assert source.answered_at is None
        rig.smugmug.faults.clear()


def test_a_listing_that_drops_an_image_shows_it_in_the_count(rig: Rig) -> None:
    source = rig.source()
    album = albums_of(rig, source)[first_album(rig)]
    rig.smugmug.faults.add("dropped", method="images", times=None)
    try:
        listing = source.images(album, since=None, deadline=rig.deadline)
    except MalformedAnswer:
        return
    assert len(listing.images) == 3
    assert listing.image_count == 4


# -- what only API 1.3.0 does ---------------------------------------------------------------------


@pytest.fixture
def rig_130() -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig("1.3.0", stack)


def test_a_password_album_that_answers_401_is_refused_alone(rig_130: Rig) -> None:
    rig_130.smugmug.switches.set(password_refusal="401")
    closed = first_album(rig_130)
    rig_130.world.edit_album(closed, password="word")
    secret = {**rig_130.account.secret(signed=False), "album_passwords": {}}
    source = rig_130.source(secret=secret)
    for key, album in albums_of(rig_130, source).items():
        if key == closed:
            with pytest.raises(AccessRefused) as caught:
                source.images(album, since=None, deadline=rig_130.deadline)
            assert not caught.value.fatal
        else:
            assert len(listed(rig_130, source, album)) == 4


@pytest.mark.parametrize(("form", "start"), [("gif", b"GIF8"), ("jpeg", b"\xff\xd8\xff")])
def test_a_picture_in_the_place_of_a_video_is_handed_on_as_it_came(
    form: str, start: bytes, rig_130: Rig
) -> None:
    """Nothing in the offer vouches for it: no exact MD5, no exact length."""
    key = first_album(rig_130)
    video = rig_130.world.upload_video(key, processing=True)
    rig_130.smugmug.switches.set(unready_video=form)
    source = rig_130.source()
    offer = listed(rig_130, source, albums_of(rig_130, source)[key])[video.key].offer
    assert (offer.kind, offer.availability, offer.exact) == ("rendition", Availability.READY, False)
    assert rig_130.bytes_of(source, offer).startswith(start)


# -- what only API v2 can do ----------------------------------------------------------------------


@pytest.fixture
def rig_v2() -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig("v2", stack)


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("most", [1, 2, 3, 4, None])
def test_pages_of_any_size_are_read_to_the_last(most: int | None, keeps: bool, rig_v2: Rig) -> None:
    rig_v2.smugmug.switches.set(v2_max_count=most, v2_next_page_keeps_parameters=keeps)
    source = rig_v2.source()
    albums = albums_of(rig_v2, source)
    assert set(albums) == set(rig_v2.account.albums)
    for key, album in albums.items():
        there = [image.key for image in rig_v2.account.albums[key].images]
        assert list(listed(rig_v2, source, album)) == there


def test_an_order_that_never_stands_still_loses_nothing_in_silence(rig_v2: Rig) -> None:
    rig_v2.world.new_album("Long", images=40)
    rig_v2.smugmug.switches.set(v2_max_count=7, v2_order_changes=True)
    source = rig_v2.source()
    key = list(rig_v2.account.albums)[-1]
    album = Album(key, None, "Long", (), 40, {}, ())
    listing = source.images(album, since=None, deadline=rig_v2.deadline)
    assert listing.image_count == 40
    keys = {image.key for image in listing.images}
    assert len(keys) == len(listing.images) <= 40
    assert keys <= {image.key for image in rig_v2.account.albums[key].images}


def test_pages_that_skip_entries_show_it_in_the_count(rig_v2: Rig) -> None:
    rig_v2.smugmug.switches.set(v2_max_count=2, v2_page_shift=1)
    source = rig_v2.source()
    album = Album(first_album(rig_v2), None, "", (), 4, {}, ())
    listing = source.images(album, since=None, deadline=rig_v2.deadline)
    assert (len(listing.images), listing.image_count) == (3, 4)


def test_an_image_that_leaves_between_two_pages_makes_the_listing_new(rig_v2: Rig) -> None:
    rig_v2.smugmug.switches.set(v2_max_count=2, v2_removed_between_pages=1)
    source = rig_v2.source()
    key = first_album(rig_v2)
    _, *rest = [image.key for image in rig_v2.account.albums[key].images]
    album = Album(key, None, "", (), 4, {}, ())
    listing = source.images(album, since=None, deadline=rig_v2.deadline)
    assert [image.key for image in listing.images] == rest
    assert listing.image_count == 3


def test_images_that_leave_all_the_time_are_not_vouched_for(rig_v2: Rig) -> None:
    key = rig_v2.world.new_album("Long", images=40).key
    rig_v2.smugmug.switches.set(v2_max_count=10, v2_removed_between_pages=99)
    source = rig_v2.source()
    album = Album(key, None, "", (), 40, {}, ())
    try:
        listing = source.images(album, since=None, deadline=rig_v2.deadline)
    except MalformedAnswer:
        return
    assert listing.image_count != len(listing.images)


def test_pages_that_are_too_slow_are_asked_for_smaller(
    rig_v2: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smugmug_backup.smugmug.transport._READ_SECONDS", 0.1)
    key = rig_v2.world.new_album("Long", images=60).key
    rig_v2.smugmug.switches.set(v2_slow_page=50, v2_slow_seconds=30.0)
    source = rig_v2.source()
    album = Album(key, None, "", (), 60, {}, ())
    assert len(listed(rig_v2, source, album)) == 60
    assert source.api_calls == 4, "200 and 100 at a time in vain, then 50 and the rest"


def test_a_404_of_the_albums_that_passes_is_not_noticed(rig_v2: Rig) -> None:
    source = rig_v2.source()
    rig_v2.smugmug.faults.add("status", method="albums", status=404)
    assert len(albums_of(rig_v2, source)) == 3
    rig_v2.smugmug.faults.add("status", method="albums", status=404, times=None)
    with pytest.raises(MalformedAnswer):
        source.albums(deadline=rig_v2.deadline)


@pytest.mark.parametrize("answer", ["refused", "empty"])
def test_an_album_behind_a_password_fails_alone_whatever_is_listed(
    answer: str, rig_v2: Rig
) -> None:
    closed = first_album(rig_v2)
    rig_v2.world.edit_album(closed, password="word")
    rig_v2.smugmug.switches.set(v2_password_listing=answer)
    source = rig_v2.source(signed=False)
    for key, album in albums_of(rig_v2, source).items():
        if key == closed:
            with pytest.raises(AccessRefused, match="password"):
                source.images(album, since=None, deadline=rig_v2.deadline)
        else:
            assert len(listed(rig_v2, source, album)) == 4
    owner = rig_v2.source()
    assert len(listed(rig_v2, owner, albums_of(rig_v2, owner)[closed])) == 4


def test_what_is_processing_is_tried_where_it_has_an_address(rig_v2: Rig) -> None:
    key = first_album(rig_v2)
    image = rig_v2.world.upload(key, processing=True)
    source = rig_v2.source()
    album = Album(key, None, "", (), 5, {}, ())
    waiting = listed(rig_v2, source, album)[image.key].offer
    assert waiting.availability is Availability.PROCESSING
    rig_v2.smugmug.switches.set(v2_processing_has_archived=True)
    offer = listed(rig_v2, source, album)[image.key].offer
    assert rig_v2.bytes_of(source, offer) == image.body.read()


def test_a_collected_photo_is_found_in_its_home_album_if_nowhere_else(rig_v2: Rig) -> None:
    home, guest = list(rig_v2.account.albums)[:2]
    image = rig_v2.account.albums[home].images[0]
    rig_v2.world.collect(image.key, guest, with_original=False)
    rig_v2.smugmug.switches.set(v2_image_has_archived=False)
    source = rig_v2.source()
    album = albums_of(rig_v2, source)[guest]
    offer = rig_v2.ready(source, album, listed(rig_v2, source, album)[image.key])
    assert rig_v2.bytes_of(source, offer) == image.body.read()


def test_a_rendition_states_the_md5_of_its_own_bytes(rig_v2: Rig) -> None:
    key = first_album(rig_v2)
    video = rig_v2.world.upload_video(key)
    source = rig_v2.source()
    album = Album(key, None, "", (), 5, {}, ())
    offer = rig_v2.ready(source, album, listed(rig_v2, source, album)[video.key])
    assert video.best is not None
    assert (offer.exact, offer.md5, offer.size) == (True, video.best.md5, video.best.size)


def test_the_rate_limit_is_kept_before_it_is_broken(rig_v2: Rig) -> None:
    rig_v2.smugmug.switches.set(v2_rate_limit=2, v2_rate_window=60.0)
    source = rig_v2.source()
    for album in albums_of(rig_v2, source).values():
        assert len(listed(rig_v2, source, album)) == 4
    assert rig_v2.smugmug.calls.by_status[429] == 0
    assert rig_v2.clock.sleeps and sum(rig_v2.clock.sleeps) <= 130


def test_a_key_without_access_to_v2_is_told_what_to_do(rig_v2: Rig) -> None:
    rig_v2.smugmug.switches.set(v2_access=False)
    for ask in (rig_v2.source().account, rig_v2.source(signed=False).albums):
        with pytest.raises(LoginLost, match="terms"):
            ask(deadline=rig_v2.deadline)


def test_folders_of_any_depth_are_the_path(rig_v2: Rig) -> None:
    folders = ("Travel", "Mountains", "2024", "Winter")
    album = rig_v2.world.new_album("Deep", folders=folders)
    assert albums_of(rig_v2, rig_v2.source())[album.key].path == folders


def test_a_night_without_changes_costs_one_call_for_all_albums(rig_v2: Rig) -> None:
    source = rig_v2.source()
    since = int((rig_v2.clock.now() - timedelta(hours=48)).timestamp())
    for album in albums_of(rig_v2, source).values():
        assert not source.images(album, since=since, deadline=rig_v2.deadline).images
    assert source.api_calls == 1


# -- rights --------------------------------------------------------------------------------------


def test_a_closed_album_is_refused_and_the_others_are_not(rig: Rig) -> None:
    source = rig.source(signed=False)
    closed, *others = albums_of(rig, source).values()
    rig.world.edit_album(closed.key, privacy="Private")
    with pytest.raises(SourceError) as caught:
        source.images(closed, since=None, deadline=rig.deadline)
    assert not caught.value.fatal
    for album in others:
        assert len(listed(rig, source, album)) == 4


def test_the_public_view_leaves_private_albums_out(rig: Rig) -> None:
    key = first_album(rig)
    rig.world.edit_album(key, privacy="Private")
    assert key not in albums_of(rig, rig.source(signed=False))
    assert key in albums_of(rig, rig.source())


# API v2 takes no passwords with a call.
@pytest.mark.parametrize("rig", ["1.3.0"], indirect=True)
def test_passwords_open_albums_and_sites(rig: Rig) -> None:
    key = first_album(rig)
    rig.account.site_protected = True
    rig.world.edit_album(key, password="word & word")
    source = rig.source(signed=False)
    assert len(listed(rig, source, albums_of(rig, source)[key])) == 4
    secret = {**rig.account.secret(signed=False), "album_passwords": {key: "wrong"}}
    source = rig.source(secret=secret)
    with pytest.raises(AccessRefused):
        listed(rig, source, albums_of(rig, source)[key])
    with pytest.raises(AccessRefused):
        albums_of(rig, rig.source(secret={**secret, "site_password": "wrong"}))


# -- time, threads and texts ---------------------------------------------------------------------


def test_nothing_is_asked_when_the_time_is_over(rig: Rig) -> None:
    source = rig.source()
    album = albums_of(rig, source)[first_album(rig)]
    image = next(iter(listed(rig, source, album).values()))
    over = Deadline.after(rig.clock, 0)
    asked = rig.smugmug.calls.total
    for ask in (
        lambda: source.account(deadline=over),
        lambda: source.albums(deadline=over),
        lambda: source.images(album, since=None, deadline=over),
        lambda: source.open(image.offer, deadline=over).__enter__(),
    ):
        with pytest.raises(OutOfTime):
            ask()
    assert rig.smugmug.calls.total == asked


def test_a_wait_that_is_too_long_is_not_begun(rig: Rig) -> None:
    source = rig.source()
    rig.smugmug.faults.add("status", method="albums", status=429, retry_after=500, times=None)
    with pytest.raises(OutOfTime):
        source.albums(deadline=Deadline.after(rig.clock, 100))
    assert rig.smugmug.calls.api == 1


def test_many_threads_share_one_source_within_its_bounds(rig: Rig) -> None:
    source = rig.source()
    albums = list(albums_of(rig, source).values())
    rig.smugmug.latency.api = 0.005
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for album in albums:
                assert len(listed(rig, source, album)) == 4
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert source.api_calls == rig.smugmug.calls.api == 1 + 8 * 3
    assert 1 < rig.smugmug.calls.peak["api"] <= 4


def test_no_text_of_any_error_or_log_holds_a_secret_or_an_address(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    texts = []
    for signed in (True, False):
        source = rig.source(signed=signed, attempts=2)
        album = albums_of(rig, source)[first_album(rig)]
        image = next(iter(listed(rig, source, album).values()))
        texts += [repr(source), repr(vars(source)), repr(image)]
        for fault in WEATHER + NONSENSE:
            if fault["kind"] == "gzip_bomb":
                continue  # Seconds of packing, and no text of its own.
            rig.smugmug.faults.add(times=None, **fault)
            asks = (
                partial(source.albums, deadline=rig.deadline),
                partial(source.images, album, since=None, deadline=rig.deadline),
                partial(rig.bytes_of, source, image.offer),
            )
            for ask in asks:
                try:
                    ask()
                except BackupError as error:
                    texts.append(f"{error!r} {error} {error.__cause__!r} {error.__context__!r}")
                    texts += traceback.format_exception(error)
            rig.smugmug.faults.clear()
    secrets = [*rig.account.secret_texts(), image.offer.url or "?", f"i-{image.key}"]
    for text in [*texts, caplog.text]:
        assert not [secret for secret in secrets if secret in text]


# -- the fakes -----------------------------------------------------------------------------------


def test_the_fake_of_the_thousand_nights_keeps_the_same_promises() -> None:
    clock = FakeClock()
    fake = FakeSource(clock)
    fake.album("A", "Harbour", images=3)
    fake.album("B", images=0)
    deadline = Deadline.none(clock)
    assert isinstance(fake.account(deadline=deadline), Account)
    albums = {album.key: album for album in fake.albums(deadline=deadline)}
    assert set(albums) == {"A", "B"}
    listing = fake.images(albums["A"], since=None, deadline=deadline)
    assert listing.full and len(listing.images) == listing.image_count == 3
    for image in listing.images:
        with fake.open(image.offer, deadline=deadline) as stream:
            assert len(all_of(stream)) == image.offer.size
    assert fake.answered_at == clock.now()
    fake.date_header = lambda now: None
    fake.images(albums["A"], since=None, deadline=deadline)
    assert fake.answered_at == clock.now()
    fake.account(deadline=deadline)
    assert fake.answered_at is None
    later = int((clock.now() + timedelta(days=1)).timestamp())
    assert not fake.images(albums["A"], since=later, deadline=deadline).images


def read_all(source: PhotoSource) -> int:
    """Everything that a run asks of a source."""
    deadline = Deadline.none(FakeClock())
    source.account(deadline=deadline)
    size = 0
    for album in source.albums(deadline=deadline):
        for image in source.images(album, since=None, deadline=deadline).images:
            offer = image.offer
            if offer.availability is Availability.LOOKUP:
                offer = source.resolve(album, image, deadline=deadline)
            with source.open(offer, deadline=deadline) as stream:
                size += len(all_of(stream))
    return size


def test_a_faulty_source_fails_at_each_of_its_operations_and_nowhere_else(rig: Rig) -> None:
    counted = Points()
    read_all(FaultySource(rig.source(), counted))
    done = counted.log
    names = {each.name.removeprefix("source.") for each in done}
    assert names >= {"account", "albums", "images", "open", "chunk"}
    assert [each.number for each in done] == list(range(1, len(done) + 1))
    for each in done[:: max(1, len(done) // 6)]:
        for fault in possible(each.name):
            points, source = Points({each.number: fault}), rig.source()
            faulty = FaultySource(source, points)
            killed = fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
            with pytest.raises(Killed if killed else SourceUnavailable):
                read_all(faulty)
            assert points.struck == [each]
            assert faulty.answered_at == source.answered_at
            assert points.log == done[: each.number]
            if killed:
                with pytest.raises(Killed):
                    faulty.albums(deadline=rig.deadline)


def test_a_faulty_source_can_be_told_by_what_is_asked(rig: Rig) -> None:
    key = first_album(rig)
    points = Points({("source.images", key, 0): Fault.REQUEST_LOST})
    faulty = FaultySource(rig.source(), points)
    albums = {album.key: album for album in faulty.albums(deadline=rig.deadline)}
    for album in albums.values():
        if album.key == key:
            with pytest.raises(SourceUnavailable):
                faulty.images(album, since=None, deadline=rig.deadline)
        else:
            assert faulty.images(album, since=None, deadline=rig.deadline).images
