"""The generations of albums: which there are, and which of them is the state."""

import pytest

from smugmug_backup.archive import generations, keys
from smugmug_backup.archive.generations import (
    all_generations,
    newest_generations,
    newest_sound,
    newest_state,
    read_header,
    read_manifest,
    stated_by_next,
)
from smugmug_backup.errors import FormatTooNew, ListingIncomplete, NotABackup, StoreUnavailable
from tests.tools.faulty_store import FaultyStore
from tests.unit.archive.build import HASH, Store

ALBUM = "hT4mWq"


@pytest.fixture
def made():
    return Store()


def key(number, album=ALBUM):
    return keys.manifest(album, number)


# -- one generation --------------------------------------------------------------------------------


def test_a_generation_is_read_whole_or_its_header_alone(made):
    written = made.generations(last=2)
    assert read_manifest(made.store, ALBUM, 2, None) == written
    assert read_manifest(made.store, ALBUM, 2, written.sha256) == written
    assert read_header(made.store, ALBUM, 2) == written.header


def test_a_header_is_read_without_the_lines_after_it(made):
    written = made.generations(last=1)
    made.store.objects[key(1)] += b"not json\n"
    assert read_header(made.store, ALBUM, 1) == written.header
    with pytest.raises(NotABackup):
        read_manifest(made.store, ALBUM, 1, None)


def test_a_generation_that_is_not_there_or_not_the_one_stated_is_damage(made):
    made.generations(last=1)
    for wrong in ((2, None), (1, HASH)):
        with pytest.raises(NotABackup, match="manifests/hT4mWq=12"):
            read_manifest(made.store, ALBUM, *wrong)
    with pytest.raises(NotABackup, match="not there"):
        read_header(made.store, ALBUM, 2)


@pytest.mark.parametrize("under", [key(2), key(1, "other")])
def test_the_manifest_of_something_else_is_damage(made, under):
    made.generations(last=1)
    made.store.objects[under] = made.store.objects[key(1)]
    album, number = keys.parse_manifest(under)
    for read in (
        lambda: read_manifest(made.store, album, number, None),
        lambda: read_header(made.store, album, number),
    ):
        with pytest.raises(NotABackup, match="something else"):
            read()


def test_what_a_repair_brought_counts_by_its_sha256(made):
    written = made.generations(last=1)
    made.store.objects[keys.numbered(key(1), 2)] = made.store.objects[key(1)]
    made.damage(key(1))
    assert read_manifest(made.store, ALBUM, 1, written.sha256) == written
    with pytest.raises(NotABackup):
        read_manifest(made.store, ALBUM, 1, None)


def test_a_generation_is_stated_by_the_next_one(made):
    made.generations(last=2)
    first = read_manifest(made.store, ALBUM, 1, None)
    assert stated_by_next(made.store, ALBUM, 1, 2) == first.sha256
    made.damage(key(2))
    assert stated_by_next(made.store, ALBUM, 1, 2) is None
    assert stated_by_next(made.store, ALBUM, 1, 3) is None


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_of_a_damaged_generation_the_lines_that_are_whole_can_be_taken_over(made, cut):
    written = made.generations(last=3)
    body = made.store.objects[key(3)]
    made.damage(key(3), b"rotten" + body[6:-cut])
    lines = generations.whole_lines(made.store, ALBUM, 3)
    assert lines == list(written.entries.values())[: 3 if cut == 1 else 2]
    assert generations.whole_lines(made.store, ALBUM, 4) == []


# -- the state -------------------------------------------------------------------------------------


def test_the_newest_generation_is_the_state(made):
    written = made.generations(last=3)
    for found in (
        newest_state(made.store, ALBUM, 0, {}),
        newest_state(made.store, ALBUM, 3, {3: written.sha256}),
        newest_sound(made.store, ALBUM, [1, 3, 2], {}),
    ):
        assert (found.manifest, found.generation, found.damage) == (written, 3, None)


def test_what_the_report_names_is_read_without_a_listing(made):
    written = made.generations(last=3)
    made.store.log.clear()
    newest_state(made.store, ALBUM, 3, {3: written.sha256})
    assert made.store.log == [("get", key(3))]


@pytest.mark.parametrize(
    "damage", [b"", b"{}\n", b'{"format":"x"}', "cut", "other", "lost"], ids=repr
)
def test_where_the_newest_is_damaged_the_newest_sound_one_is_the_state(made, damage):
    stated = made.generations(last=3).sha256
    body = made.store.objects[key(3)]
    if damage == "lost":
        del made.store.objects[key(3)]
    elif damage == "other":
        made.damage(key(3), body.replace(b"quay.jpg", b"quai.jpg"))
    else:
        made.damage(key(3), body[:-1] if damage == "cut" else damage)
    found = newest_state(made.store, ALBUM, 3, {3: stated})
    assert found.manifest.header.generation == 2
    assert found.generation == 3
    assert key(3) in found.damage


