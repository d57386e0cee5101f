"""What was skipped stands in the last line, and fails in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.skips import last_line, may_skip

ROOT = Path(__file__).resolve().parents[3]

MODULE = """
import pytest

def test_a():
    pass

@pytest.mark.parametrize("number", range(3))
def test_b(number):
    pytest.skip("root: sudo make test" if number else "a Linux")

@pytest.mark.xfail
def test_c():
    assert False
"""


@pytest.mark.parametrize(
    ("reasons", "line"),
    [
        ([], None),
        (["root"], "1 test was skipped; what would bring it: root"),
        (
            ["a Linux", "root", "root"],
            "3 tests were skipped; what would bring them: root (2); a Linux (1)",
        ),
    ],
)
def test_how_many_and_what_would_bring_them(reasons, line):
    assert last_line(reasons) == line


@pytest.mark.parametrize(
    ("environment", "allowed"),
    [({}, True), ({"CI": ""}, True), ({"CI": "false"}, True), ({"CI": "true"}, False)],
)
def test_a_skip_is_a_failure_in_ci_only(environment, allowed):
    assert may_skip(environment) is allowed


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_it_is_the_last_line_of_a_run(tmp_path, workers, ci, status):
    done = _run(tmp_path, MODULE, workers, ci)
    last = done.stdout.splitlines()[-1]
    assert done.returncode == status, done.stdout + done.stderr
    assert last.startswith("3 tests were skipped; what would bring them: root: sudo make test (2)")
    assert last.endswith("failure)") is bool(ci)


def test_nothing_is_said_when_nothing_was_skipped(tmp_path):
    done = _run(tmp_path, "def test_a():\n    pass\n", (), "true")
    assert done.returncode == 0
    assert "skipped" not in done.stdout


def _run(folder, text, workers, ci):
    (folder / "test_module.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.tools.skips", *workers, folder],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CI": ci, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
