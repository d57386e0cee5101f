"""API 1.3.0 of the local SmugMug: every parameter and every error of `smugmug.images.get`."""

import gzip
import json
import re

import pytest

from tests.local_smugmug import generate_account, new_account
from tests.local_smugmug.caller import PATH
from tests.local_smugmug.generate import GENERATED_AT


@pytest.fixture
def accounts():
    first = generate_account(seed=1, albums=3, images=4, video_every=4)
    return [first, generate_account(seed=2, albums=1, images=1)]


# -- the parameters, in the specification's order ---------------------------------------------


def test_an_api_key_alone_shows_the_public_view(caller, album):
    image = caller.images(album, signed=False, Heavy="1")[0]
    assert "OriginalURL" in image
    assert not {"FileName", "MD5Sum", "Date", "Hidden"} & image.keys()


def test_a_session_is_the_owners_view(caller, album):
    secrets = caller.account.secrets
    image = caller.images(album, signed=False, SessionID=secrets.session_id, Heavy="1")[0]
    assert image["FileName"] == "DSC_0000000.JPG"


def test_the_light_answer_is_the_specifications(caller, album):
    answer = caller.images_call(album)
    assert answer["stat"] == "ok"
    assert answer["method"] == "smugmug.images.get"
    shown = answer["Album"]
    assert shown["id"] == caller.account.albums[album].id
    assert shown["Key"] == album
    assert shown["ImageCount"] == 4
    assert shown["URL"].startswith(f"https://{caller.account.nickname}.smugmug.com/Travel/Coast/")
    assert [set(image) for image in shown["Images"]] == [{"id", "Key"}] * 4


def test_associative_makes_the_list_an_object(caller, album):
    images = caller.images(album, Associative="true")
    assert {str(image["id"]) for image in images.values()} == set(images)


def test_callback_wraps_the_answer(caller, album):
    text = caller.raw("smugmug.service.ping", Callback="cb").text
    assert re.fullmatch(r"cb\((\{.*\})\);", text)
    assert caller.code("smugmug.service.ping", Callback="a b") == 16


def test_custom_size_adds_a_url(caller, album):
    image = caller.images(album, Heavy="1", CustomSize="100x100")[0]
    assert caller.photo(image["CustomURL"]).status_code == 200


def test_extras_add_fields_to_the_light_answer(caller, album):
    images = caller.images(album, Extras="FileName, MD5Sum,Nonsense")
    assert [set(image) for image in images] == [{"id", "Key", "FileName", "MD5Sum"}] * 4


@pytest.mark.parametrize("yes", ["1", "true", "True"])
def test_heavy_shows_photos_and_videos_whole(caller, album, yes):
    photo, *_, video = caller.images(album, Heavy=yes)
    assert photo["Format"] == "JPG"
    assert f"/O/i-{photo['Key']}" in photo["OriginalURL"]
    assert photo["Position"] == 1
    assert "Video1280URL" not in photo
    assert video["Format"] == "MP4"
    assert video["FileName"].endswith(".MOV")
    assert video["OriginalURL"].endswith(".jpg")
    assert {"Video320URL", "Video640URL", "Video1280URL", "Duration"} <= video.keys()


@pytest.mark.parametrize("no", ["", "0", "false"])
def test_a_false_heavy_is_light(caller, album, no):
    assert set(caller.images(album, Heavy=no)[0]) == {"id", "Key"}


def test_last_updated_leaves_what_is_newer(caller, album):
    images = caller.account.albums[album].images
    second_newest = sorted(image.updated for image in images)[-2]
    listed = caller.images(album, LastUpdated=second_newest, Extras="LastUpdated")
    assert [image["Key"] for image in listed] == [max(images, key=lambda i: i.updated).key]
    assert len(caller.images(album, LastUpdated=0)) == 4
    assert caller.images(album, LastUpdated=GENERATED_AT) == []


