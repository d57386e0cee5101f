"""Rules of a run that take an account in memory to ask; `tests/rules` has the others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.backup.run import Options
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    BadRequest,
    LoginLost,
    PhotoError,
    PhotoRefused,
    PhotoTooLarge,
    SourceUnavailable,
)
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights


@pytest.fixture
def source(clock):
    source = FakeSource(clock)
    source.album("harbour", images=3)
    source.album("scans", images=2)
    # Long ago, so that nothing lies inside the overlap.
    clock.advance(days=100)
    return source


def cut_at_a_line(body):
    """A file that a disk has cut off at the end of a line."""
    return b"".join(body.splitlines(keepends=True)[:-1])


def written(nights, act):
    """Keys that ``act`` adds to the store, run reports aside."""
    before = set(nights.store.objects)
    act()
    return {key for key in set(nights.store.objects) - before if not key.startswith("runs/")}


# -- complete -------------------------------------------------------------------------------------


def test_a_night_without_changes_asks_once_for_each_thing(nights, source):
    nights.run()
    nights.next_night()
    source.calls.clear()
    nights.next_night()
    assert source.calls == {"account": 1, "albums": 1, "images:harbour": 1, "images:scans": 1}


def test_a_dry_run_names_the_albums_that_are_missing_until_they_are_gone(nights, source):
    nights.run()
    assert nights.dry_run().missing_albums == ()
    del source.world["scans"]
    assert nights.dry_run().missing_albums == ("scans",)
    nights.next_night()
    nights.next_night()
    assert nights.dry_run().missing_albums == ()


def test_an_edit_that_only_a_damaged_manifest_knew_is_listed_again(nights, source):
    nights.run()
    edited, other = source.world["harbour"].images[:2]
    source.touch(edited, caption="the only one")
    for _ in range(5):
        nights.next_night()  # until the edit lies behind the cursor
    newest = max(key for key in nights.store.objects if key.startswith("manifests/harbour"))
    nights.store.objects[newest] = b"?" * 40
    source.touch(other, caption="another")
    nights.next_night()
    assert nights.record("harbour", edited.key)["image"]["Caption"] == "the only one"


# -- what leaves stays ----------------------------------------------------------------------------


def test_a_clock_that_jumps_does_not_bury_an_image(nights, source):
    nights.run()
    gone = source.world["harbour"].images.pop()
    nights.next_night()
    true_now = nights.clock.now()
    nights.clock.jump(days=3)
    source.date_header = lambda now: true_now
    nights.run()
    assert nights.line("harbour", gone.key).deleted_at is None
    nights.clock.jump(days=-3)
    source.date_header = lambda now: now
    nights.next_night()
    assert nights.line("harbour", gone.key).deleted_at is not None


# -- listings that are not believed ---------------------------------------------------------------


def test_an_album_that_left_before_it_was_ever_stored_is_forgotten(nights, source):
    source.errors["images:scans"] = SourceUnavailable("503")
    nights.run()
    del source.world["scans"]
    for _ in range(3):
        report = nights.next_night()
    assert (report.status, list(report.albums)) == ("complete", ["harbour"])


def test_a_listing_that_is_too_short_makes_nothing_vanish_but_is_stored(nights, source):
    nights.run()
    album = source.world["harbour"]
    hidden = album.images.pop()
    new = source.upload("harbour")
    album.own_count_off = album.count_off = 1
    before = nights.reports[-1].albums["harbour"]
    report = nights.next_night(full=True)
    assert report.status == "incomplete"
    assert [failure.code for failure in report.failures] == ["listing_not_believed"]
    assert nights.line("harbour", hidden.key).live
    assert nights.line("harbour", new.key).original.stored
    after = report.albums["harbour"]
    assert (after.cursor, after.full_listing_at) == (before.cursor, before.full_listing_at)
    album.own_count_off = album.count_off = 0
    assert nights.next_night().status == "complete"


def test_an_image_count_that_is_always_one_too_high_costs_one_full_listing(nights, source):
    source.world["harbour"].count_off = 1
    assert nights.run().status == "complete"
    assert nights.next_night().status == "complete"
    source.calls.clear()
    nights.next_night()
    assert source.calls["images:harbour"] == 1


def test_a_count_that_differs_is_listed_in_full_in_the_same_run(nights, source):
    nights.run()
    gone = source.world["harbour"].images.pop(0)
    source.calls.clear()
    report = nights.next_night()
    assert source.calls["images:harbour"] == 2
    assert report.counts.missing == 1
    assert not nights.line("harbour", gone.key).live


def test_an_image_that_is_listed_twice_in_two_states_fails_alone(nights, source):
    album = source.world["harbour"]
    album.images.append(replace(album.images[0], caption="another"))
    report = nights.run()
    twice = [f for f in report.failures if f.image_key == album.images[0].key]
    assert [failure.code for failure in twice] == ["malformed_answer"]
    assert report.counts.originals_stored == 5


# -- failures -------------------------------------------------------------------------------------


def test_after_a_lost_login_no_further_album_is_tried_and_it_is_told_once(source, clock):
    for number in range(30):
        source.album(f"more{number}", images=1)
    answers = [None, LoginLost("invalid token")]
    source.errors["account"] = lambda: answers.pop(0)
    for key in source.world:
        source.errors[f"images:{key}"] = LoginLost("invalid token")
    report = Nights(source, MemoryStore(), clock, options=Options(concurrency=1)).run()
    assert [(f.album_key, f.code) for f in report.failures] == [(None, "login_lost")]
    assert report.status == "incomplete"
    assert sum(n for call, n in source.calls.items() if call.startswith("images:")) == 1


def test_a_login_that_one_album_alone_denies_is_that_albums_failure(nights, source):
    for number in range(30):
        source.album(f"more{number}", images=1)
    source.errors["images:harbour"] = LoginLost("401, 36")
    for _ in range(3):
        report = nights.next_night()
        assert [(f.album_key, f.code) for f in report.failures] == [("harbour", "login_lost")]
        assert sum(state.generation > 0 for state in report.albums.values()) == 31


def test_an_album_that_the_account_does_not_have_is_refused(nights):
    before = dict(nights.store.objects)
    with pytest.raises(BadRequest, match="nowhere"):
        nights.run(albums=("nowhere",))
    assert nights.store.objects == before


# -- originals ------------------------------------------------------------------------------------


def test_the_14_days_of_refusals_begin_anew_after_another_answer(nights, source):
    image = source.world["harbour"].images[0]
    answers = [PhotoRefused("404")] * 10 + [PhotoError("500")] * 2 + [PhotoRefused("404")] * 40
    source.errors[f"photo:{image.key}"] = lambda: answers.pop(0)
    nights.run()
    for _ in range(20):
        nights.next_night()
        assert nights.line("harbour", image.key).original.status == "pending"
    report = nights.nights_until(lambda report: report.status == "complete")
    assert [each.reason for each in report.unavailable] == ["refused_by_source"]


def test_the_same_wrong_bytes_end_in_a_name_after_14_days_and_are_not_retried_by_night(
    nights, source
):
    image = source.world["harbour"].images[0]
    source.bodies[image.key] = b""
    first = nights.run()
    assert [failure.passing for failure in first.failures] == [False]
    report = nights.nights_until(lambda report: report.status == "complete")
    assert [each.reason for each in report.unavailable] == ["bad_at_source"]
    assert report.started_at - first.started_at == timedelta(days=14)


@pytest.mark.parametrize("size", [13, None], ids=["another", "none"])
def test_a_matching_md5_outranks_a_size_that_disagrees(nights, source, size):
    image = source.world["harbour"].images[0]
    source.sizes[image.key] = size
    source.lengths[image.key] = None if size is None else len(image.body)
    report = nights.run()
    assert report.status == "complete"
    assert nights.line("harbour", image.key).original.verified


def test_bytes_of_a_format_that_nobody_knows_are_kept_if_their_md5_is_right(nights, source):
    image = source.world["harbour"].images[0]
    image.body, image.format = b"FOVb" + bytes(20), "X3F"
    report = nights.run()
    assert report.status == "complete"
    original = nights.line("harbour", image.key).original
    assert original.key == f"originals/{image.key}/{image.md5}.bin"


def test_a_picture_in_the_place_of_a_video_is_not_the_video(nights, source):
    image = source.upload("harbour", video="Video1280URL")
    source.bodies[image.key] = b"GIF89a" + bytes(9)
    for _ in range(3):
        assert nights.next_night().status == "incomplete"
    source.bodies.clear()
    assert nights.next_night().status == "complete"
    assert nights.store.objects[nights.line("harbour", image.key).original.key] == image.body


def test_too_large_is_unavailable_at_once(nights, source):
    image = source.world["harbour"].images[0]
    source.errors[f"photo:{image.key}"] = PhotoTooLarge("60 GB")
    report = nights.run()
    assert report.status == "complete"
    assert [each.reason for each in report.unavailable] == ["too_large"]


# -- order, late arrivals, cursor misses ----------------------------------------------------------


def test_an_old_image_that_moves_in_is_a_late_arrival_and_no_miss(nights, source):
    nights.run()
    for _ in range(4):
        nights.next_night()
    moved = source.world["harbour"].images.pop()
    source.world["scans"].images.append(moved)
    report = nights.next_night()
    assert (report.counts.cursor_misses, report.counts.late_arrivals) == (0, 1)
    assert nights.line("scans", moved.key).original.stored


def test_a_new_photo_that_a_full_listing_shows_is_no_late_arrival(nights, source):
    nights.run()
    nights.clock.advance(days=20)
    source.upload("scans")
    report = nights.next_night(full=True)
    assert (report.counts.new, report.counts.late_arrivals) == (1, 0)


class Undated(datetime):
    """As SmugMug writes a date that it does not have."""

    def strftime(self, form):
        return "0000-00-00 00:00:00"


def test_a_date_that_nobody_can_read_stops_nothing_and_is_no_cursor_miss(nights, source):
    nights.run()
    image = source.world["harbour"].images[0]
    source.touch(image, caption="x")
    image.updated = Undated(2026, 1, 1, tzinfo=UTC)
    report = nights.next_night(full=True)
    assert (report.status, report.counts.changed) == ("complete", 1)
    assert report.counts.cursor_misses == 0


def test_a_listing_in_another_order_than_its_positions_is_no_change(nights, source, monkeypatch):
    images = source.images

    def backwards(album, **options):
        listing = images(album, **options)
        return listing._replace(images=tuple(reversed(listing.images)))

    monkeypatch.setattr(source, "images", backwards)
    nights.run()
    nights.next_night(full=True)
    assert written(nights, lambda: nights.next_night(full=True)) == set()


# -- time -----------------------------------------------------------------------------------------


def test_out_of_time_commits_what_is_done_and_the_next_run_goes_on(source, clock):
    nights = Nights(source, MemoryStore(), clock, options=Options(concurrency=1, commit_every=2))
    taken = []

    def slow():
        taken.append(1)
        clock.advance(seconds=10)

    for album in source.world.values():
        for image in album.images:
            source.errors[f"photo:{image.key}"] = slow
    report = nights.run(deadline=Deadline.after(clock, 35, reserve=9))
    assert report.status == "continuing"
    assert len(taken) == 3
    assert report.counts.originals_stored == 3
    clock.advance(days=1)
    report = nights.run()
    assert report.status == "complete"
    assert len(taken) == 5


def test_a_photo_that_outlasts_the_invocation_keeps_none_of_its_album_back(source, clock):
    nights = Nights(source, MemoryStore(), clock, options=Options(concurrency=1))
    *_, last = source.world["harbour"].images
    source.errors[f"photo:{last.key}"] = lambda: clock.advance(seconds=1000)
    del source.world["scans"]
    report = nights.run(deadline=Deadline.after(clock, 900, reserve=60))
    assert report.status == "continuing"
    assert report.counts.originals_stored == 2
    assert nights.manifest("harbour").header.generation == 1
    assert nights.line("harbour", last.key).original.status == "pending"
    assert [each.code for each in report.failures] == ["out_of_time"]


def test_no_second_listing_of_an_album_begins_when_the_time_is_up(nights, source, clock):
    nights.run()
    source.world["harbour"].count_off = 1
    source.errors["images:harbour"] = lambda: clock.advance(seconds=50)
    source.calls.clear()
    report = nights.run(deadline=Deadline.after(clock, 60, reserve=15))
    assert source.calls["images:harbour"] == 1
    assert report.status == "continuing"


def test_a_retry_of_the_same_trigger_takes_up_only_what_failed(nights, source):
    nights.run()
    source.errors["images:harbour"] = SourceUnavailable("503")
    nights.clock.advance(days=1)
    first = nights.run(trigger="nightly 2026-11-25T03:00:00Z")
    source.calls.clear()
    nights.clock.advance(seconds=60)
    del source.errors["images:harbour"]
    second = nights.run(trigger="nightly 2026-11-25T03:00:00Z")
    assert source.calls["images:scans"] == 0
    assert second.status == "complete"
    assert second.attempt_of == first.run_id


def test_ignored_albums_are_named_and_not_listed(source, clock):
    options = Options(concurrency=1, ignore_albums=frozenset({"scans"}))
    report = Nights(source, MemoryStore(), clock, options=options).run()
    assert report.status == "complete"
    assert report.ignored_albums == ("scans",)
    assert source.calls["images:scans"] == 0


def test_a_lost_report_costs_full_listings_and_nothing_else(nights, source):
    nights.run()
    nights.next_night()
    for key in [key for key in nights.store.objects if key.startswith("runs/")]:
        del nights.store.objects[key]
    source.calls.clear()
    assert written(nights, nights.next_night) <= {"README.txt"}
    assert nights.reports[-1].status == "complete"
    assert not any(call.startswith("photo:") for call in source.calls)


# -- a damaged store ------------------------------------------------------------------------------


def test_a_lost_record_does_not_stop_its_album(nights, source):
    image = source.upload("harbour", has_md5=False)
    nights.run()
    del nights.store.objects[nights.line("harbour", image.key).record]
    source.touch(image, caption="new")
    assert nights.next_night().status == "complete"
    assert nights.line("harbour", image.key).original.stored


@pytest.mark.parametrize("damage", [lambda body: b"not a manifest", cut_at_a_line, lambda _: b""])
def test_a_damaged_newest_manifest_gives_way_to_the_one_before_and_is_named(nights, source, damage):
    nights.run()
    gone = source.world["harbour"].images.pop(0)
    nights.next_night()
    nights.next_night()
    newest = "manifests/harbour/00000003.jsonl"
    nights.store.objects[newest] = damage(nights.store.objects[newest])
    new = source.upload("harbour")
    report = nights.next_night(full=True)
    assert [(f.album_key, f.code) for f in report.failures] == [("harbour", "store_damaged")]
    assert newest in report.failures[0].message
    assert nights.line("harbour", new.key).original.stored
    assert not nights.line("harbour", gone.key).live
    assert nights.manifest("harbour").header.generation == 4
    assert nights.manifest("harbour").header.previous.generation == 2
    nights.next_night()
    assert nights.next_night().status == "complete"
    assert nights.line("harbour", gone.key).deleted_at is not None


def test_a_commit_of_a_killed_run_whose_version_rotted_fails_once_and_not_every_night(
    nights, source
):
    nights.run()
    source.upload("harbour")
    nights.next_night()
    del nights.store.objects[nights.reports[-1].key]
    newest = "manifests/harbour/00000002.jsonl"
    body = nights.store.objects[newest]
    nights.store.objects[newest] = body.replace(b'"version":1', b'"version":9', 1)
    report = nights.next_night()
    assert [(f.album_key, f.code) for f in report.failures] == [("harbour", "store_damaged")]
    assert newest in report.failures[0].message
    assert nights.next_night().status == "complete"
    assert nights.manifest("harbour").header.generation == 3


def test_an_album_of_which_no_manifest_is_sound_begins_anew(nights, source):
    nights.run()
    nights.store.objects["manifests/harbour/00000001.jsonl"] = b"{}"
    report = nights.next_night(full=True)
    assert [(f.album_key, f.code) for f in report.failures] == [("harbour", "store_damaged")]
    assert nights.manifest("harbour").header.generation == 2
    assert nights.manifest("harbour").header.previous is None
    assert nights.next_night().status == "complete"


def test_a_generation_that_the_report_names_and_nobody_finds_is_lost_and_its_number_not_reused(
    nights, source
):
    nights.run()
    source.upload("harbour")
    nights.next_night()
    del nights.store.objects["manifests/harbour/00000002.jsonl"]
    report = nights.next_night()
    assert [(f.album_key, f.code) for f in report.failures] == [("harbour", "store_damaged")]
    assert "manifests/harbour/00000002.jsonl" not in nights.store.objects
    assert nights.manifest("harbour").header.generation == 3
    assert nights.next_night().status == "complete"


def test_a_damaged_report_is_passed_over(nights):
    nights.run()
    nights.store.objects[nights.reports[-1].key] = b"{}"
    assert nights.next_night().status == "complete"


def test_a_defect_in_one_album_does_not_cost_the_night(nights, source):
    source.errors["images:harbour"] = ZeroDivisionError("secret text")
    report = nights.run()
    assert [(f.album_key, f.code) for f in report.failures] == [("harbour", "defect")]
    assert "secret text" not in report.failures[0].message
    assert report.albums["scans"].generation == 1


@pytest.mark.parametrize("of", ["image", "md5"])
def test_a_rotten_name_in_a_manifest_that_no_report_states_is_not_carried_on(source, of):
    nights = Nights(source, MemoryStore(), source.clock)
    report = nights.run()
    album = next(key for key, each in source.world.items() if each.images)
    image = source.world[album].images[0]
    line = nights.line(album, image.key).original
    wrong = {"image": line.key.replace(image.key, "h" + image.key[1:])}
    wrong["md5"] = line.key.replace(line.md5, line.md5[::-1])
    (manifest,) = (k for k in nights.store.objects if k.startswith(keys.album_manifests(album)))
    body = nights.store.objects[manifest]
    nights.store.objects[manifest] = body.replace(line.key.encode(), wrong[of].encode())
    nights.store.objects[report.key] = b"?"
    nights.next_night()
    assert nights.next_night().status == "complete"
    assert nights.line(album, image.key).original.key in nights.store.objects
