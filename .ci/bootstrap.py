"""Make the environments that `make` needs, from nothing but a Python 3.11 or later.

    .venvs/dev         what tests, linters and the command-line tools import
    .venvs/ministack   the local AWS; Lambda code runs in this one's interpreter
    .venvs/sam         the SAM command line (it and ministack each pin their own botocore)

All are built from `tests/requirements-<name>.txt` with one interpreter: Python 3.13, which the
template deploys by default, or the newest that Lambda knows; `BOOTSTRAP_PYTHON=3.11` asks for that
one. An environment whose stamp agrees with its requirements is left alone. Standard library only.
"""

from __future__ import annotations  # an older Python, too, shall reach the message at the end

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PREFERRED = (3, 13)
# What Lambda runs and the template allows; newest first.
KNOWN = ((3, 14), (3, 13), (3, 12), (3, 11))
ENVIRONMENTS = ("dev", "ministack", "sam")
# Made only for the targets that need them: browser.py makes the one; packages, workflows and the
# site of docs/ need the other.
OPTIONAL = ("browser", "publish")
STAMP = ".requirements.sha256"

# An interpreter that cannot make environments (Debian without python3-venv), or one without the
# GIL (no wheels), answers nothing.
_PROBE = (
    "import ensurepip, sys, sysconfig, venv; "
    "sysconfig.get_config_var('Py_GIL_DISABLED') or "
    "print(sys.version_info[0], sys.version_info[1], sys.executable)"
)


class BootstrapError(Exception):
    """The environments cannot be made; the message says why and what to do."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs and can make environments."""

    version: tuple[int, int]
    path: Path

    def __str__(self) -> str:
        return f"Python {self.version[0]}.{self.version[1]} ({self.path})"


def candidates(path: str, pyenv_roots: Iterable[Path]) -> Iterator[Path]:
    """Where a Python may be: PATH, then pyenv's versions, whether selected or not."""
    names = [f"python{major}.{minor}" for major, minor in KNOWN]
    for name in (*names, "python3"):
        found = shutil.which(name, path=path)
        if found:
            yield Path(found)
    for root in pyenv_roots:
        folders = (root / "versions").glob("3.*")
        for folder in sorted(folders, key=lambda each: _numbers(each.name), reverse=True):
            if (folder / "bin" / "python3").exists():
                yield folder / "bin" / "python3"


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in name.split("."))