def test_an_album_password_opens_the_album(caller, album):
    caller.smugmug.world.edit_album(album, password="sesame")
    assert caller.images_call(album, signed=False)["code"] == 4
    assert caller.images_call(album, signed=False, Password="Sesame")["code"] == 4
    assert len(caller.images(album, signed=False, Password="sesame")) == 4
    assert len(caller.images(album)) == 4
    assert caller.albums(signed=False, Heavy="1")[0]["Passworded"] is True


def test_pretty_changes_the_looks_only(caller, album):
    pretty = caller.raw("smugmug.albums.get", Pretty="true").text
    assert pretty.startswith('{\n    "stat"')
    assert json.loads(pretty) == caller.call("smugmug.albums.get")


def test_sandboxed_urls_lie_beside_a_crossdomain_file(caller, album):
    url = caller.images(album, Heavy="1", Sandboxed="1")[0]["OriginalURL"]
    assert "/sandbox/photos/" in url
    assert caller.photo(url).content[:2] == b"\xff\xd8"
    assert caller.photo(caller.smugmug.url + "/sandbox/crossdomain.xml").status_code == 200


def test_a_site_password_opens_the_site(caller, album):
    caller.account.site_protected = True
    password = caller.account.secrets.site_password
    assert caller.images_call(album, signed=False)["code"] == 4
    assert caller.code("smugmug.albums.get", signed=False, SitePassword="wrong") == 4
    assert len(caller.images(album, signed=False, SitePassword=password)) == 4
    assert len(caller.albums(signed=False, SitePassword=password)) == 3


def test_strict_makes_an_empty_set_an_error(caller):
    empty = caller.smugmug.world.new_album("Nothing yet").key
    assert caller.images_call(empty)["Album"]["Images"] == []
    assert caller.images_call(empty, Strict="1")["code"] == 15


def test_get_and_post_and_no_slash_are_the_same(caller, album):
    assert caller.albums(http="POST") == caller.albums()
    url = (caller.smugmug.url + PATH).rstrip("/")
    params = {"method": "smugmug.albums.get"}
    assert caller.http.get(url, params=params, auth=caller.auth()).json()["stat"] == "ok"


def test_answers_are_packed_when_asked_for(caller):
    headers = {"Accept-Encoding": "gzip"}
    url = caller.smugmug.url + PATH
    params = {"method": "smugmug.albums.get", "Heavy": "1"}
    answer = caller.http.get(url, params=params, auth=caller.auth(), headers=headers, stream=True)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.raw.read()))["stat"] == "ok"
    plain = {"Accept-Encoding": "identity"}
    answer = caller.http.get(url, params=params, auth=caller.auth(), headers=plain)
    assert "Content-Encoding" not in answer.headers


# -- the errors -------------------------------------------------------------------------------


def get(caller, **params) -> int:
    known = {"AlbumID": 51_000_000, "AlbumKey": next(iter(caller.account.albums))}
    return caller.code("smugmug.images.get", **(known | params))


def test_error_3_is_a_session_that_is_none(caller):
    assert get(caller, signed=False, SessionID="made-up") == 3


def test_error_4_is_what_the_caller_may_not_see(caller, album):
    assert get(caller, AlbumKey="nope99") == 4
    assert get(caller, AlbumID=51_000_001) == 4
    assert caller.code("smugmug.albums.get", signed=False, NickName="nobody") == 4
    assert caller.code("smugmug.albums.get", signed=False, NickName="") == 4
    caller.smugmug.world.edit_album(album, privacy="Private")
    assert get(caller, signed=False) == 4
    assert get(caller) == 0


def test_keys_are_case_sensitive(caller, album):
    assert get(caller, AlbumKey=album.swapcase()) == 4


def test_error_16_is_a_value_that_is_none(caller):
    assert get(caller, AlbumID="x") == 16
    assert get(caller, LastUpdated="yesterday") == 16
    assert get(caller, Heavy="perhaps", Strict="1") == 16
    assert get(caller, Heavy="perhaps") == 0


def test_error_17_is_a_method_that_is_none(caller):
    assert caller.code("smugmug.images.fetch") == 17


