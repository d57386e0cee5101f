"""An object of unknown size on its way into S3, in parts."""

import base64
import hashlib
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from smugmug_backup.errors import AlreadyStored, NotStored, StoreError, StoreRefused
from smugmug_backup.ports import Body
from smugmug_backup.storage.keys import content_disposition, content_type
from smugmug_backup.storage.s3_bucket import Bucket
from smugmug_backup.storage.s3_errors import UploadGone

ONE_REQUEST = 16 * 1024 * 1024
"""Up to so many bytes go with one PUT, from memory."""
PART = 8 * 1024 * 1024
"""S3 wants at least 5 MiB of all parts but the last, and takes 10,000 parts: 78 GiB."""
_PARTS = 10_000
_OF_THE_WHOLE = "FULL_OBJECT"


def put(
    bucket: Bucket, key: str, body: Body, file_name: str | None = None, sha256: str | None = None
) -> None:
    """Store a small object whole, if its key is free; S3 checks its SHA-256 (in hex, if it is
    known already). Raises StoreError."""
    bucket.call(
        "PutObject",
        key,
        Body=body,
        ChecksumSHA256=sha256_text(body, sha256),
        IfNoneMatch="*",
        **told(key, file_name),
    )


def sha256_text(body: Body, known: str | None = None) -> str:
    """The SHA-256 as S3 writes it."""
    digest = hashlib.sha256(body).digest() if known is None else bytes.fromhex(known)
    return base64.b64encode(digest).decode()


class Parts:
    """A multipart upload of ``key``; S3 hears of it with its first part.

    S3 checks a CRC32 of each part and, at completion, of the whole (``FULL_OBJECT``: a SHA-256
    would be one of the parts' hashes, which says nothing about the file).
    """

    def __init__(self, bucket: Bucket, key: str, file_name: str | None = None) -> None:
        self._bucket = bucket
        self._key = key
        self._file_name = file_name
        self._bytes = 0
        self._crc = 0
        self._sent: list[dict[str, Any]] = []
        self._id: str | None = None
        self._whole = True

    def __len__(self) -> int:
        return len(self._sent)

    def send(self, part: bytes) -> None:
        """Store the next part. Raises StoreError."""
        if self._id is None:
            self._begin()
        number, crc = len(self) + 1, _crc32_text(zlib.crc32(part))
        if number > _PARTS:
            raise StoreRefused(f"{self._bucket.name(self._key)} is larger than 78 GiB")
        answer = self._bucket.call(
            "UploadPart",
            self._key,
            UploadId=self._id,
            PartNumber=number,
            Body=part,
            ChecksumCRC32=crc,
        )
        etag = self._bucket.part_of(answer, "ETag", "UploadPart", self._key)
        self._sent.append({"PartNumber": number, "ETag": etag, "ChecksumCRC32": crc})
        self._bytes += len(part)
        self._crc = zlib.crc32(part, self._crc)

    def complete(self) -> None:
        """Make the whole visible, if its key is free. Raises AlreadyStored, UploadGone: it is over,
        and only a new upload can do it (S3 API reference, CompleteMultipartUpload: 409)."""
        try:
            self._complete()
        except UploadGone:
            # The completion was done and its answer lost, or somebody aborted the upload.
            if not self._is_there():
                raise
        self._id = None

    def abort(self) -> None:
        """Forget what was not completed, so that its parts cost nothing."""
        upload, self._id = self._id, None
        if upload is not None:
            # What stays is invisible, and the bucket's lifecycle rule sweeps it.
            with suppress(StoreError):
                self._bucket.call("AbortMultipartUpload", self._key, UploadId=upload)

    def _begin(self) -> None:
        # The algorithm is declared here, or the completion fails.
        answer = self._bucket.call(
            "CreateMultipartUpload",
            self._key,
            ChecksumAlgorithm="CRC32",
            ChecksumType=_OF_THE_WHOLE,
            **told(self._key, self._file_name),
        )
        self._id = self._bucket.part_of(answer, "UploadId", "CreateMultipartUpload", self._key)
        # An S3 of somebody else that knows no checksum of the whole answers COMPOSITE (seen:
        # ministack 1.5.33) and would refuse ours; there the parts' checksums must do.
        self._whole = answer.get("ChecksumType", _OF_THE_WHOLE) == _OF_THE_WHOLE

    def _complete(self) -> None:
        whole = {"ChecksumCRC32": _crc32_text(self._crc), "ChecksumType": _OF_THE_WHOLE}
        self._bucket.call(
            "CompleteMultipartUpload",
            self._key,
            UploadId=self._id,
            MultipartUpload={"Parts": self._sent},
            MpuObjectSize=self._bytes,
            IfNoneMatch="*",
            **(whole if self._whole else {}),
        )

    def _is_there(self) -> bool:
        """Whether our bytes lie under the key. Raises AlreadyStored unless that is certain."""
        try:
            found = self._bucket.call("HeadObject", self._key, ChecksumMode="ENABLED")
        except NotStored:
            return False
        ours = (self._bytes, _crc32_text(self._crc), _OF_THE_WHOLE)
        theirs = tuple(map(found.get, ("ContentLength", "ChecksumCRC32", "ChecksumType")))
        if ours != theirs:
            raise AlreadyStored(f"{self._bucket.name(self._key)} is there already")
        return True


class S3Upload:
    """`Upload` in parts of 8 MiB; holds at most 16 MiB, one part and the chunk. For one thread.

    ``prove`` is called before something large becomes visible; what it raises keeps it out.
    """

    def __init__(
        self,
        bucket: Bucket,
        key: str,
        file_name: str | None = None,
        *,
        prove: Callable[[], None] = lambda: None,
    ) -> None:
        self._bucket = bucket
        self._key = key
        self._file_name = file_name
        self._prove = prove
        self._held: deque[memoryview] = deque()
        self._held_bytes = 0
        self._parts = Parts(bucket, key, file_name)

    def write(self, chunk: Body) -> None:
        """See `Upload.write`."""
        self._held.append(memoryview(chunk))
        self._held_bytes += len(chunk)
        while self._held_bytes > (PART if len(self._parts) else ONE_REQUEST):
            self._parts.send(self._take(PART))

    def commit(self) -> None:
        """See `Upload.commit`."""
        last = self._take(self._held_bytes)
        if not len(self._parts):
            put(self._bucket, self._key, last, self._file_name)
            return
        self._parts.send(last)
        self._prove()
        self._parts.complete()

    def close(self) -> None:
        """Abort what was not committed."""
        self._held.clear()
        self._parts.abort()

    def _take(self, size: int) -> bytes:
        """The first ``size`` bytes of what is held."""
        self._held_bytes -= size
        taken = []
        while size:
            piece = self._held.popleft()
            if len(piece) > size:
                self._held.appendleft(piece[size:])
                piece = piece[:size]
            taken.append(piece)
            size -= len(piece)
        return b"".join(taken)


def told(key: str, file_name: str | None) -> dict[str, Any]:
    """The headers by which a browser is told of the object."""
    disposition = content_disposition(file_name)
    own = {"ContentDisposition": disposition} if disposition else {}
    return {"ContentType": content_type(key), **own}


def _crc32_text(crc: int) -> str:
    return base64.b64encode(crc.to_bytes(4, "big")).decode()
