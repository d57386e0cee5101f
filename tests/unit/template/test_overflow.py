"""The state machine: every trap of a distributed map is closed, whatever the function answers."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from smugmug_backup.backup.overflow import PlannedBatch
from smugmug_backup.model import Account
from tests.stack.template import STACK_NAME, of_type, resolved, source, statements

RUN = "20261124T030004Z-5f0c2a91"
MACHINE = f"arn:aws:states:us-east-1:123456789012:stateMachine:{STACK_NAME}-overflow"
EXECUTION = f"arn:aws:states:us-east-1:123456789012:execution:{STACK_NAME}-overflow"

Function = Callable[[dict[str, Any]], Any]


def _definition(**parameters):
    (machine,) = of_type(resolved(parameters), "AWS::StepFunctions::StateMachine").values()
    return json.loads(machine["DefinitionString"])


@pytest.fixture(scope="module")
def definition():
    return _definition()


@pytest.fixture(scope="module")
def child(definition):
    return definition["States"]["Albums"]["ItemProcessor"]


def _run_child(child: dict[str, Any], item: dict[str, Any], function: Function) -> Any:
    """What a child's states make of an item: an interpreter of just the kinds they are of."""
    states, name = child["States"], child["StartAt"]
    data = item
    while True:
        state = states[name]
        assert not {"OutputPath", "InputPath", "Assign"} & set(state)
        if state["Type"] == "Task":
            data, name = _task(state, data, function)
        elif state["Type"] == "Choice":
            (choice,) = state["Choices"]
            holds = all(_holds(each, data) for each in choice["And"])
            name = choice["Next"] if holds else state["Default"]
        else:
            assert state["Type"] == "Pass"
            if state.get("End"):
                return state["Result"]
            turn, request = state["Parameters"]["turn.$"], state["Parameters"]["request.$"]
            assert (turn, request) == ("States.MathAdd($.turn, 1)", "$.request")
            data, name = {"turn": data["turn"] + 1, "request": data["request"]}, state["Next"]


def _task(state, data, function):
    try:
        answer = function(data["request"])
        # A path that finds nothing is an error, and one that Catch takes.
        selected = {"progress": answer["progress"]}
    except Exception:
        (catch,) = state["Catch"]
        assert catch["ErrorEquals"] == ["States.ALL"]
        return data, catch["Next"]
    assert state["ResultSelector"] == {"progress.$": "$.Payload.progress"}
    assert state["ResultPath"] == "$.answer"
    return {**data, "answer": selected}, state["Next"]


def _holds(rule, data):
    value: Any = data
    for part in rule["Variable"].removeprefix("$.").split("."):
        value = value[part]
    if "BooleanEquals" in rule:
        return value is rule["BooleanEquals"]
    return value < rule["NumericLessThan"]


ITEM = {"turn": 1, "request": {"action": "album", "run_id": RUN, "albums": []}}


def _counting(answers: Callable[[int], Any]) -> tuple[list[dict[str, Any]], Function]:
    calls: list[dict[str, Any]] = []

    def function(request: dict[str, Any]) -> Any:
        calls.append(request)
        return answers(len(calls))

    return calls, function


def test_a_child_goes_on_while_it_makes_progress(child):
    calls, function = _counting(lambda call: {"progress": call < 4})
    assert _run_child(child, ITEM, function) == {}
    assert calls == [ITEM["request"]] * 4


def test_a_child_that_always_makes_progress_ends_after_50_turns(child):
    calls, function = _counting(lambda _: {"progress": True})
    assert _run_child(child, ITEM, function) == {}
    assert len(calls) == 50


def _raise(_):
    raise RuntimeError("Lambda.Unknown")


@pytest.mark.parametrize(
    "answers", [_raise, lambda _: {}, lambda _: {"progress": "yes"}, lambda _: {"progress": None}]
)
def test_a_poisoned_child_ends_with_nothing_to_gather(child, answers):
    calls, function = _counting(answers)
    assert _run_child(child, ITEM, function) == {}
    assert len(calls) == 1


def test_every_end_of_a_child_has_an_empty_output(child):
    ends = [each for each in child["States"].values() if each.get("End")]
    assert ends == [{"Type": "Pass", "Result": {}, "End": True}]
    assert {each["Type"] for each in child["States"].values()} == {"Task", "Choice", "Pass"}


def test_the_map_reads_the_plan_of_its_run_and_gathers_nothing(definition):
    albums = definition["States"]["Albums"]
    assert albums["ItemReader"]["Resource"] == "arn:aws:states:::s3:getObject"
    assert albums["ItemReader"]["ReaderConfig"] == {"InputType": "JSONL"}
    assert albums["ItemReader"]["Parameters"] == {
        "Bucket": "<Bucket>",
        "Key.$": "States.Format('work/{}/plan.jsonl', $.run_id)",
    }
    assert "ResultWriter" not in albums
    assert albums["ResultPath"] is None
    assert albums["ToleratedFailurePercentage"] == 100


def test_a_child_is_asked_for_every_field_of_its_line(definition):
    """A field that the selector leaves out would be lost on the way, and its event refused."""
    request = definition["States"]["Albums"]["ItemSelector"]["request"]
    line = PlannedBatch((), Account("larkfield", "owner")).as_json()
    assert request == {
        "action": "album",
        "run_id.$": "$.run_id",
        **{f"{name}.$": f"$$.Map.Item.Value.{name}" for name in line},
    }


