"""The light photo host and S3 in Python, where there is no C compiler: see `light.c`.

    python -m tests.bench.light.server photos MILLISECONDS INDEX PACK
    python -m tests.bench.light.server s3 MILLISECONDS

One thread and an event loop; the bytes of a large body are counted and forgotten as they come.
"""

import asyncio
import itertools
import json
import mmap
import re
import sys
import time
import traceback
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

BLOCK = 1 << 16
DROPPED_FROM = 16 << 10
_XML = "Content-Type: application/xml\r\n"
_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]*)")
_NOT_CHECKSUMS = ("x-amz-checksum-type", "x-amz-checksum-mode", "x-amz-checksum-algorithm")


@dataclass(slots=True)
class Request:
    """One request; ``body`` None: dropped. ``size`` is what it is without its wrapping."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    size: int = 0
    body: bytes | None = None

    @property
    def checksum(self) -> str:
        """The checksum that came with it, as a header line."""
        for name, value in self.headers.items():
            if name.startswith("x-amz-checksum-") and name not in _NOT_CHECKSUMS:
                return f"{name}: {value}\r\n"
        return ""

    @property
    def only_new(self) -> bool:
        return self.headers.get("if-none-match") == "*"


@dataclass(slots=True)
class Answer:
    """What goes back."""

    status: str = "200 OK"
    more: str = ""
    body: bytes = b""
    length: int | None = None


class Photos:
    """Serves a pack."""

    def __init__(self, latency: float, index: str, pack: str) -> None:
        self._latency = latency
        with open(pack, "rb") as file:
            self._pack = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        with open(index) as lines:
            rows = [line.split() for line in lines]
        self._photos = {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}

    def keeps(self, headers: Mapping[str, str], query: Mapping[str, str], size: int) -> bool:
        return False

    async def answer(self, asked: Request) -> Answer:
        await asyncio.sleep(self._latency)
        key = asked.path.removeprefix("/photos/i-").partition("/")[0]
        if key not in self._photos:
            return Answer("404 Not Found")
        size, first, plain = self._photos[key]
        body = bytearray(self._pack[first : first + min(size, BLOCK)])
        for start in range(BLOCK, size, BLOCK):
            block = (start // BLOCK).to_bytes(8, "big")
            rest = min(BLOCK, size - start)
            body += block[:rest]
            body += self._pack[plain + 8 : plain + max(8, rest)]
        return Answer(more="Content-Type: image/jpeg\r\n", body=bytes(body))


@dataclass(slots=True)
class Object:
    """What lies under a key."""

    size: int
    body: bytes | None
    tag: str
    checksum: str = ""
    kind: str = "binary/octet-stream"
    disposition: str = ""


@dataclass(slots=True)
class Upload:
    """Parts under way, number to size."""

    kind: str
    disposition: str
    parts: dict[int, int] = field(default_factory=dict)


class S3:
    """One bucket, whatever it is called."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._objects: dict[str, Object] = {}
        self._keys: list[str] = []
        self._uploads: dict[str, Upload] = {}
        self._numbers = itertools.count(1)
        self._counts: Counter[str] = Counter()
        self._date = formatdate(usegmt=True)
        self._iso = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())

    def keeps(self, headers: Mapping[str, str], query: Mapping[str, str], size: int) -> bool:
        """Whether a body is kept."""
        picture = headers.get("content-type", "").startswith(("image/", "video/"))
        return not ("uploadId" in query or (size > DROPPED_FROM and picture))

    async def answer(self, asked: Request) -> Answer:
        """Answer one request."""
        if asked.path == "/_counts":
            told = json.dumps(self._counts).encode()
            if asked.method == "DELETE":
                self._counts.clear()
            return Answer(more="Content-Type: application/json\r\n", body=told)
        key = unquote(asked.path).lstrip("/").partition("/")[2]
        act = self._act(asked.method, bool(key), asked.query)
        if act is None:
            return self._refuse("501 Not Implemented", "NotImplemented")
        return await act(asked, key)

    def _act(self, method: str, named: bool, query: Mapping[str, str]) -> Any:
        parts = "uploadId" in query
        if not named:
            return self._list if method == "GET" and query.get("list-type") == "2" else None
        return {
            ("PUT", False): self._put,
            ("PUT", True): self._put_part,
            ("GET", False): self._get,
            ("HEAD", False): self._get,
            ("DELETE", False): self._delete,
            ("DELETE", True): self._abort,
            ("POST", False): self._begin if "uploads" in query else None,
            ("POST", True): self._complete,
        }.get((method, parts))

    def _refuse(self, status: str, code: str) -> Answer:
        self._counts["refused"] += 1
        body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
        return Answer(status, _XML, body.encode())

    def _tag(self) -> str:
        return f'"{next(self._numbers):016x}-1"'

    async def _put(self, asked: Request, key: str) -> Answer:
        if "x-amz-copy-source" in asked.headers:
            return self._refuse("501 Not Implemented", "NotImplemented")
        if asked.body is not None and len(asked.body) != asked.size:
            return self._refuse("400 Bad Request", "IncompleteBody")
        self._counts["PutObject"] += 1
        await asyncio.sleep(self._latency)
        made = Object(asked.size, asked.body, self._tag(), asked.checksum)
        made.kind = asked.headers.get("content-type", made.kind)
        made.disposition = asked.headers.get("content-disposition", "")
        return self._keep(asked, key, made) or Answer(more=f"{asked.checksum}ETag: {made.tag}\r\n")

    def _keep(self, asked: Request, key: str, made: Object) -> Answer | None:
        if key in self._objects:
            if asked.only_new:
                return self._refuse("412 Precondition Failed", "PreconditionFailed")
        else:
            insort(self._keys, key)
        self._objects[key] = made
        return None

    async def _get(self, asked: Request, key: str) -> Answer:
        only_head = asked.method == "HEAD"
        self._counts["HeadObject" if only_head else "GetObject"] += 1
        found = self._objects.get(key)
        if found is None:
            return self._refuse("404 Not Found", "NoSuchKey")
        if asked.headers.get("if-match", found.tag) != found.tag:
            return self._refuse("412 Precondition Failed", "PreconditionFailed")
        if not only_head and found.body is None:
            return self._refuse("501 Not Implemented", "NotKept")
        more = f"ETag: {found.tag}\r\nLast-Modified: {self._date}\r\nAccept-Ranges: bytes\r\n"
        more += f"Content-Type: {found.kind}\r\n"
        if found.disposition:
            more += f"Content-Disposition: {found.disposition}\r\n"
        match = _RANGE.fullmatch(asked.headers.get("range", ""))
        if found.checksum and not match and asked.headers.get("x-amz-checksum-mode") == "ENABLED":
            more += f"{found.checksum}x-amz-checksum-type: FULL_OBJECT\r\n"
        status, first, last = "200 OK", 0, found.size - 1
        if match:
            first = int(match[1])
            last = min(int(match[2] or last), last)
            if first > last:
                return self._refuse("416 Range Not Satisfiable", "InvalidRange")
            status = "206 Partial Content"
            more += f"Content-Range: bytes {first}-{last}/{found.size}\r\n"
        if only_head:
            return Answer(status, more, length=last + 1 - first)
        return Answer(status, more, (found.body or b"")[first : last + 1])

    async def _list(self, asked: Request, _: str) -> Answer:
        self._counts["ListObjectsV2"] += 1
        if "delimiter" in asked.query:
            return self._refuse("501 Not Implemented", "NotImplemented")
        prefix = asked.query.get("prefix", "")
        after = asked.query.get("continuation-token") or asked.query.get("start-after", "")
        most = min(1000, int(asked.query.get("max-keys", 1000)))
        begin = max(bisect_left(self._keys, prefix), bisect_right(self._keys, after))
        found: list[str] = []
        more = False
        for place in range(begin, len(self._keys)):
            if not self._keys[place].startswith(prefix):
                break
            if len(found) == most:
                more = True
                break
            found.append(self._keys[place])
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{self._iso}</LastModified>"
            f"<ETag>{escape(self._objects[key].tag)}</ETag><Size>{self._objects[key].size}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key in found
        )
        token = ""
        if more:
            token = f"<NextContinuationToken>{escape(found[-1])}</NextContinuationToken>"
        page = (
            f"<ListBucketResult><KeyCount>{len(found)}</KeyCount><MaxKeys>{most}</MaxKeys>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated><Prefix>{escape(prefix)}</Prefix>"
            f"{token}{entries}</ListBucketResult>"
        )
        return Answer(more=_XML, body=page.encode())

    async def _delete(self, asked: Request, key: str) -> Answer:
        self._counts["DeleteObject"] += 1
        await asyncio.sleep(self._latency)
        if self._objects.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]
        return Answer("204 No Content")

    async def _begin(self, asked: Request, key: str) -> Answer:
        self._counts["CreateMultipartUpload"] += 1
        await asyncio.sleep(self._latency)
        number = str(next(self._numbers))
        headers = asked.headers
        self._uploads[number] = Upload(
            headers.get("content-type", "binary/octet-stream"),
            headers.get("content-disposition", ""),
        )
        more = ""
        if algorithm := headers.get("x-amz-checksum-algorithm"):
            kind = headers.get("x-amz-checksum-type", "COMPOSITE")
            more = f"x-amz-checksum-algorithm: {algorithm}\r\nx-amz-checksum-type: {kind}\r\n"
        body = (
            f"<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>{escape(key)}</Key>"
            f"<UploadId>{number}</UploadId></InitiateMultipartUploadResult>"
        )
        return Answer(more=more + _XML, body=body.encode())

    async def _put_part(self, asked: Request, key: str) -> Answer:
        self._counts["UploadPart"] += 1
        await asyncio.sleep(self._latency)
        upload = self._uploads.get(asked.query["uploadId"])
        number = int(asked.query.get("partNumber", 0))
        if upload is None or not 1 <= number <= 10_000:
            return self._refuse("404 Not Found", "NoSuchUpload")
        upload.parts[number] = asked.size
        return Answer(more=f'{asked.checksum}ETag: "{number}-part"\r\n')

    async def _complete(self, asked: Request, key: str) -> Answer:
        self._counts["CompleteMultipartUpload"] += 1
        await asyncio.sleep(self._latency)
        if asked.only_new and key in self._objects:
            return self._refuse("412 Precondition Failed", "PreconditionFailed")
        upload = self._uploads.pop(asked.query["uploadId"], None)
        if upload is None:
            return self._refuse("404 Not Found", "NoSuchUpload")
        made = Object(sum(upload.parts.values()), None, self._tag(), asked.checksum)
        made.kind, made.disposition = upload.kind, upload.disposition
        self._keep(asked, key, made)
        body = (
            f"<CompleteMultipartUploadResult><Bucket>b</Bucket><Key>{escape(key)}</Key>"
            f"<ETag>{escape(made.tag)}</ETag></CompleteMultipartUploadResult>"
        )
        return Answer(more=_XML, body=body.encode())

    async def _abort(self, asked: Request, key: str) -> Answer:
        self._counts["AbortMultipartUpload"] += 1
        await asyncio.sleep(self._latency)
        if self._uploads.pop(asked.query["uploadId"], None) is None:
            return self._refuse("404 Not Found", "NoSuchUpload")
        return Answer("204 No Content")


