"""How many findings are open: what a run knows, what it was told, and what nobody could read."""

from dataclasses import replace

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.check_report import HARMLESS, CheckReport, Finding, Scope, Wrong
from smugmug_backup.archive.original import (
    Kind,
    Original,
    Status,
    When,
    forgotten,
    found_damaged,
)
from smugmug_backup.archive.report import Checked
from smugmug_backup.backup.findings import Findings, mended
from tests.tools.clock import START
from tests.tools.sample import sample_store

OLDER, NEWER = keys.run_id(START, "00000001"), keys.run_id(START, "00000002")


@pytest.fixture
def sample():
    return sample_store()


def check_of(*albums, run=NEWER):
    found = [
        Finding(f"manifests/{each}/x", each, None, Wrong.DAMAGED, Scope.STATE, START, "damaged")
        for each in albums
    ]
    return CheckReport(
        run, (), START, START, None, not found, False, None, 0, 0, 0, (), found, sha256="0" * 64
    )


def told(number, run=NEWER):
    return Checked(run, "0" * 64, START, False, number)


def test_without_a_check_nothing_is_said():
    assert Findings.of_check(None, None).checked is None


def test_where_nothing_is_open_any_more_nothing_is_looked_at():
    found = Findings.of_check(check_of("A"), told(0))
    assert (found.albums, found.open) == ({}, 0)


def test_no_more_is_open_than_the_newest_run_said():
    found = Findings.of_check(check_of("A", "B", "C"), told(1))
    assert (set(found.albums), found.open) == ({"A", "B", "C"}, 1)


def test_of_a_check_that_no_run_saw_all_is_open():
    assert Findings.of_check(check_of("A", "B"), told(0, OLDER)).open == 2


def test_what_the_newest_run_said_is_not_all_where_another_check_ran_beside():
    found = Findings.of_check(check_of("A", "B"), told(0), alone=False)
    assert (set(found.albums), found.open) == ({"A", "B"}, 2)


def test_what_its_owner_accepted_and_what_harms_nobody_is_not_looked_at():
    check = check_of("A", "B", "C")
    harmless = replace(check.findings[2], problem=next(iter(HARMLESS)))
    check = replace(
        check,
        findings=(*check.findings[:2], harmless),
        accepted=(check.findings[0].key,),
    )
    assert set(Findings.of_check(check, None).albums) == {"B"}


def test_the_number_of_a_check_that_cannot_be_read_stays():
    assert Findings.of_check(None, told(3)).open == 3
    found = Findings.of_check(check_of("A", run=OLDER), told(3))
    found.looked_at("A", ["manifests/A/x"])
    assert (found.checked.run_id, found.open) == (NEWER, 3)


def test_the_end_of_an_overflow_adds_what_was_left_elsewhere_to_what_its_albums_have():
    found = Findings.of_check(check_of("A", "B", "C", "D"), told(3))
    found.looked_at("A", ["manifests/A/x"])
    found.elsewhere(1, {"A", "B"})
    assert found.open == 2


def test_a_hole_in_the_history_stays_open_as_the_check_says(sample):
    newest = sample.nights.manifest("harbour")
    key = keys.manifest("harbour", newest.header.generation + 1)
    header = replace(newest.header, generation=newest.header.generation + 2)
    later = replace(newest, header=header)
    hole = Finding(key, "harbour", None, Wrong.MISSING, Scope.HISTORY, START, "gap")
    fresh = replace(hole, scope=Scope.STATE)
    assert mended([hole], later, ()) == ()
    assert mended([fresh], replace(later, header=replace(header, previous=None)), ()) == (key,)


@pytest.mark.parametrize(
    ("ahead", "previous", "is_past"),
    [(1, -1, True), (1, None, True), (1, 0, False), (0, -1, False), (0, None, False)],
)
def test_a_damaged_newest_manifest_is_past_once_a_newer_one_passed_it_over(
    sample, ahead, previous, is_past
):
    """Which generation is the newest, and which it says that it follows: from the damaged one."""
    newest = sample.nights.manifest("harbour")
    number = newest.header.generation
    finding = Finding(
        keys.manifest("harbour", number), "harbour", None, Wrong.DAMAGED, Scope.STATE, START, "cut"
    )
    follows = previous is not None and replace(newest.header.previous, generation=number + previous)
    header = replace(newest.header, generation=number + ahead, previous=follows or None)
    past = mended([finding], replace(newest, header=header), ())
    assert past == ((finding.key,) if is_past else ())


WHEN = When(START)
NOTHING = Original(Kind.ORIGINAL, Status.PENDING)


@pytest.mark.parametrize(
    ("line_of", "is_past"),
    [
        (lambda line: line, False),
        (lambda line: found_damaged(line, WHEN), False),
        (lambda line: replace(line, key=keys.numbered(line.key, 2)), True),
        (lambda line: replace(NOTHING, previous=line.content), False),
        (lambda line: NOTHING, False),
        (lambda line: forgotten(line, WHEN), True),
    ],
    ids=["named", "awaited as damaged", "numbered", "awaited", "named by none", "forgotten"],
)
def test_a_damaged_original_is_past_once_its_line_names_others_or_wants_none(
    sample, line_of, is_past
):
    newest = sample.nights.manifest("harbour")
    entry = next(each for each in newest.entries.values() if each.original.stored)
    key = entry.original.key
    finding = Finding(
        key, "harbour", entry.image_key, Wrong.DAMAGED, Scope.STATE, START, "other bytes"
    )
    changed = replace(entry, original=line_of(entry.original))
    later = replace(newest, entries={**newest.entries, entry.image_key: changed})
    assert mended([finding], later, ()) == ((key,) if is_past else ())
