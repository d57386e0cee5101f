"""Who may do what: the bucket's policy judged call by call, the roles right by right."""

import re

import pytest

from tests.stack.policy import Request, decision, s3_write
from tests.stack.template import of_type, resolved, statements

WRITES = (
    "PutObject",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "CopyObject",
)
ROLE = "arn:aws:iam::123456789012:role/smugmug-backup-BackupRole-1A2B3C4D5E6F"

EVERYTHING_ON = {
    "BackupPrefix": "photos",
    "AlarmEmail": "owner@example.org",
    "SecretKmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1234abcd",
}


def _policy(**parameters):
    """The bucket policy's statements, beside one that allows everybody everything."""
    stack = resolved(parameters)
    document = stack["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]
    return [*document["Statement"], {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]


def _object(key="manifests/hT4mWq/00000001.jsonl"):
    return f"<Bucket.Arn>/{key}"


KINDS = (
    "README.txt",
    "README.2.txt",
    "manifests/hT4mWq=12/00000001.jsonl",
    "records/hT4mWq=12/51f7e3a09bd24cc8816e0f42d7a9c350.jsonl",
    "originals/V2xgTbs=11/9c3b1f0a7de24586b1470f3ce2d8a965.jpg",
    "runs/2026/11/20261124T030004Z-5f0c2a91.json",
    "checks/2026/11/20261124T060001Z-0c1d2e3f.json",
    "work/20261124T030004Z-5f0c2a91/plan.jsonl",
    "work/probe.txt",
    "drills/2026/12/20261201T070000Z-1a2b3c4d.json",
    "runs/2026/11/20261124T030004Z-5f0c2a91.html",
)
"""A key of everything that the function writes."""
NOT_THE_FUNCTIONS = (
    "forgotten/V2xgTbs=11.json",  # It would excuse what is missing: the owner's word only.
    "letters.txt",
    "checks",
    "work",
)


@pytest.mark.parametrize("call", WRITES)
def test_a_write_that_says_the_key_must_be_free_is_allowed(call):
    assert decision(_policy(), s3_write(call, _object(), if_none_match=True)) == "Allow"


@pytest.mark.parametrize("call", ["PutObject", "CompleteMultipartUpload", "CopyObject"])
def test_a_write_that_could_overwrite_is_refused_to_everybody(call):
    for who in (ROLE, "arn:aws:iam::123456789012:root"):
        request = s3_write(call, _object(), if_none_match=False, principal=who)
        assert decision(_policy(), request) == "Deny"


@pytest.mark.parametrize("key", [*KINDS, *NOT_THE_FUNCTIONS])
def test_everything_in_the_store_is_written_once(key):
    assert decision(_policy(), s3_write("PutObject", _object(key), if_none_match=True)) == "Allow"
    assert decision(_policy(), s3_write("PutObject", _object(key), if_none_match=False)) == "Deny"


@pytest.mark.parametrize("call", ["CreateMultipartUpload", "UploadPart"])
def test_the_steps_of_an_upload_that_cannot_carry_the_header_are_exempt(call):
    assert decision(_policy(), s3_write(call, _object(), if_none_match=False)) == "Allow"


def test_the_rule_is_for_the_prefix_only():
    policy = _policy(BackupPrefix="photos")
    inside = s3_write("PutObject", _object("photos/README.txt"), if_none_match=False)
    beside = s3_write("PutObject", _object("photos-of-others/x.jpg"), if_none_match=False)
    assert decision(policy, inside) == "Deny"
    assert decision(policy, beside) == "Allow"


@pytest.mark.parametrize("action", ["s3:DeleteObject", "s3:DeleteObjectVersion"])
def test_the_function_deletes_nothing_even_if_its_role_were_allowed_to(action):
    for who in (ROLE, "<BackupRole.Arn>"):
        assert decision(_policy(), Request(action, _object(), who)) == "Deny"
    owner = "arn:aws:iam::123456789012:user/owner"
    assert decision(_policy(), Request(action, _object(), owner)) == "Allow"


@pytest.mark.parametrize(
    "action",
    [
        "s3:PutObjectAnnotation",
        "s3:DeleteObjectAnnotation",
        "s3:UpdateObjectEncryption",
        "s3:RenameObject",
        "s3:PutObjectTagging",
        "s3:PutObjectAcl",
        "s3:PutObjectRetention",
        "s3:BypassGovernanceRetention",
        "s3:ReplicateObject",
        "s3:PutBucketPolicy",
        "s3:PutLifecycleConfiguration",
        "s3:WhateverComesNext",
    ],
)
def test_no_other_way_to_write_is_the_functions_even_if_its_role_were_allowed_to(action):
    for resource in ("<Bucket.Arn>", _object()):
        assert decision(_policy(), Request(action, resource, ROLE)) == "Deny"
        assert decision(_policy(), Request(action, resource)) == "Allow"


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:AbortMultipartUpload"])
def test_what_a_backup_needs_the_policy_leaves_to_the_function(action):
    assert decision(_policy(), Request(action, _object(), ROLE)) == "Allow"
    write = s3_write("PutObject", _object(), if_none_match=True, principal=ROLE)
    assert decision(_policy(), write) == "Allow"
    assert decision(_policy(), Request("s3:ListBucket", "<Bucket.Arn>", ROLE)) == "Allow"


def test_write_once_is_lifted_and_put_back_by_its_parameter_and_nothing_else_with_it():
    strict, lifted = _policy(), _policy(WriteOnce="off")
    assert [each for each in strict if each.get("Sid") != "WriteOnce"] == lifted
    over = s3_write("PutObject", _object(), if_none_match=False)
    assert decision(lifted, over) == "Allow"
    assert decision(lifted, Request("s3:DeleteObject", _object(), ROLE)) == "Deny"


@pytest.mark.parametrize("resource", ["<Bucket.Arn>", "<Bucket.Arn>/README.txt"])
def test_plain_http_is_refused(resource):
    plain = Request("s3:GetObject", resource, context={"aws:SecureTransport": "false"})
    assert decision(_policy(), plain) == "Deny"
    assert decision(_policy(AwsEndpointUrl="http://127.0.0.1:4566"), plain) == "Allow"


def test_a_local_endpoint_changes_nothing_else():
    strict, local = _policy(), _policy(AwsEndpointUrl="http://127.0.0.1:4566")
    assert [each for each in strict if each.get("Sid") != "RefusePlainHttp"] == local


def test_the_write_once_statement_is_the_one_that_was_proven():
    (statement,) = [each for each in _policy() if each.get("Sid") == "WriteOnce"]
    assert statement == {
        "Sid": "WriteOnce",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "<Bucket.Arn>/*",
        "Condition": {
            "Null": {"s3:if-none-match": "true"},
            "Bool": {"s3:ObjectCreationOperation": "true"},
        },
    }


# ---- Roles ----------------------------------------------------------------------------------


def _roles(**parameters):
    return of_type(resolved({**EVERYTHING_ON, **parameters}), "AWS::IAM::Role")


def _rights(role):
    """(action, resource) pairs that a role allows."""
    return {
        (action, resource)
        for statement in statements(role)
        for action in _list(statement["Action"])
        for resource in _list(statement["Resource"])
    }


def _list(value):
    return [value] if isinstance(value, str) else value


def test_there_is_one_role_each_for_function_schedules_and_machine():
    roles = _roles()
    assert set(roles) == {"BackupRole", "SchedulesRole", "OverflowRole"}
    for role in roles.values():
        assert "ManagedPolicyArns" not in role
        assert "RoleName" not in role


def test_nothing_else_in_the_stack_gives_rights():
    stack = resolved(EVERYTHING_ON)
    kinds = {each["Type"] for each in stack["Resources"].values()}
    assert not {kind for kind in kinds if kind.startswith("AWS::IAM::")} - {"AWS::IAM::Role"}
    assert "AWS::Lambda::Permission" not in kinds


@pytest.mark.parametrize("name", ["BackupRole", "SchedulesRole", "OverflowRole"])
def test_each_statement_says_why_and_names_its_actions_and_resources(name):
    role = _roles()[name]
    assert statements(role)
    for statement in (*statements(role), *role["AssumeRolePolicyDocument"]["Statement"]):
        assert re.fullmatch(r"[A-Z][A-Za-z]{8,}", statement["Sid"])
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement)
    for action, resource in _rights(role):
        assert re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action), f"{action} is a wildcard"
        assert resource != "*"
        # An ARN with all its parts, or a resource of this stack.
        assert re.match(r"<\w+(\.Arn)?>$|arn:aws:[a-z0-9]+:[a-z0-9-]*:\d*:[^*?]", resource), (
            resource
        )


