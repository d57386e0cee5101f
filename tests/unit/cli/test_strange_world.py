"""The tool in a strange world: every command in every environment that a shell, a container, a
schedule or a disk may hand it. Never a traceback, never "this should not happen": what it was asked
for, or one sentence, and the exit status that says which."""

import io
import json
import os
import re
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from smugmug_backup.cli.commands import authorize, drill, run
from smugmug_backup.cli.looks import smugmug
from smugmug_backup.cli.main import COMMANDS, main
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.errors import SourceUnavailable
from smugmug_backup.storage.location import open_store
from smugmug_backup.wiring import SystemClock as RealClock
from tests.tools.fake_source import FakeSource
from tests.tools.sample import sample_store

FINE, NOT_ALL, COULD_NOT, INTERRUPTED = 0, 1, 2, 130
WORKS = {"status": 1, "albums": 0, "images": 0, "diff": 0, "run": 0, "authorize": 2}
WORKS |= {"forget": 2, "find": 0, "catalog": 0, "browse": 0, "doctor": 1, "setup": 0}
WORKS |= {"schedule": 0, "copy": 0, "repair": 0, "drill": 0, "start": 2}
WORKS |= {"completion": 0, "man": 0, "letter": 0}
"""How each ends where nothing is strange: the sample is not complete, SmugMug is not reached, and
nobody says that an image shall be forgotten."""
PLACELESS = {"start", "authorize", "completion", "man", "doctor"}
"""Commands that are given no location, or to which one that is none is an answer."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strange") / "photos-backup"
    made = sample_store(open_store(str(folder), create=True))
    shutil.copytree(folder, f"{folder}-copy")
    return folder, made.clock


@dataclass
class World:
    """What a command finds. ``location`` is the backup's, ``new`` a place for another, ``free`` one
    for anything."""

    location: str
    new: str
    free: str
    stdout: io.TextIOBase | None = field(default_factory=lambda: letters("utf-8"))
    stderr: io.TextIOBase | None = field(default_factory=lambda: letters("utf-8"))
    stdin: io.TextIOBase | None = field(default_factory=io.StringIO)

    def argv(self, command):
        return {
            "status": ["status", self.location],
            "albums": ["albums", self.location],
            "images": ["images", self.location, "harbour"],
            "diff": ["diff", self.location, "2026-11-24", "latest"],
            "check": ["check", self.location],
            "find": ["find", self.location, "quay"],
            "browse": ["browse", self.location, "--static", f"{self.free}/pages"],
            "catalog": ["catalog", self.location, f"{self.free}/photos.sqlite"],
            "restore": ["restore", self.location, f"{self.free}/restored"],
            "run": ["run", self.new],
            "schedule": ["schedule", self.new, "--at", "03:00", "--nights", "1"],
            "forget": ["forget", self.location, "i000003"],
            "drill": ["drill", self.location, "--images", "2"],
            "start": ["start", "--stack", "photos"],
            "doctor": ["doctor", self.location],
            "setup": ["setup", "--yes", "--no-browser", "--timer", "none", "--to", self.new],
            "copy": ["copy", self.location, f"{self.free}-copy"],
            "repair": ["repair", self.location, f"--from={self.location}-copy"],
            "letter": ["letter", self.location, f"{self.free}.html"],
            "completion": ["completion", "bash"],
            "man": ["man"],
            "authorize": ["authorize", "--no-browser", "--secret", f"file:{self.free}/secret"],
        }[command]


class Terminal(io.TextIOWrapper):
    """It says that somebody looks at it."""

    def isatty(self):
        return True


def letters(encoding, kind=io.TextIOWrapper):
    return kind(io.BytesIO(), encoding=encoding, write_through=True)


def said(stream):
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(stream.buffer, io.BytesIO):
        return ""
    return stream.buffer.getvalue().decode(stream.encoding)


@pytest.fixture
def world(sample, tmp_path, monkeypatch):
    """A world in which nothing is strange."""
    folder, clock = sample
    (tmp_path / "home").mkdir()
    (tmp_path / "cred").write_text('{"api_key": "k"}')
    (tmp_path / "cred").chmod(0o600)
    for name in list(os.environ):
        if name.startswith(("SMUGMUG_", "AWS_", "XDG_", "COLUMNS", "LINES")):
            monkeypatch.delenv(name)
    for name, value in {
        "HOME": str(tmp_path / "home"),
        "SMUGMUG_SECRET": f"file:{tmp_path}/cred",
        "SMUGMUG_NICKNAME": "larkfield",
        "SMUGMUG_API_KEY": "k",
        "SMUGMUG_API_SECRET": "s",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "aws-credentials"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())

    def unreachable(*args, **more):
        raise SourceUnavailable("SmugMug cannot be reached")

    def source(*args, **more):
        source = FakeSource(RealClock())
        source.album("A1", "Harbour \u5c71", images=2)
        return source

    monkeypatch.setattr(authorize.oauth, "request_token", unreachable)
    monkeypatch.setattr(run, "build_source", source)
    monkeypatch.setattr(smugmug, "build_source", source)
    monkeypatch.setattr(drill, "open_source", source)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return World(str(folder), str(tmp_path / "new"), str(tmp_path / "free"))


def perform(world, argv):
    """Exit status, standard output and standard error of one command."""
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = world.stdin, world.stdout, world.stderr
    try:
        status = main(argv)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        made = {sys.stdout, sys.stderr} - {world.stdout, world.stderr}
        sys.stdin, sys.stdout, sys.stderr = before
        for stream in made:
            stream.close()
    return status, said(world.stdout), said(world.stderr)


def judge(status, out, err):
    assert "should not happen" not in err and "Traceback" not in err + out, err
    if status == COULD_NOT and err:
        lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", err).splitlines()
        said = [line[:7] for line in lines if line.startswith(("error: ", "hint:  "))]
        assert said == ["error: ", "hint:  "], err


# -- where the world is strange and the work is done all the same ----------------------------------


@contextmanager
def no_home(world, tmp_path, monkeypatch):
    """A container: no HOME, and a user id without a name."""
    import pwd

    def nobody(uid):
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    yield


def with_letters(encoding, kind=io.TextIOWrapper):
    @contextmanager
    def environment(world, tmp_path, monkeypatch):
        world.stdout, world.stderr = letters(encoding, kind), letters(encoding, kind)
        yield

    return environment


@contextmanager
def closed_streams(world, tmp_path, monkeypatch):
    """`>&- 2>&- <&-`."""
    world.stdout = world.stderr = world.stdin = None
    yield


@contextmanager
def read_only_home(world, tmp_path, monkeypatch):
    """Nobody can make a folder there, not even root."""
    monkeypatch.setenv("HOME", "/proc")
    yield


@contextmanager
def file_for_a_home(world, tmp_path, monkeypatch):
    (tmp_path / "no-folder").write_text("")
    monkeypatch.setenv("HOME", str(tmp_path / "no-folder"))
    yield


@contextmanager
def odd_terminal(world, tmp_path, monkeypatch):
    for name, value in {"TERM": "nonsense", "COLUMNS": "x", "LINES": "0", "LC_ALL": "xx"}.items():
        monkeypatch.setenv(name, value)
    yield


@contextmanager
def folder_that_is_gone(world, tmp_path, monkeypatch):
    """The current folder was deleted by somebody else."""
    (tmp_path / "work").rmdir()
    yield


@contextmanager
def torn_aws_config(world, tmp_path, monkeypatch):
    """A folder store needs nothing of AWS."""
    (tmp_path / "aws-config").write_text("[[[\n\x00")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    yield


GOES_ON = {
    "no home, no user name": (no_home, {"authorize": 2, "setup": 2}),
    "ascii": (with_letters("ascii"), {}),
    "latin-1": (with_letters("latin-1"), {}),
    "cp1252": (with_letters("cp1252"), {}),
    "a terminal": (with_letters("utf-8", Terminal), {}),
    "a terminal of few letters": (with_letters("latin-1", Terminal), {}),
    "streams closed": (closed_streams, {}),
    "read-only home": (read_only_home, {"setup": 2}),
    "a file for a home": (file_for_a_home, {"setup": 2}),
    "odd terminal": (odd_terminal, {}),
    "current folder gone": (folder_that_is_gone, {}),
    "torn AWS config": (torn_aws_config, {}),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("environment", GOES_ON)
def test_the_work_is_done_all_the_same(world, tmp_path, monkeypatch, environment, command):
    prepare, other = GOES_ON[environment]
    with prepare(world, tmp_path, monkeypatch):
        status, out, err = perform(world, world.argv(command))
    judge(status, out, err)
    if command in WORKS:
        assert status == other.get(command, WORKS[command]), err


# -- where it cannot be done -----------------------------------------------------------------------


def at(location):
    """Every command is pointed to a place that is none."""

    @contextmanager
    def environment(world, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("")
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        world.location = world.new = location.replace("TMP", str(tmp_path))
        yield

    return environment


@contextmanager
def expired_login(world, tmp_path, monkeypatch):
    """A profile by AWS's single sign-on whose login is not there any more."""
    (tmp_path / "aws-config").write_text(
        "[profile photos]\nsso_session = home\nsso_account_id = 123456789012\n"
        "sso_role_name = reader\nregion = eu-central-1\n"
        "[sso-session home]\nsso_region = eu-central-1\n"
        "sso_start_url = https://example.awsapps.com/start\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "photos")
    world.location = world.new = "s3://photos/smugmug"
    yield


def in_s3(**environment):
    @contextmanager
    def prepare(world, tmp_path, monkeypatch):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        world.location = world.new = "s3://photos/smugmug"
        yield

    return prepare


@contextmanager
def nowhere(world, tmp_path, monkeypatch):
    """A place is named by its way from the current folder, which is gone."""
    (tmp_path / "work").rmdir()
    world.location = world.new = ".."
    yield


CANNOT = {
    "an unknown user's home": (at("~nosuchuser/b"), "home folder"),
    "a name of 300 bytes": (at("TMP/" + "x" * 300), ""),
    "a path of 5,000 bytes": (at("TMP" + "/xxxxxxxxx" * 500), ""),
    "a loop of links": (at("TMP/loop/b"), ""),
    "a file": (at("TMP/file"), ""),
    "below a file": (at("TMP/file/b"), ""),
    "nothing": (at(""), "no "),
    "a null byte": (at("TMP/\0"), "no "),
    "bytes that are no text": (at("/proc/\udcff\udcfe/b"), ""),
    "a place where nothing can be made": (at("/proc/nothing/b"), ""),
    "S3 without credentials": (in_s3(AWS_REGION="eu-central-1"), "credentials"),
    "a profile that is not there": (in_s3(AWS_PROFILE="nobody"), "AWS_PROFILE"),
    "an expired login": (expired_login, "log in"),
    "a way from a folder that is gone": (nowhere, ""),
}


@pytest.mark.parametrize("command", [each for each in COMMANDS if each not in PLACELESS])
@pytest.mark.parametrize("environment", CANNOT)
def test_what_cannot_be_done_is_one_sentence(world, tmp_path, monkeypatch, environment, command):
    prepare, says = CANNOT[environment]
    with prepare(world, tmp_path, monkeypatch):
        status, out, err = perform(world, world.argv(command))
    judge(status, out, err)
    assert status == COULD_NOT and out == ""
    if command in WORKS:
        assert says in err


@pytest.mark.parametrize("environment", CANNOT)
def test_the_doctor_names_it_and_goes_on(world, tmp_path, monkeypatch, environment):
    prepare, says = CANNOT[environment]
    with prepare(world, tmp_path, monkeypatch):
        status, out, err = perform(world, world.argv("doctor"))
    judge(status, out, err)
    assert status == 1 and err == ""
    assert re.search(rf"^DO    location .*{re.escape(says)}", out, re.MULTILINE)
    assert "schedule" in out


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ssm:/smugmug-backup/secret", "region"),
        ("secretsmanager:smugmug", "region"),
        ("file:~nosuchuser/secret", "home folder"),
        ("file:/proc/nothing/secret", "cannot be"),
        ("file:/tmp/" + "x" * 300, "cannot be"),
        ("file:\0", "no path"),
        ("nonsense", "SMUGMUG_SECRET"),
    ],
)
@pytest.mark.parametrize("command", ["authorize", "run"])
def test_a_secret_that_cannot_lie_where_it_is_said_to_is_one_sentence(world, command, name, value):
    status, out, err = perform(world, [*world.argv(command), "--secret", name])
    judge(status, out, err)
    assert status == COULD_NOT and value in err


