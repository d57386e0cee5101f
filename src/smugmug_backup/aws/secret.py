"""Read the credentials from where the settings say they lie."""

from pathlib import Path

from smugmug_backup.aws.client import aws_client
from smugmug_backup.aws.errors import AWS_ERRORS, aws_error
from smugmug_backup.errors import BadRequest
from smugmug_backup.settings import SecretName
from smugmug_backup.smugmug.credentials import Credentials


def read_credentials(secret: SecretName) -> Credentials:
    """The credentials behind ``secret``.

    Raises AwsError if AWS does not give them, BadRequest if they are not usable; neither ever
    tells what was read.
    """
    try:
        return Credentials.from_json(_READERS[secret.kind](secret.name))
    except BadRequest as error:
        raise BadRequest(f"the secret {secret} cannot be used: {error}") from None


def _ssm(name: str) -> str:
    try:
        answer = aws_client("ssm").get_parameter(Name=name, WithDecryption=True)
    except AWS_ERRORS as error:
        raise aws_error(
            error,
            doing=f"reading the SecureString {name} from SSM",
            permission="ssm:GetParameter and kms:Decrypt",
        ) from None
    return str(answer["Parameter"]["Value"])


def _secrets_manager(name: str) -> str:
    try:
        answer = aws_client("secretsmanager").get_secret_value(SecretId=name)
    except AWS_ERRORS as error:
        raise aws_error(
            error,
            doing=f"reading the secret {name} from Secrets Manager",
            permission="secretsmanager:GetSecretValue",
        ) from None
    return str(answer.get("SecretString", ""))


def _file(name: str) -> str:
    try:
        return Path(name).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"the file {name} cannot be read ({type(error).__name__})") from None


_READERS = {"ssm": _ssm, "secretsmanager": _secrets_manager, "file": _file}
