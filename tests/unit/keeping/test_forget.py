"""`forget`: what is decided, in which order it is done, and what a kill leaves behind."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.forgotten import Holding
from smugmug_backup.archive.original import When
from smugmug_backup.archive.original import forgotten as as_forgotten
from smugmug_backup.check.check import check
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AlreadyStored,
    BadRequest,
    CommitConflict,
    NotABackup,
    StoreRefused,
)
from smugmug_backup.keeping.forget import Album, Held, decide, forget, look
from tests.tools.independent_reader import assert_sound
from tests.tools.killed import Killed
from tests.tools.memory_remover import MemoryRemover
from tests.tools.memory_store import MemoryStore
from tests.tools.sample import sample_store

CAPTION = b"a secret of the family"


@pytest.fixture
def sample():
    """The second image of the harbour was replaced; it is in the alps and in an album that is gone,
    too, and its caption was changed on the way."""
    sample = sample_store()
    image = sample.source.world["harbour"].images[1]
    sample.source.world["alps"].images.append(image)
    other = sample.source.album("left", "Left", images=2)
    other.images.append(image)
    sample.source.touch(image, caption=CAPTION.decode())
    sample.nights.next_night(full=True)
    del sample.source.world["left"]
    sample.nights.next_night()
    sample.nights.next_night()
    assert sample.nights.manifest("left").header.deleted_at is not None
    assert sum(CAPTION in body for body in sample.store.objects.values()) == 3
    sample.image = image.key
    return sample


def forgotten(sample, *images, store=None, remover=None, token="0f0f0f0f"):
    store = store or sample.store
    return forget(
        Archive(store),
        remover or MemoryRemover(sample.store),
        images or (sample.image,),
        clock=sample.clock,
        token=token,
        map_=map,
    )


def checked(sample):
    with ThreadPoolExecutor(2) as executor:
        return check(
            sample.store,
            clock=sample.clock,
            token="0c0c0c0c",
            deadline=Deadline.none(sample.clock),
            executor=executor,
            read_data="all",
            history=True,
        )


def left_of(sample, *images):
    """What the store still has of these images, but for manifests."""
    return [
        key
        for key, body in sample.store.objects.items()
        for image in images or (sample.image,)
        if key.startswith(keys.image_originals(image))
        or (key.startswith("records/") and f'"image_key":"{image}"'.encode() in body)
    ]


# -- what is decided -------------------------------------------------------------------------------


def held_of(sample, *images):
    images = images or (sample.image,)
    return look(Archive(sample.store), images, now=sample.clock.now(), map_=map)


def test_a_look_finds_live_and_gone_albums_and_every_version(sample):
    held = held_of(sample)
    assert sorted(held.albums) == ["alps", "harbour", "left"]
    assert len(held.originals[sample.image]) == 2
    assert held.told == {sample.image: None}
    assert held.titles_of(sample.image)[-1] == "Travel / Left"
    assert held.file_name_of(sample.image).startswith("DSC_")


def test_all_of_the_image_is_told_before_and_nothing_of_others(sample):
    held = held_of(sample)
    plan = decide(held)
    assert not plan.settled
    assert sorted(plan.commit) == ["alps", "harbour", "left"]
    assert plan.tell == {sample.image: plan.remove}
    assert set(left_of(sample)) == set(plan.remove)


IMAGE, FILE = "i1", f"records/a/{'0' * 32}.jsonl"


def line(sample, name="harbour", **changes):
    found = next(iter(sample.nights.manifest(name).entries.values()))
    return replace(found, **changes)


def held_by_hand(sample, entries, *, files=(), told=None, originals=()):
    manifest = sample.nights.manifest("harbour")
    manifest = replace(manifest, entries={each.image_key: each for each in entries})
    holding = {key: Holding(frozenset({IMAGE}), {}) for key in files}
    told = None if told is None else frozenset(told)
    return Held((IMAGE,), {"a": Album(manifest, holding)}, {IMAGE: originals}, {IMAGE: told})


def test_each_row_of_the_table_decides_as_it_says(sample):
    its = line(sample, image_key=IMAGE)
    when = When(sample.clock.now())
    done = line(
        sample,
        image_key=IMAGE,
        record=None,
        record_at=None,
        original=as_forgotten(its.original, when),
    )
    other = line(sample, image_key="i2", record=FILE)
    numbered = line(sample, image_key="i2", record=FILE.replace(".jsonl", ".2.jsonl"))
    own = its.original.content.key

    def plan(*entries, **more):
        return decide(held_by_hand(sample, entries, **more))

    assert plan(its).tell == {IMAGE: (own,)}
    assert plan(its, told=[own]).tell == {} and plan(its, told=[own]).commit == ("a",)
    assert plan(done).tell == {IMAGE: ()}
    assert plan(done, told=[]).nothing
    assert plan(done, told=[own]).settled and plan(done, told=[own]).remove == (own,)
    assert plan(done, told=[own], originals=["x"]).tell == {IMAGE: ("x",)}
    assert plan(done, other, files=[FILE], told=[FILE]).commit == ("a",)
    assert plan(done, numbered, files=[FILE], told=[FILE]).commit == ("a",)
    assert plan(done, other, told=[FILE]).settled


@pytest.mark.parametrize("key", ["nobody", "../x", "", "a b"])
def test_a_key_that_no_image_has_changes_nothing(sample, key):
    before = dict(sample.store.objects)
    with pytest.raises(BadRequest):
        forgotten(sample, sample.image, key)
    assert sample.store.objects == before


def test_an_album_whose_newest_manifest_is_damaged_is_mended_first(sample):
    key = max(k for k in sample.store.objects if k.startswith("manifests/alps"))
    sample.store.objects[key] = sample.store.objects[key][:-10]
    before = dict(sample.store.objects)
    with pytest.raises(NotABackup, match="let a run mend it first"):
        forgotten(sample)
    assert sample.store.objects == before


# -- what is done ----------------------------------------------------------------------------------


def test_nothing_of_the_image_is_left_and_the_store_is_sound(sample):
    before = set(left_of(sample))
    done = forgotten(sample)
    assert set(done.removed) == before and not done.left
    assert left_of(sample) == []
    assert not any(CAPTION in body for body in sample.store.objects.values())
    assert {album for album, _ in done.committed} == {"alps", "harbour", "left"}
    for album in ("alps", "harbour", "left"):
        entry = sample.nights.line(album, sample.image)
        assert (entry.original.status, entry.original.reason) == ("unavailable", "forgotten")
        assert entry.record is None and entry.record_at is None
    told = assert_sound(sample.store)
    assert {"forgotten", "moved", "uncommitted"} <= {kind for kind, _ in told.told}
    result = checked(sample)
    assert result.sound and not result.report.findings


def test_the_order_is_told_records_generations_deletion(sample):
    sample.store.log.clear()
    forgotten(sample)
    writes = [(what, key) for what, key in sample.store.log if what in ("put", "remove")]
    kinds = [what if what == "remove" else key.split("/")[0] for what, key in writes]
    last = len(kinds) - kinds[::-1].index("manifests") - 1
    assert kinds[0] == "forgotten"
    assert kinds.count("forgotten") == 1
    assert "remove" not in kinds[: last + 1]
    for album in ("alps", "harbour", "left"):
        folders = [k.split("/")[0] for what, k in writes if what == "put" and f"/{album}/" in k]
        assert folders[: folders.index("manifests")] == ["records"] * folders.index("manifests")
    assert "records" in kinds


def test_other_images_keep_their_records_in_every_generation(sample):
    archive = Archive(sample.store)
    before = {}
    for album, numbers in archive.generations().items():
        for number in numbers:
            for key, entry in archive.manifest(album, number).entries.items():
                if key != sample.image:
                    before[album, number, key] = archive.record(album, entry)
    assert None not in before.values()
    forgotten(sample)
    for (album, number, key), record in before.items():
        entry = archive.manifest(album, number).entries[key]
        assert archive.record(album, entry) == record
    for album in ("alps", "harbour", "left"):
        for key, entry in sample.nights.manifest(album).entries.items():
            assert key == sample.image or entry.record in sample.store.objects


def test_the_nights_after_neither_fetch_nor_miss_it_and_vouch_for_the_generation(sample):
    forgotten(sample)
    sample.source.calls.clear()
    for _ in range(3):
        report = sample.nights.next_night(full=True)
        assert {each.reason for each in report.unavailable if each.image_key == sample.image} == {
            "forgotten"
        }
        assert report.counts.deleted == 0 and report.counts.missing == 0
    assert sample.source.calls[f"photo:{sample.image}"] == 0
    assert left_of(sample) == []
    told = {kind for kind, _ in assert_sound(sample.store).told}
    assert "uncommitted" not in told
    result = checked(sample)
    assert result.sound and not result.report.findings
    sample.nights.next_night()
    assert sample.nights.manifest("left").header.deleted_at is not None


def test_a_finding_on_what_is_forgotten_is_past(sample):
    key = next(each for each in left_of(sample) if each.startswith("originals/"))
    sample.store.objects[key] = b"rotten"
    assert not checked(sample).sound
    sample.clock.advance(hours=1)
    forgotten(sample)
    sample.clock.advance(hours=1)
    result = checked(sample)
    assert result.sound and not result.report.findings


def test_twice_is_nothing_new(sample):
    forgotten(sample)
    before = dict(sample.store.objects)
    done = forgotten(sample)
    assert done.committed == () and not done.left
    assert sample.store.objects == before


def test_a_video_is_forgotten_like_a_photo(sample):
    video = sample.source.upload("harbour", video="Video1280URL", file_name="waves.mp4")
    sample.nights.next_night()
    assert sample.nights.line("harbour", video.key).original.kind == "rendition"
    assert any("rev-" in each for each in left_of(sample, video.key))
    forgotten(sample, video.key)
    assert left_of(sample, video.key) == []
    assert_sound(sample.store)
    assert checked(sample).sound


def test_what_is_pending_or_unavailable_is_forgotten_too(sample):
    lines = sample.nights.manifest("alps").entries.values()
    image = next(each.image_key for each in lines if each.original.status == "unavailable")
    forgotten(sample, image)
    assert sample.nights.line("alps", image).original.reason == "forgotten"
    assert_sound(sample.store)
    before = dict(sample.store.objects)
    forgotten(sample, image)
    assert sample.store.objects == before


def test_several_images_are_one_generation(sample):
    others = [each.key for each in sample.source.world["harbour"].images[:2]]
    number = sample.nights.manifest("harbour").header.generation
    forgotten(sample, *others, sample.image)
    assert sample.nights.manifest("harbour").header.generation == number + 1
    assert left_of(sample, *others, sample.image) == []
    assert_sound(sample.store)


def test_an_album_of_one_image_needs_no_records_file(sample):
    image = sample.source.album("alone", images=1).images[0].key
    sample.nights.next_night()
    forgotten(sample, image)
    assert not [key for key in sample.store.objects if key.startswith("records/alone/")]
    assert sample.nights.manifest("alone").header.line_count == 1
    assert_sound(sample.store)
    assert checked(sample).sound


def test_numbered_names_are_deleted_too(sample):
    original = next(each for each in left_of(sample) if each.startswith("originals/"))
    records = next(each for each in left_of(sample) if each.startswith("records/"))
    for key in (original, records):
        sample.store.objects[keys.numbered(key, 2)] = sample.store.objects[key]
        sample.store.objects[key] = b"rotten"
    forgotten(sample)
    assert left_of(sample) == []
    assert keys.numbered(original, 2) not in sample.store.objects
    archive = Archive(sample.store)
    for album in ("alps", "harbour", "left"):
        for key, entry in sample.nights.manifest(album).entries.items():
            assert key == sample.image or archive.record(album, entry) is not None
    sample.nights.next_night(full=True)
    assert checked(sample).sound


def test_what_cannot_be_deleted_is_named_and_tried_again(sample):
    remover = MemoryRemover(sample.store)
    remover.refused = {left_of(sample)[0]}
    done = forgotten(sample, remover=remover)
    assert set(done.left) == remover.refused
    assert "Object Lock" in done.left[left_of(sample)[0]]
    assert_sound(sample.store)
    remover.refused = set()
    assert not forgotten(sample, remover=remover).left
    assert left_of(sample) == []


def test_a_store_that_takes_nothing_loses_nothing(sample):
    class ReadOnly(MemoryStore):
        def create(self, key, body, **_):
            raise StoreRefused("the disk is mounted read-only")

    store = ReadOnly()
    store.objects = sample.store.objects
    before = dict(store.objects)
    with pytest.raises(StoreRefused):
        forgotten(sample, store=store)
    assert store.objects == before


# -- a run at the same time ------------------------------------------------------------------------


def test_a_run_that_commits_in_between_makes_it_start_over(sample):
    store = sample.store
    create = store.create
    image = sample.source.find(sample.image)

    def create_after_a_run(key, body, **_):
        if key.startswith("manifests/harbour/"):
            store.create = create
            sample.source.touch(image, caption="newer")
            sample.nights.next_night(full=True)
        create(key, body)

    store.create = create_after_a_run
    forgotten(sample)
    assert left_of(sample) == []
    names = [key for key in store.objects if key.startswith("forgotten/")]
    assert sorted(names) == [f"forgotten/{sample.image}.2.json", f"forgotten/{sample.image}.json"]
    assert_sound(store)
    sample.clock.advance(hours=1)
    assert checked(sample).sound


def test_a_run_that_begins_in_between_brings_no_more_of_it(sample):
    store = sample.store
    create = store.create
    image = sample.source.find(sample.image)

    def create_after_a_run(key, body, *, file_name=None):
        if key.startswith("manifests/harbour/"):
            store.create = create
            sample.source.replace(image)
            sample.source.calls.clear()
            sample.nights.next_night(full=True)
        create(key, body, file_name=file_name)

    store.create = create_after_a_run
    forgotten(sample)
    assert sample.source.calls[f"photo:{sample.image}"] == 0
    assert left_of(sample) == []
    assert_sound(store)
    sample.clock.advance(hours=1)
    assert checked(sample).sound


def test_a_run_that_began_before_cannot_commit_over_it(sample):
    """It meets the conflict, starts over from what `forget` left, and leaves the image out."""
    store = sample.store
    create = store.create
    sample.source.touch(sample.source.find(sample.image), caption="newer")

    def create_after_forget(key, body, **_):
        if key.startswith("manifests/harbour/"):
            store.create = create
            forgotten(sample)
        create(key, body)

    store.create = create_after_forget
    sample.nights.next_night(full=True)
    assert sample.nights.line("harbour", sample.image).original.reason == "forgotten"
    assert_sound(store)
    forgotten(sample)
    assert left_of(sample) == []
    assert checked(sample).sound


def test_a_run_that_never_rests_is_told_and_nothing_is_deleted(sample):
    store = sample.store
    create = store.create
    taken = []

    def create_too_late(key, body, **_):
        if key.startswith("manifests/harbour/"):
            taken.append(key)
            raise AlreadyStored("taken")
        create(key, body)

    store.create = create_too_late
    with pytest.raises(CommitConflict, match="just now"):
        forgotten(sample)
    assert len(taken) > 1
    assert not [key for what, key in store.log if what == "remove"]
    store.create = create
    assert_sound(store)


# -- kills -----------------------------------------------------------------------------------------


class Mortal:
    """Kills before, or after, the n-th thing that is written or deleted."""

    def __init__(self, sample, at, *, after):
        self.left, self.after = at, after
        self.done = 0
        store = self.store = MemoryStore()
        store.objects = sample.store.objects
        remover = MemoryRemover(store)
        create, remove = store.create, remover.remove
        store.create = lambda *args, **more: self._do(create, *args, **more)
        self.remover = self
        self.remove = lambda key: self._do(remove, key)

    def _do(self, act, *args, **more):
        self.done += 1
        last = self.done == self.left
        if last and not self.after:
            raise Killed
        act(*args, **more)
        if last:
            raise Killed


@contextmanager
def killed():
    try:
        yield
    except Killed:
        return
    raise AssertionError("it was not killed")


def operations(sample):
    mortal = Mortal(sample, -1, after=True)
    forgotten(sample, store=mortal.store, remover=mortal.remover)
    return mortal.done


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_point_leaves_a_sound_store_and_the_same_command_goes_on(sample, after):
    before = dict(sample.store.objects)
    total = operations(sample)
    assert total > 10
    for at in range(1, total + 1):
        sample.store.objects = dict(before)
        mortal = Mortal(sample, at, after=after)
        with killed():
            forgotten(sample, store=mortal.store, remover=mortal.remover)
        assert_sound(sample.store)
        forgotten(sample, token="0e0e0e0e")
        assert left_of(sample) == [], at
        assert_sound(sample.store)
        for album in ("alps", "harbour", "left"):
            for entry in sample.nights.manifest(album).entries.values():
                assert not entry.record_lost


@pytest.mark.parametrize("after", [False, True])
def test_a_night_after_a_kill_is_a_night_like_any_other(sample, after):
    before, now = dict(sample.store.objects), sample.clock.now()
    total = operations(sample)
    assert now == sample.clock.now()
    for at in range(1, total + 1, 3):
        sample.store.objects = dict(before)
        mortal = Mortal(sample, at, after=after)
        with killed():
            forgotten(sample, store=mortal.store, remover=mortal.remover)
        sample.clock.advance(hours=2)
        assert checked(sample).sound
        sample.clock.advance(hours=2)
        sample.nights.run(full=True)
        assert_sound(sample.store)
        forgotten(sample, token="0e0e0e0e")
        assert left_of(sample) == []
        assert_sound(sample.store)
