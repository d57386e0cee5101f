"""Every answer that S3 can refuse with, and every failure to ask it, as one of our errors."""

from botocore.exceptions import BotoCoreError, ClientError

from smugmug_backup.errors import (
    AlreadyStored,
    Archived,
    NotStored,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)

CONFLICTS = frozenset({"ConditionalRequestConflict", "OperationAborted"})
"""409: somebody else writes the same key at this moment; the answer is known if asked again."""


class UploadGone(StoreUnavailable):
    """404: S3 knows no such multipart upload (any more)."""


def code_of(error: ClientError) -> str:
    """S3's own word for ``error``; an answer to HEAD has none, its code is the status."""
    return error.response.get("Error", {}).get("Code") or ""


def refused(error: ClientError, *, operation: str, name: str, bucket: str) -> StoreError:
    """``error``, S3's answer to ``operation`` on ``name`` (``s3://…``), as one of ours."""
    code = code_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    said = f"{operation} of {name} failed ({code or status})"
    if code in _MISTAKES:
        return StoreRefused(f"{said}: {_MISTAKES[code].format(bucket=bucket)}")
    if code == "NoSuchUpload":
        return UploadGone(f"{said}: its parts are gone; the next upload begins anew")
    if code in _PASSING or status in _PASSING_STATUS or status >= 500 or code in CONFLICTS:
        return StoreUnavailable(f"{said}; it may succeed later")
    if code == "InvalidObjectState":
        return Archived(f"{name} lies in an archive class; restore it (thaw it) in S3 first")
    if status == 412:
        return AlreadyStored(f"{name} is there already; it was left as it is")
    if status == 416:
        return NotStored(f"{name} ends before what is asked for")
    if status == 404:
        return NotStored(f"there is no {name}")
    if status in (401, 403):
        return StoreRefused(f"{said}: {_denied(operation, bucket)}")
    if code.startswith("KMS."):
        return StoreRefused(f"{said}: the bucket's KMS key cannot be used; look at its state")
    if status in (301, 307, 400) and operation == "HeadObject":
        # A HEAD has no body that could say more.
        return StoreRefused(f"{said}: is the bucket {bucket} in the region that is set?")
    return StoreRefused(said)


def unasked(error: BotoCoreError, *, operation: str, name: str) -> StoreError:
    """``error``: no whole answer came. Its text may hold what is secret, its type does not."""
    kind = type(error).__name__
    if kind in _SETUP:
        return StoreRefused(f"{operation} of {name} was not possible: {_SETUP[kind]}")
    return StoreUnavailable(f"{operation} of {name} got no whole answer ({kind})")


def _denied(operation: str, bucket: str) -> str:
    permission = _PERMISSIONS.get(operation, "more rights")
    if operation in ("GetObject", "HeadObject"):
        return (
            f"the credentials need {permission} there and s3:ListBucket on {bucket} (without the "
            "latter, S3 denies what does not exist), and kms:Decrypt if it has a key of its own"
        )
    if permission == "s3:PutObject":
        return (
            f"the credentials need {permission} there, the bucket's policy must not deny it, and "
            "kms:GenerateDataKey and kms:Decrypt are needed if it has a key of its own"
        )
    return f"the credentials need {permission} on {bucket}"


_PERMISSIONS = {
    "ListObjectsV2": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
}

_PASSING_STATUS = frozenset({408, 425, 429})
_PASSING = frozenset(
    {
        # The bytes were damaged on their way; S3 stored nothing.
        "BadDigest",
        "InvalidDigest",
        "XAmzContentChecksumMismatch",
        "XAmzContentSHA256Mismatch",
        "IncompleteBody",
        # Parts are missing; the next upload begins anew.
        "InvalidPart",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "KMS.ThrottlingException",
        "RequestLimitExceeded",
    }
)

_MISTAKES = {
    "NoSuchBucket": "there is no bucket named {bucket}; create it, or mend its name",
    "PermanentRedirect": "the bucket {bucket} lies in another region; set AWS_REGION to it",
    "AuthorizationHeaderMalformed": "the bucket {bucket} lies in another region; set AWS_REGION",
    "IllegalLocationConstraintException": "the bucket {bucket} lies in another region",
    "AllAccessDisabled": "all access to the bucket {bucket} is switched off",
    "AccountProblem": "the AWS account has a problem that its owner must solve with AWS",
    "NotSignedUp": "the AWS account is not signed up for S3",
    "InvalidAccessKeyId": "AWS does not know this access key",
    "SignatureDoesNotMatch": "the secret access key is wrong",
    "ExpiredToken": "the AWS login has expired; log in again",
    "ExpiredTokenException": "the AWS login has expired; log in again",
    "InvalidToken": "the AWS session token is not valid; log in again",
    "TokenRefreshRequired": "the AWS login has expired; log in again",
    "RequestTimeTooSkewed": "this machine's clock is wrong",
    "EntityTooLarge": "it is larger than S3 takes",
}

_SETUP = {
    "NoCredentialsError": "there are no AWS credentials; run `aws configure` or set AWS_PROFILE",
    "PartialCredentialsError": "the AWS credentials are incomplete",
    "CredentialRetrievalError": "the AWS credentials could not be fetched; log in again",
    "ProfileNotFound": "the AWS profile does not exist; look at AWS_PROFILE",
    "ConfigParseError": "the AWS configuration file cannot be read",
    "NoRegionError": "no AWS region is set; set AWS_REGION",
    "InvalidRegionError": "the AWS region is not a valid name",
    "ParamValidationError": "the bucket's name is not valid",
    "TokenRetrievalError": "the AWS login has expired; log in again",
    "SSOTokenLoadError": "there is no AWS login; log in with `aws sso login`",
    "UnauthorizedSSOTokenError": "the AWS login has expired; log in again",
    "LoginRefreshRequired": "the AWS login has expired; log in again",
}
