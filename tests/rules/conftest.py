"""Every rule is asked of one account three times: from memory, and through either API."""

from collections.abc import Iterator

import pytest

from tests.rules.account import APIS, Account, served
from tests.rules.backed_up import BackedUp, Service
from tests.tools.clock import FakeClock


@pytest.fixture(params=APIS)
def account(request) -> Iterator[Account]:
    """Two albums of three photos, of which nothing is backed up."""
    with served(request.param, FakeClock()) as account:
        yield account


@pytest.fixture
def nights(account, caplog) -> Iterator[BackedUp]:
    """Its nights; whatever a rule did to it is judged at the end."""
    nights = BackedUp(account)
    yield nights
    nights.judge()
    assert account.leaks(("log", text) for text in caplog.messages) == []


@pytest.fixture
def album(account) -> str:
    return account.albums()[0]


@pytest.fixture
def other(account) -> str:
    """The other album."""
    return account.albums()[1]


@pytest.fixture
def image(account, album) -> str:
    """The first image of `album`."""
    return account.images(album)[0]


# -- what only HTTP has ---------------------------------------------------------------------------


@pytest.fixture(params=["1.3.0", "v2"])
def api(request) -> str:
    return request.param


@pytest.fixture
def service(api, caplog) -> Iterator[Service]:
    """Nights over HTTP alone, of three albums of four photos."""
    with served(api, FakeClock(), albums=3, images=4) as account:
        service = Service(account)
        yield service
        service.judge()
        assert account.leaks(("log", text) for text in caplog.messages) == []
