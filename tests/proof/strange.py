"""The tool in a strange world, at random: real processes, each in an environment that nobody asked
for, never a traceback, never "this should not happen"; one sentence and the right exit status.

    python -m tests.proof.strange --minutes 60 --seed 1
    python -m tests.proof.strange --seed 1 --case 4711        (one of them again, with all it says)

Most cases are forked from a process that has loaded the tool; those with options of Python's own,
and one in eight of the others, are started from nothing. Each case is drawn from (seed, number)
alone. One that is strange only in what must not matter (no HOME, few letters, a narrow terminal,
``-O`` …) has to end as the same command does in a plain world.
"""

import argparse
import codecs
import json
import os
import pickle
import pty
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from smugmug_backup.storage.location import Location, open_store
from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.tools.sample import sample_store

ROOT = Path(__file__).resolve().parents[2]
STATUSES = {0, 1, 2, 130}
NEVER = (
    "Traceback (most",
    "should not happen",
    "Exception ignored",
    "Fatal Python",
    "Error in sys",
)
LONGEST = 90.0
_LEAST_FILES = 12
"""With fewer, Python itself does not begin."""
NOBODY = 54_321
"""A user id without a name."""

_HINTED = re.compile(r"^error: .*\n(?:hint:  .*)$", re.MULTILINE)
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@dataclass
class Case:
    """One command in one world. ``doable``: nothing strange here may matter."""

    argv: list[bytes] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    python: list[str] = field(default_factory=list)
    stdin: str = "nothing"
    stdout: str = "pipe"
    stderr: str = "pipe"
    limits: dict[int, int] = field(default_factory=dict)
    user: int | None = None
    umask: int = 0o022
    cwd_gone: bool = False
    signals: str = "as usual"
    strange: list[str] = field(default_factory=list)
    doable: bool = True
    scratch: Path = Path()

    def told(self) -> str:
        words = b" ".join(self.argv).decode(errors="backslashreplace")
        return f"{' '.join(self.python)} {words[:300]}  [{', '.join(self.strange) or 'plain'}]"


@dataclass
class Ended:
    status: int | None
    out: str
    err: str
    seconds: float


