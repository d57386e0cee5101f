"""The pages, as a WSGI application on loopback: only for who knows the address.

The first request carries a random token in the address; it becomes a cookie, and the address loses
it. Another user of the machine, or a page of somebody else's in the same browser, knows neither. A
request for another host than loopback (DNS rebinding) is refused, as is everything but GET.
"""

import json
import re
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.exceptions import BadRequest as BadAddress
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.titles import shown
from smugmug_backup.browse import text
from smugmug_backup.browse.fresh import Freshness
from smugmug_backup.browse.originals import (
    SHOWN,
    Originals,
    byte_range,
    disposition,
    extension_of,
    type_of,
)
from smugmug_backup.browse.pictures import LARGE, SMALL, Pictures, sheet
from smugmug_backup.browse.views import PAGE, ImageView, Views, tree
from smugmug_backup.catalog.search import Days, Near, Query, search, undated
from smugmug_backup.errors import BackupError, BadRequest, NotStored

COOKIE = "smugmug-backup-browse"

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; media-src 'self'; "
    "style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_ASSETS = {
    "style.css": "text/css; charset=utf-8",
    "browse.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_FOUND = 500
_GREATEST = 2**63 - 1
"""SQLite has no greater number."""

_URLS = Map(
    [
        Rule("/", endpoint="account"),
        Rule("/gone", endpoint="gone"),
        Rule("/album/<album>", endpoint="album"),
        Rule("/album/<album>/<image>", endpoint="image"),
        Rule("/changes", endpoint="changes"),
        Rule("/search", endpoint="search"),
        Rule("/needs", endpoint="needs"),
        Rule("/runs", endpoint="runs"),
        Rule("/nights.json", endpoint="nights"),
        Rule("/small/<int:version>", endpoint="small"),
        Rule("/large/<int:version>", endpoint="large"),
        Rule("/original/<int:version>", endpoint="original"),
        Rule("/assets/<name>", endpoint="asset"),
    ]
)


