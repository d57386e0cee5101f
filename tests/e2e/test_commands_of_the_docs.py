"""Each command that README.md and `docs/` tell a reader to give is given, by a shell, in the order
of its page, to the program as it is installed from the wheel; or it stands in `NOT_RUN`."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.cli.main import whole_parser
from smugmug_backup.storage.location import open_store
from tests.local_smugmug import LocalSmugMug, World, demo_account
from tests.local_smugmug.world import utc_now
from tests.rules.account import OverHttp
from tests.stack.environment import aws_environment
from tests.tools import fake_s3, wheel
from tests.tools.clock import FakeClock
from tests.tools.doc_commands import PROGRAM, Command, blocks, commands, inline, lines, ours
from tests.tools.nights import Nights
from tests.tools.readme import ROOT, owners_pages

PAGES = {str(page.relative_to(ROOT)): page for page in owners_pages()}

NOT_RUN = {
    "this test installs the wheel; published/ does, on every Python": r"""
        python3 --version
        python3 -m venv ~/smugmug && . ~/smugmug/bin/activate
        pip install .
        pip install . aws-sam-cli
        pip install aws-sam-cli
        pip install '.[browse]'
        pipx install .
        uv tool install .
    """,
    "published/ builds and tries all of it: packages, and the program in one file": r"""
        make dist
        pipx install dist/smugmug_backup-*.whl
        make zipapp
        python3 dist/smugmug-backup.pyz --version
        time python3 dist/smugmug-backup.pyz --version
    """,
    "no test has Docker, or the users of a NAS; published/test_image.py reads the files": r"""
        docker build --file .ci/image/Dockerfile --tag smugmug-backup .
        docker save smugmug-backup | gzip > smugmug-backup-image.tar.gz
        docker load --input smugmug-backup-image.tar.gz
        docker compose up --detach
        docker compose logs
        docker compose exec backup smugmug-backup status
        docker compose exec backup smugmug-backup check --read-data 5GB
        chown 1026:100 smugmug-secret.json
        chmod 600 smugmug-secret.json
    """,
    "e2e/test_demo.py runs what it runs": r"""
        make demo
    """,
    "it asks real AWS; stack/deploy.py deploys into a local one for all tests of e2e/": r"""
        sam build
        sam build --parameter-overrides PythonVersion=python3.11
        sam deploy --parameter-overrides SmugMugNickname=NICKNAME AlarmEmail=YOU@EXAMPLE.ORG
        sam deploy --parameter-overrides PythonVersion=python3.11 \
            SmugMugNickname=NICKNAME AlarmEmail=YOU@EXAMPLE.ORG
        sam deploy --parameter-overrides WriteOnce=off
        sam deploy --parameter-overrides WriteOnce=on
        sam list stack-outputs --stack-name smugmug-backup
        sam remote invoke BackupFunction --stack-name smugmug-backup \
            --event-file events/backup.json --parameter InvocationType=Event
        sam remote invoke BackupFunction --stack-name smugmug-backup \
            --event '{"action": "backup", "accept_shrink": ["account"]}' \
            --parameter InvocationType=Event
    """,
    "it needs a stack; e2e/test_update.py gives both to one": r"""
        smugmug-backup start --stack smugmug-backup
        smugmug-backup status s3://BUCKET --stack smugmug-backup
    """,
    "it ends in SmugMug's page in a browser; unit/cli/test_authorize.py follows it": r"""
        smugmug-backup authorize --secret ssm:/smugmug-backup/secret
        smugmug-backup authorize --no-browser --secret ssm:/smugmug-backup/secret
        smugmug-backup authorize --profile nas --secret file:smugmug-secret.json
    """,
    "the local AWS knows no drift of stacks": r"""
        aws cloudformation detect-stack-drift --stack-name smugmug-backup
        aws cloudformation describe-stack-resource-drifts --stack-name smugmug-backup \
            --stack-resource-drift-status-filters MODIFIED DELETED
        aws cloudformation create-change-set --stack-name smugmug-backup \
            --change-set-name put-back --deployment-mode REVERT_DRIFT --use-previous-template \
            --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND
    """,
    "AWS's own, and what it deletes is gone for good": r"""
        sam delete --stack-name smugmug-backup
        aws s3api delete-bucket --bucket BUCKET
    """,
    "fpath is a variable of zsh; unit/cli/test_completion.py asks each shell that is here": r"""
        smugmug-backup completion zsh > "${fpath[1]}/_smugmug-backup"
    """,
}
"""Why a command of the pages is not run here. A person reads this list: keep it short."""

SERVES = {"smugmug-backup browse ~/photos-backup"}
"""What ends only by Ctrl-C; no browser is opened here."""

ANSWERS = {
    # Where to, the account, when, and whatever else it asks: what it offers.
    "smugmug-backup setup": "~/photos-backup\n" + "\n" * 8,
    "smugmug-backup forget LOCATION IMAGE": "IMAGE\n",
}
"""What its reader types."""

ENDS: dict[str, int] = {}
"""Exit statuses that are right and are not 0."""

_PROGRAMS = ("bash", "sh", "cat", "cp", "head", "ls", "mkdir", "rm", "sha256sum", "sort", "tail")
_CRONTAB = """#!/bin/sh
case "$1" in
-l) cat "$HOME/crontab" 2>/dev/null || { echo "no crontab for you" >&2; exit 1; } ;;
-) cat > "$HOME/crontab" ;;
-r) rm "$HOME/crontab" ;;
*) exit 2 ;;
esac
"""
_PATIENCE = 600
"""Seconds after which a command hangs."""


# -- what is said of all pages ---------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_every_block_says_whether_it_is_for_a_shell(name):
    for block in blocks(PAGES[name].read_text(encoding="utf-8")):
        assert block.kind in {"sh", "text", "json", "toml", "sql", "yaml", "ini", "mermaid"}, (
            f"{name}:{block.line}: write ```sh before commands (they are run), or what else it is"
        )


def test_a_reason_names_only_tests_that_are_there():
    for reason in NOT_RUN:
        for file in re.findall(r"[\w/]+\.py", reason):
            assert (ROOT / "tests" / file).is_file(), reason


def listed() -> Counter[str]:
    return Counter(line for text in NOT_RUN.values() for _, line in lines(text))


def test_what_is_listed_stands_in_some_page_and_once_in_the_list():
    told = {each.text for name, page in PAGES.items() for each in commands(page, name)}
    for table in (listed(), SERVES, ANSWERS, ENDS):
        assert set(table) <= told, set(table) - told
    assert set(listed().values()) == {1}
    assert not set(listed()) & {*SERVES, *ANSWERS, *ENDS}


@pytest.mark.parametrize("name", PAGES)
def test_every_call_of_the_tool_is_one_that_its_parser_takes(name):
    """Run or not, in a block or in the text; there, some of its words may be missing."""
    for command in commands(PAGES[name], name):
        for words in ours(command.text):
            assert complaint(words) is None, command
    for command in inline(PAGES[name], name):
        for words in ours(command.text.replace(" SHELL", " bash")):
            said = complaint(words)
            assert said is None or "required" in said, f"{command}: {said}"


def complaint(words: list[str]) -> str | None:
    """What the tool's parser says against it."""
    try:
        whole_parser().parse_args(words)
    except SystemExit as end:  # --help, --version
        return None if end.code == 0 else str(end.code)
    except Mistaken as error:
        return str(error)
    return None


