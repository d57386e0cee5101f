"""Users, albums, images, nodes and folders in the shapes of API v2, as recorded from it."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.local_smugmug.bodies import Body
from tests.local_smugmug.model import Account, Album, Image
from tests.local_smugmug.shapes_130 import folder_url, original_extension, url_token

if TYPE_CHECKING:
    from tests.local_smugmug.world import World

API = "/api/v2"
_SIZES = {
    "Tiny": ("Ti", 100),
    "Thumb": ("Th", 150),
    "Small": ("S", 400),
    "Medium": ("M", 600),
    "Large": ("L", 800),
    "XLarge": ("XL", 1024),
    "X2Large": ("X2", 1280),
    "X3Large": ("X3", 1600),
}


@dataclass(slots=True)
class Ref:
    """A link to another resource."""

    uri: str
    locator: str
    many: bool = False


@dataclass(slots=True)
class Thing:
    """One object: fields, and links by name."""

    data: dict[str, Any]
    refs: dict[str, Ref] = field(default_factory=dict)


class ShapesV2:
    """Renders for one world and one place that the photos are served from."""

    def __init__(self, world: "World", base_url: str, *, salt: str = "") -> None:
        self._world, self._base_url, self._salt = world, base_url, salt

    def user(self, account: Account, *, owner: bool) -> Thing:
        uri = f"{API}/user/{account.nickname}"
        data: dict[str, Any] = {
            "NickName": account.nickname,
            "Name": account.name,
            "ViewPassHint": "",
            "RefTag": "",
            "QuickShare": True,
            "ResponseLevel": "Full" if owner else "Public",
            "Uri": uri,
            "WebUri": web(account),
        }
        if owner:
            data |= {
                "AccountStatus": "Active",
                "ImageCount": sum(len(album) for album in account.albums.values()),
                "Plan": "Pro",
            }
        return Thing(
            data,
            {
                "UserAlbums": Ref(f"{uri}!albums", "Album", many=True),
                "Node": Ref(f"{API}/node/{account.node_id}", "Node"),
                "Folder": Ref(f"{API}/folder/user/{account.nickname}", "Folder"),
                "UrlPathLookup": Ref(f"{uri}!urlpathlookup", "Folder,Album,Page"),
            },
        )

    def album(self, account: Account, album: Album, *, owner: bool) -> Thing:
        switches = self._world.switches
        uri = f"{API}/album/{album.key}"
        count = self._world.counted(album, owner=owner)
        level = "Full" if owner else "Password" if album.password else "Public"
        data: dict[str, Any] = {
            "NiceName": album.url_name,
            "UrlName": album.url_name,
            "Title": album.title,
            "Name": album.title,
            "AllowDownloads": album.originals,
            "Description": album.description,
            "EXIF": True,
            "External": True,
            "Filenames": False,
            "Geography": True,
            "Keywords": album.keywords,
            "PasswordHint": album.password_hint,
            "Protected": False,
            "SortDirection": "Ascending",
            "SortMethod": "Position",
            "SecurityType": "Password" if album.password else "None",
            "AlbumKey": album.key,
            "CanBuy": True,
            "CanFavorite": False,
            "LastUpdated": iso(album.updated),
            "ImagesLastUpdated": iso(album.images_updated),
            "NodeID": album.node_id,
            "ImageCount": count + switches.album_count_off + album.count_off,
            "UrlPath": album_path(album),
            "CanShare": True,
            "HasDownloadPassword": False,
            "Packages": False,
            "ResponseLevel": level,
            "Uri": uri,
            "WebUri": f"{web(account)}{album_path(album)}",
        }
        if owner:
            data |= {
                "Privacy": album.privacy,
                "Password": album.password,
                "UploadKey": account.secrets.upload_key,
                "Date": iso(album.created),
            }
        folder = folder_uri(account, album.folders)
        return Thing(
            data,
            {
                "Node": Ref(f"{API}/node/{album.node_id}", "Node"),
                "User": Ref(f"{API}/user/{account.nickname}", "User"),
                "Folder": Ref(folder, "Folder"),
                "ParentFolders": Ref(f"{folder}!parents", "Folder", many=True),
                "AlbumImages": Ref(f"{uri}!images", "AlbumImage", many=True),
                "AlbumDownload": Ref(f"{uri}!download", "Download", many=True),
            },
        )

    def image(
        self, account: Account, album: Album, image: Image, *, owner: bool, in_album: bool
    ) -> Thing:
        """An Image, or an AlbumImage if it is shown ``in_album``."""
        own_uri = f"{API}/image/{image.key}-{image.serial}"
        uri = f"{API}/album/{album.key}/image/{image.key}-{image.serial}" if in_album else own_uri
        numbers = self._world.switches.v2_coordinates_as_numbers
        served: Body | None = image.still if image.is_video else image.body
        data: dict[str, Any] = {
            "Title": image.title,
            "Caption": image.caption,
            "Keywords": image.keywords,
            "KeywordArray": [word for word in image.keywords.split("; ") if word],
            "Watermark": "No",
            "Latitude": image.latitude if numbers else f"{image.latitude:.14f}",
            "Longitude": image.longitude if numbers else f"{image.longitude:.14f}",
            "Altitude": image.altitude,
            "Hidden": image.hidden,
            "ThumbnailUrl": self._url(account, image, "Th"),
            "FileName": image.file_name,
            "Processing": image.processing or image.cannot_process,
            "UploadKey": str(image.id),
            "Date": iso(image.uploaded),
            "DateTimeUploaded": iso(image.uploaded),
            "Format": image.format,
            "OriginalHeight": image.height,
            "OriginalWidth": image.width,
            "OriginalSize": served.size if served else 0,
            "LastUpdated": iso(image.updated),
            "Collectable": True,
            "IsArchive": False,
            "IsVideo": image.is_video,
            "ComponentFileTypes": {kind: [kind] for kind in image.components} or [],
            "CanEdit": owner,
            "CanBuy": True,
            "Protected": False,
            "Watermarked": False,
            "ImageKey": image.key,
            "Serial": image.serial,
            "CanShare": True,
            "Comments": True,
            "ShowKeywords": True,
            "Status": "Preprocess" if image.cannot_process else "Open",
            "SubStatus": "CanNotProcess" if image.cannot_process else "NFS",
            "ResponseLevel": "Full" if owner else "Public",
            "Uri": uri,
            "WebUri": f"{web(account)}{album_path(album)}/i-{image.key}",
        }
        if in_album or self._world.switches.v2_image_has_archived:
            self._add_archived(data, account, album, image, owner)
        refs = self._image_refs(image, own_uri)
        if in_album:
            self._add_place(data, refs, account, album, image)
        return Thing(data, refs)

    def _add_archived(
        self, data: dict[str, Any], account: Account, album: Album, image: Image, owner: bool
    ) -> None:
        """Of a video, these are its JPEG still's (seen in 2026)."""
        collected = album.collected.get(image.key)
        served = image.still if image.is_video else image.body
        allowed = (owner or album.originals) and (collected is None or collected.with_original)
        ready = not image.processing or self._world.switches.v2_processing_has_archived
        if served is None or not allowed or not image.has_original or not ready:
            return
        data["ArchivedUri"] = self._url(account, image, "D")
        data["ArchivedSize"] = served.size
        if image.has_md5 and (owner or self._world.switches.v2_anonymous_sees_md5):
            listed = None if image.is_video else image.listed_md5
            data["ArchivedMD5"] = listed or served.md5

    def _image_refs(self, image: Image, uri: str) -> dict[str, Ref]:
        refs = {
            "LargestImage": Ref(f"{uri}!largestimage", "LargestImage"),
            "ImageSizes": Ref(f"{uri}!sizes", "ImageSizes"),
            "ImageSizeDetails": Ref(f"{uri}!sizedetails", "ImageSizeDetails"),
            "ImageMetadata": Ref(f"{API}/image/{image.key}!metadata", "ImageMetadata"),
            "ImageDownload": Ref(f"{API}/image/{image.key}!download", "ImageDownload"),
            "ImageAlbum": Ref(f"{API}/album/{image.album_key}", "Album"),
        }
        if image.is_video and not image.processing:
            refs["LargestVideo"] = Ref(f"{uri}!largestvideo", "LargestVideo")
        return refs

    def _add_place(
        self,
        data: dict[str, Any],
        refs: dict[str, Ref],
        account: Account,
        album: Album,
        image: Image,
    ) -> None:
        data["AlbumKey"] = album.key
        data["Movable"] = True
        data["Origin"] = "Album"
        if image.album_key != album.key:
            collected = album.collected.get(image.key)
            data["Origin"] = collected.type if collected else "Collected"
            # A name, as recorded answers show it, and no URI.
            data["CollectedFrom"] = account.albums[image.album_key].title
        refs["Album"] = Ref(f"{API}/album/{album.key}", "Album")
        refs["Image"] = Ref(f"{API}/image/{image.key}-{image.serial}", "Image")

    def size_details(self, account: Account, album: Album, image: Image, *, owner: bool) -> Thing:
        data: dict[str, Any] = {
            "ImageUrlTemplate": self._url(account, image, "#size#"),
            "UsableSizes": [],
        }
        for name, (code, width) in _SIZES.items():
            data[f"ImageSize{name}"] = {
                "Url": self._url(account, image, code),
                "Ext": "jpg",
                "Height": width * 3 // 4,
                "Width": width,
                "Watermarked": False,
            }
        if not image.is_video and image.has_original and (owner or album.originals):
            data["ImageSizeOriginal"] = {
                "Url": self._url(account, image, "O"),
                "Ext": original_extension(image),
                "Height": image.height,
                "Width": image.width,
                "Size": image.body.size,
                "MD5": image.body.md5,
                "Watermarked": False,
            }
        if not image.processing:
            for width in sorted(image.renditions):
                data[f"VideoSize{width}"] = self.video(account, image, width)
        data["UsableSizes"] = [name for name in data if "Size" in name and name != "UsableSizes"]
        data["Uri"] = f"{API}/image/{image.key}-{image.serial}!sizedetails"
        return Thing(data)

    def video(self, account: Account, image: Image, width: int) -> dict[str, Any]:
        """One rendition of a video."""
        body = image.renditions[width]
        return {
            "Url": self._url(account, image, str(width)),
            "Ext": "mp4",
            "Width": width,
            "Height": width * 9 // 16,
            "Size": body.size,
            "MD5": body.md5,
            "Duration": image.duration,
            "Bitrate": 2_000,
            "Usable": True,
            "Watermarked": False,
        }

    def largest_image(self, account: Account, image: Image) -> Thing:
        return Thing(
            {
                "Url": self._url(account, image, "D"),
                "Ext": original_extension(image),
                "Width": image.width,
                "Height": image.height,
                "Usable": True,
                "Watermarked": False,
            }
        )

    def download(self, account: Account, image: Image) -> Thing:
        return Thing({"Url": self._url(account, image, "D")})

    def node(self, account: Account, folders: tuple[str, ...], album: Album | None = None) -> Thing:
        """A folder of the tree, or the album in it; no folders: the root."""
        node = album.node_id if album is not None else node_id(account, folders)
        path = album_path(album) if album is not None else folder_path(folders) or "/"
        name = album.title if album is not None else folders[-1] if folders else ""
        uri = f"{API}/node/{node}"
        refs = {
            "ParentNodes": Ref(f"{uri}!parents", "Node", many=True),
            "User": Ref(f"{API}/user/{account.nickname}", "User"),
        }
        if album is not None:
            refs["Album"] = Ref(f"{API}/album/{album.key}", "Album")
        else:
            refs["FolderByID"] = Ref(f"{API}/folder/id/{node}", "Folder")
            refs["ChildNodes"] = Ref(f"{uri}!children", "Node", many=True)
        if folders or album is not None:
            refs["ParentNode"] = Ref(f"{uri}!parent", "Node")
        data = {
            "Name": name,
            "UrlName": path.rpartition("/")[2],
            "Description": album.description if album is not None else "",
            "Type": "Album" if album is not None else "Folder",
            "Privacy": album.privacy if album is not None else "Public",
            "IsRoot": album is None and not folders,
            "HasChildren": album is None,
            "NodeID": node,
            "UrlPath": path,
            "ResponseLevel": "Public",
            "Uri": uri,
            "WebUri": f"{web(account)}{path.rstrip('/')}",
        }
        return Thing(data, refs)

    def folder(self, account: Account, folders: tuple[str, ...]) -> Thing:
        uri = folder_uri(account, folders)
        node = node_id(account, folders)
        refs = {
            "FolderByID": Ref(f"{API}/folder/id/{node}", "Folder"),
            "Node": Ref(f"{API}/node/{node}", "Node"),
            "User": Ref(f"{API}/user/{account.nickname}", "User"),
            "Folders": Ref(f"{uri}!folders", "Folder", many=True),
            "FolderAlbums": Ref(f"{uri}!albums", "Album", many=True),
        }
        if folders:
            parent = folder_uri(account, folders[:-1])
            refs["ParentFolder"] = Ref(f"{uri}!parent", "Folder")
            refs["ParentFolders"] = Ref(f"{parent}!parents", "Folder", many=True)
        data = {
            "Name": folders[-1] if folders else "",
            "UrlName": folder_url(folders[-1]) if folders else "",
            "SecurityType": "None",
            "Description": "",
            "Keywords": "",
            "UrlPath": folder_path(folders) or "/",
            "NodeID": node,
            "IsEmpty": False,
            "ResponseLevel": "Public",
            "Uri": uri,
            "WebUri": f"{web(account)}{folder_path(folders)}",
        }
        return Thing(data, refs)

    def _url(self, account: Account, image: Image, size: str) -> str:
        token = url_token(self._world, account, image, self._salt)
        prefix = f"{self._base_url}/photos/i-{image.key}/{image.serial}/{token}/{size}"
        if size == "O":
            return f"{prefix}/i-{image.key}.{original_extension(image)}"
        extension = "mp4" if size.isdigit() else original_extension(image)
        return f"{prefix}/i-{image.key}-{size}.{extension}"


def iso(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="seconds")


def web(account: Account) -> str:
    return f"https://{account.nickname}.smugmug.com"


def folder_path(folders: tuple[str, ...]) -> str:
    return "".join(f"/{folder_url(name)}" for name in folders)


def album_path(album: Album) -> str:
    return f"{folder_path(album.folders)}/{album.url_name}"


def folder_uri(account: Account, folders: tuple[str, ...]) -> str:
    return f"{API}/folder/user/{account.nickname}{folder_path(folders)}"


def node_id(account: Account, folders: tuple[str, ...]) -> str:
    """The id of a folder's node, always the same for the same path."""
    if not folders:
        return account.node_id
    digest = hashlib.blake2b("/".join((account.nickname, *folders)).encode(), digest_size=4)
    return f"f{digest.hexdigest()}"
