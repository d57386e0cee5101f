"""PutObject by botocore's own signer and its own connections, without all that a client does else.

A client spends 2 ms of CPU on each request, most of it on endpoint rules, the validation of
parameters and hooks, whose results are the same for every object of a bucket. Here they are taken
from a request that the client made, and the signature comes from the same signer (`S3SigV4Auth`,
with the credentials as they stand at that moment). Not yet tried with S3 of AWS's own: here with
moto, ministack and a little S3 on loopback.
"""

import base64
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserFactory

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_EVENT = "s3.PutObject"
_HEADERS = {
    "ChecksumSHA256": "x-amz-checksum-sha256",
    "ContentDisposition": "Content-Disposition",
    "ContentType": "Content-Type",
    "IfNoneMatch": "If-None-Match",
}
_COPIED = 256 * 1024
"""Up to so many bytes it costs nothing to have a view's own."""
_SIGNATURES = frozenset({"v4", "s3v4"})
_ELSEWHERE = frozenset({"AuthorizationHeaderMalformed", "IllegalLocationConstraintException"})
"""Like 301 and 307: the bucket lies in another region, to which the client knows the way."""


@dataclass(frozen=True, slots=True)
class _Way:
    """What is the same for each object: where it goes, and who signs."""

    address: str
    agent: str
    signer: Any
    name: str
    region: str
    version: str


class Puts:
    """PutObject for one bucket, see `S3Client.put_object`; safe for many threads.

    It takes the client's way, and raises what the client would raise; the caller decides what is
    asked again.
    """

    def __init__(self, client: "S3Client") -> None:
        self._client = client
        self._events = client.meta.events
        # An inner name of botocore's (1.44): without it, the client sends everything.
        self._http: Any = getattr(getattr(client, "_endpoint", None), "http_session", None)
        self._parser: Any = ResponseParserFactory().create_parser("rest-xml")
        self._asked = threading.local()
        self._way: _Way | None = None
        self._events.register(f"before-sign.{_EVENT}", self._learn)

    def send(self, **arguments: Any) -> Any:
        """Store ``Body`` under ``Key``; its SHA-256 is given, and is what is signed."""
        way = self._way
        if way is None:
            return self._by_client(arguments)
        prepared = _signed(way, arguments)
        answers = self._events.emit(f"before-send.{_EVENT}", request=prepared)
        response = next((each for _, each in answers if each is not None), None)
        if response is None:
            response = self._http.send(prepared)
        if response.status_code == 200:
            return {}
        error = self._error(response)
        if response.status_code in (301, 307) or error.response["Error"]["Code"] in _ELSEWHERE:
            self._way = None
            return self._by_client(arguments)
        raise error

    def _by_client(self, arguments: dict[str, Any]) -> Any:
        body = arguments["Body"]
        if isinstance(body, memoryview):
            arguments = {**arguments, "Body": bytes(body)}
        self._asked.key = arguments["Key"]
        try:
            return self._client.put_object(**arguments)
        finally:
            self._asked.key = None

    def _learn(self, request: Any, **signing: Any) -> None:
        """The client is about to sign: what for, and who signs?"""
        key = getattr(self._asked, "key", None)
        path = _path(key) if key is not None else "?"
        own = request.context.get("signing", {})
        usual = not own.keys() & {"request_credentials", "identity_cache"}
        if not request.url.endswith(f"/{path}") or not usual or self._http is None:
            return
        if signing["signature_version"] in _SIGNATURES:
            self._way = _Way(
                address=request.url[: -len(path)],
                agent=str(request.headers["User-Agent"]),
                signer=signing["request_signer"],
                name=own.get("signing_name", signing["signing_name"]),
                region=own.get("region", signing["region_name"]),
                version=signing["signature_version"],
            )

    def _error(self, response: Any) -> ClientError:
        parsed = self._parser.parse(
            {
                "status_code": response.status_code,
                "headers": response.headers,
                "body": response.content,
            },
            None,
        )
        parsed.setdefault("Error", {}).setdefault("Code", str(response.status_code))
        return ClientError(parsed, "PutObject")


def _signed(way: _Way, arguments: dict[str, Any]) -> Any:
    headers = {name: arguments[own] for own, name in _HEADERS.items() if own in arguments}
    headers["User-Agent"] = way.agent
    url = way.address + _path(arguments["Key"])
    body = arguments["Body"]
    if len(body) <= _COPIED:
        # Who listens to what is sent (an emulator in this process, for one) expects bytes.
        body = bytes(body)
    request = AWSRequest("PUT", url, headers=headers, data=body)
    auth = way.signer.get_auth_instance(way.name, way.region, way.version)
    sha256 = base64.b64decode(arguments["ChecksumSHA256"]).hex()
    # The signer would compute it of the body, once more.
    auth.payload = lambda _: sha256
    auth.add_auth(request)
    return request.prepare()


def _path(key: str) -> str:
    """``key`` as botocore writes it in a URL (`serialize.py`: ``percent_encode``)."""
    return quote(key, safe="/~")
