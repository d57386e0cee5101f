"""What a run is asked for, and what a dry run answers."""

from dataclasses import dataclass

from smugmug_backup.backup.outcome import Forecast


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is asked for. ``trigger`` is shared by all attempts of one schedule's firing.

    ``accept_shrink``: what may have shrunk by the owner's word: album keys, or ``account``.
    ``accept_rename``: the account has another nickname now, and it is the same. ``notes``: what
    whoever asks has to remark in the report.
    """

    trigger: str | None = None
    albums: tuple[str, ...] = ()
    full: bool = False
    dry_run: bool = False
    accept_shrink: tuple[str, ...] = ()
    accept_rename: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a run would do, album by album, and the API calls made to find out."""

    forecasts: tuple[Forecast, ...]
    missing_albums: tuple[str, ...]
    ignored_albums: tuple[str, ...]
    api_calls: int
