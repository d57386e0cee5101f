"""Which of SmugMug's APIs a run asks, where its owner left that to the backup (``auto``).

API 1.3.0 has no successor with a date, so one day it will be gone in one night; and one 404 is no
day of its own. So the decision needs the reports of several days, and API v2's own word tonight.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.records import V130, api_name
from smugmug_backup.archive.report import RunReport, RunStatus
from smugmug_backup.errors import Code, LoginLost, SourceError, SourceRetired

TRIGGERS = 3
LASTING = timedelta(hours=48)


class Choice(NamedTuple):
    """``first``: the API that is asked. ``leaving_for``: errors of it tonight for which the run
    goes over to v2, if that shows the account ``nicknames`` (none: whichever it shows)."""

    first: str
    leaving_for: tuple[type[SourceError], ...] = ()
    nicknames: tuple[str, ...] = ()


def choice_of(reports: Reports) -> Choice:
    """Which API a run asks by the reports before it; no run ever goes back by itself.

    ==================================  ==========  ================================================
    the newest report that counts       asked       v2 instead, tonight and from then on
    ==================================  ==========  ================================================
    is made through v2                  v2
    is made through 1.3.0               1.3.0
    the same, and all reports since,    1.3.0       if 1.3.0 is retired tonight, too, and v2 shows
    of three triggers over 48 hours,                the same account
    say that 1.3.0 is retired
    there is none                       1.3.0       if 1.3.0 is retired or does not take the login,
                                                    and v2 does
    ==================================  ==========  ================================================
    """
    counts = reports.trusted
    if counts is None:
        return Choice(V130, (SourceRetired, LoginLost))
    if counts.source != V130:
        return Choice(counts.source)
    retired = [*_retired(reports)]
    triggers = {each.trigger or each.run_id for each in retired}
    if len(triggers) < TRIGGERS or retired[0].started_at - retired[-1].started_at < LASTING:
        return Choice(V130)
    account = reports.account
    nicknames = (account.nickname, *reports.formerly) if account else ()
    return Choice(V130, (SourceRetired,), nicknames)


def change_of_api(reports: Reports, source: str) -> str | None:
    """What is to be told of a run through ``source``, if the one before it used another API."""
    counts = reports.trusted
    if counts is None or counts.source == source:
        return None
    told = (
        f"SmugMug is read through its {api_name(source)} from this run on, and was through its "
        f"{api_name(counts.source)} until {counts.started_at:%Y-%m-%d}"
    )
    retired = [*_retired(reports)] if counts.source == V130 else []
    if not retired:
        return told
    return (
        f"{told}: SmugMug has answered since {retired[-1].started_at:%Y-%m-%d} that 1.3.0 is gone; "
        "the backup goes on as before"
    )


def _retired(reports: Reports) -> Iterator[RunReport]:
    """The reports since the newest one that counts, the newest first, as far back as each says
    that 1.3.0 is retired. Tries with v2 that came to nothing say nothing of 1.3.0."""
    since = reports.trusted.run_id if reports.trusted else ""
    for run in reversed(reports.listed):
        if run <= since:
            return
        report = reports.read.get(run)
        if report is not None and report.source != V130 and report.status == RunStatus.REFUSED:
            continue
        if report is None or report.clock_doubted or not _says_retired(report):
            return
        yield report


def _says_retired(report: RunReport) -> bool:
    # 404, 410, or the code of an unknown method; a page or a redirect in its place, too: whatever
    # keeps 1.3.0 away for days, v2 has to show the account before anything follows from it.
    return any(
        each.album_key is None and each.code == Code.SOURCE_RETIRED for each in report.failures
    )
