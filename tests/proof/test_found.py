"""What the proof found, kept as ordinary tests."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.backup.overflow import PlannedBatch
from smugmug_backup.backup.run import RunRequest
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    BackupError,
    MalformedAnswer,
    OutOfTime,
    PhotoError,
    SourceUnavailable,
)
from tests.proof.damage import Ruin
from tests.proof.world import AsksForVideos, Limits, World
from tests.tools.fake_source import FakeImage
from tests.tools.faults import Fault


def one_album(images: int = 1) -> World:
    world = World()
    world.source.album("A", images=images)
    return world


def night(world: World, **how: Any) -> Any:
    report = world.run(**how)
    world.look()
    world.clock.advance(days=1)
    return report


def with_a_video() -> tuple[World, FakeImage]:
    world = World()
    world.source = AsksForVideos(world.clock)
    world.source.album("A")
    video = world.source.upload("A", video="Video1280URL", has_md5=False)
    night(world)
    return world, video


def stored_bytes(world: World, image: FakeImage) -> bytes | None:
    album = next(key for key, each in world.source.world.items() if image in each.images)
    lines = world.history.manifests[album]
    key = lines[max(lines)].images[image.key]["original"]["key"]
    return None if key is None else world.store.read(key)


@pytest.mark.parametrize("error", [SourceUnavailable("503"), OutOfTime("no time")])
def test_a_video_that_changed_is_asked_for_again_if_the_question_failed(error: BackupError) -> None:
    world, video = with_a_video()
    world.source.touch(video, body=b"\xff\xd8\xff\xe0" + video.body[4:][::-1])
    world.source.errors[f"resolve:{video.key}"] = error
    night(world)
    world.source.errors.clear()
    night(world)
    assert stored_bytes(world, video) == video.body


def test_a_video_that_changed_in_words_only_is_not_downloaded_again() -> None:
    world, video = with_a_video()
    world.source.touch(video, caption="waves")
    downloads = world.source.calls[f"photo:{video.key}"]
    report = night(world)
    assert report.status == "complete" and report.counts.changed == 1
    assert world.source.calls[f"photo:{video.key}"] == downloads
    assert stored_bytes(world, video) == video.body


def test_bytes_of_a_wrong_md5_stay_when_the_source_offers_none_any_more() -> None:
    world = one_album()
    (image,) = world.source.world["A"].images
    world.source.bodies[image.key] = wrong = image.body[:-1] + b"?"
    night(world)
    world.source.touch(image, has_url=False)
    night(world)
    assert stored_bytes(world, image) == wrong


def test_an_album_that_failed_in_a_run_that_died_is_missing_from_the_overflows_report() -> None:
    world = World(limits=Limits(ticks=16, overflow=True, commit_every=2))
    world.source.album("A")
    world.source.album("B", images=7)
    world.source.errors["images:A"] = SourceUnavailable("503")
    key = "runs/2026/11/20261124T030000Z-00000001.json"
    points = world.points({("create", key, 0): Fault.KILLED_BEFORE})
    report = night(world, points=points, trigger="t")
    assert points.struck
    assert report.status == "incomplete"


def test_what_the_overflow_mended_is_no_failure_of_its_report() -> None:
    world = World(limits=Limits(ticks=30, overflow=True, commit_every=2))
    world.source.album("A", images=9)
    first = world.source.world["A"].images[0].key
    tries = iter([PhotoError("not now"), PhotoError("not now")])
    world.source.errors[f"photo:{first}"] = lambda: next(tries, None)
    report = night(world)
    assert report.status == "complete", report.failures


def test_a_dry_run_that_is_refused_writes_nothing() -> None:
    world = one_album()
    night(world)
    world.source.world.clear()
    assert world.run(dry_run=True) is None
    world.look()
    assert not world.history.written
    world.source.errors["albums"] = MalformedAnswer("HTML")
    assert world.run(dry_run=True) is None
    world.look()
    assert not world.history.written


def test_a_run_whose_time_ends_while_it_asks_for_the_albums_still_reports() -> None:
    world = one_album()
    night(world)
    world.source.errors["albums"] = OutOfTime("no time")
    report = night(world)
    assert report is not None and report.status == "incomplete"
    assert [failure.code for failure in report.failures] == ["out_of_time"]


def test_an_album_that_was_seen_again_starts_its_absence_anew() -> None:
    world = one_album()
    world.source.album("B")
    night(world)
    album = world.source.world.pop("A")
    night(world)
    world.source.world["A"] = album
    world.source.errors["images:A"] = SourceUnavailable("503")
    night(world)
    del world.source.world["A"]
    world.source.errors.clear()
    night(world)
    lines = world.history.manifests["A"]
    assert lines[max(lines)].header["deleted_at"] is None


def test_a_record_that_is_json_and_yet_no_record_stops_nothing() -> None:
    world = one_album()
    world.source.album("B", images=1)
    night(world)
    (image,) = world.source.world["A"].images
    lines = world.history.manifests["A"][1]
    world.store.objects[lines.images[image.key]["record"]] = b"{}"  # type: ignore[attr-defined]
    world.source.touch(image, caption="x")
    other = world.source.upload("B")
    report = world.run()
    assert report.status == "complete"
    assert world.store.head(keys.original(other.key, other.md5, "jpg")) is not None


def test_finishing_twice_counts_what_is_unverified_once() -> None:
    world = World(limits=Limits(ticks=30, overflow=True, commit_every=2))
    world.source.album("A", images=9)
    for image in world.source.world["A"].images:
        image.has_md5 = False
    night(world)
    (run,) = world.overflow.runs
    backup = world.backup(world.points())
    again = backup.finish(run, deadline=Deadline.none(world.clock))
    assert again.counts.unverified == 9
    world.look()


def hand_over_and_work(world: World) -> str:
    """A run that hands over, and the workers' turns; `finish` is still to come."""
    points = world.points()
    world._run(points, world.limits, RunRequest())
    (run,) = world.overflow.runs
    for line in world.store.read(keys.plan(run)).splitlines():
        planned = PlannedBatch.from_json(json.loads(line))
        while world.backup(points).work(run, planned, deadline=Deadline.none(world.clock)):
            pass
    return run


