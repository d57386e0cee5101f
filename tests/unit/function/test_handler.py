"""The handler: what each outcome returns or raises (design section 5), and what it logs."""

import json
from dataclasses import dataclass

import boto3
import pytest
from moto import mock_aws

from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AccessRefused,
    BadRequest,
    RunIncomplete,
    RunRefused,
    SourceRetired,
    SourceUnavailable,
)
from smugmug_backup.function import handler
from smugmug_backup.ports import PhotoSource
from smugmug_backup.storage.s3 import S3Store
from smugmug_backup.wiring import Application
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource

SCHEDULED = {
    "action": "backup",
    "schedule_arn": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly",
    "scheduled_time": "2026-11-24T03:00:00Z",
}


@dataclass
class Context:
    """What Lambda hands in."""

    function_name: str = "backup"
    memory_limit_in_mb: int = 1769
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:backup"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"
    seconds: float = 900

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


class ApplicationOverFake(Application):
    """The real application but for the source."""

    source: PhotoSource

    def _source(self, share: int) -> PhotoSource:
        return type(self).source


@pytest.fixture
def world(monkeypatch):
    """An account, an empty bucket and a table; yields the source."""
    for name in ("AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "BACKUP_BUCKET": "photos",
        "SMUGMUG_SECRET": "ssm:/smugmug-backup/secret",
        "IDEMPOTENCY_TABLE": "guard",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="photos")
        boto3.client("dynamodb").create_table(
            TableName="guard",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        source = FakeSource(FakeClock())
        source.album("harbour", images=2)
        source.album("scans", images=1)
        monkeypatch.setattr(handler, "_kept", None)
        monkeypatch.setattr(handler, "Application", ApplicationOverFake)
        monkeypatch.setattr(ApplicationOverFake, "source", source, raising=False)
        yield source


def invoke(event, **context):
    return handler.lambda_handler(event, Context(**context))


def stored():
    listed = boto3.client("s3").list_objects_v2(Bucket="photos").get("Contents", ())
    return {found["Key"] for found in listed}


def metrics_of(capsys):
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return next(line for line in lines if "_aws" in line)


def test_a_complete_run_returns_its_counts(world):
    result = invoke(SCHEDULED)
    assert (result["status"], result["duplicate"]) == ("complete", False)
    assert result["counts"]["originals_stored"] == 3
    assert (
        f"runs/{result['run_id'][:4]}/{result['run_id'][4:6]}/{result['run_id']}.json" in stored()
    )


@pytest.mark.parametrize("event", [SCHEDULED, {"action": "backup"}, {"action": "check"}])
def test_no_call_of_the_store_may_outlast_the_invocation(world, event, monkeypatch):
    ends = []
    bounded = S3Store.bounded

    def watched(store, deadline):
        ends.append(deadline.remaining())
        return bounded(store, deadline)

    monkeypatch.setattr(S3Store, "bounded", watched)
    invoke(event, seconds=90)
    # 90 s less a third of the reserve, which is cut to half of them.
    assert [round(each) for each in ends] == [75]


def test_a_second_delivery_returns_the_first_answer_and_writes_nothing(world):
    first = invoke(SCHEDULED)
    before = stored()
    world.calls.clear()
    second = invoke(SCHEDULED)
    assert second == first | {"duplicate": True}
    assert stored() == before
    assert not world.calls


def test_a_delivery_while_the_first_is_running_is_told_that_it_continues(world):
    seen = []

    def again():
        if not seen:
            seen.append(None)
            seen[0] = invoke(SCHEDULED)

    world.errors["albums"] = again
    assert invoke(SCHEDULED)["status"] == "complete"
    assert seen == [{"status": "continuing", "run_id": None, "duplicate": True, "counts": {}}]


def test_what_may_pass_raises_after_the_report_and_its_retry_runs(world):
    world.errors["images:harbour"] = SourceUnavailable("98")
    with pytest.raises(RunIncomplete, match="98"):
        invoke(SCHEDULED)
    assert sum(key.startswith("runs/") for key in stored()) == 1
    del world.errors["images:harbour"]
    world.calls.clear()
    result = invoke(SCHEDULED)
    assert (result["status"], result["duplicate"]) == ("complete", False)


def test_what_only_the_owner_can_mend_returns(world):
    world.errors["images:harbour"] = AccessRefused("wrong password")
    result = invoke(SCHEDULED)
    assert result["status"] == "incomplete"


def test_a_refused_run_raises_after_the_report(world):
    world.errors["albums"] = SourceRetired("API 1.3.0 seems to be switched off")
    with pytest.raises(RunRefused, match="switched off"):
        invoke(SCHEDULED)
    assert sum(key.startswith("runs/") for key in stored()) == 1


def test_requests_by_hand_are_not_guarded(world):
    one, two = invoke({"action": "backup"}), invoke({"action": "backup"})
    assert one["run_id"] != two["run_id"]
    assert not two["duplicate"]


def test_a_dry_run_returns_the_plan_and_writes_nothing(world):
    result = invoke({"action": "backup", "dry_run": True})
    assert result["status"] == "dry_run"
    assert sum(album["originals"] for album in result["forecasts"]) == 3
    assert stored() == set()
    json.dumps(result)


def test_out_of_time_returns_continuing(world):
    assert invoke({"action": "backup"}, seconds=0)["status"] == "continuing"
    assert invoke({"action": "backup"})["status"] == "complete"


def test_a_bad_event_is_one_clear_error_before_anything_is_asked(world):
    with pytest.raises(BadRequest, match="action"):
        invoke({"action": "erase"})
    assert not world.calls


def test_a_schedule_needs_the_table(world, monkeypatch):
    monkeypatch.delenv("IDEMPOTENCY_TABLE")
    with pytest.raises(BadRequest, match="IDEMPOTENCY_TABLE"):
        invoke(SCHEDULED)


def test_one_run_is_one_summary_line_and_its_metrics(world, capsys, caplog):
    result = invoke({"action": "backup"})
    (summary,) = [record for record in caplog.records if record.msg == "run ended"]
    assert {name: getattr(summary, name) for name in result} == result
    metrics = metrics_of(capsys)
    (definition,) = metrics["_aws"]["CloudWatchMetrics"]
    assert definition["Namespace"] == "SmugMugBackup"
    assert definition["Dimensions"] == [["service"]]
    assert len(definition["Metrics"]) <= 10
    assert metrics["Complete"] == [1.0]
    assert metrics["Progress"] == [1.0]


def test_a_refused_run_counts_as_refused_and_as_no_progress(world, capsys):
    world.errors["albums"] = SourceRetired("retired")
    with pytest.raises(RunRefused):
        invoke({"action": "backup"})
    metrics = metrics_of(capsys)
    assert (metrics["Refused"], metrics["Progress"], metrics["Complete"]) == ([1.0], [0.0], [0.0])


def test_clients_are_kept_while_the_settings_stay_and_made_anew_when_they_change(
    world, monkeypatch
):
    first = handler.application()
    assert handler.application() is first
    monkeypatch.setenv("MAX_CONCURRENCY", "3")
    assert handler.application() is not first


def test_the_reserve_never_eats_more_than_half_of_the_time(world):
    application = handler.application()
    deadline = handler_deadline(application, Context(seconds=10))
    assert not deadline.passed
    assert 4 < deadline.stops_taking - application.clock.monotonic() <= 5


def handler_deadline(application, context) -> Deadline:
    from smugmug_backup.function.actions import deadline_of

    return deadline_of(application, context)
