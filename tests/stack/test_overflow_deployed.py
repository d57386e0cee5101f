"""An account that outgrows one invocation, through the real state machine and real workers."""

import json
from collections.abc import Iterator
from hashlib import sha256

import pytest

from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.stack import Stack, deploy, local_aws
from tests.stack.test_deployed import nightly, parameters, wait_until

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def smugmug() -> Iterator[LocalSmugMug]:
    with LocalSmugMug(World(generate_account(seed=8, albums=4, images=15))) as running:
        yield running


@pytest.fixture(scope="module")
def stack(smugmug: LocalSmugMug) -> Iterator[Stack]:
    """A stack whose invocations have a few seconds each."""
    with local_aws() as aws:
        stack = deploy(
            aws,
            parameters(
                smugmug,
                BackupPrefix="photos",
                Timeout="12",
                ReserveSeconds="8",
                MaxConcurrency="1",
                MapConcurrency="2",
            ),
        )
        stack.put_secret(smugmug.world.account.secret())
        yield stack


def _ended(stack: Stack, run_id: str) -> dict:
    def found():
        return [
            each
            for each in stack.executions()
            if each["name"] == run_id and each["status"] != "RUNNING"
        ]

    (execution,) = wait_until(found, 120)
    return execution


def _newest_report(stack: Stack) -> dict:
    return json.loads(stack.read(max(stack.keys("photos/runs/"))))


def _digests(stack: Stack) -> dict[str, str]:
    """SHA-256 of the stored bytes of each image that the newest manifests name."""
    newest = {key.split("/")[2]: key for key in sorted(stack.keys("photos/manifests/"))}
    lines = [
        json.loads(line) for key in newest.values() for line in stack.read(key).splitlines()[1:]
    ]
    return {
        each["image_key"]: sha256(stack.read(f"photos/{each['original']['key']}")).hexdigest()
        for each in lines
        if each["original"]["status"] == "stored"
    }


def _offered(smugmug: LocalSmugMug, *, without: str = "") -> dict[str, str]:
    world = smugmug.world
    return {
        image.key: image.best.sha256
        for album in world.account.albums.values()
        if album.key != without
        for image in world.listed(album)
    }


def test_a_poisoned_album_ends_in_the_report_and_everything_else_is_saved(stack, smugmug):
    poisoned = list(smugmug.world.account.albums)[-1]
    smugmug.latency.photo = 0.15
    fault = smugmug.faults.add("status", status=500, method="images", album=poisoned, times=None)
    try:
        answer = stack.invoke(nightly())
        assert answer.payload["status"] == "continuing", answer.payload
        execution = _ended(stack, answer.payload["run_id"])
    finally:
        smugmug.faults.remove(fault)
        smugmug.latency.photo = 0.0
    assert execution["status"] == "FAILED"
    report = _newest_report(stack)
    assert report["status"] == "incomplete"
    assert report["attempt_of"] == answer.payload["run_id"]
    assert {each["album_key"] for each in report["failures"]} == {poisoned}
    assert _digests(stack) == _offered(smugmug, without=poisoned)


def test_children_leave_nothing_to_gather(stack):
    client = stack.aws.client("stepfunctions")
    execution = stack.executions()[-1]
    history = client.get_execution_history(executionArn=execution["executionArn"])["events"]
    (ended,) = [each for each in history if each["type"] == "MapStateExited"]
    assert json.loads(ended["stateExitedEventDetails"]["output"]) == json.loads(execution["input"])


def test_the_next_night_makes_up_for_it(stack, smugmug):
    answer = stack.invoke(nightly())
    assert answer.payload["status"] == "complete", answer.payload
    assert _digests(stack) == _offered(smugmug)


def test_an_account_that_outgrows_one_invocation_is_finished_by_the_machine(stack, smugmug):
    for album in smugmug.world.account.albums:
        for _ in range(10):
            smugmug.world.upload(album)
    smugmug.latency.photo = 0.2
    try:
        answer = stack.invoke(nightly())
        assert answer.payload["status"] == "continuing", answer.payload
        execution = _ended(stack, answer.payload["run_id"])
    finally:
        smugmug.latency.photo = 0.0
    assert execution["status"] == "SUCCEEDED", execution
    assert json.loads(execution["output"]) == {"status": "complete"}
    assert _newest_report(stack)["status"] == "complete"
    assert _digests(stack) == _offered(smugmug)
