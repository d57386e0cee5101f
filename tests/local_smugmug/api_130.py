"""API 1.3.0 as JSON: the methods that a backup needs, with every parameter and every error."""

import itertools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.local_smugmug.calls import Call
from tests.local_smugmug.model import Account, Album, Image
from tests.local_smugmug.oauth import OAuthProblem, Viewer
from tests.local_smugmug.shapes_130 import Shapes130
from tests.local_smugmug.wire import Answer, Request

if TYPE_CHECKING:
    from tests.local_smugmug.server import LocalSmugMug

PREFIXES = ("/services/api/json/1.3.0", "/secure/services/api/json/1.3.0")
MESSAGES = {
    3: "invalid session",
    4: "invalid user",
    5: "system error",
    11: "ancient version",
    15: "empty set (no images found)",
    16: "invalid data",
    17: "invalid method",
    18: "invalid API key",
    22: "missing required parameter",
    30: "expired timestamp",
    31: "invalid consumer key",
    32: "invalid consumer key",
    33: "invalid/used nonce",
    34: "invalid permissions",
    35: "invalid signature",
    36: "invalid/expired token",
    37: "unsupported signature method",
    38: "unsupported version",
    98: "service unavailable",
    99: "read-only mode",
}
WHAT = {
    "smugmug.albums.get": "albums",
    "smugmug.albums.getInfo": "album",
    "smugmug.images.get": "images",
    "smugmug.images.getInfo": "image",
    "smugmug.images.getURLs": "image",
    "smugmug.auth.checkAccessToken": "account",
    "smugmug.service.ping": "ping",
}
_TRUE, _FALSE = {"1", "true", "yes"}, {"", "0", "false", "no"}
_CALLBACK = re.compile(r"[A-Za-z_$][\w$.]*")
_counter = itertools.count()


class ApiError(Exception):
    """An answer with ``stat: fail``."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail


class PasswordMissing(Exception):
    """The album's password is not given."""


def failure(
    method: str, code: int, detail: str = "", *, with_method: bool = True
) -> dict[str, Any]:
    """The envelope of an error."""
    message = MESSAGES.get(code, "error") + (f" ({detail})" if detail else "")
    envelope: dict[str, Any] = {"stat": "fail"}
    if with_method:
        envelope["method"] = method
    return envelope | {"code": code, "message": message}


def call_of(request: Request) -> Call:
    """What the request asks for, before anything is checked."""
    method = request.params.get("method", "")
    return Call(
        "api",
        WHAT.get(method, "other"),
        method,
        album=request.params.get("AlbumKey", ""),
        image=request.params.get("ImageKey", ""),
    )


