"""Whether an S3 keeps what it has: some take a conditional write and overwrite all the same."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from smugmug_backup.errors import (
    AlreadyStored,
    Concerns,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.storage.s3_bucket import Bucket
from smugmug_backup.storage.s3_errors import Unknown
from smugmug_backup.storage.s3_upload import Parts, put

# One name for ever, so that a thousand nights leave one small object; below `work/`, where nothing
# belongs to the backup and the bucket's lifecycle rule sweeps.
_KEY = "work/probe.txt"
_BODY = b"Written to see whether this S3 overwrites. It may be removed.\n"
_OTHER = b"This S3 overwrites what it was asked to keep.\n"


class Promise:
    """That ``If-None-Match: *`` is obeyed: by AWS's own word, or proved, once and for both ways.

    Safe for many threads: one asks, the others wait for it.
    """

    def __init__(self, *, kept: bool) -> None:
        self._put = self._completion = kept
        self._lock = threading.Lock()

    def prove_put(self, bucket: Bucket) -> None:
        """Raises StoreRefused if PutObject overwrites, StoreError if that cannot be told.

        One request where a run before has left the probe, else two.
        """
        bucket = bucket.spending()
        with self._only_one(bucket):
            if self._put or bucket.is_of_aws:
                return
            for body in (_BODY, _OTHER):
                try:
                    put(bucket, _KEY, body)
                except AlreadyStored:
                    self._put = True
                    return
                except Unknown as error:
                    raise _rejects(error) from None
        raise _overwrites()

    def prove_completion(self, bucket: Bucket) -> None:
        """The same of CompleteMultipartUpload; the probe's key is taken before it."""
        bucket = bucket.spending()
        self.prove_put(bucket)
        with self._only_one(bucket):
            if self._completion or bucket.is_of_aws:
                return
            parts = Parts(bucket, _KEY)
            try:
                parts.send(_OTHER)
                parts.complete()
            except AlreadyStored:
                self._completion = True
                return
            except Unknown as error:
                raise _rejects(error) from None
            finally:
                parts.abort()
        raise _overwrites()

    @contextmanager
    def _only_one(self, bucket: Bucket) -> Iterator[None]:
        if not self._lock.acquire(timeout=min(bucket.budget().left, threading.TIMEOUT_MAX)):
            raise StoreUnavailable("whether this S3 overwrites could not be told in time")
        try:
            yield
        finally:
            self._lock.release()


def _overwrites() -> StoreRefused:
    return StoreRefused(
        "this S3 overwrites: it takes no notice of conditional writes (If-None-Match), and without "
        "them nothing that is stored would be safe; the backup needs another place",
        concerns=Concerns.BUCKET,
    )


def _rejects(error: StoreError) -> StoreRefused:
    return StoreRefused(
        f"this S3 rejects conditional writes (If-None-Match): {error}; without them nothing that "
        "is stored would be safe; the backup needs another place",
        concerns=Concerns.BUCKET,
    )
