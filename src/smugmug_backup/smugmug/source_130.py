"""A SmugMug account through API 1.3.0."""

import random
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime

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
from smugmug_backup.smugmug.reading import check_access, check_nickname, needed_nickname
from smugmug_backup.smugmug.shapes_130 import album_of, home_of, image_of, without_original

_TURNS = 8
_KEPT_OFFERS = 50_000
"""Half a KB each. A smart album may show 5,000 images in the order of their dates, each from
another home than the one before, so homes are let go by what they hold and not by their number."""
_HOME_SECONDS = 600.0


class SmugMug130Source:
    """`PhotoSource` over API 1.3.0; the promises are the port's."""

    name = records.V130

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
