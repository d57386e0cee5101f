"""The text of a release is what CHANGELOG.md tells of its version, or there is no release."""

import subprocess
import sys
import tomllib

import pytest

from smugmug_backup import __version__
from tests.tools.readme import ROOT
from tests.tools.scripts import script

changelog = script("changelog")

TOLD = """# Changelog

## Unreleased

- To come.

## 1.2.10 (2026-11-30)

- Ten.

### Smaller things

- Eleven.

## 1.2.1

- One.

## 1.2.0

"""


def notes(tag, *, version="1.2.10"):
    package = f'"""Doc."""\n\n__version__ = "{version}"\n'
    return changelog.notes(tag, package=package, changelog=TOLD)


def test_a_release_is_told_with_its_section_and_its_smaller_headings():
    assert notes("v1.2.10") == "- Ten.\n\n### Smaller things\n\n- Eleven.\n"


def test_a_version_that_is_the_beginning_of_another_is_not_that_one():
    assert notes("v1.2.1", version="1.2.1") == "- One.\n"


@pytest.mark.parametrize(
    ("tag", "version", "why"),
    [
        ("v1.2.1", "1.2.10", "the tag is v1.2.1, and the package says that it is 1.2.10"),
        ("1.2.10", "1.2.10", "the tag is 1.2.10"),
        ("v1.3.0", "1.3.0", "has no heading `## 1.3.0`"),
        ("v1.2.0", "1.2.0", "has nothing under its heading of 1.2.0"),
        ("v1.2.1", '"', "the package says that it is"),
    ],
)
def test_what_is_not_told_is_not_released(tag, version, why):
    with pytest.raises(changelog.NothingToTell, match=why):
        notes(tag, version=version)


def test_the_version_is_the_one_that_is_built():
    built = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert built["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "smugmug_backup.__version__"
    }
    package = (ROOT / "src" / "smugmug_backup" / "__init__.py").read_text(encoding="utf-8")
    told = f"## {__version__}\n\n- Told.\n"
    assert changelog.notes(f"v{__version__}", package=package, changelog=told) == "- Told.\n"


def test_the_script_says_in_one_line_why_there_is_no_release():
    for words, why in (
        (["v0.0.0"], "changelog: the tag is v0.0.0, and"),
        ([], "usage: python .ci/changelog.py"),
    ):
        done = subprocess.run(
            [sys.executable, ROOT / ".ci" / "changelog.py", *words], capture_output=True, text=True
        )
        assert done.returncode == 1 and not done.stdout
        assert done.stderr.startswith(why) and len(done.stderr.splitlines()) == 1
