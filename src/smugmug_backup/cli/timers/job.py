"""What a timer starts, and when."""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from smugmug_backup.errors import BadRequest

_AT = re.compile(r"([01]?[0-9]|2[0-3])[:.h]?([0-5][0-9])?")
_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_CHECKED_LATER = 3
CHECKED = "5GB"

PASSED_ON = (
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
)
"""What the environment says of where things lie, and a timer would not know. No secrets."""


@dataclass(frozen=True, slots=True)
class Job:
    """One command a day. ``name``: what it is called among the system's others.

    ``makes_up``: it is a run, and one that was missed is to be made up for as soon as may be.
    """

    name: str
    said: str
    command: tuple[str, ...]
    hour: int
    minute: int
    makes_up: bool
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def at(self) -> str:
        """``03:00``."""
        return f"{self.hour:02}:{self.minute:02}"


def name_of(profile: str) -> str:
    """What the timers of a profile are called. Raises BadRequest for a name that fits nowhere."""
    if not _PROFILE.fullmatch(profile):
        raise BadRequest(
            f"{profile!r} cannot be the name of a timer; a profile's name has letters, digits, "
            "hyphens and underscores, at most 32"
        )
    return f"smugmug-backup-{profile}"


def names_of(profile: str) -> tuple[str, str]:
    """The same of each: the run's, and the check's."""
    return name_of(profile), f"{name_of(profile)}-check"


def jobs_of(
    profile: str,
    *,
    hour: int,
    minute: int,
    program: Sequence[str],
    environment: Mapping[str, str],
) -> tuple[Job, ...]:
    """The run of every night, and three hours later a check that reads a part of the backup."""
    run, check = names_of(profile)
    passed = {name: environment[name] for name in PASSED_ON if environment.get(name)}
    chosen = ("--profile", profile)
    later = (hour + _CHECKED_LATER) % 24
    checking = (*program, "check", *chosen, "--read-data", CHECKED)
    running = (*program, "run", *chosen)
    return (
        Job(run, f"Back up SmugMug ({profile})", running, hour, minute, True, passed),
        Job(check, f"Check the SmugMug backup ({profile})", checking, later, minute, False, passed),
    )


def time_of_day(text: str) -> tuple[int, int]:
    """``3``, ``03:00``, ``3.30`` or ``0330`` as hour and minute. Raises BadRequest."""
    match = _AT.fullmatch(text.strip())
    if match is None:
        raise BadRequest(f"{text!r} is no time of day; write it like 03:00")
    return int(match[1]), int(match[2] or 0)


def program() -> tuple[str, ...]:
    """How this very program is started, by absolute paths: a timer knows no PATH."""
    started = sys.argv[0] if sys.argv else ""
    found = shutil.which(started) if Path(started).stem == "smugmug-backup" else None
    if found:
        return (os.path.abspath(found),)  # noqa: PTH100 (pipx' link stays when pipx updates)
    return (os.path.abspath(sys.executable), "-m", "smugmug_backup.cli")  # noqa: PTH100
