"""Build what is published: `make dist`. The same tree gives the same bytes, wherever it lies.

    dist/smugmug_backup-<version>-py3-none-any.whl    what is installed
    dist/smugmug_backup-<version>.tar.gz              everything that is tracked, to build and test
    dist/SHA256SUMS                                   for `sha256sum --check`

Nothing but the tracked files counts: they are copied first, and the copy has the same times, modes
and order everywhere. (setuptools alone keeps the times and owners of the machine in an sdist, and
the umask in a wheel.) What compresses is Python's zlib: another build of zlib may pack the same
files into other bytes.

Runs under `.venvs/publish`, which pins what builds; asks no network.
"""

import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

EPOCH = 1580601600
"""2020-02-02: the time of every file that is published; that of the build says nothing to anybody
and would make two builds differ."""

# What is made in a tree, for one that is no checkout: an unpacked sdist, say.
_MADE = {".git", ".venv", ".venvs", ".aws-sam", ".demo", "build", "dist", "__pycache__", "PKG-INFO"}
_MADE_ENDS = (".egg-info", "_cache", ".hypothesis", ".pyc")


class DistError(Exception):
    """It could not be built; the message says why."""


class Built(NamedTuple):
    """What was built, and where it lies."""

    wheel: Path
    sdist: Path


def build(root: Path, into: Path) -> Built:
    """Build wheel and sdist of the tree in ``root``, which is left as it is, in ``into``.

    Raises DistError with what the build said.
    """
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        copy(root, tree)
        wheel = build_wheel(tree, into)
        # setuptools leaves its own traces in the tree that it builds.
        source = Path(folder, "source")
        copy(root, source)
        return Built(wheel, _build_sdist(source, wheel, into))


def copy(root: Path, target: Path) -> None:
    """Copy what is tracked in ``root`` to ``target``, with modes that are always alike."""
    for name in tracked(root):
        source, copied = root / name, target / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copied)
        copied.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def tracked(root: Path) -> list[str]:
    """The names of the tree's files, in order: those that git tracks, else all that were not made
    there."""
    if (root / ".git").exists():
        said = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=True
        )
        names = [name for name in said.stdout.decode().split("\0") if (root / name).is_file()]
    else:
        names = [each.relative_to(root).as_posix() for each in _files(root)]
    return sorted(name for name in names if name)


def _files(folder: Path) -> Iterator[Path]:
    for each in folder.iterdir():
        if each.name in _MADE or each.name.endswith(_MADE_ENDS):
            continue
        if each.is_dir():
            yield from _files(each)
        else:
            yield each


def readme_for_index(text: str, repository: str, tag: str) -> str:
    """``README.md`` as a package index shows it, where no other page lies beside it.

    ========================  ===============================================
    ``](docs/tool.md#a)``     the page in the repository, as of this version
    ``](#anchor)``            README.md's there: an index may give other anchors
    ``src="docs/a.png"``      the bytes of the picture there; so ``srcset``
    ``](https://…)``, code    as it is
    ========================  ===============================================
    """
    # Every second part is fenced code.
    parts = re.split(r"(^```.*?^```)", text, flags=re.DOTALL | re.MULTILINE)
    for at in range(0, len(parts), 2):
        page = f"]({repository}/blob/{tag}/"
        parts[at] = re.sub(r"\]\(#", f"{page}README.md#", parts[at])
        parts[at] = re.sub(r"\]\((?![a-z]+:)", page, parts[at])
        picture = rf'\1="{repository}/raw/{tag}/'
        parts[at] = re.sub(r'\b(src|srcset)="(?![a-z]+:)', picture, parts[at])
    return "".join(parts)


def _published(tree: Path) -> tuple[str, str]:
    """Where the project lies for everybody, and the tag of the version in ``tree``."""
    project = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = (tree / "src" / "smugmug_backup" / "__init__.py").read_text(encoding="utf-8")
    (version,) = re.findall(r'^__version__ = "(.+)"$', package, re.MULTILINE)
    return project["urls"]["Repository"], f"v{version}"


def build_wheel(tree: Path, into: Path) -> Path:
    """Build the wheel in ``tree``, which is changed by it, by the rules of pyproject.toml."""
    readme = tree / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(readme_for_index(text, *_published(tree)), encoding="utf-8")
    before = set(into.glob("*.whl"))
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-m", "build", "--wheel", "--no-isolation"),
            *("--outdir", str(into), str(tree)),
        ],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            "SOURCE_DATE_EPOCH": str(EPOCH),
        },
        umask=0o022,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise DistError(f"the build failed\n{done.stdout}{done.stderr}")
    (wheel,) = set(into.glob("*.whl")) - before
    return wheel


def _build_sdist(tree: Path, wheel: Path, into: Path) -> Path:
    """Pack ``tree`` with the metadata of the ``wheel`` that it gives."""
    name = "-".join(wheel.name.split("-")[:2])
    with zipfile.ZipFile(wheel) as opened:
        metadata = opened.read(f"{name}.dist-info/METADATA")
    sdist = into / f"{name}.tar.gz"
    with (
        sdist.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=EPOCH) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        _add(archive, f"{name}/PKG-INFO", metadata, 0o644)
        for each in tracked(tree):
            mode = (tree / each).stat().st_mode & 0o777
            _add(archive, f"{name}/{each}", (tree / each).read_bytes(), mode)
    return sdist


def _add(archive: tarfile.TarFile, name: str, body: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(body), mode, EPOCH
    archive.addfile(member, io.BytesIO(body))


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS of what lies in ``folder``."""
    files = [each for each in sorted(folder.iterdir()) if each.name != "SHA256SUMS"]
    lines = [f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def main(root: Path) -> None:
    """Fill ``dist/`` anew."""
    into = root / "dist"
    shutil.rmtree(into, ignore_errors=True)
    try:
        built = build(root, into)
    except DistError as error:
        sys.exit(f"dist: {error}")
    write_sums(into)
    for each in (*built, into / "SHA256SUMS"):
        print(f"  {each.relative_to(root)}  {each.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent)
