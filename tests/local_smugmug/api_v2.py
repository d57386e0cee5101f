"""API v2: envelopes, paging, filters, expansions, rate limits and errors."""

import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.local_smugmug.calls import Call
from tests.local_smugmug.model import Account, Album
from tests.local_smugmug.oauth import OAuthProblem, Viewer
from tests.local_smugmug.resources_v2 import Resource, Resources
from tests.local_smugmug.shapes_v2 import API, ShapesV2, Thing
from tests.local_smugmug.wire import Answer, Request

if TYPE_CHECKING:
    from tests.local_smugmug.server import LocalSmugMug

_DEFAULT_COUNT = 100
_MESSAGES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
}
NO_ACCESS = (
    "API key lacks v2 access; please accept the terms of service at "
    "https://api.smugmug.com/api/developer/accept"
)
_KEPT = ("Uri", "ResponseLevel")
_counter = itertools.count()


class V2Error(Exception):
    """An error by status."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(status, message)
        self.status, self.message = status, message or _MESSAGES.get(status, "Error")


@dataclass
class Wish:
    """What of a resource is wanted: ``_filter``, ``_filteruri``, ``_expand``, or ``_config``."""

    fields: list[str] | None = None
    uris: list[str] | None = None
    expand: dict[str, "Wish"] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, params: dict[str, str]) -> "Wish":
        wish = cls.from_config(json.loads(params["_config"])) if "_config" in params else cls()
        if "_filter" in params:
            wish.fields = params["_filter"].split(",")
        if "_filteruri" in params:
            wish.uris = [name for name in params["_filteruri"].split(",") if name]
        for path in filter(None, params.get("_expand", "").split(",")):
            inner = wish
            for name in path.split("."):
                inner = inner.expand.setdefault(name.split("?")[0], cls())
        return wish

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Wish":
        inner = {name: cls.from_config(part) for name, part in config.get("expand", {}).items()}
        args = {name: str(value) for name, value in config.get("args", {}).items()}
        return cls(config.get("filter"), config.get("filteruri"), inner, args)


def call_of(request: Request) -> Call | None:
    """What the request asks for; None if it is not about API v2."""
    if request.path != API and not request.path.startswith((f"{API}/", f"{API}!")):
        return None
    path, _, action = unquote(request.path[len(API) :]).partition("!")
    parts = [part for part in path.split("/") if part]
    call = Call("api", "other", f"v2:{parts[0] if parts else ''}{'!' if action else ''}{action}")
    kind = parts[0] if parts else action
    if kind == "album" and len(parts) > 1:
        call.album = parts[1]
        call.what = "images" if action == "images" else "album"
    elif kind == "user":
        call.what = "albums" if action == "albums" else "user"
    elif kind in ("image", "video"):
        call.what = "image"
    elif kind == "authuser":
        call.what = "account"
    elif kind in ("node", "folder"):
        call.what = "folder"
    if kind in ("image", "video") and len(parts) > 1:
        call.image = parts[1].partition("-")[0]
    elif len(parts) > 3 and parts[2] == "image":
        call.what, call.image = "image", parts[3].partition("-")[0]
    return call


class ApiV2:
    """Answers requests under ``/api/v2``."""

    def __init__(self, server: "LocalSmugMug") -> None:
        self._server, self._world = server, server.world
        self._window = (0.0, 0)
        self._sessions: set[tuple[str, str]] = set()
        self._turns = itertools.count(1)

    def answer(self, request: Request, call: Call) -> Answer:
        """The answer to one request; an error's status is also its ``Code``."""
        answer = Answer()
        try:
            self._limit(answer)
            answer.indent = 2 if request.params.get("_pretty", "0") not in ("", "0") else None
            with self._world.lock:
                viewer = self._viewer(request)
                call.signed = viewer.signed
                if request.method == "POST":
                    self._unlock(request, answer)
                else:
                    self._get(request, viewer, answer)
        except V2Error as error:
            answer.status = error.status
            answer.data = {"Code": error.status, "Message": error.message}
        except OAuthProblem as problem:
            answer.status = 401
            told = f"oauth_problem={problem.problem}"
            answer.headers["WWW-Authenticate"] = f"OAuth {told}"
            answer.data = {"Code": 401, "Message": told}
        except ValueError:
            answer.status, answer.data = 400, {"Code": 400, "Message": _MESSAGES[400]}
        wants_json = "application/json" in request.headers.get("accept", "")
        if not wants_json and request.params.get("_accept") != "application/json":
            return Answer.html("SmugMug API browser", answer.status)
        return answer

    # -- who, and how often ----------------------------------------------------------------------

    def _viewer(self, request: Request) -> Viewer:
        viewer = self._server.keeper.viewer(request)
        api_key = request.params.get("APIKey", "")
        if viewer is None and self._server.keeper.api_secret(api_key) is None:
            raise V2Error(401)
        if not self._world.switches.v2_access:
            raise V2Error(401, NO_ACCESS)
        return viewer or Viewer()

    def _limit(self, answer: Answer) -> None:
        """Count the call in its window. Raises V2Error 429."""
        switches, now = self._world.switches, self._world.now()
        start, used = self._window
        if not start <= now < start + switches.v2_rate_window:
            start, used = now, 0
        self._window = (start, used + 1)
        limit = switches.v2_rate_limit if switches.v2_rate_limit is not None else 1_000_000
        end = start + switches.v2_rate_window
        answer.headers["X-RateLimit-Limit"] = str(limit)
        answer.headers["X-RateLimit-Remaining"] = str(max(0, limit - used - 1))
        answer.headers["X-RateLimit-Reset"] = str(int(end) + 1)
        if used >= limit:
            answer.headers["Retry-After"] = str(int(end - now) + 1)
            raise V2Error(429)

    def _unlock(self, request: Request, answer: Answer) -> None:
        """POST ``album/KEY!unlock`` with ``Password``: a session that may see the album."""
        path, _, action = request.path.partition("!")
        album = self._find_album(path.rpartition("/")[2])
        given = request.params.get("Password", "")
        if request.headers.get("content-type", "").startswith("application/json"):
            given = json.loads(request.body).get("Password", "")
        if action != "unlock" or album is None:
            raise V2Error(405 if album else 404)
        if not album.password or given != album.password:
            raise V2Error(401)
        session = f"s{len(self._sessions)}{album.node_id}"
        self._sessions.add((session, album.key))
        answer.headers["Set-Cookie"] = f"SMSESS={session}; Path=/; HttpOnly"
        answer.data = {"Response": {"Uri": request.path}, "Code": 200, "Message": "Ok"}

    def _find_album(self, key: str) -> Album | None:
        for account in self._world.accounts.values():
            if key in account.albums:
                return account.albums[key]
        return None

    def _is_unlocked(self, request: Request, album: Album) -> bool:
        cookies = request.headers.get("cookie", "").split("; ")
        sessions = [cookie[7:] for cookie in cookies if cookie.startswith("SMSESS=")]
        return any((session, album.key) in self._sessions for session in sessions)

    # -- answers ---------------------------------------------------------------------------------

    def _get(self, request: Request, viewer: Viewer, answer: Answer) -> None:
        each = self._world.switches.url_rotation_each_call
        shapes = ShapesV2(
            self._world,
            self._server.photo_url(request),
            salt=str(next(_counter)) if each else "",
        )

        def may_see(account: Account, album: Album) -> bool:
            return not album.password or self._is_unlocked(request, album)

        resources = Resources(self._world, shapes, viewer, may_see)
        params = request.params
        verbosity = int(params.get("_verbosity", "2"))
        wish = Wish.of(params)
        self._remove_between_pages(unquote(request.path), params)
        resource = resources.get(unquote(request.path), params)
        if resource is None:
            raise V2Error(404)
        if resource.status != 200:
            raise V2Error(resource.status)
        expansions: dict[str, Any] | None = {} if wish.expand else None
        inline = params.get("_expandmethod") == "inline"
        body = self._body(resource, params, wish, verbosity, expansions, resources, inline)
        data: dict[str, Any] = {}
        if verbosity >= 3:
            data["Request"] = {"Version": "v2", "Method": "GET", "Uri": request.target}
            data["Options"] = {"Methods": ["OPTIONS", "GET"], "MediaTypes": ["application/json"]}
        data |= {"Response": body, "Code": 200, "Message": "Ok"}
        if expansions is not None and not inline:
            data["Expansions"] = expansions
        answer.data = data
        most = self._world.switches.v2_slow_page
        if most is not None and len(body.get(resource.locator, ())) > most and resource.many:
            answer.wait += self._world.switches.v2_slow_seconds

    def _remove_between_pages(self, path: str, params: dict[str, str]) -> None:
        """Delete the album's first image, while a switch says so and a later page is asked for."""
        switches = self._world.switches
        if switches.v2_removed_between_pages <= 0 or int(params.get("start", "1")) <= 1:
            return
        album = self._find_album(path.removeprefix(f"{API}/album/").removesuffix("!images"))
        if album is not None and album.images:
            switches.v2_removed_between_pages -= 1
            self._world.delete(album.images[0].key)

    def _body(
        self,
        resource: Resource,
        params: dict[str, str],
        wish: Wish,
        verbosity: int,
        expansions: dict[str, Any] | None,
        resources: Resources,
        inline: bool,
    ) -> dict[str, Any]:
        """One response, or one expansion: its things and, if they are many, the pages."""
        body: dict[str, Any] = {
            "Uri": resource.uri,
            "Locator": resource.locator,
            "LocatorType": "Objects" if resource.many else "Object",
        }
        if not resource.many:
            shown = self._present(
                resource.things(0, 1)[0], wish, verbosity, expansions, resources, inline
            )
            return body | {resource.locator: shown}
        start, count = _page(params, self._world.switches.v2_max_count)
        things = self._of_page(resource, start, count)
        shown_all = [
            self._present(thing, wish, verbosity, expansions, resources, inline) for thing in things
        ]
        if shown_all:
            # An empty list is absent, not [].
            body[resource.locator] = shown_all
        body["Pages"] = self._pages(resource, params, start, count, len(shown_all))
        return body

    def _of_page(self, resource: Resource, start: int, count: int) -> list[Thing]:
        switches, first = self._world.switches, start - 1
        if start > 1:
            first += switches.v2_page_shift
        if not switches.v2_order_changes:
            return resource.things(first, first + count)
        things = resource.things(0, resource.length)
        # Another order at each page and at each reading, so that no two miss the same.
        turn = next(self._turns) % len(things) if things and start > 1 else 0
        return (things[turn:] + things[:turn])[first : first + count]

    def _pages(
        self, resource: Resource, params: dict[str, str], start: int, count: int, shown: int
    ) -> dict[str, Any]:
        kept = ""
        if self._world.switches.v2_next_page_keeps_parameters:
            kept = "".join(
                f"&{name}={value}"
                for name, value in params.items()
                if name.startswith("_") and name != "_accept"
            )

        def page(first: int) -> str:
            return f"{resource.uri}?start={first}&count={count}{kept}"

        pages: dict[str, Any] = {
            "Total": resource.total,
            "Start": start,
            "Count": shown,
            "RequestedCount": count,
            "FirstPage": page(1),
            "LastPage": page(max(0, resource.length - 1) // count * count + 1),
        }
        if start + count <= resource.length:
            pages["NextPage"] = page(start + count)
        if start > 1:
            pages["PrevPage"] = page(max(1, start - count))
        return pages

    def _present(
        self,
        thing: Thing,
        wish: Wish,
        verbosity: int,
        expansions: dict[str, Any] | None,
        resources: Resources,
        inline: bool,
    ) -> dict[str, Any]:
        data = thing.data
        if wish.fields is not None:
            wanted = {*wish.fields, *_KEPT}
            data = {name: value for name, value in data.items() if name in wanted}
        uris: dict[str, Any] = {}
        for name, ref in thing.refs.items():
            if wish.uris is not None and name not in wish.uris and name not in wish.expand:
                continue
            uris[name] = ref.uri
            if verbosity > 1:
                kind = "Objects" if ref.many else "Object"
                uris[name] = {"Uri": ref.uri, "Locator": ref.locator, "LocatorType": kind}
            if name in wish.expand and expansions is not None:
                inner = wish.expand[name]
                found = expansions.get(ref.uri) or self._expanded(
                    ref.uri, inner, verbosity, expansions, resources, inline
                )
                if found is None:
                    continue
                expansions[ref.uri] = found
                if inline and verbosity > 1:
                    uris[name][found["Locator"]] = found.get(found["Locator"])
                elif inline:
                    uris[name] = found.get(found["Locator"])
        return data | {"Uris": uris} if uris else dict(data)

    def _expanded(
        self,
        uri: str,
        wish: Wish,
        verbosity: int,
        expansions: dict[str, Any],
        resources: Resources,
        inline: bool,
    ) -> dict[str, Any] | None:
        """The resource behind a link; None if there is none for this viewer."""
        resource = resources.get(uri, wish.args)
        if resource is None or resource.status != 200:
            return None
        return self._body(resource, wish.args, wish, verbosity, expansions, resources, inline)


def _page(params: dict[str, str], largest: int | None) -> tuple[int, int]:
    start = max(1, int(params.get("start", "1")))
    count = max(1, int(params.get("count", str(_DEFAULT_COUNT))))
    return start, count if largest is None else min(count, largest)
