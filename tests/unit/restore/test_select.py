"""Which albums are restored, each as it was when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.titles import album_name
from smugmug_backup.errors import Archived, BadRequest, StoreRefused, StoreUnavailable
from smugmug_backup.restore.select import Selection, select
from tests.tools.faults import Fault, Points, always
from tests.tools.faulty_store import FaultyStore
from tests.unit.restore.world import World, codes


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "photos")


def chosen(world: World, *albums: str, as_of: str | None = None) -> Selection:
    with ThreadPoolExecutor(2) as executor:
        return select(Archive(world.seen), executor.map, albums=albums, as_of=as_of)


def generations(found: Selection) -> dict[str, int]:
    return {each.header.album_key: each.header.generation for each in found.manifests}


def test_an_album_is_named_by_key_title_or_as_albums_prints_it(world: World) -> None:
    world.source.album("k1", "Harbour &amp; Quay")
    world.source.album("k2", "Misc")
    world.source.album("k3", "misc")
    world.nights.run()
    printed = {key: album_name(world.nights.manifest(key).header) for key in ("k1", "k2")}
    for name in ("k1", "harbour & quay", "travel/Harbour & Quay", printed["k1"]):
        assert list(generations(chosen(world, name))) == ["k1"]
    assert list(generations(chosen(world, "k3", "k1"))) == ["k3", "k1"]
    with pytest.raises(BadRequest, match="2 albums are called 'Misc'"):
        chosen(world, "Misc")
    with pytest.raises(BadRequest, match="Harbour & Quay"):
        chosen(world, "Harbor & Quay")


@pytest.mark.parametrize("harm", [lambda body: body[:-50], lambda _: b"\0" * 60, lambda _: b""])
def test_where_the_newest_generation_is_damaged_the_one_before_comes_and_is_named(
    world: World, harm: object
) -> None:
    world.source.album("A", images=3)
    world.nights.run()
    for _ in range(5):
        world.source.upload("A")
        world.nights.next_night()
    key = keys.manifest("A", 6)
    world.store.objects[key] = harm(world.store.objects[key])  # type: ignore[operator]
    found = chosen(world)
    assert generations(found) == {"A": 5}
    assert [(each.album_key, each.code) for each in found.problems] == [("A", "damaged")]
    assert key in found.problems[0].message
    assert "what it held at 2026-11-28" in found.problems[0].message
    result = world.restore()
    assert (len(result.written), codes(result)) == (7, ["damaged"])


def test_a_manifest_that_was_cut_off_at_the_end_of_a_line_is_named(world: World) -> None:
    world.source.album("A", images=10)
    world.nights.run()
    key = keys.manifest("A", 1)
    world.store.objects[key] = b"".join(world.store.objects[key].splitlines(keepends=True)[:6])
    assert codes(world.restore()) == ["damaged"]


@pytest.mark.parametrize("gap", ["missing", "damaged"])
def test_a_gap_between_does_not_hide_the_generation_that_was_meant(world: World, gap: str) -> None:
    image = world.source.album("A", images=2).images[0]
    first = world.nights.run()
    day = world.clock.now().date().isoformat()
    for number in range(6):
        world.source.touch(image, caption=str(number))
        world.nights.next_night()
    if gap == "missing":
        del world.store.objects[keys.manifest("A", 5)]
    else:
        world.store.objects[keys.manifest("A", 5)] = b"\0" * 100
    for as_of in (day, first.run_id):
        assert generations(chosen(world, as_of=as_of)) == {"A": 1}


def test_a_damaged_generation_of_the_day_meant_is_named_and_the_one_before_comes(
    world: World,
) -> None:
    world.source.album("A", images=2)
    world.nights.run()
    for _ in range(3):
        world.source.upload("A")
        world.nights.next_night()
    world.store.objects[keys.manifest("A", 3)] = b"\0" * 100
    found = chosen(world, as_of="2026-11-26")
    assert generations(found) == {"A": 2}
    assert [each.code for each in found.problems] == ["damaged"]


def test_where_every_manifest_is_damaged_they_are_named_and_not_the_day(world: World) -> None:
    for album in ("A", "B"):
        world.source.album(album, images=1)
    world.nights.run()
    for album in ("A", "B"):
        world.store.objects[keys.manifest(album, 1)] = b"\0" * 100
    found = chosen(world, as_of=world.clock.now().date().isoformat())
    assert [(each.album_key, each.code) for each in found.problems] == [
        ("A", "damaged"),
        ("B", "damaged"),
    ]


def test_as_of_the_first_day_reads_no_generation_after_the_other(world: World) -> None:
    image = world.source.album("A", images=2).images[0]
    world.nights.run()
    day = world.clock.now().date().isoformat()
    for number in range(60):
        world.source.touch(image, caption=str(number))
        world.nights.next_night()
    world.store.log.clear()
    assert generations(chosen(world, as_of=day)) == {"A": 1}
    read = [key for operation, key in world.store.log if operation == "get"]
    assert len([key for key in read if key.startswith("manifests/")]) <= 2


def test_a_night_with_the_clock_ahead_hides_no_later_one(world: World) -> None:
    image = world.source.album("A", images=2).images[0]
    shift = timedelta()
    world.source.date_header = lambda _: world.clock.now() - shift
    expected = {}
    for number in range(9):
        ahead = timedelta(days=300) if number == 4 else timedelta()
        if ahead:
            world.clock.jump(days=300)
            shift = ahead
        world.source.touch(image, caption=str(number))
        assert image.updated is not None
        image.updated -= ahead
        world.nights.run()
        if ahead:
            world.clock.jump(days=-300)
            shift = timedelta()
        expected[world.clock.now().date().isoformat()] = number + 1
        world.clock.advance(days=1)
    for day, generation in list(expected.items())[5:]:
        assert generations(chosen(world, as_of=day)) == {"A": generation}


class Cold(World):
    """One manifest cannot be read."""

    def __init__(self, target: Path, error: Exception) -> None:
        super().__init__(target)
        self.source.album("A1", "Cold", images=2)
        self.source.album("B1", "Other", images=2)
        self.nights.run()
        store, read = self.store, self.store.read

        def refusing(key: str) -> bytes:
            if key.startswith(keys.album_manifests("A1")):
                raise error
            return read(key)

        store.read = refusing  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "error", [Archived("thaw it"), StoreUnavailable("503"), StoreRefused("AccessDenied")]
)
def test_one_manifest_that_cannot_be_read_costs_its_album_alone(
    tmp_path: Path, error: Exception
) -> None:
    world = Cold(tmp_path / "all", error)
    result = world.restore()
    assert len(result.written) == 2
    assert [(p.album_key, p.code) for p in result.problems] == [("A1", error.code)]  # type: ignore[attr-defined]
    for name in ("B1", "Other", "Travel / Other"):
        world.target = tmp_path / name.replace("/", "")
        result = world.restore(name)
        assert (len(result.written), codes(result)) == (2, [])
    world.target = tmp_path / "none"
    for name in ("A1", "Cold"):
        assert [(p.album_key, p.path) for p in world.restore(name).problems] == [
            ("A1", "Travel / Cold")
        ]


def test_an_album_that_cannot_be_read_keeps_its_folder_from_the_others(tmp_path: Path) -> None:
    """Another album of its name must not lie where its photos will come to lie."""
    world = Cold(tmp_path / "out", Archived("thaw it"))
    world.source.album("B2", "Cold", images=1)
    world.nights.next_night()
    world.restore("B2")
    assert {Path(path).parent.name for path in world.files()} == {"Cold (B2)"}


def test_a_folder_of_manifests_that_nobody_gets_into_costs_its_album_alone(world: World) -> None:
    world.source.album("A1", "Barred", images=2)
    world.source.album("B1", "Other", images=2)
    world.nights.run()
    world.seen = FaultyStore(world.store, barred=(keys.album_manifests("A1"),))
    found = chosen(world)
    assert generations(found) == {"B1": 1}
    assert [each.album_key for each in found.problems] == ["A1"]


def test_a_store_that_cannot_be_listed_is_no_empty_one(world: World) -> None:
    world.source.album("A1", images=1)
    world.nights.run()
    world.seen = FaultyStore(world.store, Points(always(Fault.REFUSED, "manifests/")))
    with pytest.raises(StoreRefused):
        chosen(world)


def test_a_report_that_cannot_be_read_costs_no_restore_of_a_day(world: World) -> None:
    world.source.album("A1", images=1)
    first = world.nights.run()
    world.source.upload("A1")
    world.nights.next_night()
    world.seen = FaultyStore(world.store, Points(always(Fault.REFUSED, first.key)))
    for as_of in ("2026-11-24", first.run_id):
        assert generations(chosen(world, as_of=as_of)) == {"A1": 1}


def test_an_album_that_has_left_comes_when_it_is_named(world: World) -> None:
    world.source.album("A1", "Here", images=1)
    world.source.album("A2", "There", images=3)
    world.source.album("A9", "Gone", images=1)
    world.nights.run()
    del world.source.world["A9"]
    for _ in range(3):
        world.nights.next_night(full=True)
    assert sorted(generations(chosen(world))) == ["A1", "A2"]
    assert list(generations(chosen(world, "Gone"))) == ["A9"]


@pytest.mark.parametrize("as_of", [None, "2026-11-25"])
def test_for_one_album_no_other_manifest_is_read(world: World, as_of: str | None) -> None:
    for key in ("A1", "A2", "A3"):
        world.source.album(key, f"Album {key}", images=1)
    world.nights.run()
    world.source.upload("A3")
    world.nights.next_night()
    world.store.log.clear()
    found = chosen(world, "album a2", as_of=as_of)
    assert generations(found) == {"A2": 1}
    assert [each.album_key for each in found.known] == ["A1", "A2", "A3"]
    read = [key for operation, key in world.store.log if operation == "get"]
    assert [key for key in read if key.startswith("manifests/")] == [keys.manifest("A2", 1)]


def test_a_report_that_is_older_than_a_manifest_does_not_name_its_album(world: World) -> None:
    world.source.album("A1", "Harbour", images=1)
    report = world.nights.run()
    world.source.world["A1"].title = "Quay"
    world.source.upload("A1")
    newer = world.nights.next_night()
    del world.store.objects[newer.key]
    assert newer.key != report.key
    assert generations(chosen(world, "Quay")) == {"A1": 2}
    with pytest.raises(BadRequest, match="no album 'Harbour'"):
        chosen(world, "Harbour")


def test_names_as_of_a_day_are_those_of_that_day(world: World) -> None:
    world.source.album("A1", "Harbour", images=1)
    world.nights.run()
    world.source.world["A1"].title = "Quay"
    world.source.upload("A1")
    world.nights.next_night()
    assert generations(chosen(world, "Harbour", as_of="2026-11-24")) == {"A1": 1}
    assert generations(chosen(world, "Quay")) == {"A1": 2}
