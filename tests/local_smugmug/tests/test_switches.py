"""Every switch of the local SmugMug changes what it says."""

from dataclasses import fields
from pathlib import Path

import pytest

from tests.local_smugmug import Switches, World, generate_account


@pytest.fixture
def world(clock) -> World:
    return World(generate_account(seed=1, albums=2, images=3), clock=clock.now)


@pytest.fixture
def switch(caller):
    return caller.smugmug.switches.set


def count(caller, album, **params) -> int:
    return caller.images_call(album, **params)["Album"]["ImageCount"]


def test_a_switch_that_is_none_is_refused(switch):
    with pytest.raises(AttributeError, match="no such switch"):
        switch(nonsense=True)


def test_the_filter_takes_what_is_after_or_also_what_is_at(caller, album, world, switch, clock):
    image = world.upload(album)
    now = int(clock.now().timestamp())
    assert caller.images(album, LastUpdated=now) == []
    switch(last_updated_inclusive=True)
    assert [shown["Key"] for shown in caller.images(album, LastUpdated=now)] == [image.key]


def test_a_filtered_count_is_total_or_filtered(caller, album, switch, world, clock):
    world.upload(album)
    since = int(clock.now().timestamp()) - 1
    assert count(caller, album, LastUpdated=since) == 4
    switch(filtered_image_count="filtered")
    assert count(caller, album, LastUpdated=since) == 1


def test_no_images_have_three_shapes(caller, world, switch):
    empty = world.new_album().key
    assert caller.images_call(empty)["Album"]["Images"] == []
    switch(empty_images="null")
    assert caller.images_call(empty)["Album"]["Images"] is None
    switch(empty_images="absent")
    assert "Images" not in caller.images_call(empty)["Album"]


def test_counts_are_off(caller, album, world, switch):
    switch(album_count_off=1, listing_count_off=-1)
    assert caller.albums(Heavy="1")[0]["ImageCount"] == 4
    assert count(caller, album) == 2
    world.album(album).count_off = 10
    world.album(album).listing_count_off = 20
    assert caller.albums(Heavy="1")[0]["ImageCount"] == 14
    assert count(caller, album) == 22
    pages = caller.v2(f"/album/{album}!images").json()["Response"]["Pages"]
    assert pages["Total"] == 22


def test_dates_are_shown_in_another_zone(caller, album, switch, world, clock):
    world.upload(album)
    assert caller.images(album, Heavy="1")[-1]["LastUpdated"] == "2026-11-24 03:00:00"
    switch(zone_hours=-8)
    assert caller.images(album, Heavy="1")[-1]["LastUpdated"] == "2026-11-23 19:00:00"
    shown = caller.v2_things(f"/album/{album}!images")[-1]
    assert shown["LastUpdated"] == "2026-11-24T03:00:00+00:00"


def test_the_filter_is_off_by_hours(caller, album, switch, world, clock):
    world.upload(album)
    since = int(clock.now().timestamp()) - 60
    assert len(caller.images(album, LastUpdated=since)) == 1
    switch(filter_zone_hours=-8)
    assert caller.images(album, LastUpdated=since) == []


def test_an_albums_date_is_that_of_its_settings_or_of_its_images(caller, album, world, switch):
    before = caller.albums(Heavy="1")[0]["LastUpdated"]
    world.upload(album)
    assert caller.albums(Heavy="1")[0]["LastUpdated"] == before
    switch(album_last_updated="images")
    world.upload(album)
    assert caller.albums(Heavy="1")[0]["LastUpdated"] == "2026-11-24 03:00:00"


@pytest.mark.parametrize(
    ("mode", "listed", "counted"), [("listed", 3, 3), ("counted", 2, 3), ("absent", 2, 2)]
)
@pytest.mark.parametrize(
    ("what", "name"), [("hidden", "hidden_images"), ("processing", "processing_images")]
)
def test_hidden_and_processing_images_are_listed_counted_or_absent(
    caller, album, world, switch, what, name, mode, listed, counted
):
    switch(**{name: mode})
    key = world.album(album).images[0].key
    world.edit(key, **{what: True})
    assert len(caller.images(album)) == listed
    assert count(caller, album) == counted
    assert caller.albums(Heavy="1")[0]["ImageCount"] == counted
    assert len(caller.v2_things(f"/album/{album}!images")) == listed


