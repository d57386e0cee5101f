"""The deployed stack in a local AWS that enforces its roles: what works, and how it fails."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.stack import LocalAws, Stack, deploy, deployed, local_aws

pytestmark = pytest.mark.stack

_minutes = count()


def parameters(smugmug: LocalSmugMug, **more: str) -> dict[str, str]:
    """What a stack needs to back up the local SmugMug."""
    return {
        "SmugMugNickname": smugmug.world.account.nickname,
        "SmugMugApiUrl": smugmug.url,
        "SmugMugPhotoHosts": "127.0.0.1",
        "MaxCallsPerSecond": "1000",
        **more,
    }


def nightly() -> dict[str, Any]:
    """A schedule's delivery, each time another one."""
    at = datetime(2026, 11, 1, 3, tzinfo=UTC) + timedelta(minutes=next(_minutes))
    return {
        "action": "backup",
        "schedule_arn": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/Nightly",
        "scheduled_time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def wait_until(holds: Any, seconds: float = 60) -> Any:
    """What ``holds()`` gives, as soon as it is true."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)
    return found


@dataclass
class Night:
    """A deployed stack beside the SmugMug that it backs up."""

    aws: LocalAws
    stack: Stack
    smugmug: LocalSmugMug

    @property
    def album(self) -> str:
        """An album to upload into."""
        return next(iter(self.smugmug.world.account.albums))

    def report(self, run_id: str) -> dict[str, Any]:
        """A run's report."""
        (key,) = [each for each in self.stack.keys("photos/runs/") if run_id in each]
        found: dict[str, Any] = json.loads(self.stack.read(key))
        return found


@pytest.fixture(scope="module")
def smugmug() -> Iterator[LocalSmugMug]:
    with LocalSmugMug(World(generate_account(seed=6, albums=3, images=4))) as running:
        yield running


@pytest.fixture(scope="module")
def home() -> Iterator[LocalAws]:
    """A local AWS whose retries of failed invocations come at once."""
    with local_aws(settings={"LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1"}) as running:
        yield running


@pytest.fixture(scope="module")
def night(home: LocalAws, smugmug: LocalSmugMug) -> Night:
    soon = datetime.now(UTC) + timedelta(seconds=25)
    stack = deploy(
        home,
        parameters(
            smugmug, BackupPrefix="photos", CheckExpression=soon.strftime("at(%Y-%m-%dT%H:%M:%S)")
        ),
    )
    stack.put_secret(smugmug.world.account.secret())
    return Night(home, stack, smugmug)


def test_a_night_is_complete_with_exactly_the_roles_rights(night):
    answer = night.stack.invoke(nightly())
    assert answer.error is None, answer.payload
    assert answer.payload["status"] == "complete"
    assert night.report(answer.payload["run_id"])["counts"]["originals_stored"] == 12
    assert all(key.startswith("photos/") for key in night.stack.keys(""))


def test_a_second_delivery_of_the_same_schedule_is_recognised(night):
    event = nightly()
    first = night.stack.invoke(event).payload
    keys = night.stack.keys()
    assert night.stack.invoke(event).payload == {**first, "duplicate": True}
    assert night.stack.keys() == keys


@pytest.mark.parametrize(
    "action",
    [
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
        "ssm:GetParameter",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "states:ListExecutions",
    ],
)
def test_a_missing_right_is_named_and_the_next_night_makes_up_for_it(night, action):
    night.smugmug.world.upload(night.album)
    with night.stack.without("BackupRole", action):
        answer = night.stack.invoke(nightly())
    assert answer.error is not None
    assert action.removeprefix("dynamodb:") in answer.payload["errorMessage"]
    answer = night.stack.invoke(nightly())
    assert answer.error is None, answer.payload
    assert answer.payload["status"] == "complete"
    assert answer.payload["counts"]["images"] == _shown(night.smugmug)


def test_without_the_right_to_forget_a_failed_delivery_the_run_says_so(night):
    night.smugmug.world.upload(night.album)
    fault = night.smugmug.faults.add("status", status=500, method="images", times=None)
    try:
        with night.stack.without("BackupRole", "dynamodb:DeleteItem"):
            answer = night.stack.invoke(nightly())
    finally:
        night.smugmug.faults.remove(fault)
    assert "DeleteItem" in answer.payload["errorMessage"]


def test_a_missing_secret_is_named(night):
    ssm = night.aws.client("ssm")
    ssm.delete_parameter(Name="/smugmug-backup/secret")
    try:
        answer = night.stack.invoke(nightly())
    finally:
        night.stack.put_secret(night.smugmug.world.account.secret())
    assert "/smugmug-backup/secret" in answer.payload["errorMessage"]


def test_a_run_that_fails_for_good_lies_in_the_failure_queue(night):
    night.stack.queue("FailedRuns")
    event = {"action": "nonsense"}
    night.stack.invoke_async(event)
    (message,) = wait_until(lambda: night.stack.queue("FailedRuns"))
    assert message["requestPayload"] == event
    assert message["requestContext"]["condition"] == "RetriesExhausted"
    assert message["requestContext"]["approximateInvokeCount"] == 3
    assert "action" in message["responsePayload"]["errorMessage"]


def test_a_schedule_reaches_the_function(night):
    wait_until(
        lambda: [each for each in night.stack.logs() if each.get("message") == "check ended"]
    )


def test_the_log_is_in_the_stacks_own_group_and_tells_no_secret(night):
    text = "\n".join(night.stack.log_lines())
    assert "run ended" in text
    for secret in night.smugmug.world.account.secret_texts():
        assert secret not in text


def test_the_sign_of_life_is_sent_to_the_topic(night):
    answer = night.stack.invoke({"action": "sign_of_life"})
    assert answer.error is None, answer.payload
    assert answer.payload["status"] == "sent"


def test_a_new_stack_attaches_to_what_a_removed_one_left(home, smugmug):
    given = parameters(smugmug, BackupPrefix="photos", SecretName="/other/secret")
    first = deploy(home, given, name="first")
    first.put_secret(smugmug.world.account.secret())
    assert first.invoke({"action": "backup"}).payload["status"] == "complete"
    bucket, before = first.bucket, first.keys()
    first.delete()
    s3 = home.client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert "WriteOnce" in [each["Sid"] for each in policy["Statement"]]
    attached = {**given, "ExistingBucket": bucket, "Overflow": "off"}
    with deployed(home, attached, name="second") as second:
        answer = second.invoke({"action": "backup"})
        assert answer.error is None, answer.payload
        assert answer.payload["status"] == "complete"
        assert answer.payload["counts"]["originals_stored"] == 0
        assert second.bucket == bucket
        assert set(before) < set(second.keys())
        assert "StateMachineArn" not in second.outputs
    assert set(before) < {
        each["Key"] for each in s3.list_objects_v2(Bucket=bucket, MaxKeys=1000)["Contents"]
    }


def _shown(smugmug: LocalSmugMug) -> int:
    world = smugmug.world
    return sum(len(world.listed(album)) for album in world.account.albums.values())
