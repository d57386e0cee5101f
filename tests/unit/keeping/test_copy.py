"""`copy`: the whole of a store into another place, a sound store at every moment."""

from datetime import timedelta
from itertools import count

import pytest

from smugmug_backup.archive import transfer
from smugmug_backup.archive.archive import Archive
from smugmug_backup.check.check import SOUND, check
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BadRequest, NotABackup, StoreFull
from smugmug_backup.keeping import copy as copying
from smugmug_backup.keeping.copy import Copier, look
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.faults import Fault, Points, always, possible
from tests.tools.faulty_store import FaultyStore
from tests.tools.independent_reader import assert_sound
from tests.tools.independent_reader import look as read_alone
from tests.tools.killed import Killed
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights
from tests.tools.sample import sample_store

TOKENS = count(1)


@pytest.fixture
def sample():
    return sample_store()


@pytest.fixture
def target():
    return MemoryStore()


def copied(source, target, **more):
    found = Copier(
        Archive(source),
        Archive(target),
        look(Archive(source), Archive(target), map_=map),
        deadline=more.pop("deadline", None) or Deadline.none(FakeClock()),
        map_=map,
        **more,
    )
    return found.copy()


def of_the_backup(store):
    return {
        key: body
        for key, body in store.objects.items()
        if not key.startswith(("checks/", "drills/", "work/"))
    }


def checked(store, clock):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as executor:
        return check(
            store,
            clock=clock,
            token=f"{next(TOKENS):08x}",
            deadline=Deadline.none(clock),
            executor=executor,
            read_data="all",
            history=True,
        )


def original_of(store):
    return next(key for key in store.keys() if key.startswith("originals/"))


def test_a_copy_is_the_same_store_with_the_same_seal(sample, target):
    done = copied(sample.store, target)
    assert done.whole
    assert target.objects == of_the_backup(sample.store)
    assert done.seal == look(Archive(sample.store), Archive(target), map_=map).stock.heads
    assert [each.sha256 for each in done.seal] == [sample.nights.reports[-1].sha256]
    assert_sound(target)
    assert checked(target, sample.clock).status == SOUND


def test_a_second_copy_writes_nothing_and_a_later_one_what_is_new(sample, target):
    copied(sample.store, target)
    target.log.clear()
    done = copied(sample.store, target)
    assert done.whole and done.files == 0 and done.present > 20
    assert not [each for each in target.log if each[0] == "put"]
    sample.source.upload("alps")
    sample.nights.next_night()
    assert copied(sample.store, target).files == 4  # original, records, manifest, report
    assert target.objects == of_the_backup(sample.store)
    assert not target.overwrites


# -- every point at which it can fail --------------------------------------------------------------


def labels(source):
    points = Points()
    store = FaultyStore(source, points)
    copied(store, FaultyStore(MemoryStore(), points))
    return [each.label for each in points.log]


def live_through(source, label, fault):
    """A copy with one fault, and the same command once more."""
    points, target = Points({label: fault}), MemoryStore()
    ended = False
    try:
        done = copied(FaultyStore(source, points), FaultyStore(target, points))
        ended = done.whole
    except (Killed, BadRequest, NotABackup):
        pass
    except Exception as error:
        assert type(error).__module__ == "smugmug_backup.errors", error  # noqa: PT017
    yield target, ended
    done = copied(source, target)
    assert done.whole, (done, label, fault)
    yield target, True


def test_it_may_fail_at_any_operation_and_the_target_is_sound_and_nothing_is_lost(
    sample, monkeypatch
):
    monkeypatch.setattr(transfer, "IN_MEMORY", 40)
    whole = of_the_backup(sample.store)
    tried = 0
    for label in labels(sample.store):
        for fault in possible(label[0]):
            tried += 1
            for target, ended in live_through(sample.store, label, fault):
                assert not target.overwrites, (label, fault)
                if ended:
                    assert target.objects == whole, (label, fault)
                elif any(each.startswith(("manifests/", "runs/")) for each in target.objects):
                    assert_sound(target)
    assert tried > 300
