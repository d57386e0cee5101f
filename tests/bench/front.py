"""TLS before the servers of a benchmark: ``https`` for what serves ``http``.

    python -m tests.bench.front CERTIFICATE [--header LINE]… ADDRESS

The address it listens at is the first line that it says. ``--header``: put into each request's
head. Who asks it as a proxy (``CONNECT``), for whatever host, is led to ADDRESS, too.
"""

import argparse
import select
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import certifi

_PIECE = 1 << 18
_METHODS = (b"GET /", b"HEAD /", b"PUT /", b"POST /", b"DELETE /")
"""What a request begins with. (A photo's bytes do not.)"""


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate with its key, and the usual bundle of authorities with its issuer added.

    The bundle is as long as a true one, for loading it is what a connection costs.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "benchmark")])
    names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("api.smugmug.com")]
    now = datetime.now(UTC)
    usage = dict.fromkeys(("content_commitment", "data_encipherment", "key_agreement"), False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_encipherment=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
                **usage,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    served, bundle = folder / "served.pem", folder / "bundle.pem"
    served.write_bytes(private + public)
    bundle.write_bytes(Path(certifi.where()).read_bytes() + public)
    return served, bundle


class Front:
    """Hands on what comes, either way; a thread a connection, for asyncio's TLS costs more."""

    def __init__(
        self, context: ssl.SSLContext, to: str, headers: list[str], *, proxy: bool
    ) -> None:
        self._context, self._proxy = context, proxy
        host, _, port = to.removeprefix("http://").partition(":")
        self._to = host, int(port)
        self._added = "".join(f"{line}\r\n" for line in headers).encode()

    def serve(self, sock: socket.socket) -> None:
        """One connection."""
        with suppress(OSError), sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._proxy:
                asked = b""
                while not asked.endswith(b"\r\n\r\n"):  # CONNECT host:443
                    if not (piece := sock.recv(4096)):
                        return
                    asked += piece
                sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with (
                self._context.wrap_socket(sock, server_side=True) as client,
                socket.create_connection(self._to) as backend,
            ):
                backend.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._pump(client, backend)

    def _pump(self, client: ssl.SSLSocket, backend: socket.socket) -> None:
        # One thread for both ways: of question and answer, only one is ever under way.
        buffer = memoryview(bytearray(_PIECE))
        watched = select.poll()
        for each in (client, backend):
            watched.register(each, select.POLLIN)
        while True:
            for descriptor, _ in watched.poll():
                if descriptor == backend.fileno():
                    if not (size := backend.recv_into(buffer)):
                        return
                    client.sendall(buffer[:size])
                    continue
                while True:
                    if not (size := client.recv_into(buffer)):
                        return
                    if self._added and bytes(buffer[:8]).startswith(_METHODS):
                        first, _, rest = bytes(buffer[:size]).partition(b"\r\n")
                        backend.sendall(first + b"\r\n" + self._added + rest)
                    else:
                        backend.sendall(buffer[:size])
                    if not client.pending():
                        break


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("certificate")
    parser.add_argument("to")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--proxy", action="store_true", help="it is asked by CONNECT")
    given = parser.parse_args()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(given.certificate)
    front = Front(context, given.to, given.header, proxy=given.proxy)
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = listener.getsockname()[1]
        print(f"{'http' if given.proxy else 'https'}://127.0.0.1:{port}", flush=True)
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=front.serve, args=(sock,), daemon=True).start()


if __name__ == "__main__":
    main()
