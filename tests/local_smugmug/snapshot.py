"""What the source holds at one moment, for tests to compare a backup with."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.local_smugmug.bodies import Body
from tests.local_smugmug.model import Account, Album, Image
from tests.local_smugmug.shapes_130 import Shapes130

if TYPE_CHECKING:
    from tests.local_smugmug.world import World


@dataclass(frozen=True)
class ImageSnapshot:
    """One image of an album.

    ``kind`` and ``body`` are the best that can be had: the ``original`` of a photo, the largest
    ``rendition`` of a video, ``none``. ``listed`` is its entry in a heavy listing of API 1.3.0.
    """

    key: str
    kind: str
    body: Body | None = field(repr=False)
    listed: dict[str, Any] = field(repr=False)
    file_name: str = ""
    processing: bool = False

    @property
    def md5(self) -> str | None:
        return self.body.md5 if self.body is not None else None

    @property
    def sha256(self) -> str | None:
        return self.body.sha256 if self.body is not None else None

    @property
    def size(self) -> int | None:
        return self.body.size if self.body is not None else None

    def read(self) -> bytes:
        """The bytes; empty if there are none."""
        return self.body.read() if self.body is not None else b""


@dataclass(frozen=True)
class AlbumSnapshot:
    """One album: ``images`` in order, by key; ``listed`` is its entry in albums.get."""

    key: str
    title: str
    images: dict[str, ImageSnapshot]
    listed: dict[str, Any] = field(repr=False)

    @property
    def image_keys(self) -> tuple[str, ...]:
        return tuple(self.images)


def take_snapshot(world: "World", account: Account, view: str) -> dict[str, AlbumSnapshot]:
    """See `World.snapshot`; the caller holds the world's lock."""
    if view not in ("owner", "public"):
        raise ValueError(view)
    owner = view == "owner"
    shapes = Shapes130(world, world.base_url)
    return {
        album.key: AlbumSnapshot(
            album.key,
            album.title,
            {
                image.key: _image(shapes, account, album, image, position, owner)
                for position, image in enumerate(world.listed(album, owner=owner), 1)
            },
            shapes.album(account, album, owner=owner),
        )
        for album in account.albums.values()
        if owner or album.privacy == "Public"
    }


def _image(
    shapes: Shapes130, account: Account, album: Album, image: Image, position: int, owner: bool
) -> ImageSnapshot:
    body = image.best
    if not image.is_video and not (owner or album.originals):
        body = None
    kind = "rendition" if image.is_video else "original"
    return ImageSnapshot(
        key=image.key,
        kind=kind if body is not None else "none",
        body=body,
        listed=shapes.image(account, album, image, position=position, owner=owner),
        file_name=image.file_name,
        processing=image.processing,
    )
