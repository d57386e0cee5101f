"""Look at a stack's bucket as it is: what differs from the template, and what would stop a run.

A deploy compares templates and never sees the bucket, so what was changed by hand stays so, unseen.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from smugmug_backup.aws.client import aws_client as _client
from smugmug_backup.aws.errors import AWS_ERRORS, aws_error

_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_ABSENT = frozenset(
    {
        "NoSuchBucketPolicy",
        "ObjectLockConfigurationNotFoundError",
        "NoSuchPublicAccessBlockConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
_NOT_LIFTED = "; WriteOnce=off, deployed, and then WriteOnce=on, deployed, writes it anew"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The bucket as the stack's parameters say it is; an ``existing`` one is its owner's to shape.

    ``role``: the ARN of the function's role.
    """

    name: str
    region: str
    account: str
    partition: str
    role: str
    stack: str
    prefix: str = ""
    existing: bool = False
    write_once: bool = True
    local: bool = False
    lock_mode: str = "off"
    lock_days: int = 365


@dataclass(frozen=True, slots=True)
class Found:
    """What S3 says of it. ``unseen``: the permissions that were missing to ask it. ``state``: why
    nothing can be asked, if so."""

    state: str | None = None
    region: str | None = None
    statements: Sequence[Mapping[str, Any]] | None = None
    versioning: str | None = None
    lock: Mapping[str, Any] | None = None
    blocks: Mapping[str, bool] | None = None
    kms_key: str | None = None
    unseen: Sequence[str] = field(default=())


def look_at(wanted: Wanted) -> Found:
    """Ask S3 for all of it; what may not be asked is named. Nothing is changed.

    Raises AwsError if S3 cannot be asked at all.
    """
    s3, bucket = _client("s3"), {"Bucket": wanted.name}
    unseen: list[str] = []

    def ask(call: Callable[..., Any], permission: str) -> Any:
        try:
            return call(**bucket)
        except ClientError as error:
            if _code(error) in _ABSENT:
                return {}
            unseen.append(permission)
        except AWS_ERRORS:
            unseen.append(permission)
        return None

    try:
        # Of another account it is denied, whatever its policy allows.
        s3.head_bucket(**bucket, ExpectedBucketOwner=wanted.account)
    except ClientError as error:
        code = _code(error)
        if code in ("404", "NoSuchBucket"):
            return Found(state=f"there is no bucket {wanted.name}")
        if code in ("403", "AccessDenied"):
            why = "belongs to another account, or the credentials lack s3:ListBucket on it"
            return Found(state=f"the bucket {wanted.name} {why}")
    except AWS_ERRORS as error:
        doing = f"looking at the bucket {wanted.name}"
        raise aws_error(error, doing=doing, permission="s3:ListBucket") from None
    policy = ask(s3.get_bucket_policy, "s3:GetBucketPolicy")
    location = ask(s3.get_bucket_location, "s3:GetBucketLocation")
    lock = ask(s3.get_object_lock_configuration, "s3:GetBucketObjectLockConfiguration")
    blocks = ask(s3.get_public_access_block, "s3:GetBucketPublicAccessBlock")
    versioning = ask(s3.get_bucket_versioning, "s3:GetBucketVersioning")
    encryption = ask(s3.get_bucket_encryption, "s3:GetEncryptionConfiguration")
    return Found(
        region=None if location is None else _region(location.get("LocationConstraint")),
        statements=None if policy is None else _statements(policy.get("Policy")),
        versioning=None if versioning is None else versioning.get("Status", "never switched on"),
        lock=None if lock is None else lock.get("ObjectLockConfiguration", {}),
        blocks=None if blocks is None else blocks.get("PublicAccessBlockConfiguration", {}),
        kms_key=_kms_key(encryption or {}),
        unseen=tuple(unseen),
    )


def obstacles(wanted: Wanted, found: Found) -> Iterator[str]:
    """What stops every run, in words: no such bucket, another account, another region."""
    if found.state is not None:
        yield found.state
    if found.region not in (None, wanted.region):
        yield (
            f"the bucket {wanted.name} lies in {found.region} and the stack in {wanted.region}: "
            "deploy the stack there"
        )


def differences(wanted: Wanted, found: Found) -> Iterator[str]:
    """What takes protection from what is stored, and differs from the template, in words.

    ======================  =================================  ==================================
    of                      a bucket of the stack's            an existing bucket
    ======================  =================================  ==================================
    the policy              each statement of the template     nothing refuses overwriting
                            that is not there as it should
                            be; each that allows more
    versioning              is not on                          the same
    public access block     is not whole                       the same
    Object Lock             is not as it was asked for         (its owner's)
    encryption              (the template's needs no key)      a KMS key of the owner's
    ======================  =================================  ==================================
    """
    if found.state is not None:
        return
    if found.statements is not None:
        yield from _of_policy(wanted, found.statements)
    if found.versioning not in (None, "Enabled"):
        yield f"versioning is {found.versioning}: what is deleted or overwritten is gone at once"
    if found.blocks is not None:
        off = [name for name in _BLOCKS if not found.blocks.get(name)]
        if off:
            yield f"the public access block is not whole: {', '.join(off)} is off"
    if found.lock is not None and not wanted.existing:
        yield from _of_lock(wanted, found.lock)
    if found.kms_key is not None:
        yield (
            f"it is encrypted with the KMS key {found.kms_key}: the key's policy must allow "
            "kms:GenerateDataKey and kms:Decrypt to the function's role"
        )


