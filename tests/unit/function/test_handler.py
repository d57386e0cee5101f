"""The handler: what each outcome returns or raises, and what it logs."""

import json
import time
from dataclasses import dataclass

import boto3
import pytest
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.moto_api._internal import moto_api_backend

from smugmug_backup.archive.archive import Archive
from smugmug_backup.backup.overflow import PlannedAlbum, PlannedBatch, plan_lines, write_plan
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import (
    AccessRefused,
    BadRequest,
    RunIncomplete,
    RunRefused,
    SourceRetired,
    SourceUnavailable,
    StillInProgress,
)
from smugmug_backup.function import guard, handler
from smugmug_backup.function.actions import deadline_of
from smugmug_backup.ports import BackupStore, PhotoSource
from smugmug_backup.storage.s3 import S3Store
from smugmug_backup.wiring import Application, SystemClock
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

    def _source(self, share: int, store: BackupStore) -> PhotoSource:
        return type(self).source


@pytest.fixture(scope="module")
def aws():
    """S3 and DynamoDB, one for all tests, for clients are slow to make."""
    with mock_aws():
        yield boto3.client("s3"), boto3.client("dynamodb")


@pytest.fixture
def world(monkeypatch, aws):
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
    s3, table = aws
    s3.create_bucket(Bucket="photos")
    table.create_table(
        TableName="guard",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    source = FakeSource(SystemClock())
    source.album("harbour", images=2)
    source.album("scans", images=1)
    monkeypatch.setattr(handler, "_kept", None)
    monkeypatch.setattr(handler, "Application", ApplicationOverFake)
    monkeypatch.setattr(ApplicationOverFake, "source", source, raising=False)
    yield source
    moto_api_backend.reset()


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


def test_an_answer_is_remembered_longer_than_anybody_retries(world):
    invoke(SCHEDULED)
    (item,) = boto3.client("dynamodb").scan(TableName="guard")["Items"]
    assert float(item["expiration"]["N"]) > time.time() + 24 * 60 * 60


def test_a_delivery_while_the_first_is_running_is_told_that_it_continues(world):
    seen = []

    def again():
        if not seen:
            seen.append(None)
            seen[0] = invoke(SCHEDULED, aws_request_id="d1e9f3b1-0000-0000-0000-000000000000")

    world.errors["albums"] = again
    assert invoke(SCHEDULED)["status"] == "complete"
    assert seen == [{"status": "continuing", "run_id": None, "duplicate": True, "counts": {}}]


def test_what_may_pass_raises_after_the_report_and_its_retry_runs(world):
    world.errors["images:harbour"] = SourceUnavailable("98")
    with pytest.raises(RunIncomplete, match="98"):
        invoke(SCHEDULED)
    assert sum(key.startswith("runs/") and key.endswith(".json") for key in stored()) == 1
    del world.errors["images:harbour"]
    world.calls.clear()
    result = invoke(SCHEDULED)
    assert (result["status"], result["duplicate"]) == ("complete", False)


def test_what_only_the_owner_can_mend_returns(world):
    world.errors["images:harbour"] = AccessRefused("wrong password")
    result = invoke(SCHEDULED)
    assert result["status"] == "incomplete"


def test_what_smugmug_is_still_making_returns_and_is_named(world):
    world.upload("harbour", video="")
    result = invoke(SCHEDULED)
    assert result["status"] == "incomplete" and result["counts"]["pending"] == 1
    (waits,) = report_of(result)["pending"]
    assert (waits["album_key"], waits["reason"]) == ("harbour", "processing") and waits["since"]


def test_the_error_names_what_may_pass_not_what_only_the_owner_can_mend(world):
    world.errors["images:harbour"] = AccessRefused("wrong password")
    world.errors["images:scans"] = SourceUnavailable("SmugMug says 98")
    with pytest.raises(RunIncomplete, match=r"1 failures.*first: SmugMug says 98"):
        invoke(SCHEDULED)


def test_a_refused_run_raises_after_the_report(world):
    world.errors["albums"] = SourceRetired("API 1.3.0 seems to be switched off")
    with pytest.raises(RunRefused, match="switched off"):
        invoke(SCHEDULED)
    assert sum(key.startswith("runs/") and key.endswith(".json") for key in stored()) == 1


# -- the guard -------------------------------------------------------------------------------------


def break_off(world):
    """An attempt that Lambda kills: no error that anybody could catch."""

    def kill():
        raise SystemExit("killed")

    world.errors["albums"] = kill
    with pytest.raises(SystemExit):
        invoke(SCHEDULED)
    del world.errors["albums"]


def test_a_retry_of_an_attempt_that_broke_off_raises_so_that_lambda_tries_again(world):
    break_off(world)
    with pytest.raises(StillInProgress):
        invoke(SCHEDULED)
    other = invoke(SCHEDULED, aws_request_id="d1e9f3b1-0000-0000-0000-000000000000")
    assert (other["status"], other["duplicate"]) == ("continuing", True)


def test_a_retry_runs_once_the_time_limit_of_the_attempt_that_broke_off_is_over(world):
    break_off(world)
    table = boto3.client("dynamodb")
    (item,) = table.scan(TableName="guard")["Items"]
    item["in_progress_expiration"] = {"N": "1"}
    table.put_item(TableName="guard", Item=item)
    assert invoke(SCHEDULED)["status"] == "complete"


def test_an_attempt_that_died_before_it_said_whose_it_was_is_no_duplicate(world):
    break_off(world)
    table = boto3.client("dynamodb")
    (item,) = table.scan(TableName="guard")["Items"]
    del item["attempt"]
    table.put_item(TableName="guard", Item=item)
    with pytest.raises(StillInProgress):
        invoke(SCHEDULED)


def report_of(result):
    run = result["run_id"]
    body = boto3.client("s3").get_object(
        Bucket="photos", Key=f"runs/{run[:4]}/{run[4:6]}/{run}.json"
    )
    return json.loads(body["Body"].read())


def test_a_run_whose_guard_is_not_there_is_made_without_it_and_says_so(world, capsys):
    boto3.client("dynamodb").delete_table(TableName="guard")
    result = invoke(SCHEDULED)
    assert (result["status"], result["duplicate"]) == ("complete", False)
    (note,) = report_of(result)["notes"]
    assert "guard against double deliveries" in note and "ResourceNotFoundException" in note
    assert 1.0 in metrics_of(capsys)["Failures"]


class Denied(DynamoDBPersistenceLayer):
    """A role that may not write what is written at the end."""

    def _update_record(self, data_record):
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "UpdateItem")

    def _delete_record(self, data_record):
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DeleteItem")


