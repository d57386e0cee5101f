"""`smugmug-backup run`: the whole backup in this process, into a folder."""

import io
import json
import os
import signal
import threading
from contextlib import contextmanager
from functools import partialmethod

import pytest
from rich.console import Console

from smugmug_backup import system
from smugmug_backup.archive.report import AlbumState
from smugmug_backup.backup.outcome import Forecast, Outcome
from smugmug_backup.backup.run import Options
from smugmug_backup.cli import manners
from smugmug_backup.cli.commands import run
from smugmug_backup.cli.estimate import estimate_run
from smugmug_backup.cli.interruption import interruptible
from smugmug_backup.cli.notify import Event, Notifier
from smugmug_backup.cli.progress import (
    CopyProgress,
    Rate,
    RestoreProgress,
    RunProgress,
    Watched,
    duration,
)
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import AccessRefused, LoginLost, SourceUnavailable, StoreFull
from smugmug_backup.model import Room
from smugmug_backup.restore.plan import Target
from smugmug_backup.storage.folder import FolderStore
from smugmug_backup.storage.folder_batch import FolderBatch
from smugmug_backup.storage.location import open_store
from tests.tools import fake_s3 as wire
from tests.tools.local_s3 import set_environment


@pytest.fixture(autouse=True)
def parts(source, monkeypatch, tmp_path):
    """The command as it is, with a fake account and its clock."""

    @contextmanager
    def fake_parts(args):
        if args.dry_run and not args.location.folder.exists():
            (tmp_path / "nothing").mkdir()
            store = FolderStore(tmp_path / "nothing")
        else:
            one = {"one_writer": args.one_writer}
            store = open_store(args.location, create=not args.dry_run, **one)
        yield run.Parts(source, store, source.clock, Options(concurrency=2))

    monkeypatch.setattr(run, "build_parts", fake_parts)


def originals(folder):
    return len(list((folder / "originals").rglob("*.jpg")))


