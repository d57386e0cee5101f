"""The account as it was, and what changed between two moments."""

import json
from dataclasses import replace

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.encoding import canonical_json, fingerprint
from smugmug_backup.archive.history import Moments, differences
from smugmug_backup.errors import BadRequest, EarlierForm, StoreRefused
from tests.tools.faulty_store import FaultyStore
from tests.unit.archive.build import WAITS, Store, day, entry, manifest, run_id, state, stored

HALF = 12
"""Hours: between two nights."""


@pytest.fixture
def made():
    return Store()


def moments(made, store=None):
    archive = made.archive if store is None else type(made.archive)(store)
    return Moments.of(archive, map)


def nights(made, number, album="a", *, reports=True, written=day):
    """So many nights, each with a generation of the album and a report of it."""
    newest = last = None
    for night in range(1, number + 1):
        lines = [entry(f"i{each}") for each in range(min(night, 9))]
        new = manifest(album, night, *lines, written_at=written(night))
        newest = made.commit(new, newest)
        if reports:
            albums = {album: state(newest)}
            last = made.report(night, *([last] if last else []), albums=albums)
    return last


# -- as of an instant ------------------------------------------------------------------------------


@pytest.mark.parametrize("reports", [True, False])
@pytest.mark.parametrize(
    ("instant", "generation"),
    [
        (day(0), None),
        (day(1, -1), None),
        (day(1, HALF), 1),
        (day(4, HALF), 4),
        (day(9, HALF), 9),
        (day(99), 9),
    ],
)
def test_an_instant_has_the_newest_generation_written_until_then(
    made, reports, instant, generation
):
    nights(made, 9, reports=reports)
    assert moments(made).at(instant) == ({"a": generation} if generation else {})


@pytest.mark.parametrize("reports", [True, False])
def test_a_generation_written_by_a_clock_that_was_ahead_hides_none_after_it(made, reports):
    nights(made, 9, reports=reports, written=lambda night: day(400 if night == 5 else night))
    found = moments(made)
    for night in (6, 7, 8):
        assert found.at(day(night, HALF)) == {"a": night}
    # It counts as of the next one's time, for nobody knows better than the order.
    assert moments(made).at(day(4, HALF)) == {"a": 4}


def test_the_report_of_a_run_whose_clock_was_ahead_bounds_nothing(made):
    newest = made.generations("a", last=9)
    early = made.archive.manifest("a", 2)
    made.report(8, albums={"a": state(made.archive.manifest("a", 8))})
    made.report(11, albums={"a": state(early)})  # run 2 with a clock nine days ahead
    made.report(12, albums={"a": state(newest)})
    assert moments(made).at(day(10)) == {"a": 9}


@pytest.mark.parametrize("wrong", ["missing", "damaged", "refused"])
def test_a_generation_that_cannot_be_read_is_passed_over_and_named(made, wrong):
    nights(made, 9, reports=False)
    key = keys.manifest("a", 5)
    store = made.store
    if wrong == "missing":
        del store.objects[key]
    elif wrong == "damaged":
        made.damage(key)
    else:
        store = Refusing(store, key)
    found = moments(made, store)
    assert found.at(day(4, HALF)) == {"a": 4}
    as_of = found.read(found.at(day(5, HALF)))
    assert as_of.manifests["a"].header.generation == 4
    assert ("a" in as_of.problems) is (wrong != "missing")


class Refusing:
    """One key of a store may not be read."""

    def __init__(self, store, key):
        self._store, self._key = store, key

    def __getattr__(self, name):
        return getattr(self._store, name)

    def open(self, key):
        if key == self._key:
            raise StoreRefused("AccessDenied")
        return self._store.open(key)

    def read(self, key):
        if key == self._key:
            raise StoreRefused("AccessDenied")
        return self._store.read(key)


def test_a_long_history_costs_few_reads(made):
    nights(made, 400)
    for night in (2, 40, 200, 399):
        found = moments(made)
        read = made.reads(lambda found=found, night=night: found.at(day(night, HALF)))
        assert len(read) <= 3, read
        assert found.at(day(night, HALF)) == {"a": night}


def test_reports_that_tell_no_state_are_passed_over(made):
    last = nights(made, 3)
    for number, fields in enumerate(
        ({"part": True}, {"status": "refused"}, {"clock_doubted": True}), 4
    ):
        last = made.report(number, last, albums={}, **fields)
    assert moments(made).at(day(6, HALF)) == {"a": 3}


def test_of_reports_that_cannot_be_read_few_are_tried(made):
    nights(made, 200)
    for number in range(1, 201):
        made.damage(keys.report(run_id(number)))
    found = moments(made)
    read = made.reads(lambda: found.at(day(150, HALF)))
    assert sum(key.startswith("runs/") for key in read) <= 60
    assert found.at(day(150, HALF)) == {"a": 150}


