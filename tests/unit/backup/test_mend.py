"""What a check found damaged is made whole by the next run, or named until it is."""

import json

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.backup.run import Options
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import PhotoError, StoreUnavailable
from tests.tools.faults import Fault, Points, always
from tests.tools.faulty_store import FaultyStore
from tests.tools.independent_reader import assert_sound
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights
from tests.unit.backup.checks import check


@pytest.fixture
def nights(source):
    nights = Nights(source, MemoryStore(), source.clock)
    nights.run()
    return nights


def rot(nights, key):
    nights.store.objects[key] = nights.store.objects[key][:-1] + b"?"


def original_of(nights, album, number=0):
    image = nights.source.world[album].images[number]
    return image, nights.line(album, image.key).original.key


def test_a_damaged_original_is_fetched_again_beside_the_damaged_one(nights):
    image, key = original_of(nights, "A")
    rot(nights, key)
    check(nights, (key, "A"))
    report = nights.next_night()
    assert (report.status, report.counts.repaired) == ("complete", 1)
    assert (report.check.sound, report.check.open) == (False, 0)
    line = nights.line("A", image.key).original
    assert line.key == keys.numbered(key, 2)
    assert nights.store.objects[line.key] == image.body
    calls = dict(nights.source.calls)
    assert nights.next_night().counts.repaired == 0
    assert nights.source.calls[f"photo:{image.key}"] == calls[f"photo:{image.key}"]


def test_an_original_that_is_lost_comes_back_under_its_name(nights):
    image, key = original_of(nights, "A")
    del nights.store.objects[key]
    check(nights, (key, "A"))
    assert nights.next_night().status == "complete"
    assert nights.line("A", image.key).original.key == key
    assert_sound(nights.store)


def test_a_finding_that_does_not_hold_changes_nothing(nights):
    _, key = original_of(nights, "A")
    check(nights, (key, "A"))
    before = set(nights.store.objects)
    report = nights.next_night()
    assert (report.status, report.counts.repaired, report.check.open) == ("complete", 0, 0)
    assert set(nights.store.objects) - before == {report.key}


class MisreadsOnce(MemoryStore):
    """Bytes of ``key`` come otherwise than they lie there, once: a cable, a controller."""

    key = None

    def read(self, key):
        body = super().read(key)
        if key == self.key:
            self.key = None
            return body[:-1] + b"?"
        return body


def test_what_one_read_alone_shows_damaged_is_not(source):
    nights = Nights(source, MisreadsOnce(), source.clock)
    nights.run()
    _, key = original_of(nights, "A")
    check(nights, (key, "A"))
    before, nights.store.key = set(nights.store.objects), key
    report = nights.next_night()
    assert nights.store.key is None, "it was read"
    assert (report.status, report.counts.repaired, report.check.open) == ("complete", 0, 0)
    assert set(nights.store.objects) - before == {report.key}


def test_what_cannot_be_read_tonight_is_a_failure_of_the_night_and_no_damage(nights):
    image, key = original_of(nights, "A")
    check(nights, (key, "A"))
    whole = nights.store
    nights.store = FaultyStore(whole, Points(always(Fault.REQUEST_LOST, key)))
    report = nights.next_night()
    assert report.status == "incomplete"
    assert (image.key, StoreUnavailable.code) in {(f.image_key, f.code) for f in report.failures}
    assert report.check.open == 1
    nights.store = whole
    assert nights.next_night().status == "complete"
    assert nights.line("A", image.key).original.key == key


def test_an_image_that_smugmug_has_no_more_is_named_until_a_copy_brings_it(nights):
    image, key = original_of(nights, "A")
    nights.source.world["A"].images.remove(image)
    nights.next_night()
    nights.next_night()
    body = nights.store.objects[key]
    rot(nights, key)
    check(nights, (key, "A"))
    for _ in range(3):
        report = nights.next_night()
        assert report.check.open == 1
    line = nights.line("A", image.key).original
    assert (line.status, line.reason, line.previous.key) == ("unavailable", "damaged", key)
    nights.store.objects[keys.numbered(key, 2)] = body
    report = nights.next_night()
    assert (report.counts.repaired, report.check.open) == (1, 0)
    assert nights.line("A", image.key).original.key == keys.numbered(key, 2)