def test_a_whole_run_has_a_line_for_each_album_that_changed(shell, tmp_path):
    ran = shell("run", tmp_path / "b")
    assert (ran.status, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert min(lines[:2]).startswith("Harbour 2024 (A1): 2 new, 2 originals (")
    assert max(lines[:2]).startswith("Scans & Misc (A2): 1 new, 1 original (")
    assert lines[2] == "Complete: 3 images in 2 albums; it took 0 s."
    assert originals(tmp_path / "b") == 3


def test_a_run_without_changes_says_so_in_two_lines(shell, source, tmp_path):
    shell("run", tmp_path / "b")
    source.clock.advance(days=1)
    ran = shell("run", tmp_path / "b")
    assert ran.status == 0
    assert len(ran.out.splitlines()) == 2
    assert "nothing has changed" in ran.out


def test_what_failed_is_named_and_ends_with_1(shell, source, tmp_path):
    source.errors["images:A1"] = AccessRefused("wrong password")
    key = source.world["A2"].images[0].key
    source.errors[f"photo:{key}"] = SourceUnavailable("the photo host did not answer")
    ran = shell("run", tmp_path / "b")
    assert ran.status == 1
    assert "Not complete" in ran.out
    assert "Harbour 2024 (A1): failed: wrong password" in ran.out
    assert f"Scans & Misc (A2): image {key} failed: the photo host did not answer" in ran.out
    assert "1 image waits for its bytes" in ran.out
    assert f"Scans & Misc (A2): image {key} waits since 2026-11-24: download_failed" in ran.out


def test_a_refused_run_ends_with_2_and_says_how_to_accept(shell, source, tmp_path):
    for number in range(10):
        source.album(f"B{number}", images=9)
    shell("run", tmp_path / "b")
    for number in range(10):
        del source.world[f"B{number}"]
    ran = shell("run", tmp_path / "b")
    assert ran.status == 2
    assert "Refused" in ran.out
    assert "--accept-shrink" in ran.out
    assert shell("run", tmp_path / "b", "--accept-shrink").status == 0


def test_an_account_without_albums_is_refused_and_no_flag_is_promised(shell, source, tmp_path):
    shell("run", tmp_path / "b")
    source.world.clear()
    for options in ([], ["--accept-shrink"]):
        ran = shell("run", tmp_path / "b", *options)
        assert ran.status == 2 and "no albums at all" in ran.out
        assert "smugmug-backup doctor" in ran.out and "--accept" not in ran.out


def test_what_changed_of_an_album_is_named_if_a_person_would_see_it(shell, source, tmp_path):
    shell("run", tmp_path / "b")
    source.clock.advance(days=1)
    source.world["A1"].title = "Harbour at night"
    source.world["A2"].id += 1
    ran = shell("run", tmp_path / "b")
    assert "(A1): changed: Title" in ran.out
    assert "A2" not in ran.out
    assert "This run: no photo has changed; " in ran.out


def test_what_shrank_is_accepted_by_key_by_title_or_as_the_whole_account(shell, source, tmp_path):
    for number in range(10):
        source.album(f"B{number}", f"Title {number}", images=9)
    shell("run", tmp_path / "b")
    for number in range(10):
        del source.world[f"B{number}"]
    named = [f"Title {number}" for number in range(9)]
    ran = shell("run", tmp_path / "b", "--accept-shrink", "Title 12")
    assert ran.status == 2 and "no album 'Title 12'" in ran.err
    assert shell("run", tmp_path / "b", "--accept-shrink", "A1").status == 2
    assert shell("run", tmp_path / "b", "--accept-shrink", "account", "--dry-run").status == 0
    assert shell("run", tmp_path / "b", "--accept-shrink", *named, "B9").status == 0


def test_a_renamed_account_is_taken_by_the_owners_word(shell, source, tmp_path):
    shell("run", tmp_path / "b")
    source.nickname = "meadow"
    ran = shell("run", tmp_path / "b")
    assert ran.status == 2 and "--accept-rename" in ran.err
    assert shell("run", tmp_path / "b", "--accept-rename").status == 0
    assert shell("run", tmp_path / "b").status == 0


def test_a_lost_login_ends_with_2(shell, source, tmp_path):
    source.errors["account"] = LoginLost("the access token is not accepted")
    ran = shell("run", tmp_path / "b")
    assert ran.status == 2
    assert "the access token is not accepted" in ran.out


def test_another_account_is_refused(shell, source, tmp_path):
    shell("run", tmp_path / "b")
    source.nickname = "somebody"
    ran = shell("run", tmp_path / "b")
    assert ran.status == 2
    assert "larkfield" in ran.err


def test_albums_are_named_by_key_or_title(shell, source, tmp_path):
    ran = shell("run", tmp_path / "b", "--album", "scans & misc", "--album", "A2")
    assert ran.status == 0
    assert originals(tmp_path / "b") == 1
    assert "only the albums you named" in ran.out
    ran = shell("run", tmp_path / "b", "--album", "Harbor")
    assert ran.status == 2
    assert "no album 'Harbor'; near it: " in ran.err and "Harbour 2024" in ran.err


def test_full_lists_everything(shell, source, tmp_path):
    shell("run", tmp_path / "b")
    assert shell("run", tmp_path / "b", "--full").status == 0
    assert source.calls["images:A1"] == 2


def test_json_is_the_report(shell, tmp_path):
    ran = shell("run", tmp_path / "b", "--json")
    assert ran.status == 0
    assert ran.json["format"] == "smugmug-backup/run-report"
    assert ran.json["status"] == "complete"
    assert "Harbour 2024 (A1)" in ran.err


def test_a_dry_run_writes_nothing_and_makes_no_folder(shell, tmp_path):
    ran = shell("run", tmp_path / "b", "--dry-run")
    assert ran.status == 0
    assert "Harbour 2024\tA1\t2\t0\t0\t2\t" in ran.out
    assert "A run would change 2 albums: 3 images new or changed, 3 originals to fetch" in ran.out
    assert "AWS" not in ran.out
    assert not (tmp_path / "b").exists()


def test_a_dry_run_for_s3_tells_what_aws_would_charge(shell, monkeypatch, source, tmp_path):
    @contextmanager
    def fake_parts(args):
        (tmp_path / "bucket").mkdir(exist_ok=True)
        yield run.Parts(source, FolderStore(tmp_path / "bucket"), source.clock, Options())

    monkeypatch.setattr(run, "build_parts", fake_parts)
    ran = shell("run", "s3://photos/smugmug", "--dry-run")
    assert "AWS would charge less than $0.01 once" in ran.out
    assert "us-east-1" in ran.out
    ran = shell("run", "s3://photos/smugmug", "--dry-run", "--json")
    assert ran.json["originals"] == 3
    assert ran.json["cost_in_usd"]["region"] == "us-east-1"
    assert [each["album_key"] for each in ran.json["forecasts"]] == ["A1", "A2"]


def test_an_album_that_cannot_be_foretold_is_named(shell, source, tmp_path):
    source.errors["images:A1"] = AccessRefused("wrong password")
    ran = shell("run", tmp_path / "b", "--dry-run")
    assert ran.status == 1
    assert "Harbour 2024 (A1) cannot be foretold: wrong password" in ran.out


def test_the_first_ctrl_c_commits_what_is_there(shell, source, tmp_path):
    keys = [source.album(f"C{number}", images=3).key for number in range(20)]

    def press_ctrl_c():
        if threading.current_thread() is not threading.main_thread() and keys:
            keys.clear()
            os.kill(os.getpid(), signal.SIGINT)

    source.errors["images:C3"] = press_ctrl_c
    ran = shell("run", tmp_path / "b")
    assert ran.status == 130
    assert "Stopping" in ran.out
    assert "Interrupted" in ran.out
    assert "The same command goes on where it was" in ran.out
    (report,) = (tmp_path / "b" / "runs").rglob("*.json")
    said = json.loads(report.read_text())
    assert said["status"] == "continuing"
    assert any(note.startswith("the run was interrupted; ") for note in said["notes"])
    source.errors.clear()
    assert shell("run", tmp_path / "b").status == 0
    assert originals(tmp_path / "b") == 63


def test_ctrl_c_after_the_last_album_changes_nothing(shell, source, tmp_path, monkeypatch):
    shell("run", tmp_path / "b")
    create = FolderStore.create

    def late(store, key, body, **more):
        if key.startswith("runs/"):
            os.kill(os.getpid(), signal.SIGINT)
        create(store, key, body, **more)

    monkeypatch.setattr(FolderStore, "create", late)
    assert shell("run", tmp_path / "b").status == 0


def full_from(monkeypatch, *begins):
    """A disk that has no room left for what begins so."""

    def full(store, key, *rest, _real, **more):
        if key.startswith(begins):
            raise StoreFull("the disk is full")
        return _real(store, key, *rest, **more)

    for kind in (FolderStore, FolderBatch):
        for name in ("create", "upload"):
            real = getattr(kind, name)
            monkeypatch.setattr(kind, name, partialmethod(full, _real=real))


def test_a_full_disk_ends_the_run_which_says_so_in_its_report_and_with_1(
    shell, source, tmp_path, monkeypatch
):
    shell("run", tmp_path / "b")
    source.clock.advance(days=1)
    for number in range(20):
        source.upload("A1", file_name=f"{number}.jpg")
    full_from(monkeypatch, "originals/", "records/", "manifests/")
    ran = shell("run", tmp_path / "b", "--json")
    assert ran.status == 1 and ran.json["status"] == "incomplete"
    assert "store_full" in {each["code"] for each in ran.json["failures"]}
    assert sum(calls for name, calls in source.calls.items() if name.startswith("photo:")) < 3 + 20


def test_a_disk_too_full_for_a_report_ends_with_2_and_one_sentence(shell, tmp_path, monkeypatch):
    shell("run", tmp_path / "b")
    full_from(monkeypatch, "")
    ran = shell("run", tmp_path / "b")
    assert ran.status == 2 and "the disk is full" in ran.err and "make room" in ran.err


def test_the_handlers_of_signals_are_put_back():
    before = signal.getsignal(signal.SIGINT)
    with interruptible(Console(file=io.StringIO()), lambda: None, saying="x") as state:
        assert signal.getsignal(signal.SIGINT) is not before
        assert not state.happened
    assert signal.getsignal(signal.SIGINT) is before


# -- the display -------------------------------------------------------------------------------


class Ticking:
    """A monotonic clock that a test moves."""

    now = 100.0

    def __call__(self):
        return self.now


def terminal(width=80):
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, color_system=None, markup=False
    )


