"""Ctrl-C on a terminal of its own, at whatever the run waits for; and what else asks for an end."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from smugmug_backup.cli import interruption
from smugmug_backup.cli.interruption import at_once, interruptible
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.location import open_store
from smugmug_backup.words import Location
from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.tools.invariants import History, violations
from tests.tools.patience import until
from tests.tools.sample import sample_store
from tests.tools.terminal import CTRL_C, Terminal

SRC = Path(interruption.__file__).parents[2]
QUICK = """\
import sys
from smugmug_backup.cli import interruption
from smugmug_backup.cli.commands import check, run
run.GRACE = check.GRACE = float(sys.argv.pop(1))
interruption._SAME = 0.1
interruption._LONGEST = 3600.0
from smugmug_backup.cli.main import program
program()
"""
"""The tool as it is: less patient with what is under way, and hiding nothing that holds on."""


class Owner:
    """Somebody with an account, a disk and a terminal."""

    def __init__(self, smugmug, folder):
        self.smugmug = smugmug
        self.disk = folder / "backup"
        (folder / "secret").write_text(json.dumps(smugmug.world.account.secret()))
        (folder / "secret").chmod(0o600)
        self.env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SRC),
            "HOME": str(folder),
            "TERM": "xterm",
            "SMUGMUG_SECRET": f"file:{folder}/secret",
            "SMUGMUG_NICKNAME": smugmug.world.account.nickname,
            "SMUGMUG_API_URL": smugmug.url,
            "SMUGMUG_PHOTO_HOSTS": "127.0.0.1",
        }

    def at_a_terminal(self, *words, grace=0.5):
        argv = [sys.executable, "-c", QUICK, str(grace), *map(str, words)]
        return Terminal(argv, env=self.env)

    def without(self, *words):
        argv = [sys.executable, "-c", QUICK, "5", *map(str, words)]
        return subprocess.run(argv, env=self.env, capture_output=True, text=True, check=False)

    def reports(self):
        found = sorted((self.disk / "runs").rglob("*.json"))
        return [json.loads(path.read_text()) for path in found]


@pytest.fixture
def owner(tmp_path):
    account = generate_account(1, albums=3, images=4, size=2_000)
    with LocalSmugMug(World(account)) as smugmug:
        yield Owner(smugmug, tmp_path)


SOON = 120.0
"""Seconds. It takes about one, and five at most, but a busy machine makes it many times that; the
waits here are of ten minutes and more."""

WAITS = {
    "a photo that comes in drops": ("trickle", {"method": "photo", "piece": 50, "pause": 20}),
    "a photo host that thinks": ("slow", {"method": "photo", "seconds": 900}),
    "a listing that does not come": ("slow", {"method": "images", "seconds": 900}),
    "a pause that SmugMug asks for": (
        "status",
        {"method": "images", "status": 429, "retry_after": 900, "times": 1},
    ),
}


@pytest.mark.parametrize("waits_for", WAITS)
def test_the_first_ctrl_c_ends_in_good_order_whatever_is_waited_for(owner, waits_for):
    kind, options = WAITS[waits_for]
    fault = owner.smugmug.faults.add(kind, **{"times": None, **options})
    with owner.at_a_terminal("run", owner.disk) as terminal:
        terminal.until("albums ·")
        until(lambda: fault.hits)
        terminal.press(CTRL_C)
        assert terminal.ends(seconds=SOON) == 130
    last = terminal.shown.rsplit("Interrupted", 1)[1]
    assert "The same command goes on where it was" in last and "stopping" in terminal.shown
    (report,) = owner.reports()
    assert report["status"] == "continuing" and not report["failures"]
    history = History()
    assert not violations(FolderStore(owner.disk), history=history)
    owner.smugmug.faults.clear()
    assert owner.without("run", owner.disk, "-q").returncode == 0
    assert not violations(FolderStore(owner.disk), history=history)


def test_the_second_ctrl_c_ends_at_once_and_says_so(owner):
    owner.smugmug.faults.add("slow", seconds=3600, method="images", times=None)
    with owner.at_a_terminal("run", owner.disk, grace=3600) as terminal:
        terminal.until("albums ·")
        terminal.press(CTRL_C)
        terminal.until("Ctrl-C again")
        time.sleep(0.15)  # Sooner it would be the same one, twice.
        terminal.press(CTRL_C)
        assert terminal.ends() == 130
    assert "Stopped at once" in terminal.shown and "\x1b[?25h" in terminal.shown
    assert owner.reports() == []


@pytest.mark.parametrize("asks", ["SIGTERM", "a closed window"])
def test_a_shut_down_and_a_closed_window_end_it_in_good_order(owner, asks):
    fault = owner.smugmug.faults.add("slow", seconds=900, method="images", times=1)
    with owner.at_a_terminal("run", owner.disk) as terminal:
        until(lambda: fault.hits)
        if asks == "SIGTERM":
            terminal.process.send_signal(signal.SIGTERM)
        else:
            terminal.close()
            terminal.process.send_signal(signal.SIGHUP)  # of the shell, a second one
        assert terminal.ends() == 130
    (report,) = owner.reports()
    assert report["status"] == "continuing"


def test_what_does_not_let_go_is_not_waited_for_for_ever(owner):
    program = (
        "import time\n"
        "from smugmug_backup.cli import interruption\n"
        "from smugmug_backup.cli.output import make_console\n"
        "interruption._LONGEST = 0.3\n"
        "with interruption.interruptible(make_console(), lambda: None, saying='Stopping.'):\n"
        "    print('ready', flush=True)\n"
        "    while True: time.sleep(1)\n"
    )
    with Terminal([sys.executable, "-c", program], env=owner.env) as terminal:
        terminal.until("ready")
        terminal.press(CTRL_C)
        assert terminal.ends() == 130
    assert "does not let go" in terminal.shown


def test_a_check_that_reads_a_large_file_ends_within_seconds_too(owner):
    sample_store(open_store(Location.parse(str(owner.disk)), create=True))
    large = min((owner.disk / "originals").rglob("*.jpg"))
    large.chmod(0o644)
    os.truncate(large, 50 * 10**9)  # of holes
    with owner.at_a_terminal("check", owner.disk, "--read-data", "all") as terminal:
        terminal.until("albums")
        terminal.press(CTRL_C)
        assert terminal.ends(seconds=SOON) in (1, 130)
    assert "Stopping" in terminal.shown


def test_a_machine_that_slept_goes_on_when_it_wakes(owner):
    """Stopped in the middle, as by the lid of a laptop; its connections are gone meanwhile."""
    owner.smugmug.faults.add("slow", method="photo", seconds=0.2, times=None)
    with owner.at_a_terminal("run", owner.disk) as terminal:
        terminal.until("albums ·")
        terminal.process.send_signal(signal.SIGSTOP)
        owner.smugmug.faults.clear()
        owner.smugmug.faults.add("reset", times=3)
        time.sleep(0.5)
        terminal.process.send_signal(signal.SIGCONT)
        assert terminal.ends() == 0
    assert not violations(FolderStore(owner.disk), history=History())


# -- the handlers ------------------------------------------------------------------------------


class Presses:
    """A clock, and a console that nobody looks at."""

    def __init__(self, monkeypatch):
        self.now, self.stops, self.ended = 0.0, 0, []
        monkeypatch.setattr(interruption.os, "_exit", self.ended.append)
        monkeypatch.setattr(interruption.os, "write", lambda *_: 0)
        monkeypatch.setattr(interruption.os, "set_blocking", lambda *_: None)
        self.out = io.StringIO()

    def stop(self):
        self.stops += 1

    def within(self):
        console = Console(file=self.out)
        return interruptible(console, self.stop, saying="Stopping.", monotonic=lambda: self.now)


@pytest.mark.parametrize(
    ("signals", "ends"),
    [
        ([(0, signal.SIGINT)], False),
        ([(0, signal.SIGINT), (0.1, signal.SIGINT)], False),
        ([(0, signal.SIGINT), (1, signal.SIGINT)], True),
        ([(0, signal.SIGTERM), (1, signal.SIGTERM)], True),
        ([(0, signal.SIGHUP), (1, signal.SIGHUP)], False),
        ([(0, signal.SIGTERM), (1, signal.SIGHUP)], False),
        ([(0, signal.SIGHUP), (1, signal.SIGINT)], True),
    ],
)
def test_what_comes_second_ends_at_once_if_a_person_means_it(monkeypatch, signals, ends):
    presses = Presses(monkeypatch)
    with presses.within() as state:
        for when, number in signals:
            presses.now = when
            os.kill(os.getpid(), number)
    assert state.happened and presses.stops == 1
    assert bool(presses.ended) is ends
    assert "Stopping. Ctrl-C again stops at once." in presses.out.getvalue()


def test_a_signal_that_comes_as_the_main_thread_begins_to_wait_is_heard(monkeypatch):
    """Played by one that another thread gets: it wakes the main one as little."""
    presses = Presses(monkeypatch)
    stopped, main, looks = threading.Event(), threading.main_thread().ident, []
    presses.stop = stopped.set

    def waits():
        frame = sys._current_frames()[main]
        looks.append((frame.f_code, frame.f_lasti))
        return looks[-10:] == [(threading.Condition.wait.__code__, frame.f_lasti)] * 10

    def press():
        until(waits)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    with presses.within() as state:
        other = threading.Thread(target=press)
        other.start()
        assert stopped.wait(60) and state.happened
        other.join()


def test_where_no_descriptor_is_left_the_work_is_done_all_the_same(monkeypatch):
    def none_left():
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(interruption.socket, "socketpair", none_left)
    presses = Presses(monkeypatch)
    with presses.within() as state:
        os.kill(os.getpid(), signal.SIGINT)
    assert state.happened


def test_a_signal_that_was_ignored_stays_so(monkeypatch):
    presses = Presses(monkeypatch)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with presses.within() as state:
            os.kill(os.getpid(), signal.SIGHUP)
        assert not state.happened
    finally:
        signal.signal(signal.SIGHUP, before)


def test_where_nothing_is_written_ctrl_c_waits_for_nothing(monkeypatch):
    presses = Presses(monkeypatch)
    before = signal.getsignal(signal.SIGINT)
    with at_once(Console(file=presses.out)):
        os.kill(os.getpid(), signal.SIGINT)
    assert presses.ended == [130]
    assert signal.getsignal(signal.SIGINT) is before
