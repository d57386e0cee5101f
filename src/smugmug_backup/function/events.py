"""The events that the function takes: one table of actions, each parsed whole or refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from smugmug_backup.archive.keys import is_run_id
from smugmug_backup.backup.run import RunRequest
from smugmug_backup.errors import BadRequest
from smugmug_backup.words import ACCOUNT, DRILL_IMAGES, MOST_DRILL_IMAGES, Amount, is_id

if TYPE_CHECKING:
    from smugmug_backup.backup.overflow import PlannedBatch


class BackupEvent(NamedTuple):
    """Back up the account. With a ``trigger`` it is a schedule's, and guarded against doubles."""

    request: RunRequest


class AlbumEvent(NamedTuple):
    """Do a batch of albums of another run's plan."""

    run_id: str
    planned: "PlannedBatch"


class FinishEvent(NamedTuple):
    """Make the report of a run's overflow."""

    run_id: str


class CheckEvent(NamedTuple):
    """Check the store; ``read_data`` as ``check --read-data`` takes it, None: structure only.

    ``history``: older generations and reports, too.
    """

    read_data: str | None
    history: bool = False


class DrillEvent(NamedTuple):
    """Restore so many ``images`` to nowhere, and compare them with what SmugMug serves."""

    images: int = DRILL_IMAGES


@dataclass(frozen=True, slots=True)
class SignOfLifeEvent:
    """Tell the owner how the backup stands."""


Event = BackupEvent | AlbumEvent | FinishEvent | CheckEvent | DrillEvent | SignOfLifeEvent


def parse_event(event: object) -> Event:
    """What an invocation is asked for.

    Takes the schedule's own Input, the classic ``Scheduled Event`` envelope, and requests by hand
    (see ``events/``). Raises BadRequest for anything else.
    """
    if not isinstance(event, Mapping):
        raise BadRequest("the event must be a JSON object, such as those under events/")
    if event.get("detail-type") == "Scheduled Event":
        return _classic(event)
    action = event.get("action")
    parse = _ACTIONS.get(action) if isinstance(action, str) else None
    if parse is None:
        raise BadRequest(f'the event\'s "action" must be one of: {", ".join(_ACTIONS)}')
    return parse(event)


def _classic(event: Mapping[str, Any]) -> BackupEvent:
    resources = event.get("resources")
    if not isinstance(resources, list) or not resources or not isinstance(resources[0], str):
        raise BadRequest('a Scheduled Event must name its rule in "resources"')
    return BackupEvent(RunRequest(trigger=_trigger(resources[0], event.get("time"), "time")))


def _backup(event: Mapping[str, Any]) -> BackupEvent:
    if "schedule_arn" in event or "scheduled_time" in event:
        _only(event, "schedule_arn", "scheduled_time")
        arn = event.get("schedule_arn")
        if not isinstance(arn, str) or not arn.strip():
            raise BadRequest('"schedule_arn" must be the ARN of the schedule')
        return BackupEvent(
            RunRequest(trigger=_trigger(arn, event.get("scheduled_time"), "scheduled_time"))
        )
    _only(event, "albums", "full", "dry_run", "accept_shrink", "accept_rename")
    albums = event.get("albums", [])
    if not isinstance(albums, list) or not all(is_id(each) for each in albums):
        raise BadRequest('"albums" must be a list of album keys')
    if "albums" in event and not albums:
        raise BadRequest('"albums" is empty; leave it out to back up the whole account')
    return BackupEvent(
        RunRequest(
            albums=tuple(albums),
            full=_flag(event, "full"),
            dry_run=_flag(event, "dry_run"),
            accept_shrink=_accepted(event),
            accept_rename=_flag(event, "accept_rename"),
        )
    )


def _album(event: Mapping[str, Any]) -> AlbumEvent:
    # A line of the plan and the run that made it; what only a newer plan has is not ours.
    from smugmug_backup.backup.overflow import PlannedBatch

    _only(event, "run_id", "albums", "account", "accept_shrink", "check", "open_elsewhere")
    return AlbumEvent(_run_id(event), PlannedBatch.from_json(event))


def _finish(event: Mapping[str, Any]) -> FinishEvent:
    _only(event, "run_id")
    return FinishEvent(_run_id(event))


def _check(event: Mapping[str, Any]) -> CheckEvent:
    _only(event, "read_data", "history")
    history = _flag(event, "history")
    read_data = event.get("read_data")
    if read_data is None:
        return CheckEvent(None, history)
    if not isinstance(read_data, str):
        raise BadRequest('"read_data" must be a text like "5GB", "5%" or "all"')
    try:
        return CheckEvent(Amount.parse(read_data).text, history)
    except BadRequest as error:
        raise BadRequest(f'"read_data": {error}') from None


def _drill(event: Mapping[str, Any]) -> DrillEvent:
    _only(event, "images")
    images = event.get("images", DRILL_IMAGES)
    if (
        not isinstance(images, int)
        or isinstance(images, bool)
        or not 1 <= images <= MOST_DRILL_IMAGES
    ):
        raise BadRequest(f'"images" must be a number from 1 to {MOST_DRILL_IMAGES}')
    return DrillEvent(images)


def _sign_of_life(event: Mapping[str, Any]) -> SignOfLifeEvent:
    _only(event)
    return SignOfLifeEvent()


_ACTIONS: Mapping[str, Callable[[Mapping[str, Any]], Event]] = {
    "backup": _backup,
    "album": _album,
    "finish": _finish,
    "check": _check,
    "drill": _drill,
    "sign_of_life": _sign_of_life,
}


def _only(event: Mapping[str, Any], *allowed: str) -> None:
    unknown = sorted(str(name) for name in event if name not in ("action", *allowed))
    if unknown:
        raise BadRequest(
            f"the event has fields that action {event['action']!r} does not take: "
            f"{', '.join(unknown)}"
        )


def _accepted(event: Mapping[str, Any]) -> tuple[str, ...]:
    value = event.get("accept_shrink", [])
    # `is_id` takes "account", too, which is no key that SmugMug gives.
    if not isinstance(value, list) or not all(is_id(each) for each in value):
        raise BadRequest(f'"accept_shrink" must be a list of album keys, or ["{ACCOUNT}"]')
    return tuple(value)


def _flag(event: Mapping[str, Any], name: str) -> bool:
    value = event.get(name, False)
    if not isinstance(value, bool):
        raise BadRequest(f'"{name}" must be true or false')
    return value


def _run_id(event: Mapping[str, Any]) -> str:
    run = event.get("run_id")
    if not is_run_id(run):
        raise BadRequest('"run_id" must be the id of a run, such as 20261124T030004Z-5f0c2a91')
    return str(run)


def _trigger(name: str, time: object, field: str) -> str:
    try:
        instant = datetime.fromisoformat(time if isinstance(time, str) else "")
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise BadRequest(f'"{field}" must be the scheduled time, such as 2026-11-24T03:00:00Z')
    return f"{name.strip()} {time}"
