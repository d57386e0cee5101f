"""Who may see the pages, and that each shows what it should."""

import json
import sqlite3
from datetime import datetime

import pytest
from werkzeug.test import Client

from smugmug_backup.browse.site import Site
from tests.local_smugmug.pictures import draw_jpeg
from tests.unit.browse.conftest import PORT, TOKEN

HERE = f"http://127.0.0.1:{PORT}"
PAGES = ["/", "/gone", "/changes", "/search", "/search?q=quay", "/needs", "/runs", "/album/harbour"]


# -- who may ask ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PAGES, "/nights.json", "/assets/style.css", "/small/1"])
def test_who_does_not_know_the_address_sees_nothing(served, path):
    answer = served.stranger().get(path, base_url=HERE)
    assert answer.status_code == 403 and b"<" not in answer.data


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", "\u00e9"])
def test_a_wrong_token_opens_nothing(served, token):
    stranger = served.stranger()
    assert stranger.get("/", query_string={"token": token}, base_url=HERE).status_code == 403
    assert stranger.get("/", base_url=HERE).status_code == 403


def test_the_token_leaves_the_address_for_a_cookie_that_no_script_and_no_other_site_gets(served):
    answer = served.stranger().get(f"/?token={TOKEN}", base_url=HERE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "localhost"])
def test_another_name_of_this_machine_is_refused(served, host):
    assert served.get("/", base_url=f"http://{host}").status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_the_pages_are_only_read(served, method):
    assert served.client.open("/", method=method, base_url=HERE).status_code == 405


@pytest.mark.parametrize("path", [*PAGES, "/nothing", "/small/1", "/original/1", "/assets/x"])
def test_every_answer_forbids_what_is_not_its_own(served, path):
    headers = served.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"


# -- what they show -------------------------------------------------------------------------------


def test_the_account_shows_albums_in_their_folders_with_counts(served):
    html = served.html("/")
    assert "Harbour &amp; Quay 2024" in html and "5 images" in html
    assert "Old things" not in html and "3 images that SmugMug shows no more" in html


def test_the_account_as_of_a_night_shows_what_was_there_then(served):
    first = served.views.nights()[0].at
    html = served.html(f"/?at={first}")
    assert "Old things" in html and "back to now" in html


def test_an_album_shows_its_images_in_order_and_what_left_it(served):
    html = served.html("/album/harbour")
    places = [html.index(f"DSC_0000{n}.JPG") for n in (3, 4, 6, 7, 5)]
    assert places == sorted(places)
    assert "Left this album" in html


def test_since_a_night_what_came_changed_and_left_is_marked(served):
    first = served.views.nights()[0].at
    html = served.html(f"/album/harbour?since={first}")
    assert {mark: html.count(f'class="cell {mark}"') for mark in ("came", "changed", "left")} == {
        "came": 1,
        "changed": 2,
        "left": 1,
    }


def test_a_photo_shows_its_caption_its_neighbours_and_its_history(served):
    key = served.sample.source.world["harbour"].images[0].key
    html = served.html(f"/album/harbour/{key}")
    assert "The old quay" in html and 'id="after"' in html and 'id="before"' not in html
    assert "changed at SmugMug" in html and "came" in html


def test_a_replaced_photo_shows_both_pictures(served):
    key = served.sample.source.world["harbour"].images[1].key
    assert "Its pictures" in served.html(f"/album/harbour/{key}")


def test_changes_lists_albums_with_what_became_of_them(served):
    html = served.html("/changes?since=0001-01-01T00:00:00Z")
    assert "5 came" in html
    first = served.views.nights()[0].at
    html = served.html(f"/changes?since={first}")
    assert "Old things" in html and "2 left" in html


def test_search_finds_and_says_what_is_wrong_with_a_question(served):
    assert "The old quay" in served.html("/search?q=QUAY")
    assert "Nothing found" in served.html("/search?q=zzz")
    assert "is no day" in served.html("/search?taken=soon")
    html = served.html("/search?taken=2019&gone=no")
    assert "Nothing found; of 10 images no date is known" in html


def test_what_needs_its_owner_is_named(served):
    html = served.html("/needs")
    for name in ("no_original.jpg", "no_md5.jpg", "late.jpg"):
        assert name in html


def test_what_needs_its_owner_is_found_without_reading_all_that_does_not(served):
    """At 100,000 images the page took seconds."""
    plans = []
    db = served.views._db

    class Explained:
        def execute(self, sql, values=()):
            if "FROM image_versions" in " ".join(sql.split()):
                plans.append(str(list(db.execute(f"EXPLAIN QUERY PLAN {sql}", values))))
            return db.execute(sql, values)

    type(served.views)(Explained()).needs()
    assert len(plans) == 4 and all("image_versions_wanting" in each for each in plans), plans


def test_runs_link_to_what_they_changed(served):
    html = served.html("/runs")
    assert html.count(">look</a>") == len(served.views.nights())


def test_nights_are_counted_for_the_slider(served):
    nights = json.loads(served.get("/nights.json").data)
    assert nights[0][1] > 0 and [at for at, *_ in nights] == sorted(at for at, *_ in nights)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/album/nothing", 404),
        ("/album/harbour/nothing", 404),
        ("/small/99999", 404),
        ("/assets/../site.py", 404),
        ("/?at=soon", 400),
        ("/?at=2026-11-24T03:00:00", 400),
        ("/album/harbour?page=99", 200),
        ("/album/harbour?page=x", 200),
        ("/?at=2026-11-24", 200),
        ("/?at=2026-W48-2", 400),
        ("/small/99999999999999999999", 404),
        ("/original/99999999999999999999", 404),
    ],
)
def test_an_address_that_is_none_is_said_so(served, path, status):
    assert served.get(path).status_code == status


