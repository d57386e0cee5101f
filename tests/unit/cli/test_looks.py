"""The questions that `doctor` and `setup` ask, row by row."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from smugmug_backup.cli.looks import place, smugmug
from smugmug_backup.cli.looks.line import Line
from smugmug_backup.cli.looks.place import try_out
from smugmug_backup.cli.looks.smugmug import Asked, clock_lines, flattened, would_flatten
from smugmug_backup.errors import AlreadyStored, LoginLost, SourceRetired, StoreRefused
from smugmug_backup.model import Account, Album, Room
from smugmug_backup.settings import SecretName, SourceSettings
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.words import Location

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
ACCOUNT = Account("larkfield", "owner")


def album(*path):
    return Album("A1", 1, "Harbour", tuple(path), 3, {}, ())


DEEP = Asked("v2", ACCOUNT, (album("a", "b", "c"), album("a")))
FLAT = Asked("v2", ACCOUNT, (album("a", "b"),))
OLD = Asked("1.3.0", ACCOUNT, (album("a", "b"),))
GONE = Asked("1.3.0", error=SourceRetired("gone"))


@pytest.mark.parametrize(
    ("api", "asked", "flat"),
    [
        ("v2", [OLD, DEEP], False),
        ("1.3.0", [OLD, DEEP], True),
        ("1.3.0", [GONE, DEEP], True),
        ("auto", [OLD, DEEP], True),
        ("auto", [GONE, DEEP], False),
        ("auto", [OLD, FLAT], False),
        ("1.3.0", [OLD], False),
    ],
)
def test_folders_are_flattened_where_1_3_0_tells_of_deeper_ones(api, asked, flat):
    assert would_flatten(api, asked) is flat
    assert flattened([OLD, DEEP]) == ["a/b/c"]


@pytest.mark.parametrize(
    ("off", "fine", "said"),
    [
        (timedelta(0), True, "agrees"),
        (timedelta(minutes=5), True, "agrees"),
        (timedelta(minutes=-5), True, "agrees"),
        (timedelta(minutes=6), False, "6 minutes ahead of"),
        (timedelta(hours=-2), False, "120 minutes behind"),
        (timedelta(hours=13), False, "no run is believed"),
    ],
)
def test_a_clock_that_is_off_is_to_be_set(off, fine, said):
    (line,) = clock_lines([NOW - timedelta(days=1), NOW], NOW + off)
    assert line.fine is fine and said in line.said


def test_without_an_answer_nothing_is_said_of_the_clock():
    assert [*clock_lines([], NOW)] == []


def lines_of(api, *asked):
    settings = SourceSettings(secret=SecretName("file", "x"), api=api)
    return {each.subject: each for each in smugmug.lines(settings, asked, now=NOW)}


def test_an_api_that_is_not_needed_may_fail_and_one_that_is_may_not():
    lines = lines_of("auto", GONE, FLAT)
    assert lines["API 1.3.0"].fine and lines["API 1.3.0"].word == "note"
    assert lines["login"].fine and "all of it, as its owner" in lines["login"].said
    lines = lines_of("1.3.0", GONE, FLAT)
    assert not lines["API 1.3.0"].fine and "--api v2" in lines["API 1.3.0"].remedy


def test_a_login_that_both_deny_is_lost_and_says_what_to_check():
    lost = LoginLost("HTTP 401 (oauth_problem token_rejected); get a new access token")
    lines = lines_of("auto", Asked("1.3.0", error=lost), Asked("v2", error=lost))
    assert not lines["login"].fine and "token_rejected" in lines["login"].said
    assert "authorize" in lines["login"].remedy
    assert not lines["API v2"].fine


def test_the_public_view_is_said_to_be_one():
    public = Asked("v2", Account("larkfield", "public"), (album("a"),))
    assert "only what the public sees" in lines_of("v2", public)["login"].said


def test_advice_is_fine_and_what_has_to_be_done_is_not():
    assert Line("x", "y").word == "fine"
    assert Line("x", "y", remedy="z").word == "DO"
    assert Line("x", "y", remedy="z", advice=True).fine


def test_a_folder_is_tried_out_and_nothing_of_it_stays(tmp_path):
    (tmp_path / "mine").write_text("x")
    try_out(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]


def test_a_disk_that_holds_no_large_file_is_noted(tmp_path, monkeypatch):
    monkeypatch.setattr(FolderStore, "room", lambda self: Room(largest=4 * 1024**3 - 1))
    line = next(each for each in place.lines(Location.parse(str(tmp_path)), now=NOW))
    assert line.word == "note" and "4.29 GB" in line.said


def test_a_folder_that_lets_one_file_take_anothers_place_will_not_do(tmp_path, monkeypatch):
    monkeypatch.setattr(FolderStore, "create", lambda *a, **m: None)
    with pytest.raises(StoreRefused, match="take another's place"):
        try_out(tmp_path)
    assert not [*tmp_path.iterdir()]
    monkeypatch.setattr(FolderStore, "create", lambda *a, **m: _raise(AlreadyStored("x")))
    with pytest.raises(AlreadyStored):
        try_out(tmp_path)


def test_a_folder_that_will_not_do_and_a_disk_that_tells_no_space_are_said_and_the_rest_too(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(FolderStore, "create", lambda *a, **m: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _raise(OSError(116, "Stale file handle")))
    told = {each.subject: each for each in place.lines(Location.parse(str(tmp_path)), now=NOW)}
    assert list(told) == ["location", "space", "backup"]
    assert "take another's place" in told["location"].said and not told["location"].fine
    assert told["space"] == Line("space", "cannot be told (Stale file handle)")


def _raise(error):
    raise error


def test_a_folder_that_is_not_there_or_ours_is_one_sentence(tmp_path):
    with pytest.raises(StoreRefused, match="cannot be written to"):
        try_out(tmp_path / "nothing")
