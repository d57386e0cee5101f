"""A drill report is a file of the format, and one sentence for its owner."""

import json

import pytest

from smugmug_backup.archive.drill_report import ALARMS, Drilled, DrillReport, Outcome, sentence
from smugmug_backup.archive.schemas import checker
from smugmug_backup.errors import FormatTooNew, NotABackup
from tests.unit.archive.build import HASH, MD5, day, run_id


def report(*outcomes, years=(2009, 2026)):
    images = [
        Drilled("hT4mWq", f"i{n}", f"originals/i{n}/{MD5}.jpg", outcome, None)
        for n, outcome in enumerate(outcomes)
    ]
    return DrillReport(run_id(1), day(1), day(1), run_id(0), HASH, 123, years, tuple(images))


SAME = (Outcome.SAME,)


@pytest.mark.parametrize(
    ("outcomes", "years", "said"),
    [
        (
            SAME * 20,
            (2009, 2026),
            "20 photos of 2009 to 2026 were restored and compared with SmugMug: all the same.",
        ),
        (SAME, (2024, 2024), "1 photo of 2024 was restored and compared with SmugMug: the same."),
        (SAME * 2, None, "2 photos were restored and compared with SmugMug: all the same."),
        (
            (*SAME * 2, Outcome.REPLACED_SINCE, Outcome.GONE_SINCE, Outcome.UNAVAILABLE_AT_SOURCE),
            None,
            (
                "5 photos were restored and compared with SmugMug: 2 the same, 1 replaced at "
                "SmugMug since, 1 gone from SmugMug since, 1 not delivered by SmugMug today."
            ),
        ),
        (
            (Outcome.DIFFERS, Outcome.DAMAGED, Outcome.UNREADABLE, Outcome.BROKEN_CHAIN),
            None,
            (
                "4 photos were restored and compared with SmugMug: 0 the same, 1 NOT as SmugMug "
                "has it, 1 DAMAGED in the backup, 1 NOT TO BE READ from the backup, 1 NOT PROVED "
                "by the seal."
            ),
        ),
        (
            (Outcome.UNAVAILABLE_AT_SOURCE,) * 3,
            None,
            ("3 photos were restored whole; SmugMug delivered none of them to compare with."),
        ),
        (
            (Outcome.UNAVAILABLE_AT_SOURCE,),
            None,
            "1 photo was restored whole; SmugMug did not deliver it to compare with.",
        ),
        ((), None, "There was no photo to restore for a drill."),
    ],
)
def test_it_is_told_in_one_sentence(outcomes, years, said):
    assert sentence(report(*outcomes, years=years)) == said


@pytest.mark.parametrize("outcome", Outcome)
def test_it_is_read_as_it_was_written_and_is_of_the_format(outcome):
    written = report(outcome)
    assert DrillReport.from_bytes(written.to_bytes(), key=written.key) == written
    assert checker("drill-report", strict=True)(json.loads(written.to_bytes())) is None
    assert bool(written.wrong) == (outcome in ALARMS)


def test_what_is_no_drill_report_is_refused():
    written = report(*SAME)
    body = written.to_bytes()
    for wrong in (b"{", body.replace(b'"same"', b'"sane"'), body.replace(b"2026]", b'"x"]')):
        with pytest.raises(NotABackup):
            DrillReport.from_bytes(wrong, key=written.key)
    with pytest.raises(NotABackup):
        DrillReport.from_bytes(body, key=report(*SAME).key.replace("drills", "runs"))
    with pytest.raises(FormatTooNew):
        DrillReport.from_bytes(body.replace(b'"version":1', b'"version":2'), key=written.key)
