"""The service itself: a threaded HTTP server on loopback."""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from types import TracebackType

from tests.local_smugmug import api_130, api_v2, control, oauth_endpoints, photos
from tests.local_smugmug.calls import Call, Calls
from tests.local_smugmug.faults import EARLY_KINDS, Faults, strike
from tests.local_smugmug.oauth import Keeper
from tests.local_smugmug.switches import Switches
from tests.local_smugmug.wire import Answer, BrokenRequest, Connection, Request, Sleeper
from tests.local_smugmug.world import World


@dataclass
class Latency:
    """Seconds that every answer waits."""

    api: float = 0.0
    photo: float = 0.0


class LocalSmugMug:
    """Serves a world while it is entered; ``url`` is API host and photo host.

    ``sleep`` (seconds to whether to stop) waits for latency and slow faults; the default wakes
    when the server stops.
    """

    def __init__(
        self,
        world: World,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        sleep: Sleeper | None = None,
    ) -> None:
        self.world = world
        self.calls = Calls(world)
        self.faults = Faults()
        self.latency = Latency()
        self.keeper = Keeper(world)
        self.photo_base: str | None = None
        """Where listings say the photos are; None: under the host that the client asked."""
        self._api_130 = api_130.Api130(self)
        self._api_v2 = api_v2.ApiV2(self)
        self._oauth = oauth_endpoints.OAuthEndpoints(self)
        self._photos = photos.PhotoHost(self)
        self._control = control.Control(self)
        self._closing = threading.Event()
        self._sleep = sleep or self._closing.wait
        self._lock = threading.Lock()
        self._connections: set[Connection] = set()
        self._threads: set[threading.Thread] = set()
        self._date = (0, "")
        self._listener = socket.create_server((host, port), backlog=512)
        self.host, self.port = host, int(self._listener.getsockname()[1])
        self.url = f"http://{host}:{self.port}"
        world.base_url = self.url
        self._acceptor: threading.Thread | None = None

    @property
    def switches(self) -> Switches:
        """The world's."""
        return self.world.switches

    def photo_url(self, request: Request) -> str:
        """What photo URLs begin with in the answer to this request."""
        return self.photo_base or request.origin

    # -- life ------------------------------------------------------------------------------------

    def __enter__(self) -> "LocalSmugMug":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to serve."""
        self._acceptor = threading.Thread(target=self._accept, name="smugmug", daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """Stop serving, end every connection and thread."""
        self._closing.set()
        if self._acceptor is not None:
            # A connection of our own wakes the acceptor, on every system.
            with suppress(OSError):
                socket.create_connection((self.host, self.port), timeout=60).close()
            self._acceptor.join(60)
        self._listener.close()
        with self._lock:
            connections, threads = list(self._connections), list(self._threads)
        for connection in connections:
            connection.interrupt()
        for thread in threads:
            thread.join(60)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self._closing.is_set():
                sock.close()
                return
            connection = Connection(sock)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._connections.add(connection)
                self._threads.add(thread)
            thread.start()

    def _serve(self, connection: Connection) -> None:
        try:
            while not self._closing.is_set():
                request = connection.receive()
                if request is None or not self._exchange(connection, request):
                    return
        except (BrokenRequest, OSError, ValueError):
            pass
        finally:
            connection.close()
            with self._lock:
                self._connections.discard(connection)
                self._threads.discard(threading.current_thread())

    # -- one request -----------------------------------------------------------------------------

    def _exchange(self, connection: Connection, request: Request) -> bool:
        """Answer one request; whether the connection lives on."""
        call = self._call_of(request)
        self.calls.begin(call)
        try:
            answer = self._answer(request, call)
            latency = {"api": self.latency.api, "photo": self.latency.photo}.get(call.kind, 0.0)
            if (wait := answer.wait + latency) and self._sleep(wait):
                return False
            if answer.reset:
                self.calls.end(call)
                connection.reset()
                return False
            self._finish(request, answer)
            closing = answer.close or request.headers.get("connection", "").lower() == "close"

            def tell(count: int, last: bool) -> None:
                self.calls.send(call, answer.status, count)
                if last:
                    self.calls.end(call)

            connection.send(
                answer,
                head_only=request.method == "HEAD",
                closing=closing,
                sleeper=self._sleep,
                tell=tell,
            )
            return not closing
        finally:
            self.calls.end(call)

    def _call_of(self, request: Request) -> Call:
        path = request.path
        if path.rstrip("/") in api_130.PREFIXES:
            return api_130.call_of(request)
        if path.startswith(("/photos/", "/sandbox/photos/")):
            return photos.call_of(request, self.world)
        known = api_v2.call_of(request) or oauth_endpoints.call_of(request)
        return known or Call("other", "other", path)

    def _answer(self, request: Request, call: Call) -> Answer:
        faults = self.faults.take(call)
        if any(fault.kind in EARLY_KINDS for fault in faults):
            answer = Answer()
        else:
            answer = self._true_answer(request, call)
        for fault in sorted(faults, key=lambda fault: fault.kind == "slow"):
            answer = strike(fault, call, answer)
        retry_after = answer.headers.get("Retry-After", "")
        if retry_after.isdigit():
            self.calls.announce(int(retry_after))
        return answer

    def _true_answer(self, request: Request, call: Call) -> Answer:
        if self.switches.redirect_to_https and call.kind in ("api", "oauth"):
            return Answer.redirect(f"https://{request.host}{request.target}", 301)
        if request.method not in ("GET", "POST", "HEAD") and call.kind != "other":
            return Answer.html("Method Not Allowed", 405)
        if call.kind == "photo":
            return self._photos.answer(request, call)
        if call.kind == "api" and call.method.startswith("v2:"):
            return self._api_v2.answer(request, call)
        if call.kind == "api":
            return self._api_130.answer(request, call)
        if call.kind == "oauth":
            return self._oauth.answer(request, call)
        if request.path.startswith(control.PREFIX):
            return self._control.answer(request)
        if request.path in ("/crossdomain.xml", "/sandbox/crossdomain.xml"):
            return Answer(headers={"Content-Type": "text/xml"}, body=photos.CROSSDOMAIN)
        return Answer.html("Not Found", 404)

    def _finish(self, request: Request, answer: Answer) -> None:
        answer.serialise()
        accepted = request.headers.get("accept-encoding", "")
        is_text = answer.headers.get("Content-Type", "").startswith(("application/json", "text/"))
        if (
            self.switches.gzip
            and "gzip" in accepted
            and is_text
            and answer.length is None
            and answer.keep is None
            and answer.piece is None
            and "Content-Encoding" not in answer.headers
        ):
            answer.compress()
        if answer.dated:
            answer.headers["Date"] = self._http_date()

    def _http_date(self) -> str:
        now = int(self.world.now())
        if self._date[0] != now:
            self._date = (now, formatdate(now, usegmt=True))
        return self._date[1]
