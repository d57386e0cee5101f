"""One pattern and one reader for each word: what a writer took, every reader takes."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smugmug_backup import words
from smugmug_backup.errors import BadRequest
from smugmug_backup.settings import SecretName, Settings
from smugmug_backup.words import Amount, Location
from tests.tools.cli import Shell
from tests.tools.readme import template

PARAMETERS = template()["Parameters"]
README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


# -- the template ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "pattern"),
    [
        ("BackupPrefix", f"^({words.PREFIX})?$"),
        ("CheckReadData", f"^(|off|{words.AMOUNT})$"),
        ("ExistingBucket", f"^({words.BUCKET})?$"),
        ("IgnoreAlbums", f"^({words.KEYS})$"),
        ("SecretName", f"^{words.CREDENTIALS_NAME}$"),
        ("SmugMugPhotoHosts", f"^{words.HOSTS}$"),
    ],
)
def test_a_parameter_of_the_stack_has_the_pattern_of_its_word(parameter, pattern):
    assert PARAMETERS[parameter]["AllowedPattern"] == pattern
    assert re.search(pattern, PARAMETERS[parameter]["Default"])


def test_the_longest_prefix_is_the_same_everywhere():
    assert PARAMETERS["BackupPrefix"]["MaxLength"] == words.LONGEST_PREFIX


def test_authorize_the_readme_and_a_stack_with_its_defaults_name_the_same_secret(
    capsys, monkeypatch, tmp_path
):
    shell = Shell(capsys, monkeypatch, tmp_path)
    default = f"{PARAMETERS['SecretStore']['Default']}:{PARAMETERS['SecretName']['Default']}"
    assert default == words.DEFAULT_CREDENTIALS
    for text in (shell("authorize", "--help").out, README):
        assert re.findall(r"authorize --secret (\S+)", text) == [default]


# -- prefixes and locations ------------------------------------------------------------------------

PREFIXES = ["photos", "photos/smugmug", ".photos", "photos/.smugmug", "photos.", "a..b", "...", "-"]
NO_PREFIXES = ["/photos", "a//b", "photos//", ".", "..", "../up", "a/..", "a/./b", "a b", "ü", "/"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_prefix_that_a_stack_takes_is_read_by_function_and_tool_alike(prefix):
    assert re.search(PARAMETERS["BackupPrefix"]["AllowedPattern"], prefix)
    assert _deployed(prefix).prefix == prefix
    for written in (prefix, prefix + "/"):
        location = Location.parse(f"s3://bucket/{written}")
        assert (location.bucket, location.prefix) == ("bucket", prefix)
        assert location.key("README.txt") == f"{prefix}/README.txt"


@pytest.mark.parametrize("prefix", [*NO_PREFIXES, "x" * 501])
def test_a_prefix_that_cannot_be_is_refused_by_all(prefix):
    about = PARAMETERS["BackupPrefix"]
    assert len(prefix) > 500 or not re.search(about["AllowedPattern"], prefix)
    with pytest.raises(BadRequest):
        _deployed(prefix)
    with pytest.raises(BadRequest, match="photos/smugmug"):
        Location.parse(f"s3://bucket/{prefix}")


def _deployed(prefix):
    return Settings.from_environment(
        {"BACKUP_BUCKET": "b", "SMUGMUG_SECRET": "ssm:/x", "BACKUP_PREFIX": prefix}
    )


def test_a_location_is_a_bucket_or_a_folder_and_is_told_as_it_was_written(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder, bucket = Location.parse("~/photos"), Location.parse("s3://my.bucket/")
    assert (folder.folder, folder.in_s3, str(folder)) == (tmp_path / "photos", False, "~/photos")
    assert (bucket.folder, bucket.in_s3, str(bucket)) == (None, True, "s3://my.bucket/")
    assert (bucket.bucket, bucket.key("runs/x")) == ("my.bucket", "runs/x")


def test_the_home_of_nobody_is_no_location():
    with pytest.raises(BadRequest, match="nobody"):
        Location.parse("~no-such-user-here/photos")


# -- amounts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "bytes", "turns"),
    [
        ("all", None, 1),
        ("ALL", None, 1),
        ("100%", None, 1),
        ("100.0%", None, 1),
        ("5%", None, 20),
        ("12.5%", None, 8),
        ("0.000000001%", None, words.MOST_TURNS),
        ("5GB", 5 * 10**9, None),
        ("0.5 TB", 5 * 10**11, None),
        (" 1.5 mb ", 1_500_000, None),
        ("7b", 7, None),
        ("0.1B", 1, None),
    ],
)
def test_an_amount_is_bytes_or_turns(text, bytes, turns):
    amount = Amount.parse(text)
    assert (amount.bytes, amount.turns) == (bytes, turns)


@pytest.mark.parametrize(
    "text",
    [
        *("", "0GB", "0", "0%", "0.0GB", "0.00%", "500%", "100.1%", "101%", "-5%", "5", "GB", "%"),
        *("much", "5 PB", "5  GB", "1e3GB", "off", "٥GB", "5GB,", "1" * 400 + "GB"),
    ],
)
def test_an_amount_of_nothing_or_of_more_than_all_is_refused_by_stack_and_tool(text):
    assert text in ("", "off") or not re.search(PARAMETERS["CheckReadData"]["AllowedPattern"], text)
    with pytest.raises(BadRequest, match="must be like 5GB, 5% or all"):
        Amount.parse(text)


@given(st.from_regex(PARAMETERS["CheckReadData"]["AllowedPattern"], fullmatch=True))
@example("99.999999999%")
def test_an_amount_that_a_stack_takes_is_one(text):
    if text not in ("", "off"):
        amount = Amount.parse(text)
        assert (amount.bytes or amount.turns or 0) >= 1


# -- keys and secrets ------------------------------------------------------------------------------


@given(st.from_regex(PARAMETERS["IgnoreAlbums"]["AllowedPattern"], fullmatch=True))
@example(" hT4mWq, Zc9RkD ,")
def test_albums_that_a_stack_is_to_ignore_are_keys(text):
    assert all(words.is_id(each) for each in words.album_keys(text))


def test_what_is_no_album_key_is_named():
    with pytest.raises(ValueError, match="no album key: a b, ü"):
        words.album_keys("hT4mWq,ü,a b")
    assert not re.search(PARAMETERS["IgnoreAlbums"]["AllowedPattern"], "hT4mWq,a b")


@given(st.from_regex(PARAMETERS["SmugMugPhotoHosts"]["AllowedPattern"], fullmatch=True))
@example(".smugmug.com, photos.smugmug.com")
@example("127.0.0.1")
def test_hosts_that_a_stack_takes_are_read_by_the_function(text):
    assert words.parse_hosts(text)


@pytest.mark.parametrize("text", ["", ".com", "https://smugmug.com", "smugmug.com:443", "a.b/c"])
def test_hosts_that_the_function_would_refuse_are_refused_by_the_stack(text):
    assert not re.search(PARAMETERS["SmugMugPhotoHosts"]["AllowedPattern"], text)
    with pytest.raises(ValueError, match="must be host names"):
        words.parse_hosts(text)


@given(st.from_regex(PARAMETERS["SecretName"]["AllowedPattern"], fullmatch=True))
def test_a_secret_that_a_stack_names_is_found_by_the_tool(name):
    for store in PARAMETERS["SecretStore"]["AllowedValues"]:
        assert SecretName.parse(f"{store}:{name}") == SecretName(store, name)


def test_where_a_bucket_lies_is_said_again_as_it_was_said():
    bare = Location.parse("s3://bucket/photos")
    there = bare.at(endpoint="https://s3.example", profile="nas")
    assert bare.words == ["s3://bucket/photos"]
    assert there.words == [
        *bare.words,
        *("--endpoint-url", "https://s3.example", "--aws-profile", "nas"),
    ]
    assert there.at(endpoint=None, profile=None) == there
    assert {bare.s3, there.s3} == {
        "s3://bucket/photos",
        "s3://bucket/photos at https://s3.example",
    }


@pytest.mark.parametrize(
    "name",
    [
        *("MaxConcurrency", "MaxDownloads", "MaxCallsPerSecond", "MapConcurrency"),
        *("ReserveSeconds", "FullListingDays"),
    ],
)
def test_a_stack_takes_the_numbers_that_the_settings_take(name):
    variable = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
    least = {"BACKUP_BUCKET": "my-photos", "SMUGMUG_SECRET": "ssm:/smugmug-backup/secret"}
    parameter = PARAMETERS[name]
    for bound in (parameter["MinValue"], parameter["MaxValue"]):
        Settings.from_environment(least | {variable: str(bound)})
    for beyond in (parameter["MinValue"] - 0.01, parameter["MaxValue"] + 0.01):
        with pytest.raises(BadRequest, match=variable):
            Settings.from_environment(least | {variable: str(beyond)})
