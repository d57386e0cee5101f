"""A stack of an earlier template is updated, and what was changed by hand is told by name.

``earlier-template.yaml`` is the template as it stood before its bucket's policy had a parameter.
"""

import json
from pathlib import Path

import pytest

from tests.stack import deploy
from tests.stack.environment import aws_environment
from tests.tools.cli import Shell

EARLIER = Path(__file__).with_name("earlier-template.yaml")
BY_HAND = {"action": "backup"}


@pytest.fixture(scope="module")
def deployment(deployment_of):
    """A night under the earlier template, an update, and a night under this one."""
    text = EARLIER.read_text(encoding="utf-8")
    with deployment_of(template=text, AlarmEmail="owner@example.org") as deployment:
        first = deployment.invoke(BY_HAND)
        assert first["status"] == "complete"
        before = deployment.stack.objects()
        bucket, api = deployment.stack.bucket, deployment.stack.given("SmugMugApi")
        album = next(iter(deployment.world.account.albums))
        deployment.world.upload(album)
        deploy(deployment.stack.aws, deployment.stack.parameters, name=deployment.stack.name)
        assert deployment.stack.bucket == bucket
        # What an owner once gave, or left as it was, an update leaves as it is.
        assert deployment.stack.given("SmugMugApi") == api == "1.3.0"
        deployment.before = before
        yield deployment


@pytest.fixture
def shell(deployment, capsys, monkeypatch, tmp_path):
    for name, value in aws_environment(deployment.stack.aws.endpoint).items():
        monkeypatch.setenv(name, value)
    return Shell(capsys, monkeypatch, tmp_path)


def policy(deployment):
    s3, bucket = deployment.stack.aws.client("s3"), deployment.stack.bucket
    return json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])


def status(shell, deployment):
    location = f"s3://{deployment.stack.bucket}"
    return shell("status", location, "--stack", deployment.stack.name)


def test_the_night_after_an_update_goes_on_where_the_last_one_ended(deployment, shell):
    ran = shell("start", "--stack", deployment.stack.name, "--json")
    assert ran.status == 0, ran.err
    assert (ran.json["status"], ran.json["counts"]["originals_stored"]) == ("complete", 1)
    now = deployment.stack.objects()
    assert {key: now[key] for key in deployment.before} == deployment.before
    assert deployment.everything_is_there()


def test_an_updated_stack_has_a_bucket_as_the_template_makes_it(deployment, shell):
    said = status(shell, deployment)
    assert "is as the template made it: policy, versioning, public access, lock" in said.out
    assert "alarms go to owner@example.org" in said.out
    sids = {each["Sid"] for each in policy(deployment)["Statement"]}
    assert sids == {"WriteOnce", "TheFunctionOnlyReadsAndAdds"}


def test_a_policy_that_was_lifted_by_hand_is_named(deployment, shell):
    whole = policy(deployment)
    s3, bucket = deployment.stack.aws.client("s3"), deployment.stack.bucket
    lifted = [each for each in whole["Statement"] if each["Sid"] != "WriteOnce"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**whole, "Statement": lifted}))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_public_access_block(Bucket=bucket)
    said = status(shell, deployment).out
    assert (
        "the policy's statement WriteOnce is not there: what is stored can be overwritten" in said
    )
    assert "versioning is Suspended" in said
    assert "the public access block is not whole" in said
    assert "is as the template made it" not in said