def shown_lines(display):
    console = terminal()
    with console.capture() as capture:
        console.print(display)
    return capture.get().splitlines()


def test_the_display_says_how_far_how_fast_and_how_long(source):
    tick = Ticking()
    progress = RunProgress(terminal(), monotonic=tick)
    assert "looking" in shown_lines(progress)[0]
    watched = Watched(source, progress, frozenset())
    deadline = Deadline.none(source.clock)
    source.album("A3", images=7)
    albums = watched.albums(deadline=deadline)
    progress.planned(len(albums))
    images = watched.images(albums[0], since=None, deadline=deadline).images
    tick.now += 10
    with watched.open(images[0].offer, deadline=deadline):
        progress.received(5_000_000)
    tick.now += 10
    lines = shown_lines(progress)
    assert "10%" in lines[0]
    assert "about 3 min left" in lines[0]
    assert lines[1] == "0/3 albums · 1/10 images · 5.00 MB, 250 KB/s"
    assert all(len(line) <= 80 for line in lines)


def test_albums_that_were_not_tried_are_not_counted_as_done(source):
    progress = RunProgress(terminal())
    progress.planned(2)
    one, two = source.albums(deadline=Deadline.none(source.clock))
    progress.album_done(one, Outcome(AlbumState(), listed=True))
    progress.album_done(two, Outcome(AlbumState(), halted=True))
    assert shown_lines(progress)[1].startswith("1/2 albums")


