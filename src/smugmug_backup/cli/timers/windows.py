"""Windows' Task Scheduler. Not yet tried: what is written is parsed by the tests, its command run.

The form is that of the Task Scheduler's schema (version 1.2, Windows 7 and later), in UTF-16,
which `schtasks /XML` wants.
"""

import subprocess  # nosec B404
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from smugmug_backup.cli.timers.calling import call, demand
from smugmug_backup.cli.timers.job import Job, names_of
from smugmug_backup.cli.timers.state import State

SAID = "a night that was missed is made up for as soon as the computer is on again"

NOT_TRIED = "This was not yet tried on Windows: please look whether it runs, and tell how it went."


def task(job: Job) -> str:
    """The task's XML."""
    program, *rest = job.command
    made_up = str(job.makes_up).lower()
    return f"""\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>{escape(job.said)}</Description>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <StartBoundary>2026-01-01T{job.at}:00</StartBoundary>
      <Enabled>true</Enabled>
      <ScheduleByDay>
        <DaysInterval>1</DaysInterval>
      </ScheduleByDay>
    </CalendarTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>{made_up}</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>{made_up}</RunOnlyIfNetworkAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>8</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(program)}</Command>
      <Arguments>{escape(subprocess.list2cmdline(rest))}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


class TaskScheduler:
    """Tasks of the user's."""

    name = "windows"

    def is_there(self) -> bool:
        """Whether there is a Task Scheduler."""
        return call("schtasks", "/?").fine

    def install(self, profile: str, jobs: Sequence[Job]) -> list[str]:
        """Register the tasks; what their owner should know."""
        with tempfile.TemporaryDirectory() as folder:
            for job in jobs:
                path = Path(folder) / f"{job.name}.xml"
                path.write_bytes(task(job).encode("utf-16"))
                demand("schtasks", "/Create", "/TN", job.name, "/XML", str(path), "/F")
        return [SAID.capitalize() + ".", NOT_TRIED, "It runs while you are logged in."]

    def remove(self, profile: str) -> bool:
        """Take them away; whether there were any."""
        removed = [call("schtasks", "/Delete", "/TN", n, "/F").fine for n in names_of(profile)]
        return any(removed)

    def state(self, profile: str) -> State | None:
        """Whether the run's task is there."""
        run, _ = names_of(profile)
        if not call("schtasks", "/Query", "/TN", run).fine:
            return None
        return State(f"Task Scheduler's task {run}")
