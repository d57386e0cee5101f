"""Settings: one error names all that is missing or wrong."""

import pytest

from smugmug_backup.errors import BadRequest
from smugmug_backup.settings import SecretName, Settings, source_settings
from smugmug_backup.words import parse_hosts

LEAST = {"BACKUP_BUCKET": "my-photos", "SMUGMUG_SECRET": "ssm:/smugmug-backup/secret"}


def test_the_least_that_is_needed_gives_the_documented_defaults():
    settings = Settings.from_environment(LEAST)
    assert settings.bucket == "my-photos"
    assert settings.prefix == ""
    assert settings.reserve_seconds == 60
    assert settings.state_machine_arn is None
    assert settings.source.api == "auto"
    assert settings.source.api_url == "https://api.smugmug.com"
    assert settings.source.photo_hosts == (".smugmug.com",)
    assert settings.source.max_concurrency == 8
    assert settings.source.max_calls_per_second is None
    assert settings.source.full_listing_days == 30
    assert settings.source.secret == SecretName("ssm", "/smugmug-backup/secret")


def test_everything_can_be_set():
    settings = Settings.from_environment(
        LEAST
        | {
            "BACKUP_PREFIX": "photos/smugmug/",
            "SMUGMUG_API": "v2",
            "SMUGMUG_NICKNAME": "larkfield",
            "SMUGMUG_API_URL": "http://127.0.0.1:8080/",
            "SMUGMUG_PHOTO_HOSTS": ".smugmug.com, 127.0.0.1",
            "MAX_CONCURRENCY": "4",
            "MAX_CALLS_PER_SECOND": "2.5",
            "RESERVE_SECONDS": "30",
            "FULL_LISTING_DAYS": "7",
            "IGNORE_ALBUMS": "hT4mWq, Zc9RkD",
            "STATE_MACHINE_ARN": "arn:aws:states:x",
            "IDEMPOTENCY_TABLE": "table",
        }
    )
    assert settings.prefix == "photos/smugmug"
    assert settings.source.api_url == "http://127.0.0.1:8080"
    assert settings.source.photo_hosts == (".smugmug.com", "127.0.0.1")
    assert settings.source.ignore_albums == {"hT4mWq", "Zc9RkD"}
    assert settings.source.max_calls_per_second == 2.5


def test_one_error_names_everything_that_is_wrong():
    with pytest.raises(BadRequest) as caught:
        Settings.from_environment(
            {
                "SMUGMUG_SECRET": "api_key=123",
                "SMUGMUG_API": "1.2.2",
                "SMUGMUG_API_URL": "http://api.smugmug.com",
                "SMUGMUG_PHOTO_HOSTS": "photos.smugmug.com:443",
                "BACKUP_PREFIX": "/photos",
                "MAX_CONCURRENCY": "many",
                "FULL_LISTING_DAYS": "0",
                "IGNORE_ALBUMS": "a/b",
            }
        )
    for name in (
        "BACKUP_BUCKET",
        "SMUGMUG_SECRET",
        "SMUGMUG_API ",
        "SMUGMUG_API_URL",
        "SMUGMUG_PHOTO_HOSTS",
        "BACKUP_PREFIX",
        "MAX_CONCURRENCY",
        "FULL_LISTING_DAYS",
        "IGNORE_ALBUMS",
    ):
        assert name in str(caught.value)
    assert "api_key=123" not in str(caught.value)


@pytest.mark.parametrize(
    "hosts", [".com", "com", "photos", ".", "https://photos.smugmug.com", "a..b", "*.smugmug.com"]
)
def test_a_photo_host_that_opens_too_much_or_is_none_is_refused_in_one_message(hosts):
    with pytest.raises(BadRequest) as caught:
        Settings.from_environment(LEAST | {"SMUGMUG_PHOTO_HOSTS": f".smugmug.com,{hosts}"})
    assert str(caught.value).count("SMUGMUG_PHOTO_HOSTS") == 1
    assert "must be host names" in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "[::1]", "photos.smugmug.com"])
def test_photo_hosts_are_read_by_the_one_parser_of_the_adapter(host):
    settings = Settings.from_environment(LEAST | {"SMUGMUG_PHOTO_HOSTS": host})
    assert settings.source.photo_hosts == parse_hosts(host)


def test_an_empty_value_is_the_same_as_none():
    settings = Settings.from_environment(LEAST | {"SMUGMUG_NICKNAME": "", "MAX_CONCURRENCY": " "})
    assert settings.source.nickname is None
    assert settings.source.max_concurrency == 8


def test_a_secret_in_a_file_is_for_the_command_line_only():
    environment = LEAST | {"SMUGMUG_SECRET": "file:/home/me/secret.json"}
    assert source_settings(environment).secret == SecretName("file", "/home/me/secret.json")
    with pytest.raises(BadRequest, match="command line"):
        Settings.from_environment(environment)
