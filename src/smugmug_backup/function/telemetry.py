"""What the function says of itself: one log line per album and run, at most ten metrics."""

import os
import warnings
from traceback import extract_tb

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from smugmug_backup.archive.changes import losses
from smugmug_backup.archive.report import RunReport, RunStatus
from smugmug_backup.backup.outcome import Outcome
from smugmug_backup.model import Album

# The stack's name; the metrics' only dimension.
_SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "smugmug-backup"

logger = Logger(service=_SERVICE)
metrics = Metrics(namespace="SmugMugBackup", service=_SERVICE)

# An event that was refused has nothing to count; Powertools' own way to say that this is fine.
warnings.filterwarnings("ignore", "No application metrics to publish")


class LogObserver:
    """Logs every album that changed or failed; one that stayed the same is not worth a line."""

    def noted(self, note: str) -> None:
        """See `Observer`; it stands in the report, too."""

    def planned(self, albums: int) -> None:
        """Log how much there is to do."""
        logger.info("albums to do", extra={"albums": albums})

    def album_done(self, album: Album, outcome: Outcome) -> None:
        """Log one album's outcome."""
        if not (outcome.committed or outcome.failures or outcome.left_over):
            return
        log = logger.warning if outcome.failures else logger.info
        log(
            "album done",
            extra={
                "album_key": album.key,
                "generation": outcome.state.generation,
                "images": outcome.state.image_count,
                "originals_stored": outcome.counts.originals_stored,
                "bytes_stored": outcome.counts.bytes_stored,
                "pending": outcome.state.pending,
                "left_over": outcome.left_over,
                "failures": [failure.as_json() for failure in outcome.failures[:10]],
                "failure_count": len(outcome.failures),
            },
        )

    def received(self, size: int) -> None:
        """Bytes are summed up by the album's line."""

    def defect(self, album: Album, error: Exception) -> None:
        """Log where it happened, without the error's own text."""
        frames = [f"{f.filename}:{f.lineno} {f.name}" for f in extract_tb(error.__traceback__)]
        logger.error(
            "defect",
            extra={"album_key": album.key, "kind": type(error).__name__, "frames": frames},
        )


def count_run(report: RunReport) -> None:
    """Metrics of a run that ended. `docs`: docs/metrics-and-alarms.md."""
    ended = report.status != RunStatus.CONTINUING
    counts = report.counts
    progress = report.status != RunStatus.REFUSED and (
        ended or counts.albums_changed > 0 or counts.originals_stored > 0
    )
    if ended:
        _count("Complete", int(report.status == RunStatus.COMPLETE))
        _count("Pending", counts.pending)
        _count("Images", counts.images)
    _count("Progress", int(progress))
    _count("Refused", int(report.status == RunStatus.REFUSED))
    _count("Failures", len(report.failures) + report.more_failures)
    _count("CursorMisses", counts.cursor_misses)
    _count("Losses", losses(report.changes))
    metrics.add_metric(name="BytesStored", unit=MetricUnit.Bytes, value=counts.bytes_stored)


def count_batch(*, progress: bool) -> None:
    """Metrics of one child's turn: whether the long work goes on."""
    _count("Progress", int(progress))


def count_check(*, sound: bool) -> None:
    """Metrics of a check."""
    _count("CheckNotSound", int(not sound))


def count_drill(*, passed: bool) -> None:
    """Metrics of a fire drill: what it finds wrong is wrong with the store."""
    _count("CheckNotSound", int(not passed))


def count_guard_down() -> None:
    """A scheduled run that goes without its guard; a metric more would be the eleventh."""
    _count("Failures", 1)


def count_refused() -> None:
    """A run that was refused before there was a report."""
    _count("Refused", 1)


def _count(name: str, value: int) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
