"""Keys: every one is understood again, nothing else is, and no disk takes two for one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smugmug_backup.archive import keys
from smugmug_backup.storage.keys import is_key

IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
FEW = st.text("aAbB", min_size=1, max_size=3) | st.sampled_from(["con", "CON", "Con", "com1"])
HEX = "0123456789abcdef" * 4
RUN = "20261124T030004Z-5f0c2a91"
STARTS = st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("hT4mWq", "hT4mWq=12"),
        ("a-b_9", "a-b_9"),
        ("AB", "AB=3"),
        ("V2xgTbs", "V2xgTbs=11"),
        ("con", "con=0"),
        ("CON", "CON=7"),
        ("lpt0", "lpt0=0"),
        ("com9", "com9=0"),
        ("com10", "com10"),
        ("console", "console"),
        ("A" * 64, "A" * 64 + "=ffffffffffffffff"),
    ],
)
def test_a_directory_is_the_key_and_the_mask_of_its_capitals(key, name):
    assert keys.directory(key) == name


@pytest.mark.parametrize(
    ("key", "album_and_image"),
    [
        (keys.manifest("hT4mWq", 3), ("hT4mWq", None)),
        (keys.numbered(keys.manifest("hT4mWq", 3), 2), ("hT4mWq", None)),
        (keys.records("hT4mWq", HEX[:32]), ("hT4mWq", None)),
        (keys.original("pW7dQkN", HEX[:32], "jpg"), (None, "pW7dQkN")),
        (keys.report(RUN), (None, None)),
        ("holiday.txt", (None, None)),
    ],
)
def test_a_name_tells_whose_file_it_is(key, album_and_image):
    assert keys.owners(key) == album_and_image


@given(IDS)
def test_a_directory_tells_its_key(key):
    assert keys.parse_directory(keys.directory(key)) == key


@given(FEW, FEW)
def test_no_two_directories_are_equal_ignoring_case(one, other):
    same = keys.directory(one).lower() == keys.directory(other).lower()
    assert same == (one == other)


@given(IDS)
def test_no_directory_has_a_name_that_windows_reserves(key):
    assert keys.directory(key).lower() not in keys._RESERVED


@pytest.mark.parametrize(
    "name",
    ["", "hT4mWq", "hT4mWq=13", "hT4mWq=012", "hT4mWq=", "a=0", "con", "hT4mWq=12=12", "ä", "a/b"],
)
def test_a_directory_of_no_key_is_none(name):
    assert keys.parse_directory(name) is None


@given(IDS, st.integers(1, 99_999_999))
def test_a_manifest_tells_album_and_generation(album, generation):
    key = keys.manifest(album, generation)
    assert is_key(key)
    assert keys.parse_manifest(key) == (album, generation)
    assert keys.album_of_manifests(key) == album
    assert keys.album_of_manifests(keys.album_manifests(album)) == album


@given(IDS)
def test_records_originals_and_the_forgotten_tell_whose_they_are(key):
    assert keys.parse_records(keys.records(key, HEX[:32])) == (key, HEX[:32])
    for name in (HEX[:32], f"rev-{HEX[:16]}"):
        original = keys.original(key, name, "jpg")
        assert is_key(original)
        assert keys.parse_original(original) == (key, name, "jpg")
    assert keys.parse_forgotten(keys.forgotten(key)) == key


@given(STARTS, st.from_regex(r"[0-9a-f]{8}", fullmatch=True))
def test_a_report_tells_its_run_and_the_run_its_start(start, token):
    run = keys.run_id(start, token)
    assert keys.is_run_id(run)
    assert keys.run_start(run) == start.replace(microsecond=0)
    assert keys.parse_report(keys.report(run)) == run
    assert keys.parse_report(keys.check_report(run), keys.CHECKS) == run
    assert keys.parse_report(keys.drill_report(run), keys.DRILLS) == run


@given(IDS, st.integers(1, 999))
def test_an_outcome_tells_album_and_turn(album, turn):
    assert keys.parse_outcome(keys.outcome(RUN, album, turn)) == (album, turn)


WRONG = {
    keys.parse_manifest: [
        "manifests/hT4mWq=12/00000000.jsonl",
        "manifests/hT4mWq=12/0000001.jsonl",
        "manifests/hT4mWq=12/000000001.jsonl",
        "manifests/hT4mWq=12/00000001.json",
        "manifests/hT4mWq=12/00000001.2.jsonl",
        "manifests/hT4mWq/00000001.jsonl",
        "manifests/a/b/00000001.jsonl",
        "manifests/a/0000000\u0661.jsonl",
        "manifests/a/00000001.jsonl\n",
        "old/manifests/a/00000001.jsonl",
    ],
    keys.parse_records: [
        f"records/a/{HEX[:31]}.jsonl",
        f"records/a/{HEX[:32].upper()}.jsonl",
        f"records/a/{HEX[:32]}.2.jsonl",
        f"records/hT4mWq/{HEX[:32]}.jsonl",
        f"manifests/a/{HEX[:32]}.jsonl",
    ],
    keys.parse_original: [
        f"originals/a/{HEX[:32]}.exe",
        f"originals/a/{HEX[:32]}.2.jpg",
        f"originals/a/rev-{HEX[:15]}.jpg",
        f"originals/a/{HEX[:32]}",
        f"originals/V2xgTbs/{HEX[:32]}.jpg",
        f"originals/a/b/{HEX[:32]}.jpg",
    ],
    keys.parse_report: [
        f"runs/2026/12/{RUN}.json",
        f"runs/2026/11/{RUN}.html",
        f"runs/2026/11/{RUN}.2.json",
        f"checks/2026/11/{RUN}.json",
        f"runs/2026/11/{RUN[:-1]}.json",
        "runs/2026/13/20261301T030004Z-5f0c2a91.json",
        "runs/2026/11/20261131T030004Z-5f0c2a91.json",
        "runs/2026/11/20261124T030060Z-5f0c2a91.json",
        "runs/0000/11/00001124T030004Z-5f0c2a91.json",
    ],
    keys.parse_forgotten: ["forgotten/V2xgTbs.json", "forgotten/a.2.json", "forgotten/a"],
    keys.parse_outcome: [
        f"work/{RUN}/plan.jsonl",
        f"work/{RUN}/a-000.json",
        f"work/{RUN}/a-1.json",
        f"work/{RUN}/b/a-001.json",
        f"work/{RUN}/hT4mWq-001.json",
    ],
    keys.album_of_manifests: [
        "manifests/",
        "manifests/hT4mWq/",
        "manifests/a/b/c",
        "records/a/",
    ],
}


@pytest.mark.parametrize(
    ("parse", "key"), [(parse, key) for parse, listed in WRONG.items() for key in listed]
)
def test_nothing_else_is_taken_for_such_a_key(parse, key):
    assert parse(key) is None


@given(st.text("0123456789abcdefTZ-./=_jsonlrecdmanifts", max_size=60))
def test_what_is_understood_is_what_would_be_written(key):
    found = keys.parse_manifest(key)
    assert found is None or keys.manifest(*found) == key


@pytest.mark.parametrize(
    "text", [None, 7, "", RUN[:-1], RUN + "0", RUN.upper(), "20261301T030004Z-5f0c2a91"]
)
def test_what_is_no_run_id(text):
    assert not keys.is_run_id(text)


@pytest.mark.parametrize(
    ("key", "number", "name"),
    [
        ("README.txt", 1, "README.txt"),
        ("README.txt", 2, "README.2.txt"),
        ("originals/a/rev-0.jpg", 10, "originals/a/rev-0.10.jpg"),
        ("manifests/hT4mWq=12/00000007.jsonl", 1000, "manifests/hT4mWq=12/00000007.1000.jsonl"),
    ],
)
def test_a_number_stands_before_the_extension(key, number, name):
    assert keys.numbered(key, number) == name
    assert keys.plain(name) == (key, number)


@pytest.mark.parametrize("name", ["README", "a.01.txt", "a.1.txt", "a.0.txt", "a.2.3.txt", ".2.a"])
def test_a_name_without_a_number_is_plain(name):
    assert keys.plain(name) == (name, 1)


@pytest.mark.parametrize(
    ("api_format", "extension"),
    [("JPG", "jpg"), ("TIFF", "tif"), ("Mov", "mov"), ("EXE", None), ("", None), (None, None)],
)
def test_the_extension_is_of_a_fixed_table(api_format, extension):
    assert keys.extension(api_format) == extension
