"""What SmugMug says, in the files: read back by others, the picture as it was."""

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import exiv2
import pytest

from smugmug_backup.archive.encoding import canonical_json, fingerprint
from smugmug_backup.restore.embed import Embedder, NoEmbedding
from smugmug_backup.restore.picture import picture_digest
from smugmug_backup.restore.plan import Target
from tests.unit.restore.pictures import dated, picture, pixels, read_by_exiftool
from tests.unit.restore.test_xmp import CAPTION, RECORD
from tests.unit.restore.world import World, codes

KINDS = {"JPEG": "jpg", "PNG": "png", "TIFF": "tif", "WEBP": "webp"}


@pytest.fixture(scope="module")
def embedder():
    return Embedder()


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path / "photos")


def target_of(body: bytes, record: dict[str, Any] = RECORD) -> Target:
    said = fingerprint(canonical_json(record))
    digest = hashlib.sha256(body).hexdigest()
    return Target("a", "x", "A/x.jpg", (), "o", len(body), digest, said, None, album="Travel / H")


def album_in(path: Path) -> str:
    image = exiv2.ImageFactory.open(str(path))
    image.readMetadata()
    return str(image.xmpData()["Xmp.xmpDM.album"].toString())


@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_is_the_same_and_all_is_read_back(tmp_path, embedder, kind):
    body = picture(kind)
    path = tmp_path / f"x.{KINDS[kind]}"
    path.write_bytes(body)
    before = picture_digest(path)
    assert embedder.embed(path, target_of(body), RECORD)
    after = path.read_bytes()
    assert after != body
    assert picture_digest(path) == before
    assert pixels(after) == pixels(body)
    found = read_by_exiftool(path)
    assert found["XMP-dc:Title"] == "Quay & <sea>"
    assert found["XMP-dc:Subject"] == ["harbour", "AC/DC", "a|b", "山"]
    assert found["XMP-digiKam:TagsList"] == ["harbour", "AC|DC", "a|b", "山"]
    assert found["XMP-xmpDM:Album"] == "Travel / H"
    assert found["IFD0:ImageDescription"] == CAPTION
    assert found["IFD0:Rating"] == 4
    assert found["ExifIFD:DateTimeOriginal"] == "2019:05:31 20:15:07"
    assert found["ExifIFD:OffsetTimeOriginal"] == "+02:00"
    assert found["Composite:GPSLatitude"] == pytest.approx(54.4861)
    assert found["Composite:GPSLongitude"] == pytest.approx(-0.6133)
    if kind != "WEBP":  # It has no place for IPTC.
        assert found["IPTC:ObjectName"] == "Quay & <sea>"
        assert found["IPTC:Caption-Abstract"] == CAPTION
        assert found["IPTC:Keywords"] == ["harbour", "AC/DC", "a|b", "山"]


@pytest.mark.parametrize("height", [12.25, -3.5])
def test_how_high_a_place_lies_is_said_above_the_sea_and_below(tmp_path, embedder, height):
    body, path = picture("JPEG"), tmp_path / "x.jpg"
    path.write_bytes(body)
    record = {**RECORD, "image": {**RECORD["image"], "Altitude": height}}
    assert embedder.embed(path, target_of(body, record), record)
    found = read_by_exiftool(path)
    assert (found["GPS:GPSAltitude"], found["GPS:GPSAltitudeRef"]) == (abs(height), height < 0)


def test_what_the_camera_wrote_of_the_time_stays(tmp_path, embedder):
    body = dated("2001:02:03 04:05:06")
    path = tmp_path / "x.jpg"
    path.write_bytes(body)
    assert embedder.embed(path, target_of(body), RECORD)
    found = read_by_exiftool(path)
    assert found["ExifIFD:DateTimeOriginal"] == "2001:02:03 04:05:06"
    assert "ExifIFD:OffsetTimeOriginal" not in found
    assert "XMP-exif:DateTimeOriginal" not in found


@pytest.mark.parametrize("kind", ["GIF", "broken"])
def test_what_cannot_take_it_is_refused(tmp_path, embedder, kind):
    body = picture("GIF") if kind == "GIF" else picture("JPEG")[:60]
    path = tmp_path / "x.jpg"
    path.write_bytes(body)
    assert not embedder.embed(path, target_of(body), RECORD)


def test_a_caption_too_large_for_a_jpeg_is_refused(tmp_path, embedder):
    record = {"image": {"Caption": "x" * 70_000}}
    body = picture("JPEG")
    path = tmp_path / "x.jpg"
    path.write_bytes(body)
    assert not embedder.embed(path, target_of(body, record), record)


@pytest.mark.parametrize("harm", ["picture", "record", "original", "none"])
def test_only_what_is_whole_and_made_of_that_original_and_record_is_ours(tmp_path, embedder, harm):
    body = picture("JPEG")
    path = tmp_path / "x.jpg"
    path.write_bytes(body)
    target = target_of(body)
    assert not embedder.holds(path, target)
    assert embedder.embed(path, target, RECORD)
    if harm == "picture":
        made = bytearray(path.read_bytes())
        made[-20] ^= 1
        path.write_bytes(bytes(made))
    elif harm == "record":
        target = target_of(body, {"image": {}})
    elif harm == "original":
        target = target_of(body + b"?")
    assert embedder.holds(path, target) is (harm == "none")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (dated("2001:02:03 04:05:06"), datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)),
        (dated("2001:02:03 04:05:06", "+02:00"), datetime(2001, 2, 3, 2, 5, 6, tzinfo=UTC)),
        (dated("2001:02:03 04:05:06", "?"), datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)),
        (dated("0000:00:00 00:00:00"), None),
        (picture("JPEG"), None),
        (b"no picture", None),
    ],
)
def test_the_files_own_time_is_read(tmp_path, embedder, body, expected):
    path = tmp_path / "x.jpg"
    path.write_bytes(body)
    assert embedder.taken(path) == expected


