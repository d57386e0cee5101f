"""`repair`: what is damaged comes back from a copy, under numbered names, and is proved."""

from contextlib import suppress

import pytest

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.original import Reason, Status
from smugmug_backup.check.check import NOT_SOUND, SOUND
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BackupError
from smugmug_backup.keeping.repair import repair
from tests.tools.clock import FakeClock
from tests.tools.faults import Points, possible
from tests.tools.faulty_store import FaultyStore
from tests.tools.independent_reader import assert_sound
from tests.tools.killed import Killed
from tests.tools.memory_store import MemoryStore
from tests.tools.sample import sample_store
from tests.unit.keeping.test_copy import checked, copied


@pytest.fixture
def sample():
    return sample_store()


@pytest.fixture
def other(sample):
    other = MemoryStore()
    copied(sample.store, other)
    return other


def repaired(sample, other, store=None):
    return repair(
        Archive(store or sample.store),
        Archive(other),
        now=sample.clock.now(),
        deadline=Deadline.none(FakeClock()),
        map_=map,
    )


def damage(store, prefix):
    found = (each for each in sorted(store.objects) if each.startswith(prefix))
    key = next(each for each in found if not each.endswith(".html"))
    store.objects[key] = store.objects[key][:-3] + b"??\n"
    return key


def test_what_smugmug_has_no_more_comes_back_and_is_stored_again(sample, other):
    image = sample.source.world["harbour"].images[0]
    key = sample.nights.line("harbour", image.key).original.key
    sample.source.world["harbour"].images.remove(image)
    sample.nights.next_night(full=True)
    sample.nights.next_night(full=True)
    damage(sample.store, key)
    assert checked(sample.store, sample.clock).status == NOT_SOUND
    sample.nights.next_night()
    line = sample.nights.line("harbour", image.key).original
    assert (line.status, line.reason) == (Status.UNAVAILABLE, Reason.DAMAGED)
    sample.clock.advance(hours=1)
    done = repaired(sample, other)
    stem, _, extension = key.rpartition(".")
    assert done.brought == {key: f"{stem}.2.{extension}"}
    assert done.whole
    sample.clock.advance(hours=1)
    checked(sample.store, sample.clock)
    sample.nights.next_night()
    line = sample.nights.line("harbour", image.key).original
    assert line.reason is None
    assert (line.status, line.key) == (Status.STORED, f"{stem}.2.{extension}")
    assert_sound(sample.store, allow={"leftover", "numbered", "moved", "misnamed", "damaged"})
    sample.clock.advance(hours=1)
    assert checked(sample.store, sample.clock).status == SOUND


@pytest.mark.parametrize("prefix", ["originals/", "records/", "manifests/harbour", "runs/"])
def test_of_everything_that_is_stated_the_good_bytes_come_and_the_check_is_content(
    sample, other, prefix
):
    key = damage(sample.store, prefix)
    before = dict(sample.store.objects)
    assert checked(sample.store, sample.clock).status == NOT_SOUND
    sample.clock.advance(hours=1)
    done = repaired(sample, other)
    assert list(done.brought) == [key] and done.whole, done
    assert before.items() <= sample.store.objects.items()
    sample.clock.advance(hours=1)
    assert checked(sample.store, sample.clock).status == SOUND
    assert repaired(sample, other).brought == {}


def test_what_is_missing_comes_back_under_its_own_name(sample, other):
    keys = [each for each in sorted(sample.store.objects) if each.startswith("originals/")][:2]
    for key in keys:
        del sample.store.objects[key]
    checked(sample.store, sample.clock)
    sample.clock.advance(hours=1)
    assert repaired(sample, other).brought == dict(zip(keys, keys, strict=True))
    assert all(sample.store.objects[key] == other.objects[key] for key in keys)


def test_what_the_other_has_damaged_too_is_left_and_named(sample, other):
    key = damage(sample.store, "originals/")
    damage(other, key)
    checked(sample.store, sample.clock)
    sample.clock.advance(hours=1)
    done = repaired(sample, other)
    assert not done.brought
    assert "the other store has it no more" in done.left[key]


def test_a_store_of_another_account_brings_nothing(sample):
    key = damage(sample.store, "originals/")
    checked(sample.store, sample.clock)
    sample.clock.advance(hours=1)
    before = dict(sample.store.objects)
    assert key in repaired(sample, MemoryStore()).left
    assert sample.store.objects == before


def test_it_may_fail_at_any_operation_and_nothing_is_lost_or_overwritten(sample, other):
    for prefix in ("originals/", "records/", "manifests/harbour", "runs/"):
        damage(sample.store, prefix)
    checked(sample.store, sample.clock)
    sample.clock.advance(hours=1)
    before = dict(sample.store.objects)
    points = Points()
    repaired(sample, FaultyStore(other, points), FaultyStore(sample.store, points))
    whole = dict(sample.store.objects)
    assert len(whole) == len(before) + 4
    labels = [each.label for each in points.log]
    chosen = [(label, fault) for label in labels for fault in possible(label[0])][::31]
    for label, fault in chosen:
        sample.store.objects = dict(before)
        points = Points({label: fault})
        with suppress(Killed, BackupError):
            repaired(sample, FaultyStore(other, points), FaultyStore(sample.store, points))
        assert before.items() <= sample.store.objects.items(), (label, fault)
        repaired(sample, other)
        assert sample.store.objects == whole, (label, fault)
