"""Whether an S3 keeps what it has: some take a conditional write and overwrite all the same."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from smugmug_backup.errors import (
    AlreadyStored,
    Concerns,
    StoreRefused,
    StoreUnavailable,
)
from smugmug_backup.storage.s3_bucket import Bucket
from smugmug_backup.storage.s3_errors import NoConditions, Unknown
from smugmug_backup.storage.s3_upload import Parts, put

# One name for ever, so that a thousand nights leave one small object; below `work/`, where nothing
# belongs to the backup and the bucket's lifecycle rule sweeps.
_KEY = "work/probe.txt"
_BODY = b"Written to see whether this S3 overwrites. It may be removed.\n"
ONE_WRITER = "--one-writer"
_OTHER = b"This S3 overwrites what it was asked to keep.\n"


class Promise:
    """That ``If-None-Match: *`` is obeyed: by AWS's own word, or proved, once and for both ways.

    Safe for many threads: one asks, the others wait for it.

    =======================  ==============================  =================================
    the S3                   without a word of the owner     ``one_writer``
    =======================  ==============================  =================================
    obeys                    is written to                   the same: nothing is given away
    overwrites all the same  is refused                      is looked at before each write
    rejects the condition    is refused                      is looked at before each write
    =======================  ==============================  =================================
    """

    def __init__(self, *, kept: bool, one_writer: bool = False) -> None:
        self._put = self._completion = kept
        self._one_writer = one_writer
        self._lock = threading.Lock()

    def prove_put(self, bucket: Bucket) -> None:
        """Raises StoreRefused if PutObject overwrites, StoreError if that cannot be told.

        One request where a run before has left the probe, else two.
        """
        bucket = bucket.spending()
        with self._only_one(bucket):
            if self._put or bucket.is_of_aws:
                return None
            for body in (_BODY, _OTHER):
                try:
                    put(bucket, _KEY, body)
                except AlreadyStored:
                    self._put = True
                    return None
                except StoreRefused as error:
                    if not rejected(error):
                        raise
                    return self._not_kept(bucket, _rejects(error))
            return self._not_kept(bucket, _overwrites())

    def prove_completion(self, bucket: Bucket) -> None:
        """The same of CompleteMultipartUpload; the probe's key is taken before it."""
        bucket = bucket.spending()
        self.prove_put(bucket)
        with self._only_one(bucket):
            if self._completion or bucket.is_of_aws:
                return None
            parts = Parts(bucket, _KEY)
            try:
                parts.send(_OTHER)
                parts.complete()
            except AlreadyStored:
                self._completion = True
                return None
            except StoreRefused as error:
                if not rejected(error):
                    raise
                return self._not_kept(bucket, _rejects(error))
            finally:
                parts.abort()
            return self._not_kept(bucket, _overwrites())

    def _not_kept(self, bucket: Bucket, why: StoreRefused) -> None:
        if not self._one_writer:
            raise why
        bucket.look_before_writes()
        self._put = self._completion = True

    @contextmanager
    def _only_one(self, bucket: Bucket) -> Iterator[None]:
        if not self._lock.acquire(timeout=min(bucket.budget().left, threading.TIMEOUT_MAX)):
            raise StoreUnavailable("whether this S3 overwrites could not be told in time")
        try:
            yield
        finally:
            self._lock.release()


def rejected(error: StoreRefused) -> bool:
    """Whether an S3 refused the condition, not the write: by a word of its own, or by 501."""
    return isinstance(error, (Unknown, NoConditions))


def _overwrites() -> StoreRefused:
    return StoreRefused(
        "this S3 overwrites: it takes no notice of conditional writes (If-None-Match), and without "
        "them nothing that is stored would be safe; the backup needs another place, or your word "
        f"that nobody else writes there ({ONE_WRITER})",
        concerns=Concerns.BUCKET,
    )


def _rejects(error: StoreRefused) -> StoreRefused:
    if isinstance(error, NoConditions):
        return error
    return StoreRefused(
        f"this S3 rejects conditional writes (If-None-Match): {error}; without them nothing that "
        "is stored would be safe; the backup needs another place, or your word "
        f"that nobody else writes there ({ONE_WRITER})",
        concerns=Concerns.BUCKET,
    )