@pytest.mark.parametrize("name", ["BackupRole", "SchedulesRole", "OverflowRole"])
def test_no_role_may_delete_or_change_policies(name):
    suspicious = re.compile(r"Delete|Remove|Purge|Put\w*Policy|Policy$|Bypass|PassRole|^iam:")
    found = {action for action, _ in _rights(_roles()[name]) if suspicious.search(action)}
    # The record of a delivery whose run failed, so that its retry is not taken for a duplicate.
    assert found - {"dynamodb:DeleteItem"} == set()


def test_statements_of_a_role_have_names_of_their_own():
    for role in _roles().values():
        for policy in role["Policies"]:
            sids = [each["Sid"] for each in policy["PolicyDocument"]["Statement"]]
            assert len(sids) == len(set(sids))


_FOLDERS = ("README.*", "records/*", "originals/*", "manifests/*", "runs/*")


def test_the_function_may_do_exactly_this():
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:smugmug-backup-overflow"
    parameter = "arn:aws:ssm:us-east-1:123456789012:parameter/smugmug-backup/secret"
    table = "<IdempotencyTable.Arn>"
    store, writing = "arn:aws:s3:::<Bucket>/photos", ("s3:PutObject", "s3:AbortMultipartUpload")
    assert _rights(_roles()["BackupRole"]) == {
        ("s3:GetObject", "arn:aws:s3:::<Bucket>/photos/*"),
        *((action, f"{store}/{each}") for action in writing for each in (*_FOLDERS, "work/*")),
        ("s3:PutObject", f"{store}/checks/*"),
        ("s3:PutObject", f"{store}/drills/*"),
        ("s3:ListBucket", "arn:aws:s3:::<Bucket>"),
        ("ssm:GetParameter", parameter),
        ("kms:Decrypt", EVERYTHING_ON["SecretKmsKeyArn"]),
        ("dynamodb:GetItem", table),
        ("dynamodb:PutItem", table),
        ("dynamodb:UpdateItem", table),
        ("dynamodb:DeleteItem", table),
        ("logs:CreateLogStream", "<LogGroup.Arn>"),
        ("logs:PutLogEvents", "<LogGroup.Arn>"),
        ("sqs:SendMessage", "<FailedRuns.Arn>"),
        ("sns:Publish", "<AlertTopic>"),
        ("states:StartExecution", machine),
        ("states:ListExecutions", machine),
    }


