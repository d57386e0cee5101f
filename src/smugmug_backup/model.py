"""What travels between the rooms: an account, its albums and images, and what lies in a store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, NamedTuple

MEDIA_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "heic": "image/heic",
    "webp": "image/webp",
    "tif": "image/tiff",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "bin": "application/octet-stream",
}
"""What an original may be called in a store, by its extension, and its media type."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose photos these are, and how much of them is seen: ``owner`` or ``public``."""

    nickname: str
    access: str


class Album(NamedTuple):
    """An album as the account's listing shows it.

    ``data`` is what the API says, under the API's own names, already without volatile and secret
    fields (`records.tidy`); ``urls`` names the URL fields that were there. Nothing in here is
    secret: an album travels through plans and state machines.
    """

    key: str
    id: int | None
    title: str
    path: tuple[str, ...]
    image_count: int | None
    data: Mapping[str, Any]
    urls: tuple[str, ...]
    changed_at: datetime | None = None
    """When the album last changed, as far as the account's listing tells, else None.

    API v2: settings or images. API 1.3.0: its LastUpdated, read as if it were UTC (the zone is
    unknown), probably of the settings only.
    """


class Kind(StrEnum):
    """Which bytes of an image are wanted: NONE where the source has none."""

    ORIGINAL = "original"
    RENDITION = "rendition"
    NONE = "none"


class Availability(Enum):
    """Whether an original can be fetched now."""

    READY = "ready"
    LOOKUP = "lookup"
    """`PhotoSource.resolve` must be asked first."""
    PROCESSING = "processing"
    """The source is still making it (a video)."""
    NEVER = "never"
    """The source says that it will never be there."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The bytes that the source offers for one image.

    ``kind`` is ``original``, ``rendition`` (a re-encoded video) or ``none``. ``md5`` (lower hex)
    and ``size`` (bytes) are what the source says, None if it does not. ``exact``: it says so of
    exactly the bytes behind ``url``; not so for API 1.3.0's videos, whose MD5Sum and Size describe
    the upload. ``serial``, ``size``, ``format``, ``md5`` and ``url_field``
    (the API's name of the URL field taken) together make the revision. ``url`` is a secret.
    """

    kind: str
    availability: Availability
    serial: int | str | None = None
    size: int | None = None
    format: str | None = None
    md5: str | None = None
    url_field: str | None = None
    exact: bool = True
    url: str | None = field(default=None, repr=False)


class Image(NamedTuple):
    """One image of a listing; ``data`` and ``urls`` as in `Album`.

    ``position`` is 1-based in the album. ``last_updated`` is the source's text, verbatim.
    ``components``: kinds of files that lie beside it (such as a RAW) and that the API shows but
    does not give out.
    """

    key: str
    id: int | None
    file_name: str | None
    last_updated: str | None
    position: int | None
    data: Mapping[str, Any]
    urls: tuple[str, ...]
    offer: Offer
    components: tuple[str, ...] = ()


class Listing(NamedTuple):
    """One answer about the images of an album, parsed whole.

    ``full``: it claims to show all images, not only the changed ones. ``image_count``: the
    answer's own count (for API v2 the pages' Total), None if it gave none. ``answered_at``: the
    answer's ``Date`` header, None if it was missing, unreadable, or kept by a cache for long.
    """

    full: bool
    images: tuple[Image, ...]
    image_count: int | None
    answered_at: datetime | None


class Room(NamedTuple):
    """What a store can still take: ``free`` bytes in originals, and no object above ``largest``;
    None where there is no limit, or nobody can tell."""

    free: int | None = None
    largest: int | None = None


class StoredObject(NamedTuple):
    """An object of the store: key (relative to the prefix), size in bytes.

    ``archived``: it must be thawed before it can be read (Glacier Flexible Retrieval, Deep
    Archive). ``modified`` is None where the store does not tell.
    """

    key: str
    bytes: int
    archived: bool = False
    modified: datetime | None = None
