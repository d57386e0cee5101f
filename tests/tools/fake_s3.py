"""A little S3 on loopback, of one bucket and in memory, that fails as it is told to.

    with FakeS3() as s3:
        s3.next("GetObject", broken_body)          # one fault each time, in this order; then none
        s3.always("PutObject", refusing(501, "NotImplemented"))

It keeps the port's promises otherwise: the contract suite runs on it too. A fault is a function of
the request, which answers in the place of S3; `stall` and `drip` end with the server.
"""

import base64
import hashlib
import threading
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from uuid import uuid4
from xml.etree import ElementTree

MODIFIED = "Fri, 27 Nov 2026 10:00:00 GMT"

Fault = Callable[["Request"], None]


class FakeS3:
    """The server. ``objects`` may be changed as one likes; ``log`` has (operation, key) of each
    request; ``headers`` are what each object was stored with. ``obeys``: it refuses to overwrite
    by these operations. ``proves``: its copies state a SHA-256 of what was written."""

    def __init__(self, *, page: int = 1000) -> None:
        self.page = page
        self.objects: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
        self.log: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self._next: dict[str, list[Fault]] = {}
        self._always: dict[str, Fault] = {}
        self.forget()
        outer = self

        class Handler(Request):
            s3 = outer

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "FakeS3":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    def next(self, operation: str, *faults: Fault) -> None:
        """One of these for each of the next requests of ``operation``."""
        self._next.setdefault(operation, []).extend(faults)

    def always(self, operation: str, fault: Fault) -> None:
        """This for every request of ``operation`` for which there is no `next` one."""
        self._always[operation] = fault

    def forget(self) -> None:
        """As new, but for uploads that somebody left."""
        self.objects.clear()
        self.headers.clear()
        self.log.clear()
        self.obeys = {"PutObject", "CompleteMultipartUpload", "CopyObject"}
        self.proves = True
        self.forget_faults()

    def forget_faults(self) -> None:
        """Fail no more."""
        self._next.clear()
        self._always.clear()

    def asked(self, operation: str) -> int:
        """How many requests of ``operation`` came."""
        return sum(each == operation for each, _ in self.log)

    def fault(self, operation: str) -> Fault | None:
        with self.lock:
            waiting = self._next.get(operation)
            return waiting.pop(0) if waiting else self._always.get(operation)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Clients that go away are what is tried here."""


class Request(BaseHTTPRequestHandler):
    """One request: ``operation``, ``key``, ``query``, ``body``."""

    s3: FakeS3
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do(self) -> None:
        parts = urlsplit(self.path)
        _, _, self.key = unquote(parts.path).lstrip("/").partition("/")
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.operation = self._operation()
        self.s3.log.append((self.operation, self.key))
        fault = self.s3.fault(self.operation)
        if fault is None:
            self.perform()
        else:
            fault(self)

    def perform(self) -> None:
        """Do what an S3 does."""
        _OPERATIONS[self.operation](self)

    def answer(self, status: int, body: bytes = b"", **headers: str | None) -> None:
        """Answer; a header that is None is left out, also Content-Length."""
        named = {"Content_Length": str(len(body)), "Last_Modified": MODIFIED, **headers}
        self.begin(status, named)
        if self.command != "HEAD":
            self.wfile.write(body)
        if named["Content_Length"] is None:
            self.close_connection = True

    def begin(self, status: int, headers: dict[str, str | None]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def error(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>secret words</Message></Error>".encode()
        self.answer(status, b"" if self.command == "HEAD" else body, Content_Type="application/xml")

    def _operation(self) -> str:
        match self.command:
            case "GET":
                return "ListObjectsV2" if "list-type" in self.query else "GetObject"
            case "HEAD":
                return "HeadObject"
            case "PUT":
                copies = "x-amz-copy-source" in self.headers
                if "uploadId" in self.query:
                    return "UploadPartCopy" if copies else "UploadPart"
                return "CopyObject" if copies else "PutObject"
            case "POST":
                begins = "uploads" in self.query
                return "CreateMultipartUpload" if begins else "CompleteMultipartUpload"
            case _:
                return "AbortMultipartUpload"


for _method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
    setattr(Request, f"do_{_method}", Request.do)


# -- what an S3 does -------------------------------------------------------------------------------


def etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _crc(body: bytes) -> str:
    return _text(zlib.crc32(body).to_bytes(4, "big"))


def _damaged(request: Request) -> bool:
    sha256, crc = (request.headers.get(f"x-amz-checksum-{each}") for each in ("sha256", "crc32"))
    return (sha256 or _text(hashlib.sha256(request.body).digest())) != _text(
        hashlib.sha256(request.body).digest()
    ) or (crc or _crc(request.body)) != _crc(request.body)


def _store(request: Request, body: bytes, **headers: str) -> bool:
    """Whether it was stored; else it has been answered."""
    s3 = request.s3
    with s3.lock:
        conditional = request.headers.get("If-None-Match") == "*"
        if request.key in s3.objects and conditional and request.operation in s3.obeys:
            taken = True
        else:
            taken = False
            s3.objects[request.key], s3.headers[request.key] = body, headers
    if taken:
        request.error(412, "PreconditionFailed")
    return not taken


_SHA256, _TYPE = "x-amz-checksum-sha256", "x-amz-checksum-type"
_ALGORITHM = "x-amz-checksum-algorithm"


def _told(request: Request, *more: str) -> dict[str, str]:
    names = ("Content-Type", "Content-Disposition", *more)
    found = {name: request.headers.get(name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def sha256(body: bytes) -> str:
    """As S3 writes it."""
    return _text(hashlib.sha256(body).digest())


def _put(request: Request) -> None:
    if _damaged(request):
        request.error(400, "BadDigest")
    elif _store(request, request.body, **_told(request, _SHA256)):
        request.answer(200, ETag=etag(request.body))


CLASS = "x-amz-storage-class"


def _archived(s3: FakeS3, key: str) -> bool:
    return s3.headers.get(key, {}).get(CLASS) in ("GLACIER", "DEEP_ARCHIVE")


def _source(request: Request) -> tuple[str, bytes] | None:
    """Key and bytes of what is to be copied; None if it has been answered.

    S3 API reference, CopyObject: `x-amz-copy-source` is ``bucket/key``, encoded, and both
    conditions on the source answer 412.
    """
    _, _, key = unquote(request.headers["x-amz-copy-source"]).lstrip("/").partition("/")
    body = request.s3.objects.get(key)
    if body is None:
        request.error(404, "NoSuchKey")
        return None
    if _archived(request.s3, key):
        request.error(403, "ObjectNotInActiveTierError")
        return None
    if request.headers.get("x-amz-copy-source-if-match", etag(body)) != etag(body):
        request.error(412, "PreconditionFailed")
        return None
    return key, body


def _copy(request: Request) -> None:
    """By S3 itself: with ``If-None-Match`` since October 2025; a copy has the checksum that is
    asked for, or its source's. What is copied onto itself has to change in something."""
    source = _source(request)
    if source is None:
        return
    key, body = source
    replaces = request.headers.get("x-amz-metadata-directive") == "REPLACE"
    if key == request.key and not replaces:
        request.error(400, "InvalidRequest")
        return
    headers = _told(request) if replaces else dict(request.s3.headers.get(key, {}))
    if request.headers.get(_ALGORITHM) == "SHA256":
        headers[_SHA256] = sha256(body)
    if _store(request, body, **headers):
        _copied(request, "CopyObjectResult", body, headers.get(_SHA256))


