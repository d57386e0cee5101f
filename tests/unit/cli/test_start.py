"""`start`: the function is started once, and its run is followed until its report."""

import json
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from smugmug_backup.cli import deployed
from smugmug_backup.cli.bucket import Found, Wanted
from smugmug_backup.cli.commands import start
from smugmug_backup.cli.deployed import Deployment
from smugmug_backup.cli.errors import Mistaken
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import SourceUnavailable
from tests.tools.fake_overflow import FakeOverflow
from tests.tools.local_s3 import set_environment

WANTED = Wanted("photos", "us-east-1", "123456789012", "aws", "arn:role", "smugmug-backup")


class Function:
    """What `invoke` starts, and what its log says; ``acts``: what it does, look by look."""

    def __init__(self, sample):
        self.sample, self.events = sample, []
        self.acts = [lambda: sample.nights.run()]
        self.error, self.over = None, False

    def invoke(self, stack, event):
        self.events.append(event)
        return "52fdfc07"

    def sleep(self, seconds):
        self.sample.clock.advance(seconds=seconds)
        if self.acts:
            self.acts.pop(0)()


@pytest.fixture
def function(sample, folder, monkeypatch):
    """The sample's own nights, as the function of a stack whose bucket is its folder."""
    function = Function(sample)
    stack = Deployment("smugmug-backup", "backup", str(folder), "log", "arn:machine", 900, WANTED)
    monkeypatch.setattr(start, "deployment", lambda name: stack)
    monkeypatch.setattr(start, "look_at", lambda wanted: Found())
    monkeypatch.setattr(start, "invoke", function.invoke)
    monkeypatch.setattr(start, "said_of", lambda *_: function.error)
    monkeypatch.setattr(start, "overflow_ended", lambda *_: function.over)
    monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: function.sleep(seconds))
    sample.clock.advance(hours=12)
    return function


def test_a_run_is_started_once_and_followed_to_its_report(shell, function):
    ran = shell("start", "--stack", "smugmug-backup")
    assert function.events == [{"action": "backup"}]
    assert "The function backup is at work." in ran.out
    assert "It goes on in Step Functions" not in ran.out
    assert ran.status == 1 and "Not complete: 10 images" in ran.out


def test_a_report_that_was_there_before_is_not_taken_for_the_runs(shell, function):
    function.acts = []
    ran = shell("start", "--stack", "smugmug-backup")
    assert ran.status == 2
    assert "there is no report of the run after 20 minutes" in ran.err
    assert "FailedRuns" in ran.err


def test_a_scheduled_run_that_ends_meanwhile_is_not_taken_for_it(shell, function):
    nights = function.sample.nights
    function.acts = [lambda: nights.run(trigger="nightly"), lambda: nights.run(full=True)]
    ran = shell("start", "--stack", "smugmug-backup", "--full", "--json")
    assert function.events == [{"action": "backup", "full": True}]
    assert ran.json["run_id"] == nights.reports[-1].run_id
    assert ran.json["trigger"] is None


def test_long_work_is_followed_until_the_report_that_ends_it(shell, function):
    sample = function.sample
    nights, machine = sample.nights, FakeOverflow()
    nights.overflow = machine
    source = sample.source
    source.album("later", images=2)

    def begin():
        for image in source.world["later"].images:
            source.errors[f"photo:{image.key}"] = lambda: sample.clock.advance(seconds=50)
        nights.run(deadline=Deadline.after(sample.clock, 40, reserve=10))
        assert nights.reports[-1].status == "continuing"

    def finish():
        source.errors.clear()
        machine.going.clear()
        done = nights.backup().finish(
            nights.reports[-1].run_id, deadline=Deadline.none(sample.clock)
        )
        nights.reports.append(done)

    function.acts = [begin, *([lambda: None] * 13), finish]
    ran = shell("start", "--stack", "smugmug-backup")
    assert "It goes on in Step Functions." in ran.out
    assert "still at work: workers have looked at 0 albums" in ran.out
    assert ran.status == 1 and "Not complete" in ran.out


def test_an_overflow_that_ends_without_a_report_is_told(shell, function):
    sample = function.sample
    sample.nights.overflow = FakeOverflow()
    sample.source.album("later", images=2)
    for image in sample.source.world["later"].images:
        sample.source.errors[f"photo:{image.key}"] = lambda: sample.clock.advance(seconds=50)
    deadline = Deadline.after(sample.clock, 40, reserve=10)
    function.acts = [lambda: sample.nights.run(deadline=deadline)]
    function.over = True
    ran = shell("start", "--stack", "smugmug-backup")
    assert ran.status == 2 and "five minutes after its execution ended" in ran.err


def test_a_function_that_gives_up_before_a_report_says_why(shell, function):
    function.acts, function.error = [], "the secret ssm:/x cannot be used: it is no JSON"
    ran = shell("start", "--stack", "smugmug-backup")
    assert ran.status == 2
    assert (
        "the function gave up before it had a report: the secret ssm:/x cannot be used" in ran.err
    )


