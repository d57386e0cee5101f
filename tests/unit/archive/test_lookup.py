"""Records: found where the line says, under a numbered name, or elsewhere; else lost."""

from dataclasses import replace

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.encoding import canonical_json, fingerprint
from smugmug_backup.archive.lookup import find_lines
from smugmug_backup.errors import StoreRefused
from tests.tools.faults import Fault, Points, always
from tests.tools.faulty_store import FaultyStore
from tests.unit.archive.build import Store, entry

ALBUM = "hT4mWq"


def line(key, text=""):
    return canonical_json({"image": {"Caption": text}, "image_key": key, "source": "s", "urls": []})


@pytest.fixture
def made():
    return Store()


def write(made, *image_keys, text=""):
    """Records files of these images; the lines that a manifest has of them."""
    lines = {key: line(key, text) for key in image_keys}
    places = made.archive.write_records(ALBUM, lines)
    made.archive.settle()
    return [
        entry(key, record=record, record_at=at, fingerprint=fingerprint(lines[key]))
        for key, (record, at) in places.items()
    ]


def found(made, entries, store=None):
    return find_lines(store or made.store, ALBUM, entries, map)


@pytest.mark.parametrize("number", [0, 1, 7, 8, 30])
def test_few_are_read_by_ranges_and_many_by_reading_the_file_whole(made, number):
    entries = write(made, *(f"i{each:02d}" for each in range(number)))
    read = made.reads(lambda: found(made, entries))
    assert len(read) == (number if number < 8 else 1)
    assert found(made, entries) == {each.image_key: line(each.image_key) for each in entries}


def test_a_record_is_what_the_api_said(made):
    (only,) = write(made, "a", text="The old quay")
    record = made.archive.record(ALBUM, only)
    assert record["image"] == {"Caption": "The old quay"}
    assert made.archive.record_line(ALBUM, only) == line("a", "The old quay")
    assert made.archive.records(ALBUM, [only], map) == {"a": record}


def test_a_file_whose_version_rotted_hides_no_other(made):
    (sought,) = write(made, "a")
    others = (write(made, "a", text=str(number))[0].record for number in range(100))
    before = next(each for each in others if each < sought.record)
    body = made.store.objects[before]
    made.damage(before, body.replace(b'"version":1', b'"version":9', 1))
    lost = replace(sought, record=keys.records(ALBUM, "f" * 32))
    assert found(made, [lost]) == {"a": line("a")}


@pytest.mark.parametrize("number", [3, 20])
@pytest.mark.parametrize("damage", ["lost", "overwritten", "cut"])
def test_a_numbered_copy_has_the_same_places(made, number, damage):
    entries = write(made, *(f"i{each:02d}" for each in range(number)))
    key = entries[0].record
    made.store.objects[keys.numbered(key, 3)] = made.store.objects[key]
    made.store.objects[keys.numbered(key, 2)] = b"x" * 50
    if damage == "lost":
        del made.store.objects[key]
    else:
        body = made.store.objects[key]
        made.damage(key, b"x" * len(body) if damage == "overwritten" else body[:100])
    assert found(made, entries) == {each.image_key: line(each.image_key) for each in entries}


def test_a_line_that_names_a_numbered_file_finds_the_plain_one(made):
    (only,) = write(made, "a")
    moved = replace(only, record=keys.numbered(only.record, 2))
    assert found(made, [moved]) == {"a": line("a")}


def test_a_record_that_was_moved_is_found_in_another_file_of_the_album(made):
    entries = write(made, "a", "b", "c")
    del made.store.objects[entries[0].record]
    write(made, "b", "c")
    assert set(found(made, entries)) == {"b", "c"}


def test_it_is_sought_by_key_and_fingerprint_not_by_key_alone(made):
    (old,) = write(made, "a", text="old")
    write(made, "a", text="new")
    del made.store.objects[old.record]
    assert found(made, [old]) == {}
    assert made.archive.record(ALBUM, old) is None


def test_a_line_whose_record_was_lost_finds_it_again_once_it_is_there(made):
    (only,) = write(made, "a")
    assert found(made, [replace(only, record=None, record_at=None)]) == {"a": line("a")}


def test_a_thousand_lost_records_are_sought_in_one_pass(made):
    entries = write(made, *(f"i{each:04d}" for each in range(1000)))
    (key,) = {each.record for each in entries}
    made.damage(key)
    for number in range(5):
        write(made, "x", text=str(number))
    read = made.reads(lambda: found(made, entries))
    assert len(read) <= 8
    assert found(made, entries) == {}


def test_damaged_files_beside_it_stop_nothing(made):
    entries = write(made, "a")
    del made.store.objects[entries[0].record]
    made.store.objects[keys.records(ALBUM, "0" * 32)] = b"\xff"
    write(made, "a", "b")
    assert set(found(made, entries)) == {"a"}


def test_a_damaged_range_costs_its_own_record_alone(made):
    entries = write(made, *(f"i{each:02d}" for each in range(20)))
    key, (offset, _) = entries[3].record, entries[3].record_at
    body = bytearray(made.store.objects[key])
    body[offset + 5] ^= 1
    made.damage(key, bytes(body))
    assert {each.image_key for each in entries} - set(found(made, entries)) == {"i03"}


def test_what_is_refused_is_not_lost(made):
    entries = write(made, "a")
    store = FaultyStore(made.store, Points(always(Fault.REFUSED, entries[0].record)))
    with pytest.raises(StoreRefused):
        found(made, entries, store)


def test_records_of_one_commit_are_written_once_and_named_by_their_content(made):
    first, again = write(made, "a", "b"), write(made, "b", "a")
    assert first == again
    assert len(made.store.objects) == 1


def test_where_other_bytes_lie_under_the_name_it_is_numbered(made):
    (only,) = write(made, "a")
    made.damage(only.record, b"rot")
    (anew,) = write(made, "a")
    assert anew.record == keys.numbered(only.record, 2)
    assert found(made, [only]) == found(made, [anew]) == {"a": line("a")}
