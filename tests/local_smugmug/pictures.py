"""The demo account: few albums, real pictures, and each oddity that a backup must stand."""

import io
import struct
from datetime import UTC, datetime, timedelta

import piexif  # type: ignore[import-untyped]
from PIL import Image as Picture
from PIL import ImageDraw

from tests.local_smugmug.bodies import Body, BytesBody
from tests.local_smugmug.generate import KeyMaker, new_account, secret_text
from tests.local_smugmug.model import Account, Album, Collected, Image
from tests.local_smugmug.world import url_name

_START = datetime(2024, 8, 10, 20, 58, 40, tzinfo=UTC)
_WHITBY = (54.4861, -0.6133)


def demo_account(nickname: str = "larkfield") -> Account:
    """Five albums with real pictures; the oddities are listed in the albums' descriptions."""
    return _Demo(nickname).build()


class _Demo:
    def __init__(self, nickname: str) -> None:
        self._account = new_account(20, nickname)
        self._album_keys, self._image_keys = KeyMaker(20, 6), KeyMaker(20, 7)
        self._node_keys = KeyMaker(21, 6)
        self._images = 0

    def build(self) -> Account:
        harbour = self._album("Harbour 2024", ("Travel", "Coast"), "A video; a caption in HTML.")
        quay = self._photo(harbour, "quay_001.jpg", "The old quay", place=_WHITBY)
        self._photo(
            harbour,
            "quay_002.jpg",
            "Fish &amp; chips &lt;3 &quot;chez Ren&eacute;&quot;",
            place=_WHITBY,
            keywords="harbour; dusk; food",
        )
        self._photo(harbour, "möwe über dem hafen.jpg", "Eine Möwe", keywords="gull; ☀")
        self._video(harbour, "ferry.mov")
        scans = self._album(
            "Scans &amp; Misc", ("Other",), "One file name twice; no MD5Sum; no OriginalURL."
        )
        self._photo(scans, "scan.jpg", "First of the name")
        self._photo(scans, "scan.jpg", "Second of the name")
        self._photo(scans, "no_md5.jpg", "MD5Sum is missing", has_md5=False)
        self._photo(scans, "no_original.jpg", "OriginalURL is missing", has_original=False)
        self._png(scans, "chart.png")
        birthday = self._album("Birthday", ("Family",), "Has a password.")
        birthday.password = secret_text("album", birthday.key)
        birthday.password_hint = "Who turned forty?"
        self._photo(birthday, "cake.jpg", "Forty candles")
        self._photo(birthday, "hidden.jpg", "Nobody else needs to see this", hidden=True)
        winter = self._album(
            "Best of winter", ("Travel", "Mountains", "2024", "Winter"), "Collects the old quay."
        )
        self._photo(winter, "ridge.jpg", "On the ridge", components=("CR2",))
        winter.held.append(quay)
        winter.collected[quay.key] = Collected()
        drafts = self._album("Drafts", ("Other",), "Private.")
        drafts.privacy = "Private"
        self._photo(drafts, "draft.jpg", "")
        return self._account

    def _album(self, title: str, folders: tuple[str, ...], description: str) -> Album:
        number = len(self._account.albums)
        made = int((_START - timedelta(days=30 - number)).timestamp())
        album = Album(
            key=self._album_keys.key(number),
            id=51_840_217 + number,
            title=title,
            url_name=url_name(title.replace("&amp;", "")),
            node_id=self._node_keys.key(number),
            created=made,
            updated=made + 600,
            images_updated=made + 86_400 * 30,
            folders=folders,
            description=description,
        )
        self._account.albums[album.key] = album
        return album

    def _photo(
        self,
        album: Album,
        file_name: str,
        caption: str,
        *,
        place: tuple[float, float] | None = None,
        keywords: str = "",
        has_md5: bool = True,
        has_original: bool = True,
        hidden: bool = False,
        components: tuple[str, ...] = (),
    ) -> Image:
        taken = _START + timedelta(minutes=7 * self._images)
        image = self._add(album, file_name, BytesBody(draw_jpeg(self._images, taken, place)))
        image.caption, image.keywords = caption, keywords
        image.has_md5, image.has_original = has_md5, has_original
        image.hidden, image.components = hidden, components
        if place:
            (image.latitude, image.longitude), image.altitude = place, 4
        return image

    def _png(self, album: Album, file_name: str) -> None:
        image = self._add(album, file_name, BytesBody(draw_png(self._images)))
        image.format = "PNG"

    def _video(self, album: Album, file_name: str) -> None:
        upload = BytesBody(make_mp4(16_000, brand=b"qt  "))
        image = self._add(album, file_name, upload)
        image.format, image.width, image.height, image.duration = "MP4", 1920, 1080, 2
        image.still = BytesBody(draw_jpeg(99, _START, None))
        image.renditions = {
            width: BytesBody(make_mp4(width * 8)) for width in (320, 640, 960, 1280)
        }

    def _add(self, album: Album, file_name: str, body: Body) -> Image:
        moment = int((_START + timedelta(minutes=7 * self._images)).timestamp())
        image = Image(
            key=self._image_keys.key(self._images),
            id=13_544_102_377 + 14 * self._images,
            body=body,
            file_name=file_name,
            album_key=album.key,
            uploaded=moment,
            updated=moment + 277,
            width=480,
            height=320,
        )
        self._images += 1
        album.held.append(image)
        self._account.held[image.key] = image
        return image


