"""How a run behaves in somebody's home: how much of the line it takes, when, and whom it tells."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.clock import Clock, Deadline
from smugmug_backup.words import Hours, bytes_per_second

NAMES = {
    "limit_rate": "SMUGMUG_BACKUP_LIMIT_RATE",
    "between": "SMUGMUG_BACKUP_BETWEEN",
    "notify": "SMUGMUG_BACKUP_NOTIFY",
}
"""What the environment calls them; of addresses it may have several, with blanks between."""


class Manners(NamedTuple):
    """``limit_rate``: bytes a second, of all downloads together; ``between``: no work is begun
    outside of these hours; ``notify``: whom to tell, see `notify`."""

    limit_rate: float | None = None
    between: Hours | None = None
    notify: tuple[str, ...] = ()

    def deadline(self, clock: Clock, *, local: "ToLocal | None" = None) -> Deadline:
        """When a run that begins now stops taking work."""
        if self.between is None:
            return Deadline.none(clock)
        return WithinHours(clock, float("inf"), float("inf"), self.between, local or _local)


ToLocal = Callable[[datetime], datetime]


def _local(instant: datetime) -> datetime:
    return instant.astimezone()


@dataclass(slots=True)
class WithinHours(Deadline):
    """No work is begun outside of ``between``, by the clock on the wall: a machine may have slept
    meanwhile. What is under way may finish."""

    between: Hours
    local: ToLocal

    @property
    def passed(self) -> bool:
        """No new work may be taken."""
        return self.stopped or not self.between.hold(self.local(self.clock.now()).time())


def manners_of(
    args: argparse.Namespace,
    environment: Mapping[str, str] | None = None,
    profile: Mapping[str, Any] | None = None,
) -> Manners:
    """Option before environment before profile. Raises BadRequest that names all that is wrong."""
    environment = os.environ if environment is None else environment
    problems: list[str] = []
    found = {name: _asked(name, args, environment, profile or {}) for name in NAMES}

    def read(name: str, parse: Callable[[str], Any]) -> Any:
        origin, words = found[name]
        try:
            return parse(words[0]) if words else None
        except ValueError as error:
            problems.append(f"{origin} {error}")
            return None

    manners = Manners(
        limit_rate=read("limit_rate", bytes_per_second),
        between=read("between", Hours.parse),
        notify=tuple(found["notify"][1]),
    )
    if any("://" not in url for url in manners.notify):
        problems.append(f"{found['notify'][0]} must be addresses such as https://… or ntfy://…")
    if problems:
        raise Mistaken(
            "this cannot be used: " + "; ".join(problems),
            hint="`smugmug-backup run --help` shows the forms",
        )
    return manners


def _asked(
    name: str,
    args: argparse.Namespace,
    environment: Mapping[str, str],
    profile: Mapping[str, Any],
) -> tuple[str, Sequence[str]]:
    """(who says so, its words)."""
    option = getattr(args, name, None)
    if option:
        return f"--{name.replace('_', '-')}", [option] if isinstance(option, str) else option
    words = environment.get(NAMES[name], "").split()
    if words:
        return NAMES[name], words
    value = profile.get(name) or []
    return f"{name} in the profile", [str(each) for each in value] if isinstance(value, list) else [
        str(value)
    ]
