"""What each of SmugMug's codes and HTTP statuses means: one table each, with its evidence.

Decided by number alone: the texts of messages are free-form ("(message)" in the documentation).
Sources in brackets: SEED is the official page of ``smugmug.images.get`` 1.3.0; the others are
public clients and pages of SmugMug's, gathered in 2026-11 (W120 and W122: SmugMug's own pages of
1.2.0 and 1.2.2; WIZ: a C# client tested against the live 1.3.0 in 2025-01).
"""

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from smugmug_backup.errors import (
    AccessRefused,
    AlbumNotFound,
    EmptySet,
    LoginLost,
    MalformedAnswer,
    RequestRejected,
    SourceError,
    SourceRetired,
    SourceUnavailable,
)


class Retry(Enum):
    """Whether the same call is made again at once (bounded), or once, or not."""

    NO = "no"
    ONCE = "once"
    YES = "yes"


class TimedOut(SourceUnavailable):
    """No whole answer in time: what asked for much may ask for less."""


class NotThere(MalformedAnswer):
    """v2's own 404 of a list that an account has: it occurs in passing."""


class Rule(NamedTuple):
    """What one code or status means to us.

    ``slow``: the service asks for less; all threads slow down. ``mends_clock``: try again with
    the time of the answer's ``Date`` header.
    """

    meaning: str
    error: type[SourceError]
    retry: Retry = Retry.NO
    slow: bool = False
    mends_clock: bool = False
    evidence: str = ""
    advice: str = ""
    """What the owner can do about it."""

    def told(self, what: str) -> str:
        """One line: what happened to ``what``, and what to do."""
        return f"{what}, {self.meaning}" + (f"; {self.advice}" if self.advice else "")


_CHECK_KEY = "check the secret's api_key against SmugMug's page of your API keys"
_AUTHORISE = "get a new access token by `smugmug-backup authorize`"
_CHECK_SECRETS = (
    "check the secret's api_secret and access_token_secret, or get a new token by "
    "`smugmug-backup authorize`"
)
_CHECK_RIGHTS = (
    "check the nickname, the site password and the album's password, or use an access token "
    "(Access=Full) of the owner's"
)


CODES: dict[int, Rule] = {
    1: Rule("invalid login", LoginLost, evidence="public clients of 1.2.x", advice=_AUTHORISE),
    3: Rule("invalid session", LoginLost, evidence="SEED", advice=_AUTHORISE),
    4: Rule(
        "invalid user",
        AccessRefused,
        evidence="SEED: no right, or a wrong password or key",
        advice=_CHECK_RIGHTS,
    ),
    5: Rule("system error", SourceUnavailable, Retry.YES, evidence="W120"),
    6: Rule("wrong format", RequestRejected, evidence="uploads only; a public client of 1.2.0"),
    9: Rule("invalid album", AlbumNotFound, evidence="a public client of 1.2.0"),
    11: Rule("ancient version", SourceRetired, evidence="a public client of 1.2.0"),
    12: Rule("invalid sort method", RequestRejected, evidence="manual of 1.2.0"),
    13: Rule("invalid sort direction", RequestRejected, evidence="manual of 1.2.0"),
    15: Rule("empty set", EmptySet, evidence="SEED: strict only"),
    16: Rule("invalid data", RequestRejected, evidence="SEED"),
    17: Rule("invalid method", SourceRetired, evidence="W122"),
    18: Rule("invalid API key", LoginLost, evidence="SEED", advice=_CHECK_KEY),
    21: Rule("data not changed", RequestRejected, evidence="WIZ; writes only"),
    22: Rule("missing required parameter", RequestRejected, evidence="SEED"),
    30: Rule("expired timestamp", LoginLost, Retry.ONCE, mends_clock=True, evidence="W122"),
    # W122 says 31, WIZ says 32; a third client knows 32 only.
    31: Rule("invalid consumer key", LoginLost, evidence="W122", advice=_CHECK_KEY),
    32: Rule("invalid consumer key", LoginLost, evidence="WIZ", advice=_CHECK_KEY),
    33: Rule("invalid or used nonce", LoginLost, Retry.YES, evidence="W122; each try has its own"),
    34: Rule("invalid permissions", AccessRefused, evidence="WIZ", advice=_AUTHORISE),
    35: Rule("invalid signature", LoginLost, evidence="W122", advice=_CHECK_SECRETS),
    36: Rule("invalid or expired token", LoginLost, evidence="W122", advice=_AUTHORISE),
    37: Rule("unsupported signature method", LoginLost, evidence="W122"),
    38: Rule("unsupported version", SourceRetired, evidence="W122"),
    64: Rule("unknown file type", RequestRejected, evidence="WIZ; uploads only"),
    98: Rule("service unavailable", SourceUnavailable, Retry.YES, slow=True, evidence="SEED"),
    99: Rule("read-only mode", SourceUnavailable, Retry.YES, slow=True, evidence="W122"),
}

