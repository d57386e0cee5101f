"""What a check writes down, what it carries on in its ledger, and when a finding is past."""

import json
from dataclasses import replace

import pytest

from smugmug_backup.archive.check_report import CheckReport, Finding, Scope, Wrong
from smugmug_backup.archive.schemas import checker
from smugmug_backup.check.ledger import Ledger
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import Archived, BadRequest, NotStored, StoreRefused
from tests.unit.check.helpers import (
    StopsReading,
    checked,
    flip,
    keys,
    newest_manifest,
    next_check,
    original_of,
    problems,
    record_of,
    stored_report,
)


def test_a_check_writes_its_report_even_if_it_finds_nothing(sample):
    result = checked(sample)
    report = stored_report(sample, result)
    assert report == result.report
    assert report.key.startswith("checks/2026/11/")
    assert report.sound and report.previous == () and report.findings == ()
    assert report.of_run == sample.nights.reports[-1].run_id
    assert report.objects == len(sample.store.objects) - 2  # README.txt, and the report itself


def test_the_report_is_what_its_schema_says(sample):
    flip(sample, original_of(sample))
    sample.store.objects["originals/what.txt"] = b"?"
    result = checked(sample, "all")
    assert checker("check-report", strict=True)(json.loads(result.report.to_bytes())) is None


def test_a_check_names_the_check_before_it(sample):
    first = checked(sample).report
    second = checked(sample).report
    third = next_check(sample).report
    assert second.previous == (first.link,) and third.previous == (second.link,)
    assert first.run_id < second.run_id < third.run_id


def test_a_check_by_a_clock_that_went_back_still_sorts_after_the_one_before(sample):
    first = checked(sample).report
    sample.clock.advance(hours=-10)
    second = checked(sample).report
    assert second.run_id > first.run_id and second.previous == (first.link,)


def test_a_finding_that_is_not_looked_at_again_is_carried_on_with_its_date(sample):
    key = original_of(sample)
    whole = flip(sample, key)
    found = checked(sample, "all").findings
    again = next_check(sample)
    assert again.status == "not_sound"
    assert again.findings == found
    sample.store.objects[key] = whole
    assert next_check(sample).sound


def test_a_finding_is_past_if_a_numbered_name_has_the_bytes(sample):
    key = original_of(sample)
    whole = flip(sample, key)
    assert not checked(sample, "all").sound
    sample.store.objects[key.replace(".jpg", ".2.jpg")] = whole
    assert next_check(sample).sound


@pytest.mark.parametrize("album", ["alps", "harbour", "gone"])
def test_a_finding_of_a_missing_file_of_any_kind_is_past_when_it_is_there_again(sample, album):
    for key in (record_of(sample, album), newest_manifest(sample, album), "README.txt"):
        body = sample.store.objects.pop(key)
        assert (key, "missing") in problems(next_check(sample))
        assert not next_check(sample).sound
        sample.store.objects[key] = body
        assert next_check(sample).sound, key


def test_a_damaged_original_that_a_run_fetched_again_is_past_at_the_next_check(sample):
    key = original_of(sample)
    flip(sample, key)
    assert not checked(sample, "all").sound
    sample.nights.next_night()
    assert sample.nights.line("alps", key.split("/")[1]).original.key != key
    result = checked(sample)
    assert result.sound
    assert next_check(sample, "all").sound


def test_damaged_records_that_a_run_wrote_again_are_past_at_the_next_check(sample):
    key = record_of(sample)
    flip(sample, key, at=400)
    assert problems(checked(sample, "all")) == [(key, "damaged")]
    sample.nights.next_night()
    assert record_of(sample) != key
    assert checked(sample).sound
    assert next_check(sample, "all").sound


def test_a_damaged_manifest_that_a_run_went_past_stays_a_hole_in_the_history(sample):
    key = newest_manifest(sample)
    body = flip(sample, key)
    assert problems(checked(sample)) == [(key, "damaged")]
    sample.nights.next_night()
    (finding,) = next_check(sample).findings
    assert (finding.key, finding.scope) == (key, "history")
    (finding,) = next_check(sample, "all").findings
    assert (finding.key, finding.scope) == (key, "history")
    sample.store.objects[key.replace(".jsonl", ".2.jsonl")] = body
    assert next_check(sample, history=True).sound


