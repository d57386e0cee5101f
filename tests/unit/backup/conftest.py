"""Two albums long settled, and their nights; a module that needs others says so."""

import pytest

from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def source(clock) -> FakeSource:
    source = FakeSource(clock)
    source.album("A", images=3)
    source.album("B", images=2)
    # Long ago, so that nothing lies inside the overlap.
    clock.advance(days=100)
    return source


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def nights(source, store, clock) -> Nights:
    return Nights(source, store, clock)
