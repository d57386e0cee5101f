"""cron: it starts what is due and makes up for nothing."""

import re
import shlex
from collections.abc import Sequence

from smugmug_backup.cli.timers.calling import Answer, call, demand, failed
from smugmug_backup.cli.timers.job import Job, name_of
from smugmug_backup.cli.timers.state import State

SAID = "cron makes up for nothing: a night in which the machine sleeps or is off is left out"
_NONE_YET = re.compile(r"no crontab for", re.IGNORECASE)


def line(job: Job) -> str:
    """The line that starts it: a percent sign would end it, and a shell reads the rest."""
    words = [f"{name}={value}" for name, value in job.environment.items()]
    command = shlex.join([*(("env", *words) if words else ()), *job.command])
    return f"{job.minute} {job.hour} * * * {command}".replace("%", "\\%")


def with_jobs(table: str, profile: str, jobs: Sequence[Job]) -> str:
    """The table with these jobs, in the place of any there were of the profile."""
    begin, end = _marks(profile)
    kept = without(table, profile)
    kept += "" if not kept or kept.endswith("\n") else "\n"
    return kept + "\n".join([begin, *map(line, jobs), end]) + "\n"


def without(table: str, profile: str) -> str:
    """The table without the profile's jobs; all else as it was."""
    begin, end = map(re.escape, _marks(profile))
    return re.sub(rf"^{begin}\n(?:.*\n)*?{end}(?:\n|\Z)", "", table, flags=re.MULTILINE)


def _marks(profile: str) -> tuple[str, str]:
    name = name_of(profile)
    return f"# {name}: written by `smugmug-backup setup`", f"# {name}: end"


class Cron:
    """Lines in the user's crontab."""

    name = "cron"

    def is_there(self) -> bool:
        """Whether there is a crontab."""
        return call("crontab", "-l").status is not None

    def install(self, profile: str, jobs: Sequence[Job]) -> list[str]:
        """Write the lines; what its owner should know."""
        demand("crontab", "-", given=with_jobs(_table(), profile, jobs))
        return [SAID.capitalize() + "."]

    def remove(self, profile: str) -> bool:
        """Take them away; whether there were any."""
        if not self.is_there():
            return False
        before = _table()
        after = without(before, profile)
        if after == before:
            return False
        demand("crontab", "-", given=after) if after.strip() else demand("crontab", "-r")
        return True

    def state(self, profile: str) -> State | None:
        """Whether the lines are there."""
        answer = call("crontab", "-l")
        begin, _ = _marks(profile)
        lines = answer.out.splitlines()
        if not answer.fine or begin not in lines:
            return None
        minute, hour = lines[lines.index(begin) + 1].split()[:2]
        return State(f"cron, every day at {int(hour):02}:{int(minute):02}; it makes up for nothing")


def _table() -> str:
    answer: Answer = call("crontab", "-l")
    if answer.fine:
        return answer.out
    # An empty one must not take the place of one that cannot be read.
    if answer.status is not None and _NONE_YET.search(answer.err):
        return ""
    raise failed(("crontab", "-l"), answer)
