"""Bytes on their way into the store: what is adopted, what is numbered, what is never kept."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from smugmug_backup.errors import Archived
from tests.tools.clock import FakeClock
from tests.tools.fake_source import JPEG, FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights

LARGE = JPEG + b"x" * (17 << 20)


class GlacierStore(MemoryStore):
    """What lies in an archive class says so, and cannot be read."""

    @contextmanager
    def open(self, key):
        if key in self.archived:
            raise Archived(f"{key} lies in an archive class")
        with super().open(key) as chunks:
            yield chunks


@pytest.fixture
def source():
    clock = FakeClock()
    source = FakeSource(clock)
    source.album("A", images=2)
    source.album("B", images=1)
    clock.advance(days=100)
    return source


@pytest.fixture
def nights(source):
    return Nights(source, GlacierStore(), source.clock)


def originals(nights, image):
    return {key for key in nights.store.objects if key.startswith(f"originals/{image.key}/")}


@pytest.mark.parametrize("body", [JPEG + b"small", LARGE], ids=["small", "large"])
def test_what_lies_under_its_md5_is_adopted_after_reading_it_back(nights, source, body):
    image = source.upload("A", body=body)
    key = f"originals/{image.key}/{image.md5}.jpg"
    nights.store.objects[key] = body
    assert nights.run().status == "complete"
    assert source.calls[f"photo:{image.key}"] == 0
    assert originals(nights, image) == {key}


@pytest.mark.parametrize("body", [JPEG + b"small", LARGE], ids=["small", "large"])
def test_what_another_run_stored_while_the_bytes_came_is_met_and_taken(nights, source, body):
    image = source.upload("A", body=body)
    key = f"originals/{image.key}/{image.md5}.jpg"
    source.errors[f"photo:{image.key}"] = lambda: nights.store.objects.update({key: body})
    report = nights.run()
    assert (report.status, report.failures) == ("complete", ())
    assert originals(nights, image) == {key}


@pytest.mark.parametrize("body", [JPEG + b"small", LARGE], ids=["small", "large"])
def test_where_other_bytes_took_the_name_while_these_came_they_take_a_number(nights, source, body):
    image = source.upload("A", body=body)
    key = f"originals/{image.key}/{image.md5}.jpg"
    source.errors[f"photo:{image.key}"] = lambda: nights.store.objects.update({key: b"rotten"})
    assert nights.run().status == "complete"
    assert nights.line("A", image.key).original.key == key.replace(".jpg", ".2.jpg")


@pytest.mark.parametrize("body", [JPEG + b"small", LARGE], ids=["small", "large"])
def test_bytes_that_rotted_under_their_name_make_way_for_a_numbered_one(nights, source, body):
    image = source.upload("A", body=body)
    key = f"originals/{image.key}/{image.md5}.jpg"
    nights.store.objects[key] = b"rotten"
    assert nights.run().status == "complete"
    assert nights.line("A", image.key).original.key == key.replace(".jpg", ".2.jpg")
    assert nights.store.objects[key] == b"rotten"
    source.world["B"].images.append(image)
    calls = source.calls[f"photo:{image.key}"]
    assert nights.next_night().status == "complete"
    assert nights.line("B", image.key).original.key == key.replace(".jpg", ".2.jpg")
    assert source.calls[f"photo:{image.key}"] == calls


@pytest.mark.parametrize("body", [JPEG + b"small", LARGE], ids=["small", "large"])
def test_a_revision_that_no_line_states_is_fetched_again_as_its_own_proof(nights, source, body):
    image = source.upload("A", body=body, has_md5=False)
    nights.run()
    (key,) = originals(nights, image)
    for other in [each for each in nights.store.objects if not each.startswith("originals/")]:
        del nights.store.objects[other]
    nights.next_night()
    assert originals(nights, image) == {key}
    assert source.calls[f"photo:{image.key}"] == 2
    nights.store.objects[key] = b"something else"
    for other in [each for each in nights.store.objects if not each.startswith("originals/")]:
        del nights.store.objects[other]
    nights.next_night()
    assert nights.line("A", image.key).original.key == key.replace(".jpg", ".2.jpg")
    assert nights.store.objects[key] == b"something else"


def test_a_large_original_in_glacier_is_adopted_by_the_length_and_md5_just_verified(nights, source):
    image = source.upload("A", body=LARGE)
    nights.run()
    nights.store.archived = originals(nights, image)
    source.world["A"].images.remove(image)
    source.world["B"].images.append(image)
    source.touch(image)
    nights.next_night()
    calls = source.calls[f"photo:{image.key}"]
    assert nights.line("B", image.key).original.stored
    assert originals(nights, image) == nights.store.archived
    for _ in range(3):
        assert nights.next_night().status == "complete"
    assert source.calls[f"photo:{image.key}"] == calls


def test_a_large_original_that_is_right_after_two_wrong_ones_is_kept_the_same_night(nights, source):
    image = source.upload("A", body=LARGE)
    tries = iter([True, True])

    def wrong():
        source.bodies.pop(image.key, None)
        if next(tries, False):
            source.bodies[image.key] = LARGE[:-1] + b"y"

    source.errors[f"photo:{image.key}"] = wrong
    assert nights.run().status == "complete"
    assert nights.line("A", image.key).original.verified
    assert originals(nights, image) == {f"originals/{image.key}/{image.md5}.jpg"}


def test_where_wrong_bytes_are_kept_other_wrong_ones_are_not_and_the_wait_goes_on(nights, source):
    image = source.world["A"].images[0]
    for number in range(4):
        source.bodies[image.key] = JPEG + f"wrong {number}".encode()
        report = nights.next_night()
        assert report.status == "incomplete"
        assert [each.reason for each in report.pending] == ["md5_mismatch"]
    assert len(originals(nights, image)) == 1
    since = nights.line("A", image.key).original.pending_since
    assert since == nights.reports[0].dated_at
    report = nights.nights_until(lambda report: report.status == "complete")
    assert report.counts.unverified == 1
    assert report.counts.pending == 0


def test_wrong_bytes_of_a_replacement_are_kept_beside_the_name_of_the_right_old_ones(
    nights, source
):
    image = source.world["A"].images[0]
    nights.run()
    old = nights.line("A", image.key).original
    source.replace(image)
    source.bodies[image.key] = JPEG + b"not what was announced"
    nights.next_night()
    line = nights.line("A", image.key).original
    assert (line.reason, line.previous) == ("md5_mismatch", old.content)
    source.bodies.clear()
    nights.next_night()
    assert nights.line("A", image.key).original.previous is None


def test_the_file_name_travels_with_the_bytes(nights, source):
    names = []

    class Watched:
        def __init__(self, batch):
            self.upload, self.barrier = batch.upload, batch.barrier
            self.real = batch.create

        def create(self, key, body, *, file_name=None, **more):
            if key.startswith("originals/"):
                names.append(file_name)
            self.real(key, body, file_name=file_name, **more)

    batch = nights.store.batch
    nights.store.batch = lambda: Watched(batch())
    nights.run()
    assert sorted(names) == sorted(i.file_name for a in source.world.values() for i in a.images)


def test_the_place_at_the_source_is_free_before_the_bytes_are_stored(nights, source):
    image = source.upload("A", body=JPEG + b"small")
    held, at_the_write = [], []
    opened, batch = source.open, nights.store.batch

    @contextmanager
    def counted(offer, *, deadline):
        held.append(offer)
        with opened(offer, deadline=deadline) as stream:
            yield stream
        held.remove(offer)

    def watched():
        made = batch()
        create = made.create

        def noted(key, body, **more):
            if key.startswith(f"originals/{image.key}/"):
                at_the_write.append([each.md5 for each in held if each.md5 == image.md5])
            create(key, body, **more)

        made.create = noted
        return made

    source.open, nights.store.batch = counted, watched
    assert nights.run().status == "complete"
    assert at_the_write == [[]]


@pytest.mark.parametrize("body", [JPEG + b"x" * 70_000, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("said", [0, 1, 65_536, 20 << 20, None])
@pytest.mark.parametrize("length", ["true", "none"])
def test_a_size_that_is_not_so_costs_memory_and_no_bytes(nights, source, body, said, length):
    image = source.upload("A", body=body)
    listed = source.images
    opened = source.open

    def lying(*args, **more):
        listing = listed(*args, **more)
        images = [
            each._replace(offer=replace(each.offer, size=said)) if each.key == image.key else each
            for each in listing.images
        ]
        return listing._replace(images=tuple(images))

    @contextmanager
    def unmeasured(offer, *, deadline):
        with opened(offer, deadline=deadline) as stream:
            stream.length = None if length == "none" else stream.length
            yield stream

    source.images, source.open = lying, unmeasured
    assert nights.run().status == "complete"
    (key,) = originals(nights, image)
    assert nights.store.objects[key] == body


@pytest.mark.parametrize("body", [JPEG + b"small", LARGE], ids=["small", "large"])
def test_without_an_md5_and_a_length_nothing_tells_that_all_bytes_came(nights, source, body):
    image = source.upload("A", body=body, has_md5=False)
    source.lengths[image.key] = None
    report = nights.run()
    assert (report.status, [each.reason for each in report.pending]) == (
        "incomplete",
        ["bad_at_source"],
    )
    assert originals(nights, image) == set()
    del source.lengths[image.key]
    assert nights.next_night().status == "complete"


@pytest.mark.parametrize("body", [JPEG + b"small", LARGE], ids=["small", "large"])
@pytest.mark.parametrize("lacks", ["md5", "length"])
def test_an_archived_one_of_another_length_or_named_by_no_md5_proves_nothing(
    nights, source, body, lacks
):
    image = source.upload("A", body=body, has_md5=lacks != "md5")
    nights.run()
    (key,) = originals(nights, image)
    nights.store.archived = {key}
    for other in [each for each in nights.store.objects if not each.startswith("originals/")]:
        del nights.store.objects[other]
    if lacks == "md5":
        image.body = body[:-1] + b"?"
    else:
        nights.store.objects[key] = body[:-1]
    assert nights.next_night().status == "complete"
    line = nights.line("A", image.key).original
    assert line.key == key.replace(".jpg", ".2.jpg")
    assert nights.store.objects[line.key] == image.body
