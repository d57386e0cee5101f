"""How a backup stands, by its newest reports: the same for `status`, the mail and the page."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from smugmug_backup.archive import keys
from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.changes import Guarded, guarded
from smugmug_backup.archive.check_report import CheckReport
from smugmug_backup.archive.drill_report import DrillReport
from smugmug_backup.archive.report import (
    AlbumState,
    Checked,
    CompleteAsOf,
    Failure,
    Link,
    RunReport,
    RunStatus,
    future,
)
from smugmug_backup.errors import Remedy, remedy_of

SILENCE = timedelta(hours=50)
"""Two nights, and the time that a run takes: nothing runs any more if none ended for longer."""
_A_RUN = timedelta(hours=2)
_SLOWEST = timedelta(days=62)
"""Two months: whoever runs it more seldom is told."""


_MOST = 200
"""So many reports are read at most: a week of runs each hour."""


@dataclass(frozen=True, slots=True)
class Standing:
    """``shown``: the newest reports of any kind, newest first. ``whole``: the newest that is not of
    a part of the account; it judges. ``state``: the newest that tells the account's state.
    ``check``: the newest check, as the reports or its own file tell. ``seal``: the heads.
    ``drill``: the newest fire drill.
    """

    shown: tuple[RunReport, ...]
    whole: RunReport | None
    reports: Reports
    check: Checked | None
    seal: tuple[Link, ...]
    drill: DrillReport | None = None

    @property
    def newest(self) -> RunReport | None:
        """The newest run of any kind."""
        return self.reports.newest

    @property
    def state(self) -> RunReport | None:
        """The newest report that tells the account's state."""
        return self.reports.trusted

    @property
    def is_complete(self) -> bool:
        """The newest run over the whole account was complete, and none was refused since.

        A refused run changes nothing in the store, but the source may have moved on unseen.
        """
        return self.whole is not None and self.whole.status == RunStatus.COMPLETE

    @property
    def open_findings(self) -> int:
        """What the newest check found wrong, as far as no run has mended it since."""
        return self.check.open if self.check else 0

    @property
    def is_well(self) -> bool:
        """The backup is complete, and nothing in it is known to be damaged."""
        return self.is_complete and not self.open_findings

    def silence(self, now: datetime) -> timedelta | None:
        """How long no run over the whole account has ended, if that is longer than `patience`.

        None if all is as it should be, and if none ever ended.
        """
        ended = [each.ended_at for each in (self.whole, *self.shown) if each and not each.part]
        silent = now - max(ended) if ended else None
        return silent if silent is not None and silent > self.patience else None

    @property
    def patience(self) -> timedelta:
        """How long runs may be away: two nights, or twice the usual time between the shown ones.

        Nobody has to say that a schedule is slower than nightly; three runs tell. Further attempts
        of a trigger are no runs of their own.
        """
        starts = [r.started_at for r in self.shown if not r.part and r.attempt_of is None]
        gaps = sorted(later - earlier for later, earlier in pairwise(starts))
        usual = gaps[len(gaps) // 2] if len(gaps) > 1 else timedelta()
        return min(max(SILENCE, 2 * usual + _A_RUN), _SLOWEST)

    @property
    def complete_as_of(self) -> CompleteAsOf | None:
        """The newest complete run, and its date at SmugMug."""
        return self.whole.complete_as_of if self.whole else self.reports.complete_as_of

    def missing_albums(self) -> dict[str, AlbumState]:
        """Albums that SmugMug does not show any more and that have not left for good yet."""
        albums = self.reports.albums
        return {key: s for key, s in albums.items() if s.missing_since and not s.gone}

    def api_changed(self) -> tuple[RunReport, RunReport] | None:
        """The newest two of the shown reports between which the API changed: before, after."""
        told = [each for each in self.shown if each.trusted]
        for after, before in pairwise(told):
            if after.source != before.source:
                return before, after
        return None

    def guarded(self, since: datetime) -> tuple[Guarded, ...]:
        """What changed at SmugMug that a person would want to know, in the runs that ended after
        ``since``."""
        return guarded(each.changes for each in self.shown if each.ended_at > since)

    def owners(self) -> tuple[Failure, ...]:
        """Failures of the newest run that only the owner can mend."""
        failures = self.newest.failures if self.newest else ()
        return tuple(each for each in failures if remedy_of(each.code) is Remedy.OWNER)


def standing_of(
    archive: Archive, *, now: datetime, runs: int = 10, since: datetime | None = None
) -> Standing:
    """Read the newest ``runs`` reports, those of runs since ``since``, and older ones only for
    the newest whole one."""
    reports = archive.reports(now=now)
    listed = [run for run in archive.runs() if not future(run, now)]
    shown: list[RunReport] = []
    whole: RunReport | None = None
    recent = bisect_right(listed, since, key=keys.run_start) if since else len(listed)
    runs = max(runs, min(len(listed) - recent, _MOST))
    for run in reversed(listed):
        if len(shown) >= runs and whole is not None:
            break
        report = reports.report(archive.store, run)
        if report is None:
            continue
        if len(shown) < runs:
            shown.append(report)
        if whole is None and not report.part and not report.clock_doubted:
            whole = report
    newest_check = archive.newest_check(now=now)
    seal = archive.heads(reports, reports, newest_check)
    check = _told(reports, newest_check)
    drill = archive.newest_drill(now=now)
    return Standing(tuple(shown), whole, reports, check, seal, drill)


def _told(reports: Reports, newest: CheckReport | None) -> Checked | None:
    """The newest check: a run that saw it tells what is still open, else its own file does."""
    known = max(
        (each.check for each in (reports.newest, *reports.counting) if each and each.check),
        key=lambda each: each.run_id,
        default=None,
    )
    if newest is None or (known is not None and known.run_id >= newest.run_id):
        return known
    return newest.summary()
