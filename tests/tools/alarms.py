"""CloudWatch's alarms, as far as the template's need them: data in, what is mailed out.

No local AWS makes metrics of a function's log lines, so whoever plays a year takes them where they
leave the process and asks here what the alarms of the template make of them. Not known here: metric
math, and data that come late.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

_INSTANT = timedelta(microseconds=1)
_STATISTICS = {"Sum": sum, "Maximum": max, "Minimum": min}
_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}


@dataclass(frozen=True, slots=True)
class Mailed:
    """An alarm changed its state, and mails it."""

    at: datetime
    alarm: str
    state: str
    description: str


@dataclass
class Data:
    """Numbers by metric, in the order of time."""

    by_metric: dict[str, tuple[list[datetime], list[float]]] = field(default_factory=dict)

    def put(self, metric: str, at: datetime, value: float) -> None:
        times, values = self.by_metric.setdefault(metric, ([], []))
        times.append(at)
        values.append(value)

    def between(self, metric: str, begin: datetime, end: datetime) -> list[tuple[datetime, float]]:
        times, values = self.by_metric.get(metric, ([], []))
        first, last = bisect_left(times, begin), bisect_left(times, end)
        return list(zip(times[first:last], values[first:last], strict=True))


def mails(
    alarms: Mapping[str, Mapping[str, Any]], data: Data, begin: datetime, end: datetime
) -> Iterator[Mailed]:
    """What the alarms mail from ``begin`` to ``end``, looked at each hour; sorted by alarm."""
    for name, alarm in alarms.items():
        if "MetricName" not in alarm:
            continue  # Metric math: an overflow's, of which there is none here.
        state, now = "INSUFFICIENT_DATA", begin
        while now < end:
            now += timedelta(hours=1)
            new = _state(alarm, data, now)
            actions = {"ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
            if new != state and alarm.get(actions.get(new, "OKActions")):
                yield Mailed(now, name, new, str(alarm["AlarmDescription"]))
            state = new


def metric_of(alarm: Mapping[str, Any]) -> str:
    """Metric, and the queue that it is of, if any."""
    queue = [each["Value"] for each in alarm["Dimensions"] if each["Name"] == "QueueName"]
    return " ".join([alarm["MetricName"], *queue])


def _state(alarm: Mapping[str, Any], data: Data, now: datetime) -> str:
    period = timedelta(seconds=int(alarm["Period"]))
    number = int(alarm["EvaluationPeriods"])
    metric = metric_of(alarm)
    # Nothing at all in the whole window is the rule, and quickly seen.
    seen = data.between(metric, now - number * period, now)
    missing = alarm["TreatMissingData"]
    if not seen and missing == "notBreaching":
        return "OK"
    if not seen and missing == "missing":
        return "INSUFFICIENT_DATA"
    periods: dict[int, list[float]] = {}
    for at, value in seen:
        periods.setdefault((now - at - _INSTANT) // period, []).append(value)
    compare = _COMPARISONS[alarm["ComparisonOperator"]]
    threshold, statistic = float(alarm["Threshold"]), _STATISTICS[alarm["Statistic"]]
    breaching = sum(compare(statistic(values), threshold) for values in periods.values())
    present = len(periods)
    if missing == "breaching":
        breaching += number - present
    wanted = int(alarm.get("DatapointsToAlarm", number))
    if missing == "missing":
        wanted = min(wanted, present)
    return "ALARM" if breaching >= wanted else "OK"
