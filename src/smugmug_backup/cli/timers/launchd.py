"""macOS' launchd. Not yet tried: what is written is parsed by the tests, and its command is run.

`man launchd.plist`: "Unlike cron which skips job invocations when the computer is asleep, launchd
will start the job the next time the computer wakes up." It does not say so of a computer that was
off; so a run is also begun at each login (``RunAtLoad``).
"""

import os
import plistlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smugmug_backup.cli.timers.calling import call, demand
from smugmug_backup.cli.timers.job import Job, names_of
from smugmug_backup.cli.timers.state import State
from smugmug_backup.words import a_path

SAID = "A night that was slept through is made up for as soon as the Mac wakes, or you log in."

NOT_TRIED = "This was not yet tried on a Mac: please look whether it runs, and tell how it went."


def plist(job: Job, *, log: Path) -> bytes:
    """The agent's property list."""
    value: dict[str, Any] = {
        "Label": job.name,
        "ProgramArguments": [*job.command],
        "StartCalendarInterval": {"Hour": job.hour, "Minute": job.minute},
        "RunAtLoad": job.makes_up,
        "ProcessType": "Background",
        "LowPriorityIO": True,
        "StandardOutPath": str(log),
        "StandardErrorPath": str(log),
    }
    if job.environment:
        value["EnvironmentVariables"] = dict(job.environment)
    return plistlib.dumps(value)


class Launchd:
    """Agents in ``~/Library/LaunchAgents``."""

    name = "launchd"

    def is_there(self) -> bool:
        """Whether there is a launchd."""
        return call("launchctl", "version").status is not None

    def install(self, profile: str, jobs: Sequence[Job]) -> list[str]:
        """Write the agents and load them; what its owner should know."""
        self.remove(profile)
        _folder().mkdir(parents=True, exist_ok=True)
        for job in jobs:
            path = _folder() / f"{job.name}.plist"
            path.write_bytes(plist(job, log=a_path(f"~/Library/Logs/{job.name}.log")))
            demand("launchctl", "bootstrap", _domain(), str(path))
        return [SAID, NOT_TRIED, "A first whole run begins now, in the background."]

    def remove(self, profile: str) -> bool:
        """Take the agents away; whether there were any."""
        found = False
        for name in names_of(profile):
            path = _folder() / f"{name}.plist"
            if path.exists():
                found = True
                call("launchctl", "bootout", f"{_domain()}/{name}")
                path.unlink()
        return found

    def state(self, profile: str) -> State | None:
        """How the run's agent stands; None if there is none."""
        run, _ = names_of(profile)
        path = _folder() / f"{run}.plist"
        if not path.exists():
            return None
        if not call("launchctl", "print", f"{_domain()}/{run}").fine:
            return State(
                "launchd's agent is there, and is not loaded",
                remedy=f"launchctl bootstrap {_domain()} {path}",
            )
        return State(f"launchd's agent {run}")


def _domain() -> str:
    return f"gui/{os.getuid()}"


def _folder() -> Path:
    return a_path("~/Library/LaunchAgents")
