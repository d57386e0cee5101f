"""Which listing is asked for, and how far the cursor moves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smugmug_backup.archive.report import AlbumState
from smugmug_backup.backup.listing import (
    OVERLAP,
    choose_listing,
    count_fits,
    is_due,
    new_cursor,
)
from smugmug_backup.model import Album
from tests.tools.clock import START

SETTLED = AlbumState(
    generation=3, cursor=1_795_000_000, full_listing_at=START, listed_at=START, count_difference=0
)


def choose(state, *, asked=False, now=START):
    return choose_listing(state, now=now, album_key="hT4mWq", days=30, asked=asked)


def test_a_settled_album_is_asked_for_its_changes():
    assert choose(SETTLED).since == SETTLED.cursor


@pytest.mark.parametrize(
    "change",
    [
        {"generation": 0},
        {"next_full": "images missing"},
        {"pending": 1},
        {"cursor": 0},
        {"full_listing_at": None},
        {"full_listing_at": START - timedelta(days=31)},
        {"full_listing_at": START + timedelta(days=400)},
        {"missing_since": START},
    ],
)
def test_an_album_that_is_not_settled_is_listed_in_full_for_a_reason(change):
    choice = choose(replace(SETTLED, **change))
    assert choice.since is None
    assert choice.reason


def test_the_caller_can_ask_for_a_full_listing():
    assert choose(SETTLED, asked=True).since is None


def test_every_album_is_listed_in_full_within_the_days_and_a_night_does_its_share():
    keys = [f"album{n}" for n in range(900)]
    last = dict.fromkeys(keys, START)
    for night in range(1, 91):
        now = START + timedelta(days=night)
        due = [key for key in keys if is_due(last[key], now=now, album_key=key, days=30)]
        assert len(due) < 900 / 30 * 2
        for key in due:
            last[key] = now
        assert all(now - at <= timedelta(days=30) for at in last.values())


def test_the_count_must_be_what_the_last_full_listing_lets_expect():
    state = replace(SETTLED, count_difference=2)
    album = Album("a", 1, "A", (), 12, {}, ())
    assert count_fits(10, album, state)
    assert not count_fits(12, album, state)
    assert not count_fits(12, album, replace(state, count_difference=None))
    assert count_fits(12, album._replace(image_count=None), state), "nobody counts"


def test_the_cursor_follows_the_source_by_48_hours_and_never_goes_back():
    expected = int((START - OVERLAP).timestamp())
    assert new_cursor(0, START) == expected
    assert new_cursor(expected + 9, START) == expected + 9


def test_without_a_date_the_cursor_stays_where_it_is():
    assert new_cursor(17, None) == 17
