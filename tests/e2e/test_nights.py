"""Nights of the deployed function: events in, reports and bytes out."""

import hashlib
import json

import pytest

from tests.stack.environment import ROOT

EVENTS = ROOT / "events"


def event(name: str):
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def deployment(deployment_of):
    with deployment_of() as deployment:
        yield deployment


def test_the_schedules_event_backs_everything_up_and_a_second_delivery_does_nothing(deployment):
    first = deployment.invoke(event("schedule.json"))
    assert (first["status"], first["duplicate"]) == ("complete", False)
    assert deployment.everything_is_there()
    before = deployment.stack.keys()
    assert deployment.invoke(event("schedule.json")) == first | {"duplicate": True}
    assert deployment.stack.keys() == before


def test_the_classic_envelope_backs_up_what_changed(deployment):
    album = next(iter(deployment.world.account.albums))
    deployment.world.upload(album)
    result = deployment.invoke(event("scheduled-event.json"))
    assert result["status"] == "complete"
    assert result["counts"]["new"] == 1
    assert deployment.everything_is_there()


def test_a_dry_run_by_hand_writes_nothing(deployment):
    before = deployment.stack.keys()
    result = deployment.invoke(event("dry-run.json"))
    assert result["status"] == "dry_run"
    assert deployment.stack.keys() == before


def test_the_nightly_check_writes_its_report_and_nothing_else(deployment):
    before = set(deployment.stack.keys())
    result = deployment.invoke(event("check.json"))
    assert (result["status"], result["open_findings"]) == ("sound", 0)
    assert set(deployment.stack.keys()) - before == {result["report"]}
    run = result["run_id"]
    assert result["report"] == f"checks/{run[:4]}/{run[4:6]}/{run}.json"
    report = json.loads(deployment.stack.read(result["report"]))
    assert (report["sound"], report["findings"], report["run_id"]) == (True, [], run)
    assert report["read_bytes"] > 0


def test_the_night_after_names_the_check_and_the_seal_proves_every_object(deployment):
    (checked,) = deployment.stack.keys("checks/")
    night = deployment.invoke(event("backup.json"))
    last = deployment.reports()[-1]
    assert last["run_id"] == night["run_id"]
    check = last["check"]
    assert checked.endswith(f"/{check['run_id']}.json")
    assert (check["sound"], check["open"]) == (True, 0)
    assert check["sha256"] == hashlib.sha256(deployment.stack.read(checked)).hexdigest()
    reading = deployment.sound()
    assert [run for run, _ in reading.heads] == [night["run_id"]]
    # A page is made from its report, and nothing vouches for it.
    beside = {key for key in set(reading.files) - reading.proved if not key.endswith(".html")}
    assert beside == {"work/probe.txt"}


def test_what_a_check_finds_is_mended_by_the_next_night(deployment):
    (key, *_) = deployment.stack.keys("originals/")
    body = deployment.stack.read(key)
    deployment.stack.aws.client("s3").delete_object(Bucket=deployment.stack.bucket, Key=key)
    found = deployment.invoke(event("check.json"))
    assert (found["status"], found["open_findings"]) == ("not_sound", 1)
    report = json.loads(deployment.stack.read(found["report"]))
    assert [(each["key"], each["problem"]) for each in report["findings"]] == [(key, "missing")]
    assert deployment.invoke(event("backup.json"))["counts"]["repaired"] == 1
    assert deployment.stack.read(key) == body
    assert deployment.everything_is_there()
    assert deployment.invoke(event("check.json"))["status"] == "sound"


def test_the_weekly_mail_is_sent(deployment):
    deployment.invoke(event("sign-of-life.json"))


def test_a_bad_event_is_one_clear_line(deployment):
    message = deployment.refused({"action": "erase"})
    assert '"action" must be one of' in message
    assert "\n" not in message


def test_an_album_that_fails_for_a_while_raises_so_that_lambda_tries_again(deployment):
    album = next(iter(deployment.world.account.albums))
    fault = deployment.smugmug.faults.add(
        "status", status=500, method="images", album=album, times=None
    )
    message = deployment.refused(event("backup.json"))
    assert "is not complete" in message
    deployment.smugmug.faults.remove(fault)
    assert deployment.invoke(event("backup.json"))["status"] == "complete"


def test_every_line_of_the_log_is_a_record(deployment):
    messages = {line.get("message") for line in deployment.stack.logs()}
    assert {"run ended", "album done"} <= messages


@pytest.mark.parametrize(
    ("event", "names"),
    [
        ({"action": "finish", "run_id": "20200101T000000Z-00000000"}, "no plan"),
        ({"action": "album", "run_id": "20200101T000000Z-00000000", "albums": [{}]}, "plan"),
        ({"action": "album", "run_id": "20200101T000000Z-00000000", "albums": []}, "plan"),
        ({"action": "album", "albums": [{}]}, "run_id"),
        ({"action": "finish"}, "run_id"),
    ],
)
def test_a_malformed_step_is_one_clear_error_and_writes_nothing(deployment, event, names):
    before = deployment.stack.keys()
    assert names in deployment.refused(event)
    assert deployment.stack.keys() == before
