"""API 1.3.0 as a source: what is sent, and what its answers become."""

import inspect
import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import AccessRefused, BadRequest, MalformedAnswer, SourceUnavailable
from smugmug_backup.model import Account, Album, Availability, Image, Offer
from smugmug_backup.smugmug.client_130 import SmugMug130
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.shapes_130 import offer_of
from smugmug_backup.smugmug.source_130 import SmugMug130Source
from smugmug_backup.smugmug.transport import Transport
from tests.unit.smugmug.server import (
    START,
    Asked,
    FakeClock,
    Said,
    Server,
    serving,
    source_of,
)

PUBLIC = Credentials("KEY-1", site_password="site", album_passwords={"hT4mWq": "word"})
ALBUM = Album("hT4mWq", 51840217, "Harbour", (), 3, {}, ())
PHOTO = {
    "id": 13544102377,
    "Key": "pW7dQkN",
    "FileName": "quay_001.jpg",
    "Caption": "Fish &amp; chips \ud83d",
    "Format": "JPG",
    "Serial": 0,
    "Position": 1,
    "Size": 8127730,
    "MD5Sum": "9a0c1f5d2be84716a3c07d59e2f1b648",
    "LastUpdated": "2024-08-10 21:03:17",
    "OriginalURL": "https://photos.smugmug.com/photos/i-pW7dQkN/0/T/O/i-pW7dQkN.jpg",
}
VIDEO = {
    "id": 13544109044,
    "Key": "r8MfLhc",
    "Format": "MP4",
    "Serial": 0,
    "Size": 24410882,
    "MD5Sum": "51f7e3a09bd24cc8816e0f42d7a9c350",
    "OriginalURL": "https://photos.smugmug.com/still.jpg",
    "Video640URL": "https://photos.smugmug.com/640.mp4",
    "Video1280URL": "https://photos.smugmug.com/1280.mp4",
    "Video1920URL": "",
}
COLLECTED = {
    "id": 13544102391,
    "Key": "V2xgTbs",
    "Format": "JPG",
    "Album": {"id": 51840399, "Key": "Zc9RkD", "URL": "https://x"},
}


source = partial(source_of, SmugMug130Source)


DEADLINE = Deadline.none(FakeClock())


def listed(*images: object, **album: Any) -> Said:
    shown = {"id": 51840217, "Key": "hT4mWq", "ImageCount": len(images), "Images": images, **album}
    shown = {name: value for name, value in shown.items() if value is not ...}
    return Said(json.dumps({"stat": "ok", "method": "smugmug.images.get", "Album": shown}))


def albums(*entries: object) -> Said:
    return Said(json.dumps({"stat": "ok", "method": "smugmug.albums.get", "Albums": entries}))


# -- the binding ---------------------------------------------------------------------------------


def test_every_parameter_of_the_specification_can_be_sent(server: Server) -> None:
    server.answers = [Said('cb({"stat":"ok","Album":{"Images":{"a":1}}});')]
    clock = FakeClock()
    transport = Transport(
        api_url=server.url,
        signer=None,
        governor=Governor(clock=clock),
        clock=clock,
        rng=random.Random(1),
    )
    answer = SmugMug130(transport, PUBLIC).images_get(
        album_id=51840217,
        album_key="hT4mWq",
        api_key="OTHER",
        session_id="s",
        associative=True,
        callback="cb",
        custom_size="100x100",
        extras=("FileName", "MD5Sum"),
        heavy=False,
        last_updated=0,
        password="a b&c",
        pretty=True,
        sandboxed=False,
        site_password="é",
        strict=True,
        deadline=DEADLINE,
    )
    assert server.asked[0].form == {
        "method": "smugmug.images.get",
        "AlbumID": "51840217",
        "AlbumKey": "hT4mWq",
        "APIKey": "OTHER",
        "SessionID": "s",
        "Associative": "true",
        "Callback": "cb",
        "CustomSize": "100x100",
        "Extras": "FileName,MD5Sum",
        "Heavy": "false",
        "LastUpdated": "0",
        "Password": "a b&c",
        "Pretty": "true",
        "Sandboxed": "false",
        "SitePassword": "é",
        "Strict": "true",
    }
    assert answer.data["Album"] == {"Images": {"a": 1}}