@pytest.mark.parametrize("prefix", ["", "photos"])
def test_the_function_writes_what_a_backup_and_a_check_write_and_nothing_else(prefix):
    role = of_type(resolved({"BackupPrefix": prefix}), "AWS::IAM::Role")["BackupRole"]
    stored = [each for each in statements(role) if _list(each["Action"])[0].startswith("s3:")]

    def writing(key):
        resource = f"arn:aws:s3:::<Bucket>/{prefix}{'/' if prefix else ''}{key}"
        return decision(stored, s3_write("PutObject", resource, if_none_match=True, principal=ROLE))

    assert {key: writing(key) for key in KINDS} == dict.fromkeys(KINDS, "Allow")
    assert {key: writing(key) for key in NOT_THE_FUNCTIONS} == dict.fromkeys(
        NOT_THE_FUNCTIONS, "nothing"
    )


def test_schedules_may_start_the_function_and_keep_what_was_not_delivered():
    assert _rights(_roles()["SchedulesRole"]) == {
        ("lambda:InvokeFunction", "<BackupFunction.Arn>"),
        ("sqs:SendMessage", "<UndeliveredSchedules.Arn>"),
    }


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("BackupRole", "lambda.amazonaws.com"),
        ("SchedulesRole", "scheduler.amazonaws.com"),
        ("OverflowRole", "states.amazonaws.com"),
    ],
)
def test_each_role_is_for_one_service_of_this_account(name, service):
    (statement,) = _roles()[name]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": service}
    assert statement["Action"] == "sts:AssumeRole"
    # Of the function only where it is said: one that could not start would be worse.
    operator = "StringEqualsIfExists" if name == "BackupRole" else "StringEquals"
    assert statement["Condition"] == {operator: {"aws:SourceAccount": "123456789012"}}


