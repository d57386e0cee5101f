"""Times as they are written, and read again."""

from datetime import UTC, datetime

import pytest

from smugmug_backup.archive.keys import run_start
from smugmug_backup.clock import parse_stamp, stamp


def test_a_time_is_read_as_it_was_written():
    moment = datetime(2026, 11, 24, 3, 0, 9, tzinfo=UTC)
    assert stamp(moment) == "2026-11-24T03:00:09Z"
    assert parse_stamp("2026-11-24T03:00:09Z") == moment
    assert run_start("20261124T030009Z-0123abcd") == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-24",
        "2026-11-24T03:00:09",
        "2026-11-24 03:00:09Z",
        "2026-11-24T03:00:09+00:00",
        "2026-11-24T03:00:09.5Z",
        "2026-11-24T03:00:60Z",
        "2026-11-24T24:00:00Z",
        "2026-02-29T03:00:09Z",
        "2026-W48-2T03:00:09Z",
        "20261124T030009Z",
        "\u0662026-11-24T03:00:09Z",
    ],
)
def test_a_time_that_is_written_otherwise_is_none(text):
    with pytest.raises(ValueError):
        parse_stamp(text)


@pytest.mark.parametrize(
    "run", ["20260229T030009Z-0123abcd", "20261124T250009Z-0123abcd", "2026-11-24T03:00Z", ""]
)
def test_a_run_of_no_real_day_has_no_start(run):
    with pytest.raises(ValueError):
        run_start(run)
