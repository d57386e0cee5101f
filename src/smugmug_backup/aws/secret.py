"""Read the secret from where the settings say it lies; AWS is loaded for what lies there alone."""

from smugmug_backup.errors import BadRequest
from smugmug_backup.settings import SecretName
from smugmug_backup.words import a_path


def read_secret(secret: SecretName) -> str:
    """The text behind ``secret``. Raises AwsError, and BadRequest for a file; neither tells it."""
    return _READERS[secret.kind](secret.name)


def _ssm(name: str) -> str:
    from smugmug_backup.aws.client import aws_client
    from smugmug_backup.aws.errors import AWS_ERRORS, aws_error

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
    from smugmug_backup.aws.client import aws_client
    from smugmug_backup.aws.errors import AWS_ERRORS, aws_error

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
        return a_path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"the file {name} cannot be read ({type(error).__name__})") from None


_READERS = {"ssm": _ssm, "secretsmanager": _secrets_manager, "file": _file}