def _copied(request: Request, name: str, body: bytes, checksum: str | None) -> None:
    told = f"<ChecksumSHA256>{checksum}</ChecksumSHA256>" if checksum and request.s3.proves else ""
    _xml(request, name, f"<ETag>{etag(body)}</ETag>{told}")


def _part_copy(request: Request) -> None:
    upload = request.s3.uploads.get(request.query["uploadId"])
    source = _source(request) if upload is not None else None
    if upload is None:
        request.error(404, "NoSuchUpload")
    elif source is not None:
        upload[1][int(request.query["partNumber"])] = source[1]
        asked = request.s3.headers[request.query["uploadId"]].get(_ALGORITHM) == "SHA256"
        _copied(request, "CopyPartResult", source[1], sha256(source[1]) if asked else None)


def _get(request: Request) -> None:
    body = request.s3.objects.get(request.key)
    if body is None:
        request.error(404, "NoSuchKey")
        return
    told: dict[str, Any] = {"ETag": etag(body), **request.s3.headers.get(request.key, {})}
    if request.command == "GET" and _archived(request.s3, request.key):
        request.error(403, "InvalidObjectState")
        return
    if request.headers.get("x-amz-checksum-mode") != "ENABLED":
        told.pop(_SHA256, None)
    span = request.headers.get("Range")
    if span is None:
        told["Content_Length"] = str(len(body))
        request.answer(200, body, **told)
        return
    start, _, end = span.removeprefix("bytes=").partition("-")
    if int(start) >= len(body):
        request.error(416, "InvalidRange")
    elif request.headers.get("If-Match", etag(body)) != etag(body):
        request.error(412, "PreconditionFailed")
    else:
        part = body[int(start) : int(end) + 1 if end else None]
        told["Content_Range"] = f"bytes {start}-{int(start) + len(part) - 1}/{len(body)}"
        request.answer(206, part, **told)


