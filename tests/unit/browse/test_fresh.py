"""Pages that are open for days: each shows one state, the newest that can be had."""

import sqlite3
import threading
from types import SimpleNamespace

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.browse.fresh import Freshness
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import StoreUnavailable
from tests.tools.clock import FakeClock
from tests.tools.memory_store import MemoryStore
from tests.unit.browse.conftest import EVERY_SECONDS

NEWEST = "20261124T030004Z-00000001"
NEXT = "20261125T030004Z-00000001"
AHEAD = "20991125T030004Z-00000001"


def night(served, title="Brand new"):
    """A night whose run brings a new title, and a while after it."""
    served.sample.source.world["harbour"].title = title
    served.sample.nights.next_night(full=True)
    served.sample.clock.advance(seconds=EVERY_SECONDS)


def test_a_night_that_ends_while_the_pages_are_open_is_shown(served):
    assert "Brand new" not in served.html("/")
    night(served)
    assert "Brand new" in served.html("/")


def test_within_a_while_of_the_last_look_nothing_is_asked(served):
    served.sample.clock.advance(seconds=EVERY_SECONDS)
    served.html("/")
    before = served.sample.store.requests
    served.sample.clock.advance(seconds=EVERY_SECONDS - 1)
    served.html("/")
    assert served.sample.store.requests == before


def test_a_look_that_finds_nothing_new_takes_two_listings(served, monkeypatch):
    asked = []
    list_ = MemoryStore.list
    monkeypatch.setattr(
        MemoryStore,
        "list",
        lambda store, prefix, **more: asked.append(prefix) or list_(store, prefix, **more),
    )
    served.sample.clock.advance(seconds=EVERY_SECONDS)
    served.html("/")
    assert asked == ["runs/", "checks/"]


def test_only_pages_look_not_every_picture(served):
    served.sample.clock.advance(seconds=EVERY_SECONDS)
    before = served.sample.store.requests
    served.get("/small/99999")
    served.get("/assets/style.css")
    assert served.sample.store.requests == before


def test_a_store_that_is_away_leaves_the_old_state_with_its_date_and_the_reason(
    served, monkeypatch
):
    def away(store, prefix, **more):
        raise StoreUnavailable("the disk <b>was pulled out")

    night(served)
    with monkeypatch.context() as patched:
        patched.setattr(MemoryStore, "list", away)
        html = served.html("/")
        assert "As of 28 Nov 2026" in html and "was pulled out" in html and "<b>" not in html
        assert "Brand new" not in html
        assert "was pulled out" in served.html("/album/harbour")
    served.sample.clock.advance(seconds=EVERY_SECONDS)
    html = served.html("/")
    assert "Brand new" in html and "was pulled out" not in html


def test_an_update_that_breaks_down_in_its_middle_changes_nothing_and_is_tried_again(
    served, monkeypatch
):
    night(served)

    def full(*args):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        # The last thing that an update writes.
        patched.setattr("smugmug_backup.catalog.update._facts", full)
        html = served.html("/")
        assert "database or disk is full" in html
        assert "Brand new" not in html and "Harbour &amp; Quay 2024" in html
    served.sample.clock.advance(seconds=EVERY_SECONDS)
    assert "Brand new" in served.html("/")


def test_an_album_that_could_not_be_read_tonight_is_shown_once_it_can_be(served, monkeypatch):
    read = MemoryStore.read

    def away(store, key):
        if key.startswith("manifests/harbour"):
            raise StoreUnavailable("not now")
        return read(store, key)

    night(served)
    with monkeypatch.context() as patched:
        patched.setattr(MemoryStore, "read", away)
        assert "Brand new" not in served.html("/")
    served.sample.clock.advance(seconds=EVERY_SECONDS)
    assert "Brand new" in served.html("/")


def test_one_answer_never_mixes_two_states(served, monkeypatch):
    """Another program writes to the same catalog while a page is made."""
    states = []
    facts = type(served.views).facts

    def between(views):
        states.append(served.db.in_transaction)
        return facts(views)

    monkeypatch.setattr(type(served.views), "facts", between)
    for path in ("/", "/album/harbour", "/search?q=quay", "/needs", "/runs", "/nothing"):
        served.get(path)
    assert len(states) == 6 and all(states)


