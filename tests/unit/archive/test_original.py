"""The life of an original: a test for each cell of the tables in its module."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from smugmug_backup.archive.original import (
    PATIENCE,
    Original,
    Reason,
    Status,
    StoredBytes,
    When,
    failed,
    forgotten,
    found_damaged,
    found_sound,
    lost_for_good,
    offered,
    ready_again,
    stored,
    without_bytes,
)
from smugmug_backup.errors import BadBytes, PhotoError, PhotoRefused, PhotoTooLarge, PhotoUnsafe
from smugmug_backup.model import Availability, Kind, Offer

THEN = datetime(2026, 11, 1, 3, 0, 0, tzinfo=UTC)
NOW = THEN + timedelta(days=5)
OLD, NEW = "a" * 32, "b" * 32
BYTES = StoredBytes(f"originals/x/{OLD}.jpg", 10, "1" * 64, OLD)
OTHER = StoredBytes(f"originals/x/{NEW}.jpg", 20, "2" * 64, NEW)
WRONG = StoredBytes("originals/x/rev-0123456789abcdef.jpg", 30, "3" * 64, "c" * 32)


def at(days=0.0, *, decides=True):
    return When(NOW + timedelta(days=days), decides=decides)


def offer(md5=OLD, **fields):
    fields = {"kind": "original", "availability": Availability.READY, "md5": md5, **fields}
    return Offer(**fields)


READY = offer()
PROCESSING = offer(availability=Availability.PROCESSING)
NEVER = offer(availability=Availability.NEVER)
NONE = offer(kind="none")  # So say both APIs' listings.


def line(status, reason=None, **fields):
    waits = {"reason_since": THEN, "pending_since": THEN} if reason else {}
    fields = {"kind": Kind.ORIGINAL, "source_md5": OLD, **waits, **fields}
    return Original(status=status, reason=reason, **fields)


def at_hand(content, **fields):
    """A line whose bytes are there."""
    fields = {
        "key": content.key,
        "bytes": content.bytes,
        "sha256": content.sha256,
        "md5": content.md5,
        "verified": content.md5 == OLD,
        **fields,
    }
    return line(Status.STORED, fields.pop("reason", None), **fields)


STORED = at_hand(BYTES)
MISMATCH = at_hand(WRONG, reason=Reason.MD5_MISMATCH)
PENDING = line(Status.PENDING, Reason.DOWNLOAD_FAILED)
UNAVAILABLE = line(Status.UNAVAILABLE, Reason.REFUSED_BY_SOURCE)
DAMAGED = line(Status.PENDING, Reason.DAMAGED, previous=BYTES)
DAMAGED_FOR_GOOD = replace(DAMAGED, status=Status.UNAVAILABLE)
FORGOTTEN = line(Status.UNAVAILABLE, Reason.FORGOTTEN)


def shown(before, what, *, replaced=False, changed=None, full=False, when=None):
    """What a listing makes of a line."""
    return offered(
        before,
        what,
        replaced=replaced,
        changed=replaced if changed is None else changed,
        same_source=True,
        full=full,
        when=when or at(),
    )


def is_a_new_wait(found, reason=Reason.NOT_YET):
    return (
        found.status == Status.PENDING
        and found.reason == reason
        and found.reason_since == found.pending_since == NOW
    )


# -- (no line yet) ---------------------------------------------------------------------------------


def test_a_newcomer_is_pending_and_fetched():
    step = shown(None, READY)
    assert step.fetch
    assert is_a_new_wait(step.line)
    assert step.line.source_md5 == OLD


def test_a_newcomer_in_processing_is_pending_and_not_fetched():
    step = shown(None, PROCESSING)
    assert not step.fetch
    assert is_a_new_wait(step.line, Reason.PROCESSING)


@pytest.mark.parametrize(
    ("what", "kind", "reason"),
    [
        (NEVER, Kind.ORIGINAL, Reason.PROCESSING),
        (NONE, Kind.NONE, Reason.NO_ORIGINAL_URL),
    ],
)
def test_a_newcomer_that_will_never_be_there_is_unavailable_at_once(what, kind, reason):
    found = shown(None, what).line
    assert (found.status, found.kind, found.reason) == (Status.UNAVAILABLE, kind, reason)
    assert found.pending_since == found.reason_since == NOW


# -- stored ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("full", [True, False])
def test_what_is_stored_is_kept_under_the_same_offer(full):
    step = shown(STORED, READY, full=full)
    assert step.line is STORED
    assert not step.fetch


def test_what_is_stored_gives_way_to_a_new_offer_and_is_named_beside_it():
    step = shown(STORED, offer(NEW), replaced=True)
    assert step.fetch
    assert is_a_new_wait(step.line)
    assert (step.line.previous, step.line.key, step.line.source_md5) == (BYTES, None, NEW)


@pytest.mark.parametrize("what", [PROCESSING, NEVER, NONE])
def test_what_is_stored_is_kept_if_nothing_is_offered(what):
    step = shown(STORED, what, changed=True, full=True)
    assert step.line.content == BYTES
    assert step.line.verified
    assert not step.fetch


def test_an_edit_takes_up_what_the_source_states_now():
    before = at_hand(BYTES, source_md5=None, verified=False)
    found = shown(before, READY, changed=True).line
    assert (found.source_md5, found.verified) == (OLD, True)


def test_a_video_that_must_be_asked_for_is_pending_until_it_was():
    before = replace(STORED, kind=Kind.RENDITION)
    ask = offer(None, kind="rendition", availability=Availability.LOOKUP)
    step = shown(before, ask, changed=True)
    assert step.fetch
    assert step.kept is before
    assert is_a_new_wait(step.line)
    assert step.line.previous == BYTES


# -- stored, md5_mismatch --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "full", "fetch"),
    [
        (0, False, True),  # it waits
        (8.9, False, True),  # 13.9 days of the mismatch
        (9, False, False),  # 14
        (9, True, True),
    ],
)
def test_a_mismatch_is_fetched_while_it_waits_and_then_when_listed_whole(days, full, fetch):
    step = shown(MISMATCH, READY, full=full, when=at(days))
    assert step.line is MISMATCH
    assert step.fetch is fetch
    assert MISMATCH.waits(at(days)) is (days < 9)


def test_the_14_days_of_a_mismatch_are_not_those_of_the_wait_before_it():
    waited = replace(PENDING, pending_since=NOW - timedelta(days=40))
    found = stored(waited, WRONG, READY, at())
    assert found.pending_since == NOW - timedelta(days=40)
    assert found.reason_since == NOW
    assert found.waits(at(13.9))
    assert not found.waits(at(14))


def test_a_mismatch_gives_way_to_a_new_offer():
    step = shown(MISMATCH, offer(NEW), replaced=True)
    assert step.fetch
    assert is_a_new_wait(step.line)
    assert step.line.previous == WRONG


@pytest.mark.parametrize("what", [PROCESSING, NEVER, NONE])
def test_a_mismatch_is_kept_if_nothing_is_offered(what):
    step = shown(MISMATCH, what, full=True)
    assert step.line is MISMATCH
    assert not step.fetch


@pytest.mark.parametrize("before", [STORED, MISMATCH])
def test_what_is_stored_stays_if_a_question_finds_nothing_to_fetch(before):
    nothing = (PROCESSING, NEVER, NONE, replace(NONE, availability=Availability.NEVER))
    assert [without_bytes(before, what, at()) for what in nothing] == [before] * 4
    assert without_bytes(before, READY, at()) is None


# -- pending ---------------------------------------------------------------------------------------


def test_what_is_pending_is_fetched_at_every_run_and_its_wait_goes_on():
    step = shown(PENDING, READY)
    assert step.line == PENDING
    assert step.fetch


def test_a_new_offer_begins_a_new_wait():
    step = shown(PENDING, offer(NEW), replaced=True)
    assert step.fetch
    assert is_a_new_wait(step.line)


def test_what_becomes_ready_after_processing_begins_a_new_wait():
    step = shown(line(Status.PENDING, Reason.PROCESSING), READY)
    assert step.fetch
    assert is_a_new_wait(step.line)


def test_processing_goes_on_with_the_same_wait():
    before = line(Status.PENDING, Reason.PROCESSING)
    assert shown(before, PROCESSING).line == before


@pytest.mark.parametrize(("what", "kind"), [(NEVER, "original"), (NONE, "none")])
def test_what_is_pending_and_will_never_be_there_is_unavailable(what, kind):
    found = shown(PENDING, what).line
    assert (found.status, found.kind) == (Status.UNAVAILABLE, kind)
    assert found.pending_since == THEN


# -- unavailable -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("full", "changed", "fetch"), [(False, False, False), (True, False, True), (False, True, True)]
)
def test_what_is_unavailable_is_fetched_when_listed_whole_or_changed(full, changed, fetch):
    step = shown(UNAVAILABLE, READY, full=full, changed=changed)
    assert step.line == UNAVAILABLE
    assert step.fetch is fetch


@pytest.mark.parametrize("reason", [Reason.REFUSED_BY_SOURCE, Reason.TOO_LARGE, Reason.PROCESSING])
def test_a_replacement_of_what_was_unavailable_is_a_new_wait_of_its_own(reason):
    before = line(Status.UNAVAILABLE, reason)
    step = shown(before, offer(NEW), replaced=True)
    assert step.fetch
    assert is_a_new_wait(step.line)
    refused = failed(step.line, PhotoRefused("404"), at(1))
    assert refused.status == Status.PENDING  # one refusal is no 14 days of them


def test_a_replacement_in_processing_waits_for_14_days_of_its_own():
    found = shown(UNAVAILABLE, offer(NEW, availability=Availability.PROCESSING), replaced=True).line
    assert is_a_new_wait(found, Reason.PROCESSING)


@pytest.mark.parametrize("reason", [Reason.PROCESSING, Reason.NO_ORIGINAL_URL])
def test_what_was_unavailable_and_becomes_ready_waits_anew_and_never_fails_in_silence(reason):
    step = shown(line(Status.UNAVAILABLE, reason), READY)
    assert step.fetch
    assert is_a_new_wait(step.line)
    found = failed(step.line, PhotoError("broke off"), at())
    assert (found.status, found.reason) == (Status.PENDING, Reason.DOWNLOAD_FAILED)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (PROCESSING, Reason.PROCESSING),
        (NEVER, Reason.PROCESSING),
        (NONE, Reason.NO_ORIGINAL_URL),
    ],
)
def test_what_is_unavailable_is_kept_with_the_present_reason(what, reason):
    step = shown(UNAVAILABLE, what, full=True)
    assert (step.line.status, step.line.reason) == (Status.UNAVAILABLE, reason)
    assert not step.fetch


def test_a_question_that_finds_it_ready_is_a_new_wait_too():
    before = line(Status.UNAVAILABLE, Reason.PROCESSING)
    assert ready_again(before, offer(availability=Availability.LOOKUP), at()) is before
    assert is_a_new_wait(ready_again(before, READY, at()))


# -- damaged ---------------------------------------------------------------------------------------


def test_what_is_damaged_is_fetched_while_it_is_pending():
    step = shown(DAMAGED, READY)
    assert step.line == DAMAGED
    assert step.fetch


@pytest.mark.parametrize(("full", "fetch"), [(False, False), (True, True)])
def test_what_is_damaged_and_unavailable_is_fetched_when_listed_whole(full, fetch):
    step = shown(DAMAGED_FOR_GOOD, READY, full=full)
    assert step.line == DAMAGED_FOR_GOOD
    assert step.fetch is fetch


@pytest.mark.parametrize("before", [DAMAGED, DAMAGED_FOR_GOOD])
def test_a_new_offer_for_what_is_damaged_begins_anew_and_stays_damaged(before):
    step = shown(before, offer(NEW), replaced=True)
    assert step.fetch
    assert is_a_new_wait(step.line, Reason.DAMAGED)
    assert step.line.previous == BYTES


@pytest.mark.parametrize("before", [DAMAGED, DAMAGED_FOR_GOOD])
@pytest.mark.parametrize("what", [PROCESSING, NEVER, NONE])
def test_what_is_damaged_and_not_offered_is_kept_as_it_is(before, what):
    step = shown(before, what, full=True)
    assert step.line == before  # of kind original, too: "none" is for no_original_url alone
    assert not step.fetch


@pytest.mark.parametrize("error", [PhotoError("x"), PhotoRefused("404"), BadBytes("x")])
def test_what_is_damaged_stays_so_whatever_the_attempts_answer(error):
    found = failed(DAMAGED, error, at())
    assert found == DAMAGED
    assert failed(DAMAGED, error, at(8.9)).status == Status.PENDING
    late = failed(DAMAGED, error, at(9))
    assert (late.status, late.reason, late.previous) == (
        Status.UNAVAILABLE,
        Reason.DAMAGED,
        BYTES,
    )


def test_what_is_damaged_and_too_large_now_has_its_14_days_all_the_same():
    assert failed(DAMAGED, PhotoTooLarge("x"), at()) == DAMAGED


def test_what_is_found_damaged_waits_again_and_names_what_was():
    found = found_damaged(STORED, at())
    assert is_a_new_wait(found, Reason.DAMAGED)
    assert (found.previous, found.key, found.verified) == (BYTES, None, False)


def test_bytes_that_a_line_only_names_beside_can_be_damaged_too():
    waits = line(Status.UNAVAILABLE, Reason.NO_ORIGINAL_URL, kind=Kind.NONE, previous=BYTES)
    found = found_damaged(waits, at())
    assert (found.kind, found.previous) == (Kind.ORIGINAL, BYTES)


def test_what_is_damaged_and_found_sound_is_stored_again_where_it_lies():
    found = found_sound(DAMAGED, BYTES._replace(key="originals/x/y.2.jpg"))
    assert found == at_hand(BYTES, key="originals/x/y.2.jpg")


def test_a_mismatch_that_lies_under_another_name_stays_one():
    found = found_sound(MISMATCH, WRONG._replace(key="originals/x/y.2.jpg"))
    assert found == replace(MISMATCH, key="originals/x/y.2.jpg")


def test_sound_bytes_of_an_older_offer_do_not_end_the_wait_for_the_present_one():
    replaced = shown(STORED, offer(NEW), replaced=True).line
    found = found_sound(found_damaged(replaced, at()), BYTES)
    assert (found.status, found.reason) == (Status.PENDING, Reason.NOT_YET)
    assert (found.previous, found.source_md5) == (BYTES, NEW)


def test_a_damaged_original_that_smugmug_has_no_more_is_unavailable():
    assert lost_for_good(DAMAGED) == DAMAGED_FOR_GOOD


# -- forgotten -------------------------------------------------------------------------------------


@pytest.mark.parametrize("replaced", [True, False])
@pytest.mark.parametrize("what", [READY, offer(NEW), PROCESSING, NEVER, NONE])
def test_what_is_forgotten_stays_forgotten(what, replaced):
    step = shown(FORGOTTEN, what, replaced=replaced, full=True)
    assert step.line is FORGOTTEN
    assert not step.fetch


@pytest.mark.parametrize("before", [STORED, MISMATCH, DAMAGED, shown(None, NONE).line])
def test_whatever_a_line_said_it_names_no_bytes_once_they_are_forgotten(before):
    found = forgotten(before, at())
    assert (found.status, found.reason, found.kind) == (
        Status.UNAVAILABLE,
        Reason.FORGOTTEN,
        Kind.ORIGINAL,
    )
    assert found.best is None


# -- what came of fetching -------------------------------------------------------------------------


def test_right_bytes_are_stored_and_what_was_before_is_given_up():
    found = stored(replace(PENDING, previous=OTHER), BYTES, READY, at())
    assert found == STORED


@pytest.mark.parametrize("inexact", [offer(None), offer(NEW, exact=False)])
def test_bytes_of_which_no_md5_says_anything_are_stored_and_not_verified(inexact):
    found = stored(replace(PENDING, previous=OTHER), BYTES, inexact, at())
    assert found.stored
    assert (found.verified, found.reason, found.previous) == (False, None, None)


def test_wrong_bytes_are_stored_beside_what_was_before_and_keep_the_wait():
    found = stored(replace(PENDING, previous=BYTES), WRONG, READY, at())
    assert found.content == WRONG
    assert (found.reason, found.verified, found.previous) == (Reason.MD5_MISMATCH, False, BYTES)
    assert (found.pending_since, found.reason_since) == (THEN, NOW)


def test_a_mismatch_that_comes_again_goes_on():
    found = stored(MISMATCH, WRONG, READY, at(3))
    assert (found.pending_since, found.reason_since) == (THEN, THEN)


def test_what_is_too_large_is_unavailable_at_once():
    found = failed(PENDING, PhotoTooLarge("x"), at())
    assert (found.status, found.reason) == (Status.UNAVAILABLE, Reason.TOO_LARGE)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PhotoRefused("404"), Reason.REFUSED_BY_SOURCE),
        (BadBytes("an empty file"), Reason.BAD_AT_SOURCE),
    ],
)
def test_14_days_of_the_same_answer_end_in_its_name(error, reason):
    first = failed(PENDING, error, at())
    assert (first.status, first.reason, first.reason_since) == (Status.PENDING, reason, NOW)
    assert first.pending_since == THEN
    later = failed(first, error, at(13.9))
    assert later == first
    assert failed(first, error, at(14)).status == Status.UNAVAILABLE


def test_14_days_of_processing_end_in_its_name():
    before = line(Status.PENDING, Reason.PROCESSING)
    assert shown(before, PROCESSING, when=at(8.9)).line.status == Status.PENDING
    assert shown(before, PROCESSING, when=at(9)).line.status == Status.UNAVAILABLE


def test_another_answer_in_between_begins_the_14_days_anew():
    first = failed(PENDING, PhotoRefused("404"), at())
    other = failed(first, PhotoError("broke off"), at(10))
    again = failed(other, PhotoRefused("404"), at(11))
    assert again.reason_since == NOW + timedelta(days=11)
    assert failed(again, PhotoRefused("404"), at(24)).status == Status.PENDING
    assert failed(again, PhotoRefused("404"), at(25)).status == Status.UNAVAILABLE


def test_one_broken_transfer_does_not_keep_a_lasting_refusal_from_its_name():
    found = failed(PENDING, PhotoError("broke off"), at())
    for day in range(1, 16):
        found = failed(found, PhotoRefused("404"), at(day))
    assert (found.status, found.reason) == (Status.UNAVAILABLE, Reason.REFUSED_BY_SOURCE)


@pytest.mark.parametrize("error", [PhotoError("broke off"), PhotoUnsafe("http")])
def test_a_broken_transfer_is_pending_for_as_long_as_it_takes(error):
    found = failed(PENDING, error, at(4000))
    assert (found.status, found.reason) == (Status.PENDING, Reason.DOWNLOAD_FAILED)


@pytest.mark.parametrize("before", [STORED, MISMATCH])
@pytest.mark.parametrize("error", [PhotoError("x"), PhotoRefused("x"), PhotoTooLarge("x")])
def test_what_is_stored_stays_so_after_a_fetch_in_vain(before, error):
    assert failed(before, error, at(400)) is before


def test_what_is_unavailable_stays_so_after_a_fetch_in_vain():
    assert failed(UNAVAILABLE, PhotoError("x"), at(400)) is UNAVAILABLE
    found = failed(UNAVAILABLE, BadBytes("x"), at(400))
    assert (found.status, found.reason) == (Status.UNAVAILABLE, Reason.BAD_AT_SOURCE)


# -- whose clock -----------------------------------------------------------------------------------


def test_where_the_sources_clock_is_not_known_no_time_passes():
    undated = at(4000, decides=False)
    first = failed(PENDING, PhotoRefused("404"), at())
    assert failed(first, PhotoRefused("404"), undated) == first
    assert MISMATCH.waits(undated)
    assert failed(DAMAGED, PhotoError("x"), undated) == DAMAGED
    assert undated.since(NOW) == timedelta()


def test_a_wait_that_a_wrong_clock_began_in_the_future_begins_now():
    ahead = replace(PENDING, reason=Reason.REFUSED_BY_SOURCE, reason_since=at(400).at)
    found = failed(ahead, PhotoRefused("404"), at())
    assert found.reason_since == NOW
    assert failed(found, PhotoRefused("404"), at(14)).status == Status.UNAVAILABLE
    mismatch = stored(replace(MISMATCH, reason_since=at(400).at), WRONG, READY, at())
    assert mismatch.reason_since == NOW


def test_time_is_counted_from_what_is_known():
    assert at(2).since(NOW) == timedelta(days=2)
    assert at().since(None) == timedelta()
    assert at().begun(None) == NOW
    assert at().begun(THEN) == THEN
    assert at().begun(at(1).at) == NOW
    assert timedelta(days=14) == PATIENCE


# -- as it stands in the manifest ------------------------------------------------------------------


@pytest.mark.parametrize(
    "each",
    [STORED, MISMATCH, PENDING, UNAVAILABLE, DAMAGED, FORGOTTEN, shown(None, NONE).line],
    ids=lambda each: f"{each.status} {each.reason}",
)
def test_a_line_reads_back_as_it_was_written(each):
    assert Original.from_json(json.loads(json.dumps(each.as_json()))) == each


def test_a_line_names_the_best_bytes_there_are():
    assert STORED.best == STORED.content == BYTES
    assert DAMAGED.content is None
    assert DAMAGED.best == BYTES
    assert PENDING.best is None


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "picture"},
        {"status": "there"},
        {"reason": "bored"},
        {"pending_since": "yesterday"},
        {"previous": {"key": "x"}},
    ],
)
def test_what_nobody_wrote_is_refused(change):
    with pytest.raises((KeyError, TypeError, ValueError)):
        Original.from_json({**PENDING.as_json(), **change})