# -- giving them -----------------------------------------------------------------------------------


@dataclass
class Reader:
    """Somebody with a home, a backup in it, the tool, and an account at SmugMug."""

    home: Path
    environment: dict[str, str]
    names: dict[str, str]

    def meant(self, text: str) -> str:
        """``text`` with what its reader puts in the place of each name."""
        for name, value in self.names.items():
            text = text.replace(name, value)
        return text

    def give(self, command: Command) -> None:
        text = self.meant(command.text)
        if command.text in SERVES:
            self._serve(f"exec {text} --no-browser", command)
            return
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            input=self.meant(ANSWERS.get(command.text, "")),
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )
        said = f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        assert done.returncode == ENDS.get(command.text, 0), said
        assert "Traceback" not in done.stderr, said

    def _serve(self, text: str, command: Command) -> None:
        with subprocess.Popen(
            ["bash", "-c", text],
            env=self.environment,
            cwd=self.home,
            stdout=subprocess.PIPE,
            text=True,
        ) as served:
            assert served.stdout is not None
            assert "http://127.0.0.1:" in served.stdout.readline(), command
            served.send_signal(signal.SIGINT)
            # The second, where it comes before the server listens.
            assert served.wait(_PATIENCE) in (0, 130), command


@pytest.fixture(scope="module")
def smugmug() -> Iterator[LocalSmugMug]:
    with LocalSmugMug(World(demo_account())) as smugmug:
        yield smugmug


