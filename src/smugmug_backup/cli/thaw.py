"""What lies in an archive class: its names in the bucket, and the command that thaws it."""

import shlex
from collections.abc import Iterable, Sequence

from smugmug_backup.words import Location

_REQUEST = '{"Days": 14, "GlacierJobParameters": {"Tier": "Bulk"}}'


def archived(location: Location, keys: Iterable[str]) -> list[str]:
    """The whole keys of what is to be thawed."""
    return [location.key(key) for key in sorted(set(keys))]


def command(
    location: Location,
    keys: Sequence[str],
    listing: str,
    *,
    endpoint: str | None = None,
    profile: str | None = None,
) -> str:
    """The command of the AWS tools that thaws these whole ``keys``; of more than one, ``listing``
    prints them. ``endpoint`` and ``profile``: where the location does not say them."""
    options = ["--restore-request", _REQUEST]
    if location.endpoint or endpoint:
        options += ["--endpoint-url", location.endpoint or endpoint or ""]
    if location.profile or profile:
        options += ["--profile", location.profile or profile or ""]
    begun, rest = f"aws s3api restore-object --bucket {location.bucket} --key", shlex.join(options)
    if len(keys) == 1:
        return f"{begun} {keys[0]} {rest}"
    return f"{listing} |\n  xargs -I KEY {begun} KEY {rest}"
