"""What each event does, and what it returns or raises."""

import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import singledispatch
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.report import Failure, RunReport, RunStatus
from smugmug_backup.backup.run import DryRun, RunRequest
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import BadRequest, RunIncomplete, RunRefused
from smugmug_backup.function import guard
from smugmug_backup.function.events import (
    AlbumEvent,
    BackupEvent,
    CheckEvent,
    DrillEvent,
    Event,
    FinishEvent,
    SignOfLifeEvent,
)
from smugmug_backup.function.telemetry import (
    LogObserver,
    count_batch,
    count_check,
    count_drill,
    count_refused,
    count_run,
    logger,
)
from smugmug_backup.wiring import Application, new_token
from smugmug_backup.words import Location

Result = dict[str, Any]

_FINDINGS_LOGGED = 20


def perform(event: Event, application: Application, context: LambdaContext) -> Result:
    """Do what ``event`` asks for within the invocation's time."""
    return _perform(event, application, context)


@singledispatch
def _perform(event: Any, application: Application, context: LambdaContext) -> Result:
    raise NotImplementedError(type(event).__name__)


@_perform.register
def _backup(event: BackupEvent, application: Application, context: LambdaContext) -> Result:
    request = event.request
    if request.trigger is None:
        return _run(request, application, context)
    table = application.settings.idempotency_table
    if table is None:
        raise BadRequest("IDEMPOTENCY_TABLE is missing; scheduled events need it")

    def noted(notes: tuple[str, ...]) -> Result:
        return _run(replace(request, notes=notes), application, context)

    return guard.once(request.trigger, noted, table=table, context=context)


def _run(request: RunRequest, application: Application, context: LambdaContext) -> Result:
    deadline = deadline_of(application, context)
    backup = application.backup(deadline=deadline, observer=LogObserver())
    try:
        report = backup.run(request, deadline=deadline)
    except RunRefused:
        count_refused()
        raise
    if isinstance(report, DryRun):
        return {"status": "dry_run", **asdict(report)}
    result = _told(report)
    if report.status == RunStatus.REFUSED:
        raise RunRefused(report.failures[0].message)
    passing = [failure for failure in report.failures if failure.passing]
    if report.status == RunStatus.INCOMPLETE and passing:
        raise RunIncomplete(_incomplete(report, passing))
    return result


@_perform.register
def _album(event: AlbumEvent, application: Application, context: LambdaContext) -> Result:
    deadline = deadline_of(application, context)
    backup = application.backup(
        deadline=deadline, observer=LogObserver(), share=application.settings.map_concurrency
    )
    progress = backup.work(event.run_id, event.planned, deadline=deadline)
    count_batch(progress=progress)
    return {"progress": progress, "run_id": event.run_id}


@_perform.register
def _finish(event: FinishEvent, application: Application, context: LambdaContext) -> Result:
    deadline = deadline_of(application, context)
    report = application.backup(deadline=deadline).finish(event.run_id, deadline=deadline)
    result = _told(report)
    if report.status == RunStatus.INCOMPLETE:
        # The execution fails with it: nothing else would tell the owner.
        raise RunIncomplete(_incomplete(report, report.failures))
    return result


@_perform.register
def _check(event: CheckEvent, application: Application, context: LambdaContext) -> Result:
    # Loaded here, as the sign of life is: the runs of every night start without.
    from smugmug_backup.check.check import check

    deadline = deadline_of(application, context)
    with ThreadPoolExecutor(application.settings.source.max_concurrency) as executor:
        result = check(
            application.store.bounded(deadline),
            clock=application.clock,
            token=new_token(),
            deadline=deadline,
            executor=executor,
            read_data=event.read_data,
            history=event.history,
        )
    for finding in result.findings[:_FINDINGS_LOGGED]:
        if finding.open:
            logger.error("the store is not sound", extra={"finding": finding.as_json()})
    if result.not_written is not None:
        logger.error("check report not stored", extra={"reason": result.not_written})
    report = result.report
    told = {
        "status": result.status,
        "run_id": report.run_id,
        "open_findings": report.open_findings,
        "counts": asdict(result.counts),
        "not_checked": list(report.not_checked),
        "report": None if result.not_written else report.key,
    }
    logger.info("check ended", extra=told)
    # A check that never gets to the end must not look like a store that is sound, nor must one
    # whose findings the next run cannot see.
    count_check(sound=result.sound and result.not_written is None)
    return told


@_perform.register
def _drill(event: DrillEvent, application: Application, context: LambdaContext) -> Result:
    # Once a month; no night waits for it to be loaded.
    from smugmug_backup.archive.drill_report import sentence
    from smugmug_backup.keeping.drill import drill

    deadline = deadline_of(application, context)
    store = application.store.bounded(deadline)
    with ThreadPoolExecutor(application.settings.source.max_concurrency) as executor:
        done = drill(
            Archive(store),
            application.source_for(store),
            clock=application.clock,
            token=new_token(),
            dice=secrets.randbelow,
            deadline=deadline,
            map_=executor.map,
            images=event.images,
        )
    if done is None:
        logger.info("no backup to drill yet")
        return {"status": "nothing_yet"}
    report = done.report
    for each in report.wrong[:_FINDINGS_LOGGED]:
        logger.error("the drill found something wrong", extra={"image": asdict(each)})
    if done.not_written is not None:
        logger.error("drill report not stored", extra={"reason": done.not_written})
    told = {
        "status": "passed" if done.passed else "failed",
        "run_id": report.run_id,
        "sampled": len(report.images),
        "same": report.same,
        "said": sentence(report),
        "report": None if done.not_written else report.key,
    }
    logger.info("drill ended", extra=told)
    count_drill(passed=done.passed and done.not_written is None)
    return told


@_perform.register
def _sign_of_life(
    event: SignOfLifeEvent, application: Application, context: LambdaContext
) -> Result:
    from smugmug_backup.function.sign_of_life import send_sign_of_life

    store, settings = (
        application.store.bounded(deadline_of(application, context)),
        application.settings,
    )
    told = send_sign_of_life(
        store,
        settings.alert_topic_arn,
        now=application.clock.now(),
        bucket=Location("", bucket=settings.bucket, prefix=settings.prefix),
    )
    logger.info("sign of life sent", extra=told)
    return told


def deadline_of(application: Application, context: LambdaContext) -> Deadline:
    """The invocation's deadline; a reserve of more than half of the time is cut to that."""
    seconds = context.get_remaining_time_in_millis() / 1000
    reserve = min(application.settings.reserve_seconds, seconds / 2)
    return Deadline.after(application.clock, seconds, reserve=reserve)


def _told(report: RunReport) -> Result:
    result = {
        "status": report.status,
        "run_id": report.run_id,
        "duplicate": False,
        "counts": asdict(report.counts),
    }
    logger.info("run ended", extra={**result, "seal": report.sha256})
    count_run(report)
    return result


def _incomplete(report: RunReport, failures: Sequence[Failure]) -> str:
    first = failures[0].message if failures else "originals are pending"
    return (
        f"run {report.run_id} is not complete: {len(failures) + report.more_failures} failures, "
        f"{report.counts.pending} originals pending; first: {first}; see {report.key}"
    )
