"""API v2 as a source: pages, what they become, and what is known without asking."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AccessRefused,
    AlbumNotFound,
    BadRequest,
    LoginLost,
    MalformedAnswer,
    RequestRejected,
    SourceError,
    SourceRetired,
    SourceUnavailable,
)
from smugmug_backup.model import Account, Album, Availability, Image
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.shapes_v2 import IMAGE_FIELDS, image_of, offer_of
from smugmug_backup.smugmug.source_v2 import SmugMugV2Source
from tests.unit.smugmug.server import START, Asked, FakeClock, Said, Server, source_of

PUBLIC = Credentials("KEY-1")
DEADLINE = Deadline.none(FakeClock())
CHANGED = datetime(2024, 8, 11, 16, 14, 52, tzinfo=UTC)
ALBUM = Album("hT4mWq", None, "Harbour", (), 3, {}, (), CHANGED)
ENTRY = {
    "Uri": "/api/v2/album/hT4mWq",
    "AlbumKey": "hT4mWq",
    "Name": "Harbour 2024",
    "UrlPath": "/Travel/North%20Sea/Coast/Harbour-2024",
    "ImageCount": 3,
    "ImagesLastUpdated": "2024-08-11T16:14:52+00:00",
    "LastUpdated": "2016-07-07T00:00:00+00:00",
    "PasswordHint": "hush",
    "Password": "hush",
    "UploadKey": "hush",
    "OriginalSizes": 123,
    "WebUri": "https://larkfield.smugmug.com/x",
}
PHOTO = {
    "Uri": "/api/v2/album/hT4mWq/image/pW7dQkN-0",
    "AlbumKey": "hT4mWq",
    "ImageKey": "pW7dQkN",
    "Serial": 0,
    "UploadKey": "13544102377",
    "FileName": "quay_001.jpg",
    "Format": "JPG",
    "IsVideo": False,
    "Processing": False,
    "LastUpdated": "2024-08-11T04:03:17+00:00",
    "ArchivedSize": 8127730,
    "ArchivedMD5": "9a0c1f5d2be84716a3c07d59e2f1b648",
    "ArchivedUri": "https://photos.smugmug.com/i-pW7dQkN/0/T/D/quay_001-D.jpg",
    "ThumbnailUrl": "https://photos.smugmug.com/i-pW7dQkN/0/T/Th/quay_001-Th.jpg",
    "IsArchive": False,
    "ComponentFileTypes": {"Raw": ["CR2"]},
}
VIDEO = {
    "AlbumKey": "hT4mWq",
    "ImageKey": "r8MfLhc",
    "Serial": 4,
    "Format": "MP4",
    "IsVideo": True,
    "ArchivedUri": "https://photos.smugmug.com/still-D.jpg",
    "ArchivedMD5": "51f7e3a09bd24cc8816e0f42d7a9c350",
    "ArchivedSize": 24410882,
}


source = partial(source_of, SmugMugV2Source)


def said(response: object, code: int = 200, **more: Any) -> Said:
    body = json.dumps({"Response": response, "Code": code, "Message": "x"})
    return Said(body, code, **more)


def photo(key: str) -> dict[str, Any]:
    return {**PHOTO, "ImageKey": key}


def page(
    entries: list[Any], *, total: int, start: int = 1, more: int | None = None, **other: Any
) -> dict[str, Any]:
    pages: dict[str, Any] = {"Total": total, "Start": start, "Count": len(entries)}
    if more is not None:
        pages["NextPage"] = f"/api/v2/album/hT4mWq!images?start={more}&count=2"
    shown: dict[str, Any] = {"Locator": "AlbumImage", "Pages": pages, **other}
    if entries:
        shown["AlbumImage"] = entries
    return shown


def album_page(*entries: Any) -> Said:
    pages = {"Total": len(entries), "Start": 1, "Count": len(entries)}
    return said({"Locator": "Album", "Album": list(entries), "Pages": pages})


class Listing:
    """Serves an album of keys page by page; ``orders`` gives the order for each page in turn."""

    def __init__(self, *orders: str, total: int | None = None, size: int = 2) -> None:
        self.orders = orders
        self.total = total
        self.size = size
        self.calls = 0

    def __call__(self, asked: Asked) -> Said:
        query = parse_qs(urlsplit(asked.path).query)
        start = int(query["start"][0])
        keys = self.orders[min(self.calls, len(self.orders) - 1)]
        self.calls += 1
        shown = [photo(key) for key in keys[start - 1 : start - 1 + self.size]]
        more = start + self.size if start + self.size <= len(keys) else None
        total = len(keys) if self.total is None else self.total
        return said(page(shown, total=total, start=start, more=more))


# -- the account ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "access"), [("Full", "owner"), (None, "owner")])
def test_the_account_is_who_the_token_is(level: str | None, access: str, server: Server) -> None:
    server.answers = [said({"User": {"NickName": "Larkfield", "ResponseLevel": level}})]
    one = source(server)
    assert one.account(deadline=DEADLINE) == Account("Larkfield", access)
    assert one.api_calls == 1
    assert server.asked[0].path.startswith("/api/v2!authuser?")
    assert server.asked[0].headers["Accept"] == "application/json"
    assert "KEY-1" not in server.asked[0].path


def test_a_token_for_public_albums_is_refused_with_a_hint(server: Server) -> None:
    server.answers = [said({"User": {"NickName": "larkfield", "ResponseLevel": "Public"}})]
    with pytest.raises(BadRequest, match="Access=Full"):
        source(server).account(deadline=DEADLINE)


def test_a_token_of_somebody_else_is_refused(server: Server) -> None:
    server.answers = [said({"User": {"NickName": "other"}})]
    with pytest.raises(BadRequest):
        source(server).account(deadline=DEADLINE)


def test_without_a_token_no_call_is_made(server: Server) -> None:
    assert source(server, PUBLIC).account(deadline=DEADLINE) == Account("larkfield", "public")
    assert server.asked == []


def test_an_unsigned_call_carries_the_key_and_no_signature(server: Server) -> None:
    server.answers = [album_page(ENTRY)]
    source(server, PUBLIC).albums(deadline=DEADLINE)
    query = parse_qs(urlsplit(server.asked[0].path).query, keep_blank_values=True)
    assert query["APIKey"] == ["KEY-1"]
    assert query["_filteruri"] == [""] and query["_verbosity"] == ["1"]
    assert "Authorization" not in server.asked[0].headers


def test_the_nickname_is_found_out_where_it_is_not_set(server: Server) -> None:
    server.answers = [said({"User": {"NickName": "Lark Field"}}), album_page(ENTRY)]
    source(server, nickname=None).albums(deadline=DEADLINE)
    assert server.asked[1].path.startswith("/api/v2/user/Lark%20Field!albums?")


# -- albums --------------------------------------------------------------------------------------


def test_an_album_is_read_whole(server: Server) -> None:
    server.answers = [album_page(ENTRY)]
    (album,) = source(server).albums(deadline=DEADLINE)
    assert (album.key, album.id, album.title) == ("hT4mWq", None, "Harbour 2024")
    assert album.path == ("Travel", "North Sea", "Coast")
    assert (album.image_count, album.changed_at) == (3, CHANGED)
    assert album.urls == ("WebUri",)
    assert set(album.data) == {"AlbumKey", "Name", "UrlPath"}


def test_an_album_that_does_not_tell_when_its_images_changed_tells_nothing(server: Server) -> None:
    server.answers = [album_page({**ENTRY, "ImagesLastUpdated": ""})]
    assert source(server).albums(deadline=DEADLINE)[0].changed_at is None


def test_an_account_without_albums_is_empty(server: Server) -> None:
    server.answers = [said({"Locator": "Album", "Pages": {"Total": 0, "Count": 0}})]
    assert source(server).albums(deadline=DEADLINE) == ()


@pytest.mark.parametrize(
    "response",
    [
        {},
        {"Pages": {}},
        {"Locator": "User"},
        {"Locator": "Album", "Album": {"AlbumKey": "x"}},
        {"Locator": "Album", "Album": [{"Name": "x"}]},
        {"Locator": "Album", "Album": [{"AlbumKey": "a/b"}]},
        {"Locator": "Album", "Album": [ENTRY, ENTRY]},
        {"Locator": "Album", "Album": [ENTRY], "Pages": {"Total": 2, "Count": 2}},
        {"Uri": "/api/v2/user/other!albums", "Locator": "Album", "Album": [ENTRY]},
        [],
        None,
    ],
)
def test_albums_that_cannot_be_believed_are_malformed(response: Any, server: Server) -> None:
    server.answers = [said(response)]
    with pytest.raises(MalformedAnswer):
        source(server).albums(deadline=DEADLINE)


def test_a_list_of_albums_that_never_stands_still_is_malformed(server: Server) -> None:
    totals = iter(range(10, 1000))
    server.answers = lambda asked: said(
        {"Locator": "Album", "Album": [ENTRY], "Pages": {"Total": next(totals), "Count": 1}}
    )
    with pytest.raises(MalformedAnswer, match="changed while it was read"):
        source(server).albums(deadline=DEADLINE)


def test_a_total_of_albums_that_is_always_larger_than_what_is_shown_is_believed(
    server: Server,
) -> None:
    entries = [{**ENTRY, "AlbumKey": key} for key in ("one", "two", "three")]
    pages = {"Total": 4, "Start": 1, "Count": 3}
    server.answers = [said({"Locator": "Album", "Album": entries, "Pages": pages})]
    assert len(source(server).albums(deadline=DEADLINE)) == 3


def test_a_404_of_the_albums_is_believed_only_if_the_user_is_not_there_either(
    server: Server,
) -> None:
    """It occurs in passing."""
    gone = said({}, 404)
    server.answers = [gone, album_page(ENTRY)]
    assert len(source(server).albums(deadline=DEADLINE)) == 1
    asked = len(server.asked)

    def user_is_there(asked: Asked) -> Said:
        return gone if "!albums" in asked.path else said({"User": {"NickName": "larkfield"}})

    server.answers = user_is_there
    with pytest.raises(MalformedAnswer, match="404") as caught:
        source(server).albums(deadline=DEADLINE)
    assert not caught.value.fatal
    paths = [one.path.split("?")[0] for one in server.asked[asked:]]
    assert paths == ["/api/v2/user/larkfield!albums"] * 2 + ["/api/v2/user/larkfield"]
    server.answers = [gone]
    with pytest.raises(AccessRefused, match="no such user"):
        source(server).albums(deadline=DEADLINE)


@pytest.mark.parametrize("listing", [said(page([], total=0)), said(page([photo("a")], total=1))])
def test_an_album_that_needs_its_password_fails_whatever_its_listing_answers(
    listing: Said, server: Server
) -> None:
    server.answers = [album_page({**ENTRY, "ResponseLevel": "Password"})]
    one = source(server, PUBLIC)
    (album,) = one.albums(deadline=DEADLINE)
    server.answers = [listing]
    for since in (None, after(CHANGED)):
        with pytest.raises(AccessRefused, match="password"):
            one.images(album, since=since, deadline=DEADLINE)
    travelled = replace(album, data=json.loads(json.dumps(dict(album.data))))
    with pytest.raises(AccessRefused, match="password"):
        source(server, PUBLIC).images(travelled, since=None, deadline=DEADLINE)
    assert "ResponseLevel" in parse_qs(urlsplit(server.asked[0].path).query)["_filter"][0]


# -- images and their pages ----------------------------------------------------------------------


def test_pages_are_read_to_the_last(server: Server) -> None:
    server.answers = Listing("abcde")
    listing = source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert [image.key for image in listing.images] == list("abcde")
    assert [image.position for image in listing.images] == [1, 2, 3, 4, 5]
    assert (listing.full, listing.image_count) == (True, 5)
    assert len(server.asked) == 3
    for asked in server.asked:
        query = parse_qs(urlsplit(asked.path).query)
        assert query["_filter"] == [",".join(IMAGE_FIELDS)]


def test_pages_are_of_200_and_smaller_after_a_time_out(server: Server) -> None:
    counts = []

    def slow(asked: Asked) -> Said:
        query = parse_qs(urlsplit(asked.path).query)
        start, count = int(query["start"][0]), int(query["count"][0])
        counts.append(count)
        if count > 50:
            return Said("", 504)
        more = start + 1 if start < 3 else None
        return said(page([photo(f"k{start}")], total=3, start=start, more=more))

    server.answers = slow
    listing = source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert len(listing.images) == 3
    assert counts == [200, 100, 50, 50, 50]


def test_the_smallest_page_is_tried_as_often_as_any_call(server: Server) -> None:
    server.answers = [Said("", 504)]
    with pytest.raises(SourceUnavailable):
        source(server).images(ALBUM, since=None, deadline=DEADLINE)
    counts = [parse_qs(urlsplit(asked.path).query)["count"][0] for asked in server.asked]
    assert counts == ["200", "100", "50", "25", "25"]


@pytest.mark.parametrize(
    ("orders", "keys"),
    [
        (("abcde", "bcde"), "bcde"),  # "a" left after the first page: "c" was never shown.
        (("abcd", "bcd"), "bcd"),
        (("abcd", "bcd", "bcd", "cd"), "cd"),  # And again while it was listed again.
    ],
)
def test_a_removal_between_two_pages_is_noticed_and_the_listing_made_again(
    orders: tuple[str, ...], keys: str, server: Server
) -> None:
    server.answers = Listing(*orders)
    listing = source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert {image.key for image in listing.images} >= set(keys)
    if {image.key for image in listing.images} != set(keys):
        assert listing.image_count != len(listing.images), "or the count says so"


def test_an_empty_album_is_empty(server: Server) -> None:
    server.answers = [said(page([], total=0))]
    listing = source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert (listing.images, listing.image_count) == ((), 0)


def test_a_page_that_shifts_loses_nothing(server: Server) -> None:
    # "e" moved to the front after the first page: "b" comes twice, "e" not at all.
    server.answers = Listing("abcde", "eabcd")
    listing = source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert sorted(image.key for image in listing.images) == list("abcde")
    assert listing.image_count == 5


def test_pages_that_shift_for_ever_are_merged(server: Server) -> None:
    server.answers = Listing("abcd", "badc", "cdab", "abdc")
    listing = source(server).images(ALBUM, since=None, deadline=DEADLINE)
    keys = [image.key for image in listing.images]
    assert len(set(keys)) == len(keys)
    assert listing.image_count == 4
    assert set(keys) <= set("abcd")


def test_what_two_listings_that_shift_show_between_them_is_all(server: Server) -> None:
    # "d" is not shown by the first one, "a" not by the second.
    server.answers = Listing("abcd", "dabc", "dbca", "bcad")
    listing = source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert sorted(image.key for image in listing.images) == list("abcd")
    assert listing.image_count == 4
    assert len(server.asked) == 4, "and nothing is asked a third time"


def test_what_is_still_missing_shows_in_the_count(server: Server) -> None:
    server.answers = Listing("abc", total=4)
    listing = source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert (len(listing.images), listing.image_count) == (3, 4)
    assert len(server.asked) == 4, "read twice, and no more"


def test_the_earliest_date_of_the_pages_counts(server: Server) -> None:
    later = "Tue, 24 Nov 2026 03:10:00 GMT"
    server.answers = [
        said(page([photo("a")], total=2, more=2), date=later),
        said(page([photo("b")], total=2)),
    ]
    listing = source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert listing.answered_at == START.replace(second=5)


@pytest.mark.parametrize(
    "next_page",
    [
        "/api/v2/album/hT4mWq!images?start=1&count=2",
        "/api/v2/album/hT4mWq!images",
        "/api/v2/album/hT4mWq!images?start=x",
        "/api/v2/album/other!images?start=3",
        "https://evil.example/api/v2/album/hT4mWq!images?start=3",
        "//evil.example/api/v2/album/hT4mWq!images?start=3",
        "http://[",
    ],
)
def test_a_next_page_that_does_not_lead_on_here_is_malformed(
    next_page: str, server: Server
) -> None:
    response = page([photo("a"), photo("b")], total=9)
    response["Pages"]["NextPage"] = next_page
    server.answers = [said(response)]
    with pytest.raises(MalformedAnswer):
        source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "response",
    [
        page([{"Serial": 0}], total=1),
        page([photo("a b")], total=1),
        page(["a"], total=1),
        page([], total=3, more=3),
        {"Locator": "Album", "Album": [ENTRY]},
        page([photo("a")], total=1, Uri="/api/v2/album/HT4MWQ!images?start=1"),
    ],
)
def test_images_that_cannot_be_believed_are_malformed(response: Any, server: Server) -> None:
    server.answers = [said(response)]
    with pytest.raises(MalformedAnswer):
        source(server).images(ALBUM, since=None, deadline=DEADLINE)


def test_pages_without_end_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smugmug_backup.smugmug.client_v2._MOST_PAGES", 5)

    def endless(asked: Asked) -> Said:
        start = int(parse_qs(urlsplit(asked.path).query)["start"][0])
        return said(page([photo(f"k{start}")], total=10**6, start=start, more=start + 1))

    server.answers = endless
    with pytest.raises(MalformedAnswer):
        source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert len(server.asked) == 5


# -- known without asking ------------------------------------------------------------------------


def after(instant: datetime) -> int:
    return int(instant.timestamp()) + 1


def test_an_album_that_stands_as_before_costs_no_call(server: Server) -> None:
    server.answers = [album_page(ENTRY)]
    one = source(server)
    (album,) = one.albums(deadline=DEADLINE)
    listing = one.images(album, since=after(CHANGED), deadline=DEADLINE)
    assert (listing.full, listing.images, listing.image_count) == (False, (), None)
    assert listing.answered_at == START.replace(second=5)
    assert len(server.asked) == 1


def test_an_album_that_may_have_changed_is_listed_in_full(server: Server) -> None:
    listing = Listing("abc")
    one = source(server)
    server.answers = [album_page(ENTRY)]
    (album,) = one.albums(deadline=DEADLINE)
    server.answers = listing
    assert one.images(album, since=int(CHANGED.timestamp()), deadline=DEADLINE).full
    assert one.images(album, since=None, deadline=DEADLINE).full
    assert len(one.images(album, since=0, deadline=DEADLINE).images) == 3


def test_an_album_of_an_older_plan_is_not_trusted(server: Server) -> None:
    """Else the date of the newest account listing would vouch for what the plan's one showed."""
    one = source(server)
    server.answers = Listing("abc")
    assert one.images(ALBUM, since=after(CHANGED), deadline=DEADLINE).full, "no account listing yet"
    moved = {**ENTRY, "ImagesLastUpdated": "2024-09-01T00:00:00+00:00"}
    server.answers = [album_page(moved)]
    one.albums(deadline=DEADLINE)
    server.answers = Listing("abc")
    assert one.images(ALBUM, since=after(CHANGED), deadline=DEADLINE).full, "it changed since"