UNKNOWN_CODE = Rule("an unknown code", RequestRejected, evidence="fails that album, never more")

GONE = frozenset({404, 410})
"""No such place. What it means depends on what was asked: see `rule_of_status`."""

_STATUSES: dict[int, Rule] = {
    400: Rule("bad request", RequestRejected, evidence="a POST that lost its body, too"),
    401: Rule("not authorised", LoginLost, evidence="v2; also a key without v2 access"),
    403: Rule("forbidden", AccessRefused, evidence="v2"),
    404: Rule("not found", MalformedAnswer, Retry.YES, evidence="edge servers"),
    408: Rule("request timeout", SourceUnavailable, Retry.YES, evidence="RFC 9110"),
    410: Rule("gone", MalformedAnswer, Retry.YES, evidence="edge servers"),
    425: Rule("too early", SourceUnavailable, Retry.YES, evidence="RFC 8470"),
    429: Rule("too many requests", SourceUnavailable, Retry.YES, slow=True, evidence="v2 manual"),
    503: Rule("unavailable", SourceUnavailable, Retry.YES, slow=True, evidence="RFC 9110"),
    504: Rule("gateway time-out", TimedOut, Retry.YES, evidence="RFC 9110"),
}
_SERVER_ERROR = Rule("server error", SourceUnavailable, Retry.YES, evidence="RFC 9110")
_REDIRECT = Rule("a redirect", MalformedAnswer, Retry.YES, evidence="http to https in 2018")
_CLIENT_ERROR = Rule("request not accepted", RequestRejected, evidence="RFC 9110")
_NO_CONTENT = Rule("no content", MalformedAnswer, Retry.YES, evidence="a public client of 1.3.0")


def rule_of_code(code: int) -> Rule:
    """What one of SmugMug's own codes means; an unknown one fails only what was asked."""
    return CODES.get(code, UNKNOWN_CODE)


def rule_of_status(status: int) -> Rule | None:
    """What an HTTP status means, before anyone looked at the body; None for 200."""
    if status == 200:
        return None
    if status in _STATUSES:
        return _STATUSES[status]
    if status >= 500:
        return _SERVER_ERROR
    if status >= 400:
        return _CLIENT_ERROR
    return _REDIRECT if status >= 300 else _NO_CONTENT


SIGN_AGAIN: dict[str, Rule] = {
    "nonce_used": Rule(
        "a nonce that was used before",
        LoginLost,
        Retry.YES,
        evidence="OAuth Core 1.0, section 10: a collision, no lost login",
    ),
    "timestamp_refused": Rule(
        "a time that is not SmugMug's",
        LoginLost,
        Retry.ONCE,
        mends_clock=True,
        evidence="OAuth Core 1.0, section 10: a clock, no lost login",
    ),
}
"""Problems of one signature: signed again before the login counts as lost."""

_OF_WHAT_WAS_ASKED = frozenset(
    {"additional_authorization_required", "permission_denied", "permission_unknown", "user_refused"}
)


_ADVICE_OF_PROBLEM = {
    **dict.fromkeys(
        ("consumer_key_unknown", "consumer_key_rejected", "consumer_key_refused"), _CHECK_KEY
    ),
    "signature_invalid": _CHECK_SECRETS,
}
"""Which of key, secrets and token is meant; of all others, it is the token."""