def test_edits_uploads_and_moves_show_late(caller, album, world, switch, clock):
    other = list(caller.account.albums)[1]
    switch(late_visibility=600)
    first, second, _ = world.album(album).images
    world.edit(first.key, caption="new")
    new = world.upload(album)
    world.move(second.key, other)
    shown = caller.images(album, Heavy="1")
    assert shown[0]["Caption"] == first.caption
    assert new.key not in [image["Key"] for image in shown]
    assert len(caller.images(other)) == 3
    assert caller.images(album, LastUpdated=int(clock.now().timestamp()) - 1) == []
    assert count(caller, album) == 2
    switch(late_images_counted=True)
    assert count(caller, album) == 3
    clock.advance(seconds=601)
    assert caller.images(album, Heavy="1")[0]["Caption"] == "new"
    assert len(caller.images(album)) == 3
    assert len(caller.images(other)) == 4


def test_bytes_stay_the_old_ones_while_a_replacement_is_late(caller, album, world, switch, clock):
    switch(late_visibility=600)
    image = world.album(album).images[0]
    old = image.body.read()
    world.replace(image.key)
    shown = caller.images(album, Heavy="1")[0]
    assert caller.photo(shown["OriginalURL"]).content == old
    clock.advance(seconds=601)
    shown = caller.images(album, Heavy="1")[0]
    assert (shown["Serial"], caller.photo(shown["OriginalURL"]).content == old) == (1, False)


def test_a_move_sets_or_keeps_last_updated(caller, album, world, switch):
    other = list(caller.account.albums)[1]
    first, second, _ = world.album(album).images
    world.move(first.key, other)
    assert world.image(first.key).updated > first.updated
    switch(move_keeps_last_updated=True)
    world.move(second.key, other)
    assert world.image(second.key).updated == second.updated


def test_the_listing_leaves_out_the_albums_url(caller, album, switch):
    assert "URL" in caller.images_call(album)["Album"]
    switch(album_url_listed=False)
    assert "URL" not in caller.images_call(album)["Album"]


def test_numbers_and_booleans_come_as_text(caller, album, switch):
    switch(numbers_as_strings=True, booleans_as_strings=True)
    image = caller.images(album, Heavy="1")[0]
    assert (image["id"], image["Hidden"]) == ("13500000000", "0")
    assert count(caller, album) == "3"
    assert caller.albums(Heavy="1")[0]["Public"] == "1"


def test_the_public_sees_more(caller, album, switch):
    switch(anonymous_sees_md5=True, anonymous_sees_file_name=True)
    assert {"MD5Sum", "FileName"} <= caller.images(album, signed=False, Heavy="1")[0].keys()


def test_strict_has_no_code_of_its_own(caller, world, switch):
    empty = world.new_album().key
    switch(strict_15=False)
    assert caller.images_call(empty, Strict="1")["Album"]["Images"] == []


def test_the_envelope_does_not_name_the_method(caller, switch):
    switch(method_in_answers=False)
    assert "method" not in caller.call("smugmug.albums.get")
    assert caller.call("smugmug.nonsense") == {
        "stat": "fail",
        "code": 17,
        "message": "invalid method",
    }