def test_an_account_listing_without_a_date_proves_nothing(server: Server) -> None:
    server.answers = [said(json.loads(album_page(ENTRY).body)["Response"], date=None)]
    one = source(server)
    (album,) = one.albums(deadline=DEADLINE)
    server.answers = Listing("abc")
    assert one.images(album, since=after(CHANGED), deadline=DEADLINE).full


# -- offers --------------------------------------------------------------------------------------


def test_a_photo_is_its_archived_original() -> None:
    image = image_of(1, PHOTO)
    assert image.offer.url == PHOTO["ArchivedUri"]
    assert (image.offer.kind, image.offer.url_field) == ("original", "ArchivedUri")
    assert (image.offer.md5, image.offer.size) == (PHOTO["ArchivedMD5"], 8127730)
    assert image.offer.exact
    assert image.id is None
    assert image.urls == ("ArchivedUri",)
    assert not {"UploadKey", "ThumbnailUrl", "ArchivedUri", "Uri"} & set(image.data)
    assert image.data["ComponentFileTypes"] == {"Raw": ["CR2"]}


def test_an_image_without_an_archived_original_has_none() -> None:
    assert offer_of({**PHOTO, "ArchivedUri": ""}).kind == "none"


@pytest.mark.parametrize(
    ("data", "availability"),
    [
        ({"Processing": True}, Availability.PROCESSING),
        ({"Processing": "1"}, Availability.PROCESSING),
        ({"Processing": True, "SubStatus": "CanNotProcess"}, Availability.NEVER),
        ({"Status": "CanNotProcess"}, Availability.NEVER),
        ({}, Availability.LOOKUP),
    ],
)
def test_a_video_is_asked_for_unless_it_is_in_the_making(
    data: dict[str, Any], availability: Availability
) -> None:
    found = offer_of({**VIDEO, **data})
    assert (found.kind, found.availability) == ("rendition", availability)
    assert (found.md5, found.url) == (None, None)


