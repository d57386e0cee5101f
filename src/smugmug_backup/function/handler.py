"""The Lambda handler: parse, guard, run, map."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from smugmug_backup.errors import BackupError
from smugmug_backup.function.actions import perform
from smugmug_backup.function.events import parse_event
from smugmug_backup.function.telemetry import logger, metrics
from smugmug_backup.settings import Settings
from smugmug_backup.wiring import Application, SystemClock

_kept: Application | None = None


@logger.inject_lambda_context(clear_state=True, log_event=False)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what the event asks for (see `events`).

    Raises RunIncomplete or RunRefused after a report that says why, BadRequest for an event or
    settings that cannot be used, and other BackupErrors; each is one line that says what to do.
    """
    try:
        return perform(parse_event(event), application(), context)
    except BackupError as error:
        logger.error(str(error), extra={"code": error.code})
        raise


def application() -> Application:
    """The application for the settings as they are now; its clients are kept."""
    global _kept
    settings = Settings.from_environment(os.environ)
    if _kept is None or _kept.settings != settings:
        _kept = Application.build(settings, SystemClock())
    return _kept
