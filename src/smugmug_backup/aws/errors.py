"""One clear sentence for what AWS refuses."""

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
        return AwsError(f"{doing} failed: {type(error).__name__}")
    code = error.response.get("Error", {}).get("Code", "unknown")
    if "AccessDenied" in code or code in ("UnauthorizedOperation", "NotAuthorized"):
        return AwsRefused(f"{doing} was denied; the function's role needs {permission} for it")
    if code in ("ParameterNotFound", "ResourceNotFoundException", "StateMachineDoesNotExist"):
        return AwsRefused(f"{doing} failed: it does not exist ({code})")
    return AwsError(f"{doing} failed: {code}")