@pytest.mark.parametrize(
    ("data", "kind", "availability"),
    [
        ({}, "original", Availability.READY),
        ({"Processing": True}, "original", Availability.READY),
        ({"Status": "CanNotProcess"}, "original", Availability.READY),
        ({"Processing": True, "ArchivedUri": ""}, "original", Availability.PROCESSING),
        ({"Status": "CanNotProcess", "ArchivedUri": ""}, "original", Availability.NEVER),
        ({"CollectedFrom": "Harbour", "ArchivedUri": ""}, "original", Availability.LOOKUP),
        ({"Origin": "Smart", "ArchivedUri": ""}, "original", Availability.LOOKUP),
        ({"Origin": "Album", "ArchivedUri": ""}, "none", Availability.READY),
        ({"CollectedFrom": "Harbour"}, "original", Availability.READY),
    ],
)
def test_a_photo_with_an_address_is_tried_and_one_without_is_looked_for(
    data: dict[str, Any], kind: str, availability: Availability
) -> None:
    found = offer_of({**PHOTO, **data})
    assert (found.kind, found.availability) == (kind, availability)


GUEST = {**PHOTO, "ArchivedUri": "", "CollectedFrom": "Harbour 2024", "Origin": "Collected"}


def image_answer(
    *, archived: bool, key: str = "pW7dQkN", album: Any = "/api/v2/album/Zc9RkD"
) -> Said:
    shown = {**PHOTO, "ImageKey": key, "Uris": {"ImageAlbum": album}}
    if not archived:
        del shown["ArchivedUri"]
    return said({"Uri": f"/api/v2/image/{key}-0", "Locator": "Image", "Image": shown})


