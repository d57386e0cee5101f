"""Signatures as the local SmugMug checks them, and the way to an access token."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from requests_oauthlib import OAuth1, OAuth1Session

from tests.local_smugmug import generate_account
from tests.local_smugmug.caller import PATH

METHOD = {"method": "smugmug.albums.get"}


@pytest.fixture
def accounts():
    return [generate_account(seed=1, albums=2, images=2)]


def code(caller, auth, *, http="GET", **params) -> int:
    url = caller.smugmug.url + PATH
    where = {"data" if http == "POST" else "params": METHOD | params}
    return caller.http.request(http, url, auth=auth, timeout=120, **where).json().get("code", 0)


@pytest.mark.parametrize(
    ("place", "http"), [("AUTH_HEADER", "GET"), ("QUERY", "GET"), ("BODY", "POST")]
)
def test_a_good_signature_is_accepted_wherever_it_is(caller, place, http):
    assert code(caller, caller.auth(signature_type=place), http=http) == 0


def test_what_is_hard_to_escape_is_signed_as_well(caller):
    assert code(caller, caller.auth(), Extras="a b+c(d)'!*~%&=ü") == 0
    auth = caller.auth(signature_type="BODY")
    assert code(caller, auth, http="POST", Extras="a b+c(d)'!*~%&=ü") == 0


def test_error_30_is_a_timestamp_of_another_time(caller):
    old = caller.auth(timestamp=str(int(time.time()) - 400))
    assert code(caller, old) == 30
    caller.smugmug.switches.oauth_skew = 500
    assert code(caller, old) == 0


def test_the_worlds_clock_and_the_systems_are_both_right(caller):
    away = datetime(2027, 3, 1, tzinfo=UTC)
    caller.smugmug.world.clock = lambda: away
    there = str(int((away + timedelta(seconds=30)).timestamp()))
    assert code(caller, caller.auth(timestamp=there)) == 0
    assert code(caller, caller.auth()) == 0
    caller.smugmug.switches.oauth_clock = "world"
    assert code(caller, caller.auth()) == 30
    caller.smugmug.switches.oauth_clock = "system"
    assert code(caller, caller.auth(timestamp=there)) == 30


def test_error_32_or_31_is_an_unknown_consumer_key(caller):
    assert code(caller, caller.auth(client_key="unknown")) == 32
    caller.smugmug.switches.consumer_key_code = 31
    assert code(caller, caller.auth(client_key="unknown")) == 31


def test_error_33_is_a_nonce_that_was_used(caller):
    auth = caller.auth(nonce="once", timestamp=str(int(time.time())))
    assert code(caller, auth) == 0
    assert code(caller, auth) == 33


def test_error_35_is_a_wrong_signature(caller):
    assert code(caller, caller.auth(client_secret="wrong")) == 35
    assert code(caller, caller.auth(resource_owner_secret="wrong")) == 35


def test_error_35_is_a_parameter_that_was_not_signed(caller):
    import requests

    url = caller.smugmug.url + PATH
    signed = requests.Request("GET", url, params=METHOD, auth=caller.auth()).prepare()
    signed.url += "&Heavy=1"
    assert caller.http.send(signed).json()["code"] == 35


def test_error_36_is_an_unknown_or_revoked_token(caller):
    assert code(caller, caller.auth(resource_owner_key="unknown")) == 36
    caller.smugmug.keeper.revoked.add(caller.account.secrets.access_token)
    assert code(caller, caller.auth()) == 36


def test_error_37_and_38_are_methods_and_versions_of_another_kind(caller):
    assert code(caller, caller.auth(signature_method="PLAINTEXT")) == 37
    header = 'OAuth oauth_consumer_key="k", oauth_version="2.0", oauth_signature="x"'
    url = caller.smugmug.url + PATH
    answer = caller.http.get(url, params=METHOD, headers={"Authorization": header})
    assert answer.json()["code"] == 38


def test_a_signed_photo_is_checked_too(caller):
    album = next(iter(caller.account.albums))
    url = caller.images(album, Heavy="1")[0]["OriginalURL"]
    assert caller.http.get(url, auth=caller.auth(client_secret="wrong")).status_code == 401
    assert caller.http.get(url, auth=caller.auth()).status_code == 200


# -- the way to a token -----------------------------------------------------------------------


def dance(caller, *, consent: dict[str, str], callback: str = "oob"):
    """A session with a token, as a user gets one who follows the prompts."""
    base = f"{caller.smugmug.url}/services/oauth/1.0a"
    secrets = caller.account.secrets
    session = OAuth1Session(secrets.api_key, secrets.api_secret, callback_uri=callback)
    session.fetch_request_token(f"{base}/getRequestToken")
    page = caller.http.get(session.authorization_url(f"{base}/authorize", **consent)).text
    verifier = re.search(r'id="code">(\d{6})<', page)[1]
    token = session.fetch_access_token(f"{base}/getAccessToken", verifier=verifier)
    session.close()
    return token


def with_token(caller, token) -> OAuth1:
    return caller.auth(
        resource_owner_key=token["oauth_token"],
        resource_owner_secret=token["oauth_token_secret"],
    )


def test_full_read_access_shows_what_is_private(caller):
    album = caller.smugmug.world.new_album("Private", privacy="Private").key
    token = dance(caller, consent={"Access": "Full", "Permissions": "Read"})
    url = caller.smugmug.url + PATH
    auth = with_token(caller, token)
    albums = caller.http.get(url, params=METHOD, auth=auth).json()["Albums"]
    assert album in [shown["Key"] for shown in albums]
    check = {"method": "smugmug.auth.checkAccessToken"}
    answer = caller.http.get(url, params=check, auth=auth).json()["Auth"]
    assert answer["Token"]["Access"] == "Full"
    assert answer["Token"]["Permissions"] == "Read"


def test_access_is_public_unless_more_is_asked_for(caller):
    album = caller.smugmug.world.new_album("Private", privacy="Private").key
    auth = with_token(caller, dance(caller, consent={}))
    albums = caller.http.get(caller.smugmug.url + PATH, params=METHOD, auth=auth).json()["Albums"]
    assert album not in [shown["Key"] for shown in albums]


def test_a_wrong_code_or_a_second_use_gets_no_token(caller):
    base = f"{caller.smugmug.url}/services/oauth/1.0a"
    secrets = caller.account.secrets
    no_callback = caller.http.post(
        f"{base}/getRequestToken", auth=OAuth1(secrets.api_key, secrets.api_secret)
    )
    assert (no_callback.status_code, no_callback.text) == (401, "oauth_problem=parameter_absent")
    wrong = OAuth1(secrets.api_key, "wrong", callback_uri="oob")
    assert "signature_invalid" in caller.http.post(f"{base}/getRequestToken", auth=wrong).text
    session = OAuth1Session(secrets.api_key, secrets.api_secret, callback_uri="oob")
    request = session.fetch_request_token(f"{base}/getRequestToken")

    def exchange(verifier: str) -> str:
        auth = OAuth1(
            secrets.api_key,
            secrets.api_secret,
            request["oauth_token"],
            request["oauth_token_secret"],
            verifier=verifier,
        )
        return caller.http.post(f"{base}/getAccessToken", auth=auth).text

    assert "token_rejected" in exchange("000000")
    page = caller.http.get(session.authorization_url(f"{base}/authorize")).text
    verifier = re.search(r'id="code">(\d{6})<', page)[1]
    assert "verifier_invalid" in exchange("1" + verifier[1:] if verifier[0] != "1" else "222222")
    assert "oauth_token=" in exchange(verifier)
    assert "token_rejected" in exchange(verifier)
    session.close()


def test_a_user_can_refuse(caller):
    base = f"{caller.smugmug.url}/services/oauth/1.0a"
    secrets = caller.account.secrets
    with OAuth1Session(secrets.api_key, secrets.api_secret, callback_uri="oob") as session:
        session.fetch_request_token(f"{base}/getRequestToken")
        asked = session.authorization_url(f"{base}/authorize", deny="1")
        assert "refused" in caller.http.get(asked).text
        assert caller.http.get(session.authorization_url(f"{base}/authorize")).status_code == 400


def test_a_request_token_lives_for_five_minutes(caller):
    base = f"{caller.smugmug.url}/services/oauth/1.0a"
    secrets = caller.account.secrets
    with OAuth1Session(secrets.api_key, secrets.api_secret, callback_uri="oob") as session:
        session.fetch_request_token(f"{base}/getRequestToken")
        later = datetime.now(UTC) + timedelta(minutes=6)
        caller.smugmug.world.clock = lambda: later
        asked = session.authorization_url(f"{base}/authorize")
        assert caller.http.get(asked).status_code == 400


def test_a_callback_is_called_with_the_code(caller):
    base = f"{caller.smugmug.url}/services/oauth/1.0a"
    secrets = caller.account.secrets
    there = "http://127.0.0.1:9/back"
    with OAuth1Session(secrets.api_key, secrets.api_secret, callback_uri=there) as session:
        session.fetch_request_token(f"{base}/getRequestToken")
        asked = session.authorization_url(f"{base}/authorize")
        answer = caller.http.get(asked, allow_redirects=False)
    assert answer.headers["Location"].startswith(f"{there}?oauth_token=")
    assert "oauth_verifier=" in answer.headers["Location"]