def test_error_18_is_a_key_that_is_none(caller):
    assert get(caller, signed=False, APIKey="made-up") == 18


def test_error_22_is_a_parameter_that_is_missing(caller):
    assert get(caller, signed=False, APIKey="") == 22
    assert get(caller, AlbumID="") == 22
    answer = caller.call("smugmug.images.get", AlbumID=1)
    assert answer == {
        "stat": "fail",
        "method": "smugmug.images.get",
        "code": 22,
        "message": "missing required parameter (AlbumKey)",
    }


def test_error_98_is_a_fault(caller):
    caller.smugmug.faults.add("code", code=98, method="smugmug.images.get")
    answer = caller.raw("smugmug.images.get", AlbumID=1, AlbumKey="x")
    assert answer.status_code == 200
    assert answer.json()["code"] == 98


# -- the other methods ------------------------------------------------------------------------


def test_albums_get_is_light_and_heavy(caller):
    light = caller.albums()
    assert [set(album) for album in light] == [
        {"id", "Key", "Title", "Category", "SubCategory", "URL"},
        {"id", "Key", "Title", "Category", "URL"},
        {"id", "Key", "Title", "Category", "SubCategory", "URL"},
    ]
    heavy = caller.albums(Heavy="1")[0]
    assert heavy["ImageCount"] == 4
    assert heavy["UploadKey"] == caller.account.secrets.upload_key
    anonymous = caller.albums(Heavy="1", signed=False)[0]
    assert not {"Password", "UploadKey", "NiceName"} & anonymous.keys()
    assert caller.albums(Extras="ImageCount")[0]["ImageCount"] == 4


def test_albums_get_leaves_out_what_is_not_asked_for(caller):
    world = caller.smugmug.world
    world.new_album("Empty")
    world.new_album("Secret", privacy="Private", images=1)
    world.new_album("Unlisted", privacy="Unlisted", images=1)
    assert len(caller.albums()) == 6
    assert len(caller.albums(Empty="true")) == 6
    assert len(caller.albums(Empty="false")) == 5
    assert [album["Title"] for album in caller.albums(signed=False)][3:] == ["Empty"]
    assert len(caller.albums(LastUpdated=GENERATED_AT)) == 3


def test_albums_get_of_nobody_is_an_empty_set(caller):
    account = new_account(5, "newcomer")
    caller.smugmug.world.accounts["newcomer"] = account
    assert caller.albums(signed=False, NickName="newcomer") == []
    assert caller.code("smugmug.albums.get", signed=False, NickName="newcomer", Strict="1") == 15


def test_somebody_elses_album_is_seen_as_the_public_sees_it(caller):
    albums = caller.albums(NickName="larkfield2", Heavy="1")
    assert len(albums) == 1
    assert "Password" not in albums[0]


def test_get_info_and_get_urls_show_one(caller, album):
    album_id = caller.account.albums[album].id
    shown = caller.call("smugmug.albums.getInfo", AlbumID=album_id, AlbumKey=album)["Album"]
    assert shown["Title"] == "Harbour 0"
    listed = caller.images(album, Heavy="1")[0]
    ids = {"ImageID": listed["id"], "ImageKey": listed["Key"]}
    info = caller.call("smugmug.images.getInfo", **ids)["Image"]
    assert info.pop("Album")["Key"] == album
    assert info == listed
    urls = caller.call("smugmug.images.getURLs", **ids)["Image"]
    assert urls["OriginalURL"] == listed["OriginalURL"]
    assert caller.code("smugmug.images.getInfo", ImageID=1, ImageKey="none") == 4


def test_check_access_token_says_whose_it_is(caller):
    auth = caller.call("smugmug.auth.checkAccessToken")["Auth"]
    assert auth["User"]["NickName"] == caller.account.nickname
    assert auth["Token"]["Access"] == "Full"
    assert caller.code("smugmug.auth.checkAccessToken", signed=False) == 36


def test_ping_answers(caller):
    assert caller.call("smugmug.service.ping", signed=False) == {
        "stat": "ok",
        "method": "smugmug.service.ping",
    }
