"""Standard output and standard error, where nobody reads them any more."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, resource, sys
from smugmug_backup.cli.streams import give_up
resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))
sys.stdout.write("what nobody reads")
give_up(sys.stdout)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("limit", [3, 64])
def test_what_cannot_be_written_is_told_by_nobody_though_nothing_can_be_opened(limit):
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > limit
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(limit=limit)],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_what_python_cannot_say_of_its_own_options_is_no_failure_of_the_command():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "smugmug_backup.cli", "--version"],
            env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "nonsense"},
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            check=False,
        )
    assert done.returncode == 0 and done.stdout.startswith("smugmug-backup ")
