"""What earlier attempts of a trigger have done, as far as their reports can be read."""

from datetime import timedelta

import pytest

from smugmug_backup.archive.report import AlbumState, Failure
from smugmug_backup.backup.attempts import Attempts, listed_since
from smugmug_backup.errors import StoreUnavailable
from tests.tools.faults import Fault, Points, always
from tests.tools.faulty_store import FaultyStore
from tests.unit.archive.build import Store, day, run_id

HOUR = timedelta(hours=1)


@pytest.fixture
def made():
    return Store()


def three(made, trigger="nightly"):
    """Three attempts of one trigger, the newest last."""
    first = made.report(1, trigger=trigger)
    second = made.report(2, first, trigger=trigger, attempt_of=first.run_id)
    third = made.report(3, second, trigger=trigger, attempt_of=second.run_id)
    return first, second, third


def ids(attempts):
    return [each.run_id for each in attempts.reports]


def test_all_attempts_of_a_trigger_are_known_the_newest_first(made):
    first, second, third = three(made)
    found = Attempts.before(made.archive, third, "nightly")
    assert ids(found) == [third.run_id, second.run_id, first.run_id]
    assert (found.last, found.since) == (third.run_id, first.dated_at)


@pytest.mark.parametrize("trigger", [None, "by hand"])
def test_a_run_of_another_trigger_or_of_none_has_no_attempts_before_it(made, trigger):
    *_, third = three(made)
    found = Attempts.before(made.archive, third, trigger)
    assert (found, found.last, found.since) == (Attempts(), None, None)
    assert Attempts.before(made.archive, None, "nightly") == Attempts()


def test_runs_without_a_trigger_are_no_attempts_of_each_other(made):
    *_, third = three(made, trigger=None)
    assert Attempts.before(made.archive, third, None) == Attempts()


def test_an_attempt_of_another_trigger_in_between_does_not_count(made):
    first = made.report(1, trigger="other")
    second = made.report(2, first, trigger="nightly", attempt_of=first.run_id)
    assert ids(Attempts.before(made.archive, second, "nightly")) == [second.run_id]
    # The end of an overflow goes on where the run left off, whatever had begun it.
    assert ids(Attempts.until(made.archive, second)) == [second.run_id, first.run_id]


@pytest.mark.parametrize("harm", ["lost", "damaged", "too_new"])
def test_where_a_report_is_lost_the_attempts_after_it_are_all_there_is(made, harm):
    """And that is told at once: a loop that tries it again would never end."""
    first, second, third = three(made)
    if harm == "lost":
        del made.store.objects[second.key]
    else:
        body = made.store.objects[second.key]
        new = body.replace(b'"version":1', b'"version":9') if harm == "too_new" else body[:-9]
        made.damage(second.key, new)
    reads = made.reads(lambda: Attempts.until(made.archive, third))
    assert reads == [second.key]
    found = Attempts.until(made.archive, third)
    assert (ids(found), found.since) == ([third.run_id], third.dated_at)
    assert ids(Attempts.before(made.archive, third, "nightly")) == [third.run_id]
    assert first.run_id not in ids(found)


def test_a_report_that_cannot_be_read_tonight_is_as_good_as_lost(made):
    _, second, third = three(made)
    made.archive.store = FaultyStore(made.store, Points(always(Fault.REQUEST_LOST, second.key)))
    with pytest.raises(StoreUnavailable):
        made.archive.report(second.run_id)
    assert ids(Attempts.until(made.archive, third)) == [third.run_id]


def test_reports_that_name_each_other_in_a_circle_come_to_an_end(made):
    first = made.report(1, trigger="nightly", attempt_of=run_id(2))
    second = made.report(2, first, trigger="nightly", attempt_of=first.run_id)
    assert ids(Attempts.until(made.archive, second)) == [second.run_id, first.run_id]


def test_nothing_ended_without_a_report(made):
    assert Attempts.until(made.archive, None) == Attempts()


# -- what is done ----------------------------------------------------------------------------------


def listed(hours=0, **more):
    return AlbumState(**{"generation": 1, "listed_at": day(1) + hours * HOUR, **more})


@pytest.mark.parametrize(
    ("state", "done"),
    [
        (listed(), True),
        (listed(5), True),
        (listed(-1), False),
        (listed(listed_at=None), False),
        (listed(pending=1), False),
        (listed(missing_since=day(1)), False),
        (listed(missing_since=day(1), deleted_at=day(1)), False),
    ],
)
def test_an_album_is_done_that_was_listed_since_the_first_attempt_and_awaits_nothing(
    made, state, done
):
    found = Attempts.until(made.archive, made.report(1))
    assert ("A" in found.done({"A": state})) is done


def test_one_that_failed_in_the_last_attempt_is_tried_again(made):
    failure = Failure("A", None, "source_unavailable", "503")
    found = Attempts.until(made.archive, made.report(1, failures=(failure,)))
    assert found.done({"A": listed(), "B": listed()}) == {"B"}


def test_where_the_last_attempt_counts_more_failures_than_it_names_none_is_done(made):
    found = Attempts.until(made.archive, made.report(1, more_failures=1))
    assert found.done({"A": listed()}) == ()


def test_without_an_attempt_nothing_is_done():
    assert Attempts().done({"A": listed()}) == ()


def test_an_attempt_whose_date_is_not_known_did_nothing_that_counts(made):
    found = Attempts.until(made.archive, made.report(1, dated_at=None))
    assert found.since is None
    assert not found.done({"A": listed()})
    assert not listed_since(listed(), None)
