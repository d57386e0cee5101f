"""A year of the function, by a simulated clock: each trouble is told once, and in plain words.

The real handler and adapters, in this process: SmugMug is the local one, over HTTP; bucket, table,
secret and topic are moto's. What leaves the process is taken there: mails at the topic, metrics
from the log lines, and what Lambda makes of an invocation that failed three times. The alarms are
those of the template, worked out by `tests.tools.alarms`. Lambda's retries, schedules and time are
played here.

Where nothing happens the backup runs once a week, before the mail, with `SilenceHours` to suit;
around each trouble every night.
"""

import contextlib
import hashlib
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
import pytest
import time_machine
from moto import mock_aws

from smugmug_backup.aws import client
from smugmug_backup.aws.client import aws_client
from smugmug_backup.backup import account_run
from smugmug_backup.function import guard, handler, sign_of_life
from smugmug_backup.wiring import SystemClock
from tests.local_smugmug import LocalSmugMug, World, generate_account
from tests.stack.template import of_type, resolved
from tests.tools.alarms import Data, Mailed, mails, metric_of
from tests.tools.fake_s3 import FakeS3
from tests.tools.independent_reader import assert_sound

BEGIN = datetime(2026, 11, 24, tzinfo=UTC)
DAYS = 365
ALBUMS, IMAGES, EMPTIED = 3, 6, 2

KILLED = 60
RETIRED = range(100, 106)
DOWN = range(160, 190)
STOLEN = 250
EVERY_NIGHT = {*range(59, 63), *range(99, 107), *range(159, 192), *range(249, 253)}

TALK_OF_PROGRAMMERS = ("traceback", "exception", "boto", "arn:", "null", "none:")


class OutOfMemory(BaseException):
    """What ends a process: no handler of errors sees it."""


_WRITE_REPORT = account_run.write_report


def _dies(*_: Any, **__: Any) -> None:
    raise OutOfMemory


@dataclass
class Context:
    """What Lambda hands in."""

    aws_request_id: str
    function_name: str = "backup"
    memory_limit_in_mb: int = 1769
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:backup"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@dataclass
class Told:
    """A mail of the function's own."""

    day: int
    subject: str
    text: str

    @property
    def line(self) -> str:
        """The text without its line ends."""
        return " ".join(self.text.split())


