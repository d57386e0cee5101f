"""What an answer of S3 means: one table, and the words for what came without a whole answer."""

from typing import NamedTuple

from botocore.exceptions import ClientError

from smugmug_backup.aws.errors import CREDENTIAL_CODES, setup_words
from smugmug_backup.errors import (
    AlreadyStored,
    Archived,
    Concerns,
    NotStored,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)

CONFLICTS = frozenset({"ConditionalRequestConflict", "OperationAborted"})
"""409: somebody else writes the same key at this moment; the answer is known if asked again."""

CONDITIONAL = frozenset({"PutObject", "CompleteMultipartUpload"})
"""What we send with ``If-None-Match: *``."""


class UploadGone(StoreUnavailable):
    """This multipart upload is over, and its object is not (known to be) there."""

    concerns = Concerns.OBJECT


class Unknown(StoreRefused):
    """A refusal that stands in no row of the table."""


class NoConditions(StoreRefused):
    """It does not know ``If-None-Match``."""


class Meaning(NamedTuple):
    """``again``: the same request may be sent once more, by the same call."""

    error: type[StoreError]
    concerns: Concerns
    words: str
    again: bool = False


_THIS_OBJECT, _THIS_BUCKET = Concerns.OBJECT, Concerns.BUCKET
_WHOEVER_ASKS, _REGION, _NOW = Concerns.CREDENTIALS, Concerns.REGION, Concerns.MOMENT

_LATER = Meaning(StoreUnavailable, _NOW, "it may succeed later", again=True)
_DAMAGED = Meaning(StoreUnavailable, _NOW, "the bytes were damaged on their way", again=True)
_NO_BUCKET = Meaning(
    StoreRefused, _THIS_BUCKET, "there is no bucket named {bucket}; create it, or mend its name"
)
_ELSEWHERE = Meaning(
    StoreRefused, _REGION, "the bucket {bucket} lies in another region; set AWS_REGION to it"
)
_NO_CONDITIONS = Meaning(
    StoreRefused,
    _THIS_BUCKET,
    "this S3 has no conditional writes (If-None-Match), and without them what is stored could be "
    "overwritten; the backup needs another place, or your word that nobody else writes there "
    "(--one-writer)",
)
_ENDED = Meaning(UploadGone, _THIS_OBJECT, "its parts are gone; the next upload begins anew")

