"""Media are known by their first bytes, and an error page is none."""

import pytest

from smugmug_backup.backup.signature import Media, seen


@pytest.mark.parametrize(
    ("head", "extension", "media"),
    [
        (b"\xff\xd8\xff\xe0", "jpg", Media.PICTURE),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "webp", Media.PICTURE),
        (b"RIFF\x24\0\0\0AVI LIST", "bin", Media.VIDEO),
        (b"\0\0\0\x18ftypmp42", "mp4", Media.VIDEO),
        (b"\0\0\0\x14ftypqt  ", "mov", Media.VIDEO),
        (b"\0\0\0\x18ftypheic", "heic", Media.PICTURE),
        (b"\0\0\0\x18ftypcrx ", "bin", Media.PICTURE),
        *(
            (b"\0\0\0\x08" + atom, "mov", Media.VIDEO)
            for atom in (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
        ),
    ],
)
def test_a_picture_and_a_video_are_known_apart(head, extension, media):
    assert seen(head) == (extension, media)


@pytest.mark.parametrize(
    "head", [b"", b"<!DOCTYPE html>", b'{"Code": 404}', b"RIFF\x24\0\0\0WAVEfmt ", b"\0\0\0\x08moo"]
)
def test_what_is_no_media_is_none(head):
    assert seen(head) is None
