"""The one way to S3: client, bucket and prefix; every request and every error goes by here."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from smugmug_backup.errors import BadRequest, NotStored, StoreError, StoreRefused
from smugmug_backup.storage import s3_errors
from smugmug_backup.storage.keys import checked

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONFLICT_WAITS = (0.1, 0.3, 0.9, 2.7)


def s3_client(*, max_connections: int) -> "S3Client":
    """An S3 client for so many threads; endpoint, region and credentials by boto3's own rules.

    An endpoint on this machine is asked without proxies and may be plain http; no other may.
    Raises BadRequest for such an endpoint, and StoreRefused if AWS is not set up.
    """
    config = Config(
        # Five attempts with full jitter, on time-outs, 5xx and throttling.
        retries={"mode": "standard", "total_max_attempts": 5},
        max_pool_connections=max_connections,
        connect_timeout=10,
        read_timeout=60,
        # We send the checksums that S3 shall check, and botocore does not compute another one.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        session = boto3.session.Session()
        client = session.client("s3", config=config)
        endpoint = urlsplit(client.meta.endpoint_url)
        if _is_local(endpoint.hostname or ""):
            # A bucket is no host name here, and a proxy or its certificate is not ours to ask.
            local = Config(proxies={}, s3={"addressing_style": "path"})
            client = session.client("s3", config=config.merge(local))
        elif endpoint.scheme != "https":
            raise BadRequest(f"the S3 endpoint at {endpoint.hostname} must be https")
    except BotoCoreError as error:
        raise s3_errors.unasked(error, operation="setting up", name="S3") from None
    except ValueError:
        raise StoreRefused("the S3 endpoint that is set (AWS_ENDPOINT_URL) is no URL") from None
    return client


def _is_local(host: str) -> bool:
    return host in ("localhost", "::1") or host.endswith(".localhost") or host.startswith("127.")


class Bucket:
    """``bucket`` below ``prefix``, as seen through ``client``; safe for many threads."""

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        prefix: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._sleep = sleep
        self._requests = 0
        self._lock = threading.Lock()
        # First, because an emulator inside this process answers in the same hook and ends it.
        client.meta.events.register_first("before-send.s3", self._count)

    @property
    def requests(self) -> int:
        """Requests sent so far, each attempt counted."""
        return self._requests

    def name(self, key: str) -> str:
        """``key`` as it is named in messages: ``s3://bucket/prefix/key``."""
        return f"s3://{self._bucket}/{self.prefix}{key}"

    def call(self, operation: str, key: str, **arguments: Any) -> Any:
        """Do ``operation`` (S3's own name of it) on the object ``key``. Raises StoreError."""
        return self._call(operation, key, Key=self.prefix + checked(key), **arguments)

    def page(self, prefix: str, after: str) -> Any:
        """The next at most 1,000 objects below ``prefix`` whose whole key is above ``after``."""
        begin = {"StartAfter": after} if after else {}
        try:
            return self._call(
                "ListObjectsV2",
                prefix,
                Prefix=self.prefix + prefix,
                OptionalObjectAttributes=["RestoreStatus"],
                **begin,
            )
        except NotStored as error:
            raise StoreRefused(f"there is no bucket named {self._bucket}") from error

    def _call(self, operation: str, key: str, **arguments: Any) -> Any:
        method = getattr(self._client, _METHODS[operation])
        waits = iter(_CONFLICT_WAITS)
        while True:
            try:
                return method(Bucket=self._bucket, **arguments)
            except ClientError as error:
                if s3_errors.code_of(error) in s3_errors.CONFLICTS:
                    wait = next(waits, None)
                    if wait is not None:
                        self._sleep(wait)
                        continue
                raise s3_errors.refused(
                    error, operation=operation, name=self.name(key), bucket=self._bucket
                ) from None
            except BotoCoreError as error:
                raise self.broken(error, operation, key) from None

    def broken(self, error: BotoCoreError, operation: str, key: str) -> StoreError:
        """``error`` of an answer that did not come whole, as one of ours."""
        return s3_errors.unasked(error, operation=operation, name=self.name(key))

    def _count(self, **_: Any) -> None:
        with self._lock:
            self._requests += 1


_METHODS = {
    "ListObjectsV2": "list_objects_v2",
    "HeadObject": "head_object",
    "GetObject": "get_object",
    "PutObject": "put_object",
    "CreateMultipartUpload": "create_multipart_upload",
    "UploadPart": "upload_part",
    "CompleteMultipartUpload": "complete_multipart_upload",
    "AbortMultipartUpload": "abort_multipart_upload",
}
