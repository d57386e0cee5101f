"""No page leads anywhere that is not there."""

import re

import pytest

from tests.tools.readme import ROOT, all_pages, anchors, links, owners_pages, text_of

PAGES = all_pages()
SOURCE = ROOT / "src" / "smugmug_backup"
_FILE = re.compile(r"[\w./-]+\.(py|md|yaml|toml|in)")
_OURS = re.compile(r"(src|tests|docs|events|\.github|\.ci)/[\w./-]*")


def name(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_and_an_anchor_that_are_there(page):
    for link in links(text_of(page)):
        if re.match(r"https://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name(page)}: {link}"
        assert target.is_relative_to(ROOT), f"{name(page)}: {link} leads out of the project"
        if anchor:
            assert anchor in anchors(text_of(target)), f"{name(page)}: {link}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_that_a_page_names_is_there(page):
    homes = (ROOT, page.parent, SOURCE, SOURCE / "archive")
    for path in _paths(text_of(page)):
        assert any(home.joinpath(path).exists() for home in homes), f"{name(page)}: {path}"


def _paths(text):
    """What is written as code and is the path of a file or a folder of ours."""
    for word in re.findall(r"`([^`\s]+)`", text):
        if _FILE.fullmatch(word) or _OURS.fullmatch(word):
            yield word


def test_every_page_for_owners_is_reached_from_the_readme():
    found = {
        (ROOT / link.partition("#")[0]).resolve() for link in links(text_of(ROOT / "README.md"))
    }
    assert set(owners_pages()) - {ROOT / "README.md"} <= found


def test_the_anchor_of_a_heading_is_githubs():
    text = "# A `b.c` and D's\n\n```\n# no heading\n```\n\n## 6. The chain\n\n## Same\n\n## Same\n"
    assert anchors(text) == {"a-bc-and-ds", "6-the-chain", "same", "same-1"}


def test_links_in_code_are_none():
    assert links("[a](b.md) `x`\n```\n[c](d.md)\n```\n[e](f.md#g)") == ["b.md", "f.md#g"]
