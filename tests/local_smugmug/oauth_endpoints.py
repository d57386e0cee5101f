"""The three steps by which a program gets an access token: OAuth 1.0a, with a six-digit code."""

import html
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.local_smugmug.calls import Call
from tests.local_smugmug.generate import secret_text
from tests.local_smugmug.model import Account
from tests.local_smugmug.oauth import OAuthProblem, Token, oauth_values
from tests.local_smugmug.wire import Answer, Request

if TYPE_CHECKING:
    from tests.local_smugmug.server import LocalSmugMug

_PREFIX = "/services/oauth/"
_STEPS = ("getRequestToken", "authorize", "getAccessToken")
_LIFETIME = 300
"""Seconds that a request token is good for."""


@dataclass(slots=True)
class _Pending:
    """A request token on its way to an access token."""

    secret: str
    callback: str
    until: float
    verifier: str = ""
    account: Account | None = None
    access: str = "Public"
    permissions: str = "Read"


def call_of(request: Request) -> Call | None:
    """The step that the request takes; None if it is none."""
    if not request.path.startswith(_PREFIX):
        return None
    step = request.path[len(_PREFIX) :].removeprefix("1.0a/").removesuffix(".mg")
    return Call("oauth", "oauth", step) if step in _STEPS else None


class OAuthEndpoints:
    """Request token, the user's consent, access token."""

    def __init__(self, server: "LocalSmugMug") -> None:
        self._server, self._world = server, server.world
        self._lock = threading.Lock()
        self._pending: dict[str, _Pending] = {}
        self._given = 0

    def answer(self, request: Request, call: Call) -> Answer:
        """The answer to one step; refusals are ``oauth_problem=...`` with status 401."""
        try:
            if call.method == "getRequestToken":
                return self._request_token(request)
            if call.method == "authorize":
                return self._authorize(request)
            return self._access_token(request)
        except OAuthProblem as problem:
            body = urlencode({"oauth_problem": problem.problem}).encode()
            return Answer(401, {"Content-Type": "text/plain"}, body)

    def _request_token(self, request: Request) -> Answer:
        values = oauth_values(request)
        if not values.get("oauth_callback"):
            raise OAuthProblem(22, "oauth_callback", "parameter_absent")
        self._server.keeper.check(request, values, "")
        with self._lock:
            self._given += 1
            token = secret_text("request", self._given, self._server.port)
            secret = secret_text("request secret", self._given, self._server.port)
            until = self._world.now() + _LIFETIME
            self._pending[token] = _Pending(secret, values["oauth_callback"], until)
        return _form(oauth_token=token, oauth_token_secret=secret, oauth_callback_confirmed="true")

    def _authorize(self, request: Request) -> Answer:
        """The page that the user sees; asking for it is consenting. ``NickName`` says who the
        user is (else the first account), ``deny`` refuses."""
        asked = request.params
        token = asked.get("oauth_token", "")
        with self._lock:
            pending = self._pending.get(token)
            if pending is None or pending.until < self._world.now():
                return Answer.html("This request is no longer valid", 400)
            if asked.get("deny"):
                del self._pending[token]
                return Answer.html("You have refused access")
            nickname = asked.get("NickName", "").lower()
            pending.account = self._world.accounts.get(nickname) or self._world.account
            pending.access = "Full" if asked.get("Access") == "Full" else "Public"
            known = ("Read", "Add", "Modify")
            wanted = asked.get("Permissions", "Read")
            pending.permissions = wanted if wanted in known else "Read"
            digits = int(secret_text("code", token).encode().hex(), 16)
            pending.verifier = f"{digits % 1_000_000:06d}"
        if pending.callback != "oob":
            joint = "&" if "?" in pending.callback else "?"
            given = urlencode({"oauth_token": token, "oauth_verifier": pending.verifier})
            return Answer.redirect(f"{pending.callback}{joint}{given}")
        page = (
            "<!DOCTYPE html><html><head><title>SmugMug</title></head><body>"
            f"<p>{html.escape(pending.account.name)}, you allow {pending.permissions} access to"
            f" {'all' if pending.access == 'Full' else 'public'} photos.</p>"
            f'<p>Your code: <strong id="code">{pending.verifier}</strong></p></body></html>'
        )
        return Answer(headers={"Content-Type": "text/html; charset=utf-8"}, body=page.encode())

    def _access_token(self, request: Request) -> Answer:
        values = oauth_values(request)
        token_id = values.get("oauth_token", "")
        with self._lock:
            pending = self._pending.get(token_id)
        if pending is None or pending.account is None or pending.until < self._world.now():
            raise OAuthProblem(36, "invalid/expired token", "token_rejected")
        if values.get("oauth_verifier") != pending.verifier:
            raise OAuthProblem(36, "invalid verifier", "verifier_invalid")
        self._server.keeper.check(request, values, pending.secret)
        with self._lock:
            if self._pending.pop(token_id, None) is None:
                raise OAuthProblem(36, "invalid/expired token", "token_used")
        token = Token(
            secret_text("access", token_id),
            secret_text("access secret", token_id),
            pending.account,
            pending.access,
            pending.permissions,
        )
        self._server.keeper.tokens[token.id] = token
        return _form(oauth_token=token.id, oauth_token_secret=token.secret)


def _form(**values: str) -> Answer:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return Answer(headers=kind, body=urlencode(values).encode())
