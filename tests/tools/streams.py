"""Streams of downloads: one made of chunks, and the chunks of one."""

from collections.abc import Iterator
from typing import Any


class OfChunks:
    """A `PhotoStream` whose bytes come from its own ``chunks``, as they come."""

    length: int | None = None
    _coming: Iterator[bytes] | None = None
    _rest = b""

    def chunks(self) -> Iterator[bytes]:
        raise NotImplementedError

    def readinto(self, buffer: memoryview) -> int:
        if self._coming is None:
            self._coming = self.chunks()
        while not self._rest:
            try:
                self._rest = next(self._coming)
            except StopIteration:
                return 0
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def chunks_of(stream: Any, size: int = 1 << 20) -> Iterator[bytes]:
    """What a stream gives, piece by piece."""
    buffer = memoryview(bytearray(size))
    while count := stream.readinto(buffer):
        yield bytes(buffer[:count])


def all_of(stream: Any) -> bytes:
    """What a stream gives."""
    return b"".join(chunks_of(stream))
