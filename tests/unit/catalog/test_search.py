"""Words, days, places and the other filters."""

import math
import re
import sqlite3
import unicodedata
from contextlib import closing
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smugmug_backup.catalog import schema
from smugmug_backup.catalog import search as catalog_search
from smugmug_backup.catalog.search import Days, Near, Query, search, undated
from smugmug_backup.errors import BadRequest


@pytest.fixture
def photos(made):
    """Puts fields into the newest rows of the album `harbour`, by file name."""

    def put(file_name, **fields):
        names = ", ".join(f"{each} = ?" for each in fields)
        made.ask("INSERT INTO image_words(image_words) VALUES ('delete-all')")
        made.ask(
            f"UPDATE image_versions SET {names} WHERE file_name = ?", *fields.values(), file_name
        )
        made.ask("INSERT INTO image_words(image_words) VALUES ('rebuild')")

    put(
        "DSC_00003.JPG",
        caption="Élan vital — Straße",
        keywords="Harbour; Dusk",
        taken_at="2019-12-31T23:59:59",
    )
    put("DSC_00004.JPG", caption="夕暮れの港", taken_at="2020-01-01T00:00:00+09:00")
    put("DSC_00006.JPG", latitude=54.4861, longitude=-0.6133, is_video=1)
    put("DSC_00007.JPG", latitude=0.01, longitude=179.99, title='say "hi" AND NOT*')
    return made


def names(made, **query):
    words = tuple(query.pop("words", "").split())
    return [each.file_name for each in search(made.db, Query(words=words, **query))]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("elan", ["DSC_00003.JPG"]),
        ("ELAN dus", ["DSC_00003.JPG"]),
        ("elan quay", []),
        ("DSC_00003.JPG", ["DSC_00003.JPG"]),
        ("DSC_0000", [f"DSC_0000{n}.JPG" for n in (3, 4, 5, 6, 7)]),
        ("暮れ", ["DSC_00004.JPG"]),
        ("暮れ dsc", ["DSC_00004.JPG"]),
        ('"hi"', ["DSC_00007.JPG"]),
        ("NOT*", ["DSC_00007.JPG"]),
        ("lan", []),
    ],
)
def test_words(photos, words, found):
    assert sorted(names(photos, words=words, albums=("harbour",))) == found


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ("2019", ["DSC_00003.JPG"]),
        ("2020", ["DSC_00004.JPG"]),
        ("2019..2020", ["DSC_00003.JPG", "DSC_00004.JPG"]),
        ("2019-12-31", ["DSC_00003.JPG"]),
        ("2020-01..", ["DSC_00004.JPG"]),
        ("..2018", []),
    ],
)
def test_days_on_which_a_photo_was_taken(photos, days, found):
    query = Query(taken=Days.parse(days), albums=("harbour",))
    assert sorted(each.file_name for each in search(photos.db, query)) == found
    assert undated(photos.db, query) == 4


@pytest.mark.parametrize(
    "text", ["", "..", "yesterday", "2019-13", "2021..2019", "19", "2019-02-30", "2019-1", "-"]
)
def test_days_that_are_none(text):
    with pytest.raises(BadRequest, match="taken"):
        Days.parse(text)


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("54.4861,-0.6133,1", ["DSC_00006.JPG"]),
        ("54.4861,-0.6,0.5", []),
        ("54.4861,-0.6,1", ["DSC_00006.JPG"]),
        ("0,-179.99,5", ["DSC_00007.JPG"]),
        ("0,-179.99,2", []),
        ("90,0,20000", ["DSC_00006.JPG", "DSC_00007.JPG"]),
    ],
)
def test_near_a_place_beyond_the_date_line_too(photos, place, found):
    query = Query(near=Near.parse(place))
    assert sorted(each.file_name for each in search(photos.db, query)) == found


@pytest.mark.parametrize(
    "text", ["", "1,2", "91,0,1", "0,181,1", "0,0,0", "0,0,-1", "a,b,c", "nan,0,1"]
)
def test_places_that_are_none(text):
    with pytest.raises(BadRequest, match="kilometres"):
        Near.parse(text)


