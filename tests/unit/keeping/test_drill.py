"""The fire drill: what it takes, how it judges, and what it leaves behind."""

import random

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.check_report import Wrong
from smugmug_backup.archive.drill_report import DrillReport, Outcome, sentence
from smugmug_backup.archive.encoding import json_line
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    Archived,
    LoginLost,
    NotABackup,
    PhotoRefused,
    RunRefused,
    SourceUnavailable,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.keeping.drill import Candidate, drill, shuffled, spread
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.independent_reader import assert_sound
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights
from tests.unit.archive.build import entry, stored
from tests.unit.backup.checks import check

YEARS = 5


class Store(MemoryStore):
    """Fails where it is told to; ``broken``: errors by key."""

    def __init__(self):
        super().__init__()
        self.broken = {}

    def open(self, key):
        if key in self.broken:
            raise self.broken[key]
        return super().open(key)


class Drills:
    """One account and its backup, drilled with dice that fall the same each time."""

    def __init__(self, albums=10, images=6):
        self.clock = FakeClock()
        self.source = FakeSource(self.clock)
        self.store = Store()
        self.nights = Nights(self.source, self.store, self.clock)
        for number in range(albums):
            self.source.album(f"album{number}", images=images)
            self.clock.advance(days=365 * YEARS / albums)
        self.nights.run()
        self.clock.advance(hours=4)
        self.archive = Archive(self.store)

    def run(self, images=20, deadline=None, seed=1):
        self.store.log.clear()
        return drill(
            self.archive,
            self.source,
            clock=self.clock,
            token="0123abcd",
            dice=random.Random(seed).randrange,
            deadline=deadline or Deadline.none(self.clock),
            map_=map,
            images=images,
        )

    def outcomes(self, **options):
        done = self.run(**options)
        assert DrillReport.from_bytes(done.report.to_bytes(), key=done.report.key) == done.report
        assert done.report.to_bytes() == self.store.objects[done.report.key]
        return {
            each.image_key: each.outcome
            for each in done.report.images
            if each.outcome != Outcome.SAME
        }

    def only(self, image):
        """All other images leave, so that a drill takes this one."""
        for album in self.source.world.values():
            album.images = [each for each in album.images if each is image]


@pytest.fixture
def drills():
    return Drills()


@pytest.fixture
def one():
    """A backup of one image in one album."""
    return Drills(albums=1, images=1)


def image_of(one):
    return one.source.world["album0"].images[0]


def key_of(one):
    return one.nights.line("album0", image_of(one).key).original.key


def test_a_sample_is_read_back_whole_and_is_what_smugmug_serves(drills):
    done = drills.run()
    report = done.report
    assert done.passed and done.check is None and done.not_written is None
    assert len(report.images) == report.same == 20
    assert len({each.image_key for each in report.images}) == 20
    assert len({each.album_key for each in report.images}) == 10
    read = {key for what, key in drills.store.log if what == "get" and key.startswith("originals/")}
    assert read == {each.key for each in report.images}
    assert report.read_bytes == sum(len(drills.store.objects[key]) for key in read)
    assert report.seal == drills.nights.reports[-1].sha256
    assert report.of_run == drills.nights.reports[-1].run_id
    assert sum(call.startswith("photo:") for call in drills.source.calls) == 60  # by the backup
    assert sum(drills.source.calls.values()) == 2 + 10 + 60 + (2 + 10 + 20)
    assert_sound(drills.store.objects, allow=("told",))


def test_it_writes_its_report_and_nothing_else(drills):
    before = set(drills.store.objects)
    done = drills.run()
    assert set(drills.store.objects) - before == {done.report.key}
    assert done.report.key.startswith("drills/")
    assert drills.archive.newest_drill(now=drills.clock.now()) == done.report


def test_other_dice_take_other_images(drills):
    taken = [{each.image_key for each in drills.run(seed=seed).report.images} for seed in (1, 2)]
    assert taken[0] != taken[1]


