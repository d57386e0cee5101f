"""What the answers of API v2 become: albums, images, offers."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from smugmug_backup.archive import records
from smugmug_backup.model import Album, Availability, Image, Offer
from smugmug_backup.smugmug import answers
from smugmug_backup.smugmug.reading import VIDEO_FORMATS, tidied

ALBUM_FIELDS = (
    "AlbumKey",
    "AllowDownloads",
    "Date",
    "Description",
    "HasDownloadPassword",
    "ImageCount",
    "ImagesLastUpdated",
    "Keywords",
    "LastUpdated",
    "Name",
    "NodeID",
    "Privacy",
    "Protected",
    "ResponseLevel",
    "SecurityType",
    "SortDirection",
    "SortMethod",
    "UrlName",
    "UrlPath",
    "WebUri",
)
IMAGE_FIELDS = (
    "AlbumKey",
    "Altitude",
    "ArchivedMD5",
    "ArchivedSize",
    "ArchivedUri",
    "Caption",
    "CollectedFrom",
    "ComponentFileTypes",
    "Date",
    "DateTimeOriginal",
    "DateTimeUploaded",
    "FileName",
    "Format",
    "Hidden",
    "ImageKey",
    "IsArchive",
    "IsVideo",
    "KeywordArray",
    "Keywords",
    "LastUpdated",
    "Latitude",
    "Longitude",
    "Origin",
    "OriginalHeight",
    "OriginalSize",
    "OriginalWidth",
    "Processing",
    "Protected",
    "Serial",
    "Status",
    "SubStatus",
    "Title",
    "Watermark",
    "Watermarked",
    "WebUri",
)
"""Neither UploadKey, which is secret here (so v2 gives no numeric ids), nor ThumbnailUrl, which
changes without the image. RAW files and alike show in IsArchive and ComponentFileTypes."""

_OWN = (None, "", "Album")
_KIND = re.compile(r"[A-Za-z0-9]{1,12}")


def album_of(data: Mapping[str, Any]) -> Album:
    """An album as an entry of ``!albums`` shows it. Raises MalformedAnswer."""
    asked = {name: data[name] for name in ALBUM_FIELDS if name in data}
    kept, urls = tidied(asked, album=True)
    changed = [
        answers.instant(answers.text(data, name)) for name in ("ImagesLastUpdated", "LastUpdated")
    ]
    folders = (answers.text(data, "UrlPath") or "").strip("/").split("/")[:-1]
    return Album(
        key=answers.key_of(data, "AlbumKey"),
        id=None,
        title=answers.text(data, "Name") or "",
        path=tuple(unquote(folder) for folder in folders if folder),
        image_count=answers.count(data, "ImageCount"),
        data=kept,
        urls=urls,
        # Without ImagesLastUpdated, nothing tells that the images stand as before.
        changed_at=max(date for date in changed if date) if changed[0] else None,
    )


def image_of(position: int, data: Mapping[str, Any]) -> Image:
    """An image as an entry of ``!images`` shows it. Raises MalformedAnswer."""
    asked = {name: data[name] for name in IMAGE_FIELDS if name in data}
    kept, urls = tidied(asked)
    return Image(
        key=answers.key_of(data, "ImageKey"),
        id=None,
        file_name=answers.text(data, "FileName"),
        last_updated=answers.text(data, "LastUpdated"),
        position=position,
        data=kept,
        urls=urls,
        offer=offer_of(data),
        components=components_of(data),
    )


def components_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of files that lie beside an image, such as its RAW.

    What ``ComponentFileTypes`` holds is documented nowhere; names, as a list or as an object's,
    are taken.
    """
    named = data.get("ComponentFileTypes")
    names = named if isinstance(named, (list, dict)) else ()
    return tuple(sorted(name for name in names if isinstance(name, str) and _KIND.fullmatch(name)))


def offer_of(data: Mapping[str, Any]) -> Offer:
    """The bytes offered for an image of API v2.

    A photo's are the archived original, and ArchivedMD5 and ArchivedSize describe them. A
    video's ``ArchivedUri`` is a JPG still: the largest rendition is asked for by `resolve`, and
    its MD5 and Size are its own.
    """
    named = answers.text(data, "Format")
    video = answers.flag(data, "IsVideo") or (named or "").upper() in VIDEO_FORMATS
    url = None if video else answers.text(data, "ArchivedUri")
    collected = answers.text(data, "CollectedFrom") or data.get("Origin") not in _OWN
    if url is not None:
        # Also while it is said to be processing: length and MD5 decide.
        availability = Availability.READY
    elif "CanNotProcess" in (data.get("Status"), data.get("SubStatus")):
        availability = Availability.NEVER
    elif answers.flag(data, "Processing"):
        availability = Availability.PROCESSING
    else:
        availability = Availability.LOOKUP if video or collected else Availability.READY
    if video:
        kind = "rendition"
    else:
        kind = "none" if url is None and availability is Availability.READY else "original"
    return Offer(
        kind=kind,
        availability=availability,
        serial=records.serial(data.get("Serial")),
        size=answers.count(data, "ArchivedSize"),
        format=named,
        md5=None if video else answers.md5(data, "ArchivedMD5"),
        url_field="ArchivedUri" if url else None,
        exact=not video,
        url=url,
    )


def rendition_of(listed: Offer, video: Mapping[str, Any]) -> Offer:
    """The offer of a video's largest rendition; one that is not there yet is being made."""
    url = answers.text(video, "Url")
    return Offer(
        kind="rendition",
        availability=Availability.READY if url else Availability.PROCESSING,
        serial=listed.serial,
        size=answers.count(video, "Size"),
        format=listed.format or answers.text(video, "Ext"),
        md5=answers.md5(video, "MD5"),
        url_field="LargestVideo" if url else None,
        exact=True,
        url=url,
    )
