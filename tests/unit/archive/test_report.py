"""Run reports: what is written reads back, and which of two entries of an album counts."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smugmug_backup.archive.encoding import sha256
from smugmug_backup.archive.manifest import Pending, Unavailable
from smugmug_backup.archive.original import When
from smugmug_backup.archive.report import (
    AlbumState,
    Checked,
    CompleteAsOf,
    Counts,
    Doubt,
    Failure,
    Link,
    NextFull,
    RunReport,
    RunStatus,
    future,
    merged,
)
from smugmug_backup.errors import EarlierForm, FormatTooNew, NotABackup, StoreRefused
from smugmug_backup.model import Account
from tests.unit.archive.build import HASH, NOW, WHEN, day, entry, manifest, report, run_id, stored

KEY = report(1).key
TEXTS = st.text(max_size=6)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True)
INSTANTS = st.integers(0, 4000).map(day)
MAYBE = st.none() | INSTANTS
NUMBERS = st.integers(0, 2**40)
STATES = st.builds(
    AlbumState,
    title=TEXTS,
    path=st.lists(TEXTS, max_size=2).map(tuple),
    generation=NUMBERS,
    manifest_sha256=st.none() | st.just(HASH),
    album_fingerprint=st.none() | st.just(HASH[:16]),
    cursor=NUMBERS,
    full_listing_at=MAYBE,
    listed_at=MAYBE,
    tried_at=MAYBE,
    image_count=NUMBERS,
    bytes=NUMBERS,
    count_difference=st.none() | st.integers(),
    pending=NUMBERS,
    unavailable=NUMBERS,
    unverified=NUMBERS,
    next_full=st.none() | st.sampled_from(NextFull),
    doubt=st.none() | st.builds(Doubt, MAYBE, st.none() | st.integers(), st.just(HASH[:16])),
    missing_since=MAYBE,
    deleted_at=MAYBE,
)
LINKS = st.builds(Link, st.integers(1, 99).map(run_id), st.just(HASH))


def few(strategy):
    return st.lists(strategy, max_size=2).map(tuple)


REPORTS = st.builds(
    RunReport,
    run_id=st.integers(1, 99).map(run_id),
    status=st.sampled_from(RunStatus),
    trigger=st.none() | TEXTS,
    attempt_of=st.none() | st.just(run_id(1)),
    started_at=INSTANTS,
    ended_at=INSTANTS,
    part=st.booleans(),
    account=st.none() | st.builds(Account, TEXTS, st.sampled_from(["owner", "public"])),
    source=TEXTS,
    counts=st.builds(Counts, albums=NUMBERS, seconds=st.floats(0, 1000)),
    previous=few(LINKS),
    dated_at=MAYBE,
    clock_doubted=st.booleans(),
    formerly=few(TEXTS),
    complete_as_of=st.none() | st.builds(CompleteAsOf, st.just(run_id(1)), MAYBE),
    check=st.none()
    | st.builds(Checked, st.just(run_id(1)), st.just(HASH), INSTANTS, st.booleans(), NUMBERS),
    readme_sha256=st.none() | st.just(HASH),
    failures=few(st.builds(Failure, st.none() | IDS, st.none() | IDS, TEXTS, TEXTS)),
    more_failures=NUMBERS,
    unavailable=few(st.builds(Unavailable, IDS, IDS, TEXTS)),
    more_unavailable=NUMBERS,
    pending=few(st.builds(Pending, IDS, IDS, TEXTS, MAYBE)),
    more_pending=NUMBERS,
    ignored_albums=few(IDS),
    notes=few(TEXTS),
    albums=st.dictionaries(IDS, STATES, max_size=2),
)


@given(REPORTS)
def test_a_report_reads_back_as_it_was_written_byte_by_byte(whole):
    body = whole.to_bytes()
    found = RunReport.from_bytes(body, key=whole.key)
    assert found == replace(whole, sha256=sha256(body))
    assert found.to_bytes() == body


BODY = report(1, albums={"a": AlbumState(generation=3)}).to_bytes()


def changed(**fields):
    return json.dumps({**json.loads(BODY), **fields}).encode()


def test_unknown_fields_are_ignored():
    body = changed(of_a_later_version=1, counts={**json.loads(BODY)["counts"], "new_one": 7})
    found = RunReport.from_bytes(body, key=KEY)
    assert replace(found, sha256=None) == report(1, albums={"a": AlbumState(generation=3)})


def test_a_greater_version_is_refused_and_no_damage():
    with pytest.raises(FormatTooNew):
        RunReport.from_bytes(changed(version=2), key=KEY)


def test_a_report_without_predecessors_is_of_the_form_that_was_never_released():
    data = json.loads(BODY)
    for field in ("previous", "dated_at", "check"):
        del data[field]
    with pytest.raises(EarlierForm):
        RunReport.from_bytes(json.dumps(data).encode(), key=KEY)


def test_a_report_that_is_cut_off_is_damaged():
    for length in range(0, len(BODY) - 1, 7):
        with pytest.raises(NotABackup):
            RunReport.from_bytes(BODY[:length], key=KEY)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"\xff",
        changed(format="smugmug-backup/check-report"),
        changed(status="finished"),
        changed(counts={}),
        changed(albums={"a": {}}),
        changed(albums=[]),
        changed(albums={"../a": AlbumState().as_json()}),
        changed(previous=[{"run_id": "x"}]),
        changed(ended_at=None),
        changed(account=None),
    ],
)
def test_what_is_not_readable_as_a_report_is_damaged(body):
    with pytest.raises(NotABackup, match="runs/2026/11"):
        RunReport.from_bytes(body, key=KEY)


@pytest.mark.parametrize(
    ("fields", "trusted", "complete"),
    [
        ({}, True, True),
        ({"status": "incomplete"}, True, False),
        ({"status": "continuing"}, True, False),
        ({"status": "refused"}, False, False),
        ({"part": True}, False, False),
        ({"clock_doubted": True}, False, False),
    ],
)
def test_which_reports_tell_the_state_of_the_account(fields, trusted, complete):
    found = report(1, **fields)
    assert (found.trusted, found.complete) == (trusted, complete)


def test_a_report_has_a_successor_once_it_was_written():
    with pytest.raises(ValueError, match="not written"):
        _ = report(1).link
    assert RunReport.from_bytes(BODY, key=KEY).link == Link(run_id(1), sha256(BODY))


@pytest.mark.parametrize(("told", "when"), [(day(7), day(7)), (None, day(1))])
def test_the_newest_complete_run_is_dated_by_the_machine_where_smugmug_told_no_date(told, when):
    assert CompleteAsOf(run_id(1), told).when == when


@pytest.mark.parametrize(
    ("hours", "ahead"), [(-1, False), (0, False), (11.9, False), (12, False), (12.1, True)]
)
def test_a_report_lies_in_the_future_by_more_than_12_hours(hours, ahead):
    assert future(run_id(1), NOW - timedelta(hours=hours)) is ahead


A = AlbumState(generation=2, tried_at=day(5))


@pytest.mark.parametrize(
    ("other", "counts"),
    [
        (replace(A, generation=3, tried_at=day(1)), True),
        (replace(A, generation=1, tried_at=day(9)), False),
        (replace(A, tried_at=day(6)), True),
        (replace(A, tried_at=day(4)), False),
        (replace(A, tried_at=None), False),
        (replace(A, image_count=7), False),  # both the same: the first
    ],
)
def test_of_two_entries_the_greater_generation_counts_and_then_the_later_attempt(other, counts):
    assert merged(A, other) is (other if counts else A)
    if other.tried_at != A.tried_at or other.generation != A.generation:
        assert merged(other, A) is (other if counts else A)


def test_counts_add_up():
    one = Counts(new=1, seconds=0.5)
    one.add(Counts(new=2, albums=3, seconds=1))
    assert one == Counts(new=3, albums=3, seconds=1.5)


def test_a_failure_says_whether_time_may_mend_it():
    refused = Failure.of(StoreRefused("denied"), album_key="a")
    assert (refused.album_key, refused.code, refused.message) == ("a", "store_refused", "denied")
    assert not refused.passing
    assert Failure(None, None, "source_unavailable", "").passing


# -- an album's state ------------------------------------------------------------------------------


LINES = (entry("a"), entry("b", original=stored(bytes=5, verified=False, source_md5=None)))
WRITTEN = replace(manifest("hT4mWq", 7, *LINES, cursor=99, full_listing_at=day(3)), sha256=HASH)


def test_a_committed_manifest_says_what_it_adds_up_to_and_the_rest_stays():
    found = AlbumState(cursor=5, doubt=Doubt(NOW, 1, "x")).committed(WRITTEN, WHEN)
    assert (found.cursor, found.doubt) == (5, Doubt(NOW, 1, "x"))
    assert (found.generation, found.manifest_sha256) == (7, HASH)
    assert (found.image_count, found.bytes, found.unverified) == (2, 15, 1)
    assert (found.title, found.path) == ("Harbour 2024", ("Travel", "Coast"))


def test_a_manifest_tells_a_state_from_which_an_album_is_listed_in_full():
    found = AlbumState.of(WRITTEN, reason=NextFull.STATE_LOST, when=When(day(9)))
    assert (found.cursor, found.full_listing_at) == (99, day(3))
    assert found.next_full == NextFull.STATE_LOST
    assert found.live


def test_a_last_generation_tells_that_the_album_has_left():
    gone = replace(WRITTEN, header=replace(WRITTEN.header, deleted_at=day(8)))
    found = AlbumState.of(gone, reason=NextFull.STATE_LOST, when=WHEN)
    assert found.gone
    assert not found.live
    assert (found.missing_since, found.next_full, found.image_count) == (day(8), None, 2)


@pytest.mark.parametrize(("difference", "count"), [(None, 10), (0, 10), (-2, 8), (3, 13)])
def test_what_the_account_said_of_its_number_is_the_count_and_the_difference(difference, count):
    assert AlbumState(image_count=10, count_difference=difference).source_count == count