def home_answer(key: str = "pW7dQkN", *, archived: bool = True) -> Said:
    shown = {**PHOTO, "ImageKey": key} | ({} if archived else {"ArchivedUri": ""})
    return said({"Locator": "AlbumImage", "AlbumImage": shown})


def asked_paths(server: Server) -> list[str]:
    return [asked.path.split("?")[0] for asked in server.asked]


def test_a_collected_photo_is_looked_for_by_its_own_resource(server: Server) -> None:
    server.answers = [image_answer(archived=True)]
    found = source(server).resolve(ALBUM, image_of(1, GUEST), deadline=DEADLINE)
    assert (found.availability, found.url) == (Availability.READY, PHOTO["ArchivedUri"])
    assert (found.md5, found.exact) == (PHOTO["ArchivedMD5"], True)
    assert asked_paths(server) == ["/api/v2/image/pW7dQkN-0"]


@pytest.mark.parametrize(
    "album", ["/api/v2/album/Zc9RkD", {"Uri": "/api/v2/album/Zc9RkD", "Locator": "Album"}]
)
def test_a_collected_photo_is_looked_for_in_its_home_album(album: Any, server: Server) -> None:
    server.answers = [image_answer(archived=False, album=album), home_answer()]
    found = source(server).resolve(ALBUM, image_of(1, GUEST), deadline=DEADLINE)
    assert (found.availability, found.url) == (Availability.READY, PHOTO["ArchivedUri"])
    assert asked_paths(server)[1] == "/api/v2/album/Zc9RkD/image/pW7dQkN-0"


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([said({}, 404)], 1),
        ([said({}, 403)], 1),
        ([image_answer(archived=False, album=None)], 1),
        ([image_answer(archived=False, album="/api/v2/album/hT4mWq")], 1),
        ([image_answer(archived=False, album="https://evil.example/api/v2/album/x")], 1),
        ([image_answer(archived=False, album="/api/v2/album/../user/x")], 1),
        ([image_answer(archived=False), said({}, 404)], 2),
        ([image_answer(archived=False), home_answer(archived=False)], 2),
    ],
)
def test_a_collected_photo_that_is_nowhere_has_no_original(
    answers: list[Said], asked: int, server: Server
) -> None:
    server.answers = answers
    found = source(server).resolve(ALBUM, image_of(1, GUEST), deadline=DEADLINE)
    assert (found.kind, found.url) == ("none", None)
    assert found.availability is not Availability.LOOKUP
    assert len(server.asked) == asked