class Api130:
    """Answers requests to the JSON endpoint."""

    def __init__(self, server: "LocalSmugMug") -> None:
        self._server, self._world = server, server.world
        self._methods: dict[str, Callable[[_Asked], dict[str, Any]]] = {
            "smugmug.albums.get": self._albums_get,
            "smugmug.albums.getInfo": self._albums_get_info,
            "smugmug.images.get": self._images_get,
            "smugmug.images.getInfo": self._images_get_info,
            "smugmug.images.getURLs": self._images_get_urls,
            "smugmug.auth.checkAccessToken": self._check_access_token,
            "smugmug.service.ping": lambda asked: {},
        }

    def answer(self, request: Request, call: Call) -> Answer:
        """The answer to one request; errors come with status 200."""
        method = request.params.get("method", "")
        switches = self._world.switches
        if switches.retired:
            return self._retired(request, method)
        answer = Answer()
        try:
            callback = request.params.get("Callback", "")
            if callback and not _CALLBACK.fullmatch(callback):
                raise ApiError(16, "Callback")
            answer.callback = callback
            if not method:
                raise ApiError(22, "method")
            handler = self._methods.get(method)
            if handler is None:
                raise ApiError(17)
            asked = _Asked(request, strict=False)
            asked.strict = asked.flag("Strict")
            answer.indent = 4 if asked.flag("Pretty") else None
            with self._world.lock:
                asked.viewer = self._viewer(asked)
                call.signed = asked.viewer.signed
                payload = handler(asked)
            head: dict[str, Any] = {"stat": "ok"}
            if switches.method_in_answers:
                head["method"] = method
            answer.data = head | payload
        except OAuthProblem as problem:
            answer.data = self._failure(method, problem.code, "")
        except PasswordMissing:
            if switches.password_refusal == "401":
                return Answer.html("Unauthorized", 401)
            answer.data = self._failure(method, 4, "you do not have access to this album")
        except ApiError as error:
            answer.data = self._failure(method, error.code, error.detail)
        return answer

    def _failure(self, method: str, code: int, detail: str) -> dict[str, Any]:
        return failure(method, code, detail, with_method=self._world.switches.method_in_answers)

    def _retired(self, request: Request, method: str) -> Answer:
        retired = self._world.switches.retired
        if retired in {"404", "410"}:
            return Answer.html("This API is no longer available", int(retired))
        if retired == "html":
            return Answer.html("SmugMug API documentation")
        if retired == "redirect":
            return Answer.redirect(f"http://{request.host}/api/v2/doc", 301)
        return Answer(data=self._failure(method, int(retired), ""))

    def _viewer(self, asked: "_Asked") -> Viewer:
        """Who asks. Raises ApiError 3, 18, 22 and OAuthProblem."""
        viewer = self._server.keeper.viewer(asked.request)
        session = asked.text("SessionID")
        if session and viewer is None:
            for account in self._world.accounts.values():
                if account.secrets.session_id == session:
                    viewer = Viewer(account, "Full", "Read", signed=True)
            if viewer is None:
                raise ApiError(3)
        api_key = asked.text("APIKey")
        if not api_key and (viewer is None or session):
            raise ApiError(22, "APIKey")
        if api_key and self._server.keeper.api_secret(api_key) is None:
            raise ApiError(18)
        return viewer or Viewer()

    # -- methods ---------------------------------------------------------------------------------

    def _albums_get(self, asked: "_Asked") -> dict[str, Any]:
        account = self._account(asked)
        owner = asked.viewer.owns(account)
        self._check_site_password(asked, account, owner)
        shapes = self._shapes(asked)
        heavy, extras = asked.flag("Heavy"), asked.names("Extras")
        since = asked.epoch("LastUpdated")
        entries = []
        for position, album in enumerate(account.albums.values(), 1):
            if not owner and album.privacy != "Public":
                continue
            if not asked.flag("Empty", default=True) and not self._world.counted(
                album, owner=owner
            ):
                continue
            if not self._is_after(album.updated, since):
                continue
            if heavy:
                entries.append(shapes.album(account, album, owner=owner, position=position))
                continue
            light = shapes.album_light(account, album)
            if extras:
                full = shapes.album(account, album, owner=owner, position=position)
                light |= _only(full, extras)
            entries.append(light)
        if not entries and asked.strict and self._world.switches.strict_15:
            raise ApiError(15)
        return {"Albums": asked.list(entries)}

    def _albums_get_info(self, asked: "_Asked") -> dict[str, Any]:
        account, album, owner = self._album(asked)
        return {"Album": self._shapes(asked).album(account, album, owner=owner)}

    def _images_get(self, asked: "_Asked") -> dict[str, Any]:
        heavy, extras = asked.flag("Heavy"), asked.names("Extras")
        since = asked.epoch("LastUpdated")
        account, album, owner = self._album(asked)
        switches = self._world.switches
        shapes = self._shapes(asked)
        entries: list[dict[str, Any]] = []
        if not self._nothing_after(album, since):
            for position, image in enumerate(self._world.listed(album, owner=owner), 1):
                if not self._is_after(image.updated, since):
                    continue
                if heavy or extras:
                    full = shapes.image(
                        account,
                        album,
                        image,
                        position=position,
                        owner=owner,
                        custom_size=asked.text("CustomSize"),
                    )
                    entries.append(full if heavy else _only(full, {"id", "Key"} | extras))
                else:
                    entries.append({"id": shapes.number(image.id), "Key": image.key})
        if not entries and asked.strict and switches.strict_15:
            raise ApiError(15)
        count = len(entries)
        if since is None or switches.filtered_image_count == "total":
            count = self._world.counted(album, owner=owner)
        reference = shapes.album_ref(account, album)
        count += switches.listing_count_off + album.listing_count_off
        shown: dict[str, Any] = {
            "id": reference["id"],
            "Key": album.key,
            "ImageCount": str(count) if switches.numbers_as_strings else count,
        }
        if entries or switches.empty_images == "[]":
            shown["Images"] = asked.list(entries)
        elif switches.empty_images == "null":
            shown["Images"] = None
        if switches.album_url_listed:
            shown["URL"] = reference["URL"]
        return {"Album": shown}

    def _images_get_info(self, asked: "_Asked") -> dict[str, Any]:
        account, album, image, owner = self._image(asked)
        shapes = self._shapes(asked)
        listed = self._world.listed(album, owner=owner)
        position = next((n for n, other in enumerate(listed, 1) if other.key == image.key), 0)
        shown = shapes.image(
            account,
            album,
            image,
            position=position,
            owner=owner,
            custom_size=asked.text("CustomSize"),
        )
        return {"Image": shown | {"Album": shapes.album_ref(account, album)}}

    def _images_get_urls(self, asked: "_Asked") -> dict[str, Any]:
        shown = self._images_get_info(asked)["Image"]
        urls = {name: value for name, value in shown.items() if name.endswith("URL")}
        return {"Image": {"id": shown["id"], "Key": shown["Key"]} | urls}

    def _check_access_token(self, asked: "_Asked") -> dict[str, Any]:
        viewer = asked.viewer
        if viewer.account is None:
            raise ApiError(36)
        account = viewer.account
        return {
            "Auth": {
                "Token": {
                    "id": account.secrets.access_token,
                    "Access": viewer.access,
                    "Permissions": viewer.permissions,
                },
                "User": {
                    "id": 4_100_000 + account.seed,
                    "Name": account.name,
                    "NickName": account.nickname,
                    "AccountStatus": "Active",
                    "AccountType": "Pro",
                    "FileSizeLimit": 157_286_400,
                    "SmugVault": False,
                    "URL": f"https://{account.nickname}.smugmug.com",
                },
            }
        }

    # -- rights ----------------------------------------------------------------------------------

    def _account(self, asked: "_Asked") -> Account:
        nickname = asked.text("NickName")
        account = self._world.accounts.get(nickname.lower()) if nickname else asked.viewer.account
        if account is None:
            raise ApiError(4, "unknown user" if nickname else "NickName")
        return account

    def _check_site_password(self, asked: "_Asked", account: Account, owner: bool) -> None:
        wrong = asked.text("SitePassword") != account.secrets.site_password
        if account.site_protected and not owner and wrong:
            raise ApiError(4, "you do not have access to this site")

    def _album(self, asked: "_Asked") -> tuple[Account, Album, bool]:
        """The album asked for, if the viewer may see it."""
        album_key = asked.required("AlbumKey", after="AlbumID")
        number = asked.required("AlbumID")
        if not number.isascii() or not number.isdigit():
            raise ApiError(16, "AlbumID")
        for account in self._world.accounts.values():
            album = account.albums.get(album_key)
            if album is not None and album.id == int(number):
                owner = asked.viewer.owns(account)
                self._check_site_password(asked, account, owner)
                self._check_album(asked, album, owner)
                return account, album, owner
        raise ApiError(4, "you do not have access to this album")

    def _check_album(self, asked: "_Asked", album: Album, owner: bool) -> None:
        wrong = bool(album.password) and asked.text("Password") != album.password
        if not owner and album.privacy == "Private":
            raise ApiError(4, "you do not have access to this album")
        if not owner and wrong:
            raise PasswordMissing

    def _image(self, asked: "_Asked") -> tuple[Account, Album, Image, bool]:
        image_key = asked.required("ImageKey", after="ImageID")
        number = asked.required("ImageID")
        if not number.isascii() or not number.isdigit():
            raise ApiError(16, "ImageID")
        for account in self._world.accounts.values():
            image = account.find(image_key)
            if image is not None and image.id == int(number):
                owner = asked.viewer.owns(account)
                album = account.albums[image.album_key]
                self._check_site_password(asked, account, owner)
                self._check_album(asked, album, owner)
                return account, album, image, owner
        raise ApiError(4, "you do not have access to this image")

    # -- filter ----------------------------------------------------------------------------------

    def _is_after(self, updated: int, since: int | None) -> bool:
        if since is None:
            return True
        shifted = updated + self._world.switches.filter_zone_hours * 3600
        return shifted >= since if self._world.switches.last_updated_inclusive else shifted > since

    def _nothing_after(self, album: Album, since: int | None) -> bool:
        """Whether the filter leaves nothing, known without making the images."""
        return album.lazy is not None and not self._is_after(album.lazy.newest, since)

    def _shapes(self, asked: "_Asked") -> Shapes130:
        each = self._world.switches.url_rotation_each_call
        return Shapes130(
            self._world,
            self._server.photo_url(asked.request),
            salt=str(next(_counter)) if each else "",
            sandboxed=asked.flag("Sandboxed"),
        )