def test_every_parameter_is_documented() -> None:
    names = set(inspect.signature(SmugMug130.images_get).parameters) - {"self", "deadline"}
    assert names == {
        "album_id", "album_key", "api_key", "session_id", "associative", "callback",
        "custom_size", "extras", "heavy", "last_updated", "password", "pretty", "sandboxed",
        "site_password", "strict",
    }  # fmt: skip
    assert all(f":param {name}:" in str(SmugMug130.images_get.__doc__) for name in names)


def test_the_backup_sends_what_it_needs_and_no_more(server: Server) -> None:
    server.answers = [listed()]
    source(server, PUBLIC).images(ALBUM, since=1723330000, deadline=DEADLINE)
    assert server.asked[0].form == {
        "method": "smugmug.images.get",
        "AlbumID": "51840217",
        "AlbumKey": "hT4mWq",
        "APIKey": "KEY-1",
        "Heavy": "true",
        "LastUpdated": "1723330000",
        "Password": "word",
        "SitePassword": "site",
        "Strict": "true",
    }
    assert "Authorization" not in server.asked[0].headers


def test_signed_calls_carry_no_key_in_the_body(server: Server) -> None:
    server.answers = [albums()]
    source(server).albums(deadline=DEADLINE)
    assert server.asked[0].form == {
        "method": "smugmug.albums.get",
        "Empty": "true",
        "Heavy": "true",
        "Strict": "true",
    }
    assert 'oauth_consumer_key="KEY-1"' in server.asked[0].headers["Authorization"]


# -- the account ---------------------------------------------------------------------------------


def auth(nickname: object, access: str = "Full") -> Said:
    user, token = {"NickName": nickname}, {"Access": access, "Permissions": "Read"}
    return Said(json.dumps({"stat": "ok", "Auth": {"User": user, "Token": token}}))


@pytest.mark.parametrize(("access", "seen"), [("Full", "owner"), ("full", "owner"), ("", "public")])
def test_the_account_is_what_the_token_says(access: str, seen: str, server: Server) -> None:
    server.answers = [auth("Larkfield", access)]
    one = source(server)
    assert one.account(deadline=DEADLINE) == Account("Larkfield", seen)
    assert one.api_calls == 1


def test_a_token_of_somebody_else_is_refused(server: Server) -> None:
    server.answers = [auth("other")]
    with pytest.raises(BadRequest, match=r"'other'.*'larkfield'"):
        source(server).account(deadline=DEADLINE)


def test_a_token_for_public_albums_is_refused_with_a_hint(server: Server) -> None:
    server.answers = [auth("Larkfield", "Public")]
    with pytest.raises(BadRequest, match="Access=Full"):
        source(server).account(deadline=DEADLINE)


def test_a_token_of_nobody_is_malformed(server: Server) -> None:
    server.answers = [auth(None)]
    with pytest.raises(MalformedAnswer):
        source(server).account(deadline=DEADLINE)


def test_without_a_token_no_call_is_made(server: Server) -> None:
    assert source(server, PUBLIC).account(deadline=DEADLINE) == Account("larkfield", "public")
    assert server.asked == []
    with pytest.raises(BadRequest, match="SMUGMUG_NICKNAME"):
        source(server, PUBLIC, None).account(deadline=DEADLINE)


# -- albums --------------------------------------------------------------------------------------


def test_an_album_is_read_whole(server: Server) -> None:
    entry = {
        "id": "51840217",
        "Key": "hT4mWq",
        "Title": "Scans &amp; Misc",
        "ImageCount": "3",
        "LastUpdated": "2024-08-11 09:14:52",
        "Category": {"id": "41", "Name": "Travel"},
        "SubCategory": {"id": 880412, "Name": "Coast"},
        "Password": "hush",
        "Passworded": "1",
        "URL": "https://larkfield.smugmug.com/x",
    }
    server.answers = [albums(entry)]
    (album,) = source(server, PUBLIC).albums(deadline=DEADLINE)
    assert (album.key, album.id, album.image_count) == ("hT4mWq", 51840217, 3)
    assert album.title == "Scans &amp; Misc"
    assert album.path == ("Travel", "Coast")
    assert album.urls == ("URL",)
    assert set(album.data) == {"id", "Key", "Title", "Category", "SubCategory", "Passworded"}
    assert (
        album.changed_at is not None and album.changed_at.isoformat() == "2024-08-11T09:14:52+00:00"
    )
    assert server.asked[0].form["NickName"] == "larkfield"


