"""HTTP/1.1 over a socket: requests as they come, answers as they are meant, and broken ones."""

import gzip
import json
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

_LINE = 1 << 16
_MAX_BODY = 1 << 26
JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
Sleeper = Callable[[float], bool]
"""Waits so many seconds and says whether to stop."""
Tell = Callable[[int, bool], None]


class Request:
    """One request, whole."""

    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        self.method, self.target, self.headers, self.body = method, target, headers, body
        path, _, query = target.partition("?")
        self.path, self.query = path, query

    @property
    def host(self) -> str:
        return self.headers.get("host", "127.0.0.1")

    @property
    def origin(self) -> str:
        """Scheme and host as the client wrote them; a proxy tells them by its headers."""
        return f"{self.headers.get('x-forwarded-proto', 'http')}://{self.host}"

    @property
    def is_form(self) -> bool:
        return self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """The parameters of query and form, in order."""
        pairs = parse_qsl(self.query, keep_blank_values=True)
        if self.is_form:
            pairs += parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return pairs

    @cached_property
    def params(self) -> dict[str, str]:
        return dict(self.pairs)


@dataclass(slots=True)
class Answer:
    """What goes back. ``data`` becomes JSON at the end, so that faults can change it before.

    ``chunks`` with ``length`` are a streamed body; without ``length`` the connection's end is the
    body's end.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    data: Any = None
    indent: int | None = None
    callback: str = ""
    chunks: Iterator[bytes] | None = None
    length: int | None = None
    """Content-Length, if it is not the body's own."""
    has_length: bool = True
    close: bool = False
    """The connection is closed after it."""
    keep: float | None = None
    """The connection is closed after this share of the body, as it is sent."""
    reset: bool = False
    """The connection is reset instead of an answer."""
    wait: float = 0.0
    """Seconds before the answer."""
    piece: int | None = None
    pause: float = 0.0
    """The body trickles: ``piece`` bytes, then ``pause`` seconds."""
    whole_trickles: bool = False
    """The headers do so, too."""
    dated: bool = True

    @classmethod
    def html(cls, text: str, status: int = 200) -> "Answer":
        page = f"<!DOCTYPE html><html><body><h1>{text}</h1></body></html>"
        return cls(status=status, headers={"Content-Type": HTML}, body=page.encode())

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> "Answer":
        return cls(status=status, headers={"Location": location, "Content-Type": HTML})

    def serialise(self) -> None:
        """Turn ``data`` into the body."""
        if self.data is None:
            return
        separators = None if self.indent else (",", ":")
        text = json.dumps(self.data, indent=self.indent, separators=separators)
        kind = JSON
        if self.callback:
            text, kind = f"{self.callback}({text});", "text/javascript; charset=utf-8"
        self.body, self.data = text.encode(), None
        self.headers.setdefault("Content-Type", kind)

    def compress(self) -> None:
        """Gzip the body."""
        if len(self.body) > 200 and self.chunks is None:
            self.body = gzip.compress(self.body, 1, mtime=0)
            self.headers["Content-Encoding"] = "gzip"


class BrokenRequest(Exception):
    """What came is no HTTP request."""


class Connection:
    """One client's connection: reads requests, sends answers."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._reader = sock.makefile("rb", _LINE)

    def receive(self) -> Request | None:
        """The next request; None at the end. Raises BrokenRequest, OSError."""
        line = self._reader.readline(_LINE)
        while line in (b"\r\n", b"\n"):
            line = self._reader.readline(_LINE)
        if not line:
            return None
        parts = line.decode("latin-1").split()
        if len(parts) != 3:
            raise BrokenRequest(line)
        headers: dict[str, str] = {}
        while True:
            line = self._reader.readline(_LINE)
            if line in (b"\r\n", b"\n"):
                break
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise BrokenRequest(line)
            headers[name.strip().lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _MAX_BODY or "transfer-encoding" in headers:
            raise BrokenRequest(length)
        body = self._reader.read(int(length)) if length != "0" else b""
        target = parts[1]
        if target.startswith("http://"):
            target = "/" + target[7:].partition("/")[2]
        return Request(parts[0], target, headers, body)

    def send(
        self, answer: Answer, *, head_only: bool, closing: bool, sleeper: Sleeper, tell: Tell
    ) -> None:
        """Send the answer. Raises OSError.

        ``tell`` hears, before they go out, of how many bytes of the body, and whether they are
        the last.
        """
        length = answer.length if answer.length is not None else len(answer.body)
        lines = [f"HTTP/1.1 {answer.status} {_reason(answer.status)}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        if answer.has_length and answer.status != 204:
            lines.append(f"Content-Length: {length}")
        if closing or not answer.has_length:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if head_only or answer.status in (204, 304):
            tell(0, True)
            self._sock.sendall(head)
            return
        if answer.chunks is None and answer.piece is None and answer.keep is None:
            tell(len(answer.body), True)
            self._sock.sendall(head + answer.body)
            return
        if answer.whole_trickles:
            for piece in _pieces(head, answer.piece):
                self._sock.sendall(piece)
                if sleeper(answer.pause):
                    raise ConnectionAbortedError
        else:
            self._sock.sendall(head)
        stop = int(length * answer.keep) if answer.keep is not None else None
        end = stop if stop is not None else length if answer.has_length else None
        sent = 0
        chunks = answer.chunks if answer.chunks is not None else iter([answer.body])
        for chunk in chunks:
            for piece in _pieces(chunk, answer.piece):
                if sent and answer.pause and sleeper(answer.pause):
                    raise ConnectionAbortedError
                if stop is not None:
                    piece = piece[: stop - sent]
                sent += len(piece)
                tell(len(piece), end is not None and sent >= end)
                self._sock.sendall(piece)
                if stop is not None and sent >= stop:
                    return

    def reset(self) -> None:
        """Let the client see a connection reset."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close it, whatever state it is in."""
        for close in (self._reader.close, self._sock.close):
            with suppress(OSError):
                close()

    def interrupt(self) -> None:
        """Make a thread that reads or writes here stop."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)


def _pieces(chunk: bytes, size: int | None) -> Iterator[bytes]:
    if size is None:
        yield chunk
        return
    for start in range(0, len(chunk), size):
        yield chunk[start : start + size]


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
