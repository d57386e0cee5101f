"""Tell a picture or a video from an error page, and from each other, by their first bytes."""

from enum import Enum

HEAD_BYTES = 16
"""So many bytes are enough to judge."""


class Media(Enum):
    """The class of media: what a photo is, and what a video is."""

    PICTURE = "picture"
    VIDEO = "video"


_STARTS = (
    (b"\xff\xd8\xff", "jpg", Media.PICTURE),
    (b"\x89PNG\r\n\x1a\n", "png", Media.PICTURE),
    (b"GIF87a", "gif", Media.PICTURE),
    (b"GIF89a", "gif", Media.PICTURE),
    (b"II*\x00", "tif", Media.PICTURE),
    (b"MM\x00*", "tif", Media.PICTURE),
    (b"II+\x00", "tif", Media.PICTURE),
    (b"MM\x00+", "tif", Media.PICTURE),
    # Known media without an extension of their own in the store.
    (b"BM", "bin", Media.PICTURE),
    (b"\x00\x00\x01\xba", "bin", Media.VIDEO),  # MPEG program stream
    (b"\x00\x00\x01\xb3", "bin", Media.VIDEO),  # MPEG video
    (b"\x1aE\xdf\xa3", "bin", Media.VIDEO),  # Matroska, WebM
    (b"0&\xb2u\x8ef\xcf\x11", "bin", Media.VIDEO),  # ASF, WMV
    (b"\xff\x0a", "bin", Media.PICTURE),  # JPEG XL
    (b"\x00\x00\x00\x0cJXL ", "bin", Media.PICTURE),
    (b"\x00\x00\x00\x0cjP  ", "bin", Media.PICTURE),  # JPEG 2000
    (b"8BPS", "bin", Media.PICTURE),  # Photoshop
    (b"FUJIFILMCCD-RAW", "bin", Media.PICTURE),
    (b"IIRO", "bin", Media.PICTURE),  # Olympus raw
    (b"IIU\x00", "bin", Media.PICTURE),  # Panasonic raw
)
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_PICTURE_BRANDS = {b"avif", b"avis", b"crx "}
_QUICKTIME_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}


def seen(head: bytes) -> tuple[str, Media] | None:
    """(the store's extension, the class) of bytes that begin with ``head``; None for no media.

    ``head`` are the first `HEAD_BYTES` bytes, or all if there are fewer.
    """
    if head[:4] == b"RIFF":
        return {
            b"WEBP": ("webp", Media.PICTURE),
            b"AVI ": ("bin", Media.VIDEO),
        }.get(head[8:12])
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIF_BRANDS:
            return "heic", Media.PICTURE
        if brand in _PICTURE_BRANDS:
            return "bin", Media.PICTURE
        return ("mov" if brand == b"qt  " else "mp4"), Media.VIDEO
    if head[4:8] in _QUICKTIME_ATOMS:
        return "mov", Media.VIDEO
    return next((each[1:] for each in _STARTS if head.startswith(each[0])), None)
