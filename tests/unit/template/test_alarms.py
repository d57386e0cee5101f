"""Who is told of what: alarms that say what to do, a topic that is not mute, one page."""

import json
import re

import pytest

from tests.stack.environment import ROOT
from tests.stack.template import STACK_NAME, of_type, resolved


@pytest.fixture(scope="module")
def stack():
    return resolved({"AlarmEmail": "owner@example.org"})


@pytest.fixture(scope="module")
def alarms(stack):
    return of_type(stack, "AWS::CloudWatch::Alarm")


def _counted_metrics():
    text = (ROOT / "src" / "smugmug_backup" / "function" / "telemetry.py").read_text()
    found = re.findall(r'_count\("(\w+)"|name="(\w+)", unit', text)
    return {one or other for one, other in found}


def test_there_is_one_alarm_for_each_thing_that_can_go_wrong(alarms):
    assert set(alarms) == {
        "RetriesExhaustedAlarm",
        "NotDeliveredAlarm",
        "RefusedAlarm",
        "NotCompleteAlarm",
        "CursorMissAlarm",
        "CheckNotSoundAlarm",
        "LossAlarm",
        "ExecutionFailedAlarm",
        "SilenceAlarm",
    }


def test_each_alarm_says_what_to_do_and_mails_it(alarms):
    for name, alarm in alarms.items():
        assert "What to do:" in alarm["AlarmDescription"], name
        assert len(alarm["AlarmDescription"]) <= 1024
        assert alarm["AlarmActions"] == ["<AlertTopic>"], name


def test_two_alarms_that_one_cause_sets_off_name_each_other(alarms):
    """A run that is refused is tried twice more, and then lies in the queue, too. Neither can go:
    a run by hand is refused without the queue, and most of what lies there was not refused."""
    for one, other in (
        ("RefusedAlarm", "RetriesExhaustedAlarm"),
        ("RetriesExhaustedAlarm", "RefusedAlarm"),
    ):
        assert other in alarms[one]["AlarmDescription"]


def test_alarms_on_our_metrics_watch_what_the_function_counts(alarms):
    ours = {name: each for name, each in alarms.items() if each.get("Namespace") == "SmugMugBackup"}
    assert len(ours) == 6
    for alarm in ours.values():
        assert alarm["MetricName"] in _counted_metrics()
        assert alarm["Dimensions"] == [{"Name": "service", "Value": STACK_NAME}]


def test_the_function_counts_under_the_name_that_alarms_look_for(stack):
    variables = stack["Resources"]["BackupFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_SERVICE_NAME"] == STACK_NAME
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "SmugMugBackup"


def test_losses_are_an_alarm_from_the_number_on_that_was_asked_for():
    for images in ("100", "7"):
        stack = resolved({"LossAlarmImages": images})
        alarm = of_type(stack, "AWS::CloudWatch::Alarm")["LossAlarm"]
        assert (alarm["MetricName"], alarm["Statistic"], alarm["Period"]) == (
            "Losses",
            "Sum",
            86400,
        )
        assert alarm["Threshold"] == images
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def test_a_retry_that_succeeds_mails_nobody(alarms):
    assert all(each.get("MetricName") != "Errors" for each in alarms.values())
    for name, queue in (
        ("RetriesExhaustedAlarm", "FailedRuns"),
        ("NotDeliveredAlarm", "UndeliveredSchedules"),
    ):
        alarm = alarms[name]
        # Messages that arrive; those that lie there would keep it on for 14 days.
        assert (alarm["MetricName"], alarm["Statistic"]) == ("NumberOfMessagesSent", "Sum")
        assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": f"<{queue}.QueueName>"}]


def test_silence_is_heard_after_the_hours_that_were_asked_for():
    for hours in ("50", "168"):
        alarm = of_type(resolved({"SilenceHours": hours}), "AWS::CloudWatch::Alarm")["SilenceAlarm"]
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (3600, hours)
        # It mails when the data stop, and not before they began: then nobody can have confirmed.
        assert alarm["TreatMissingData"] == "missing"
        assert alarm["InsufficientDataActions"] == alarm["AlarmActions"] == ["<AlertTopic>"]
        # Progress, so that a first backup of days is not silence.
        assert (alarm["MetricName"], alarm["Statistic"]) == ("Progress", "Sum")


def _period(alarm):
    return alarm.get("Period") or max(
        each["MetricStat"]["Period"] for each in alarm["Metrics"] if "MetricStat" in each
    )


def test_an_execution_that_failed_or_timed_out_is_told(alarms):
    watched = {
        each["MetricStat"]["Metric"]["MetricName"]
        for each in alarms["ExecutionFailedAlarm"]["Metrics"]
        if "MetricStat" in each
    }
    assert watched == {"ExecutionsFailed", "ExecutionsTimedOut"}


