"""What a run tells of the changes at SmugMug, and what the change guard makes of it."""

import pytest

from smugmug_backup.archive.changes import (
    GUARDED,
    NAMED,
    NEW_NAMED,
    Guarded,
    News,
    Told,
    What,
    guarded,
    losses,
    what_changed,
    what_opened,
)


def record(source="smugmug-1.3.0", **image):
    return {"source": source, "image": image}


FULL = record(Caption="The old quay", Keywords="quay; sea")


@pytest.mark.parametrize(
    ("before", "now", "replaced", "told"),
    [
        (FULL, FULL, True, (What.REPLACED,)),
        (FULL, record(Caption="", Keywords="quay"), False, (What.CAPTION_LOST,)),
        (FULL, record(Keywords="quay"), False, (What.CAPTION_LOST,)),
        (FULL, record(Caption="The old quay", Keywords=""), False, (What.KEYWORDS_LOST,)),
        (record(KeywordArray=["sea"]), record(KeywordArray=[]), False, (What.KEYWORDS_LOST,)),
        (record(Title="Dawn"), record(Title=" "), False, (What.CAPTION_LOST,)),
        (FULL, record(), True, (What.REPLACED, What.CAPTION_LOST, What.KEYWORDS_LOST)),
        (FULL, record(Caption="The new quay", Keywords="sea"), False, (What.CHANGED,)),
        (record(Caption=""), record(Caption="New"), False, (What.CHANGED,)),
        (FULL, record("smugmug-v2"), False, (What.CHANGED,)),
        (FULL, record("smugmug-v2"), True, (What.REPLACED,)),
        (None, record(), False, (What.CHANGED,)),
        (record(Caption=None, Keywords=7), record(Caption=7), False, (What.CHANGED,)),
    ],
)
def test_what_the_change_of_a_record_means_to_its_owner(before, now, replaced, told):
    assert what_changed(before, now, replaced=replaced) == told


OPEN = {"Public": True, "Passworded": False}
OPEN_V2 = {"Privacy": "Public", "SecurityType": "None"}


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({"Public": False}, OPEN, What.MADE_PUBLIC),
        ({"Public": True, "Passworded": True}, OPEN, What.MADE_PUBLIC),
        (OPEN, {"Public": True, "Passworded": True}, What.MADE_PRIVATE),
        (OPEN, {"Public": False}, What.MADE_PRIVATE),
        ({"Public": "0"}, {"Public": 1}, What.MADE_PUBLIC),
        ({"Public": "true"}, {"Public": "0"}, What.MADE_PRIVATE),
        ({"Public": "1"}, {"Public": "False"}, What.MADE_PRIVATE),
        ({"Public": "1", "Passworded": "1"}, {"Public": "1", "Passworded": "0"}, What.MADE_PUBLIC),
        (OPEN, OPEN, None),
        (OPEN, {}, None),
        ({}, OPEN, None),
        ({"Public": "perhaps"}, OPEN, None),
        ({"Privacy": "Private"}, OPEN_V2, What.MADE_PUBLIC),
        ({"Privacy": "Unlisted"}, OPEN_V2, What.MADE_PUBLIC),
        ({"Privacy": "Public", "SecurityType": "Password"}, OPEN_V2, What.MADE_PUBLIC),
        (OPEN_V2, {"Privacy": "Public", "SecurityType": "GrantAccess"}, What.MADE_PRIVATE),
        (OPEN_V2, {"Privacy": "Unlisted", "SecurityType": "None"}, What.MADE_PRIVATE),
        (OPEN_V2, {"Privacy": "Public"}, None),
    ],
)
def test_whether_everybody_can_see_an_album_now(before, now, told):
    assert what_opened(before, now) == told


def news(**albums):
    return News({key: dict(counted) for key, counted in albums.items()})


