"""What `.ci/run` may ask once more, and what it may not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ONE = "def test_of_one():\n    assert False\n\ndef test_right():\n    pass\n"
NAMED = (
    'import pytest\n\n@pytest.mark.parametrize("of", ["a - b"])\ndef test_(of):\n    assert False\n'
)
BROKEN = (
    "import pytest\n\n@pytest.fixture\ndef bad():\n    raise OSError\n\ndef test_(bad):\n    pass\n"
)
MANY = "".join(f"def test_{each}():\n    assert False\n\n" for each in range(4))
SKIPPED = ONE + '\nimport pytest\n\ndef test_skipped():\n    pytest.skip("root")\n'


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
@pytest.mark.parametrize(
    ("module", "named"),
    [
        (ONE, ["test_it.py::test_of_one"]),
        (NAMED, ["test_it.py::test_[a - b]"]),
        (BROKEN, ["test_it.py::test_"]),
        (MANY, []),
        (SKIPPED, []),
        ("def test_right():\n    pass\n", []),
        ("no Python at all", []),
    ],
    ids=["one", "odd name", "fixture", "too many", "a skip besides", "none", "not read"],
)
def test_few_failures_are_named_and_nothing_else_is_excused(tmp_path, workers, module, named):
    (tmp_path / "test_it.py").write_text(module)
    listed = tmp_path / "failed"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "CI": "true", "FAILED_LIST": str(listed)}
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "tests.tools.skips", "-p"),
            *("tests.tools.luck", "-p", "no:cacheprovider", *workers, "test_it.py"),
        ],
        cwd=tmp_path,
        env=env,
        capture_output=True,
    )
    assert (listed.read_text().splitlines() if listed.exists() else []) == named
