"""OAuth: signatures that another implementation accepts, and the dance."""

import random
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import requests
from oauthlib.common import Request
from oauthlib.oauth1.rfc5849 import signature

from smugmug_backup.errors import BadRequest, LoginLost, MalformedAnswer
from smugmug_backup.smugmug import oauth
from smugmug_backup.smugmug.errors import advice_of_dance
from smugmug_backup.smugmug.signing import Signer
from tests.unit.smugmug.server import SIGNED, START, FakeClock, Said, Server


def header_of(request: requests.PreparedRequest) -> dict[str, str]:
    text = str(request.headers["Authorization"]).removeprefix("OAuth ")
    pairs = (part.split("=", 1) for part in text.split(", "))
    return {name: unquote(value.strip('"')) for name, value in pairs}


@pytest.mark.parametrize(
    "request_",
    [
        requests.Request(
            "POST",
            "https://api.smugmug.com/services/api/json/1.3.0/",
            data={"method": "smugmug.images.get", "Password": "it's (a) +b&=%20é*~"},
        ),
        requests.Request(
            "GET",
            "https://api.smugmug.com/api/v2/album/hT4mWq!images",
            params={"_filter": "A,B", "_filteruri": "", "start": "1"},
        ),
        requests.Request("GET", "https://photos.smugmug.com/i-x/it's%20(1)%2Bé.jpg?a=b%20c&d"),
    ],
)
def test_a_signature_is_what_the_specification_makes_of_the_request(
    request_: requests.Request,
) -> None:
    prepared = request_.prepare()
    Signer(SIGNED, clock=FakeClock(), rng=random.Random(1)).sign(prepared)
    sent = header_of(prepared)
    assert sent["oauth_timestamp"] == str(int(START.timestamp()))
    claimed = sent.pop("oauth_signature")
    query = parse_qsl(urlsplit(prepared.url or "").query, keep_blank_values=True)
    body = parse_qsl(str(prepared.body or ""), keep_blank_values=True)
    theirs = Request(prepared.url, prepared.method)
    theirs.params = [*sent.items(), *query, *body]
    theirs.signature = claimed
    assert signature.verify_hmac_sha1(theirs, "SECRET-1", "TOKENSECRET-1")
    if prepared.body:
        assert prepared.headers["Content-Length"] == str(len(prepared.body))


def test_two_signatures_share_no_nonce() -> None:
    signer = Signer(SIGNED, clock=FakeClock(), rng=random.Random(1))
    seen = set()
    for _ in range(50):
        prepared = requests.Request("GET", "https://api.smugmug.com/").prepare()
        signer.sign(prepared)
        signer.sign(prepared)
        seen.add(header_of(prepared)["oauth_nonce"])
    assert len(seen) == 50


def test_the_dance(server: Server) -> None:
    server.answers = [Said("oauth_token=rt&oauth_token_secret=rs&oauth_callback_confirmed=true")]
    clock = FakeClock()
    token = oauth.request_token("KEY-1", "SECRET-1", api_url=server.url, clock=clock)
    assert (token.token, token.secret) == ("rt", "rs")
    assert repr(token) == "Token()"
    assert server.asked[0].path == "/services/oauth/1.0a/getRequestToken"
    assert 'oauth_callback="oob"' in server.asked[0].headers["Authorization"]
    assert oauth.authorize_url(token, api_url="https://api.smugmug.com/") == (
        "https://api.smugmug.com/services/oauth/1.0a/authorize"
        "?oauth_token=rt&Access=Full&Permissions=Read"
    )
    server.answers = [Said("oauth_token=at&oauth_token_secret=as")]
    access = oauth.access_token(
        "KEY-1", "SECRET-1", token, " 123-456 ", api_url=server.url, clock=clock
    )
    assert (access.token, access.secret) == ("at", "as")
    sent = server.asked[1].headers["Authorization"]
    assert 'oauth_verifier="123456"' in sent and 'oauth_token="rt"' in sent


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦"])
def test_a_code_that_cannot_be_one_is_not_sent(code: str, server: Server) -> None:
    with pytest.raises(BadRequest):
        oauth.access_token(
            "KEY-1", "SECRET-1", oauth.Token("t", "s"), code, api_url=server.url, clock=FakeClock()
        )
    assert server.asked == []


def test_a_refused_login_is_lost(server: Server) -> None:
    for said, error in (
        (Said("oauth_problem=consumer_key_unknown", 401), LoginLost),
        (Said("<html>", 200), MalformedAnswer),
        (Said("oauth_token=x", 200), MalformedAnswer),
    ):
        server.answers = [said]
        with pytest.raises(error):
            oauth.request_token("KEY-1", "SECRET-1", api_url=server.url, clock=FakeClock())


@pytest.mark.parametrize(
    ("problem", "advice"),
    [
        ("consumer_key_unknown", "API key against"),
        ("consumer_key_refused", "API key against"),
        ("signature_invalid", "API secret against"),
        ("verifier_invalid", "the code that SmugMug shows now"),
        ("token_rejected", "start again"),
        ("version_rejected", "API key and its secret"),
        (None, "API key and its secret"),
    ],
)
def test_what_was_mistyped_in_the_dance_is_said_as_far_as_smugmug_tells(problem, advice):
    assert advice in advice_of_dance(problem)
