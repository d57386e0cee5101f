"""What an album is called, and which one a person means."""

import pytest

from smugmug_backup.archive.report import AlbumState
from smugmug_backup.archive.titles import album_name, find_albums
from smugmug_backup.errors import BadRequest

ALBUMS = {
    "hT4mWq": AlbumState(title="Harbour &amp; Quay 2024", path=("Travel", "Coast")),
    "alps": AlbumState(title="Alps \u2014 \u5c71", path=("Travel",)),
    "one": AlbumState(title="Scans", path=("Old",)),
    "two": AlbumState(title="scans", path=("New",)),
}


def test_a_name_is_folders_and_title_without_entities():
    assert album_name(ALBUMS["hT4mWq"]) == "Travel / Coast / Harbour & Quay 2024"


@pytest.mark.parametrize(
    "wanted",
    [
        "hT4mWq",
        "harbour &amp; quay 2024",
        "Harbour  & Quay 2024",
        "travel/coast / Harbour & Quay 2024",
    ],
)
def test_an_album_is_found_by_key_title_or_path(wanted):
    assert find_albums([wanted], ALBUMS) == ["hT4mWq"]


def test_each_is_found_once_and_in_the_order_asked_for():
    assert find_albums(["two", "alps", "New/Scans"], ALBUMS) == ["two", "alps"]


def test_a_title_that_two_albums_have_names_both():
    with pytest.raises(BadRequest, match=r"2 albums are called .*one \(Old / Scans\); two \(New"):
        find_albums(["SCANS"], ALBUMS)


def test_a_title_that_no_album_has_is_answered_with_those_near_it():
    with pytest.raises(BadRequest, match=r"near it: Travel / Coast / Harbour & Quay 2024"):
        find_albums(["Harbour & Key 2024"], ALBUMS)
