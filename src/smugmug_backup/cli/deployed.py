"""A deployed stack: what it is made of, how its function is started, what it says of an event."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from smugmug_backup.aws.client import aws_client as _client
from smugmug_backup.aws.errors import AWS_ERRORS, aws_error
from smugmug_backup.cli.bucket import Wanted
from smugmug_backup.cli.errors import Mistaken


@dataclass(frozen=True, slots=True)
class Deployment:
    """``seconds``: the function's time limit. ``machine``: the ARN of the state machine, if any."""

    name: str
    function: str
    location: str
    log_group: str
    machine: str | None
    seconds: int
    bucket: Wanted


def no_stack(name: str) -> Mistaken:
    """The error for a stack that nobody knows."""
    return Mistaken(
        f"there is no stack {name} in this account and region",
        hint="`aws cloudformation list-stacks`; AWS_PROFILE and AWS_REGION choose where",
    )


def deployment(name: str) -> Deployment:
    """What CloudFormation says of the stack ``name``. Raises Mistaken if it is none of ours,
    AwsError."""
    cloudformation = _client("cloudformation")
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        role = cloudformation.describe_stack_resource(
            StackName=name, LogicalResourceId="BackupRole"
        )["StackResourceDetail"]["PhysicalResourceId"]
    except AWS_ERRORS as error:
        if isinstance(error, ClientError) and "does not exist" in str(error):
            raise no_stack(name) from None
        raise aws_error(
            error,
            doing=f"looking at the stack {name}",
            permission="cloudformation:DescribeStacks and cloudformation:DescribeStackResource",
        ) from None
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
    if not {"FunctionName", "BackupLocation", "BucketName"} <= outputs.keys():
        raise Mistaken(
            f"the stack {name} is none of SmugMug Backup, or was not deployed to its end",
            hint="`sam list stack-outputs --stack-name NAME` shows what it has",
        )
    return Deployment(
        name=name,
        function=outputs["FunctionName"],
        location=outputs["BackupLocation"].rstrip("/"),
        log_group=outputs.get("LogGroupName", ""),
        machine=outputs.get("StateMachineArn"),
        seconds=int(given.get("Timeout", "900")),
        bucket=_bucket(name, stack["StackId"], outputs["BucketName"], role, given),
    )


def _bucket(name: str, stack_id: str, bucket: str, role: str, given: Mapping[str, str]) -> Wanted:
    _, partition, _, region, account, _ = stack_id.split(":", 5)
    return Wanted(
        name=bucket,
        region=region,
        account=account,
        partition=partition,
        role=role if role.startswith("arn:") else f"arn:{partition}:iam::{account}:role/{role}",
        stack=name,
        prefix=given.get("BackupPrefix", ""),
        existing=bool(given.get("ExistingBucket")),
        write_once=given.get("WriteOnce", "on") == "on",
        local=bool(given.get("AwsEndpointUrl")),
        lock_mode=given.get("ObjectLockMode", "off"),
        lock_days=int(given.get("ObjectLockDays", "365")),
    )


def invoke(stack: Deployment, event: Mapping[str, Any]) -> str:
    """Start the function with ``event`` and do not wait; returns the id of the request.

    A synchronous call would time out while the function works on, and the retries of the client
    would start as many backups at once. Raises AwsError.
    """
    try:
        answer = _client("lambda").invoke(
            FunctionName=stack.function,
            InvocationType="Event",
            Payload=json.dumps(dict(event)).encode(),
        )
    except AWS_ERRORS as error:
        raise aws_error(
            error, doing="starting the function", permission="lambda:InvokeFunction"
        ) from None
    return str(answer["ResponseMetadata"].get("RequestId", ""))


def said_of(stack: Deployment, request: str, since: datetime) -> str | None:
    """The error that the function logged for ``request``, None if there is none, or none to be
    seen: the log helps, and nothing depends on it."""
    if not stack.log_group or not request:
        return None
    try:
        found = _client("logs").filter_log_events(
            logGroupName=stack.log_group,
            startTime=int(since.timestamp() * 1000),
            filterPattern=f'"{request}"',
        )
        lines = [json.loads(each["message"]) for each in found["events"] if _is_json(each)]
    except (*AWS_ERRORS, ValueError):
        return None
    told = [
        str(each["message"])
        for each in lines
        if each.get("level") == "ERROR" and each.get("function_request_id") == request
    ]
    return told[-1] if told else None


def overflow_ended(stack: Deployment, run: str) -> bool:
    """Whether the execution of ``run`` is over, as far as that is to be seen."""
    if stack.machine is None:
        return False
    execution = stack.machine.replace(":stateMachine:", ":execution:", 1)
    try:
        found = _client("stepfunctions").describe_execution(executionArn=f"{execution}:{run}")
    except AWS_ERRORS:
        return False
    return str(found["status"]) != "RUNNING"


def _is_json(event: Mapping[str, Any]) -> bool:
    return str(event.get("message", "")).lstrip().startswith("{")