@pytest.mark.parametrize(
    "answers",
    [
        [image_answer(archived=True, key="other")],
        [image_answer(archived=False), home_answer("other")],
        [said({"Locator": "Image"})],
    ],
)
def test_an_answer_about_another_image_is_not_taken(answers: list[Said], server: Server) -> None:
    server.answers = answers
    with pytest.raises(MalformedAnswer):
        source(server).resolve(ALBUM, image_of(1, GUEST), deadline=DEADLINE)


def test_a_rendition_of_another_image_is_not_taken(server: Server) -> None:
    largest = {"Url": "https://photos.smugmug.com/1920.mp4", "MD5": PHOTO["ArchivedMD5"]}
    server.answers = [said({"Uri": "/api/v2/image/other-4!largestvideo", "LargestVideo": largest})]
    with pytest.raises(MalformedAnswer):
        source(server).resolve(ALBUM, video(), deadline=DEADLINE)


def test_a_rendition_whose_md5_is_not_stated_is_offered_without(server: Server) -> None:
    largest = {"Url": "https://photos.smugmug.com/1920.mp4", "Size": 999}
    server.answers = [said({"LargestVideo": largest})]
    found = source(server).resolve(ALBUM, video(), deadline=DEADLINE)
    assert (found.md5, found.size, found.exact) == (None, 999, True)