def test_finishing_after_a_later_run_keeps_that_runs_totals() -> None:
    world = World(limits=Limits(ticks=30, overflow=True, commit_every=2))
    world.source.album("A", images=9)
    for image in world.source.world["A"].images:
        image.has_md5 = False
    run = hand_over_and_work(world)
    world.clock.advance(hours=1)
    world.run(limits=Limits())
    report = world.backup(world.points()).finish(run, deadline=Deadline.none(world.clock))
    assert report.counts.unverified == 9
    world.look()


def test_an_overflow_that_ended_without_a_report_still_tells_what_is_unavailable() -> None:
    world = World(limits=Limits(ticks=30, overflow=True, commit_every=2))
    world.source.album("A", images=9)
    lost = world.source.upload("A", has_url=False)
    hand_over_and_work(world)
    world.overflow.going.clear()
    world.look()
    world.clock.advance(days=1)
    world.limits = Limits(overflow=True)
    report = night(world)
    assert [each.image_key for each in report.unavailable] == [lost.key]


def test_without_a_date_nothing_says_in_which_order_the_images_are() -> None:
    world = one_album(images=2)
    world.source.date_header = lambda now: None
    night(world)
    lines = world.history.manifests["A"][1].images.values()
    assert [line["position"] for line in lines] == [None, None]
    night(world)
    assert sorted(world.history.manifests["A"]) == [1], "and that is no change, night after night"
    world.source.date_header = lambda now: now
    night(world)
    lines = world.history.manifests["A"][2].images.values()
    assert [line["position"] for line in lines] == [1, 2]


def damaged(world: World, key: str, body: bytes | None) -> Ruin:
    """A world whose disk has changed ``key``; a check has seen it."""
    ruin = Ruin(world)
    ruin.put(key, body)
    return ruin


def flipped(body: bytes, old: bytes, new: bytes) -> bytes:
    assert old in body
    return body.replace(old, new, 1)


def test_what_a_line_of_a_damaged_manifest_says_of_its_bytes_is_proved_before_it_counts() -> None:
    world = one_album()
    (image,) = world.source.world["A"].images
    night(world)
    key = "manifests/A=1/00000001.jsonl"
    body = world.store.read(key)
    md5 = image.md5.encode()
    ruin = damaged(world, key, flipped(body, b"/" + md5, b"/" + md5[:-1] + b"u"))
    ruin.check()
    ruin.night()
    assert stored_bytes(world, image) == image.body


def test_where_a_line_of_a_damaged_manifest_says_that_its_record_lies_is_not_believed() -> None:
    world = one_album()
    (image,) = world.source.world["A"].images
    night(world)
    key = "manifests/A=1/00000001.jsonl"
    ruin = damaged(world, key, flipped(world.store.read(key), b'"record_at":[', b'"record_at":[1'))
    ruin.check()
    ruin.night()
    line = world.history.manifests["A"][2].images[image.key]
    assert world.store.read_part(line["record"], *line["record_at"])