def test_what_is_known_is_looked_at_before_the_time_goes_into_reading(sample):
    key = original_of(sample)
    whole = flip(sample, key)
    assert not checked(sample, "all").sound
    sample.store.objects[key] = whole
    deadline = Deadline.none(sample.clock)
    result = next_check(sample, "all", deadline=deadline, observer=StopsReading(deadline))
    assert result.findings == () and result.status == "unfinished"


def test_a_misnamed_file_that_was_made_good_is_past(sample):
    body = sample.store.objects[original_of(sample)]
    md5 = original_of(sample).rpartition("/")[2]
    key = f"originals/zzz/{md5}"
    sample.store.objects[key] = b"foreign"
    assert problems(checked(sample, "all")) == [(key, "misnamed")]
    assert problems(next_check(sample)) == [(key, "misnamed")]
    sample.store.objects[key] = body
    assert next_check(sample, "all").findings == ()


def test_what_smugmug_has_no_more_stays_open_until_the_owner_accepts_it(sample):
    key = min(e.original.key for e in sample.nights.manifest("gone").entries.values())
    flip(sample, key)
    assert problems(checked(sample, "all")) == [(key, "damaged")]
    sample.nights.next_night()
    for _ in range(2):
        (finding,) = next_check(sample).findings
        assert (finding.key, finding.problem, finding.album_key) == (key, "damaged", "gone")
        sample.nights.next_night()
    assert next_check(sample, accept=[key]).sound
    assert next_check(sample, "all").sound


def test_bytes_that_are_there_again_stay_a_finding_until_a_run_has_heard_of_them(sample):
    key = min(e.original.key for e in sample.nights.manifest("gone").entries.values())
    whole = flip(sample, key)
    checked(sample, "all")
    sample.nights.next_night()
    sample.store.objects[key] = whole
    assert problems(next_check(sample, "all")) == [(key, "damaged")]
    report = sample.nights.next_night()
    assert (report.check.open, report.counts.repaired) == (0, 1)
    assert next_check(sample, "all").sound


def test_nights_of_runs_checks_and_damage_end_sound(sample):
    """The night after: what a run mended, no check tells for ever."""
    for night in range(12):
        if night % 3 == 0:
            flip(sample, original_of(sample, "harbour", night % 3))
        if night % 4 == 1:
            flip(sample, record_of(sample), at=-5)
        next_check(sample, "all" if night % 2 else "50%")
        sample.source.upload("alps")
        sample.nights.next_night()
    next_check(sample, "all")
    sample.nights.next_night()
    result = next_check(sample, "all")
    assert result.sound, problems(result)
    assert len(keys(sample, "checks/")) == 14


def test_what_the_owner_accepts_as_lost_is_past_and_stays_so(sample):
    key = original_of(sample)
    del sample.store.objects[key]
    assert not checked(sample).sound
    accepted = next_check(sample, accept=[key])
    assert accepted.sound and accepted.report.accepted == (key,)
    later = next_check(sample, "all")
    assert later.sound and later.report.accepted == (key,)


def test_a_key_that_no_open_finding_has_is_not_accepted_and_nothing_is_written(sample):
    del sample.store.objects[original_of(sample)]
    sample.store.objects["originals/what.txt"] = b"?"
    checked(sample)
    before = keys(sample, "checks/")
    for key in (original_of(sample, "harbour"), "nonsense", "originals/what.txt"):
        with pytest.raises(BadRequest, match="no open finding"):
            checked(sample, accept=[key])
    assert keys(sample, "checks/") == before


def test_two_checks_at_once_are_both_carried_on(sample):
    one, other = original_of(sample), original_of(sample, "harbour")
    del sample.store.objects[one]
    first = checked(sample).report
    mine = sample.store.objects.pop(first.key)
    sample.store.objects[one] = b"\xff\xd8\xff\xe0"
    del sample.store.objects[other]
    second = checked(sample).report
    sample.store.objects[first.key] = mine
    sample.store.objects[second.key] = sample.store.objects.pop(second.key)
    joined = next_check(sample)
    links = {link.run_id for link in joined.report.previous}
    assert links == {first.run_id, second.run_id}
    assert {key for key, _ in problems(joined)} == {one, other}
    assert len(next_check(sample).report.previous) == 1


