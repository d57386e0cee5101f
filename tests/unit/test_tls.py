"""Connections that share a context: one reading of what is trusted, and the same strictness."""

import datetime
import ipaddress
import random
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from smugmug_backup.aws.client import aws_client
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import PhotoError, SourceUnavailable
from smugmug_backup.model import Availability, Offer
from smugmug_backup.smugmug import pace, photos
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.parts import Parts
from smugmug_backup.smugmug.photos import Photos
from smugmug_backup.smugmug.transport import Transport
from smugmug_backup.tls import shared
from tests.tools.local_s3 import set_environment
from tests.tools.streams import all_of
from tests.unit.smugmug.server import FakeClock

NOBODY = Credentials("KEY-1", "SECRET-1")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nphoto"


class Readings:
    """A context that only counts."""

    def __init__(self) -> None:
        self.read: list[object] = []

    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        if cafile == "/nowhere":
            raise FileNotFoundError(cafile)
        self.read.append(cafile or capath or cadata)


def test_a_bundle_is_read_once_and_another_one_too():
    counting = Readings()
    context = shared(counting)  # type: ignore[arg-type]
    for name in ("one.pem", "two.pem", "one.pem", "two.pem"):
        context.load_verify_locations(name)
    context.load_verify_locations(cadata="three")
    assert counting.read == ["one.pem", "two.pem", "three"]


def test_a_bundle_that_could_not_be_read_is_tried_again():
    context = shared(Readings())  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            context.load_verify_locations("/nowhere")


def certificate(folder, name):
    """A certificate of ``name`` that vouches for itself: (file, file with its key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_named(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    public = folder / "authority.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = folder / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    private.write_bytes(secret + public.read_bytes())
    return public, private


def _named(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@contextmanager
def tls_host(private) -> Iterator[int]:
    """The port of a host that answers each connection with five bytes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(private)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    one, _ = listening.accept()
                except OSError:
                    return
                with suppress(OSError), context.wrap_socket(one, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(ANSWER)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def fetch(one, clock, port):
    offer = Offer("original", Availability.READY, url=f"https://127.0.0.1:{port}/x")
    with one.open(offer, deadline=Deadline.none(clock)) as body:
        return all_of(body)


def one_of(clock, context):
    return Photos(
        hosts=["127.0.0.1"],
        signer=None,
        governor=Governor(clock=clock),
        clock=clock,
        rng=None,  # type: ignore[arg-type]
        attempts=1,
        tls=context,
    )


def test_a_second_connection_reads_no_bundle_and_checks_the_certificate(tmp_path, monkeypatch):
    public, private = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setattr(photos, "DEFAULT_CA_BUNDLE_PATH", str(public))
    context, readings = ssl.create_default_context(cafile=str(public)), []
    load = context.load_verify_locations
    context.load_verify_locations = lambda *of: (readings.append(of), load(*of))  # type: ignore
    one, clock = one_of(FakeClock(), shared(context)), FakeClock()
    with tls_host(private) as port:
        assert [fetch(one, clock, port) for _ in range(3)] == [b"photo"] * 3
    assert len(readings) == 1


@pytest.mark.parametrize("name", ["another.example", "127.0.0.2"])
def test_a_certificate_of_another_name_is_refused_at_every_connection(tmp_path, monkeypatch, name):
    public, private = certificate(tmp_path, name)
    monkeypatch.setattr(photos, "DEFAULT_CA_BUNDLE_PATH", str(public))
    clock = FakeClock()
    one = one_of(clock, pace.tls_context())
    with tls_host(private) as port:
        for _ in range(2):
            with pytest.raises(PhotoError):
                fetch(one, clock, port)


def call(clock, port):
    """What is asked of the API, in which a token and all captions go over the wire."""
    transport = Transport(
        api_url=f"https://127.0.0.1:{port}",
        signer=None,
        governor=Governor(clock=clock),
        clock=clock,
        rng=random.Random(1),
        attempts=1,
    )
    request = requests.Request("GET", f"https://127.0.0.1:{port}/api/v2")
    return transport.call(request, lambda reply: reply.body, deadline=Deadline.none(clock))


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    _, private = certificate(tmp_path, "127.0.0.1")
    clock = FakeClock()
    one = one_of(clock, pace.tls_context())
    with tls_host(private) as port:
        with pytest.raises(PhotoError):
            fetch(one, clock, port)
        with pytest.raises(SourceUnavailable):
            call(clock, port)


def test_an_api_is_asked_if_its_certificate_is_vouched_for(tmp_path, monkeypatch):
    public, private = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(public))
    with tls_host(private) as port:
        assert call(FakeClock(), port) == b"photo"


def test_calls_and_photos_of_a_source_share_a_context():
    parts = Parts.build(
        NOBODY,
        api_url="https://api.smugmug.com",
        governor=Governor(clock=FakeClock()),
        clock=FakeClock(),
        photo_hosts=[".smugmug.com"],
        rng=None,
        attempts=1,
        backoff=0.1,
        max_photo_bytes=None,
    )
    pools = parts.transport._adapter.poolmanager.connection_pool_kw
    photo_pool = parts.photos._pool(
        parts.photos._checked("https://photos.smugmug.com/x"), "93.184.216.34"
    )
    assert pools["ssl_context"] is photo_pool.conn_kw["ssl_context"]


def test_connections_of_an_aws_client_share_one_as_far_as_botocore_lets_them(monkeypatch):
    set_environment(monkeypatch)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    made = aws_client("s3")._endpoint.http_session._manager.connection_pool_kw["ssl_context"]
    assert made.load_verify_locations.__name__ == "load_once"
