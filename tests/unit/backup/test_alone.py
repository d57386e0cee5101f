"""What is refused, damaged or broken at one album or object stops nothing else, in any night."""

from collections import Counter

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.backup.overflow import PlannedBatch
from smugmug_backup.backup.run import Options
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    Archived,
    ConnectionLost,
    FormatTooNew,
    LoginLost,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from tests.tools.fake_source import FakeSource
from tests.tools.faults import Fault, Points, always
from tests.tools.faulty_store import FaultyStore
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights

ALBUMS = [f"a{number:02d}" for number in range(100)]
BAD = "a07"


class OneKey(MemoryStore):
    """A store in which what begins with certain keys answers with an error."""

    def __init__(self):
        super().__init__()
        self.errors = {}

    def read(self, key):
        for begins, error in self.errors.items():
            if key.startswith(begins):
                raise error
        return super().read(key)


@pytest.fixture
def source(clock):
    source = FakeSource(clock)
    for key in ALBUMS:
        source.album(key, images=1)
    clock.advance(days=100)
    return source


@pytest.fixture
def store():
    return OneKey()


def edit_all(source):
    """Every album must read its manifest and write another."""
    for album in source.world.values():
        source.touch(album.images[0], caption=f"edited at {source.clock.now()}")


def edited_nights(nights, number=3):
    """Some nights, each with an edit in every album; how often each album's edit arrived."""
    arrived = Counter()
    for _ in range(number):
        nights.clock.advance(days=1)
        edit_all(nights.source)
        nights.clock.advance(hours=1)
        before = set(nights.store.keys())
        report = nights.run()
        assert {each.album_key for each in report.failures} == {BAD}
        assert report.status == "incomplete"
        assert not report.more_failures
        for key in set(nights.store.keys()) - before:
            parsed = keys.parse_manifest(key)
            if parsed:
                arrived[parsed[0]] += 1
    return arrived


def others(times):
    return {key: times for key in ALBUMS if key != BAD}


def newest_manifest(nights, album=BAD):
    return keys.manifest(album, nights.reports[-1].albums[album].generation)


def lose_reports(nights):
    """Every newest manifest has to be read."""
    for key in [each for each in nights.store.objects if each.startswith("runs/")]:
        del nights.store.objects[key]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreRefused("AccessDenied"), "store_refused"),
        (StoreUnavailable("503"), "store_unavailable"),
        (Archived("it lies in Glacier"), "archived"),
        (FormatTooNew("of a later version"), "format_too_new"),
    ],
)
def test_one_manifest_that_cannot_be_read_costs_its_album_alone_night_after_night(
    nights, store, error, code
):
    nights.run()
    store.errors[newest_manifest(nights)] = error
    assert edited_nights(nights) == others(3)
    (failure,) = nights.reports[-1].failures
    assert failure.code == code
    assert str(error) in failure.message
    store.errors.clear()
    assert nights.next_night().status == "complete"
    assert nights.line(BAD, nights.source.world[BAD].images[0].key).original.stored


def test_one_record_that_is_refused_costs_its_album_alone(nights, store):
    nights.run()
    store.errors[f"records/{BAD}/"] = StoreRefused("AccessDenied")
    assert edited_nights(nights) == others(3)


def test_a_manifest_that_no_report_describes_and_nobody_can_read_tonight_is_no_new_album(
    nights, store, source
):
    nights.run()
    edit_all(source)
    last = nights.next_night().albums[BAD]
    written = set(store.keys())
    # A run that was killed before its report: every entry is stale.
    for key in (key for key in written if nights.reports[-1].run_id in key):
        del store.objects[key]
    store.errors[keys.manifest(BAD, last.generation)] = StoreUnavailable("503")
    found = nights.next_night()
    assert found.status == "incomplete"
    assert [each.album_key for each in found.failures] == [BAD]
    assert found.albums[BAD].generation == nights.reports[0].albums[BAD].generation
    assert found.albums[BAD].tried_at == found.dated_at
    assert len(found.albums) == 100
    assert not any(key.startswith(f"manifests/{BAD}/") for key in set(store.keys()) - written)
    store.errors.clear()
    healed = nights.next_night()
    assert healed.status == "complete"
    assert healed.albums[BAD].generation == last.generation


