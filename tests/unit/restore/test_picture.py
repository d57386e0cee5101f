"""The picture in a file, apart from what is said of it."""

import hashlib

import pytest

from smugmug_backup.restore.picture import picture_digest
from tests.unit.restore.pictures import dated, picture

KINDS = ("JPEG", "PNG", "TIFF", "WEBP")


def digest(tmp_path, body):
    path = tmp_path / hashlib.sha256(body).hexdigest()
    path.write_bytes(body)
    return picture_digest(path)


@pytest.mark.parametrize("kind", KINDS)
def test_another_picture_has_another_digest(tmp_path, kind):
    one, other = picture(kind), picture(kind, colour=(200, 120, 90))
    assert digest(tmp_path, one) is not None
    assert digest(tmp_path, one) != digest(tmp_path, other)


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_changed_byte_of_the_picture_is_seen(tmp_path, kind):
    body = bytearray(picture(kind))
    at = {"JPEG": -20, "PNG": body.find(b"IDAT") + 8, "TIFF": 10, "WEBP": -6}[kind]
    before = digest(tmp_path, bytes(body))
    body[at] ^= 1
    assert digest(tmp_path, bytes(body)) != before


def test_what_a_camera_says_is_no_part_of_the_picture(tmp_path):
    one, other = dated("2001:02:03 04:05:06"), dated("2011:12:13 14:15:16")
    assert one != other
    assert digest(tmp_path, one) == digest(tmp_path, other) == digest(tmp_path, picture("JPEG"))


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xd8\xff\xe0picture", b"RIFF", picture("GIF"), b"II*\0", b"MM\0*" + bytes(4)]
    + [picture(kind)[: len(picture(kind)) // 3] for kind in ("PNG", "WEBP")]
    + [b"II*\0\x08\0\0\0\x01\0\x11\x01\x04\0\xff\xff\xff\x7f\0\0\0\0\0\0\0\0"],
)
def test_what_is_no_whole_picture_of_these_kinds_has_none(tmp_path, body):
    assert digest(tmp_path, body) is None


def test_a_tiff_whose_directories_go_round_ends(tmp_path):
    assert digest(tmp_path, b"II*\0\x08\0\0\0\0\0\x08\0\0\0") is None
