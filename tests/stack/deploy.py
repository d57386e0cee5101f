"""Deploy the stack with `sam deploy` into a local AWS, and use it as its owner would."""

import base64
import json
import platform
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.stack.environment import VENVS, tool_environment
from tests.stack.ministack import LocalAws
from tests.stack.package import built_package, built_template, python_version

STACK_NAME = "smugmug-backup"
_ARTIFACTS = "deployment-artifacts"


class DeployError(Exception):
    """`sam deploy` failed; the message is what it said."""


@dataclass(frozen=True)
class Answer:
    """What an invocation gave back. ``error``: the type of the error that was raised, or None."""

    payload: Any
    error: str | None
    log: str


@dataclass(frozen=True)
class Stack:
    """A deployed stack."""

    aws: LocalAws
    name: str
    parameters: Mapping[str, str]

    @property
    def outputs(self) -> dict[str, str]:
        """Output name to value."""
        found = self.aws.client("cloudformation").describe_stacks(StackName=self.name)
        outputs = found["Stacks"][0].get("Outputs", [])
        return {each["OutputKey"]: each["OutputValue"] for each in outputs}

    @property
    def resources(self) -> dict[str, str]:
        """Logical id to physical id."""
        pages = self.aws.client("cloudformation").get_paginator("list_stack_resources")
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for page in pages.paginate(StackName=self.name)
            for each in page["StackResourceSummaries"]
        }

    @property
    def bucket(self) -> str:
        """The bucket that the stack writes into."""
        return self.outputs["BucketName"]

    def given(self, parameter: str) -> str:
        """The value of a parameter as the stack has it now."""
        found = self.aws.client("cloudformation").describe_stacks(StackName=self.name)
        values = {
            each["ParameterKey"]: each["ParameterValue"]
            for each in found["Stacks"][0]["Parameters"]
        }
        return values[parameter]

    def put_secret(self, secret: Mapping[str, Any] | str) -> None:
        """Store the credentials where the stack's parameters say."""
        text = secret if isinstance(secret, str) else json.dumps(dict(secret))
        name = self.parameters.get("SecretName", "/smugmug-backup/secret")
        if self.parameters.get("SecretStore", "ssm") == "ssm":
            self.aws.client("ssm").put_parameter(
                Name=name, Value=text, Type="SecureString", Overwrite=True
            )
            return
        client = self.aws.client("secretsmanager")
        try:
            client.create_secret(Name=name, SecretString=text)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceExistsException":
                raise
            client.put_secret_value(SecretId=name, SecretString=text)

    @contextmanager
    def with_environment(self, **changes: str) -> Iterator[None]:
        """As if it had been deployed with other parameters that are only the function's own."""
        client, name = self.aws.client("lambda"), self.outputs["FunctionName"]
        whole = client.get_function_configuration(FunctionName=name)["Environment"]
        changed = {"Variables": {**whole["Variables"], **changes}}
        client.update_function_configuration(FunctionName=name, Environment=changed)
        try:
            yield
        finally:
            client.update_function_configuration(FunctionName=name, Environment=whole)

    def invoke(self, event: Any) -> Answer:
        """Invoke the function and wait for its answer."""
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.outputs["FunctionName"],
            Payload=json.dumps(event).encode(),
            LogType="Tail",
        )
        payload = json.loads(answer["Payload"].read() or b"null")
        log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
        error = None
        if "FunctionError" in answer:
            told = payload.get("errorType") if isinstance(payload, dict) else None
            error = str(told or answer["FunctionError"])
        return Answer(payload, error, log)

    def invoke_async(self, event: Any) -> None:
        """Invoke as Scheduler does: retries and the failure queue follow by themselves."""
        self.aws.client("lambda").invoke(
            FunctionName=self.outputs["FunctionName"],
            Payload=json.dumps(event).encode(),
            InvocationType="Event",
        )

    def logs(self) -> list[dict[str, Any]]:
        """The function's log lines that are JSON, oldest first."""
        found = []
        for line in self.log_lines():
            try:
                parsed = json.loads(line[line.index("{") :])
            except ValueError:
                continue
            if isinstance(parsed, dict):
                found.append(parsed)
        return found

    def log_lines(self) -> list[str]:
        """All lines in the function's log group, oldest first."""
        pages = self.aws.client("logs").get_paginator("filter_log_events")
        events = [
            event
            for page in pages.paginate(logGroupName=self.outputs["LogGroupName"])
            for event in page["events"]
        ]
        events.sort(key=lambda each: each["timestamp"])
        return [line for event in events for line in event["message"].splitlines()]

    def keys(self, prefix: str = "") -> list[str]:
        """All keys in the bucket."""
        pages = self.aws.client("s3").get_paginator("list_objects_v2")
        return [
            each["Key"]
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix)
            for each in page.get("Contents", ())
        ]

    def read(self, key: str) -> bytes:
        """An object's bytes."""
        body: bytes = self.aws.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """Everything in the bucket, by its key."""
        return {key: self.read(key) for key in self.keys(prefix)}

    def queue(self, logical_id: str) -> list[dict[str, Any]]:
        """Take the messages out of one of the failure queues."""
        sqs = self.aws.client("sqs")
        url = self.resources[logical_id]
        messages: list[dict[str, Any]] = []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                messages.append(json.loads(message["Body"]))
        return messages

    def executions(self) -> list[dict[str, Any]]:
        """The overflow's executions, newest first, as `describe_execution` tells them."""
        client = self.aws.client("stepfunctions")
        arn = self.outputs["StateMachineArn"]
        found = client.list_executions(stateMachineArn=arn)["executions"]
        return [client.describe_execution(executionArn=each["executionArn"]) for each in found]

    def delete(self) -> None:
        """Remove the stack; what is retained stays."""
        sam(self.aws, "delete", "--stack-name", self.name, "--no-prompts")


