"""What a run asks of SmugMug and of the store is counted, and each count is a formula."""

from bisect import bisect_right
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.backup.run import Options
from smugmug_backup.errors import AccessRefused
from smugmug_backup.storage.s3 import S3Store
from tests.proof.damage import Ruin
from tests.proof.world import World
from tests.rules.account import served
from tests.rules.backed_up import Service
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights

ALBUMS, IMAGES = 4, 5
ALL = ALBUMS * IMAGES


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def source(clock):
    source = FakeSource(clock)
    for number in range(ALBUMS):
        source.album(f"album{number}", images=IMAGES)
    clock.advance(days=100)
    return source


@pytest.fixture
def nights(source, clock):
    return Nights(source, MemoryStore(), clock, options=Options(concurrency=4))


def asked(nights, act):
    """How often ``act`` asked the store for what: ``put originals``, ``list runs`` and so on."""
    nights.store.log.clear()
    act()
    return Counter(f"{what} {key.partition('/')[0]}" for what, key in nights.store.log)


def puts(counted):
    return sum(number for what, number in counted.items() if what.startswith("put "))


def calls(source, act):
    """How often ``act`` asked the source for what."""
    source.calls.clear()
    act()
    return Counter(call.partition(":")[0] for call in source.calls.elements())


LOUD = {"put runs": 2}
"""A night that changed or missed something writes its report as a page, too."""


def quiet_nights(nights, number=1):
    """Nights on which no album has its turn of a full listing."""
    return [nights.next_night() for _ in range(number)]


def test_a_first_backup_stores_each_thing_once_and_looks_for_none_of_it(nights):
    counted = asked(nights, nights.run)
    # Earlier reports: this month and the last one, then everywhere; and once more at the end.
    assert counted.pop("list runs") <= 3
    assert counted == {
        "list manifests": 1,
        "list checks": 1,
        "list originals": 1,
        "put originals": ALL,
        "put records": ALBUMS,
        "put manifests": ALBUMS,
        "put README.txt": 1,
        **LOUD,
    }
    assert puts(counted) == ALL + 2 * ALBUMS + 3


def test_a_first_backup_lists_each_album_once_and_downloads_each_original_once(nights, source):
    assert calls(source, nights.run) == {
        "account": 1,
        "albums": 1,
        "images": ALBUMS,
        "photo": ALL,
    }


def test_a_first_backup_that_was_killed_looks_once_at_each_original_and_downloads_the_rest(
    nights, source
):
    nights.run()
    gone = source.world["album1"].images[2]
    for key in list(nights.store.objects):
        if not key.startswith("originals/") or gone.key in key:
            del nights.store.objects[key]
    source.calls.clear()
    counted = asked(nights, nights.run)
    assert counted["head originals"] == ALL
    assert counted["get originals"] == ALL - 1
    assert counted["put originals"] == 1
    assert [call for call in source.calls if call.startswith("photo:")] == [f"photo:{gone.key}"]


def test_what_another_first_backup_stored_meanwhile_is_met_at_the_write_and_adopted(nights, source):
    image = source.world["album0"].images[0]
    key = f"originals/{image.key}/{image.md5}.jpg"
    source.errors[f"photo:{image.key}"] = lambda: nights.store.objects.update({key: image.body})
    report = nights.run()
    assert report.status == "complete"
    assert nights.line("album0", image.key).original.key == key
    assert nights.store.overwrites == []


def test_an_image_in_two_albums_is_looked_at_downloaded_and_stored_once(nights, source):
    image = source.world["album0"].images[0]
    source.world["album1"].images.append(image)
    counted = asked(nights, nights.run)
    assert counted["put originals"] == ALL
    assert counted["head originals"] == 0
    assert source.calls[f"photo:{image.key}"] == 1


@pytest.fixture
def settled(nights, monkeypatch):
    """After the first backup, on nights without anybody's turn of a full listing."""
    nights.run()
    monkeypatch.setattr("smugmug_backup.backup.listing.is_due", lambda *_, **__: False)
    return nights


QUIET = {"list manifests": 1, "list checks": 1, "list runs": 2, "get runs": 1, "put runs": 1}


def test_a_night_without_changes_is_a_call_per_album_and_six_store_requests(settled, source):
    assert asked(settled, settled.next_night) == QUIET
    assert calls(source, settled.next_night) == {"account": 1, "albums": 1, "images": ALBUMS}


def test_a_night_after_checks_reads_the_newest_two_and_no_more(settled):
    ruin = Ruin(World(clock=settled.clock, store=settled.store))
    for _ in range(3):
        settled.next_night()
        ruin.check()
    assert asked(settled, settled.next_night) == {**QUIET, "get checks": 2}


def test_a_night_without_changes_never_looks_at_an_image(settled):
    counted = asked(settled, lambda: quiet_nights(settled, 5))
    assert not {each for each in counted if each.split()[1] in ("originals", "records")}


