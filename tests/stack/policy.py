"""A small evaluator of IAM policies, for what no local AWS knows: the conditions of S3.

It knows the operators that our policies use, with AWS's rules for keys that a request does not
have; what it does not know is an error, never a guess.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """What S3 puts before a policy: who does what to which resource, and the condition keys. The
    resource is of the stack's own account unless ``aws:ResourceAccount`` says otherwise."""

    action: str
    resource: str
    principal: str = "arn:aws:iam::123456789012:user/owner"
    context: Mapping[str, str] = field(default_factory=dict)


def decision(statements: Sequence[Statement], request: Request) -> str:
    """``Deny`` if any statement denies, else ``Allow`` if one allows, else ``nothing``."""
    matching = {each["Effect"] for each in statements if _applies(each, request)}
    unknown = matching - {"Allow", "Deny"}
    assert not unknown, unknown
    return "Deny" if "Deny" in matching else "Allow" if "Allow" in matching else "nothing"


def _applies(statement: Statement, request: Request) -> bool:
    known = {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "Condition"}
    assert ("Action" in statement) != ("NotAction" in statement), "one of the two"
    named = _list(statement.get("Action") or statement["NotAction"])
    assert set(statement) <= known, set(statement) - known
    assert statement.get("Principal", "*") == "*", "principals by name are not known here"
    return (
        any(_like(request.action, each, ignore_case=True) for each in named)
        == ("Action" in statement)
        and any(_like(request.resource, each) for each in _list(statement["Resource"]))
        and all(
            _holds(operator, key, _list(wanted), request)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, key: str, wanted: list[str], request: Request) -> bool:
    context = {name.lower(): value for name, value in request.context.items()}
    context["aws:principalarn"] = request.principal
    context.setdefault("aws:resourceaccount", "123456789012")
    value = context.get(key.lower())
    if operator == "Null":
        return any((value is None) == (each == "true") for each in wanted)
    if value is None:
        # A key that the request does not have meets no condition, unless it says IfExists.
        return operator.endswith("IfExists")
    match operator.removesuffix("IfExists"):
        case "Bool" | "StringEquals":
            return any(value.lower() == each.lower() for each in wanted)
        case "StringLike" | "ArnEquals" | "ArnLike":
            return any(_like(value, each) for each in wanted)
    raise AssertionError(f"the operator {operator} is not known here")


def _like(value: str, pattern: str, *, ignore_case: bool = False) -> bool:
    parts = (
        ".*" if each == "*" else "." if each == "?" else re.escape(each)
        for each in re.split(r"([*?])", pattern)
    )
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return re.fullmatch("".join(parts), value, flags) is not None


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


# What each call of S3 is to a policy: `s3:ObjectCreationOperation` is false for the calls that are
# authorised as s3:PutObject and yet create no object, and only the others carry If-None-Match.
_CREATES = {
    "PutObject": True,
    "CreateMultipartUpload": False,
    "UploadPart": False,
    "CompleteMultipartUpload": True,
    "CopyObject": True,
}


def s3_write(call: str, resource: str, *, if_none_match: bool, **more: Any) -> Request:
    """A write to S3 over https, with or without ``If-None-Match: *``."""
    context = {"aws:SecureTransport": "true"}
    context["s3:ObjectCreationOperation"] = str(_CREATES[call]).lower()
    if if_none_match:
        context["s3:if-none-match"] = "*"
    return Request("s3:PutObject", resource, context=context, **more)
