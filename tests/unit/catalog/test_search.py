"""Words, days, places and the other filters."""

import pytest

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
