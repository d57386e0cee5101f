"""Small pictures: upright, in sRGB, of everything that can be decoded, and a sheet for the rest."""

import io
import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pillow_heif
import pytest
from PIL import Image

from smugmug_backup.archive.archive import Archive
from smugmug_backup.browse.pictures import LARGE, SMALL, pictures_of, sheet
from smugmug_backup.errors import NotStored, StoreUnavailable
from tests.tools.dng import make_dng
from tests.tools.memory_store import MemoryStore


@pytest.fixture
def pictures(tmp_path):
    return Made(tmp_path)


class Made:
    def __init__(self, tmp_path):
        self.store = MemoryStore()
        self.reads = []
        part = self.store.read_part

        def counted(key, offset, length):
            self.reads.append((offset, length))
            return part(key, offset, length)

        self.store.read_part = counted
        self.on_disk = pictures_of(Archive(self.store), tmp_path / "kept", on_disk=True)
        self.remote = pictures_of(Archive(self.store), None, on_disk=False)

    def image(self, body, extension="jpg"):
        key = f"originals/i/x.{extension}"
        self.store.objects[key] = body
        return SimpleNamespace(key=key, bytes=len(body), md5="ab" * 16, has_bytes=True)

    def made(self, body, extension="jpg", edge=SMALL):
        jpeg = self.on_disk.jpeg(self.image(body, extension), edge)
        return None if jpeg is None else Image.open(io.BytesIO(jpeg))


def saved(picture, form, **more):
    out = io.BytesIO()
    picture.save(out, form, **more)
    return out.getvalue()


