"""An answer that cannot be believed changes nothing."""

import pytest

from smugmug_backup.errors import RunRefused
from tests.rules.account import ALL


@pytest.mark.parametrize("how", ["nonsense", "retired", "login_lost"])
def test_an_account_that_cannot_be_believed_refuses_the_run_and_moves_nothing(account, nights, how):
    nights.run()
    before = nights.reports[-1].albums
    account.fail_albums(how)
    report = nights.next_night()
    assert report.status == "refused"
    codes = {"nonsense": "malformed_answer", "retired": "source_retired", "login_lost": how}
    assert report.failures[0].code == codes[how]
    assert report.albums == before
    assert nights.healthy().status == "complete"
    assert nights.written_by(nights.next_night) == set()


def test_a_source_that_is_down_is_incomplete_and_not_refused(account, nights):
    nights.run()
    account.fail_albums("down")
    report = nights.next_night()
    assert report.status == "incomplete"
    assert [failure.code for failure in report.failures] == ["source_unavailable"]


def test_an_emptied_account_is_refused_and_nothing_moves(account, nights):
    nights.run()
    account.empty()
    assert nights.next_night().status == "refused"
    account.bring_back_albums()
    assert nights.written_by(nights.next_night) == set()
    assert nights.reports[-1].status == "complete"


def test_a_lesser_view_is_refused_before_anything_is_written(account, nights):
    nights.run()
    before = dict(nights.store.objects)
    nights.source = account.source(public=True)
    with pytest.raises(RunRefused):
        nights.next_night()
    assert nights.store.objects == before


def test_a_renamed_account_goes_on_by_the_owners_word_and_for_ever(account, nights):
    nights.run()
    old = nights.reports[-1].account.nickname
    before = dict(nights.store.objects)
    account.rename("newname")
    nights.source = account.source()
    with pytest.raises(RunRefused, match="accept_rename"):
        nights.next_night()
    assert nights.store.objects == before
    assert nights.next_night(accept_rename=True).status == "complete"
    report = nights.next_night()
    assert (report.account.nickname, report.formerly) == ("newname", (old,))
    account.rename(old.upper())
    nights.source = account.source()
    assert nights.next_night().status == "complete"


def test_images_that_count_and_are_not_listed_make_nothing_vanish(account, nights, album, image):
    nights.run()
    before = nights.reports[-1].albums[album]
    account.hide(image)
    new = account.upload(album)
    report = nights.next_night(full=True)
    assert report.status == "incomplete"
    assert [(f.album_key, f.code) for f in report.failures] == [(album, "listing_not_believed")]
    assert nights.line(album, image).live
    assert nights.bytes_of(nights.line(album, new)) == account.body(new)
    after = report.albums[album]
    assert (after.cursor, after.full_listing_at) == (before.cursor, before.full_listing_at)


def test_hidden_images_that_both_counts_include_become_a_fact_the_next_night(
    account, nights, album, image
):
    account.hide(image)
    assert nights.run().status == "incomplete"
    assert nights.next_night().status == "complete"
    assert nights.reports[-1].albums[album].count_difference == 1
    gone = account.images(album)[-1]
    account.remove(gone)
    nights.next_night()
    nights.next_night()
    assert nights.line(album, gone).deleted_at is not None


def test_an_image_that_is_listed_twice_is_taken_once_and_stops_nothing(account, nights, album):
    account.fail_listing(album, "twice")
    report = nights.run()
    assert report.counts.originals_stored == ALL
    assert report.albums[album].image_count == len(account.images(album))
    assert nights.everything_is_there()
    assert nights.healthy().status == "complete"
