"""The store in an S3 bucket: conditional puts, checksums sent, multipart above 16 MiB.

What real S3 demands of each call is told where it is made; what its answers mean is one table
(`s3_errors`), how long it is waited for is `s3_budget`, and that it does not overwrite `s3_probe`.
"""

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Any

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import AlreadyStored, NotStored, StoreError, StoreUnavailable
from smugmug_backup.model import Room, StoredObject
from smugmug_backup.ports import Body
from smugmug_backup.storage.keys import checked, checked_prefix, is_key
from smugmug_backup.storage.s3_body import CHUNK, Reading
from smugmug_backup.storage.s3_bucket import CONFLICT_WAITS, Bucket, s3_client
from smugmug_backup.storage.s3_budget import Patience
from smugmug_backup.storage.s3_errors import UploadGone
from smugmug_backup.storage.s3_probe import Promise
from smugmug_backup.storage.s3_upload import ONE_REQUEST, S3Upload, put, sha256_text

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["S3Store", "s3_client"]

_EMPTY_PAGES = 200
"""So many in a row cover 200,000 delete markers; an S3 that has more of them has no end."""
_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})


class S3Store:
    """`BackupStore` in ``bucket`` under ``prefix``, which may be empty.

    Objects of the bucket whose keys we could not have written are not seen. Before its first
    write, an S3 that is not AWS's own has to prove that it does not overwrite; it keeps an object
    ``work/probe.txt`` of that. ``proved``: it need not. ``one_writer``: where it does, each key is
    looked at before it is written, for its owner says that nobody else writes there.
    """

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        prefix: str = "",
        *,
        sleep: Callable[[float], None] = time.sleep,
        patience: Patience | None = None,
        proved: bool = False,
        one_writer: bool = False,
    ) -> None:
        self._bucket = Bucket(client, bucket, prefix, sleep=sleep, patience=patience or Patience())
        self._promise = Promise(kept=proved, one_writer=one_writer)

    def bounded(self, deadline: Deadline) -> "S3Store":
        """See `BackupStore.bounded`."""
        bounded = copy.copy(self)
        bounded._bucket = self._bucket.bounded(deadline)
        return bounded

    def batch(self) -> "S3Store":
        """See `BackupStore.batch`: each object is durable at once."""
        return self

    def barrier(self) -> Mapping[str, StoreError]:
        """See `Batch.barrier`."""
        return {}

    def room(self) -> Room:
        """See `BackupStore.room`."""
        return Room()

    @property
    def requests(self) -> int:
        """Requests sent, each attempt counted."""
        return self._bucket.requests

    def prove(self) -> None:
        """Make sure that nothing is overwritten here. Raises StoreRefused if it is, StoreError.

        Every write does so by itself; who is about to fetch much for them may ask before.
        """
        self._promise.prove_put(self._bucket)

    def list(
        self, prefix: str, *, after: str = "", until: str | None = None
    ) -> Iterator[StoredObject]:
        """See `BackupStore.list`; 1,000 keys a request."""
        checked_prefix(prefix)
        own = self._bucket.prefix
        last = own + after if after else ""
        for found in self._entries(prefix, last):
            key = found["Key"][len(own) :]
            if until is not None and key > until:
                return
            if is_key(key):
                yield _stored(key, found["Size"], found)

    def head(self, key: str) -> StoredObject | None:
        """See `BackupStore.head`."""
        try:
            found = self._bucket.call("HeadObject", key)
        except NotStored:
            return None
        return _stored(key, self._bucket.part_of(found, "ContentLength", "HeadObject", key), found)

    def read(self, key: str) -> bytes:
        """See `BackupStore.read`."""
        with self.open(key) as chunks:
            return b"".join(chunks)

    def read_part(self, key: str, offset: int, length: int) -> bytes:
        """See `BackupStore.read_part`."""
        with closing(Reading(self._bucket, key, offset, length)) as body:
            return b"".join(body)[:length]

    @contextmanager
    def open(self, key: str) -> Iterator[Iterator[bytes]]:
        """See `BackupStore.open`. A body that breaks off is taken up where it broke."""
        with closing(Reading(self._bucket, key)) as body:
            yield iter(body)

    def create(
        self, key: str, body: Body, *, file_name: str | None = None, sha256: str | None = None
    ) -> None:
        """See `BackupStore.create`."""
        checked(key)
        bucket = self._bucket.spending()
        try:
            if len(body) <= ONE_REQUEST:
                self._promise.prove_put(bucket)
                put(bucket, key, body, file_name, sha256)
            else:
                self._create_large(bucket, key, body, file_name)
        except AlreadyStored:
            # A retry after a lost answer meets its own write, so look before calling it taken.
            if not _holds(bucket, key, body):
                raise

    @contextmanager
    def upload(self, key: str, *, file_name: str | None = None) -> Iterator[S3Upload]:
        """See `BackupStore.upload`."""
        with closing(self._begin(self._bucket, key, file_name)) as upload:
            yield upload

    def _begin(self, bucket: Bucket, key: str, file_name: str | None) -> S3Upload:
        checked(key)
        self._promise.prove_put(bucket)
        return S3Upload(
            bucket, key, file_name, prove=lambda: self._promise.prove_completion(bucket)
        )

    def _create_large(self, bucket: Bucket, key: str, body: Body, file_name: str | None) -> None:
        for wait in (*CONFLICT_WAITS, None):
            try:
                with closing(self._begin(bucket, key, file_name)) as upload:
                    for start in range(0, len(body), CHUNK):
                        upload.write(body[start : start + CHUNK])
                    upload.commit()
                return
            except UploadGone:
                # Somebody else completes the same key, or has aborted ours. The bytes are here.
                if wait is None:
                    raise
                bucket.sleep(wait)

    def _entries(self, prefix: str, last: str) -> Iterator[Any]:
        """All that lies below ``prefix`` and above ``last``. Raises StoreUnavailable unless the
        pages get further: in the order of the keys, and to an end."""
        token, empty, more = None, 0, True
        while more:
            page = self._bucket.page(prefix, after=last, token=token)
            entries = page.get("Contents", ())
            for found in entries:
                if not found.keys() >= {"Key", "Size"} or found["Key"] <= last:
                    raise self._lost(prefix, "has entries without key or size, or out of order")
                last = found["Key"]
                yield found
            more, before, token = page.get("IsTruncated"), token, page.get("NextContinuationToken")
            if more is None:
                raise self._lost(prefix, "does not say whether there is more")
            empty = 0 if entries else empty + 1
            stuck = not entries and token in (None, before)
            if more and (stuck or empty > _EMPTY_PAGES):
                raise self._lost(prefix, "does not get further")

    def _lost(self, prefix: str, why: str) -> StoreUnavailable:
        return StoreUnavailable(f"the listing of {self._bucket.name(prefix)} {why}")


