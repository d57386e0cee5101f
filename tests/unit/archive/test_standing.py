"""How a backup stands, by its newest reports."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smugmug_backup.archive.report import AlbumState, CompleteAsOf, Failure
from smugmug_backup.archive.standing import standing_of
from smugmug_backup.errors import Code
from tests.tools.faulty_store import FaultyStore
from tests.unit.archive.build import Store, day, finding, run_id


@pytest.fixture
def made():
    return Store()


def standing(made, number=1000, **more):
    return standing_of(made.archive, now=day(number), **more)


def test_attempts_and_parts_are_no_runs_of_their_own_by_which_a_schedule_is_known(made):
    last = None
    for number in (1, 15, 29):
        last = made.report(number, *([last] if last else []))
        last = made.report(number, last, token=1, attempt_of=run_id(number))
        last = made.report(number, last, token=2, part=True)
    assert standing(made, 30).patience > timedelta(days=28)


def test_a_store_without_reports_has_no_standing_and_is_not_well(made):
    found = standing(made)
    assert (found.newest, found.whole, found.state, found.check) == (None, None, None, None)
    assert not found.is_complete
    assert not found.is_well
    assert (found.seal, found.shown, found.complete_as_of) == ((), (), None)
    assert found.missing_albums() == {}
    assert found.owners() == ()


@pytest.mark.parametrize(
    ("status", "complete"),
    [("complete", True), ("incomplete", False), ("continuing", False), ("refused", False)],
)
def test_the_newest_whole_report_judges(made, status, complete):
    one = made.report(1)
    two = made.report(2, one, status=status)
    found = standing(made)
    assert found.whole == two
    assert found.is_complete is found.is_well is complete


@pytest.mark.parametrize("status", ["complete", "incomplete"])
def test_a_part_judges_nothing_however_many_there_are(made, status):
    whole = made.report(1, status=status)
    last = whole
    other = {"complete": "incomplete", "incomplete": "complete"}[status]
    for number in range(2, 30):
        last = made.report(number, last, part=True, status=other)
    found = standing(made)
    assert found.whole == whole
    assert found.is_complete is (status == "complete")
    assert (found.newest, found.state) == (last, whole)
    assert len(found.shown) == 10
    assert found.shown[0] == last


def test_a_run_with_a_doubted_clock_judges_nothing(made):
    one = made.report(1)
    made.report(2, one, clock_doubted=True, status="incomplete")
    assert standing(made).whole == one
    assert standing(made).is_complete


def test_after_a_refused_run_it_is_known_as_of_when_all_was_complete(made):
    as_of = CompleteAsOf(run_id(1), day(1))
    one = made.report(1, complete_as_of=as_of)
    made.report(2, one, status="refused", complete_as_of=as_of)
    found = standing(made)
    assert not found.is_complete
    assert found.complete_as_of == as_of
    assert found.state == one


def test_a_report_of_the_future_says_nothing_and_is_named(made):
    one = made.report(1)
    ahead = made.report(400, one)
    two = made.report(2, one, status="incomplete")
    found = standing(made, 60)
    assert (found.newest, found.whole) == (two, two)
    assert not found.is_complete
    assert ahead not in found.shown
    assert any(ahead.run_id in each for each in found.reports.passed_over)


def test_a_damaged_report_is_passed_over(made):
    one = made.report(1)
    made.damage(made.report(2, one).key)
    found = standing(made)
    assert found.shown == (one,)
    assert len(found.reports.passed_over) == 1


def test_a_month_that_nobody_gets_into_does_not_end_it(made):
    old = made.report(-30)
    made.report(1, old)
    made.archive = type(made.archive)(FaultyStore(made.store, barred=("runs/2026/11/",)))
    assert standing(made, 2).whole == old


# -- what a check found ----------------------------------------------------------------------------


def test_what_a_check_found_is_open_until_a_run_says_otherwise(made):
    one = made.report(1)
    check = made.check(1, findings=(finding(), finding("x")), sound=False)
    found = standing(made)
    assert (found.open_findings, found.check) == (2, check.summary())
    assert found.is_complete
    assert not found.is_well
    mended = replace(check.summary(), open=0)
    made.report(2, one, check=mended)
    assert (standing(made).open_findings, standing(made).is_well) == (0, True)


def test_a_newer_check_than_the_last_run_saw_counts(made):
    first = made.check(1)
    made.report(2, check=first.summary())
    second = made.check(2, first, findings=(finding(),))
    assert standing(made).check == second.summary()


def test_a_part_that_mended_something_is_heard(made):
    one = made.report(1)
    check = made.check(1, findings=(finding(),))
    made.report(2, one, part=True, check=replace(check.summary(), open=0))
    assert standing(made).open_findings == 0


def test_a_check_that_a_run_saw_and_that_is_damaged_since_is_still_told(made):
    check = made.check(1, findings=(finding(),))
    made.report(2, check=check.summary())
    made.damage(check.key)
    assert standing(made).open_findings == 1


# -- the seal --------------------------------------------------------------------------------------


def test_the_seal_is_of_the_head(made):
    one = made.report(1)
    two = made.report(2, one, status="refused")
    assert standing(made).seal == (two.link,)


def test_where_there_are_several_heads_all_are_shown(made):
    one = made.report(1)
    left, right = made.report(2, one, token=1), made.report(2, one, token=2)
    assert standing(made).seal == (left.link, right.link)


def test_a_head_that_only_a_check_knows_is_shown_too(made):
    early = made.report(1)
    last = early
    for number in range(3, 8):
        last = made.report(number, last)
    late = made.report(2, early)
    made.check(7, heads=(late.link,), of_run=last.run_id)
    assert standing(made).seal == (late.link, last.link)


# -- what the owner has to know --------------------------------------------------------------------


def test_albums_that_smugmug_shows_no_more_are_missing_until_they_have_left(made):
    albums = {
        "live": AlbumState(generation=1),
        "missing": AlbumState(generation=1, missing_since=day(1)),
        "gone": AlbumState(generation=2, missing_since=day(1), deleted_at=day(2)),
    }
    made.report(3, albums=albums)
    assert standing(made).missing_albums() == {"missing": albums["missing"]}


def test_failures_that_only_the_owner_can_mend_are_his(made):
    failures = (
        Failure("a", None, Code.ACCESS_REFUSED, "password"),
        Failure("b", None, Code.SOURCE_UNAVAILABLE, "503"),
    )
    made.report(1, status="incomplete", failures=failures)
    assert standing(made).owners() == failures[:1]