@dataclass
class Year:
    """The function from day to day; ``clock`` moves all that asks for the time."""

    smugmug: LocalSmugMug
    s3: FakeS3
    clock: Any
    monkeypatch: pytest.MonkeyPatch
    data: Data = field(default_factory=Data)
    told: list[Told] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0
    queue: str = ""

    @property
    def day(self) -> int:
        return (datetime.now(UTC) - BEGIN).days

    def until(self, day: int, hour: int) -> None:
        self.clock.move_to(BEGIN + timedelta(days=day, hours=hour))

    def invoke(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """One event, as Lambda would: tried three times, then given to the failure destination."""
        self.requests += 1
        context = Context(f"{self.requests:08d}-2182-154f-163f-5f0f9a621d72")
        for wait in (60, 120, 0):
            with contextlib.redirect_stdout(io.StringIO()) as said:
                try:
                    answer = handler.lambda_handler(dict(event), context)  # type: ignore[arg-type]
                except (Exception, OutOfMemory):
                    answer = None
            self.count(said.getvalue())
            if answer is not None:
                self.answers.append(answer)
                return answer
            self.clock.shift(wait)
        self.data.put("NumberOfMessagesSent <FailedRuns.QueueName>", datetime.now(UTC), 1)
        return None

    def count(self, said: str) -> None:
        """The metrics that CloudWatch would find in what the function said."""
        for line in said.splitlines():
            if '"_aws"' in line:
                blob = json.loads(line)
                for metric in blob["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                    values = blob[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        self.data.put(metric["Name"], datetime.now(UTC), value)

    def night(self) -> dict[str, Any] | None:
        self.until(self.day, 3)
        return self.invoke(
            {
                "action": "backup",
                "schedule_arn": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly",
                "scheduled_time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            }
        )

    def mailed(self) -> None:
        """Take what came to the topic."""
        for message in (
            boto3.client("sqs")
            .receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
            .get("Messages", ())
        ):
            body = json.loads(message["Body"])
            self.told.append(Told(self.day, body["Subject"], body["Message"]))
            boto3.client("sqs").delete_message(
                QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"]
            )

    def build(self, url: str) -> None:
        """Bucket, table, secret, and a topic whose mails can be read."""
        boto3.client("dynamodb").create_table(
            TableName="guard",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        secret = json.dumps(self.smugmug.world.account.secret())
        boto3.client("ssm").put_parameter(Name="/secret", Value=secret, Type="SecureString")
        topic = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
        self.queue = boto3.client("sqs").create_queue(QueueName="mails")["QueueUrl"]
        arn = boto3.client("sqs").get_queue_attributes(
            QueueUrl=self.queue, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        for name, value in {
            "BACKUP_BUCKET": "photos",
            "SMUGMUG_SECRET": "ssm:/secret",
            "SMUGMUG_API": "auto",
            "SMUGMUG_API_URL": url,
            "SMUGMUG_PHOTO_HOSTS": "127.0.0.1",
            "IDEMPOTENCY_TABLE": "guard",
            "ALERT_TOPIC_ARN": topic,
            "MAX_CONCURRENCY": "4",
        }.items():
            self.monkeypatch.setenv(name, value)

    # -- what happens --------------------------------------------------------------------------

    def live(self) -> None:
        """All 365 days."""
        for day in range(DAYS):
            self.until(day, 0)
            self.owner(day)
            self.trouble(day)
            today = BEGIN + timedelta(days=day)
            if day in EVERY_NIGHT or today.weekday() == 0 or day == 0:
                self.night()
            if day % 90 == 4:
                self.until(day, 6)
                self.invoke({"action": "check", "read_data": "5%"})
            if today.day == 1:
                self.until(day, 7)
                self.invoke({"action": "drill", "images": 5})
            if today.weekday() == 0:
                self.until(day, 8)
                self.invoke({"action": "sign_of_life"})
                self.mailed()

    def owner(self, day: int) -> None:
        """What a photographer does: photos come, a caption changes."""
        world = self.smugmug.world
        largest = self.largest()[-1]
        if day % 30 == 10:
            world.upload(largest)
        if day % 30 == 20:
            world.edit(world.album(largest).held[0].key, caption=f"Day {day}")

    def largest(self) -> list[str]:
        """The albums, the largest last."""
        albums = self.smugmug.world.account.albums
        return sorted(albums, key=lambda key: (len(albums[key].held), key))

    def trouble(self, day: int) -> None:
        smugmug = self.smugmug
        account_run.write_report = _dies if day == KILLED else _WRITE_REPORT
        if day == RETIRED.start:
            smugmug.switches.set(retired="410")
        if day == DOWN.start:
            smugmug.faults.add("status", status=503, times=None)
        if day == DOWN.stop:
            smugmug.faults.clear()
        if day == STOLEN:
            for album in self.largest()[-EMPTIED - 1 : -1]:
                for image in list(smugmug.world.album(album).held):
                    smugmug.world.delete(image.key)


@pytest.fixture(scope="module")
def year():
    """The year, lived once for all tests of it."""
    with pytest.MonkeyPatch.context() as monkeypatch, contextlib.ExitStack() as stack:
        for name in ("AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        clock = stack.enter_context(time_machine.travel(BEGIN, tick=False))
        # Who waits only lets the time pass.
        monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: clock.shift(seconds))
        monkeypatch.setattr(SystemClock, "monotonic", lambda _: datetime.now(UTC).timestamp())
        monkeypatch.setattr(handler, "_kept", None)
        stack.enter_context(mock_aws())
        # A new client for each invocation is most of what an invocation costs here.
        kept = cache(aws_client)
        for module in (guard, client, sign_of_life):
            monkeypatch.setattr(module, "aws_client", kept)
        world = World(generate_account(seed=7, albums=ALBUMS, images=IMAGES))
        for album in world.account.albums.values():
            world.account.touch(album)
        smugmug = stack.enter_context(LocalSmugMug(world))
        s3 = stack.enter_context(FakeS3())
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.address)
        year = Year(smugmug, s3, clock, monkeypatch)
        year.build(smugmug.url)
        try:
            year.live()
        finally:
            account_run.write_report = _WRITE_REPORT
        yield year


@pytest.fixture(scope="module")
def alarmed(year) -> list[Mailed]:
    """What the alarms of the template mailed in that year."""
    stack = resolved({"SilenceHours": "168", "LossAlarmImages": "10", "AlarmEmail": "a@b.org"})
    alarms = of_type(stack, "AWS::CloudWatch::Alarm")
    # From the first run on: nobody can have followed the link in AWS's own mail before.
    begin = BEGIN + timedelta(hours=3)
    return sorted(
        mails(alarms, year.data, begin, BEGIN + timedelta(days=DAYS)), key=lambda each: each.at
    )


def during(alarmed, days):
    """How often each alarm mailed in some days, and the two after them."""
    begin = BEGIN + timedelta(days=days.start)
    end = BEGIN + timedelta(days=days.stop + 2)
    return Counter(each.alarm for each in alarmed if begin <= each.at < end)


def test_what_the_alarms_watch_is_what_the_function_counts(year):
    alarms = of_type(resolved(), "AWS::CloudWatch::Alarm").values()
    ours = {metric_of(each) for each in alarms if each.get("Namespace") == "SmugMugBackup"}
    assert ours <= year.data.by_metric.keys()


def test_a_night_that_ran_out_of_memory_is_told_once(alarmed):
    assert during(alarmed, range(KILLED, KILLED + 1)) == {"RetriesExhaustedAlarm": 1}


def test_the_retirement_of_an_api_is_told_once_and_the_backup_goes_on(year, alarmed):
    assert during(alarmed, RETIRED) == {"RefusedAlarm": 1, "RetriesExhaustedAlarm": 1}
    said = [each for each in year.told if "no longer through its" in each.line]
    assert len(said) == 1
    assert "there is nothing to do for you" in said[0].line
    assert RETIRED.start < said[0].day < RETIRED.stop + 7


def test_a_month_without_smugmug_is_told_once_and_each_weekly_mail_says_since_when(year, alarmed):
    assert during(alarmed, DOWN) == {"NotCompleteAlarm": 1, "RetriesExhaustedAlarm": 1}
    weeks = [each for each in year.told if DOWN.start + 1 < each.day < DOWN.stop]
    assert len(weeks) >= 4
    since = BEGIN + timedelta(days=DOWN.start - 1)
    assert all(f"last complete {since:%Y-%m-%d}" in each.subject for each in weeks)
    later = next(each for each in year.told if each.day > DOWN.stop)
    assert later.subject == "SmugMug Backup: complete"


def test_a_stolen_login_that_empties_albums_is_told_once_by_alarm_and_once_by_mail(year, alarmed):
    assert during(alarmed, range(STOLEN, STOLEN + 1)) == {"LossAlarm": 1}
    (told,) = [each for each in year.told if "CHANGED AT SMUGMUG" in each.text]
    assert STOLEN < told.day <= STOLEN + 7
    assert f"{EMPTIED * IMAGES} photos taken out of {EMPTIED} albums" in told.line
    assert "All of it stays in the backup." in told.line


def test_nothing_else_was_an_alarm_in_the_whole_year(alarmed):
    told = Counter(each.alarm for each in alarmed)
    assert told == {
        "RetriesExhaustedAlarm": 3,
        "RefusedAlarm": 1,
        "NotCompleteAlarm": 1,
        "LossAlarm": 1,
    }


def test_every_week_had_its_mail_and_every_month_its_drill(year):
    assert len(year.told) == len({each.day for each in year.told}) == 52
    drills = [each for each in year.answers if "sampled" in each]
    assert len(drills) == 12
    assert {each["status"] for each in drills} == {"passed"}
    said = [each["said"] for each in drills]
    assert sum("all the same." in each for each in said) >= 11
    assert any("fire drill" in each.line and "all the same." in each.line for each in year.told)


def test_mails_and_alarms_are_in_words_for_a_photographer(year, alarmed):
    texts = [*(each.text for each in year.told), *(each.description for each in alarmed)]
    for text in texts:
        assert not [word for word in TALK_OF_PROGRAMMERS if word in text.lower()], text
    assert all("What to do:" in each.description for each in alarmed)


def test_at_the_end_all_that_ever_was_is_there_and_proved(year):
    objects = dict(year.s3.objects)
    assert_sound(objects, allow=("told", "leftover"))
    originals = {key for key in objects if key.startswith("originals/")}
    uploads = sum(day % 30 == 10 for day in range(DAYS))
    assert len(originals) == ALBUMS * IMAGES + uploads
    # The mail of that day's seal is in the bucket, too.
    seals = {line.strip() for each in year.told for line in each.text.splitlines()}
    there = {
        hashlib.sha256(body).hexdigest() for key, body in objects.items() if key.startswith("runs/")
    }
    assert len(seals & there) == 52
