"""A manifest that says a greater version: of a newer program, or damaged in that digit?"""

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.generations import newest_state, read_header
from smugmug_backup.archive.manifest import VERSION
from smugmug_backup.archive.newer import judged
from smugmug_backup.archive.readme import README_TEXT
from smugmug_backup.errors import FormatTooNew, NotABackup, StoreUnavailable
from tests.unit.archive.build import Store

ALBUM = "hT4mWq"
KEY = keys.manifest(ALBUM, 2)
OURS = README_TEXT
EARLIER = README_TEXT.replace("ACCOUNT", "LIBRARY")
LATER = README_TEXT.replace(f"description, {VERSION}", f"description, {VERSION + 1}")
SILENT = README_TEXT.replace("this description", "that description")


@pytest.fixture
def made():
    """Two generations, of which the newest says that it is of version 9."""
    made = Store()
    made.generations(last=2)
    made.damage(KEY, made.store.objects[KEY].replace(b'"version":1', b'"version":9', 1))
    return made


def test_the_readme_says_its_version_where_it_is_looked_for():
    assert f"of this description, {VERSION}\n" in README_TEXT
    assert len({OURS, EARLIER, LATER, SILENT}) == 4


@pytest.mark.parametrize(
    ("readmes", "error", "says"),
    [
        ([OURS], NotABackup, "that digit is damaged"),
        ([EARLIER, OURS], NotABackup, "that digit is damaged"),
        ([OURS.replace("\n", "\r\n")], NotABackup, "that digit is damaged"),
        ([LATER], FormatTooNew, "install a newer SmugMug Backup$"),
        ([OURS, LATER], FormatTooNew, "install a newer SmugMug Backup$"),
        ([], FormatTooNew, "put this file aside"),
        ([SILENT], FormatTooNew, "put this file aside"),
        ([OURS, SILENT], FormatTooNew, "put this file aside"),
        ([SILENT, LATER], FormatTooNew, "put this file aside"),
    ],
)
def test_what_every_readme_there_says_decides(made, readmes, error, says):
    for number, text in enumerate(readmes, 1):
        made.store.create(keys.numbered(keys.README, number), text.encode())
    for read in (
        lambda: made.archive.manifest(ALBUM, 2),
        lambda: read_header(made.store, ALBUM, 2),
        lambda: made.archive.inspect(ALBUM, 2),
    ):
        with pytest.raises(error, match=says) as caught:
            read()
        assert KEY in str(caught.value)


def test_a_readme_that_cannot_be_read_tonight_tells_nothing(made, monkeypatch):
    def unavailable(key):
        raise StoreUnavailable("503")

    monkeypatch.setattr(made.store, "read", unavailable)
    found = judged(made.store, KEY, FormatTooNew("version 9"))
    assert isinstance(found, FormatTooNew) and "put this file aside" in str(found)


def test_the_generation_before_the_damaged_one_is_the_state(made):
    made.archive.write_readme(None)
    found = newest_state(made.store, ALBUM, 2, {})
    assert found.manifest.header.generation == 1
    assert KEY in found.damage
