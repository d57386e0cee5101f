"""The world behind the local SmugMug: accounts from seeds, operations, bytes, counters."""

import hashlib
import io
import threading
import time
import tracemalloc

import piexif
import pytest
from PIL import Image as Picture

from tests.local_smugmug import (
    LocalSmugMug,
    SeededBody,
    World,
    demo_account,
    generate_account,
    new_account,
)
from tests.local_smugmug.caller import PATH, Caller
from tests.local_smugmug.calls import most_within_a_second
from tests.local_smugmug.generate import KeyMaker


@pytest.fixture
def world(clock) -> World:
    return World(generate_account(seed=1, albums=3, images=4, video_every=4), clock=clock.now)


@pytest.fixture
def albums(caller) -> list[str]:
    return list(caller.account.albums)


def keys(caller, album) -> list[str]:
    return [image["Key"] for image in caller.images(album)]


# -- accounts from seeds ----------------------------------------------------------------------


def test_the_same_seed_gives_the_same_account():
    one, two = (World(generate_account(seed=3)).snapshot() for _ in range(2))
    assert one.keys() == two.keys()
    for key in one:
        assert one[key].image_keys == two[key].image_keys
        assert [i.sha256 for i in one[key].images.values()] == [
            i.sha256 for i in two[key].images.values()
        ]
    assert World(generate_account(seed=4)).snapshot().keys().isdisjoint(one.keys())


def test_a_million_images_cost_little_until_they_are_asked_for():
    tracemalloc.start()
    account = generate_account(albums=20_000, images=50, size=5_000_000)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 60_000_000
    world = World(account)
    assert sum(map(len, account.albums.values())) == 1_000_000
    last = list(account.albums.values())[-1]
    images = world.listed(last)
    assert len({image.key for image in images}) == 50
    assert world.image(images[7].key).file_name == images[7].file_name
    assert account.held == {}


def test_keys_are_numbers_in_disguise():
    maker = KeyMaker(seed=9, length=6)
    made = [maker.key(number) for number in range(2_000)]
    assert len(set(made)) == 2_000
    assert [maker.number(key) for key in made] == list(range(2_000))
    assert maker.number("short") is None
    assert maker.number("sp ce!") is None


def test_large_bytes_are_made_as_they_are_read():
    body = SeededBody(1, 5_000_000_000)
    start = body.chunks(4_999_900_001)
    first = next(start)
    assert len(first) + sum(map(len, start)) == 99_999
    small = SeededBody(1, 300_000)
    whole = small.read()
    assert len(whole) == 300_000
    assert b"".join(small.chunks(123_456)) == whole[123_456:]
    assert small.md5 == hashlib.md5(whole).hexdigest()
    assert small.sha256 == hashlib.sha256(whole).hexdigest()


def test_md5_is_listed_only_of_bytes_that_are_quickly_made():
    account = generate_account(images=2, size=5_000_000_000)
    snapshot = World(account).snapshot()
    listed = [image.listed for album in snapshot.values() for image in album.images.values()]
    assert all(entry["Size"] >= 5_000_000_000 for entry in listed)
    assert not any("MD5Sum" in entry for entry in listed)
    some = World(generate_account(images=4, no_md5_every=4)).snapshot()
    album = next(iter(some.values()))
    assert ["MD5Sum" in image.listed for image in album.images.values()] == [True] * 3 + [False]


def test_every_account_has_secrets_of_its_own():
    texts = demo_account().secret_texts()
    for seed in range(1, 4):
        texts += generate_account(seed=seed).secret_texts()
    assert len(set(texts)) == len(texts)
    assert min(map(len, texts)) == 32
    secret = demo_account().secret()
    assert set(secret) == {
        "api_key",
        "api_secret",
        "access_token",
        "access_token_secret",
        "site_password",
        "album_passwords",
    }
    assert len(secret["album_passwords"]) == 1
    assert "api_secret" not in demo_account().secret(signed=False)


# -- the demo account -------------------------------------------------------------------------