@pytest.fixture
def forgetful(monkeypatch):
    for name in ("_update_record", "_delete_record"):
        monkeypatch.setattr(guard._Table, name, getattr(Denied, name))


def test_a_guard_that_cannot_keep_the_answer_does_not_make_the_run_twice(world, forgetful):
    assert invoke(SCHEDULED)["status"] == "complete"
    assert sum(key.startswith("runs/") and key.endswith(".json") for key in stored()) == 1


def test_a_guard_that_cannot_forget_does_not_hide_why_the_run_failed(world, forgetful):
    world.errors["images:harbour"] = SourceUnavailable("98")
    with pytest.raises(RunIncomplete, match="98"):
        invoke(SCHEDULED)
    assert sum(key.startswith("runs/") and key.endswith(".json") for key in stored()) == 1


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
    counts = result["counts"]
    assert [metrics["Images"], metrics["Pending"]] == [[counts["images"]], [counts["pending"]]]


def test_a_refused_run_counts_as_refused_and_as_no_progress(world, capsys):
    world.errors["albums"] = SourceRetired("retired")
    with pytest.raises(RunRefused):
        invoke({"action": "backup"})
    metrics = metrics_of(capsys)
    assert (metrics["Refused"], metrics["Progress"], metrics["Complete"]) == ([1.0], [0.0], [0.0])


def test_a_run_that_is_refused_before_any_report_counts_as_refused_too(world, capsys):
    invoke({"action": "backup"})
    world.nickname = "somebodyelse"
    before = stored()
    capsys.readouterr()
    with pytest.raises(RunRefused, match="larkfield"):
        invoke({"action": "backup"})
    assert metrics_of(capsys)["Refused"] == [1.0]
    assert stored() == before


def test_an_overflow_that_ends_with_nothing_but_a_video_in_processing_says_so(world, caplog):
    world.upload("harbour", video="")
    run = invoke({"action": "backup"})["run_id"]
    application = handler.application()
    albums = world.albums(deadline=Deadline.none(application.clock))
    report = Archive(application.store).report(run)
    planned = tuple(PlannedAlbum(each, report.albums[each.key]) for each in albums)
    plan = PlannedBatch(planned, report.account)
    write_plan(application.store, run, plan)
    world.upload("harbour")
    caplog.clear()
    with caplog.at_level("INFO", logger="smugmug-backup"):
        for line in plan_lines(plan):
            invoke({"action": "album", "run_id": run, **json.loads(line)})
    assert caplog.messages.count("album done") == 1
    with pytest.raises(RunIncomplete, match=r"0 failures, 1 originals pending.*are pending"):
        invoke({"action": "finish", "run_id": run})


def test_clients_are_kept_while_the_settings_stay_and_made_anew_when_they_change(
    world, monkeypatch
):
    first = handler.application()
    assert handler.application() is first
    monkeypatch.setenv("MAX_CONCURRENCY", "3")
    assert handler.application() is not first


def test_the_reserve_never_eats_more_than_half_of_the_time(world, monkeypatch):
    application = handler.application()
    monkeypatch.setattr(application, "clock", FakeClock())
    deadline = deadline_of(application, Context(seconds=10))
    assert not deadline.passed
    assert deadline.stops_taking - application.clock.monotonic() == 5
