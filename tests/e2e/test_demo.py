"""The demo is the README's first command: it has to work."""

import os
import subprocess
import sys

import pytest

from tests.stack.environment import ROOT, tool_environment


@pytest.mark.parametrize("api", ["1.3.0", "v2"])
def test_the_demo_tells_its_story_to_the_end(api):
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo", "--api", api],
        cwd=ROOT,
        env={**tool_environment(), "COLUMNS": "100", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stderr == ""
    assert done.stdout.count("byte by byte the one at SmugMug") == 3
    assert "Nothing is left behind" in done.stdout
