"""Events are parsed whole or refused with one clear error."""

import json
from pathlib import Path

import pytest

from smugmug_backup.archive.report import AlbumState
from smugmug_backup.backup.overflow import PlannedAlbum, PlannedBatch
from smugmug_backup.backup.run import RunRequest
from smugmug_backup.errors import BadRequest
from smugmug_backup.function.events import (
    AlbumEvent,
    BackupEvent,
    CheckEvent,
    DrillEvent,
    FinishEvent,
    SignOfLifeEvent,
    parse_event,
)
from smugmug_backup.model import Account, Album

EVENTS = Path(__file__).resolve().parents[3] / "events"
RUN = "20261124T030004Z-5f0c2a91"
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
    event = {
        "action": "backup",
        "albums": ["hT4mWq"],
        "full": True,
        "accept_shrink": ["account", "hT4mWq"],
        "accept_rename": True,
    }
    assert parse_event(event) == BackupEvent(
        RunRequest(
            albums=("hT4mWq",),
            full=True,
            accept_shrink=("account", "hT4mWq"),
            accept_rename=True,
        )
    )
    assert parse_event({"action": "backup"}) == BackupEvent(RunRequest())


def planned(**more):
    album = Album("hT4mWq", 51840217, "Harbour 2024", ("Travel",), 2, {"Key": "hT4mWq"}, ())
    albums = (PlannedAlbum(album, AlbumState(title="Harbour 2024")),)
    return PlannedBatch(albums, Account("larkfield", "owner"), ("hT4mWq",), RUN, **more)


def test_a_childs_event_is_a_line_of_the_plan_and_the_run_that_made_it():
    event = {"action": "album", "run_id": RUN, **json.loads(json.dumps(planned().as_json()))}
    assert parse_event(event) == AlbumEvent(RUN, planned())


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda each: each.stem)
def test_every_example_of_an_event_is_taken(path):
    parse_event(json.loads(path.read_text()))


def test_the_other_actions_are_parsed():
    assert parse_event({"action": "finish", "run_id": RUN}) == FinishEvent(RUN)
    assert parse_event({"action": "check", "read_data": "5GB"}) == CheckEvent("5GB")
    assert parse_event({"action": "check"}) == CheckEvent(None)
    assert parse_event({"action": "drill", "images": 7}) == DrillEvent(7)
    assert parse_event({"action": "drill"}) == DrillEvent(20)
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
        ({"action": "backup", "accept_shrink": True}, "list of album keys"),
        ({"action": "backup", "accept_shrink": ["Harbour 2024"]}, "list of album keys"),
        ({"action": "backup", "accept_rename": "yes"}, "accept_rename"),
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
        ({"action": "finish", "run_id": RUN, "albums": []}, "albums"),
        ({"action": "album", "run_id": RUN}, "plan"),
        ({"action": "album", "run_id": RUN, "albums": []}, "plan"),
        ({"action": "album", "run_id": RUN, **planned().as_json(), "albums": [{}]}, "plan"),
        ({"action": "album", "run_id": RUN, **planned().as_json(), "account": None}, "plan"),
        ({"action": "album", "run_id": RUN, **planned().as_json(), "when": "now"}, "when"),
        ({"action": "album", "run_id": "x", "albums": [{}]}, "run_id"),
        ({"action": "check", "read_data": "much"}, "read_data"),
        ({"action": "check", "read_data": 5}, "read_data"),
        ({"action": "drill", "images": 0}, "images"),
        ({"action": "drill", "images": 1001}, "images"),
        ({"action": "drill", "images": True}, "images"),
        ({"action": "drill", "images": "20"}, "images"),
        ({"action": "drill", "amount": 20}, "amount"),
        ({"action": "sign_of_life", "to": "me"}, "to"),
    ],
)
def test_anything_else_is_refused_by_an_error_that_names_what_is_wrong(event, names):
    with pytest.raises(BadRequest, match=names):
        parse_event(event)
