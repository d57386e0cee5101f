"""`smugmug-backup schedule`: stay, and back up every night."""

import argparse
import sys
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from rich.console import Console

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.standing import standing_of
from smugmug_backup.cli.commands import run as one_run
from smugmug_backup.cli.errors import Mistaken, hint_at, of_the_system, tell, unforeseen
from smugmug_backup.cli.interruption import Interruption, ended_by_any
from smugmug_backup.cli.night import believed, next_run
from smugmug_backup.cli.output import make_console, print_json
from smugmug_backup.cli.parsing import COULD_NOT, FINE, INTERRUPTED
from smugmug_backup.cli.progress import duration
from smugmug_backup.cli.streams import OutputLost
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.cli.timers.job import time_of_day
from smugmug_backup.clock import Clock, stamp_or_none
from smugmug_backup.errors import BackupError
from smugmug_backup.storage.location import open_store

_LOOK = 60.0
"""So often the clock is looked at, in seconds: one that was set, or a machine that slept, is seen
within that time."""


def run(args: argparse.Namespace, console: Console) -> int:
    """Back up every night until somebody ends it; see the parser."""
    at = time(*time_of_day(args.at))
    if args.nights is not None and args.nights < 1:
        raise Mistaken(
            f"--nights {args.nights} is no number of runs", hint="leave it out: for ever"
        )
    nights = _Nights(args, console, at)
    status = nights.run()
    if args.json:
        print_json(console, nights.as_json())
    return status


@dataclass(slots=True)
class _Made:
    """The newest run of this process. ``status``: its exit status, None while it is under way."""

    began: datetime
    status: int | None = None


class _Nights:
    """One run after the other, and the waits between them."""

    def __init__(self, args: argparse.Namespace, console: Console, at: time) -> None:
        self._at = at
        self._as_json = args.json
        self._nights = args.nights
        # The one document of --json is this command's; the runs tell what they do beside it.
        self._console = make_console(stderr=True) if args.json else console
        self._say = make_console(stderr=args.json, quiet=args.quiet)
        self._args = argparse.Namespace(**{**vars(args), "json": False})
        self._clock: Clock = SystemClock()
        self._last: datetime | None = None
        self._runs = 0
        self._made: _Made | None = None

    def run(self) -> int:
        """Until there were enough, or somebody ends it; the exit status."""
        interruption = Interruption()
        with ended_by_any():
            try:
                self._last = self._known()
                while not interruption.happened and self._runs != self._nights:
                    self._wait()
                    self._night(interruption)
            except KeyboardInterrupt:
                self._say.print("Stopped.")
                # While it waited, nothing was under way that could be left undone.
                return INTERRUPTED if self._made and self._made.status is None else FINE
        return FINE if self._made is None else self._made.status or FINE

    def as_json(self) -> dict[str, object]:
        """For programs."""
        made = self._made
        return {
            "at": f"{self._at:%H:%M}",
            "runs": self._runs,
            "last_began_at": stamp_or_none(made.began if made else None),
            "last_status": made.status if made else None,
        }

    def _known(self) -> datetime | None:
        """When the newest run began that the backup knows of; None if it cannot be asked."""
        try:
            archive = Archive(open_store(self._args.location))
            standing = standing_of(archive, now=self._clock.now(), runs=1)
        except (BackupError, OSError):
            return None  # the run says what is wrong
        newest = standing.newest if self._args.album else standing.whole
        return newest.started_at if newest else None

    def _wait(self) -> None:
        told = None
        while (when := self._next()) > (now := self._clock.now()):
            if when != told:
                self._tell(when, now)
                told = when
            self._clock.sleep(min(_LOOK, (when - now).total_seconds()))
        # One that was woken a moment too early shall not be woken again for the same night.
        self._last = max(when, now)

    def _next(self) -> datetime:
        now = self._clock.now()
        self._last = believed(self._last, now=now)
        return next_run(self._at, last=self._last, now=now)

    def _tell(self, when: datetime, now: datetime) -> None:
        local = when.astimezone()
        left = duration(max((when - now) / timedelta(seconds=1), 0.0))
        self._say.print(f"The next run begins at {local:%Y-%m-%d %H:%M %Z}, in {left}.")
        self._say.file.flush()

    def _night(self, interruption: Interruption) -> None:
        made = self._made = _Made(self._clock.now().astimezone(UTC))
        try:
            with redirect_stdout(sys.stderr) if self._as_json else nullcontext():
                made.status = one_run.run(self._args, self._console, interruption=interruption)
        except (OutputLost, BrokenPipeError):
            raise
        except BackupError as error:
            made.status = self._failed(error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the next night comes
            made.status = self._failed(of_the_system(error) or unforeseen(error))
        self._runs += 1
        self._console.file.flush()

    def _failed(self, error: BackupError) -> int:
        errors = make_console(stderr=True)
        tell(errors, error, hint=hint_at(error, self._args.location))
        return COULD_NOT