def megabyte(progress):
    """A file of a megabyte has come, and is done."""
    if isinstance(progress, CopyProgress):
        progress.passed(1_000_000)
        progress.file_done(None)
    else:
        progress.received(1_000_000)
        progress.file_done(
            Target("a", "i", "A/x.jpg", (), "originals/i/x.jpg", 1_000_000, "", "", None), None
        )


@pytest.mark.parametrize(
    ("kind", "amount"), [(RestoreProgress, "1.00 MB of 4.00 MB"), (CopyProgress, "1.00 MB")]
)
def test_the_display_of_files_that_are_brought(kind, amount):
    tick = Ticking()
    progress = kind(terminal(), monotonic=tick)
    assert "looking" in shown_lines(progress)[0]
    progress.expect(4, 4_000_000)
    tick.now += 10
    megabyte(progress)
    lines = shown_lines(progress)
    assert "25%" in lines[0]
    assert "about 30 s left" in lines[0]
    assert lines[1] == f"1/4 files · {amount} · 100 KB/s"
    progress.received(1_000_000)
    assert "50%" in shown_lines(progress)[0]
    tick.now += 100
    megabyte(progress)
    assert progress.console.file.getvalue() == "", "no line a minute, where all see it"


def test_a_reader_that_went_away_does_not_end_the_work():
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    RunProgress(Console(file=Gone())).say("a line")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    RunProgress(Console(file=narrow)).say("Ferry 🚢")


@pytest.mark.parametrize(
    ("kind", "amount"), [(RestoreProgress, "60.0 MB of 400 MB"), (CopyProgress, "60.0 MB")]
)
def test_where_no_terminal_is_what_takes_long_says_every_minute_how_far_it_is(kind, amount):
    tick = Ticking()
    out = io.StringIO()
    progress = kind(Console(file=out, width=1000), monotonic=tick)
    progress.expect(400, 400_000_000)
    for _ in range(130):
        tick.now += 1
        megabyte(progress)
    assert len(out.getvalue().splitlines()) == 2
    assert out.getvalue().startswith(f"60/400 files, {amount}")


def test_rates_forget_what_was_long_ago():
    tick = Ticking()
    rate = Rate(tick)
    rate.note(1_000_000)
    for second in range(60):
        tick.now += 1
        rate.note(1_000_000 + second)
    assert rate.per_second() < 2
    assert rate.left(100) == "about 1 min 40 s left"
    assert rate.left(0) == ""


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (4.4, "4 s"),
        (200, "3 min 20 s"),
        (1200, "20 min"),
        (7800, "2 h 10 min"),
        (3e5, "3 days 11 h"),
    ],
)
def test_durations_are_for_people(seconds, says):
    assert duration(seconds) == says


def test_the_estimate_counts_every_request():
    forecasts = [Forecast("a", "A", new=1000, originals=1000, bytes=10**9), Forecast("b", "B")]
    estimate = estimate_run(forecasts, api_calls=3, known_albums=2)
    assert (estimate.albums, estimate.images, estimate.originals) == (1, 1000, 1000)
    # An original each, and two files with each commit: 1,000 of them are two commits.
    assert 1000 < estimate.writes < 1100
    assert estimate.storage_cost == pytest.approx(0.023)


