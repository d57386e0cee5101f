"""The owner's tool as from a shell, and a small backup, or an account, for it to look at."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from smugmug_backup.storage.location import Location, open_store
from tests.local_smugmug import Account, LocalSmugMug, World, generate_account
from tests.tools.cli import Shell
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.programs import Programs
from tests.tools.sample import Sample, sample_store


@pytest.fixture(autouse=True)
def _no_timers_of_this_machine(monkeypatch) -> None:
    """The crontab of whoever runs the tests is left alone."""
    Programs(monkeypatch)


@pytest.fixture(autouse=True)
def _no_signal_is_ignored() -> Iterator[None]:
    """Under `nohup` one is, and the program leaves it so."""
    ignored = [
        each for each in (signal.SIGHUP, signal.SIGTERM) if signal.getsignal(each) is signal.SIG_IGN
    ]
    for each in ignored:
        signal.signal(each, signal.SIG_DFL)
    yield
    for each in ignored:
        signal.signal(each, signal.SIG_IGN)


@pytest.fixture
def shell(capsys, monkeypatch, tmp_path) -> Shell:
    return Shell(capsys, monkeypatch, tmp_path / "home")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Where `sample` lies."""
    return tmp_path / "photos-backup"


@pytest.fixture
def sample(shell, folder) -> Sample:
    """A backup with one of everything; commands that only look are run at its time."""
    sample = sample_store(open_store(Location.parse(str(folder)), create=True))
    shell.at(sample.clock)
    return sample


@pytest.fixture
def source() -> FakeSource:
    """An account of two albums and three photos."""
    source = FakeSource(FakeClock())
    source.album("A1", "Harbour 2024", images=2)
    source.album("A2", "Scans &amp; Misc", images=1)
    return source


@pytest.fixture(scope="module")
def smugmug() -> Iterator[LocalSmugMug]:
    """Where an owner may log in."""
    with LocalSmugMug(World(generate_account(seed=7, albums=2, images=2))) as smugmug:
        yield smugmug


@pytest.fixture
def account(smugmug) -> Account:
    return smugmug.world.account
