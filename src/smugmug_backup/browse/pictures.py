"""Small and large pictures of originals, as JPEG; kept by the bytes' own MD5.

=============================  ===========================================================
an original                    its picture
=============================  ===========================================================
JPEG, PNG, GIF, WebP, TIFF     made with Pillow: upright, in sRGB
JPEG or TIFF that is not on    the preview that cameras put into the first 128 KiB, if it
a disk, for a small picture    is large enough; else the whole is read
HEIC                           the same with ``pillow-heif``
of no known kind, or a TIFF    as a RAW: the JPEG in it, by ``rawpy``
that is a RAW
a video on a disk              its first frame, by ``av``
all else                       none: a sheet with its name is drawn (`sheet`)
=============================  ===========================================================

Each library is optional; what is lacking, or cannot be decoded, ends in the sheet. What a library
that comes later shows, or shows better, is made then.
"""

import importlib
import io
import struct
import threading
import warnings
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

from smugmug_backup.archive.archive import Archive
from smugmug_backup.browse.originals import Originals, extension_of
from smugmug_backup.errors import BackupError
from smugmug_backup.system import make_private

SMALL, LARGE = 320, 2400
"""The longer edge in pixels."""

_HEAD = 128 * 1024
_ENOUGH = 150
_MOST_BYTES = 300 * 10**6
_MOST_PIXELS = 250_000_000
_LIBRARIES = {"bin": "rawpy", "heic": "pillow_heif", "mp4": "av", "mov": "av"}
"""What can be shown by one library alone."""
_AT_A_TIME = 2
"""So many pictures are decoded at once: each may need a gigabyte."""


class Pictures:
    """Makes them; safe for many threads. ``folder``: where they are kept, None for nowhere.

    ``on_disk``: reading costs nothing, so the whole of an original may be read for a small picture.
    """

    def __init__(self, originals: Originals, folder: Path | None, *, on_disk: bool) -> None:
        self._originals = originals
        self._folder = folder
        self._on_disk = on_disk
        self._busy = threading.Semaphore(_AT_A_TIME)
        self._none: set[tuple[str, int]] = set()

    def jpeg(self, image: Any, edge: int) -> bytes | None:
        """The picture of a version, at most ``edge`` pixels long; None if there is none."""
        name = self.name(image)
        if not image.has_bytes or (name, edge) in self._none:
            return None
        library = _LIBRARIES.get(extension_of(image.key))
        if library is not None and not _is_there(library):
            return None
        kept = self._kept(name, edge)
        if kept is not None and kept.exists():
            return kept.read_bytes()
        try:
            with self._busy:
                body = self._made(image, edge)
        except BackupError:
            return None  # The disk may be back for the next look.
        if body is None:
            self._none.add((name, edge))
        elif kept is not None:
            _keep(kept, body)
        return body

    def name(self, image: Any) -> str:
        """What the picture of a version is called. One that another library makes better has
        another name: a TIFF may be a RAW, of which Pillow shows a tiny picture at most."""
        better = extension_of(image.key) == "tif" and _is_there("rawpy")
        return f"{image.md5}-raw" if better else str(image.md5)

    def _kept(self, name: str, edge: int) -> Path | None:
        return None if self._folder is None else self._folder / name[:2] / f"{name}-{edge}.jpg"

    def _made(self, image: Any, edge: int) -> bytes | None:
        extension = extension_of(image.key)
        try:
            if extension in ("mp4", "mov"):
                return self._frame(image, edge)
            if extension == "bin":
                return _embedded(self._whole(image), edge)
            if not self._on_disk and edge == SMALL and extension in ("jpg", "tif", "heic"):
                head = self._originals.part(image.key, 0, min(_HEAD, image.bytes))
                # One that is damaged is as good as none.
                with suppress(Exception):
                    preview = _preview(head)
                    if preview is not None:
                        return _shrunk(preview, edge, extension)
            body = self._whole(image)
            if extension == "tif":
                # Most RAWs are TIFFs, too, whose first picture may be a tiny one. What is no RAW
                # is refused by its head.
                with suppress(Exception):
                    return _embedded(body, edge)
            return _shrunk(body, edge, extension)
        except BackupError:
            raise
        except Exception:  # noqa: BLE001 (decoders fail on damaged files in ways of their own)
            return None

    def _whole(self, image: Any) -> bytes:
        if image.bytes > _MOST_BYTES:
            raise ValueError("too large to be shown")
        return b"".join(self._originals.pieces(image.key, 0, image.bytes))

    def _frame(self, image: Any, edge: int) -> bytes | None:
        if not self._on_disk:
            return None
        import av

        with av.open(Readable(self._originals, image.key, image.bytes), "r") as container:
            for frame in container.decode(video=0):
                picture: Any = frame
                return _saved(picture.to_image(), edge)
        return None


def pictures_of(archive: Archive, folder: Path | None, *, on_disk: bool) -> Pictures:
    """The pictures of an archive's originals."""
    return Pictures(Originals(archive), folder, on_disk=on_disk)


