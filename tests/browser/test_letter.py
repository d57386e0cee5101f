"""The letter is one printed page, on either paper, however long the names are."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from smugmug_backup.keeping.letter import InBucket, Letter, OnDisk, page_of
from tests.browser.conftest import Watched
from tests.unit.keeping.test_letter import BUCKET, DISK, LETTER

_LONG = InBucket(bucket="b" * 63, prefix="/".join(["p" * 49] * 10), region="ap-southeast-2")
_LETTERS = {
    "a disk": replace(LETTER, place=DISK),
    "a bucket": replace(LETTER, place=BUCKET),
    "another S3, nearly long": replace(
        LETTER, place=replace(BUCKET, host="s3." + "x" * 30 + ".example.org")
    ),
    "another S3": replace(LETTER, place=replace(BUCKET, host="s3." + "x" * 60 + ".example.org")),
    "never complete": replace(LETTER, is_complete=False, complete_as_of=None, taken=None),
    "two seals": replace(LETTER, place=BUCKET, heads=[*LETTER.heads] * 2),
    "the longest names": replace(
        LETTER, account="x" * 60, place=_LONG, heads=[*LETTER.heads] * 2, is_complete=False
    ),
    "a long path": replace(
        LETTER, place=OnDisk(folder="/media" + "/path" * 60, label="P" * 60, inside="/path" * 60)
    ),
}


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def test_the_pages_of_a_pdf_are_counted(watched: Watched) -> None:
    watched.page.set_content("<p style='break-after:page'>one</p><p>two</p>")
    assert pages(watched.page.pdf()) == 2


@pytest.mark.parametrize("name", _LETTERS)
def test_it_is_one_page_with_all_of_it_on_either_paper(
    watched: Watched, tmp_path: Path, name: str
) -> None:
    letter: Letter = _LETTERS[name]
    file = tmp_path / "letter.html"
    file.write_bytes(page_of(letter))
    page = watched.page
    page.goto(file.as_uri())
    for paper in ("A4", "Letter"):
        assert pages(page.pdf(format=paper)) == 1, paper
    page.emulate_media(media="print")
    # What does not fit would be cut off, not pushed onto a second sheet.
    for part in ("main", ".hand"):
        cut = page.locator(part).evaluate("e => e.scrollHeight - e.clientHeight")
        assert cut <= 1, part
    for line in page.locator(".hand p").all():
        box = line.bounding_box()
        assert box is not None and box["height"] >= 18


def test_the_letter_of_a_backup_is_shown_and_asks_nobody(
    watched: Watched, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "letter.html"
    subprocess.run(
        [sys.executable, "-m", "smugmug_backup.cli", "letter", str(folder), str(file)],
        env={"PYTHONPATH": "src", "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
    )
    watched.page.goto(file.as_uri())
    assert "larkfield" in watched.page.title()
    assert pages(watched.page.pdf(format="A4")) == 1


def test_on_a_telephone_nothing_is_wider_than_the_screen(watched: Watched, tmp_path: Path) -> None:
    file = tmp_path / "letter.html"
    file.write_bytes(page_of(_LETTERS["the longest names"]))
    watched.page.set_viewport_size({"width": 360, "height": 740})
    watched.page.goto(file.as_uri())
    assert not watched.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
