"""The photo host: real bytes under the URLs that the APIs list."""

import re
from typing import TYPE_CHECKING

from tests.local_smugmug.bodies import JPEG_HEAD, Body, SeededBody
from tests.local_smugmug.calls import Call
from tests.local_smugmug.model import Account, Image
from tests.local_smugmug.oauth import OAuthProblem, Viewer
from tests.local_smugmug.shapes_130 import url_token
from tests.local_smugmug.wire import Answer, Request

if TYPE_CHECKING:
    from tests.local_smugmug.server import LocalSmugMug
    from tests.local_smugmug.world import World

# A GIF of one transparent pixel.
PLACEHOLDER = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
PLACEHOLDERS = {
    "gif": (PLACEHOLDER, "image/gif"),
    "jpeg": (JPEG_HEAD + bytes.fromhex("ffd9"), "image/jpeg"),
}
CROSSDOMAIN = (
    b'<?xml version="1.0"?><cross-domain-policy>'
    b'<allow-access-from domain="*"/></cross-domain-policy>'
)
_PATH = re.compile(r"(?:/sandbox)?/photos/i-([A-Za-z0-9_-]+)/(\d+)/([^/]+)/([A-Za-z0-9]+)/([^/]*)")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_TYPES = {"JPG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "HEIC": "image/heic"}
ORIGINAL_SIZES = {"O", "D"}
"""O in the URLs of API 1.3.0, D (the archived one) in those of v2."""


def call_of(request: Request, world: "World") -> Call:
    """Which image's bytes are asked for, and the image's home."""
    match = _PATH.fullmatch(request.path)
    key = match[1] if match else ""
    with world.lock:
        found = [account.find(key) for account in world.accounts.values()] if key else []
    album = next((image.album_key for image in found if image is not None), "")
    return Call("photo", "photo", "photo", album=album, image=key)


class PhotoHost:
    """Answers requests for bytes."""

    def __init__(self, server: "LocalSmugMug") -> None:
        self._server, self._world = server, server.world

    def answer(self, request: Request, call: Call) -> Answer:
        """The bytes, or a placeholder if they are not for everybody and nobody signed."""
        match = _PATH.fullmatch(request.path)
        if match is None:
            return Answer.html("Not Found", 404)
        key, _, token, size, _ = match.groups()
        try:
            viewer = self._server.keeper.viewer(request) or Viewer()
        except OAuthProblem as problem:
            return Answer.html(f"oauth_problem={problem.problem}", 401)
        call.signed = viewer.signed
        with self._world.lock:
            found = self._find(key)
            if found is None:
                return Answer.html("Not Found", 404)
            account, image = found
            if not (viewer.owns(account) or self._is_open(account, image)):
                return self._refused()
            if self._world.switches.check_url_token and token != url_token(
                self._world, account, image
            ):
                return Answer.html("Not Found", 404)
            unready = self._world.switches.unready_video
            if image.is_video and image.processing and size.isdigit() and unready in PLACEHOLDERS:
                picture, kind = PLACEHOLDERS[unready]
                return Answer(headers={"Content-Type": kind}, body=picture)
            body, kind = body_of(image, size)
        if body is None:
            return Answer.html("Not Found", 404)
        return serve(request, body, kind)

    def _find(self, image_key: str) -> tuple[Account, Image] | None:
        for account in self._world.accounts.values():
            image = account.find(image_key)
            if image is not None:
                return account, image.shown(self._world.now()) or image
        return None

    def _is_open(self, account: Account, image: Image) -> bool:
        if account.site_protected:
            return False
        home = account.albums.get(image.album_key)
        if home is not None and home.is_open:
            return True
        held = account.held.get(image.key)
        return held is not None and any(album.is_open for album in account.showing(held))

    def _refused(self) -> Answer:
        if not self._world.switches.placeholder_for_unsigned:
            return Answer.html("Forbidden", 403)
        return Answer(headers={"Content-Type": "image/gif"}, body=PLACEHOLDER)


def body_of(image: Image, size: str) -> tuple[Body | None, str]:
    """The bytes behind one size in a URL, and their type."""
    if image.is_video:
        if size.isdigit():
            ready = None if image.processing else image.renditions.get(int(size))
            return ready, "video/mp4"
        return image.still, "image/jpeg"
    if size in ORIGINAL_SIZES:
        return image.body, _TYPES.get(image.format, "application/octet-stream")
    return SeededBody(image.id + len(size), 900), "image/jpeg"


def serve(request: Request, body: Body, kind: str) -> Answer:
    """The body, or the range of it that was asked for."""
    headers = {"Content-Type": kind, "Cache-Control": "private, max-age=31536000"}
    if body.size <= 1 << 24:
        # Seen in 2026: an original's ETag is its MD5.
        headers["ETag"] = f'"{body.md5}"'
    start, status = 0, 200
    match = _RANGE.fullmatch(request.headers.get("range", ""))
    stop = body.size
    if match:
        start = int(match[1])
        if start >= body.size:
            return Answer(416, {"Content-Range": f"bytes */{body.size}"})
        stop = min(int(match[2]) + 1, stop) if match[2] else stop
        status = 206
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{body.size}"
    answer = Answer(status, headers, chunks=body.chunks(start), length=stop - start)
    if stop != body.size:
        answer.body = b"".join(body.chunks(start))[: stop - start]
        answer.chunks = None
    return answer