@pytest.mark.parametrize("checked", [True, False])
def test_an_album_that_has_left_stays_gone_when_its_last_manifest_is_lost(checked: bool) -> None:
    world = one_album()
    world.source.album("B", images=1)
    night(world)
    del world.source.world["B"]
    night(world)
    night(world)
    ruin = damaged(world, "manifests/B=1/00000002.jsonl", None)
    if checked:
        ruin.check()
    report = ruin.night()
    assert [each.code for each in report.failures] == ["store_damaged"]
    assert ruin.night().status == "complete"
    lines = world.history.manifests["B"]
    assert sorted(lines) == [1, 2, 3]
    assert lines[3].header["deleted_at"] is not None


def test_earlier_bytes_that_are_lost_stay_named_though_no_newest_line_wants_them() -> None:
    world = one_album()
    (image,) = world.source.world["A"].images
    night(world)
    earlier = keys.original(image.key, image.md5, "jpg")
    world.source.replace(image)
    night(world)
    ruin = damaged(world, earlier, None)
    ruin.check()
    for _ in range(3):
        report = ruin.night()
        assert report.check.open == 1
    assert stored_bytes(world, image) == image.body
    listed_in_full = report.albums["A"].full_listing_at
    assert listed_in_full < world.clock.now() - timedelta(days=3), "no night looks in vain"


def test_bytes_that_were_replaced_before_they_could_be_mended_stay_named() -> None:
    world = one_album()
    (image,) = world.source.world["A"].images
    night(world)
    ruin = damaged(world, keys.original(image.key, image.md5, "jpg"), None)
    ruin.check()
    world.source.replace(image)
    assert ruin.night().check.open == 1
    assert stored_bytes(world, image) == image.body


def test_a_report_that_parses_and_is_damaged_all_the_same_is_passed_over() -> None:
    world = one_album()
    night(world)
    (key,) = (key for key in world.store.objects if re.match(r"runs/.*\.json", key))  # type: ignore[attr-defined]
    body = world.store.read(key)
    at = body.index(b'"manifest_sha256":"') + 20
    ruin = damaged(world, key, body[:at] + b"=" + body[at + 1 :])
    report = ruin.night()
    assert report.status == "complete"
    assert f"{key} is damaged; it is passed over" in report.notes


def test_what_a_check_found_is_open_no_more_once_it_was_read_and_is_sound() -> None:
    world = one_album(images=2)
    night(world)
    original, records = (
        next(key for key in sorted(world.store.objects) if key.startswith(folder))  # type: ignore[attr-defined]
        for folder in ("originals/", "records/")
    )
    ruin = damaged(world, original, None)
    ruin.put(records, None)
    ruin.check()
    report = ruin.night()
    assert (report.status, report.counts.repaired) == ("complete", 2)
    report = ruin.night()
    assert (report.status, report.counts.repaired, report.check.open) == ("complete", 0, 0)


def test_a_damaged_manifest_is_named_though_the_run_that_passed_over_it_was_killed() -> None:
    world = one_album()
    night(world)
    key = "manifests/A=1/00000001.jsonl"
    ruin = damaged(world, key, world.store.read(key)[:-9])
    ruin.check()
    points = world.points({("create", "manifests/A=1/00000002.jsonl", 0): Fault.KILLED_AFTER})
    assert world.run(points) is None
    report = ruin.night()
    assert [(each.code, key in each.message) for each in report.failures] == [
        ("store_damaged", True)
    ]
    assert ruin.night().status == "complete"


@pytest.mark.parametrize("name", ["sha256", "md5", "source_md5", "fingerprint", "key", "record"])
def test_a_manifest_that_parses_and_says_what_cannot_be_is_damaged(name: str) -> None:
    world = one_album()
    (image,) = world.source.world["A"].images
    night(world)
    key = "manifests/A=1/00000001.jsonl"
    head, line, _ = world.store.read(key).split(b"\n")
    at = line.index(f'"{name}":"'.encode()) + len(name) + 15
    ruin = damaged(world, key, b"\n".join((head, line[:at] + b"~" + line[at + 1 :], b"")))
    for report in [each for each in ruin.objects if each.startswith("runs/")]:
        ruin.put(report, None)
    report = ruin.night()
    assert [each.code for each in report.failures] == ["store_damaged"]
    assert stored_bytes(world, image) == image.body
