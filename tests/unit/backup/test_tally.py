"""What changed at SmugMug, as a run tells it in its report."""

import pytest

from smugmug_backup.archive.changes import losses
from smugmug_backup.archive.report import RunReport
from smugmug_backup.clock import Deadline
from tests.tools.clock import FakeClock
from tests.tools.fake_overflow import FakeOverflow
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights
from tests.unit.backup.test_overflow import play


@pytest.fixture
def source():
    source = FakeSource(FakeClock())
    source.album("harbour", title="Harbour", images=12)
    source.album("alps", title="Alps", images=3)
    for number in range(20):
        source.album(f"a{number:02d}", images=4)
    source.clock.advance(days=100)
    return source


@pytest.fixture
def nights(source):
    nights = Nights(source, MemoryStore(), source.clock)
    nights.run()
    nights.next_night()
    return nights


def told(report):
    """What a report says, read back from its own bytes."""
    return RunReport.from_bytes(report.to_bytes(), key=report.key).changes


def test_a_night_without_changes_tells_none(nights):
    report = nights.next_night()
    assert not told(report)
    assert b'"changes":null' in report.to_bytes()


def test_a_first_backup_tells_what_came(source):
    report = Nights(source, MemoryStore(), source.clock).run()
    assert told(report).albums["harbour"] == {"new": 12, "album_new": 12}
    assert losses(told(report)) == 0


def test_an_emptied_album_is_counted_when_it_is_seen_and_not_once_more(nights, source):
    source.world["harbour"].images.clear()
    first, second, third = (nights.next_night() for _ in range(3))
    assert told(first).albums == {"harbour": {"missing": 12}}
    assert {each.what for each in told(first).images} == {"missing"}
    assert told(first).images[0].file_name.startswith("DSC_")
    assert told(second).albums == {"harbour": {"left": 12}}
    assert not told(third)
    assert [losses(told(each)) for each in (first, second, third)] == [12, 0, 0]


def test_what_moved_to_another_album_has_not_left(nights, source):
    gone, moved = source.world["harbour"].images[:2]
    source.world["harbour"].images = source.world["harbour"].images[2:]
    source.world["alps"].images.append(moved)
    moved.updated = source.clock.now()
    report = nights.next_night()
    assert told(report).albums == {"harbour": {"missing": 1, "moved": 1}, "alps": {"new": 1}}
    named = {each.image_key: each.what for each in told(report).images if each.what != "new"}
    assert named == {gone.key: "missing", moved.key: "moved"}


def test_an_album_that_is_not_shown_is_told_with_its_images_and_told_once(nights, source):
    album = source.world.pop("alps")
    assert told(nights.next_night()).albums == {"alps": {"album_missing": 3}}
    assert told(nights.next_night()).albums == {"alps": {"album_left": 3}}
    assert not told(nights.next_night())
    source.world["alps"] = album
    assert told(nights.next_night()).albums == {"alps": {"album_back": 3}}


def test_an_album_that_is_back_before_its_absence_was_confirmed_is_told_too(nights, source):
    album = source.world.pop("alps")
    nights.next_night()
    source.world["alps"] = album
    album.images[0].caption = "changed"
    assert told(nights.next_night()).albums["alps"]["album_back"] == 3


def test_other_bytes_and_lost_words_are_told_of_each_image(nights, source):
    one, two, three, four = source.world["harbour"].images[:4]
    for image in (one, two, three, four):
        source.touch(image, caption="The quay", keywords="sea")
    nights.next_night()
    source.replace(one)
    source.touch(two, caption="")
    source.touch(three, keywords="")
    source.touch(four, caption="The new quay")
    report = nights.next_night()
    assert told(report).albums == {
        "harbour": {"replaced": 1, "caption_lost": 1, "keywords_lost": 1, "changed": 1}
    }
    assert losses(told(report)) == 3


def test_an_image_that_is_shown_again_is_back(nights, source):
    image = source.world["alps"].images.pop()
    nights.next_night()
    source.world["alps"].images.append(image)
    source.touch(image)
    assert told(nights.next_night()).albums == {"alps": {"back": 1}}


def test_an_album_that_everybody_can_see_now_is_told(nights, source):
    source.world["alps"].public = False
    nights.next_night()
    source.world["alps"].public = True
    assert told(nights.next_night()).albums == {"alps": {"made_public": 3}}
    source.world["alps"].public = False
    assert told(nights.next_night()).albums == {"alps": {"made_private": 3}}


def test_a_change_of_api_loses_nothing(nights, source):
    source.world["alps"].public = True
    nights.next_night()
    source.name = "smugmug-v2"
    source.world["alps"].public = False
    image = source.world["harbour"].images[0]
    image.caption = "as only the other API shows it"
    report = nights.next_night(full=True)
    assert losses(told(report)) == 0
    assert report.counts.cursor_misses == 0
    (note,) = report.notes
    assert "API v2" in note
    assert told(report).albums["harbour"] == {"changed": 12}


def test_what_workers_saw_is_told_by_the_report_that_closes_the_run(nights, source):
    source.world["harbour"].images.clear()
    source.world["alps"].images.pop()
    nights.overflow = FakeOverflow()
    source.clock.advance(days=1)
    clock = source.clock
    source.errors["albums"] = lambda: clock.advance(seconds=50)
    first = nights.run(deadline=Deadline.after(clock, 60, reserve=45), full=True)
    assert first.status == "continuing"
    source.errors.clear()
    play(nights, first.run_id)
    last = nights.backup().finish(first.run_id, deadline=Deadline.none(clock))
    counted = {**told(first).albums, **told(last).albums}
    assert counted == {"harbour": {"missing": 12}, "alps": {"missing": 1}}
    assert told(last)


def test_an_album_that_fails_tells_its_losses_when_it_is_done(nights, source):
    source.world["harbour"].images.clear()
    source.errors["images:harbour"] = lambda: RuntimeError("a defect")
    assert not told(nights.next_night())
    source.errors.clear()
    assert told(nights.next_night()).albums == {"harbour": {"missing": 12}}
