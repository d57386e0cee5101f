"""Read the secret that the settings name."""

import os
import shlex
import stat
from pathlib import Path

from smugmug_backup.cli import system_keyring
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.errors import BadRequest
from smugmug_backup.settings import SecretName
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.wiring import read_credentials
from smugmug_backup.words import a_path


def credentials_of(secret: SecretName) -> Credentials:
    """The credentials behind ``secret``, a file only if it is its owner's alone.

    Raises BadRequest, AwsError, StoreRefused; none of them ever tells what was read.
    """
    if secret.kind == "keyring":
        try:
            return Credentials.from_json(system_keyring.read(secret.name))
        except BadRequest as error:
            if isinstance(error, Mistaken):
                raise
            raise BadRequest(f"the secret {secret} cannot be used: {error}") from None
    if secret.kind == "file":
        refuse_open_file(a_path(secret.name))
    return read_credentials(secret)


def refuse_open_file(path: Path) -> None:
    """Refuse a secret that others on this machine can read, as ssh does with its keys.

    Raises Mistaken. On Windows, whose files have no such modes, nothing is asked.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return  # whoever reads it says why it cannot be read
    if os.name == "posix" and mode & 0o077:
        raise Mistaken(
            f"others on this machine can open the secret {path} (its mode is {mode:04o}); "
            "it is not used",
            hint=f"chmod 600 {shlex.quote(str(path))}",
        )
