"""systemd's timers of one user."""

import getpass
import os
from collections.abc import Sequence
from pathlib import Path

from smugmug_backup.cli.timers.calling import call, demand
from smugmug_backup.cli.timers.job import Job, names_of
from smugmug_backup.cli.timers.state import State
from smugmug_backup.words import a_path

_MARK = "# Written by `smugmug-backup setup`, which also removes it (--timer none)."

SAID = "a night that was missed is made up for as soon as the machine is on again"


def service(job: Job) -> str:
    """The unit that does it. A run that failed is begun again, as a woken laptop has no network."""
    lines = [_MARK, "[Unit]", f"Description={_plain(job.said)}"]
    if job.makes_up:
        lines += ["StartLimitIntervalSec=6h", "StartLimitBurst=3"]
    lines += ["", "[Service]", "Type=oneshot"]
    lines += [
        f"Environment={quoted(f'{name}={job.environment[name]}')}" for name in job.environment
    ]
    lines += [f"ExecStart={' '.join(quoted(word, in_command=True) for word in job.command)}"]
    lines += ["Nice=10", "IOSchedulingClass=idle"]
    if job.makes_up:
        lines += ["Restart=on-failure", "RestartSec=15min"]
    return "\n".join(lines) + "\n"


def timer(job: Job) -> str:
    """The unit that starts it. ``Persistent``: also after a night that was slept through."""
    return "\n".join(
        (
            _MARK,
            "[Unit]",
            f"Description={_plain(job.said)}, every day at {job.at}",
            "",
            "[Timer]",
            f"OnCalendar=*-*-* {job.at}:00",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
            "",
        )
    )


def quoted(word: str, *, in_command: bool = False) -> str:
    """``word`` as systemd reads it whole: no specifier, no variable, no escape in it."""
    safe = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    safe = safe.replace("\n", "\\n")
    if in_command:
        safe = safe.replace("$", "$$")
    return f'"{safe}"'


def _plain(text: str) -> str:
    return text.replace("%", "%%")


class Systemd:
    """Units in ``~/.config/systemd/user``."""

    name = "systemd"

    def is_there(self) -> bool:
        """Whether there is a systemd that serves this user."""
        return call("systemctl", "--user", "show-environment").fine

    def install(self, profile: str, jobs: Sequence[Job]) -> list[str]:
        """Write the units and start the timers; what its owner should know."""
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        for job in jobs:
            (folder / f"{job.name}.service").write_text(service(job), encoding="utf-8")
            (folder / f"{job.name}.timer").write_text(timer(job), encoding="utf-8")
        demand("systemctl", "--user", "daemon-reload")
        # A time that changed counts only for a timer that starts anew.
        timers = [f"{job.name}.timer" for job in jobs]
        demand("systemctl", "--user", "enable", *timers)
        demand("systemctl", "--user", "restart", *timers)
        return [SAID.capitalize() + ".", *_lingering()]

    def remove(self, profile: str) -> bool:
        """Take the timers away; whether there were any."""
        found = False
        for name in names_of(profile):
            units = [_folder() / f"{name}.{kind}" for kind in ("timer", "service")]
            if any(each.exists() for each in units):
                found = True
                call("systemctl", "--user", "disable", "--now", f"{name}.timer")
            for each in units:
                each.unlink(missing_ok=True)
        if found:
            call("systemctl", "--user", "daemon-reload")
        return found

    def state(self, profile: str) -> State | None:
        """How the run's timer stands; None if there is none."""
        run, _ = names_of(profile)
        if not (_folder() / f"{run}.timer").exists():
            return None
        if not call("systemctl", "--user", "is-active", f"{run}.timer").fine:
            return State(
                "systemd's timer is there, and does not run",
                remedy=f"systemctl --user enable --now {run}.timer",
            )
        answer = call(
            "systemctl", "--user", "show", f"{run}.timer", "-p", "NextElapseUSecRealtime", "--value"
        )
        upcoming = answer.out.strip()
        said = f"systemd's timer {run}" + (f", next {upcoming}" if upcoming else "")
        result = call("systemctl", "--user", "show", f"{run}.service", "-p", "Result", "--value")
        if result.out.strip() not in ("success", ""):
            why = f"{said}; the last time it ended with {result.out.strip()}"
            return State(why, remedy=f"journalctl --user -u {run}")
        if not _lingers():
            return State(f"{said}, while you are logged in: {_NO_LINGER}", remedy=_LINGER)
        return State(said)


_NO_LINGER = "nothing runs while you are logged out"
_LINGER = "loginctl enable-linger"


def _lingering() -> list[str]:
    """Let the timers run while nobody is logged in, if that may be."""
    if _lingers() or call("loginctl", "enable-linger").fine:
        return ["It also runs while you are logged out."]
    return [f"It runs while you are logged in; `sudo {_LINGER} $USER` lets it run always."]


def _lingers() -> bool:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        return False
    return call("loginctl", "show-user", user, "-p", "Linger", "--value").out.strip() == "yes"


def _folder() -> Path:
    # systemd's own rule for where units of a user lie.
    return a_path(os.environ.get("XDG_CONFIG_HOME") or "~/.config") / "systemd" / "user"
