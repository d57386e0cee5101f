"""How a backup stands, in one word: what `status` ends with and the weekly mail begins with."""

from datetime import datetime
from enum import Enum

from smugmug_backup.archive.standing import Standing


class Verdict(Enum):
    """See `verdict_of`."""

    SILENT = "silent"
    NO_RUN = "no run"
    DAMAGED = "damaged"
    COMPLETE = "complete"
    NOT_COMPLETE = "not complete"


def verdict_of(standing: Standing, now: datetime) -> Verdict:
    """The backup in one word, by its reports.

    ======================================================  ==============
    the first that holds                                    verdict
    ======================================================  ==============
    no run over the whole account ended for two nights      SILENT
    none ever ended                                         NO_RUN
    the newest check's findings are not all mended          DAMAGED
    the newest such run was complete                        COMPLETE
    it was not                                              NOT_COMPLETE
    ======================================================  ==============
    """
    if standing.silence(now) is not None:
        return Verdict.SILENT
    if standing.whole is None:
        return Verdict.NO_RUN
    if standing.open_findings:
        return Verdict.DAMAGED
    return Verdict.COMPLETE if standing.is_complete else Verdict.NOT_COMPLETE
