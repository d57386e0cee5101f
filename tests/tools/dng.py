"""A small DNG, as a camera writes it: a sensor's raw values, and a JPEG of what they show.

By the DNG specification 1.4 (chapter 2) and TIFF 6.0: the first directory is a preview's, and its
``SubIFDs`` are the raw image's and those of larger previews.
"""

import struct
from collections.abc import Sequence

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SIGNED = 1, 2, 3, 4, 5, 10
_SIZES = {_BYTE: "B", _ASCII: "B", _SHORT: "H", _LONG: "I", _RATIONAL: "II", _SIGNED: "ii"}
_EDGE = 64
"""Of the sensor, in pixels: the least that LibRaw takes for an image."""

Tag = tuple[int, int, Sequence[int]]


def make_dng(
    preview: bytes, *, width: int, height: int, orientation: int = 1, tiny: bool = False
) -> bytes:
    """One whose preview is this JPEG of that size; ``tiny``: its first picture is one of 8 by 8
    dots, and the preview stands below, as some cameras do."""
    body = bytearray(b"II*\0\0\0\0\0")
    at_preview = _put(body, preview)
    sensor = struct.pack(f"<{_EDGE**2}H", *(16 * (n % _EDGE) for n in range(_EDGE**2)))
    at_raw = _put(body, sensor)
    raw = _directory(
        body,
        [
            (254, _LONG, [0]),  # NewSubfileType: the image itself
            *_size(_EDGE, _EDGE),
            (258, _SHORT, [16]),
            (259, _SHORT, [1]),  # Compression: none
            (262, _SHORT, [32803]),  # PhotometricInterpretation: a colour filter array
            *_strip(at_raw, len(sensor), _EDGE, samples=1),
            (33421, _SHORT, [2, 2]),  # CFARepeatPatternDim
            (33422, _BYTE, [0, 1, 1, 2]),  # CFAPattern: red, green, green, blue
            (50717, _LONG, [1023]),  # WhiteLevel
        ],
    )
    jpeg: list[Tag] = [
        (254, _LONG, [1]),  # NewSubfileType: a smaller one of another
        *_size(width, height),
        (258, _SHORT, [8, 8, 8]),
        (259, _SHORT, [7]),  # Compression: JPEG
        (262, _SHORT, [6]),  # PhotometricInterpretation: YCbCr
        *_strip(at_preview, len(preview), height, samples=3),
    ]
    first, below = jpeg, [raw]
    if tiny:
        below = [raw, _directory(body, jpeg)]
        dots = bytes(3 * 8 * 8)
        first = [
            (254, _LONG, [1]),
            *_size(8, 8),
            (258, _SHORT, [8, 8, 8]),
            (259, _SHORT, [1]),
            (262, _SHORT, [2]),  # PhotometricInterpretation: RGB
            *_strip(_put(body, dots), len(dots), 8, samples=3),
        ]
    camera: list[Tag] = [
        (271, _ASCII, b"Larkfield\0"),
        (272, _ASCII, b"Pinhole II\0"),
        (274, _SHORT, [orientation]),
        (330, _LONG, below),  # SubIFDs
        (50706, _BYTE, [1, 4, 0, 0]),  # DNGVersion
        (50708, _ASCII, b"Larkfield Pinhole II\0"),  # UniqueCameraModel
        (50721, _SIGNED, [n for on in (1, 0, 0, 0, 1, 0, 0, 0, 1) for n in (on, 1)]),
        (50728, _RATIONAL, [1, 1] * 3),  # AsShotNeutral, after ColorMatrix1
    ]
    body[4:8] = struct.pack("<I", _directory(body, [*first, *camera]))
    return bytes(body)


def _size(width: int, height: int) -> list[Tag]:
    return [(256, _LONG, [width]), (257, _LONG, [height])]


def _strip(at: int, length: int, rows: int, *, samples: int) -> list[Tag]:
    return [
        (273, _LONG, [at]),
        (277, _SHORT, [samples]),
        (278, _LONG, [rows]),
        (279, _LONG, [length]),
    ]


def _put(body: bytearray, data: bytes) -> int:
    body.extend(b"\0" * (len(body) % 2))
    body.extend(data)
    return len(body) - len(data)


def _directory(body: bytearray, tags: Sequence[Tag]) -> int:
    entries = []
    for tag, kind, values in sorted(tags):
        form = _SIZES[kind]
        data = struct.pack(f"<{len(values)}{form[0]}", *values)
        value = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack("<I", _put(body, data))
        entries.append(struct.pack("<HHI", tag, kind, len(values) // len(form)) + value)
    return _put(body, struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4))