def parameters_for(aws: LocalAws) -> dict[str, str]:
    """What a deployment on this machine needs."""
    architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return {
        "PythonVersion": python_version(),
        "Architecture": architecture,
        "AwsEndpointUrl": aws.endpoint,
    }


@contextmanager
def deployed(
    aws: LocalAws,
    parameters: Mapping[str, str] | None = None,
    *,
    name: str = STACK_NAME,
    template: str | None = None,
) -> Iterator[Stack]:
    """A deployed stack that is removed at the end (ministack's own end is enough as well)."""
    stack = deploy(aws, parameters, name=name, template=template)
    try:
        yield stack
    finally:
        if aws.process.poll() is None:
            stack.delete()


def deploy(
    aws: LocalAws,
    parameters: Mapping[str, str] | None = None,
    *,
    name: str = STACK_NAME,
    template: str | None = None,
) -> Stack:
    """Build if needed, and deploy or update. Raises DeployError and BuildError.

    ``template``: the text of another template, such as `template.yaml` with a permission less; its
    ``CodeUri: src/`` stands for the built package.
    """
    given = {**parameters_for(aws), **(parameters or {})}
    _make_artifact_bucket(aws)
    with tempfile.TemporaryDirectory(prefix="deploy-") as scratch:
        path = built_template()
        if template is not None:
            path = Path(scratch) / "template.yaml"
            code = f"CodeUri: {built_package()}"
            path.write_text(re.sub(r"CodeUri: src/", code, template))
        try:
            sam(
                aws,
                *("deploy", "--template-file", str(path), "--stack-name", name),
                *("--s3-bucket", _ARTIFACTS, "--s3-prefix", name, "--no-progressbar"),
                *("--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"),
                *("--no-fail-on-empty-changeset", "--parameter-overrides"),
                *(f"ParameterKey={key},ParameterValue={_quoted(given[key])}" for key in given),
            )
        except DeployError as error:
            raise DeployError(f"{error}\n{_reasons(aws, name)}") from None
    return Stack(aws, name, given)


def _reasons(aws: LocalAws, name: str) -> str:
    """Why CloudFormation says that the stack failed."""
    try:
        events = aws.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    except ClientError:
        return ""
    return "\n".join(
        f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', '')}"
        for each in events
        if each["ResourceStatus"].endswith("FAILED")
    )


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def sam(aws: LocalAws, *arguments: str) -> str:
    """Run a `sam` command against the local AWS; what it prints. Raises DeployError."""
    with tempfile.TemporaryDirectory(prefix="sam-") as folder:
        done = subprocess.run(
            [str(VENVS / "sam" / "bin" / "sam"), *arguments],
            cwd=folder,
            env=tool_environment(aws.endpoint),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
    if done.returncode != 0:
        told = (done.stdout + done.stderr).strip()[-6000:]
        raise DeployError(f"sam {arguments[0]} failed:\n{told}")
    return done.stdout


def _make_artifact_bucket(aws: LocalAws) -> None:
    try:
        aws.client("s3").create_bucket(Bucket=_ARTIFACTS)
    except ClientError as error:
        if "BucketAlready" not in error.response["Error"]["Code"]:
            raise
