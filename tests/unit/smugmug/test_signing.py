"""Signatures are those that the library makes; the local SmugMug says that they are right."""

import random
from datetime import UTC, datetime

import pytest
import requests
from requests_oauthlib import OAuth1

from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.signing import Signer
from tests.tools.clock import FakeClock

CREDENTIALS = Credentials("key%&= +", "secret/\u00e9", "token~*", "its secret")
PHOTO = "https://photos.smugmug.com/photos/i-AbC/0/O/i-AbC-O.jpg"


@pytest.mark.parametrize("more", [{}, {"callback": "oob"}, {"verifier": "123 456"}])
@pytest.mark.parametrize(
    ("method", "url", "given"),
    [
        ("GET", PHOTO, {}),
        ("GET", f"{PHOTO}?a=1&b=%20x%2B&a=0&oauth_z=%25", {}),
        ("GET", "http://127.0.0.1:8765/photos/%E4%BD%A0/a%20b.jpg?x", {}),
        ("GET", "https://api.smugmug.com:443/api/v2!authuser?_expand=Node%2CAlbum", {}),
        ("GET", PHOTO, {"headers": {"Host": "other.smugmug.com"}}),
        ("POST", "https://api.smugmug.com/services/api/json/1.3.0/", {"data": {"method": "a b&c"}}),
        ("POST", f"{PHOTO}?q=1", {"json": {"a": 1}}),
    ],
)
def test_a_signature_is_the_one_that_the_library_makes(method, url, given, more):
    clock = FakeClock(datetime(2026, 11, 28, tzinfo=UTC))
    ours = requests.Request(method, url, **given).prepare()
    Signer(CREDENTIALS, clock=clock, rng=random.Random(7), **more).sign(ours)

    theirs = requests.Request(method, url, **given).prepare()
    OAuth1(
        CREDENTIALS.api_key,
        client_secret=CREDENTIALS.api_secret,
        resource_owner_key=CREDENTIALS.access_token,
        resource_owner_secret=CREDENTIALS.access_token_secret,
        callback_uri=more.get("callback"),
        verifier=more.get("verifier"),
        decoding=None,
        nonce=f"{random.Random(7).getrandbits(128):032x}",
        timestamp=str(int(clock.now().timestamp())),
    )(theirs)
    assert ours.headers["Authorization"] == theirs.headers["Authorization"]
    assert (ours.url, ours.body) == (theirs.url, theirs.body)
