"""`find` searches, shows and gives keys; its catalog lies in the cache folder."""

import json
import os
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from smugmug_backup.cli.catalogs import cache_of
from smugmug_backup.storage.location import open_store
from smugmug_backup.words import Location
from tests.local_smugmug.pictures import draw_jpeg
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.nights import Nights


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_it_finds_by_a_caption_and_shows_where_it_stands(shell, sample, folder):
    ran = shell("find", folder, "OLD", "quay")
    assert (ran.status, ran.err) == (0, "")
    head, line = ran.out.splitlines()
    assert head.split("\t") == ["File", "Album", "Taken", "Size", "Says", "Key"]
    assert "The old quay" in line and "Harbour & Quay 2024" in line
    assert line.split("\t")[-1] == sample.source.world["harbour"].images[0].key


def test_keys_go_one_a_line_into_other_commands(shell, sample, folder):
    ran = shell("find", folder, "--gone", "--keys")
    assert sorted(ran.out.split()) == ["i000005", "i000013", "i000014"]
    assert ran.out == "".join(f"{key}\n" for key in ran.out.split())


def test_a_program_that_asks_for_json_gets_one_document_beside_keys_too(shell, sample, folder):
    ran = shell("find", folder, "--gone", "--keys", "--json")
    assert len(ran.json["images"]) == 3


def test_a_mistake_in_what_is_looked_for_is_told_with_how_it_is_meant(shell, sample, folder):
    for words in (('"',), ("--taken", "2019..2018"), ("--near", "1,2"), ("--album", "no such")):
        hint = shell("find", folder, *words).err.splitlines()[1]
        assert "doctor" not in hint and ("find --help" in hint or "albums" in hint), hint


def test_a_place_in_the_south_is_no_option(shell, sample, folder):
    for place in ("-33.8568,151.2153,5", "-.5,-60,5", "-33,-60,5"):
        assert shell("find", folder, "--near", place).out == "nothing found\n"
    assert shell("find", folder, "--near", "-x").status == 2


def test_a_word_that_is_no_text_is_told(shell, sample, folder):
    for word in ("a\udcff", "\u6e2f\udcff"):
        ran = shell("find", folder, word)
        assert ran.status == 2 and "is no text" in ran.err


def test_an_album_is_meant_by_its_title(shell, sample, folder):
    ran = shell("find", folder, "--album", "Old things", "--json")
    assert {each["album_key"] for each in ran.json["images"]} == {"gone"}
    assert shell("find", folder, "--album", "no such").status == 2


def test_days_say_of_how_many_nothing_is_known(shell, sample, folder):
    ran = shell("find", folder, "--taken", "2019")
    assert ran.out == "nothing found\nof 13 images no date is known\n"


def test_dates_come_from_the_originals_where_smugmug_says_none(shell, folder, tmp_path):
    source = FakeSource(FakeClock())
    source.album("A", images=1)
    source.upload("A", body=draw_jpeg(1, datetime(2019, 5, 6, 7, 8, 9), None), file_name="may.jpg")
    nights = Nights(source, open_store(Location.parse(str(folder)), create=True), source.clock)
    nights.run()
    ran = shell("find", folder, "--taken", "2019-05", "--json")
    (found,) = ran.json["images"]
    assert (found["file_name"], found["taken_at"]) == ("may.jpg", "2019-05-06T07:08:09")
    assert ran.json["undated"] == 1
    # The date is kept: the original is not asked again, by another catalog neither.
    for each in (folder / "originals").rglob("*.jpg"):
        each.unlink()
    cache_of(Location.parse(str(folder))).unlink()
    assert len(shell("find", folder, "--taken", "2019-05", "--json").json["images"]) == 1


def test_nothing_to_look_for_is_a_mistake(shell, sample, folder):
    ran = shell("find", folder)
    assert ran.status == 2 and "--album" in ran.err


def test_the_second_call_reads_only_what_is_new(shell, sample, folder):
    shell("find", folder, "quay")
    for each in (folder / "records").rglob("*.jsonl"):
        each.unlink()
    assert "The old quay" in shell("find", folder, "quay").out


def test_a_catalog_that_is_broken_is_made_anew(shell, sample, folder):
    shell("find", folder, "quay")
    file = cache_of(Location.parse(str(folder)))
    for body in (
        b"",
        b"no database",
        file.read_bytes()[:5000],
        file.read_bytes()[:100] + b"x" * 9999,
    ):
        file.write_bytes(body)
        ran = shell("find", folder, "quay")
        assert (ran.status, ran.err) == (0, "") and "The old quay" in ran.out


def test_a_catalog_that_is_found_broken_by_a_search_is_made_anew_by_the_next_call(
    shell, sample, folder, monkeypatch
):
    def broken(*args):
        raise sqlite3.DatabaseError("database disk image is malformed")

    with monkeypatch.context() as patched:
        patched.setattr("smugmug_backup.cli.commands.find.search", broken)
        ran = shell("find", folder, "quay")
        assert ran.status == 2 and "makes it anew" in ran.err
    assert shell("find", folder, "quay").status == 0


