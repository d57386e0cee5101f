"""What reaches the deployed function by itself, and where it ends when it fails for good."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.stack import Stack, deploy, local_aws
from tests.tools.patience import until

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack whose check is due soon, in an AWS that retries failed invocations at once."""
    with local_aws(settings={"LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1"}) as aws:
        soon = datetime.now(UTC) + timedelta(seconds=20)
        expression = soon.strftime("at(%Y-%m-%dT%H:%M:%S)")
        yield deploy(aws, {"CheckExpression": expression, "BackupPrefix": "photos"})


def test_an_invocation_that_fails_three_times_lies_in_the_failure_queue(stack):
    event = {"action": "nonsense"}
    stack.invoke_async(event)
    (message,) = until(lambda: stack.queue("FailedRuns"))
    assert message["requestPayload"] == event
    assert message["requestContext"]["condition"] == "RetriesExhausted"
    assert message["requestContext"]["approximateInvokeCount"] == 3
    assert "action" in message["responsePayload"]["errorMessage"]


def test_a_schedule_reaches_the_function_with_its_input(stack):
    (line,) = until(lambda: [each for each in stack.logs() if "not_checked" in each])
    assert line["message"] == "check ended"
    assert line["status"] == "sound"


def test_the_log_lies_in_the_stacks_own_group(stack):
    groups = stack.aws.client("logs").describe_log_groups()["logGroups"]
    assert stack.outputs["LogGroupName"] in {each["logGroupName"] for each in groups}
    assert stack.log_lines()


def test_what_was_started_is_stopped_and_leaves_nothing():
    with local_aws() as aws:
        process, scratch = aws.process, aws.log.parent
    assert process.poll() is not None
    assert not scratch.exists()
