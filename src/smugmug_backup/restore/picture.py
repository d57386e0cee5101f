"""The picture in a file, apart from what is said of it: for the proof that metadata alone changed.

========  ==============================================================================
JPEG      all but the segments APP1 (EXIF, XMP) and APP13 (IPTC), to the end of the file
PNG       all chunks but eXIf, iTXt, tEXt, zTXt and tIME
WebP      all chunks but EXIF, XMP and VP8X, which only says which others there are
TIFF      the strips or tiles of every picture, and the tags by which they are read
========  ==============================================================================
"""

import hashlib
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path  # noqa: TID251 - restored files are read again here

_START, _SCAN, _APP1, _APP13 = 0xD8, 0xDA, 0xE1, 0xED
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))
"""Markers without a length."""
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_SAID = frozenset((b"eXIf", b"iTXt", b"tEXt", b"zTXt", b"tIME"))
_WEBP_SAID = frozenset((b"EXIF", b"XMP ", b"VP8X"))

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_WHERE, _LONG, _SUB = (273, 324), {273: 279, 324: 325}, 330
# fmt: off
_READ_BY = frozenset((
    254, 256, 257, 258, 259, 262, 266, 274, 277, 278, 284, 292, 293, 301, 317, 320, 322, 323,
    332, 334, 337, 338, 339, 347, 512, 529, 530, 531, 532, 34675,
))
# fmt: on
_MOST = 1000
"""So many pictures a TIFF has at most; a loop has more."""

_CHUNK = 1 << 20

Data = mmap.mmap | bytes


def picture_digest(path: Path) -> str | None:
    """The SHA-256 of the picture in a file; None for a file that is none of these, or is broken.

    Raises OSError.
    """
    with open(path, "rb") as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            return None  # It is empty.
        with data:
            try:
                digest, found = hashlib.sha256(), False
                for start, end in _parts(data):
                    found = True
                    for at in range(start, end, _CHUNK):
                        digest.update(data[at : min(end, at + _CHUNK)])
                return digest.hexdigest() if found else None
            except (ValueError, struct.error, IndexError, KeyError):
                return None


def _parts(data: Data) -> Iterator[tuple[int, int]]:
    if data[:2] == b"\xff\xd8":
        return _jpeg(data)
    if data[:8] == _PNG:
        return _png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _tiff(data, "<" if data[:2] == b"II" else ">")
    raise ValueError("no such picture")


def _jpeg(data: Data) -> Iterator[tuple[int, int]]:
    at = 2
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            raise ValueError("no marker")
        kind = data[at + 1]
        if kind == _SCAN:
            yield at, len(data)
            return
        if kind in _ALONE:
            at += 2
            continue
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 4 or at + length > len(data):
            raise ValueError("a segment that is not whole")
        if kind not in (_APP1, _APP13):
            yield at, at + length
        at += length


def _png(data: Data) -> Iterator[tuple[int, int]]:
    at = len(_PNG)
    while True:
        length = int.from_bytes(data[at : at + 4], "big")
        kind, end = data[at + 4 : at + 8], at + length + 12
        if end > len(data):
            raise ValueError("a chunk that is not whole")
        if kind not in _PNG_SAID:
            yield at, end
        if kind == b"IEND":
            return
        at = end


def _webp(data: Data) -> Iterator[tuple[int, int]]:
    at, end = 12, 8 + int.from_bytes(data[4:8], "little")
    if end > len(data) + 1:
        raise ValueError("not whole")
    while at + 8 <= min(end, len(data)):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + length > len(data):
            raise ValueError("a chunk that is not whole")
        if data[at : at + 4] not in _WEBP_SAID:
            yield at, at + 8 + length
        at += 8 + length + length % 2


def _tiff(data: Data, order: str) -> Iterator[tuple[int, int]]:
    todo, seen = [struct.unpack(f"{order}I", data[4:8])[0]], set[int]()
    while todo:
        at = todo.pop(0)
        if at in seen or not at:
            continue
        seen.add(at)
        if len(seen) > _MOST:
            raise ValueError("a loop")
        count = struct.unpack(f"{order}H", data[at : at + 2])[0]
        found: dict[int, list[int]] = {}
        for number in range(count):
            here = at + 2 + 12 * number
            tag, kind, length = struct.unpack(f"{order}HHI", data[here : here + 8])
            size = _SIZES.get(kind, 1) * length
            place = here + 8
            if size > 4:
                place = struct.unpack(f"{order}I", data[here + 8 : here + 12])[0]
            if place + size > len(data):
                raise ValueError("a tag that is not whole")
            if tag in _READ_BY:
                yield here, here + 8
                yield place, place + size
            if tag in (*_WHERE, *_LONG.values(), _SUB):
                letter = {3: "H", 4: "I", 13: "I"}[kind]
                numbers = struct.unpack(f"{order}{length}{letter}", data[place : place + size])
                found[tag] = list(numbers)
        for tag in _WHERE:
            for start, length in zip(found.get(tag, ()), found.get(_LONG[tag], ()), strict=True):
                if start + length > len(data):
                    raise ValueError("a strip that is not whole")
                yield start, start + length
        todo += found.get(_SUB, ())
        end = at + 2 + 12 * count
        todo.append(struct.unpack(f"{order}I", data[end : end + 4])[0])