def test_a_catalog_that_is_only_in_use_is_left_alone(shell, sample, folder, monkeypatch):
    shell("find", folder, "quay")
    file = cache_of(Location.parse(str(folder)))
    before = file.stat().st_ino

    def locked(*args):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr("smugmug_backup.cli.commands.find.search", locked)
    ran = shell("find", folder, "quay")
    assert ran.status == 2 and "locked" in ran.err and file.stat().st_ino == before


def test_where_the_cache_cannot_be_kept_it_finds_nevertheless(shell, sample, folder, cache):
    cache.write_text("a file where a folder should be")
    assert "The old quay" in shell("find", folder, "quay").out


def test_what_cannot_be_read_is_told(shell, sample, folder):
    newest = max((folder / "manifests" / "alps").iterdir())
    newest.chmod(0o644)
    newest.write_bytes(newest.read_bytes()[:-40])
    ran = shell("find", folder, "quay")
    assert ran.status == 1 and "alps" in ran.err.lower()
    assert "The old quay" in ran.out


# -- the command catalog --------------------------------------------------------------------------


def test_catalog_makes_a_database_of_the_backup(shell, sample, folder, tmp_path):
    file = tmp_path / "photos.sqlite"
    ran = shell("catalog", folder, file)
    assert ran.out == f"{file}: 3 albums, 13 images; 3 albums read\n"
    with sqlite3.connect(file) as db:
        assert db.execute("SELECT count(*) FROM images").fetchone() == (13,)
    db.close()
    assert "nothing was new" in shell("catalog", folder, file).out
    assert shell("catalog", folder, file, "--json").json["albums_read"] == 0
    assert [each.name for each in tmp_path.glob(".photos*")] == []


def test_catalog_replaces_nothing_that_is_no_catalog(shell, sample, folder, tmp_path):
    photo, other = tmp_path / "photo.jpg", tmp_path / "other.sqlite"
    photo.write_bytes(b"\xff\xd8\xff\xe0 a photo")
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    for file in (photo, other, tmp_path):
        before = file.read_bytes() if file.is_file() else None
        ran = shell("catalog", folder, file)
        assert ran.status == 2 and len(ran.err.splitlines()) <= 2, ran.err
        assert (file.read_bytes() if file.is_file() else None) == before


def test_catalog_writes_nothing_into_the_backup_and_may_stand_beside_it(shell, sample, folder):
    before = sorted(folder.rglob("*"))
    for name in ("x.sqlite", "manifests/x.sqlite"):
        ran = shell("catalog", folder, folder / name)
        assert ran.status == 2 and "lie within each other" in ran.err
    assert sorted(folder.rglob("*")) == before
    assert shell("catalog", folder, folder.parent / "x.sqlite").status == 0


def test_catalog_takes_no_devices_place(shell, sample, folder, tmp_path):
    """/dev/null reads as an empty file; for root it became a database, and the machine's programs
    lost theirs."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(os.devnull)
    for file in (pipe, link):
        ran = shell("catalog", folder, file)
        assert ran.status == 2 and "is no file" in ran.err
    assert pipe.is_fifo() and link.is_symlink()


def test_a_catalog_that_may_be_made_and_not_be_read_is_told_or_done_without(
    shell, sample, folder, tmp_path, monkeypatch
):
    # As under a umask that forbids everything.
    real = sqlite3.connect

    def connect(file, **more):
        if Path(file).suffix == ".sqlite" and not Path(file).name.startswith("."):
            raise sqlite3.OperationalError("unable to open database file")
        return real(file, **more)

    monkeypatch.setattr(sqlite3, "connect", connect)
    found = shell("catalog", folder, tmp_path / "photos.sqlite")
    assert found.status == 2 and "photos.sqlite cannot be written" in found.err
    assert shell("find", folder, "quay").status == 0
    assert shell("find", folder, "quay").status == 0  # one is there by now


def test_catalog_of_an_older_form_is_made_anew(shell, sample, folder, tmp_path):
    file = tmp_path / "photos.sqlite"
    shell("catalog", folder, file)
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 0")
        db.execute("DROP TABLE runs")
    db.close()
    assert "3 albums read" in shell("catalog", folder, file).out


def test_two_locations_have_two_catalogs(shell, sample, folder, tmp_path):
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    assert cache_of(Location.parse(str(copy))) != cache_of(Location.parse(str(folder)))
    assert cache_of(Location.parse("s3://bucket/a")) != cache_of(Location.parse("s3://bucket"))
    found = [json.loads(shell("find", each, "quay", "--json").out) for each in (copy, folder)]
    assert found[0] == found[1]
