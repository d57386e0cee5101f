"""What the archive holds: every album's state, by the reports or the manifests."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.manifest import Pending, Unavailable
from smugmug_backup.archive.original import Reason, Status
from smugmug_backup.archive.report import AlbumState, NextFull
from smugmug_backup.errors import FormatTooNew, StoreRefused, StoreUnavailable
from smugmug_backup.model import Account, Kind
from tests.tools.faulty_store import FaultyStore
from tests.unit.archive.build import OWNER, WAITS, WHEN, Store, day, entry, manifest, state

ALBUMS = ["a", "b", "hT4mWq"]
NONE = replace(WAITS, status=Status.UNAVAILABLE, kind=Kind.NONE, reason=Reason.NO_ORIGINAL_URL)


@pytest.fixture
def made():
    made = Store()
    made.newest = {album: made.generations(album, last=2) for album in ALBUMS}
    made.states = {
        album: state(newest, cursor=7, tried_at=day(2), listed_at=day(2))
        for album, newest in made.newest.items()
    }
    made.last = made.report(2, albums=made.states)
    return made


def contents(made, store=None, **more):
    archive = made.archive if store is None else type(made.archive)(store)
    return archive.contents(
        archive.reports(now=day(3)), archive.newest_generations(map), map, when=WHEN, **more
    )


def commit(made, album="a", *lines):
    """A generation that no report knows: its run was killed."""
    number = made.newest[album].header.generation + 1
    lines = lines or [entry(f"i{each}") for each in range(number)]
    made.newest[album] = made.commit(manifest(album, number, *lines), made.newest[album])
    return made.newest[album]


def test_the_entries_of_the_report_are_the_states_and_no_manifest_is_read(made):
    read = made.reads(lambda: contents(made))
    assert read == [made.last.key]
    found = contents(made)
    assert found.albums == made.states
    assert found.account == OWNER
    assert found.newest == dict.fromkeys(ALBUMS, 2)
    assert found.damage == found.unreadable == {}


def test_an_empty_store_holds_nothing():
    found = contents(Store())
    assert (found.albums, found.account, found.damage, found.unreadable) == ({}, None, {}, {})


def test_an_album_that_was_tried_and_never_committed_keeps_its_entry(made):
    made.states["new"] = AlbumState(tried_at=day(2))
    made.report(3, made.last, albums=made.states)
    assert contents(made).albums["new"] == AlbumState(tried_at=day(2))


def test_a_stale_entry_gives_way_to_the_newest_manifest(made):
    written = commit(made, "a", entry("i0"), entry("w", original=WAITS), entry("n", original=NONE))
    found = contents(made)
    stale = found.albums.pop("a")
    told = AlbumState.of(written, reason=NextFull.STATE_LOST, when=WHEN)
    assert stale == replace(told, tried_at=day(2), listed_at=day(2))
    assert (stale.generation, stale.next_full) == (3, NextFull.STATE_LOST)
    assert found.pending["a"] == (Pending("a", "w", "processing", day(1), "quay.jpg"),)
    assert Unavailable("a", "n", "no_original_url", "quay.jpg") in found.unavailable["a"]
    assert found.albums == {key: made.states[key] for key in ("b", "hT4mWq")}


def test_without_reports_the_manifests_tell_all(made):
    del made.store.objects[made.last.key]
    found = contents(made)
    assert {key: each.generation for key, each in found.albums.items()} == dict.fromkeys(ALBUMS, 2)
    assert {each.next_full for each in found.albums.values()} == {NextFull.STATE_LOST}
    assert found.account == OWNER


def test_an_album_that_left_is_gone_by_its_manifest_too(made):
    del made.store.objects[made.last.key]
    made.commit(manifest("a", 3, entry("i0"), deleted_at=day(3)), made.newest["a"])
    assert contents(made).albums["a"].gone
    assert contents(made).albums["a"].next_full is None


def test_where_the_newest_is_damaged_the_one_before_is_the_state_and_it_is_named(made):
    written = commit(made)
    key = keys.manifest("a", written.header.generation)
    made.damage(key)
    found = contents(made)
    assert key in found.damage["a"]
    assert found.albums["a"].generation == written.header.generation
    assert found.albums["a"].next_full == NextFull.MANIFEST_DAMAGED
    assert found.albums["a"].image_count == written.header.image_count - 1


@pytest.mark.parametrize(("told", "by"), [(day(3), "report"), (day(2), "manifest")])
def test_behind_a_lost_manifest_an_album_has_left_if_its_report_or_the_one_before_says_so(
    made, told, by
):
    if by == "report":
        made.states["a"] = replace(made.states["a"], missing_since=told, deleted_at=told)
        made.report(3, made.last, albums=made.states)
        del made.store.objects[keys.manifest("a", 2)]
    else:
        made.newest["a"] = made.commit(
            manifest("a", 3, entry("i0"), deleted_at=told), made.newest["a"]
        )
        made.damage(keys.manifest("a", commit(made).header.generation))
    found = contents(made).albums["a"]
    assert (found.missing_since, found.deleted_at, found.gone) == (told, told, True)


def test_a_generation_that_the_report_names_and_the_listing_lacks_is_lost(made):
    del made.store.objects[keys.manifest("a", 2)]
    found = contents(made)
    assert "not there" in found.damage["a"]
    assert (found.albums["a"].generation, found.albums["a"].image_count) == (2, 1)
    assert found.albums["a"].manifest_sha256 == made.newest["a"].sha256
    assert found.newest["a"] == 1


def test_an_album_of_which_all_is_lost_is_known_by_its_number(made):
    for number in (1, 2):
        del made.store.objects[keys.manifest("a", number)]
    found = contents(made)
    assert (found.albums["a"].generation, found.albums["a"].cursor) == (2, 0)
    assert found.albums["a"].title == "Harbour 2024"
    assert "not there" in found.damage["a"]


def test_a_generation_that_a_repair_brought_back_is_neither_lost_nor_stale(made):
    key = keys.manifest("a", 2)
    made.store.objects[keys.numbered(key, 2)] = made.store.objects.pop(key)
    found = contents(made)
    assert found.albums["a"] == made.states["a"]
    assert found.damage == {}


# -- several reports -------------------------------------------------------------------------------


def test_of_two_runs_at_once_each_album_has_the_entry_that_counts(made):
    commit(made, "a")
    newer = state(made.newest["a"], tried_at=day(3))
    left = made.report(
        3,
        made.last,
        token=1,
        albums={**made.states, "a": newer},
        pending=(Pending("a", "w", "processing", day(1)), Pending("b", "x", "processing", day(1))),
    )
    made.report(
        3,
        made.last,
        token=2,
        albums={**made.states, "b": replace(made.states["b"], tried_at=day(3))},
        pending=(Pending("a", "old", "processing", day(1)),),
    )
    found = contents(made)
    assert found.albums["a"] == newer
    assert found.albums["b"].tried_at == day(3)
    # Each names only what its own entry is about.
    assert found.pending == {"a": left.pending[:1]}


def test_entries_that_are_later_than_those_of_the_reports_count(made):
    written = commit(made)
    later = state(written, cursor=99)
    found = contents(made, entries={**made.states, "a": later})
    assert found.albums["a"] == later


@pytest.mark.parametrize("access", ["owner", "public"])
def test_the_widest_view_ever_committed_is_known(made, access):
    made.report(3, made.last, albums=made.states, account=Account("larkfield", "public"))
    made.commit(manifest("a", 3, account=Account("larkfield", access)), made.newest["a"])
    assert contents(made).account == Account("larkfield", access)


# -- what cannot be read tonight -------------------------------------------------------------------


def failing(made, monkeypatch, begins, error):
    read = made.store.read

    def reads(key):
        if key.startswith(begins):
            raise error
        return read(key)

    monkeypatch.setattr(made.store, "read", reads)
    return error


ERRORS = [StoreRefused("AccessDenied"), StoreUnavailable("503"), FormatTooNew("version 2")]


@pytest.mark.parametrize("error", ERRORS)
def test_one_manifest_that_cannot_be_read_hides_no_other_album(made, monkeypatch, error):
    for album in ALBUMS:
        commit(made, album)
    failing(made, monkeypatch, keys.manifest("a", 3), error)
    found = contents(made)
    assert found.unreadable == {"a": error}
    assert found.albums["a"] == made.states["a"]  # the entry of the report
    assert found.damage == {}
    assert {found.albums[key].generation for key in ("b", "hT4mWq")} == {3}


def test_an_entry_that_is_carried_on_unread_keeps_the_images_that_its_report_names(
    made, monkeypatch
):
    waiting = (Pending("a", "x", "processing", day(1)), Pending("b", "x", "processing", day(1)))
    states = {key: replace(each, pending=1) for key, each in made.states.items()}
    made.report(2, made.last, token=1, albums=states, pending=waiting)
    commit(made, "a")
    commit(made, "b")
    failing(made, monkeypatch, keys.manifest("a", 3), ERRORS[1])
    assert contents(made).pending == {"a": waiting[:1], "b": ()}


def test_an_entry_that_is_right_needs_no_manifest_that_can_be_read(made, monkeypatch):
    failing(made, monkeypatch, "manifests/", ERRORS[0])
    assert contents(made).unreadable == {}


def test_an_album_of_which_nothing_can_be_read_has_an_entry_that_counts_for_nothing(
    made, monkeypatch
):
    del made.store.objects[made.last.key]
    error = failing(made, monkeypatch, "manifests/a/", ERRORS[1])
    found = contents(made)
    assert found.unreadable == {"a": error}
    assert found.albums["a"] == AlbumState(next_full=NextFull.STATE_LOST)
    assert found.newest["a"] == 2  # so it is read again the next night
    assert found.account == OWNER


def test_a_folder_that_nobody_gets_into_is_its_albums_trouble(made):
    found = contents(made, FaultyStore(made.store, barred=("manifests/hT4mWq=12/",)))
    assert set(found.unreadable) == {"hT4mWq"}
    assert found.albums == made.states


def test_where_nobody_can_tell_whose_albums_these_are_it_ends(made, monkeypatch):
    del made.store.objects[made.last.key]
    failing(made, monkeypatch, "manifests/", ERRORS[0])
    with pytest.raises(StoreRefused):
        contents(made)


def test_who_only_looks_sees_it_among_the_damage(made, monkeypatch):
    del made.store.objects[made.last.key]
    failing(made, monkeypatch, "manifests/", ERRORS[0])
    found = contents(made, tolerant=True)
    assert found.damage == dict.fromkeys(ALBUMS, "AccessDenied")
    assert set(found.albums) == set(ALBUMS)


# -- many at once ----------------------------------------------------------------------------------


def test_many_are_read_at_once_and_the_states_are_the_same(made):
    for number in range(60):
        made.generations(f"x{number}", last=2)
    del made.store.objects[keys.manifest("x7", 2)]
    made.damage(keys.manifest("x8", 2))
    with ThreadPoolExecutor(8) as pool:
        found = made.archive.contents(
            made.reports(3), made.archive.newest_generations(pool.map), pool.map, when=WHEN
        )
    alone = contents(made)
    assert found == alone
    assert len(found.albums) == 63
    assert set(found.damage) == {"x8"}