def test_a_full_listing_without_changes_costs_one_manifest_more(settled):
    counted = asked(settled, lambda: settled.next_night(full=True))
    assert counted.pop("get manifests") == ALBUMS
    assert counted == QUIET


def test_a_change_costs_its_manifest_twice_its_old_record_and_what_is_new(settled, source):
    source.touch(source.world["album2"].images[0], caption="The new quay")
    counted = asked(settled, settled.next_night)
    assert counted == {
        **QUIET,
        **LOUD,
        "get manifests": 1,
        "get records": 1,
        "put records": 1,
        "put manifests": 1,
    }


def test_a_change_within_the_overlap_costs_its_manifest_again_and_no_write(settled, source):
    source.touch(source.world["album2"].images[0], caption="The new quay")
    settled.next_night()
    counted = asked(settled, settled.next_night)
    assert counted.pop("get manifests") == 1
    assert counted == QUIET


def test_a_night_that_missed_something_costs_its_page_and_one_without_changes_has_none(
    settled, source
):
    source.errors["images:album1"] = AccessRefused("the album's password is wrong")
    counted = asked(settled, settled.next_night)
    assert counted["put runs"] == 2
    source.errors.clear()
    assert asked(settled, settled.next_night) == QUIET


def test_images_that_left_are_looked_for_where_others_came(settled, source):
    moved = source.world["album1"].images.pop()
    assert asked(settled, settled.next_night)["get manifests"] == 1
    source.world["album2"].images.pop()
    source.world["album3"].images.append(moved)
    source.touch(moved)
    # The manifest of each that changed, that of the one confirmed, and where some came once more.
    assert asked(settled, settled.next_night)["get manifests"] == 3 + 1


def test_a_new_image_costs_one_download_and_three_writes(settled, source):
    source.upload("album1")
    counted = asked(settled, settled.next_night)
    assert counted == {
        **QUIET,
        **LOUD,
        "get manifests": 1,
        # What the owner had deleted for good is asked once, of all that is new in a night.
        "list forgotten": 1,
        "head originals": 1,
        "put originals": 1,
        "put records": 1,
        "put manifests": 1,
    }


def test_a_run_without_a_trusted_report_reads_each_manifest_once(settled):
    for key in [key for key in settled.store.objects if key.startswith("runs/")]:
        del settled.store.objects[key]
    counted = asked(settled, settled.next_night)
    # Each header tells the state, and the full listing that follows is compared with the lines.
    assert counted["get manifests"] <= 2 * ALBUMS
    assert "get records" not in counted


@pytest.mark.parametrize(("api", "per_album"), [("1.3.0", 1), ("v2", 0)])
def test_over_http_a_night_without_changes_costs_what_its_api_must(api, per_album, monkeypatch):
    monkeypatch.setattr("smugmug_backup.backup.listing.is_due", lambda *_, **__: False)
    with served(api, FakeClock(), albums=ALBUMS, images=IMAGES) as account:
        service, smugmug = Service(account), account.smugmug
        assert service.run().status == "complete"
        assert smugmug.calls.photos == ALL
        smugmug.calls.reset()
        report = service.next_night()
        assert report.status == "complete"
        # The login, one page of albums, and what unchanged albums cost.
        assert smugmug.calls.api == report.counts.api_calls == 2 + per_album * ALBUMS
        assert smugmug.calls.photos == 0


class PagedClient:
    """As much of an S3 client as a listing needs."""

    def __init__(self, keys):
        self.keys = sorted(keys)
        self.pages = 0
        events = SimpleNamespace(register_first=lambda *_: None, register=lambda *_: None)
        self.meta = SimpleNamespace(events=events, endpoint_url="https://s3.example")

    def list_objects_v2(self, **asked):
        self.pages += 1
        start = bisect_right(self.keys, asked.get("StartAfter") or asked["Prefix"])
        page = self.keys[start : start + 1_000]
        stamp = datetime(2026, 11, 24, tzinfo=UTC)
        found = [{"Key": key, "Size": 1, "LastModified": stamp} for key in page]
        return {"Contents": found, "IsTruncated": start + 1_000 < len(self.keys)}


@pytest.mark.parametrize(("albums", "more"), [(1, 0), (999, 0), (2_500, 0), (30_000, 18)])
def test_manifests_are_listed_by_the_thousand(albums, more):
    letters = "0123456789BCDFGHJKLMNPQRSTVWXZbcdfghjkmnpqrstvwxz"
    names = [f"{letters[n % 49]}{letters[n // 49 % 49]}{n:06d}" for n in range(albums)]
    client = PagedClient(keys.manifest(name, 1) for name in names)
    with ThreadPoolExecutor(4) as pool:
        found = Archive(S3Store(client, "bucket")).newest_generations(pool.map)
    assert len(found) == albums
    # A long listing is begun anew in eight ranges, each of which may end with a page that is not
    # full: ten pages more, once it turned out to be long.
    assert -(-albums // 1_000) <= client.pages <= -(-albums // 1_000) + more
