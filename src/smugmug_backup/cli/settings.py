"""The source's settings for the owner's tool: option, then environment, then the file.

The file is the one that `authorize` wrote. It holds the same names as the environment, and never a
secret, only where it lies.
"""

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path

from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.errors import BadRequest
from smugmug_backup.settings import SourceSettings, source_settings

_OPTIONS = {
    "nickname": "SMUGMUG_NICKNAME",
    "api": "SMUGMUG_API",
    "secret": "SMUGMUG_SECRET",
}


def settings_path(environment: Mapping[str, str] | None = None) -> Path:
    """Where `authorize` writes the settings: ``~/.config/smugmug-backup/settings.json``."""
    environment = os.environ if environment is None else environment
    base = environment.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "smugmug-backup" / "settings.json"


def read_settings_file(path: Path) -> dict[str, str]:
    """Names and values of the file, empty if there is none. Raises BadRequest."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadRequest(f"{path} cannot be read ({type(error).__name__})") from None
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise BadRequest(f"{path} is not a file that `smugmug-backup authorize` wrote")
    return values


def write_settings_file(path: Path, values: Mapping[str, str]) -> None:
    """Write the file anew, readable by its owner only. Raises BadRequest."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(json.dumps(dict(values), indent=2) + "\n")
        fresh.replace(path)
    except OSError as error:
        raise BadRequest(f"{path} cannot be written ({type(error).__name__})") from None


def values_of(
    args: argparse.Namespace, environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """All settings by their environment names: file, overlaid by environment, then options."""
    environment = os.environ if environment is None else environment
    values = {**read_settings_file(settings_path(environment)), **environment}
    for option, name in _OPTIONS.items():
        value = getattr(args, option, None)
        if value:
            values[name] = value
    return values


def source_settings_of(
    args: argparse.Namespace, environment: Mapping[str, str] | None = None
) -> SourceSettings:
    """The settings of the source. Raises BadRequest that names all that is wrong."""
    try:
        return source_settings(values_of(args, environment))
    except BadRequest as error:
        raise Mistaken(
            str(error),
            hint="`smugmug-backup authorize` writes them to " + str(settings_path(environment)),
        ) from None
