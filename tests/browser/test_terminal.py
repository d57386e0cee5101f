"""The picture of a terminal shows what stood there, and asks nobody for a font."""

import pytest

from tests.browser.terminal import a_night, screen
from tests.tools.readme import DOCS, all_pages, text_of


@pytest.mark.parametrize(
    ("shown", "stands"),
    [
        ("one\r\ntwo\r\n", "one\ntwo"),
        ("\x1b[1mbold\x1b[0m\r\n", "\x1b[1mbold\x1b[0m"),
        ("50 %\r\x1b[2K100 %\r\n", "100 %"),
        ("bar\r\nmore\x1b[1A\r\x1b[2K\x1b[1B\x1b[2K\x1b[1Adone\r\n", "done"),
        ("\x1b[?25lbar\r\nmore\r\x1b[2K\x1b[1A\x1b[2Kline\r\nbar\r\nmore", "line\nbar\nmore"),
        ("a link \x1b]8;;x\x07here\x1b]8;;\x07", "a link here"),
    ],
)
def test_what_was_drawn_over_does_not_stand_there_any_more(shown, stands):
    assert screen(shown) == stands


def test_a_real_run_is_drawn_and_nothing_of_this_machine_stands_in_it(tmp_path):
    picture = a_night(tmp_path)
    assert "Complete:" in picture and "new" in picture and "seal" in picture
    assert str(tmp_path) not in picture and "font-face" not in picture
    assert "url(http" not in picture


def test_every_picture_that_is_kept_is_shown_by_a_page():
    text = text_of(*all_pages())
    for picture in sorted((DOCS / "pictures").iterdir()):
        assert f"pictures/{picture.name}" in text, picture.name