def test_without_any_report_the_albums_that_can_be_read_are_done(nights, store, source):
    nights.run()
    lose_reports(nights)
    store.errors[f"manifests/{BAD}/"] = StoreRefused("AccessDenied")
    for _ in range(3):
        found = nights.next_night()
        assert [each.album_key for each in found.failures] == [BAD]
        assert found.albums[BAD].generation == 0
        assert found.albums[BAD].title == source.world[BAD].title
        assert sum(state.generation for state in found.albums.values()) == 99
    store.errors.clear()
    healed = nights.next_night()
    assert healed.status == "complete"
    assert healed.albums[BAD].generation == 1


def test_where_nobody_can_say_whose_backup_it_is_the_run_ends(nights, store):
    nights.run()
    lose_reports(nights)
    store.errors["manifests/"] = StoreRefused("AccessDenied")
    before = dict(store.objects)
    with pytest.raises(StoreRefused):
        nights.next_night()
    assert store.objects == before


def test_one_folder_that_nobody_gets_into_costs_its_album_alone_night_after_night(
    source, store, clock
):
    nights = Nights(source, store, clock)
    nights.run()
    nights.store = FaultyStore(store, barred=(f"manifests/{BAD}/",))
    nights.store.keys = store.keys
    assert edited_nights(nights) == others(3)
    assert "cannot look into" in nights.reports[-1].failures[0].message
    nights.store = store
    assert nights.next_night().status == "complete"


def test_a_folder_of_manifests_that_nobody_gets_into_is_all_of_them(source, store, clock):
    nights = Nights(source, store, clock)
    nights.run()
    nights.store = FaultyStore(store, barred=("manifests/",))
    with pytest.raises(StoreRefused):
        nights.next_night()


def test_one_original_that_may_not_be_written_costs_its_album_alone(source, store, clock):
    nights = Nights(source, store, clock)
    image = source.world[BAD].images[0].key
    points = Points(always(Fault.REFUSED, f"originals/{image}"))
    nights.store = FaultyStore(store, points)
    for _ in range(3):
        report = nights.next_night()
        assert {each.album_key for each in report.failures} == {BAD}
        assert report.counts.images == 100
    assert report.counts.pending == 1


def test_the_album_that_always_fails_starves_nobody_when_time_is_short(source, store, clock):
    nights = Nights(source, store, clock, options=Options(concurrency=1))
    nights.run()
    store.errors[f"manifests/{BAD}/"] = StoreUnavailable("503")
    for album in source.world.values():
        source.errors[f"images:{album.key}"] = lambda: clock.advance(seconds=1)
    tried = Counter()
    for _ in range(12):
        clock.advance(days=1)
        edit_all(source)
        report = nights.run(deadline=Deadline.after(clock, 15, reserve=5))
        tried.update(
            key for key, state in report.albums.items() if state.tried_at >= report.dated_at
        )
    assert min(tried[key] for key in ALBUMS) >= 1


def test_a_dry_run_names_the_album_that_cannot_be_read(nights, store):
    nights.run()
    lose_reports(nights)
    store.errors[f"manifests/{BAD}/"] = StoreUnavailable("503")
    told = {each.album_key: each.error for each in nights.dry_run().forecasts}
    assert {key for key, error in told.items() if error} == {BAD}


def test_an_album_that_has_left_fails_alone_too(nights, store, source):
    nights.run()
    del source.world[BAD]
    nights.next_night()
    assert nights.next_night().albums[BAD].gone
    lose_reports(nights)
    store.errors[f"manifests/{BAD}/"] = StoreUnavailable("503")
    found = nights.next_night()
    assert [each.album_key for each in found.failures] == [BAD]
    assert found.status == "incomplete"
    store.errors.clear()
    assert nights.next_night().albums[BAD].gone


