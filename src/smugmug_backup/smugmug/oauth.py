"""The OAuth 1.0a dance that gets an access token, for the owner's command-line tool."""

import random
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote

import requests

from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import BadRequest, LoginLost, MalformedAnswer
from smugmug_backup.smugmug import answers
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.errors import Trouble, advice_of_dance, rule_of_problem, rule_of_status
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.signing import Signer
from smugmug_backup.smugmug.transport import Reply, Transport

_PATH = "/services/oauth/1.0a"


@dataclass(frozen=True, slots=True)
class Token:
    """A request or access token; its text form is empty on purpose."""

    token: str = field(repr=False)
    secret: str = field(repr=False)


def request_token(
    api_key: str, api_secret: str, *, api_url: str, clock: Clock, rng: random.Random | None = None
) -> Token:
    """Step 1: a request token (valid for five minutes) for a callback by six-digit code."""
    signer = Signer(
        Credentials(api_key, api_secret),
        clock=clock,
        rng=rng or random.SystemRandom(),
        callback="oob",
    )
    return _ask(f"{_PATH}/getRequestToken", signer, api_url=api_url, clock=clock)


def authorize_url(token: Token, *, api_url: str) -> str:
    """Step 2: where the owner grants access. All photos (Full), and nothing but reading.

    SmugMug gives Public by default, and a new authorisation cannot raise it.
    """
    query = f"oauth_token={quote(token.token, safe='')}&Access=Full&Permissions=Read"
    return f"{api_url.rstrip('/')}{_PATH}/authorize?{query}"


def access_token(
    api_key: str,
    api_secret: str,
    request: Token,
    code: str,
    *,
    api_url: str,
    clock: Clock,
    rng: random.Random | None = None,
) -> Token:
    """Step 3: trade the six-digit ``code`` for the access token, which never expires."""
    digits = code.strip().replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) == 6):
        raise BadRequest("SmugMug's code has six digits")
    signer = Signer(
        Credentials(api_key, api_secret, request.token, request.secret),
        clock=clock,
        rng=rng or random.SystemRandom(),
        verifier=digits,
    )
    return _ask(f"{_PATH}/getAccessToken", signer, api_url=api_url, clock=clock)


def _ask(path: str, signer: Signer, *, api_url: str, clock: Clock) -> Token:
    transport = Transport(
        api_url=api_url,
        signer=signer,
        governor=Governor(clock=clock, max_concurrency=1),
        clock=clock,
        rng=random.SystemRandom(),
        attempts=3,
    )

    def read(reply: Reply) -> Token:
        rule = rule_of_status(reply.status)
        if rule is not None:
            # Where tokens are traded, every refusal is one of the key, the token or the code.
            refused = 400 <= reply.status < 500 and reply.status != 429
            message = f"SmugMug's login answered HTTP {reply.status}"
            problem = answers.oauth_problem(reply.headers, reply.body) if refused else None
            if problem is not None:
                rule, message = rule_of_problem(problem), f"{message} (oauth_problem {problem})"
            if refused:
                message = f"{message}; {advice_of_dance(problem)}"
            raise Trouble.by(rule, message, error=LoginLost if refused else None)
        values = parse_qs(reply.body.decode("ascii", "replace"))
        token, secret = values.get("oauth_token"), values.get("oauth_token_secret")
        if not token or not secret:
            raise Trouble(MalformedAnswer("SmugMug's login sent no token"))
        return Token(token[0], secret[0])

    request = requests.Request("POST", f"{transport.api_url}{path}")
    return transport.call(request, read, deadline=Deadline.after(clock, 60.0))