class Wire(asyncio.Protocol):
    """One connection: a head, a body that is kept or counted, an answer."""

    def __init__(self, service: Photos | S3, tasks: set[asyncio.Task[None]]) -> None:
        self._service, self._tasks = service, tasks
        self._held = bytearray()
        self._asked: Request | None = None
        self._left = 0
        self._keeps = self._last = self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._asked is not None and self._left and not self._keeps:
            taken = min(self._left, len(data))
            self._left -= taken
            data = data[taken:]
        self._held += data
        self._go_on()

    def _go_on(self) -> None:
        if self._busy:
            return
        if self._asked is None and not self._read_head():
            return
        if self._keeps and len(self._held) < self._left:
            return
        asked = self._asked
        assert asked is not None
        if self._keeps:
            body = bytes(self._held[: self._left])
            del self._held[: self._left]
            wrapped = "STREAMING-" in asked.headers.get("x-amz-content-sha256", "")
            asked.body = _unwrapped(body) if wrapped else body
        else:
            taken = min(self._left, len(self._held))
            del self._held[:taken]
            self._left -= taken
            if self._left:
                return
        self._busy = True
        task = asyncio.get_running_loop().create_task(self._reply(asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _read_head(self) -> bool:
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *lines = self._held[:end].decode("latin-1").split("\r\n")
        del self._held[: end + 4]
        method, target, _ = first.split(" ", 2)
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), value.strip())
        path, _, query = target.partition("?")
        asked = {k: v[-1] for k, v in parse_qs(query, keep_blank_values=True).items()}
        self._left = int(headers.get("content-length", 0))
        size = int(headers.get("x-amz-decoded-content-length", self._left))
        self._asked = Request(method, path, asked, headers, size)
        self._keeps = method == "PUT" and self._service.keeps(headers, asked, size)
        self._last = headers.get("connection", "").lower() == "close"
        if headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    async def _reply(self, asked: Request) -> None:
        try:
            answer = await self._service.answer(asked)
        except BaseException:
            # Nobody waits for this task: its error is told, and its client need not wait.
            traceback.print_exc()
            self._transport.abort()
            raise
        length = len(answer.body) if answer.length is None else answer.length
        more = answer.more + ("Connection: close\r\n" if self._last else "")
        head = f"HTTP/1.1 {answer.status}\r\nContent-Length: {length}\r\n{more}\r\n"
        self._transport.write(head.encode("latin-1"))
        if asked.method != "HEAD" and answer.body:
            self._transport.write(answer.body)
        if self._last:
            self._transport.close()
        self._asked, self._busy = None, False
        if self._held:
            self._go_on()


def _unwrapped(body: bytes) -> bytes:
    """What aws-chunked wraps: ``SIZE[;chunk-signature=…]``, the bytes, and a 0 at the end."""
    found, at = [], 0
    while at < len(body):
        end = body.index(b"\r\n", at)
        size = int(body[at:end].partition(b";")[0], 16)
        if not size:
            break
        found.append(body[end + 2 : end + 2 + size])
        at = end + size + 4
    return b"".join(found)


async def serve(service: Photos | S3) -> None:
    """Serve until ended; the address is the first line."""
    tasks: set[asyncio.Task[None]] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Wire(service, tasks), "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    """See the module."""
    kind, latency, *rest = sys.argv[1:]
    seconds = float(latency) / 1000
    asyncio.run(serve(Photos(seconds, *rest) if kind == "photos" else S3(seconds)))


if __name__ == "__main__":
    main()