def test_a_damaged_original_that_cannot_be_had_keeps_its_reason_and_ends_in_a_name(nights):
    image, key = original_of(nights, "A")
    rot(nights, key)
    nights.source.errors[f"photo:{image.key}"] = PhotoError("500")
    check(nights, (key, "A"))
    report = nights.next_night()
    assert (report.status, [each.reason for each in report.pending]) == ("incomplete", ["damaged"])
    report = nights.nights_until(lambda report: report.status == "complete")
    assert [each.reason for each in report.unavailable] == ["damaged"]
    assert report.check.open == 1


def test_an_image_in_two_albums_is_mended_in_both(nights):
    image, key = original_of(nights, "A")
    nights.source.world["B"].images.append(image)
    nights.next_night()
    rot(nights, key)
    check(nights, (key, "A"), (key, "B"))
    report = nights.next_night()
    assert (report.status, report.check.open) == ("complete", 0)
    assert {nights.line(album, image.key).original.key for album in "AB"} == {keys.numbered(key, 2)}
    assert nights.source.calls[f"photo:{image.key}"] == 2


def test_records_of_a_damaged_file_are_copied_or_recorded_anew(nights):
    record = nights.line("A", nights.source.world["A"].images[0].key).record
    body = nights.store.objects[record]
    offset, length = nights.line("A", nights.source.world["A"].images[0].key).record_at
    nights.store.objects[record] = body[:offset] + b"?" * length + body[offset + length :]
    check(nights, (record, "A"))
    report = nights.next_night()
    assert (report.status, report.counts.repaired, report.check.open) == ("complete", 1, 0)
    for image in nights.source.world["A"].images:
        assert nights.line("A", image.key).record != record
        assert nights.record("A", image.key)["image"]["FileName"] == image.file_name


def test_a_record_that_is_lost_for_good_is_named(nights):
    image = nights.source.world["A"].images.pop(0)
    nights.next_night()
    nights.next_night()
    record = nights.line("A", image.key).record
    del nights.store.objects[record]
    check(nights, (record, "A"))
    report = nights.next_night()
    assert nights.line("A", image.key).record is None
    assert report.check.open == 1
    for other in nights.source.world["A"].images:
        assert nights.record("A", other.key)


def test_an_album_that_has_left_is_mended_without_a_listing(nights):
    image, key = original_of(nights, "B")
    del nights.source.world["B"]
    nights.next_night()
    nights.next_night()
    body = nights.store.objects[key]
    rot(nights, key)
    check(nights, (key, "B"))
    report = nights.next_night()
    line = nights.line("B", image.key).original
    assert (line.status, line.reason) == ("unavailable", "damaged")
    assert report.check.open == 1
    assert nights.manifest("B").header.deleted_at is not None
    nights.store.objects[keys.numbered(key, 2)] = body
    assert nights.next_night().check.open == 0
    assert nights.line("B", image.key).original.stored
    assert nights.line("B", image.key).position == 1
    before = set(nights.store.objects)
    report = nights.next_night()
    assert set(nights.store.objects) - before == {report.key}


def known_to_a_damaged_manifest_only(nights):
    """An image that came, and left again: (itself, the damaged manifest that alone knows it)."""
    gone = nights.source.upload("A")
    nights.next_night()
    newest = "manifests/A=1/00000002.jsonl"
    nights.store.objects[newest] = b"?" + nights.store.objects[newest][1:]
    nights.source.world["A"].images.remove(gone)
    return gone, newest


def test_lines_of_a_damaged_newest_manifest_that_are_proved_come_over(nights):
    gone, newest = known_to_a_damaged_manifest_only(nights)
    check(nights, (newest, "A"))
    report = nights.next_night()
    assert (report.check.open, report.counts.repaired) == (0, 1)
    assert nights.manifest("A").header.previous.generation == 1
    assert nights.line("A", gone.key).missing_since is not None
    assert nights.line("A", gone.key).original.stored
    assert all(nights.line("A", image.key).live for image in nights.source.world["A"].images)


