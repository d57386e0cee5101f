"""Catalogs as files: who reads one does not wait for who writes to it."""

import io
import os
import stat
import threading

import pytest
from PIL import Image

from smugmug_backup.archive.archive import Archive
from smugmug_backup.catalog import update
from smugmug_backup.cli import catalogs
from smugmug_backup.cli.catalogs import bring_up, open_catalog, writer_of
from tests.tools.sample import sample_store

TITLE = "SELECT title FROM albums WHERE album_key = 'harbour'"


@pytest.fixture
def night():
    """A store, and a run that brings a new title to it, and many photos."""
    made = sample_store()

    def run():
        made.source.world["harbour"].title = "Brand new"
        for number in range(200):
            made.source.upload("harbour", caption=f"number {number} " * 20)
        made.nights.next_night(full=True)

    made.run = run
    return made


def test_whoever_reads_it_waits_for_no_update(night, tmp_path, monkeypatch):
    """Not even for one that is larger than the pages that SQLite keeps in memory."""
    monkeypatch.setattr(catalogs, "_CACHE_KIB", 1)
    facts, seen = update._facts, []
    with open_catalog(Archive(night.store), tmp_path / "x.sqlite") as catalog:
        catalog.db.execute("PRAGMA busy_timeout = 0")
        night.run()

        def last(*args):
            seen.append(catalog.db.execute(TITLE).fetchone()[0])
            return facts(*args)

        monkeypatch.setattr(update, "_facts", last)
        with writer_of(catalog, threading.Lock) as writer, writer.alone():
            bring_up(writer.db, Archive(night.store))
        assert seen == ["Harbour & Quay 2024"]
        assert catalog.db.execute(TITLE).fetchone() == ("Brand new",)


def test_one_in_memory_is_written_while_nobody_reads_it(night):
    lock = threading.Lock()
    with open_catalog(Archive(night.store), None) as catalog:
        night.run()
        with writer_of(catalog, lambda: lock) as writer, writer.alone():
            assert lock.locked()
            bring_up(writer.db, Archive(night.store))
        assert catalog.db.execute(TITLE).fetchone() == ("Brand new",)


def test_where_no_file_can_be_kept_it_is_one_in_memory(night, tmp_path):
    (tmp_path / "cache").write_bytes(b"no folder")
    with open_catalog(Archive(night.store), tmp_path / "cache" / "x.sqlite") as catalog:
        assert catalog.file is None
        with writer_of(catalog, threading.Lock) as writer:
            assert writer.db is catalog.db


def test_nobody_else_looks_into_what_this_machine_keeps_of_a_backup(
    shell, sample, folder, tmp_path, monkeypatch
):
    """Titles, dates and faces; a catalog that its owner asks for is made as any other file."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    picture = io.BytesIO()
    Image.new("RGB", (9, 9)).save(picture, "JPEG")
    sample.source.upload("harbour", body=picture.getvalue())
    sample.nights.next_night()
    before = os.umask(0o002)
    try:
        assert shell("find", folder, "--taken", "2019").status == 0
        assert shell("browse", folder, "--static", tmp_path / "pages").status == 0
        assert shell("catalog", folder, tmp_path / "own" / "x.sqlite").status == 0
    finally:
        os.umask(before)
    kept = [tmp_path / "cache", *(p for p in (tmp_path / "cache").rglob("*") if p.is_dir())]
    assert {"catalogs", "pictures", "smugmug-backup"} <= {path.name for path in kept}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o700}
    assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o775
