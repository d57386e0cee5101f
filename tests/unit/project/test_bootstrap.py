"""Which interpreter the environments are made with, and when they are left alone."""

import importlib.util
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / ".ci" / "bootstrap.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bootstrap"] = module
    spec.loader.exec_module(module)
    return module


bootstrap = _load()

MakePython = Callable[[Path, str], Path]


@pytest.fixture(autouse=True)
def _no_python_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOOTSTRAP_PYTHON", raising=False)


@pytest.fixture
def make_python() -> MakePython:
    """Puts a pretended interpreter somewhere: it answers every question with ``says``."""

    def make(path: Path, says: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        script = f"#!/bin/sh\necho '{says} {path}'\n" if says else "#!/bin/sh\nexit 127\n"
        path.write_text(script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


def _find(monkeypatch: pytest.MonkeyPatch, path: Path, pyenv: Path) -> str:
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setattr(bootstrap, "pyenv_roots", lambda: [pyenv])
    return str(bootstrap.find().path)


def test_a_python_3_13_on_path_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_python: MakePython
) -> None:
    make_python(tmp_path / "bin" / "python3", "3 11")
    wanted = make_python(tmp_path / "bin" / "python3.13", "3 13")
    make_python(tmp_path / "pyenv" / "versions" / "3.13.2" / "bin" / "python3", "3 13")
    assert _find(monkeypatch, tmp_path / "bin", tmp_path / "pyenv") == str(wanted)


def test_an_unselected_3_13_under_pyenv_is_found_behind_its_dead_shim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_python: MakePython
) -> None:
    make_python(tmp_path / "bin" / "python3", "3 11")
    make_python(tmp_path / "bin" / "python3.13", "")
    make_python(tmp_path / "pyenv" / "versions" / "3.13.2" / "bin" / "python3", "3 13")
    make_python(tmp_path / "pyenv" / "versions" / "3.9.18" / "bin" / "python3", "3 9")
    wanted = make_python(tmp_path / "pyenv" / "versions" / "3.13.10" / "bin" / "python3", "3 13")
    assert _find(monkeypatch, tmp_path / "bin", tmp_path / "pyenv") == str(wanted)


def test_without_a_3_13_the_newest_that_lambda_knows_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_python: MakePython
) -> None:
    make_python(tmp_path / "bin" / "python3", "3 11")
    wanted = make_python(tmp_path / "pyenv" / "versions" / "3.12.1" / "bin" / "python3", "3 12")
    make_python(tmp_path / "pyenv" / "versions" / "3.99.0" / "bin" / "python3", "3 99")
    assert _find(monkeypatch, tmp_path / "bin", tmp_path / "pyenv") == str(wanted)


def test_the_python_that_is_asked_for_is_used_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_python: MakePython
) -> None:
    make_python(tmp_path / "bin" / "python3.13", "3 13")
    wanted = make_python(tmp_path / "bin" / "python3.11", "3 11")
    monkeypatch.setenv("BOOTSTRAP_PYTHON", "3.11")
    assert _find(monkeypatch, tmp_path / "bin", tmp_path / "none") == str(wanted)
    monkeypatch.setenv("BOOTSTRAP_PYTHON", "3.14")
    with pytest.raises(bootstrap.BootstrapError, match=r"asks for Python 3\.14"):
        bootstrap.find()


def test_an_interpreter_that_cannot_make_environments_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_python: MakePython
) -> None:
    make_python(tmp_path / "bin" / "python3.13", "")
    wanted = make_python(tmp_path / "bin" / "python3", "3 11")
    assert _find(monkeypatch, tmp_path / "bin", tmp_path / "none") == str(wanted)


def test_no_usable_python_is_said_in_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_python: MakePython
) -> None:
    make_python(tmp_path / "bin" / "python3", "3 9")
    with pytest.raises(bootstrap.BootstrapError, match=r"no Python 3\.11 or later"):
        _find(monkeypatch, tmp_path / "bin", tmp_path / "none")


def test_the_running_interpreter_is_recognised() -> None:
    found = bootstrap.probe(Path(sys.executable))
    assert found is not None
    assert found.version == sys.version_info[:2]


def test_an_environment_is_current_until_its_requirements_change(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements-dev.txt"
    requirements.write_text("boto3==1.0\n")
    interpreter = bootstrap.Interpreter((3, 13), Path(sys.executable))
    folder = tmp_path / "dev"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    stamp = bootstrap.stamp_of(requirements, interpreter)
    assert not bootstrap.is_current(folder, stamp)
    (folder / bootstrap.STAMP).write_text(stamp)
    assert bootstrap.is_current(folder, stamp)
    requirements.write_text("boto3==1.1\n")
    assert not bootstrap.is_current(folder, bootstrap.stamp_of(requirements, interpreter))
    other = bootstrap.Interpreter((3, 12), Path(sys.executable))
    assert not bootstrap.is_current(folder, bootstrap.stamp_of(requirements, other))


def test_an_environment_whose_interpreter_is_gone_is_not_current(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(tmp_path / "gone")
    (tmp_path / bootstrap.STAMP).write_text("stamp")
    assert not bootstrap.is_current(tmp_path, "stamp")


def test_a_failing_install_ends_in_one_message_and_no_stamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "requirements-dev.txt"
    requirements.write_text("boto3==1.0\n")
    folder = tmp_path / "dev"
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho collecting >&2\necho ERROR: no space left >&2\nexit 1\n")
    python.chmod(0o755)
    (folder / bootstrap.STAMP).write_text("of an older one")
    interpreter = bootstrap.Interpreter((3, 13), Path(sys.executable))
    monkeypatch.setattr(bootstrap, "probe", lambda _: interpreter)
    with pytest.raises(bootstrap.BootstrapError) as raised:
        bootstrap.make_environment(folder, requirements, interpreter)
    assert "requirements-dev.txt into" in str(raised.value)
    assert "ERROR: no space left" in str(raised.value)
    assert "collecting" not in str(raised.value)
    assert not (folder / bootstrap.STAMP).exists()


def test_the_ci_script_is_executable() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "ERROR: one\nERROR: No matching distribution\n\n[notice] a pip",
            "No matching distribution",
        ),
        ("npm error code ECONNREFUSED\nnpm error stack\nnpm error A complete log", "ECONNREFUSED"),
        ("something\nelse", "else"),
        ("", "it said nothing"),
    ],
)
def test_what_a_program_says_of_its_failure_is_told_in_one_line(said, why):
    command = [sys.executable, "-c", f"import sys; sys.exit(sys.stderr.write({said!r}) * 0 + 1)"]
    with pytest.raises(bootstrap.BootstrapError) as caught:
        bootstrap._run(command, "could not fetch it")
    assert str(caught.value).splitlines()[0].endswith(why)