def test_a_report_that_cannot_be_written_is_told_and_the_rest_too(sample):
    class ReadOnly:
        def __init__(self, store):
            self._store = store

        def __getattr__(self, name):
            return getattr(self._store, name)

        def create(self, key, body, **more):
            raise StoreRefused("it is mounted read-only")

    key = original_of(sample)
    result = checked(sample, store=ReadOnly(sample.store))
    assert result.sound and "read-only" in result.not_written
    del sample.store.objects[key]
    result = checked(sample, store=ReadOnly(sample.store))
    assert problems(result) == [(key, "missing")]
    assert keys(sample, "checks/") == []
    assert result.as_json()["report"] is None


def test_a_file_that_no_backup_holds_is_told_and_makes_nothing_unsound(sample):
    foreign = ["originals/foo.jpg", "manifests/notes.txt", "records/a", "runs/2026/x", "checks/y"]
    for key in foreign:
        sample.store.objects[key] = b"foreign"
    fine = ["originals/Thumbs.db", "runs/2026/11/desktop.ini", "lost/found", "zzz/x", "top.txt"]
    for key in fine:
        sample.store.objects[key] = b"fine"
    result = checked(sample, "all")
    assert result.sound
    assert sorted(problems(result)) == sorted((key, "foreign") for key in foreign)
    for key in foreign:
        del sample.store.objects[key]
    assert next_check(sample).findings == ()


def test_a_file_with_a_name_of_ours_and_other_bytes_is_misnamed_if_no_line_names_it(sample):
    strange = ["originals/zzz/" + "0" * 32 + ".jpg", "records/zzz/" + "0" * 32 + ".jsonl"]
    for key in strange:
        sample.store.objects[key] = b"foreign"
    assert checked(sample).findings == ()
    result = checked(sample, "all")
    assert result.sound
    assert problems(result) == [(key, "misnamed") for key in strange]
    for key in strange:
        del sample.store.objects[key]
    assert next_check(sample).findings == ()


def test_what_a_killed_run_left_is_neither_damage_nor_foreign(sample):
    key = original_of(sample)
    body = sample.store.objects[key]
    sample.store.objects[key.replace("i0000", "left")] = body
    result = checked(sample, "all")
    assert result.sound and result.findings == ()


def many(sample, number):
    """The report of a check that found more than one can name."""
    first = checked(sample).report
    finding = Finding(
        "originals/x/" + "0" * 32 + ".jpg",
        "alps",
        "x",
        Wrong.UNREADABLE,
        Scope.STATE,
        first.ended_at,
        "it was away",
    )
    told = replace(first, sound=False, findings=(finding,), more_findings=number)
    sample.store.objects[first.key] = told.to_bytes()


def test_while_more_is_open_than_was_named_only_a_check_of_everything_says_sound(sample):
    many(sample, 7)
    result = next_check(sample)
    assert result.status == "not_sound" and result.report.more_findings == 7
    assert next_check(sample, history=True).report.more_findings == 7
    assert next_check(sample, "all").sound


def test_more_findings_than_a_report_names_are_counted(sample, monkeypatch):
    monkeypatch.setattr("smugmug_backup.check.ledger.NAMED", 3)
    for key in keys(sample, "originals/"):
        del sample.store.objects[key]
    first = checked(sample, history=True)
    lost = len(first.report.findings) + first.report.more_findings
    assert len(first.findings) == 3 and lost >= 9
    second = next_check(sample, history=True)
    assert second.report.more_findings == first.report.more_findings


def test_a_damaged_check_report_makes_the_next_unsound_until_everything_was_looked_at(sample):
    key = original_of(sample)
    flip(sample, key)
    found = checked(sample, "all").report
    flip(sample, found.key, at=3)
    result = next_check(sample)
    assert problems(result) == [(found.key, "damaged")]
    assert not next_check(sample).sound
    everything = next_check(sample, "all")
    assert problems(everything) == [(key, "damaged")]


