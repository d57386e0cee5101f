"""What an account consists of: secrets, albums, images."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tests.local_smugmug.bodies import Body

STILL = "still"
"""The rendition of a video that is its JPEG still."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must never be found in a log or a backup; unlike anything else, for each account."""

    api_key: str
    api_secret: str
    access_token: str
    access_token_secret: str
    site_password: str
    session_id: str
    upload_key: str
    url_salt: str


@dataclass(slots=True, eq=False)
class Image:
    """A photo or a video, the same one in however many albums it is shown.

    ``body`` is what was uploaded. A video offers ``renditions`` (width to bytes) and a ``still``
    instead. Times are epochs.
    """

    key: str
    id: int
    body: Body
    file_name: str
    album_key: str
    """Its home; other albums that show it have collected it."""
    uploaded: int
    updated: int
    title: str = ""
    caption: str = ""
    keywords: str = ""
    format: str = "JPG"
    serial: int = 0
    width: int = 4000
    height: int = 3000
    latitude: float = 0
    longitude: float = 0
    altitude: int = 0
    hidden: bool = False
    has_md5: bool = True
    """MD5Sum is listed."""
    listed_md5: str | None = None
    """MD5Sum is listed as this, whatever the bytes are."""
    has_original: bool = True
    """OriginalURL is listed."""
    still: Body | None = None
    renditions: dict[int, Body] = field(default_factory=dict)
    duration: int = 0
    processing: bool = False
    cannot_process: bool = False
    components: tuple[str, ...] = ()
    """File types that lie beside it, such as a RAW."""
    visible_at: int = 0
    before: "Image | None" = None
    """What listings show until ``visible_at``; None: nothing."""
    date_taken: str = ""

    @property
    def is_video(self) -> bool:
        return self.format == "MP4"

    @property
    def best(self) -> Body | None:
        """The best bytes that API 1.3.0 offers of it; None if there are none."""
        if not self.is_video:
            return self.body if self.has_original else None
        if self.processing or not self.renditions:
            return None
        return self.renditions[max(self.renditions)]

    def shown(self, now: float) -> "Image | None":
        """What listings show of it at ``now``."""
        return self.before if self.visible_at > now else self


class ImagesOf(Protocol):
    """The images of an album that nobody touched yet, made when they are asked for."""

    newest: int
    """No ``updated`` is later."""

    def __len__(self) -> int: ...

    def all(self) -> list[Image]: ...

    def find(self, image_key: str) -> Image | None: ...


@dataclass(slots=True)
class Collected:
    """How an album shows an image of another album."""

    type: str = "Collected"
    with_original: bool = True


@dataclass(slots=True, eq=False)
class Album:
    """An album: settings, and images in their order."""

    key: str
    id: int
    title: str
    url_name: str
    node_id: str
    created: int
    updated: int
    images_updated: int
    folders: tuple[str, ...] = ("Other",)
    """From the root down. API 1.3.0 shows two levels: Category and SubCategory."""
    description: str = ""
    keywords: str = ""
    privacy: str = "Public"
    """``Public``, ``Unlisted`` or ``Private``."""
    password: str = ""
    password_hint: str = ""
    originals: bool = True
    """Everybody who sees the album may have the originals."""
    count_off: int = 0
    """Added to its ``ImageCount`` in albums.get."""
    listing_count_off: int = 0
    """Added to its ``ImageCount`` in images.get."""
    collected: dict[str, Collected] = field(default_factory=dict)
    arrivals: dict[str, int] = field(default_factory=dict)
    """Image keys that listings do not show before an epoch."""
    lazy: ImagesOf | None = None
    held: list[Image] = field(default_factory=list)

    @property
    def images(self) -> list[Image]:
        """Its images; made anew at each call while nobody touched the album."""
        return self.lazy.all() if self.lazy is not None else self.held

    @property
    def is_open(self) -> bool:
        """Whether everybody who has its key sees its images."""
        return self.privacy != "Private" and not self.password

    def __len__(self) -> int:
        return len(self.lazy) if self.lazy is not None else len(self.held)


@dataclass(slots=True, eq=False)
class Account:
    """A SmugMug account."""

    nickname: str
    name: str
    secrets: Secrets
    node_id: str
    albums: dict[str, Album] = field(default_factory=dict)
    site_protected: bool = False
    """Everybody but the owner needs the site password."""
    held: dict[str, Image] = field(default_factory=dict)
    """The images of albums that were touched."""
    seed: int = 0
    album_key_of: Callable[[str], str | None] | None = None
    """Tells the album of a generated image from its key, so that none has to be searched."""

    @property
    def album_passwords(self) -> dict[str, str]:
        """Passwords by album key, as the backup's secret holds them."""
        return {album.key: album.password for album in self.albums.values() if album.password}

    def secret(self, *, signed: bool = True) -> dict[str, object]:
        """The JSON that the backup reads as its secret; unsigned: for the public view."""
        secrets = self.secrets
        content: dict[str, object] = {"api_key": secrets.api_key}
        if signed:
            content |= {
                "api_secret": secrets.api_secret,
                "access_token": secrets.access_token,
                "access_token_secret": secrets.access_token_secret,
            }
        return content | {
            "site_password": secrets.site_password,
            "album_passwords": self.album_passwords,
        }

    def secret_texts(self) -> list[str]:
        """Every text that must not leak."""
        secrets = self.secrets
        return [
            secrets.api_key,
            secrets.api_secret,
            secrets.access_token,
            secrets.access_token_secret,
            secrets.site_password,
            secrets.session_id,
            secrets.upload_key,
            *self.album_passwords.values(),
        ]

    def find(self, image_key: str) -> Image | None:
        """The image under that key, from wherever it is shown; it may be a passing copy."""
        if image_key in self.held:
            return self.held[image_key]
        for album in self._lazy_albums(image_key):
            image = album.lazy.find(image_key) if album.lazy is not None else None
            if image is not None:
                return image
        return None

    def touch(self, album: Album) -> list[Image]:
        """Hold the album's images from now on, so that they can be changed."""
        if album.lazy is not None:
            album.held = album.lazy.all()
            album.lazy = None
            self.held.update((image.key, image) for image in album.held)
        return album.held

    def showing(self, image: Image) -> list[Album]:
        """The albums that show the image."""
        home = self.albums.get(image.album_key)
        if home is not None and home.lazy is not None:
            return [home]
        return [
            album
            for album in self.albums.values()
            if album.lazy is None and any(other is image for other in album.held)
        ]

    def _lazy_albums(self, image_key: str) -> list[Album]:
        key = self.album_key_of(image_key) if self.album_key_of is not None else None
        if key is not None:
            return [self.albums[key]] if key in self.albums else []
        return [album for album in self.albums.values() if album.lazy is not None]
