"""The image's recipe and its compose file keep what docs/nas.md says. (Nothing is built here.)"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from smugmug_backup.cli.main import program, whole_parser
from smugmug_backup.cli.profiles import NAMES
from smugmug_backup.settings import SecretName
from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.stack.environment import ROOT
from tests.tools import wheel as published

DOCKERFILE = ROOT / ".ci" / "image" / "Dockerfile"
COMPOSE = ROOT / "docs" / "nas" / "compose.yaml"


def instructions():
    """Each instruction of the recipe: its word, and the rest of its line."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = text.replace("\\\n", " ")
    return [
        tuple(line.split(maxsplit=1)) for line in text.splitlines() if line and line[0].isalpha()
    ]


def all_of(word):
    return [rest for found, rest in instructions() if found == word]


def last_stage():
    found = instructions()
    begins = max(at for at, (word, _) in enumerate(found) if word == "FROM")
    return found[begins:]


@pytest.fixture(scope="module")
def service():
    (only,) = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"].values()
    return only


def test_every_base_has_a_version():
    bases = [rest.split()[0] for rest in all_of("FROM")]
    assert bases
    for base in bases:
        assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", base), base
        version = base.removeprefix("python:").partition("-")[0]
        assert f"Python :: {version}" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_nothing_comes_from_anywhere_but_the_package_index_held_to_hashes():
    assert not all_of("ADD")
    for step in all_of("RUN"):
        assert "http" not in step and "curl" not in step and "apt" not in step
        for install in re.findall(r"pip install(.*?)(?=&&|$)", step):
            assert "--require-hashes" in install or "--no-index" in install, install


def test_what_is_copied_is_there_and_goes_to_the_builder():
    ignored = DOCKERFILE.with_suffix(".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    sources = [
        source for rest in all_of("COPY") if "--from=" not in rest for source in rest.split()[:-1]
    ]
    assert set(sources) == let_in
    assert all((ROOT / source).exists() for source in sources), sources


def test_what_is_started_is_the_tool_of_the_python_that_is_copied():
    (base,) = {rest.split()[0] for rest in all_of("FROM")}
    version = base.removeprefix("python:").partition("-")[0]
    assert f"/lib/python{version}/site-packages/smugmug_backup" in "".join(all_of("COPY"))
    first, *rest = (ROOT / ".ci" / "image" / "smugmug-backup").read_text().splitlines()
    path = first.removeprefix("#!")
    assert f"python -m venv {path.removesuffix('/bin/python')} " in all_of("RUN")[0]
    assert all_of("ENV")[0].startswith(f"PATH={path.removesuffix('/python')}:")
    names = {}
    exec(compile("\n".join(rest).replace("program()", ""), "smugmug-backup", "exec"), names)
    assert names["program"] is program


def test_it_is_nobody_of_any_rights_who_runs_it():
    found = last_stage()
    users = [at for at, (word, _) in enumerate(found) if word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", found[users[-1]][1])
    assert users[-1] < [word for word, _ in found].index("ENTRYPOINT")


def test_each_command_line_is_one_that_the_tool_understands(service):
    (entry,), (command,), (health,) = all_of("ENTRYPOINT"), all_of("CMD"), all_of("HEALTHCHECK")
    assert json.loads(entry) == ["smugmug-backup"]
    asked = re.fullmatch(r".*\bCMD smugmug-backup (.*) \|\| exit 1", health)
    lines = [json.loads(command), service["command"], asked[1].split()]
    for words in lines:
        parsed = whole_parser().parse_args(words)
        assert parsed.location is None, "it is the environment's"
    assert whole_parser().parse_args(lines[0]).at == "03:00"


def test_the_environment_is_one_that_the_tool_understands(service):
    settings = dict(each.split("=", 1) for each in all_of("ENV")[0].split())
    ours = [name for name in settings if name.startswith("SMUGMUG")]
    ours += [name for name in service["environment"] if name.startswith("SMUGMUG")]
    assert {"SMUGMUG_BACKUP_LOCATION", "SMUGMUG_SECRET", "SMUGMUG_NICKNAME"} == set(ours)
    assert set(ours) <= set(NAMES.values())
    secret = SecretName.parse(settings["SMUGMUG_SECRET"])
    assert (secret.kind, secret.name) == ("file", f"/run/secrets/{service['secrets'][0]}")
    # Two folders deep: a disk that is not mounted is noticed.
    assert settings["SMUGMUG_BACKUP_LOCATION"] == "/backup/smugmug"
    mounted = [each.partition(":")[2] for each in service["volumes"]]
    assert {"/backup", settings["HOME"], settings["XDG_STATE_HOME"]} <= set(mounted)


def test_the_compose_file_takes_every_right_away(service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service and "network_mode" not in service
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])


def test_the_compose_file_is_one_by_its_specification():
    command = [published.publishing("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*map(str, command), str(COMPOSE)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_not_tried_is_called_so():
    for page in (DOCKERFILE, COMPOSE):
        assert "NOT YET TRIED" in page.read_text(encoding="utf-8")
    assert "**Not yet tried**" in (ROOT / "docs" / "nas.md").read_text(encoding="utf-8")


def test_as_the_first_process_of_a_container_it_heeds_sigterm(tmp_path):
    """Such a one is not ended by a signal that it does not handle."""
    if not shutil.which("unshare") or os.geteuid() != 0:
        pytest.skip("root: sudo make test")
    account = generate_account(seed=7, albums=1, images=1)
    secret = tmp_path / "secret"
    secret.write_text(json.dumps(account.secret()))
    secret.chmod(0o600)
    command = ["unshare", "--pid", "--fork", "--kill-child", sys.executable, "-m"]
    command += ["smugmug_backup.cli", "schedule", "--at", "03:00", str(tmp_path / "backup")]
    with LocalSmugMug(World(account)) as smugmug:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONUNBUFFERED": "1",
            "HOME": str(tmp_path),
            "SMUGMUG_SECRET": f"file:{secret}",
            "SMUGMUG_NICKNAME": account.nickname,
            "SMUGMUG_API_URL": smugmug.url,
            "SMUGMUG_PHOTO_HOSTS": "127.0.0.1",
        }
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True
        ) as process:
            hung = threading.Timer(900, process.kill)
            hung.start()
            said, asked = [], False
            for line in process.stdout:
                said.append(line)
                if line.startswith("The next run begins at ") and not asked:
                    asked = True
                    (child,) = (
                        Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
                    )
                    os.kill(int(child), signal.SIGTERM)
            status = process.wait()
            hung.cancel()
    assert status == 0, said
    assert said[-1] == "Stopped.\n"
