"""Work that one invocation has no time for goes to a state machine."""

import json
from typing import Any

from botocore.exceptions import ClientError

from smugmug_backup.aws.errors import AWS_ERRORS, aws_error

_LATEST = 10


class StepFunctionsOverflow:
    """`Overflow` by a Standard state machine; an execution bears its run's id."""

    def __init__(self, client: Any, state_machine_arn: str) -> None:
        self._client = client
        self._arn = state_machine_arn

    def start(self, run_id: str) -> None:
        """Start the execution named ``run_id``; one that exists is the same. Raises AwsError."""
        try:
            self._client.start_execution(
                stateMachineArn=self._arn, name=run_id, input=json.dumps({"run_id": run_id})
            )
        except AWS_ERRORS as error:
            if _code(error) == "ExecutionAlreadyExists":
                return
            raise aws_error(
                error, doing="starting the overflow", permission="states:StartExecution"
            ) from None

    def recent(self) -> tuple[tuple[str, bool], ...]:
        """(run id, still running) of the latest executions, newest first. Raises AwsError."""
        try:
            answer = self._client.list_executions(stateMachineArn=self._arn, maxResults=_LATEST)
        except AWS_ERRORS as error:
            raise aws_error(
                error,
                doing="looking for an overflow that is still running",
                permission="states:ListExecutions",
            ) from None
        return tuple((each["name"], each["status"] == "RUNNING") for each in answer["executions"])


def _code(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""