def test_the_api_is_retired_in_several_ways(caller, switch):
    expected = {
        "404": (404, "<!DOC"),
        "410": (410, "<!DOC"),
        "html": (200, "<!DOC"),
        "17": (200, '{"sta'),
        "11": (200, '{"sta'),
        "38": (200, '{"sta'),
    }
    for retired, seen in expected.items():
        switch(retired=retired)
        answer = caller.raw("smugmug.albums.get")
        assert (answer.status_code, answer.text[:5]) == seen
    switch(retired="redirect")
    url = f"{caller.smugmug.url}/services/api/json/1.3.0/?method=smugmug.albums.get"
    answer = caller.http.get(url, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"][-7:]) == (301, "/v2/doc")
    assert caller.v2("!authuser").status_code == 200


def test_http_is_sent_to_https(caller, switch):
    switch(redirect_to_https=True)
    url = f"{caller.smugmug.url}/services/api/json/1.3.0/?method=smugmug.service.ping"
    answer = caller.http.get(url, allow_redirects=False)
    assert answer.status_code == 301
    assert answer.headers["Location"] == url.replace("http:", "https:")


def test_answers_are_not_packed(caller, switch):
    assert caller.raw("smugmug.albums.get").headers["Content-Encoding"] == "gzip"
    switch(gzip=False)
    assert "Content-Encoding" not in caller.raw("smugmug.albums.get").headers


def test_urls_rotate(caller, album, switch):
    def url() -> str:
        return caller.images(album, Heavy="1")[0]["OriginalURL"]

    first = url()
    assert url() == first
    switch(url_rotation=1)
    second = url()
    assert second != first
    assert caller.photo(first).headers["Content-Type"] == "image/jpeg"
    switch(check_url_token=True)
    assert caller.photo(first).status_code == 404
    assert caller.photo(second).status_code == 200
    switch(url_rotation_each_call=True, check_url_token=False)
    assert len({url(), url(), url()}) == 3
    v2_urls = {caller.v2_things(f"/album/{album}!images")[0]["ArchivedUri"] for _ in range(2)}
    assert len(v2_urls) == 2


def test_private_images_are_a_placeholder_or_forbidden_to_strangers(caller, album, world, switch):
    world.edit_album(album, privacy="Private")
    url = caller.images(album, Heavy="1")[0]["OriginalURL"]
    answer = caller.photo(url, signed=False)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/gif")
    switch(placeholder_for_unsigned=False)
    assert caller.photo(url, signed=False).status_code == 403
    assert caller.photo(url).headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize(("form", "start"), [("gif", b"GIF8"), ("jpeg", b"\xff\xd8\xff")])
def test_a_video_in_the_making_has_no_url_or_one_that_answers_a_picture(
    caller, album, world, switch, form, start
):
    video = world.upload_video(album, processing=True)
    assert not [name for name in caller.images(album, Heavy="1")[-1] if name.startswith("Video")]
    switch(unready_video=form)
    url = caller.images(album, Heavy="1")[-1]["Video1280URL"]
    answer = caller.photo(url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, f"image/{form}")
    assert answer.content.startswith(start)
    world.finish_processing(video.key)
    assert caller.photo(url).content == video.renditions[1280].read()


def test_a_password_that_is_not_given_is_a_code_or_a_status(caller, album, world, switch):
    world.edit_album(album, password="word")
    assert caller.images_call(album, signed=False)["code"] == 4
    switch(password_refusal="401")
    ids = {"AlbumID": world.album(album).id, "AlbumKey": album}
    assert caller.raw("smugmug.images.get", signed=False, **ids).status_code == 401
    assert caller.images(album, signed=False, Password="word")
    assert caller.images(album)
    other = list(caller.account.albums)[1]
    assert caller.images(other, signed=False), "the others are as before"


def test_tokens_were_made_for_all_or_for_what_is_public(caller, album, world, switch):
    world.edit_album(album, privacy="Private")
    assert len(caller.albums()) == 2
    assert caller.v2("!authuser").json()["Response"]["User"]["ResponseLevel"] == "Full"
    switch(token_access="Public")
    assert caller.call("smugmug.auth.checkAccessToken")["Auth"]["Token"]["Access"] == "Public"
    assert len(caller.albums()) == 1
    assert caller.v2("!authuser").json()["Response"]["User"]["ResponseLevel"] == "Public"


def test_v2_access_can_be_missing(caller, switch):
    switch(v2_access=False)
    for signed in (True, False):
        answer = caller.v2(f"/user/{caller.account.nickname}!albums", signed=signed)
        assert answer.status_code == 401
        assert "lacks v2 access" in answer.json()["Message"]


def test_v2_clamps_the_count(caller, album, switch):
    switch(v2_max_count=2)
    response = caller.v2(f"/album/{album}!images", count=1000).json()["Response"]
    assert len(response["AlbumImage"]) == 2
    assert response["Pages"]["NextPage"].endswith("?start=3&count=2")


def pages(caller, album) -> list[str]:
    """Image keys of all pages of one."""
    keys = []
    for start in range(1, 4):
        things = caller.v2_things(f"/album/{album}!images", start=start, count=1)
        keys += [thing["ImageKey"] for thing in things]
    return keys


def test_v2_pages_change_their_order_or_shift(caller, album, switch):
    keys = pages(caller, album)
    assert len(set(keys)) == 3
    switch(v2_order_changes=True)
    assert pages(caller, album) != keys
    switch(v2_order_changes=False, v2_page_shift=1)
    assert pages(caller, album) == [keys[0], keys[2]]


def test_v2_loses_an_image_between_two_pages(caller, album, switch):
    first, _, third = [image.key for image in caller.account.albums[album].images]
    switch(v2_removed_between_pages=1)
    assert pages(caller, album) == [first, third], "the second moved up and was never shown"
    assert len(pages(caller, album)) == 2
    assert caller.v2(f"/album/{album}!images").json()["Response"]["Pages"]["Total"] == 2


def test_v2_large_pages_are_slow(caller, album, switch):
    waits = []
    caller.smugmug._sleep = lambda seconds: bool(waits.append(seconds))
    switch(v2_slow_page=2, v2_slow_seconds=90.0)
    assert len(caller.v2_things(f"/album/{album}!images", count=2)) == 2
    assert waits == []
    assert len(caller.v2_things(f"/album/{album}!images", count=3)) == 3
    assert waits == [90.0]


def test_v2_refuses_the_images_behind_a_password_or_shows_none(caller, album, world, switch):
    world.edit_album(album, password="word")
    (shown,) = [
        entry
        for entry in caller.v2_things(f"/user/{caller.account.nickname}!albums", signed=False)
        if entry["AlbumKey"] == album
    ]
    assert (shown["ResponseLevel"], shown["ImageCount"]) == ("Password", 3)
    assert caller.v2(f"/album/{album}!images", signed=False).status_code == 401
    switch(v2_password_listing="empty")
    answer = caller.v2(f"/album/{album}!images", signed=False)
    assert answer.status_code == 200
    assert answer.json()["Response"]["Pages"]["Total"] == 0
    assert len(caller.v2_things(f"/album/{album}!images")) == 3


def test_v2_gives_what_is_processing_an_address_or_none(caller, album, world, switch):
    image = world.upload(album, processing=True)
    shown = caller.v2_things(f"/album/{album}!images")[-1]
    assert shown["Processing"] is True and "ArchivedUri" not in shown
    switch(v2_processing_has_archived=True)
    shown = caller.v2_things(f"/album/{album}!images")[-1]
    assert shown["Processing"] is True
    assert caller.photo(shown["ArchivedUri"]).content == image.body.read()


def test_v2_gives_the_original_by_the_image_or_only_at_home(caller, album, world, switch):
    other = list(caller.account.albums)[1]
    image = caller.account.albums[album].images[0]
    world.collect(image.key, other, with_original=False)
    guest = caller.v2_things(f"/album/{other}!images")[-1]
    assert guest["CollectedFrom"] == world.album(album).title
    assert "ArchivedUri" not in guest
    uris = {name: guest["Uris"][name]["Uri"] for name in ("Image", "ImageAlbum")}
    assert "ArchivedUri" in caller.v2(uris["Image"]).json()["Response"]["Image"]
    switch(v2_image_has_archived=False)
    assert "ArchivedUri" not in caller.v2(uris["Image"]).json()["Response"]["Image"]
    home = caller.v2(f"{uris['ImageAlbum']}/image/{image.key}-0").json()["Response"]
    assert "ArchivedUri" in home["AlbumImage"]


def test_v2_next_page_repeats_parameters(caller, album, switch):
    def next_page() -> str:
        path = f"/album/{album}!images"
        answer = caller.v2(path, count=1, _filter="ImageKey", _verbosity=1)
        return answer.json()["Response"]["Pages"]["NextPage"]

    assert "_filter" not in next_page()
    switch(v2_next_page_keeps_parameters=True)
    assert "_filter=ImageKey" in next_page()


def test_v2_images_last_updated_moves_with_edits_or_not(caller, album, world, switch, clock):
    def moved() -> str:
        return caller.v2(f"/album/{album}").json()["Response"]["Album"]["ImagesLastUpdated"]

    key = world.album(album).images[0].key
    world.edit(key, caption="new")
    assert moved() == "2026-11-24T03:00:00+00:00"
    switch(v2_edit_moves_images_last_updated=False)
    clock.advance(hours=1)
    world.edit(key, caption="newer")
    assert moved() == "2026-11-24T03:00:00+00:00"
    world.upload(album)
    assert moved() == "2026-11-24T04:00:00+00:00"


def test_v2_coordinates_are_texts_or_numbers(caller, album, switch):
    assert caller.v2_things(f"/album/{album}!images")[0]["Latitude"] == "54.48610000000000"
    switch(v2_coordinates_as_numbers=True)
    assert caller.v2_things(f"/album/{album}!images")[0]["Latitude"] == 54.4861


def test_v2_hides_md5_from_the_public(caller, album, switch):
    path = f"/album/{album}!images"
    assert "ArchivedMD5" in caller.v2_things(path, signed=False)[0]
    switch(v2_anonymous_sees_md5=False)
    assert "ArchivedMD5" not in caller.v2_things(path, signed=False)[0]
    assert "ArchivedMD5" in caller.v2_things(path)[0]


def test_v2_limits_the_rate_by_windows(caller, switch, clock):
    switch(v2_rate_limit=2, v2_rate_window=60)
    first, second, third = (caller.v2("!authuser") for _ in range(3))
    assert (first.headers["X-RateLimit-Remaining"], second.status_code) == ("1", 200)
    assert (third.status_code, third.json()["Code"]) == (429, 429)
    assert int(third.headers["Retry-After"]) == 61
    assert int(third.headers["X-RateLimit-Reset"]) == int(clock.now().timestamp()) + 61
    clock.advance(seconds=61)
    assert caller.v2("!authuser").status_code == 200


def test_every_switch_has_a_test_here_or_beside_the_signatures():
    folder = Path(__file__).parent
    text = "".join(path.read_text() for path in folder.glob("test_*.py"))
    assert [field.name for field in fields(Switches) if field.name not in text] == []