@pytest.mark.parametrize("name", ["BackupRole", "OverflowRole"])
def test_a_bucket_of_another_account_is_neither_read_nor_written(name):
    bucket = [each for each in statements(_roles()[name]) if "s3:" in str(each["Action"])]
    assert bucket
    for each in bucket:
        resource = _list(each["Resource"])[0].replace("*", "x")
        (action, *_) = _list(each["Action"])
        for account, verdict in (("123456789012", "Allow"), ("999999999999", "nothing")):
            context = {"aws:ResourceAccount": account, "s3:prefix": "photos/x"}
            assert decision([each], Request(action, resource, ROLE, context)) == verdict


def _listing(**parameters):
    """The function's own right to list, as a policy's statements."""
    role = of_type(resolved(parameters), "AWS::IAM::Role")["BackupRole"]
    return [each for each in statements(role) if "s3:ListBucket" in _list(each["Action"])]


def test_only_the_prefix_is_listed():
    def asking(**context):
        return Request("s3:ListBucket", "arn:aws:s3:::<Bucket>", context=context)

    listing = _listing(BackupPrefix="photos")
    assert decision(listing, asking(**{"s3:prefix": "photos/manifests/"})) == "Allow"
    assert decision(listing, asking(**{"s3:prefix": "letters/"})) == "nothing"
    # A HEAD of a missing key: answered 404 only to somebody who may list.
    assert decision(listing, asking()) == "Allow"


def test_without_a_prefix_the_whole_bucket_is_the_backup():
    roles = of_type(resolved(), "AWS::IAM::Role")
    rights = _rights(roles["BackupRole"])
    store = "arn:aws:s3:::<Bucket>/"
    assert ("s3:GetObject", f"{store}*") in rights
    assert ("s3:PutObject", f"{store}checks/*") in rights
    assert ("s3:GetObject", f"{store}work/*") in _rights(roles["OverflowRole"])


def test_an_existing_bucket_is_all_that_is_reached():
    for role in _roles(ExistingBucket="photos-of-larkfield").values():
        buckets = {resource for action, resource in _rights(role) if action.startswith("s3:")}
        assert all(each.startswith("arn:aws:s3:::photos-of-larkfield") for each in buckets)


@pytest.mark.parametrize(
    ("store", "right"),
    [
        (
            "ssm",
            ("ssm:GetParameter", "arn:aws:ssm:us-east-1:123456789012:parameter/larkfield/smugmug"),
        ),
        (
            "secretsmanager",
            (
                "secretsmanager:GetSecretValue",
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:/larkfield/smugmug-??????",
            ),
        ),
    ],
)
def test_one_secret_is_read_from_where_it_lies(store, right):
    stack = resolved({"SecretStore": store, "SecretName": "/larkfield/smugmug"})
    rights = _rights(of_type(stack, "AWS::IAM::Role")["BackupRole"])
    reading = {each for each in rights if each[0].startswith(("ssm:", "secretsmanager:", "kms:"))}
    assert reading == {right}
    function = stack["Resources"]["BackupFunction"]["Properties"]
    secret = function["Environment"]["Variables"]["SMUGMUG_SECRET"]
    assert secret == f"{store}:/larkfield/smugmug"


def test_a_key_of_the_owners_is_used_for_the_secret_only():
    for store in ("ssm", "secretsmanager"):
        (statement,) = [
            each
            for each in statements(_roles(SecretStore=store)["BackupRole"])
            if each["Action"] == "kms:Decrypt"
        ]
        via = {"kms:ViaService": f"{store}.us-east-1.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": via}


def test_what_the_evaluator_does_not_know_is_an_error():
    odd = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"x": "y"}}}
    with pytest.raises(AssertionError, match="IpAddress"):
        decision([odd], Request("s3:GetObject", "x", context={"x": "z"}))