def test_the_demo_account_has_real_pictures_and_each_oddity():
    world = World(demo_account())
    albums = world.snapshot()
    images = [image for album in albums.values() for image in album.images.values()]
    for image in images:
        if image.kind == "original":
            Picture.open(io.BytesIO(image.read())).verify()
        if image.listed["Latitude"]:
            assert piexif.load(image.read())["GPS"][piexif.GPSIFD.GPSLatitudeRef] == b"N"
    names = [image.file_name for image in images]
    assert names.count("scan.jpg") == 2
    assert any("&amp;" in image.listed["Caption"] for image in images)
    all_keys = [image.key for image in images]
    assert len(all_keys) - len(set(all_keys)) == 1
    assert sum("MD5Sum" not in image.listed for image in images) == 1
    assert sum("OriginalURL" not in image.listed for image in images) == 1
    assert [image.kind for image in images].count("none") == 1
    (video,) = [image for image in images if image.kind == "rendition"]
    assert video.read()[4:8] == b"ftyp"
    assert {"Video320URL", "Video640URL", "Video960URL", "Video1280URL"} <= video.listed.keys()
    assert sum(album.listed["Passworded"] for album in albums.values()) == 1
    assert sum("SubCategory" in album.listed for album in albums.values()) >= 2
    assert world.account.name


# -- operations -------------------------------------------------------------------------------


def test_edits_set_last_updated_by_the_worlds_clock(caller, world, albums, clock):
    key = world.album(albums[0]).images[0].key
    clock.advance(hours=1)
    world.edit(key, caption="new", keywords="a; b", title="T")
    image = caller.images(albums[0], Heavy="1")[0]
    assert (image["Caption"], image["Keywords"], image["Title"]) == ("new", "a; b", "T")
    assert image["LastUpdated"] == "2026-11-24 04:00:00"
    assert image["Serial"] == 0
    answer = caller.raw("smugmug.service.ping", signed=False)
    assert answer.headers["Date"] == "Tue, 24 Nov 2026 04:00:00 GMT"
    with pytest.raises(AttributeError):
        world.edit(key, colour="red")


def test_a_replaced_original_has_new_bytes_and_serial(caller, world, albums):
    before = caller.images(albums[0], Heavy="1")[0]
    world.replace(before["Key"], b"\xff\xd8\xff\xe0 new bytes")
    after = caller.images(albums[0], Heavy="1")[0]
    assert after["Serial"] == 1
    assert after["MD5Sum"] != before["MD5Sum"]
    assert caller.photo(after["OriginalURL"]).content == b"\xff\xd8\xff\xe0 new bytes"


def test_images_come_go_and_change_places(caller, world, albums):
    one, two, _ = albums
    a, b, c, d = keys(caller, one)
    new = world.upload(one, b"\xff\xd8\xff new", file_name="new.jpg").key
    assert keys(caller, one) == [a, b, c, d, new]
    world.delete(b)
    world.move(c, two)
    assert keys(caller, one) == [a, d, new]
    assert keys(caller, two)[-1] == c
    world.reorder(one)
    assert keys(caller, one) == [new, d, a]
    world.reorder(one, [a, new])
    assert keys(caller, one) == [a, new, d]
    world.hide(a)
    assert caller.images(one, Heavy="1")[0]["Hidden"] is True
    assert len(caller.images(one, signed=False)) == 2
    with pytest.raises(KeyError):
        world.edit(b, caption="gone")


def test_a_collected_image_is_one_image_in_two_albums(caller, world, albums):
    one, two, three = albums
    key = keys(caller, one)[0]
    world.collect(key, two)
    world.collect(key, three, with_original=False, shown_as="Smart")
    world.edit(key, caption="seen everywhere")
    at_home, collected, smart = (
        next(i for i in caller.images(album, Heavy="1") if i["Key"] == key) for album in albums
    )
    assert "Album" not in at_home
    assert collected["Type"] == "Collected"
    assert collected["Album"]["Key"] == one
    assert smart["Type"] == "Smart"
    assert "OriginalURL" in collected
    assert "OriginalURL" not in smart
    assert {i["Caption"] for i in (at_home, collected, smart)} == {"seen everywhere"}
    v2 = caller.v2_things(f"/album/{three}!images")[-1]
    assert (v2["Origin"], "ArchivedUri" in v2) == ("Smart", False)
    world.uncollect(key, two)
    assert key not in keys(caller, two)
    world.drop_album(one)
    assert key not in keys(caller, three)


def test_albums_come_go_and_change_names(caller, world, albums):
    made = world.new_album("Über den Wolken", folders=("A", "B"), images=2)
    assert len(caller.images(made.key)) == 2
    world.rename_album(made.key, "Clouds")
    shown = caller.albums()[-1]
    assert (shown["Title"], shown["SubCategory"]["Name"]) == ("Clouds", "B")
    assert shown["URL"].endswith("/A/B/Clouds")
    world.drop_album(albums[0])
    assert albums[0] not in [album["Key"] for album in caller.albums()]
    assert caller.code("smugmug.images.get", AlbumID=51_000_000, AlbumKey=albums[0]) == 4
    world.drop_everything()
    assert caller.albums() == []


