"""kill -9 in the middle of `run` and of `restore`, again and again, ends in a sound store and a
right restore.

A process of its own (this module, started with ``-m``) loads the program once and forks a child
for every round. The child counts what it does to files and photos, and dies by SIGKILL at a number
that a seed chose. ``KILL_ROUNDS`` asks for more rounds than the usual few.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from smugmug_backup.storage.folder import FolderStore
from tests.tools.clock import START, FakeClock
from tests.tools.fake_source import JPEG, FakeSource
from tests.tools.invariants import History, violations
from tests.unit.restore.pictures import picture

ROUNDS = int(os.environ.get("KILL_ROUNDS", "6"))
ROOT = Path(__file__).parents[3]
EVENTS = {
    *("open", "os.link", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.utime"),
    "shutil.copyfile",
}


def account(moment, *, pictures=False):
    """The same account in every process; some names and bytes are shared. ``pictures``: the photos
    are ones, and have words."""
    source = FakeSource(FakeClock(START))
    source.album("A1", "Harbour 2024", images=4)
    source.album("A2", "Scans &amp; Misc", images=3)
    source.album("A3", "Harbour 2024")
    source.upload("A3", file_name="../x.jpg", body=JPEG + bytes(1 << 20))
    source.upload("A3", file_name="same.jpg")
    source.upload("A3", file_name="SAME.JPG")
    source.world["A3"].images.append(source.world["A1"].images[0])
    if pictures:
        for number, image in enumerate(each for a in source.world.values() for each in a.images):
            image.body = picture("JPEG", colour=(number, 0, 0))
            image.caption, image.keywords = f"=Quay {number}", "sea; harbour"
    source.clock.jump(seconds=moment)
    return source


def expected(source):
    """What a restore must give, byte by byte."""
    found = {}
    for key, folder in (
        ("A1", "Harbour 2024 (A1)"),
        ("A2", "Scans & Misc"),
        ("A3", "Harbour 2024 (A3)"),
    ):
        for image in source.world[key].images:
            found[f"Travel/{folder}/{image.file_name}"] = image.body
    at = "Travel/Harbour 2024 (A3)"
    found[f"{at}/__x.jpg"] = found.pop(f"{at}/../x.jpg")
    second = source.world["A3"].images[2]
    found[f"{at}/SAME ({second.key}).JPG"] = found.pop(f"{at}/SAME.JPG")
    return found


NO_PHOTOS = (".json", ".xmp", ".csv", ".part")


def restored(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in NO_PHOTOS and path.name != "lock"
    }


class Machine:
    """The process that forks a child for every round."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.cli.test_run_killed"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, argv, *, moment=0, kill_at=0, ctrl_c_at=(), pictures=False):
        """(exit status or minus the signal, number of steps that were made)."""
        order = {
            "argv": [str(word) for word in argv],
            "moment": moment,
            "kill_at": kill_at,
            "ctrl_c_at": list(ctrl_c_at),
            "pictures": pictures,
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["status"], answer["steps"]

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait(120) == 0


@pytest.fixture(scope="module")
def machine():
    machine = Machine()
    yield machine
    machine.close()


@pytest.mark.parametrize("seed", range(max(1, ROUNDS // 3)))
def test_kills_in_the_middle_of_a_run_leave_a_sound_store(machine, tmp_path, seed):
    rng = random.Random(f"run {seed}")
    folder = tmp_path / "backup"
    status, steps = machine(["run", tmp_path / "undisturbed"])
    assert status == 0
    history, killed = History(), 0
    for moment in range(1, 1 + max(3, ROUNDS // 2)):
        status, _ = machine(["run", folder], moment=moment, kill_at=rng.randint(1, steps * 2 // 3))
        killed += status == -signal.SIGKILL
        if folder.exists():
            assert not (violations(FolderStore(folder), history=history))
    assert killed
    source = account(100)
    assert machine(["run", folder], moment=100)[0] == 0
    assert not (violations(FolderStore(folder), source, history=history, exact=True))


@pytest.mark.parametrize("seed", range(max(1, ROUNDS // 3)))
def test_kills_in_the_middle_of_a_restore_end_in_a_right_one(machine, tmp_path, seed):
    rng = random.Random(f"restore {seed}")
    store, folder = tmp_path / "backup", tmp_path / "restored"
    assert machine(["run", store])[0] == 0
    status, steps = machine(["restore", store, tmp_path / "undisturbed"])
    assert status == 0
    right, killed = expected(account(0)), 0
    assert restored(tmp_path / "undisturbed") == right
    for _ in range(max(3, ROUNDS // 2)):
        status, _ = machine(["restore", store, folder], kill_at=rng.randint(1, steps * 2 // 3))
        killed += status == -signal.SIGKILL
        # A file that has its name is whole, at every moment.
        assert restored(folder).items() <= right.items()
    assert killed
    assert machine(["restore", store, folder])[0] == 0
    assert restored(folder) == right
    assert sorted(path.name for path in folder.iterdir()) == ["Travel", "albums.csv", "photos.csv"]
    assert len(list(folder.rglob("*.json"))) == len(right)


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".smugmug-restore" not in path.parts
    }


@pytest.mark.parametrize(
    "way",
    [["--embed"], ["--bag"], ["--for", "immich"], ["--embed", "--bag"]],
    ids=["embed", "bag", "immich", "embed in a bag"],
)
def test_whatever_a_restore_makes_is_whole_when_it_has_its_name(machine, tmp_path, way):
    rng = random.Random(f"restore {way}")
    store, folder = tmp_path / "backup", tmp_path / "restored"
    assert machine(["run", store], pictures=True)[0] == 0
    status, steps = machine(["restore", store, tmp_path / "undisturbed", *way])
    assert status == 0
    right, killed = files(tmp_path / "undisturbed"), 0
    if "--embed" in way:
        photos = [body for name, body in right.items() if name.lower().endswith(".jpg")]
        assert len(photos) == 11 and all(b"Quay" in body for body in photos)
    for number in range(max(3, ROUNDS // 2)):
        # The last one late, where the tables and the bag are made.
        low, high = (1, steps * 2 // 3) if number else (steps * 4 // 5, steps - 1)
        status, _ = machine(["restore", store, folder, *way], kill_at=rng.randint(low, high))
        killed += status == -signal.SIGKILL
        assert files(folder).items() <= right.items()
        if number == 0 and folder.exists() and killed:
            shutil.rmtree(folder)
    assert killed
    assert machine(["restore", store, folder, *way])[0] == 0
    assert files(folder) == right
    assert not (folder / ".smugmug-restore").exists()


def test_a_second_ctrl_c_stops_at_once_and_loses_nothing(machine, tmp_path):
    store, folder = tmp_path / "backup", tmp_path / "restored"
    _, steps = machine(["run", tmp_path / "to the end"])
    pressed = [steps // 2 + each for each in range(5)]
    assert machine(["run", store], ctrl_c_at=pressed)[0] == 130
    assert not violations(FolderStore(store), history=History())
    assert machine(["run", store], moment=1)[0] == 0
    # By one thread: of several, those that nobody interrupts yet may write all there is.
    _, steps = machine(["restore", store, tmp_path / "undisturbed", "--threads", "1"])
    alone = ["restore", store, folder, "--threads", "1"]
    assert machine(alone, ctrl_c_at=[steps // 2])[0] == 130
    assert machine(["restore", store, folder])[0] == 0
    assert restored(folder) == expected(account(0))


# -- the other process -------------------------------------------------------------------------


class Counter:
    """Counts steps; at one of them ends the process, at others presses Ctrl-C."""

    def __init__(self, kill_at, ctrl_c_at):
        self.kill_at = kill_at
        self.ctrl_c_at = ctrl_c_at
        self.steps = 0
        self._heeded = threading.Event()
        self._signal = signal.signal
        signal.signal = self._wrapped
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def _wrapped(self, number, handler):
        """As signal.signal, and tells when a handler was called."""

        def handle(*arguments):
            self._heeded.set()
            handler(*arguments)

        return self._signal(number, handle if callable(handler) else handler)

    def step(self, *_):
        self.steps += 1
        if self.steps == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.steps in self.ctrl_c_at:
            self._heeded.clear()
            os.kill(os.getpid(), signal.SIGINT)
            if threading.current_thread() is not threading.main_thread():
                # The main thread heeds it, in its own time: here the world waits for that.
                self._heeded.wait(60)

    def hook(self, event, _):
        if event in EVENTS:
            self.step()


def child(order, report):
    from smugmug_backup.backup.run import Options
    from smugmug_backup.cli.commands import run
    from smugmug_backup.cli.main import main
    from smugmug_backup.restore.embed import Embedder
    from smugmug_backup.storage.location import open_store

    counter = Counter(order["kill_at"], order["ctrl_c_at"])
    source = account(order["moment"], pictures=order["pictures"])
    fsync, photo = os.fsync, source.open

    def counted_fsync(descriptor):
        counter.step()
        fsync(descriptor)
        counter.step()

    @contextmanager
    def counted_open(offer, **options):
        counter.step()
        with photo(offer, **options) as stream:
            yield stream
        counter.step()

    @contextmanager
    def parts(args):
        store = open_store(args.location, create=True)
        yield run.Parts(source, store, source.clock, Options(concurrency=2, commit_every=2))

    write = Embedder._write

    def counted_write(*arguments, **options):
        counter.step()
        write(*arguments, **options)
        counter.step()

    Embedder._write = counted_write
    os.fsync, source.open, run.build_parts = counted_fsync, counted_open, parts
    sys.addaudithook(counter.hook)
    quiet = open(os.devnull, "w")  # noqa: SIM115 (the process ends with it)
    with redirect_stdout(quiet), redirect_stderr(quiet):
        status = main(order["argv"])
    os.write(report, str(counter.steps).encode())
    return status


def serve():
    # Loaded before the first fork, so that a round takes no longer than its work.
    import smugmug_backup.cli.commands.restore
    import smugmug_backup.cli.commands.run
    import smugmug_backup.cli.main
    import smugmug_backup.restore.embed  # noqa: F401

    for line in sys.stdin:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os._exit(child(json.loads(line), writing))
        os.close(writing)
        _, ended = os.waitpid(pid, 0)
        steps = int(os.read(reading, 100) or b"0")
        os.close(reading)
        answer = {"status": os.waitstatus_to_exitcode(ended), "steps": steps}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
