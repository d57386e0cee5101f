"""Dates that are read from originals while pages are served."""

import sqlite3
import sys
import threading
from contextlib import closing
from datetime import datetime
from types import SimpleNamespace

import pytest

from smugmug_backup.archive.archive import Archive
from smugmug_backup.catalog import schema, taken
from smugmug_backup.catalog.update import update
from smugmug_backup.cli import dates
from smugmug_backup.cli.dates import DatesMeanwhile
from smugmug_backup.errors import StoreUnavailable
from tests.local_smugmug.pictures import draw_jpeg
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights

PHOTOS = 4


@pytest.fixture
def served(tmp_path):
    """A catalog of some photos of which SmugMug says no date, and what reads their dates."""
    source, store = FakeSource(FakeClock()), MemoryStore()
    source.album("A", images=0)
    for day in range(1, PHOTOS + 1):
        source.upload("A", body=draw_jpeg(day, datetime(2019, 5, day), None))
    nights = Nights(source, store, source.clock)
    nights.run()
    made = SimpleNamespace(
        clock=source.clock, nights=nights, archive=Archive(store), lock=threading.Lock(), asked=[]
    )
    part = made.archive.original_part

    def counted(key, offset, length):
        assert not made.lock.locked(), "whoever looks at a page would wait for a disk"
        made.asked.append((key, length))
        return part(key, offset, length)

    made.archive.original_part = counted

    def meanwhile():
        return DatesMeanwhile(
            made.db,
            made.archive,
            tmp_path / "cache" / "catalogs" / "x.sqlite",
            alone=lambda: made.lock,
            clock=made.clock,
        )

    def bring():
        update(made.db, made.archive, now=made.clock.now(), map_=map)

    def dated():
        return made.db.execute("SELECT count(*) FROM images WHERE taken_at NOTNULL").fetchone()[0]

    made.meanwhile, made.bring, made.dated = meanwhile, bring, dated
    with closing(
        sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    ) as made.db:
        schema.create(made.db)
        bring()
        yield made


def test_all_dates_come_into_the_catalog_each_original_read_once(served):
    served.meanwhile().read()
    assert served.dated() == PHOTOS == len(served.asked)
    assert all(length <= taken.HEAD for _, length in served.asked)
    served.meanwhile().read()
    assert len(served.asked) == PHOTOS


def test_without_pillow_nothing_is_read_and_pages_are_as_they_were(served, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "PIL", None)
        served.meanwhile().read()
        served.meanwhile().tell(None)
    assert not served.asked
    served.meanwhile().read()
    assert served.dated() == PHOTOS


def test_what_was_read_before_it_was_stopped_is_not_read_again(served, monkeypatch):
    first = served.meanwhile()
    read = taken.read

    def stopped_after_two(part, wanted, dates):
        for count, each in enumerate(read(part, wanted, dates), 1):
            if count == 2:
                first.stop()
            yield each

    with monkeypatch.context() as patched:
        patched.setattr(taken, "read", stopped_after_two)
        first.read()
    assert len(served.asked) == 2
    served.meanwhile().read()
    assert len({key for key, _ in served.asked}) == len(served.asked) == PHOTOS
    assert served.dated() == PHOTOS


def test_a_disk_that_is_away_is_not_asked_for_every_photo_again_and_again(served, monkeypatch):
    def away(key, offset, length):
        served.asked.append((key, length))
        raise StoreUnavailable("the disk was pulled out")

    monkeypatch.setattr("smugmug_backup.cli.dates._MOST_IN_VAIN", 2)
    with monkeypatch.context() as patched:
        patched.setattr(served.archive, "original_part", away)
        served.meanwhile().read()
    assert len(served.asked) == 2 and served.dated() == 0
    served.meanwhile().read()
    assert served.dated() == PHOTOS


def test_after_each_original_it_pauses_as_long_as_that_took(served, monkeypatch):
    pauses = []
    part = served.archive.original_part

    def slow(key, offset, length):
        served.clock.advance(seconds=3)
        return part(key, offset, length)

    meanwhile = served.meanwhile()
    served.archive.original_part = slow
    monkeypatch.setattr(meanwhile._stopped, "wait", lambda seconds: bool(pauses.append(seconds)))
    meanwhile.read()
    assert pauses == [3] * PHOTOS


def test_the_dates_show_before_all_are_read(served, monkeypatch):
    part = served.archive.original_part
    shown = []

    def slow(key, offset, length):
        served.clock.advance(seconds=15)
        shown.append(served.dated())
        return part(key, offset, length)

    meanwhile = served.meanwhile()
    served.archive.original_part = slow
    monkeypatch.setattr(meanwhile._stopped, "wait", lambda seconds: False)
    meanwhile.read()
    assert shown == [0, 0, 2, 2]


def test_what_a_night_brought_is_read_too_and_it_ends_when_it_is_told(served):
    meanwhile = served.meanwhile()
    put, rounds = meanwhile._put, threading.Semaphore(0)

    def told(dates):
        put(dates)
        rounds.release()

    meanwhile._put = told
    meanwhile.start()
    assert rounds.acquire(timeout=60)
    served.nights.source.upload("A", body=draw_jpeg(9, datetime(2020, 1, 9), None))
    served.nights.next_night(full=True)
    with served.lock:
        served.bring()
    meanwhile.look_again()
    assert rounds.acquire(timeout=60)
    assert served.dated() == PHOTOS + 1
    meanwhile.stop()
    assert not meanwhile._thread.is_alive()


def test_a_cache_that_cannot_be_written_costs_no_page(served, monkeypatch):
    """Its thread goes on: the next look tries again."""

    def full(dates, md5, taken_at):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(taken.Dates, "keep", full)
    meanwhile = served.meanwhile()
    meanwhile._more.wait = lambda: meanwhile._stopped.set()
    meanwhile._work()
    assert served.dated() == 0


def test_a_cache_that_takes_no_database_is_let_go_and_memory_has_to_do(tmp_path, monkeypatch):
    made = []
    connect = sqlite3.connect

    def watched(*args, **more):
        made.append(connect(*args, **more))
        return made[-1]

    monkeypatch.setattr(dates.sqlite3, "connect", watched)
    (tmp_path / "taken.sqlite").write_bytes(b"no database " * 100)
    with dates._dates(tmp_path / "catalogs" / "x.sqlite") as known:
        assert known.known() == {}
    assert len(made) == 2
    for each in made:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            each.execute("SELECT 1")
