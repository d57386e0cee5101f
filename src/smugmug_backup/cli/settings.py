"""The source's settings for the owner's tool: option, then environment, then the file.

The file is the one that `authorize` wrote. It holds the same names as the environment, and never a
secret, only where it lies.
"""

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from smugmug_backup.cli import private_file
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.errors import BadRequest
from smugmug_backup.settings import SourceSettings, source_settings
from smugmug_backup.words import a_path

_OPTIONS = {
    "nickname": "SMUGMUG_NICKNAME",
    "api": "SMUGMUG_API",
    "secret": "SMUGMUG_SECRET",
    "downloads": "MAX_DOWNLOADS",
}


class BrokenSettings(Mistaken):
    """The settings file is there, and is none."""


def settings_path(environment: Mapping[str, str] | None = None) -> Path:
    """Where `authorize` writes the settings: ``~/.config/smugmug-backup/settings.json``.

    Raises BadRequest if there is no home folder.
    """
    environment = os.environ if environment is None else environment
    base = environment.get("XDG_CONFIG_HOME") or "~/.config"
    try:
        return a_path(base) / "smugmug-backup" / "settings.json"
    except BadRequest as error:
        raise Mistaken(
            f"there is no place for the settings: {error}", hint="set HOME, or XDG_CONFIG_HOME"
        ) from None


def read_settings_file(path: Path) -> dict[str, str]:
    """Names and values of the file, empty if there is none. Raises BadRequest."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadRequest(f"{path} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise BrokenSettings(
            f"{path} is not a file that `smugmug-backup authorize` wrote",
            hint="`smugmug-backup authorize` writes it anew; or remove it",
        )
    return values


def write_settings_file(path: Path, values: Mapping[str, str]) -> None:
    """Write the file anew, readable by its owner only. Raises BadRequest."""
    with _told(path):
        private_file.write(path, json.dumps(dict(values), indent=2) + "\n", overwrite=True)


def try_settings_file(path: Path) -> None:
    """Whether `write_settings_file` could write there, tried out. Raises BadRequest."""
    with _told(path):
        private_file.try_to(path)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadRequest(f"{path} cannot be written ({error.strerror})") from None


def values_of(
    args: argparse.Namespace,
    environment: Mapping[str, str] | None = None,
    *,
    file: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """All settings by their environment names: file, overlaid by environment, then options.

    ``file``: what it says, if that was read already.
    """
    environment = os.environ if environment is None else environment
    file = _file_of(environment) if file is None else file
    values = {**file, **environment}
    for option, name in _OPTIONS.items():
        value = getattr(args, option, None)
        if value:
            values[name] = value
    return values


def _file_of(environment: Mapping[str, str]) -> Mapping[str, str]:
    try:
        path = settings_path(environment)
    except BadRequest:
        # No home folder, as in many containers: the environment can say it all.
        return {}
    return read_settings_file(path)


def source_settings_of(
    args: argparse.Namespace, environment: Mapping[str, str] | None = None
) -> SourceSettings:
    """The settings of the source. Raises BadRequest that names all that is wrong."""
    try:
        return source_settings(values_of(args, environment))
    except BadRequest as error:
        if isinstance(error, BrokenSettings):
            raise
        raise Mistaken(
            str(error),
            hint="`smugmug-backup authorize` writes them down, or set them in the environment",
        ) from None
