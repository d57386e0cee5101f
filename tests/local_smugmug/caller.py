"""A bare client, for the tests of the stand-in itself: what is sent is what the test says."""

from typing import Any

import requests
from requests_oauthlib import OAuth1

from tests.local_smugmug.server import LocalSmugMug

PATH = "/services/api/json/1.3.0/"


class Caller:
    """Calls one server as the owner of its first account, or as nobody."""

    def __init__(self, smugmug: LocalSmugMug) -> None:
        self.smugmug = smugmug
        self.account = smugmug.world.account
        self.http = requests.Session()

    def close(self) -> None:
        self.http.close()

    def auth(self, **changes: Any) -> OAuth1:
        """The owner's signature; ``changes`` are arguments of OAuth1."""
        secrets = self.account.secrets
        values: dict[str, Any] = {
            "client_key": secrets.api_key,
            "client_secret": secrets.api_secret,
            "resource_owner_key": secrets.access_token,
            "resource_owner_secret": secrets.access_token_secret,
        }
        return OAuth1(**(values | changes))

    def raw(
        self, method: str, *, signed: bool = True, http: str = "GET", **params: Any
    ) -> requests.Response:
        """The answer of API 1.3.0; unsigned, APIKey and NickName are added."""
        values = {"method": method, **params}
        if not signed:
            known = {"APIKey": self.account.secrets.api_key, "NickName": self.account.nickname}
            values = known | values
        url = self.smugmug.url + PATH
        auth = self.auth() if signed else None
        if http == "POST":
            return self.http.post(url, data=values, auth=auth, timeout=120)
        return self.http.get(url, params=values, auth=auth, timeout=120)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Its JSON."""
        data: dict[str, Any] = self.raw(method, **params).json()
        return data

    def code(self, method: str, **params: Any) -> int:
        """The code of its error, 0 if it is none."""
        return int(self.call(method, **params).get("code", 0))

    def albums(self, **params: Any) -> list[dict[str, Any]]:
        albums: list[dict[str, Any]] = self.call("smugmug.albums.get", **params)["Albums"]
        return albums

    def images_call(self, album_key: str, **params: Any) -> dict[str, Any]:
        """images.get of one album, whole."""
        number = self.smugmug.world.album(album_key).id
        return self.call("smugmug.images.get", AlbumID=number, AlbumKey=album_key, **params)

    def images(self, album_key: str, **params: Any) -> list[dict[str, Any]]:
        images: list[dict[str, Any]] = self.images_call(album_key, **params)["Album"]["Images"]
        return images

    def photo(self, url: str, *, signed: bool = True, **options: Any) -> requests.Response:
        auth = self.auth() if signed else None
        return self.http.get(url, auth=auth, timeout=120, **options)

    def v2(
        self, path: str, *, signed: bool = True, http: str = "GET", **params: Any
    ) -> requests.Response:
        """The answer of API v2 to a path such as ``/album/KEY!images``."""
        if not signed:
            params = {"APIKey": self.account.secrets.api_key, **params}
        url = path if path.startswith("/api/v2") else f"/api/v2{path}"
        return self.http.request(
            http,
            self.smugmug.url + url,
            params=params,
            auth=self.auth() if signed else None,
            headers={"Accept": "application/json"},
            timeout=120,
        )

    def v2_things(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """The list in an answer of API v2; an absent one is empty."""
        response = self.v2(path, **params).json()["Response"]
        things: list[dict[str, Any]] = response.get(response["Locator"], [])
        return things
