"""What holds for all tests: nothing of the machine's AWS, no host but this one."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.stack import environment
from tests.stack.ministack import LocalAws, local_aws

# The same examples each time, and no opinion on how fast a busy machine is.
settings.register_profile("tests", deadline=None, derandomize=True, database=None)
settings.load_profile("tests")


def pytest_configure() -> None:
    """Before anything is imported: no real credentials, proxies, certificates or settings."""
    environment.clean()


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to any other host is a mistake of the test, or a leak of the code."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        is_inet = self.family in (socket.AF_INET, socket.AF_INET6)
        if is_inet and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to connect to {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """A local AWS for the tests of one process; stacks in it go by different names."""
    with local_aws() as running:
        yield running