def test_a_check_report_that_could_not_be_read_for_nights_is_carried_on_later(sample):
    key = original_of(sample)
    flip(sample, key)
    found = checked(sample, "all").report
    store, away = sample.store, {found.key}
    read = store.read

    def refuse(asked):
        if asked in away:
            raise StoreRefused("not tonight")
        return read(asked)

    store.read = refuse
    for _ in range(3):
        assert (found.key, "unreadable") in problems(next_check(sample))
    away.clear()
    assert problems(next_check(sample)) == [(key, "damaged")]
    sample.store.objects[key] = b"?"
    newest = max(keys(sample, "checks/"))
    assert found.link in CheckReport.from_bytes(store.objects[newest], key=newest).previous


def test_a_check_report_of_the_future_is_no_predecessor(sample):
    sample.clock.advance(days=40)
    ahead = checked(sample).report
    sample.clock.advance(days=-40)
    now = checked(sample).report
    assert now.run_id < ahead.run_id and now.previous == ()


def test_a_run_report_that_an_earlier_check_saw_is_missed_even_if_nothing_names_it(sample):
    checked(sample)
    key = max(keys(sample, "runs/"))
    del sample.store.objects[key]
    assert (key, "missing") in problems(next_check(sample))


def test_a_run_report_that_one_of_two_checks_at_once_saw_is_missed(sample):
    first = checked(sample).report
    mine = sample.store.objects.pop(first.key)
    lost = max(keys(sample, "runs/"))
    del sample.store.objects[lost]
    second = next_check(sample).report
    assert (second.previous, second.of_run < first.of_run) == ((), True)
    sample.store.objects[first.key] = mine
    assert problems(next_check(sample)) == [(lost, "missing")]


def test_an_unstored_head_does_not_end_the_check(sample):
    original = sample.store.head

    def head(key):
        if key.startswith("originals/"):
            raise NotStored("gone meanwhile")
        return original(key)

    sample.store.head = head
    key = original_of(sample)
    del sample.store.objects[key]
    assert problems(checked(sample)) == [(key, "missing")]


def test_what_is_not_checked_is_told_in_at_most_a_hundred_words_or_so(sample):
    ledger = Ledger(sample.clock)
    for number in range(150):
        ledger.left(f"object {number}")
    ledger.left("object 1")
    assert len(ledger.not_checked) == 101
    assert ledger.not_checked[-1] == "50 more like these"


def test_what_is_known_to_be_damaged_is_not_read_again_without_end(sample, monkeypatch):
    wanted = [key for key in keys(sample, "originals/") if "i000004" not in key]
    before = {key: flip(sample, key) for key in wanted}
    assert len(checked(sample, "all").findings) == len(wanted)
    monkeypatch.setattr("smugmug_backup.check.follow._BYTES", 40)
    sample.store.objects.update(before)
    left = [len(next_check(sample).findings) for _ in range(8)]
    assert 0 < left[0] < len(wanted)
    assert left == sorted(left, reverse=True) and left[-1] == 0


@pytest.mark.parametrize(
    ("scopes", "told"),
    [
        ((Scope.HISTORY, Scope.STATE), Scope.STATE),
        ((Scope.STATE, Scope.HISTORY), Scope.STATE),
        ((Scope.HISTORY, Scope.HISTORY), Scope.HISTORY),
        ((Scope.STATE, Scope.STATE), Scope.STATE),
    ],
)
def test_what_the_newest_state_lacks_counts_before_history_and_the_first_word_stays(
    sample, scopes, told
):
    ledger = Ledger(sample.clock)
    for word, scope in zip(("first", "second"), scopes, strict=True):
        ledger.wrong("originals/a=1/b.jpg", Wrong.MISSING, word, scope=scope)
    (finding,) = ledger._seen.values()
    assert finding.scope is told
    assert finding.message == ("second" if scopes == (Scope.HISTORY, Scope.STATE) else "first")


@pytest.mark.parametrize(
    ("key", "finished"),
    [
        ("originals/a=1/b.jpg", True),
        ("records/a=1/c.jsonl", True),
        ("manifests/a=1/1.jsonl", False),
    ],
)
def test_an_original_may_well_lie_in_an_archive_and_a_manifest_keeps_a_check_from_its_end(
    sample, key, finished
):
    ledger = Ledger(sample.clock)
    ledger.failed(key, Archived("it must be thawed first"))
    assert ledger.finished is finished
    assert ledger.not_checked == (f"{key}: it must be thawed first",)
