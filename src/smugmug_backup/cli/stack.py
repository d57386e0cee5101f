"""Look at the deployed stack: would it run tonight, and would anybody hear if it did not."""

from collections.abc import Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from smugmug_backup.aws.client import aws_client as _client
from smugmug_backup.aws.errors import AWS_ERRORS, aws_error
from smugmug_backup.cli.bucket import look_at, looked
from smugmug_backup.cli.deployed import deployment, no_stack

_SCHEDULE = "AWS::Scheduler::Schedule"
_RULE = "AWS::Events::Rule"
_TOPIC = "AWS::SNS::Topic"
_ALARM = "AWS::CloudWatch::Alarm"
_ROLE = "AWS::IAM::Role"
_UNCONFIRMED = "PendingConfirmation"


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule of the stack."""

    name: str
    expression: str
    on: bool


@dataclass(frozen=True, slots=True)
class StackStatus:
    """``confirmed`` and ``unconfirmed``: the mail addresses of the alarm topics. ``alarms``: those
    that are on. ``bucket``: what is to be said of the bucket, and whether it is good."""

    name: str
    schedules: tuple[Schedule, ...]
    topics: int
    confirmed: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    alarms: tuple[str, ...] = ()
    bucket: tuple[tuple[str, bool], ...] = ()

    def lines(self) -> Iterator[tuple[str, bool]]:
        """(what a person should know, is it good)."""
        if not self.schedules:
            yield "it has no schedule: nothing runs by itself", False
        for each in self.schedules:
            state = "on" if each.on else "OFF: nothing runs by itself"
            yield f"schedule {each.name} ({each.expression}) is {state}", each.on
        if not self.topics:
            yield "it has no alarm topic: nobody hears of a failure", False
        elif not self.confirmed and not self.unconfirmed:
            yield "no mail address is subscribed to the alarms: nobody hears of a failure", False
        for address in self.confirmed:
            yield f"alarms go to {address}", True
        for address in self.unconfirmed:
            line = (
                f"{address} has not confirmed: it gets NO alarms until somebody follows the link "
                "in the mail from AWS Notifications"
            )
            yield line, False
        for alarm in self.alarms:
            yield f"the alarm {alarm} is on", False
        yield from self.bucket


def stack_status(name: str) -> StackStatus:
    """Ask CloudFormation, Scheduler, SNS, CloudWatch and S3; nothing is changed.

    Raises BadRequest if there is no such stack, AwsError.
    """
    resources = _resources(name)
    schedules = [_schedule(each) for each in resources if each[0] == _SCHEDULE]
    schedules += [_rule(each) for each in resources if each[0] == _RULE]
    topics = [physical for kind, physical in resources if kind == _TOPIC]
    confirmed, unconfirmed = list[str](), list[str]()
    for topic in topics:
        for address, arn in _subscriptions(topic):
            (unconfirmed if arn == _UNCONFIRMED else confirmed).append(address)
    return StackStatus(
        name,
        tuple(schedules),
        len(topics),
        tuple(confirmed),
        tuple(sorted(set(unconfirmed))),
        _alarms([physical for kind, physical in resources if kind == _ALARM]),
        # The policy of the bucket speaks of the function's role, which every stack of ours has.
        _bucket(name) if any(kind == _ROLE for kind, _ in resources) else (),
    )


def _bucket(name: str) -> tuple[tuple[str, bool], ...]:
    wanted = deployment(name).bucket
    return tuple(looked(wanted, look_at(wanted)))


def _alarms(names: list[str]) -> tuple[str, ...]:
    """The stack's alarms that are on now: a mail comes only when one goes on, and to nobody if no
    address was confirmed then."""
    if not names:
        return ()
    try:
        pages = _client("cloudwatch").get_paginator("describe_alarms")
        found = [
            each
            for page in pages.paginate(AlarmNames=names, StateValue="ALARM")
            for each in page["MetricAlarms"]
        ]
    except AWS_ERRORS as error:
        raise aws_error(
            error, doing="looking at the alarms", permission="cloudwatch:DescribeAlarms"
        ) from None
    return tuple(
        f"{each['AlarmName']}: {each.get('AlarmDescription', '').split('. ')[0]}" for each in found
    )


def _resources(name: str) -> list[tuple[str, str]]:
    """(type, physical id) of all that the stack has."""
    try:
        pages = _client("cloudformation").get_paginator("list_stack_resources")
        return [
            (each["ResourceType"], each.get("PhysicalResourceId", ""))
            for page in pages.paginate(StackName=name)
            for each in page["StackResourceSummaries"]
        ]
    except AWS_ERRORS as error:
        if isinstance(error, ClientError) and "does not exist" in str(error):
            raise no_stack(name) from None
        raise aws_error(
            error,
            doing=f"looking at the stack {name}",
            permission="cloudformation:ListStackResources",
        ) from None


def _schedule(resource: tuple[str, str]) -> Schedule:
    # The physical id is the name, or group and name: `default/stack-Nightly-1A2B3C`.
    group, _, name = resource[1].rpartition("/")
    where = {"GroupName": group.rsplit("/", 1)[-1]} if group else {}
    try:
        answer = _client("scheduler").get_schedule(Name=name, **where)
    except AWS_ERRORS as error:
        raise aws_error(
            error, doing=f"looking at the schedule {name}", permission="scheduler:GetSchedule"
        ) from None
    return Schedule(name, answer["ScheduleExpression"], answer.get("State") == "ENABLED")


def _rule(resource: tuple[str, str]) -> Schedule:
    name = resource[1].rsplit("|", 1)[-1]
    try:
        answer = _client("events").describe_rule(Name=name)
    except AWS_ERRORS as error:
        raise aws_error(
            error, doing=f"looking at the rule {name}", permission="events:DescribeRule"
        ) from None
    expression = answer.get("ScheduleExpression", "by event")
    return Schedule(name, expression, answer.get("State") == "ENABLED")


def _subscriptions(topic: str) -> Iterator[tuple[str, str]]:
    """(address, ARN or ``PendingConfirmation``) of each mail subscription."""
    try:
        pages = _client("sns").get_paginator("list_subscriptions_by_topic")
        for page in pages.paginate(TopicArn=topic):
            for each in page["Subscriptions"]:
                if each["Protocol"].startswith("email"):
                    yield each["Endpoint"], each["SubscriptionArn"]
    except AWS_ERRORS as error:
        raise aws_error(
            error,
            doing="looking at who gets the alarms",
            permission="sns:ListSubscriptionsByTopic",
        ) from None
