"""A SmugMug account through API v2."""

import random
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

from smugmug_backup.archive import records
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import AccessRefused, AlbumNotFound, MalformedAnswer
from smugmug_backup.model import Account, Album, Availability, Image, Listing, Offer
from smugmug_backup.ports import PhotoStream
from smugmug_backup.smugmug import answers
from smugmug_backup.smugmug.client_v2 import About, Pages, SmugMugV2, quoted
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.errors import NotThere
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.hosts import SMUGMUG
from smugmug_backup.smugmug.parts import Parts
from smugmug_backup.smugmug.reading import check_access, check_nickname, needed_nickname
from smugmug_backup.smugmug.shapes_v2 import (
    ALBUM_FIELDS,
    IMAGE_FIELDS,
    album_of,
    image_of,
    offer_of,
    rendition_of,
)

_HOME = re.compile(r"/api/v2/album/([A-Za-z0-9_-]{1,64})")
_HOME_LINK = "ImageAlbum"
_AT_HOME = {"CollectedFrom": "", "Origin": ""}
_PASSES = 4


class SmugMugV2Source:
    """`PhotoSource` over API v2; the promises are the port's."""

    name = records.V2

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
        self._client = SmugMugV2(self._parts.transport, credentials)
        self._credentials = credentials
        self._nickname = nickname or None
        self._seen: tuple[Mapping[str, datetime], datetime] | None = None

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
        answer = self._client.get("!authuser", about=About.ACCOUNT, deadline=deadline)
        user = answers.struct(answer.data, "User")
        nickname = answers.text(user, "NickName")
        check_nickname(nickname, self._nickname)
        # A token that was granted Access=Public sees its own account as any visitor does.
        check_access(answers.text(user, "ResponseLevel") or "Full")
        self._nickname = str(nickname)
        return Account(str(nickname), "owner")

    def albums(self, *, deadline: Deadline) -> tuple[Album, ...]:
        """All albums, by one call per page."""
        if self._nickname is None and self._credentials.signed:
            self.account(deadline=deadline)
        user = f"/user/{quoted(needed_nickname(self._nickname))}"
        try:
            pages = self._until_steady(
                f"{user}!albums", "Album", "AlbumKey", deadline, ALBUM_FIELDS
            )
        except NotThere:
            # It occurs in passing. Raises AccessRefused if the user is not there either.
            self._client.get(user, about=About.ACCOUNT, deadline=deadline)
            raise
        if pages.shifted:
            raise MalformedAnswer("API v2: the list of albums changed while it was read, twice")
        albums = tuple(map(album_of, pages.entries.values()))
        self._seen = None
        if pages.answered_at is not None:
            changed = {a.key: a.changed_at for a in albums if a.changed_at is not None}
            self._seen = (changed, pages.answered_at)
        return albums

    def images(self, album: Album, *, since: int | None, deadline: Deadline) -> Listing:
        """An empty listing of changes, without a call, if the newest `albums` shows that nothing
        changed after ``since``; else all images, for v2 has no filter by date.

        An album that needs its password is refused whatever its listing answers, which may be an
        empty one: v2 takes no passwords with a call.
        """
        if album.data.get("ResponseLevel") == "Password":
            raise AccessRefused(
                "API v2: the album needs its password, which v2 does not take; use an access token "
                "of the owner's, or SMUGMUG_API=1.3.0 with the secret's album_passwords"
            )
        unchanged_at = self._unchanged_at(album, since)
        if unchanged_at is not None:
            return Listing(False, (), None, unchanged_at)
        pages = self._until_steady(
            f"/album/{album.key}!images", "AlbumImage", "ImageKey", deadline, IMAGE_FIELDS
        )
        if pages.shifted and pages.total == len(pages.entries):
            # The count would vouch for what may be gone, and for as much that was not shown.
            raise MalformedAnswer("API v2: the album changed while it was listed, again and again")
        shown = (*pages.entries.values(), *pages.twice)
        images = tuple(image_of(position, entry) for position, entry in enumerate(shown, 1))
        return Listing(True, images, pages.total, pages.answered_at)

    def resolve(self, album: Album, image: Image, *, deadline: Deadline) -> Offer:
        """Ask for a video's largest rendition, or for a collected photo in its home album."""
        if image.offer.kind == "rendition":
            return self._largest_video(image, deadline)
        return self._at_home(image, deadline)

    def _at_home(self, image: Image, deadline: Deadline) -> Offer:
        """By the image's own resource, and then in the album that this names as its home.

        ``CollectedFrom`` tells no address: it is the name of an album.
        """
        name = _resource_name(image)
        try:
            shown = self._shown(f"/image/{name}", "Image", image, deadline)
            home = _HOME.fullmatch(_uri_of(shown, _HOME_LINK) or "")
            if offer_of(shown).url is None and home and home[1] != image.data.get("AlbumKey"):
                path = f"/album/{home[1]}/image/{name}"
                shown = self._shown(path, "AlbumImage", image, deadline)
        except (AccessRefused, AlbumNotFound):
            # Somebody else's, or gone: there is no original for us.
            return replace(image.offer, kind="none", availability=Availability.NEVER)
        found = offer_of({**shown, **_AT_HOME})
        return replace(found, availability=Availability.NEVER) if found.kind == "none" else found

    def _shown(self, path: str, locator: str, image: Image, deadline: Deadline) -> dict[str, Any]:
        """What the resource at ``path`` shows of ``image``, with the link to its home."""
        wanted = {"_filter": ",".join(IMAGE_FIELDS), "_filteruri": _HOME_LINK}
        answer = self._client.get(path, about=About.IMAGE, deadline=deadline, parameters=wanted)
        shown = answers.struct(answer.data, locator)
        if answers.key_of(shown, "ImageKey") != image.key:
            raise MalformedAnswer("API v2: the answer is about another image")
        return shown

    def _largest_video(self, image: Image, deadline: Deadline) -> Offer:
        """Its address, MD5 and Size are its own."""
        path = f"/image/{_resource_name(image)}!largestvideo"
        try:
            answer = self._client.get(path, about=About.IMAGE, deadline=deadline)
        except AlbumNotFound:
            return rendition_of(image.offer, {})
        uri = answers.text(answer.data, "Uri")
        if uri is not None and not any(f"/{image.key}{end}" in uri for end in "-!"):
            raise MalformedAnswer("API v2: the answer is about another image")
        video = answer.data.get("LargestVideo")
        return rendition_of(image.offer, video if isinstance(video, dict) else {})

    def open(self, offer: Offer, *, deadline: Deadline) -> AbstractContextManager[PhotoStream]:
        """Begin a download, see `photos`."""
        return self._parts.photos.open(offer, deadline=deadline)

    def _unchanged_at(self, album: Album, since: int | None) -> datetime | None:
        """When `albums` showed that the album stands as before ``since``, None if it did not.

        An album of an older plan counts only if the newest listing says the same of it: the date
        is that listing's.
        """
        seen = self._seen
        if since is None or seen is None or album.changed_at is None:
            return None
        if seen[0].get(album.key) != album.changed_at or album.changed_at.timestamp() >= since:
            return None
        return seen[1]

    def _until_steady(
        self, path: str, locator: str, key: str, deadline: Deadline, fields: tuple[str, ...]
    ) -> Pages:
        """All pages; read again if entries moved between them, and then merged by key. What came
        or left while they were read is no order to merge: it is only read again.

        What is still missing after `_PASSES` shows: ``total`` is not the number of entries.
        """
        about = About.ALBUMS if locator == "Album" else About.ALBUM
        merged = Pages()
        for _ in range(_PASSES):
            pages = self._client.pages(
                path, locator=locator, key=key, about=about, deadline=deadline, fields=fields
            )
            if not pages.shifted:
                return pages
            if pages.resized:
                merged = pages
                continue
            if merged.resized:
                merged = Pages()
            if merged.entries.keys() == pages.entries.keys() and merged.total == pages.total:
                # Nothing moves: SmugMug counts more than it shows. Its count says so.
                pages.shifted = False
                return pages
            earlier = {k: v for k, v in merged.entries.items() if k not in pages.entries}
            pages.entries |= earlier
            pages.shifted = pages.total != len(pages.entries)
            if not pages.shifted:
                return pages
            merged = pages
        return merged


def _resource_name(image: Image) -> str:
    """The image's name in a URI: its key, and its revision."""
    serial = records.serial(image.data.get("Serial"))
    return image.key if serial is None else f"{image.key}-{quoted(str(serial))}"


def _uri_of(data: Mapping[str, Any], name: str) -> str | None:
    """The link ``name`` of an answer, which comes as a text or in an object."""
    links = data.get("Uris")
    link = links.get(name) if isinstance(links, dict) else None
    return answers.text(link if isinstance(link, dict) else {"Uri": link}, "Uri")
