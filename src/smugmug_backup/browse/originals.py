"""The bytes of originals for a page: parts of them, under the names that a browser saves."""

from collections.abc import Iterator
from urllib.parse import quote

from smugmug_backup.archive.archive import Archive
from smugmug_backup.model import MEDIA_TYPES

_PIECE = 1 << 20

SHOWN = frozenset({"jpg", "png", "gif", "webp"})
"""What every browser shows as it is."""


class Originals:
    """Reads originals of an archive; safe for many threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def part(self, key: str, start: int, length: int) -> bytes:
        """``length`` bytes from ``start``. Raises NotStored, StoreError."""
        return self._archive.original_part(key, start, length)

    def pieces(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``end``, piece by piece."""
        while start < end:
            piece = self.part(key, start, min(_PIECE, end - start))
            if not piece:
                return
            yield piece
            start += len(piece)


def extension_of(key: str) -> str:
    """The last part of a key's name."""
    return key.rpartition(".")[2]


def type_of(key: str) -> str:
    """The media type of an original, never by a file name; a text is none."""
    return MEDIA_TYPES.get(extension_of(key), MEDIA_TYPES["bin"])


def disposition(file_name: str | None, *, download: bool) -> str:
    """``Content-Disposition`` with the image's own name, whatever letters it has."""
    kind = "attachment" if download else "inline"
    if not file_name:
        return kind
    name = quote(file_name.replace("/", "_"), safe="")
    return f"{kind}; filename*=UTF-8''{name}"


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """(start, end) of a request's ``Range``; None if the whole is asked for.

    One range only, as browsers ask; anything else is answered whole. Raises ValueError for a range
    that lies beyond the end (416).
    """
    if not header or not header.startswith("bytes=") or "," in header:
        return None
    first, _, last = header.removeprefix("bytes=").strip().partition("-")
    if not all(each == "" or (each.isascii() and each.isdigit()) for each in (first, last)):
        return None
    if not first and not last:
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    if start >= size or start >= end:
        raise ValueError(f"no bytes from {start} of {size}")
    return start, end
