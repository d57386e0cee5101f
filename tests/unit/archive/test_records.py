"""Records: tidy, canonical, and named by what they hold."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smugmug_backup.archive import records
from smugmug_backup.errors import FormatTooNew, NotABackup
from smugmug_backup.model import Availability, Image, Offer

OFFER = Offer(
    kind="original",
    availability=Availability.READY,
    serial=0,
    size=8127730,
    format="JPG",
    md5="9a0c1f5d2be84716a3c07d59e2f1b648",
    url_field="OriginalURL",
    url="https://photos.smugmug.com/secret",
)


def image(data: dict[str, Any]) -> Image:
    kept, urls = records.tidy(data)
    return Image("pW7dQkN", 1, None, None, None, kept, urls, OFFER)


def test_volatile_and_secret_fields_leave_at_any_depth() -> None:
    data = {
        "Key": "pW7dQkN",
        "Position": 3,
        "LastUpdated": "2024-08-10 21:03:17",
        "OriginalURL": "https://x",
        "ThumbURL": "",
        "ArchivedUri": "u",
        "Uris": {"Image": "v"},
        "UploadKey": "1",
        "Album": {"Key": "Zc9RkD", "URL": "https://y", "Password": "p"},
        "List": [{"WebUri": "z", "kept": [1, {"Position": 1}]}],
    }
    kept, urls = records.tidy(data)
    assert kept == {
        "Key": "pW7dQkN",
        "LastUpdated": "2024-08-10 21:03:17",
        "Album": {"Key": "Zc9RkD"},
        "List": [{"kept": [1, {}]}],
    }
    assert urls == ("ArchivedUri", "OriginalURL", "Uris")


def test_an_album_loses_more() -> None:
    data = {
        "Key": "hT4mWq",
        "ImageCount": 3,
        "LastUpdated": "x",
        "ImagesLastUpdated": "x",
        "Highlight": {"id": 1},
        "Password": "p",
        "PasswordHint": "h",
        "GuestUploadURL": "https://guest",
        "URL": "https://x",
        "HasDownloadPassword": False,
    }
    kept, urls = records.tidy(data, album=True)
    assert kept == {"Key": "hT4mWq", "HasDownloadPassword": False}
    assert urls == ("URL",)


def test_a_record_is_canonical_and_of_one_line() -> None:
    line = records.record_line(image({"b": 1, "a": "é", "OriginalURL": "u"}), "smugmug-1.3.0")
    assert (
        line
        == (
            '{"image":{"a":"é","b":1},"image_key":"pW7dQkN",'
            '"source":"smugmug-1.3.0","urls":["OriginalURL"]}'
        ).encode()
    )


def test_the_fingerprint_of_a_record_begins_the_hash_of_its_line() -> None:
    line = records.record_line(image({}), "smugmug-v2")
    assert hashlib.sha256(line).hexdigest().startswith(records.fingerprint(line))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(JSON)
def test_any_json_text_can_be_stored_and_read_back(value: Any) -> None:
    assert json.loads(records.canonical_json(value)) == value


@settings(deadline=None)
@given(st.text(st.characters(categories=["Cs", "Lu"]), max_size=6))
def test_a_lone_surrogate_stays_an_escape(text: str) -> None:
    body = records.canonical_json({"Caption": json.loads(json.dumps(text))})
    assert json.loads(body.decode("utf-8"))["Caption"] == json.loads(json.dumps(text))


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError):
        records.canonical_json(float("nan"))
    deep: Any = {}
    for _ in range(500):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="deep"):
        records.tidy(deep)


def test_the_order_of_fields_does_not_matter() -> None:
    one = records.record_line(image({"x": 1, "y": 2}), "s")
    other = records.record_line(image({"y": 2, "x": 1}), "s")
    assert one == other


def test_a_revision_is_of_five_facts_and_not_of_the_address() -> None:
    facts = [0, 8127730, "JPG", "9a0c1f5d2be84716a3c07d59e2f1b648", "OriginalURL"]
    text = json.dumps(facts, separators=(",", ":")).encode()
    assert records.revision(OFFER) == hashlib.sha256(text).hexdigest()[:16]
    assert records.revision(replace(OFFER, url="https://elsewhere")) == records.revision(OFFER)
    assert records.revision(replace(OFFER, serial=1)) != records.revision(OFFER)


def test_traits_are_read_back_from_records_of_both_sources() -> None:
    old = {
        "source": "smugmug-1.3.0",
        "image": {"Serial": "2", "Size": 5, "Format": "MP4"},
        "urls": ["OriginalURL", "Video640URL", "Video1280URL"],
    }
    assert records.traits(old) == records.Traits(2, 5, "MP4", "Video1280URL")
    new = {"source": "smugmug-v2", "image": {"Serial": 2, "ArchivedSize": 5}, "urls": []}
    assert records.traits(new) == records.Traits(2, 5, None, None)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        ("7", 7),
        (7.0, 7),
        (True, None),
        ("", None),
        ("7x", None),
        (None, None),
        ("٣", None),
        ("9" * 40, None),
        (1.5, None),
    ],
)
def test_whole_numbers_come_as_numbers_and_texts(value: object, number: int | None) -> None:
    assert records.whole_number(value) == number


# -- records files ---------------------------------------------------------------------------------


def lines(*image_keys: str) -> dict[str, bytes]:
    return {
        key: records.record_line(image({"Caption": "ä"})._replace(key=key), "smugmug-v2")
        for key in image_keys
    }


def test_a_records_file_is_a_header_and_its_lines_by_image_key() -> None:
    (file,) = records.records_files("hT4mWq", lines("b", "a"))
    head, first, second, end = file.body.split(b"\n")
    assert head == b'{"format":"smugmug-backup/records","version":1,"album_key":"hT4mWq"}'
    assert (first, second, end) == (lines("a")["a"], lines("b")["b"], b"")


def test_a_records_file_is_named_by_its_content_alone() -> None:
    one, other = (
        records.records_files("a", lines("x", "y")),
        records.records_files("a", lines("y", "x")),
    )
    assert one == other
    assert hashlib.sha256(one[0].body).hexdigest().startswith(one[0].digest)


def test_each_place_is_its_line_without_the_end() -> None:
    (file,) = records.records_files("hT4mWq", lines("a", "b", "c"))
    for key, (offset, length) in file.places.items():
        assert file.body[offset : offset + length] == lines(key)[key]


def test_a_commit_without_records_has_no_file_and_a_large_one_has_several() -> None:
    assert records.records_files("a", {}) == []
    many = {f"i{number:05d}": b"{}" for number in range(records.MOST + 1)}
    files = records.records_files("a", many)
    assert [len(file.places) for file in files] == [5_000, 1]


def test_a_records_file_reads_back_line_by_line() -> None:
    (file,) = records.records_files("hT4mWq", lines("a", "b"))
    found = dict(records.lines_in(file.body, key="k"))
    assert found == {file.places[key][0]: line for key, line in lines("a", "b").items()}
    assert [records.parse_line(line)["image_key"] for line in found.values()] == ["a", "b"]  # type: ignore[index]


def test_of_a_damaged_records_file_the_lines_that_are_whole_are_still_found() -> None:
    (file,) = records.records_files("hT4mWq", lines("a", "b"))
    cut = file.body[:-20]
    parsed = [records.parse_line(line) for _, line in records.lines_in(cut, key="k")]
    assert parsed[0] is not None
    assert parsed[1] is None


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"", NotABackup),
        (b"{", NotABackup),
        (b'{"format":"smugmug-backup/manifest","version":1}', NotABackup),
        (b'{"format":"smugmug-backup/records","version":2}', FormatTooNew),
    ],
)
def test_what_is_no_records_file_is_refused(head: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        list(records.lines_in(head + b"\n{}\n", key="k"))


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b'{"image":{},"image_key":1,"source":"s","urls":[]}', b"\xff"]
)
def test_what_is_no_record_is_none(line: bytes) -> None:
    assert records.parse_line(line) is None


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=3))
@settings(max_examples=50)
def test_a_record_reads_back_as_it_was_written(data: dict[str, Any]) -> None:
    shown = image(data)
    record = records.parse_line(records.record_line(shown, "smugmug-v2"))
    assert record is not None
    assert canonical(record["image"]) == canonical(shown.data)


def canonical(value: Any) -> bytes:
    return records.canonical_json(value)