@pytest.mark.parametrize("form", ["%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H:%M:%S.000Z"])
def test_a_moment_is_the_same_however_it_is_written(served, form):
    first = served.views.nights()[0].at
    other = datetime.fromisoformat(first).strftime(form)
    assert "Old things" in served.html(f"/?at={first}")
    assert "Old things" in served.html(f"/?at={other}")
    assert "Old things" not in served.html("/?at=00010101T000000Z")


def test_a_question_of_more_words_than_the_catalog_takes_is_answered(served):
    words = "+".join(["\u5915"] * 1100)
    assert "1,100 words are too many" in served.html(f"/search?q={words}")
    assert "Nothing found" in served.html("/search?q=" + "+".join(["zz"] * 1100))


def test_a_catalog_that_breaks_while_it_is_served_is_said_in_a_sentence(served, monkeypatch):
    def broken(*args, **more):
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(type(served.views), "facts", broken)
    answer = served.get("/")
    assert answer.status_code == 500 and "malformed" in answer.text
    monkeypatch.undo()
    assert served.get("/").status_code == 200


def test_two_that_are_served_at_once_do_not_take_each_others_cookie_away(served):
    names = []
    for port in (PORT, PORT + 1):
        site = Site(
            served.db, served.archive, None, location="~/photos", port=port, token=f"{port}"
        )
        answer = Client(site).get(f"/?token={port}", base_url=f"http://127.0.0.1:{port}")
        names.append(answer.headers["Set-Cookie"].partition("=")[0])
    assert len(set(names)) == 2


# -- hostile texts --------------------------------------------------------------------------------

HOSTILE = "<script>alert(1)</script> \" ' & {{ 7*7 }} \u202e"


def test_a_caption_may_hold_anything(served):
    source = served.sample.source
    image = source.world["harbour"].images[0]
    source.touch(image, caption=HOSTILE, file_name="<b>'\".jpg")
    source.world["harbour"].title = HOSTILE
    served.sample.nights.next_night(full=True)
    served.update()
    for path in ("/", "/album/harbour", f"/album/harbour/{image.key}", "/search?q=script", "/runs"):
        html = served.html(path)
        assert "<script>alert" not in html and "<b>'" not in html
        assert "{{ 7*7 }}" in html
    sheet = served.get(f"/small/{served.version('<b>' + chr(39) + chr(34) + '.jpg')}").text
    assert "<b>" not in sheet


def test_the_question_itself_is_escaped(served):
    assert "<script>x" not in served.html("/search?q=<script>x&taken=<script>x&near=<script>x")


# -- bytes ----------------------------------------------------------------------------------------


def test_an_original_comes_whole_in_part_and_under_its_own_name(served):
    version = served.version("no_md5.jpg")
    body = next(
        i.body for i in served.sample.source.world["alps"].images if i.file_name == "no_md5.jpg"
    )
    answer = served.get(f"/original/{version}?download")
    assert answer.data == body and answer.content_type == "image/jpeg"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''no_md5.jpg"
    part = served.get(f"/original/{version}", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.data) == (206, body[2:5])
    assert part.headers["Content-Range"] == f"bytes 2-4/{len(body)}"
    beyond = served.get(f"/original/{version}", headers={"Range": "bytes=999999-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(body)}")


def test_a_part_is_given_only_of_the_bytes_that_the_browser_has(served):
    address = f"/original/{served.version('no_md5.jpg')}"
    tag = served.get(address).headers["ETag"]
    part = {"Range": "bytes=2-4"}
    assert served.get(address, headers={**part, "If-Range": tag}).status_code == 206
    assert served.get(address, headers={**part, "If-Range": '"other"'}).status_code == 200
    assert served.get(address, headers={"If-None-Match": tag}).status_code == 304


def has_picture(served, file_name):
    """A real picture in the place of the bytes that the sample has."""
    body = draw_jpeg(1, datetime(2019, 5, 6, 7, 8, 9), None)
    version = served.version(file_name)
    sql = "UPDATE image_versions SET bytes = ? WHERE version_id = ? RETURNING key"
    (key,) = served.db.execute(sql, (len(body), version)).fetchone()
    served.sample.store.objects[key] = body


def test_a_browser_keeps_a_picture_and_asks_whether_it_still_is_that_one(served):
    """The same address may be another picture's after the next start on the same port."""
    has_picture(served, "DSC_00003.JPG")
    one = served.get(f"/small/{served.version('DSC_00003.JPG')}")
    assert one.content_type == "image/jpeg"
    tag = {"If-None-Match": one.headers["ETag"]}
    assert "no-cache" in one.headers["Cache-Control"]
    again = served.get(f"/small/{served.version('DSC_00003.JPG')}", headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    other = served.get(f"/small/{served.version('DSC_00004.JPG')}", headers=tag)
    assert other.status_code == 200


def test_what_is_not_there_is_not_found_and_stops_nothing(served):
    assert served.get(f"/original/{served.version('no_original.jpg')}").status_code == 404
    version = served.version("no_md5.jpg")
    (key,) = served.db.execute(
        "SELECT key FROM image_versions WHERE version_id = ?", (version,)
    ).fetchone()
    del served.sample.store.objects[key]
    assert served.get(f"/original/{version}").status_code == 404
    assert served.get(f"/small/{version}").content_type.startswith("image/svg+xml")
