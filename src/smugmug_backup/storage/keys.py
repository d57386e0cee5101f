"""What may be a key of a store: the same for a bucket and for a folder."""

import re

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")

CONTENT_TYPES = {
    # With these, a browser shows the text instead of saving it.
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
    "jsonl": "text/plain; charset=utf-8",
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "heic": "image/heic",
    "webp": "image/webp",
    "tif": "image/tiff",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
}


def checked(key: str) -> str:
    """``key``, if it is one. Raises ValueError: a bad key is a defect of the caller."""
    if len(key) > 512 or not _KEY.fullmatch(key):
        raise ValueError(f"not a key of a store: {key!r}")
    return key


def content_type(key: str) -> str:
    """The media type by the key's extension."""
    return CONTENT_TYPES.get(key.rpartition(".")[2], "application/octet-stream")