def test_one_unreadable_manifest_does_not_make_a_workers_batch_raise(nights, store, source):
    first = nights.run()
    edit_all(source)
    nights.next_night()
    states = {key: first.albums[key].as_json() for key in ALBUMS[:10]}
    albums = {
        each.key: {
            "key": each.key,
            "id": each.id,
            "title": each.title,
            "path": [],
            "image_count": 1,
            "data": {},
            "urls": [],
            "changed_at": None,
        }
        for each in source.world.values()
    }
    planned = {
        "albums": [{"album": albums[key], "state": state} for key, state in states.items()],
        "account": {"nickname": "larkfield", "access": "owner"},
        "accept_shrink": [],
        "check": None,
    }
    store.objects[keys.plan(first.run_id)] = b"{}\n"
    store.errors[newest_manifest(nights)] = StoreUnavailable("503")
    batch = PlannedBatch.from_json(planned)
    nights.backup().work(first.run_id, batch, deadline=Deadline.none(nights.clock))
    outcomes = [key for key in store.objects if keys.parse_outcome(key)]
    assert len(outcomes) == 10
    failed = [key for key in outcomes if b"store_unavailable" in store.objects[key]]
    assert failed == [keys.outcome(first.run_id, BAD, 1)]


def test_one_report_that_is_refused_costs_longer_listings_and_no_night(nights, store):
    nights.run()
    last = nights.next_night()
    store.errors[keys.report(last.run_id)] = StoreRefused("AccessDenied")
    found = nights.next_night()
    assert found.status == "complete"
    assert any(last.run_id in note and "AccessDenied" in note for note in found.notes)
    store.errors.clear()
    healed = nights.next_night()
    assert {link.run_id for link in healed.previous} == {last.run_id, found.run_id}


# -- alone or all ----------------------------------------------------------------------------------


def test_a_store_that_refuses_every_write_ends_the_run(source, store, clock):
    nights = Nights(source, store, clock)
    nights.run()
    edit_all(source)
    nights.store = FaultyStore(
        store, Points(lambda each: Fault.REFUSED if each.name == "create" else None)
    )
    with pytest.raises(StoreRefused):
        nights.next_night()


def test_a_full_disk_ends_the_run_and_is_told_once(source, store, clock):
    nights = Nights(source, store, clock)
    nights.run()
    edit_all(source)
    nights.store = FaultyStore(store, Points(always(Fault.FULL, "records/")))
    report = nights.next_night()
    assert [each.code for each in report.failures] == [StoreFull("x").code]


def test_a_login_that_is_lost_for_one_album_is_lost_for_it_alone(nights, source):
    nights.run()
    source.errors[f"images:{BAD}"] = LoginLost("36")
    assert edited_nights(nights) == others(3)


def test_a_defect_of_ours_while_an_album_is_buried_ends_no_night(nights, source, monkeypatch):
    nights.run()
    del source.world[ALBUMS[0]]
    nights.next_night()

    def broken(*_args, **_more):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("smugmug_backup.backup.album.AlbumWork._next_generation", broken)
        report = nights.next_night()
    assert [(f.album_key, f.code) for f in report.failures] == [(ALBUMS[0], "defect")]
    assert nights.next_night().albums[ALBUMS[0]].gone


def test_a_lost_connection_ends_the_run_is_told_once_and_what_is_whole_is_committed(clock):
    source = FakeSource(clock)
    source.album("whole", images=2)
    source.album("half", images=6)
    for number in range(20):
        source.album(f"later{number}", images=1)
    clock.advance(days=100)
    store = OneKey()
    nights = Nights(source, store, clock)
    lost = ConnectionLost("the connection is gone")
    for image in source.world["half"].images[3:]:
        source.errors[f"photo:{image.key}"] = lost
    report = nights.run()
    assert report.status == "incomplete"
    assert [(each.album_key, each.message) for each in report.failures] == [
        (None, "the connection is gone")
    ]
    lines = nights.manifest("half").entries.values()
    whole = [image.key for image in source.world["half"].images[:3]]
    # How many of them came before it was lost is the threads' affair.
    fetched = {key for key in whole if source.calls[f"photo:{key}"]}
    assert {line.image_key for line in lines if line.original.stored} == fetched
    source.errors.clear()
    assert nights.next_night().status == "complete"
