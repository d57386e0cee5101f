"""How files are written, and what is said of one that is none."""

import pytest

from smugmug_backup.archive.encoding import (
    Unreadable,
    canonical_json,
    damaged,
    fingerprint,
    json_line,
    known_format,
    sha256,
)
from smugmug_backup.errors import EarlierForm, FormatTooNew, NotABackup


def test_a_line_keeps_its_order_and_its_letters_and_ends():
    assert json_line({"b": "ä", "a": [1, None]}) == '{"b":"ä","a":[1,null]}\n'.encode()


def test_canonical_json_sorts_and_does_not_end():
    assert (
        canonical_json({"b": "ä", "a": {"d": 1, "c": 2}}) == '{"a":{"c":2,"d":1},"b":"ä"}'.encode()
    )


def test_a_fingerprint_begins_the_hash():
    assert sha256(b"x").startswith(fingerprint(b"x"))
    assert len(fingerprint(b"x")) == 16


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_json_is_never_written(value):
    for write in (json_line, canonical_json):
        with pytest.raises(ValueError, match="JSON"):
            write({"a": value})


GOOD = {"format": "f", "version": 1, "previous": None, "check": None}
ADDED = ("previous", "check")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (GOOD | {"format": "g"}, ValueError),
        (GOOD | {"version": 2}, FormatTooNew),
        (GOOD | {"version": "2"}, TypeError),
        ({"format": "f", "version": 1}, EarlierForm),
        ({"format": "f", "version": 2}, FormatTooNew),
        ({"version": 1}, KeyError),
        ([], TypeError),
    ],
)
def test_what_is_of_another_format_is_refused(data, error):
    known_format(GOOD, "f", 1, key="k", added=ADDED)
    with pytest.raises(error):
        known_format(data, "f", 1, key="k", added=ADDED)


def test_a_file_that_lacks_one_field_of_this_form_is_not_of_the_form_before():
    for field in ADDED:
        rest = {name: value for name, value in GOOD.items() if name != field}
        known_format(rest, "f", 1, key="k", added=ADDED)
    known_format({"format": "f", "version": 1}, "f", 1, key="k")


def test_damage_names_the_file_and_not_its_words():
    error = damaged("runs/x.json", ValueError("a secret"))
    assert isinstance(error, NotABackup)
    assert "runs/x.json" in str(error)
    assert "secret" not in str(error)
    assert OverflowError in Unreadable  # int(1e999), which JSON can say