@pytest.mark.parametrize("environment", ["no home, no user name", "read-only home"])
def test_where_no_settings_can_be_kept_authorize_says_so_before_it_asks(
    world, tmp_path, monkeypatch, environment
):
    asked = []
    monkeypatch.setattr(authorize.oauth, "request_token", lambda *a, **m: asked.append(a))
    with GOES_ON[environment][0](world, tmp_path, monkeypatch):
        status, out, err = perform(world, world.argv("authorize"))
    judge(status, out, err)
    assert status == COULD_NOT and "settings" in err and not asked


# -- where nobody listens, or answers --------------------------------------------------------------


@contextmanager
def deaf(kind):
    """A stream on a file descriptor that takes nothing."""
    if kind == "full":
        stream = open("/dev/full", "w", encoding="utf-8")  # noqa: SIM115
    else:
        read, write = os.pipe()
        os.close(read)
        stream = open(write, "w", encoding="utf-8")  # noqa: SIM115
    try:
        yield stream
    finally:
        # What it could not flush goes to /dev/null by now, or raises here.
        stream.close()


@pytest.mark.parametrize("command", [*COMMANDS, "--help"])
@pytest.mark.parametrize(("kind", "ends"), [("full", COULD_NOT), ("broken pipe", INTERRUPTED)])
def test_a_standard_output_that_takes_nothing_is_told_as_such(world, command, kind, ends):
    with deaf(kind) as world.stdout:
        status, out, err = perform(world, [command] if command == "--help" else world.argv(command))
    judge(status, out, err)
    if command in {*WORKS, "--help"} - {"authorize", "start"}:
        assert status == ends
        assert ("cannot be written" in err) is (kind == "full")


def test_a_question_that_nobody_can_read_leaves_a_program_its_document(world):
    with deaf("full") as world.stderr:
        status, out, _ = perform(world, ["setup", "--json"])
    assert status == COULD_NOT
    assert json.loads(out)["error"]["code"] == "output_lost"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ["full", "broken pipe"])
def test_where_no_stream_takes_anything_the_exit_status_is_all(world, command, kind):
    with deaf(kind) as world.stdout, deaf(kind) as world.stderr:
        status = main_of(world, world.argv(command))
    assert status in (COULD_NOT, INTERRUPTED)


def main_of(world, argv):
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = world.stdout, world.stderr
    try:
        return main(argv)
    finally:
        sys.stdout, sys.stderr = before


@pytest.mark.parametrize("stdin", [None, io.StringIO(""), letters("ascii")])
def test_where_nobody_answers_it_is_told_what_was_asked(world, monkeypatch, stdin):
    monkeypatch.delenv("SMUGMUG_API_KEY")
    world.stdin = stdin
    status, out, err = perform(world, world.argv("authorize"))
    judge(status, out, err)
    assert status == COULD_NOT and "nobody is there to answer: API key" in err
