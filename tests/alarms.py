"""The template's alarms, evaluated over the metrics of a run as CloudWatch evaluates them.

One point is simpler: an alarm looks at exactly its EvaluationPeriods. CloudWatch looks further back
where values are missing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.system import System

# What alarms may ask for: what the local system and everybody can calculate.
STATISTICS = ("Sum", "Maximum", "SampleCount")
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_ALL = "SUM(METRICS())"


class State(StrEnum):
    """The states that an alarm shows."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """The ways in which an alarm counts a period without a value."""

    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"
    MISSING = "missing"
    IGNORE = "ignore"


class Watched(NamedTuple):
    """A statistic of a metric.

    Attributes:
        dimensions: name and value of each, in the order of the names.
        period: its length, in seconds.
    """

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: int


# Gives a statistic's value in the period that begins then; None if there is none.
Read = Callable[[Watched, datetime], float | None]


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of the template.

    Attributes:
        watched: one statistic, or several of which the sum counts.
        periods: how many are looked at.
        datapoints: how many of them have to breach.
    """

    name: str
    watched: tuple[Watched, ...]
    periods: int
    datapoints: int
    missing: Missing
    comparison: str
    threshold: float

    @property
    def period(self) -> timedelta:
        """The length of a period."""
        return timedelta(seconds=self.watched[0].period)

    def state(self, read: Read, end: datetime, before: State = State.OK) -> State:
        """Return what it shows at the end of a period.

        Args:
            read: gives the values.
            end: a multiple of its period.
            before: what it showed until then.
        """
        begins = [end - n * self.period for n in range(1, self.periods + 1)]
        values = [self._value(read, begin) for begin in begins]
        breaching = [v is not None and self._breaches(v) for v in values]
        lacking = sum(value is None for value in values)
        if lacking == self.periods and self.missing is Missing.MISSING:
            return State.INSUFFICIENT_DATA
        if lacking == self.periods and self.missing is Missing.IGNORE:
            return before
        counted = sum(breaching) + (lacking if self.missing is Missing.BREACHING else 0)
        return State.ALARM if counted >= self.datapoints else State.OK

    def _value(self, read: Read, begin: datetime) -> float | None:
        values = [value for one in self.watched if (value := read(one, begin)) is not None]
        return sum(values) if values else None

    def _breaches(self, value: float) -> bool:
        return _OPERATORS[self.comparison](value, self.threshold)


def alarm(properties: Mapping[str, Any]) -> Alarm:
    """Return an alarm by its properties, with all names filled in.

    Raises:
        ValueError: it asks for what is not evaluated here.
    """
    watched = tuple(_watched(properties))
    if other := {one.statistic for one in watched} - {*STATISTICS}:
        raise ValueError(f"{', '.join(sorted(other))}: only {', '.join(STATISTICS)} are evaluated")
    if len({one.period for one in watched}) != 1:
        raise ValueError("The periods of its metrics differ")
    if properties["ComparisonOperator"] not in _OPERATORS:
        raise ValueError(f"{properties['ComparisonOperator']} is not evaluated")
    periods = int(properties["EvaluationPeriods"])
    return Alarm(
        name=properties["AlarmName"],
        watched=watched,
        periods=periods,
        datapoints=int(properties.get("DatapointsToAlarm", periods)),
        missing=Missing(properties.get("TreatMissingData", "missing")),
        comparison=properties["ComparisonOperator"],
        threshold=float(properties["Threshold"]),
    )


def _watched(properties: Mapping[str, Any]) -> Iterator[Watched]:
    if "Metrics" not in properties:
        yield _statistic(properties, properties.get("Statistic", ""), properties["Period"])
        return
    told = [one for one in properties["Metrics"] if one.get("ReturnData", True)]
    if [one.get("Expression") for one in told] != [_ALL]:
        raise ValueError(f"Only {_ALL} is evaluated, not {told}")
    for one in properties["Metrics"]:
        if one not in told:
            asked = one["MetricStat"]
            yield _statistic(asked["Metric"], asked["Stat"], asked["Period"])


def _statistic(metric: Mapping[str, Any], statistic: str, period: int) -> Watched:
    dimensions = sorted((one["Name"], one["Value"]) for one in metric.get("Dimensions", ()))
    return Watched(
        metric["Namespace"], metric["MetricName"], tuple(dimensions), statistic, int(period)
    )


def alarms(system: System) -> list[Alarm]:
    """Return the alarms of a system's template."""
    return [alarm(one) for one in system.stack.of_type("AWS::CloudWatch::Alarm").values()]


def raised(system: System, since: datetime, until: datetime) -> set[str]:
    """Return which alarms have shown themselves, by what their names have after the stack's.

    Args:
        system: whose CloudWatch is asked.
        since: before, nothing was there that could have a value.
        until: the last period is the one that this is in.
    """
    cloudwatch = system.account.client("cloudwatch")

    def read(one: Watched, begin: datetime) -> float | None:
        points = cloudwatch.get_metric_statistics(
            Namespace=one.namespace,
            MetricName=one.metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in one.dimensions],
            Statistics=[one.statistic],
            Period=one.period,
            StartTime=begin,
            EndTime=begin + timedelta(seconds=one.period),
        )["Datapoints"]
        return points[0][one.statistic] if points else None

    shown = {one.name for one in alarms(system) if _shows(one, read, since, until)}
    return {name.removeprefix(f"{system.stack.name}-") for name in shown}


def _shows(one: Alarm, read: Read, since: datetime, until: datetime) -> bool:
    state, end = State.OK, _begin(since, one.period) + one.period
    while end - one.period <= until:
        # What could not be there yet is not missing.
        is_young = one.missing is Missing.BREACHING and end - one.periods * one.period < since
        state = State.OK if is_young else one.state(read, end, state)
        if state is State.ALARM:
            return True
        end += one.period
    return False


def _begin(moment: datetime, period: timedelta) -> datetime:
    return datetime.fromtimestamp(
        moment.timestamp() // period.total_seconds() * period.total_seconds(), UTC
    )
