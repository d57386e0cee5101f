"""Where `authorize` puts the secret: SSM, Secrets Manager, the keyring, or a private file."""

import contextlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from smugmug_backup.aws.client import aws_client
from smugmug_backup.aws.errors import AWS_ERRORS, aws_error
from smugmug_backup.cli import private_file, system_keyring
from smugmug_backup.errors import BadRequest, StoreRefused
from smugmug_backup.settings import SecretName
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.words import a_path

_SSM_LIMIT = 4096


class Vault(Protocol):
    """One place for one secret. Nothing it raises tells what the secret is."""

    def exists(self) -> bool:
        """Whether a secret lies there already; asks for no more than that."""

    def put(self, text: str, *, overwrite: bool) -> None:
        """Store it. Raises BadRequest, and changes nothing, if one is there and is to stay."""

    def try_to(self) -> None:
        """Raise what `put` would, as far as that can be known before there is a secret."""


def vault_of(name: SecretName) -> Vault:
    """The place that ``name`` means."""
    if name.kind == "file":
        return FileVault(a_path(name.name))
    if name.kind == "keyring":
        return KeyringVault(name.name)
    if name.kind == "ssm":
        return SsmVault(aws_client("ssm"), name.name)
    return SecretsManagerVault(aws_client("secretsmanager"), name.name)


def secret_text(credentials: Credentials) -> str:
    """The JSON that `Credentials.from_json` reads."""
    values: dict[str, Any] = {
        "api_key": credentials.api_key,
        "api_secret": credentials.api_secret,
        "access_token": credentials.access_token,
        "access_token_secret": credentials.access_token_secret,
        "site_password": credentials.site_password,
        "album_passwords": dict(credentials.album_passwords),
    }
    return json.dumps({name: value for name, value in values.items() if value})


class FileVault:
    """A file with mode 0600 from its first moment on."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exists(self) -> bool:
        """See `Vault`."""
        return os.path.lexists(self._path)

    def put(self, text: str, *, overwrite: bool) -> None:
        """See `Vault`."""
        with self._told():
            private_file.write(self._path, text + "\n", overwrite=overwrite)

    def try_to(self) -> None:
        """See `Vault`."""
        with self._told():
            private_file.try_to(self._path)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if isinstance(error, FileExistsError) and self.exists():
                raise _taken(f"file:{self._path}") from None
            raise StoreRefused(
                f"the secret cannot be written to {self._path} ({error.strerror})"
            ) from None


class KeyringVault:
    """A secret in the system's keyring."""

    def __init__(self, name: str) -> None:
        self._name = name

    def exists(self) -> bool:
        """See `Vault`."""
        return system_keyring.holds(self._name)

    def try_to(self) -> None:
        """See `Vault`."""
        system_keyring.holds(self._name)

    def put(self, text: str, *, overwrite: bool) -> None:
        """See `Vault`."""
        if not overwrite and self.exists():
            raise _taken(f"keyring:{self._name}")
        system_keyring.write(self._name, text)


class SsmVault:
    """A SecureString in SSM's Parameter Store; written again, it keeps its KMS key."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name
        self._key: dict[str, str] | None = None

    def exists(self) -> bool:
        """See `Vault`."""
        try:
            self._client.get_parameter(Name=self._name, WithDecryption=False)
        except AWS_ERRORS as error:
            if _code(error) == "ParameterNotFound":
                return False
            raise aws_error(
                error, doing=f"looking for {self._name} in SSM", permission="ssm:GetParameter"
            ) from None
        return True

    def try_to(self) -> None:
        """See `Vault`. A parameter that was made for a try would stay; so only its key is asked."""
        self._key = self._own_key()

    def _own_key(self) -> dict[str, str]:
        """What `put` has to say so that a key of the owner's stays: PutParameter that names none
        takes the AWS managed key (SSM API reference, PutParameter, KeyId)."""
        try:
            found = self._client.describe_parameters(
                ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [self._name]}]
            )
        except AWS_ERRORS as error:
            raise aws_error(
                error,
                doing=f"looking for the KMS key of {self._name} in SSM",
                permission="ssm:DescribeParameters",
            ) from None
        keys = [each["KeyId"] for each in found["Parameters"] if each.get("KeyId")]
        return {"KeyId": keys[0]} if keys else {}

    def put(self, text: str, *, overwrite: bool) -> None:
        """See `Vault`."""
        if len(text.encode()) > _SSM_LIMIT:
            raise BadRequest(
                "this secret is larger than the 4 KB of an SSM parameter; use secretsmanager:<name>"
            )
        key = self._own_key() if self._key is None else self._key
        try:
            self._client.put_parameter(
                Name=self._name, Value=text, Type="SecureString", Overwrite=overwrite, **key
            )
        except AWS_ERRORS as error:
            if _code(error) == "ParameterAlreadyExists":
                raise _taken(f"ssm:{self._name}") from None
            raise aws_error(
                error,
                doing=f"writing the SecureString {self._name}",
                permission="ssm:PutParameter and kms:Encrypt",
            ) from None


class SecretsManagerVault:
    """A secret in Secrets Manager, by name, or by ARN if it is there already."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def exists(self) -> bool:
        """See `Vault`."""
        try:
            found = self._client.describe_secret(SecretId=self._name)
        except AWS_ERRORS as error:
            if _code(error) == "ResourceNotFoundException":
                return False
            raise aws_error(
                error,
                doing=f"looking for {self._name} in Secrets Manager",
                permission="secretsmanager:DescribeSecret",
            ) from None
        if "DeletedDate" in found:
            raise BadRequest(
                f"the secret {self._name} is about to be deleted; "
                f"`aws secretsmanager restore-secret --secret-id {self._name}` keeps it"
            )
        return True

    def try_to(self) -> None:
        """See `Vault`. Nothing can be known: a secret that was made for a try would stay."""

    def put(self, text: str, *, overwrite: bool) -> None:
        """See `Vault`. An older value stays in Secrets Manager as the previous version."""
        try:
            if overwrite:
                self._client.put_secret_value(SecretId=self._name, SecretString=text)
            else:
                self._client.create_secret(Name=self._name, SecretString=text)
        except AWS_ERRORS as error:
            if _code(error) == "ResourceExistsException":
                raise _taken(f"secretsmanager:{self._name}") from None
            needed = "PutSecretValue" if overwrite else "CreateSecret"
            raise aws_error(
                error,
                doing=f"writing the secret {self._name}",
                permission=f"secretsmanager:{needed}",
            ) from None


def _taken(name: str) -> BadRequest:
    return BadRequest(f"there is a secret at {name} already; it was left as it is")


def _code(error: Exception) -> str:
    with contextlib.suppress(AttributeError):
        if isinstance(error, ClientError):
            return str(error.response.get("Error", {}).get("Code", ""))
    return ""
