"""`smugmug-backup albums`, and how an album is named."""

import pytest

from smugmug_backup.cli.albums import choose_album, find_album
from smugmug_backup.errors import BadRequest
from smugmug_backup.storage.location import open_store
from tests.tools.cli import Shell
from tests.tools.sample import sample_store


@pytest.fixture
def shell(capsys, monkeypatch, tmp_path):
    return Shell(capsys, monkeypatch, tmp_path / "home")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos-backup"
    sample_store(open_store(str(folder), create=True))
    return folder


def test_every_album_has_a_line_with_its_key_last(shell, folder):
    ran = shell("albums", folder)
    assert ran.status == 0
    assert [line.split("\t") for line in ran.out.splitlines()] == [
        [
            "Travel / Alps \u2014 \u5c71",
            "5",
            "55 B",
            "2026-11-24",
            "1 unavailable, 1 unverified",
            "alps",
        ],
        ["Travel / Harbour & Quay 2024", "5", "51 B", "2026-11-28", "1 pending", "harbour"],
        ["Travel / Old things", "0", "0 B", "2026-11-27", "gone 2026-11-27", "gone"],
    ]


def test_json_keeps_titles_as_smugmug_wrote_them(shell, folder):
    titles = {each["album_key"]: each["title"] for each in shell("albums", folder, "--json").json}
    assert titles["harbour"] == "Harbour &amp; Quay 2024"


def test_an_album_is_found_by_key_title_or_path(folder):
    store = open_store(str(folder))
    for name in ("harbour", "Harbour & Quay 2024", "harbour &amp; quay 2024", "Travel/Old things"):
        assert find_album(store, name).header.album_key in ("harbour", "gone")


def test_a_title_that_two_albums_have_names_both(folder):
    store = open_store(str(folder))
    headers = {key: find_album(store, "alps").header for key in ("one", "two")}
    assert choose_album(headers, "two") == "two"
    with pytest.raises(BadRequest, match=r"2 albums are called .*one \(.*two \("):
        choose_album(headers, "Alps \u2014 \u5c71")


def test_a_title_that_no_album_has_is_answered_with_those_near_it(folder):
    with pytest.raises(BadRequest, match="near it: Harbour & Quay 2024"):
        find_album(open_store(str(folder)), "Harbor")


def test_the_example_of_the_help_runs(shell, folder):
    line = shell("albums", "--help").out.strip().splitlines()[-1]
    assert shell.line(line.replace("~", str(folder.parent)).strip()).status == 0