def test_a_line_of_which_no_bytes_are_known_keeps_no_other_from_being_mended(nights):
    gone, newest = known_to_a_damaged_manifest_only(nights)
    del nights.store.objects[f"originals/{gone.key}/{gone.md5}.jpg"]
    check(nights, (newest, "A"))
    nights.next_night()
    assert nights.line("A", gone.key).original.best is None
    image, key = original_of(nights, "A")
    rot(nights, key)
    check(nights, (key, "A"))
    report = nights.next_night()
    assert (report.failures, report.counts.repaired) == ((), 1)
    assert nights.line("A", image.key).original.key == keys.numbered(key, 2)


def test_readme_txt_is_written_again(nights):
    nights.store.objects["README.txt"] = b"not what we wrote"
    check(nights, ("README.txt", None))
    report = nights.next_night()
    assert report.check.open == 0
    assert "README.2.txt" in nights.store.objects


def test_what_the_owner_accepted_as_lost_is_open_no_more(nights):
    check(nights, ("runs/2026/01/20260101T030000Z-00000001.json", None))
    assert nights.next_night().check.open == 1
    check(
        nights,
        ("runs/2026/01/20260101T030000Z-00000001.json", None),
        accepted=("runs/2026/01/20260101T030000Z-00000001.json",),
    )
    assert nights.next_night().check.open == 0


def lost_report(number):
    return f"runs/2026/01/20260101T030000Z-{number:08x}.json", None


def test_a_part_run_and_a_refused_one_do_not_open_again_what_was_mended(nights):
    _, key = original_of(nights, "A")
    rot(nights, key)
    check(nights, (key, "A"), lost_report(1))
    assert nights.next_night().check.open == 1
    assert nights.next_night(albums=("B",)).check.open == 1
    shown, nights.source.world = nights.source.world, {}
    report = nights.next_night()
    assert (report.status, report.check.open) == ("refused", 1)
    nights.source.world = shown
    assert nights.next_night().check.open == 1


def test_a_newest_check_that_cannot_be_read_tonight_is_not_forgotten(nights):
    first = check(nights)
    newest = check(nights, lost_report(1), lost_report(2))
    assert nights.next_night().check.open == 2
    body = nights.store.objects.pop(newest.key)
    nights.store.objects[newest.key] = b"?"
    for _ in range(2):
        report = nights.next_night()
        assert (report.check.run_id, report.check.open) == (newest.run_id, 2)
    assert report.check.run_id != first.run_id
    nights.store.objects[newest.key] = body
    assert nights.next_night().check.open == 2


def test_what_a_check_beside_the_newest_found_is_mended_though_it_ended_after_the_run(nights):
    image, key = original_of(nights, "A")
    long = check(nights, (key, "A"))
    body = nights.store.objects.pop(long.key)
    check(nights)
    assert nights.next_night().check.open == 0
    nights.store.objects[long.key] = body
    rot(nights, key)
    report = nights.next_night()
    assert (report.counts.repaired, report.check.open) == (1, 0)
    assert nights.line("A", image.key).original.key == keys.numbered(key, 2)


def test_an_image_of_two_albums_is_mended_in_both_though_two_checks_found_one_each(nights):
    image, key = original_of(nights, "A")
    nights.source.world["B"].images.append(image)
    nights.next_night()
    rot(nights, key)
    one = check(nights, (key, "A"))
    body = nights.store.objects.pop(one.key)
    check(nights, (key, "B"))
    nights.store.objects[one.key] = body
    assert nights.next_night().check.open == 0
    assert {nights.line(album, image.key).original.key for album in "AB"} == {keys.numbered(key, 2)}


def test_a_loss_accepted_under_a_numbered_name_is_not_that_of_the_plain_one(nights):
    image, key = original_of(nights, "A")
    rot(nights, key)
    check(nights, (key, "A"), accepted=(keys.numbered(key, 2),))
    report = nights.next_night()
    assert (report.counts.repaired, report.check.open) == (1, 0)
    assert nights.line("A", image.key).original.stored