def test_two_drills_in_a_second_have_names_of_their_own(drills):
    first, second = drills.run(), drills.run()
    assert first.report.key < second.report.key


def test_a_small_backup_is_drilled_whole(one):
    assert len(one.run().report.images) == 1


def test_before_the_first_run_there_is_nothing_to_drill():
    drills = Drills(albums=1)
    drills.store.objects.clear()
    assert drills.run() is None
    assert drills.store.objects == {}


def test_a_backup_without_photos_is_drilled_and_says_so():
    done = Drills(albums=1, images=0).run()
    assert done.report.images == () and done.passed
    assert sentence(done.report) == "There was no photo to restore for a drill."


# -- what is no alarm ----------------------------------------------------------------------------


def test_what_left_smugmug_is_no_alarm(drills):
    drills.source.world["album3"].images.clear()
    del drills.source.world["album4"]
    found = drills.outcomes(images=60)
    assert set(found.values()) == {Outcome.GONE_SINCE} and len(found) == 12


def test_what_was_replaced_since_the_last_run_is_no_alarm(one):
    one.source.replace(image_of(one))
    assert one.outcomes() == {image_of(one).key: Outcome.REPLACED_SINCE}


def test_what_was_forgotten_is_no_part_of_the_sample(one):
    key = key_of(one)
    one.archive.tell_forgotten(image_of(one).key, [key], at=one.clock.now())
    del one.store.objects[key]
    assert one.run().report.images == ()


def test_another_takes_the_place_of_what_lies_in_an_archive_class(drills):
    for album in ("album0", "album1"):
        for image in drills.source.world[album].images:
            key = drills.nights.line(album, image.key).original.key
            drills.store.broken[key] = Archived("it lies in Glacier")
    done = drills.run()
    assert done.report.same == 20
    assert not {"album0", "album1"} & {each.album_key for each in done.report.images}


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("account", LoginLost("the token was revoked")),
        ("albums", SourceUnavailable("503")),
        ("images:album0", SourceUnavailable("503")),
        ("photo:", PhotoRefused("404")),
    ],
)
def test_a_smugmug_that_does_not_deliver_is_no_alarm(one, where, error):
    where += image_of(one).key if where == "photo:" else ""
    one.source.errors[where] = error
    report = one.run().report
    (found,) = report.images
    assert (found.outcome, found.message) == (Outcome.UNAVAILABLE_AT_SOURCE, str(error))
    assert report.read_bytes == len(image_of(one).body)


def test_a_smugmug_that_serves_what_it_does_not_announce_is_no_alarm(one):
    one.source.bodies[image_of(one).key] = b"\xff\xd8\xffcorrupt on the way"
    (found,) = one.run().report.images
    assert found.outcome == Outcome.UNAVAILABLE_AT_SOURCE
    assert "other bytes than those whose MD5 it states" in found.message


def test_one_transfer_that_breaks_bytes_is_tried_once_more(one):
    served = iter([b"\xff\xd8\xffbroken"])
    image = image_of(one)

    def first():
        one.source.bodies.pop(image.key, None)
        body = next(served, None)
        if body is not None:
            one.source.bodies[image.key] = body

    one.source.errors[f"photo:{image.key}"] = first
    assert one.outcomes() == {}


def test_a_video_that_another_api_serves_otherwise_is_no_alarm():
    one = Drills(albums=1, images=0)
    one.source.upload("album0", video="Video1280URL")
    one.nights.next_night()
    one.source.name = "smugmug-v2"
    one.source.bodies[image_of(one).key] = b"\x00\x00\x00\x18ftypmp42another rendition"
    (found,) = one.run().report.images
    assert found.outcome == Outcome.UNAVAILABLE_AT_SOURCE and "other API" in found.message


