"""The settings of the owner's tool: option, then environment, then the profile in the file.

The file is the one that `setup` and `authorize` write (`profiles`). Whoever asks gets the words
that the environment has for a setting, so that function and tool read them alike.
"""

import argparse
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.cli.profiles import (
    DEFAULT,
    NAMES,
    as_environment,
    config_path,
    read_profile,
)
from smugmug_backup.errors import BadRequest
from smugmug_backup.settings import SourceSettings, source_settings
from smugmug_backup.words import Location

_OPTIONS = {
    "nickname": "SMUGMUG_NICKNAME",
    "api": "SMUGMUG_API",
    "secret": "SMUGMUG_SECRET",
    "downloads": "MAX_DOWNLOADS",
}
LOCATION = NAMES["location"]
SECRET = NAMES["secret"]


class Setting(NamedTuple):
    """One setting, and who says so: ``--api``, ``SMUGMUG_API`` or the file's path."""

    name: str
    value: str
    origin: str


def profile_name(args: argparse.Namespace) -> str:
    """The profile that the command line asks for."""
    return getattr(args, "profile", None) or DEFAULT


def profile_of(args: argparse.Namespace) -> dict[str, Any]:
    """What the profile says, by the names of the file (`profiles.NAMES`, `profiles.OWN_NAMES`).

    Raises BadRequest.
    """
    try:
        path = config_path()
    except BadRequest:
        # No home folder, as in many containers: the environment can say it all.
        return {}
    return read_profile(profile_name(args), path)


def settings_of(
    args: argparse.Namespace,
    environment: Mapping[str, str] | None = None,
    *,
    profile: Mapping[str, Any] | None = None,
) -> dict[str, Setting]:
    """Every setting that somebody made, by its name in the environment, and who won.

    ==========  =============  ==========  ==========
    option      environment    profile     who wins
    ==========  =============  ==========  ==========
    given       anything       anything    the option
    none        not empty      anything    the environment
    none        none, empty    says it     the profile
    none        none, empty    nothing     nobody: the default, which is not in here
    ==========  =============  ==========  ==========

    ``profile``: what it says, if that was read already.
    """
    environment = os.environ if environment is None else environment
    profile = profile_of(args) if profile is None else profile
    origin = _origin(profile_name(args)) if profile else ""
    found = {n: Setting(n, text, origin) for n, text in as_environment(profile).items() if text}
    for name in NAMES.values():
        text = environment.get(name, "").strip()
        if text:
            found[name] = Setting(name, text, name)
    for option, name in _OPTIONS.items():
        value = getattr(args, option, None)
        if value:
            found[name] = Setting(name, value, f"--{option}")
    location = getattr(args, "location", None)
    if location is not None:
        found[LOCATION] = Setting(LOCATION, str(location), "the command line")
    return found


def _origin(profile: str) -> str:
    return f"{config_path()} [profiles.{profile}]"


def values_of(
    args: argparse.Namespace,
    environment: Mapping[str, str] | None = None,
    *,
    profile: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """The same, without who won."""
    settings = settings_of(args, environment, profile=profile)
    return {name: each.value for name, each in settings.items()}


def source_settings_of(
    args: argparse.Namespace, environment: Mapping[str, str] | None = None
) -> SourceSettings:
    """The settings of the source. Raises BadRequest that names all that is wrong."""
    values = values_of(args, environment)
    try:
        return source_settings(values)
    except BadRequest as error:
        raise Mistaken(str(error), hint=_HINT) from None


_HINT = "`smugmug-backup setup` asks for them and writes them down, or set them in the environment"


def location_of(args: argparse.Namespace) -> Location:
    """The location that is meant: the one given, the environment's, or the profile's.

    Raises BadRequest if there is none.
    """
    words = getattr(args, "words_after_location", None)
    if args.location is not None and words is not None and not looks_like_one(args.location):
        first, args.location = args.location, None
        if LOCATION in settings_of(args):
            getattr(args, words).insert(0, first)
        else:
            args.location = first
    if args.location is not None:
        return at_s3(args, Location.parse(args.location))
    found = settings_of(args).get(LOCATION)
    if found is None:
        raise Mistaken(
            "no location was named, and none is remembered",
            hint="name it, as s3://bucket/prefix or a folder; `smugmug-backup setup` remembers one",
        )
    return at_s3(args, Location.parse(found.value))


def at_s3(args: argparse.Namespace, location: Location) -> Location:
    """``location`` in the S3 that the command line names. Raises BadRequest."""
    endpoint, profile = getattr(args, "endpoint_url", None), getattr(args, "aws_profile", None)
    return location.at(endpoint=endpoint, profile=profile)


def looks_like_one(word: str) -> bool:
    """Whether a word is a location and no other word, where either may stand.

    ==========================  ===
    ``s3://photos``             yes
    ``/mnt/disk``, ``a/b``      yes: it has a slash
    ``.``, ``..``, ``~``        yes
    the name of a folder here   yes
    ``harbour``, ``i000003``    no
    ==========================  ===
    """
    if word.startswith(("s3:", "~")) or "/" in word or word in (".", ".."):
        return True
    return os.sep in word or ("\0" not in word and os.path.isdir(word))  # noqa: PTH112 (a word)
