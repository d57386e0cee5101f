"""A headless Chromium, and pages of a backup in it that must not complain or ask anybody else."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.browser.archive import make_archive
from tests.stack.environment import ROOT

_HANG = 180_000.0
"""Milliseconds, for a machine that is busy: without it some waits are of five seconds."""
expect.set_options(timeout=_HANG)
_OURS = ROOT / ".venvs" / "browser" / "chromium"
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process for them all: they share a browser."""
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.xdist_group("browser"))


def chromium() -> Path | None:
    """The one that `make browser` brought, else the machine's."""
    if (_OURS / "chromium").exists():
        return _OURS / "chromium"
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    return None if found is None else Path(found)


def environment_of(program: Path) -> dict[str, str]:
    """What it finds its libraries and fonts by."""
    if _OURS not in program.parents:
        return dict(os.environ)
    ours = {"LD_LIBRARY_PATH": str(_OURS / "lib"), "FONTCONFIG_FILE": str(_OURS / "fonts.conf")}
    return {**os.environ, **ours}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("a browser: make browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=ARGUMENTS,
            env=environment_of(program),
            timeout=_HANG,
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup with something of everything, and a hostile caption."""
    folder = tmp_path_factory.mktemp("browse") / "backup"
    make_archive(folder, hostile=True)
    return folder


@pytest.fixture(scope="session")
def address(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where `smugmug-backup browse` serves it."""
    home = tmp_path_factory.mktemp("home")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
    }
    command = [sys.executable, "-m", "smugmug_backup.cli", "browse", str(folder), "--no-browser"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


class Watched:
    """A page; `told` is what its console said, what failed, and what it asked of others."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.told: list[str] = []
        page.on("console", lambda message: self.told.append(message.text))
        page.on("pageerror", lambda error: self.told.append(str(error)))
        page.on("requestfailed", self._failed)
        page.on("request", lambda request: self._asked(request.url))

    def _failed(self, request: Request) -> None:
        # What a page that was left had still been waiting for is no failure.
        if request.failure != "net::ERR_ABORTED":
            self.told.append(f"failed: {request.url}: {request.failure}")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.hostname not in ("127.0.0.1", None) or parts.scheme not in ("http", "file"):
            self.told.append(f"asked {url}")


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context()
    context.set_default_timeout(_HANG)
    watched = Watched(context.new_page())
    yield watched
    context.close()
    assert watched.told == []


@pytest.fixture
def page(watched: Watched, address: str) -> Page:
    """The first page, come by the address."""
    watched.page.goto(address)
    return watched.page


@pytest.fixture(scope="session")
def static(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as files."""
    target = tmp_path_factory.mktemp("static") / "pages"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "XDG_CACHE_HOME": str(target) + "c",
    }
    command = [sys.executable, "-m", "smugmug_backup.cli", "browse", str(folder), "--static"]
    subprocess.run([*command, str(target)], env=environment, check=True, capture_output=True)
    return target
