"""Complete is computed, and no update is lost."""

import re

import pytest

from tests.rules.account import ALL


def test_the_first_run_has_every_byte_and_says_complete(account, nights):
    report = nights.run()
    assert (report.status, report.failures) == ("complete", ())
    assert report.counts.images == report.counts.new == report.counts.originals_stored == ALL
    assert nights.everything_is_there()
    for album in account.albums():
        assert all(line.original.verified for line in nights.manifest(album).entries.values())


def test_a_night_without_changes_writes_only_its_report(account, nights):
    nights.run()
    nights.next_night()
    assert nights.written_by(nights.next_night) == set()
    images = [image for album in account.albums() for image in account.images(album)]
    assert [account.downloads(image) for image in images] == [1] * ALL


def test_an_edit_is_one_record_and_one_generation(account, nights, album, image):
    nights.run()
    account.clock.advance(hours=3)
    account.edit(image, "The old quay &amp; the ferry")
    new = nights.written_by(nights.next_night)
    assert sorted(key.split("/")[0] for key in new) == ["manifests", "records"]
    assert nights.record(album, image)["image"]["Caption"] == "The old quay &amp; the ferry"
    account.edit(image, "another")
    nights.next_night()
    assert nights.record(album, image)["image"]["Caption"] == "another"
    assert account.downloads(image) == 1


def test_all_that_happens_in_a_day_arrives_in_the_night(account, nights, album, other):
    nights.run()
    account.clock.advance(hours=5)
    edited = account.images(album)[0]
    replaced, deleted, moved = account.images(other)
    new = account.upload(album)
    account.edit(edited, "The old quay")
    account.replace(replaced)
    account.remove(deleted)
    account.move(moved, album)
    report = nights.next_night()
    assert report.status == "complete"
    assert nights.everything_is_there()
    assert nights.record(album, edited)["image"]["Caption"] == "The old quay"
    assert nights.line(album, new).live
    assert nights.line(other, deleted).missing_since is not None
    assert nights.line(other, moved).missing_since is not None
    assert nights.line(album, moved).live
    # Moving costs no byte: the original lies there already.
    assert report.counts.originals_stored == 2
    assert account.downloads(moved) == 1


def test_a_new_title_reaches_the_manifest_the_same_night(account, nights, album):
    nights.run()
    account.clock.advance(hours=3)
    account.entitle(album, "Harbour, revisited")
    nights.next_night()
    header = nights.manifest(album).header
    assert (header.title, header.generation) == ("Harbour, revisited", 2)
    assert nights.reports[-1].albums[album].title == "Harbour, revisited"


def test_no_title_and_no_file_name_becomes_part_of_a_name_in_the_store(account, nights, album):
    account.entitle(album, "CON: ../../Ärger?")
    new = account.upload(album, file_name="../..\\né <1>.JPG")
    assert nights.run().status == "complete"
    assert nights.line(album, new).file_name == "../..\\né <1>.JPG"
    assert all(re.fullmatch(r"[\w=./-]+", key, re.ASCII) for key in nights.store.objects)
    assert not any(".." in key or "CON" in key for key in nights.store.objects)


def test_another_order_is_one_generation_seen_at_a_full_listing(account, nights, album):
    nights.run()
    account.reverse(album)
    nights.next_night(full=True)
    lines = nights.manifest(album).entries
    order = account.images(album)
    assert sorted(order, key=lambda key: lines[key].position) == order
    assert nights.written_by(lambda: nights.next_night(full=True)) == set()


@pytest.mark.parametrize("how", ["down", "nonsense"])
def test_an_album_that_fails_keeps_its_state_and_the_others_are_saved(
    account, nights, album, other, how
):
    account.fail_listing(album, how)
    report = nights.run()
    assert report.status == "incomplete"
    assert [failure.album_key for failure in report.failures] == [album]
    assert all(line.original.stored for line in nights.manifest(other).entries.values())
    assert nights.healthy().status == "complete"
    assert nights.everything_is_there()


def test_an_edit_during_the_days_that_an_album_fails_is_not_lost(account, nights, album, image):
    nights.run()
    nights.next_night()
    account.fail_listing(album, "down")
    account.edit(image, "edited while it failed")
    for _ in range(5):
        nights.next_night()
    nights.healthy()
    assert nights.record(album, image)["image"]["Caption"] == "edited while it failed"


def test_an_edit_that_the_filter_hides_is_a_cursor_miss_at_the_next_full_listing(
    account, nights, image
):
    nights.run()
    for _ in range(4):
        nights.next_night()
    account.edit(image, "edited, but LastUpdated stays", dated=False)
    assert nights.next_night().counts.cursor_misses == 0
    report = nights.next_night(full=True)
    assert (report.counts.cursor_misses, report.counts.late_arrivals) == (1, 0)


def test_answers_without_a_date_move_nothing_and_the_run_says_so(
    account, nights, album, image, other
):
    nights.run()
    nights.next_night()
    before = nights.reports[-1].albums[album]
    account.undate()
    account.remove(image)
    new = account.upload(album)
    for _ in range(3):
        report = nights.next_night()
        assert report.status == "incomplete"
        assert [failure.code for failure in report.failures] == ["no_date"]
        assert any("Date" in note for note in report.notes)
        assert report.dated_at is None
    after = report.albums[album]
    assert (after.cursor, after.full_listing_at) == (before.cursor, before.full_listing_at)
    assert nights.line(album, image).live
    assert nights.line(album, new).original.stored
    assert nights.healthy().status == "complete"
    assert not nights.line(album, image).live


def test_a_run_over_chosen_albums_is_a_part_and_carries_the_others_over(
    account, nights, album, other
):
    nights.run()
    for each in (album, other):
        account.edit(account.images(each)[0], "x")
    report = nights.next_night(albums=(other,))
    assert report.part
    assert report.albums[album] == nights.reports[0].albums[album]
    assert nights.manifest(album).header.generation == 1
    assert nights.manifest(other).header.generation == 2
    assert nights.next_night().status == "complete"
    assert nights.manifest(album).header.generation == 2


def test_a_dry_run_tells_what_would_be_done_and_writes_nothing(
    account, nights, album, image, other
):
    plan = nights.dry_run()
    assert sum(forecast.originals for forecast in plan.forecasts) == ALL
    assert nights.store.objects == {}
    nights.run()
    account.replace(image)
    plan = nights.dry_run()
    assert {f.album_key: (f.changed, f.originals) for f in plan.forecasts} == {
        album: (1, 1),
        other: (0, 0),
    }
