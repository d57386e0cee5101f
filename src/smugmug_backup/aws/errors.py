"""One clear sentence for what AWS refuses."""

import os

from botocore.exceptions import BotoCoreError, ClientError

from smugmug_backup.errors import BackupError, Remedy

AWS_ERRORS = (BotoCoreError, ClientError)


class AwsError(BackupError):
    """AWS did not do what was asked; the message names what, and the permission if it is that."""

    code = "aws_error"


class AwsRefused(AwsError):
    """A missing permission, or a thing that is not there."""

    code = "aws_refused"
    remedy = Remedy.OWNER


def aws_error(error: Exception, *, doing: str, permission: str) -> AwsError:
    """``error`` of a call that was ``doing`` something, as one of ours; never its whole text."""
    if not isinstance(error, ClientError):
        words = setup_words(error)
        if words is not None:
            return AwsRefused(f"{doing} was not possible: {words}")
        return AwsError(f"{doing} failed: {type(error).__name__}")
    code = error.response.get("Error", {}).get("Code", "unknown")
    if "AccessDenied" in code or code in ("UnauthorizedOperation", "NotAuthorized"):
        return AwsRefused(f"{doing} was denied; {_who()} {permission} for it")
    if code in ("ParameterNotFound", "ResourceNotFoundException", "StateMachineDoesNotExist"):
        return AwsRefused(f"{doing} failed: it does not exist ({code})")
    if code in CREDENTIAL_CODES:
        return AwsRefused(f"{doing} was not possible: {CREDENTIAL_CODES[code]}")
    return AwsError(f"{doing} failed: {code}")


def _who() -> str:
    # Lambda sets it in every function (Lambda developer guide, "Defined runtime environment
    # variables"); anywhere else an owner sits before their own machine.
    lambda_ = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
    return "the function's role needs" if lambda_ else "the AWS credentials that are used need"


def setup_words(error: Exception) -> str | None:
    """One clear sentence, if AWS is not set up here; None if ``error`` is about anything else.

    The text of ``error`` may hold what is secret; its type does not.
    """
    return _SETUP.get(type(error).__name__)


_LOG_IN = "the AWS login has expired; log in again"

# Errors of botocore that come before anything is asked of AWS (botocore/exceptions.py).
_SETUP = {
    "NoCredentialsError": "there are no AWS credentials; run `aws configure` or set AWS_PROFILE",
    "PartialCredentialsError": "the AWS credentials are incomplete",
    "CredentialRetrievalError": "the AWS credentials could not be fetched; log in again",
    "ProfileNotFound": "the AWS profile does not exist; look at AWS_PROFILE",
    "ConfigParseError": "the AWS configuration file cannot be read",
    "NoRegionError": "no AWS region is set; set AWS_REGION, or the region of the AWS profile",
    "InvalidRegionError": "the AWS region is not a valid name; look at AWS_REGION",
    "TokenRetrievalError": _LOG_IN,
    "SSOTokenLoadError": "there is no AWS login; log in with `aws sso login`",
    "UnauthorizedSSOTokenError": _LOG_IN,
    "LoginRefreshRequired": _LOG_IN,
    "LoginTokenLoadError": "there is no AWS login; log in with `aws login`",
    # Before all else of a profile that `aws login` wrote (botocore 1.44: credentials.py).
    "MissingDependencyException": (
        "a profile of `aws login` needs pip install 'botocore[crt]' here; or name one that says "
        "credential_process = aws configure export-credentials --format process --profile NAME"
    ),
}

# What AWS says of whoever asks, in S3's words (S3 API reference, "List of error codes") and in
# those of all other services (each API reference, "Common errors").
CREDENTIAL_CODES = {
    "InvalidAccessKeyId": "AWS does not know this access key",
    "UnrecognizedClientException": "AWS does not know this access key",
    "InvalidClientTokenId": "AWS does not know this access key",
    "SignatureDoesNotMatch": "the secret access key is wrong",
    "InvalidSignatureException": "the secret access key, or this machine's clock, is wrong",
    "IncompleteSignature": "the secret access key is wrong",
    "ExpiredToken": _LOG_IN,
    "ExpiredTokenException": _LOG_IN,
    "TokenRefreshRequired": _LOG_IN,
    "InvalidToken": "the AWS session token is not valid; log in again",
    "RequestTimeTooSkewed": "this machine's clock is wrong",
    "RequestExpired": "this machine's clock is wrong",
    "AccountProblem": "the AWS account has a problem that its owner must solve with AWS",
    "NotSignedUp": "the AWS account is not signed up for this service",
    "OptInRequired": "the AWS account is not signed up for this service",
}
