"""What may be a key, and what a browser is told of it."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smugmug_backup.storage.keys import content_disposition, content_type, is_key, with_capitals


@pytest.mark.parametrize(
    "key",
    [
        "albums/hT4mWq=12/0123456789abcdef.json",
        "manifests/con=0/00000001.jsonl",
        "manifests/hT4mWq=12/00000001.2.jsonl",
        "originals/V2xgTbs=5/0123456789abcdef0123456789abcdef.12.jpg",
        "README.12.txt",
        f"originals/{'A' * 64}={'f' * 16}/x.2.mov",
    ],
)
def test_names_with_the_mask_of_their_capitals_and_numbered_ones_are_keys(key):
    assert is_key(key)


@pytest.mark.parametrize("key", ["=12/a.json", "a=/b.json", "a==", "a=.json/", "manifests/a=", "="])
def test_a_mask_needs_a_name_before_it_and_digits_after_it(key):
    assert not is_key(key)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("quay.jpg", "inline; filename*=UTF-8''quay.jpg"),
        ("Größe 1.JPG", "inline; filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.JPG"),
        ("日本~a_b-c.png", "inline; filename*=UTF-8''%E6%97%A5%E6%9C%AC~a_b-c.png"),
        ("a/b\\c;d'e\"f\r\n.jpg", "inline; filename*=UTF-8''a%2Fb%5Cc%3Bd%27e%22f%0D%0A.jpg"),
        ("half \ud83d.jpg", "inline; filename*=UTF-8''half%20%3F.jpg"),
        ("", None),
        (None, None),
        ("x" * 100_000 + ".jpg", None),
    ],
)
def test_a_browser_saves_an_original_under_its_own_name(name, header):
    assert content_disposition(name) == header


@given(st.text(max_size=40))
def test_whatever_a_file_is_called_the_header_is_plain_and_gives_the_name_back(name):
    header = content_disposition(name) or "inline; filename*=UTF-8''"
    assert header.isascii()
    assert header.isprintable()
    if name.isprintable() and header.partition("''")[2]:
        assert unquote(header.partition("''")[2]) == name


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("runs/2026/11/x.json", "application/json"),
        ("manifests/a/00000001.jsonl", "application/x-ndjson"),
        ("README.2.txt", "text/plain; charset=utf-8"),
        ("index.html", "text/html; charset=utf-8"),
        ("originals/a/x.bin", "application/octet-stream"),
        ("originals/a/x.2.jpg", "image/jpeg"),
        ("originals/a/x.heic", "image/heic"),
    ],
)
def test_the_media_type_is_that_of_the_extension(key, kind):
    assert content_type(key) == kind


@pytest.mark.parametrize(
    "name",
    [
        "hT4mWq=12",
        "hT4mWq=12-001.json",
        "con=0",
        "20261124T030004Z-5f0c2a91",
        "20261124T030004Z-5f0c2a91.json",
        "README.txt",
        "README.2.txt",
        "alps",
        "00000001.jsonl",
        "rev-0123456789abcdef.mp4",
        "probe.txt",
    ],
)
def test_a_disk_that_lists_small_letters_hides_no_name_of_a_backup(name):
    assert with_capitals(name.lower()) == name
    assert with_capitals(name) == name