def test_the_first_that_is_wrong_is_named_however_many_are(made):
    made.generations(last=4)
    for number in (4, 3):
        made.damage(key(number))
    found = newest_state(made.store, ALBUM, 0, {})
    assert (found.manifest.header.generation, found.generation) == (2, 4)
    assert key(4) in found.damage


def test_if_none_is_sound_there_is_none_and_the_number_is_known(made):
    made.generations(last=2)
    for number in (1, 2):
        made.damage(key(number))
    found = newest_state(made.store, ALBUM, 2, {})
    assert (found.manifest, found.generation) == (None, 2)
    assert found.damage
    nothing = newest_state(made.store, "unknown", 0, {})
    assert (nothing.manifest, nothing.generation, nothing.damage) == (None, 0, None)


def test_an_older_generation_counts_by_what_the_report_states_of_it_too(made):
    stated = made.generations(last=3).header.previous.sha256
    made.damage(key(3))
    made.damage(key(2), made.store.objects[key(2)].replace(b"quay.jpg", b"quai.jpg"))
    found = newest_state(made.store, ALBUM, 3, {2: stated})
    assert found.manifest.header.generation == 1


def test_what_cannot_be_read_tonight_and_a_newer_format_are_no_damage(made, monkeypatch):
    made.generations(last=2)
    body = made.store.objects[key(2)]
    made.damage(key(2), body.replace(b'"version":1', b'"version":2', 1))
    with pytest.raises(FormatTooNew):  # There is no README.txt that knows better: `newer`.
        newest_state(made.store, ALBUM, 2, {})

    def unavailable(key):
        raise StoreUnavailable("503")

    monkeypatch.setattr(made.store, "read", unavailable)
    with pytest.raises(StoreUnavailable):
        newest_state(made.store, ALBUM, 2, {})


def test_the_newest_of_a_folder_that_nobody_gets_into_is_not_known(made):
    made.generations(last=2)
    barred = FaultyStore(made.store, barred=(key(2),))
    with pytest.raises(ListingIncomplete):
        newest_state(barred, ALBUM, 0, {})


# -- listings --------------------------------------------------------------------------------------


ALBUMS = ["0", "8", "A", "Gx", "O", "V", "c", "hT4mWq", "k", "s", "zz", "_", "-"]


def many(made):
    for number, album in enumerate(ALBUMS, 1):
        for generation in range(1, number + 1):
            made.store.objects[key(generation, album)] = b""
    made.store.objects["manifests/readme.txt"] = b""
    made.store.objects["manifests/hT4mWq=12/00000099.2.jsonl"] = b""
    made.store.objects["manifests/hT4mWq/00000099.jsonl"] = b""
    return {album: number for number, album in enumerate(ALBUMS, 1)}


@pytest.mark.parametrize("long", [1, 20, 90, 91, 92, 93, 94, 10_000])
def test_every_album_is_found_however_long_the_listing_is(made, monkeypatch, long):
    expected = many(made)
    monkeypatch.setattr(generations, "_LONG", long)
    found = newest_generations(made.store, map)
    assert found == expected
    assert found.unreadable == {}


def test_all_generations_are_listed_in_order(made):
    expected = {album: list(range(1, last + 1)) for album, last in many(made).items()}
    assert all_generations(made.store) == expected
    assert made.archive.generations() == expected
    assert made.archive.generations_of("Gx") == [1, 2, 3, 4]
    assert made.archive.generations_of("unknown") == []


def test_a_short_listing_is_one_request(made):
    many(made)
    made.store.log.clear()
    newest_generations(made.store, map)
    assert made.store.log == [("list", "manifests/")]


@pytest.mark.parametrize("long", [1, 50, 10_000])
@pytest.mark.parametrize("barred", ["manifests/hT4mWq=12/", "manifests/hT4mWq=12/00000008.jsonl"])
def test_a_folder_that_nobody_gets_into_is_told_and_hides_no_other(made, monkeypatch, long, barred):
    expected = many(made)
    monkeypatch.setattr(generations, "_LONG", long)
    store = FaultyStore(made.store, barred=(barred, "manifests/strange/x/"))
    found = newest_generations(store, map)
    assert set(found.unreadable) == {ALBUM}
    for album in set(ALBUMS) - {ALBUM}:
        assert found[album] == expected[album]
    listed = all_generations(store)
    assert set(listed.unreadable) == {ALBUM}
    assert set(listed) >= set(ALBUMS) - {ALBUM}


@pytest.mark.parametrize("long", [1, 10_000])
def test_where_no_manifest_can_be_seen_nothing_is_known(made, monkeypatch, long):
    many(made)
    monkeypatch.setattr(generations, "_LONG", long)
    store = FaultyStore(made.store, barred=("manifests/",))
    for listing in (lambda: newest_generations(store, map), lambda: all_generations(store)):
        with pytest.raises(ListingIncomplete):
            listing()
