"""The pages as a site: whole, asking nobody, and not built where a link leads nowhere."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tests.tools.readme import ROOT, all_pages, owners_pages
from tests.tools.wheel import loaded, publishing

sys.path.insert(0, str(ROOT / ".ci"))
site = loaded("site")


class Nav(yaml.SafeLoader):
    """Reads the settings; what the tags mean is no matter here."""


Nav.add_multi_constructor("", lambda loader, suffix, node: suffix)


def in_navigation():
    settings = yaml.load((ROOT / ".ci" / "mkdocs.yml").read_text(encoding="utf-8"), Loader=Nav)
    return [page for part in settings["nav"] for each in part.values() for page in pages_of(each)]


def pages_of(entries):
    return [each if isinstance(each, str) else next(iter(each.values())) for each in entries]


def test_the_navigation_has_every_page_once_and_begins_with_the_readme():
    pages = in_navigation()
    assert pages[0] == "README.md"
    assert len(pages) == len(set(pages))
    shown = {str(each.relative_to(ROOT)) for each in all_pages()}
    assert set(pages) == {name for name in shown if site.is_page(name)}
    assert {str(each.relative_to(ROOT)) for each in owners_pages()} <= set(pages)


@pytest.mark.parametrize(
    ("name", "is_page"),
    [
        ("README.md", True),
        ("docs/disk.md", True),
        (".github/CONTRIBUTING.md", True),
        (".github/pull_request_template.md", False),
        (".github/ISSUE_TEMPLATE/bug.md", False),
        ("template.yaml", False),
    ],
)
def test_a_form_is_no_page(name, is_page):
    assert bool(site.is_page(name)) is is_page


def built(root, into):
    """Its folder. Raises AssertionError with what was wrong."""
    program = publishing("python")
    done = subprocess.run(
        [program, ROOT / ".ci" / "site.py", root, into], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(into, "html")


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    return built(ROOT, tmp_path_factory.mktemp("site"))


class Loads(HTMLParser):
    """What a page loads when it is opened."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in ("script", "img", "source", "iframe"):
            self.found += [given.get("src") or "", given.get("srcset") or ""]
        if tag == "link" and given.get("rel") != "canonical":
            self.found.append(given.get("href") or "")


def test_every_page_is_there_and_loads_nothing_from_elsewhere(html):
    for name in in_navigation():
        page = html / re.sub(r"README\.md$", "index.md", name)
        page = page.with_suffix(".html")
        assert page.is_file(), name
        for loaded_ in Loads(page.read_text(encoding="utf-8")).found:
            assert "//" not in loaded_, (name, loaded_)
            path = loaded_.split(" ")[0].split("?")[0]
            assert not path or (page.parent / path).exists(), (name, path)
    for style in html.rglob("*.css"):
        assert not re.search(r"(@import|url\()[\s\"']*(https?:)?//", style.read_text()), style


@pytest.mark.parametrize(
    ("link", "says"),
    [("docs/nowhere.md", "nowhere.md"), ("docs/disk.md#no-such-part", "no-such-part")],
)
def test_a_link_that_leads_nowhere_is_an_error_that_names_it(tmp_path, link, says):
    publishing("mkdocs")
    tree = tmp_path / "tree"
    loaded("dist").copy(ROOT, tree)
    with open(tree / "README.md", "a", encoding="utf-8") as file:
        file.write(f"\n[there]({link})\n")
    with pytest.raises(AssertionError, match=says):
        built(tree, tmp_path / "out")
