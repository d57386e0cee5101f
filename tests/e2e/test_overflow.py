"""An account that outgrows one invocation, through the real state machine and real workers."""

import json

import pytest

from tests.local_smugmug import generate_account
from tests.tools.patience import until

SHORT = {"Timeout": "40", "ReserveSeconds": "20", "MapConcurrency": "3"}
SHORT |= {"MaxConcurrency": "1", "MaxDownloads": "1"}


def outlast_an_invocation(deployment):
    """Of all photos that are asked for the ninth comes too late for whoever asked, however fast
    that was; no other does."""
    deployment.smugmug.faults.add("slow", on="photo", after=8, seconds=600)


def ended_execution(deployment, run: str):
    """The execution of a run's overflow, once it has ended."""

    def ended():
        found = deployment.stack.executions()
        return [each for each in found if each["name"] == run and each["status"] != "RUNNING"]

    return until(ended)[0]


@pytest.fixture
def slow(deployment_of):
    """An account that outgrows its first invocation."""
    account = generate_account(seed=11, albums=10, images=6)
    with deployment_of(account, **SHORT) as deployment:
        outlast_an_invocation(deployment)
        yield deployment


def test_an_account_that_outgrows_one_invocation_is_finished_by_the_machine(slow):
    first = slow.invoke({"action": "backup"})
    assert first["status"] == "continuing"
    execution = ended_execution(slow, first["run_id"])
    assert execution["status"] == "SUCCEEDED", execution
    last = slow.reports()[-1]
    assert (last["status"], last["attempt_of"]) == ("complete", first["run_id"])
    assert last["counts"]["images"] == 60
    assert slow.everything_is_there()
    # The plan and each turn's outcome are what the format says, every album has had its turn, and
    # no note of them is part of what is proved.
    reading = slow.sound()
    noted = [each for each in reading.files.values() if each.kind in ("plan", "outcome")]
    assert {each.key.split("/")[1] for each in noted} == {first["run_id"]}
    planned = {
        entry["album"]["key"]
        for each in noted
        if each.kind == "plan"
        for line in slow.stack.read(each.key).splitlines()
        for entry in json.loads(line)["albums"]
    }
    assert planned
    turned = {each.match[2].split("=")[0] for each in noted if each.kind == "outcome"}
    assert turned == planned
    beside = {key for key in set(reading.files) - reading.proved if not key.endswith(".html")}
    assert {each.key for each in noted} | {"work/probe.txt"} == beside
    assert json.loads(execution["input"]) == {"run_id": first["run_id"]}
    assert len(execution["output"]) < 1_000
    assert slow.invoke({"action": "backup"})["status"] == "complete"


def test_a_poisoned_album_ends_in_the_report_and_fails_the_execution(slow):
    poisoned = list(slow.world.account.albums)[-1]
    slow.smugmug.faults.add("code", code=5, method="images", album=poisoned, times=None)
    first = slow.invoke({"action": "backup"})
    assert first["status"] == "continuing"
    execution = ended_execution(slow, first["run_id"])
    assert execution["status"] == "FAILED"
    last = slow.reports()[-1]
    assert last["status"] == "incomplete"
    assert {failure["album_key"] for failure in last["failures"]} == {poisoned}


def test_without_overflow_the_work_waits_for_the_next_schedule(deployment_of):
    account = generate_account(seed=12, albums=6, images=5)
    with deployment_of(account, **SHORT, Overflow="off") as deployment:
        outlast_an_invocation(deployment)
        assert "StateMachineArn" not in deployment.stack.outputs
        statuses = [deployment.invoke({"action": "backup"})["status"] for _ in range(2)]
        assert statuses == ["continuing", "complete"]
        assert deployment.everything_is_there()
