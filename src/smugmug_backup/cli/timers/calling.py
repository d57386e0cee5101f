"""Ask the system's own programs."""

# They are named by us, with arguments of ours, and never by a shell.
import subprocess  # nosec B404
from collections.abc import Sequence
from dataclasses import dataclass

from smugmug_backup.cli.errors import Mistaken

_SECONDS = 60

start = subprocess.run
"""Tests put programs of their own here: no real crontab is theirs."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a program ended; ``status`` None: it is not there, or did not end in time."""

    status: int | None
    out: str = ""
    err: str = ""

    @property
    def fine(self) -> bool:
        """It did what was asked."""
        return self.status == 0


def call(*command: str, given: str | None = None) -> Answer:
    """Run a program of the system's, with ``given`` as its input."""
    try:
        done = start(
            command,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=_SECONDS,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Answer(None)
    return Answer(done.returncode, done.stdout, done.stderr)


def demand(*command: str, given: str | None = None) -> Answer:
    """The same; raises Mistaken if it failed."""
    answer = call(*command, given=given)
    if not answer.fine:
        raise failed(command, answer)
    return answer


def failed(command: Sequence[str], answer: Answer) -> Mistaken:
    """That it failed, and the words it had."""
    said = (answer.err or answer.out).strip().splitlines()
    why = said[-1][:300] if said else "it is not there" if answer.status is None else "no reason"
    return Mistaken(
        f"`{' '.join(command[:3])}` failed: {why}",
        hint="`smugmug-backup setup --timer cron`, or `--timer none` and start the run otherwise",
    )
