"""The function's actions: what they return, log, count and store."""

import json

import pytest

from smugmug_backup.archive.check_report import CheckReport
from smugmug_backup.archive.drill_report import DrillReport
from smugmug_backup.errors import BadRequest, StoreRefused
from smugmug_backup.function import actions
from smugmug_backup.function.events import CheckEvent, parse_event
from smugmug_backup.function.telemetry import logger, metrics
from smugmug_backup.settings import SecretName, Settings, SourceSettings
from smugmug_backup.wiring import Application
from tests.tools.sample import sample_store


class Context:
    """As much of Lambda's context as is read."""

    def __init__(self, seconds=900.0):
        self._seconds = seconds

    def get_remaining_time_in_millis(self):
        return int(self._seconds * 1000)


@pytest.fixture
def sample():
    return sample_store()


@pytest.fixture
def logged(monkeypatch):
    lines = []
    for level in ("info", "warning", "error"):
        monkeypatch.setattr(
            logger,
            level,
            lambda text, extra=None, level=level: lines.append((level, text, extra)),
        )
    return lines


@pytest.fixture(autouse=True)
def counted():
    metrics.clear_metrics()
    yield metrics
    metrics.clear_metrics()


def perform(sample, event, context=None, **more):
    settings = Settings(source=SourceSettings(SecretName("ssm", "x")), bucket="b", **more)
    application = Application(settings, sample.clock, sample.store)
    return actions.perform(parse_event(event), application, context or Context())


def metric(name):
    return metrics.metric_set[name]["Value"]


def test_a_sound_store_is_one_line_a_zero_and_a_report(sample, logged):
    told = perform(sample, {"action": "check", "read_data": "5GB"})
    assert told["status"] == "sound" and told["open_findings"] == 0
    assert told["counts"]["objects_read"] > 0
    assert json.dumps(told)
    assert [(level, text) for level, text, _ in logged] == [("info", "check ended")]
    assert metric("CheckNotSound") == [0]
    report = CheckReport.from_bytes(sample.store.objects[told["report"]], key=told["report"])
    assert report.run_id == told["run_id"] and report.sound


def test_without_an_amount_only_the_structure_is_checked(sample, logged):
    assert perform(sample, {"action": "check"})["counts"]["objects_read"] == 0


def test_the_history_is_checked_when_asked_for(sample, logged):
    assert parse_event({"action": "check", "history": True}) == CheckEvent(None, history=True)
    del sample.store.objects[min(k for k in sample.store.objects if k.startswith("records/gone"))]
    told = perform(sample, {"action": "check", "history": True})
    assert told["open_findings"] == 1
    with pytest.raises(BadRequest, match="history"):
        parse_event({"action": "check", "history": "yes"})


def test_each_of_the_first_twenty_findings_is_a_line(sample, logged):
    for _ in range(20):
        sample.source.upload("alps")
    sample.nights.next_night()
    for key in [key for key in sample.store.objects if key.startswith("originals/")]:
        del sample.store.objects[key]
    told = perform(sample, {"action": "check"})
    assert told["status"] == "not_sound" and told["open_findings"] > 20
    findings = [extra["finding"] for level, _, extra in logged if level == "error"]
    assert len(findings) == 20
    assert all(finding["key"] and finding["message"] for finding in findings)
    assert metric("CheckNotSound") == [1]


def test_a_file_that_nobody_names_is_no_alarm(sample, logged):
    sample.store.objects["originals/holiday.txt"] = b"mine"
    assert perform(sample, {"action": "check"})["status"] == "sound"
    assert not [line for line in logged if line[0] == "error"]
    assert metric("CheckNotSound") == [0]


def test_a_check_that_never_ends_does_not_look_sound(sample, logged):
    told = perform(sample, {"action": "check"}, Context(seconds=0))
    assert told["status"] == "unfinished" and told["not_checked"]
    assert metric("CheckNotSound") == [1]


def test_a_check_whose_report_cannot_be_stored_does_not_look_sound(sample, logged, monkeypatch):
    def refused(key, body, **more):
        raise StoreRefused("AccessDenied")

    monkeypatch.setattr(sample.store, "create", refused)
    told = perform(sample, {"action": "check"})
    assert told["status"] == "sound" and told["report"] is None
    assert ("error", "check report not stored") in [(level, text) for level, text, _ in logged]
    assert metric("CheckNotSound") == [1]


def test_without_a_topic_the_error_says_what_to_do(sample, logged):
    with pytest.raises(BadRequest, match="ALERT_TOPIC_ARN is missing"):
        perform(sample, {"action": "sign_of_life"})


def drilled(sample, monkeypatch, event=None):
    monkeypatch.setattr(Application, "source_for", lambda *_: sample.source)
    return perform(sample, event or {"action": "drill"})


def test_a_drill_that_passes_is_one_line_a_zero_and_a_report(sample, logged, monkeypatch):
    told = drilled(sample, monkeypatch, {"action": "drill", "images": 3})
    assert (told["status"], told["sampled"], told["same"]) == ("passed", 3, 3)
    assert told["said"].endswith("were restored and compared with SmugMug: all the same.")
    assert json.dumps(told)
    assert [(level, text) for level, text, _ in logged] == [("info", "drill ended")]
    assert metric("CheckNotSound") == [0]
    report = DrillReport.from_bytes(sample.store.objects[told["report"]], key=told["report"])
    assert (report.run_id, len(report.images)) == (told["run_id"], 3)


def test_a_drill_that_finds_damage_counts_as_a_check_that_does(sample, logged, monkeypatch):
    for key in list(sample.store.objects):
        if key.startswith("originals/"):
            sample.store.objects[key] = b"rotten"
    told = drilled(sample, monkeypatch)
    assert told["status"] == "failed"
    assert metric("CheckNotSound") == [1]
    assert ("error", "the drill found something wrong") in [each[:2] for each in logged]
    assert any(key.startswith("checks/") for key in sample.store.objects)


def test_before_the_first_run_a_drill_says_so_and_alarms_nobody(sample, logged, monkeypatch):
    sample.store.objects.clear()
    assert drilled(sample, monkeypatch) == {"status": "nothing_yet"}
    assert "CheckNotSound" not in metrics.metric_set


def test_a_drill_whose_report_is_not_stored_is_an_alarm(sample, logged, monkeypatch):
    def refuse(key, body, *, file_name=None):
        raise StoreRefused("access denied")

    monkeypatch.setattr(sample.store, "create", refuse)
    told = drilled(sample, monkeypatch)
    assert (told["status"], told["report"]) == ("passed", None)
    assert metric("CheckNotSound") == [1]
