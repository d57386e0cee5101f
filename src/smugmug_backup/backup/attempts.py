"""The attempts of one trigger: what an earlier one has done is not done again.

A retry, and the end of an overflow, go on where another attempt has left off. An album counts as
done by one if it was listed and believed since the first of them began.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.report import AlbumState, RunReport
from smugmug_backup.errors import FormatTooNew, NotABackup, StoreError


class Attempts(NamedTuple):
    """``reports``: those of the attempts so far, the newest first."""

    reports: tuple[RunReport, ...] = ()

    @classmethod
    def before(cls, archive: Archive, newest: RunReport | None, trigger: str | None) -> "Attempts":
        """The earlier attempts of a run of ``trigger``."""
        if newest is None or trigger is None or newest.trigger != trigger:
            return cls()
        return cls(tuple(each for each in _back(archive, newest) if each.trigger == trigger))

    @classmethod
    def until(cls, archive: Archive, report: RunReport | None) -> "Attempts":
        """The attempt that left ``report``, and those before it."""
        return cls() if report is None else cls(tuple(_back(archive, report)))

    @property
    def last(self) -> str | None:
        """The run id of the newest."""
        return self.reports[0].run_id if self.reports else None

    @property
    def since(self) -> datetime | None:
        """SmugMug's date when the first one began; None if there is none, or it is not known."""
        return self.reports[-1].dated_at if self.reports else None

    def done(self, states: Mapping[str, AlbumState]) -> Collection[str]:
        """The albums with which another attempt has nothing to do."""
        if not self.reports or self.reports[0].more_failures:
            return ()
        failed = {failure.album_key for failure in self.reports[0].failures}
        return {
            key
            for key, state in states.items()
            if state.live and not state.pending and key not in failed
            if listed_since(state, self.since)
        }


def listed_since(state: AlbumState, since: datetime | None) -> bool:
    """Whether the album was listed and believed at or after ``since``."""
    return state.listed_at is not None and since is not None and state.listed_at >= since


def _back(archive: Archive, report: RunReport) -> Iterator[RunReport]:
    """A report, that of the attempt before it, and so on, as far as they can be read."""
    seen = set[str]()
    with suppress(StoreError, NotABackup, FormatTooNew):
        while report.run_id not in seen:
            seen.add(report.run_id)
            yield report
            if report.attempt_of is None:
                return
            report = archive.report(report.attempt_of)
