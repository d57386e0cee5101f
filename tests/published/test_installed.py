"""The built wheel, installed on every Python that this machine has, does its work from there."""

import html
import json

import smugmug_backup
from tests.published.conftest import sums
from tests.tools import wheel as published


def pytest_generate_tests(metafunc):
    """One of each for every Python that is there: none is skipped."""
    if "version" in metafunc.fixturenames:
        metafunc.parametrize("version", sorted(published.pythons(), key=_numbers))


def _numbers(version):
    return tuple(map(int, version.split(".")))


def _program(version):
    """The tool in a fresh environment: with what shows pages, and on the newest with all extras."""
    newest = max(published.pythons(), key=_numbers)
    extras = ("all",) if version == newest else ("browse",)
    wheel, _ = published.built()
    environment = published.installed(wheel, published.pythons()[version], extras)
    return environment / "bin" / "smugmug-backup"


def test_it_backs_up_checks_restores_and_makes_pages(version, tool, smugmug, tmp_path):
    program = _program(version)
    backup, target, pages = tmp_path / "backup", tmp_path / "restored", tmp_path / "pages"
    assert tool(program, "--version").stdout == f"smugmug-backup {smugmug_backup.__version__}\n"

    ran = json.loads(tool(program, "run", backup, "--json").stdout)
    assert ran["status"] == "complete"
    checked = json.loads(tool(program, "check", backup, "--read-data", "all", "--json").stdout)
    assert checked["status"] == "sound"
    # One photo of this account has no original at SmugMug, and is named.
    restored = tool(program, "restore", backup, target, "--yes", status=1)
    assert "Not as it should be: 1\n" in restored.stdout
    originals = sums(backup / "originals")
    assert len(originals) > 5
    assert originals <= sums(target)

    tool(program, "browse", backup, "--static", pages)
    first = html.unescape((pages / "index.html").read_text(encoding="utf-8"))
    titles = [html.unescape(album.title) for album in smugmug.world.account.albums.values()]
    assert titles
    assert [each for each in titles if each not in first] == []
    assert list(pages.rglob("*.jpg")) or list(pages.rglob("*.webp")), "no picture was made"
