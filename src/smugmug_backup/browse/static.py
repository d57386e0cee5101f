"""The same pages as files, which open by a double click, without a program and without a network.

    index.html                        the albums in their folders
    albums/<album>/1.html, 2.html …   an album in pieces; each photo with all that is known of it
    gone.html                         what SmugMug shows no more
    search.html, search/1.js …        search over names, captions and keywords
    pictures/<md5>.jpg                small pictures
    originals/…                       the originals, where they were asked for

Names are made from keys, so they are good on every disk. Browsers fetch nothing by script from a
disk; the search gets its words by ``<script src>``, which they load. A second call writes only what
has changed, and removes only what an earlier call wrote.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from smugmug_backup.archive.titles import safe_name
from smugmug_backup.browse.originals import Originals
from smugmug_backup.browse.pictures import SMALL, Pictures
from smugmug_backup.browse.site import templates
from smugmug_backup.browse.views import PAGE, AlbumView, ImageView, Views, tree
from smugmug_backup.errors import BackupError, BadRequest, NotABackup

_LIST = "files.json"
_MARK = "smugmug-backup/pages"
_WORDS_A_FILE = 5_000

Tell = Callable[[int, int], None]
"""Told how many albums of how many are written."""


@dataclass(slots=True)
class Written:
    """What a call did. ``failed``: originals that could not be copied, and why."""

    written: int
    same: int
    removed: int
    failed: list[str]


class StaticSite:
    """Writes the pages into ``folder``. ``originals``: copied into it if given.

    Raises BadRequest if the folder holds anything that is not from an earlier call.
    """

    def __init__(
        self,
        views: Views,
        pictures: Pictures,
        folder: Path,
        *,
        originals: Originals | None = None,
        at: str | None = None,
    ) -> None:
        self._views, self._pictures, self._folder = views, pictures, folder
        self._originals, self._at = originals, at
        self._templates = templates()
        self._done = Written(0, 0, 0, [])
        self._covers: dict[str, str | None] = {}
        self._now: set[str] = set()
        self._before = self._earlier()

    def write(self, tell: Tell | None = None) -> Written:
        """Write all of it; returns what had to be done."""
        for name in ("style.css", "search.js", "icon.svg"):
            asset = resources.files("smugmug_backup.browse") / "assets" / name
            self._put(name, asset.read_bytes())
        there, gone = self._views.there_and_gone(self._at)
        words: list[list[Any]] = []
        for number, album in enumerate([*there, *gone], 1):
            self._album(album, words)
            if tell is not None:
                tell(number, len(there) + len(gone))
        self._search(words)
        self._page("gone.html", "static/gone.html", "", albums=gone)
        self._page("index.html", "static/index.html", "", root=tree(there), gone=gone)
        self._clean()
        return self._done

    # -- pages -----------------------------------------------------------------------------------

    def _album(self, album: AlbumView, words: list[list[Any]]) -> None:
        place = f"albums/{safe_name(album.album_key)}"
        images = list(self._images(album))
        parts = [images[start : start + PAGE] for start in range(0, len(images), PAGE)] or [[]]
        for number, part in enumerate(parts, 1):
            shown = [(image, self._picture(image), self._original(image)) for image in part]
            histories = {
                image.image_key: self._views.history(album.album_key, image.image_key)
                for image in part
            }
            self._page(
                f"{place}/{number}.html",
                "static/album.html",
                "../../",
                album=album,
                images=shown,
                histories=histories,
                page=number,
                pages=len(parts),
            )
            for image, picture, _ in shown:
                text = " ".join(
                    each for each in (image.title, image.caption, image.keywords) if each
                )
                page = f"{place}/{number}.html#{image.image_key}"
                words.append([image.label, album.name, text[:500], page, picture])
        cover = next((image for image in images if image.has_bytes), None)
        self._covers[album.album_key] = self._picture(cover) if cover else None

    def _images(self, album: AlbumView) -> Iterator[ImageView]:
        """Those that are there in their order, then those that have left."""
        page, seen = 1, 0
        while True:
            images, total = self._views.images(album.album_key, self._at, page=page)
            yield from images
            page, seen = page + 1, seen + len(images)
            if seen >= total or not images:
                break
        if self._at is None:
            yield from self._views.gone_images(album.album_key)

    def _search(self, words: list[list[Any]]) -> None:
        parts = [
            words[start : start + _WORDS_A_FILE] for start in range(0, len(words), _WORDS_A_FILE)
        ]
        for number, part in enumerate(parts, 1):
            # Valid in a script, too: no line separator, and nothing that ends the element.
            text = json.dumps(part, ensure_ascii=True).replace("<", "\\u003c")
            self._put(f"search/{number}.js", f"found({text});\n".encode())
        self._page("search.html", "static/search.html", "", parts=len(parts))

    def _page(self, name: str, template: str, up: str, **values: Any) -> None:
        facts = self._views.facts()
        html = self._templates.get_template(template).render(
            {"facts": facts, "up": up, "at": self._at, "covers": self._covers, **values},
            directory=safe_name,
        )
        self._put(name, html.encode("utf-8", "replace"))

    # -- files -----------------------------------------------------------------------------------

    def _picture(self, image: ImageView) -> str | None:
        if not image.has_bytes:
            return None
        name = f"pictures/{image.md5[:2]}/{self._pictures.name(image)}.jpg"
        if name in self._now:
            return name
        if (self._folder / name).exists() and name in self._before:
            self._now.add(name)
            self._done.same += 1
            return name
        body = self._pictures.jpeg(image, SMALL)
        if body is None:
            return None
        self._put(name, body)
        return name

    def _original(self, image: ImageView) -> str | None:
        if self._originals is None or not image.has_bytes:
            return None
        name, path = image.key, self._folder / image.key
        self._now.add(name)
        if path.exists() and path.stat().st_size == image.bytes:
            self._done.same += 1
            return str(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.part")
            digest = hashlib.sha256()
            with fresh.open("wb") as out:
                for piece in self._originals.pieces(image.key, 0, image.bytes):
                    digest.update(piece)
                    out.write(piece)
            if digest.hexdigest() != image.sha256:
                fresh.unlink()
                raise NotABackup(f"{image.key} does not have the SHA-256 that is stated of it")
            fresh.replace(path)
        except BackupError as error:
            self._now.discard(name)
            self._done.failed.append(f"{image.label}: {error}")
            return None
        self._done.written += 1
        return str(name)

    def _put(self, name: str, body: bytes) -> None:
        self._now.add(name)
        path = self._folder / name
        if path.exists() and path.read_bytes() == body:
            self._done.same += 1
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        self._done.written += 1

    def _earlier(self) -> set[str]:
        """What an earlier call wrote into the folder."""
        listed = self._folder / _LIST
        try:
            found = json.loads(listed.read_bytes())
            if found["format"] == _MARK:
                return {str(each) for each in found["files"]}
        except (OSError, ValueError, KeyError, TypeError):
            pass
        if self._folder.exists() and any(self._folder.iterdir()):
            raise BadRequest(f"{self._folder} is not empty, and holds no pages of an earlier call")
        self._folder.mkdir(parents=True, exist_ok=True)
        # Before anything else: what a call that is killed has written is known to be ours.
        self._remember(set())
        return set()

    def _remember(self, files: set[str]) -> None:
        text = json.dumps({"format": _MARK, "files": sorted(files)}, indent=0)
        (self._folder / _LIST).write_text(text, encoding="utf-8")

    def _clean(self) -> None:
        root = self._folder.resolve()
        for name in self._before - self._now:
            path = self._folder / name
            if path.resolve().is_relative_to(root) and path.is_file():
                path.unlink()
                self._done.removed += 1
        self._remember(self._now)
