"""Check reports: what is written reads back, and what makes a store unsound."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smugmug_backup.archive.check_report import CheckReport, Finding, Scope, Wrong
from smugmug_backup.archive.encoding import sha256
from smugmug_backup.archive.report import Link
from smugmug_backup.errors import FormatTooNew, NotABackup
from tests.unit.archive.build import HASH, check, day, finding, run_id

KEY = check(1).key
TEXTS = st.text(max_size=6)
NUMBERS = st.integers(0, 2**40)
LINKS = st.lists(st.builds(Link, st.integers(1, 99).map(run_id), st.just(HASH)), max_size=2)
FINDINGS = st.builds(
    Finding,
    TEXTS,
    st.none() | TEXTS,
    st.none() | TEXTS,
    st.sampled_from(Wrong),
    st.sampled_from(Scope),
    st.integers(1, 99).map(day),
    TEXTS,
)
REPORTS = st.builds(
    CheckReport,
    run_id=st.just(run_id(1)),
    previous=LINKS.map(tuple),
    started_at=st.just(day(1)),
    ended_at=st.just(day(2)),
    trigger=st.none() | TEXTS,
    sound=st.booleans(),
    history=st.booleans(),
    of_run=st.none() | st.just(run_id(1)),
    objects=NUMBERS,
    read_objects=NUMBERS,
    read_bytes=NUMBERS,
    not_checked=st.lists(TEXTS, max_size=2).map(tuple),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    more_findings=NUMBERS,
    accepted=st.lists(TEXTS, max_size=2).map(tuple),
    heads=LINKS.map(tuple),
)


@given(REPORTS)
def test_a_report_reads_back_as_it_was_written_byte_by_byte(whole):
    body = whole.to_bytes()
    found = CheckReport.from_bytes(body, key=whole.key)
    assert found == replace(whole, sha256=sha256(body))
    assert found.to_bytes() == body


BODY = check(1, findings=(finding(),)).to_bytes()


def changed(**fields):
    return json.dumps({**json.loads(BODY), **fields}).encode()


def test_unknown_fields_are_ignored():
    found = CheckReport.from_bytes(changed(of_a_later_version=1), key=KEY)
    assert replace(found, sha256=None) == check(1, findings=(finding(),))


def test_a_greater_version_is_refused():
    with pytest.raises(FormatTooNew):
        CheckReport.from_bytes(changed(version=2), key=KEY)


def test_a_report_without_predecessors_is_damaged():
    data = json.loads(BODY)
    del data["previous"]
    with pytest.raises(NotABackup):
        CheckReport.from_bytes(json.dumps(data).encode(), key=KEY)


def test_a_report_that_is_cut_off_is_damaged():
    for length in range(len(BODY) - 1):
        with pytest.raises(NotABackup):
            CheckReport.from_bytes(BODY[:length], key=KEY)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        changed(findings=[{}]),
        changed(findings=[{**json.loads(BODY)["findings"][0], "problem": "odd"}]),
        changed(heads=None),
        changed(ended_at="late"),
    ],
)
def test_what_is_not_readable_as_a_report_is_damaged(body):
    with pytest.raises(NotABackup):
        CheckReport.from_bytes(body, key=KEY)


@pytest.mark.parametrize("problem", Wrong)
def test_only_files_that_no_line_names_leave_a_store_sound(problem):
    harmless = problem in ("foreign", "misnamed")
    assert finding(problem=problem).open is not harmless
    found = check(1, findings=(finding(problem=problem),))
    assert found.open_findings == (0 if harmless else 1)


def test_findings_beyond_those_named_are_open_too():
    assert check(1, findings=(finding(),), more_findings=3).open_findings == 4


def test_a_run_report_says_of_a_check_what_is_open():
    written = CheckReport.from_bytes(BODY, key=KEY)
    summary = written.summary()
    assert (summary.run_id, summary.sha256) == (written.run_id, sha256(BODY))
    assert (summary.sound, summary.open, summary.ended_at) == (True, 1, day(1, 4))
    with pytest.raises(ValueError, match="not written"):
        _ = check(1).link
