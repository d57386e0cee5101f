"""Restoring from a store that a backup made: what lies in the target afterwards."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.details import moment_of
from smugmug_backup.archive.manifest import Manifest
from smugmug_backup.errors import Archived, BadRequest, SourceUnavailable
from smugmug_backup.restore import survey
from smugmug_backup.restore.alone import StoreGone, TargetUnusable
from smugmug_backup.restore.folder import WORKSHOP
from smugmug_backup.restore.perform import Result
from smugmug_backup.restore.plan import Problem, Target
from smugmug_backup.restore.xmp import xmp_sidecar
from tests.tools.fake_source import JPEG
from tests.tools.faults import Fault, Operation, Points, always
from tests.tools.faulty_disk import strike
from tests.tools.faulty_store import FaultyStore
from tests.unit.restore.test_names import HOSTILE_NAMES
from tests.unit.restore.world import World, codes


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "photos")


def test_every_file_comes_back_byte_by_byte(world: World) -> None:
    world.source.album("A1", "Harbour 2024", images=3)
    world.source.album("A2", "Scans &amp; Misc", images=2)
    world.nights.run()
    result = world.restore()
    assert not result.problems
    assert world.files() == {
        f"Travel/{title}/{image.file_name}": image.body
        for key, title in (("A1", "Harbour 2024"), ("A2", "Scans & Misc"))
        for image in world.source.world[key].images
    }


def test_nothing_of_the_workshop_is_left(world: World) -> None:
    world.source.album("A1", images=1)
    world.nights.run()
    world.restore()
    assert [path.name for path in world.target.iterdir()] == ["Travel"]


def test_a_repeated_restore_reads_no_photo_and_writes_nothing(world: World) -> None:
    world.source.album("A1", images=3)
    world.nights.run()
    world.restore()
    before = {path: path.stat().st_mtime_ns for path in world.target.rglob("*") if path.is_file()}
    world.heard = 0
    world.store.reads.clear()
    result = world.restore()
    assert not result.problems
    assert not result.written
    assert world.heard == 0
    assert not [key for key in world.store.reads if key.startswith(("records/", "originals/"))]
    after = {path: path.stat().st_mtime_ns for path in world.target.rglob("*") if path.is_file()}
    assert after == before


def test_a_lost_file_comes_back_and_a_lost_sidecar_too(world: World) -> None:
    one, two, _ = world.source.album("A1", "H", images=3).images
    world.nights.run()
    world.restore()
    (world.target / "Travel/H" / one.file_name).unlink()
    (world.target / "Travel/H" / f"{two.file_name}.json").unlink()
    result = world.restore()
    assert sorted(target.image_key for target in result.written) == [one.key, two.key]
    assert world.heard == sum(len(i.body) for i in world.source.world["A1"].images) + len(one.body)
    assert (world.target / "Travel/H" / one.file_name).read_bytes() == one.body
    assert (world.target / "Travel/H" / f"{two.file_name}.json").exists()


@pytest.mark.parametrize("kind", ["file", "same size", "folder", "symlink", "dangling"])
def test_what_differs_is_left_as_it_is_and_named(world: World, kind: str) -> None:
    image = world.source.album("A1", "H", images=2).images[0]
    world.nights.run()
    there = world.target / "Travel/H" / image.file_name
    there.parent.mkdir(parents=True)
    outside = world.target.parent / "outside"
    if kind == "folder":
        there.mkdir()
    elif kind == "symlink":
        outside.write_bytes(b"mine")
        there.symlink_to(outside)
    elif kind == "dangling":
        there.symlink_to(outside)
    else:
        there.write_bytes(b"mine" if kind == "file" else b"x" * len(image.body))
    before = there.lstat().st_mtime_ns
    result = world.restore()
    assert codes(result) == ["differs"]
    assert there.lstat().st_mtime_ns == before
    assert len(result.written) == 1
    assert kind != "dangling" or not outside.exists()


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = world.source.album("A1", "H", images=1).images[0]
    world.nights.run()
    link = os.link

    def late(part: Path, final: Path) -> None:
        if not final.name.endswith(".json"):
            final.write_bytes(b"mine")
        link(part, final)

    monkeypatch.setattr(os, "link", late)
    assert codes(world.restore()) == ["differs"]
    assert (world.target / "Travel/H" / image.file_name).read_bytes() == b"mine"


def test_it_works_where_no_links_are(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.source.album("A1", "H", images=2)
    world.nights.run()

    def no_links(*_: object) -> None:
        raise PermissionError(1, "no links on FAT")

    monkeypatch.setattr(os, "link", no_links)
    assert not world.restore().problems
    assert len(world.files()) == 2


def test_damaged_bytes_never_get_a_name(world: World) -> None:
    one, two = world.source.album("A1", "H", images=2).images
    world.nights.run()
    key = str(world.nights.line("A1", one.key).original.key)
    world.store.objects[key] = world.store.objects[key][:-1] + b"?"
    result = world.restore()
    assert codes(result) == ["damaged"]
    assert list(world.files()) == [f"Travel/H/{two.file_name}"]


def test_an_original_that_the_store_lost_is_named(world: World) -> None:
    one, _ = world.source.album("A1", "H", images=2).images
    world.nights.run()
    key = str(world.nights.line("A1", one.key).original.key)
    del world.store.objects[key]
    result = world.restore()
    assert [(p.image_key, p.code) for p in result.problems] == [(one.key, "damaged")]
    assert key in result.problems[0].message


def test_a_damaged_record_costs_only_the_sidecar(world: World) -> None:
    (one,) = world.source.album("A1", "H", images=1).images
    world.nights.run()
    world.store.objects[str(world.nights.line("A1", one.key).record)] = b"{}"
    result = world.restore()
    assert codes(result) == ["sidecar"]
    assert world.files() == {f"Travel/H/{one.file_name}": one.body}


def test_a_damaged_manifest_costs_only_its_album(world: World) -> None:
    world.source.album("A1", "H", images=1)
    world.source.album("A2", "I", images=1)
    world.nights.run()
    world.store.objects[keys.manifest("A1", 1)] = b"garbage"
    result = world.restore()
    assert [(p.album_key, p.code) for p in result.problems] == [("A1", "damaged")]
    assert len(result.written) == 1


def test_an_image_in_two_albums_is_fetched_once_and_lies_in_both(world: World) -> None:
    image = world.source.album("A1", "H", images=1).images[0]
    world.source.album("A2", "I").images.append(image)
    world.nights.run()
    world.restore()
    assert world.files() == {
        f"Travel/H/{image.file_name}": image.body,
        f"Travel/I/{image.file_name}": image.body,
    }
    assert world.heard == len(image.body)
    files = [world.target / path for path in world.files()]
    assert files[0].stat().st_ino != files[1].stat().st_ino


def test_a_copy_is_made_from_what_is_there(world: World) -> None:
    image = world.source.album("A1", "H", images=1).images[0]
    world.source.album("A2", "I").images.append(image)
    world.nights.run()
    world.restore("A1")
    world.heard = 0
    world.restore()
    assert world.heard == 0
    assert len(world.files()) == 2


def test_only_the_albums_asked_for_come_under_the_same_names(world: World) -> None:
    world.source.album("A1", "Misc", images=1)
    world.source.album("A2", "Misc", images=1)
    world.nights.run()
    world.restore("A2")
    assert {path.parts[-2] for path in map(Path, world.files())} == {"Misc (A2)"}


def test_what_has_gone_comes_only_when_asked_for(world: World) -> None:
    one, two = world.source.album("A1", "H", images=2).images
    world.source.album("A9", "Gone", images=1)
    world.source.album("A2", "I", images=3)
    world.nights.run()
    del world.source.world["A9"]
    world.source.world["A1"].images.remove(one)
    for _ in range(3):
        world.nights.next_night(full=True)
    made = world.plan()
    assert made.gone_left_out == 1
    world.restore("A1")
    assert list(world.files()) == [f"Travel/H/{two.file_name}"]
    world.restore()
    assert {Path(path).parent.name for path in world.files()} == {"H", "I"}
    world.target = world.target.parent / "too"
    world.restore("A1", "A9", deleted=True)
    assert sorted(Path(path).parent.name for path in world.files()) == ["Gone", "H", "H"]


def test_as_of_a_day_brings_back_what_was_there_at_its_end(world: World) -> None:
    image = world.source.album("A1", "H", images=1).images[0]
    old = image.body
    first = world.nights.run()
    world.clock.advance(days=1)
    world.source.replace(image)
    world.nights.run()
    world.restore(as_of="2026-11-24")
    assert world.files() == {f"Travel/H/{image.file_name}": old}
    world.target = world.target.parent / "by run"
    world.restore(as_of=first.run_id)
    assert world.files() == {f"Travel/H/{image.file_name}": old}
    world.target = world.target.parent / "later"
    world.restore(as_of="2026-11-25")
    assert world.files() == {f"Travel/H/{image.file_name}": image.body}


@pytest.mark.parametrize(
    ("as_of", "says"),
    [
        ("2026-11-23", "holds nothing"),
        ("yesterday", "neither a day"),
        ("20261124T030000Z-ffffffff", "no report"),
        ("9999-12-31", "neither a day"),
    ],
)
def test_an_impossible_moment_is_refused(world: World, as_of: str, says: str) -> None:
    world.source.album("A1", images=1)
    world.nights.run()
    with pytest.raises(BadRequest, match=says):
        world.plan(as_of=as_of)


def test_the_older_bytes_come_back_while_the_newer_ones_are_awaited(world: World) -> None:
    image = world.source.album("A1", "H", images=1).images[0]
    old = image.body
    world.nights.run()
    world.clock.advance(days=1)
    world.source.replace(image)
    world.source.errors[f"photo:{image.key}"] = SourceUnavailable("down")
    world.nights.run()
    made = world.plan()
    assert [target.note and target.note[0] for target in made.targets] == ["older"]
    result = world.restore()
    assert codes(result) == ["older"]
    assert world.files() == {f"Travel/H/{image.file_name}": old}


def test_what_never_came_is_named_with_its_reason(world: World) -> None:
    world.source.album("A1", "H", images=1)
    world.source.upload("A1", has_url=False)
    world.nights.run()
    result = world.restore()
    assert codes(result) == ["not_in_backup"]
    assert "offers no original" in result.problems[0].message


def test_the_extension_of_a_rendition_tells_what_it_is(world: World) -> None:
    world.source.album("A1", "H")
    body = b"\x00\x00\x00\x18ftypmp42" + b"film"
    world.source.upload("A1", file_name="ferry.mov", video="Video1280URL", body=body)
    world.nights.run()
    world.restore()
    assert world.files() == {"Travel/H/ferry.mp4": body}
    record = json.loads((world.target / "Travel/H/ferry.mp4.json").read_text())
    assert record["image"]["FileName"] == "ferry.mov"


def test_what_must_be_thawed_is_named_and_not_tried(world: World) -> None:
    world.source.album("A1", "H", images=2)
    world.nights.run()
    world.store.archived |= {
        key for key in list(world.store.objects) if key.startswith("originals/")
    }
    world.store.reads.clear()
    result = world.restore()
    assert codes(result) == ["archived", "archived"]
    assert not [key for key in world.store.reads if key.startswith("originals/")]


@pytest.mark.parametrize(("images", "asked"), [(3, "head"), (4, "list")])
def test_of_few_originals_each_is_asked_for_and_of_many_a_listing_tells(
    world: World, monkeypatch: pytest.MonkeyPatch, images: int, asked: str
) -> None:
    monkeypatch.setattr(survey, "_MANY", 3)
    first, *others = world.source.album("A1", images=images).images
    world.source.album("A2", images=1)
    world.nights.run()
    world.store.archived = {
        str(world.nights.line("A1", first.key).original.key),
        str(world.nights.line("A2", world.source.world["A2"].images[0].key).original.key),
    }
    world.store.log.clear()
    result = world.restore("A1")
    assert (codes(result), result.thaw) == (["archived"], sorted(world.store.archived)[:1])
    assert len(result.written) == len(others)
    about = {call for call, key in world.store.log if key.startswith("originals/")} - {"get"}
    assert about == {asked}


def test_a_full_disk_stops_the_restore_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.source.album("A1", "H", images=5)
    world.nights.run()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = world.restore()
    assert isinstance(result.error, TargetUnusable)
    assert "No space left" in str(result.error)
    assert not result.written
    monkeypatch.undo()
    assert not world.restore().problems


def test_a_stopped_restore_goes_on_where_it_was(world: World) -> None:
    world.source.album("A1", "H", images=30)
    world.nights.run()
    made = world.plan()

    class Owner(World):
        def file_done(self, target: Target, problem: Problem | None) -> None:
            restorer.stop()

    restorer = world.restorer(threads=2, observer=Owner(world.target))
    with restorer.workshop():
        result = restorer.restore(restorer.survey(made))
    assert result.stopped
    assert 0 < len(world.files()) < 30
    assert len(world.restore().written) < 30
    assert len(world.files()) == 30


def test_two_restores_do_not_work_in_one_folder(world: World) -> None:
    first, second = world.restorer(), world.restorer()
    with (
        first.workshop(),
        pytest.raises(TargetUnusable, match="another restore"),
        second.workshop(),
    ):
        pass
    with second.workshop():
        pass


def test_leftovers_of_a_killed_restore_are_swept(world: World) -> None:
    shop = world.target / WORKSHOP
    shop.mkdir(parents=True)
    (shop / "7.part").write_bytes(b"half")
    with world.restorer().workshop():
        assert not list(shop.glob("*.part"))
    assert not shop.exists()


def test_a_file_is_durable_before_it_gets_its_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.source.album("A1", "H", images=1)
    world.nights.run()
    steps: list[str] = []
    fsync, link = os.fsync, os.link
    real: dict[str, Any] = {"fsync": fsync, "link": link}

    def noting(name: str) -> Any:
        def step(*args: Any) -> None:
            steps.append(name)
            real[name](*args)

        return step

    for name in real:
        monkeypatch.setattr(os, name, noting(name))
    assert not world.restore(sidecar="none").problems
    # File, name, and then the folders that got new names: H, Travel, the target, and no more.
    assert steps == ["fsync", "link", "fsync", "fsync", "fsync"]


def test_every_hostile_name_becomes_a_file_of_its_own(world: World) -> None:
    world.source.album("A1", "..")
    for name in HOSTILE_NAMES:
        world.source.upload("A1", file_name=name)
    world.nights.run()
    result = world.restore()
    assert not result.problems
    files = sorted(world.target.rglob("*"))
    folder = world.target / "Travel" / "A1"
    assert len([path for path in files if path.is_file()]) == 2 * len(HOSTILE_NAMES)
    assert {path.parent for path in files if path.is_file()} == {folder}
    assert sorted(world.files().values()) == sorted(
        image.body for image in world.source.world["A1"].images
    )


def test_a_hostile_manifest_writes_nothing_outside(world: World) -> None:
    world.source.album("A1", "../../../escaped", images=0)
    for name in (
        "../../../x.jpg",
        "/tmp/abs.jpg",
        "CON",
        "x" * 300,
        "a\\..\\b.jpg",
        "é.jpg",
        "É.JPG",
    ):
        world.source.upload("A1", file_name=name)
    world.nights.run()
    result = world.restore()
    assert not result.problems
    assert len(world.files()) == 7
    assert [path.name for path in world.target.parent.iterdir()] == ["photos"]


def test_the_modification_time_is_when_the_photo_was_taken(world: World) -> None:
    world.source.album("A1", "H", images=1)
    world.nights.run()
    world.restore()
    (path,) = world.files()
    updated = world.nights.manifest("A1").entries.values()
    expected = datetime.fromisoformat(str(next(iter(updated)).last_updated)).replace(tzinfo=UTC)
    assert (world.target / path).stat().st_mtime == expected.timestamp()


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({"Date": "2024-08-10 20:58:40", "LastUpdated": "2025-01-01"}, "2024-08-10T20:58:40"),
        ({"Date": "0000-00-00 00:00:00", "LastUpdated": "2025-01-01"}, "2025-01-01"),
        ({"Date": "2024-08-11T03:58:40+00:00"}, "2024-08-11T03:58:40"),
        ({"Date": "2024-08-11T03:58:40-07:00"}, "2024-08-11T10:58:40"),
        ({"DateTimeOriginal": "1999-12-31T23:59:59", "Date": "2024-08-11"}, "1999-12-31T23:59:59"),
        ({"Date": "1900-01-01 00:00:00"}, "1900-01-01T00:00:00"),
        ({"Date": None}, "2020-02-02T02:02:02"),
        ({"Date": ["x"], "LastUpdated": 7}, "2020-02-02T02:02:02"),
        ({"Date": "0001-01-01T00:00:00+14:00"}, "2020-02-02T02:02:02"),
    ],
)  # fmt: skip
def test_the_time_is_the_best_that_the_record_has(image: dict[str, Any], expected: str) -> None:
    instant = datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert moment_of(image, "2020-02-02 02:02:02") == instant
    assert moment_of({}, None) is None


def test_the_json_sidecar_is_the_record(world: World) -> None:
    image = world.source.album("A1", "H", images=1).images[0]
    world.source.touch(image, caption="Möwe \ud83d &amp; co")
    world.nights.run()
    world.restore()
    beside = world.target / "Travel/H" / f"{image.file_name}.json"
    record = world.nights.record("A1", image.key)
    assert json.loads(beside.read_bytes()) == record
    assert b"\n  " in beside.read_bytes()


NAMES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
}
EXIF = "{http://ns.adobe.com/exif/1.0/}"


def xmp(**image: Any) -> ElementTree.Element:
    body = xmp_sidecar({"image": image})
    assert body.startswith('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'.encode())
    assert body.endswith(b'<?xpacket end="w"?>\n')
    found = ElementTree.fromstring(body).find("rdf:RDF/rdf:Description", NAMES)
    assert found is not None
    return found


def test_xmp_tells_title_caption_keywords_and_place() -> None:
    found = xmp(
        Title="Quay &amp; <sea>",
        Caption="Möwe \x01 \ud83d \"'",
        Keywords="harbour; dusk ; ;harbour",
        Latitude=54.4861,
        Longitude="-0.6133",
        Altitude=4,
    )
    assert found.findtext("dc:title/rdf:Alt/rdf:li", namespaces=NAMES) == "Quay & <sea>"
    assert found.findtext("dc:description/rdf:Alt/rdf:li", namespaces=NAMES) == "Möwe � � \"'"
    words = [item.text for item in found.findall("dc:subject/rdf:Bag/rdf:li", NAMES)]
    assert words == ["harbour", "dusk"]
    assert found.get(f"{EXIF}GPSLatitude") == "54,29.166000N"
    assert found.get(f"{EXIF}GPSLongitude") == "0,36.798000W"
    assert found.get(f"{EXIF}GPSAltitude") == "400/100"


@pytest.mark.parametrize(
    "place",
    [
        {"Latitude": 0, "Longitude": 0},
        {"Latitude": "0.00000000000000", "Longitude": "0.00000000000000"},
        {"Latitude": 91, "Longitude": 0},
        {"Latitude": "NaN", "Longitude": "1"},
        {"Latitude": None, "Longitude": 2},
        {"Latitude": 10**400, "Longitude": 2},
        {},
    ],
)
def test_xmp_names_no_place_where_there_is_none(place: dict[str, Any]) -> None:
    assert xmp(**place).get(f"{EXIF}GPSLatitude") is None


def test_xmp_sidecars_are_resumed_too(world: World) -> None:
    world.source.album("A1", "H", images=2)
    world.nights.run()
    assert len(world.restore(sidecar="xmp").written) == 2
    assert not world.restore(sidecar="xmp").written
    assert len(list(world.target.rglob("*.xmp"))) == 2


@pytest.mark.parametrize(
    "text", ["{}", "{", '{"image": NaN}', "[" * 200_000], ids=["other", "cut", "nan", "deep"]
)
def test_a_sidecar_that_the_owner_edited_stays(world: World, text: str) -> None:
    image = world.source.album("A1", "H", images=1).images[0]
    world.nights.run()
    world.restore()
    beside = world.target / "Travel/H" / f"{image.file_name}.json"
    beside.write_text(text)
    result = world.restore()
    assert codes(result) == ["sidecar"]
    assert beside.read_text() == text


def test_a_manifest_under_a_wrong_key_is_not_believed(world: World) -> None:
    world.source.album("A1", "H", images=1)
    world.nights.run()
    body = world.store.objects[keys.manifest("A1", 1)]
    world.store.objects[keys.manifest("B1", 1)] = body
    result = world.restore()
    assert [(p.album_key, p.code) for p in result.problems] == [("B1", "damaged")]


def test_a_large_file_never_lies_in_memory_as_a_whole(world: World) -> None:
    body = JPEG + bytes(3 << 20)
    world.source.album("A1", "H")
    world.source.upload("A1", body=body, file_name="big.jpg")
    world.nights.run()
    assert not world.restore().problems
    digest = hashlib.sha256((world.target / "Travel/H/big.jpg").read_bytes()).hexdigest()
    manifest: Manifest = world.nights.manifest("A1")
    assert [e.original.sha256 for e in manifest.entries.values()] == [digest]


# -- wrong bytes, and other names -------------------------------------------------------------


def grey(world: World) -> tuple[Any, bytes]:
    """An image that was replaced, and whose new bytes arrive wrong each time; the bytes before."""
    world.source.album("A1", "H", images=2)
    image = world.source.upload("A1")
    before = image.body
    world.nights.run()
    world.clock.advance(hours=3)
    world.source.replace(image)
    world.source.bodies[image.key] = JPEG + bytes(len(image.body) - len(JPEG))
    world.nights.next_night()
    return image, before


def test_bytes_known_to_be_wrong_come_with_a_word_and_the_good_older_ones_beside_them(
    world: World,
) -> None:
    image, before = grey(world)
    result = world.restore()
    assert [(p.image_key, p.code) for p in result.problems] == [(image.key, "md5_mismatch")]
    stem = image.file_name.removesuffix(".JPG")
    assert world.files()[f"Travel/H/{stem}.JPG"] == world.source.bodies[image.key]
    assert world.files()[f"Travel/H/{stem} (older).JPG"] == before
    again = world.restore()
    assert (codes(again), again.written) == (["md5_mismatch"], [])


def test_the_bytes_of_a_numbered_name_come_where_the_plain_ones_are_wrong(world: World) -> None:
    one, two = world.source.album("A1", "H", images=2).images
    world.nights.run()
    for image, lost in ((one, False), (two, True)):
        key = str(world.nights.line("A1", image.key).original.key)
        body = world.store.objects.pop(key)
        if not lost:
            world.store.objects[key] = b"?" * len(body)
        world.store.objects[keys.numbered(key, 2)] = b"other"
        world.store.objects[keys.numbered(key, 3)] = body
    assert not world.restore().problems
    assert world.files() == {f"Travel/H/{image.file_name}": image.body for image in (one, two)}


def test_what_is_named_to_be_thawed_is_the_name_that_lies_in_the_archive(world: World) -> None:
    image = world.source.album("A1", "H", images=1).images[0]
    world.nights.run()
    key = str(world.nights.line("A1", image.key).original.key)
    numbered = keys.numbered(key, 2)
    world.store.objects[numbered] = world.store.objects.pop(key)
    really = world.store.open

    @contextmanager
    def cold(key: str) -> Iterator[Iterator[bytes]]:
        if key == numbered:
            raise Archived(f"{key} lies in an archive class")
        with really(key) as chunks:
            yield chunks

    world.store.open = cold  # type: ignore[method-assign]
    assert world.restore().thaw == [numbered]


def test_lost_records_are_looked_for_once_and_not_for_each_image(world: World) -> None:
    world.source.album("A1", "H", images=40)
    world.nights.run()
    for _ in range(10):
        world.source.upload("A1")
        world.nights.next_night()
    lost = world.nights.line("A1", world.source.world["A1"].images[0].key).record
    del world.store.objects[str(lost)]
    world.store.reads.clear()
    result = world.restore()
    assert codes(result) == ["sidecar"] * 40
    assert len(world.files()) == 50
    assert len([key for key in world.store.reads if key.startswith("records/")]) < 100


def test_records_of_one_file_are_read_together(world: World) -> None:
    world.source.album("A1", "H", images=100)
    world.nights.run()
    world.store.reads.clear()
    assert not world.restore().problems
    assert len([key for key in world.store.reads if key.startswith("records/")]) == 1


# -- alone, or all ----------------------------------------------------------------------------


def faulty(world: World, fault: Fault, *prefixes: str) -> FaultyStore:
    world.seen = FaultyStore(world.store, Points(always(fault, *prefixes)))
    return world.seen


@pytest.mark.parametrize("name", ["head", "open"])
def test_an_original_that_is_refused_is_that_files_problem(world: World, name: str) -> None:
    images = world.source.album("A1", "H", images=60).images
    world.nights.run()
    refused = str(world.nights.line("A1", images[10].key).original.key)

    def plan(operation: Operation) -> Fault | None:
        return Fault.REFUSED if (operation.key, operation.name) == (refused, name) else None

    world.seen = FaultyStore(world.store, Points(plan))
    result = world.restore(threads=1)
    expected = [] if name == "head" else ["store_refused"]
    assert (codes(result), result.error) == (expected, None)
    assert len(result.written) == 60 - len(expected)


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.UNREADABLE, Fault.REQUEST_LOST])
def test_records_that_cannot_be_read_cost_the_sidecars_and_no_photo(
    world: World, fault: Fault
) -> None:
    world.source.album("A1", "H", images=30)
    world.nights.run()
    faulty(world, fault, "records/")
    assert codes(world.restore(sidecar="none")) == []
    assert len(world.files()) == 30
    result = world.restore()
    assert result.error is None
    assert codes(result) == ["sidecar"] * 30


def test_an_archived_record_costs_no_photo(world: World) -> None:
    world.source.album("A1", "H", images=3)
    world.nights.run()
    store = world.store

    def cold(key: str, offset: int, length: int) -> bytes:
        raise Archived(f"{key} lies in an archive class")

    store.read_part = cold  # type: ignore[method-assign]
    result = world.restore()
    assert codes(result) == ["sidecar"] * 3
    assert "archive class" in result.problems[0].message
    assert not result.thaw
    assert len(world.files()) == 3


def test_a_store_that_goes_away_ends_the_work_with_one_sentence_and_what_was_done(
    world: World,
) -> None:
    world.source.album("A1", "H", images=80)
    world.nights.run()
    opened: list[str] = []

    def plan(operation: Operation) -> Fault | None:
        if operation.name == "open":
            opened.append(operation.key)
        return Fault.REQUEST_LOST if len(opened) > 20 else None

    world.seen = FaultyStore(world.store, Points(plan))
    result = world.restore()
    assert isinstance(result.error, StoreGone)
    assert "cannot be read any more" in str(result.error)
    assert result.stopped
    assert len(result.written) == len(world.files()) == 20
    assert len(opened) < 45
    world.seen = world.store
    assert len(world.restore().written) == 60


def test_a_disk_of_the_backup_that_was_taken_away_ends_the_work(world: World) -> None:
    """Its mount point stays, an empty folder: nothing is there, and nothing is refused."""
    world.source.album("A1", "H", images=100)
    world.nights.run()
    made = world.plan()
    restorer = world.restorer()
    with restorer.workshop():
        found = restorer.survey(made)
        world.store.objects.clear()
        result = restorer.restore(found)
    assert isinstance(result.error, StoreGone)
    assert len(result.problems) < 30


def test_a_store_that_stutters_ends_nothing(world: World) -> None:
    world.source.album("A1", "H", images=100)
    world.nights.run()

    def plan(operation: Operation) -> Fault | None:
        stutters = operation.name == "open" and int(operation.key[-6], 16) % 2 == 0
        return Fault.REQUEST_LOST if stutters else None

    world.seen = FaultyStore(world.store, Points(plan))
    result = world.restore()
    assert result.error is None
    assert codes(result) == ["store_unavailable"] * (100 - len(result.written))


def test_files_that_come_in_between_keep_the_work_going(world: World) -> None:
    """Not even a listing is possible any more, and yet most files come."""
    images = world.source.album("A1", "H", images=60).images
    world.nights.run()
    lost = {world.nights.line("A1", image.key).original.key for image in images[::3]}
    made = world.plan()

    def plan(operation: Operation) -> Fault | None:
        strikes = operation.name == "list" or operation.key in lost
        return Fault.REQUEST_LOST if strikes else None

    world.seen = FaultyStore(world.store, Points(plan))
    restorer = world.restorer(threads=1)
    with restorer.workshop():
        result = restorer.restore(restorer.survey(made))
    assert (len(result.written), result.error) == (40, None)


def test_where_only_sidecars_are_wanted_a_store_that_is_away_ends_the_work_too(
    world: World,
) -> None:
    world.source.album("A1", "H", images=60)
    world.nights.run()
    world.restore(sidecar="none")
    made = world.plan()
    faulty(world, Fault.REQUEST_LOST, "")
    restorer = world.restorer()
    with restorer.workshop():
        result = restorer.restore(restorer.survey(made))
    assert isinstance(result.error, StoreGone)
    assert len(result.problems) < 20


def test_a_target_disk_that_dies_ends_the_work_before_all_is_fetched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.source.album("A1", "H", images=80)
    world.nights.run()
    fetched = [key for key in world.store.objects if key.startswith("originals/")]
    flushed: list[int] = []
    strike(
        monkeypatch,
        "fsync",
        errno.EIO,
        when=lambda descriptor: flushed.append(descriptor) or len(flushed) > 20,
    )
    world.store.reads.clear()
    result = world.restore(sidecar="none")
    assert isinstance(result.error, TargetUnusable)
    assert "Input/output error" in str(result.error)
    assert len(result.written) == len(world.files()) == 20
    assert len([key for key in world.store.reads if key in fetched]) < 40


def test_one_file_that_the_disk_does_not_take_is_that_files_problem(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = world.source.album("A1", "H", images=20).images
    world.nights.run()
    bad = images[4].file_name
    strike(monkeypatch, "link", errno.EIO, when=lambda part, final: Path(final).name == bad)
    result = world.restore(sidecar="none")
    assert result.error is None
    assert [(p.image_key, p.code, p.message) for p in result.problems] == [
        (images[4].key, "file_error", "cannot be written: Input/output error")
    ]
    assert len(result.written) == 19


def test_an_error_that_nobody_foresaw_is_that_files_problem(world: World) -> None:
    world.source.album("A1", "H", images=50)
    world.nights.run()
    really, opened = world.store.open, []

    @contextmanager
    def stray(key: str) -> Iterator[Iterator[bytes]]:
        opened.append(key)
        if len(opened) == 5:
            raise ValueError("https://bucket/?X-Amz-Signature=abc")
        with really(key) as chunks:
            yield chunks

    world.store.open = stray  # type: ignore[method-assign]
    result = world.restore()
    assert (len(result.written), result.error) == (49, None)
    assert [(p.code, p.message) for p in result.problems] == [
        ("defect", "ValueError: this should not happen")
    ]


def test_a_folder_that_may_not_be_written_into_costs_no_download(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.source.album("A1", "H", images=20)
    world.source.album("A2", "I", images=1)
    world.nights.run()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "H" and access(path, mode))
    result = world.restore()
    assert {(p.album_key, p.message) for p in result.problems} == {
        ("A1", "cannot be written: Permission denied")
    }
    assert (len(result.written), result.error) == (1, None)
    assert world.heard == len(world.source.world["A2"].images[0].body)


def test_what_the_archive_tiers_hold_is_found_when_it_is_fetched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing of S3 does not tell of the tiers of Intelligent-Tiering; many files are looked up
    by one."""
    monkeypatch.setattr(survey, "_MANY", 10)
    world.source.album("A1", "H", images=11)
    world.nights.run()
    really = world.store.open

    @contextmanager
    def cold(key: str) -> Iterator[Iterator[bytes]]:
        if key.startswith("originals/"):
            raise Archived(f"{key} lies in an archive class")
        with really(key) as chunks:
            yield chunks

    world.store.open = cold  # type: ignore[method-assign]
    result = world.restore()
    assert (len(result.thaw), result.error) == (11, None)
    assert set(codes(result)) == {"archived"}


