"""What one invocation leaves over is finished by many, and reported as one run."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.report import AlbumState
from smugmug_backup.backup import overflow as handover
from smugmug_backup.backup.outcome import Outcome
from smugmug_backup.backup.overflow import PlannedAlbum, PlannedBatch, plan_lines, read_plan
from smugmug_backup.backup.run import Options
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AccessRefused,
    BadRequest,
    PhotoRefused,
    RunRefused,
    SourceUnavailable,
)
from smugmug_backup.model import Account, Album
from tests.tools.fake_overflow import FakeOverflow
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights
from tests.unit.backup.checks import check


@pytest.fixture
def source(clock):
    source = FakeSource(clock)
    for number in range(6):
        album = source.album(f"album{number}", images=4)
        for image in album.images:
            source.errors[f"photo:{image.key}"] = lambda: clock.advance(seconds=10)
    clock.advance(days=100)
    return source


@pytest.fixture
def machine():
    return FakeOverflow()


@pytest.fixture
def nights(source, clock, machine):
    options = Options(concurrency=1, commit_every=2)
    return Nights(source, MemoryStore(), clock, options=options, overflow=machine)


def minute(clock):
    return Deadline.after(clock, 60, reserve=15)


def lines_of(store, run):
    return [json.loads(line) for line in store.read(keys.plan(run)).splitlines()]


def play(nights, run, *, twice=False):
    """Every child of the map in turn, each until it makes no more progress."""
    turns = 0
    for line in lines_of(nights.store, run):
        planned = PlannedBatch.from_json(line)
        progress = True
        while progress:
            turns += 1
            assert turns < 50
            progress = nights.backup().work(run, planned, deadline=minute(nights.clock))
        if twice:
            assert not nights.backup().work(run, planned, deadline=minute(nights.clock))
    return turns


def everything_is_stored(nights, source):
    return all(
        nights.store.objects[nights.line(album.key, image.key).original.key] == image.body
        for album in source.world.values()
        for image in album.images
    )


def test_an_account_that_outgrows_one_invocation_is_finished_by_the_machine(nights, source):
    first = nights.run(deadline=minute(nights.clock), trigger="nightly")
    assert first.status == "continuing"
    assert machine_of(nights).runs == [first.run_id]
    assert play(nights, first.run_id) > 1
    machine_of(nights).going.clear()
    last = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert last.status == "complete"
    assert last.attempt_of == first.run_id
    assert last.trigger == "nightly"
    assert last.counts.images == 24
    assert everything_is_stored(nights, source)
    assert first.counts.originals_stored + last.counts.originals_stored == 24
    assert nights.next_night().status == "complete"


def machine_of(nights):
    return nights.overflow


def test_doing_any_step_twice_or_a_day_later_is_harmless(nights, source):
    first = nights.run(deadline=minute(nights.clock))
    play(nights, first.run_id, twice=True)
    before = {key for key in nights.store.objects if key.startswith("manifests/")}
    nights.clock.advance(days=1)
    play(nights, first.run_id, twice=True)
    one = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    two = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert one.status == two.status == "complete"
    assert one.albums == two.albums
    assert {key for key in nights.store.objects if key.startswith("manifests/")} == before


def test_an_album_without_an_outcome_is_missing_and_the_run_incomplete(nights):
    first = nights.run(deadline=minute(nights.clock))
    report = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert report.status == "incomplete"
    assert {failure.code for failure in report.failures} == {"not_done"}
    assert len(report.failures) == len(read_plan(nights.store, first.run_id).albums)


def test_a_report_of_what_could_be_read_in_time_is_worth_more_than_none(nights, source):
    first = nights.run(deadline=minute(nights.clock))
    play(nights, first.run_id)
    stop, planned = minute(nights.clock), read_plan(nights.store, first.run_id)
    read, notes = nights.store.read, []

    def slowly(key):
        if key.startswith("work/") and not key.endswith("plan.jsonl"):
            notes.append(key)
            nights.clock.advance(seconds=50 if len(notes) == 2 else 0)
        return read(key)

    nights.store.read = slowly
    report = nights.backup().finish(first.run_id, deadline=stop)
    assert len(notes) == 2 < len(planned.albums)
    assert report.status == "incomplete"
    assert any("time ran out while the workers' notes were read" in each for each in report.notes)
    nights.store.read = read
    machine_of(nights).going.clear()
    assert nights.next_night().status == "complete"
    assert everything_is_stored(nights, source)


def test_a_poisoned_album_ends_in_the_report_and_not_in_a_hang(nights, source):
    source.errors["images:album5"] = SourceUnavailable("98")
    first = nights.run(deadline=minute(nights.clock))
    play(nights, first.run_id)
    report = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert report.status == "incomplete"
    assert [(f.album_key, f.code) for f in report.failures] == [("album5", "source_unavailable")]


def test_what_failed_before_the_hand_over_is_told_in_the_last_report(nights, source):
    source.errors["images:album0"] = AccessRefused("wrong password")
    first = nights.run(deadline=minute(nights.clock))
    assert first.status == "continuing"
    play(nights, first.run_id)
    report = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert [(f.album_key, f.code) for f in report.failures] == [("album0", "access_refused")]


def test_what_failed_and_was_tried_again_by_a_worker_is_told_no_more(nights, source):
    for album in source.world.values():
        source.errors[f"images:{album.key}"] = lambda: nights.clock.advance(seconds=30)
        source.errors[f"photo:{album.images[0].key}"] = PhotoRefused("404")
    first = nights.run(deadline=minute(nights.clock))
    planned = {each.album.key for each in read_plan(nights.store, first.run_id).albums}
    assert planned & {each.album_key for each in first.failures}
    source.errors.clear()
    play(nights, first.run_id)
    report = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert planned.isdisjoint(each.album_key for each in report.failures)


def test_a_plan_whose_album_has_no_record_is_one_clear_error(nights):
    first = nights.run(deadline=minute(nights.clock))
    line = lines_of(nights.store, first.run_id)[0]
    line["albums"][0]["album"]["data"] = "a text"
    nights.store.objects[keys.plan(first.run_id)] = json.dumps(line).encode()
    with pytest.raises(BadRequest, match=first.run_id):
        nights.backup().finish(first.run_id, deadline=minute(nights.clock))


def test_an_execution_whose_plan_is_gone_is_no_overflow_of_ours(nights, source):
    first = nights.run(deadline=minute(nights.clock))
    machine_of(nights).going.clear()
    del nights.store.objects[keys.plan(first.run_id)]
    report = nights.next_night()
    assert report.status == "complete"
    assert not any("overflow" in note for note in report.notes)


def test_a_machine_that_never_ran_is_no_overflow_of_ours(nights, source):
    nights.run(deadline=minute(nights.clock))
    machine_of(nights).runs.clear()
    assert not any("overflow" in note for note in nights.next_night().notes)


def test_an_album_that_vanished_meanwhile_is_a_failure_of_its_own(nights, source):
    first = nights.run(deadline=minute(nights.clock))
    del source.world["album5"]
    play(nights, first.run_id)
    report = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert [(f.album_key, f.code) for f in report.failures] == [("album5", "access_refused")]


def test_the_next_schedule_leaves_the_albums_of_a_running_machine_to_it(nights, source):
    first = nights.run(deadline=minute(nights.clock))
    planned = {each.album.key for each in read_plan(nights.store, first.run_id).albums}
    source.calls.clear()
    second = nights.next_night()
    assert second.status == "continuing"
    assert machine_of(nights).runs == [first.run_id]
    assert not any(source.calls[f"images:{key}"] for key in planned)
    play(nights, first.run_id)
    machine_of(nights).going.clear()
    assert nights.backup().finish(first.run_id, deadline=minute(nights.clock)).status == "complete"


def test_a_machine_that_died_without_a_report_is_noticed_and_its_work_taken_up(nights, source):
    first = nights.run(deadline=minute(nights.clock))
    play(nights, first.run_id)
    machine_of(nights).going.clear()
    source.calls.clear()
    report = nights.next_night()
    assert report.status == "complete"
    assert any(first.run_id in note for note in report.notes)
    assert not any(call.startswith("photo:") for call in source.calls)


def test_outcomes_of_a_machine_that_died_do_not_undo_what_a_later_run_did(nights, source):
    first = nights.run(deadline=minute(nights.clock))
    play(nights, first.run_id)
    machine_of(nights).going.clear()
    turns = handover.all_turns(nights.store, first.run_id, map, minute(nights.clock))
    (key, done), *_ = turns.items()
    old = done[-1].outcome.state
    later = [
        replace(old, generation=old.generation + 1, tried_at=old.tried_at - timedelta(days=1)),
        replace(old, tried_at=old.tried_at + timedelta(days=1), cursor=old.cursor + 1),
    ]
    for state in later:
        assert handover.taken_up({key: state}, {key: done}) == {key: state}
    assert handover.taken_up({key: replace(old, generation=0)}, {key: done}) == {key: old}
    assert handover.taken_up({}, {key: done}) == {key: old}


def test_a_second_night_that_is_continued_too_is_not_set_back_by_the_machine_that_died(nights):
    first = nights.run(deadline=minute(nights.clock))
    play(nights, first.run_id)
    machine_of(nights).going.clear()
    second = nights.next_night()
    # As if that night had been continued as well, and handed nothing over.
    data = json.loads(nights.store.objects[second.key]) | {"status": "continuing"}
    nights.store.objects[second.key] = json.dumps(data).encode()
    third = nights.next_night()
    assert third.status == "complete"
    for key, state in third.albums.items():
        assert state.listed_at > second.albums[key].listed_at
        assert state.generation == second.albums[key].generation
        assert state.cursor > second.albums[key].cursor


def test_what_was_asked_for_in_full_is_listed_in_full_by_the_workers_too(nights, source):
    assert nights.run().status == "complete"
    hidden = [source.world[f"album{n}"].images[0] for n in range(6)]
    nights.clock.advance(days=3)
    for image in hidden:
        image.caption = "an edit that the filter hides"
    for key in source.world:
        source.errors[f"images:{key}"] = lambda: nights.clock.advance(seconds=20)
    first = nights.run(deadline=minute(nights.clock), full=True)
    assert first.status == "continuing"
    play(nights, first.run_id)
    machine_of(nights).going.clear()
    last = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert last.status == "complete"
    for n, image in enumerate(hidden):
        assert nights.record(f"album{n}", image.key)["image"]["Caption"] == image.caption


def test_a_worker_that_sees_less_than_the_plan_was_made_for_is_refused(nights, source):
    first = nights.run(deadline=minute(nights.clock))
    line = lines_of(nights.store, first.run_id)[0]
    source.access = "public"
    before = dict(nights.store.objects)
    with pytest.raises(RunRefused, match="public"):
        nights.backup().work(
            first.run_id, PlannedBatch.from_json(line), deadline=minute(nights.clock)
        )
    assert nights.store.objects == before


def test_an_execution_of_somebody_elses_is_noted_and_the_run_goes_on(nights, machine):
    machine.start("by-hand")
    report = nights.run()
    assert report.status == "complete"
    assert any("by-hand" in note for note in report.notes)


def test_without_a_machine_the_next_run_goes_on(source, clock):
    options = Options(concurrency=1, commit_every=2)
    nights = Nights(source, MemoryStore(), clock, options=options)
    statuses = [nights.run(deadline=minute(clock)).status for _ in range(8)]
    assert statuses[0] == "continuing"
    assert statuses[-1] == "complete"
    assert everything_is_stored(nights, source)
    assert not any(key.startswith("work/") for key in nights.store.objects)


def test_a_machine_that_cannot_be_started_makes_the_run_incomplete(nights, machine):
    def refuse(run_id):
        raise SourceUnavailable("no rights")

    machine.start = refuse
    report = nights.run(deadline=minute(nights.clock))
    assert report.status == "incomplete"
    assert "overflow_not_started" in {failure.code for failure in report.failures}


@pytest.mark.parametrize("act", ["work", "finish"])
def test_a_run_without_a_plan_is_one_clear_error_and_nothing_is_written(nights, act):
    run = "20261124T030004Z-5f0c2a91"
    backup, deadline = nights.backup(), minute(nights.clock)
    with pytest.raises(BadRequest, match=run):
        backup.finish(run, deadline=deadline) if act == "finish" else backup.work(
            run, plan_of([]), deadline=deadline
        )
    assert nights.store.objects == {}


@pytest.mark.parametrize("body", [b"", b"[]\n", b"{}\n", b"<html>", b'{"albums":[{"album":1}]}\n'])
def test_a_plan_that_is_not_ours_is_one_clear_error(nights, body):
    run = "20261124T030004Z-5f0c2a91"
    nights.store.objects[keys.plan(run)] = body
    with pytest.raises(BadRequest):
        nights.backup().finish(run, deadline=minute(nights.clock))
    assert list(nights.store.objects) == [keys.plan(run)]


def planned(number, **fields):
    fields = {"image_count": 10, "data": {"Title": "t"}} | fields
    album = Album(f"a{number}", number, "t", (), urls=(), **fields)
    return PlannedAlbum(album, AlbumState())


def plan_of(albums):
    return PlannedBatch(tuple(albums), Account("larkfield", "owner"), ("a1",), None)


def test_a_line_holds_at_most_fifty_albums_five_minutes_and_what_a_child_may_be_given():
    small = [
        json.loads(line)["albums"] for line in plan_lines(plan_of(planned(n) for n in range(120)))
    ]
    assert [len(line) for line in small] == [50, 50, 20]
    large = list(plan_lines(plan_of(planned(n, image_count=1500) for n in range(6))))
    assert [len(json.loads(line)["albums"]) for line in large] == [1] * 6
    fat = list(plan_lines(plan_of(planned(n, data={"D": "é" * 9000}) for n in range(20))))
    assert all(len(line) < 256 * 1024 for line in fat)
    assert sum(len(json.loads(line)["albums"]) for line in fat) == 20


def test_a_plan_gives_back_what_was_put_in():
    before = plan_of(planned(n) for n in range(3))
    assert [PlannedBatch.from_json(json.loads(line)) for line in plan_lines(before)] == [before]


def test_outcomes_of_albums_whose_keys_begin_alike_are_told_apart(nights):
    outcome = Outcome(AlbumState(generation=1))
    handover.store_outcome(nights.store, "r", "a-001", outcome, turn=1)
    handover.store_outcome(nights.store, "r", "a", outcome, turn=1)
    handover.store_outcome(nights.store, "r", "a", Outcome(AlbumState(generation=2)), turn=1)
    assert [turn.number for turn in handover.turns_of(nights.store, "r", "a")] == [1, 2]
    assert [turn.number for turn in handover.turns_of(nights.store, "r", "a-001")] == [1]


def test_what_a_plan_cannot_hold_is_named_and_waits(nights, monkeypatch):
    monkeypatch.setattr(handover, "MAX_LINES", 1)
    monkeypatch.setattr(handover, "BATCH_ALBUMS", 2)
    first = nights.run(deadline=minute(nights.clock))
    assert len(read_plan(nights.store, first.run_id).albums) == 2
    assert any("more than a plan holds" in note for note in first.notes)
    play(nights, first.run_id)
    machine_of(nights).going.clear()
    last = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert last.status == "incomplete"
    assert nights.next_night().status == "complete"


def outcomes_of(nights, run):
    return sorted(key for key in nights.store.objects if key.startswith(f"work/{run}/album"))


@pytest.mark.parametrize("closed", [True, False])
def test_a_damaged_note_of_a_worker_costs_its_album_a_look_and_no_run(nights, closed):
    first = nights.run(deadline=minute(nights.clock))
    play(nights, first.run_id)
    nights.store.objects[outcomes_of(nights, first.run_id)[-1]] = b'{"state":'
    machine_of(nights).going.clear()
    if closed:
        report = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
        assert {failure.code for failure in report.failures} == {"not_done"}
    report = nights.next_night()
    assert report.status == "complete"
    assert report.counts.images == 24


def test_a_worker_meets_a_damaged_note_and_works_on(nights, source):
    first = nights.run(deadline=minute(nights.clock))
    line = PlannedBatch.from_json(lines_of(nights.store, first.run_id)[0])
    nights.backup().work(first.run_id, line, deadline=minute(nights.clock))
    nights.store.objects[outcomes_of(nights, first.run_id)[0]] = b"?"
    play(nights, first.run_id)
    machine_of(nights).going.clear()
    report = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert report.status == "complete"
    assert everything_is_stored(nights, source)


def test_an_album_done_in_many_turns_changed_once(nights, source):
    for image in source.world["album5"].images:
        source.errors[f"photo:{image.key}"] = lambda: nights.clock.advance(seconds=25)
    first = nights.run(deadline=minute(nights.clock))
    play(nights, first.run_id)
    planned = {each.album.key for each in read_plan(nights.store, first.run_id).albums}
    report = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert report.counts.albums_changed == len(planned)


def test_the_end_of_an_overflow_keeps_the_new_name_of_an_account(nights, source):
    first = nights.run(deadline=minute(nights.clock))
    play(nights, first.run_id)
    machine_of(nights).going.clear()
    source.nickname = "newname"
    nights.run(accept_rename=True)
    report = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert (report.account.nickname, report.formerly) == ("newname", ("larkfield",))
    assert nights.next_night().status == "complete"


def test_failures_that_a_report_only_counts_keep_its_overflow_from_complete(nights, monkeypatch):
    first = nights.run(deadline=minute(nights.clock))
    archive = Archive(nights.store)
    report = replace(archive.report(first.run_id), more_failures=2)
    nights.store.objects[report.key] = report.to_bytes()
    play(nights, first.run_id)
    last = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert last.status == "incomplete"
    assert [each.code for each in last.failures] == ["not_done"]


def test_what_workers_mended_is_open_no_more_in_the_report_of_the_end(nights, source):
    assert nights.run().status == "complete"
    found = []
    for album in source.world.values():
        key = nights.line(album.key, album.images[0].key).original.key
        nights.store.objects[key] = b"rotten"
        found.append((key, album.key))
    lost = "runs/2026/01/20260101T030000Z-00000001.json"
    check(nights, *found, (lost, None))
    for key in source.world:
        source.errors[f"images:{key}"] = lambda: nights.clock.advance(seconds=20)
    first = nights.run(deadline=minute(nights.clock))
    planned = {each.album.key for each in read_plan(nights.store, first.run_id).albums}
    assert 0 < len(planned) < 6
    assert first.check.open == len(planned) + 1
    play(nights, first.run_id)
    machine_of(nights).going.clear()
    last = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert (last.status, last.check.open) == ("complete", 1)
    assert everything_is_stored(nights, source)


def test_albums_that_answered_by_a_clock_a_little_behind_were_listed_all_the_same(nights, source):
    dates = iter(range(10_000))
    source.date_header = lambda now: now - timedelta(seconds=next(dates) % 2)
    first = nights.run(deadline=minute(nights.clock))
    play(nights, first.run_id)
    last = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert (last.status, last.failures) == ("complete", ())


def test_a_plan_of_the_version_before_is_still_worked_through_and_closed(nights):
    first = nights.run(deadline=minute(nights.clock))
    lines = lines_of(nights.store, first.run_id)
    for line in lines:
        del line["open_elsewhere"]
    body = "".join(f"{json.dumps(line)}\n" for line in lines)
    nights.store.objects[keys.plan(first.run_id)] = body.encode()
    play(nights, first.run_id)
    last = nights.backup().finish(first.run_id, deadline=minute(nights.clock))
    assert last.status == "complete"
