"""The store in an S3 bucket: conditional puts, checksums sent, multipart above 16 MiB.

What real S3 demands of each call is told where it is made.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError

from smugmug_backup.errors import AlreadyStored, NotStored, StoreError, StoreUnavailable
from smugmug_backup.model import StoredObject
from smugmug_backup.storage.keys import checked, checked_prefix, is_key
from smugmug_backup.storage.s3_bucket import Bucket, s3_client
from smugmug_backup.storage.s3_upload import ONE_REQUEST, S3Upload, put, sha256_text

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["S3Store", "s3_client"]

_CHUNK = 1024 * 1024
_TRIES = 3
_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})


class S3Store:
    """`BackupStore` in ``bucket`` under ``prefix``, which may be empty.

    Objects of the bucket whose keys we could not have written are not seen.
    """

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        prefix: str = "",
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._bucket = Bucket(client, bucket, prefix, sleep)

    @property
    def requests(self) -> int:
        """Requests sent, each attempt counted."""
        return self._bucket.requests

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        """See `BackupStore.list`; 1,000 keys a request."""
        own = self._bucket.prefix
        last = own + after if after else ""
        more = checked_prefix(prefix) is not None
        while more:
            page = self._bucket.page(prefix, last)
            for found in page.get("Contents", ()):
                last = found["Key"]
                key = last[len(own) :]
                if until is not None and key > until:
                    return
                if is_key(key):
                    yield _stored(key, found["Size"], found)
            more = page.get("IsTruncated", False)

    def head(self, key: str) -> StoredObject | None:
        """See `BackupStore.head`."""
        try:
            found = self._bucket.call("HeadObject", key)
        except NotStored:
            return None
        return _stored(key, found["ContentLength"], found)

    def read(self, key: str) -> bytes:
        """See `BackupStore.read`."""
        with self.open(key) as chunks:
            return b"".join(chunks)

    def read_part(self, key: str, offset: int, length: int) -> bytes:
        """See `BackupStore.read_part`."""
        wanted = f"bytes={offset}-{offset + length - 1}"
        answer = self._bucket.call("GetObject", key, Range=wanted)
        with closing(answer["Body"]), closing(self._chunks(key, answer, offset)) as chunks:
            return b"".join(chunks)

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        """See `BackupStore.open`. A body that breaks off is taken up where it broke."""
        first = self._bucket.call("GetObject", key)
        # Also if nobody takes a chunk, the first answer's connection must be given back.
        with closing(first["Body"]), closing(self._chunks(key, first)) as chunks:
            yield chunks

    def create(self, key: str, body: bytes, *, file_name: str | None = None) -> None:
        """See `BackupStore.create`."""
        try:
            self._send(key, body)
        except AlreadyStored:
            # A retry after a lost answer meets its own write, so look before calling it taken.
            if not self._holds(key, body):
                raise

    @contextmanager
    def upload(self, key: str, *, file_name: str | None = None) -> Iterator[S3Upload]:
        """See `BackupStore.upload`."""
        upload = S3Upload(self._bucket, checked(key))
        try:
            yield upload
        finally:
            upload.close()

    def _send(self, key: str, body: bytes) -> None:
        if len(body) <= ONE_REQUEST:
            put(self._bucket, key, body)
            return
        with self.upload(key) as upload:
            for start in range(0, len(body), _CHUNK):
                upload.write(body[start : start + _CHUNK])
            upload.commit()

    def _holds(self, key: str, body: bytes) -> bool:
        there = self.head(key)
        if there is None or there.bytes != len(body):
            return False
        if there.archived:
            # It cannot be read, but S3 keeps the SHA-256 that it was stored with.
            found = self._bucket.call("HeadObject", key, ChecksumMode="ENABLED")
            return bool(found.get("ChecksumSHA256") == sha256_text(body))
        start = 0
        with self.open(key) as chunks:
            for chunk in chunks:
                if body[start : start + len(chunk)] != chunk:
                    return False
                start += len(chunk)
        return start == len(body)

    def _chunks(self, key: str, answer: Any, begin: int = 0) -> Generator[bytes, None, None]:
        """The body, taken up again where it breaks off, as long as that gets further.

        ``begin``: where in the object the body begins.
        """
        size, etag, done, broken = answer["ContentLength"], answer["ETag"], 0, 0
        error: StoreError
        while True:
            try:
                with closing(answer["Body"]) as body:
                    for chunk in body.iter_chunks(_CHUNK):
                        done, broken = done + len(chunk), 0
                        yield chunk
                if done == size:
                    return
                error = StoreUnavailable(f"{self._bucket.name(key)} gave {done} bytes of {size}")
            except BotoCoreError as cause:
                error = self._bucket.broken(cause, "GetObject", key)
            broken += 1
            if broken == _TRIES or done >= size:
                raise error from None
            rest = f"bytes={begin + done}-{begin + size - 1}"
            try:
                answer = self._bucket.call("GetObject", key, Range=rest, IfMatch=etag)
            except AlreadyStored:  # 412, of IfMatch
                raise StoreUnavailable(f"{self._bucket.name(key)} changed under way") from None
            if not answer.get("ContentRange", "").startswith(f"bytes {begin + done}-"):
                answer["Body"].close()
                raise error from None


def _stored(key: str, size: int, found: Any) -> StoredObject:
    """``found`` is an entry of a listing or the answer to a HEAD."""
    restored = 'ongoing-request="false"' in found.get("Restore", "") or bool(
        found.get("RestoreStatus", {}).get("RestoreExpiryDate")
    )
    # ArchiveStatus: the archive tiers of Intelligent-Tiering, which only a HEAD tells.
    archived = found.get("StorageClass") in _ARCHIVED or "ArchiveStatus" in found
    modified = found["LastModified"].astimezone(UTC)
    return StoredObject(key, size, archived and not restored, modified)
