"""OAuth 1.0a as the service checks it: HMAC-SHA1 in the header, the query or the form."""

import base64
import hashlib
import hmac
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from oauthlib.oauth1.rfc5849 import signature as rfc5849

from tests.local_smugmug.model import Account
from tests.local_smugmug.wire import Request
from tests.local_smugmug.world import World

_NONCES = 100_000


class OAuthProblem(Exception):
    """The signature is refused; ``code`` is API 1.3.0's, ``problem`` the OAuth endpoints' word."""

    def __init__(self, code: int, message: str, problem: str) -> None:
        super().__init__(message)
        self.code, self.message, self.problem = code, message, problem


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: the account behind a token, or nobody; and how much the token allows."""

    account: Account | None = None
    access: str = "Public"
    permissions: str = "Read"
    signed: bool = False

    def owns(self, account: Account) -> bool:
        return self.account is account and self.access == "Full"


@dataclass(frozen=True, slots=True)
class Token:
    """A token that the service gave out."""

    id: str
    secret: str
    account: Account
    access: str
    permissions: str


class Keeper:
    """Knows keys, tokens and used nonces, and checks signatures."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._used: set[tuple[str, str, str]] = set()
        self._order: deque[tuple[str, str, str]] = deque()
        self.tokens: dict[str, Token] = {}
        self.revoked: set[str] = set()

    def api_secret(self, api_key: str) -> str | None:
        """The secret of an API key; None if the key is unknown."""
        for account in self._world.accounts.values():
            if account.secrets.api_key == api_key:
                return account.secrets.api_secret
        return None

    def token(self, token_id: str) -> Token | None:
        """The access token; None if it is unknown or revoked."""
        if token_id in self.revoked:
            return None
        for account in self._world.accounts.values():
            secrets = account.secrets
            if secrets.access_token == token_id:
                access = self._world.switches.token_access
                return Token(token_id, secrets.access_token_secret, account, access, "Read")
        return self.tokens.get(token_id)

    def viewer(self, request: Request) -> Viewer | None:
        """Who signed the request; None if it is not signed at all. Raises OAuthProblem."""
        values = oauth_values(request)
        if "oauth_signature" not in values and "oauth_consumer_key" not in values:
            return None
        token = self.token(values.get("oauth_token", ""))
        self.check(request, values, token.secret if token else "")
        if token is None:
            raise OAuthProblem(36, "invalid/expired token", "token_rejected")
        return Viewer(token.account, token.access, token.permissions, signed=True)

    def check(self, request: Request, values: dict[str, str], token_secret: str) -> None:
        """Check all but whether the token is good. Raises OAuthProblem."""
        if values.get("oauth_signature_method", "HMAC-SHA1") != "HMAC-SHA1":
            raise OAuthProblem(37, "unsupported signature method", "signature_method_rejected")
        if values.get("oauth_version", "1.0") != "1.0":
            raise OAuthProblem(38, "unsupported version", "version_rejected")
        api_key = values.get("oauth_consumer_key", "")
        api_secret = self.api_secret(api_key)
        if api_secret is None:
            code = self._world.switches.consumer_key_code
            raise OAuthProblem(code, "invalid consumer key", "consumer_key_unknown")
        stamp, nonce = values.get("oauth_timestamp", ""), values.get("oauth_nonce", "")
        if not stamp.isdigit() or not self._is_fresh(int(stamp)):
            raise OAuthProblem(30, "expired timestamp", "timestamp_refused")
        token_id = values.get("oauth_token", "")
        if "oauth_verifier" not in values and token_id and self.token(token_id) is None:
            raise OAuthProblem(36, "invalid/expired token", "token_rejected")
        expected = sign(request, api_secret, token_secret)
        given = values.get("oauth_signature", "")
        if expected is None or not hmac.compare_digest(expected.encode(), given.encode()):
            raise OAuthProblem(35, "invalid signature", "signature_invalid")
        if not nonce or not self._use(api_key, stamp, nonce):
            raise OAuthProblem(33, "invalid/used nonce", "nonce_used")

    def _is_fresh(self, stamp: int) -> bool:
        switches = self._world.switches
        clocks = {"world": [self._world.now()], "system": [time.time()]}
        known = clocks.get(switches.oauth_clock, clocks["world"] + clocks["system"])
        return any(abs(now - stamp) <= switches.oauth_skew for now in known)

    def _use(self, api_key: str, stamp: str, nonce: str) -> bool:
        mark = (api_key, stamp, nonce)
        with self._lock:
            if mark in self._used:
                return False
            self._used.add(mark)
            self._order.append(mark)
            if len(self._order) > _NONCES:
                self._used.discard(self._order.popleft())
            return True


def oauth_values(request: Request) -> dict[str, str]:
    """The ``oauth_`` values, from the header if there is one, else from query and form."""
    header = request.headers.get("authorization", "")
    if header[:6].lower() == "oauth ":
        try:
            return dict(rfc5849.collect_parameters(headers={"Authorization": header},
                                                   exclude_oauth_signature=False))  # fmt: skip
        except ValueError:
            return {"oauth_signature": "", "oauth_consumer_key": ""}
    return {name: value for name, value in request.pairs if name.startswith("oauth_")}


def sign(request: Request, api_secret: str, token_secret: str) -> str | None:
    """The signature that the request should have; None if it cannot be signed as it is."""
    header = request.headers.get("authorization", "")
    try:
        method: Any = request.method
        collected: Any = rfc5849.collect_parameters(
            uri_query=request.query,
            body=request.body.decode() if request.is_form else [],
            headers={"Authorization": header} if header[:6].lower() == "oauth " else {},
        )
        base = rfc5849.signature_base_string(
            method,
            rfc5849.base_string_uri(request.origin + request.path),
            rfc5849.normalize_parameters(collected),
        )
    except ValueError:
        # Something on the wire is not escaped as RFC 3986 wants it.
        return None
    key = f"{quote(api_secret, safe='~')}&{quote(token_secret, safe='~')}".encode()
    return base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest()).decode()
