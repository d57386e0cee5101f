"""The function's `check` and `sign_of_life`: what they return, log, count and mail."""

import json

import pytest

from smugmug_backup.errors import BadRequest
from smugmug_backup.function import actions
from smugmug_backup.function.events import parse_event
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
