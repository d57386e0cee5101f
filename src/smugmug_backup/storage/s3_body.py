"""The bytes of one object on their way out of S3, taken up again where they break off."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from smugmug_backup.errors import AlreadyStored, NotStored, StoreUnavailable
from smugmug_backup.storage.s3_bucket import BROKEN, Bucket

CHUNK = 1024 * 1024
_TRIES = 3
_RANGE = r"bytes (?P<start>[0-9]{1,15})-[0-9]+/(?P<size>[0-9]{1,15})"


class Reading:
    """The object under ``key``, or ``length`` bytes of it from ``begin`` on; it is asked for at
    once. Raises StoreError.

    What breaks off, for whatever reason, is taken up by range, as long as that gets further and
    the object is the same; what drips slower than the least rate is broken off.
    """

    def __init__(self, bucket: Bucket, key: str, begin: int = 0, length: int | None = None) -> None:
        self._bucket = bucket.spending()
        self._key = key
        self._name = bucket.name(key)
        self._budget = self._bucket.budget()
        self._begin = begin
        part = {} if length is None else {"Range": f"bytes={begin}-{begin + length - 1}"}
        answer = self._ask(**part)
        self._etag: str | None = answer.get("ETag")
        self._size: int | None = answer.get("ContentLength")
        # Without a length, only chunks have an end that can be told from a break.
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        self._has_end = headers.get("transfer-encoding", "").lower() == "chunked"
        self._stream = answer["Body"]

    def __iter__(self) -> Iterator[bytes]:
        done = broken = 0
        while True:
            try:
                for chunk in self._chunks(done):
                    done, broken = done + len(chunk), 0
                    yield chunk
                return
            except StoreUnavailable as error:
                broken += 1
                if broken == _TRIES or not self._resumes(done):
                    raise
                if not self._take_up(done):
                    raise error from None

    def close(self) -> None:
        """Give the connection back, or up."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(*BROKEN):
                stream.close()

    def _chunks(self, done: int) -> Iterator[bytes]:
        """The chunks of this answer. Raises StoreUnavailable unless they are all."""
        while chunk := self._chunk(done):
            done += len(chunk)
            yield chunk
        if self._size is None and not self._has_end:
            raise StoreUnavailable(f"{self._name} came without a length: was that all?")
        if self._size is not None and done != self._size:
            raise StoreUnavailable(f"{self._name} gave {done} bytes of {self._size}")

    def _chunk(self, done: int) -> bytes:
        left = CHUNK if self._size is None else max(0, min(CHUNK, self._size - done))
        stream, self._stream = self._stream, None

        def read() -> bytes:
            try:
                read: bytes = stream.read(CHUNK)
            except BaseException:
                stream.close()
                raise
            return read

        # The reader closes it, too: it holds a lock for which to wait could take for ever.
        chunk = self._bucket.within(
            self._budget.chunk(left),
            read,
            "GetObject",
            self._key,
            late=lambda _: stream.close(),
            budget=self._budget,
        )
        self._stream = stream
        return chunk

    def _resumes(self, done: int) -> bool:
        return self._etag is not None and (self._size is None or done < self._size)

    def _take_up(self, done: int) -> bool:
        """Whether this is the rest; an S3 may begin anew instead."""
        self.close()
        first = self._begin + done
        last = "" if self._size is None else self._begin + self._size - 1
        try:
            answer = self._ask(Range=f"bytes={first}-{last}", IfMatch=self._etag)
        except (AlreadyStored, NotStored):  # 412, of IfMatch; 416, of a shorter one
            raise StoreUnavailable(f"{self._name} changed under way") from None
        self._stream = answer["Body"]
        found = re.fullmatch(_RANGE, answer.get("ContentRange") or "")
        if found is None or int(found["start"]) != first:
            return False
        self._size = self._size or int(found["size"]) - self._begin
        return True

    def _ask(self, **arguments: Any) -> Any:
        return self._bucket.call("GetObject", self._key, **arguments)
