"""Dates that the originals say themselves."""

import io
import sqlite3
import struct
import sys
import zlib
from contextlib import closing
from datetime import datetime

import piexif
import pillow_heif
import pytest
from PIL import Image

from smugmug_backup.catalog import taken
from smugmug_backup.errors import NotABackup, StoreUnavailable
from tests.local_smugmug.pictures import draw_jpeg


def jpeg(tags):
    out = io.BytesIO()
    exif = piexif.dump({"0th": {piexif.ImageIFD.Make: b"M"}, "Exif": tags})
    Image.new("RGB", (9, 9)).save(out, "JPEG", exif=exif)
    return out.getvalue()


WHEN = piexif.ExifIFD.DateTimeOriginal


def of_many_pixels(body):
    """The same JPEG, saying that it is a panorama of 60,000 x 10,000."""
    frame = body.index(b"\xff\xc0")
    return body[: frame + 5] + struct.pack(">HH", 10_000, 60_000) + body[frame + 9 :]


def png_of_many_pixels():
    head = struct.pack(">IIBBBBB", 60_000, 10_000, 8, 2, 0, 0, 0)
    body = b"\x89PNG\r\n\x1a\n"
    for kind, chunk in ((b"IHDR", head), (b"IDAT", b"")):
        body += struct.pack(">I", len(chunk)) + kind + chunk
        body += struct.pack(">I", zlib.crc32(kind + chunk))
    return body


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (draw_jpeg(1, datetime(2024, 8, 10, 20, 58, 40), None), "2024-08-10T20:58:40"),
        (draw_jpeg(1, datetime(2024, 8, 10), None)[:2000], "2024-08-10T00:00:00"),
        (jpeg({WHEN: b"2019:05:06 07:08:09", 0x9011: b"+09:00"}), "2019-05-06T07:08:09+09:00"),
        (jpeg({WHEN: b"2019:05:06 07:08:09", 0x9011: b"soon"}), "2019-05-06T07:08:09"),
        (jpeg({WHEN: b"0000:00:00 00:00:00"}), None),
        (jpeg({WHEN: b"    :  :     :  :  "}), None),
        (jpeg({}), None),
        (of_many_pixels(jpeg({WHEN: b"2019:05:06 07:08:09"})), "2019-05-06T07:08:09"),
        (png_of_many_pixels(), None),
        (b"\xff\xd8\xff\xe0 cut off", None),
        (b"", None),
    ],
)
def test_the_date_in_a_picture(body, found):
    assert taken.date_in(body) == found


def heic(size=(9, 9)):
    out = io.BytesIO()
    exif = piexif.dump({"0th": {}, "Exif": {WHEN: b"2021:03:04 05:06:07"}})
    pillow_heif.from_pillow(Image.effect_noise(size, 90)).save(out, exif=exif)
    return out.getvalue()


def test_the_date_in_a_heic():
    assert taken.date_in(heic()) == "2021-03-04T05:06:07"


def test_the_date_in_a_heic_that_is_longer_than_its_head():
    """libheif opens no file that ends before its boxes say: of each larger photo it was unknown."""
    body = heic((64, 64))
    head = body[: body.index(b"2021:03:04") + 100]
    assert taken.date_in(head, len(head) + 10**6) == "2021-03-04T05:06:07"


@pytest.fixture
def dates():
    with sqlite3.connect(":memory:", isolation_level=None) as db:
        yield taken.Dates(db)
    db.close()


@pytest.mark.parametrize("error", [StoreUnavailable("later"), NotABackup("permission denied")])
def test_what_cannot_be_read_tonight_is_asked_again_and_stops_nothing(dates, error):
    def part(key, start, length):
        if key == "lost":
            raise error
        return draw_jpeg(1, datetime(2020, 1, 2), None)[start : start + length]

    wanted = [("a" * 32, "lost", 100_000), ("b" * 32, "there.jpg", 100_000)]
    assert list(taken.read(part, wanted, dates)) == [None, ("b" * 32, "2020-01-02T00:00:00")]
    assert dates.known() == {"b" * 32: "2020-01-02T00:00:00"}


def test_only_photos_without_a_date_that_were_not_read_are_wanted(made, dates):
    first = taken.unread(made.db, dates)
    assert len(first) > 5
    dates.keep(first[0][0], "2019-01-01T00:00:00")
    dates.keep(first[1][0], None)
    taken.fill(made.db, dates)
    assert len(taken.unread(made.db, dates)) == len(first) - 2
    assert made.ask("SELECT DISTINCT md5 FROM images WHERE taken_at IS NOT NULL") == [
        (first[0][0],)
    ]


def kinds(db, dates):
    return {key.rpartition(".")[2] for _, key, _ in taken.unread(db, dates)}


def test_a_kind_whose_library_is_not_there_is_read_once_it_is(made, dates, monkeypatch):
    made.db.execute("UPDATE image_versions SET key = key || '.heic' WHERE album_key = 'alps'")
    before = kinds(made.db, dates)
    assert before == {"jpg", "heic"}
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "pillow_heif", None)
        assert kinds(made.db, dates) == {"jpg"}
        patched.setitem(sys.modules, "PIL", None)
        assert not kinds(made.db, dates)
    assert kinds(made.db, dates) == before


def test_that_no_date_was_found_is_asked_again_where_a_library_may_have_been_lacking():
    """The first form of these dates said "none" of each HEIC whose library was not there."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("CREATE TABLE taken (md5 TEXT PRIMARY KEY, taken_at TEXT) WITHOUT ROWID")
        db.execute("INSERT INTO taken VALUES ('a', '2020-01-02T00:00:00'), ('b', NULL)")
        dates = taken.Dates(db)
        assert dates.known() == {"a": "2020-01-02T00:00:00"}
        dates.keep("b", None)
        assert "b" in taken.Dates(db).known()


def test_a_write_that_fails_leaves_no_transaction_behind():
    """Else no page could be made any more: each begins one."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        with pytest.raises(sqlite3.Error):
            taken.put(db, {"a" * 32: "2020-01-02T00:00:00"})
        assert not db.in_transaction
