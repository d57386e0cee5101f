"""The store in an S3 bucket: conditional puts, checksums sent, multipart above 16 MiB.

What real S3 demands of each call is told where it is made; `aws.md` is the source unless another
is named.
"""

import base64
import hashlib
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from smugmug_backup.backup.errors import (
    AlreadyStored,
    Archived,
    NotStored,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.backup.ports import StoredObject
from smugmug_backup.storage.keys import checked, content_type

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MULTIPART_ABOVE = 16 * 1024 * 1024
PART_BYTES = 8 * 1024 * 1024
"""All parts but the last are at least 5 MiB; an object of 80 GB has less than 10,000 parts."""
_CHUNK = 1024 * 1024
_CONFLICT_TRIES = 5
_ARCHIVED = {"GLACIER", "DEEP_ARCHIVE"}

_T = TypeVar("_T")


def s3_client(*, max_connections: int) -> "S3Client":
    """An S3 client for so many threads; endpoint, region and credentials by boto3's own rules."""
    return boto3.client(
        "s3",
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 5},
            max_pool_connections=max_connections,
            connect_timeout=10,
            read_timeout=60,
            # We send the checksums that we want checked; botocore need not add its own.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


class S3Store:
    """`BackupStore` in ``bucket`` under ``prefix`` (without slashes at its ends, may be empty)."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._requests = _RequestCounter()
        client.meta.events.register("before-send.s3", self._requests)

    @property
    def requests(self) -> int:
        """Requests sent, each attempt counted."""
        return self._requests.count

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        """See `BackupStore.list`; 1,000 keys a request."""
        arguments: dict[str, Any] = {"Bucket": self._bucket, "Prefix": self._prefix + prefix}
        if after:
            arguments["StartAfter"] = self._prefix + after
        while True:
            page = self._call(
                "ListObjectsV2", prefix, lambda: self._client.list_objects_v2(**arguments)
            )
            for found in page.get("Contents", ()):
                key = found["Key"][len(self._prefix) :]
                if until is not None and key > until:
                    return
                yield StoredObject(
                    key,
                    found["Size"],
                    archived=found.get("StorageClass") in _ARCHIVED,
                    modified=found["LastModified"],
                )
            if not page.get("IsTruncated"):
                return
            arguments["ContinuationToken"] = page["NextContinuationToken"]
            arguments.pop("StartAfter", None)

    def head(self, key: str) -> StoredObject | None:
        """See `BackupStore.head`."""
        try:
            found = self._call(
                "HeadObject",
                key,
                lambda: self._client.head_object(Bucket=self._bucket, Key=self._key(key)),
            )
        except NotStored:
            return None
        restored = 'ongoing-request="false"' in found.get("Restore", "")
        return StoredObject(
            key,
            found["ContentLength"],
            archived=found.get("StorageClass") in _ARCHIVED and not restored,
            modified=found["LastModified"],
        )

    def read(self, key: str) -> bytes:
        """See `BackupStore.read`."""
        with self.open(key) as chunks:
            return b"".join(chunks)

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        """See `BackupStore.open`."""
        answer = self._call(
            "GetObject",
            key,
            lambda: self._client.get_object(Bucket=self._bucket, Key=self._key(key)),
        )
        body = answer["Body"]
        try:
            yield self._chunks(key, body, answer["ContentLength"])
        finally:
            body.close()

    def _chunks(self, key: str, body: Any, length: int) -> Iterator[bytes]:
        received = 0
        try:
            for chunk in body.iter_chunks(_CHUNK):
                received += len(chunk)
                yield chunk
        except (BotoCoreError, HTTPClientError) as error:
            raise StoreUnavailable(
                f"reading {self._name(key)} broke off ({type(error).__name__})"
            ) from None
        if received != length:
            raise StoreUnavailable(f"reading {self._name(key)} ended after {received} bytes")

    def create(self, key: str, body: bytes) -> None:
        """See `BackupStore.create`: one conditional PUT with a SHA-256 that S3 checks."""
        if len(body) > MULTIPART_ABOVE:
            self._create_in_parts(key, body)
            return
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        try:
            self._call(
                "PutObject",
                key,
                lambda: self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._key(key),
                    Body=body,
                    ContentType=content_type(key),
                    ChecksumSHA256=digest,
                    IfNoneMatch="*",
                ),
            )
        except AlreadyStored:
            # A retry after a lost answer meets its own write, so look before calling it taken.
            if self.read(key) != body:
                raise

    def _create_in_parts(self, key: str, body: bytes) -> None:
        try:
            with self.upload(key) as upload:
                for start in range(0, len(body), PART_BYTES):
                    upload.write(body[start : start + PART_BYTES])
                upload.commit()
        except AlreadyStored:
            if self.read(key) != body:
                raise

    @contextmanager
    def upload(self, key: str) -> Iterator["S3Upload"]:
        """See `BackupStore.upload`: parts of 8 MiB, aborted unless it was committed."""
        upload = S3Upload(self, key)
        try:
            yield upload
        finally:
            upload.close()

    # -- one way to S3 ---------------------------------------------------------------------------

    def _key(self, key: str) -> str:
        return self._prefix + checked(key)

    def _name(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{key}"

    def _call(self, operation: str, key: str, request: Callable[[], _T]) -> _T:
        """Make a request; every error of botocore becomes one of ours here and nowhere else."""
        for last in (False,) * (_CONFLICT_TRIES - 1) + (True,):
            try:
                return request()
            except ClientError as error:
                code = str(error.response.get("Error", {}).get("Code", ""))
                if code == "ConditionalRequestConflict" and not last:
                    continue
                raise self._error(operation, key, error, code) from None
            except BotoCoreError as error:
                raise self._unsent(operation, key, error) from None
        raise AssertionError("unreachable")

    def _error(self, operation: str, key: str, error: ClientError, code: str) -> StoreError:
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        name = self._name(key)
        if code == "NoSuchBucket":
            return StoreRefused(f"there is no bucket named {self._bucket}; create it first")
        if code in ("PreconditionFailed",) or status == 412:
            return AlreadyStored(f"{name} is there already and was left as it is")
        if code == "NoSuchUpload":
            return NotStored(f"the upload of {name} is gone")
        if status == 404:
            return NotStored(f"{name} is not there")
        if code == "InvalidObjectState":
            return Archived(f"{name} lies in an archive class; thaw it first")
        if status in (401, 403) or "AccessDenied" in code:
            return StoreRefused(
                f"{operation} of {name} was denied ({code or status}); the credentials need "
                f"{_PERMISSIONS[operation]} there, and s3:ListBucket on the bucket"
            )
        if status in (301, 307, 400) and code in ("PermanentRedirect", "AuthorizationHeader"):
            return StoreRefused(f"the bucket {self._bucket} lies in another region")
        if 400 <= status < 500 and status not in (408, 409, 429) and "SlowDown" not in code:
            return StoreRefused(f"{operation} of {name} was rejected ({code or status})")
        return StoreUnavailable(f"{operation} of {name} failed ({code or status})")

    def _unsent(self, operation: str, key: str, error: BotoCoreError) -> StoreError:
        kind = type(error).__name__
        if kind in _UNUSABLE:
            return StoreRefused(f"{operation} of {self._name(key)}: {_UNUSABLE[kind]}")
        return StoreUnavailable(f"{operation} of {self._name(key)} failed ({kind})")


class S3Upload:
    """One multipart upload: invisible until its conditional completion. For one thread.

    S3 checks a CRC32 of each part and, at completion, of the whole (``FULL_OBJECT``; SHA-256 would
    be a composite of the parts' hashes, which says nothing about the whole file).
    """

    def __init__(self, store: S3Store, key: str) -> None:
        self._store = store
        self._key = key
        self._buffer = bytearray()
        self._bytes = 0
        self._crc = 0
        self._parts: list[dict[str, Any]] = []
        self._id: str | None = None

    def write(self, chunk: bytes) -> None:
        """See `Upload.write`."""
        self._buffer += chunk
        self._bytes += len(chunk)
        self._crc = zlib.crc32(chunk, self._crc)
        while len(self._buffer) > PART_BYTES:
            part = bytes(self._buffer[:PART_BYTES])
            del self._buffer[:PART_BYTES]
            self._send(part)

    def commit(self) -> None:
        """See `Upload.commit`."""
        store = self._store
        if self._id is None:
            store.create(self._key, bytes(self._buffer))
            return
        self._send(bytes(self._buffer))
        self._buffer.clear()
        try:
            store._call("CompleteMultipartUpload", self._key, self._complete)
        except NotStored:
            # The completion was done and its answer lost; the upload is gone, the object is there.
            found = store.head(self._key)
            if found is None:
                raise StoreUnavailable(f"the upload of {store._name(self._key)} is gone") from None
            if found.bytes != self._bytes:
                raise AlreadyStored(f"{store._name(self._key)} is there already") from None
        self._id = None

    def close(self) -> None:
        """Abort what was not committed, so that its parts cost nothing."""
        self._buffer.clear()
        if self._id is None:
            return
        upload, self._id = self._id, None
        try:
            self._store._call(
                "AbortMultipartUpload",
                self._key,
                lambda: self._store._client.abort_multipart_upload(
                    Bucket=self._store._bucket, Key=self._store._key(self._key), UploadId=upload
                ),
            )
        except StoreError:
            pass  # The bucket's lifecycle rule sweeps it after two days.

    def _send(self, part: bytes) -> None:
        store, key, number = self._store, self._key, len(self._parts) + 1
        if self._id is None:
            self._id = store._call("CreateMultipartUpload", key, self._begin)
        upload = self._id
        crc = _crc32_text(zlib.crc32(part))
        answer = store._call(
            "UploadPart",
            key,
            lambda: store._client.upload_part(
                Bucket=store._bucket,
                Key=store._key(key),
                UploadId=upload,
                PartNumber=number,
                Body=part,
                ChecksumCRC32=crc,
            ),
        )
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": crc})

    def _begin(self) -> str:
        # The algorithm is declared here, or the completion fails.
        return self._store._client.create_multipart_upload(
            Bucket=self._store._bucket,
            Key=self._store._key(self._key),
            ContentType=content_type(self._key),
            ChecksumAlgorithm="CRC32",
            ChecksumType="FULL_OBJECT",
        )["UploadId"]

    def _complete(self) -> None:
        self._store._client.complete_multipart_upload(
            Bucket=self._store._bucket,
            Key=self._store._key(self._key),
            UploadId=self._id or "",
            MultipartUpload={"Parts": self._parts},  # type: ignore[typeddict-item]
            ChecksumCRC32=_crc32_text(self._crc),
            ChecksumType="FULL_OBJECT",
            MpuObjectSize=self._bytes,
            IfNoneMatch="*",
        )


class _RequestCounter:
    """Counts what is really sent, from all threads."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def __call__(self, **_: Any) -> None:
        with self._lock:
            self.count += 1


def _crc32_text(crc: int) -> str:
    return base64.b64encode(crc.to_bytes(4)).decode()


_PERMISSIONS = {
    "ListObjectsV2": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
}

_UNUSABLE = {
    "NoCredentialsError": "there are no AWS credentials; run `aws configure` or set AWS_PROFILE",
    "PartialCredentialsError": "the AWS credentials are incomplete",
    "ProfileNotFound": "the AWS profile does not exist",
    "NoRegionError": "no AWS region is set; set AWS_REGION",
    "ParamValidationError": "the bucket's name is not valid",
    "TokenRetrievalError": "the AWS login has expired; log in again",
    "UnauthorizedSSOTokenError": "the AWS login has expired; log in again",
}
