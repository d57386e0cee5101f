"""Albums and images in the shapes of API 1.3.0."""

import hashlib
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.local_smugmug.model import Account, Album, Image

if TYPE_CHECKING:
    from tests.local_smugmug.world import World

_STILLS = {
    "TinyURL": "Ti",
    "ThumbURL": "Th",
    "SmallURL": "S",
    "MediumURL": "M",
    "LargeURL": "L",
    "XLargeURL": "XL",
    "X2LargeURL": "X2",
    "X3LargeURL": "X3",
}
_OWNER_IMAGE = ("Date", "Hidden")
_OWNER_ALBUM = (
    "Backprinting",
    "Clean",
    "ColorCorrection",
    "FamilyEdit",
    "Filenames",
    "FriendEdit",
    "GuestUploadURL",
    "Larges",
    "NiceName",
    "Password",
    "UnsharpAmount",
    "UnsharpRadius",
    "UnsharpSigma",
    "UnsharpThreshold",
    "UploadKey",
    "WorldSearchable",
)


class Shapes130:
    """Renders for one world and one place that the photos are served from.

    ``salt`` makes this answer's tokens differ from another's; ``sandboxed`` puts the photos
    beside a crossdomain.xml.
    """

    def __init__(
        self, world: "World", base_url: str, *, salt: str = "", sandboxed: bool = False
    ) -> None:
        self._world, self._salt = world, salt
        self._photos = f"{base_url}/sandbox/photos" if sandboxed else f"{base_url}/photos"
        self._base_url = base_url

    # -- albums ----------------------------------------------------------------------------------

    def album_light(self, account: Account, album: Album) -> dict[str, Any]:
        data: dict[str, Any] = {
            "id": self.number(album.id),
            "Key": album.key,
            "Title": album.title,
            "Category": category(album.folders[:1]),
        }
        if len(album.folders) > 1:
            data["SubCategory"] = category(album.folders[:2])
        data["URL"] = self.album_url(account, album)
        return data

    def album(
        self, account: Account, album: Album, *, owner: bool, position: int = 0
    ) -> dict[str, Any]:
        """The heavy fields; ``position`` is the album's place in the account."""
        switches = self._world.switches
        count = self._world.counted(album, owner=owner)
        data = self.album_light(account, album) | {
            "NiceName": album.url_name,
            "Description": album.description,
            "Keywords": album.keywords,
            "ImageCount": self.number(count + switches.album_count_off + album.count_off),
            "LastUpdated": self.date(album.updated),
            "Public": self._flag(album.privacy == "Public"),
            "Passworded": self._flag(bool(album.password)),
            "Password": album.password,
            "PasswordHint": album.password_hint,
            "Position": position or list(account.albums).index(album.key) + 1,
            "SortMethod": "Position",
            "SortDirection": self._flag(False),
            "EXIF": self._flag(True),
            "External": self._flag(True),
            "Originals": self._flag(album.originals),
            "Larges": self._flag(True),
            "XLarges": self._flag(True),
            "X2Larges": self._flag(True),
            "X3Larges": self._flag(True),
            "Protected": self._flag(False),
            "Printable": self._flag(True),
            "Comments": self._flag(True),
            "Geography": self._flag(True),
            "Filenames": self._flag(False),
            "FriendEdit": self._flag(False),
            "FamilyEdit": self._flag(False),
            "WorldSearchable": self._flag(True),
            "ColorCorrection": 2,
            "UnsharpAmount": 0.2,
            "UnsharpRadius": 1,
            "UnsharpThreshold": 0.05,
            "UnsharpSigma": 1,
            "Template": {"id": self.number(0)},
            "Theme": {"id": self.number(1), "Name": "default"},
            "UploadKey": account.secrets.upload_key,
            "GuestUploadURL": f"{self._base_url}/upload/{account.secrets.upload_key}",
        }
        if not owner:
            for name in _OWNER_ALBUM:
                data.pop(name, None)
        return data

    def album_url(self, account: Account, album: Album) -> str:
        path = "/".join((*map(folder_url, album.folders), album.url_name))
        return f"https://{account.nickname}.smugmug.com/{path}"

    # -- images ----------------------------------------------------------------------------------

    def image(
        self,
        account: Account,
        album: Album,
        image: Image,
        *,
        position: int,
        owner: bool,
        custom_size: str = "",
    ) -> dict[str, Any]:
        """All fields that the viewer may see."""
        switches = self._world.switches
        collected = album.collected.get(image.key)
        page = f"{self.album_url(account, album)}/i-{image.key}"
        data: dict[str, Any] = {"id": self.number(image.id), "Key": image.key}
        if image.album_key != album.key:
            data["Type"] = collected.type if collected else "Collected"
            data["Album"] = self.album_ref(account, account.albums.get(image.album_key, album))
        else:
            data["Type"] = "Album"
        data |= {
            "Status": "Open",
            "FileName": image.file_name,
            "Title": image.title,
            "Caption": image.caption,
            "Keywords": image.keywords,
            "Date": self.date(image.uploaded),
            "LastUpdated": self.date(image.updated),
            "Format": image.format,
            "Serial": self.number(image.serial),
            "Position": position,
            "Hidden": self._flag(image.hidden),
            "Watermark": self._flag(False),
            "Size": self.number(image.body.size),
            "Width": image.width,
            "Height": image.height,
            "Latitude": image.latitude,
            "Longitude": image.longitude,
            "Altitude": image.altitude,
            "URL": page,
            "LightboxURL": f"{page}/A",
        }
        if image.has_md5 and (owner or switches.anonymous_sees_md5):
            data["MD5Sum"] = image.listed_md5 or image.body.md5
        if not owner:
            for name in _OWNER_IMAGE:
                data.pop(name)
            if not switches.anonymous_sees_file_name:
                data.pop("FileName")
        self._add_urls(data, account, album, image, owner, custom_size)
        return data

    def _add_urls(
        self,
        data: dict[str, Any],
        account: Account,
        album: Album,
        image: Image,
        owner: bool,
        custom_size: str,
    ) -> None:
        """Absent beats null: what is not allowed or not ready is not there."""
        collected = album.collected.get(image.key)
        prefix = self.photo_prefix(account, image)
        if image.is_video:
            data["Duration"] = image.duration
        unready = self._world.switches.unready_video
        if not image.processing or unready != "unlisted":
            for width in image.renditions:
                data[f"Video{width}URL"] = f"{prefix}/{width}/i-{image.key}-{width}.mp4"
        if not image.processing:
            for name, size in _STILLS.items():
                data[name] = f"{prefix}/{size}/i-{image.key}-{size}.jpg"
            if custom_size:
                data["CustomURL"] = f"{prefix}/{custom_size}/i-{image.key}-{custom_size}.jpg"
        allowed = owner or album.originals
        if image.has_original and allowed and (collected is None or collected.with_original):
            data["OriginalURL"] = f"{prefix}/O/i-{image.key}.{original_extension(image)}"

    def album_ref(self, account: Account, album: Album) -> dict[str, Any]:
        return {
            "id": self.number(album.id),
            "Key": album.key,
            "URL": self.album_url(account, album),
        }

    def photo_prefix(self, account: Account, image: Image) -> str:
        token = url_token(self._world, account, image, self._salt)
        return f"{self._photos}/i-{image.key}/{image.serial}/{token}"

    # -- values ----------------------------------------------------------------------------------

    def date(self, epoch: int) -> str:
        shown = epoch + self._world.switches.zone_hours * 3600
        return datetime.fromtimestamp(shown, UTC).strftime("%Y-%m-%d %H:%M:%S")

    def number(self, value: int) -> Any:
        return str(value) if self._world.switches.numbers_as_strings else value

    def _flag(self, value: bool) -> Any:
        return str(int(value)) if self._world.switches.booleans_as_strings else value


def original_extension(image: Image) -> str:
    """A video's original is a JPEG still."""
    if image.is_video:
        return "jpg"
    return {"PNG": "png", "GIF": "gif", "HEIC": "heic"}.get(image.format, "jpg")


def category(folders: tuple[str, ...]) -> dict[str, Any]:
    name = folders[-1] if folders else "Other"
    return {"id": zlib.crc32("/".join(folders).encode()) % 1_000_000, "Name": name}


def folder_url(name: str) -> str:
    return name.replace(" ", "-")


def url_token(world: "World", account: Account, image: Image, salt: str = "") -> str:
    """The opaque part of a photo's URL: a secret, and another one at each rotation."""
    text = f"{account.secrets.url_salt}{image.key}{image.serial}{world.switches.url_rotation}{salt}"
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
