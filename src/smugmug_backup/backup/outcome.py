"""What became of one album in one run, and what a dry run says of it."""

from dataclasses import dataclass, field

from smugmug_backup.archive.changes import News
from smugmug_backup.archive.manifest import Pending, Unavailable
from smugmug_backup.archive.report import AlbumState, Counts, Failure


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one album in one run.

    ``state`` is carried on unchanged, but for ``tried_at``, where ``failures`` say that the album
    could not be done. ``unavailable`` and ``pending`` are None if the manifest was not looked at.
    ``listed``: the album was listed and believed. ``left_over``: time ran out, there is more to do.
    ``committed``: a new generation was written. ``halted``: it was not tried, for the run ended.
    ``fields``: of how many images each field of the record differs, ``seen``: how many were looked
    at; ``album_fields``: those of the album's own record. ``mended``: the keys of
    findings that it has got past. ``news``: what changed at the source.
    """

    state: AlbumState
    failures: tuple[Failure, ...] = ()
    unavailable: tuple[Unavailable, ...] | None = None
    pending: tuple[Pending, ...] | None = None
    notes: tuple[str, ...] = ()
    counts: Counts = field(default_factory=Counts)
    committed: bool = False
    left_over: bool = False
    listed: bool = False
    halted: bool = False
    clock_doubted: bool = False
    fields: dict[str, int] = field(default_factory=dict)
    album_fields: tuple[str, ...] = ()
    seen: int = 0
    mended: tuple[str, ...] = ()
    news: News = field(default_factory=News)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do with one album: a dry run's answer. ``bytes`` as far as known."""

    album_key: str
    title: str
    full_listing: str | None = None
    new: int = 0
    changed: int = 0
    missing: int = 0
    originals: int = 0
    bytes: int = 0
    error: str | None = None
