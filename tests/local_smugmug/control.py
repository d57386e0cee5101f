"""``/_control/...``: the same control over HTTP, for tests in another process."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tests.local_smugmug.model import Account, Album, Image
from tests.local_smugmug.wire import Answer, Request

if TYPE_CHECKING:
    from tests.local_smugmug.server import LocalSmugMug

PREFIX = "/_control/"
OPERATIONS = (
    "upload",
    "upload_video",
    "edit",
    "replace",
    "delete",
    "move",
    "collect",
    "uncollect",
    "hide",
    "forget_md5",
    "forget_original",
    "add_rendition",
    "finish_processing",
    "new_album",
    "edit_album",
    "rename_album",
    "reorder",
    "drop_album",
    "drop_everything",
)


class Control:
    """GET ``calls``, ``switches``, ``faults``, ``latency``, ``source``, ``secret``; POST a JSON
    object to ``switches``, ``latency``, ``faults`` (arguments of `Faults.add`),
    ``world/<operation>`` (its keyword arguments); POST to ``calls/reset``, ``faults/clear``."""

    def __init__(self, server: "LocalSmugMug") -> None:
        self._server = server

    def answer(self, request: Request) -> Answer:
        """The answer; what was wrong with the request is said with status 400."""
        what = request.path[len(PREFIX) :]
        try:
            given = json.loads(request.body) if request.body else {}
            if request.method == "POST":
                data = self._change(what, given)
            else:
                data = self._look(what, request)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            return Answer(400, data={"error": f"{type(error).__name__}: {error}"})
        return Answer(data=data)

    def _look(self, what: str, request: Request) -> Any:
        server = self._server
        if what == "calls":
            return server.calls.as_json()
        if what == "switches":
            return asdict(server.switches)
        if what == "faults":
            return server.faults.as_json()
        if what == "latency":
            return asdict(server.latency)
        account = self._account(request.params.get("nickname", ""))
        if what == "secret":
            return account.secret()
        if what == "source":
            return self._source(account, request.params.get("view", "owner"))
        raise KeyError(what)

    def _change(self, what: str, given: dict[str, Any]) -> Any:
        server = self._server
        if what == "calls/reset":
            server.calls.reset()
        elif what == "faults/clear":
            server.faults.clear()
        elif what == "faults":
            server.faults.add(**given)
        elif what == "switches":
            server.switches.set(**given)
        elif what == "latency":
            for name in given:
                getattr(server.latency, name)
                setattr(server.latency, name, float(given[name]))
        elif what.startswith("world/"):
            return self._operate(what.removeprefix("world/"), given)
        else:
            raise KeyError(what)
        return {"ok": True}

    def _operate(self, operation: str, given: dict[str, Any]) -> Any:
        if operation not in OPERATIONS:
            raise KeyError(operation)
        if "account" in given:
            given["account"] = self._account(given["account"])
        if "hex" in given:
            given["body"] = bytes.fromhex(given.pop("hex"))
        done = getattr(self._server.world, operation)(**given)
        if isinstance(done, Image):
            return {"ok": True, "key": done.key, "id": done.id, "album": done.album_key}
        if isinstance(done, Album):
            return {"ok": True, "key": done.key, "id": done.id}
        return {"ok": True}

    def _account(self, nickname: str) -> Account:
        world = self._server.world
        return world.accounts[nickname.lower()] if nickname else world.account

    def _source(self, account: Account, view: str) -> Any:
        """All albums with all images, their digests, and their entries as API 1.3.0 lists them."""
        albums = self._server.world.snapshot(account, view=view)
        return {
            "nickname": account.nickname,
            "albums": [
                {
                    "key": album.key,
                    "title": album.title,
                    "images": [
                        {
                            "key": image.key,
                            "kind": image.kind,
                            "file_name": image.file_name,
                            "processing": image.processing,
                            "md5": image.md5,
                            "sha256": image.sha256,
                            "size": image.size,
                            "listed": image.listed,
                        }
                        for image in album.images.values()
                    ],
                }
                for album in albums.values()
            ],
        }
