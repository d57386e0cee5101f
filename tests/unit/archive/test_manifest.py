"""Manifests: what is written reads back; what was cut off, or does not count, is damaged."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smugmug_backup.archive.encoding import sha256
from smugmug_backup.archive.manifest import (
    RECORD_LOST,
    Manifest,
    Named,
    Pending,
    Totals,
    Unavailable,
    album_fingerprint,
    header_of,
    pending,
    unavailable,
)
from smugmug_backup.archive.original import Original, Reason, Status, StoredBytes, When
from smugmug_backup.errors import EarlierForm, FormatTooNew, NotABackup
from smugmug_backup.model import Account, Kind
from tests.unit.archive.build import HASH, MD5, NOW, WHEN, day, entry, manifest, stored

KEY = "manifests/hT4mWq=12/00000007.jsonl"

INSTANTS = st.datetimes(timezones=st.just(NOW.tzinfo), min_value=NOW.replace(tzinfo=None)).map(
    lambda instant: instant.replace(microsecond=0)
)
TEXTS = st.text(max_size=8)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True)
CONTENTS = st.builds(
    StoredBytes,
    st.just(f"originals/x/{MD5}.jpg"),
    st.integers(0, 2**50),
    st.just(HASH),
    st.just(MD5),
)
ORIGINALS = st.builds(
    Original,
    kind=st.sampled_from(Kind),
    status=st.sampled_from(Status),
    key=st.none() | st.just(f"originals/pW7dQkN=52/{MD5}.jpg"),
    bytes=st.none() | st.integers(0),
    sha256=st.none() | st.just(HASH),
    md5=st.none() | st.just(MD5),
    source_md5=st.none() | st.just(MD5),
    verified=st.booleans(),
    reason=st.none() | st.sampled_from(Reason),
    reason_since=st.none() | INSTANTS,
    pending_since=st.none() | INSTANTS,
    previous=st.none() | CONTENTS,
)
ENTRIES = st.builds(
    entry,
    IDS,
    image_id=st.none() | st.integers(),
    file_name=st.none() | TEXTS,
    record=st.just(f"records/x/{MD5}.jsonl"),
    record_at=st.tuples(st.integers(0), st.integers(1)),
    position=st.none() | st.integers(1),
    original=ORIGINALS,
    missing_since=st.none() | INSTANTS,
    deleted_at=st.none() | INSTANTS,
)
MANIFESTS = st.builds(
    lambda lines, **header: manifest("hT4mWq", 7, *lines, **header),
    st.lists(ENTRIES, max_size=4),
    previous=st.none() | st.builds(Named, st.integers(1), st.just(HASH)),
    account=st.builds(Account, TEXTS, st.sampled_from(["owner", "public"])),
    title=TEXTS,
    path=st.lists(TEXTS, max_size=2).map(tuple),
    album=st.dictionaries(TEXTS, st.none() | TEXTS | st.integers(), max_size=3),
    cursor=st.integers(0),
    full_listing_at=st.none() | INSTANTS,
    deleted_at=st.none() | INSTANTS,
)


@given(MANIFESTS)
def test_a_manifest_reads_back_as_it_was_written_byte_by_byte(whole):
    body = whole.to_bytes()
    found = Manifest.from_bytes(body, key=KEY)
    assert found == replace(whole, sha256=sha256(body))
    assert found.to_bytes() == body
    assert header_of(body, key=KEY) == whole.header


def test_lines_stand_in_the_order_of_image_keys():
    lines = manifest("a", 1, entry("b"), entry("C"), entry("a")).to_bytes().splitlines()
    assert [json.loads(line)["image_key"] for line in lines[1:]] == ["C", "a", "b"]


WHOLE = manifest(
    "hT4mWq", 7, entry("a"), entry("b", missing_since=NOW), entry("c", deleted_at=NOW), entry("d")
)


def changed(line, change):
    """The file, one of its lines changed."""
    lines = WHOLE.to_bytes().splitlines()
    lines[line] = json.dumps(change(json.loads(lines[line]))).encode()
    return b"\n".join(lines) + b"\n"


def without(*names):
    return lambda data: {key: value for key, value in data.items() if key not in names}


def test_unknown_fields_are_ignored():
    for line in (0, 1):
        body = changed(line, lambda data: {**data, "of_a_later_version": {"x": [1]}})
        found = Manifest.from_bytes(body, key=KEY)
        assert (found.header, found.entries) == (WHOLE.header, WHOLE.entries)


def test_a_greater_version_is_refused_and_no_damage():
    body = changed(0, lambda data: {**data, "version": 2, "previous": "of another kind"})
    for read in (Manifest.from_bytes, header_of):
        with pytest.raises(FormatTooNew, match="version 2"):
            read(body, key=KEY)


def test_a_manifest_without_what_this_form_added_is_of_the_form_that_was_never_released():
    body = changed(0, without("previous", "urls", "line_count"))
    with pytest.raises(EarlierForm, match="preview"):
        Manifest.from_bytes(body, key=KEY)


def test_wherever_a_manifest_is_cut_off_it_is_damaged():
    body = WHOLE.to_bytes()
    for length in range(len(body)):
        with pytest.raises(NotABackup, match=r"00000007\.jsonl"):
            Manifest.from_bytes(body[:length], key=KEY)


def test_a_manifest_cut_off_at_the_end_of_a_line_is_damaged_though_all_its_lines_are_whole():
    lines = WHOLE.to_bytes().splitlines(keepends=True)
    for number in range(1, len(lines)):
        with pytest.raises(NotABackup):
            Manifest.from_bytes(b"".join(lines[:number]), key=KEY)


@pytest.mark.parametrize("name", ["image_count", "line_count"])
@pytest.mark.parametrize("by", [-1, 1])
def test_a_count_that_its_lines_do_not_have_is_damage(name, by):
    body = changed(0, lambda data: {**data, name: data[name] + by})
    with pytest.raises(NotABackup):
        Manifest.from_bytes(body, key=KEY)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"[]\n",
        b"\xff\xfe\n",
        b"[" * 100_000,
        changed(1, lambda data: {**data, "image_key": "d"}),
        changed(1, lambda data: {**data, "image_key": "../a"}),
        changed(1, lambda data: {**data, "image_key": 7}),
        changed(1, lambda data: {**data, "record": "records/x/y.jsonl"}),
        changed(1, lambda data: {**data, "record": "r", "record_at": [float("inf"), 1]}),
        changed(1, lambda data: {**data, "missing_since": "soon"}),
        changed(1, without("original")),
        changed(1, without("record_at")),
        changed(0, without("cursor")),
        changed(0, lambda data: {**data, "format": "smugmug-backup/records"}),
        changed(0, lambda data: {**data, "written_at": None}),
        changed(0, lambda data: {**data, "account": None}),
    ],
)
def test_what_is_not_readable_as_a_manifest_is_damaged(body):
    with pytest.raises(NotABackup):
        Manifest.from_bytes(body, key=KEY)


def test_an_empty_album_is_a_manifest_of_one_line():
    body = manifest().to_bytes()
    assert body.count(b"\n") == 1
    assert Manifest.from_bytes(body, key=KEY).entries == {}


def test_counts_are_of_live_lines_and_of_all():
    assert (WHOLE.header.image_count, WHOLE.header.line_count) == (2, 4)


def test_of_an_album_that_has_left_no_line_is_live():
    gone = replace(WHOLE, header=replace(WHOLE.header, deleted_at=NOW))
    assert [each.image_key for each in WHOLE.live] == ["a", "d"]
    assert gone.live == []


def test_a_manifest_has_a_successor_once_it_was_written():
    written = Manifest.from_bytes(WHOLE.to_bytes(), key=KEY)
    assert written.named == Named(7, sha256(WHOLE.to_bytes()))
    with pytest.raises(ValueError, match="not written"):
        _ = WHOLE.named


def test_an_album_fingerprint_is_of_what_the_album_says_whatever_its_order():
    assert album_fingerprint({"b": 1, "a": 2}) == album_fingerprint({"a": 2, "b": 1})
    assert album_fingerprint({"a": 2}) != album_fingerprint({"a": 1})


# -- what the lines add up to ----------------------------------------------------------------------


def waiting(reason, status=Status.PENDING, **fields):
    fields = {"reason_since": day(1), "pending_since": day(1), **fields}
    return Original(kind=Kind.ORIGINAL, status=status, reason=reason, **fields)


LINES = (
    entry("a"),
    entry("b", original=stored(bytes=5, verified=False, source_md5=None)),
    entry("c", original=waiting(Reason.NOT_YET)),
    entry("d", original=waiting(Reason.PROCESSING)),
    entry(
        "e", original=waiting(Reason.TOO_LARGE, Status.UNAVAILABLE), record="r", record_at=(1, 2)
    ),
    entry(
        "f",
        original=stored(
            bytes=7,
            verified=False,
            reason=Reason.MD5_MISMATCH,
            reason_since=day(1),
            pending_since=day(1),
        ),
    ),
    entry("x", missing_since=NOW, original=waiting(Reason.PROCESSING)),
    entry("y", deleted_at=NOW),
)
ADDED = manifest("hT4mWq", 1, *LINES)


def test_totals_are_of_the_live_lines():
    assert Totals.of(ADDED, WHEN) == Totals(
        image_count=6, bytes=22, pending=3, unavailable=1, unverified=2
    )


def test_a_mismatch_is_pending_for_14_days_and_unverified_for_good():
    later = Totals.of(ADDED, When(day(15)))
    assert (later.pending, later.unverified) == (2, 2)


def test_an_album_that_has_left_keeps_what_its_lines_add_up_to():
    gone = replace(ADDED, header=replace(ADDED.header, deleted_at=NOW))
    assert Totals.of(gone, WHEN) == Totals.of(ADDED, WHEN)
    assert unavailable(gone) == pending(gone, WHEN) == ()


def test_what_waits_is_named_with_its_reason_but_for_what_was_not_tried():
    assert pending(ADDED, WHEN) == (
        Pending("hT4mWq", "d", "processing", day(1), "quay.jpg"),
        Pending("hT4mWq", "f", "md5_mismatch", day(1), "quay.jpg"),
    )
    assert [each.image_key for each in pending(ADDED, When(day(15)))] == ["d"]


def test_what_is_unavailable_is_named_and_so_is_a_lost_record():
    lost = {each.image_key for each in unavailable(ADDED) if each.reason == RECORD_LOST}
    assert lost == {"a", "b", "c", "d", "f"}
    assert Unavailable("hT4mWq", "e", "too_large", "quay.jpg") in unavailable(ADDED)
