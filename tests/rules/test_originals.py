"""Bytes: complete, proved, replaced; awaited by name, or unavailable by name."""

from datetime import timedelta

import pytest

from smugmug_backup.archive.keys import directory
from tests.rules.account import ALL


def test_a_replaced_original_is_stored_beside_the_old_one(account, nights, album, image):
    nights.run()
    old = nights.line(album, image).original.key
    account.replace(image)
    assert nights.next_night().counts.originals_stored == 1
    line = nights.line(album, image)
    assert line.original.key != old
    assert nights.bytes_of(line) == account.body(image)
    assert old in nights.store.objects


def test_an_image_in_two_albums_has_its_bytes_once(account, nights, album, image, other):
    account.collect(image, other)
    report = nights.run()
    assert report.counts.originals_stored == ALL
    assert account.downloads(image) == 1
    assert len({nights.line(each, image).original.key for each in (album, other)}) == 1


def test_a_download_that_fails_is_pending_and_tried_at_every_run(account, nights, album, image):
    account.fail_photo(image, "down")
    report = nights.run()
    assert (report.status, report.counts.pending) == ("incomplete", 1)
    assert report.counts.originals_stored == ALL - 1
    assert nights.line(album, image).original.reason == "download_failed"
    asked = account.downloads(image)
    nights.next_night()
    assert account.downloads(image) > asked
    report = nights.healthy()
    assert (report.status, report.counts.pending) == ("complete", 0)
    assert nights.everything_is_there()


def test_an_image_that_is_always_refused_is_unavailable_after_14_days_and_tried_on(
    account, nights, album, image
):
    account.fail_photo(image, "refused")
    nights.run()
    first = account.clock.now()
    report = nights.nights_until(lambda report: report.status == "complete")
    assert timedelta(days=14) <= account.clock.now() - first < timedelta(days=14, hours=1)
    assert [each.image_key for each in report.unavailable] == [image]
    assert nights.next_night().unavailable == report.unavailable
    account.heal()
    nights.next_night(full=True)
    assert nights.line(album, image).original.stored


def test_wrong_bytes_of_the_right_length_are_kept_but_never_called_verified(
    account, nights, album, image
):
    account.fail_photo(image, "wrong")
    report = nights.run()
    assert (report.status, report.counts.pending) == ("incomplete", 1)
    original = nights.line(album, image).original
    assert (original.stored, original.verified) == (True, False)
    assert original.reason == "md5_mismatch"
    assert original.key.startswith(f"originals/{directory(image)}/rev-")
    assert nights.healthy().status == "complete"
    line = nights.line(album, image)
    assert line.original.verified
    assert line.original.key.endswith(f"/{line.original.md5}.jpg")
    assert nights.bytes_of(line) == account.body(image)


@pytest.mark.parametrize("how", ["html", "empty"])
def test_what_is_no_picture_is_never_kept(account, nights, album, image, how):
    account.fail_photo(image, how)
    report = nights.run()
    assert (report.status, report.counts.pending) == ("incomplete", 1)
    original = nights.line(album, image).original
    assert (original.status, original.reason) == ("pending", "bad_at_source")
    assert not any(image in key for key in nights.store.objects if key.startswith("originals/"))
    assert nights.healthy().status == "complete"
    assert nights.line(album, image).original.verified


def test_without_an_md5_the_bytes_are_kept_as_a_revision_and_unverified(account, nights, album):
    image = account.upload(album, md5=False)
    report = nights.run()
    assert (report.status, report.counts.unverified) == ("complete", 1)
    assert "/rev-" in nights.line(album, image).original.key
    assert nights.everything_is_there()
    assert nights.next_night().counts.unverified == 1


def test_a_replacement_without_md5_is_seen_by_serial_and_size(account, nights, album):
    image = account.upload(album, md5=False)
    nights.run()
    old = nights.line(album, image).original.key
    account.edit(image, "only a caption")
    nights.next_night()
    assert nights.line(album, image).original.key == old
    account.replace(image)
    nights.next_night()
    assert nights.line(album, image).original.key != old
    assert nights.everything_is_there()


def test_an_md5_that_appears_later_confirms_what_is_stored(account, nights, album):
    image = account.upload(album, md5=False)
    nights.run()
    account.show_md5(image)
    report = nights.next_night()
    assert account.downloads(image) == 1
    assert nights.line(album, image).original.verified
    assert report.counts.unverified == 0


def test_no_original_url_is_unavailable_with_its_reason_and_no_failure(account, nights, album):
    image = account.upload(album, url=False)
    report = nights.run()
    assert (report.status, report.failures) == ("complete", ())
    assert [(u.image_key, u.reason) for u in report.unavailable] == [(image, "no_original_url")]
    assert nights.line(album, image).original.kind == "none"


def test_a_video_is_stored_as_its_largest_rendition(account, nights, album):
    video = account.upload_video(album)
    assert nights.run().status == "complete"
    line = nights.line(album, video)
    assert (line.original.kind, line.original.status) == ("rendition", "stored")
    assert nights.everything_is_there()
    assert nights.next_night().counts.originals_stored == 0


def test_a_video_in_processing_is_named_and_waits_and_arrives(account, nights, album):
    video = account.upload_video(album, ready=False)
    for _ in range(3):
        report = nights.next_night()
        assert (report.status, report.counts.pending) == ("incomplete", 1)
        (pending,) = report.pending
        assert (pending.image_key, pending.reason) == (video, "processing")
        assert pending.since == nights.reports[0].dated_at
    account.finish(video)
    assert nights.next_night().status == "complete"
    assert nights.line(album, video).original.kind == "rendition"
    assert nights.everything_is_there()


def test_processing_that_never_ends_is_unavailable_after_14_days(account, nights, album):
    account.upload_video(album, ready=False)
    nights.run()
    report = nights.nights_until(lambda report: report.status == "complete")
    assert [each.reason for each in report.unavailable] == ["processing"]
    assert len(nights.reports) == 15


def test_a_video_that_gains_a_larger_rendition_is_fetched_again(account, nights, album):
    video = account.upload_video(album)
    nights.run()
    old = nights.line(album, video).original.key
    account.clock.advance(hours=3)
    account.enlarge(video)
    nights.next_night()
    assert nights.line(album, video).original.key != old
    assert nights.everything_is_there()


def test_a_pending_replacement_still_names_the_old_bytes(account, nights, album, image):
    nights.run()
    old = nights.line(album, image).original.key
    account.replace(image)
    account.fail_photo(image, "down")
    nights.next_night()
    original = nights.line(album, image).original
    assert (original.status, original.previous.key) == ("pending", old)
    nights.healthy()
    assert nights.line(album, image).original.previous is None
    assert nights.everything_is_there()
