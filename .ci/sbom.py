"""Say in CycloneDX what is in what is published: `make sbom`, after `make dist` and `make zipapp`.

    dist/smugmug-backup-function.cdx.json    the function: src/requirements.txt, each with its hash
    dist/smugmug-backup.cdx.json             smugmug-backup.pyz: what lies in that file

and SHA256SUMS anew. A wheel has no parts but its own: what an installer adds to it is the newest
that its metadata allow, which nobody knows before. Runs under `.venvs/publish`.
"""

import email
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FUNCTION = "smugmug-backup-function.cdx.json"
TOOL = "smugmug-backup.cdx.json"
ZIPAPP = "smugmug-backup.pyz"

_METADATA = re.compile(r"site-packages/[^/]+\.dist-info/METADATA")


def packed(zipapp: Path) -> dict[str, str]:
    """The versions of the distributions that lie in ``zipapp``, by their names; ours is none."""
    with zipfile.ZipFile(zipapp) as opened:
        found = [
            email.message_from_bytes(opened.read(name))
            for name in opened.namelist()
            if _METADATA.fullmatch(name)
        ]
    return {each["Name"]: each["Version"] for each in found if each["Name"] != "smugmug-backup"}


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
    into = root / "dist"
    if not (into / ZIPAPP).exists():
        sys.exit("sbom: there is no dist/smugmug-backup.pyz; `make dist zipapp` makes it")
    project = root / "pyproject.toml"
    write(root / "src" / "requirements.txt", project, into / FUNCTION)
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder, "requirements.txt")
        lines = [f"{name}=={version}\n" for name, version in sorted(packed(into / ZIPAPP).items())]
        pins.write_text("".join(lines), encoding="utf-8")
        write(pins, project, into / TOOL)
    sys.path.insert(0, str(Path(__file__).parent))
    import dist

    dist.write_sums(into)


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent)
