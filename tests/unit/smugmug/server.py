"""A scripted HTTP server on loopback, and a clock that never waits, for tests of the adapter."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.governor import Governor
from tests.tools import clock

SIGNED = Credentials("KEY-1", "SECRET-1", "TOKEN-1", "TOKENSECRET-1")
START = datetime(2026, 11, 24, 3, 0, 4, tzinfo=UTC)


class FakeClock(clock.FakeClock):
    """Begins when the server's answers say that they are made."""

    def __init__(self, start: datetime = START) -> None:
        super().__init__(start)


class Asked:
    """One request as it arrived."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.method = handler.command
        self.path = handler.path
        self.headers = dict(handler.headers.items())
        length = int(handler.headers.get("Content-Length") or 0)
        self.body = handler.rfile.read(length).decode()
        self.form = dict(parse_qsl(self.body, keep_blank_values=True))


class Said:
    """One answer; ``raw`` is sent as it is, instead of all else."""

    def __init__(
        self,
        body: bytes | str = b"",
        status: int = 200,
        headers: dict[str, str] | None = None,
        *,
        length: int | None = None,
        date: str | None = "Tue, 24 Nov 2026 03:00:05 GMT",
        raw: bytes | None = None,
        write: Callable[[Any], None] | None = None,
    ) -> None:
        self.body = body.encode() if isinstance(body, str) else body
        self.status = status
        self.headers = headers or {}
        self.length = length
        self.date = date
        self.raw = raw
        self.write = write


Answering = Callable[[Asked], Said]


class Server:
    """Answers by a function, or by a list whose last answer repeats; remembers what was asked."""

    def __init__(self) -> None:
        self.answers: list[Said] | Answering = [Said("{}")]
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def answer(self) -> None:
                asked = Asked(self)
                with server._lock:
                    index = len(server.asked)
                    server.asked.append(asked)
                script = server.answers
                said = script(asked) if callable(script) else script[min(index, len(script) - 1)]
                with contextlib.suppress(OSError):
                    self.say(said)

            do_GET = answer  # noqa: N815
            do_POST = answer  # noqa: N815

            def say(self, said: Said) -> None:
                if said.raw is not None:
                    self.wfile.write(said.raw)
                    self.close_connection = True
                    return
                self.send_response_only(said.status)
                if said.date:
                    self.send_header("Date", said.date)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                length = len(said.body) if said.length is None else said.length
                if length >= 0:
                    self.send_header("Content-Length", str(length))
                else:
                    self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(said.body)
                self.wfile.flush()
                if said.write is not None:
                    said.write(self.wfile)
                if length != len(said.body):
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that went away is what some tests are about."""

        self._http = Quiet(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.001,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@contextlib.contextmanager
def serving(answers: list[Said] | Answering | None = None) -> Iterator[Server]:
    """A running server."""
    server = Server()
    if answers is not None:
        server.answers = answers
    try:
        yield server
    finally:
        server.close()


def source_of(
    api: Callable[..., Any],
    server: Server,
    credentials: Credentials = SIGNED,
    nickname: str | None = "larkfield",
) -> Any:
    """The source of either API, that asks this server."""
    clock = FakeClock()
    governor = Governor(clock=clock)
    return api(
        credentials, nickname, api_url=server.url, governor=governor, clock=clock, attempts=2
    )
