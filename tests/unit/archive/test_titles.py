"""What an album is called, and which one a person means."""

from dataclasses import dataclass

import pytest

from smugmug_backup.archive.titles import album_name, find_albums, shown
from smugmug_backup.errors import BadRequest


@dataclass(frozen=True)
class Called:
    title: str
    path: tuple[str, ...] = ()


ALBUMS = {
    "hT4mWq": Called("Harbour 2024", ("Travel", "Coast")),
    "Zc9RkD": Called("Harbour 2024", ("Work",)),
    "a": Called("Fish &amp; Chips", ("Travel",)),
    "b": Called("Q&amp;amp;A"),
    "c": Called("Stra\u00dfe"),
    "d": Called("hT4mWq"),
    "e": Called("two\u202elines\n"),
    "f": Called("Coast / Rocks", ("Travel",)),
}


def test_a_name_is_the_folders_and_the_title_as_a_person_reads_them():
    assert album_name(ALBUMS["hT4mWq"]) == "Travel / Coast / Harbour 2024"
    assert album_name(ALBUMS["a"]) == "Travel / Fish & Chips"
    assert album_name(ALBUMS["b"]) == "Q&amp;A"


@pytest.mark.parametrize("text", [None, "", "a\x1bb", "\u202e", "\u061c", "\ud800"])
def test_what_is_shown_holds_no_controls(text):
    assert all(letter == "\ufffd" or letter.isprintable() for letter in shown(text))


@pytest.mark.parametrize(
    ("wanted", "key"),
    [
        ("Zc9RkD", "Zc9RkD"),
        ("hT4mWq", "hT4mWq"),  # a key before a title
        ("Travel / Coast / Harbour 2024", "hT4mWq"),
        ("travel/coast/harbour  2024", "hT4mWq"),
        ("Fish & Chips", "a"),
        ("Fish &amp; Chips", "a"),
        ("Q&amp;A", "b"),
        ("STRASSE", "c"),
        ("Coast / Rocks", "f"),
        ("Travel/Coast/Rocks", "f"),
    ],
)
def test_a_person_names_an_album_by_key_title_or_path(wanted, key):
    assert find_albums([wanted], ALBUMS) == [key]


@pytest.mark.parametrize("key", sorted(ALBUMS))
def test_every_album_is_found_by_its_path_as_it_is_printed_unless_that_is_a_key(key):
    name = album_name(ALBUMS[key])
    assert find_albums([name], ALBUMS) == [name if name in ALBUMS else key]


def test_each_is_told_once_and_in_the_order_asked_for():
    assert find_albums(["c", "a", "Fish & Chips", "c"], ALBUMS) == ["c", "a"]
    assert find_albums([], ALBUMS) == []


def test_a_name_that_several_have_is_refused_and_they_are_named():
    with pytest.raises(BadRequest) as refused:
        find_albums(["Harbour 2024"], ALBUMS)
    for part in ("2 albums", "hT4mWq (Travel / Coast / Harbour 2024)", "Zc9RkD (Work /", "key"):
        assert part in str(refused.value)


def test_a_name_that_none_has_is_refused_and_the_nearest_are_named():
    with pytest.raises(BadRequest, match=r"no album 'fish and chips'.*Fish & Chips"):
        find_albums(["fish and chips"], ALBUMS)
    with pytest.raises(BadRequest, match="no album 'x'; `smugmug-backup albums"):
        find_albums(["x"], {})


def test_a_key_in_other_letters_is_another_album():
    with pytest.raises(BadRequest):
        find_albums(["ZC9RKD"], ALBUMS)


def test_what_is_printed_of_one_album_means_that_one_whatever_has_a_name_like_it():
    """`albums` prints the path; an album at the top is printed as its title alone."""
    albums = {
        "top": Called("Misc"),
        "deep": Called("Misc", ("Travel",)),
        "case": Called("misc"),
        "slash": Called("Travel/Misc"),
    }
    for key, album in albums.items():
        assert find_albums([album_name(album)], albums) == [key]
    with pytest.raises(BadRequest, match="3 albums"):
        find_albums(["MISC"], albums)
