"""What may be a key of a store: the same for a bucket and for a folder."""

import re
from urllib.parse import quote

from smugmug_backup.errors import BadRequest
from smugmug_backup.model import MEDIA_TYPES

# No part begins with a dot ("..", hidden files, our own ".incoming") or ends with one (Windows and
# SMB drop it). What stands after "=" tells the capital letters: `hT4mWq=12` (FORMAT.md).
_PART = r"[A-Za-z0-9_-](?:[A-Za-z0-9._=-]{0,126}[A-Za-z0-9_-])?"
_KEY = re.compile(rf"{_PART}(?:/{_PART})*")
_BEGINNING = re.compile(rf"(?:{_PART}/)*(?:[A-Za-z0-9_-][A-Za-z0-9._=-]*)?")
_LONGEST = 512
"""S3 takes 1,024 bytes, the prefix included."""

_LONGEST_DISPOSITION = 2048
"""S3 takes 8 KB of headers: a name that no disk could take must not keep its photo out."""

CONTENT_TYPES = {
    "txt": "text/plain; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    **MEDIA_TYPES,
}


def is_key(text: str) -> bool:
    """Whether ``text`` can be the key of an object of a store."""
    return len(text) <= _LONGEST and _KEY.fullmatch(text) is not None


def checked(key: str) -> str:
    """``key``, if it is one. Raises BadRequest."""
    if not is_key(key):
        raise BadRequest(f"not a key of a store: {key!r:.200}")
    return key


def checked_prefix(prefix: str) -> str:
    """``prefix``, if keys can begin so. Raises BadRequest."""
    if len(prefix) > _LONGEST or not _BEGINNING.fullmatch(prefix):
        raise BadRequest(f"no key of a store begins so: {prefix!r:.200}")
    return prefix


_MARKED = r"([a-z0-9_-]{1,64})(=([0-9a-f]{1,16}).*)"
_RUN = r"([0-9]{8})t([0-9]{6})z(-[0-9a-f]{8}.*)"
_README = r"readme((?:\.[0-9]+)?\.txt)"


def with_capitals(name: str) -> str:
    """A name as it was given, of a disk that lists all names in small letters.

    Names tell their capitals: those of ids stand after "=", and no two names of a store differ in
    nothing else (FORMAT.md).

    ==================================  ==================================
    ``ht4mwq=12``                       ``hT4mWq=12``
    ``ht4mwq=12-001.json``              ``hT4mWq=12-001.json``
    ``20261124t030004z-5f0c2a91.json``  ``20261124T030004Z-5f0c2a91.json``
    ``readme.txt``, ``readme.2.txt``    ``README.txt``, ``README.2.txt``
    anything else                       itself
    ==================================  ==================================
    """
    if match := re.fullmatch(_MARKED, name):
        mask = int(match[3], 16)
        letters = (each.upper() if mask >> at & 1 else each for at, each in enumerate(match[1]))
        return "".join(letters) + match[2]
    if match := re.fullmatch(_RUN, name):
        return f"{match[1]}T{match[2]}Z{match[3]}"
    if match := re.fullmatch(_README, name):
        return f"README{match[1]}"
    return name


def content_type(key: str) -> str:
    """The media type by the key's extension."""
    return CONTENT_TYPES.get(key.rpartition(".")[2], CONTENT_TYPES["bin"])


def content_disposition(file_name: str | None) -> str | None:
    """The header by which a browser saves an object as ``file_name`` (RFC 6266); None for none."""
    # Half a surrogate pair can stand in JSON, and has no bytes in UTF-8.
    encoded = quote(file_name or "", safe="-._~", errors="replace")
    if not encoded or len(encoded) > _LONGEST_DISPOSITION:
        return None
    return f"inline; filename*=UTF-8''{encoded}"
