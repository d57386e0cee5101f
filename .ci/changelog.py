"""What CHANGELOG.md tells of one version: the text of its release.

    python .ci/changelog.py v1.2.3

Fails where the tag is not the version that is built, or where nothing is told of it, so that there
is no release then. Standard library only.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class NothingToTell(Exception):
    """There is no release to be told of; the message says why."""


def section(changelog: str, version: str) -> str:
    """What stands under the heading of ``version``: `## 1.2.3`, with or without a date behind it.

    Raises NothingToTell.
    """
    headings = list(re.finditer(r"^## +(.*?) *$", changelog, re.MULTILINE))
    for heading, after in zip(headings, [*headings[1:], None], strict=True):
        if heading[1].split()[:1] == [version]:
            text = changelog[heading.end() : after.start() if after else None].strip()
            if text:
                return text + "\n"
            raise NothingToTell(f"CHANGELOG.md has nothing under its heading of {version}")
    raise NothingToTell(f"CHANGELOG.md has no heading `## {version}`")


def notes(tag: str, *, package: str, changelog: str) -> str:
    """The text of the release that ``tag`` makes; ``package``: the module that says its version.

    Raises NothingToTell.
    """
    said = re.search(r'^__version__ = "(.+)"$', package, re.MULTILINE)
    version = said[1] if said else "nothing"
    if tag != f"v{version}":
        raise NothingToTell(f"the tag is {tag}, and the package says that it is {version}")
    return section(changelog, version)


if __name__ == "__main__":
    try:
        (wanted,) = sys.argv[1:]
        told = notes(
            wanted,
            package=(ROOT / "src/smugmug_backup/__init__.py").read_text(encoding="utf-8"),
            changelog=(ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        )
    except ValueError:
        sys.exit("usage: python .ci/changelog.py v1.2.3")
    except NothingToTell as why:
        sys.exit(f"changelog: {why}")
    sys.stdout.write(told)