# -- manners -----------------------------------------------------------------------------------


def test_quiet_says_nothing_of_what_is_complete_and_all_of_what_is_not(shell, source, tmp_path):
    ran = shell("run", tmp_path / "b", "-q")
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    source.errors["images:A1"] = AccessRefused("wrong password")
    ran = shell("run", tmp_path / "b", "-q", "--full")
    assert ran.status == 1 and "wrong password" in ran.out


def test_verbose_names_also_what_has_not_changed_and_how_long_it_took(shell, tmp_path):
    shell("run", tmp_path / "b")
    ran = shell("run", tmp_path / "b", "-v")
    assert "Harbour 2024 (A1): nothing has changed" in ran.out
    assert ran.err.startswith("It took ")


def test_outside_of_its_hours_a_run_begins_nothing_and_the_next_one_goes_on(
    shell, source, tmp_path, monkeypatch
):
    monkeypatch.setattr(manners, "_local", lambda instant: instant)
    now = f"{source.clock.now():%H}"
    other = f"{(int(now) + 2) % 24:02d}:00-{(int(now) + 3) % 24:02d}:00"
    ran = shell("run", tmp_path / "b", "--between", other)
    assert ran.status == 1 and "Not finished yet" in ran.out
    assert "time ran out; 2 albums wait for the next run" in ran.out
    assert "The same command goes on" in ran.out and originals_of(tmp_path / "b") == 0
    assert shell("run", tmp_path / "b", "--between", other, "--dry-run").status == 0
    within = f"{now}:00-{(int(now) + 1) % 24:02d}:00"
    assert shell("run", tmp_path / "b", "--between", within).status == 0


def originals_of(folder):
    return len([*(folder / "originals").rglob("*.jpg")])


@pytest.mark.parametrize(
    ("trouble", "words", "event", "says"),
    [
        (None, [], Event.SUCCESS, "complete: 3 images in 2 albums; 3 new, 3 originals"),
        (None, ["--between", "OTHER"], Event.SUCCESS, "not finished yet, goes on: 0 images"),
        (AccessRefused("wrong password"), [], Event.FAILURE, "the first: wrong password"),
        (LoginLost("the token is refused"), [], Event.FAILURE, "the token is refused"),
    ],
)
def test_those_who_want_to_know_are_told_in_one_line(
    shell, source, tmp_path, monkeypatch, trouble, words, event, says
):
    sent = []
    monkeypatch.setattr(Notifier, "send", lambda self, *told: sent.append((self._urls, *told)))
    monkeypatch.setattr(manners, "_local", lambda instant: instant)
    other = (
        f"{(source.clock.now().hour + 2) % 24:02d}:00-{(source.clock.now().hour + 3) % 24:02d}:00"
    )
    if trouble is not None:
        source.errors["account" if isinstance(trouble, LoginLost) else "images:A1"] = trouble
    words = [other if word == "OTHER" else word for word in words]
    shell("run", tmp_path / "b", "--notify", "https://hc/1", "--notify", "ntfy://x", *words)
    assert [each[1] for each in sent] == [Event.START, event]
    assert sent[1][0] == ("https://hc/1", "ntfy://x")
    assert says in sent[1][3] and "\n" not in sent[1][3]


def test_a_run_that_was_interrupted_is_told_as_a_failure_for_nobody_may_have_been_there(
    shell, source, tmp_path, monkeypatch
):
    sent = []
    monkeypatch.setattr(Notifier, "send", lambda _, *told: sent.append(told))
    source.errors["images:A1"] = lambda: os.kill(os.getpid(), signal.SIGTERM)
    source.album("A3", images=1)
    for number in range(20):
        source.album(f"C{number}", images=1)
    assert shell("run", tmp_path / "b", "--notify", "https://hc/1").status == 130
    assert sent[1][0] is Event.FAILURE and sent[1][2].startswith("interrupted: ")


