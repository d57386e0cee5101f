"""The function's `check` and `sign_of_life`: what they return, log, count and mail."""

import json

import pytest

from smugmug_backup.archive.summary import summarise
from smugmug_backup.errors import AccessRefused, BadRequest
from smugmug_backup.function import actions
from smugmug_backup.function.events import parse_event
from smugmug_backup.function.sign_of_life import mail, send_sign_of_life, subject
from smugmug_backup.function.telemetry import logger, metrics
from smugmug_backup.settings import SecretName, Settings, SourceSettings
from smugmug_backup.wiring import Application
from tests.tools.memory_store import MemoryStore
from tests.tools.sample import sample_store


class Context:
    """As much of Lambda's context as is read."""

    def __init__(self, seconds=900.0):
        self._seconds = seconds

    def get_remaining_time_in_millis(self):
        return int(self._seconds * 1000)


class Topic:
    """Takes what is published."""

    def __init__(self):
        self.mails = []

    def publish(self, **mail):
        self.mails.append(mail)


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


def test_a_sound_store_is_one_line_and_a_zero(sample, logged):
    told = perform(sample, {"action": "check", "read_data": "5GB"})
    assert told["status"] == "sound" and told["problem_count"] == 0
    assert told["counts"]["objects_read"] > 0
    assert json.dumps(told)
    assert [(level, text) for level, text, _ in logged] == [("info", "check ended")]
    assert metric("CheckNotSound") == [0]


def test_without_an_amount_only_the_structure_is_checked(sample, logged):
    assert perform(sample, {"action": "check"})["counts"]["objects_read"] == 0


def test_each_of_the_first_twenty_problems_is_a_line(sample, logged):
    for key in [key for key in sample.store.objects if key.startswith("records/")]:
        del sample.store.objects[key]
    for _ in range(20):
        sample.source.upload("alps")
    sample.nights.next_night()
    for key in [key for key in sample.store.objects if key.startswith("originals/")]:
        del sample.store.objects[key]
    told = perform(sample, {"action": "check"})
    assert told["status"] == "not_sound" and told["problem_count"] > 20
    problems = [extra["problem"] for level, _, extra in logged if level == "error"]
    assert len(problems) == 20
    assert all(problem["key"] and problem["message"] for problem in problems)
    assert metric("CheckNotSound") == [1]


def test_a_check_that_never_ends_does_not_look_sound(sample, logged):
    told = perform(sample, {"action": "check"}, Context(seconds=0))
    assert told["status"] == "unfinished" and told["not_checked"]
    assert metric("CheckNotSound") == [1]


# -- the weekly mail -----------------------------------------------------------------------------


def test_without_a_topic_the_error_says_what_to_do(sample, logged):
    with pytest.raises(BadRequest, match="ALERT_TOPIC_ARN is missing"):
        perform(sample, {"action": "sign_of_life"})


def test_the_mail_goes_to_the_topic(sample, logged):
    topic = Topic()
    told = send_sign_of_life(sample.store, "arn:aws:sns:x", now=sample.clock.now(), client=topic)
    (sent,) = topic.mails
    assert sent["TopicArn"] == "arn:aws:sns:x"
    assert sent["Subject"] == told["subject"]
    assert sent["Subject"].isascii() and len(sent["Subject"]) <= 100
    assert told["complete_as_of"] == "2026-11-27"


def test_the_mail_says_as_of_when_and_what_needs_the_owner(sample):
    sample.source.errors["images:alps"] = AccessRefused("the album's password is wrong")
    sample.source.album("later", images=1)
    sample.source.touch(sample.source.world["alps"].images[0], caption="x")
    sample.nights.next_night(full=True)
    del sample.source.world["later"]
    sample.nights.next_night(full=True)
    summary = summarise(sample.store)
    text = mail(summary, now=sample.clock.now())
    assert "complete as of 2026-11-27 03:00 UTC (3 days ago)" in text
    assert "WHAT NEEDS YOU" in text
    assert "album alps: the album's password is wrong (access_refused)" in text
    assert "1 album no longer shown by SmugMug: later" in text
    assert "no_original_url" in text
    assert "larkfield" in text
    assert all(len(line) <= 120 for line in text.splitlines())
    assert subject(summary) == "SmugMug Backup: incomplete, last complete 2026-11-27"


def test_when_all_is_well_it_says_so(sample):
    sample.source.errors.clear()
    sample.source.world["alps"].images = sample.source.world["alps"].images[:3]
    for _ in range(3):
        sample.nights.next_night(full=True)
    summary = summarise(sample.store)
    assert subject(summary) == "SmugMug Backup: complete"
    assert "Nothing needs you." in mail(summary, now=sample.clock.now())


def test_before_the_first_run_it_says_so(sample):
    summary = summarise(MemoryStore())
    assert subject(summary) == "SmugMug Backup: no run has ended yet"
    assert "No run has ended yet" in mail(summary, now=sample.clock.now())