# Sources: [E] S3 API reference, "Error responses: list of error codes"; [C] the user guide,
# "Prevent object overwrites with conditional writes"; [P] the page of the operation itself;
# [K] KMS API reference, "Common errors", which S3 hands on with "KMS." before the code.
_BY_CODE: dict[str, Meaning] = {
    # -- this object
    "NoSuchKey": Meaning(NotStored, _THIS_OBJECT, "there is no {name}"),  # [E] 404
    "PreconditionFailed": Meaning(  # [C] 412: If-None-Match, of every write of ours
        AlreadyStored, _THIS_OBJECT, "{name} is there already; it was left as it is"
    ),
    "InvalidObjectState": Meaning(  # [E] 403: GetObject of what lies in Glacier
        Archived,
        _THIS_OBJECT,
        "{name} lies in an archive class; restore it (thaw it) in S3 first",
    ),
    "ObjectNotInActiveTierError": Meaning(  # [E] 403: CopyObject of what lies in Glacier
        Archived, _THIS_OBJECT, "it lies in an archive class; restore it (thaw it) in S3 first"
    ),
    "InvalidRange": Meaning(  # [E] 416
        NotStored, _THIS_OBJECT, "{name} ends before what is asked for"
    ),
    "NoSuchUpload": _ENDED,  # [E] 404: completed or aborted, by whoever
    "InvalidPart": _ENDED,  # [E] 400: a part is not there, or not as it was sent
    "AccessDenied": Meaning(StoreRefused, _THIS_OBJECT, "{denied}"),  # [E] 403
    "EntityTooLarge": Meaning(StoreRefused, _THIS_OBJECT, "it is larger than S3 takes"),  # [E] 400
    # -- this bucket
    "NoSuchBucket": _NO_BUCKET,  # [E] 404
    "AllAccessDisabled": Meaning(  # [E] 403
        StoreRefused, _THIS_BUCKET, "all access to the bucket {bucket} is switched off"
    ),
    "NotImplemented": _NO_CONDITIONS,  # [E] 501: a header that asks for what is not implemented
    "KMS.ThrottlingException": _LATER,  # [K] 400
    # -- this region
    "PermanentRedirect": _ELSEWHERE,  # [E] 301
    "AuthorizationHeaderMalformed": _ELSEWHERE,  # [E] 400: "the region is wrong; expecting ..."
    "IllegalLocationConstraintException": _ELSEWHERE,  # [E] 400
    # -- this moment
    "BadDigest": _DAMAGED,  # [E] 400: S3 stored nothing; so with the three that follow
    "InvalidDigest": _DAMAGED,  # [E] 400
    "XAmzContentChecksumMismatch": _DAMAGED,  # [E] 400
    "XAmzContentSHA256Mismatch": _DAMAGED,  # [E] 400
    "IncompleteBody": _DAMAGED,  # [E] 400
    "RequestTimeout": _LATER,  # [E] 400: the body did not come in time
    "RequestTimeoutException": _LATER,  # botocore/retries/standard.py: passing
    "Throttling": _LATER,  # botocore/retries/standard.py: throttled; so with the next two
    "ThrottlingException": _LATER,
    "RequestLimitExceeded": _LATER,
    "SlowDown": _LATER,  # [E] 503
    "ConditionalRequestConflict": _LATER,  # [C] 409; see `meaning` for a completion
    "OperationAborted": _LATER,  # [E] 409: "a conflicting conditional operation is in progress"
    # -- whoever asks: the login, the key, the clock that signs
    **{code: Meaning(StoreRefused, _WHOEVER_ASKS, told) for code, told in CREDENTIAL_CODES.items()},
}

# For a code that is not above, and for HEAD, whose answer has no body that could hold one. The
# numbers are those of the rows above, and of HTTP (RFC 9110, RFC 6585).
_BY_STATUS: dict[int, Meaning] = {
    301: _ELSEWHERE,
    307: _ELSEWHERE,
    401: Meaning(StoreRefused, _THIS_OBJECT, "{denied}"),
    403: Meaning(StoreRefused, _THIS_OBJECT, "{denied}"),
    404: Meaning(NotStored, _THIS_OBJECT, "there is no {name}"),
    408: _LATER,
    412: Meaning(AlreadyStored, _THIS_OBJECT, "{name} is there already; it was left as it is"),
    425: _LATER,
    429: _LATER,
    501: _NO_CONDITIONS,
}
_KMS = Meaning(StoreRefused, _THIS_BUCKET, "the bucket's KMS key cannot be used; look at its state")
_UNKNOWN = Meaning(Unknown, _THIS_OBJECT, "")


def meaning(status: int, code: str, operation: str) -> Meaning:
    """What S3 says by ``status`` and ``code`` to ``operation`` (S3's own name of it).

    ================================  ====================  ====================================
    answer                            to                    means
    ================================  ====================  ====================================
    a conflict (409)                  a completion          that upload is over: a new one [P]
    404 without NoSuchBucket          a listing             no bucket
    AccessDenied, 401, 403            a listing             of the whole bucket, not of an object
    501, NotImplemented               what has no           not possible here; nothing about
                                      condition             conditional writes
    a code of the table               anything              its row
    ``KMS.`` and a word               anything              the bucket's key
    a status of the table             anything              its row
    another one from 500 on           anything              later
    anything else                     anything              refused, in S3's own word
    ================================  ====================  ====================================
    """
    if code in CONFLICTS and operation == "CompleteMultipartUpload":
        return _ENDED
    row = _BY_CODE.get(code)
    if row is None and code.startswith("KMS."):
        row = _KMS
    if row is None:
        row = _BY_STATUS.get(status, _LATER if status >= 500 else _UNKNOWN)
    if operation == "ListObjectsV2":
        if row.error is NotStored:
            return _NO_BUCKET
        if row.words == "{denied}":
            return Meaning(StoreRefused, _THIS_BUCKET, row.words)
    if row is _NO_CONDITIONS and operation not in CONDITIONAL:
        return Meaning(StoreRefused, _THIS_BUCKET, "this S3 does not know what the backup needs")
    return row