def test_an_album_that_was_left_is_not_counted_as_done(source):
    progress = RunProgress(terminal())
    progress.planned(2)
    one, two = source.albums(deadline=Deadline.none(source.clock))
    progress.album_done(one, Outcome(AlbumState(), listed=True))
    progress.album_done(two, Outcome(AlbumState(), left_over=True))
    progress.stopping()
    lines = shown_lines(progress)
    assert lines[1].startswith("1/2 albums") and lines[0].endswith("stopping")


def test_a_disk_that_will_not_do_is_told_before_anything_is_fetched(
    shell, source, tmp_path, monkeypatch
):
    shell("run", tmp_path / "b")
    source.clock.advance(days=1)
    for number in range(20):
        source.upload("A1", file_name=f"{number}.jpg")
    monkeypatch.setattr(FolderStore, "room", lambda _: Room(free=10))
    ran = shell("run", tmp_path / "b")
    assert ran.status == 1
    assert "are to be fetched, and the disk has room for 10 B" in ran.out.splitlines()[0]
    assert "more are needed" in ran.out


def test_a_dry_run_compares_the_plan_with_the_room_on_the_disk(
    shell, source, tmp_path, monkeypatch
):
    plan = shell("run", tmp_path / "new" / "b", "--dry-run")
    assert "The disk has room for " in plan.out
    (tmp_path / "b").mkdir()
    monkeypatch.setattr(system, "space", lambda _: (3, 1000))
    plan = shell("run", tmp_path / "b", "--dry-run")
    assert "The disk has room for 3 B only" in plan.out and "more are needed" in plan.out


# -- an S3 that is not AWS's -----------------------------------------------------------------------


@pytest.fixture
def s3(monkeypatch):
    with wire.FakeS3() as s3:
        set_environment(monkeypatch)
        yield s3


def test_a_bucket_elsewhere_is_named_by_its_endpoint_to_every_command(shell, source, s3, tmp_path):
    there = ("s3://bucket/photos", "--endpoint-url", s3.address)
    ran = shell("run", *there)
    assert ran.status == 0, ran.err
    first = next(key for name, key in s3.log if name == "PutObject")
    assert first.removeprefix("photos/") == "work/probe.txt" and first in s3.objects
    shell.at(source.clock)
    assert shell("status", *there, "--json").json["seal"]
    assert "Harbour 2024" in shell("albums", *there).out
    assert shell("find", there[0], "--gone", *there[1:], "--json").status == 0
    assert shell("check", *there).status == 0
    ran = shell("restore", *there, tmp_path / "out", "--yes", "--json")
    assert ran.status == 0 and ran.json["restored"] == 3
    ran = shell("copy", there[0], tmp_path / "copy", "--yes", "--from-endpoint-url", s3.address)
    assert ran.status == 0, ran.err
    assert shell("repair", *there, "--from", tmp_path / "copy").status == 0


def test_an_endpoint_that_overwrites_is_refused_before_a_byte_is_fetched(
    shell, source, s3, monkeypatch
):
    s3.obeys.clear()
    monkeypatch.setattr(source, "open", lambda *_, **__: pytest.fail("a byte was fetched"))
    ran = shell("run", "s3://bucket/photos", "--endpoint-url", s3.address)
    assert ran.status == 2
    assert "this S3 overwrites" in ran.err and "--one-writer" in ran.err
    assert [key.removeprefix("photos/") for key in s3.objects] == ["work/probe.txt"]
    assert all(key.startswith("photos/") for key in s3.objects)


def test_what_was_seen_at_one_endpoint_is_not_expected_at_another(shell, source, s3):
    assert shell("run", "s3://bucket/photos", "--endpoint-url", s3.address).status == 0
    source.clock.advance(days=1)
    with wire.FakeS3() as other:
        assert shell("run", "s3://bucket/photos", "--endpoint-url", other.address).status == 0


@pytest.mark.parametrize(
    "option", [("--endpoint-url", "https://s3.example"), ("--aws-profile", "nas")]
)
def test_an_s3_is_not_named_for_a_folder(shell, tmp_path, option):
    ran = shell("run", tmp_path / "b", *option)
    assert ran.status == 2
    assert f"{option[0]} is for a bucket" in ran.err


def test_an_endpoint_without_tls_is_refused_by_the_name_of_the_option(shell, s3):
    ran = shell("run", "s3://bucket/photos", "--endpoint-url", "http://nas.example:9000")
    assert ran.status == 2
    assert "(--endpoint-url) must be https" in ran.err