def draw_jpeg(number: int, taken: datetime, place: tuple[float, float] | None) -> bytes:
    """A small painting with EXIF, and GPS if it has a place."""
    when = taken.strftime("%Y:%m:%d %H:%M:%S").encode()
    exif: dict[str, dict[int, object]] = {
        "0th": {
            piexif.ImageIFD.Make: b"Larkfield",
            piexif.ImageIFD.Model: b"Pinhole II",
            piexif.ImageIFD.DateTime: when,
        },
        "Exif": {
            piexif.ExifIFD.DateTimeOriginal: when,
            piexif.ExifIFD.FNumber: (28, 5),
            piexif.ExifIFD.ExposureTime: (1, 60),
            piexif.ExifIFD.ISOSpeedRatings: 200,
        },
    }
    if place:
        latitude, longitude = place
        exif["GPS"] = {
            piexif.GPSIFD.GPSLatitudeRef: b"N" if latitude >= 0 else b"S",
            piexif.GPSIFD.GPSLatitude: _degrees(latitude),
            piexif.GPSIFD.GPSLongitudeRef: b"E" if longitude >= 0 else b"W",
            piexif.GPSIFD.GPSLongitude: _degrees(longitude),
        }
    file = io.BytesIO()
    _paint(number).save(file, "JPEG", quality=85, exif=piexif.dump(exif))
    return file.getvalue()


def draw_png(number: int) -> bytes:
    """The same kind of painting as a PNG."""
    file = io.BytesIO()
    _paint(number).quantize(32).save(file, "PNG")
    return file.getvalue()


def make_mp4(size: int, brand: bytes = b"mp42") -> bytes:
    """A small valid container: ftyp, a movie header of two seconds, and data."""
    header = struct.pack(">IIIIIIH10x", 0, 0, 0, 1000, 2000, 0x10000, 0x100)
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    movie = _box(b"mvhd", header + matrix + bytes(24) + struct.pack(">I", 1))
    start = _box(b"ftyp", brand + struct.pack(">I", 512) + brand + b"isom") + _box(b"moov", movie)
    data = bytes((position * 131 + size) % 251 for position in range(max(0, size - len(start) - 8)))
    return start + _box(b"mdat", data)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _paint(number: int) -> Picture.Image:
    width, height = 480, 320
    picture = Picture.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    for line in range(height):
        shade = line * 160 // height
        draw.line(
            [(0, line), (width, line)], fill=(40 + shade, (60 + 37 * number) % 200, 220 - shade)
        )
    for circle in range(3 + number % 4):
        left, top = (number * 97 + circle * 83) % 400, (number * 53 + circle * 61) % 250
        draw.ellipse([left, top, left + 60, top + 60], fill=(250, 200 - 30 * circle, 90))
    draw.text((12, height - 24), f"Larkfield {number:03d}", fill=(255, 255, 255))
    return picture


def _degrees(value: float) -> tuple[tuple[int, int], ...]:
    minutes, rest = divmod(round(abs(value) * 360_000), 6_000)
    degrees, minutes = divmod(minutes, 60)
    return (degrees, 1), (minutes, 1), (rest, 100)
