"""No step outlasts the reserve: accounts at the limits, on a clock by which every call takes time.

Latencies are modelled: a call of the store or the source moves the clock on by its own time divided
by how many run at once.
"""

import threading

import pytest

from smugmug_backup.backup import overflow
from smugmug_backup.backup.outcome import Outcome
from smugmug_backup.backup.overflow import PlannedAlbum
from smugmug_backup.backup.run import Options
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import OutOfTime
from smugmug_backup.model import Account
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights

READ, WRITE, LISTING, AT_A_TIME = 0.025, 0.05, 0.4, 8


class SlowStore(MemoryStore):
    """Each operation takes its time, eight at once, while ``slow``."""

    def __init__(self, clock):
        super().__init__()
        self._clock = clock
        self.slow = False
        self.threads = set()

    def _note(self, operation, key):
        super()._note(operation, key)
        if self.slow:
            self.threads.add(threading.get_ident())
            seconds = WRITE if operation == "put" else READ
            self._clock.advance(seconds=seconds / AT_A_TIME)


class SlowSource(FakeSource):
    """An original takes ``seconds``, a listing its own."""

    seconds = 2.0

    def open(self, offer, *, deadline):
        self.clock.advance(seconds=self.seconds / AT_A_TIME)
        return super().open(offer, deadline=deadline)

    def images(self, album, *, since, deadline):
        self.clock.advance(seconds=LISTING / AT_A_TIME)
        return super().images(album, since=since, deadline=deadline)

    def index(self):
        """Find images at once: an account at the limits has many."""
        found = {image.key: image for album in self.world.values() for image in album.images}
        self.find = found.__getitem__


@pytest.fixture
def nights():
    clock = FakeClock()
    options = Options(concurrency=AT_A_TIME)
    return Nights(SlowSource(clock), SlowStore(clock), clock, options=options)


def run_for(nights, seconds, reserve, **request):
    """(report, seconds that the run took)."""
    nights.store.slow = True
    start = nights.clock.monotonic()
    deadline = Deadline.after(nights.clock, seconds, reserve=reserve)
    report = nights.run(deadline=deadline, **request)
    nights.store.slow = False
    return report, nights.clock.monotonic() - start


def test_a_first_backup_of_large_albums_commits_on_the_way_and_ends_in_time(nights):
    for number in range(8):
        nights.source.album(f"a{number}", images=5_000)
    nights.source.index()
    report, took = run_for(nights, 900, 60)
    assert report.status == "continuing"
    assert took < 900
    assert report.counts.originals_stored > 3_000
    committed = sum(
        entry.original.stored
        for key in report.albums
        if report.albums[key].generation
        for entry in nights.manifest(key).entries.values()
    )
    assert committed == report.counts.originals_stored


def test_five_thousand_changes_begun_just_before_the_end_end_in_time(nights):
    album = nights.source.album("A", images=5_000)
    nights.source.index()
    nights.run()
    nights.next_night()
    for image in album.images:
        nights.source.touch(image, caption="a new keyword for all")
    nights.clock.advance(days=1)
    report, took = run_for(nights, 61, 60)
    assert took < 61
    assert report.status in ("continuing", "complete")


def test_the_night_on_which_the_api_changes_ends_in_time(nights):
    for number in range(3):
        nights.source.album(f"a{number}", images=4_000)
    nights.source.index()
    nights.run()
    nights.clock.advance(days=40)
    nights.source.name = "smugmug-v2"
    for _ in range(3):
        report, took = run_for(nights, 165, 60)
        assert took < 165
        nights.clock.advance(days=1)
    assert report.status == "complete"


def test_a_thousand_tombstones_go_through_the_pool_and_ask_the_deadline(nights):
    for number in range(1_500):
        nights.source.album(f"a{number:04d}")
    nights.run()
    for number in range(1_200):
        del nights.source.world[f"a{number:04d}"]
    nights.clock.advance(days=1)
    nights.run(accept_shrink=("account",))
    nights.clock.advance(days=1)
    for _ in range(5):
        report, took = run_for(nights, 90, 60)
        assert took < 90
        if report.status == "complete":
            break
        nights.clock.advance(days=1)
    assert report.status == "complete"
    assert sum(state.gone for state in report.albums.values()) == 1_200
    assert len(nights.store.threads) > 4


def test_the_outcomes_of_two_thousand_albums_are_read_many_at_a_time_and_in_time(nights):
    for number in range(2_000):
        nights.source.album(f"a{number:04d}")
    report = nights.run()
    planned, run = [], "20261124T030004Z-5f0c2a91"
    for album in nights.source.albums(deadline=Deadline.none(nights.clock)):
        planned.append(PlannedAlbum(album, report.albums[album.key]))
        overflow.store_outcome(
            nights.store, run, album.key, Outcome(report.albums[album.key]), turn=1
        )
    plan = overflow.Plan(tuple(planned), Account("larkfield", "owner"))
    overflow.write_plan(nights.store, run, plan)
    nights.store.slow = True
    start = nights.clock.monotonic()
    nights.backup().finish(run, deadline=Deadline.after(nights.clock, 60, reserve=30))
    assert nights.clock.monotonic() - start < 60
    assert len(nights.store.threads) > 4


def test_two_thousand_albums_without_a_report_are_taken_up_in_time(nights):
    for number in range(2_000):
        nights.source.album(f"a{number:04d}", images=1)
    nights.source.index()
    nights.source.seconds = 0.0
    nights.run()
    for key in [key for key in nights.store.objects if key.startswith("runs/")]:
        del nights.store.objects[key]
    nights.clock.advance(days=1)
    report, took = run_for(nights, 240, 60)
    assert took < 240
    assert report.counts.albums == 2_000


def test_a_video_that_fits_into_no_invocation_is_named(nights):
    source = nights.source
    source.album("A", images=2)
    video = source.upload("A", video="Video1920URL")

    def takes_an_hour():
        nights.clock.advance(seconds=1_200)
        raise OutOfTime("no time left")

    source.errors[f"photo:{video.key}"] = takes_an_hour
    for _ in range(3):
        report, _ = run_for(nights, 900, 60)
        assert report.status == "continuing"
        assert (video.key, "out_of_time") in {(f.image_key, f.code) for f in report.failures}
        nights.clock.advance(days=1)
    assert sum(e.original.stored for e in nights.manifest("A").entries.values()) == 2