def _create_upload(request: Request) -> None:
    upload = uuid4().hex
    request.s3.uploads[upload] = request.key, {}
    request.s3.headers[upload] = _told(request, _ALGORITHM)
    _xml(request, "InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>")


def _upload_part(request: Request) -> None:
    upload = request.s3.uploads.get(request.query["uploadId"])
    if upload is None:
        request.error(404, "NoSuchUpload")
    elif _damaged(request):
        request.error(400, "BadDigest")
    else:
        upload[1][int(request.query["partNumber"])] = request.body
        request.answer(200, ETag=etag(request.body))


def _complete(request: Request) -> None:
    identity = request.query["uploadId"]
    upload = request.s3.uploads.get(identity)
    if upload is None:
        request.error(404, "NoSuchUpload")
        return
    listed = ElementTree.fromstring(request.body)
    numbers = [int(each.text or 0) for each in listed.iter() if each.tag.endswith("PartNumber")]
    body = b"".join(upload[1][number] for number in numbers)
    headers = dict(request.s3.headers[identity])
    if headers.pop(_ALGORITHM, None) == "SHA256":
        parts = [hashlib.sha256(upload[1][number]).digest() for number in numbers]
        headers[_SHA256] = f"{sha256(b''.join(parts))}-{len(parts)}"
        headers[_TYPE] = "COMPOSITE"
    else:
        headers["x-amz-checksum-crc32"] = _crc(body)
        headers[_TYPE] = "FULL_OBJECT"
    if request.headers.get("x-amz-checksum-crc32", _crc(body)) != _crc(body):
        request.error(400, "BadDigest")
    elif _store(request, body, **headers):
        request.s3.uploads.pop(identity)
        _xml(request, "CompleteMultipartUploadResult", f"<ETag>{etag(body)}</ETag>")


def _abort(request: Request) -> None:
    gone = request.s3.uploads.pop(request.query.get("uploadId", ""), None) is None
    if gone:
        request.error(404, "NoSuchUpload")
    else:
        request.answer(204)


def _list(request: Request) -> None:
    query = request.query
    after = query.get("continuation-token") or query.get("start-after") or ""
    keys = [key for key in sorted(request.s3.objects) if key > after]
    page(request, [key for key in keys if key.startswith(query.get("prefix", ""))])


def page(
    request: Request, keys: list[str], *, more: bool = False, token: str | None = None
) -> None:
    """Answer a listing with the first of ``keys``; ``more`` though there are none, by ``token``."""
    shown = keys[: request.s3.page]
    if len(keys) > len(shown):
        more, token = True, shown[-1]
    rows = "".join(
        f"<Contents><Key>{quote(key)}</Key><LastModified>2026-11-27T10:00:00.000Z</LastModified>"
        f"<Size>{len(request.s3.objects[key])}</Size>"
        f"<StorageClass>{request.s3.headers.get(key, {}).get(CLASS, 'STANDARD')}</StorageClass>"
        "</Contents>"
        for key in shown
    )
    end = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    _xml(
        request,
        "ListBucketResult",
        f"<EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>{rows}{end}",
    )


def _xml(request: Request, name: str, inside: str) -> None:
    request.answer(200, f"<{name}>{inside}</{name}>".encode(), Content_Type="application/xml")


_OPERATIONS: dict[str, Callable[[Request], None]] = {
    "ListObjectsV2": _list,
    "HeadObject": _get,
    "GetObject": _get,
    "PutObject": _put,
    "CopyObject": _copy,
    "UploadPartCopy": _part_copy,
    "CreateMultipartUpload": _create_upload,
    "UploadPart": _upload_part,
    "CompleteMultipartUpload": _complete,
    "AbortMultipartUpload": _abort,
}


