"""`smugmug-backup diff`: what changed between two runs or dates."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smugmug_backup.backup.run import RunRequest
from smugmug_backup.clock import Deadline
from tests.tools.clock import FakeClock


def told(ran):
    assert ran.status == 0, ran.err
    return {
        (album["album_key"], album["what"]): {
            image["what"]: image["file_name"] for image in album["images"]
        }
        for album in ran.json["albums"]
    }


def test_from_the_first_day_to_now(shell, sample, folder):
    assert told(shell("diff", folder, "2026-11-24", "latest", "--json")) == {
        ("harbour", "changed"): {
            "changed": "DSC_00003.JPG",
            "replaced": "DSC_00004.JPG",
            "gone": "DSC_00005.JPG",
            "new": "late.jpg",
        },
        ("gone", "gone"): {},
    }


def test_a_day_is_the_whole_day_however_it_is_written(shell, sample, folder):
    written = ("2026-11-24", "20261124", "2026-W48-2")
    first, *others = [told(shell("diff", folder, each, "latest", "--json")) for each in written]
    assert others == [first, first]


@pytest.mark.parametrize("end", ["9999-12-31", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00+14"])
def test_the_ends_of_the_calendar_are_dates_too(shell, sample, folder, end):
    whole = told(shell("diff", folder, "0001-01-01", "latest", "--json"))
    early = end.startswith("0001")
    words = (end, "latest") if early else ("0001-01-01", end)
    assert told(shell("diff", folder, *words, "--json")) == whole


def test_between_two_runs(shell, sample, folder):
    first, second, third, *_ = sample.nights.reports
    assert told(shell("diff", folder, first.run_id, second.run_id, "--json")) == {
        ("harbour", "changed"): {"changed": "DSC_00003.JPG", "replaced": "DSC_00004.JPG"},
    }
    assert told(shell("diff", folder, second.run_id, third.run_id, "--json")) == {
        ("harbour", "changed"): {"missing": "DSC_00005.JPG"},
    }


def test_a_run_that_left_no_report_is_judged_by_the_manifests(shell, sample, folder):
    first, second, *_ = sample.nights.reports
    for report in (first, second):
        (folder / report.key).unlink()
    ran = shell("diff", folder, first.run_id, second.run_id, "--json")
    assert told(ran)[("harbour", "changed")]["replaced"] == "DSC_00004.JPG"


def test_before_the_first_run_everything_is_new(shell, sample, folder):
    albums = told(shell("diff", folder, "2026-01-01", "2026-11-24", "--json"))
    assert set(albums) == {("harbour", "new"), ("alps", "new"), ("gone", "new")}
    assert told(shell("diff", folder, "2026-01-01", "2026-01-02", "--json")) == {}


def test_changed_fields_are_named(shell, sample, folder):
    out = shell("diff", folder, "2026-11-24", "latest").out
    assert "~ DSC_00003.JPG (i000003) changed: Caption" in out
    assert "1 new, 1 replaced, 1 changed, 1 gone" in out
    assert shell("diff", folder, "latest", "latest").out == "no difference\n"


def test_an_image_that_went_to_another_album_has_moved(shell, sample, folder):
    harbour, alps = sample.source.world["harbour"], sample.source.world["alps"]
    alps.images.append(harbour.images.pop(0))
    alps.images[-1].updated = sample.clock.now()
    run = sample.nights.next_night()
    ran = shell("diff", folder, sample.nights.reports[-2].run_id, run.run_id, "--json")
    assert told(ran) == {("harbour", "changed"): {"moved": "DSC_00003.JPG"}}
    moved = [i for album in ran.json["albums"] for i in album["images"]]
    assert [each["moved_to"] for each in moved] == ["alps"]


def test_an_image_that_went_to_two_albums_has_moved_to_one_and_is_new_in_the_other(
    shell, sample, folder
):
    harbour, alps = sample.source.world["harbour"], sample.source.world["alps"]
    sample.source.album("third", "Third")
    image = harbour.images.pop(0)
    for album in (alps, sample.source.world["third"]):
        album.images.append(image)
    image.updated = sample.clock.now()
    run = sample.nights.next_night()
    ran = shell("diff", folder, sample.nights.reports[-2].run_id, run.run_id, "--json")
    images = [each for album in ran.json["albums"] for each in album["images"]]
    (moved,) = [each for each in images if each["what"] == "moved"]
    (new,) = [album["album_key"] for album in ran.json["albums"] if album["what"] != "changed"] or [
        album["album_key"]
        for album in ran.json["albums"]
        for each in album["images"]
        if each["what"] == "new"
    ]
    assert {moved["moved_to"], new} == {"alps", "third"}


def test_a_generation_written_by_a_clock_ahead_does_not_hide_the_later_ones(shell, sample, folder):
    """The order of generations is the history, not what a clock once said."""
    sample.source.errors.clear()
    captions = []
    for night in range(4):
        image = sample.source.world["harbour"].images[0]
        sample.source.touch(image, caption=f"caption {night}")
        if night == 1:
            ahead = sample.nights.backup()
            ahead = replace(ahead, clock=FakeClock(sample.clock.now() + timedelta(hours=11)))
            ahead.run(RunRequest(), deadline=Deadline.none(sample.clock))
        else:
            sample.nights.run()
        captions.append(sample.clock.now())
        sample.clock.advance(hours=3)
    at = f"{captions[2]:%Y-%m-%dT%H:%M:%SZ}"
    assert told(shell("diff", folder, at, f"{captions[3]:%Y-%m-%dT%H:%M:%SZ}", "--json")) == {
        ("harbour", "changed"): {"changed": "DSC_00003.JPG"}
    }


def test_one_damaged_generation_is_a_problem_and_hides_no_other_album(shell, sample, folder):
    newest = max((folder / "manifests" / "harbour").iterdir())
    newest.write_bytes(b"")
    ran = shell("diff", folder, "2026-11-24", "latest")
    assert ran.status == 1
    assert ran.err.startswith("problem: album harbour: manifests/harbour/")
    assert "(gone) gone" in ran.out and "DSC_00004.JPG" in ran.out


def test_a_renamed_album_is_told_with_its_fields(shell, sample, folder):
    alps = sample.source.world["alps"]
    alps.title, alps.updated = "The Alps", sample.clock.now()
    sample.nights.next_night()
    out = shell("diff", folder, "2026-11-28", "latest").out
    assert "~ album Travel / The Alps (alps) changed: Title" in out


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ("latest", "2026-11-24", "is later than"),
        ("yesterday", "latest", "no run id, no date"),
        ("20250101T000000Z-00000000", "latest", "there is no run"),
    ],
)
def test_what_cannot_be_compared_is_told(shell, sample, folder, a, b, says):
    ran = shell("diff", folder, a, b)
    assert ran.status == 2 and says in ran.err


def test_the_example_of_the_help_runs(shell, sample, folder):
    line = shell("diff", "--help").out.strip().splitlines()[-1]
    assert shell.line(line.replace("~", str(folder.parent)).strip()).status == 0
