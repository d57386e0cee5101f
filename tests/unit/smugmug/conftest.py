"""A scripted server on loopback, and a clock that never waits."""

from collections.abc import Iterator

import pytest

from tests.unit.smugmug.server import FakeClock, Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
