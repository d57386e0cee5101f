"""A local SmugMug and somebody who asks it; a module says with ``accounts`` who lives there."""

from collections.abc import Iterator

import pytest

from tests.local_smugmug import Account, LocalSmugMug, World, generate_account
from tests.local_smugmug.caller import Caller
from tests.tools.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """The world's clock, where a test asks for it before the world."""
    return FakeClock()


@pytest.fixture
def accounts() -> list[Account]:
    return [generate_account(seed=1, albums=3, images=4)]


@pytest.fixture
def world(accounts: list[Account]) -> World:
    return World(*accounts)


@pytest.fixture
def caller(world: World) -> Iterator[Caller]:
    with LocalSmugMug(world) as smugmug:
        caller = Caller(smugmug)
        yield caller
        caller.close()


@pytest.fixture
def album(caller: Caller) -> str:
    return next(iter(caller.account.albums))