def code_of(error: ClientError) -> str:
    """S3's own word for ``error``; an answer to HEAD has none, its code is the status."""
    return str(error.response.get("Error", {}).get("Code") or "")


def status_of(error: ClientError) -> int:
    """The HTTP status of ``error``; 0 if it has none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def meaning_of(error: ClientError, operation: str) -> Meaning:
    """`meaning` of an answer to what was asked for ``operation``.

    On the way to it, others are asked: botocore assumes the role of a profile, for one. What these
    refuse says nothing of the bucket.
    """
    asked, code = error.operation_name, code_of(error)
    if asked == operation:
        return meaning(status_of(error), code, operation)
    if status_of(error) >= 500 or "Throttl" in code:
        return _LATER
    why = CREDENTIAL_CODES.get(code, "look at the profile (AWS_PROFILE) and its role")
    return Meaning(StoreRefused, _WHOEVER_ASKS, f"before it, AWS refused {asked} ({code}): {why}")


def refused(error: ClientError, *, operation: str, name: str, bucket: str) -> StoreError:
    """``error``, the answer to ``operation`` on ``name`` (``s3://…``), as one of ours."""
    row = meaning_of(error, operation)
    words = row.words.format(name=name, bucket=bucket, denied=_denied(operation, bucket))
    if not row.words.startswith(("{name}", "there is no {name}")):
        said = f"{operation} of {name} failed ({code_of(error) or status_of(error)})"
        words = f"{said}: {words}" if words else said
    kind = NoConditions if row is _NO_CONDITIONS else row.error
    return kind(words, concerns=row.concerns)


def unasked(error: Exception, *, operation: str, name: str) -> StoreError:
    """``error``: no whole answer came. Its text may hold what is secret, its type does not."""
    words = setup_words(error)
    if words is not None:
        told = f"{operation} of {name} was not possible: {words}"
        return StoreRefused(told, concerns=Concerns.CREDENTIALS)
    kind = type(error).__name__
    if kind == "ParamValidationError":
        return StoreRefused(f"{operation} of {name} was not possible: its name is not valid")
    return StoreUnavailable(f"{operation} of {name} got no whole answer ({kind})")


def _denied(operation: str, bucket: str) -> str:
    permission = _PERMISSIONS.get(operation, "more rights")
    if operation in ("GetObject", "HeadObject"):
        return (
            f"the credentials need {permission} there and s3:ListBucket on {bucket} (without the "
            "latter, S3 denies what does not exist), and kms:Decrypt if it has a key of its own"
        )
    if operation in ("CopyObject", "UploadPartCopy"):
        return (
            f"the credentials of the target need {permission} there and s3:GetObject on the source "
            "(and the KMS keys of both, if they have keys of their own)"
        )
    if permission == "s3:PutObject":
        return (
            f"the credentials need {permission} there, the bucket's policy must not deny it, and "
            "kms:GenerateDataKey and kms:Decrypt are needed if it has a key of its own"
        )
    if operation == "DeleteObject":
        return (
            f"the credentials need {permission} there, and neither the bucket's policy nor Object "
            "Lock (a retention that has not ended, a legal hold) may forbid it"
        )
    return f"the credentials need {permission} on {bucket}"


_PERMISSIONS = {
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "DeleteObject": "s3:DeleteObjectVersion",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CopyObject": "s3:PutObject",
    "UploadPartCopy": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
}
