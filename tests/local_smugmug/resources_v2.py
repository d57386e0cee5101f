"""Which resource of API v2 lies under a URI, for one viewer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.local_smugmug.model import Account, Album, Image
from tests.local_smugmug.oauth import Viewer
from tests.local_smugmug.shapes_v2 import (
    API,
    ShapesV2,
    Thing,
    album_path,
    folder_path,
    folder_uri,
    node_id,
)

if TYPE_CHECKING:
    from tests.local_smugmug.world import World


@dataclass
class Resource:
    """What a URI stands for: one thing, or many that are made page by page."""

    uri: str
    locator: str
    things: Callable[[int, int], list[Thing]]
    """The things from one place up to another."""
    many: bool = False
    length: int = 1
    """How many can be had."""
    total: int = 1
    """How many the pages say there are."""
    status: int = 200


def _one(uri: str, locator: str, thing: Thing) -> Resource:
    return Resource(uri, locator, lambda first, last: [thing])


def _refusal(status: int) -> Resource:
    return Resource("", "", lambda first, last: [], status=status)


class Resources:
    """Finds resources; None is "not found", a status other than 200 a refusal."""

    def __init__(
        self,
        world: "World",
        shapes: ShapesV2,
        viewer: Viewer,
        may_see: Callable[[Account, Album], bool],
    ) -> None:
        self._world, self._shapes, self._viewer, self._may_see = world, shapes, viewer, may_see

    def get(self, uri: str, params: dict[str, str]) -> Resource | None:
        path, _, action = uri.removeprefix(API).partition("!")
        parts = [part for part in path.split("/") if part]
        match parts:
            case [] if action == "authuser":
                return self._auth_user()
            case [] if action == "siteuser":
                return self._user(self._world.account, "", params)
            case ["user", nickname]:
                account = self._world.accounts.get(nickname.lower())
                return self._user(account, action, params) if account else None
            case ["album", key, *rest]:
                return self._album(uri, key, rest, action)
            case ["image", key] | ["video", key]:
                return self._image(uri, key, action)
            case ["node", node]:
                return self._node(uri, node, action)
            case ["folder", "id", node]:
                return self._folder_by_id(uri, node, action)
            case ["folder", "user", nickname, *names]:
                account = self._world.accounts.get(nickname.lower())
                return self._folder(account, names, action) if account else None
        return None

    # -- users -----------------------------------------------------------------------------------

    def _auth_user(self) -> Resource:
        account = self._viewer.account
        if account is None:
            return _refusal(401)
        return self._user(account, "", {}) or _refusal(404)

    def _user(self, account: Account, action: str, params: dict[str, str]) -> Resource | None:
        uri = f"{API}/user/{account.nickname}"
        owner = self._viewer.owns(account)
        if action == "":
            return _one(uri, "User", self._shapes.user(account, owner=owner))
        if account.site_protected and not owner:
            return _refusal(401)
        if action == "albums":
            return self._albums(f"{uri}!albums", account, account.albums.values())
        if action == "urlpathlookup":
            return self._by_path(account, params.get("urlpath", "").rstrip("/"))
        return None

    def _albums(self, uri: str, account: Account, albums: Iterable[Album]) -> Resource:
        owner = self._viewer.owns(account)
        shown = [album for album in albums if owner or album.privacy == "Public"]
        return Resource(
            uri,
            "Album",
            lambda first, last: [
                self._shapes.album(account, album, owner=owner) for album in shown[first:last]
            ],
            many=True,
            length=len(shown),
            total=len(shown),
        )

    def _by_path(self, account: Account, path: str) -> Resource | None:
        for album in account.albums.values():
            if album_path(album) == path:
                return self._album("", album.key, [], "")
        return self._folder(account, path.strip("/").split("/") if path else [], "")

    # -- albums and images -----------------------------------------------------------------------

    def _album(self, uri: str, key: str, rest: list[str], action: str) -> Resource | None:
        for account in self._world.accounts.values():
            album = account.albums.get(key)
            if album is not None:
                break
        else:
            return None
        owner = self._viewer.owns(account)
        if not owner and (album.privacy == "Private" or account.site_protected):
            return None if album.privacy == "Private" else _refusal(401)
        if not rest and action == "":
            shown = self._shapes.album(account, album, owner=owner)
            return _one(f"{API}/album/{key}", "Album", shown)
        if not owner and not self._may_see(account, album):
            if action == "images" and self._world.switches.v2_password_listing == "empty":
                return _many(f"{API}/album/{key}!images", "AlbumImage", [])
            return _refusal(401)
        if not rest and action == "images":
            return self._album_images(account, album, owner)
        if len(rest) == 2 and rest[0] == "image" and not action:
            image = self._listed(album, rest[1], owner)
            if image is None:
                return None
            thing = self._shapes.image(account, album, image, owner=owner, in_album=True)
            return _one(uri, "AlbumImage", thing)
        return None

    def _album_images(self, account: Account, album: Album, owner: bool) -> Resource:
        listed = self._world.listed(album, owner=owner)
        counted = self._world.counted(album, owner=owner)
        switches = self._world.switches

        def things(first: int, last: int) -> list[Thing]:
            return [
                self._shapes.image(account, album, image, owner=owner, in_album=True)
                for image in listed[first:last]
            ]

        return Resource(
            f"{API}/album/{album.key}!images",
            "AlbumImage",
            things,
            many=True,
            length=len(listed),
            total=counted + switches.listing_count_off + album.listing_count_off,
        )

    def _listed(self, album: Album, name: str, owner: bool) -> Image | None:
        key = name.partition("-")[0]
        images = self._world.listed(album, owner=owner)
        return next((image for image in images if image.key == key), None)

    def _image(self, uri: str, name: str, action: str) -> Resource | None:
        key = name.partition("-")[0]
        for account in self._world.accounts.values():
            found = account.find(key)
            if found is not None:
                break
        else:
            return None
        image = found.shown(self._world.now())
        album = account.albums.get(found.album_key)
        if image is None or album is None:
            return None
        owner = self._viewer.owns(account)
        if not owner:
            if album.privacy == "Private" or image.hidden:
                return None
            if account.site_protected or not self._may_see(account, album):
                return _refusal(401)
        return self._aspect(uri, account, album, image, action, owner)

    def _aspect(
        self, uri: str, account: Account, album: Album, image: Image, action: str, owner: bool
    ) -> Resource | None:
        """The image itself, or one side of it."""
        shapes = self._shapes
        if action == "":
            thing = shapes.image(account, album, image, owner=owner, in_album=False)
            return _one(uri, "Image", thing)
        if action == "sizedetails":
            details = shapes.size_details(account, album, image, owner=owner)
            return _one(uri, "ImageSizeDetails", details)
        if action == "largestimage":
            return _one(uri, "LargestImage", shapes.largest_image(account, image))
        if action == "download" and image.has_original:
            return _one(uri, "ImageDownload", shapes.download(account, image))
        ready = image.renditions if not image.processing else {}
        if action == "largestvideo" and ready:
            video = shapes.video(account, image, max(ready))
            return _one(uri, "LargestVideo", Thing(video | {"Uri": uri}))
        if action.startswith("size") and action[4:].isdigit() and int(action[4:]) in ready:
            video = shapes.video(account, image, int(action[4:]))
            return _one(uri, f"VideoSize{action[4:]}", Thing(video | {"Uri": uri}))
        return None

    # -- the tree --------------------------------------------------------------------------------

    def _folder(self, account: Account, names: list[str], action: str) -> Resource | None:
        folders = self._known_folder(account, "".join(f"/{name}" for name in names))
        if folders is None:
            return None
        uri = folder_uri(account, folders)
        if action == "":
            return _one(uri, "Folder", self._shapes.folder(account, folders))
        if action == "parent":
            return _one(uri, "Folder", self._shapes.folder(account, folders[:-1]))
        if action == "parents":
            # From the folder itself up to the root.
            chain = [folders[:length] for length in range(len(folders), -1, -1)]
            things = [self._shapes.folder(account, part) for part in chain]
            return _many(f"{uri}!parents", "Folder", things)
        if action == "folders":
            inner = _children(account, folders)
            things = [self._shapes.folder(account, part) for part in inner]
            return _many(f"{uri}!folders", "Folder", things)
        if action == "albums":
            inside = [album for album in account.albums.values() if album.folders == folders]
            return self._albums(f"{uri}!albums", account, inside)
        return None

    def _known_folder(self, account: Account, path: str) -> tuple[str, ...] | None:
        if not path.strip("/"):
            return ()
        known = (folders for folders in _all_folders(account) if folder_path(folders) == path)
        return next(known, None)

    def _folder_by_id(self, uri: str, node: str, action: str) -> Resource | None:
        for account in self._world.accounts.values():
            for folders in _all_folders(account):
                if node_id(account, folders) == node:
                    return self._folder(account, folder_path(folders).split("/")[1:], action)
        return None

    def _node(self, uri: str, node: str, action: str) -> Resource | None:
        for account in self._world.accounts.values():
            for album in account.albums.values():
                if album.node_id == node:
                    if not self._viewer.owns(account) and album.privacy == "Private":
                        return None
                    return self._tree(uri, account, album.folders, album, action)
            for folders in _all_folders(account):
                if node_id(account, folders) == node:
                    return self._tree(uri, account, folders, None, action)
        return None

    def _tree(
        self,
        uri: str,
        account: Account,
        folders: tuple[str, ...],
        album: Album | None,
        action: str,
    ) -> Resource | None:
        node = self._shapes.node
        if action == "":
            return _one(uri, "Node", node(account, folders, album))
        if action == "parent":
            parent = folders if album is not None else folders[:-1]
            return _one(uri, "Node", node(account, parent))
        if action == "parents":
            # From the node itself up to the root.
            chain = [node(account, folders[:length]) for length in range(len(folders), -1, -1)]
            return _many(uri, "Node", [*([node(account, folders, album)] if album else []), *chain])
        if action == "children" and album is None:
            owner = self._viewer.owns(account)
            things = [node(account, part) for part in _children(account, folders)]
            things += [
                node(account, folders, inner)
                for inner in account.albums.values()
                if inner.folders == folders and (owner or inner.privacy == "Public")
            ]
            return _many(uri, "Node", things)
        return None


def _many(uri: str, locator: str, things: list[Thing]) -> Resource:
    return Resource(
        uri,
        locator,
        lambda first, last: things[first:last],
        many=True,
        length=len(things),
        total=len(things),
    )


def _all_folders(account: Account) -> list[tuple[str, ...]]:
    """Every folder of the account, the root first."""
    known: dict[tuple[str, ...], None] = {(): None}
    for path in dict.fromkeys(album.folders for album in account.albums.values()):
        for length in range(1, len(path) + 1):
            known[path[:length]] = None
    return list(known)


def _children(account: Account, folders: tuple[str, ...]) -> list[tuple[str, ...]]:
    depth = len(folders)
    return [path for path in _all_folders(account) if path[:-1] == folders and len(path) > depth]
