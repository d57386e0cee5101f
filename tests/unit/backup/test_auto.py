"""A source that goes over: before the first listing, or never, and with one count of its calls."""

import pytest

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.records import V2, V130
from smugmug_backup.backup.api import Choice, choice_of
from smugmug_backup.backup.auto import AutoSource
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import LoginLost, SourceRetired, SourceUnavailable
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights
from tests.tools.streams import all_of

MAY = Choice(V130, (SourceRetired,), ("larkfield",))


@pytest.fixture
def both(clock):
    """One account through both APIs."""
    made = {}
    for name in (V130, V2):
        made[name] = FakeSource(clock)
        made[name].name = name
        made[name].album("harbour", images=1)
    return made


def auto(both, choice):
    return AutoSource(lambda: choice, both.__getitem__)


@pytest.fixture
def deadline(clock):
    return Deadline.none(clock)


def test_nothing_is_asked_before_it_is_used(both, deadline):
    asked = []

    def choose():
        asked.append("reports")
        return MAY

    source = AutoSource(choose, both.__getitem__)
    assert (source.api_calls, asked) == (0, [])
    assert source.account(deadline=deadline).nickname == "larkfield"
    source.albums(deadline=deadline)
    assert (source.name, asked) == (V130, ["reports"])


@pytest.mark.parametrize("call", ["account", "albums"])
def test_it_goes_over_at_the_account_or_at_its_albums(both, deadline, call):
    both[V130].errors[call] = SourceRetired("410")
    source = auto(both, MAY)
    if call == "albums":
        source.account(deadline=deadline)
    getattr(source, call)(deadline=deadline)
    assert source.name == V2
    (album,) = source.albums(deadline=deadline)
    (image,) = source.images(album, since=None, deadline=deadline).images
    with source.open(image.offer, deadline=deadline) as photo:
        assert all_of(photo) == both[V2].find(image.key).body
    both[V130].errors.clear()
    assert source.account(deadline=deadline) and source.name == V2


def test_once_an_album_was_listed_it_stays_whatever_comes(both, deadline):
    source = auto(both, MAY)
    source.account(deadline=deadline)
    album = both[V130].albums(deadline=deadline)[0]
    source.images(album, since=None, deadline=deadline)
    both[V130].errors["account"] = SourceRetired("410")
    with pytest.raises(SourceRetired):
        source.account(deadline=deadline)
    assert source.name == V130


@pytest.mark.parametrize(
    ("choice", "error"),
    [(MAY, SourceUnavailable("503")), (MAY, LoginLost("36")), (Choice(V130), SourceRetired("410"))],
)
def test_for_another_error_or_without_leave_it_stays(both, deadline, choice, error):
    both[V130].errors["account"] = error
    source = auto(both, choice)
    with pytest.raises(type(error)):
        source.account(deadline=deadline)
    assert source.name == V130
    assert not both[V2].calls


def test_an_api_that_shows_another_account_or_no_albums_is_no_way_on(both, deadline):
    both[V130].errors["account"] = SourceRetired("410")
    both[V2].nickname = "somebody"
    with pytest.raises(SourceRetired, match="API v2 shows another account, somebody"):
        auto(both, MAY).account(deadline=deadline)
    both[V2].nickname = "Larkfield"
    both[V2].errors["albums"] = SourceUnavailable("503")
    with pytest.raises(SourceRetired, match=r"does not help either .source_unavailable"):
        auto(both, MAY).account(deadline=deadline)


def test_choosing_by_a_settled_store_is_a_list_and_a_get(clock, both):
    nights = Nights(both[V130], MemoryStore(), clock)
    nights.run()
    nights.next_night()
    nights.store.log.clear()
    choice = choice_of(Archive(nights.store).reports(now=clock.now()))
    assert choice == Choice(V130)
    assert sorted(what for what, _ in nights.store.log) == ["get", "list"]
