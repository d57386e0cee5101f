"""What is deleted for good: how it is told, and which files hold an image's lines."""

from datetime import UTC, datetime

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.forgotten import holding, originals_of, records_holding, tell, told
from smugmug_backup.archive.records import records_files
from smugmug_backup.errors import FormatTooNew, NotABackup
from tests.tools.memory_store import MemoryStore

AT = datetime(2026, 11, 25, 18, tzinfo=UTC)
ONE = "originals/V2xgTbs=11/51f7e3a09bd24cc8816e0f42d7a9c350.jpg"
TWO = "originals/V2xgTbs=11/rev-51f7e3a09bd24cc8.2.mp4"


def record(image):
    return f'{{"image":{{}},"image_key":"{image}","source":"smugmug-1.3.0","urls":[]}}'.encode()


def body(*images):
    (file,) = records_files("a", {each: record(each) for each in images})
    return file.body


def test_what_is_told_can_be_read_back_and_is_never_overwritten():
    store = MemoryStore()
    assert told(store, "V2xgTbs") is None
    assert tell(store, "V2xgTbs", [TWO, ONE], at=AT) == "forgotten/V2xgTbs=11.json"
    assert told(store, "V2xgTbs") == {ONE, TWO}
    assert tell(store, "V2xgTbs", [ONE], at=AT) == "forgotten/V2xgTbs=11.2.json"
    assert tell(store, "V2xgTbs", [ONE], at=AT) == "forgotten/V2xgTbs=11.2.json"
    assert told(store, "V2xgTbs") == {ONE, TWO}
    assert list(Archive(store).forgotten_files()) == sorted(store.objects)
    assert Archive(store).is_forgotten(ONE)
    assert not Archive(store).is_forgotten(ONE.replace("51f7", "0000"))
    assert not Archive(store).is_forgotten("README.txt")


def test_an_image_of_which_nothing_was_stored_is_told_without_keys():
    store = MemoryStore()
    tell(store, "x", [], at=AT)
    assert told(store, "x") == frozenset()


def test_what_tells_it_and_is_damaged_is_no_answer():
    store = MemoryStore()
    store.objects["forgotten/x.json"] = b"{"
    with pytest.raises(NotABackup):
        told(store, "x")


def test_the_originals_of_an_image_are_those_in_its_folder():
    store = MemoryStore()
    for key in (ONE, TWO, "originals/V2xgTbs=11/readme.jpg", ONE.replace("V2xgTbs=11", "x")):
        store.objects[key] = b""
    assert originals_of(store, "V2xgTbs") == (ONE, TWO)


def test_a_file_without_a_line_of_the_image_is_not_touched():
    assert holding(body("a", "b"), ["c"], key="k") is None


def test_the_other_lines_are_all_kept_as_they_are():
    found = holding(body("a", "b", "c"), ["b", "z"], key="k")
    assert found is not None
    assert found.images == {"b"}
    assert found.others == {"a": record("a"), "c": record("c")}


def test_a_line_that_is_damaged_counts_as_the_images_if_it_says_so():
    torn = body("a", "b", "c").replace(record("b"), record("b")[5:])
    found = holding(torn, ["b"], key="k")
    assert found is not None
    assert found.images == {"b"} and set(found.others) == {"a", "c"}


def test_a_file_whose_header_is_damaged_is_searched_all_the_same():
    found = holding(b"?" + body("a", "b"), ["b"], key="k")
    assert found is not None and set(found.others) == {"a"}


def test_a_newer_format_is_not_guessed_at():
    with pytest.raises(FormatTooNew):
        holding(body("a").replace(b'"version":1', b'"version":2'), ["a"], key="k")


def test_all_names_of_an_albums_records_files_are_looked_at_and_no_others():
    store = MemoryStore()
    digest = "0" * 32
    mine, other = keys.records("a", digest), keys.records("b", digest)
    for key in (mine, keys.numbered(mine, 2), other):
        store.objects[key] = body("x", "y")
    store.objects["records/a/notes.jsonl"] = body("x", "y")
    assert set(records_holding(store, "a", ["x"], map)) == {mine, keys.numbered(mine, 2)}
