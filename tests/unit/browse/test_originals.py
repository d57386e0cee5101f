"""Ranges as browsers ask for them, and names that they save."""

import pytest

from smugmug_backup.browse.originals import byte_range, disposition, type_of


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("", None),
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("items=0-5", None),
        ("bytes=\u0661-", None),
    ],
)
def test_a_range_of_a_hundred_bytes(header, found):
    assert byte_range(header, 100) == found


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=5-4", "bytes=-0", "bytes=200-300"])
def test_a_range_beyond_the_end(header):
    with pytest.raises(ValueError, match="no bytes"):
        byte_range(header, 100)


def test_a_name_is_saved_whatever_letters_it_has():
    assert disposition('m\u00f6we/\u2600 ".jpg', download=True) == (
        "attachment; filename*=UTF-8''m%C3%B6we_%E2%98%80%20%22.jpg"
    )
    assert disposition(None, download=False) == "inline"


@pytest.mark.parametrize(
    ("key", "kind"),
    [("originals/a/b.jpg", "image/jpeg"), ("originals/a/b.bin", "application/octet-stream")],
)
def test_the_type_is_that_of_the_key(key, kind):
    assert type_of(key) == kind
