"""A SmugMug account in memory, as a `PhotoSource`: for tests that need thousands of runs.

It speaks no HTTP; the local SmugMug does. Both stand for the same service, and the contract suite
holds this one to the port's promises too.
"""

import copy
import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from smugmug_backup.archive.records import tidy
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.errors import AccessRefused, OutOfTime, SourceError
from smugmug_backup.model import Account, Album, Availability, Image, Listing, Offer
from tests.tools.streams import OfChunks

JPEG = b"\xff\xd8\xff\xe0"
MP4 = b"\x00\x00\x00\x18ftypmp42"
SECRET = "s3cr3t-never-to-be-stored"
"""Stands in every field of the answers that must not reach the store."""


@dataclass
class FakeImage:
    """An image of the fake account; ``body`` are its bytes."""

    key: str
    id: int
    body: bytes
    file_name: str
    caption: str = ""
    keywords: str = ""
    serial: int = 0
    updated: datetime | None = None
    visible_at: datetime | None = None
    before: "FakeImage | None" = None
    """What listings show until ``visible_at``; None: nothing."""
    hidden: bool = False
    """It counts, and is not listed."""
    has_md5: bool = True
    has_url: bool = True
    video: str | None = None
    """The largest video URL field, if it is a video that is ready; "" if it is processing."""
    format: str | None = None
    """The API's Format, if it is not that of a photo or a video of the usual kind."""

    def shown(self, now: datetime) -> "FakeImage | None":
        """What listings show of it."""
        if self.hidden:
            return None
        if self.visible_at is not None and self.visible_at > now:
            return self.before
        return self

    @property
    def md5(self) -> str:
        return hashlib.md5(self.body).hexdigest()


@dataclass
class FakeAlbum:
    """An album of the fake account: its images in order."""

    key: str
    id: int
    title: str
    images: list[FakeImage] = field(default_factory=list)
    count_off: int = 0
    own_count_off: int = 0
    updated: datetime | None = None
    public: bool | None = None
    """Whether everybody can see it; None: the answer does not say."""


