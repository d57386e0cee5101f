"""From one place in S3 into another while the bytes stay inside: `ports.Way`.

Since October 2025 CopyObject takes ``If-None-Match: *`` for its target ("Amazon S3 adds conditional
write functionality to copy operations"). It names the bytes before anybody could prove them, so it
is sent only to AWS, and only where S3's own SHA-256 of the source is the one that is meant. All
else becomes the one part of an upload, whose SHA-256 is in the answer, and gets its name only then.

===============================  ================================================================
S3 says of the source            then
===============================  ================================================================
the SHA-256 that is meant, and   CopyObject, if it still is the same source; the answer's SHA-256
it is AWS's                      is compared once more
the same, and it is not; or no   UploadPartCopy; without the SHA-256 that is meant in its answer
SHA-256 of the whole (S3 has     the upload is aborted
them of single puts only)
another SHA-256, another         the bytes pass through here, and whoever reads them sees what
length, archived, not there      is wrong with them
no bytes at all                  nothing passes but a PUT: S3 need not take a part without bytes
more than 5 GB                   the bytes pass: S3 copies no more at once (S3 API reference)
===============================  ================================================================

Not yet tried with S3 of AWS's own. ministack 1.5.33 and moto 5.2.5 take CopyObject's condition and
overwrite all the same; neither states a SHA-256 of a copied part, so there all bytes pass.
"""

import base64
import binascii
from contextlib import suppress
from threading import Lock
from typing import Any

from smugmug_backup.errors import AlreadyStored, StoreError, StoreRefused
from smugmug_backup.ports import BackupStore, IsMeant
from smugmug_backup.storage.s3 import S3Store
from smugmug_backup.storage.s3_bucket import Bucket
from smugmug_backup.storage.s3_probe import Promise
from smugmug_backup.storage.s3_upload import told

_AT_ONCE = 5 * 1024**3


def way_within_s3(source: BackupStore, target: BackupStore) -> "WithinS3 | None":
    """The way, if one S3 holds both places: AWS's (in one partition), or that of one endpoint."""
    if not (isinstance(source, S3Store) and isinstance(target, S3Store)):
        return None
    if not target._bucket.is_beside(source._bucket):
        return None
    return WithinS3(source._bucket, target._bucket, target._promise)


class WithinS3:
    """`ports.Way` from ``source`` to ``target``, whose credentials have to read the source, too.

    Safe for many threads.
    """

    def __init__(self, source: Bucket, target: Bucket, promise: Promise) -> None:
        self._source = source
        self._target = target
        self._promise = promise
        self._lock = Lock()
        self.copied = 0
        self.closed: str | None = None

    def copy(
        self, name: str, key: str, *, size: int | None, is_meant: IsMeant, file_name: str | None
    ) -> int | None:
        """See `ports.Way.copy`."""
        if self.closed is not None:
            return None
        try:
            found = self._source.call("HeadObject", name, ChecksumMode="ENABLED")
            length = _copied_length(found, size)
            if length is None or not self._brought(
                name, key, found, is_meant, told(key, file_name)
            ):
                return None
        except StoreError:
            return None
        with self._lock:
            self.copied += 1
        return length

    def _brought(
        self, name: str, key: str, found: Any, is_meant: IsMeant, headers: dict[str, Any]
    ) -> bool:
        sha256 = _of_the_whole(found)
        if sha256 is not None and not is_meant(sha256):
            return False
        source = {"CopySource": self._source.source(name), "CopySourceIfMatch": found["ETag"]}
        proved = sha256 is not None and self._target.is_of_aws
        by = self._at_once if proved else self._by_part
        try:
            return by(key, source, is_meant, headers)
        except StoreRefused as error:
            self._close(str(error))
            return False

    def _close(self, why: str) -> None:
        with self._lock:
            self.closed = self.closed or why

    def _at_once(
        self, key: str, source: dict[str, Any], is_meant: IsMeant, headers: dict[str, Any]
    ) -> bool:
        try:
            answer = self._target.call(
                "CopyObject",
                key,
                **source,
                IfNoneMatch="*",
                ChecksumAlgorithm="SHA256",
                MetadataDirective="REPLACE",
                TaggingDirective="REPLACE",
                **headers,
            )
        except AlreadyStored:
            # Our own, whose answer was lost; or the source is another one now.
            return _is(self._target.call("HeadObject", key, ChecksumMode="ENABLED"), is_meant)
        return _is(answer.get("CopyObjectResult", {}), is_meant)

    def _by_part(
        self, key: str, source: dict[str, Any], is_meant: IsMeant, headers: dict[str, Any]
    ) -> bool:
        bucket = self._target
        self._promise.prove_put(bucket)
        begun = bucket.call("CreateMultipartUpload", key, ChecksumAlgorithm="SHA256", **headers)
        upload = {"UploadId": bucket.part_of(begun, "UploadId", "CreateMultipartUpload", key)}
        try:
            answer = bucket.call("UploadPartCopy", key, **upload, **source, PartNumber=1)
            part = answer.get("CopyPartResult", {})
            if part.get("ChecksumSHA256") is None:
                self._close("UploadPartCopy states no SHA-256 here")
                return False
            if not _is(part, is_meant):
                return False
            self._promise.prove_completion(bucket)
            etag = bucket.part_of(part, "ETag", "UploadPartCopy", key)
            own = {"ETag": etag, "ChecksumSHA256": part["ChecksumSHA256"]}
            bucket.call(
                "CompleteMultipartUpload",
                key,
                **upload,
                MultipartUpload={"Parts": [{"PartNumber": 1, **own}]},
                IfNoneMatch="*",
            )
            upload = {}
            return True
        finally:
            if upload:
                with suppress(StoreError):
                    bucket.call("AbortMultipartUpload", key, **upload)


def _copied_length(found: Any, size: int | None) -> int | None:
    """That of the source, if S3 copies as much, and knows what it is."""
    length: int | None = found.get("ContentLength")
    if not length or length > _AT_ONCE or size not in (None, length) or not found.get("ETag"):
        return None
    return length


def _is(stated: Any, is_meant: IsMeant) -> bool:
    sha256 = _of_the_whole(stated)
    return sha256 is not None and is_meant(sha256)


def _of_the_whole(stated: Any) -> str | None:
    """The SHA-256, in hex, that S3 states of a whole object; of parts it has a dash and a count."""
    text = stated.get("ChecksumSHA256") or ""
    if stated.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT":
        return None
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == 32 else None