def video() -> Image:
    return image_of(1, VIDEO)


def test_the_largest_rendition_has_its_own_md5_and_size(server: Server) -> None:
    largest = {
        "Url": "https://photos.smugmug.com/1920.mp4",
        "Size": 999,
        "MD5": "AAAC1F5D2BE84716A3C07D59E2F1B648",
        "Ext": "mp4",
    }
    server.answers = [said({"Locator": "LargestVideo", "LargestVideo": largest})]
    found = source(server).resolve(ALBUM, video(), deadline=DEADLINE)
    assert server.asked[0].path.startswith("/api/v2/image/r8MfLhc-4!largestvideo?")
    assert (found.kind, found.availability) == ("rendition", Availability.READY)
    assert (found.size, found.md5, found.url) == (
        999,
        "aaac1f5d2be84716a3c07d59e2f1b648",
        largest["Url"],
    )
    assert found.exact and found.format == "MP4" and found.serial == 4


@pytest.mark.parametrize(
    "answer",
    [said({"Locator": "LargestVideo"}), said({}, 404), said({"LargestVideo": {"Url": ""}})],
)
def test_a_rendition_that_is_not_there_yet_is_in_the_making(answer: Said, server: Server) -> None:
    server.answers = [answer]
    found = source(server).resolve(ALBUM, video(), deadline=DEADLINE)
    assert (found.kind, found.availability) == ("rendition", Availability.PROCESSING)


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error", "asked"),
    [
        (said({}, 401), AccessRefused, 1),
        (said({}, 403), AccessRefused, 1),
        (said({}, 404), AlbumNotFound, 1),
        (Said("<html>", 404), MalformedAnswer, 2),
        (Said("<html>", 200), MalformedAnswer, 2),
        (Said("", 302), MalformedAnswer, 2),
        (said({}, 400), RequestRejected, 1),
        (said({}, 429), SourceUnavailable, 2),
        (Said("", 500), SourceUnavailable, 2),
        (Said('{"Code":503,"Message":"x"}'), SourceUnavailable, 2),
        (Said('{"Code":404,"Message":"x"}'), AlbumNotFound, 1),
        (Said('{"Code":98}'), RequestRejected, 1),
    ],
)
def test_an_albums_errors(
    answer: Said, error: type[SourceError], asked: int, server: Server
) -> None:
    server.answers = [answer]
    with pytest.raises(error) as caught:
        source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert type(caught.value) is error
    assert len(server.asked) == asked


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (said({}, 401), LoginLost),
        (said({}, 403), LoginLost),
        (said({}, 404), AccessRefused),
        (Said("oauth_problem=token_rejected", 401), LoginLost),
        (Said("<html>", 404), SourceRetired),
        (Said("", 410), SourceRetired),
        (said({}, 410), SourceRetired),
        (said({"Code": 410, "Message": "Gone"}, 410), SourceRetired),
        (Said("<html>", 200), SourceRetired),
        (Said("", 301), SourceRetired),
        (said({}, 429), SourceUnavailable),
    ],
)
def test_an_accounts_errors(answer: Said, error: type[SourceError], server: Server) -> None:
    server.answers = [answer]
    with pytest.raises(error) as caught:
        source(server).albums(deadline=DEADLINE)
    assert type(caught.value) is error
    assert "KEY-1" not in str(caught.value) and "http" not in str(caught.value)