def test_a_video_becomes_ready_and_gains_a_rendition(caller, world, albums):
    key = world.upload_video(albums[0], processing=True).key
    raw = caller.images(albums[0], Heavy="1")[-1]
    assert not [name for name in raw if name.startswith("Video")]
    assert world.image(key).best is None
    world.finish_processing(key)
    ready = caller.images(albums[0], Heavy="1")[-1]
    assert "Video1280URL" in ready
    assert "Video1920URL" not in ready
    world.add_rendition(key, 1920)
    largest = caller.images(albums[0], Heavy="1")[-1]["Video1920URL"]
    assert caller.photo(largest).content == world.image(key).best.read()
    assert caller.photo(ready["OriginalURL"]).headers["Content-Type"] == "image/jpeg"
    world.replace(key)
    assert caller.photo(largest).content == world.image(key).best.read()


def test_what_is_known_of_an_image_can_be_forgotten(caller, world, albums):
    a, b, *_ = keys(caller, albums[0])
    world.forget_md5(a)
    world.forget_original(b)
    first, second, *_ = caller.images(albums[0], Heavy="1")
    assert "MD5Sum" not in first
    assert "OriginalURL" not in second
    world.edit(a, has_md5=True, listed_md5="0" * 32)
    assert caller.images(albums[0], Heavy="1")[0]["MD5Sum"] == "0" * 32


def test_a_snapshot_is_what_a_perfect_backup_holds(caller, world, albums):
    world.edit_album(albums[1], privacy="Private")
    snapshot = world.snapshot()
    assert list(snapshot) == albums
    for album in snapshot.values():
        assert list(album.images) == list(album.image_keys) == keys(caller, album.key)
        for image, listed in zip(
            album.images.values(), caller.images(album.key, Heavy="1"), strict=True
        ):
            assert image.listed == listed
            url = listed.get("Video1280URL") or listed["OriginalURL"]
            content = caller.photo(url).content
            assert content == image.read()
            assert hashlib.sha256(content).hexdigest() == image.sha256
            assert (len(content), hashlib.md5(content).hexdigest()) == (image.size, image.md5)
            assert image.kind == ("rendition" if "Video1280URL" in listed else "original")
    public = world.snapshot(view="public")
    assert list(public) == [albums[0], albums[2]]
    assert "MD5Sum" not in next(iter(public[albums[0]].images.values())).listed
    with pytest.raises(ValueError, match="everybody"):
        world.snapshot(view="everybody")


def test_two_accounts_keep_apart():
    one, two = generate_account(seed=1), generate_account(seed=2)
    world = World(one, two)
    made = world.new_album("Theirs", account=two)
    assert made.key in two.albums
    assert world.album(made.key) is made
    assert world.account is one
    world.drop_everything(two)
    assert one.albums
    assert not two.albums


def test_a_world_can_begin_with_nothing():
    world = World(new_account(8, "nobody"))
    album = world.new_album("First", images=3)
    assert len({image.key for image in album.images}) == 3


# -- bytes ------------------------------------------------------------------------------------