def test_where_the_library_is_not_there_it_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "exiv2", None)
    with pytest.raises(NoEmbedding) as raised:
        Embedder()
    assert "install it as smugmug-backup[embed]" in str(raised.value.hint)


# -- a whole restore ------------------------------------------------------------------------------


def uploaded(world: World, body: bytes, name: str = "one.jpg", album: str = "A1") -> Any:
    if album not in world.source.world:
        world.source.album(album, "H" if album == "A1" else album)
    return world.source.upload(album, file_name=name, body=body, caption="Quay", keywords="a; b")


def test_a_restore_writes_into_copies_and_never_into_the_store(world):
    image = uploaded(world, picture("JPEG"))
    world.nights.run()
    before = dict(world.store.objects)
    result = world.restore(sidecar="xmp+json", embed=True)
    assert not result.problems
    assert result.embedded == {"Travel/H/one.jpg"}
    assert world.store.objects == before
    there = world.target / "Travel/H/one.jpg"
    assert there.read_bytes() != image.body
    assert pixels(there.read_bytes()) == pixels(image.body)
    assert read_by_exiftool(there)["IPTC:Keywords"] == ["a", "b"]
    beside = sorted(path.name for path in there.parent.iterdir())
    assert beside == ["one.jpg", "one.jpg.json"]  # What is said in it needs no XMP beside it.


def test_what_cannot_hold_it_comes_byte_by_byte_with_a_sidecar(world):
    film = b"\x00\x00\x00\x18ftypmp42" + b"film"
    uploaded(world, picture("JPEG"))
    uploaded(world, picture("GIF"), "two.gif")
    uploaded(world, b"\xff\xd8\xff\xe0no picture", "three.jpg")
    world.source.upload("A1", file_name="four.mp4", video="Video1280URL", body=film)
    world.nights.run()
    result = world.restore(sidecar="adobe", embed=True)
    assert not result.problems
    assert result.embedded == {"Travel/H/one.jpg"}
    names = {path.name for path in (world.target / "Travel/H").iterdir()}
    assert {"two.xmp", "three.xmp", "four.xmp"} < names
    assert "one.xmp" not in names
    assert world.files()["Travel/H/three.jpg"] == b"\xff\xd8\xff\xe0no picture"


def test_a_repeated_restore_knows_what_it_wrote_and_fetches_nothing(world):
    for name in ("one.jpg", "two.jpg", "three.gif"):
        uploaded(world, picture("GIF" if name.endswith("gif") else "JPEG"), name)
    world.nights.run()
    first = world.restore(sidecar="xmp", embed=True)
    world.heard = 0
    again = world.restore(sidecar="xmp", embed=True)
    assert (codes(again), again.written, world.heard) == ([], [], 0)
    assert again.embedded == first.embedded


@pytest.mark.parametrize("others", [("A2",), ("A2", "A3")])
def test_an_image_in_several_albums_is_fetched_once_and_told_of_its_own_album(world, others):
    image = uploaded(world, picture("JPEG"))
    for album in others:
        world.source.album(album, album).images.append(image)
    world.nights.run()
    result = world.restore(embed=True, threads=1)
    assert not result.problems
    assert world.heard == len(image.body)
    for album in ("H", *others):
        assert album_in(world.target / "Travel" / album / "one.jpg") == f"Travel / {album}"


def test_what_the_owner_changed_since_is_another_file(world):
    uploaded(world, picture("JPEG"))
    world.nights.run()
    world.restore(embed=True)
    there = world.target / "Travel/H/one.jpg"
    there.write_bytes(there.read_bytes()[:-1] + b"?")
    changed = there.read_bytes()
    assert codes(world.restore(embed=True)) == ["differs"]
    assert there.read_bytes() == changed


def test_a_plain_file_of_an_earlier_restore_stays_and_gets_the_sidecar(world):
    image = uploaded(world, picture("JPEG"))
    world.nights.run()
    world.restore(sidecar="none")
    assert not world.restore(sidecar="xmp", embed=True).problems
    there = world.target / "Travel/H/one.jpg"
    assert there.read_bytes() == image.body
    assert there.with_name("one.jpg.xmp").exists()


def test_a_files_time_is_when_it_was_taken_as_the_file_itself_says(world):
    uploaded(world, dated("2001:02:03 04:05:06"))
    world.nights.run()
    world.restore(embed=True)
    there = world.target / "Travel/H/one.jpg"
    assert there.stat().st_mtime == datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC).timestamp()


def test_damaged_bytes_never_get_a_name_when_they_were_to_be_written_into(world):
    image = uploaded(world, picture("JPEG"))
    world.nights.run()
    key = str(world.nights.line("A1", image.key).original.key)
    world.store.objects[key] = world.store.objects[key][:-1] + b"?"
    assert codes(world.restore(embed=True)) == ["damaged"]
    assert world.files() == {}