def _is_there(library: str) -> bool:
    """Whether it can be used: asked anew each time, as it may come while pages are served."""
    try:
        importlib.import_module(library)
    except ImportError:
        return False
    return True


class Readable(io.RawIOBase):
    """An original as a file that is read where the reader looks."""

    def __init__(self, originals: Originals, key: str, size: int) -> None:
        self._originals, self._key, self._size, self._at = originals, key, size, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """The next byte."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        left = max(0, self._size - self._at)
        length = left if size < 0 else min(size, left)
        body = self._originals.part(self._key, self._at, length) if length else b""
        self._at += len(body)
        return body


def _open(body: bytes, extension: str) -> Any:
    from PIL import Image

    if extension == "heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(body))


def _embedded(body: bytes, edge: int) -> bytes:
    """The JPEG in a RAW. Raises what rawpy raises for what is none, or has none."""
    import rawpy

    with rawpy.imread(io.BytesIO(body)) as raw:
        thumb = raw.extract_thumb()
    if thumb.format != rawpy.ThumbFormat.JPEG:
        raise ValueError("it holds no JPEG")
    return _shrunk(bytes(thumb.data), edge, "jpg")


def _shrunk(body: bytes, edge: int, extension: str) -> bytes:
    with _open(body, extension) as picture:
        picture.draft("RGB", (edge, edge))
        return _saved(picture, edge)


def _saved(picture: Any, edge: int) -> bytes:
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    profile = picture.info.get("icc_profile")
    flat = _on_white(upright)
    if profile:
        flat = _in_srgb(flat, profile)
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=85, progressive=True)
    return out.getvalue()


def _on_white(picture: Any) -> Any:
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture.getchannel("A"))
        return white
    if picture.mode.startswith("I"):
        # 16 bits a pixel, of scans: the upper eight are what a screen shows.
        return picture.point(lambda value: value / 256).convert("L").convert("RGB")
    return picture.convert("RGB")


def _in_srgb(picture: Any, profile: bytes) -> Any:
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError):
        return picture


def _preview(head: bytes) -> bytes | None:
    """The picture that the camera put into the EXIF, if it is large enough for a grid; upright."""
    from PIL import Image

    with Image.open(io.BytesIO(head)) as picture:
        raw = picture.info.get("exif", b"").removeprefix(b"Exif\0\0")
        orientation = picture.getexif().get(0x0112, 1)
    body = _thumbnail(raw)
    if body is None:
        return None
    with Image.open(io.BytesIO(body)) as small:
        if max(small.size) < _ENOUGH:
            return None
        turned = Image.Exif()
        turned[0x0112] = orientation
        out = io.BytesIO()
        small.convert("RGB").save(out, "JPEG", quality=90, exif=turned)
    return out.getvalue()


def _thumbnail(exif: bytes) -> bytes | None:
    """The JPEG that the second directory of an EXIF block names (EXIF 2.3, section 4.5.5: its tags
    0x0201 and 0x0202). Pillow does not give these out. Raises struct.error for what is none."""
    order = ">" if exif[:2] == b"MM" else "<"

    def directory(at: int) -> tuple[dict[int, int], int]:
        (count,) = struct.unpack_from(f"{order}H", exif, at)
        tags = {}
        for each in range(count):
            tag, _, _, value = struct.unpack_from(f"{order}HHII", exif, at + 2 + 12 * each)
            tags[tag] = value
        (after,) = struct.unpack_from(f"{order}I", exif, at + 2 + 12 * count)
        return tags, after

    (first,) = struct.unpack_from(f"{order}I", exif, 4) if len(exif) > 8 else (0,)
    second = directory(first)[1] if first else 0
    if not second:
        return None
    tags, _ = directory(second)
    begin, length = tags.get(0x0201, 0), tags.get(0x0202, 0)
    return exif[begin : begin + length] if begin and length else None


def _keep(path: Path, body: bytes) -> None:
    try:
        make_private(path.parent)
        fresh = path.with_suffix(f".{threading.get_ident()}")
        fresh.write_bytes(body)
        fresh.replace(path)
    except OSError:
        return  # It is made again next time.


def sheet(name: str, says: str) -> str:
    """A drawing with a name, as SVG, in the place of a picture: to be read on light and on dark."""
    lines = [*_broken(name, 24)[:3], "", *_broken(says, 30)[:2]]
    spans = "".join(
        f'<text x="160" y="{100 + 22 * n}" text-anchor="middle">{escape(each)}</text>'
        for n, each in enumerate(lines)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240" width="320" height="240" '
        'font-family="sans-serif" font-size="15" fill="#f2f2f2">'
        '<rect width="320" height="240" fill="#5c5c5c"/>'
        '<path d="M140 30h30l14 14v30h-44z" fill="none" stroke="#c8c8c8" stroke-width="3"/>'
        f"{spans}</svg>"
    )


def _broken(text: str, width: int) -> list[str]:
    return [text[start : start + width] for start in range(0, len(text), width)] or [""]
