"""Metrics in a log line, in CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from local.nesting import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# CloudWatch's limits for one line.
_MOST_METRICS, _MOST_VALUES, _MOST_DIMENSIONS, _LONGEST_TEXT = 100, 100, 30, 1_024
# The highest number of values of one line: its sets of dimensions repeat them, without a limit.
_MOST = 100_000
# AWS's own namespaces take no values of others.
_RESERVED = "AWS/"
# Milliseconds, in the year 5138: the beginning and end of its period can still be written.
_LAST_MOMENT = 10**14


@dataclass(frozen=True, slots=True)
class Datum:
    """One value of a metric.

    Attributes:
        namespace: `AWS/…` for AWS's own, else the stack's name.
        unit: CloudWatch's name of the unit, for example `Seconds`.
        dimensions: values by name.
        moment: when it was measured.
    """

    namespace: str
    name: str
    value: float
    unit: str
    dimensions: Mapping[str, str]
    moment: datetime


def data(line: str) -> list[Datum]:
    """Return the values in a line; none for a line without metrics, or a malformed one."""
    # Nearly every line is without metrics.
    if '"_aws"' not in line:
        return []
    try:
        found = list(islice(_data(read(line)), _MOST + 1))
    except (ArithmeticError, LookupError, OSError, TypeError, ValueError):
        return []
    return found if len(found) <= _MOST else []


def _data(members: Mapping[str, Any]) -> Iterator[Datum]:
    told = members["_aws"]
    moment = _moment(told["Timestamp"])
    for directive in told["CloudWatchMetrics"]:
        metrics, namespace = (
            _few(directive["Metrics"], _MOST_METRICS),
            _text(directive["Namespace"]),
        )
        if namespace.startswith(_RESERVED):
            raise ValueError(f"{namespace} is AWS's own")
        for names in directive["Dimensions"]:
            dimensions = {
                _text(name): _text(members[name]) for name in _few(names, _MOST_DIMENSIONS)
            }
            for metric in metrics:
                name, unit = _text(metric["Name"]), _text(metric.get("Unit", "None"))
                for value in _values(members[name]):
                    yield Datum(namespace, name, value, unit, dimensions, moment)


def _values(given: object) -> list[float]:
    values = _few(given if isinstance(given, list) else [given], _MOST_VALUES)
    for value in values:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise TypeError(f"{value!r} is no number")
    return [float(value) for value in values]


def _few(given: object, most: int) -> list[Any]:
    if not isinstance(given, list) or len(given) > most:
        raise TypeError(f"{given!r} is no list of at most {most}")
    return given


def _text(given: object) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= _LONGEST_TEXT:
        raise TypeError(f"{given!r} is no text of at most {_LONGEST_TEXT} characters")
    # An answer cannot hold a lone surrogate.
    given.encode()
    return given


def _moment(given: Any) -> datetime:  # noqa: ANN401 - whatever a line says
    milliseconds = int(given)
    if not 0 <= milliseconds < _LAST_MOMENT:
        raise ValueError(f"{given!r} is no time")
    return datetime.fromtimestamp(milliseconds / 1_000, UTC)
