"""`copy`: the whole of a store into another place, a sound store at every moment."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from smugmug_backup.archive import transfer
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.encoding import sha256 as sha256_of
from smugmug_backup.check.check import SOUND, check
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BadRequest, StoreFull
from smugmug_backup.keeping.copy import Copier, Silent, look
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.faults import Fault, Points, always
from tests.tools.faulty_store import FaultyStore
from tests.tools.independent_reader import assert_sound
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
    return next(key for key in sorted(store.objects) if key.startswith("originals/"))


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


def test_large_files_are_verified_on_their_way(sample, target, monkeypatch):
    monkeypatch.setattr(transfer, "IN_MEMORY", 4)
    key = original_of(sample.store)
    sample.store.objects[key] = sample.store.objects[key][:-1] + b"?"
    done = copied(sample.store, target)
    assert list(done.left_out) == [key]
    assert key not in target.objects
    assert target.objects.items() <= sample.store.objects.items()


def test_what_is_damaged_is_left_out_and_named_and_all_the_rest_is_copied(sample, target):
    original = original_of(sample.store)
    older = next(key for key in sorted(sample.store.objects) if key.startswith("records/alps"))
    for key in (original, older):
        sample.store.objects[key] = sample.store.objects[key][:-9]
    done = copied(sample.store, target)
    assert sorted(done.left_out) == [original, older]
    assert not done.waiting and not done.whole
    missing = of_the_backup(sample.store).keys() - target.objects.keys()
    assert missing == {original, older}
    sample.clock.advance(hours=1)
    result = checked(target, sample.clock)
    assert {each.key for each in result.findings if each.open} == {original, older}


def test_where_a_run_has_mended_it_the_sound_name_is_taken(sample, target):
    key = original_of(sample.store)
    sound = sample.store.objects[key]
    sample.store.objects[key] = b"?" * len(sound)
    checked(sample.store, sample.clock)
    sample.nights.next_night()
    numbered = key.replace(".jpg", ".2.jpg")
    assert sample.store.objects[numbered] == sound
    assert copied(sample.store, target).whole
    assert target.objects[key] == target.objects[numbered] == sound
    assert_sound(target)


def test_a_manifest_that_is_damaged_is_left_out_and_comes_once_it_is_repaired(sample, target):
    whole = MemoryStore()
    copied(sample.store, whole)
    key = "manifests/harbour/00000001.jsonl"
    sample.store.objects[key] = sample.store.objects[key][:-9]
    done = copied(sample.store, target)
    assert list(done.left_out) == [key]
    assert done.seal, "the reports that name it are copied all the same"
    sample.store.objects[key.replace(".jsonl", ".2.jsonl")] = whole.objects[key]
    assert copied(sample.store, target).whole
    assert target.objects == whole.objects


def test_what_no_manifest_names_is_not_copied(sample, target):
    sample.store.objects["originals/i000001/" + "0" * 32 + ".jpg"] = b"nobody's"
    sample.store.objects["holiday.txt"] = b"nobody's"
    assert copied(sample.store, target).whole
    assert b"nobody's" not in target.objects.values()


def test_what_cannot_be_read_tonight_keeps_back_what_names_it_and_comes_the_next_time(
    sample, target
):
    key = next(
        k for k in sorted(sample.store.objects) if k.startswith("originals/") and "rev-" in k
    )
    closed = FaultyStore(sample.store, Points(always(Fault.UNREADABLE, key)))
    done = copied(closed, target)
    assert key in done.waiting and "manifests/alps/00000001.jsonl" in done.waiting
    assert not any(each.startswith(("manifests/alps", "runs/")) for each in target.objects)
    assert any(each.startswith("manifests/harbour") for each in target.objects)
    assert_sound(target)
    assert copied(sample.store, target).whole
    assert target.objects == of_the_backup(sample.store)


def test_by_the_owners_word_what_cannot_be_read_is_left_out_like_what_is_damaged(sample, target):
    key = original_of(sample.store)
    closed = FaultyStore(sample.store, Points(always(Fault.UNREADABLE, key)))
    done = copied(closed, target, leave_out=True)
    assert list(done.left_out) == [key] and not done.waiting
    assert of_the_backup(sample.store).keys() - target.objects.keys() == {key}


def test_a_target_that_is_full_ends_it_at_once(sample, target):
    full = FaultyStore(target, Points(always(Fault.FULL, "originals/")))
    done = copied(sample.store, full)
    assert isinstance(done.error, StoreFull)
    assert set(target.objects) == {"README.txt"}


@pytest.mark.parametrize("moment", [4, 9, 14, 20, 30, 40])
def test_a_run_in_the_midst_of_it_does_no_harm(sample, target, moment):
    runs = []

    def tick():
        if len(points.log) == moment and not runs:
            runs.append(1)
            sample.source.upload("harbour")
            sample.nights.next_night()

    points = Points(tick=tick)
    assert copied(FaultyStore(sample.store, points), target).whole
    assert runs
    assert_sound(target)
    assert copied(sample.store, target).whole
    assert target.objects == of_the_backup(sample.store)


def test_what_was_forgotten_is_not_copied_and_what_the_copy_has_of_it_is_told(sample, target):
    copied(sample.store, target)
    image = sample.source.world["harbour"].images[0].key
    keys = [each for each in sorted(sample.store.objects) if f"originals/{image}/" in each]
    Archive(sample.store).tell_forgotten(image, keys, at=sample.clock.now())
    planned = look(Archive(sample.store), Archive(target), map_=map)
    assert planned.forgotten_there == tuple(keys)
    empty = MemoryStore()
    copied(sample.store, empty)
    assert not set(keys) & set(empty.objects)


def test_a_copy_made_by_threads_is_the_same(sample, target):
    with ThreadPoolExecutor(8) as executor:
        planned = look(Archive(sample.store), Archive(target), map_=executor.map)
        done = Copier(
            Archive(sample.store),
            Archive(target),
            planned,
            deadline=Deadline.none(FakeClock()),
            map_=executor.map,
        ).copy()
    assert done.whole
    assert target.objects == of_the_backup(sample.store)


def test_who_stops_it_leaves_a_sound_beginning_and_it_goes_on(sample, target):
    clock = FakeClock()
    for seconds in range(1, 40, 3):
        deadline = Deadline.after(clock, seconds)
        points = Points(tick=lambda: clock.advance(seconds=1))
        copied(sample.store, FaultyStore(target, points), deadline=deadline)
        if any(each.startswith("manifests/") for each in target.objects):
            assert_sound(target)
    assert copied(sample.store, target).whole
    assert target.objects == of_the_backup(sample.store)


# -- which target may take it ----------------------------------------------------------------------


def test_a_target_of_another_account_is_refused(sample, target):
    clock = FakeClock()
    source = FakeSource(clock)
    source.nickname = "somebody"
    source.album("A1", images=1)
    Nights(source, target, clock).run()
    before = dict(target.objects)
    with pytest.raises(BadRequest, match="account somebody, the source one of"):
        copied(sample.store, target)
    assert target.objects == before


def test_a_target_with_a_history_of_its_own_is_refused_and_where_they_part_is_named(sample, target):
    copied(sample.store, target)
    common = sample.nights.reports[-1].run_id
    own = Nights(sample.source, target, sample.clock)
    other = own.next_night()
    sample.clock.advance(hours=1)
    sample.nights.run()
    before = dict(target.objects)
    with pytest.raises(BadRequest, match=f"part at run {other.run_id} after run {common}"):
        copied(sample.store, target)
    assert target.objects == before


@pytest.mark.parametrize(
    ("goes_on", "what"), [(False, "a version that the source lacks"), (True, "another version")]
)
def test_a_generation_that_a_killed_run_left_in_the_target_is_a_history_of_its_own(
    sample, target, goes_on, what
):
    copied(sample.store, target)
    sample.source.upload("harbour")
    own = Nights(sample.source, target, sample.clock)
    report = own.next_night()
    del target.objects[report.key]
    if goes_on:
        sample.source.upload("harbour")
        sample.nights.next_night()
    with pytest.raises(BadRequest, match=rf"they part at {what}: number \d+ of album harbour"):
        copied(sample.store, target)


def test_an_older_copy_has_nothing_for_a_target_that_is_ahead(sample, target):
    copied(sample.store, target)
    key = original_of(target)
    sample.source.upload("harbour")
    Nights(sample.source, target, sample.clock).next_night()
    body = target.objects.pop(key)
    done = copied(sample.store, target)
    assert done.whole and done.files == 1
    assert target.objects[key] == body


def test_what_is_damaged_in_the_target_is_no_other_history(sample, target):
    copied(sample.store, target)
    newest = sample.nights.reports[-1].key
    target.objects[newest] = target.objects[newest][:-7]
    sample.source.upload("harbour")
    sample.nights.next_night()
    assert copied(sample.store, target).whole
    assert target.objects[newest.replace(".json", ".2.json")] == sample.store.objects[newest]
    assert_sound(target, allow={"numbered", "leftover", "no_checks", "damaged"})


def test_what_is_damaged_in_the_source_is_no_other_history_of_the_target(sample, target):
    copied(sample.store, target)
    newest = sample.nights.reports[-1].key
    sample.store.objects[newest] = sample.store.objects[newest][:-7]
    sample.source.upload("harbour")
    sample.nights.next_night()
    done = copied(sample.store, target)
    assert list(done.left_out) == [newest]
    assert sample.nights.reports[-1].key in target.objects


def test_the_error_that_ended_all_is_told_whichever_thread_ends_first(sample, target):
    full = FaultyStore(target, Points(always(Fault.FULL, "originals/")))
    with ThreadPoolExecutor(8) as executor:
        done = Copier(
            Archive(sample.store),
            Archive(full),
            look(Archive(sample.store), Archive(full), map_=executor.map),
            deadline=Deadline.none(FakeClock()),
            map_=executor.map,
        ).copy()
    assert isinstance(done.error, StoreFull) and not done.stopped


# -- a way on which no bytes pass ------------------------------------------------------------------


class MemoryWay:
    """`Way`: as S3 has it, and open for so many objects."""

    def __init__(self, source, target, *, opens=1_000):
        self.source, self.target, self.opens = source, target, opens
        self.copied, self.closed = 0, None

    def copy(self, name, key, *, size, is_meant, file_name):
        if self.copied == self.opens:
            self.closed = "no rights"
            return None
        body = self.source.objects.get(name)
        if body is None or not is_meant(sha256_of(body)) or key in self.target.objects:
            return None
        self.target.objects[key] = body
        self.copied += 1
        return len(body)


@pytest.mark.parametrize("opens", [0, 7, 1_000])
def test_what_comes_by_a_way_of_its_own_is_the_same_store(sample, target, opens):
    heard = []
    observer = Silent()
    observer.way_closed = heard.append
    key = original_of(sample.store)
    sample.store.objects[key] = b"?" * len(sample.store.objects[key])
    done = copied(
        sample.store, target, way=MemoryWay(sample.store, target, opens=opens), observer=observer
    )
    assert list(done.left_out) == [key]
    assert done.by_way == min(opens, done.files)
    assert heard == ([] if opens == 1_000 else ["no rights"])
    assert done.way_closed == (heard[0] if heard else None)
    whole = of_the_backup(sample.store)
    assert target.objects == {each: whole[each] for each in whole if each != key}
