"""The secret: read whole, named where wrong, shown nowhere."""

import json
import pickle
from collections.abc import Mapping

import pytest

from smugmug_backup.errors import BadRequest
from smugmug_backup.smugmug.credentials import Credentials

WHOLE = {
    "api_key": "KEY-1",
    "api_secret": "SECRET-1",
    "access_token": "TOKEN-1",
    "access_token_secret": "TOKENSECRET-1",
    "site_password": "site word",
    "album_passwords": {"hT4mWq": "album word"},
}


def test_everything_is_read() -> None:
    credentials = Credentials.from_json(json.dumps(WHOLE))
    assert credentials.signed
    assert credentials.album_passwords == {"hT4mWq": "album word"}
    assert credentials.site_password == "site word"


def test_an_api_key_alone_gives_the_public_view() -> None:
    assert not Credentials.from_json('{"api_key": "KEY-1", "access_token": ""}').signed


@pytest.mark.parametrize(
    ("secret", "names"),
    [
        ({}, ["api_key is missing"]),
        ({"api_key": ""}, ["api_key is missing"]),
        (
            {"access_token": "TOKEN-1"},
            ["api_key is missing", "api_secret is missing", "access_token_secret is missing"],
        ),
        ({"api_key": "a b"}, ["api_key must be"]),
        ({"api_key": 5}, ["api_key must be"]),
        ({"api_key": "k", "album_passwords": {"../x": "p"}}, ["album_passwords must"]),
        ({"api_key": "k", "album_passwords": ["p"]}, ["album_passwords must"]),
        ({"api_key": "k", "album_passwords": {"hT4mWq": 2024}}, ["album_passwords must"]),
    ],
)
def test_all_that_is_wrong_is_named_at_once(secret: Mapping[str, object], names: list[str]) -> None:
    with pytest.raises(BadRequest) as caught:
        Credentials.from_json(json.dumps(secret))
    for name in names:
        assert name in str(caught.value)
    assert "TOKEN-1" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "KEY-1", "[]", '"KEY-1"', "{", "[" * 100_000])
def test_what_is_no_object_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        Credentials.from_json(text)
    assert "KEY-1" not in str(caught.value)
    assert caught.value.__context__ is None


def test_no_text_form_shows_a_secret() -> None:
    credentials = Credentials.from_json(json.dumps(WHOLE))
    for text in (repr(credentials), str(credentials), f"{credentials}", f"{[credentials]}"):
        assert text.strip("[]") == "Credentials()"
    assert pickle.loads(pickle.dumps(credentials)) == credentials
