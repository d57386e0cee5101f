"""The reading of a large original ends when somebody asks for an end; of what is small, not."""

import pytest

from smugmug_backup.archive import keys, reading
from smugmug_backup.cli.stoppable import stoppable
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import OutOfTime
from tests.tools.clock import FakeClock
from tests.tools.memory_store import MemoryStore


@pytest.fixture
def deadline():
    return Deadline.none(FakeClock())


def test_an_original_is_read_until_the_end_is_over_and_no_further(deadline):
    inner = MemoryStore()
    key = keys.original("i1", "0" * 32, "jpg")
    inner.create(key, b"x" * 3_000_000)
    inner.create("runs/x.json", b"y" * 3_000_000)
    store = stoppable(inner, deadline)
    assert reading.read_back(store, key).bytes == 3_000_000
    deadline.stop(grace=0)
    with pytest.raises(OutOfTime):
        reading.read_back(store, key)
    with pytest.raises(OutOfTime):
        reading.read_back(store.bounded(deadline), key)
    assert reading.read_back(store, "runs/x.json").bytes == 3_000_000


def test_all_else_is_the_stores_own(deadline):
    inner = MemoryStore()
    store = stoppable(inner, deadline)
    store.create("runs/x.json", b"{}")
    assert inner.read("runs/x.json") == b"{}" == store.read("runs/x.json")
    assert [each.key for each in store.list("")] == ["runs/x.json"]
    assert store.requests == inner.requests