def templates() -> Environment:
    """The templates; everything that is put into one is escaped."""
    found = Environment(
        loader=PackageLoader("smugmug_backup.browse", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "size": text.size,
        "day": text.day,
        "moment": text.moment,
        "number": text.number,
        "shown": shown,
    }
    found.globals |= {"plural": text.plural, "what_words": text.WHAT, "reason_words": text.REASONS}
    return found


class Site:
    """Pages on a catalog and its archive; safe for many threads.

    ``port`` and ``token`` are those of the address that is opened first. ``fresh``: keeps the
    catalog at the newest state; without it, pages show the state that they began with.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        archive: Archive,
        pictures: Pictures,
        *,
        location: str,
        port: int,
        token: str | None = None,
        fresh: Freshness | None = None,
    ) -> None:
        self._db = db
        self._views = Views(db)
        self._originals = Originals(archive)
        self._archive = archive
        self._pictures = pictures
        self._location = location
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        # A cookie is all ports': two that are served at once must not take each other's away.
        self._cookie = f"{COOKIE}-{port}"
        self.token = token or secrets.token_urlsafe(32)
        self._templates = templates()
        self._fresh = fresh
        self._lock = threading.Lock()

    # -- who may ask -----------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI."""
        response = self._answer(Request(environ))
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        return response(environ, start)

    def _answer(self, request: Request) -> Response:
        if request.host not in self._hosts:
            return _plain("This address is not served here.", 403)
        if request.method not in ("GET", "HEAD"):
            return _plain("These pages are only read.", 405)
        given = request.args.get("token")
        if given is not None:
            if not secrets.compare_digest(given.encode(), self.token.encode()):
                return _plain("This address is of an earlier start of the program.", 403)
            response = Response(status=303, headers={"Location": "/"})
            response.set_cookie(self._cookie, self.token, httponly=True, samesite="Strict")
            return response
        cookie = request.cookies.get(self._cookie, "")
        if not secrets.compare_digest(cookie.encode(), self.token.encode()):
            return _plain("Open the address that `smugmug-backup browse` printed.", 403)
        try:
            endpoint, values = _URLS.bind_to_environ(request.environ).match()
            handler: Callable[..., Response] = getattr(self, f"_{endpoint}")
            return handler(request, **values)
        except NotFound:
            return self._trouble(404, "There is no such page, or not any more.")
        except HTTPException as error:
            return _plain(str(error.description), error.code or 400)
        except BackupError as error:
            return self._trouble(502, str(error))
        except sqlite3.Error as error:
            return _plain(f"The catalog cannot be read ({error}). Start `browse` again.", 500)

    # -- pages -----------------------------------------------------------------------------------

    def alone(self) -> AbstractContextManager[object]:
        """Nobody reads the catalog while this is entered."""
        return self._lock

    @contextmanager
    def _newest(self) -> Iterator[None]:
        """One state for a whole answer: the newest one that can be had."""
        if self._fresh is not None and self._fresh.newer(self._known):
            self._fresh.bring()
        with self._state():
            yield

    @contextmanager
    def _state(self) -> Iterator[None]:
        """One state for a whole answer, though another program writes to the same catalog."""
        with self._lock:
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                if self._db.in_transaction:
                    self._db.execute("COMMIT")

    def _known(self) -> tuple[str, str]:
        with self._state():
            return self._views.newest()

    def _trouble(self, status: int, message: str) -> Response:
        with self._state():
            return self._page("trouble.html", status, message=message)

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        facts = self._views.facts()
        values = {
            "stale": self._fresh.trouble if self._fresh else None,
            "at": None,
            "since": None,
            "query": "",
            "location": self._location,
            "facts": facts,
            **values,
        }
        html = self._templates.get_template(template).render(values)
        return Response(html, status, mimetype="text/html")

    def _account(self, request: Request) -> Response:
        at = _moment(request, "at")
        with self._newest():
            albums, gone = self._views.there_and_gone(at)
            return self._page(
                "account.html",
                root=tree(albums),
                gone=len(gone),
                totals=self._views.totals(),
                at=at,
            )

    def _gone(self, request: Request) -> Response:
        with self._newest():
            gone = self._views.albums(gone=True)
            found = list(search(self._db, Query(gone=True), most=_FOUND))
            return self._page("gone.html", albums=gone, found=found, most=_FOUND)

    def _album(self, request: Request, album: str) -> Response:
        at, since = _moment(request, "at"), _moment(request, "since")
        page = _number(request, "page")
        with self._newest():
            view = self._views.album(album, at)
            if view is None:
                raise NotFound
            images, total = self._views.images(album, at, since=since, page=page)
            gone = self._views.gone_images(album) if at is None and since is None else []
            return self._page(
                "album.html",
                album=view,
                images=images,
                total=total,
                gone=gone,
                page=page,
                pages=max(1, -(-total // PAGE)),
                at=at,
                since=since,
            )

    def _image(self, request: Request, album: str, image: str) -> Response:
        at = _moment(request, "at")
        with self._newest():
            view = self._views.album(album, at)
            found = self._views.image(album, image, at)
            if view is None or found is None:
                raise NotFound
            before, after = self._views.beside(album, image, at)
            history = self._views.history(album, image)
            others = [each for each in self._views.albums_of(image) if each[0] != album]
            return self._page(
                "image.html",
                album=view,
                image=found,
                before=before,
                after=after,
                history=history,
                pictures=list({v.md5: v for v in history if v.has_bytes}.values()),
                others=others,
                big=_big,
                at=at,
            )

    def _changes(self, request: Request) -> Response:
        at, since = _moment(request, "at"), _moment(request, "since")
        with self._newest():
            nights = self._views.nights()
            if since is None:
                earlier = [each.at for each in nights if at is None or each.at < at]
                back = -2 if at is None else -1
                since = earlier[back] if len(earlier) >= -back else "0001-01-01T00:00:00Z"
            albums = self._views.changes(since, at)
            return self._page("changes.html", albums=albums, since=since, at=at, nights=nights)

    def _search(self, request: Request) -> Response:
        asked = {
            name: request.args.get(name, "").strip()
            for name in ("q", "taken", "near", "type", "gone", "past")
        }
        problem, found, without = None, [], 0
        with self._newest():
            try:
                query = Query(
                    words=tuple(asked["q"].split()),
                    taken=Days.parse(asked["taken"]) if asked["taken"] else None,
                    near=Near.parse(asked["near"]) if asked["near"] else None,
                    video={"video": True, "photo": False}.get(asked["type"]),
                    gone={"yes": True, "no": False}.get(asked["gone"]),
                    past=bool(asked["past"]),
                )
                if query != Query(past=query.past):
                    found = list(search(self._db, query, most=_FOUND + 1))
                    without = undated(self._db, query) if query.taken else 0
            except BadRequest as error:
                problem = str(error).replace("--taken", "Taken:").replace("--near", "Near:")
            versions = {
                (each.album_key, each.image_key): self._views.image(each.album_key, each.image_key)
                for each in found[:_FOUND]
            }
            return self._page(
                "search.html",
                asked=asked,
                query=asked["q"],
                problem=problem,
                found=found[:_FOUND],
                more=len(found) > _FOUND,
                versions=versions,
                undated=without,
            )

    def _needs(self, request: Request) -> Response:
        with self._newest():
            return self._page("needs.html", needs=self._views.needs())

    def _runs(self, request: Request) -> Response:
        with self._newest():
            nights = self._views.nights()
            before = dict(zip([n.run_id for n in nights[1:]], [n.at for n in nights], strict=False))
            moments = {each.run_id: each.at for each in nights}
            failures = {
                run["run_id"]: self._views.failures(run["run_id"])
                for run in self._views.runs()[:30]
                if run["failures"]
            }
            return self._page(
                "runs.html",
                runs=self._views.runs(),
                checks=self._views.checks(),
                before=before,
                moments=moments,
                failures=failures,
            )

    def _nights(self, request: Request) -> Response:
        with self._newest():
            nights = self._views.counted(self._views.nights())
        rows = [[each.at, each.came, each.changed, each.left] for each in nights]
        return Response(json.dumps(rows), mimetype="application/json")

    # -- pictures --------------------------------------------------------------------------------

    def _version(self, version: int) -> ImageView:
        if version > _GREATEST:
            raise NotFound
        with self._state():
            found = self._views.version(version)
        if found is None:
            raise NotFound
        return found

    def _small(self, request: Request, version: int) -> Response:
        return self._picture(request, self._version(version), SMALL)

    def _large(self, request: Request, version: int) -> Response:
        return self._picture(request, self._version(version), LARGE)

    def _picture(self, request: Request, image: ImageView, edge: int) -> Response:
        tag = f"{self._pictures.name(image)}-{edge}" if image.has_bytes else ""
        if tag and tag in request.if_none_match:
            response = Response(status=304)
        elif (body := self._pictures.jpeg(image, edge)) is not None:
            response = Response(body, mimetype="image/jpeg")
        else:
            drawn = sheet(image.label, text.what_it_is(image))
            return Response(drawn, mimetype="image/svg+xml")
        response.set_etag(tag)
        # Kept by the browser, and asked for again: the next start on this port, of another
        # catalog, has other pictures under these numbers.
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    def _original(self, request: Request, version: int) -> Response:
        image = self._version(version)
        if not image.has_bytes:
            raise NotFound
        download = "download" in request.args
        if image.sha256 in request.if_none_match:
            return Response(status=304, headers={"ETag": f'"{image.sha256}"'})
        headers = {
            "Accept-Ranges": "bytes",
            "ETag": f'"{image.sha256}"',
            "Cache-Control": "private, no-cache",
            "Content-Disposition": disposition(image.file_name, download=download),
        }
        # Of other bytes than those that the browser has a part of, it wants the whole.
        only_if = request.headers.get("If-Range")
        part = request.headers.get("Range") if only_if in (None, headers["ETag"]) else None
        try:
            asked = byte_range(part, image.bytes)
        except ValueError:
            headers["Content-Range"] = f"bytes */{image.bytes}"
            return Response(status=416, headers=headers)
        start, end = asked or (0, image.bytes)
        if asked:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{image.bytes}"
        headers["Content-Length"] = str(end - start)
        # Its first byte now: what is not there is said by a status, not by a broken answer.
        try:
            self._originals.part(image.key, start, min(1, end - start))
        except NotStored:
            raise NotFound from None
        body = () if request.method == "HEAD" else self._originals.pieces(image.key, start, end)
        return Response(body, 206 if asked else 200, headers, content_type=type_of(image.key))

    def _asset(self, request: Request, name: str) -> Response:
        if name not in _ASSETS:
            raise NotFound
        body = (resources.files("smugmug_backup.browse") / "assets" / name).read_bytes()
        return Response(body, content_type=_ASSETS[name])


def _big(image: ImageView) -> str:
    """Where the large picture of an image is: itself, where every browser can show it."""
    if image.has_bytes and extension_of(image.key) in SHOWN:
        return f"/original/{image.version_id}"
    return f"/large/{image.version_id}"


def _plain(message: str, status: int) -> Response:
    return Response(message + "\n", status, mimetype="text/plain")


def _moment(request: Request, name: str) -> str | None:
    given = request.args.get(name)
    if not given:
        return None
    try:
        parsed = datetime.fromisoformat(given)
    except ValueError:
        raise BadAddress(f"{name} is no time") from None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
        return f"{given}T23:59:59Z"
    if parsed.tzinfo is None or not given.endswith("Z"):
        raise BadAddress(f"{name} is no time in UTC")
    # As the catalog writes it: moments are compared as texts.
    return f"{parsed.replace(tzinfo=None, microsecond=0).isoformat()}Z"


def _number(request: Request, name: str) -> int:
    given = request.args.get(name, "1")
    return max(1, int(given)) if given.isascii() and given.isdigit() and len(given) < 9 else 1
