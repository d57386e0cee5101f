"""The threat model names tests that are there, and says of each threat what is left."""

import re

import pytest

from tests.tools.readme import ROOT, section, text_of

PAGE = ROOT / "SECURITY.md"
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in section(text_of(PAGE), "shown").splitlines()[2:]
]


def test_the_table_has_every_threat_once_and_leaves_no_cell_empty():
    assert len(ROWS) > 15
    assert len({row[0] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert len(row) == 5 and all(row), row[0]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_what_is_said_to_be_shown_is_shown_by_tests_that_are_there(row):
    named = re.findall(r"`(tests/[^`]+\.py)`: ([^|<]+)", row[3])
    assert named, row[0]
    assert len(named) == row[3].count("<br>") + 1, "each test is named by its file and its sentence"
    for file, words in named:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert f"def test_{words.strip().replace(' ', '_')}(" in source, (file, words)


def test_nobody_is_sent_to_an_address_that_was_made_up():
    text = text_of(PAGE, ROOT / ".github" / "CODE_OF_CONDUCT.md")
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", text)
    assert "Report a\nvulnerability" in text or "Report a vulnerability" in text
