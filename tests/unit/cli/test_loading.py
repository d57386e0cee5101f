"""What a command loads: what it needs, and nothing of AWS or HTTP for a folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smugmug_backup.cli.main import COMMANDS
from tests.local_smugmug import LocalSmugMug, World, generate_account

ROOT = Path(__file__).parents[3]
AWS = {"boto3", "botocore", "s3transfer"}
HTTP = {"requests", "urllib3", "requests_oauthlib", "oauthlib"}
# Half of what `run` loads, as long as nobody needs it: what prints, HTTP of Python's own, threads.
UNASKED = AWS | HTTP | {"rich", "http", "email", "ssl", "sqlite3", "concurrent", "logging"}
WORDS = {
    "smugmug_backup.words",
    "smugmug_backup.restore",
    "smugmug_backup.restore.names",
    "smugmug_backup.restore.ways",
    "smugmug_backup.cli.timers",
}
"""What arguments are described with."""
SELDOM = {
    *("archive.details", "archive.drill_report", "archive.forgotten", "archive.inspection"),
    *("archive.page", "archive.schemas", "backup.batch", "backup.finish", "backup.overflow"),
    *("cli.dry_run", "cli.estimate", "cli.terminal", "function.sign_of_life"),
}
"""What is loaded when it is asked for, and no quiet night asks."""
TELL = """
import json, sys
from smugmug_backup.cli.main import main
status = main(sys.argv[1:])
loaded = sorted(sys.modules)
print(json.dumps([status, loaded]), file=sys.stderr)
"""


def said(program, *words, **environment):
    """What a process prints to standard error in its last line, as JSON."""
    ran = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": "/proc/nonexistent",
            "PYTHONPATH": os.pathsep.join(sys.path),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr, ran.stdout
    return json.loads(ran.stderr.splitlines()[-1])


def loaded(*words, **environment):
    """(exit status, top-level packages, our own modules) of a process that ran the command."""
    status, names = said(TELL, *words, **environment)
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


def test_of_every_command_its_arguments_are_loaded_for_its_help_and_nothing_else():
    asked = """
from smugmug_backup.cli.main import COMMANDS, main
started = set(sys.modules)
told = {}
for name in COMMANDS:
    status = main([name, "--help"])
    told[name] = [status, sorted({*sys.modules} - started)]
    for loaded in {*sys.modules} - started:
        del sys.modules[loaded]
print(json.dumps([0, [sorted(started), told]]), file=sys.stderr)
"""
    status, (started, told) = said(f"import json, sys{asked}")
    assert status == 0 and told.keys() == COMMANDS.keys()
    assert not {name.partition(".")[0] for name in started} & UNASKED
    for name, (ended, more) in told.items():
        packages = {each.partition(".")[0] for each in more}
        assert ended == 0
        assert not packages & UNASKED, name
        ours = {each for each in more if each.startswith("smugmug_backup.")}
        assert f"smugmug_backup.cli.arguments.{name}" in ours
        assert ours <= {
            "smugmug_backup.cli.arguments",
            f"smugmug_backup.cli.arguments.{name}",
            *WORDS,
        }, name


@pytest.mark.parametrize("words", [("completion", "bash"), ("man",), ("--version",)])
def test_what_shells_and_man_ask_for_loads_no_command_but_itself(words):
    status, packages, own = loaded(*words)
    assert status == 0
    assert not packages & UNASKED - {"logging", "email"}  # shtab asks for its own version
    assert commands(own) <= {words[0]}


@pytest.fixture
def account(tmp_path):
    """The settings of a run of a small account."""
    made = generate_account(albums=1, images=1)
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps(made.secret()))
    secret.chmod(0o600)
    with LocalSmugMug(World(made)) as smugmug:
        yield {
            "SMUGMUG_SECRET": f"file:{secret}",
            "SMUGMUG_API_URL": smugmug.url,
            "SMUGMUG_PHOTO_HOSTS": "127.0.0.1",
        }


def test_a_run_into_a_folder_loads_nothing_of_aws(tmp_path, account):
    status, packages, own = loaded("run", tmp_path / "backup", SMUGMUG_API="1.3.0", **account)
    assert status == 0
    assert not packages & AWS
    assert "smugmug_backup.smugmug.source_130" in own
    assert "smugmug_backup.smugmug.source_v2" not in own
    assert commands(own) == {"run"}


def test_a_quiet_night_into_a_folder_loads_nothing_that_only_other_nights_need(tmp_path, account):
    first, *_ = loaded("run", tmp_path / "backup", SMUGMUG_API="v2", **account)
    status, packages, own = loaded("run", tmp_path / "backup", SMUGMUG_API="v2", **account)
    assert first == status == 0
    assert "smugmug_backup.smugmug.source_v2" in own
    # What draws, what guesses, what reads settings that are not there, names of characters.
    assert not packages & (AWS | {"rich", "difflib", "tomllib", "html", "_strptime"})
    rooms = {name.removeprefix("smugmug_backup.").partition(".")[0] for name in own}
    assert not rooms & {"restore", "check", "keeping", "catalog", "browse"}
    assert not own & {f"smugmug_backup.{name}" for name in SELDOM}


def test_the_function_starts_without_what_no_night_needs():
    starts = """
import json, sys
import smugmug_backup.function.handler
from smugmug_backup.storage.s3 import s3_client
print(json.dumps([0, sorted(sys.modules)]), file=sys.stderr)
"""
    status, names = said(starts, AWS_DEFAULT_REGION="eu-central-1")
    packages = {name.partition(".")[0] for name in names}
    assert status == 0
    # HTTP to SmugMug is loaded with the first call: an invocation may be a check, or a mail.
    assert not packages & {"requests", "requests_oauthlib", "oauthlib", "rich", "_strptime"}
    assert not {*names} & {f"smugmug_backup.{name}" for name in SELDOM}


@pytest.mark.parametrize("command", ["status", "albums", "check"])
def test_a_look_at_a_folder_loads_neither_aws_nor_http(tmp_path, command):
    status, packages, own = loaded(command, tmp_path)
    assert status == 2  # There is no backup, but it was looked for.
    assert not packages & (AWS | HTTP)
    assert commands(own) == {command}
