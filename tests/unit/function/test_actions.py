"""The function's `sign_of_life`: what it returns, logs and mails."""

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


def test_without_a_topic_the_error_says_what_to_do(sample, logged):
    with pytest.raises(BadRequest, match="ALERT_TOPIC_ARN is missing"):
        perform(sample, {"action": "sign_of_life"})