def test_no_alarm_looks_back_further_than_cloudwatch_allows(alarms):
    for name, alarm in alarms.items():
        seconds = _period(alarm) * int(alarm["EvaluationPeriods"])
        assert seconds <= (7 if _period(alarm) >= 3600 else 1) * 24 * 3600, name


def test_three_days_without_a_complete_run_are_told(alarms):
    alarm = alarms["NotCompleteAlarm"]
    # One day of the four may be missing, or its data late.
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (86400, 4)
    assert alarm["DatapointsToAlarm"] == 3
    assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("Maximum", "LessThanThreshold")


def test_only_silence_takes_missing_data_for_bad_news(alarms):
    told = {name for name, each in alarms.items() if "InsufficientDataActions" in each}
    assert told == {"SilenceAlarm"}
    assert {each["TreatMissingData"] for each in alarms.values()} == {"missing", "notBreaching"}


def test_a_period_whose_data_came_late_hides_nothing(alarms):
    for name, alarm in alarms.items():
        if name != "SilenceAlarm":
            assert int(alarm["EvaluationPeriods"]) > alarm["DatapointsToAlarm"], name


def test_a_schedule_too_slow_for_the_alarm_on_silence_has_none():
    stack = resolved({"SilenceHours": "0"})
    assert "SilenceAlarm" not in of_type(stack, "AWS::CloudWatch::Alarm")
    (dashboard,) = of_type(stack, "AWS::CloudWatch::Dashboard").values()
    assert "SilenceAlarm" not in dashboard["DashboardBody"]
    json.loads(dashboard["DashboardBody"])


def test_the_topic_can_be_used_by_cloudwatch_and_the_address_is_optional(stack):
    (topic,) = of_type(stack, "AWS::SNS::Topic").values()
    assert "KmsMasterKeyId" not in topic
    (subscription,) = of_type(stack, "AWS::SNS::Subscription").values()
    assert subscription == {
        "TopicArn": "<AlertTopic>",
        "Protocol": "email",
        "Endpoint": "owner@example.org",
    }
    assert not of_type(resolved(), "AWS::SNS::Subscription")


@pytest.mark.parametrize("overflow", ["on", "off"])
def test_the_dashboard_shows_every_alarm_and_our_metrics(overflow):
    stack = resolved({"Overflow": overflow, "BackupPrefix": "photos"})
    (dashboard,) = of_type(stack, "AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    (shown,) = [each["properties"]["alarms"] for each in widgets if each["type"] == "alarm"]
    assert sorted(shown) == sorted(
        f"<{name}.Arn>" for name in of_type(stack, "AWS::CloudWatch::Alarm")
    )
    metrics = {
        metric[1]
        for widget in widgets
        if widget["type"] == "metric"
        for metric in widget["properties"]["metrics"]
        if metric[0] == "SmugMugBackup"
    }
    assert metrics <= _counted_metrics()
    assert {"Complete", "Images", "Pending", "Failures", "BytesStored", "Losses"} <= metrics


def test_the_dashboards_log_query_asks_for_lines_that_the_function_writes():
    stack = resolved()
    (dashboard,) = of_type(stack, "AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    queries = [each["properties"]["query"] for each in widgets if each["type"] == "log"]
    assert all("SOURCE '<LogGroup>'" in query for query in queries)
    asked = {said for query in queries for said in re.findall(r"'(\w+ ended)'", query)}
    assert asked == {"run ended", "check ended", "drill ended"}
    actions = (ROOT / "src" / "smugmug_backup" / "function" / "actions.py").read_text()
    assert all(f'logger.info("{said}"' in actions for said in asked)


def test_the_dashboard_tells_what_the_last_30_days_cost():
    stack = resolved({"MemorySize": "512"})
    (dashboard,) = of_type(stack, "AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    (cost,) = [
        each["properties"] for each in widgets if "Cost" in each["properties"].get("title", "")
    ]
    (expression, *measured) = cost["metrics"]
    assert "*512/" in expression[0]["expression"]
    assert {each[-1]["id"] for each in measured} == set(
        re.findall(r"FILL\((\w+),0\)", expression[0]["expression"])
    )
    assert (cost["start"], cost["setPeriodToTimeRange"]) == ("-P30D", True)


def test_widgets_lie_beside_each_other():
    (dashboard,) = of_type(resolved(), "AWS::CloudWatch::Dashboard").values()
    taken = set()
    for each in json.loads(dashboard["DashboardBody"])["widgets"]:
        cells = {
            (x, y)
            for x in range(each["x"], each["x"] + each["width"])
            for y in range(each["y"], each["y"] + each["height"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_the_dashboard_can_be_left_out():
    stack = resolved({"Dashboard": "off"})
    assert not of_type(stack, "AWS::CloudWatch::Dashboard")
    assert "DashboardUrl" not in stack["Outputs"]