# -- the target -------------------------------------------------------------------------------


def test_a_folder_in_the_target_that_is_a_link_is_named_and_not_written_through(
    world: World,
) -> None:
    world.source.album("A1", "H", images=2)
    world.nights.run()
    outside = world.target.parent / "outside"
    outside.mkdir()
    world.target.mkdir()
    (world.target / "Travel").symlink_to(outside)
    result = world.restore()
    assert codes(result) == ["link", "link"]
    assert "Travel is a link" in result.problems[0].message
    assert not list(outside.iterdir())
    assert not result.written


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "Permission denied"),
        (errno.EIO, "Input/output error"),
        (errno.ENAMETOOLONG, "File name too long"),
    ],
)
def test_what_cannot_be_looked_at_is_not_called_another_file(
    world: World, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    image = world.source.album("A1", "H", images=2).images[0]
    world.nights.run()
    (world.target / "Travel/H").mkdir(parents=True)
    lstat = Path.lstat

    def failing(path: Path) -> os.stat_result:
        if path.name == image.file_name:
            raise OSError(number, os.strerror(number))
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", failing)
    result = world.restore()
    assert [p.message for p in result.problems] == [f"cannot be looked at: {words}"]
    assert len(result.written) == 1


def test_a_sidecar_that_cannot_be_read_is_not_called_another_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = world.source.album("A1", "H", images=1).images[0]
    world.nights.run()
    world.restore()

    def failing(path: Path) -> bytes:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_bytes", failing)
    result = world.restore()
    assert [(p.path, p.code, p.message) for p in result.problems] == [
        (
            f"Travel/H/{image.file_name}.json",
            "sidecar",
            "its sidecar cannot be written: Permission denied",
        )
    ]


def test_on_a_disk_with_short_names_a_long_one_is_shortened(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """eCryptfs takes 143 bytes."""
    world.source.album("A1", "H")
    body = world.source.upload("A1", file_name="x" * 180 + ".JPG").body
    world.nights.run()
    really = os.statvfs

    def short(path: Path) -> os.statvfs_result:
        found = list(really(path))
        return os.statvfs_result([*found[:9], 143])

    monkeypatch.setattr(os, "statvfs", short)
    assert not world.restore().problems
    ((path, found),) = world.files().items()
    assert found == body
    assert len(Path(path).name) <= 143


def test_two_restores_where_no_locks_are_never_mix_their_files(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows, NFS without its lock service: the second begins and ends while the first is about
    to give its file a name."""
    world.source.album("A1", "One", images=1)
    world.source.album("B1", "Two", images=1)
    world.nights.run()
    monkeypatch.setattr("smugmug_backup.restore.folder.fcntl", None)
    utime = os.utime
    second: list[Result] = []

    def late(path: Path, *times: tuple[float, float]) -> None:
        utime(path, *times)
        if path.suffix == ".part" and not second:
            second.append(Result())
            second[0] = world.restore("B1", sidecar="none")

    monkeypatch.setattr(os, "utime", late)
    first = world.restore("A1", threads=1, sidecar="none")
    for result in (first, second[0]):
        assert (len(result.written), codes(result)) == (1, [])
    assert world.files() == {
        f"Travel/{title}/{image.file_name}": image.body
        for key, title in (("A1", "One"), ("B1", "Two"))
        for image in world.source.world[key].images
    }
    assert not (world.target / WORKSHOP).exists()


def test_a_link_whose_answer_was_lost_is_no_other_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.source.album("A1", "H", images=3)
    world.nights.run()
    strike(monkeypatch, "link", errno.EEXIST, when=lambda *_: True, times=1, after=True)
    result = world.restore()
    assert (len(result.written), codes(result)) == (3, [])


def test_a_file_saved_in_the_last_moment_where_no_links_are_is_left_as_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = world.source.album("A1", "H", images=1).images[0]
    world.nights.run()

    def saved(part: Path, final: Path) -> None:
        Path(final).write_bytes(b"the owner's own picture, saved just now")
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", saved)
    assert codes(world.restore(sidecar="none")) == ["differs"]
    assert world.files()[f"Travel/H/{image.file_name}"].startswith(b"the owner's")