def test_a_key_without_access_to_v2_is_told_what_to_do(server: Server) -> None:
    server.answers = [said({}, 401)]
    with pytest.raises(LoginLost, match="terms"):
        source(server, PUBLIC).albums(deadline=DEADLINE)


@pytest.mark.parametrize("problem", ["nonce_used", "timestamp_refused"])
def test_a_signature_that_collided_is_made_again(problem: str, server: Server) -> None:
    body = json.dumps({"Code": 401, "Message": f"oauth_problem={problem}"})
    server.answers = [Said(body, 401), album_page(ENTRY)]
    assert len(source(server).albums(deadline=DEADLINE)) == 1
    server.answers = [Said(body, 401)]
    with pytest.raises(LoginLost, match=problem):
        source(server).albums(deadline=DEADLINE)


def test_an_album_refused_for_the_login_says_so(server: Server) -> None:
    server.answers = [Said("oauth_problem=token_revoked", 401)]
    with pytest.raises(LoginLost, match="token_revoked"):
        source(server).images(ALBUM, since=None, deadline=DEADLINE)


def test_a_wrong_clock_is_mended_once(server: Server) -> None:
    late = "Tue, 24 Nov 2026 05:00:00 GMT"
    server.answers = [said({}, 401, date=late), album_page(ENTRY)]
    assert len(source(server).albums(deadline=DEADLINE)) == 1
    server.answers = [said({}, 401, date=late)]
    with pytest.raises(LoginLost):
        source(server).albums(deadline=DEADLINE)
