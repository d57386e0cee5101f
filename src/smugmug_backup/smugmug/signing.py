"""Sign requests by OAuth 1.0 with HMAC-SHA1."""

import random
import threading
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849 import signature
from requests_oauthlib import OAuth1

from smugmug_backup.clock import Clock
from smugmug_backup.smugmug.credentials import Credentials


class _Client(Client):
    """oauthlib's, but for where it finds its own parameters: it would write the header that has
    them, and read it again, which is near to half of a signature (3.3, ``get_oauth_signature``)."""

    def get_oauth_signature(self, request: Any) -> str:
        """Of a request whose parameters go into its header."""
        query = urlsplit(request.uri).query
        # Pairs, whatever the hints of the library's types say.
        collected: Any = signature.collect_parameters(uri_query=query, body=request.body)
        collected += request.oauth_params
        parameters = signature.normalize_parameters(collected)
        uri = signature.base_string_uri(request.uri, request.headers.get("Host"))
        base = signature.signature_base_string(request.http_method, uri, parameters)
        signed: str = self.SIGNATURE_METHODS[self.signature_method](base, self)
        return signed


class Signer:
    """Signs requests in their header; each signature has its own nonce and timestamp."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        clock: Clock,
        rng: random.Random,
        callback: str | None = None,
        verifier: str | None = None,
    ) -> None:
        self._credentials = credentials
        self._callback = callback
        self._verifier = verifier
        self._clock = clock
        self._rng = rng
        self._skew = timedelta(0)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "Signer()"

    def set_clock(self, server_time: datetime) -> None:
        """From now on, sign with the server's time: ours was refused."""
        with self._lock:
            self._skew = server_time - self._clock.now()

    def now(self) -> datetime:
        """The time that the next signature tells."""
        return self._clock.now() + self._skew

    def sign(self, request: requests.PreparedRequest) -> None:
        """Put an ``Authorization`` header on ``request``, in place of any there was."""
        request.headers.pop("Authorization", None)
        auth = OAuth1(
            self._credentials.api_key,
            client_secret=self._credentials.api_secret,
            resource_owner_key=self._credentials.access_token,
            resource_owner_secret=self._credentials.access_token_secret,
            callback_uri=self._callback,
            verifier=self._verifier,
            decoding=None,
            client_class=_Client,
            nonce=f"{self._rng.getrandbits(128):032x}",
            timestamp=str(int(self.now().timestamp())),
        )
        auth(request)
