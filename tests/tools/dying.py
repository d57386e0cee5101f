"""`kill -9` of real commands, each at a step that a test chose.

    with Dying(account) as command:
        ended = command("run", folder, kill_at=17, seed=3)      # of `account(seed=3)`

A process of its own (this module, started with ``-m``) loads the program once and forks a child
for every command. The child counts what it does to files and what it asks of SmugMug, and at one
of these steps dies by SIGKILL; at others it gets a Ctrl-C.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple

from tests.tools.fake_source import FakeSource

ROOT = Path(__file__).parents[2]
_STEPS = {
    *("open", "os.link", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.utime"),
    "shutil.copyfile",
}
"""Python's own events that count; beside them each flush, and each operation of the source. What
only reads leaves a disk as it was: to die there is to die at the next step."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Ended(NamedTuple):
    """The exit status, minus the signal for one that was killed; the steps that were made."""

    status: int
    steps: int

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL


class Dying:
    """Runs commands that may die. ``account``: a function of some module that makes the account,
    which `run` backs up, of what else the caller says; every process calls it."""

    def __init__(self, account: Callable[..., FakeSource] | None = None) -> None:
        self._account = account
        self._home = tempfile.TemporaryDirectory()

    def __enter__(self) -> "Dying":
        paths = {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "HOME": self._home.name}
        made = self._account
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.tools.dying"),
                *([f"{made.__module__}:{made.__qualname__}"] if made else []),
            ],
            cwd=ROOT,
            env={key: value for key, value in os.environ.items() if key[:4] != "XDG_"} | paths,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __call__(
        self, *argv: object, kill_at: int = 0, ctrl_c_at: Sequence[int] = (), **account: Any
    ) -> Ended:
        """One command, to its end."""
        assert self._process.stdin is not None and self._process.stdout is not None
        order = [[str(word) for word in argv], kill_at, list(ctrl_c_at), account]
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Ended(*json.loads(self._process.stdout.readline()))

    def __exit__(self, *_: object) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            status = process.wait(120)
        self._home.cleanup()
        assert status == 0


# -- the other process -------------------------------------------------------------------------


class _Counter:
    """Counts steps; at one of them ends the process, at others presses Ctrl-C."""

    def __init__(self, kill_at: int, ctrl_c_at: Sequence[int]) -> None:
        self.kill_at = kill_at
        self.ctrl_c_at = ctrl_c_at
        self.steps = 0
        self._heeded = threading.Event()
        self._signal = signal.signal
        signal.signal = self._wrapped
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def _wrapped(self, number: int, handler: Any) -> Any:
        """As signal.signal, and tells when a handler was called."""

        def handle(*arguments: Any) -> None:
            self._heeded.set()
            handler(*arguments)

        return self._signal(number, handle if callable(handler) else handler)

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.steps in self.ctrl_c_at:
            self._heeded.clear()
            os.kill(os.getpid(), signal.SIGINT)
            if threading.current_thread() is not threading.main_thread():
                # The main thread heeds it, in its own time: here the world waits for that.
                self._heeded.wait(60)

    def hook(self, event: str, about: tuple[Any, ...]) -> None:
        if event in _STEPS and (event != "open" or about[2] & _WRITES):
            self.step()

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """A step before it, and one after."""

        def counted(*arguments: Any, **options: Any) -> Any:
            self.step()
            done = act(*arguments, **options)
            self.step()
            return done

        return counted


def _child(
    make: Callable[..., FakeSource] | None,
    report: int,
    argv: Sequence[str],
    kill_at: int,
    ctrl_c_at: Sequence[int],
    account: dict[str, Any],
) -> int:
    from smugmug_backup.backup.run import Options
    from smugmug_backup.cli import interruption
    from smugmug_backup.cli.commands import run
    from smugmug_backup.cli.main import main
    from smugmug_backup.restore.embed import Embedder
    from smugmug_backup.storage.location import open_store
    from tests.tools.faults import Points
    from tests.tools.faulty_source import FaultySource

    counter = _Counter(kill_at, ctrl_c_at)

    @contextmanager
    def parts(args: Any) -> Iterator[run.Parts]:
        assert make is not None
        made = make(**account)
        source = FaultySource(made, Points(tick=counter.step))
        store = open_store(args.location, create=True)
        yield run.Parts(source, store, made.clock, Options(concurrency=3, commit_every=2))

    os.fsync = counter.around(os.fsync)
    Embedder._write = counter.around(Embedder._write)
    run.build_parts = parts
    interruption._SAME = -1.0  # However fast the machine: the second press is another one.
    sys.addaudithook(counter.hook)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    with Path(os.devnull).open("w") as quiet, redirect_stdout(quiet), redirect_stderr(quiet):
        status = main(argv)
    os.write(report, str(counter.steps).encode())
    return status


def _serve(account: str | None = None) -> None:
    # Loaded before the first fork, so that a command takes no longer than its work.
    for each in ("cli.main", *(f"cli.commands.{each}" for each in ("copy", "restore", "run"))):
        import_module(f"smugmug_backup.{each}")
    make = resolve_name(account) if account else None
    for line in sys.stdin:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os._exit(_child(make, writing, *json.loads(line)))
        os.close(writing)
        _, ended = os.waitpid(pid, 0)
        steps = int(os.read(reading, 100) or b"0")
        os.close(reading)
        print(json.dumps([os.waitstatus_to_exitcode(ended), steps]), flush=True)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
