"""`letter` writes the page, leaves what is no letter alone, and says nothing secret."""

import hashlib
import os
from datetime import UTC, datetime

import pytest

from smugmug_backup.storage.location import Location, open_store
from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.rules.account import OverHttp
from tests.tools.canaries import leaks
from tests.tools.clock import FakeClock
from tests.tools.nights import Nights


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Where the letters of these tests go."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    return tmp_path / "desk"


def test_it_writes_a_page_with_the_numbers_of_the_backup(shell, sample, folder, place):
    ran = shell("letter", folder, "--json")
    assert ran.status == 0
    told = ran.json
    page = (place / "letter.html").read_text(encoding="utf-8")
    assert told["file"] == "letter.html" and told["replaced"] is False
    assert told["albums"] == 2 and told["gone"] == 3
    assert f"<b>{told['photos']:,} photos</b>" in page
    assert told["place"]["folder"] == str(folder) and str(folder) in page
    assert told["complete"] is False and "never was" not in page


def test_its_seal_is_what_sha256sum_prints_of_the_file_it_names(shell, sample, folder, place):
    (head,) = shell("letter", folder, "--json").json["seal"]
    page = (place / "letter.html").read_text(encoding="utf-8")
    (named,) = [
        path
        for path in sorted(folder.rglob("runs/**/*.json"))
        if str(path.relative_to(folder)) in page
    ]
    digest = hashlib.sha256(named.read_bytes()).hexdigest()
    assert digest == head["sha256"] and head["sha256"] in page


def test_the_page_that_it_names_for_the_albums_is_there(shell, sample, folder, place):
    shell("letter", folder)
    page = (place / "letter.html").read_text(encoding="utf-8")
    named = [each for each in folder.rglob("runs/**/*.html") if each.name in page]
    assert len(named) == 1


def test_the_letter_of_last_year_gives_way_and_that_is_said(shell, sample, folder, place):
    assert "written" in shell("letter", folder, "ours.html").out
    first = (place / "ours.html").read_bytes()
    sample.nights.next_night()
    ran = shell("letter", folder, "ours.html")
    assert ran.status == 0 and "the letter there is replaced" in ran.out
    assert (place / "ours.html").read_bytes() != first
    assert [each.name for each in place.iterdir()] == ["ours.html"]


@pytest.mark.parametrize("written", ["diary", "by hand"])
def test_what_somebody_wrote_is_left_as_it_was(shell, sample, folder, place, written):
    file = place / "letter.html"
    if written == "by hand":
        shell("letter", folder)
        text = file.read_text(encoding="utf-8").replace("Who can help", "My sister can help")
        file.write_text(text, encoding="utf-8")
    else:
        file.write_text("dear diary", encoding="utf-8")
    before = file.read_bytes()
    ran = shell("letter", folder)
    assert ran.status == 2 and "left as it was" in ran.err
    assert file.read_bytes() == before


def test_no_letter_is_laid_among_the_files_of_the_backup(shell, sample, folder, monkeypatch):
    """Whoever stands in the backup's own folder names no file, and means no such place."""
    before = sorted(folder.rglob("*"))
    monkeypatch.chdir(folder)
    for words in ((".",), (".", "letter.html"), (folder, folder / "manifests" / "letter.html")):
        ran = shell("letter", *words)
        assert ran.status == 2 and "lie within each other" in ran.err
        assert "outside the backup" in ran.err.splitlines()[1]
    assert sorted(folder.rglob("*")) == before
    assert shell("letter", ".", "../letter.html").status == 0


def test_a_location_that_is_remembered_may_be_left_out(shell, sample, folder, place, monkeypatch):
    monkeypatch.setenv("SMUGMUG_BACKUP_LOCATION", str(folder))
    assert shell("letter").status == 0
    assert shell("letter", "mine.html").status == 0
    assert sorted(each.name for each in place.iterdir()) == ["letter.html", "mine.html"]
    ran = shell("letter", "mine.html", "yours.html")
    assert ran.status == 2 and "one file" in ran.err


@pytest.mark.parametrize(
    "file", ["/dev/full/x.html", "/proc/letter.html", "desk-is-missing/x", "."]
)
def test_a_place_that_takes_no_file_is_one_sentence(shell, sample, folder, file):
    ran = shell("letter", folder, file)
    assert ran.status == 2 and "cannot be written" in ran.err


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(shell, sample, folder, place):
    """/dev/stdout is one where a program reads what is said."""
    os.mkfifo(place / "pipe")
    for file in (place / "pipe", "/dev/null"):
        ran = shell("letter", folder, file)
        assert ran.status == 2 and "is no file" in ran.err
    assert (place / "pipe").is_fifo()


def test_an_album_that_cannot_be_read_is_named_and_the_letter_is_written(
    shell, sample, folder, place
):
    newest = max((folder / "manifests").glob("harbour*/*.jsonl"))
    newest.chmod(0o644)
    newest.write_bytes(b"{")
    ran = shell("letter", folder)
    assert ran.status == 1 and "album harbour" in ran.err
    assert (place / "letter.html").exists()


def test_nothing_secret_stands_in_it(shell, tmp_path, place):
    clock = FakeClock(datetime(2026, 11, 24, 3, tzinfo=UTC))
    world = World(generate_account(3, albums=4, images=12), clock=clock.now)
    with LocalSmugMug(world) as smugmug:
        store = open_store(Location.parse(str(tmp_path / "b")), create=True)
        Nights(OverHttp(smugmug, clock, "1.3.0").source(), store, clock).run()
    shell.at(clock)
    ran = shell("letter", tmp_path / "b", "-v")
    page = (place / "letter.html").read_bytes()
    assert ran.status == 0 and len(page) > 5000
    assert leaks(world.account, [("page", page), ("out", ran.out), ("err", ran.err)]) == []
    for album in world.account.albums.values():
        assert album.title.encode() not in page
