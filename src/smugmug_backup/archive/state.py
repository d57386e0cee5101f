"""What the store knows already: the newest manifests, the newest report, the albums' states."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta

from smugmug_backup.archive import keys
from smugmug_backup.archive.manifest import Header, Manifest, header_of
from smugmug_backup.archive.report import (
    AlbumState,
    RunReport,
    Unavailable,
    unavailable,
    unverified,
)
from smugmug_backup.errors import NotABackup, NotStored
from smugmug_backup.model import Account, StoredObject
from smugmug_backup.ports import BackupStore

_PAGE = 1_000
_LONG = 10 * _PAGE
"""From so many manifests on, key ranges are listed in parallel."""
_BOUNDS = "8GOVcks"
"""Splits what album keys are made of into eight ranges of about the same size."""

STATE_LOST = "state not in the newest report"


@dataclass(frozen=True, slots=True)
class Reports:
    """The newest run reports: of any kind, and the newest that tells the account's state."""

    newest: RunReport | None
    trusted: RunReport | None


def load_manifest(store: BackupStore, album_key: str, generation: int) -> Manifest:
    """One generation of an album. Raises NotABackup, also if it is not there."""
    key = keys.manifest(album_key, generation)
    try:
        return Manifest.from_bytes(store.read(key), key=key)
    except NotStored:
        raise NotABackup(f"{key} was listed but is not there") from None


def unverified_since(store: BackupStore, album_key: str, old: int, new: int) -> int:
    """How many more originals are unverified in generation ``new`` than in ``old`` (0: none)."""
    if old == new:
        return 0

    def in_generation(generation: int) -> int:
        try:
            return unverified(load_manifest(store, album_key, generation) if generation else None)
        except NotABackup:
            return 0

    return in_generation(new) - in_generation(old)


def load_header(store: BackupStore, album_key: str, generation: int) -> Header:
    """The header of one generation."""
    key = keys.manifest(album_key, generation)
    return header_of(store.read(key), key=key)


def newest_generation(store: BackupStore, album_key: str) -> int:
    """The newest generation of one album, 0 if it has none."""
    return _newest(store.list(f"{keys.MANIFESTS}{album_key}/")).get(album_key, 0)


def newest_generations(store: BackupStore, executor: Executor) -> dict[str, int]:
    """The newest generation of every album that has a manifest.

    One list request per 1,000 manifests; a long listing goes on in key ranges, in parallel.
    """
    found: dict[str, int] = {}
    last = ""
    count = 0
    for each in store.list(keys.MANIFESTS):
        _note(found, each)
        last, count = each.key, count + 1
        if count >= _LONG:
            break
    else:
        return found
    bounds = [f"{keys.MANIFESTS}{bound}" for bound in _BOUNDS]
    starts = [last, *(bound for bound in bounds if bound > last)]
    ends: list[str | None] = [*starts[1:], None]

    def one(start: str, end: str | None) -> dict[str, int]:
        return _newest(store.list(keys.MANIFESTS, after=start, until=end))

    for part in executor.map(one, starts, ends):
        for album_key, generation in part.items():
            found[album_key] = max(generation, found.get(album_key, 0))
    return found


def _newest(objects: Iterator[StoredObject]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in objects:
        _note(found, each)
    return found


def _note(found: dict[str, int], each: StoredObject) -> None:
    parsed = keys.parse_manifest(each.key)
    if parsed is not None:
        album_key, generation = parsed
        found[album_key] = max(generation, found.get(album_key, 0))


def load_report(store: BackupStore, run: str) -> RunReport:
    """One run's report. Raises NotStored, FormatTooNew, NotABackup."""
    key = keys.report(run)
    return RunReport.from_bytes(store.read(key), key=key)


def newest_reports(store: BackupStore, *, now: datetime) -> Reports:
    """The newest reports, looked for in this month and the last one, then everywhere.

    One that cannot be read is passed over: it costs longer listings and nothing else.
    """
    newest: RunReport | None = None
    for report in _readable(store, _runs_newest_first(store, now)):
        newest = newest or report
        if report.trusted:
            return Reports(newest, report)
    return Reports(newest, None)


def trusted_report_after(store: BackupStore, report: RunReport | None) -> RunReport | None:
    """The newest trusted report that is newer than ``report``, or None."""
    newer = _readable(store, _runs(store, after=report.key if report else ""))
    return next((each for each in newer if each.trusted), None)


def _readable(store: BackupStore, runs: Iterable[str]) -> Iterator[RunReport]:
    for run in runs:
        try:
            yield load_report(store, run)
        except NotABackup:
            continue


def _runs_newest_first(store: BackupStore, now: datetime) -> Iterator[str]:
    last_month = now.replace(day=1) - timedelta(days=1)
    recent = f"{keys.RUNS}{last_month:%Y/%m}/"
    yield from _runs(store, after=recent)
    yield from _runs(store, after="", until=recent)


def _runs(store: BackupStore, *, after: str, until: str | None = None) -> list[str]:
    listed = store.list(keys.RUNS, after=after, until=until)
    found = (keys.parse_report(each.key) for each in listed)
    return sorted((run for run in found if run is not None), reverse=True)


@dataclass(slots=True)
class Known:
    """What the store knows of the account's albums.

    ``unavailable`` and ``unverified`` are as of the newest generations. ``account``: whose albums
    these are, None in an empty store.
    """

    albums: dict[str, AlbumState]
    unavailable: dict[str, tuple[Unavailable, ...]]
    unverified: int
    account: Account | None


def known_albums(
    store: BackupStore,
    executor: Executor,
    *,
    generations: Mapping[str, int],
    report: RunReport | None,
    entries: Mapping[str, AlbumState],
) -> Known:
    """The state of every album that the report or the manifests know.

    An entry counts only while its generation is the newest one listed; otherwise the manifest is
    read. ``entries`` are those of ``report``, or later ones.
    """
    known = Known({}, {}, report.counts.unverified if report else 0, None)
    known.account = report.account if report else None
    for each in report.unavailable if report else ():
        known.unavailable[each.album_key] = (*known.unavailable.get(each.album_key, ()), each)
    for key, state in entries.items():
        if state.generation == generations.get(key, 0):
            known.albums[key] = state

    def counted_in(key: str) -> int:
        return report.albums[key].generation if report and key in report.albums else 0

    # Later entries than the report's bring a state; the rest is in the manifest all the same.
    stale = [
        key
        for key, generation in generations.items()
        if key not in known.albums or counted_in(key) != generation
    ]

    def one(key: str) -> tuple[str, Manifest | None, int]:
        counted = counted_in(key)
        try:
            manifest = load_manifest(store, key, generations[key])
            before = load_manifest(store, key, counted) if counted else None
        except NotABackup:
            return key, None, 0
        return key, manifest, unverified(manifest) - unverified(before)

    for key, manifest, difference in executor.map(one, stale):
        if manifest is None:
            # Its turn will fail and name the damage; the other albums go on.
            known.albums[key] = AlbumState(generation=generations[key], next_full=STATE_LOST)
            continue
        known.albums.setdefault(key, AlbumState.of_header(manifest.header, reason=STATE_LOST))
        known.unavailable[key] = unavailable(key, manifest.entries)
        known.unverified += difference
        known.account = known.account or manifest.header.account
    return known
