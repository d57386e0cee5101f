"""Build the function's package with `sam build`, once for each state of the sources."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.stack.environment import ROOT, VENVS, tool_environment

_CACHE = ROOT / ".aws-sam" / "tests"
_KEPT = 4
TEMPLATE = ROOT / "template.yaml"
FUNCTION = "BackupFunction"


def _listed(name: str) -> tuple[str, ...]:
    """The words of a variable of `src/Makefile`."""
    text = (ROOT / "src" / "Makefile").read_text(encoding="utf-8")
    (line,) = (each for each in text.splitlines() if each.startswith(f"{name} := "))
    return tuple(line.partition(":= ")[2].split())


OWNERS = _listed("OWNERS")
"""The rooms that are not shipped."""
KEEPING = _listed("KEEPING")
"""What is shipped of the room that keeps copies."""


class BuildError(Exception):
    """`sam build` failed; the message is what it said."""


@cache
def python_version() -> str:
    """The runtime to build and deploy for: that of ministack's interpreter, which runs the code."""
    script = "import sys; print(f'python{sys.version_info[0]}.{sys.version_info[1]}')"
    python = VENVS / "ministack" / "bin" / "python"
    done = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def built_package() -> Path:
    """The folder that `sam build` made of the sources as they are now, built if it is not there.

    Raises BuildError.
    """
    return built_template().parent / FUNCTION


def built_template() -> Path:
    """The template that `sam build` wrote beside the package. Raises BuildError."""
    import fcntl  # no Windows has it, and the pure tests, which build nothing, load this module

    _CACHE.mkdir(parents=True, exist_ok=True)
    key = _key()
    built = _CACHE / key / "template.yaml"
    with (_CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            _build(_CACHE / key)
            _forget_older()
        os.utime(built.parent)
    return built


def _build(folder: Path) -> None:
    making = folder.with_suffix(".making")
    shutil.rmtree(making, ignore_errors=True)
    environment = tool_environment()
    environment["PYTHON"] = str(VENVS / "ministack" / "bin" / "python")
    done = subprocess.run(
        [
            *(VENVS / "sam" / "bin" / "sam", "build", "--template", TEMPLATE),
            *("--build-dir", making, "--parameter-overrides", f"PythonVersion={python_version()}"),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise BuildError(f"sam build failed:\n{(done.stdout + done.stderr)[-4000:]}")
    making.rename(folder)


def _key() -> str:
    digest = hashlib.sha256(python_version().encode())
    for path in _inputs():
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _inputs() -> Iterator[Path]:
    yield TEMPLATE
    source = ROOT / "src"
    yield from (source / "Makefile", source / "requirements.txt")
    package = source / "smugmug_backup"
    for path in sorted(package.rglob("*")):
        inside = path.relative_to(package).parts
        if path.is_file() and inside[0] not in OWNERS and "__pycache__" not in inside:
            yield path


def _forget_older() -> None:
    folders = [each for each in _CACHE.iterdir() if each.is_dir()]
    for folder in sorted(folders, key=lambda each: each.stat().st_mtime, reverse=True)[_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
