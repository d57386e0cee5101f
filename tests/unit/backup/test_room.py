"""Room is asked for before an original is fetched; a full disk ends the run with one failure."""

import pytest

from smugmug_backup.archive.report import AlbumState
from smugmug_backup.backup.room import Space, foreseen, said
from smugmug_backup.errors import Concerns, StoreFull, StoreRefused, StoreUnavailable
from smugmug_backup.model import Album, Room
from tests.tools.fake_source import FakeSource
from tests.tools.faults import Fault, Points
from tests.tools.faulty_store import FaultyStore
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights

MB = 1_000_000


@pytest.fixture
def source(clock):
    source = FakeSource(clock)
    for key in "abcd":
        source.album(key, images=10)
    return source


class Shrinking(MemoryStore):
    """A disk of so many bytes for originals; what is written is told at once."""

    def __init__(self, size):
        super().__init__()
        self.size = size
        self.batches = []

    def batch(self):
        self.batches = [super().batch()]
        return self.batches[0]

    def room(self):
        places = (self.objects, *(each._waiting for each in self.batches))
        bodies = {k: v for place in places for k, v in [*place.items()] if k[:10] == "originals/"}
        return Room(free=max(0, self.size - sum(map(len, bodies.values()))))


def downloads(source):
    return sum(number for name, number in source.calls.items() if name.startswith("photo:"))


def test_where_there_is_no_limit_everything_is_fetched(nights):
    assert nights.run().status == "complete"


def test_a_disk_without_room_ends_the_run_before_anything_is_fetched(nights, store, source):
    store.has_room = Room(free=3)
    report = nights.run()
    assert report.status == "incomplete"
    (failure,) = report.failures
    assert failure.code == "store_full"
    assert "at least" in failure.message and "make room" in failure.message
    assert downloads(source) == 0
    store.has_room = Room()
    assert nights.next_night().status == "complete"


def test_what_fits_is_committed_and_the_next_nights_fetch_nothing_in_vain(source, clock):
    size = sum(len(each.body) for each in source.world["a"].images)
    store = Shrinking(size + size // 2)
    nights = Nights(source, store, clock)
    report = nights.run()
    assert [each.code for each in report.failures] == ["store_full"]
    stored = report.counts.originals_stored
    assert 10 <= stored <= 15
    assert downloads(source) == stored
    named = sum(state.image_count - state.pending for state in report.albums.values())
    assert named == stored  # All that was fetched is committed.
    again = nights.next_night()
    assert [each.code for each in again.failures] == ["store_full"]
    assert downloads(source) == stored
    store.size *= 10
    assert nights.next_night().status == "complete"
    assert downloads(source) == 40


@pytest.mark.parametrize("name", ["create", "commit", "barrier"])
def test_whatever_write_of_an_original_finds_the_disk_full_one_failure_tells_it(
    source, clock, name
):
    store = MemoryStore()
    for nth in range(0, 40, 7):
        plan = Points(
            lambda each, nth=nth: (
                Fault.FULL
                if each.name == name and each.key.startswith("originals/") and each.number > nth
                else None
            )
        )
        nights = Nights(source, FaultyStore(store, plan), clock)
        report = nights.run()
        assert len(report.failures) <= 1
        assert {each.code for each in report.failures} <= {"store_full"}
        clock.advance(days=1)
    assert Nights(source, store, clock).run().status == "complete"


def test_a_file_larger_than_the_disk_can_hold_is_named_and_the_others_are_stored(
    nights, store, source
):
    large = source.upload("b", body=b"\xff\xd8\xff\xe0" + b"x" * 5000)
    store.has_room = Room(largest=4000)
    report = nights.run()
    assert [(f.album_key, f.image_key, f.code) for f in report.failures] == [
        ("b", large.key, "store_refused")
    ]
    assert "FAT32" in report.failures[0].message and "5.0 KB" in report.failures[0].message
    assert report.counts.originals_stored == 40
    assert source.calls[f"photo:{large.key}"] == 0
    assert nights.next_night().status == "incomplete"
    store.has_room = Room()
    assert nights.next_night().status == "complete"


def test_what_is_to_come_is_compared_with_what_is_free_before_it_is_fetched(nights, store, source):
    first = nights.run()
    assert first.notes == ()
    for _ in range(50):
        source.upload("c")
    store.has_room = Room(free=300)
    report = nights.next_night()
    assert any("are to be fetched, and the disk has room for 300 B" in n for n in report.notes)


def test_a_disk_that_does_not_tell_its_room_stops_nothing(nights, store, monkeypatch):
    def refused():
        raise StoreUnavailable("not today")

    space = Space(store)
    monkeypatch.setattr(store, "room", refused)
    assert space.foresee((), {}) is None
    assert "make room" in space.needed()


def album(key, count):
    return Album(key, 1, "T", (), count, {}, ())


@pytest.mark.parametrize(
    ("count", "state", "size"),
    [
        (10, AlbumState(image_count=10, bytes=1000), 0),
        (14, AlbumState(image_count=10, bytes=1000), 400),
        (14, AlbumState(image_count=10, bytes=1000, pending=2), 600),
        (14, AlbumState(image_count=10, bytes=1000, count_difference=4), 0),
        (None, AlbumState(image_count=10, bytes=1000), 0),
        (8, AlbumState(image_count=10, bytes=1000), 0),
        (50, AlbumState(), 0),
    ],
)
def test_what_is_new_or_awaited_is_taken_as_large_as_what_is_there(count, state, size):
    assert foreseen([album("a", count)], {"a": state}) == size


def test_room_that_others_have_under_way_is_not_given_twice(store):
    space = Space(store)
    store.has_room = Room(free=10 * MB)
    with space.kept(6 * MB) as one:
        with pytest.raises(StoreFull), space.kept(6 * MB):
            pass
        one.wrote(4 * MB)
        store.has_room = Room(free=6 * MB)
        with space.kept(4 * MB), pytest.raises(StoreFull), space.kept(1):
            pass
    with space.kept(6 * MB):
        pass


def test_what_is_missing_is_told_less_what_is_free(store):
    store.has_room = Room(free=300 * MB)
    space = Space(store)
    space.expect(700 * MB)
    assert "at least 400 MB more" in space.needed()
    space.stored(400 * MB)
    assert "more" not in space.needed()


def test_an_original_that_turns_out_larger_asks_for_more(store):
    space = Space(store)
    store.has_room = Room(free=10, largest=20)
    with space.kept(None) as one, pytest.raises(StoreFull):
        one.at_least(11)
    with pytest.raises(StoreRefused) as caught, space.kept(21):
        pass
    assert caught.value.concerns is Concerns.OBJECT


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1_500, "1.5 KB"), (250 * MB, "250 MB"), (7_900 * MB, "7.9 GB")],
)
def test_sizes_are_said_as_disks_are_sold(size, text):
    assert said(size) == text