@pytest.mark.parametrize("by_key", [True, False])
def test_damage_in_an_album_that_is_ignored_is_noted_until_it_is_not(nights, by_key):
    image, key = original_of(nights, "B")
    rot(nights, key)
    check(nights, (key, "B"))
    nights.options = Options(concurrency=2, ignore_albums=frozenset("B"))
    for _ in range(2):
        report = nights.next_night()
        assert report.check.open == 1
        assert any("not mended" in each and ": B; back" in each for each in report.notes)
    if by_key:
        nights.clock.advance(days=1)
        report = nights.run(albums=("B",))
    else:
        nights.options = Options(concurrency=2)
        report = nights.next_night()
    assert (report.check.open, report.counts.repaired, report.notes) == (0, 1, ())
    assert nights.store.objects[nights.line("B", image.key).original.key] == image.body


def left_for_good(nights, album="B"):
    """An album of the source that has left, and was buried."""
    del nights.source.world[album]
    nights.next_night()
    nights.next_night()
    return [key for key in sorted(nights.store.objects) if key.startswith(f"manifests/{album}=1/")]


def lost(nights, key):
    del nights.store.objects[key]


def rot_head(nights, key):
    nights.store.objects[key] = b"?" + nights.store.objects[key][1:]


@pytest.mark.parametrize("harm", [rot_head, lost])
def test_an_album_that_left_and_lost_all_its_manifests_is_named_and_then_at_peace(nights, harm):
    images = list(nights.source.world["B"].images)
    both = left_for_good(nights)
    for key in both:
        harm(nights, key)
    check(nights, (both[-1], "B"))
    report = nights.next_night()
    assert [(each.album_key, each.code) for each in report.failures] == [("B", "store_damaged")]
    header = nights.manifest("B").header
    assert (header.generation, header.previous) == (len(both) + 1, None)
    assert (header.title, bool(header.deleted_at)) == (report.albums["B"].title, True)
    for _ in range(2):
        before = set(nights.store.objects)
        report = nights.next_night()
        assert (report.status, set(nights.store.objects) - before) == ("complete", {report.key})
    proved = images if harm is rot_head else []
    assert set(nights.manifest("B").entries) == {image.key for image in proved}
    for image in proved:
        assert nights.line("B", image.key).original.stored
        assert nights.record("B", image.key)["image"]["FileName"] == image.file_name
    assert_sound(nights.store, accepted=set(both))


def test_an_album_that_leaves_after_all_its_manifests_were_damaged_gets_its_last_one(nights):
    newest = "manifests/B=1/00000001.jsonl"
    title = nights.manifest("B").header.title
    album = nights.manifest("B").header.album
    nights.store.objects[newest] += b"?"
    left_for_good(nights)
    assert nights.next_night().status == "complete"
    header = nights.manifest("B").header
    assert (header.generation, header.title, header.album) == (2, title, album)
    assert header.deleted_at is not None
    assert len(nights.manifest("B").entries) == 2


def test_of_a_header_that_no_report_proves_only_the_name_is_taken(nights):
    newest = "manifests/B=1/00000001.jsonl"
    title = nights.manifest("B").header.title
    nights.store.objects[newest] += b"?"
    for key in [each for each in nights.store.objects if each.startswith("runs/")]:
        del nights.store.objects[key]
    left_for_good(nights)
    nights.next_night()
    assert nights.next_night().status == "complete"
    header = nights.manifest("B").header
    assert (header.title, header.album, header.cursor) == (title, {}, 0)
    assert nights.reports[-1].albums["B"].deleted_at == header.deleted_at


def test_lines_of_damaged_manifests_have_no_order_before_the_album_is_listed_in_full(nights):
    """Else a commit on the way would say positions of a listing that nobody knows of."""
    (newest,) = (key for key in nights.store.objects if key.startswith("manifests/A=1/"))
    rot_head(nights, newest)
    nights.options = Options(concurrency=2, commit_every=1)
    for _ in range(3):
        nights.source.upload("A")
    nights.next_night()
    on_the_way = nights.store.objects["manifests/A=1/00000002.jsonl"]
    lines = [json.loads(line) for line in on_the_way.splitlines()[1:]]
    assert {line["position"] for line in lines} == {None}
    assert_sound(nights.store, accepted={newest})


def test_what_a_later_generation_lost_comes_from_an_older_one_where_none_is_sound(nights):
    nights.source.upload("B")
    nights.next_night()
    both = [key for key in sorted(nights.store.objects) if key.startswith("manifests/B=1/")]
    first = nights.source.world["B"].images[0]
    rot(nights, both[0])
    head, *lines = nights.store.objects[both[1]].splitlines(keepends=True)
    kept = [line for line in lines if first.key.encode() not in line]
    nights.store.objects[both[1]] = b"".join((head, *kept))
    left_for_good(nights)
    nights.next_night()
    assert len(nights.manifest("B").entries) == 3