def test_gone_and_still_there(photos):
    gone = {each.image_key for each in search(photos.db, Query(gone=True))}
    there = {each.image_key for each in search(photos.db, Query(gone=False))}
    assert len(gone) == 3 and len(there) == 10 and not gone & there


def test_photos_and_videos(photos):
    assert names(photos, video=True) == ["DSC_00006.JPG"]
    assert "DSC_00006.JPG" not in names(photos, video=False)


def test_a_caption_that_was_is_found_in_the_past_only(photos):
    made = photos
    made.source.touch(made.source.world["harbour"].images[0], caption="Newest")
    made.nights.next_night()
    made.update()
    assert names(made, words="elan") == []
    (found,) = search(made.db, Query(words=("elan",), past=True))
    assert found.valid_until is not None


def test_at_most_so_many(photos):
    assert len(list(search(photos.db, Query(), most=3))) == 3
    assert len(list(search(photos.db, Query(past=True), most=3))) == 3


def test_words_without_a_letter_are_no_words(photos):
    with pytest.raises(BadRequest, match="no letter"):
        list(search(photos.db, Query(words=("*", "--"))))


# -- held against a plain scan --------------------------------------------------------------------

VOCABULARY = ("Harbour", "harm", "Élan", "dusk", "港", "夕暮れ")
DAYS = ("2018-12-31T23:59:59", "2019-05-06T07:08:09Z", "2020-01-01", None)
PLACES = ((54.4861, -0.6133), (54.5, -0.6), (0.01, 179.99), (-0.01, -179.98), (89.9, 10.0), None)


@st.composite
def catalogs(draw):
    """Rows of albums and of versions of images, as a catalog has them."""
    albums = [
        (f"a{n}", draw(st.sampled_from("ABC")), draw(st.sampled_from([None, "2026-11-20"])))
        for n in range(draw(st.integers(1, 4)))
    ]
    versions = []
    for key, _, _ in albums:
        for image in range(draw(st.integers(0, 3))):
            count = draw(st.integers(1, 3))
            for number in range(count):
                place = draw(st.sampled_from(PLACES))
                versions.append(
                    {
                        "album_key": key,
                        "image_key": f"i{image}",
                        "until_generation": None if number == count - 1 else number + 2,
                        "file_name": f"i{image}.jpg",
                        "caption": " ".join(draw(st.lists(st.sampled_from(VOCABULARY)))) or None,
                        "taken_at": draw(st.sampled_from(DAYS)),
                        "latitude": place and place[0],
                        "longitude": place and place[1],
                        "is_video": draw(st.booleans()),
                        "position": draw(st.sampled_from([None, 1, 2, 3])),
                        "deleted_at": draw(st.sampled_from([None, "2026-11-21"])),
                    }
                )
    return albums, versions


queries = st.builds(
    Query,
    words=st.lists(st.sampled_from(["har", "HARBOUR", "elan", "du", "暮れ", "i1"]), max_size=2).map(
        tuple
    ),
    albums=st.lists(st.sampled_from(["a0", "a1", "a2"]), max_size=2, unique=True).map(tuple),
    taken=st.sampled_from([None, Days.parse("2019"), Days.parse("..2019-05-06")]),
    gone=st.sampled_from([None, True, False]),
    video=st.sampled_from([None, True, False]),
    near=st.sampled_from([None, *map(Near.parse, ("54.49,-0.61,3", "0,180,4", "90,0,100"))]),
    past=st.booleans(),
)