class Place:
    """What all cases find: a backup, an account, and a SmugMug."""

    def __init__(self, folder: Path, smugmug: LocalSmugMug) -> None:
        self.folder = folder
        self.smugmug = smugmug
        self.backup = folder / "photos-backup"
        sample_store(open_store(Location.parse(str(self.backup)), create=True))
        self.damaged = folder / "damaged"
        shutil.copytree(self.backup, self.damaged)
        for number, path in enumerate(sorted(self.damaged.rglob("*"))):
            if path.is_file() and number % 5 == 0:
                path.chmod(0o644)
                path.write_bytes(path.read_bytes()[: number * 7 % 90])
        self.secret = folder / "secret"
        self.secret.write_text(json.dumps(smugmug.world.account.secret()))
        self.file = folder / "file"
        self.file.write_text("x")
        self.loop = folder / "loop"
        self.loop.symlink_to(self.loop)
        self.empty = folder / "empty"
        self.empty.mkdir()
        self.sso = folder / "sso"
        self.sso.write_text(
            "[profile photos]\nsso_session = home\nsso_account_id = 123456789012\n"
            "sso_role_name = reader\nregion = eu-central-1\n"
            "[sso-session home]\nsso_region = eu-central-1\n"
            "sso_start_url = https://example.awsapps.com/start\n"
        )
        self.torn = folder / "torn"
        self.torn.write_bytes(b"[[[\n\x00\xff")
        for path in (folder, *folder.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
        # A secret that others can open is refused, so each user has one.
        self.secret_of_nobody = Path(shutil.copy(self.secret, f"{self.secret}-{NOBODY}"))
        if os.getuid() == 0:
            os.chown(self.secret_of_nobody, NOBODY, NOBODY)
        for path in (self.secret, self.secret_of_nobody):
            path.chmod(0o600)

    def env(self, scratch: Path) -> dict[str, str]:
        """A plain world's."""
        return {
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(scratch / "home"),
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            "SMUGMUG_SECRET": f"file:{self.secret}",
            "SMUGMUG_NICKNAME": self.smugmug.world.account.nickname,
            "SMUGMUG_API_URL": self.smugmug.url,
            "SMUGMUG_PHOTO_HOSTS": "127.0.0.1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(scratch / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(scratch / "none"),
        }


# -- what may be strange ---------------------------------------------------------------------------

Twist = Callable[[random.Random, Case, Place], bool]
"""Makes one thing strange; False where it may change how a command ends."""


def _set(name: str, *values: str | None) -> Twist:
    def twist(rng: random.Random, case: Case, place: Place) -> bool:
        value = rng.choice(values)
        case.strange.append(f"{name}={value if value is None else value[:40]}")
        if value is None:
            case.env.pop(name, None)
        else:
            case.env[name] = value.replace("SCRATCH", str(case.scratch))
        return True

    return twist


def _may(twist: Twist) -> Twist:
    """The same, and it may matter."""

    def other(rng: random.Random, case: Case, place: Place) -> bool:
        twist(rng, case, place)
        return False

    return other


def _python(rng: random.Random, case: Case, place: Place) -> bool:
    options = rng.choice(
        [
            ["-O"],
            ["-OO"],
            ["-W", "error"],
            ["-X", "dev"],
            ["-u"],
            ["-B"],
            ["-W", "error", "-O"],
            ["-X", "dev", "-W", "error"],
            ["-X", "utf8=0"],
            ["-X", "warn_default_encoding", "-W", "error"],
        ]
    )
    case.python += options
    case.strange.append(" ".join(options))
    return True


def _letters(rng: random.Random, case: Case, place: Place) -> bool:
    case.env.pop("LANG", None)
    name = rng.choice(["LANG", "LC_ALL", "LC_CTYPE", "PYTHONIOENCODING", "PYTHONUTF8"])
    value = {
        "PYTHONIOENCODING": rng.choice(
            ["ascii", "latin-1", "cp1252", "utf-8:strict", "ascii:strict"]
        ),
        "PYTHONUTF8": rng.choice(["0", "1"]),
    }.get(name) or rng.choice(["C", "POSIX", "xx_YY.nothing", "de_DE.ISO-8859-1", "en_US", ""])
    case.env[name] = value
    if rng.random() < 0.5:
        case.env["PYTHONCOERCECLOCALE"] = "0"
    case.strange.append(f"{name}={value}")
    return True


def _streams(rng: random.Random, case: Case, place: Place) -> bool:
    which = rng.choice(["stdin", "stdout", "stderr", "all"])
    kind = rng.choice(["closed", "broken", "full", "terminal", "reading"])
    if which in ("stdin", "all"):
        case.stdin = rng.choice(["closed", "empty", "garbage", "terminal", "answers"])
    if which in ("stdout", "all"):
        case.stdout = kind
    if which in ("stderr", "all"):
        case.stderr = rng.choice([kind, "closed", "broken", "full", "terminal"])
    case.strange.append(f"stdin {case.stdin}, stdout {case.stdout}, stderr {case.stderr}")
    # A stream that was closed says nothing and is no error; one that breaks is.
    kinds = {case.stdout, case.stderr}
    return kinds <= {"pipe", "closed", "terminal"} and case.stdin in ("nothing", "closed", "empty")


def _limits(rng: random.Random, case: Case, place: Place) -> bool:
    what, values = rng.choice(
        [
            (resource.RLIMIT_NOFILE, [3, 5, 8, 12, 16, 24, 40]),
            (resource.RLIMIT_FSIZE, [0, 100, 1000, 4096]),
            (resource.RLIMIT_CORE, [0]),
        ]
    )
    case.limits[what] = rng.choice(values)
    case.strange.append(f"limit {what}: {case.limits[what]}")
    return False


def _nobody(rng: random.Random, case: Case, place: Place) -> bool:
    if os.getuid() == 0:
        case.user = NOBODY
        case.env["SMUGMUG_SECRET"] = f"file:{place.secret_of_nobody}"
        case.strange.append("a user without a name")
    return False


def _umask(rng: random.Random, case: Case, place: Place) -> bool:
    case.umask = rng.choice([0o000, 0o077, 0o777])
    case.strange.append(f"umask {case.umask:o}")
    return os.getuid() == 0


def _cwd(rng: random.Random, case: Case, place: Place) -> bool:
    case.cwd_gone = True
    case.strange.append("current folder gone")
    return True


def _signals(rng: random.Random, case: Case, place: Place) -> bool:
    case.signals = rng.choice(["ignored", "pipe kills"])
    case.strange.append(f"signals {case.signals}")
    return case.signals == "ignored"


def _location(rng: random.Random, case: Case, place: Place) -> bool:
    """The first word of ours, or the second, is some other place."""
    odd: list[bytes] = [
        b"",
        b".",
        b"..",
        b"~",
        b"~nosuchuser/b",
        b"-",
        b"/",
        b"//",
        b"/proc/nothing/b",
        b"/dev/null",
        b"/dev/full",
        b"/proc/self/mem",
        b"\xff\xfe/b",
        b"s3:",
        b"s3://",
        b"s3://x",
        b"s3://photos/smugmug",
        b"s3://photos//",
        b"s3://UPPER/x",
        b"https://example.com/",
        b"file:///tmp",
        b"C:\\backup",
        b" ",
        b"\n",
        b"\x1b[31m",
        "山/山".encode(),
        b"x" * 300,
        b"y/" * 3000,
        b"a\tb",
        *(
            os.fsencode(each)
            for each in (
                place.file,
                place.file / "b",
                place.loop,
                place.loop / "b",
                place.empty,
                place.damaged,
                place.backup / "originals",
                place.folder,
            )
        ),
    ]
    word = rng.choice(odd)
    if b"s3://" in word:
        case.env["AWS_ACCESS_KEY_ID"] = case.env["AWS_SECRET_ACCESS_KEY"] = "k"
        case.env.setdefault("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        if rng.random() < 0.8:
            del case.env["AWS_ACCESS_KEY_ID"]
    places = [
        at
        for at, each in enumerate(case.argv)
        if each.startswith((os.fsencode(place.folder), os.fsencode(case.scratch)))
    ]
    if places:
        case.argv[rng.choice(places)] = word
    case.strange.append(f"location {word[:40]!r}")
    return False


def _aws(rng: random.Random, case: Case, place: Place) -> bool:
    case.env.update(
        rng.choice(
            [
                {"AWS_PROFILE": "nobody"},
                {"AWS_CONFIG_FILE": str(place.torn)},
                {"AWS_CONFIG_FILE": str(place.sso), "AWS_PROFILE": "photos"},
                {"AWS_REGION": "nowhere 1"},
                {"AWS_ENDPOINT_URL": "ftp://x"},
                {"AWS_CA_BUNDLE": "/none"},
                {"AWS_MAX_ATTEMPTS": "x"},
                {"AWS_ENDPOINT_URL": "http://example.com"},
            ]
        )
    )
    case.strange.append("AWS")
    return False


def _settings(rng: random.Random, case: Case, place: Place) -> bool:
    """A settings file that is none, or one that nobody may read."""
    folder = Path(case.env.get("HOME", "")) / ".config" / "smugmug-backup"
    if not folder.is_absolute():
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("settings.json", "config.toml"):
            content = rng.choice(
                [
                    b"",
                    b"{",
                    b"\xff\x00",
                    b'{"SMUGMUG_API": 1}',
                    b"[profiles]\nx = 1",
                    b"[profiles.default]\nlocation = 1\nodd = true\n",
                    b"[" * 5000,
                ]
            )
            (folder / name).write_bytes(content)
        if rng.random() < 0.2:
            (folder / "config.toml").unlink()
            (folder / "config.toml").mkdir()
    except OSError:
        return False
    case.strange.append("torn settings")
    return False


def _option(rng: random.Random, case: Case, place: Place) -> bool:
    case.argv += rng.choice(
        [
            [b"--nonsense"],
            [b"--json"],
            [b"-q"],
            [b"-v"],
            [b"--debug"],
            [b"--help"],
            [b"-q", b"-v"],
            [b"--limit-rate", b"0"],
            [b"--limit-rate", b"5M"],
            [b"--between", b"25:00-26:00"],
            [b"--notify", b"nonsense"],
            [b"--notify", b"http://127.0.0.1:9/x"],
            [b"--notify", b"json://127.0.0.1:9"],
            [b"--album", b"\xff"],
            [b"--album", "山".encode()],
            [b"--read-data", b"0"],
            [b"--read-data", b"all"],
            [b"--history"],
            [b"--runs", b"-1"],
            [b"--runs", b"x"],
            [b"--threads", b"0"],
            [b"--as-of", b"\xff"],
            [b"--as-of", b"2026-11-25"],
            [b"--api", b"v3"],
            [b"--api", b"v2"],
            [b"--secret", b"file:/none"],
            [b"--secret", b"ssm:/x"],
            [b"--nickname", b"x" * 300],
            [b"--", b"--json"],
            [b"\xff"],
            [b""],
            [b"--stack", b"x"],
            [b"--dry-run"],
            [b"--full"],
            [b"--accept", b"x"],
            [b"--list-archived"],
            [b"--sidecar", b"xmp"],
            [b"--with-gone"],
            [b"--gone"],
            [b"--profile", b"none"],
            [b"--accept-shrink"],
        ]
    )
    case.strange.append("option")
    return False


TWISTS: list[tuple[float, Twist]] = [
    (1, _set("HOME", None, "/proc/nonexistent", "/proc", "", "relative", "SCRATCH/../file")),
    (2, _python),
    (2, _letters),
    (3, _streams),
    (1, _set("TERM", None, "dumb", "nonsense", "")),
    (1, _set("COLUMNS", "1", "0", "x", "-5", "1000000")),
    (0.5, _set("LINES", "1", "0", "x")),
    (0.5, _set("NO_COLOR", "1")),
    (0.5, _set("FORCE_COLOR", "1")),
    (0.5, _set("TTY_COMPATIBLE", "1", "0")),
    (0.5, _set("TZ", "nonsense", "", "Asia/Kathmandu", ":/etc/passwd")),
    (1, _may(_set("TMPDIR", "/proc/nonexistent", "/dev/null", "/proc", ""))),
    (
        0.5,
        _may(
            _set("SMUGMUG_SECRET", None, "nonsense", "file:/none", "file:", "file:/etc", "ssm:/x")
        ),
    ),
    (
        0.5,
        _may(
            _set(
                "SMUGMUG_API_URL",
                "http://127.0.0.1:9",
                "ftp://x",
                "https://[",
                "http://example.com",
            )
        ),
    ),
    (0.5, _may(_set("SMUGMUG_API", "v3", "v2", ""))),
    (0.5, _may(_set("XDG_CONFIG_HOME", "/proc", "relative", "", "/dev/null"))),
    (0.5, _may(_set("MAX_CONCURRENCY", "0", "x", "1"))),
    (0.5, _set("PYTHONWARNINGS", "error", "default", "nonsense")),
    (0.5, _set("PYTHONHASHSEED", "0", "1")),
    (0.5, _set("http_proxy", "http://127.0.0.1:9", "nonsense")),
    (0.5, _set("SSL_CERT_FILE", "/none")),
    (0.5, _set("BROWSER", "/none", "")),
    (2, _limits),
    (1, _nobody),
    (0.7, _umask),
    (0.7, _cwd),
    (0.7, _signals),
    (3, _location),
    (0.7, _aws),
    (0.7, _settings),
    (3, _option),
]


def commands() -> list[str]:
    from smugmug_backup.cli.main import COMMANDS

    return [*COMMANDS]


def plain(command: str, place: Place, scratch: Path) -> Case:
    """``command`` where nothing is strange."""
    backup, at = str(place.backup), str(scratch)
    known = {
        "status": [backup],
        "albums": [backup],
        "images": [backup, "harbour"],
        "diff": [backup, "2026-11-24", "latest"],
        "check": [f"{at}/copy"],
        "restore": [backup, f"{at}/restored"],
        "run": [f"{at}/new"],
        "schedule": [f"{at}/new", "--at", "03:00", "--nights", "1"],
        "forget": [f"{at}/copy", "i000003"],
        "authorize": ["--no-browser", "--secret", f"file:{at}/cred"],
        "completion": ["bash"],
        "find": [backup, "DSC"],
        "catalog": [f"{at}/copy", f"{at}/catalog.db"],
        "letter": [backup, f"{at}/letter.html"],
        "man": [],
        "browse": [backup, "--static", f"{at}/pages"],
        "drill": [f"{at}/copy"],
        "doctor": [backup],
        "setup": [],
    }
    words = [command, *known.get(command, [])]
    if command in ("check", "forget", "catalog", "drill"):
        shutil.copytree(place.backup, scratch / "copy")
    case = Case([os.fsencode(each) for each in words], place.env(scratch), scratch=scratch)
    if command in ("doctor", "setup"):
        # The crontab of whoever runs this is left alone.
        case.env["PATH"] = "/none"
    if command in ("authorize", "setup"):
        case.env |= {"SMUGMUG_API_KEY": "k", "SMUGMUG_API_SECRET": "s"}
    return case


def drawn(seed: int, number: int, place: Place, scratch: Path) -> tuple[str, Case]:
    """The case of that number."""
    rng = random.Random(f"{seed}/{number}")
    command = rng.choice(commands())
    case = plain(command, place, scratch)
    weights = [weight for weight, _ in TWISTS]
    for twist in rng.choices(
        [twist for _, twist in TWISTS], weights, k=rng.choice([1, 1, 2, 2, 3, 5])
    ):
        case.doable &= twist(rng, case, place)
    if rng.random() < 0.2:
        case.argv.append(b"--json")
    if rng.random() < 0.02:
        case.argv, case.doable = case.argv[1:], False
        case.strange.append("no command")
    return command, case


# -- doing it --------------------------------------------------------------------------------------


def perform(case: Case, zygote: "Zygote | None" = None) -> Ended:
    """A process of its own; forked from ``zygote`` if there is one."""
    began = time.monotonic()
    folder = case.scratch / "cwd"
    folder.mkdir()
    if case.user is not None:
        for path in (case.scratch, *case.scratch.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)
    with (
        _stream(case.stdin, writing=False) as stdin,
        _stream(case.stdout) as out,
        _stream(case.stderr) as err,
    ):
        ends = (stdin.end, out.end, err.end)
        if zygote is None:
            process = _started(case, ends)
            pid = process.pid
        else:
            pid = zygote.fork(case, ends)
        for each in (stdin, out, err):
            each.begun()
        status = process.wait if zygote is None else zygote.wait
        try:
            ended: int | None = status(timeout=LONGEST)
        except (subprocess.TimeoutExpired, TimeoutError):
            os.killpg(pid, signal.SIGKILL)
            status(timeout=60)
            ended = None
        said, complained = out.said(), err.said()
    return Ended(ended, said, complained, time.monotonic() - began)


_PROGRAM = "from smugmug_backup.cli.main import program; program()"
"""As a script, which is how it is installed: with ``-c``, Python itself trips over a folder that is
gone."""


def _started(case: Case, ends: tuple[int, int, int]) -> "subprocess.Popen[bytes]":
    stdin, stdout, stderr = ends
    script = os.fsencode(case.scratch / "smugmug-backup")
    Path(os.fsdecode(script)).write_text(_PROGRAM)
    argv = [os.fsencode(sys.executable), *map(str.encode, case.python), script, *case.argv]
    return subprocess.Popen(
        argv,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env={os.fsencode(k): os.fsencode(v) for k, v in case.env.items()},
        user=case.user,
        group=case.user,
        extra_groups=None if case.user is None else [],
        umask=case.umask,
        preexec_fn=lambda: _before(case),
        restore_signals=case.signals != "ignored",
        start_new_session=True,
    )


def _before(case: Case) -> None:
    """In the new process, before the tool begins."""
    folder = case.scratch / "cwd"
    os.chdir(folder)
    if case.cwd_gone:
        folder.rmdir()
    for name, value in case.limits.items():
        resource.setrlimit(name, (value, value))
    for number, kind in ((0, case.stdin), (1, case.stdout), (2, case.stderr)):
        if kind == "closed":
            os.close(number)
    if case.signals == "ignored":
        for each in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
    elif case.signals == "pipe kills":
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


class Zygote:
    """A process that has loaded the tool and forks itself for each case."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.proof.strange", "--zygote", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        )
        theirs.close()
        self._came = b""

    def fork(self, case: Case, ends: tuple[int, int, int]) -> int:
        """The child's pid."""
        order = pickle.dumps(case)
        self._ours.settimeout(300)
        socket.send_fds(self._ours, [struct.pack("I", len(order))], [*ends])
        self._ours.sendall(order)
        return self.wait(300)

    def wait(self, timeout: float) -> int:
        """The next answer: how the child ended."""
        while b"\n" not in self._came:
            self._ours.settimeout(timeout)
            came = self._ours.recv(100)
            if not came:
                raise EOFError("the zygote is gone")
            self._came += came
        line, _, self._came = self._came.partition(b"\n")
        return int(line)

    def close(self) -> None:
        self._ours.close()
        self._process.wait(60)


def _serve(descriptor: int) -> int:
    """The zygote: an order, a child, its end; until nobody asks any more."""
    import smugmug_backup.cli.main as tool

    tool._parser()
    for path in sorted((ROOT / "src/smugmug_backup").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        if "function" not in name and not name.endswith(("__main__", "__init__")):
            with suppress(ImportError):
                import_module(name)
    for name in (
        "_strptime",
        "boto3",
        "botocore.session",
        "requests",
        "apprise",
        "shtab",
        "tomlkit",
        "getpass",
        "pwd",
    ):
        with suppress(ImportError):
            import_module(name)
    for encoding in ("ascii", "latin-1", "cp1252", "idna", "utf-16", "utf-8-sig", "unicode_escape"):
        codecs.lookup(encoding)
    link = socket.socket(fileno=descriptor)
    while True:
        head, ends, _, _ = socket.recv_fds(link, 4, 3)
        if not head:
            return 0
        size = struct.unpack("I", head)[0]
        order = b""
        while len(order) < size:
            order += link.recv(size - len(order))
        pid = os.fork()
        if pid == 0:
            _be(pickle.loads(order), ends, tool.main)
        for end in ends:
            os.close(end)
        link.sendall(f"{pid}\n".encode())
        _, ended = os.waitpid(pid, 0)
        link.sendall(f"{os.waitstatus_to_exitcode(ended)}\n".encode())


def _be(case: Case, ends: list[int], main: Callable[[list[str]], int]) -> None:
    """Become the case, as Python would begin it; never returns."""
    status = 99
    try:
        os.setsid()
        for number, end in enumerate(ends):
            os.dup2(end, number)
        os.closerange(3, 256)
        os.umask(case.umask)
        if case.user is not None:
            os.setgroups([])
            os.setgid(case.user)
            os.setuid(case.user)
        os.environ.clear()
        os.environ.update(case.env)
        time.tzset()
        for number in (signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.default_int_handler if number == 2 else signal.SIG_IGN)
        _before(case)
        _streams_anew(case)
        sys.argv = ["smugmug-backup", *map(os.fsdecode, case.argv)]
        status = main(sys.argv[1:])
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BaseException:
        import traceback

        os.write(2, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(status)


def _streams_anew(case: Case) -> None:
    encoding, _, errors = case.env.get("PYTHONIOENCODING", "").partition(":")
    few = case.env.get("PYTHONCOERCECLOCALE") == "0" and "LANG" not in case.env
    encoding = encoding or ("ascii" if few and case.env.get("PYTHONUTF8") == "0" else "utf-8")
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
            stream = open(  # noqa: SIM115 - for the rest of this process
                number,
                mode,
                buffering=1 if number == 2 else -1,
                encoding=encoding,
                errors=errors or ("backslashreplace" if number == 2 else "surrogateescape"),
                closefd=False,
            )
        except OSError:
            stream = None
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


class _Stream:
    """Our end, and the process's, of one of its streams."""

    def __init__(
        self, end: int, ours: int | None, text: bytes = b"", *, reads: bool = False
    ) -> None:
        self.end, self._ours, self._text, self._reads = end, ours, text, reads
        self._heard = bytearray()
        self._thread = threading.Thread(target=self._hear, daemon=True)

    def begun(self) -> None:
        """The process has its end."""
        os.close(self.end)
        if self._reads:
            self._thread.start()
        elif self._text and self._ours is not None:
            with suppress(BrokenPipeError):  # It has ended already.
                os.write(self._ours, self._text)
        if not self._reads and self._ours is not None and not os.isatty(self._ours):
            os.close(self._ours)
            self._ours = None

    def _hear(self) -> None:
        while self._ours is not None:
            try:
                read = os.read(self._ours, 65536)
            except OSError:
                return
            if not read:
                return
            self._heard += read

    def said(self) -> str:
        if self._reads:
            self._thread.join(60)
        return bytes(self._heard).decode(errors="replace")

    def close(self) -> None:
        if self._ours is not None:
            os.close(self._ours)


@contextmanager
def _stream(kind: str, *, writing: bool = True) -> Iterator[_Stream]:
    made = _writing(kind) if writing else _reading(kind)
    try:
        yield made
    finally:
        made.close()


def _writing(kind: str) -> _Stream:
    if kind in ("closed", "full", "reading"):
        flags = os.O_RDONLY if kind == "reading" else os.O_WRONLY
        return _Stream(os.open("/dev/full" if kind == "full" else os.devnull, flags), None)
    if kind == "terminal":
        ours, theirs = pty.openpty()
        return _Stream(theirs, ours, reads=True)
    ours, theirs = os.pipe()
    if kind == "broken":
        os.close(ours)
        return _Stream(theirs, None)
    return _Stream(theirs, ours, reads=True)


def _reading(kind: str) -> _Stream:
    if kind in ("nothing", "closed"):
        return _Stream(os.open(os.devnull, os.O_RDONLY), None)
    if kind == "terminal":
        ours, theirs = pty.openpty()
        return _Stream(theirs, ours, b"\x04\x04\x04")
    theirs, ours = os.pipe()
    texts = {"garbage": b"\xff\xfe\x00" * 50 + b"\n", "answers": b"y\n123456\n" * 20}
    return _Stream(theirs, ours, texts.get(kind, b""))


# -- judging it ------------------------------------------------------------------------------------


def wrong(case: Case, ended: Ended, usual: int | None) -> str | None:
    """What must not be, or None. ``usual``: how the command ends in a plain world."""
    err = _ESCAPES.sub("", ended.err).replace("\r", "")
    if ended.status is None and _waits(case):
        return None
    if ended.status is None:
        return f"it did not end within {LONGEST:.0f} s"
    if ended.status == -signal.SIGPIPE and case.signals == "pipe kills":
        return None
    if ended.status not in STATUSES:
        return f"exit status {ended.status}"
    found = [each for each in NEVER if each in err or each in ended.out]
    if found and b"--debug" not in case.argv:
        return f"it says {found[0]!r}"
    heard = case.stderr in ("pipe", "terminal")
    if ended.status == 2 and heard and "broken" not in (case.stdout, case.stderr):
        told = [line for line in err.splitlines() if line.startswith(("error:", "hint:"))]
        as_document = '"error"' in ended.out
        reports = "Refused" in ended.out or "not checked to the end" in ended.out
        if not told and not as_document and not reports:
            return "2 without a sentence"
        # Who repeats the command tells of each time, and of what became of it all.
        most = len(told) // 2 if case.argv[:1] == [b"schedule"] else 1
        if told and [line[:6] for line in told] != ["error:", "hint: "] * most:
            return f"not one sentence: {told}"
    as_json = b"--json" in case.argv and not {b"--", b"--help", b"-h"} & {*case.argv}
    if as_json and case.stdout == "pipe" and ended.status != 130:
        try:
            json.loads(ended.out)
        except ValueError:
            return f"no JSON document: {ended.out[:200]!r}"
    if case.doable and usual is not None and ended.status != usual:
        return f"exit status {ended.status}, in a plain world {usual}"
    return None


def _waits(case: Case) -> bool:
    """Whether it may go on for minutes: a connection that is lost is waited for."""
    lost = case.env.get("SMUGMUG_API_URL", "").endswith(":9")
    return lost and case.argv[:1] in ([b"run"], [b"schedule"])


# -- all of it -------------------------------------------------------------------------------------


class Strange:
    """Draws, performs and judges."""

    def __init__(self, place: Place, seed: int, zygote: Zygote | None = None) -> None:
        self._place = place
        self._zygote = zygote
        self._seed = seed
        self._usual: dict[str, int | None] = {}
        self.statuses: Counter[int | None] = Counter()

    def __call__(self, number: int) -> tuple[Case, Ended, str | None]:
        with tempfile.TemporaryDirectory(prefix="case-", dir=self._place.folder) as made:
            scratch = Path(made)
            scratch.chmod(0o755)
            (scratch / "home").mkdir()
            command, case = drawn(self._seed, number, self._place, scratch)
            # Where Python lies, not every user may go: the zygote has it loaded.
            cannot = case.user or case.limits.get(resource.RLIMIT_NOFILE, 99) < _LEAST_FILES
            anew = not cannot and (case.python or number % 8 == 0)
            ended = perform(case, None if anew else self._zygote)
            problem = wrong(case, ended, self._usual_of(command) if case.doable else None)
            if scratch.exists():
                _let_go(scratch)
        self.statuses[ended.status] += 1
        return case, ended, problem

    def _usual_of(self, command: str) -> int | None:
        if command not in self._usual:
            with tempfile.TemporaryDirectory(dir=self._place.folder) as made:
                scratch = Path(made)
                (scratch / "home").mkdir()
                self._usual[command] = perform(plain(command, self._place, scratch)).status
                _let_go(scratch)
        return self._usual[command]


def _let_go(scratch: Path) -> None:
    """Whatever a umask made of it, it can be deleted."""
    for path in (scratch, *scratch.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


@contextmanager
def place() -> Iterator[Place]:
    """A place, made anew."""
    account = generate_account(3, albums=2, images=2, size=2_000)
    with (
        tempfile.TemporaryDirectory(prefix="strange-") as made,
        LocalSmugMug(World(account)) as smugmug,
    ):
        yield Place(Path(made), smugmug)


def main() -> int:
    """Print what was found; 1 if anything was."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.strange", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--begin", type=int, default=0, help="the first case")
    parser.add_argument("--case", type=int, help="only this one, with all that it says")
    parser.add_argument("--zygote", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.zygote is not None:
        return _serve(options.zygote)
    until = time.monotonic() + 60 * options.minutes
    found = 0
    with place() as here:
        zygote = None if options.case is not None else Zygote()
        strange = Strange(here, options.seed, zygote)
        number = options.begin if options.case is None else options.case
        while time.monotonic() < until:
            case, ended, problem = strange(number)
            if problem or options.case is not None:
                found += bool(problem)
                print(
                    f"case {number}: {problem}\n  {case.told()}\n  status {ended.status}",
                    flush=True,
                )
                print(f"  out: {ended.out[-600:]!r}\n  err: {ended.err[-1500:]!r}", flush=True)
            if options.case is not None:
                print(json.dumps(case.env, indent=1))
                break
            number += 1
            if number % 100 == 0:
                print(f"{number} cases, {found} wrong, {dict(strange.statuses)}", flush=True)
        if zygote is not None:
            zygote.close()
    print(f"{number} cases, {found} wrong, {dict(strange.statuses)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