def _holds(bucket: Bucket, key: str, body: Body) -> bool:
    """Whether ``body`` lies under ``key``."""
    try:
        found = bucket.call("HeadObject", key)
    except NotStored:
        return False
    if found.get("ContentLength") != len(body):
        return False
    if _stored(key, len(body), found).archived:
        # It cannot be read, but S3 keeps the SHA-256 that it was stored with.
        found = bucket.call("HeadObject", key, ChecksumMode="ENABLED")
        return bool(found.get("ChecksumSHA256") == sha256_text(body))
    start = 0
    with closing(Reading(bucket, key)) as chunks:
        for chunk in chunks:
            if body[start : start + len(chunk)] != chunk:
                return False
            start += len(chunk)
    return start == len(body)


def _stored(key: str, size: int, found: Any) -> StoredObject:
    """``found`` is an entry of a listing or the answer to a HEAD."""
    restored = 'ongoing-request="false"' in found.get("Restore", "") or bool(
        found.get("RestoreStatus", {}).get("RestoreExpiryDate")
    )
    # ArchiveStatus: the archive tiers of Intelligent-Tiering, which only a HEAD tells.
    archived = found.get("StorageClass") in _ARCHIVED or "ArchiveStatus" in found
    modified = found.get("LastModified")
    return StoredObject(key, size, archived and not restored, modified and modified.astimezone(UTC))
