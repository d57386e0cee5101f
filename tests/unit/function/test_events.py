"""Events are parsed whole or refused with one clear error."""

import pytest

from smugmug_backup.backup.run import RunRequest
from smugmug_backup.errors import BadRequest
from smugmug_backup.function.events import (
    BackupEvent,
    CheckEvent,
    FinishEvent,
    SignOfLifeEvent,
    parse_event,
)

ARN = "arn:aws:scheduler:eu-central-1:123456789012:schedule/default/nightly"


def test_a_schedule_names_its_trigger_by_arn_and_time():
    event = {
        "action": "backup",
        "schedule_arn": ARN,
        "scheduled_time": "2026-11-24T03:00:00Z",
    }
    assert parse_event(event) == BackupEvent(RunRequest(trigger=f"{ARN} 2026-11-24T03:00:00Z"))


def test_the_classic_envelope_names_its_trigger_by_rule_and_time():
    event = {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "time": "2026-11-24T03:00:00Z",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/nightly"],
        "detail": {},
    }
    parsed = parse_event(event)
    assert isinstance(parsed, BackupEvent)
    assert parsed.request.trigger == f"{event['resources'][0]} 2026-11-24T03:00:00Z"


def test_a_request_by_hand_has_no_trigger():
    event = {"action": "backup", "albums": ["hT4mWq"], "full": True, "accept_shrink": True}
    assert parse_event(event) == BackupEvent(
        RunRequest(albums=("hT4mWq",), full=True, accept_shrink=True)
    )
    assert parse_event({"action": "backup"}) == BackupEvent(RunRequest())


def test_the_other_actions_are_parsed():
    run = "20261124T030004Z-5f0c2a91"
    assert parse_event({"action": "finish", "run_id": run}) == FinishEvent(run)
    assert parse_event({"action": "check", "read_data": "5GB"}) == CheckEvent("5GB")
    assert parse_event({"action": "check"}) == CheckEvent(None)
    assert parse_event({"action": "sign_of_life"}) == SignOfLifeEvent()


@pytest.mark.parametrize(
    ("event", "names"),
    [
        (None, "JSON object"),
        ([], "JSON object"),
        ({}, "action"),
        ({"action": "restore"}, "action"),
        ({"action": ["backup"]}, "action"),
        ({"action": "backup", "album": "hT4mWq"}, "album"),
        ({"action": "backup", "albums": "hT4mWq"}, "albums"),
        ({"action": "backup", "albums": []}, "empty"),
        ({"action": "backup", "albums": ["../etc"]}, "albums"),
        ({"action": "backup", "full": "yes"}, "full"),
        ({"action": "backup", "schedule_arn": ARN}, "scheduled_time"),
        ({"action": "backup", "scheduled_time": "2026-11-24T03:00:00Z"}, "schedule_arn"),
        (
            # What Scheduler leaves in place of a time if the Input is used outside of it.
            {
                "action": "backup",
                "schedule_arn": ARN,
                "scheduled_time": "<aws.scheduler.scheduled-time>",
            },
            "scheduled_time",
        ),
        ({"action": "backup", "schedule_arn": ARN, "scheduled_time": "2026-11-24"}, "scheduled"),
        ({"detail-type": "Scheduled Event", "time": "2026-11-24T03:00:00Z"}, "resources"),
        ({"detail-type": "Scheduled Event", "resources": [ARN], "time": "soon"}, "time"),
        ({"action": "finish"}, "run_id"),
        ({"action": "finish", "run_id": "../../x"}, "run_id"),
        ({"action": "album", "run_id": "20261124T030004Z-5f0c2a91", "albums": []}, "albums"),
        ({"action": "album", "run_id": "20261124T030004Z-5f0c2a91", "albums": [{}]}, "plan"),
        ({"action": "album", "run_id": "x", "albums": [{}]}, "run_id"),
        ({"action": "check", "read_data": "much"}, "read_data"),
        ({"action": "check", "read_data": 5}, "read_data"),
        ({"action": "sign_of_life", "to": "me"}, "to"),
    ],
)
def test_anything_else_is_refused_by_an_error_that_names_what_is_wrong(event, names):
    with pytest.raises(BadRequest, match=names):
        parse_event(event)