@pytest.fixture(scope="module")
def s3() -> Iterator[fake_s3.FakeS3]:
    with fake_s3.FakeS3() as s3:
        yield s3


@pytest.fixture(scope="module")
def tool() -> Path:
    """Where the program is installed."""
    built, _ = wheel.built()
    newest = max(wheel.pythons().items(), key=lambda each: int(each[0].split(".")[1]))
    return wheel.installed(built, newest[1], ("browse", "embed"))


@pytest.fixture(scope="module")
def backup(smugmug: LocalSmugMug, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of last winter and of now: there is a night before each date that a page names. All of
    it can be had."""
    folder = tmp_path_factory.mktemp("backup") / "photos-backup"
    clock = FakeClock(datetime(2026, 2, 24, 3, tzinfo=UTC))
    world = smugmug.world
    images = {i.file_name: i.key for each in world.account.albums.values() for i in each.images}
    world.clock = clock.now
    try:
        world.delete(images["no_original.jpg"])
        store = open_store(str(folder), create=True)
        Nights(OverHttp(smugmug, clock, "1.3.0").source(), store, clock).run()
        clock = FakeClock(utc_now() - timedelta(days=2))
        world.clock = clock.now
        world.delete(images["scan.jpg"])
        nights = Nights(OverHttp(smugmug, clock, "1.3.0").source(), store, clock)
        nights.run(full=True)
        nights.next_night(full=True)
    finally:
        smugmug.world.clock = utc_now
    return folder


@pytest.fixture
def reader(
    tmp_path: Path, smugmug: LocalSmugMug, s3: fake_s3.FakeS3, tool: Path, backup: Path
) -> Reader:
    home = tmp_path / "home"
    programs = tmp_path / "programs"
    for folder in (home, programs, tmp_path / "disk", tmp_path / "nas"):
        folder.mkdir()
    for program in _PROGRAMS:
        (programs / program).symlink_to(shutil.which(program) or pytest.fail(program))
    (programs / "crontab").write_text(_CRONTAB)
    (programs / "crontab").chmod(0o755)
    # Of the tool's environment its program alone: its `python3` is none that a page means.
    (programs / PROGRAM).symlink_to(tool / "bin" / PROGRAM)
    shutil.copytree(backup, home / "photos-backup")
    s3.objects = {
        f"photos/{path.relative_to(backup)}": path.read_bytes()
        for path in backup.rglob("*")
        if path.is_file()
    }
    account = smugmug.world.account
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps(account.secret()))
    secret.chmod(0o600)
    album = next(each for each in account.albums.values() if each.title == "Harbour 2024")
    environment = {
        **aws_environment(s3.address),
        "PATH": str(programs),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "SMUGMUG_SECRET": f"file:{secret}",
        "SMUGMUG_NICKNAME": account.nickname,
        "SMUGMUG_API_URL": smugmug.url,
        "SMUGMUG_PHOTO_HOSTS": "127.0.0.1",
    }
    names = {
        "/mnt/": f"{tmp_path}/",
        "s3://BUCKET": "s3://bucket/photos",
        "LOCATION": "~/photos-backup",
        "ALBUM": album.key,
        "IMAGE": album.images[0].key,
    }
    return Reader(home, environment, names)


def to_run(name: str) -> list[Command]:
    known = listed()
    return [each for each in commands(PAGES[name], name) if each.text not in known]


@pytest.mark.parametrize("name", [each for each in PAGES if to_run(each)])
def test_the_commands_of_a_page_do_what_they_are_given_for(reader: Reader, name: str) -> None:
    for command in to_run(name):
        reader.give(command)


def test_a_command_that_is_not_ours_has_a_program_here_or_is_listed():
    """What no test can give is listed by its reason, not met as "command not found"."""
    for name in PAGES:
        for command in to_run(name):
            first = shlex.split(command.text)[0]
            assert first in {PROGRAM, *_PROGRAMS}, f"{command}: run it here, or list it in NOT_RUN"


def test_the_program_that_is_run_is_the_installed_one(reader: Reader, tool: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{PROGRAM} --version"], env=reader.environment, capture_output=True
    )
    assert done.returncode == 0
    assert os.path.realpath(Path(reader.environment["PATH"], PROGRAM)).startswith(str(tool))
    assert "PYTHONPATH" not in reader.environment