class _Asked:
    """The parameters of one request, read strictly or not."""

    def __init__(self, request: Request, *, strict: bool) -> None:
        self.request, self.strict = request, strict
        self.viewer = Viewer()

    def text(self, name: str) -> str:
        return self.request.params.get(name, "")

    def required(self, name: str, *, after: str = "") -> str:
        """The value; ``after`` is a parameter that is missed first."""
        for wanted in (after, name):
            if wanted and not self.text(wanted):
                raise ApiError(22, wanted)
        return self.text(name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.request.params.get(name)
        if value is None or (value == "" and default):
            return default
        if value.lower() in _TRUE:
            return True
        if value.lower() not in _FALSE and self.strict:
            raise ApiError(16, name)
        return False

    def epoch(self, name: str) -> int | None:
        value = self.text(name)
        if not value:
            return None
        if not value.isascii() or not value.isdigit():
            raise ApiError(16, name)
        return int(value) or None

    def names(self, name: str) -> set[str]:
        return {part.strip() for part in self.text(name).split(",") if part.strip()}

    def list(self, entries: list[dict[str, Any]]) -> Any:
        """The list; with Associative an object by id (its real shape is not documented)."""
        if self.flag("Associative"):
            return {str(entry["id"]): entry for entry in entries}
        return entries


def _only(data: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name in names}