class LargeFiles(MemoryStore):
    """Each original takes ten seconds to read."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    def _note(self, operation, key):
        super()._note(operation, key)
        if operation == "get" and key.startswith("originals/"):
            self.clock.advance(seconds=10)


MANY = 12


@pytest.fixture
def large(source):
    for _ in range(MANY - 3):
        source.upload("A")
    nights = Nights(source, LargeFiles(source.clock), source.clock)
    nights.run()
    return nights


def short_night(nights):
    """A run of two minutes."""
    nights.clock.advance(days=1)
    return nights.run(deadline=Deadline.after(nights.clock, 120, reserve=15))


def originals(nights, album):
    return [entry.original.key for entry in nights.manifest(album).entries.values()]


@pytest.mark.parametrize("harm", [rot, lost])
def test_an_album_with_more_damage_than_a_night_can_read_is_mended_in_several(large, harm):
    hurt = originals(large, "A")
    for key in hurt:
        harm(large, key)
    check(large, *((key, "A") for key in hurt))
    for _ in range(3):
        short_night(large)
    # What was mended by now, a check finds past.
    right = {image.body for image in large.source.world["A"].images}
    wrong = [key for key in hurt if large.store.objects.get(key) not in right]
    assert 0 < len(wrong) <= MANY
    check(large, *((key, "A") for key in wrong))
    for _ in range(5):
        report = short_night(large)
    assert report.status == "complete"
    for image in large.source.world["A"].images:
        assert large.store.objects[large.line("A", image.key).original.key] == image.body
    assert large.reports[-1].check.open == 0
    assert_sound(large.store, accepted=set(hurt))


def test_findings_that_do_not_hold_keep_none_behind_them_from_being_looked_at(large):
    hurt = originals(large, "A")
    rot(large, hurt[-1])
    check(large, *((key, "A") for key in hurt))
    for _ in range(8):
        short_night(large)
    assert originals(large, "A")[-1] == keys.numbered(hurt[-1], 2)


def test_a_gone_album_with_more_damage_than_a_night_can_read_is_mended_in_several(large):
    hurt = originals(large, "A")
    left_for_good(large, "A")
    for key in hurt:
        rot(large, key)
    check(large, *((key, "A") for key in hurt))
    report = short_night(large)
    assert report.status == "continuing"
    assert report.notes == ("time ran out; albums that have left wait for the next run: A",)
    while report.status != "complete":
        report = short_night(large)
    assert len(large.reports) < 12
    lines = [entry.original for entry in large.manifest("A").entries.values()]
    assert {(line.status, line.reason) for line in lines} == {("unavailable", "damaged")}
    assert {line.previous.key for line in lines} == set(hurt)


def test_a_damaged_newest_manifest_that_an_interrupted_album_replaced_is_named(large):
    for _ in range(4):
        large.source.upload("B")
    large.clock.advance(hours=1)
    large.run()
    newest = max(key for key in large.store.objects if key.startswith("manifests/B=1/"))
    rot_head(large, newest)
    check(large, (newest, "B"))
    large.source.upload("B")
    opened = large.source.open

    def slow(offer, **more):
        large.clock.advance(seconds=110)
        return opened(offer, **more)

    large.source.open = slow
    report = short_night(large)
    large.source.open = opened
    assert report.status == "continuing"
    assert ("B", "store_damaged") in {(each.album_key, each.code) for each in report.failures}
    assert large.next_night().status == "complete"


def test_bytes_of_a_damaged_manifest_that_nobody_had_the_time_to_read_are_looked_for_again(large):
    (newest,) = (key for key in large.store.objects if key.startswith("manifests/A=1/"))
    expected = originals(large, "A")
    rot_head(large, newest)
    left_for_good(large, "A")
    check(large, (newest, "A"))
    nights = 0
    while sorted(filter(None, originals(large, "A"))) != expected:
        short_night(large)
        check(large, (newest, "A"))
        nights += 1
        assert nights < 8
