"""What becomes of an album that SmugMug shows no more: a test for each row of the table."""

from datetime import timedelta

import pytest

from smugmug_backup.archive.report import AlbumState
from smugmug_backup.backup.departures import departures
from tests.tools.clock import START

NOW = START
LIVE = AlbumState(generation=3)
HOUR = timedelta(hours=1)


def missing(since, **more):
    return AlbumState(**{"generation": 3, "missing_since": since, **more})


GONE = missing(NOW - 30 * HOUR, deleted_at=NOW - HOUR)


def found(state, *, shown=(), damaged=(), now=NOW):
    """(what its entry becomes, if that changes; missing for the first time; what is to be done)"""
    answer = departures({"A": state}, shown, damaged=damaged, now=now)
    work = ("bury" if answer.to_bury else "") + ("mend" if answer.to_mend else "")
    assert not {*answer.to_bury, *answer.to_mend} - {"A"}
    return answer.states.get("A", state), len(answer.first_missing), work


@pytest.mark.parametrize("state", [LIVE, GONE, AlbumState()])
def test_an_album_that_is_shown_and_was_not_missing_stays_as_it_is(state):
    assert found(state, shown={"A"}, damaged={"A"}) == (state, 0, "")


def test_one_that_the_listing_lacks_is_missing_since_now_and_counted_once():
    state, first, work = found(LIVE)
    assert (state.missing_since, state.next_full, first, work) == (NOW, "album missing", 1, "")
    assert state.live is False and state.gone is False


def test_one_that_is_back_is_live_and_listed_in_full():
    state, first, work = found(missing(NOW - 90 * HOUR), shown={"A"})
    assert (state.missing_since, state.next_full, first, work) == (None, "album is back", 0, "")


@pytest.mark.parametrize(("hours", "work"), [(19, ""), (20, "bury"), (900, "bury")])
def test_a_second_absence_twenty_hours_later_buries(hours, work):
    state = missing(NOW - hours * HOUR)
    assert found(state) == (state, 0, work)


def test_one_without_any_generation_is_dropped_instead():
    assert found(missing(NOW - 20 * HOUR, generation=0)) == (None, 0, "")


def test_a_time_that_is_still_to_come_is_set_anew_and_not_counted_again():
    state, first, work = found(missing(NOW + HOUR))
    assert (state.missing_since, first, work) == (NOW, 0, "")


@pytest.mark.parametrize(("damaged", "work"), [({"A"}, "mend"), ({"B"}, ""), ((), "")])
def test_one_that_is_gone_is_mended_where_something_is_damaged(damaged, work):
    assert found(GONE, damaged=damaged) == (GONE, 0, work)
    # That needs no date: nothing vanishes by it.
    assert found(GONE, damaged=damaged, now=None) == (GONE, 0, work)


@pytest.mark.parametrize("state", [LIVE, missing(NOW - 90 * HOUR), missing(NOW + HOUR)])
def test_without_a_date_nothing_is_missing_or_gone(state):
    assert found(state, now=None) == (state, 0, "")


def test_without_a_date_one_may_come_back():
    assert found(missing(NOW), shown={"A"}, now=None)[0].live


def test_albums_are_told_apart():
    known = {"A": LIVE, "B": missing(NOW - 90 * HOUR), "C": GONE, "D": LIVE}
    answer = departures(known, {"D"}, damaged={"C"}, now=NOW)
    assert (list(answer.states), answer.first_missing) == (["A"], ["A"])
    assert (answer.to_bury, answer.to_mend) == (["B"], ["C"])
