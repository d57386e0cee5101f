"""What the answers of API 1.3.0 become: albums, images, offers."""

from collections.abc import Mapping, Sequence
from typing import Any

from smugmug_backup.archive import records
from smugmug_backup.errors import MalformedAnswer
from smugmug_backup.model import Album, Availability, Image, Offer
from smugmug_backup.smugmug import answers
from smugmug_backup.smugmug.reading import VIDEO_FORMATS, tidied
from smugmug_backup.words import is_id


def album_of(data: Mapping[str, Any]) -> Album:
    """An album as an entry of ``albums.get`` shows it. Raises MalformedAnswer."""
    kept, urls = tidied(data, album=True)
    number = answers.number(data, "id")
    if number is None:
        raise MalformedAnswer("an album of the answer has no usable id")
    levels = (data.get("Category"), data.get("SubCategory"))
    names = [answers.text(level, "Name") for level in levels if isinstance(level, dict)]
    return Album(
        key=answers.key_of(data, "Key"),
        id=number,
        title=answers.text(data, "Title") or "",
        path=tuple(name for name in names if name),
        image_count=answers.count(data, "ImageCount"),
        data=kept,
        urls=urls,
        changed_at=answers.instant(answers.text(data, "LastUpdated")),
    )


def image_of(album_key: str, data: Mapping[str, Any]) -> Image:
    """An image as an entry of ``images.get`` shows it. Raises MalformedAnswer."""
    kept, urls = tidied(data)
    return Image(
        key=answers.key_of(data, "Key"),
        id=answers.number(data, "id"),
        file_name=answers.text(data, "FileName"),
        last_updated=answers.text(data, "LastUpdated"),
        position=answers.number(data, "Position"),
        data=kept,
        urls=urls,
        offer=offer_of(album_key, data, urls),
    )


def offer_of(album_key: str, data: Mapping[str, Any], urls: Sequence[str]) -> Offer:
    """The bytes offered for an image of API 1.3.0.

    A photo's are the original, and MD5Sum and Size describe them. A video's ``OriginalURL`` is a
    JPG still, so the largest rendition is taken. What its MD5Sum and Size describe, nobody knows:
    they stand in the offer, for the revision and as ``source_md5``, but it is not ``exact``, and
    the length to expect is the download's Content-Length.
    """
    named = answers.text(data, "Format")
    video = (named or "").upper() in VIDEO_FORMATS or any(
        name.startswith("Video") and name.endswith("URL") for name in urls
    )
    field = records.largest_video_url_field(urls) if video else "OriginalURL"
    url = answers.text(data, field) if field else None
    availability = Availability.READY
    if url is None:
        elsewhere = home_of(album_key, data) is not None
        nothing = Availability.PROCESSING if video else Availability.READY
        availability = Availability.LOOKUP if elsewhere else nothing
    kind = "rendition" if video else "original"
    return Offer(
        kind="none" if url is None and availability is Availability.READY else kind,
        availability=availability,
        serial=records.serial(data.get("Serial")),
        size=answers.count(data, "Size"),
        format=named,
        md5=answers.md5(data, "MD5Sum"),
        url_field=field if url else None,
        exact=not video,
        url=url,
    )


def home_of(album_key: str, data: Mapping[str, Any]) -> Album | None:
    """The album that an image is collected from, if it names another than this one."""
    home = data.get("Album")
    if not isinstance(home, dict):
        return None
    key, number = home.get("Key"), answers.number(home, "id")
    if not is_id(key) or number is None or key == album_key:
        return None
    return Album(key=str(key), id=number, title="", path=(), image_count=None, data={}, urls=())


def without_original(offer: Offer) -> Offer:
    """What remains of an offer whose original is nowhere: for a video, one still to be made."""
    video = offer.kind == "rendition"
    return Offer(
        kind=offer.kind if video else "none",
        availability=Availability.PROCESSING if video else Availability.READY,
        serial=offer.serial,
        size=offer.size,
        format=offer.format,
        md5=offer.md5,
        exact=offer.exact,
    )
