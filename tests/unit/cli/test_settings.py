"""Settings of the owner's tool: who wins, and where they stand."""

import argparse

import pytest

from smugmug_backup.cli.errors import hint_of
from smugmug_backup.cli.profiles import config_path, write_profile
from smugmug_backup.cli.settings import (
    location_of,
    looks_like_one,
    settings_of,
    source_settings_of,
)
from smugmug_backup.errors import BadRequest
from tests.tools.cli import Shell


def args(**values):
    return argparse.Namespace(**{"nickname": None, "api": None, "secret": None, **values})


@pytest.fixture
def shell(capsys, monkeypatch, tmp_path):
    return Shell(capsys, monkeypatch, tmp_path)


PROFILE = {"secret": "file:/a", "nickname": "of-file", "api": "v2"}


@pytest.mark.usefixtures("shell")
def test_an_option_counts_before_the_environment_and_that_before_the_file():
    write_profile("default", PROFILE, config_path())
    environment = {"SMUGMUG_NICKNAME": "of-environment"}
    settings = source_settings_of(args(), environment)
    assert (settings.nickname, settings.api, str(settings.secret)) == (
        "of-environment",
        "v2",
        "file:/a",
    )
    settings = source_settings_of(args(nickname="of-option", api="1.3.0"), environment)
    assert (settings.nickname, settings.api) == ("of-option", "1.3.0")


@pytest.mark.parametrize(
    ("option", "environment", "profile", "winner"),
    [
        ("1.3.0", "v2", "v2", "--api"),
        ("1.3.0", None, None, "--api"),
        (None, "1.3.0", "v2", "SMUGMUG_API"),
        (None, None, "v2", "config.toml [profiles.default]"),
        (None, "  ", "v2", "config.toml [profiles.default]"),
        (None, "", None, None),
    ],
)
@pytest.mark.usefixtures("shell")
def test_it_is_known_who_won(option, environment, profile, winner):
    given = {} if environment is None else {"SMUGMUG_API": environment}
    said = {} if profile is None else {"api": profile}
    found = settings_of(args(api=option), given, profile=said).get("SMUGMUG_API")
    assert (found is None) if winner is None else found.origin.endswith(winner)


@pytest.mark.usefixtures("shell")
def test_every_setting_of_a_profile_is_read_as_the_environment_would_be():
    write_profile(
        "default",
        {
            **PROFILE,
            "max_concurrency": 3,
            "max_calls_per_second": 0.5,
            "full_listing_days": 7,
            "ignore_albums": ["A1", "B2"],
        },
        config_path(),
    )
    settings = source_settings_of(args(), {})
    assert (settings.max_concurrency, settings.full_listing_days) == (3, 7)
    assert settings.max_calls_per_second == 0.5
    assert settings.ignore_albums == {"A1", "B2"}


@pytest.mark.usefixtures("shell")
def test_another_profile_says_other_things_and_one_that_is_not_there_is_named():
    write_profile("default", PROFILE, config_path())
    write_profile("nas", {**PROFILE, "nickname": "other", "location": "/nas"}, config_path())
    assert source_settings_of(args(profile="nas"), {}).nickname == "other"
    assert str(location_of(args(profile="nas", location=None))) == "/nas"
    with pytest.raises(BadRequest, match=r"no profile 'nos'.*default, nas") as caught:
        source_settings_of(args(profile="nos"), {})
    assert "setup --profile nos" in hint_of(caught.value)


@pytest.mark.usefixtures("shell")
def test_without_settings_the_hint_is_to_set_them_up():
    with pytest.raises(BadRequest, match="SMUGMUG_SECRET is missing") as caught:
        source_settings_of(args(), {})
    assert "setup" in hint_of(caught.value)


def test_a_location_comes_from_the_line_the_environment_or_the_profile(
    shell, monkeypatch, tmp_path
):
    assert "no location was named" in shell("status").err
    write_profile("default", {"location": str(tmp_path / "file")}, config_path())
    assert f"no folder {tmp_path}/file" in shell("status").err
    monkeypatch.setenv("SMUGMUG_BACKUP_LOCATION", str(tmp_path / "environment"))
    assert f"no folder {tmp_path}/environment" in shell("status").err
    assert f"no folder {tmp_path}/line" in shell("status", tmp_path / "line").err


@pytest.mark.parametrize(
    ("word", "is_one"),
    [
        ("s3://photos", True),
        ("/mnt/disk", True),
        ("a/b", True),
        (".", True),
        ("..", True),
        ("~", True),
        ("here", True),
        ("harbour", False),
        ("i000003", False),
        ("\0", False),
        ("", False),
    ],
)
def test_a_word_that_may_be_a_location_is_one_if_it_looks_like_one(
    monkeypatch, tmp_path, word, is_one
):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    assert looks_like_one(word) is is_one


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    ("given", "after", "location", "words"),
    [
        ("harbour", ["quay"], "/profile", ["harbour", "quay"]),
        ("harbour", [], "/profile", ["harbour"]),
        ("/other", ["quay"], "/other", ["quay"]),
        (None, [], "/profile", []),
    ],
)
def test_words_without_a_location_are_words(given, after, location, words):
    write_profile("default", {"location": "/profile"}, config_path())
    found = args(location=given, words=[*after], words_after_location="words")
    assert str(location_of(found)) == location
    assert found.words == words


@pytest.mark.usefixtures("shell")
def test_where_no_location_is_remembered_the_first_word_is_one():
    found = args(location="backup", words=["quay"], words_after_location="words")
    assert str(location_of(found)) == "backup"
    assert found.words == ["quay"]
