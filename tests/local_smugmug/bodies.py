"""The bytes of pictures and videos: held, or made from a seed as they are asked for."""

import hashlib
import random
from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol

JPEG_HEAD = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
MP4_HEAD = bytes.fromhex("00000018667479706d703432000000006d70343269736f6d")
_BLOCK = 1 << 16


class Body(Protocol):
    """Bytes that can be sent from any offset without being held."""

    @property
    def size(self) -> int: ...

    @property
    def md5(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """The bytes from ``start`` on, in pieces of at most 64 KiB (or all that is held)."""

    def read(self) -> bytes:
        """All of it; for small ones."""


class BytesBody:
    """Bytes in memory."""

    __slots__ = ("_digests", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._digests: dict[str, str] = {}

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def md5(self) -> str:
        return self._digest("md5")

    @property
    def sha256(self) -> str:
        return self._digest("sha256")

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        yield self.data[start:] if start else self.data

    def read(self) -> bytes:
        return self.data

    def _digest(self, name: str) -> str:
        if name not in self._digests:
            self._digests[name] = hashlib.new(name, self.data).hexdigest()
        return self._digests[name]


class SeededBody:
    """``size`` bytes made from ``seed``, beginning with ``head``; nothing is held."""

    __slots__ = ("head", "seed", "size")

    def __init__(self, seed: int, size: int, head: bytes = JPEG_HEAD) -> None:
        self.seed = seed
        self.size = max(size, len(head))
        self.head = head

    @property
    def md5(self) -> str:
        return _digest("md5", self.seed, self.size, self.head)

    @property
    def sha256(self) -> str:
        return _digest("sha256", self.seed, self.size, self.head)

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        rng = random.Random(self.seed)
        base = rng.randbytes(min(self.size, _BLOCK))
        for offset in range(start - start % _BLOCK, self.size, _BLOCK):
            # Each block begins with its number, so that no two of a body are alike.
            first = self.head if offset == 0 else (offset // _BLOCK).to_bytes(8, "big")
            block = (first + base[len(first) :])[: self.size - offset]
            yield block[start - offset :] if start > offset else block

    def read(self) -> bytes:
        return b"".join(self.chunks())


@lru_cache(maxsize=100_000)
def _digest(name: str, seed: int, size: int, head: bytes) -> str:
    digest = hashlib.new(name)
    for chunk in SeededBody(seed, size, head).chunks():
        digest.update(chunk)
    return digest.hexdigest()
