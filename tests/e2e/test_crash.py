"""A scheduled run whose process dies is done by a retry, or heard of: never taken for done.

The function runs under the true Lambda runtime client, a process for each sandbox, over the table,
the bucket and the secret of a local AWS. That one answers for Lambda's retries: the same event
under the same request id, one and two minutes after the attempt that died. What follows from an
error (the failure destination, and the alarm over it) no local AWS does; the template is asked.
"""

import json
import re
import time

import pytest

from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.stack.environment import aws_environment
from tests.stack.template import of_type, resolved
from tests.tools.independent_reader import assert_sound
from tests.tools.patience import HANG, until
from tests.tools.runtime_api import Runtime

SCHEDULED = {
    "action": "backup",
    "schedule_arn": "arn:aws:scheduler:us-east-1:000000000000:schedule/default/nightly",
    "scheduled_time": "2026-11-24T03:00:00Z",
}
BUCKET = TABLE = "crash"
SECRET = "/crash/secret"
SECONDS = 3600.0


@pytest.fixture
def smugmug(aws):
    world = World(generate_account(seed=3, albums=2, images=2))
    aws.client("s3").create_bucket(Bucket=BUCKET)
    aws.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    aws.client("ssm").put_parameter(
        Name=SECRET, Value=json.dumps(world.account.secret()), Type="SecureString"
    )
    with LocalSmugMug(world) as smugmug:
        yield smugmug


def sandbox(runtime, aws, smugmug):
    """A process that is ready for its first event: its start is not on the run's time."""
    process = runtime.start(
        {
            **aws_environment(aws.endpoint),
            "BACKUP_BUCKET": BUCKET,
            "IDEMPOTENCY_TABLE": TABLE,
            "SMUGMUG_SECRET": f"ssm:{SECRET}",
            "SMUGMUG_API_URL": smugmug.url,
            "SMUGMUG_PHOTO_HOSTS": "127.0.0.1",
        }
    )
    runtime.asked.get(timeout=HANG)
    return process


def stored(aws):
    s3 = aws.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]
    return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def reports(aws):
    found = stored(aws).items()
    return [json.loads(body) for key, body in found if re.match(r"runs/.*\.json", key)]


def let_its_time_pass(aws):
    """The attempt that died began as long ago as its time limit lasts."""
    dynamodb = aws.client("dynamodb")
    (item,) = dynamodb.scan(TableName=TABLE)["Items"]
    assert float(item["in_progress_expiration"]["N"]) > 1000 * time.time()
    dynamodb.update_item(
        TableName=TABLE,
        Key={"id": item["id"]},
        UpdateExpression="SET in_progress_expiration = :over",
        ExpressionAttributeValues={":over": {"N": str(int(1000 * time.time()) - 1000)}},
    )


def test_a_scheduled_run_that_was_killed_is_an_error_and_then_done_by_lambdas_retries(aws, smugmug):
    # Two sandboxes, both ready: how long a start takes must not decide what is seen.
    with Runtime() as dying, Runtime() as runtime:
        smugmug.latency.photo = SECONDS
        first = sandbox(dying, aws, smugmug)
        sandbox(runtime, aws, smugmug)
        dying.hand_out(SCHEDULED, request_id="the-same", seconds=SECONDS)
        until(lambda: smugmug.calls.photos)
        # Out of memory: Lambda kills the process, and nothing of ours has a last word.
        first.kill()
        first.wait()
        smugmug.latency.photo = 0.0
        assert dying.silent
        assert not reports(aws)

        # A retry while the first attempt's time limit lasts must not be answered: an answer is
        # success to Lambda, and would end the retries.
        runtime.hand_out(SCHEDULED, request_id="the-same", seconds=SECONDS)
        answer = runtime.answer()
        assert answer.error == "StillInProgress", answer.payload
        # Another delivery of the same schedule is told that the run goes on: it is no retry.
        runtime.hand_out(SCHEDULED, request_id="another", seconds=SECONDS)
        answer = runtime.answer()
        assert answer.error is None
        assert (answer.payload["status"], answer.payload["duplicate"]) == ("continuing", True)
        assert not reports(aws)

        # The next retry, once that limit is over, makes the run.
        let_its_time_pass(aws)
        runtime.hand_out(SCHEDULED, request_id="the-same")
        answer = runtime.answer()
        assert answer.error is None, answer.payload
        assert (answer.payload["status"], answer.payload["duplicate"]) == ("complete", False)
    (report,) = reports(aws)
    assert report["trigger"].endswith(SCHEDULED["scheduled_time"])
    assert report["counts"]["images"] == 4
    assert_sound(stored(aws))


def test_what_stays_an_error_reaches_the_failure_destination_and_its_alarm():
    stack = resolved()
    (config,) = of_type(stack, "AWS::Lambda::EventInvokeConfig").values()
    assert config["MaximumRetryAttempts"] == 2
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == "<FailedRuns.Arn>"
    alarm = of_type(stack, "AWS::CloudWatch::Alarm")["RetriesExhaustedAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "NumberOfMessagesSent")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "<FailedRuns.QueueName>"}]
    assert alarm["AlarmActions"] == ["<AlertTopic>"]
    assert float(alarm["Threshold"]) == 1
