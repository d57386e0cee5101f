"""Whether a full listing shows all there is: the table of `believe`, row by row."""

from datetime import timedelta

import pytest

from smugmug_backup.archive.report import AlbumState, Doubt
from smugmug_backup.backup.belief import Shown, believe, keys_digest
from tests.tools.clock import START

DAY = timedelta(days=1)


def shown(length, own, count, live=0, lost=0, keys="k"):
    return Shown(length, own, count, live, lost, keys)


def verdict(what, *, state=None, accepted=False, now=START):
    return believe(what, state or AlbumState(), accepted=accepted, now=now)


def doubted(since, difference=None, keys="k"):
    return AlbumState(doubt=Doubt(since, difference, keys))


@pytest.mark.parametrize(
    ("what", "believed"),
    [
        (shown(3, 3, 3, live=3), True),
        (shown(3, 4, 3, live=3), True),
        (shown(3, 3, 4, live=3), True),
        (shown(3, 4, 4, live=3), False),
        (shown(0, 3, 3, live=3, lost=3), False),
        (shown(0, 0, 3, live=3, lost=3), True),
        (shown(3, None, None), False),
        (shown(0, None, None), False),
        # Greatly short: both counts have to be the length.
        (shown(0, 0, 500, live=500, lost=500), False),
        (shown(0, 500, 0, live=500, lost=500), False),
        (shown(0, 0, 0, live=500, lost=500), True),
        (shown(0, None, 0, live=500, lost=500), False),
        # A first listing that is empty, or half, loses as much.
        (shown(0, 0, 500), False),
        (shown(250, 250, 500), False),
        (shown(500, 500, 500), True),
        # A fifth, or twenty, is no great loss.
        (shown(80, 80, 100, live=100, lost=20), True),
        (shown(79, 79, 100, live=100, lost=21), False),
        (shown(60, 60, 80, live=80, lost=20), True),
        (shown(160, 160, 200, live=200, lost=40), True),
    ],
)
def test_a_full_listing_is_believed_by_its_counts(what, believed):
    assert verdict(what).believed is believed


def test_the_accounts_count_is_taken_less_the_difference_that_is_known():
    state = AlbumState(count_difference=2)
    assert verdict(shown(10, 11, 12, live=10), state=state).believed
    assert not verdict(shown(12, 11, 12, live=10), state=state).believed


@pytest.mark.parametrize(
    ("before", "believed"),
    [
        (doubted(START - DAY, difference=2), True),
        (doubted(START - DAY, difference=3, keys="k"), True),
        (doubted(START - DAY, difference=3, keys="other"), False),
        (doubted(START - timedelta(hours=19), difference=2), False),
        (doubted(None, difference=2), False),
    ],
)
def test_the_same_listing_or_the_same_difference_20_hours_later_is_a_fact(before, believed):
    assert verdict(shown(10, 12, 12, live=10), state=before).believed is believed


def test_the_same_difference_is_no_fact_while_a_live_image_is_missing():
    before = doubted(START - DAY, difference=2, keys="other")
    assert not verdict(shown(10, 12, 12, live=11, lost=1), state=before).believed


def test_a_doubt_keeps_the_date_at_which_it_was_first_seen_as_long_as_it_is_the_same():
    before = doubted(START - timedelta(hours=5), difference=2)
    assert verdict(shown(10, 12, 12), state=before).doubt == before.doubt
    anew = verdict(shown(9, 12, 12, keys="others"), state=before).doubt
    assert (anew.since, anew.difference, anew.keys) == (START, 3, "others")


def test_a_great_loss_that_the_account_contradicts_is_believed_by_the_owners_word_alone():
    what = shown(0, 0, 500, live=500, lost=500)
    before = doubted(START - 100 * DAY, difference=500)
    assert not verdict(what, state=before).believed
    assert verdict(what, state=before, accepted=True).believed


def test_a_great_difference_that_became_a_fact_is_told():
    before = doubted(START - DAY, difference=40)
    belief = verdict(shown(100, 140, 140, live=100), state=before)
    assert belief.believed
    assert "140" in belief.note
    small = doubted(START - DAY, difference=20)
    assert verdict(shown(100, 120, 120, live=100), state=small).note is None


def test_a_listing_of_which_nobody_tells_a_count_is_a_fact_the_second_time_and_nothing_is_told():
    belief = verdict(shown(2, None, None, live=3, lost=1), state=doubted(START - DAY))
    assert (belief.believed, belief.note) == (True, None)


def test_without_a_date_no_doubt_becomes_a_fact():
    before = doubted(START - DAY, difference=2)
    assert not verdict(shown(10, 12, 12), state=before, now=None).believed


def test_the_digest_of_keys_tells_listings_apart_and_not_their_order():
    assert keys_digest(["a", "b"]) == keys_digest(["b", "a"]) != keys_digest(["ab"])