def looked(wanted: Wanted, found: Found) -> Iterator[tuple[str, bool]]:
    """(what a person should know of the bucket, is it good)."""
    wrong = [*obstacles(wanted, found), *differences(wanted, found)]
    for each in wrong:
        yield each, False
    if found.unseen:
        missing = ", ".join(found.unseen)
        yield f"not all of the bucket was looked at; the credentials need {missing}", False
    if not wrong and not found.unseen:
        as_made = "" if wanted.existing else " is as the template made it"
        yield f"the bucket {wanted.name}{as_made}: policy, versioning, public access, lock", True
    if not wanted.existing and not wanted.write_once:
        yield "WriteOnce is off: deploy with WriteOnce=on as soon as you can", False


def wanted_statements(wanted: Wanted) -> dict[str, dict[str, Any]]:
    """The statements of the template's policy by their Sid, as the parameters make them."""
    arn = f"arn:{wanted.partition}:s3:::{wanted.name}"
    inside = f"{arn}/{wanted.prefix}/*" if wanted.prefix else f"{arn}/*"
    made = f"arn:{wanted.partition}:iam::{wanted.account}:role/{wanted.stack}-BackupRole-*"
    found: dict[str, dict[str, Any]] = {}
    if not wanted.local:
        found["RefusePlainHttp"] = {
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    if wanted.write_once:
        found["WriteOnce"] = {
            "Action": "s3:PutObject",
            "Resource": inside,
            "Condition": {
                "Null": {"s3:if-none-match": "true"},
                "Bool": {"s3:ObjectCreationOperation": "true"},
            },
        }
    found["TheFunctionOnlyReadsAndAdds"] = {
        "NotAction": ["s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:AbortMultipartUpload"],
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"ArnEquals": {"aws:PrincipalArn": [wanted.role, made]}},
    }
    return {
        sid: {"Sid": sid, "Effect": "Deny", "Principal": "*", **each} for sid, each in found.items()
    }


_MEANS = {
    "RefusePlainHttp": "plain http is not refused",
    "WriteOnce": "what is stored can be overwritten" + _NOT_LIFTED,
    "TheFunctionOnlyReadsAndAdds": "only its own rights keep the function from deleting",
}


def _of_policy(wanted: Wanted, statements: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    there = {str(each.get("Sid")): each for each in statements}
    if wanted.existing:
        if not any(_refuses_overwriting(each) for each in statements):
            yield (
                "nothing in its policy refuses to overwrite what is stored; the statement "
                "WriteOnce of template.yaml does"
            )
        return
    expected = wanted_statements(wanted)
    for sid, statement in expected.items():
        if sid not in there:
            yield f"the policy's statement {sid} is not there: {_MEANS[sid]}"
        elif _plain(there[sid]) != _plain(statement):
            yield f"the policy's statement {sid} differs from the template's: {_MEANS[sid]}"
    for each in statements:
        sid = str(each.get("Sid"))
        if sid not in expected:
            effect = "allows" if each.get("Effect") == "Allow" else "denies"
            yield f"the policy has a statement that the template does not: {sid} ({effect})"


def _of_lock(wanted: Wanted, lock: Mapping[str, Any]) -> Iterator[str]:
    retention = lock.get("Rule", {}).get("DefaultRetention", {})
    found = (retention.get("Mode", "off"), retention.get("Days", 0))
    asked = (wanted.lock_mode, wanted.lock_days)
    if wanted.lock_mode == "off":
        asked = ("off", 0)
    if found != asked:
        yield f"Object Lock is {_lock(found)}, and the template's parameters say {_lock(asked)}"


def _lock(found: tuple[str, int]) -> str:
    return found[0] if found[0] == "off" else f"{found[0]} for {found[1]} days"


def _refuses_overwriting(statement: Mapping[str, Any]) -> bool:
    """Whether it is the rule that is told in docs/operations.md, for whatever keys."""
    plain = _plain(statement)
    condition = {
        "Null": {"s3:if-none-match": ["true"]},
        "Bool": {"s3:ObjectCreationOperation": ["true"]},
    }
    return bool(
        plain.get("Effect") == "Deny"
        and "s3:PutObject" in plain.get("Action", [])
        and plain.get("Condition") == condition
    )


def _plain(statement: Mapping[str, Any]) -> dict[str, Any]:
    """A statement in one form: S3 and CloudFormation write one thing in several ways."""
    plain: dict[str, Any] = dict(statement)
    if plain.get("Principal") in ({"AWS": "*"}, {"AWS": ["*"]}):
        plain["Principal"] = "*"
    for name in ("Action", "NotAction", "Resource"):
        if name in plain:
            plain[name] = _list(plain[name])
    plain["Condition"] = {
        operator: {key: _list(value) for key, value in keys.items()}
        for operator, keys in plain.get("Condition", {}).items()
    }
    return plain


def _list(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return sorted(str(each).lower() if isinstance(each, bool) else str(each) for each in values)


def _statements(policy: str | None) -> list[Mapping[str, Any]]:
    statements = json.loads(policy).get("Statement", []) if policy else []
    return [statements] if isinstance(statements, dict) else list(statements)


def _region(constraint: str | None) -> str:
    # S3's answer for its two oldest regions (GetBucketLocation).
    return {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(constraint, str(constraint))


def _kms_key(encryption: Mapping[str, Any]) -> str | None:
    rules = encryption.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    for rule in rules:
        by_default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if str(by_default.get("SSEAlgorithm", "")).startswith("aws:kms"):
            key = by_default.get("KMSMasterKeyID", "")
            return key if key and not key.endswith("alias/aws/s3") else None
    return None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
