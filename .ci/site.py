"""Build the pages as a site in `build/site/html`: `make site`. Any warning is an error.

The pages are laid out as they lie in the project, with the files that they show or link to, and
mkdocs makes of each one page; so a link is right on the site if it is right in the project. Runs
under `.venvs/publish`, which pins what builds; asks no network.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import dist

CONFIG = Path(__file__).with_name("mkdocs.yml")

_STYLE = """
:root { --md-code-font: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono"; }
.md-grid { max-width: 70rem; }
.md-typeset__table td code { word-break: normal; }
"""
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_NAMED = re.compile(r"\]\(([^)\s#]+)[^)]*\)|\b(?:src|srcset)=\"([^\"]+)\"")


class SiteError(Exception):
    """It could not be built; the message says why."""


def build(root: Path, into: Path) -> Path:
    """Build the site of the tree in ``root`` below ``into``; its folder. Raises SiteError with what
    is wrong."""
    pages, html = into / "pages", into / "html"
    lay_out(root, pages)
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(CONFIG)],
        capture_output=True,
        text=True,
        # The theme speaks of what mkdocs will be one day.
        env={
            **os.environ,
            "NO_MKDOCS_2_WARNING": "1",
            "SITE_PAGES": str(pages),
            "SITE": str(html),
        },
    )
    if done.returncode:
        raise SiteError(done.stdout + done.stderr)
    return html


def lay_out(root: Path, target: Path) -> None:
    """Copy every page, and what it shows or leads to, to ``target``."""
    shutil.rmtree(target, ignore_errors=True)
    pages = [name for name in dist.tracked(root) if is_page(name)]
    for name in sorted({*pages, *(each for page in pages for each in named(root, page))}):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target / name)
    (target / "site.css").write_text(_STYLE, encoding="utf-8")


def is_page(name: str) -> bool:
    """Whether a tracked file is a page of the site: those for people, but for the forms that the
    public host fills in."""
    return name.endswith(".md") and not re.search(r"_TEMPLATE\b", name, re.IGNORECASE)


def named(root: Path, page: str) -> set[str]:
    """The files in ``root`` that a page shows or leads to."""
    text = _CODE.sub("", (root / page).read_text(encoding="utf-8"))
    found = set[str]()
    for link, picture in _NAMED.findall(text):
        file = ((root / page).parent / (link or picture)).resolve()
        if file.is_file() and file.is_relative_to(root.resolve()):
            found.add(file.relative_to(root.resolve()).as_posix())
    return found


if __name__ == "__main__":
    here = Path(__file__).resolve().parents[1]
    tree, target = map(Path, sys.argv[1:] or (here, here / "build" / "site"))
    try:
        print(f"{build(tree, target)}/index.html")
    except SiteError as error:
        sys.exit(f"site: {error}")
