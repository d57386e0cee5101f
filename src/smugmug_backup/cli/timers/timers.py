"""The systems that can start a run, and which of them this machine has."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from smugmug_backup.cli.timers.cron import Cron
from smugmug_backup.cli.timers.job import Job
from smugmug_backup.cli.timers.launchd import Launchd
from smugmug_backup.cli.timers.state import State
from smugmug_backup.cli.timers.systemd import Systemd
from smugmug_backup.cli.timers.windows import TaskScheduler
from smugmug_backup.errors import BadRequest


class Timers(Protocol):
    """One such system. Each of these may be done again and again."""

    name: str

    def is_there(self) -> bool:
        """Whether this machine has it, for this user."""

    def install(self, profile: str, jobs: Sequence[Job]) -> list[str]:
        """Put the jobs there in the place of any of the profile; what its owner should know.

        Raises BadRequest that says what the system said, and OSError."""

    def remove(self, profile: str) -> bool:
        """Take the profile's jobs away; whether there were any."""

    def state(self, profile: str) -> State | None:
        """How the run of the profile stands; None if there is none."""


def timers_of(name: str) -> Timers:
    """The system called ``name``, one of `NAMES` of this package."""
    return {each.name: each for each in _all()}[name]


def known_here(platform: str = sys.platform) -> list[Timers]:
    """Those that a system of this kind may have, the best first."""
    return [timers_of(name) for name in _ORDER.get(platform, ("systemd", "cron"))]


_ORDER = {"darwin": ("launchd", "cron"), "win32": ("windows",)}


def best_here() -> Timers | None:
    """The best that is there, which makes up for missed nights if any does."""
    return next((each for each in known_here() if each.is_there()), None)


def states(profile: str) -> list[tuple[str, State]]:
    """Every timer of the profile that is there, by the system's name; none where is no home."""
    found = []
    for each in known_here():
        with suppress(BadRequest):
            state = each.state(profile)
            found += [(each.name, state)] if state is not None else []
    return found


def remove_all(profile: str, *, but: str | None = None) -> list[str]:
    """Take the profile's timers away, wherever they are; the names of the systems that had some."""
    return [each.name for each in known_here() if each.name != but and each.remove(profile)]


def _all() -> tuple[Timers, ...]:
    return (Systemd(), Launchd(), TaskScheduler(), Cron())