@pytest.fixture(scope="module")
def tables():
    """An empty catalog, and of its tables what must be filled."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.create(db)
        needed = {
            table: dict(
                db.execute(
                    "SELECT name, iif(type = 'TEXT', '', 0) FROM pragma_table_info(?) "
                    "WHERE [notnull] AND NOT pk",
                    (table,),
                )
            )
            for table in ("albums", "image_versions")
        }
        yield db, needed


def fill(tables, albums, versions):
    """Have these rows and no others in the catalog; what nobody asks for is filled up."""
    db, needed = tables
    rows = {
        "albums": [
            dict(zip(("album_key", "name", "deleted_at"), row, strict=True)) for row in albums
        ],
        "image_versions": versions,
    }
    for table, given_rows in rows.items():
        db.execute(f"DELETE FROM {table}")
        for row in given_rows:
            whole = {**needed[table], **row}
            db.execute(
                f"INSERT INTO {table} ({', '.join(whole)}) VALUES ({', '.join('?' * len(whole))})",
                tuple(whole.values()),
            )
    db.execute("INSERT INTO image_words(image_words) VALUES ('rebuild')")
    return db


def scanned(albums, versions, query, *, taken=True):
    """The same question put to every row in turn."""
    names = {key: name for key, name, _ in albums}
    left = {key: deleted for key, _, deleted in albums}
    newest = {}
    for each in versions:
        text = unicodedata.normalize("NFD", f"{each['file_name']} {each['caption'] or ''}")
        plain = "".join(c for c in text if not unicodedata.combining(c)).casefold()
        parts = re.split(r"[ .]", plain)
        day = each["taken_at"]
        near = query.near
        if (
            (each["until_generation"] is None or query.past)
            and (not query.albums or each["album_key"] in query.albums)
            and all(
                any(part.startswith(word.casefold()) for part in parts)
                if word.isascii()
                else word in (each["caption"] or "")
                for word in query.words
            )
            and query.video in (None, each["is_video"])
            and query.gone in (None, bool(each["deleted_at"] or left[each["album_key"]]))
            and (
                not (taken and query.taken)
                or (day and query.taken.first <= day[:10] <= query.taken.last)
            )
            and (near is None or (each["latitude"] and flat_km(near, each) <= near.km))
        ):
            newest[each["album_key"], each["image_key"]] = each
    return sorted(
        newest.values(),
        key=lambda each: (
            names[each["album_key"]],
            each["album_key"],
            each["position"] is None,
            each["position"] or 0,
            each["image_key"],
        ),
    )


def flat_km(near, row):
    """By the law of cosines: another formula than the one that is tested."""
    one, other = math.radians(near.latitude), math.radians(row["latitude"])
    east = math.radians(row["longitude"] - near.longitude)
    cosine = math.sin(one) * math.sin(other) + math.cos(one) * math.cos(other) * math.cos(east)
    return 6371.0 * math.acos(max(-1.0, min(1.0, cosine)))


@settings(max_examples=60, deadline=None)
@given(rows=catalogs(), query=queries, most=st.sampled_from([None, 1, 3]), few=st.booleans())
def test_a_search_finds_what_a_plain_scan_finds_in_the_same_order(tables, rows, query, most, few):
    db = fill(tables, *rows)
    with patch("smugmug_backup.catalog.search._FEW", 1000 if few else -1):
        found = [
            (each.album_key, each.image_key, each.caption) for each in search(db, query, most=most)
        ]
        without = undated(db, query)
    scan = scanned(*rows, query)[:most]
    assert found == [(each["album_key"], each["image_key"], each["caption"]) for each in scan]
    if not query.past:
        there = scanned(*rows, query, taken=False)
        assert without == sum(each["taken_at"] is None for each in there)


def test_a_word_of_most_photos_is_found_without_sorting_them(photos):
    """The plan, not the time: with the order from an index, the first hits cost the first hits."""
    tables, where, values = catalog_search._asked(photos.db, Query(gone=False))
    sql = (
        f"EXPLAIN QUERY PLAN SELECT * FROM {tables} WHERE {where} ORDER BY {catalog_search._ORDER}"
    )
    plan = [row[-1] for row in photos.db.execute(sql, values)]
    assert not any("TEMP B-TREE" in step for step in plan), plan
    assert any("image_versions_shown" in step for step in plan)


def test_a_word_of_most_photos_is_found_in_the_past_album_by_album(photos):
    """It took 440 ms of 100,000 photos to sort all of them for the first 200."""
    with patch("smugmug_backup.catalog.search._FEW", -1):
        sql, values = catalog_search._select(photos.db, Query(words=("dsc",), past=True))
    plan = [row[-1] for row in photos.db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert not any("TEMP B-TREE" in step for step in plan), plan
    assert any("image_versions_shown" in step for step in plan)


def test_a_search_that_had_enough_holds_nothing_back_from_who_writes(photos):
    found = search(photos.db, Query(past=True), most=1)
    assert next(found)
    assert next(found, None) is None
    photos.ask("DROP INDEX image_versions_of")
