"""The pages as a site, in a browser: nothing is asked of anybody else, and a search finds."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched
from tests.stack.environment import ROOT
from tests.unit.project.test_site import built


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing of what it serves."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = built(ROOT, tmp_path_factory.mktemp("site"))
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_it_is_read_from_the_first_page_to_a_far_one(watched: Watched, site: str) -> None:
    page = watched.page
    page.goto(f"{site}/index.html")
    expect(page.get_by_role("heading", level=1)).to_contain_text("SmugMug Backup")
    page.get_by_role("link", name="which disks will do").click()
    expect(page).to_have_url(f"{site}/docs/disk.html")
    page.goto(f"{site}/docs/aws.html")
    # A block within a numbered step is a part of it, not the step's end.
    expect(page.locator("ol > li pre").first).to_contain_text("python3 -m venv")


def test_a_search_finds_the_page(watched: Watched, site: str) -> None:
    page = watched.page
    page.goto(f"{site}/index.html")
    page.get_by_role("textbox", name="Search").click()
    page.keyboard.type("thaw")
    found = page.locator(".md-search-result__link").first
    expect(found).to_be_visible(timeout=120_000)
    assert "operations" in (found.get_attribute("href") or "")