def test_an_album_is_unknown_before_its_first_generation(made):
    nights(made, 3)
    made.commit(manifest("b", 1, written_at=day(3)))
    found = moments(made)
    assert found.at(day(2, HALF)) == {"a": 2}
    assert found.at(day(3, HALF)) == {"a": 3, "b": 1}
    assert found.latest() == {"a": 3, "b": 1}


# -- as of a run -----------------------------------------------------------------------------------


def test_a_run_has_what_its_report_says(made):
    nights(made, 5)
    found = moments(made)
    assert len(made.reads(lambda: found.after_run(run_id(3)))) == 1
    assert found.after_run(run_id(3)) == {"a": 3}


@pytest.mark.parametrize("wrong", ["missing", "damaged"])
def test_a_run_that_left_no_report_is_judged_by_its_manifests(made, wrong):
    nights(made, 400)
    key = keys.report(run_id(300))
    if wrong == "missing":
        del made.store.objects[key]
    else:
        made.damage(key)
    found = moments(made)
    read = made.reads(lambda: found.after_run(run_id(300)))
    assert len(read) <= 5
    assert found.after_run(run_id(300)) == {"a": 300}


def test_a_run_that_nothing_knows_of_is_refused(made):
    nights(made, 3)
    with pytest.raises(BadRequest, match="no report of a run"):
        moments(made).after_run(run_id(2, 7))


def test_a_report_of_another_form_is_refused(made):
    last = nights(made, 1)
    body = json.loads(made.store.objects[last.key])
    for field in ("previous", "dated_at", "check"):
        del body[field]
    made.damage(last.key, json.dumps(body).encode())
    with pytest.raises(EarlierForm):
        moments(made).at(day(2))


# -- reading ---------------------------------------------------------------------------------------


def test_a_damaged_generation_gives_way_to_the_one_before_it_and_is_named(made):
    nights(made, 5)
    made.damage(keys.manifest("a", 4))
    found = moments(made).read({"a": 4})
    assert found.manifests["a"].header.generation == 3
    assert "00000004.jsonl" in found.problems["a"]


@pytest.mark.parametrize("reports", [True, False])
def test_a_generation_that_parses_and_is_not_the_one_stated_is_damaged(made, reports):
    nights(made, 5, reports=reports)
    key = keys.manifest("a", 4)
    made.damage(key, made.store.objects[key].replace(b"quay.jpg", b"quai.jpg"))
    found = moments(made)
    as_of = found.read(found.at(day(4, HALF)))
    assert as_of.manifests["a"].header.generation == 3
    assert key in as_of.problems["a"]


@pytest.mark.parametrize("reports", [True, False])
def test_a_generation_of_the_history_that_a_repair_brought_back_counts(made, reports):
    nights(made, 5, reports=reports)
    key = keys.manifest("a", 4)
    made.store.objects[keys.numbered(key, 2)] = made.store.objects[key]
    made.damage(key)
    found = moments(made)
    if reports:
        assert found.at(day(4, HALF)) == {"a": 4}
    as_of = found.read({"a": 4})
    assert as_of.manifests["a"].header.generation == 4
    assert as_of.problems == {}


def test_where_no_generation_is_sound_the_album_is_named_and_the_others_are_read(made):
    nights(made, 2)
    nights(made, 2, album="b", reports=False)
    for number in (1, 2):
        made.damage(keys.manifest("a", number))
    found = moments(made).read({"a": 2, "b": 2})
    assert set(found.manifests) == {"b"}
    assert set(found.problems) == {"a"}


def test_what_cannot_be_read_or_is_of_a_newer_format_is_its_albums_problem(made):
    nights(made, 2)
    nights(made, 1, album="b", reports=False)
    nights(made, 1, album="c", reports=False)
    key = keys.manifest("c", 1)
    made.damage(key, made.store.objects[key].replace(b'"version":1', b'"version":2', 1))
    found = moments(made, Refusing(made.store, keys.manifest("b", 1)))
    as_of = found.read(found.latest())
    assert set(as_of.manifests) == {"a"}
    assert "AccessDenied" in as_of.problems["b"]
    assert "install a newer" in as_of.problems["c"]


def test_a_folder_that_nobody_gets_into_is_named(made):
    nights(made, 1)
    nights(made, 1, album="b", reports=False)
    found = moments(made, FaultyStore(made.store, barred=("manifests/b/",)))
    assert "manifests/b/" in found.read(found.latest()).problems["b"]


# -- differences -----------------------------------------------------------------------------------


def line(key, caption="", **fields):
    """A line and its record."""
    record = canonical_json(
        {"image": {"Caption": caption, "LastUpdated": caption}, "image_key": key, "source": "s"}
        | {"urls": []}
    )
    return entry(key, fingerprint=fingerprint(record), **fields), record


