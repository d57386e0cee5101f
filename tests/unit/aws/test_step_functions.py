"""What the state machine says when an overflow is handed to it."""

import pytest
from botocore.exceptions import ClientError

from smugmug_backup.aws.errors import AwsError
from smugmug_backup.aws.step_functions import StepFunctionsOverflow


class Machine:
    """Refuses each execution with ``code``."""

    def __init__(self, code):
        self.code = code

    def start_execution(self, **_):
        raise ClientError({"Error": {"Code": self.code}}, "StartExecution")


def test_an_execution_that_exists_is_the_one_that_was_wanted():
    StepFunctionsOverflow(Machine("ExecutionAlreadyExists"), "arn:x").start("run")


def test_any_other_refusal_is_told_with_the_permission_that_it_takes():
    with pytest.raises(AwsError, match="states:StartExecution"):
        StepFunctionsOverflow(Machine("AccessDeniedException"), "arn:x").start("run")