def halves(size=(800, 400), mode="RGB"):
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", size, "red")
    picture.paste("blue", (size[0] // 2, 0, *size))
    return picture.convert(mode)


def is_red(pixel):
    return pixel[0] > 180 and pixel[2] < 80


@pytest.mark.parametrize(
    ("form", "extension"),
    [("JPEG", "jpg"), ("PNG", "png"), ("GIF", "gif"), ("WEBP", "webp"), ("TIFF", "tif")],
)
def test_a_picture_of_each_kind(pictures, form, extension):
    made = pictures.made(saved(halves(), form), extension)
    assert (made.format, made.size, made.mode) == ("JPEG", (320, 160), "RGB")
    assert is_red(made.getpixel((10, 10))) and not is_red(made.getpixel((300, 10)))


def test_heic(pictures):
    out = io.BytesIO()
    pillow_heif.from_pillow(halves()).save(out, quality=90)
    assert pictures.made(out.getvalue(), "heic").size == (320, 160)


@pytest.mark.parametrize("place", ["on_disk", "remote"])
@pytest.mark.parametrize(
    ("orientation", "sizes"), [(1, [(320, 160), (800, 400)]), (6, [(160, 320), (400, 800)])]
)
def test_a_raw_shows_the_cameras_own_jpeg_small_and_large(pictures, orientation, sizes, place):
    raw = make_dng(saved(halves(), "JPEG"), width=800, height=400, orientation=orientation)
    image = pictures.image(raw, "bin")
    for edge, size in zip((SMALL, LARGE), sizes, strict=True):
        made = Image.open(io.BytesIO(getattr(pictures, place).jpeg(image, edge)))
        assert made.size == size and is_red(made.getpixel((5, 5)))


@pytest.mark.parametrize("tiny", [False, True])
def test_a_raw_that_begins_as_a_tiff_shows_the_large_jpeg_and_not_the_tiny_picture(pictures, tiny):
    raw = make_dng(saved(halves(), "JPEG"), width=800, height=400, tiny=tiny)
    made = pictures.made(raw, "tif", LARGE)
    assert made.size == (800, 400) and is_red(made.getpixel((5, 5)))


def test_a_raw_that_is_cut_off_has_no_picture_and_stops_nothing(pictures):
    raw = make_dng(saved(halves(), "JPEG"), width=800, height=400)
    assert pictures.made(raw[: len(raw) // 2], "bin") is None


def test_what_lies_on_its_side_stands_up(pictures):
    exif = Image.Exif()
    exif[0x0112] = 6
    made = pictures.made(saved(halves(), "JPEG", exif=exif))
    assert made.size == (160, 320)
    assert is_red(made.getpixel((80, 10))) and not is_red(made.getpixel((80, 310)))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "CMYK", "I;16"])
def test_every_mode_becomes_rgb(pictures, mode):
    form = "JPEG" if mode == "CMYK" else "PNG"
    picture = halves(mode=mode) if mode != "I;16" else Image.new("I;16", (800, 400), 40000)
    assert pictures.made(saved(picture, form), "jpg" if form == "JPEG" else "png").mode == "RGB"


def test_a_small_picture_is_not_made_larger(pictures):
    assert pictures.made(saved(halves((40, 20)), "PNG"), "png", LARGE).size == (40, 20)


def test_it_is_made_once(pictures):
    image = pictures.image(saved(halves(), "JPEG"))
    first = pictures.on_disk.jpeg(image, SMALL)
    pictures.reads.clear()
    assert pictures.on_disk.jpeg(image, SMALL) == first
    assert pictures.reads == []


def with_preview(edge):
    """A large photo whose EXIF has a preview of that length."""
    import piexif

    thumbnail = saved(halves((edge, edge // 2)), "JPEG")
    make = {piexif.ImageIFD.Make: b"Larkfield"}
    exif = piexif.dump({"0th": make, "1st": {}, "thumbnail": thumbnail})
    return saved(Image.effect_noise((2000, 1000), 90), "JPEG", exif=exif)


def test_from_afar_the_cameras_own_preview_is_read_and_no_more(pictures):
    image = pictures.image(with_preview(200))
    made = Image.open(io.BytesIO(pictures.remote.jpeg(image, SMALL)))
    assert made.size == (200, 100) and is_red(made.getpixel((5, 5)))
    assert sum(length for _, length in pictures.reads) == 128 * 1024


def test_from_afar_a_preview_that_is_too_small_does_not_do(pictures):
    image = pictures.image(with_preview(60))
    assert Image.open(io.BytesIO(pictures.remote.jpeg(image, SMALL))).size == (320, 160)


@pytest.mark.parametrize(
    ("body", "extension"),
    [
        (b"\xff\xd8\xff\xe0 cut off", "jpg"),
        (b"", "png"),
        (b"\0" * 1000, "tif"),
        (b"no raw", "bin"),
        (b"\0\0\0\x18ftypmp42 no video", "mp4"),
    ],
)
def test_what_cannot_be_decoded_has_none(pictures, body, extension):
    assert pictures.made(body, extension) is None
    assert pictures.on_disk.jpeg(pictures.image(body, extension), SMALL) is None


@pytest.mark.parametrize("error", [StoreUnavailable("the disk is away"), NotStored("not there")])
def test_a_disk_that_is_back_shows_what_it_did_not_while_it_was_away(pictures, error):
    image = pictures.image(saved(halves(), "JPEG"))
    part = pictures.store.read_part

    def away(key, offset, length):
        raise error

    pictures.store.read_part = away
    assert pictures.on_disk.jpeg(image, SMALL) is None
    pictures.store.read_part = part
    assert pictures.on_disk.jpeg(image, SMALL) is not None


@pytest.fixture
def without(monkeypatch):
    """Without a library, for as long as it is entered."""

    @contextmanager
    def without(library):
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, library, None)
            yield

    return without


def test_what_no_library_could_show_is_shown_once_it_is_there(pictures, without):
    raw = make_dng(saved(halves(), "JPEG"), width=800, height=400)
    out = io.BytesIO()
    pillow_heif.from_pillow(halves()).save(out, quality=90)
    for library, body, extension in (
        ("rawpy", raw, "bin"),
        ("pillow_heif", out.getvalue(), "heic"),
    ):
        image = pictures.image(body, extension)
        image.md5 = extension
        for place in (pictures.on_disk, pictures.remote):
            with without(library):
                assert place.jpeg(image, SMALL) is None
                assert not pictures.reads, "nobody reads what cannot be shown"
            assert place.jpeg(image, SMALL) is not None
            pictures.reads.clear()


def test_the_tiny_picture_of_a_raw_gives_way_to_the_large_one_once_its_library_is_there(
    pictures, without
):
    raw = make_dng(saved(halves(), "JPEG"), width=800, height=400, tiny=True)
    with without("rawpy"):
        assert pictures.made(raw, "tif", LARGE).size == (8, 8)
        assert pictures.made(raw, "tif", LARGE).size == (8, 8)
    assert pictures.made(raw, "tif", LARGE).size == (800, 400)


def test_a_video_shows_its_first_frame_where_it_lies_on_a_disk(pictures):
    av = pytest.importorskip("av", reason="av: a Python 3.12 or later")

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 320, 160, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_image(halves((320, 160)))))
        container.mux(stream.encode(None))
    image = pictures.image(out.getvalue(), "mp4")
    made = Image.open(io.BytesIO(pictures.on_disk.jpeg(image, SMALL)))
    assert made.size == (320, 160) and is_red(made.getpixel((10, 10)))
    assert pictures.remote.jpeg(image, SMALL) is None


def test_a_bomb_is_not_opened(pictures, monkeypatch):
    monkeypatch.setattr("smugmug_backup.browse.pictures._MOST_PIXELS", 1000)
    # Pillow is told it once for the whole process: given back to whoever comes after this test.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    assert pictures.made(saved(halves(), "PNG"), "png") is None


def test_a_sheet_bears_the_name_and_nothing_that_is_a_command():
    drawn = sheet("<script>.jpg" + "x" * 99, "video, 3 MB")
    assert "<script>" not in drawn and "video, 3 MB" in drawn
