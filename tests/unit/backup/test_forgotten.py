"""What the owner had deleted for good is so in every album, whatever is damaged or shown anew."""

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.backup.forgotten import Forgotten
from smugmug_backup.errors import StoreUnavailable
from smugmug_backup.keeping.forget import forget
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.faults import Fault, Points, always
from tests.tools.faulty_store import FaultyStore
from tests.tools.independent_reader import assert_sound
from tests.tools.memory_remover import MemoryRemover
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights
from tests.unit.backup.checks import check


@pytest.fixture
def nights():
    clock = FakeClock()
    source = FakeSource(clock)
    for album in "AB":
        source.album(album, images=3)
    clock.advance(days=100)
    nights = Nights(source, MemoryStore(), clock)
    nights.run()
    return nights


def forgets(nights, image):
    nights.clock.advance(hours=1)
    remover, token = MemoryRemover(nights.store), "0f0f0f0f"
    forget(Archive(nights.store), remover, (image.key,), clock=nights.clock, token=token, map_=map)
    nights.source.calls.clear()


def is_forgotten(nights, album, image):
    line = nights.line(album, image.key)
    there = [key for key in nights.store.objects if key.startswith(f"originals/{image.key}")]
    return (
        line.original.reason == "forgotten"
        and line.record is None
        and not there
        and not nights.source.calls[f"photo:{image.key}"]
    )


def recorded(nights, image):
    """The files that tell of it."""
    records = {key: body for key, body in nights.store.objects.items() if key[:8] == "records/"}
    return {key for key, body in records.items() if image.file_name.encode() in body}


def test_an_album_that_shows_it_later_neither_fetches_nor_records_it(nights):
    image = nights.source.world["A"].images[0]
    forgets(nights, image)
    nights.source.world["B"].images.append(image)
    report = nights.next_night()
    assert report.status == "complete"
    assert is_forgotten(nights, "B", image)
    before = set(nights.store.objects)
    report = nights.next_night()
    assert set(nights.store.objects) - before == {report.key}
    assert {(e.album_key, e.image_key) for e in report.unavailable if e.reason == "forgotten"} == {
        ("A", image.key),
        ("B", image.key),
    }
    assert_sound(nights.store)


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("full", [True, False])
def test_behind_a_damaged_newest_manifest_it_stays_forgotten(nights, checked, full):
    image = nights.source.world["A"].images[0]
    forgets(nights, image)
    nights.next_night()
    newest = "manifests/A=1/00000002.jsonl"
    nights.store.objects[newest] = nights.store.objects[newest][:-5]
    if checked:
        check(nights, (newest, "A"))
    else:
        # Nobody knows of the damage, so the manifest has to be read.
        for key in [each for each in nights.store.objects if each.startswith("runs/")]:
            del nights.store.objects[key]
    nights.next_night(full=full)
    assert is_forgotten(nights, "A", image)
    assert nights.next_night().status == "complete"
    assert is_forgotten(nights, "A", image) and not recorded(nights, image)
    assert_sound(nights.store, accepted={newest})


def test_what_a_damaged_newest_manifest_says_of_it_is_not_recorded_again(nights):
    image, other = nights.source.upload("A"), nights.source.world["A"].images[0]
    nights.next_night()
    key = nights.line("A", image.key).original.key
    Archive(nights.store).tell_forgotten(image.key, [key], at=nights.clock.now())
    del nights.store.objects[key]
    newest, before = "manifests/A=1/00000002.jsonl", recorded(nights, image)
    rotten = nights.store.objects[newest].replace(other.file_name.encode(), b"DSC_x")
    nights.store.objects[newest] = rotten
    check(nights, (newest, "A"))
    nights.source.calls.clear()
    nights.next_night()
    assert is_forgotten(nights, "A", image) and recorded(nights, image) == before


def test_where_all_manifests_are_lost_it_is_not_new(nights):
    image = nights.source.world["A"].images[0]
    forgets(nights, image)
    for key in [each for each in nights.store.objects if each.startswith("manifests/A=1/")]:
        del nights.store.objects[key]
    nights.next_night()
    assert nights.next_night().status == "complete"
    assert is_forgotten(nights, "A", image)


def stored_and_gone(nights):
    """An album whose newest line still says stored, of what the owner had deleted."""
    image = nights.source.world["A"].images[0]
    key = nights.line("A", image.key).original.key
    Archive(nights.store).tell_forgotten(image.key, [key], at=nights.clock.now())
    del nights.store.objects[key]
    return image, key


def test_a_finding_of_it_ends_in_a_line_that_says_so(nights):
    image, key = stored_and_gone(nights)
    check(nights, (key, "A"))
    nights.source.calls.clear()
    report = nights.next_night()
    assert (report.status, report.check.open) == ("complete", 0)
    assert is_forgotten(nights, "A", image)


def test_other_bytes_of_it_are_not_fetched(nights):
    image, _ = stored_and_gone(nights)
    nights.source.replace(image)
    nights.source.calls.clear()
    assert nights.next_night().status == "complete"
    assert is_forgotten(nights, "A", image)


def test_what_waits_for_its_bytes_waits_no_more(nights):
    image = nights.source.upload("A", has_url=False)
    nights.next_night()
    Archive(nights.store).tell_forgotten(image.key, [], at=nights.clock.now())
    nights.source.touch(image, has_url=True)
    nights.source.calls.clear()
    assert nights.next_night().status == "complete"
    assert is_forgotten(nights, "A", image)


def test_a_video_of_an_album_that_has_left_is_forgotten_there_too(nights):
    image = nights.source.world["B"].images[0]
    del nights.source.world["B"]
    nights.next_night()
    nights.next_night()
    forgets(nights, image)
    nights.next_night()
    newest = "manifests/B=1/00000003.jsonl"
    del nights.store.objects[newest]
    check(nights, (newest, "B"))
    nights.next_night()
    assert is_forgotten(nights, "B", image)
    assert nights.manifest("B").header.deleted_at is not None


def test_it_is_asked_for_once_and_by_nobody_who_has_nothing_new():
    store = MemoryStore()
    Archive(store).tell_forgotten("a", ["originals/a/x.jpg"], at=FakeClock().now())
    store.objects[keys.numbered(keys.forgotten("b"), 2)] = b"?"
    store.log.clear()
    forgotten = Forgotten(Archive(store))
    assert [key in forgotten for key in "abc"] == [True, True, False]
    assert len(store.log) == 1
    forgotten = Forgotten(Archive(store))
    forgotten.none_yet()
    assert "a" not in forgotten and len(store.log) == 1


def test_where_it_cannot_be_asked_nothing_is_fetched(nights):
    image = nights.source.world["A"].images[0]
    forgets(nights, image)
    nights.source.world["B"].images.append(image)
    whole = nights.store
    nights.store = FaultyStore(whole, Points(always(Fault.REQUEST_LOST, "forgotten/")))
    report = nights.next_night()
    assert {(f.album_key, f.code) for f in report.failures} == {("B", StoreUnavailable.code)}
    nights.store = whole
    assert nights.next_night().status == "complete"
    assert is_forgotten(nights, "B", image)