def test_what_may_pass_is_tried_again_by_lambda_and_said_so(shell, function):
    def fail():
        function.sample.source.errors["albums"] = SourceUnavailable("503")
        function.sample.nights.run()

    function.acts = [fail]
    ran = shell("start", "--stack", "smugmug-backup")
    assert ran.status == 1 and "Lambda tries what may pass twice more" in ran.out


def test_ctrl_c_ends_the_following_only(shell, function):
    def interrupt():
        raise KeyboardInterrupt

    function.acts = [interrupt]
    ran = shell("start", "--stack", "smugmug-backup")
    assert ran.status == 130
    assert "It works on by itself. Later: smugmug-backup status" in ran.out


def test_it_can_be_started_without_being_followed(shell, function, folder):
    ran = shell("start", "--stack", "smugmug-backup", "--no-follow", "--json")
    assert ran.json == {"function": "backup", "request_id": "52fdfc07"}
    assert ran.status == 0 and len(function.acts) == 1


def test_what_would_stop_the_run_is_told_before_it_is_started(shell, function, monkeypatch):
    monkeypatch.setattr(start, "look_at", lambda wanted: Found(region="eu-west-1"))
    ran = shell("start", "--stack", "smugmug-backup")
    assert ran.status == 2 and "lies in eu-west-1 and the stack in us-east-1" in ran.err
    assert not function.events
    monkeypatch.setattr(start, "look_at", lambda wanted: Found(versioning="Suspended"))
    ran = shell("start", "--stack", "smugmug-backup")
    assert "versioning is Suspended" in ran.out
    assert function.events


# -- what AWS is asked ------------------------------------------------------------------------


@pytest.fixture
def cloud(monkeypatch):
    set_environment(monkeypatch)
    with mock_aws():
        yield


class CloudFormation:
    """What it says of the stack ``photos-stack``, with these outputs."""

    def __init__(self, **outputs):
        self.outputs = outputs

    def describe_stacks(self, **asked):
        if asked["StackName"] != "photos-stack":
            told = {"Code": "ValidationError", "Message": "Stack with id nothing does not exist"}
            raise ClientError({"Error": told}, "DescribeStacks")
        given = {"BackupPrefix": "x", "WriteOnce": "off", "Timeout": "120"}
        stack = {
            "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/photos-stack/1-2-3",
            "Outputs": [
                {"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()
            ],
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in given.items()
            ],
        }
        return {"Stacks": [stack]}

    def describe_stack_resource(self, **asked):
        role = {"PhysicalResourceId": "photos-stack-BackupRole-1A2B"}
        return {"StackResourceDetail": role}


def test_a_stack_says_what_its_bucket_should_be(monkeypatch):
    outputs = {"FunctionName": "f", "BucketName": "photos", "BackupLocation": "s3://photos/x"}
    monkeypatch.setattr(deployed, "_client", lambda _: CloudFormation(**outputs))
    stack = deployed.deployment("photos-stack")
    assert (stack.function, stack.location) == ("f", "s3://photos/x")
    assert (stack.seconds, stack.machine) == (120, None)
    wanted = stack.bucket
    assert (wanted.name, wanted.region, wanted.account) == ("photos", "eu-west-1", "123456789012")
    assert (wanted.prefix, wanted.write_once, wanted.existing) == ("x", False, False)
    assert wanted.role == "arn:aws:iam::123456789012:role/photos-stack-BackupRole-1A2B"


def test_a_stack_that_is_not_there_or_not_ours_is_told(monkeypatch):
    monkeypatch.setattr(deployed, "_client", lambda _: CloudFormation(Other="x"))
    with pytest.raises(Mistaken, match="there is no stack nothing in this account and region"):
        deployed.deployment("nothing")
    with pytest.raises(Mistaken, match="the stack photos-stack is none of SmugMug Backup"):
        deployed.deployment("photos-stack")


def test_the_log_of_a_request_tells_its_error_and_a_log_that_is_closed_tells_nothing(cloud):
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName="log")
    logs.create_log_stream(logGroupName="log", logStreamName="one")
    now = SystemClock().now()
    lines = [
        "START RequestId: one",
        json.dumps({"level": "INFO", "message": "run ended", "function_request_id": "one"}),
        json.dumps({"level": "ERROR", "message": "too bad", "function_request_id": "one"}),
        json.dumps({"level": "ERROR", "message": "not his", "function_request_id": "two"}),
    ]
    stamp = int(now.timestamp() * 1000)
    logs.put_log_events(
        logGroupName="log",
        logStreamName="one",
        logEvents=[{"timestamp": stamp, "message": line} for line in lines],
    )
    stack = Deployment("s", "f", "s3://photos", "log", None, 900, WANTED)
    since = now - timedelta(minutes=1)
    assert deployed.said_of(stack, "one", since) == "too bad"
    assert deployed.said_of(stack, "three", since) is None
    closed = Deployment("s", "f", "s3://photos", "not there", None, 900, WANTED)
    assert deployed.said_of(closed, "one", since) is None
