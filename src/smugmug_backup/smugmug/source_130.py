"""A SmugMug account through API 1.3.0."""

import random
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from smugmug_backup.archive import records
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import AccessRefused, AlbumNotFound, EmptySet, MalformedAnswer
from smugmug_backup.model import Account, Album, Availability, Image, Listing, Offer
from smugmug_backup.ports import PhotoStream
from smugmug_backup.smugmug import answers
from smugmug_backup.smugmug.client_130 import SmugMug130
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.errors import EmptyAnswer
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.hosts import SMUGMUG
from smugmug_backup.smugmug.parts import Parts
from smugmug_backup.smugmug.reading import (
    VIDEO_FORMATS,
    check_access,
    check_nickname,
    needed_nickname,
    tidied,
)
from smugmug_backup.words import is_id

__all__ = ["SmugMug130", "SmugMug130Source"]

_TURNS = 8
_KEPT_OFFERS = 50_000
"""Half a KB each. A smart album may show 5,000 images in the order of their dates, each from
another home than the one before, so homes are let go by what they hold and not by their number."""
_HOME_SECONDS = 600.0


class SmugMug130Source:
    """`PhotoSource` over API 1.3.0; the promises are the port's."""

    name = "smugmug-1.3.0"

    def __init__(
        self,
        credentials: Credentials,
        nickname: str | None,
        *,
        api_url: str,
        governor: Governor,
        clock: Clock,
        photo_hosts: Sequence[str] = (SMUGMUG,),
        rng: random.Random | None = None,
        attempts: int = 5,
        backoff: float = 0.5,
        max_photo_bytes: int | None = None,
    ) -> None:
        self._parts = Parts.build(
            credentials,
            api_url=api_url,
            governor=governor,
            clock=clock,
            photo_hosts=photo_hosts,
            rng=rng,
            attempts=attempts,
            backoff=backoff,
            max_photo_bytes=max_photo_bytes,
        )
        self._client = SmugMug130(self._parts.transport, credentials)
        self._credentials = credentials
        self._nickname = nickname or None
        self._homes = _Homes(clock)

    @property
    def api_calls(self) -> int:
        """Requests sent to the API so far, each retry counted."""
        return self._parts.transport.calls

    @property
    def answered_at(self) -> datetime | None:
        """The date of the newest answer since `account` was last asked."""
        return self._parts.transport.answered_at

    def account(self, *, deadline: Deadline) -> Account:
        """Check the login; the nickname is the one that SmugMug gives, where it gives one."""
        self._parts.transport.forget_date()
        if not self._credentials.signed:
            return Account(needed_nickname(self._nickname), "public")
        answer = self._client.check_access_token(deadline=deadline)
        auth = answers.struct(answer.data, "Auth")
        nickname = answers.text(answers.struct(auth, "User"), "NickName")
        check_nickname(nickname, self._nickname)
        access = answers.text(answers.struct(auth, "Token"), "Access")
        check_access(access)
        return Account(str(nickname), "owner" if (access or "").lower() == "full" else "public")

    def albums(self, *, deadline: Deadline) -> tuple[Album, ...]:
        """All albums, by one call of ``albums.get``."""
        signed = self._credentials.signed
        try:
            answer = self._client.albums_get(
                nick_name=None if signed else needed_nickname(self._nickname),
                empty=True,
                heavy=True,
                site_password=self._credentials.site_password,
                strict=True,
                deadline=deadline,
            )
        except EmptySet:
            return ()
        if not isinstance(answer.data.get("Albums"), list):
            # An account without albums is an empty list or code 15; all else is another answer.
            raise MalformedAnswer("smugmug.albums.get: the answer has no Albums")
        albums = tuple(map(album_of, answers.objects(answer.data, "Albums")))
        answers.refuse_duplicates([a.key for a in albums], [a.id for a in albums], "album")
        return albums

    def images(self, album: Album, *, since: int | None, deadline: Deadline) -> Listing:
        """One call of ``images.get``, with ``LastUpdated`` if ``since`` is given."""
        full = since is None
        if album.id is None:
            raise MalformedAnswer("API 1.3.0 lists no album without its AlbumID")
        try:
            answer = self._client.images_get(
                album_id=album.id,
                album_key=album.key,
                heavy=True,
                last_updated=since,
                password=self._credentials.album_passwords.get(album.key),
                site_password=self._credentials.site_password,
                strict=True,
                deadline=deadline,
            )
        except EmptyAnswer as empty:
            return Listing(full, (), None, empty.answered_at)
        data = answers.struct(answer.data, "Album")
        if answers.key_of(data, "Key") != album.key:
            raise MalformedAnswer("the answer is about another album")
        images = tuple(image_of(album.key, item) for item in answers.objects(data, "Images"))
        answers.refuse_duplicates([i.key for i in images], [i.id for i in images], "image")
        return Listing(full, images, answers.count(data, "ImageCount"), answer.answered_at)

    def resolve(self, album: Album, image: Image, *, deadline: Deadline) -> Offer:
        """Ask the home album of an image that is only collected here."""
        home = home_of(album.key, image.data)
        found = None
        if home is not None:
            with self._homes.turn(home.key):
                offers = self._homes.get(home.key)
                if offers is None:
                    offers = self._offers_of(home, deadline)
                    self._homes.put(home.key, offers)
            found = offers.get(image.key)
        if found is None or found.availability is Availability.LOOKUP:
            return without_original(image.offer)
        return found

    def open(self, offer: Offer, *, deadline: Deadline) -> AbstractContextManager[PhotoStream]:
        """Begin a download, see `photos`."""
        return self._parts.photos.open(offer, deadline=deadline)

    def _offers_of(self, home: Album, deadline: Deadline) -> dict[str, Offer]:
        try:
            listing = self.images(home, since=None, deadline=deadline)
        except (AccessRefused, AlbumNotFound):
            # Somebody else's album, or one that is gone: there is no original for us.
            return {}
        return {image.key: image.offer for image in listing.images}


class _Homes:
    """Offers of home albums, some and not for long: their URLs change."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._turns = [threading.Lock() for _ in range(_TURNS)]
        self._kept: OrderedDict[str, tuple[float, dict[str, Offer]]] = OrderedDict()

    def turn(self, key: str) -> threading.Lock:
        """Held while a home album is listed, so that it is listed once."""
        return self._turns[hash(key) % _TURNS]

    def get(self, key: str) -> dict[str, Offer] | None:
        """The offers of ``key``, if they were put here lately."""
        with self._lock:
            since, offers = self._kept.get(key, (0.0, None))
            # The wall's clock: monotonic time may stand still while a function is frozen.
            if offers is None or abs(self._clock.now().timestamp() - since) >= _HOME_SECONDS:
                return None
            self._kept.move_to_end(key)
            return offers

    def put(self, key: str, offers: dict[str, Offer]) -> None:
        """Keep ``offers``, and let go of what was used longest ago."""
        with self._lock:
            self._kept[key] = (self._clock.now().timestamp(), offers)
            self._kept.move_to_end(key)
            held = sum(len(offers) for _, offers in self._kept.values())
            while held > _KEPT_OFFERS and len(self._kept) > 1:
                _, (_, gone) = self._kept.popitem(last=False)
                held -= len(gone)


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
