"""The tables of a restore: what stands in them, and that no spreadsheet is harmed by them."""

import csv
import io
from dataclasses import replace

import pytest

from smugmug_backup.archive.manifest import Manifest
from smugmug_backup.restore.plan import Problem
from smugmug_backup.restore.tables import (
    AlbumRow,
    albums_table,
    by_hand_table,
    defused,
    photos_table,
    table,
)
from tests.unit.restore.test_names import NIGHT, entry, header
from tests.unit.restore.test_plan import made


def rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\uff1d1"],
)
def test_a_text_that_would_be_a_formula_is_text(text):
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["a=b", "", "山", -0.6133, -4, None, "1"])
def test_other_cells_stay_as_they_are(cell):
    assert defused(cell) == cell


def test_a_table_is_rfc_4180_in_utf_8_with_a_byte_order_mark():
    body = table(("a", "b"), [('say "so", then', "one\ntwo"), ("Möwe \ud83d", None)])
    assert body == (
        b"\xef\xbb\xbf" + 'a,b\r\n"say ""so"", then","one\ntwo"\r\nMöwe \\ud83d,\r\n'.encode()
    )


V130 = {
    "Description": "by &amp; by",
    "Keywords": "a; b",
    "Public": False,
    "Passworded": True,
    "SortMethod": "Date",
    "SortDirection": True,
}
V2 = {
    "Description": "x",
    "Privacy": "Unlisted",
    "SecurityType": "None",
    "SortMethod": "Date Taken",
    "SortDirection": "Ascending",
}


@pytest.mark.parametrize(
    ("album", "expected"),
    [
        (V130, AlbumRow("by & by", "a; b", "not public", "Password", "Date", "Descending")),
        (V2, AlbumRow("x", "", "Unlisted", "None", "Date Taken", "Ascending")),
        ({}, AlbumRow("", "", "", "", "", "")),
        ({"Public": 1, "Passworded": 0}, AlbumRow("", "", "Public", "None", "", "")),
        ({"Public": "?", "SortDirection": 7}, AlbumRow("", "", "", "", "", "")),
    ],
)
def test_the_settings_of_an_album_are_read_from_either_api(album, expected):
    assert AlbumRow.of(album) == expected


def album(settings=None):
    entries = [
        replace(entry("x", "=x.jpg", number=1), position=2),
        entry("y", "y.jpg", number=2, missing_since=NIGHT),
    ]
    head = header("a", "A &amp; B", ("T",), album=settings or V130)
    return Manifest(head, {each.image_key: each for each in entries}), made(*entries)


def test_a_row_tells_an_album_and_everything_else_of_it():
    manifest, plan = album()
    (row,) = rows(albums_table([manifest], {"a": "T/A & B"}, plan))
    assert (row["album"], row["folder"], row["photos_here"]) == ("T / A & B", "T/A & B", "1")
    assert '"SortMethod":"Date"' in row["everything_else"]


RECORD = {
    "image_key": "x",
    "source": "smugmug-v2",
    "urls": [],
    "image": {
        "Title": "T",
        "Caption": "=HYPERLINK(1)",
        "Keywords": "a,b",
        "DateTimeOriginal": "2019-05-31T20:15:07+02:00",
        "Latitude": -1.5,
        "Longitude": 2,
        "Hidden": True,
    },
}


def test_a_row_tells_a_photo_and_what_became_of_it():
    manifest, plan = album()
    problem = plan.targets[0].problem("older", "…")
    plan.problems.append(Problem("a", "y", "A/y.jpg", "not_in_backup", "…"))
    target = plan.targets[0].path
    body = photos_table(
        [manifest], plan, {("a", "x"): RECORD}, embedded={target}, problems=[problem]
    )
    gone, row = rows(body)  # in the order of the album
    assert (gone["image_key"], gone["problem"], gone["sha256"]) == ("y", "not_in_backup", "")
    assert gone["gone_since"]
    assert (row["file"], row["problem"]) == (target, "older")
    assert row["name_at_smugmug"] == "'=x.jpg"
    assert row["caption"] == "'=HYPERLINK(1)"
    assert row["keywords"] == "a; b"
    assert row["taken_at"] == "2019-05-31T20:15:07+02:00"
    assert (row["latitude"], row["longitude"], row["hidden"]) == ("-1.5", "2.0", "yes")
    assert row["said_in_the_file"] == "yes"


def test_a_photo_without_its_record_has_a_row_too():
    manifest, plan = album()
    (row,) = rows(photos_table([manifest], plan, {}, embedded=(), problems=()))
    assert (row["image_key"], row["title"], row["said_in_the_file"]) == ("x", "", "")


def test_photos_whose_place_in_the_album_is_not_known_come_first():
    first = album()[0].entries["x"]
    entries = (first, replace(entry("y", "y.jpg", number=2), position=None))
    manifest = Manifest(header("a", "A"), {each.image_key: each for each in entries})
    plan = made(*entries)
    found = rows(photos_table([manifest], plan, {}, embedded=(), problems=()))
    assert [(row["image_key"], row["position"]) for row in found] == [("y", ""), ("x", "2")]


def test_what_is_to_be_set_at_smugmug_is_named_one_by_one():
    manifest, plan = album()
    told = {row["set"]: row["to"] for row in rows(by_hand_table([manifest], {"a": "A"}, plan, ()))}
    assert told == {
        "title": "A & B",
        "description": "by & by",
        "keywords": "a; b",
        "privacy": "not public",
        "access": "Password",
        "sorted by": "Date, Descending",
        "password": "a new one: it is never backed up",
        "cover": "choose it again: SmugMug's answers to a backup do not name it",
        "title, caption, keywords": "of 1 files that cannot hold them: see photos.csv",
    }


def test_what_is_as_smugmug_makes_it_is_not_to_be_set():
    manifest, plan = album({"SecurityType": "None"})
    holds = [target.path for target in plan.targets]
    body = by_hand_table([manifest], {"a": "A"}, plan, holds)
    assert [row["set"] for row in rows(body)] == ["title", "cover"]