def test_a_store_of_another_account_or_a_lesser_view_is_not_compared(one):
    one.source.nickname = "somebody"
    with pytest.raises(RunRefused, match="backup of larkfield"):
        one.run()
    one.source.nickname, one.source.access = "Larkfield", "public"
    with pytest.raises(RunRefused, match="what is public only"):
        one.run()


def test_an_account_that_was_renamed_is_still_the_same(one):
    one.source.nickname = "quayside"
    one.clock.advance(days=1)
    one.nights.run(accept_rename=True)
    one.source.nickname = "larkfield"
    assert one.run().report.same == 1


def test_it_ends_in_time_with_what_it_has(drills):
    clock = drills.clock
    for album in drills.source.world.values():
        for image in album.images:
            drills.source.errors[f"photo:{image.key}"] = lambda: clock.advance(seconds=10)
    done = drills.run(deadline=Deadline.after(clock, 60, reserve=15))
    assert 0 < done.report.same < 20
    assert done.not_written is None


# -- what is an alarm ----------------------------------------------------------------------------


def test_bytes_that_rotted_are_an_alarm_and_the_next_run_mends_them(one):
    key = key_of(one)
    one.store.objects[key] = b"\xff\xd8\xffrotten"
    done = one.run()
    assert [each.outcome for each in done.report.wrong] == [Outcome.DAMAGED]
    (finding,) = done.check.findings
    assert (finding.key, finding.problem) == (key, Wrong.DAMAGED)
    assert not done.check.sound
    report = one.nights.next_night()
    assert (report.counts.repaired, report.check.open) == (1, 0)
    one.clock.advance(hours=4)
    assert one.run().passed


def test_an_original_that_is_lost_is_an_alarm(one):
    del one.store.objects[key_of(one)]
    assert one.outcomes() == {image_of(one).key: Outcome.DAMAGED}


def test_sound_bytes_under_a_numbered_name_count(one):
    key = key_of(one)
    one.store.objects[keys.numbered(key, 2)] = one.store.objects[key]
    one.store.objects[key] = b"\xff\xd8\xffrotten"
    assert one.run().passed


def test_what_cannot_be_read_twice_is_an_alarm(one):
    one.store.broken[key_of(one)] = StoreUnavailable("a bad sector")
    done = one.run()
    assert [each.outcome for each in done.report.images] == [Outcome.UNREADABLE]
    assert done.check.findings[0].problem == Wrong.UNREADABLE


def test_a_store_that_may_not_be_read_at_all_is_an_error_and_no_finding(one):
    one.store.broken[key_of(one)] = StoreRefused("access denied")
    with pytest.raises(StoreRefused):
        one.run()


def test_other_bytes_that_nothing_explains_are_an_alarm_once(one):
    # A video of API 1.3.0: no MD5 tells of exactly these bytes.
    one.source.world["album0"].images.clear()
    one.nights.next_night()
    one.nights.next_night()
    video = one.source.upload("album0", video="Video1280URL")
    one.nights.next_night()
    one.source.bodies[video.key] = b"\x00\x00\x00\x18ftypmp42encoded anew"
    done = one.run()
    assert [each.outcome for each in done.report.wrong] == [Outcome.DIFFERS]
    assert done.check is not None
    report = one.nights.next_night()
    # The bytes are those that were stored: it was told, and is no damage.
    assert (report.status, report.counts.repaired, report.check.open) == ("complete", 0, 0)


def test_a_manifest_that_is_not_the_stated_one_breaks_the_chain(one):
    key = keys.manifest("album0", 1)
    one.store.objects[key] = one.store.objects[key].replace(b"DSC_", b"DSD_")
    done = one.run()
    (found,) = done.report.images
    assert (found.outcome, found.image_key) == (Outcome.BROKEN_CHAIN, None)
    assert done.check.findings[0].key == key
    assert sentence(done.report).endswith("1 NOT PROVED by the seal.")


