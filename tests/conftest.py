"""What holds for all tests: nothing of the machine's AWS, no host but this one."""

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.stack import environment
from tests.stack.ministack import LocalAws, local_aws

pytest_plugins = ["tests.tools.skips"]

# The same examples each time, and no opinion on how fast a busy machine is.
settings.register_profile("tests", deadline=None, derandomize=True, database=None)
settings.register_profile("quick", settings.get_profile("tests"), max_examples=10)

_UNIT = Path(__file__).parent / "unit"
_NOT_PURE = ("cli", "project", "storage", "template", "tools")
"""Rooms whose tests run whole commands and programs, write to disks or read the template."""
_LONG = (
    "archive/test_schemas.py",
    "check/test_albums.py",
    "check/test_check.py",
    "check/test_ledger.py",
    "keeping/test_copy.py",
    "keeping/test_forget.py",
    "keeping/test_repair.py",
    "restore/test_perform.py",
)
"""Modules that walk through whole stores, with seconds for each test."""
_STARTS = re.compile(
    r"^(from|import) (tests\.\S*(local_|stack|server|rules|nights)|moto|subprocess)", re.MULTILINE
)
"""Imports of what a test starts: a server, a stack, a program, whole nights."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--quick``, for `make quick`."""
    parser.addoption(
        "--quick", action="store_true", help="only the pure tests: no server, no stack, no proof"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is imported: no real credentials, proxies, certificates or settings."""
    environment.clean()
    # In the background of a script Ctrl-C is ignored from the beginning, by all that is started,
    # too; the program would leave it so (`cli/interruption.py`), and who tests it would wait.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.load_profile("quick" if config.getoption("quick") else "tests")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With ``--quick``: what is not pure is not even read."""
    quick = config.getoption("quick") and collection_path.suffix == ".py"
    return True if quick and not _is_pure(collection_path) else None


def _is_pure(module: Path) -> bool:
    """Whether the tests of a module need nothing but this process."""
    if not module.is_relative_to(_UNIT):
        return False
    place = module.relative_to(_UNIT)
    if place.parts[0] in _NOT_PURE or place.as_posix() in _LONG:
        return False
    return not _STARTS.search(module.read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    """A connection to any other host is a mistake of the test, or a leak of the code."""
    connect = socket.socket.connect
    # A pure test talks to nobody at all.
    here = () if pytestconfig.getoption("quick") else ("127.0.0.1", "::1", "localhost")

    def guarded(self: socket.socket, address: Any) -> None:
        is_inet = self.family in (socket.AF_INET, socket.AF_INET6)
        if is_inet and address[0] not in here:
            raise AssertionError(f"a test tried to connect to {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """A local AWS for the tests of one process; stacks in it go by different names."""
    with local_aws() as running:
        yield running
