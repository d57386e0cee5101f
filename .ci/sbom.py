"""Say in CycloneDX what is in what is published: `make sbom`, after `make zipapp`.

    dist/smugmug-backup-function.cdx.json    the function: what src/requirements.txt pins
    dist/smugmug-backup.cdx.json             smugmug-backup.pyz: what src/requirements-tool.txt pins

each with its hashes, and SHA256SUMS anew. Fails if anything else lies in the .pyz. A wheel has no
parts but its own: what an installer adds to it is the newest that its metadata allow, which nobody
knows before. Runs under `.venvs/publish`.
"""

import email
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

FUNCTION = "smugmug-backup-function.cdx.json"
TOOL = "smugmug-backup.cdx.json"
ZIPAPP = "smugmug-backup.pyz"
OURS = "smugmug-backup"

_METADATA = re.compile(r"site-packages/[^/]+\.dist-info/METADATA")
_PIN = re.compile(r"^([\w.-]+)==([^\s;\\]+)(?:.*\\\n)*.*\n?", re.MULTILINE)


def pinned(requirements: str) -> dict[str, str]:
    """The versions that a file of requirements pins, by name."""
    return {_plain(each[1]): each[2] for each in _PIN.finditer(requirements)}


def without_conditions(requirements: str) -> str:
    """The same pins less those of other systems: what is packed on one serves all."""
    pins = [each[0] for each in _PIN.finditer(requirements)]
    return "".join(each for each in pins if ";" not in each)


def packed(zipapp: Path) -> dict[str, str]:
    """The versions of all that lies in ``zipapp``, by name; ours is none."""
    with zipfile.ZipFile(zipapp) as opened:
        found = [
            email.message_from_bytes(opened.read(name))
            for name in opened.namelist()
            if _METADATA.fullmatch(name)
        ]
    versions = {_plain(each["Name"]): each["Version"] for each in found}
    return {name: version for name, version in versions.items() if name != OURS}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def difference(told: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """What is not in both alike, in words."""
    return [
        f"{name}: {told.get(name, 'nothing')} is pinned, {found.get(name, 'nothing')} is packed"
        for name in sorted({*told, *found})
        if told.get(name) != found.get(name)
    ]


def write(requirements: Path, project: Path, bom: Path) -> None:
    """Write the ``bom`` of what ``requirements`` pins, as parts of ``project`` (pyproject.toml).

    The same requirements give the same bytes.
    """
    subprocess.run(
        [
            # What belongs to what is not known from pins: it warns that the graph has no edges.
            *(sys.executable, "-I", "-W", "ignore:The Component this BOM"),
            *("-m", "cyclonedx_py", "requirements", str(requirements)),
            *("--pyproject", str(project), "--output-reproducible", "--of", "JSON"),
            *("--output-file", str(bom)),
        ],
        check=True,
    )


def main(root: Path) -> None:
    """Write both beside what was built."""
    into, source = root / "dist", root / "src"
    if not (into / ZIPAPP).exists():
        sys.exit("sbom: there is no dist/smugmug-backup.pyz; `make zipapp` makes it")
    tool = without_conditions((source / "requirements-tool.txt").read_text(encoding="utf-8"))
    wrong = difference(pinned(tool), packed(into / ZIPAPP))
    if wrong:
        sys.exit("\n".join(("sbom: the .pyz holds something else than is pinned", *wrong)))
    project = root / "pyproject.toml"
    write(source / "requirements.txt", project, into / FUNCTION)
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder, "requirements.txt")
        pins.write_text(tool, encoding="utf-8")
        write(pins, project, into / TOOL)
    sys.path.insert(0, str(Path(__file__).parent))
    import dist

    dist.write_sums(into)


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent)