def test_a_record_that_is_lost_breaks_the_chain(one):
    line = one.nights.line("album0", image_of(one).key)
    del one.store.objects[line.record]
    done = one.run()
    assert [each.outcome for each in done.report.images] == [Outcome.BROKEN_CHAIN]
    assert done.check.findings[0].key == line.record
    assert one.nights.next_night().counts.repaired == 1


def test_a_report_on_the_way_from_the_seal_that_was_changed_breaks_the_drill(one):
    first = one.nights.reports[-1]
    one.nights.next_night(albums=("album0",))
    body = one.store.objects[first.key]
    one.store.objects[first.key] = body.replace(b'"status":"complete"', b'"status":"refused" ')
    with pytest.raises(NotABackup):
        one.run()


def test_from_a_run_over_chosen_albums_it_goes_back_to_one_over_all(one):
    whole = one.nights.reports[-1]
    part = one.nights.next_night(albums=("album0",))
    report = one.run().report
    assert (report.seal, report.of_run) == (part.sha256, whole.run_id)


def test_what_it_finds_stands_beside_what_is_open(drills):
    lost = drills.nights.line("album0", drills.source.world["album0"].images[0].key)
    del drills.store.objects[lost.record]
    before = check(drills.nights, (lost.record, "album0"))
    assert before.open_findings
    rotten = drills.nights.line("album1", drills.source.world["album1"].images[0].key)
    drills.store.objects[rotten.original.key] = b"\xff\xd8\xffrotten"
    drills.clock.advance(hours=1)
    done = drills.run(images=60)
    assert [link.run_id for link in done.check.previous] == [before.run_id]
    told = {each.key: each.since for each in done.check.findings}
    assert told.keys() == {lost.record, rotten.original.key}
    assert told[lost.record] == min(each.since for each in before.findings)
    assert Archive(drills.store).check_heads(now=drills.clock.now()) == [done.check]


def test_a_drill_whose_report_cannot_be_stored_still_says_what_it_saw(one):
    def refuse(key, body, *, file_name=None):
        raise StoreRefused("read-only")

    one.store.create = refuse
    done = one.run()
    assert (done.not_written, done.report.same) == ("read-only", 1)


# -- the sample ----------------------------------------------------------------------------------


def candidate(year, album, number):
    line = entry(f"{album}-{year}-{number}")
    return Candidate(album, line, stored().content, {}, year)


def test_years_take_turns_and_albums_give_alike():
    some = [candidate(2020, "big", n) for n in range(40)]
    some += [candidate(year, f"a{year % 3}", n) for year in (2009, 2015) for n in range(4)]
    some += [candidate(None, "a0", n) for n in range(4)]
    order = spread(some, random.Random(7).randrange)
    assert sorted(map(id, order)) == sorted(map(id, some))
    assert [{each.year for each in order[n : n + 4]} for n in (0, 4, 8)] == (
        [{2009, 2015, 2020, None}] * 3
    )
    same_year = [candidate(2020, album, n) for album in ("a", "b", "c") for n in range(5)]
    first = spread(same_year, random.Random(7).randrange)[:6]
    assert sorted(each.album_key for each in first) == ["a", "a", "b", "b", "c", "c"]


def test_the_dice_decide_and_nothing_else():
    assert shuffled("abcd", lambda below: below - 1) == list("abcd")
    assert sorted(shuffled(range(9), random.Random(3).randrange)) == list(range(9))
    assert shuffled("", lambda _: 0) == []


def test_every_image_comes_into_the_sample_sooner_or_later():
    drills = Drills(albums=4, images=4)
    taken = {
        each.image_key
        for seed in range(12)
        for each in drills.run(images=4, seed=seed).report.images
    }
    assert len(taken) == 16


def test_a_report_that_cannot_be_read_is_passed_over(one):
    done = one.run()
    later = done.report.key.replace("0123abcd", "ffffffff")
    one.store.objects[later] = json_line({"format": "smugmug-backup/drill-report", "version": 1})
    assert one.archive.newest_drill(now=one.clock.now()) == done.report
