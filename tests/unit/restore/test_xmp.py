"""The XMP sidecar, as independent readers understand it."""

import exiv2
import pytest

from smugmug_backup.restore.xmp import rating_of, xmp_sidecar
from tests.unit.restore.pictures import read_by_exiftool

RECORD = {
    "image": {
        "Title": "Quay &amp; <sea>",
        "Caption": "Möwe, «so»\nzwei \"'",
        "KeywordArray": ["harbour", "AC/DC", "a|b", "山"],
        "DateTimeOriginal": "2019-05-31T20:15:07+02:00",
        "Latitude": "54.4861",
        "Longitude": "-0.6133",
        "Altitude": -4,
        "Rating": 4,
    }
}
CAPTION = "Möwe, «so»\nzwei \"'"


def test_exiftool_reads_back_all_that_is_said(tmp_path):
    path = tmp_path / "photo.jpg.xmp"
    path.write_bytes(xmp_sidecar(RECORD, album="Travel / Harbour"))
    found = read_by_exiftool(path)
    assert found["XMP-dc:Title"] == "Quay & <sea>"
    assert found["XMP-dc:Description"] == CAPTION
    assert found["XMP-dc:Subject"] == ["harbour", "AC/DC", "a|b", "山"]
    assert found["XMP-lr:HierarchicalSubject"] == ["harbour", "AC/DC", "a/b", "山"]
    assert found["XMP-digiKam:TagsList"] == ["harbour", "AC|DC", "a|b", "山"]
    for field in ("XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated", "XMP-xmp:CreateDate"):
        assert found[field] == "2019:05:31 20:15:07+02:00"
    assert found["XMP-exif:GPSLatitude"] == pytest.approx(54.4861)
    assert found["XMP-exif:GPSLongitude"] == pytest.approx(-0.6133)
    assert found["XMP-exif:GPSAltitude"] == 4
    assert found["XMP-exif:GPSAltitudeRef"] == 1
    assert found["XMP-xmp:Rating"] == 4
    assert found["XMP-xmpDM:Album"] == "Travel / Harbour"
    assert "Warning" not in found


def test_exiv2_reads_back_all_that_is_said():
    image = exiv2.ImageFactory.open(xmp_sidecar(RECORD, album="Travel / Harbour"))
    image.readMetadata()
    found = {each.key(): each.toString() for each in image.xmpData()}
    assert found["Xmp.dc.title"] == 'lang="x-default" Quay & <sea>'
    assert found["Xmp.dc.description"] == f'lang="x-default" {CAPTION}'
    assert found["Xmp.dc.subject"] == "harbour, AC/DC, a|b, 山"
    assert found["Xmp.digiKam.TagsList"] == "harbour, AC|DC, a|b, 山"
    assert found["Xmp.lr.hierarchicalSubject"] == "harbour, AC/DC, a/b, 山"
    assert found["Xmp.exif.DateTimeOriginal"] == "2019-05-31T20:15:07+02:00"
    assert found["Xmp.xmp.Rating"] == "4"
    assert found["Xmp.xmpDM.album"] == "Travel / Harbour"


def test_a_keyword_is_one_level_in_each_field():
    """What parts levels in one field is not found in its words."""
    image = exiv2.ImageFactory.open(xmp_sidecar({"image": {"Keywords": "a/b;c|d"}}))
    image.readMetadata()
    assert "/" not in image.xmpData()["Xmp.digiKam.TagsList"].toString()
    assert "|" not in image.xmpData()["Xmp.lr.hierarchicalSubject"].toString()


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("2019-05-31T20:15:07+02:00", "2019-05-31T20:15:07+02:00"),
        ("2019-05-31 20:15:07", "2019-05-31T20:15:07"),
        ("0000-00-00 00:00:00", None),
        (None, None),
    ],
)
def test_a_date_has_a_zone_only_if_smugmug_says_one_and_what_is_unknown_is_absent(said, written):
    body = xmp_sidecar({"image": {"DateTimeOriginal": said, "Date": "2020-01-01 00:00:00"}})
    wanted = f'exif:DateTimeOriginal="{written}"'.encode()
    assert (wanted in body) is (written is not None)
    assert (b"DateTimeOriginal=" in body) is (written is not None)
    assert b"2020" not in body  # an upload is no date taken


@pytest.mark.parametrize("stars", [0, 6, -1, "4", True, None, 2.5])
def test_what_is_no_rating_is_none(stars):
    assert rating_of({"Rating": stars}) is None
    assert b"xmp:Rating" not in xmp_sidecar({"image": {"Rating": stars}})