def test_while_the_catalog_is_brought_up_to_date_other_pages_show_it_as_it_stands(served):
    """A bucket that is slow, or a night of ten thousand photos, takes minutes."""
    update, meanwhile = served.fresh._update, []

    def slow(archive):
        assert not served.site._lock.locked(), "every page would wait"
        for path in ("/", "/album/harbour"):
            served.sample.clock.advance(seconds=EVERY_SECONDS)
            meanwhile.append(served.html(path))
        return update(archive)

    served.fresh._update = slow
    night(served)
    assert "Brand new" in served.html("/")
    assert len(meanwhile) == 2
    assert all("Harbour &amp; Quay 2024" in page for page in meanwhile)


def test_a_picture_of_a_page_that_is_open_stays_the_same_after_an_update(served):
    """An album that is read anew has new numbers, and none that another picture had."""
    old = {n for (n,) in served.db.execute("SELECT version_id FROM image_versions")}
    served.db.execute("UPDATE album_versions SET manifest_sha256 = 'x' WHERE album_key = 'harbour'")
    served.db.execute("DELETE FROM image_versions WHERE album_key != 'harbour'")
    served.update()
    new = {
        n
        for (n,) in served.db.execute(
            "SELECT version_id FROM image_versions WHERE album_key = 'harbour'"
        )
    }
    assert new and not new & old


# -- the looks alone ------------------------------------------------------------------------------


@pytest.fixture
def looks():
    """`Freshness` over a store of which only the names count."""
    made = SimpleNamespace(store=MemoryStore(), clock=FakeClock(), updates=0)
    made.store.objects[keys.report(NEWEST)] = b""

    made.left = {}

    def update(archive):
        made.updates += 1
        return dict(made.left)

    made.fresh = Freshness(Archive(made.store), update, clock=made.clock, every=30)

    def page():
        made.clock.advance(seconds=30)
        if made.fresh.newer(lambda: (NEWEST, "")):
            made.fresh.bring()

    made.page = page
    return made


def test_only_what_was_reported_since_is_new(looks):
    looks.page()
    assert looks.updates == 0 and looks.fresh.trouble is None
    looks.store.objects[keys.report(NEXT)] = b""
    looks.page()
    assert looks.updates == 1


def test_an_empty_folder_in_the_place_of_a_disk_is_not_taken_for_nothing_new(looks):
    objects, looks.store.objects = looks.store.objects, {}
    looks.page()
    assert looks.updates == 0 and NEWEST in looks.fresh.trouble
    looks.store.objects = objects
    looks.page()
    assert looks.fresh.trouble is None


def test_a_check_counts_as_a_run_does(looks):
    looks.store.objects[keys.check_report(NEXT)] = b""
    looks.page()
    assert looks.updates == 1


def test_a_report_that_no_update_counts_is_looked_at_once(looks):
    looks.store.objects[keys.report(AHEAD)] = b""
    for _ in range(3):
        looks.page()
    assert looks.updates == 1
    looks.store.objects[keys.report(NEXT)] = b""
    looks.page()
    assert looks.updates == 2


def test_albums_that_cannot_be_read_are_tried_again_and_damaged_ones_not_for_ever(looks):
    looks.store.objects[keys.report(AHEAD)] = b""
    looks.left = {"harbour": "not now", "alps": "damaged"}
    looks.page()
    assert looks.updates == 1 and looks.fresh.trouble is None
    del looks.left["harbour"]
    looks.page()
    assert looks.updates == 2
    for _ in range(5):
        looks.page()
    assert looks.updates == 3


def test_while_one_brings_it_up_to_date_no_other_begins_to(looks):
    """Else, in the end, each thread of the server would wait for a slow bucket."""
    looks.store.objects[keys.report(NEXT)] = b""
    update, again = looks.fresh._update, []

    def slow(archive):
        looks.clock.advance(seconds=30)
        again.append(looks.fresh.newer(lambda: (NEWEST, "")))
        return update(archive)

    looks.fresh._update = slow
    looks.page()
    assert again == [False] and looks.updates == 1


def test_while_one_looks_the_others_go_on(looks):
    """The second page comes in the middle of the first one's look."""
    second = []

    def known():
        thread = threading.Thread(target=lambda: second.append(looks.fresh.newer(known)))
        thread.start()
        thread.join()
        return NEWEST, ""

    looks.clock.advance(seconds=30)
    assert looks.fresh.newer(known) is False
    assert second == [False]


def test_a_look_does_not_wait_for_ever(looks, monkeypatch):
    ends = []

    def bounded(store, deadline: Deadline):
        ends.append(deadline.remaining())
        return store

    monkeypatch.setattr(MemoryStore, "bounded", bounded)
    looks.page()
    assert ends == [15]
