"""`make screenshots`: pictures of the pages, light and dark, and of a run: the demo account."""

import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.archive import make_archive
from tests.browser.conftest import ARGUMENTS, chromium, environment_of
from tests.browser.terminal import a_night
from tests.stack.environment import ROOT
from tests.tools.clock import START

# The last of its nights is past, whenever the pictures are made.
_START = START - timedelta(days=30)
_FIRST = f"{_START + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
_PAGES = {
    "account": "/",
    "album": "/album/{album}?since=" + _FIRST,
    "photo": "/album/{album}/{photo}",
    "needs": "/needs",
}


def main(target: Path) -> None:
    """Write them into ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    program = chromium()
    if program is None:
        sys.exit("screenshots: there is no browser; run `make browser`")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos-backup"
        make_archive(folder, start=_START)
        environment = {**os.environ, "XDG_CACHE_HOME": scratch, "PYTHONPATH": str(ROOT / "src")}
        # Where it lies is shown on the pages.
        command = [
            sys.executable,
            "-m",
            "smugmug_backup.cli",
            "browse",
            folder.name,
            "--no-browser",
        ]
        with subprocess.Popen(
            command, cwd=scratch, env=environment, stdout=subprocess.PIPE, text=True
        ) as served:
            assert served.stdout is not None
            try:
                _take(served.stdout.readline().strip(), program, target)
            finally:
                served.terminate()
        home = Path(scratch) / "home"
        home.mkdir()
        (target / "run.svg").write_text(a_night(home), encoding="utf-8")


def _take(address: str, program: Path, target: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=ARGUMENTS, env=environment_of(program)
        )
        for scheme in ("light", "dark"):
            context = browser.new_context(
                color_scheme=scheme, viewport={"width": 1180, "height": 760}
            )
            page = context.new_page()
            page.goto(address)
            page.get_by_role("link", name="Harbour 2024").click()
            page.get_by_role("link", name="quay_002.jpg").first.click()
            *_, album, photo = page.url.split("/")
            base = address.partition("/?")[0]
            for name, path in _PAGES.items():
                page.goto(base + path.format(album=album, photo=photo))
                page.wait_for_load_state("networkidle")
                page.screenshot(path=target / f"{name}-{scheme}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