def probe(candidate: Path) -> Interpreter | None:
    """The interpreter behind a candidate; None for one that is of no use, such as a pyenv shim of
    a version that is not selected."""
    try:
        done = subprocess.run(
            [str(candidate), "-I", "-c", _PROBE], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.split(maxsplit=2)
    if done.returncode != 0 or len(words) != 3:
        return None
    return Interpreter((int(words[0]), int(words[1])), Path(words[2].strip()))


def choose(found: Sequence[Interpreter], wanted: str = "") -> Interpreter:
    """The first of the preferred version, else the newest that Lambda knows; or of the version that
    is ``wanted``, and no other.

    Raises BootstrapError if there is none.
    """
    for version in (PREFERRED, *KNOWN):
        for interpreter in found:
            if interpreter.version == version and wanted in ("", ".".join(map(str, version))):
                return interpreter
    if wanted:
        raise BootstrapError(f"BOOTSTRAP_PYTHON asks for Python {wanted}, and none was found")
    raise BootstrapError(
        "no Python 3.11 or later with venv was found on PATH or under pyenv; "
        "install one (on Debian: apt-get install python3 python3-venv)"
    )


def pyenv_roots() -> list[Path]:
    """Where pyenv keeps its versions: as it says itself, then where it is by default."""
    roots = [Path.home() / ".pyenv"]
    if shutil.which("pyenv"):
        said = subprocess.run(["pyenv", "root"], capture_output=True, text=True).stdout.strip()
        if said:
            roots.insert(0, Path(said))
    if os.environ.get("PYENV_ROOT"):
        roots.insert(0, Path(os.environ["PYENV_ROOT"]))
    return list(dict.fromkeys(roots))


def find() -> Interpreter:
    """The interpreter to use on this machine. Raises BootstrapError."""
    wanted = os.environ.get("BOOTSTRAP_PYTHON", "")
    seen: list[Interpreter] = []
    for candidate in candidates(os.environ.get("PATH", os.defpath), pyenv_roots()):
        interpreter = probe(candidate)
        if interpreter is not None:
            seen.append(interpreter)
            if interpreter.version == PREFERRED and not wanted:
                break
    return choose(seen, wanted)


def stamp_of(requirements: Path, interpreter: Interpreter) -> str:
    """What an environment that is up to date has in its stamp."""
    version = ".".join(map(str, interpreter.version))
    return f"{version} {hashlib.sha256(requirements.read_bytes()).hexdigest()}\n"


def is_current(folder: Path, stamp: str) -> bool:
    """Whether the environment in ``folder`` was finished with ``stamp`` and its Python is there."""
    try:
        return (folder / STAMP).read_text() == stamp and (folder / "bin" / "python").exists()
    except OSError:
        return False


def make_environment(folder: Path, requirements: Path, interpreter: Interpreter) -> None:
    """Bring the environment in ``folder`` up to date; the stamp is written last.

    Raises BootstrapError.
    """
    stamp = stamp_of(requirements, interpreter)
    if is_current(folder, stamp):
        return
    print(f"  {folder.name}: installing {requirements.name}", flush=True)
    (folder / STAMP).unlink(missing_ok=True)
    python = folder / "bin" / "python"
    there = probe(python)
    if there is None or there.version != interpreter.version:
        _run(
            [str(interpreter.path), "-I", "-m", "venv", "--clear", str(folder)],
            f"could not make the environment {folder}",
        )
    _run(
        [
            *(str(python), "-I", "-m", "pip", "install", "--quiet", "--no-input"),
            *("--disable-pip-version-check", "-r", str(requirements)),
        ],
        f"could not install {requirements} into {folder}",
    )
    (folder / STAMP).write_text(stamp)


def _run(command: Sequence[str], what_failed: str) -> str:
    """What the command printed. Raises BootstrapError."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        # pip's last line that says so, and npm's of the cause: what follows that is its stack.
        errors = [line for line in lines if line.startswith(("ERROR", "npm error code"))]
        why = (errors or lines or ["it said nothing"])[-1].strip()
        raise BootstrapError(
            f"{what_failed}: {why}\n"
            "Is the package index reachable? The same command again takes up where this one ended."
        )
    return done.stdout


def main(root: Path, names: Sequence[str]) -> None:
    """Make the named environments of the project in ``root``. Raises BootstrapError."""
    unknown = [name for name in names if name not in ENVIRONMENTS + OPTIONAL]
    if unknown:
        raise BootstrapError(f"no such environment: {', '.join(unknown)}")
    interpreter = find()
    note = ""
    if interpreter.version != PREFERRED:
        version = ".".join(map(str, interpreter.version))
        note = f"; there is no 3.13 here, so the function is built for python{version}"
    print(f"Using {interpreter}{note}", flush=True)
    folder = root / ".venvs"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock, ThreadPoolExecutor(len(names)) as pool:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for done in [
            pool.submit(
                make_environment,
                folder / name,
                root / "tests" / f"requirements-{name}.txt",
                interpreter,
            )
            for name in names
        ]:
            done.result()


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs this may have an older one
        sys.exit(f"python3 is {sys.version.split()[0]}; this project needs 3.11 or later")
    try:
        main(Path(__file__).resolve().parent.parent, sys.argv[1:] or ENVIRONMENTS)
    except BootstrapError as error:
        sys.exit(f"bootstrap: {error}")
