"""Tell a picture or a video from an error page by its first bytes."""

HEAD_BYTES = 16
"""So many bytes are enough to judge."""

_STARTS = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tif"),
    (b"MM\x00*", "tif"),
    (b"II+\x00", "tif"),
    (b"MM\x00+", "tif"),
    # Known media without an extension of their own in the store.
    (b"BM", "bin"),
    (b"\x00\x00\x01\xba", "bin"),  # MPEG program stream
    (b"\x00\x00\x01\xb3", "bin"),  # MPEG video
    (b"\x1aE\xdf\xa3", "bin"),  # Matroska, WebM
    (b"0&\xb2u\x8ef\xcf\x11", "bin"),  # ASF, WMV
    (b"\xff\x0a", "bin"),  # JPEG XL
    (b"\x00\x00\x00\x0cJXL ", "bin"),
    (b"\x00\x00\x00\x0cjP  ", "bin"),  # JPEG 2000
    (b"8BPS", "bin"),  # Photoshop
    (b"FUJIFILMCCD-RAW", "bin"),
    (b"IIRO", "bin"),  # Olympus raw
    (b"IIU\x00", "bin"),  # Panasonic raw
)
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_QUICKTIME_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}


def media_extension(head: bytes) -> str | None:
    """The store's extension for bytes that begin with ``head``, None if they are no media.

    ``head`` are the first `HEAD_BYTES` bytes, or all if there are fewer.
    """
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"AVI ": "bin"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIF_BRANDS:
            return "heic"
        if brand == b"qt  ":
            return "mov"
        return "bin" if brand in {b"avif", b"avis", b"crx "} else "mp4"
    if head[4:8] in _QUICKTIME_ATOMS:
        return "mov"
    return next((extension for start, extension in _STARTS if head.startswith(start)), None)