class FakeSource:
    """See the module. Faults: put an error into ``errors`` under a call's name (``albums``,
    ``images:<album>``, ``photo:<image>``); it is raised until it is taken out. A callable there
    is called first and may return None for "no error this time"."""

    def __init__(self, clock: Clock, nickname: str = "larkfield", access: str = "owner") -> None:
        self.clock = clock
        self.name = "smugmug-1.3.0"
        self.nickname, self.access = nickname, access
        self.world: dict[str, FakeAlbum] = {}
        self.errors: dict[str, Any] = {}
        self.bodies: dict[str, bytes] = {}
        """Wrong bytes to serve, by image key."""
        self.sizes: dict[str, int | None] = {}
        """What the listing says of sizes, if it is not the truth, by image key."""
        self.lengths: dict[str, int | None] = {}
        """What downloads announce as their length, if it is not the truth, by image key."""
        self.calls: Counter[str] = Counter()
        self.date_header: Any = lambda now: now
        self.zone = timedelta()
        """The source's own dates are off by so much (its zone is not ours)."""
        self.inclusive = False
        """Its filter takes what is as old as the cursor, too."""
        self._answered_at: datetime | None = None
        self._lock = threading.Lock()
        self._next = 1

    # -- the world -------------------------------------------------------------------------------

    def album(self, key: str, title: str = "An album", images: int = 0) -> FakeAlbum:
        album = FakeAlbum(key, self._number(), title, updated=self.clock.now())
        self.world[key] = album
        for _ in range(images):
            self.upload(key)
        return album

    def upload(self, album: str, **fields: Any) -> FakeImage:
        number = self._number()
        begins = JPEG if fields.get("video") is None else MP4
        fields.setdefault("body", begins + f"picture {number}".encode())
        fields.setdefault("file_name", f"DSC_{number:05d}.JPG")
        image = FakeImage(key=f"i{number:06d}", id=13_000_000_000 + number, **fields)
        image.updated = self.clock.now()
        self.world[album].images.append(image)
        return image

    def touch(self, image: FakeImage, **changes: Any) -> None:
        """Edit: set fields and LastUpdated. With ``visible_at``, listings show it from then on."""
        if changes.get("visible_at") is not None:
            image.before = copy.copy(image.shown(self.clock.now()))
        for name, value in changes.items():
            setattr(image, name, value)
        image.updated = self.clock.now()

    def replace(self, image: FakeImage) -> None:
        """New bytes."""
        begins = JPEG if image.video is None else MP4
        body = begins + f"other {self._number()}".encode()
        self.touch(image, body=body, serial=image.serial + 1)

    def find(self, image_key: str) -> FakeImage:
        return next(i for a in self.world.values() for i in a.images if i.key == image_key)

    def _number(self) -> int:
        self._next += 1
        return self._next

    # -- the port --------------------------------------------------------------------------------

    @property
    def api_calls(self) -> int:
        return sum(n for name, n in self.calls.items() if not name.startswith("photo:"))

    @property
    def answered_at(self) -> datetime | None:
        return self._answered_at

    def account(self, *, deadline: Deadline) -> Account:
        self._answered_at = None
        self._call("account")
        self._note_date()
        return Account(self.nickname, self.access)

    def albums(self, *, deadline: Deadline) -> tuple[Album, ...]:
        self._call("albums")
        self._note_date()
        return tuple(self._shown(album) for album in self.world.values())

    def images(self, album: Album, *, since: int | None, deadline: Deadline) -> Listing:
        self._call(f"images:{album.key}")
        if album.key not in self.world:
            raise AccessRefused("invalid user (no such album)", api_code=4)
        fake = self.world[album.key]
        now = self.clock.now()
        seen = self.visible(album.key)
        listed = [
            self._image(fake, image, position)
            for position, image in enumerate(seen, 1)
            if since is None or self._is_after(image, since)
        ]
        count = len(seen) + fake.own_count_off if since is None else len(listed)
        self._note_date()
        return Listing(since is None, tuple(listed), count, self.date_header(now))

    def visible(self, album: str) -> list[FakeImage]:
        """What a full listing of ``album`` shows now, in order."""
        now = self.clock.now()
        shown = (image.shown(now) for image in self.world[album].images)
        return [image for image in shown if image is not None]

    def _is_after(self, image: FakeImage, since: int) -> bool:
        if image.updated is None:
            return False
        moment = int((image.updated + self.zone).timestamp())
        return moment >= since if self.inclusive else moment > since

    def resolve(self, album: Album, image: Image, *, deadline: Deadline) -> Offer:
        raise AssertionError("nothing to look up in this source")

    @contextmanager
    def open(self, offer: Offer, *, deadline: Deadline) -> Iterator["_Stream"]:
        key = str(offer.url)
        self._call(f"photo:{key}")
        if deadline.over:
            raise OutOfTime("no time left")
        wrong = self.bodies.get(key)
        stream = _Stream(self._body(key) if wrong is None else wrong)
        stream.length = self.lengths.get(key, stream.length)
        yield stream

    def _body(self, image_key: str) -> bytes:
        image = self.find(image_key)
        return (image.shown(self.clock.now()) or image).body

    def _note_date(self) -> None:
        self._answered_at = self.date_header(self.clock.now()) or self._answered_at

    def _call(self, name: str) -> None:
        with self._lock:
            self.calls[name] += 1
        error = self.errors.get(name)
        if callable(error) and not isinstance(error, Exception):
            error = error()
        if isinstance(error, BaseException):
            raise error

    def _shown(self, album: FakeAlbum) -> Album:
        data, urls = tidy(
            {
                "id": album.id,
                "Key": album.key,
                "Title": album.title,
                "URL": "https://x",
                "Password": SECRET,
                "PasswordHint": SECRET,
                "UploadKey": SECRET,
                "GuestUploadURL": SECRET,
                **({} if album.public is None else {"Public": album.public}),
            },
            album=True,
        )
        return Album(
            key=album.key,
            id=album.id,
            title=album.title,
            path=("Travel",),
            image_count=len(album.images) + album.count_off,
            data=data,
            urls=urls,
            changed_at=album.updated,
        )

    def _image(self, album: FakeAlbum, image: FakeImage, position: int) -> Image:
        updated = None
        if image.updated:
            updated = (image.updated + self.zone).strftime("%Y-%m-%d %H:%M:%S")
        raw: dict[str, Any] = {
            "id": image.id,
            "Key": image.key,
            "FileName": image.file_name,
            "Caption": image.caption,
            **({"Keywords": image.keywords} if image.keywords else {}),
            "Serial": image.serial,
            "Size": self.sizes.get(image.key, len(image.body)),
            "Format": image.format or ("JPG" if image.video is None else "MP4"),
            "LastUpdated": updated,
            "Position": position,
        }
        if image.has_md5:
            raw["MD5Sum"] = image.md5
        if image.has_url:
            raw["OriginalURL"] = f"https://photos/{image.key}?token={SECRET}"
        if image.video:
            raw[image.video] = f"https://photos/{image.key}"
        data, urls = tidy(raw)
        return Image(
            key=image.key,
            id=image.id,
            file_name=image.file_name,
            last_updated=updated,
            position=position,
            data=data,
            urls=urls,
            offer=self._offer(image, raw),
        )

    def _offer(self, image: FakeImage, raw: dict[str, Any]) -> Offer:
        video = image.video is not None
        if not video and not image.has_url:
            kind, availability, url = "none", Availability.NEVER, None
        elif image.video == "":
            kind, availability, url = "rendition", Availability.PROCESSING, None
        else:
            kind = "rendition" if video else "original"
            availability, url = Availability.READY, image.key
        return Offer(
            kind=kind,
            availability=availability,
            serial=image.serial,
            size=raw["Size"],
            format=raw["Format"],
            md5=raw.get("MD5Sum"),
            url_field=(image.video or None) if video else "OriginalURL",
            exact=not video,
            url=url,
        )


@dataclass
class _Stream(OfChunks):
    body: bytes
    length: int | None = None

    def __post_init__(self) -> None:
        self.length = len(self.body)

    def chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self.body), 1 << 20):
            yield self.body[start : start + (1 << 20)]


__all__ = ["FakeAlbum", "FakeImage", "FakeSource", "SourceError"]
