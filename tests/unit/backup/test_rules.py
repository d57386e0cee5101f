"""The rules of a run, one by one, over an account in memory."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.backup.run import Options
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    BadRequest,
    LoginLost,
    MalformedAnswer,
    PhotoError,
    PhotoRefused,
    PhotoTooLarge,
    RunRefused,
    SourceRetired,
    SourceUnavailable,
)
from tests.tools.clock import FakeClock
from tests.tools.fake_source import JPEG, FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def source(clock):
    source = FakeSource(clock)
    source.album("harbour", images=3)
    source.album("scans", images=2)
    # Long ago, so that nothing lies inside the overlap.
    clock.advance(days=100)
    return source


@pytest.fixture
def nights(source, clock):
    return Nights(source, MemoryStore(), clock)


def cut_at_a_line(body):
    """A file that a disk has cut off at the end of a line."""
    return b"".join(body.splitlines(keepends=True)[:-1])


def written(nights, act):
    """Keys that ``act`` adds to the store, run reports aside."""
    before = set(nights.store.objects)
    act()
    return {key for key in set(nights.store.objects) - before if not key.startswith("runs/")}


# -- complete -------------------------------------------------------------------------------------


def test_the_first_run_stores_every_image_and_says_complete(nights, source):
    report = nights.run()
    assert report.status == "complete"
    assert report.counts.new == report.counts.originals_stored == 5
    for album in source.world.values():
        for image in album.images:
            original = nights.line(album.key, image.key).original
            assert nights.store.objects[original.key] == image.body
            assert original.verified


def test_a_night_without_changes_writes_nothing_but_the_report(nights, source):
    nights.run()
    nights.next_night()
    source.calls.clear()
    assert written(nights, nights.next_night) == set()
    assert source.calls == {"account": 1, "albums": 1, "images:harbour": 1, "images:scans": 1}


def test_an_edit_is_one_record_and_one_generation(nights, source):
    nights.run()
    image = source.world["harbour"].images[0]
    nights.clock.advance(hours=3)
    source.touch(image, caption="The old quay")
    new = written(nights, nights.next_night)
    assert sorted(key.split("/")[0] for key in new) == ["manifests", "records"]
    record = nights.record("harbour", image.key)
    assert record["image"]["Caption"] == "The old quay"


def test_a_replaced_original_is_stored_beside_the_old_one(nights, source):
    nights.run()
    image = source.world["harbour"].images[0]
    old = nights.line("harbour", image.key).original.key
    source.replace(image)
    assert nights.next_night().counts.originals_stored == 1
    new = nights.line("harbour", image.key).original.key
    assert new != old
    assert nights.store.objects[new] == image.body
    assert old in nights.store.objects


def test_an_image_in_two_albums_has_its_bytes_once(nights, source):
    image = source.world["harbour"].images[0]
    source.world["scans"].images.append(image)
    report = nights.run()
    assert report.counts.originals_stored == 5
    assert source.calls[f"photo:{image.key}"] == 1
    keys = {nights.line(album, image.key).original.key for album in ("harbour", "scans")}
    assert len(keys) == 1


# -- what leaves stays ----------------------------------------------------------------------------


def test_an_image_that_leaves_is_missing_first_and_deleted_after_a_second_look(nights, source):
    nights.run()
    gone = source.world["harbour"].images.pop()
    nights.clock.advance(days=1)
    assert nights.run().counts.missing == 1
    assert nights.line("harbour", gone.key).missing_since is not None
    nights.clock.advance(hours=19)
    nights.run()
    assert nights.line("harbour", gone.key).deleted_at is None
    nights.clock.advance(hours=1)
    assert nights.run().counts.deleted == 1
    line = nights.line("harbour", gone.key)
    assert line.deleted_at is not None
    assert nights.store.objects[line.original.key] == gone.body


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


def test_an_image_that_comes_back_is_live_again_without_a_download(nights, source):
    nights.run()
    gone = source.world["harbour"].images.pop()
    nights.next_night()
    nights.next_night()
    source.world["harbour"].images.append(gone)
    source.calls.clear()
    nights.next_night()
    assert nights.line("harbour", gone.key).live
    assert source.calls[f"photo:{gone.key}"] == 0


def test_an_album_that_leaves_gets_a_last_generation_and_keeps_its_lines(nights, source):
    nights.run()
    lines = nights.manifest("scans").entries
    del source.world["scans"]
    report = nights.next_night()
    assert report.albums["scans"].missing_since is not None
    nights.next_night()
    manifest = nights.manifest("scans")
    assert manifest.header.deleted_at is not None
    assert manifest.entries == lines
    assert written(nights, nights.next_night) == set()


def test_an_album_that_comes_back_is_listed_in_full_and_live(nights, source):
    nights.run()
    album = source.world.pop("scans")
    nights.next_night()
    nights.next_night()
    source.world["scans"] = album
    assert nights.next_night().status == "complete"
    assert nights.manifest("scans").header.deleted_at is None


# -- listings that are not believed ---------------------------------------------------------------


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


def test_an_image_that_is_listed_twice_is_taken_once_and_stops_nothing(nights, source):
    album = source.world["harbour"]
    album.images.append(album.images[0])
    report = nights.run()
    assert report.counts.originals_stored == 5
    assert report.albums["harbour"].image_count == 3
    assert all(entry.original.stored for entry in nights.manifest("harbour").entries.values())


def test_an_image_that_is_listed_twice_in_two_states_fails_alone(nights, source):
    album = source.world["harbour"]
    album.images.append(replace(album.images[0], caption="another"))
    report = nights.run()
    twice = [f for f in report.failures if f.image_key == album.images[0].key]
    assert [failure.code for failure in twice] == ["malformed_answer"]
    assert report.counts.originals_stored == 5


# -- failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [SourceUnavailable("98"), MalformedAnswer("HTML")])
def test_an_album_that_fails_keeps_its_state_and_the_others_are_saved(nights, source, error):
    source.errors["images:harbour"] = error
    report = nights.run()
    assert report.status == "incomplete"
    assert [failure.album_key for failure in report.failures] == ["harbour"]
    assert nights.line("scans", source.world["scans"].images[0].key).original.stored
    del source.errors["images:harbour"]
    assert nights.next_night().status == "complete"


def test_an_edit_during_the_days_that_an_album_fails_is_not_lost(nights, source):
    nights.run()
    nights.next_night()
    source.errors["images:harbour"] = SourceUnavailable("503")
    image = source.world["harbour"].images[0]
    source.touch(image, caption="edited while it failed")
    for _ in range(5):
        nights.next_night()
    del source.errors["images:harbour"]
    nights.next_night()
    record = nights.record("harbour", image.key)
    assert record["image"]["Caption"] == "edited while it failed"


@pytest.mark.parametrize("error", [LoginLost("36"), SourceRetired("410"), MalformedAnswer("HTML")])
def test_an_account_that_cannot_be_believed_refuses_the_run(nights, source, error):
    nights.run()
    source.errors["albums"] = error
    report = nights.next_night()
    assert report.status == "refused"
    assert report.failures[0].code == error.code
    del source.errors["albums"]
    assert nights.next_night().status == "complete"


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


def test_an_emptied_account_is_refused_and_nothing_moves(nights, source):
    nights.run()
    world, source.world = source.world, {}
    assert nights.next_night().status == "refused"
    source.world = world
    assert written(nights, nights.next_night) == set()


def test_another_account_is_refused_before_anything_is_written(nights, source):
    nights.run()
    source.nickname = "somebody"
    before = dict(nights.store.objects)
    with pytest.raises(RunRefused):
        nights.next_night()
    assert nights.store.objects == before


def test_an_album_that_the_account_does_not_have_is_refused(nights):
    before = dict(nights.store.objects)
    with pytest.raises(BadRequest, match="nowhere"):
        nights.run(albums=("nowhere",))
    assert nights.store.objects == before


# -- originals ------------------------------------------------------------------------------------


def test_a_download_that_fails_is_pending_and_tried_at_every_run(nights, source):
    image = source.world["harbour"].images[0]
    source.errors[f"photo:{image.key}"] = PhotoError("connection reset")
    report = nights.run()
    assert (report.status, report.counts.pending) == ("incomplete", 1)
    assert nights.line("harbour", image.key).original.reason == "download_failed"
    del source.errors[f"photo:{image.key}"]
    report = nights.next_night()
    assert (report.status, report.counts.pending) == ("complete", 0)
    assert nights.store.objects[nights.line("harbour", image.key).original.key] == image.body


def test_an_image_that_is_always_refused_is_unavailable_after_14_days_and_tried_on(nights, source):
    image = source.world["harbour"].images[0]
    source.errors[f"photo:{image.key}"] = PhotoRefused("404")
    nights.run()
    first = nights.clock.now()
    nights.nights_until(lambda report: report.status == "complete")
    assert nights.clock.now() - first == timedelta(days=14)
    assert nights.reports[-1].unavailable[0].image_key == image.key
    assert nights.next_night().unavailable == nights.reports[-2].unavailable
    del source.errors[f"photo:{image.key}"]
    nights.next_night(full=True)
    assert nights.line("harbour", image.key).original.stored


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


def test_wrong_bytes_of_the_right_length_are_kept_but_never_called_verified(nights, source):
    image = source.world["harbour"].images[0]
    source.bodies[image.key] = JPEG + bytes(len(image.body) - len(JPEG))
    report = nights.run()
    assert report.status == "incomplete"
    original = nights.line("harbour", image.key).original
    assert original.stored
    assert not original.verified
    assert original.reason == "md5_mismatch"
    assert original.key.startswith(f"originals/{image.key}/rev-")
    source.bodies.clear()
    assert nights.next_night().status == "complete"
    original = nights.line("harbour", image.key).original
    assert original.key == f"originals/{image.key}/{image.md5}.jpg"
    assert original.verified


@pytest.mark.parametrize("body", [b"<html>sorry</html>", b""], ids=["html", "empty"])
def test_what_is_no_picture_is_never_kept(nights, source, body):
    image = source.world["harbour"].images[0]
    source.bodies[image.key] = body
    nights.run()
    original = nights.line("harbour", image.key).original
    assert (original.status, original.reason) == ("pending", "bad_at_source")
    assert not any(key.startswith(f"originals/{image.key}/") for key in nights.store.objects)


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


def test_without_an_md5_the_bytes_are_kept_as_a_revision_and_unverified(nights, source):
    image = source.upload("harbour", has_md5=False)
    report = nights.run()
    assert (report.status, report.counts.unverified) == ("complete", 1)
    original = nights.line("harbour", image.key).original
    assert "/rev-" in original.key
    assert nights.next_night().counts.unverified == 1


def test_a_replacement_without_md5_is_seen_by_serial_and_size(nights, source):
    image = source.upload("harbour", has_md5=False)
    nights.run()
    old = nights.line("harbour", image.key).original.key
    source.touch(image, caption="only a caption")
    nights.next_night()
    assert nights.line("harbour", image.key).original.key == old
    source.replace(image)
    nights.next_night()
    assert nights.line("harbour", image.key).original.key != old


def test_an_md5_that_appears_later_confirms_or_replaces_what_is_stored(nights, source):
    image = source.upload("harbour", has_md5=False)
    nights.run()
    source.calls.clear()
    source.touch(image, has_md5=True)
    report = nights.next_night()
    assert source.calls[f"photo:{image.key}"] == 0
    assert nights.line("harbour", image.key).original.verified
    assert report.counts.unverified == 0


def test_no_original_url_is_unavailable_with_its_reason_and_no_failure(nights, source):
    image = source.upload("harbour", has_url=False)
    report = nights.run()
    assert report.status == "complete"
    assert [(u.image_key, u.reason) for u in report.unavailable] == [(image.key, "no_original_url")]
    assert nights.line("harbour", image.key).original.kind == "none"


def test_a_video_in_processing_is_pending_and_then_stored_as_a_rendition(nights, source):
    video = source.upload("harbour", video="", body=b"\0\0\0\x18ftypmp42" + bytes(99))
    assert nights.run().counts.pending == 1
    assert nights.line("harbour", video.key).original.reason == "processing"
    source.touch(video, video="Video640URL")
    assert nights.next_night().status == "complete"
    original = nights.line("harbour", video.key).original
    assert (original.kind, original.status) == ("rendition", "stored")


def test_a_video_that_gains_a_larger_rendition_is_fetched_again(nights, source):
    video = source.upload("harbour", video="Video640URL", body=b"\0\0\0\x18ftypmp42small")
    nights.run()
    old = nights.line("harbour", video.key).original.key
    source.touch(video, video="Video1920URL", body=b"\0\0\0\x18ftypmp42large enough")
    nights.next_night()
    new = nights.line("harbour", video.key).original.key
    assert new != old
    assert nights.store.objects[new] == video.body


def test_processing_that_never_ends_is_unavailable_after_14_days(nights, source):
    source.upload("harbour", video="")
    nights.run()
    report = nights.nights_until(lambda report: report.status == "complete")
    assert [each.reason for each in report.unavailable] == ["processing"]


def test_too_large_is_unavailable_at_once(nights, source):
    image = source.world["harbour"].images[0]
    source.errors[f"photo:{image.key}"] = PhotoTooLarge("60 GB")
    report = nights.run()
    assert report.status == "complete"
    assert [each.reason for each in report.unavailable] == ["too_large"]


def test_a_pending_replacement_still_names_the_old_bytes(nights, source):
    nights.run()
    image = source.world["harbour"].images[0]
    old = nights.line("harbour", image.key).original.key
    source.replace(image)
    source.errors[f"photo:{image.key}"] = PhotoError("500")
    nights.next_night()
    original = nights.line("harbour", image.key).original
    assert (original.status, original.previous.key) == ("pending", old)
    del source.errors[f"photo:{image.key}"]
    nights.next_night()
    assert nights.line("harbour", image.key).original.previous is None


# -- order, late arrivals, cursor misses ----------------------------------------------------------


def test_another_order_is_one_generation_seen_at_a_full_listing(nights, source):
    nights.run()
    source.world["harbour"].images.reverse()
    nights.next_night(full=True)
    first = source.world["harbour"].images[0]
    assert nights.line("harbour", first.key).position == 1
    assert written(nights, lambda: nights.next_night(full=True)) == set()


def test_an_edit_that_the_filter_hides_is_a_cursor_miss_at_the_next_full_listing(nights, source):
    nights.run()
    for _ in range(4):
        nights.next_night()
    image = source.world["harbour"].images[0]
    image.caption = "edited, but LastUpdated stays"
    assert nights.next_night().counts.cursor_misses == 0
    report = nights.next_night(full=True)
    assert (report.counts.cursor_misses, report.counts.late_arrivals) == (1, 0)


def test_an_old_image_that_moves_in_is_a_late_arrival_and_no_miss(nights, source):
    nights.run()
    for _ in range(4):
        nights.next_night()
    moved = source.world["harbour"].images.pop()
    source.world["scans"].images.append(moved)
    report = nights.next_night()
    assert (report.counts.cursor_misses, report.counts.late_arrivals) == (0, 1)
    assert nights.line("scans", moved.key).original.stored


def test_an_answer_without_a_date_leaves_the_cursor_and_says_so(nights, source):
    nights.run()
    cursor = nights.reports[-1].albums["harbour"].cursor
    source.date_header = lambda now: None
    report = nights.next_night()
    assert report.albums["harbour"].cursor == cursor
    assert any("Date" in note for note in report.notes)


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


def test_a_run_over_chosen_albums_is_a_part_and_carries_the_others_over(nights, source):
    nights.run()
    source.touch(source.world["harbour"].images[0], caption="x")
    source.touch(source.world["scans"].images[0], caption="x")
    report = nights.next_night(albums=("scans",))
    assert report.part
    assert report.albums["harbour"] == nights.reports[0].albums["harbour"]
    assert nights.manifest("harbour").header.generation == 1
    assert nights.manifest("scans").header.generation == 2
    assert nights.next_night().status == "complete"
    assert nights.manifest("harbour").header.generation == 2


def test_a_dry_run_tells_what_would_be_done_and_writes_nothing(nights, source):
    plan = nights.dry_run()
    assert sum(forecast.originals for forecast in plan.forecasts) == 5
    assert nights.store.objects == {}
    nights.run()
    source.replace(source.world["harbour"].images[0])
    plan = nights.dry_run()
    assert {f.album_key: (f.changed, f.originals) for f in plan.forecasts} == {
        "harbour": (1, 1),
        "scans": (0, 0),
    }


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
