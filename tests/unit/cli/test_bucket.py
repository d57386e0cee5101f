"""What is told of a stack's bucket as it is: each thing that differs from the template, by name."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from smugmug_backup.aws.errors import AwsError
from smugmug_backup.cli import bucket
from smugmug_backup.cli.bucket import Found, Wanted, differences, look_at, looked, obstacles
from tests.stack.template import resolved
from tests.tools.local_s3 import set_environment

ACCOUNT = "123456789012"
WHOLE = dict.fromkeys(
    ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
)


def wanted(**changes):
    given = {
        "name": "photos",
        "region": "us-east-1",
        "account": ACCOUNT,
        "partition": "aws",
        "role": f"arn:aws:iam::{ACCOUNT}:role/smugmug-backup-BackupRole-1A2B",
        "stack": "smugmug-backup",
    }
    return Wanted(**{**given, **changes})


def found(stack=None, **changes):
    """The bucket as the template makes it, but for ``changes``."""
    statements = list(bucket.wanted_statements(stack or wanted()).values())
    given = {
        "region": "us-east-1",
        "statements": statements,
        "versioning": "Enabled",
        "lock": {},
        "blocks": WHOLE,
    }
    return Found(**{**given, **changes})


def without(sid):
    return [each for each in found().statements if each["Sid"] != sid]


# -- the template and the look are the same ---------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "changes"),
    [
        ({}, {}),
        ({"BackupPrefix": "photos/smugmug"}, {"prefix": "photos/smugmug"}),
        ({"WriteOnce": "off"}, {"write_once": False}),
        ({"AwsEndpointUrl": "http://127.0.0.1:4566"}, {"local": True}),
    ],
)
def test_what_is_looked_for_is_what_the_template_makes(parameters, changes):
    stack = resolved(parameters)
    document = json.dumps(stack["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"])
    own = wanted(**changes)
    made = document.replace("<Bucket.Arn>", "arn:aws:s3:::photos")
    statements = json.loads(made.replace("<BackupRole.Arn>", own.role))["Statement"]
    assert [*differences(own, found(own, statements=statements))] == []
    assert {each["Sid"] for each in statements} == set(bucket.wanted_statements(own))


def test_object_lock_and_public_access_are_looked_for_as_the_template_makes_them():
    stack = resolved({"ObjectLockMode": "GOVERNANCE", "ObjectLockDays": "400"})
    made = stack["Resources"]["Bucket"]["Properties"]
    lock = made["ObjectLockConfiguration"]
    lock["Rule"]["DefaultRetention"]["Days"] = 400
    own = wanted(lock_mode="GOVERNANCE", lock_days=400)
    blocks = made["PublicAccessBlockConfiguration"]
    seen = found(versioning=made["VersioningConfiguration"]["Status"], lock=lock, blocks=blocks)
    assert [*differences(own, seen)] == []


# -- row by row -------------------------------------------------------------------------------


def test_a_bucket_as_it_was_made_is_one_good_line():
    ((line, good),) = looked(wanted(), found())
    assert good and line.startswith("the bucket photos is as the template made it")


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (
            found(statements=without("WriteOnce")),
            "the policy's statement WriteOnce is not there: what is stored can be overwritten",
        ),
        (
            found(statements=without("RefusePlainHttp")),
            "the policy's statement RefusePlainHttp is not there",
        ),
        (
            found(statements=without("TheFunctionOnlyReadsAndAdds")),
            "the policy's statement TheFunctionOnlyReadsAndAdds is not there",
        ),
        (
            found(
                statements=[
                    *without("WriteOnce"),
                    {**found().statements[1], "Resource": "arn:aws:s3:::photos/elsewhere/*"},
                ]
            ),
            "the policy's statement WriteOnce differs from the template's",
        ),
        (
            found(statements=[*found().statements, {"Sid": "Mine", "Effect": "Allow"}]),
            "the policy has a statement that the template does not: Mine (allows)",
        ),
        (found(versioning="Suspended"), "versioning is Suspended"),
        (found(versioning="never switched on"), "versioning is never switched on"),
        (
            found(blocks={**WHOLE, "BlockPublicPolicy": False}),
            "the public access block is not whole: BlockPublicPolicy is off",
        ),
        (found(blocks={}), "the public access block is not whole: BlockPublicAcls, Block"),
        (
            found(lock={"Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 400}}}),
            "Object Lock is COMPLIANCE for 400 days, and the template's parameters say off",
        ),
        (found(kms_key="arn:aws:kms:x"), "it is encrypted with the KMS key arn:aws:kms:x"),
    ],
)
def test_each_thing_that_differs_is_named(seen, told):
    (line,) = differences(wanted(), seen)
    assert line.startswith(told)
    assert (line, False) in [*looked(wanted(), seen)]


def test_a_policy_that_was_taken_away_whole_is_named_statement_by_statement():
    lines = [*differences(wanted(), found(statements=[]))]
    assert len(lines) == 3 and all("is not there" in line for line in lines)


def test_a_lock_that_was_asked_for_and_is_not_there_is_named():
    (line,) = differences(wanted(lock_mode="GOVERNANCE"), found())
    assert line == ("Object Lock is off, and the template's parameters say GOVERNANCE for 365 days")


def test_write_once_that_its_owner_lifted_is_told_until_it_is_back():
    lifted = wanted(write_once=False)
    lines = [*looked(lifted, found(lifted))]
    assert ("WriteOnce is off: deploy with WriteOnce=on as soon as you can", False) in lines


def test_of_an_existing_bucket_only_what_protects_is_asked_for():
    own = wanted(existing=True, prefix="photos")
    rule = bucket.wanted_statements(own)["WriteOnce"] | {"Sid": "MyOwnName"}
    assert [*differences(own, found(statements=[rule]))] == []
    (line,) = differences(own, found(statements=[{"Sid": "Other", "Effect": "Allow"}]))
    assert line.startswith("nothing in its policy refuses to overwrite what is stored")
    ((line, good),) = looked(own, found(statements=[rule]))
    assert good and "template" not in line


def test_what_stops_every_run_is_told_apart():
    assert [*obstacles(wanted(), found())] == []
    (line,) = obstacles(wanted(region="eu-west-1"), found())
    assert line == (
        "the bucket photos lies in us-east-1 and the stack in eu-west-1: deploy the stack there"
    )
    gone = Found(state="there is no bucket photos")
    assert [*obstacles(wanted(), gone)] == ["there is no bucket photos"]
    assert [*differences(wanted(), gone)] == []


# -- what S3 is asked -------------------------------------------------------------------------


@pytest.fixture
def s3(monkeypatch):
    set_environment(monkeypatch)
    with mock_aws():
        client = boto3.client("s3")
        monkeypatch.setattr(bucket, "_client", lambda _: client)
        yield client


def test_a_bare_bucket_is_looked_at_whole(s3):
    s3.create_bucket(Bucket="photos")
    seen = look_at(wanted())
    assert seen.region == "us-east-1"
    assert (seen.statements, seen.versioning, seen.lock) == ([], "never switched on", {})
    assert (seen.blocks, seen.unseen, seen.state) == ({}, (), None)


def test_a_bucket_that_was_shaped_is_looked_at_whole(s3):
    s3.create_bucket(Bucket="photos", ObjectLockEnabledForBucket=True)
    s3.put_public_access_block(Bucket="photos", PublicAccessBlockConfiguration=WHOLE)
    own = bucket.wanted_statements(wanted())
    policy = {"Version": "2012-10-17", "Statement": list(own.values())}
    s3.put_bucket_policy(Bucket="photos", Policy=json.dumps(policy))
    s3.put_bucket_encryption(
        Bucket="photos",
        ServerSideEncryptionConfiguration={
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": "arn:aws:kms:us-east-1:123456789012:key/x",
                    }
                }
            ]
        },
    )
    seen = look_at(wanted())
    (line,) = differences(wanted(), seen)
    assert "the KMS key arn:aws:kms:us-east-1:123456789012:key/x" in line


def test_a_bucket_that_is_not_there_is_told(s3):
    assert look_at(wanted()).state == "there is no bucket photos"


def test_what_may_not_be_asked_is_named_and_hides_nothing_else(s3, monkeypatch):
    s3.create_bucket(Bucket="photos")

    def denied(**_):
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "x")

    def unreachable(**_):
        raise EndpointConnectionError(endpoint_url="https://s3.amazonaws.com")

    monkeypatch.setattr(s3, "get_bucket_policy", denied)
    seen = look_at(wanted())
    assert seen.unseen == ("s3:GetBucketPolicy",)
    lines = [line for line, good in looked(wanted(), seen) if not good]
    assert any("the credentials need s3:GetBucketPolicy" in line for line in lines)
    assert any(line.startswith("versioning is never") for line in lines)
    monkeypatch.setattr(s3, "head_bucket", unreachable)
    with pytest.raises(AwsError, match="looking at the bucket photos failed"):
        look_at(wanted())
    monkeypatch.setattr(s3, "head_bucket", denied)
    assert "belongs to another account" in look_at(wanted()).state