def test_the_plan_lies_under_the_prefix_of_an_existing_bucket():
    reader = _definition(BackupPrefix="a/b", ExistingBucket="larkfield")["States"]["Albums"]
    folder = "a/b/"
    assert reader["ItemReader"]["Parameters"] == {
        "Bucket": "larkfield",
        "Key.$": f"States.Format('{folder}work/{{}}/plan.jsonl', $.run_id)",
    }


def test_children_are_standard_executions_of_a_distributed_map(child):
    assert child["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


@pytest.mark.parametrize("concurrency", ["5", "40"])
def test_workers_at_a_time_are_a_number(concurrency):
    albums = _definition(MapConcurrency=concurrency)["States"]["Albums"]
    assert albums["MaxConcurrency"] == int(concurrency)


def test_a_map_that_fails_as_a_whole_is_still_reported(definition):
    albums = definition["States"]["Albums"]
    assert albums["Next"] == "Finish"
    (catch,) = albums["Catch"]
    assert catch == {"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "Finish"}


def test_finish_decides_whether_the_execution_fails(definition):
    finish = definition["States"]["Finish"]
    assert finish["Parameters"]["Payload"] == {"action": "finish", "run_id.$": "$.run_id"}
    assert "Catch" not in finish
    assert finish["End"] is True


def test_tasks_outlast_the_function_and_try_again_only_what_lambda_refused(definition, child):
    for task in (child["States"]["Work"], definition["States"]["Finish"]):
        assert task["Resource"] == "arn:aws:states:::lambda:invoke"
        assert task["Parameters"]["FunctionName"] == "<BackupFunction.Arn>"
        # The longest time limit that the function may have, and a minute.
        longest = source()["Parameters"]["Timeout"]["MaxValue"]
        assert task["TimeoutSeconds"] == longest + 60 == 1860
        retry, died = task["Retry"]
        assert set(retry["ErrorEquals"]) == {
            "Lambda.TooManyRequestsException",
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
        }
        assert 1 <= retry["MaxAttempts"] <= 10
        # An invocation that died may die again, and each costs what it takes.
        assert set(died["ErrorEquals"]) == {
            "Lambda.ClientExecutionTimeoutException",
            "Lambda.Unknown",
        }
        assert died["MaxAttempts"] == 2


def test_an_execution_ends_after_a_week(definition):
    assert definition["TimeoutSeconds"] == 7 * 24 * 3600


def test_the_definition_is_small_enough(definition):
    assert len(json.dumps(definition)) < 100_000


def test_names_are_those_that_step_functions_takes():
    (machine,) = of_type(resolved(), "AWS::StepFunctions::StateMachine").values()
    assert machine["StateMachineName"] == f"{STACK_NAME}-overflow"
    assert machine["StateMachineType"] == "STANDARD"
    for name in (machine["StateMachineName"], RUN):
        assert re.fullmatch(r"[0-9A-Za-z_-]{1,80}", name)


def test_the_machine_may_do_exactly_this():
    stack = resolved({"BackupPrefix": "photos"})
    role = of_type(stack, "AWS::IAM::Role")["OverflowRole"]
    rights = {
        (action, resource)
        for each in statements(role)
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
        for resource in (
            [each["Resource"]] if isinstance(each["Resource"], str) else each["Resource"]
        )
    }
    store = "arn:aws:s3:::<Bucket>/photos/"
    assert rights == {
        ("s3:GetObject", f"{store}work/*"),
        ("lambda:InvokeFunction", "<BackupFunction.Arn>"),
        ("states:StartExecution", MACHINE),
        ("states:DescribeExecution", f"{EXECUTION}:*"),
        ("states:DescribeExecution", f"{EXECUTION}/*:*"),
        ("states:StopExecution", f"{EXECUTION}:*"),
        ("states:StopExecution", f"{EXECUTION}/*:*"),
        ("states:RedriveExecution", f"{EXECUTION}/*:*"),
    }


def test_the_function_knows_the_machine_by_the_name_it_gets():
    stack = resolved()
    function = stack["Resources"]["BackupFunction"]["Properties"]
    variables = function["Environment"]["Variables"]
    assert variables["STATE_MACHINE_ARN"] == MACHINE
    assert variables["MAP_CONCURRENCY"] == "5"


def test_switched_off_nothing_of_it_is_left():
    stack = resolved({"Overflow": "off"})
    kinds = {each["Type"] for each in stack["Resources"].values()}
    assert "AWS::StepFunctions::StateMachine" not in kinds
    assert set(of_type(stack, "AWS::IAM::Role")) == {"BackupRole", "SchedulesRole"}
    function = stack["Resources"]["BackupFunction"]["Properties"]
    assert "STATE_MACHINE_ARN" not in function["Environment"]["Variables"]
    assert "StateMachineArn" not in stack["Outputs"]
    assert "states" not in json.dumps(of_type(stack, "AWS::IAM::Role")["BackupRole"])
    assert "ExecutionFailedAlarm" not in json.dumps(stack)
