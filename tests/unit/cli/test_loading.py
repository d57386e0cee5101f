"""What a command loads: what it needs, and nothing of AWS or HTTP for a folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local_smugmug import LocalSmugMug, World, generate_account

ROOT = Path(__file__).parents[3]
AWS = {"boto3", "botocore", "s3transfer"}
HTTP = {"requests", "urllib3", "requests_oauthlib", "oauthlib"}
TELL = """
import json, sys
from smugmug_backup.cli.main import main
status = main(sys.argv[1:])
loaded = sorted(sys.modules)
print(json.dumps([status, loaded]), file=sys.stderr)
"""


def loaded(*words, **environment):
    """(exit status, top-level packages, our own modules) of a process that ran the command."""
    ran = subprocess.run(
        [sys.executable, "-c", TELL, *map(str, words)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "PYTHONPATH": os.pathsep.join(sys.path),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr, ran.stdout
    status, names = json.loads(ran.stderr.splitlines()[-1])
    own = {name for name in names if name.startswith("smugmug_backup.")}
    return status, {name.partition(".")[0] for name in names}, own


def commands(own):
    stem = "smugmug_backup.cli.commands."
    return {name.removeprefix(stem) for name in own if name.startswith(stem)}


def test_the_help_of_all_loads_no_command_and_nothing_that_prints():
    status, packages, own = loaded("--help")
    assert status == 0
    assert not packages & (AWS | HTTP | {"rich"})
    assert commands(own) == set()


def test_the_help_of_a_command_loads_that_command_alone():
    status, packages, own = loaded("run", "--help")
    assert status == 0
    assert not packages & (AWS | HTTP)
    assert commands(own) == {"run"}


def test_a_run_into_a_folder_loads_nothing_of_aws(tmp_path):
    account = generate_account(albums=1, images=1)
    with LocalSmugMug(World(account)) as smugmug:
        secret = tmp_path / "secret.json"
        secret.write_text(json.dumps(account.secret()))
        secret.chmod(0o600)
        status, packages, own = loaded(
            "run",
            tmp_path / "backup",
            SMUGMUG_SECRET=f"file:{secret}",
            SMUGMUG_API_URL=smugmug.url,
            SMUGMUG_PHOTO_HOSTS="127.0.0.1",
            SMUGMUG_API="1.3.0",
        )
    assert status == 0
    assert not packages & AWS
    assert "smugmug_backup.smugmug.source_130" in own
    assert "smugmug_backup.smugmug.source_v2" not in own
    assert commands(own) == {"run"}


@pytest.mark.parametrize("command", ["status", "albums", "check"])
def test_a_look_at_a_folder_loads_neither_aws_nor_http(tmp_path, command):
    status, packages, own = loaded(command, tmp_path)
    assert status == 2  # There is no backup, but it was looked for.
    assert not packages & (AWS | HTTP)
    assert commands(own) == {command}
