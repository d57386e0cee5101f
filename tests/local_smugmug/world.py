"""The world behind the service: accounts, a clock, and all that an owner can do to them."""

import threading
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.local_smugmug.bodies import MP4_HEAD, Body, BytesBody, SeededBody
from tests.local_smugmug.model import Account, Album, Collected, Image
from tests.local_smugmug.snapshot import AlbumSnapshot, take_snapshot
from tests.local_smugmug.switches import Switches

_KEY_LETTERS = "bcdfghjkmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ23456789"


def utc_now() -> datetime:
    return datetime.now(UTC)


class World:
    """Accounts and what happens to them; every operation is atomic and takes keys.

    Each edit sets ``LastUpdated`` from ``clock`` (aware UTC, cut to whole seconds).
    """

    def __init__(
        self,
        *accounts: Account,
        clock: Callable[[], datetime] = utc_now,
        switches: Switches | None = None,
    ) -> None:
        self.accounts = {account.nickname.lower(): account for account in accounts}
        self.clock = clock
        self.switches = switches or Switches()
        self.lock = threading.RLock()
        self.base_url = "http://127.0.0.1"
        self._made = 0

    # -- looking ---------------------------------------------------------------------------------

    @property
    def account(self) -> Account:
        """The first account."""
        return next(iter(self.accounts.values()))

    def now(self) -> float:
        return self.clock().timestamp()

    def album(self, album_key: str) -> Album:
        """The album under that key. Raises KeyError."""
        return self._home(album_key).albums[album_key]

    def image(self, image_key: str) -> Image:
        """The image under that key. Raises KeyError."""
        for account in self.accounts.values():
            image = account.find(image_key)
            if image is not None:
                return image
        raise KeyError(image_key)

    def listed(self, album: Album, *, owner: bool = True) -> list[Image]:
        """What a full listing of the album shows now, in order."""
        return [image for image, listed in self._visible(album, owner) if listed]

    def counted(self, album: Album, *, owner: bool = True) -> int:
        """How many images the album says it has."""
        if album.lazy is not None:
            return len(album.lazy)
        late = len(self._late(album)) if self.switches.late_images_counted else 0
        return sum(1 for _ in self._visible(album, owner)) + late

    def _visible(self, album: Album, owner: bool) -> Iterable[tuple[Image, bool]]:
        """Each image that counts, and whether it is listed."""
        if album.lazy is not None:
            yield from ((image, True) for image in album.lazy.all())
            return
        now = self.now()
        for image in album.held:
            if album.arrivals.get(image.key, 0) > now:
                continue
            shown = image.shown(now)
            if shown is None or (shown.hidden and not owner):
                continue
            modes = {"listed"}
            if shown.hidden:
                modes.add(self.switches.hidden_images)
            if shown.processing:
                modes.add(self.switches.processing_images)
            if "absent" not in modes:
                yield shown, "counted" not in modes

    def _late(self, album: Album) -> list[Image]:
        now = self.now()
        return [
            image
            for image in album.held
            if album.arrivals.get(image.key, 0) > now or image.shown(now) is None
        ]

    def snapshot(
        self, account: Account | None = None, *, view: str = "owner"
    ) -> dict[str, AlbumSnapshot]:
        """What a perfect backup of the account would hold now, by album key (``view``: owner or
        public), see `snapshot`."""
        with self.lock:
            return take_snapshot(self, account or self.account, view)

    # -- images ----------------------------------------------------------------------------------

    def upload(self, album_key: str, body: Body | bytes | None = None, **fields: Any) -> Image:
        """Add an image at the album's end; ``fields`` are those of `Image`."""
        with self.lock:
            account, album = self._home(album_key), self.album(album_key)
            images = account.touch(album)
            number = self._number()
            now = int(self.now())
            size = fields.pop("size", 2_000)
            image = Image(
                key=fields.pop("key", None) or self._key(7),
                id=fields.pop("id", None) or 14_000_000_000 + number,
                body=_body(body, number, size),
                file_name=fields.pop("file_name", f"IMG_{number:05d}.JPG"),
                album_key=album_key,
                uploaded=now,
                updated=now,
                **fields,
            )
            self._delay(image, None)
            images.append(image)
            account.held[image.key] = image
            self._images_changed(album)
            return image

    def upload_video(
        self,
        album_key: str,
        widths: Sequence[int] = (320, 640, 1280),
        *,
        size: int = 5_000,
        processing: bool = False,
        **fields: Any,
    ) -> Image:
        """Add a video; while it is ``processing`` it offers nothing."""
        seed = self._number() + 500_000
        return self.upload(
            album_key,
            SeededBody(seed, size, MP4_HEAD),
            format="MP4",
            file_name=fields.pop("file_name", f"CLIP_{seed}.MOV"),
            still=SeededBody(seed + 1, 1_500),
            renditions={width: SeededBody(seed * 7 + width, size // 2 + width, MP4_HEAD)
                        for width in widths},
            duration=31,
            width=1920,
            height=1080,
            processing=processing,
            **fields,
        )  # fmt: skip

    def edit(self, image_key: str, **fields: Any) -> Image:
        """Set fields (caption, keywords, title ...) and LastUpdated."""
        with self.lock:
            return self._edit(image_key, **fields)

    def replace(
        self, image_key: str, body: Body | bytes | None = None, *, size: int | None = None
    ) -> Image:
        """New bytes under the same key: Serial goes up by one."""
        with self.lock:
            _, image = self._held(image_key)
            number = self._number() + 900_000
            head = MP4_HEAD if image.is_video else None
            new = _body(body, number, size or image.body.size, head)
            fields: dict[str, Any] = {"body": new, "serial": image.serial + 1}
            if image.is_video:
                fields["renditions"] = {
                    width: SeededBody(number + width, old.size + 1, MP4_HEAD)
                    for width, old in image.renditions.items()
                }
                fields["still"] = SeededBody(number + 1, 1_500)
            return self._edit(image_key, **fields)

    def delete(self, image_key: str) -> None:
        """Remove the image from every album."""
        with self.lock:
            account, image = self._held(image_key)
            for album in account.showing(image):
                self._take_out(account, album, image)
            account.held.pop(image_key, None)

    def move(self, image_key: str, to_album: str) -> None:
        """Take the image out of its home and put it at the end of another album."""
        with self.lock:
            account, image = self._held(image_key)
            target = account.albums[to_album]
            account.touch(target)
            self._take_out(account, account.albums[image.album_key], image)
            image.album_key = to_album
            target.collected.pop(image_key, None)
            if image not in target.held:
                target.held.append(image)
            self._arrive(target, image)

    def collect(
        self,
        image_key: str,
        album_key: str,
        *,
        with_original: bool = True,
        shown_as: str = "Collected",
    ) -> None:
        """Show the image in another album too (``shown_as``: Collected or Smart)."""
        with self.lock:
            account, image = self._held(image_key)
            album = account.albums[album_key]
            account.touch(album).append(image)
            album.collected[image_key] = Collected(shown_as, with_original)
            self._arrive(album, image)

    def uncollect(self, image_key: str, album_key: str) -> None:
        """Take a collected image out of the album again."""
        with self.lock:
            account, image = self._held(image_key)
            self._take_out(account, account.albums[album_key], image)

    def hide(self, image_key: str, hidden: bool = True) -> Image:
        """Hide the image, or show it again."""
        return self.edit(image_key, hidden=hidden)

    def forget_md5(self, image_key: str) -> Image:
        """The image has no MD5Sum any more."""
        return self.edit(image_key, has_md5=False)

    def forget_original(self, image_key: str) -> Image:
        """The image has no OriginalURL any more."""
        return self.edit(image_key, has_original=False)

    def add_rendition(self, image_key: str, width: int = 1920, *, size: int = 9_000) -> Image:
        """The video gains a rendition."""
        with self.lock:
            _, image = self._held(image_key)
            body = SeededBody(self._number() + width, size, MP4_HEAD)
            return self._edit(image_key, renditions={**image.renditions, width: body})

    def finish_processing(self, image_key: str) -> Image:
        """The video is ready."""
        return self.edit(image_key, processing=False)

    # -- albums ----------------------------------------------------------------------------------

    def new_album(
        self,
        title: str = "A new album",
        *,
        folders: Sequence[str] = ("Other",),
        images: int = 0,
        account: Account | None = None,
        **fields: Any,
    ) -> Album:
        """Create an album with that many images; ``fields`` are those of `Album`."""
        with self.lock:
            owner = account or self.account
            number = self._number()
            now = int(self.now())
            album = Album(
                key=fields.pop("key", None) or self._key(6),
                id=fields.pop("id", None) or 52_000_000 + number,
                title=title,
                url_name=fields.pop("url_name", None) or url_name(title),
                node_id=self._key(6),
                created=now,
                updated=now,
                images_updated=now,
                folders=tuple(folders),
                **fields,
            )
            owner.albums[album.key] = album
            for _ in range(images):
                self.upload(album.key)
            return album

    def edit_album(self, album_key: str, **fields: Any) -> Album:
        """Change an album's settings and its LastUpdated."""
        with self.lock:
            album = self.album(album_key)
            if "folders" in fields:
                fields["folders"] = tuple(fields["folders"])
            for name, value in fields.items():
                _set(album, name, value)
            album.updated = int(self.now())
            return album

    def rename_album(self, album_key: str, title: str) -> Album:
        """Give the album another title."""
        return self.edit_album(album_key, title=title, url_name=url_name(title))

    def reorder(self, album_key: str, order: Sequence[str] | None = None) -> None:
        """Put the images into another order; None: the reverse one."""
        with self.lock:
            account, album = self._home(album_key), self.album(album_key)
            images = account.touch(album)
            if order is None:
                images.reverse()
            else:
                places = {key: place for place, key in enumerate(order)}
                images.sort(key=lambda image: places.get(image.key, len(places)))
            self._images_changed(album)

    def drop_album(self, album_key: str) -> None:
        """Delete the album with the images whose home it is."""
        with self.lock:
            account, album = self._home(album_key), self.album(album_key)
            for image in list(account.touch(album)):
                if image.album_key != album_key:
                    continue
                for other in account.showing(image):
                    if other is not album:
                        self._take_out(account, other, image)
                account.held.pop(image.key, None)
            del account.albums[album_key]

    def drop_everything(self, account: Account | None = None) -> None:
        """Empty the account."""
        with self.lock:
            owner = account or self.account
            owner.albums.clear()
            owner.held.clear()

    # -- inside ----------------------------------------------------------------------------------

    def _home(self, album_key: str) -> Account:
        for account in self.accounts.values():
            if album_key in account.albums:
                return account
        raise KeyError(album_key)

    def _held(self, image_key: str) -> tuple[Account, Image]:
        """The image itself, its home being held from now on."""
        for account in self.accounts.values():
            image = account.find(image_key)
            if image is not None:
                account.touch(account.albums[image.album_key])
                return account, account.held[image_key]
        raise KeyError(image_key)

    def _edit(self, image_key: str, **fields: Any) -> Image:
        account, image = self._held(image_key)
        before = image.shown(self.now())
        self._delay(image, replace(before, before=None) if before is not None else None)
        for name, value in fields.items():
            _set(image, name, value)
        image.updated = int(self.now())
        for album in account.showing(image):
            self._images_changed(album, edit=True)
        return image

    def _delay(self, image: Image, before: Image | None) -> None:
        if self.switches.late_visibility:
            image.before = before
            image.visible_at = int(self.now() + self.switches.late_visibility)

    def _arrive(self, album: Album, image: Image) -> None:
        if not self.switches.move_keeps_last_updated:
            image.updated = int(self.now())
        if self.switches.late_visibility:
            album.arrivals[image.key] = int(self.now() + self.switches.late_visibility)
        self._images_changed(album)

    def _take_out(self, account: Account, album: Album, image: Image) -> None:
        account.touch(album)
        album.held = [other for other in album.held if other is not image]
        album.collected.pop(image.key, None)
        album.arrivals.pop(image.key, None)
        self._images_changed(album)

    def _images_changed(self, album: Album, *, edit: bool = False) -> None:
        now = int(self.now())
        if not edit or self.switches.v2_edit_moves_images_last_updated:
            album.images_updated = now
        if self.switches.album_last_updated == "images":
            album.updated = now

    def _number(self) -> int:
        self._made += 1
        return self._made

    def _key(self, length: int) -> str:
        """A new key, the same at each run of a test."""
        number = self._number()
        seed = zlib.crc32(f"key {number} {self.account.seed if self.accounts else 0}".encode())
        letters = []
        rest = seed * 2_654_435_761 + number
        for _ in range(length - 2):
            rest, digit = divmod(rest, len(_KEY_LETTERS))
            letters.append(_KEY_LETTERS[digit])
        # The last two letters are the count, so that no key comes twice.
        high, low = divmod(number, len(_KEY_LETTERS))
        tail = _KEY_LETTERS[high % len(_KEY_LETTERS)] + _KEY_LETTERS[low]
        return "".join(letters) + tail


def url_name(title: str) -> str:
    """The title as it stands in URLs."""
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in title)
    return "-".join(part for part in name.split("-") if part) or "Album"


def _body(body: Body | bytes | None, seed: int, size: int, head: bytes | None = None) -> Body:
    if isinstance(body, bytes):
        return BytesBody(body)
    if body is not None:
        return body
    return SeededBody(seed, size) if head is None else SeededBody(seed, size, head)


def _set(thing: object, name: str, value: Any) -> None:
    if not hasattr(thing, name):
        raise AttributeError(f"{type(thing).__name__} has no field {name}")
    setattr(thing, name, value)
