"""Files held to all that the format says: one sound file of each kind, and each way to spoil it."""

import json

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.encoding import canonical_json, json_line, sha256
from smugmug_backup.archive.inspection import (
    forgotten_keys,
    inspect_check_report,
    inspect_manifest,
    inspect_records,
    inspect_report,
)
from smugmug_backup.archive.records import records_header
from smugmug_backup.errors import FormatTooNew, NotABackup, StoreRefused
from tests.tools.sample import sample_store


@pytest.fixture
def sample():
    return sample_store()


def newest(sample, prefix):
    key = max(key for key in sample.store.objects if key.startswith(prefix))
    return key, sample.store.objects[key]


def records(*lines, header=None):
    """A records file of album A, and the key that its bytes have."""
    body = (header or records_header("A")) + b"".join(line + b"\n" for line in lines)
    return keys.records("A", sha256(body)[:32]), body


def line(image_key):
    return canonical_json(
        {"image": {"b": 1, "a": "é"}, "image_key": image_key, "source": "smugmug-1.3.0", "urls": []}
    )


def test_what_runs_wrote_is_what_the_format_says(sample):
    for key, body in sample.store.objects.items():
        if key.startswith("manifests/"):
            assert inspect_manifest(body, key=key).sha256 == sha256(body)
        elif key.startswith("records/"):
            inspect_records(body, key=key)
        elif key.startswith("runs/") and key.endswith(".json"):
            assert inspect_report(body, key=key).key == key
        assert keys.is_known(key)


def test_lines_of_another_generation_are_taken_over_and_nothing_else_is(sample):
    lines = {}
    for number in (4, 5):
        key = keys.manifest("harbour", number)
        body = sample.store.objects[key]
        assert inspect_manifest(body, key=key, lines=lines) == inspect_manifest(body, key=key)
        assert len(lines) == len(body.splitlines()) - 1
    cut = body[: body[:-1].rindex(b"\n") + 1]
    with pytest.raises(NotABackup, match="there are"):
        inspect_manifest(cut, key=key, lines=lines)


@pytest.mark.parametrize(
    ("prefix", "inspect"), [("manifests/", inspect_manifest), ("runs/", inspect_report)]
)
def test_a_file_under_another_s_name_is_none(sample, prefix, inspect):
    key, body = newest(sample, prefix)
    other = min(each for each in sample.store.objects if each.startswith(prefix))
    with pytest.raises(NotABackup):
        inspect(body, key=other)
    numbered = keys.numbered(key, 2)
    assert inspect(body, key=numbered) == inspect(body, key=key)


def test_a_report_that_its_schema_refuses_is_named_by_what_is_wrong(sample):
    key, body = newest(sample, "runs/")
    with pytest.raises(NotABackup, match=r"counts\.albums must be"):
        inspect_report(body.replace(b'"counts":{"albums":2', b'"counts":{"albums":-2'), key=key)
    with pytest.raises(FormatTooNew):
        inspect_report(body.replace(b'"version":1', b'"version":2'), key=key)
    with pytest.raises(NotABackup):
        inspect_check_report(body, key=key)


def test_a_sound_records_file_may_have_fields_that_nobody_knows_yet():
    more = canonical_json({**json.loads(line("y")), "zebra": 1})
    key, body = records(line("x"), more)
    inspect_records(body, key=key)
    inspect_records(body, key=keys.numbered(key, 2))


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        (records(), "fewer than the format allows"),
        (records(line("y"), line("x")), "not in its order"),
        (records(line("x"), line("x")), "not in its order"),
        (records(json.dumps(json.loads(line("x"))).encode()), "no canonical JSON"),
        (records(b'{"image_key":"x"}'), "is missing"),
        (records(b"?"), "not readable"),
        (records(line("x"), header=records_header("B")), "first or last line"),
        (records(line("x"), header=json_line({"format": "x", "version": 1})), "not readable"),
        (records(line("x"), b""), "more or fewer"),
    ],
)
def test_a_records_file_that_is_not_what_the_format_says_is_named(spoiled, says):
    key, body = spoiled
    with pytest.raises(NotABackup, match=says):
        inspect_records(body, key=key)


def test_a_records_file_is_proved_by_its_name():
    key, body = records(line("x"))
    with pytest.raises(NotABackup, match="its name stands for"):
        inspect_records(body + b"\n", key=key)


def test_a_newer_records_file_is_no_damage():
    header = records_header("A").replace(b'"version":1', b'"version":2')
    key, body = records(line("x"), header=header)
    with pytest.raises(FormatTooNew):
        inspect_records(body, key=key)


def test_what_was_forgotten_is_told_by_its_file():
    forgotten = {
        "format": "smugmug-backup/forgotten",
        "version": 1,
        "image_key": "x",
        "forgotten_at": "2026-11-25T18:00:00Z",
        "keys": ["originals/x/" + "0" * 32 + ".jpg"],
    }
    body = json.dumps(forgotten).encode()
    assert forgotten_keys(body, key="forgotten/x.json") == tuple(forgotten["keys"])
    with pytest.raises(NotABackup):
        forgotten_keys(b"{}", key="forgotten/x.json")


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("README.3.txt", True),
        ("manifests/A=1/00000001.2.jsonl", True),
        ("runs/2026/11/20261124T030000Z-00000001.html", True),
        ("checks/2026/11/20261124T030000Z-00000001.2.json", True),
        ("forgotten/A=1.json", True),
        ("manifests/A/00000001.jsonl", False),
        ("manifests/A=1/00000000.jsonl", False),
        ("originals/x/quay.jpg", False),
        ("runs/2026/12/20261124T030000Z-00000001.json", False),
        ("runs/2026/02/20260231T030000Z-00000001.json", False),
        ("holiday.jpg", False),
    ],
)
def test_a_name_is_that_of_a_backup_s_file_or_it_is_not(key, known):
    assert keys.is_known(key) is known


def test_a_report_that_cannot_be_read_tonight_gives_way_to_the_one_before(sample):
    archive = Archive(sample.store)
    runs = archive.runs()
    read = sample.store.read

    def refuse(key):
        if key == keys.report(runs[-1]):
            raise StoreRefused("not tonight")
        return read(key)

    sample.store.read = refuse
    found = archive.reports_among(runs, now=sample.clock.now())
    assert found.trusted is not None
    assert found.trusted.run_id == runs[-2]