def test_the_guard_adds_the_runs_up_and_names_the_largest_albums_first():
    told = guarded(
        [
            news(harbour={What.MISSING: 2, What.NEW: 9}, alps={What.MISSING: 5}),
            news(harbour={What.MISSING: 4}, zoo={What.MADE_PUBLIC: 3}),
        ]
    )
    assert told == (
        Guarded(What.MISSING, 11, (("harbour", 6), ("alps", 5))),
        Guarded(What.MADE_PUBLIC, 3, (("zoo", 3),)),
    )


@pytest.mark.parametrize("what", What)
def test_each_kind_is_guarded_or_it_is_not(what):
    harmless = {
        *(What.NEW, What.BACK, What.CHANGED, What.MOVED, What.LEFT),
        *(What.ALBUM_NEW, What.ALBUM_BACK, What.ALBUM_LEFT),
    }
    assert (what in GUARDED) != (what in harmless)
    assert losses(news(alps={what: 7})) == (0 if what in harmless else 7)


def test_an_absence_that_is_confirmed_is_no_second_one():
    nights = [news(alps={What.MISSING: 3}), news(alps={What.LEFT: 3})]
    assert [losses(each) for each in nights] == [3, 0]


def test_what_another_album_shows_has_moved():
    found = News()
    for number in range(3):
        found.note("alps", f"i{number}", f"{number}.jpg", (What.MISSING,))
    found.mark_moved({"zoo": ["i0", "i2"], "alps": ["i1"]})
    assert found.albums == {"alps": {What.MISSING: 1, What.MOVED: 2}}
    assert [each.what for each in found.images] == ["moved", "missing", "moved"]
    found.mark_moved({"zoo": ["i1"]})
    assert found.albums == {"alps": {What.MOVED: 3}}


def test_an_image_is_named_once_by_the_gravest_and_counted_as_each():
    found = News()
    found.note("alps", "i1", "1.jpg", (What.REPLACED, What.CAPTION_LOST))
    assert found.albums == {"alps": {What.REPLACED: 1, What.CAPTION_LOST: 1}}
    assert found.images == [Told("alps", "i1", "1.jpg", "replaced")]


def test_of_what_comes_by_the_thousand_a_few_are_named_and_of_what_left_each():
    found = News()
    for number in range(NEW_NAMED + 7):
        found.note("alps", f"i{number}", None, (What.NEW,))
    for number in range(NEW_NAMED + 7):
        found.note("alps", f"j{number}", None, (What.MISSING,))
    assert (len(found.images), found.more) == (2 * NEW_NAMED + 7, 7)
    assert len(found.missing()) == NEW_NAMED + 7


def test_a_report_names_a_thousand_the_gravest_first_and_counts_the_rest():
    found = News()
    for album in range(40):
        one = News()
        for number in range(NEW_NAMED):
            one.note(f"a{album}", f"i{album}-{number}", None, (What.NEW,))
        one.note(f"a{album}", f"gone{album}", None, (What.MISSING,))
        found.add(one)
    told = found.as_json()
    assert len(told["images"]) == NAMED
    assert [each["what"] for each in told["images"][:41]] == ["missing"] * 40 + ["new"]
    assert told["more_images"] == 40 * (NEW_NAMED + 1) - NAMED
    again = News.from_json(told)
    assert (again.albums, again.more) == (found.albums, told["more_images"])


def test_a_kind_that_only_a_later_program_knows_is_passed_over():
    told = {"albums": {"alps": {"new": 1, "framed": 2}}, "images": [], "more_images": 0}
    assert News.from_json(told).albums == {"alps": {"new": 1}}


@pytest.mark.parametrize(
    "told",
    [
        {"albums": {"a/b": {}}, "images": [], "more_images": 0},
        {"albums": {}, "images": [{"what": "new"}], "more_images": 0},
        {"albums": {"alps": {"new": None}}, "images": [], "more_images": 0},
    ],
)
def test_what_is_no_such_thing_is_refused(told):
    with pytest.raises((KeyError, TypeError, ValueError)):
        News.from_json(told)