def test_originals_come_whole_in_part_and_with_their_md5(caller, world, albums):
    image = world.album(albums[0]).images[0]
    url = caller.images(albums[0], Heavy="1")[0]["OriginalURL"]
    whole = caller.photo(url)
    assert whole.headers["Content-Length"] == str(image.body.size)
    assert whole.headers["ETag"] == f'"{image.body.md5}"'
    part = caller.photo(url, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    rest = caller.photo(url, headers={"Range": "bytes=1900-"})
    assert rest.content == whole.content[1900:]
    assert caller.photo(url, headers={"Range": "bytes=99999-"}).status_code == 416
    assert caller.http.head(url).headers["Content-Length"] == str(image.body.size)


def test_sizes_that_are_none_are_not_found(caller, albums):
    images = caller.images(albums[0], Heavy="1")
    assert caller.photo(images[0]["ThumbURL"]).status_code == 200
    video = images[3]["Video640URL"]
    assert caller.photo(video.replace("/640/", "/7680/")).status_code == 404
    assert caller.photo(video.replace(images[3]["Key"], "nothere")).status_code == 404
    assert caller.photo(f"{caller.smugmug.url}/photos/nonsense").status_code == 404


def test_a_large_video_is_streamed_without_being_held(caller, world, albums):
    video = world.upload_video(albums[0], widths=(1920,))
    world.edit(video.key, renditions={1920: SeededBody(5, 5_000_000_000)})
    url = caller.images(albums[0], Heavy="1")[-1]["Video1920URL"]
    with caller.photo(url, stream=True) as answer:
        assert answer.headers["Content-Length"] == "5000000000"
        assert len(answer.raw.read(1 << 20)) == 1 << 20


def test_a_password_keeps_strangers_from_the_bytes(caller, world, albums):
    url = caller.images(albums[0], Heavy="1")[0]["OriginalURL"]
    assert caller.photo(url, signed=False).headers["Content-Type"] == "image/jpeg"
    world.edit_album(albums[0], password="sesame")
    assert caller.photo(url, signed=False).headers["Content-Type"] == "image/gif"
    world.collect(caller.images(albums[0])[0]["Key"], albums[1])
    assert caller.photo(url, signed=False).headers["Content-Type"] == "image/jpeg"
    caller.account.site_protected = True
    assert caller.photo(url, signed=False).headers["Content-Type"] == "image/gif"


# -- counters ---------------------------------------------------------------------------------


def test_calls_are_counted_by_all_that_matters(caller, albums):
    calls = caller.smugmug.calls
    image = caller.images(albums[0], Heavy="1")[0]
    caller.images(albums[0])
    caller.albums()
    caller.photo(image["OriginalURL"])
    assert (calls.api, calls.photos, calls.total) == (3, 1, 4)
    assert calls.by_method["smugmug.images.get"] == 2
    assert calls.by_what == {"images": 2, "albums": 1, "photo": 1}
    assert calls.of("images", albums[0]) == 2
    assert calls.downloads[image["Key"]] == 1
    assert calls.bytes_by_image[image["Key"]] == image["Size"]
    assert [call.signed for call in calls.log] == [True] * 4
    assert calls.per_second() <= 3
    calls.reset()
    assert (calls.total, calls.by_what, calls.during_retry_after) == (0, {}, 0)


def test_both_apis_count_under_the_same_words(caller, albums):
    key = caller.images(albums[0])[0]["Key"]
    caller.smugmug.calls.reset()
    paths = [
        "!authuser",
        f"/user/{caller.account.nickname}!albums",
        f"/album/{albums[0]}",
        f"/album/{albums[0]}!images",
        f"/image/{key}-0",
        f"/image/{key}-0!download",
    ]
    for path in paths:
        assert caller.v2(path).status_code == 200
    assert [call.what for call in caller.smugmug.calls.log] == [
        "account",
        "albums",
        "album",
        "images",
        "image",
        "image",
    ]
    assert caller.smugmug.calls.of("images", albums[0]) == 1
    assert caller.smugmug.calls.by_method["v2:album!images"] == 1


def test_the_peak_of_concurrency_is_known_and_latency_blocks_nobody(caller):
    gate = threading.Barrier(4)
    caller.smugmug._sleep = lambda seconds: gate.wait(120) < 0
    caller.smugmug.latency.api = 0.5
    callers = [Caller(caller.smugmug) for _ in range(4)]
    threads = [threading.Thread(target=one.call, args=["smugmug.service.ping"]) for one in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for one in callers:
        one.close()
    assert caller.smugmug.calls.peak == {"api": 4, "photo": 0, "all": 4}
    assert caller.smugmug.calls.in_flight == {"api": 0, "photo": 0, "all": 0}


def test_the_most_calls_within_a_second():
    assert most_within_a_second([]) == 0
    assert most_within_a_second([0.0, 0.5, 0.99, 1.5, 1.6]) == 3


def test_a_connection_serves_many_requests(caller):
    with caller.http.get(f"{caller.smugmug.url}{PATH}", stream=True) as answer:
        answer.raw.read()
        before = len(caller.smugmug._connections)
    for _ in range(5):
        caller.http.get(f"{caller.smugmug.url}{PATH}")
    assert len(caller.smugmug._connections) == before


def test_a_server_stops_at_once_and_can_be_asked_nothing_more():
    with LocalSmugMug(World(generate_account())) as smugmug:
        caller = Caller(smugmug)
        caller.albums()
        started = time.monotonic()
    assert time.monotonic() - started < 60
    assert not smugmug._threads
    caller.close()