@pytest.mark.parametrize(
    "entries",
    [
        [{"id": 1}],
        [{"Key": "abc"}],
        [{"id": 1, "Key": "../x"}],
        [{"id": 1, "Key": ""}],
        [{"id": 1, "Key": 5}],
        [{"id": 1, "Key": "a" * 65}],
        [{"id": 1, "Key": "abc\n"}],
        [{"id": 1, "Key": "abc"}, {"id": 2, "Key": "abc"}],
        [{"id": 1, "Key": "abc"}, {"id": 1, "Key": "def"}],
        ["abc"],
        [None],
        ...,
        None,
        {"0": {"id": 1, "Key": "abc"}},
    ],
)
def test_albums_that_cannot_be_believed_are_malformed(entries: Any, server: Server) -> None:
    payload = {} if entries is ... else {"Albums": entries}
    server.answers = [Said(json.dumps({"stat": "ok", "method": "smugmug.albums.get"} | payload))]
    with pytest.raises(MalformedAnswer):
        source(server).albums(deadline=DEADLINE)


def test_an_unknown_nickname_is_refused_access(server: Server) -> None:
    server.answers = [Said('{"stat":"fail","code":4}')]
    with pytest.raises(AccessRefused):
        source(server, PUBLIC).albums(deadline=DEADLINE)


def test_code_15_is_an_account_without_albums(server: Server) -> None:
    server.answers = [Said('{"stat":"fail","code":15}')]
    assert source(server).albums(deadline=DEADLINE) == ()


# -- images --------------------------------------------------------------------------------------