def commit(made, album, number, /, *lines, previous=None, **header):
    """A generation and the records of its lines."""
    places = made.archive.write_records(album, {each.image_key: body for each, body in lines})
    made.archive.settle()
    placed = [
        replace(each, record=places[each.image_key][0], record_at=places[each.image_key][1])
        for each, _ in lines
    ]
    return made.commit(manifest(album, number, *placed, **header), previous)


def changes(made, before, after):
    """(album, what, fields) and (album, image, what, fields or where to) of what changed."""
    found = differences(moments(made), before, after)
    albums = [(each.album_key, each.what, each.fields) for each in found.albums]
    images = [
        (album.album_key, each.image_key, each.what, each.moved_to or each.fields)
        for album in found.albums
        for each in album.images
    ]
    return albums, images


def step(made, old, new, **header):
    """What changed in an album from these lines to those."""
    first = commit(made, "a", 1, *old)
    commit(made, "a", 2, *new, previous=first, **header)
    return changes(made, {"a": 1}, {"a": 2})


def test_the_same_generation_is_no_change_and_is_not_read(made):
    nights(made, 2)
    found = moments(made)
    assert made.reads(lambda: differences(found, {"a": 2}, {"a": 2})) == []


def test_a_new_album_and_its_images_are_new(made):
    commit(made, "a", 1, line("x"))
    assert changes(made, {}, {"a": 1}) == ([("a", "new", ())], [("a", "x", "new", ())])


OTHER = stored(sha256="f" * 64)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (line("x"), line("x"), None),
        (line("x"), line("x", "A caption"), ("changed", ("Caption",))),
        (line("x"), line("x", original=OTHER), ("replaced", ())),
        (line("x"), line("x", missing_since=day(1)), ("missing", ())),
        (line("x"), line("x", missing_since=day(1), deleted_at=day(2)), ("gone", ())),
        (line("x", missing_since=day(1)), line("x"), ("back", ())),
        (
            line("x", missing_since=day(1)),
            line("x", missing_since=day(1), deleted_at=day(2)),
            ("gone", ()),
        ),
        (line("x", original=WAITS), line("x"), ("changed", ("original stored",))),
    ],
)
def test_what_happened_to_an_image_is_told_in_a_word(made, old, new, told):
    _, images = step(made, [old], [new])
    assert images == ([("a", "x", *told)] if told else [])


def test_an_album_is_told_by_what_its_own_record_and_folders_say(made):
    header = {"album": {"Key": "a", "Title": "New"}, "path": ("Other",)}
    albums, _ = step(made, [line("x")], [line("x")], **header)
    assert albums == [("a", "changed", ("Title", "path"))]


def test_an_album_leaves_and_comes_back(made):
    albums, images = step(made, [line("x")], [line("x")], deleted_at=day(2))
    assert (albums, images) == ([("a", "gone", ())], [])
    assert changes(made, {"a": 2}, {"a": 1})[0] == [("a", "back", ())]


def test_a_change_whose_record_is_lost_is_told_as_such(made):
    first = commit(made, "a", 1, line("x"))
    commit(made, "a", 2, line("x", "new"), previous=first)
    del made.store.objects[first.entries["x"].record]
    _, images = changes(made, {"a": 1}, {"a": 2})
    assert images == [("a", "x", "changed", ("record lost",))]


@pytest.mark.parametrize("left", [None, day(2)])
def test_an_image_that_left_one_album_and_is_new_in_another_has_moved(made, left):
    first = commit(made, "a", 1, line("x"))
    commit(made, "a", 2, line("x", missing_since=day(1), deleted_at=left), previous=first)
    commit(made, "b", 1, line("x"))
    albums, images = changes(made, {"a": 1}, {"a": 2, "b": 1})
    assert images == [("a", "x", "moved", "b")]
    assert albums == [("a", "changed", ()), ("b", "new", ())]


def test_a_move_hides_no_other_newcomer(made):
    first = commit(made, "a", 1, line("x"))
    commit(made, "a", 2, line("x", deleted_at=day(1), missing_since=day(1)), previous=first)
    commit(made, "b", 1, line("x"))
    commit(made, "c", 1, line("x"), line("y"))
    _, images = changes(made, {"a": 1}, {"a": 2, "b": 1, "c": 1})
    assert images == [
        ("a", "x", "moved", "b"),
        ("c", "x", "new", ()),
        ("c", "y", "new", ()),
    ]


def test_of_what_cannot_be_read_of_the_one_moment_nothing_is_new_at_the_other(made):
    nights(made, 2)
    made.damage(keys.manifest("a", 1))
    found = differences(moments(made), {"a": 1}, {"a": 2})
    assert found.albums == []
    assert "00000001.jsonl" in found.problems["a"]


def test_a_damaged_newest_generation_is_named_and_changes_nothing(made):
    nights(made, 2)
    made.damage(keys.manifest("a", 2))
    found = differences(moments(made), {"a": 1}, {"a": 2})
    assert found.albums == []
    assert "00000002.jsonl" in found.problems["a"]
