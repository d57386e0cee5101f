"""What each program is given: names, sidecars, folders."""

import pytest

from smugmug_backup.restore.plan import folders
from smugmug_backup.restore.ways import WAYS
from tests.unit.restore.test_names import entry, header
from tests.unit.restore.test_plan import made


@pytest.mark.parametrize(
    ("way", "asked", "sidecars"),
    [
        ("files", None, ["A/x.jpg.xmp", "A/x.jpg.json"]),
        ("immich", None, ["A/x.jpg.xmp"]),
        ("digikam", None, ["A/x.jpg.xmp"]),
        ("lightroom", None, ["A/x.xmp"]),
        ("apple", None, ["A/x.xmp"]),
        ("google", None, []),
        ("smugmug", None, []),
        ("google", "both", ["A/x.jpg.xmp", "A/x.jpg.json"]),
        ("apple", "json", ["A/x.jpg.json"]),
        ("files", "none", []),
    ],
)
def test_each_program_finds_the_sidecars_that_it_looks_for(way, asked, sidecars):
    (target,) = made(entry("x", "x.jpg"), sidecars=WAYS[way].kinds(asked)).targets
    assert list(target.sidecars) == sidecars


def test_only_what_reads_no_sidecar_of_a_jpeg_is_written_into_by_itself():
    assert {way.name for way in WAYS.values() if way.embeds} == {
        "lightroom",
        "apple",
        "google",
        "smugmug",
    }


@pytest.mark.parametrize(
    ("stored", "into"),
    [("jpg", True), ("png", True), ("tif", True), ("webp", True)]
    + [(each, False) for each in ("heic", "gif", "mp4", "mov", "bin")],
)
def test_only_kinds_that_can_hold_it_are_written_into(stored, into):
    (target,) = made(entry("x", f"x.{stored}", stored=stored), embed=True).targets
    assert target.embed is into


ALBUMS = [
    header("a", "Harbour", ("Travel", "Coast")),
    header("b", "Misc", ("Travel",)),
    header("c", "misc", ("Work",)),
    header("d", "Q &amp; A"),
]


@pytest.mark.parametrize("way", ["immich", "google"])
def test_a_program_without_folders_gets_one_for_each_album_and_none_around_it(way):
    assert folders(WAYS[way].placed(ALBUMS)) == {
        "a": "Harbour",
        "b": "Travel - Misc",
        "c": "Work - misc",
        "d": "Q & A",
    }


@pytest.mark.parametrize("way", ["files", "lightroom", "apple", "digikam", "smugmug"])
def test_other_programs_get_the_folders_of_smugmug(way):
    assert folders(WAYS[way].placed(ALBUMS)) == folders(ALBUMS)
    assert folders(ALBUMS)["a"] == "Travel/Coast/Harbour"


def test_no_album_or_folder_is_called_like_a_table():
    albums = [header("a", "Photos.CSV"), header("b", "x", ("albums.csv",)), header("c", "y.csv")]
    assert folders(albums) == {"a": "Photos.CSV_", "b": "albums.csv_/x", "c": "y.csv_"}
    assert folders([header("a", "photos.csv", ("Travel",))]) == {"a": "Travel/photos.csv"}
