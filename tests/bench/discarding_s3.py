"""As much of S3 as a first backup needs, and nothing is kept: for streams of any length."""

import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_CHUNK = 1 << 20


class Handler(BaseHTTPRequestHandler):
    """Every bucket is there, every key is free, everything sent is read and dropped."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_PUT(self) -> None:
        left = int(self.headers["Content-Length"])
        if self.headers.get("Expect") == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        while left:
            left -= len(self.rfile.read(min(left, _CHUNK)))
        self._answer(200, b"", ETag='"00000000000000000000000000000000"')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if re.search(r"[?&]uploads(=|&|$)", self.path):
            name = b"InitiateMultipartUploadResult"
            body = b"<Bucket>b</Bucket><Key>k</Key><UploadId>one</UploadId>"
        else:
            name = b"CompleteMultipartUploadResult"
            body = b'<Bucket>b</Bucket><Key>k</Key><ETag>"0-1"</ETag>'
        self._answer(200, b"<%b>%b</%b>" % (name, body, name))

    def do_GET(self) -> None:
        if "list-type=2" in self.path:
            self._answer(
                200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
            )
        else:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def do_HEAD(self) -> None:
        self._answer(404, b"")

    def do_DELETE(self) -> None:
        self._answer(204, b"")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Silent."""


def main() -> None:
    """Serve until ended; the address is the first line."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
