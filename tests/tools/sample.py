"""A small backup with one of everything, made by real runs of the fake source."""

from dataclasses import dataclass
from typing import Any

from smugmug_backup.errors import PhotoRefused
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights


@dataclass
class Sample:
    """The store, and what made it."""

    store: Any
    source: FakeSource
    clock: FakeClock
    nights: Nights


def sample_store(store: Any = None) -> Sample:
    """Three albums over four nights: changed, replaced, gone, unavailable, pending, unverified."""
    clock = FakeClock()
    source = FakeSource(clock)
    store = MemoryStore() if store is None else store
    nights = Nights(source, store, clock)
    source.album("harbour", "Harbour &amp; Quay 2024", images=5)
    source.album("alps", "Alps \u2014 \u5c71", images=3)
    source.album("gone", "Old things", images=2)
    source.upload("alps", has_url=False, file_name="no_original.jpg")
    source.upload("alps", has_md5=False, file_name="no_md5.jpg")
    nights.run()
    first, second, third, *_ = source.world["harbour"].images
    clock.advance(hours=12)
    source.touch(first, caption="The old quay")
    source.replace(second)
    clock.advance(hours=12)
    nights.run()
    source.world["harbour"].images.remove(third)
    del source.world["gone"]
    nights.next_night()
    nights.next_night()
    late = source.upload("harbour", file_name="late.jpg")
    source.errors[f"photo:{late.key}"] = PhotoRefused("404")
    nights.next_night()
    return Sample(store, source, clock, nights)
