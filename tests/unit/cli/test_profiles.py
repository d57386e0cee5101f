"""`config.toml`: what a person wrote there stays."""

import re
import stat
import tomllib

import pytest

from smugmug_backup.cli.errors import hint_of
from smugmug_backup.cli.profiles import (
    BrokenSettings,
    as_environment,
    profile_names,
    read_profile,
    write_profile,
)
from smugmug_backup.errors import BadRequest


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "config.toml"


def test_what_is_written_is_read_again_and_is_its_owners_alone(path):
    write_profile("default", {"nickname": "larkfield", "api": "v2"}, path)
    write_profile("default", {"nickname": "meadow", "api": None}, path)
    assert read_profile("default", path) == {"nickname": "meadow"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["config.toml"]
    assert "No secret stands here" in path.read_text()


def test_comments_and_other_profiles_stay(path):
    path.parent.mkdir()
    path.write_text(
        "# mine\n[profiles.nas]\nlocation = '/nas'  # upstairs\n\n[other]\nx = 1\n\n"
        "[profiles.default]\n# the red disk\nlocation = '/red'\napi = 'v2'\n"
    )
    write_profile("default", {"location": "/blue"}, path)
    text = path.read_text()
    for kept in ("# mine", "# upstairs", "# the red disk", "x = 1", "api = 'v2'"):
        assert kept in text
    assert tomllib.loads(text)["profiles"]["default"]["location"] == "/blue"
    write_profile("third", {"location": "/third"}, path)
    assert sorted(profile_names(path)) == ["default", "nas", "third"]
    assert "# the red disk" in path.read_text()


def test_what_is_there_already_is_not_written_again(path):
    write_profile("default", {"nickname": "larkfield"}, path)
    path.chmod(0o640)
    write_profile("default", {"nickname": "larkfield", "api": None}, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    "text", [b"no toml", b"\0" * 50, b"\xff", b"profiles = 1", b"[profiles]\ndefault = 3"]
)
def test_a_file_that_is_none_is_named_and_put_aside_by_who_writes(path, text):
    path.parent.mkdir()
    path.write_bytes(text)
    with pytest.raises(BrokenSettings, match=re.escape(str(path))) as caught:
        read_profile("default", path)
    assert "setup" in hint_of(caught.value)
    write_profile("default", {"nickname": "larkfield"}, path)
    assert read_profile("default", path) == {"nickname": "larkfield"}
    assert path.with_name("config.toml.broken").read_bytes() == text


def test_all_that_nobody_understands_is_named_at_once(path):
    path.parent.mkdir()
    path.write_text("[profiles.default]\nloaction = '/x'\napi = true\nnickname = [1]\n")
    with pytest.raises(BadRequest) as caught:
        read_profile("default", path)
    for word in ("loaction is no setting", "location", "api must be", "nickname must be"):
        assert word in str(caught.value)


def test_no_file_is_a_profile_that_says_nothing(path):
    assert read_profile("default", path) == {}
    with pytest.raises(BadRequest, match="there: none"):
        read_profile("nas", path)


def test_the_environments_words_for_it():
    said = as_environment({"location": "/x", "ignore_albums": ["A", "B"], "max_concurrency": 4})
    assert said == {
        "SMUGMUG_BACKUP_LOCATION": "/x",
        "IGNORE_ALBUMS": "A,B",
        "MAX_CONCURRENCY": "4",
    }
