"""What is published, as a test meets it: the built wheel and sdist, and fresh environments with it.

Built once a process from the tracked files as they are (a new file counts when git knows it), by
the code of `make dist`. Environments are made by uv; what the package needs comes from uv's cache,
or from the package index. Where only pip is set up to reach one, pip makes them.
"""

import functools
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from tests.stack.environment import MACHINE, ROOT, VENVS

PUBLISH = VENVS / "publish" / "bin"

# What uv and pip say where no index can be asked; anything else is a failure of ours.
_NO_INDEX = ("Failed to fetch", "error sending request", "dns error", "NewConnectionError")
_NO_INDEX += ("ProxyError", "ConnectTimeoutError", "NameResolutionError")
_LACKS_INDEX = "a package index, or a filled cache of uv: a network"


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    # Held, and so kept, until the process ends.
    return tempfile.TemporaryDirectory(prefix="smugmug-backup-wheel-")


def loaded(name: str) -> ModuleType:
    """A module of `.ci/`, which is no package."""
    path = ROOT / ".ci" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"ci_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def publishing(program: str) -> Path:
    """A program of the environment that publishes. Skips where that was not made."""
    if not (PUBLISH / program).exists():
        pytest.skip("the environment that publishes: python3 .ci/bootstrap.py publish")
    return PUBLISH / program


def build(
    root: Path, into: Path, *, umask: int = -1, environment: Mapping[str, str] = MACHINE
) -> tuple[Path, Path]:
    """Build wheel and sdist of the tree in ``root`` in ``into``, as `make dist` does there."""
    wheel, sdist = _called("dist.build", root, into, umask=umask, environment=environment)
    return wheel, sdist


def pack(
    wheel: Path, into: Path, *, umask: int = -1, environment: Mapping[str, str] = MACHINE
) -> Path:
    """Pack the program of one file in ``into``, as `make zipapp` does. Skips as ``installed``."""
    into.mkdir(exist_ok=True)
    try:
        (packed,) = _called("onefile.pack", wheel, into, umask=umask, environment=environment)
    except AssertionError as error:
        if any(each in str(error) for each in _NO_INDEX):
            pytest.skip(_LACKS_INDEX)
        raise
    return packed


def _called(
    function: str, *paths: Path, umask: int, environment: Mapping[str, str]
) -> Sequence[Path]:
    """What a function of `.ci/` gives, under the environment that publishes."""
    module = function.partition(".")[0]
    code = f"import sys, pathlib; sys.path[:0] = [sys.argv[1]]; import {module}\n"
    code += f"made = {function}(*map(pathlib.Path, sys.argv[2:]))\n"
    code += "print(*([made] if isinstance(made, pathlib.Path) else made), sep='\\n')"
    command = [publishing("python"), "-I", "-c", code, ROOT / ".ci", *paths]
    done = subprocess.run(
        [str(each) for each in command],
        capture_output=True,
        text=True,
        env=environment,
        umask=umask,
        timeout=18000,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [Path(line) for line in done.stdout.splitlines()]


@functools.cache
def built() -> tuple[Path, Path]:
    """Wheel and sdist of this tree."""
    return build(ROOT, Path(_folder().name, "dist"))


@functools.cache
def pythons() -> dict[str, Path]:
    """Every Python from 3.11 on that this machine has, by its version: ``3.11``, ``3.12``."""
    bootstrap = loaded("bootstrap")
    found: dict[str, Path] = {}
    for candidate in bootstrap.candidates(MACHINE.get("PATH", ""), bootstrap.pyenv_roots()):
        there = bootstrap.probe(candidate)
        if there is not None and there.version >= (3, 11):
            found.setdefault(".".join(map(str, there.version)), there.path)
    return found


def installed(wheel: Path, python: Path, extras: tuple[str, ...] = ()) -> Path:
    """A fresh environment of ``python`` with the ``wheel`` and its ``extras``; its folder.

    Skips where what they need is neither in uv's cache nor to be had from an index.
    """
    made = _made(wheel, python, extras)
    if made is None:
        pytest.skip(_LACKS_INDEX)
    return made


@functools.cache
def _made(wheel: Path, python: Path, extras: tuple[str, ...]) -> Path | None:
    environment = Path(tempfile.mkdtemp(dir=_folder().name), "environment")
    wanted = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
    there = str(environment / "bin" / "python")
    _uv("venv", "--quiet", "--no-project", "--python", str(python), str(environment))
    try:
        _uv("pip", "install", "--quiet", "--python", there, wanted)
    except AssertionError as error:
        if not any(each in str(error) for each in _NO_INDEX):
            raise
        return _made_by_pip(environment, python, wanted)
    return environment


def _made_by_pip(environment: Path, python: Path, wanted: str) -> Path | None:
    _run([str(python), "-I", "-m", "venv", "--clear", str(environment)])
    pip = [str(environment / "bin" / "python"), "-I", "-m", "pip", "install", "--quiet"]
    try:
        _run([*pip, "--disable-pip-version-check", wanted])
    except AssertionError as error:
        if any(each in str(error) for each in _NO_INDEX):
            return None
        raise
    return environment


def _uv(*arguments: str) -> None:
    _run([str(publishing("uv")), "--no-config", "--no-progress", "--system-certs", *arguments])


def _run(command: Sequence[str]) -> None:
    environment = {**MACHINE, "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=18000)
    assert done.returncode == 0, done.stderr
