"""How a backup stands, by its newest run reports: the same for `status` and the weekly mail."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from smugmug_backup.archive import keys
from smugmug_backup.archive.report import COMPLETE, AlbumState, Failure, RunReport
from smugmug_backup.archive.state import load_report
from smugmug_backup.errors import NotABackup, Remedy, remedy_of
from smugmug_backup.ports import BackupStore

_MOST = 400
"""So many reports are looked through for the last complete one: more than a year of nights."""


@dataclass(frozen=True, slots=True)
class Summary:
    """``reports``: the newest ones, newest first. ``state``: the newest that tells the account's
    state. ``complete``: the newest complete one, None if there is none among the last 400.
    """

    reports: tuple[RunReport, ...]
    state: RunReport | None
    complete: RunReport | None

    @property
    def newest(self) -> RunReport | None:
        """The newest run of any kind."""
        return self.reports[0] if self.reports else None

    @property
    def is_complete(self) -> bool:
        """The newest run that tells the account's state was complete, and none was refused since.

        A refused run changes nothing in the store, but the source may have moved on unseen.
        """
        newest_whole = next((each for each in self.reports if not each.part), None)
        return newest_whole is not None and newest_whole.status == COMPLETE

    @property
    def complete_as_of(self) -> datetime | None:
        """Everything that SmugMug showed at this instant is stored: when the album that was
        listed first in the last complete run (or its earlier attempts) was listed."""
        if self.complete is None:
            return None
        ignored = set(self.complete.ignored_albums)
        listed = [
            state.listed_at
            for key, state in self.complete.albums.items()
            if state.live and key not in ignored and state.listed_at is not None
        ]
        return min(listed, default=self.complete.started_at)

    def missing_albums(self) -> dict[str, AlbumState]:
        """Albums that SmugMug does not show any more and that have no tombstone yet."""
        albums = self.state.albums if self.state else {}
        return {key: s for key, s in albums.items() if not s.live and not s.gone}

    def owners(self) -> tuple[Failure, ...]:
        """Failures of the newest run that only the owner can mend."""
        failures = self.newest.failures if self.newest else ()
        return tuple(each for each in failures if remedy_of(each.code) is Remedy.OWNER)


def summarise(store: BackupStore, *, runs: int = 10) -> Summary:
    """Read the newest ``runs`` reports, and older ones only for the last complete one."""
    found: list[RunReport] = []
    state = complete = None
    for report in _newest_first(store):
        if len(found) < runs:
            found.append(report)
        if state is None and report.trusted:
            state = report
        if complete is None and report.trusted and report.status == COMPLETE:
            complete = report
        if complete is not None and len(found) >= runs:
            break
    return Summary(tuple(found), state, complete)


def _newest_first(store: BackupStore) -> Iterator[RunReport]:
    listed = (keys.parse_report(each.key) for each in store.list(keys.RUNS))
    for run in sorted((run for run in listed if run is not None), reverse=True)[:_MOST]:
        try:
            yield load_report(store, run)
        except NotABackup:
            continue