# -- what can go wrong -----------------------------------------------------------------------------


def lost_request(request: Request) -> None:
    """S3 never heard of it."""
    request.close_connection = True


def lost_answer(request: Request) -> None:
    """It is done; nobody learns."""
    wire, request.wfile = request.wfile, _Nowhere()  # type: ignore[assignment]
    request.perform()
    request.wfile = wire
    request.close_connection = True


def broken_body(request: Request) -> None:
    """The connection ends in the middle of the body."""
    wire = _Kept()
    real, request.wfile = request.wfile, wire  # type: ignore[assignment]
    request.perform()
    request.wfile = real
    head, gap, body = bytes(wire.kept).partition(b"\r\n\r\n")
    real.write(head + gap + body[: len(body) // 2])
    request.close_connection = True


def drip(request: Request) -> None:
    """A byte now and then, which no time-out of a socket minds."""
    wire = _Kept()
    real, request.wfile = request.wfile, wire  # type: ignore[assignment]
    request.perform()
    request.wfile = real
    head, gap, body = bytes(wire.kept).partition(b"\r\n\r\n")
    real.write(head + gap)
    for start in range(len(body)):
        real.write(body[start : start + 1])
        if request.s3.ended.wait(0.02):
            break
    request.close_connection = True


def stall(request: Request) -> None:
    """No answer, ever."""
    request.s3.ended.wait()
    request.close_connection = True


def not_xml(request: Request) -> None:
    """What a proxy or a captive portal says, with status 200."""
    request.answer(200, b"<html><body>Welcome<br>", Content_Type="text/html")


def well_formed_html(request: Request) -> None:
    """The same, and XML by chance."""
    request.answer(200, b"<html><body>Welcome</body></html>", Content_Type="text/html")


def in_chunks(request: Request) -> None:
    """A gateway before the S3 that knows no length."""
    body = request.s3.objects[request.key]
    request.begin(200, {"ETag": etag(body), "Transfer_Encoding": "chunked"})
    request.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))


def until_the_end(request: Request) -> None:
    """Neither length nor chunks: the end of the connection is the end."""
    body = request.s3.objects[request.key]
    request.answer(200, body, Content_Length=None, ETag=etag(body))


def without_headers(request: Request) -> None:
    """Done, and answered with a status alone."""
    wire, request.wfile = request.wfile, _Nowhere()  # type: ignore[assignment]
    request.perform()
    request.wfile = wire
    request._headers_buffer = []
    body = b"" if request.command == "HEAD" else request.s3.objects.get(request.key, b"")
    is_read = request.operation == "GetObject"
    length = None if request.command == "HEAD" else str(len(body) if is_read else 0)
    request.begin(200, {"Content_Length": length})
    request.wfile.write(body if is_read else b"")
    request.close_connection = True


def no_date(request: Request) -> None:
    """A date that is none."""
    body = request.s3.objects[request.key]
    request.answer(200, body, Last_Modified="the day before", ETag=etag(body))


def empty_page(request: Request) -> None:
    """A page of a listing that has no key and goes on: only delete markers lay there."""
    page(request, [], more=True, token=f"!{len(request.s3.log)}")


def empty_page_without_token(request: Request) -> None:
    """The same, and no word of how to go on."""
    page(request, [], more=True)


def same_page(request: Request) -> None:
    """The first page, whatever page is asked for."""
    page(request, sorted(request.s3.objects)[:2], more=True, token="again")


def refusing(status: int, code: str) -> Fault:
    """The fault that answers with an error of S3."""
    return lambda request: request.error(status, code)


def error_in_200(request: Request) -> None:
    """The copy began, and failed: "a 200 OK response can contain either a success or an error" (S3
    API reference, CopyObject)."""
    body = b"<Error><Code>InternalError</Code><Message>secret words</Message></Error>"
    request.answer(200, body, Content_Type="application/xml")


def refusing_conditions(status: int, code: str) -> Fault:
    """The same, to what is conditional."""

    def fault(request: Request) -> None:
        if request.headers.get("If-None-Match"):
            request.error(status, code)
        else:
            request.perform()

    return fault


class _Nowhere:
    def write(self, data: bytes) -> int:
        return len(data)

    def flush(self) -> None:
        pass

    closed = False


class _Kept(_Nowhere):
    def __init__(self) -> None:
        self.kept = bytearray()

    def write(self, data: bytes) -> int:
        self.kept += data
        return len(data)