def test_an_image_is_read_whole(server: Server) -> None:
    server.answers = [listed({**PHOTO, "id": "13544102377", "Serial": "0", "Size": "8127730"})]
    listing = source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert (listing.full, listing.image_count) == (True, 1)
    assert listing.answered_at == START.replace(second=5)
    (image,) = listing.images
    assert (image.key, image.id, image.position) == ("pW7dQkN", 13544102377, 1)
    assert image.file_name == "quay_001.jpg"
    assert image.last_updated == "2024-08-10 21:03:17"
    assert image.data["Caption"] == "Fish &amp; chips \ud83d"
    assert image.urls == ("OriginalURL",)
    assert "OriginalURL" not in image.data and "Position" not in image.data
    assert image.offer == Offer(
        kind="original",
        availability=Availability.READY,
        serial=0,
        size=8127730,
        format="JPG",
        md5="9a0c1f5d2be84716a3c07d59e2f1b648",
        url_field="OriginalURL",
        url=PHOTO["OriginalURL"],  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("images", [[], None, ...])
def test_no_images_come_in_three_shapes(images: Any, server: Server) -> None:
    server.answers = [listed(Images=images)]
    listing = source(server).images(ALBUM, since=None, deadline=DEADLINE)
    assert (listing.images, listing.image_count) == ((), 0)


def test_code_15_is_empty_and_has_no_count(server: Server) -> None:
    server.answers = [Said('{"stat":"fail","code":15}')]
    listing = source(server).images(ALBUM, since=5, deadline=DEADLINE)
    assert (listing.full, listing.images, listing.image_count) == (False, (), None)
    assert listing.answered_at == START.replace(second=5)


@pytest.mark.parametrize(
    "answer",
    [
        listed({"id": 1}),
        listed({"id": 1, "Key": "a/b"}),
        listed("x"),
        listed(Images={"0": PHOTO}),
        listed(Images="x"),
        listed(Key="other"),
        listed(Key=...),
        Said('{"stat":"ok","method":"smugmug.images.get"}'),
        Said('{"stat":"ok","method":"smugmug.images.get","Album":[]}'),
        Said('{"stat":"ok","method":"smugmug.images.get","Images":[]}'),
    ],
)
def test_images_that_cannot_be_believed_are_malformed(answer: Said, server: Server) -> None:
    server.answers = [answer]
    with pytest.raises(MalformedAnswer):
        source(server).images(ALBUM, since=None, deadline=DEADLINE)


def test_deep_nesting_is_malformed(server: Server) -> None:
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    server.answers = [listed({**PHOTO, "Odd": deep})]
    with pytest.raises(MalformedAnswer):
        source(server).images(ALBUM, since=None, deadline=DEADLINE)


# -- offers --------------------------------------------------------------------------------------


def offer(data: dict[str, Any]) -> Offer:
    return offer_of("hT4mWq", data, [name for name in data if name.endswith("URL") and data[name]])


def test_a_video_is_its_largest_rendition_and_its_md5_is_not_expected() -> None:
    taken = offer(VIDEO)
    assert (taken.kind, taken.availability) == ("rendition", Availability.READY)
    assert (taken.url_field, taken.url) == ("Video1280URL", VIDEO["Video1280URL"])
    assert (taken.md5, taken.size, taken.exact) == (VIDEO["MD5Sum"], VIDEO["Size"], False)


def test_a_video_is_one_by_its_urls_as_well() -> None:
    assert offer({**VIDEO, "Format": None}).kind == "rendition"
    smil = {"Format": "XYZ", "OriginalURL": "https://still", "VideoSMILURL": "https://smil"}
    assert offer(smil).availability is Availability.PROCESSING


def test_a_video_without_a_rendition_is_in_the_making() -> None:
    waiting = offer({"Format": "mov", "OriginalURL": "https://still", "Video640URL": ""})
    assert (waiting.kind, waiting.availability) == ("rendition", Availability.PROCESSING)
    assert waiting.url is None


@pytest.mark.parametrize("url", ["", None, ..., 5])
def test_a_photo_without_an_original_is_none(url: Any) -> None:
    data = {**PHOTO, "OriginalURL": url}
    if url is ...:
        del data["OriginalURL"]
    missing = offer(data)
    assert (missing.kind, missing.url_field, missing.url) == ("none", None, None)
    assert missing.md5 == PHOTO["MD5Sum"]


@pytest.mark.parametrize("md5", [None, "", "x", "9a0c", 5, "9a0c1f5d2be84716a3c07d59e2f1b648\n"])
def test_an_md5_that_is_none_is_none(md5: Any) -> None:
    assert offer({**PHOTO, "MD5Sum": md5}).md5 is None


def test_a_collected_photo_is_to_be_looked_up_at_home() -> None:
    assert offer(COLLECTED).availability is Availability.LOOKUP
    at_home = {**COLLECTED, "Album": {"id": 51840217, "Key": "hT4mWq"}}
    assert offer(at_home).kind == "none"
    assert offer({**COLLECTED, "Album": {"id": 1, "Key": "../x"}}).kind == "none"


# -- looking up ----------------------------------------------------------------------------------


def collected(key: str = "V2xgTbs") -> Image:
    data = {**COLLECTED, "Key": key}
    return Image(key, 1, None, None, None, data, (), offer(data))


def test_a_home_album_is_listed_once_for_all_its_images(server: Server) -> None:
    home = {"id": 51840399, "Key": "Zc9RkD"}

    def answer(asked: Asked) -> Said:
        assert asked.form["AlbumKey"] == "Zc9RkD" and asked.form["AlbumID"] == "51840399"
        return listed({**PHOTO, "Key": "V2xgTbs"}, {**PHOTO, "Key": "two", "id": 2}, **home)

    server.answers = answer
    one = source(server)
    for key in ("V2xgTbs", "two"):
        found = one.resolve(ALBUM, collected(key), deadline=DEADLINE)
        assert (found.availability, found.url) == (Availability.READY, PHOTO["OriginalURL"])
    assert one.resolve(ALBUM, collected("three"), deadline=DEADLINE).kind == "none"
    assert len(server.asked) == 1


def test_an_image_that_names_no_home_is_looked_for_nowhere(server: Server) -> None:
    image = collected()
    image = replace(image, data={**image.data, "Album": {"id": 1, "Key": "../x"}})
    assert source(server).resolve(ALBUM, image, deadline=DEADLINE).kind == "none"
    assert server.asked == []


def from_home(home: int, number: int) -> Image:
    data = {
        "id": home * 1000 + number,
        "Key": f"h{home}i{number}",
        "Format": "JPG",
        "Album": {"id": home, "Key": f"home{home}"},
    }
    return Image(data["Key"], 1, None, None, None, data, (), offer(data))  # type: ignore[arg-type]


def homes(images: int) -> Callable[[Asked], Said]:
    """Home albums of so many images each."""

    def answer(asked: Asked) -> Said:
        home = int(asked.form["AlbumID"])
        entries = [
            {**PHOTO, "id": home * 1000 + number, "Key": f"h{home}i{number}"}
            for number in range(images)
        ]
        return listed(*entries, id=home, Key=f"home{home}")

    return answer


def test_a_smart_album_of_many_homes_lists_each_of_them_once(server: Server) -> None:
    """In the order of dates, so that each image is of another home than the one before."""
    server.answers = homes(10)
    one = source(server)
    for number in range(10):
        for home in range(1, 21):
            found = one.resolve(ALBUM, from_home(home, number), deadline=DEADLINE)
            assert found.url == PHOTO["OriginalURL"]
    assert len(server.asked) == 20


def test_what_is_kept_of_homes_is_bounded_by_their_images(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smugmug_backup.smugmug.source_130._KEPT_OFFERS", 25)
    server.answers = homes(10)
    one = source(server)
    for home in (1, 2, 3, 3, 2):
        one.resolve(ALBUM, from_home(home, 0), deadline=DEADLINE)
    assert len(server.asked) == 3, "the newest two are kept"
    one.resolve(ALBUM, from_home(1, 0), deadline=DEADLINE)
    assert len(server.asked) == 4, "the one used longest ago was let go"
    server.answers = homes(40)
    for number in (0, 1):
        one.resolve(ALBUM, from_home(9, number), deadline=DEADLINE)
    assert len(server.asked) == 5, "one home is always kept, however large"


def test_a_home_is_listed_again_when_its_addresses_may_be_stale(server: Server) -> None:
    server.answers = homes(2)
    one = source(server)
    clock = one._homes._clock
    assert isinstance(clock, FakeClock)
    one.resolve(ALBUM, from_home(1, 0), deadline=DEADLINE)
    clock.sleep(599)
    one.resolve(ALBUM, from_home(1, 1), deadline=DEADLINE)
    assert len(server.asked) == 1
    clock.sleep(2)
    one.resolve(ALBUM, from_home(1, 1), deadline=DEADLINE)
    assert len(server.asked) == 2


def test_a_home_that_was_deleted_has_no_original(server: Server) -> None:
    server.answers = [Said('{"stat":"fail","code":9}')]
    assert source(server).resolve(ALBUM, collected(), deadline=DEADLINE).kind == "none"


def test_an_album_without_its_number_is_not_asked_for(server: Server) -> None:
    planned_by_v2 = replace(ALBUM, id=None)
    with pytest.raises(MalformedAnswer, match="AlbumID"):
        source(server).images(planned_by_v2, since=None, deadline=DEADLINE)
    assert server.asked == []


def test_a_collected_photo_without_original_keeps_its_md5_and_format(server: Server) -> None:
    server.answers = [Said('{"stat":"fail","code":4}')]
    data = {**COLLECTED, "MD5Sum": PHOTO["MD5Sum"], "Format": "JPG"}
    image = Image("V2xgTbs", 1, None, None, None, data, (), offer(data))
    found = source(server).resolve(ALBUM, image, deadline=DEADLINE)
    assert (found.kind, found.md5, found.format) == ("none", PHOTO["MD5Sum"], "JPG")


def test_a_home_that_is_closed_to_us_has_no_original(server: Server) -> None:
    server.answers = [Said('{"stat":"fail","code":4}')]
    assert source(server).resolve(ALBUM, collected(), deadline=DEADLINE).kind == "none"


def test_a_home_that_does_not_answer_is_an_error(server: Server) -> None:
    server.answers = [Said("", 500)]
    with pytest.raises(SourceUnavailable):
        source(server).resolve(ALBUM, collected(), deadline=DEADLINE)


def test_two_albums_that_point_at_each_other_end(server: Server) -> None:
    back = {**COLLECTED, "Album": {"id": 5, "Key": "another"}}
    server.answers = [listed(back, id=51840399, Key="Zc9RkD")]
    assert source(server).resolve(ALBUM, collected(), deadline=DEADLINE).kind == "none"
    assert len(server.asked) == 1


def test_a_source_shows_no_secret() -> None:
    with serving() as server:
        one = source(server)
        assert "KEY-1" not in repr(one) + repr(vars(one)) + repr(vars(one._parts.transport))
        assert "SECRET" not in repr(vars(one._parts.photos)) + repr(one._credentials)
