"""The function works with exactly its rights, and names the one that was taken away."""

import json

import pytest

from tests.stack.environment import ROOT

SCHEDULED = json.loads((ROOT / "events/schedule.json").read_text(encoding="utf-8"))
BY_HAND = {"action": "backup"}

# What each permission is first needed for, and what the message has to name.
NEEDED_FOR = {
    "s3:GetObject": (BY_HAND, "s3:GetObject"),
    "s3:PutObject": (BY_HAND, "s3:PutObject"),
    "s3:ListBucket": (BY_HAND, "s3:ListBucket"),
    "ssm:GetParameter": (BY_HAND, "ssm:GetParameter"),
    "dynamodb:PutItem": (SCHEDULED, "dynamodb:"),
    "dynamodb:UpdateItem": (SCHEDULED, "dynamodb:"),
    "states:ListExecutions": (BY_HAND, "states:ListExecutions"),
}
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


def without(document, action):
    """The document without one action, None if it does not grant it."""
    statements = []
    for statement in document["Statement"]:
        kept = [each for each in actions(statement) if each != action]
        if kept:
            statements.append({**statement, "Action": kept})
    before = sum(len(actions(each)) for each in document["Statement"])
    if sum(len(each["Action"]) for each in statements) == before:
        return None
    return {**document, "Statement": statements}


def test_every_permission_is_accounted_for(deployment):
    granted = {
        action
        for document in policies(deployment).values()
        for statement in document["Statement"]
        for action in actions(statement)
    }
    assert granted <= NEEDED_FOR.keys() | SILENT.keys()
    assert NEEDED_FOR.keys() <= granted


@pytest.mark.parametrize("action", NEEDED_FOR)
def test_a_permission_that_is_taken_away_is_named_and_nothing_is_lost(deployment, action):
    event, names = NEEDED_FOR[action]
    if event is SCHEDULED:
        event = event | {"schedule_arn": f"arn:{action}"}
    album = next(iter(deployment.world.account.albums))
    deployment.world.upload(album)
    whole = policies(deployment)
    changed = {n: d for n, document in whole.items() if (d := without(document, action))}
    assert changed
    try:
        for name, document in changed.items():
            put(deployment, name, document)
        message = deployment.refused(event)
    finally:
        for name in changed:
            put(deployment, name, whole[name])
    assert names in message
    assert "\n" not in message
    assert deployment.invoke(BY_HAND)["status"] == "complete"
    assert deployment.everything_is_there()
