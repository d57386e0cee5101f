"""Which API a run asks by the reports before it, a test for each row of the table."""

from datetime import UTC, datetime, timedelta

import pytest

from smugmug_backup.archive.chain import Reports
from smugmug_backup.archive.keys import run_id
from smugmug_backup.archive.records import V2, V130
from smugmug_backup.archive.report import Counts, Failure, RunReport
from smugmug_backup.backup.api import Choice, change_of_api, choice_of
from smugmug_backup.errors import LoginLost, SourceRetired
from smugmug_backup.model import Account

START = datetime(2026, 11, 20, 3, tzinfo=UTC)
STAYS = Choice(V130)
GOES_OVER = Choice(V130, (SourceRetired,), ("larkfield", "formerly"))


def report(hours, *, source=V130, code=None, status=None, trigger="", part=False, doubted=False):
    """A report ``hours`` after the start; with a ``code`` refused for it."""
    started = START + timedelta(hours=hours)
    return RunReport(
        run_id=run_id(started, "5f0c2a91"),
        status=status or ("refused" if code else "complete"),
        trigger=trigger or f"nightly {hours}",
        attempt_of=None,
        started_at=started,
        ended_at=started,
        part=part,
        account=Account("larkfield", "owner"),
        source=source,
        counts=Counts(),
        formerly=("formerly",),
        clock_doubted=doubted,
        failures=(Failure(None, None, code, "…"),) if code else (),
    )


def retired(hours, **more):
    return report(hours, code="source_retired", **more)


def reports(*told):
    """As a store has them whose newest report that counts is the last of ``told`` that does."""
    counts = [each for each in told if each.trusted]
    return Reports(
        newest=told[-1] if told else None,
        trusted=counts[-1] if counts else None,
        listed=tuple(each.run_id for each in told),
        read={each.run_id: each for each in told},
    )


NIGHTS = (retired(24), retired(48), retired(72))


@pytest.mark.parametrize(
    ("told", "choice"),
    [
        ((), Choice(V130, (SourceRetired, LoginLost))),
        ((retired(0),), Choice(V130, (SourceRetired, LoginLost))),
        ((report(0, source=V2),), Choice(V2)),
        ((report(0, source=V2), *NIGHTS), Choice(V2)),
        ((report(0),), STAYS),
        ((report(0), *NIGHTS[:2]), STAYS),
        ((report(0), *NIGHTS), GOES_OVER),
        # Three attempts of two nights are two triggers; three triggers within 47 hours are few.
        ((report(0), retired(1, trigger="a"), retired(2, trigger="a"), retired(60)), STAYS),
        ((report(0), retired(1), retired(24), retired(48)), STAYS),
        ((report(0), retired(1), retired(24), retired(49)), GOES_OVER),
        # In between 1.3.0 answered, if only of some albums, or for a login, or was down.
        ((report(0), *NIGHTS[:2], report(60, part=True), NIGHTS[2]), STAYS),
        ((report(0), *NIGHTS, report(96, code="login_lost")), STAYS),
        ((report(0), *NIGHTS, report(96, code="source_unavailable")), STAYS),
        ((report(0), *NIGHTS, retired(96, doubted=True)), STAYS),
        # What v2 could not end says nothing of 1.3.0, and one album's refusal nothing of the API.
        ((report(0), *NIGHTS, report(96, source=V2, code="refused")), GOES_OVER),
    ],
)
def test_the_api_is_chosen_by_the_reports(told, choice):
    assert choice_of(reports(*told)) == choice


def test_a_report_that_cannot_be_read_is_no_word_of_a_retirement():
    found = reports(report(0), *NIGHTS)
    found.read[NIGHTS[1].run_id] = None
    assert choice_of(found) == STAYS


def test_a_run_through_another_api_says_so_and_since_when_the_old_one_is_gone():
    assert change_of_api(reports(), V2) is None
    assert change_of_api(reports(report(0)), V130) is None
    assert change_of_api(reports(report(0)), V2) == (
        "SmugMug is read through its API v2 from this run on, and was through its API 1.3.0 until "
        "2026-11-20"
    )
    assert change_of_api(reports(report(0), *NIGHTS), V2) == (
        "SmugMug is read through its API v2 from this run on, and was through its API 1.3.0 until "
        "2026-11-20: SmugMug has answered since 2026-11-21 that 1.3.0 is gone; the backup goes on "
        "as before"
    )
