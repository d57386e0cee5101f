"""Sign requests by OAuth 1.0 with HMAC-SHA1."""

import random
import threading
from datetime import datetime, timedelta

import requests
from requests_oauthlib import OAuth1

from smugmug_backup.clock import Clock
from smugmug_backup.smugmug.credentials import Credentials


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
            nonce=f"{self._rng.getrandbits(128):032x}",
            timestamp=str(int(self.now().timestamp())),
        )
        auth(request)
