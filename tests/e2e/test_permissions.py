"""The function works with exactly its rights, and names the one that was taken away."""

import json
from contextlib import contextmanager

import pytest

from tests.stack.environment import ROOT

SCHEDULED = json.loads((ROOT / "events/schedule.json").read_text(encoding="utf-8"))
BY_HAND = {"action": "backup"}
CHECK = {"action": "check", "read_data": "all"}

# No night without one of these; the message has to name it.
NEEDED = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "ssm:GetParameter",
    "states:ListExecutions",
)
# Of the guard against double deliveries: a scheduled night is made without it, and says so.
GUARD = ("dynamodb:PutItem", "dynamodb:UpdateItem")
# Used by AWS on the function's behalf, or only when something failed; no run stops without them.
SILENT = {
    "s3:AbortMultipartUpload": "the lifecycle rule sweeps what could not be aborted",
    "dynamodb:GetItem": "needed where a refused put does not tell the item that is there",
    "dynamodb:DeleteItem": "needed when a run failed",
    "sns:Publish": "the local AWS does not judge it; a unit test does",
    "logs:CreateLogStream": "Lambda writes the log",
    "logs:PutLogEvents": "Lambda writes the log",
    "sqs:SendMessage": "Lambda sends to the failure queue",
    "states:StartExecution": "needed when time runs out",
    "states:DescribeExecution": "needed when time runs out",
    "kms:Decrypt": "only for a key of the owner's",
}


@pytest.fixture(scope="module")
def deployment(deployment_of):
    with deployment_of() as deployment:
        deployment.invoke(BY_HAND)
        yield deployment


def policies(deployment):
    """Policy name to document of the function's role."""
    iam, role = deployment.stack.aws.client("iam"), deployment.stack.resources["BackupRole"]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    found = {}
    for name in names:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        found[name] = json.loads(document) if isinstance(document, str) else document
    return found


def put(deployment, name, document):
    iam, role = deployment.stack.aws.client("iam"), deployment.stack.resources["BackupRole"]
    if not document["Statement"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
        return
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def actions(statement):
    found = statement["Action"]
    return [found] if isinstance(found, str) else list(found)


def without(document, *, action, sid):
    """The document without one action, or one statement."""
    statements = []
    for statement in document["Statement"]:
        kept = [each for each in actions(statement) if each != action]
        if len(kept) == len(actions(statement)) and statement["Sid"] != sid:
            statements.append(statement)
        elif kept and statement["Sid"] != sid:
            statements.append({**statement, "Action": kept})
    return {**document, "Statement": statements}


def test_every_permission_is_accounted_for(deployment):
    granted = {
        action
        for document in policies(deployment).values()
        for statement in document["Statement"]
        for action in actions(statement)
    }
    assert granted <= {*NEEDED, *GUARD, *SILENT}
    assert {*NEEDED, *GUARD} <= granted


@contextmanager
def role_without(deployment, action=None, sid=None):
    """The function's role without one action, or one statement, in all of its policies."""
    whole = policies(deployment)
    changed = {
        name: document
        for name, each in whole.items()
        if (document := without(each, action=action, sid=sid)) != each
    }
    assert changed
    try:
        for name, document in changed.items():
            put(deployment, name, document)
        yield
    finally:
        for name in changed:
            put(deployment, name, whole[name])


def test_a_check_that_may_not_write_its_report_says_so_and_stops_no_night(deployment):
    with role_without(deployment, sid="WriteDownWhatACheckFound"):
        before = deployment.stack.keys()
        checked = deployment.invoke(CHECK)
        assert (checked["status"], checked["report"]) == ("sound", None)
        assert deployment.stack.keys() == before
        (line,) = [
            each
            for each in deployment.stack.logs()
            if each.get("message") == "check report not stored"
        ]
        assert "s3:PutObject" in line["reason"]
        assert deployment.invoke(BY_HAND)["status"] == "complete"
    report = deployment.invoke(CHECK)["report"]
    assert deployment.stack.keys("checks/")[-1] == report
    deployment.sound()


def test_a_check_needs_no_right_but_its_own_to_write(deployment):
    with role_without(deployment, sid="AddToTheBackup"):
        assert deployment.invoke(CHECK)["report"] in deployment.stack.keys("checks/")
        assert "s3:PutObject" in deployment.refused(BY_HAND)


@pytest.mark.parametrize("action", NEEDED)
def test_a_permission_that_is_taken_away_is_named_and_nothing_is_lost(deployment, action):
    deployment.world.upload(next(iter(deployment.world.account.albums)))
    with role_without(deployment, action):
        message = deployment.refused(BY_HAND)
    assert action in message
    assert "\n" not in message
    assert deployment.invoke(BY_HAND)["status"] == "complete"
    assert deployment.everything_is_there()


@pytest.mark.parametrize("action", GUARD)
def test_a_scheduled_night_that_may_not_ask_its_guard_is_made_and_says_so(deployment, action):
    deployment.world.upload(next(iter(deployment.world.account.albums)))
    with role_without(deployment, action):
        result = deployment.invoke(SCHEDULED | {"schedule_arn": f"arn:{action}"})
    assert (result["status"], result["duplicate"]) == ("complete", False)
    (note,) = deployment.reports()[-1]["notes"]
    assert "guard against double deliveries" in note
    assert "guard down" in {line.get("message") for line in deployment.stack.logs()}
    assert deployment.everything_is_there()