_ADVICE_WITHOUT_TOKEN = {
    "signature_invalid": "check the API secret against SmugMug's page of your API keys",
    "verifier_invalid": "type in the code that SmugMug shows now",
}


def advice_of_dance(problem: str | None) -> str:
    """What to check where a token is asked for, so that there is none yet that could be wrong.

    =======================  ============================================
    oauth_problem            what is wrong
    =======================  ============================================
    consumer_key_*           the API key
    signature_invalid        the API secret
    verifier_invalid         the code
    token_*                  the address was used, or is too old
    all others, none         key or secret: the server does not tell which
    =======================  ============================================
    """
    if problem in _ADVICE_WITHOUT_TOKEN:
        return _ADVICE_WITHOUT_TOKEN[problem]
    if problem is not None and problem.startswith("consumer_key_"):
        return "check the API key against SmugMug's page of your API keys"
    if problem is not None and problem.startswith("token_"):
        return "start again: each address is good for one code and five minutes"
    return "check the API key and its secret against SmugMug's page of your API keys"


def rule_of_problem(problem: str) -> Rule:
    """What a word of ``oauth_problem`` means.

    =======================================  ==================================================
    the word                                 meaning
    =======================================  ==================================================
    nonce_used, timestamp_refused            sign again; the login is lost if that helps nothing
    permission_*, user_refused,              no right to what was asked, as code 34
    additional_authorization_required
    all others                               the key, the token or the secrets: the login
    =======================================  ==================================================
    """
    if problem in SIGN_AGAIN:
        return SIGN_AGAIN[problem]
    error = AccessRefused if problem in _OF_WHAT_WAS_ASKED else LoginLost
    advice = _ADVICE_OF_PROBLEM.get(problem, _AUTHORISE)
    return Rule("not authorised", error, evidence="OAuth problem reporting", advice=advice)


def rule_of_refusal(status: int, problem: str | None, *, vital: bool) -> Rule:
    """What a 401 or 403 without a code of SmugMug's own speaks of.

    ``vital``: it was asked about the account as a whole. ``problem``: what ``oauth_problem`` said.

    ======  =================  ==================  ============================================
    status  oauth_problem      of the account      of one album or image
    ======  =================  ==================  ============================================
    401     of the login       login lost          login lost
    401     of one signature   signed again, then  signed again, then login lost
                               login lost
    401     of a permission    login lost          access refused
    401     none               login lost          access refused: seen of albums with a password
                                                   while the same login opened all others
    403     any                login lost          access refused
    ======  =================  ==================  ============================================
    """
    rule = _STATUSES[status] if problem is None or status != 401 else rule_of_problem(problem)
    if vital:
        return rule._replace(error=LoginLost)
    if problem is None or status != 401:
        return rule._replace(error=AccessRefused, advice=_CHECK_RIGHTS)
    return rule


class EmptyAnswer(EmptySet):
    """Code 15, with the date of the answer: an empty listing, too, tells the source's time."""

    def __init__(self, message: str, *, answered_at: datetime | None) -> None:
        super().__init__(message, api_code=15)
        self.answered_at = answered_at


class Trouble(Exception):
    """One attempt that failed: the error it will be, and whether to try again first.

    Internal to the adapter: `Transport` raises ``error`` in the end, never this. ``unconnected``:
    nobody answered, and it may be the connection itself.
    """

    def __init__(
        self,
        error: SourceError,
        *,
        retry: Retry = Retry.NO,
        slow: bool = False,
        retry_after: float | None = None,
        mends_clock: bool = False,
        unconnected: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry = retry
        self.slow = slow
        self.retry_after = retry_after
        self.mends_clock = mends_clock
        self.unconnected = unconnected

    @classmethod
    def by(
        cls,
        rule: Rule,
        message: str,
        *,
        api_code: int | None = None,
        error: type[SourceError] | None = None,
    ) -> "Trouble":
        """As ``rule`` says, unless the caller knows that it means another ``error`` here."""
        return cls(
            (error or rule.error)(message, api_code=api_code),
            retry=rule.retry,
            slow=rule.slow,
            mends_clock=rule.mends_clock,
        )
