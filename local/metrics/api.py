"""CloudWatch's answers about metrics: moto reads requests and writes answers with our values.

moto itself would ignore the namespace, add up metrics of different dimensions, and begin periods at
the request's start.
"""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.exceptions import InvalidParameterValue, ValidationError
from moto.cloudwatch.models import Statistics

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from moto.cloudwatch.models import MetricDatumBase
    from werkzeug.wrappers import Request

    from local.metrics.kept import Metrics

_KNOWN = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")
_EXPRESSION = (
    "Expressions are not known here: ask for each metric by its MetricStat, and calculate yourself."
)
# The key of a metric: its namespace, its name, its dimensions.
_Key = tuple[str, str, frozenset[tuple[str, str]]]


class MetricsApi:
    """Lets moto answer with the values that were counted here."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def __call__(self, _request: Request, _operation: str) -> None:
        """Leave a request to moto, whose backend asks back."""
        backend: Any = self._metrics.backend
        # moto makes another backend when it is reset.
        vars(backend).update(
            get_metric_data=self._get_metric_data,
            get_metric_statistics=self._get_metric_statistics,
            get_filtered_metrics=self._list,
        )

    def _get_metric_data(
        self,
        queries: Iterable[Mapping[str, Any]],
        start_time: datetime,
        end_time: datetime,
        scan_by: str = "TimestampDescending",
    ) -> list[dict[str, Any]]:
        """Answer GetMetricData.

        Raises:
            ValidationError: a time, a statistic or an expression has no answer here.
        """
        start, end = _utc(start_time), _utc(end_time)
        if start >= end:
            raise ValidationError("The parameter EndTime must be greater than StartTime.")
        answers, data = [], self._all()
        for query in queries:
            if "Expression" in query:
                raise ValidationError(_EXPRESSION)
            asked, metric = query["MetricStat"], query["MetricStat"]["Metric"]
            name, statistic = metric["MetricName"], asked["Stat"]
            _check([statistic], ValidationError)
            wanted = _key(metric["Namespace"], name, metric.get("Dimensions", ()))
            periods = _periods(
                _of(data, wanted, asked.get("Unit")), int(asked["Period"]), start, end, [statistic]
            )
            if scan_by == "TimestampDescending":
                periods.reverse()
            answer = {
                "id": query["Id"],
                "label": query.get("Label") or name,
                "values": [period.get_statistics_for_type(statistic) for period in periods],
                "timestamps": [period.timestamp for period in periods],
                "status_code": "Complete",
            }
            if query.get("ReturnData", True):
                answers.append(answer)
        return answers

    def _get_metric_statistics(  # noqa: PLR0913, PLR0917 - as moto calls it
        self,
        namespace: str,
        metric_name: str,
        start_time: datetime,
        end_time: datetime,
        period: int,
        stats: Sequence[str],
        dimensions: Iterable[Mapping[str, str]],
        unit: str | None = None,
    ) -> list[Statistics]:
        """Answer GetMetricStatistics.

        Raises:
            InvalidParameterValue: a time or a statistic has no answer here.
        """
        start, end = _utc(start_time), _utc(end_time)
        if start >= end:
            raise InvalidParameterValue(
                "The parameter StartTime must be less than the parameter EndTime."
            )
        # moto answers only these statistics, and hands on none if others are asked for.
        _check(stats or ["ExtendedStatistics"], InvalidParameterValue)
        found = _of(self._all(), _key(namespace, metric_name, dimensions), unit)
        return _periods(found, period, start, end, stats)

    def _list(
        self, metric_name: str, namespace: str, dimensions: Iterable[dict[str, str]]
    ) -> list[MetricDatumBase]:
        """Answer ListMetrics with one value of each metric."""
        wanted = list(dimensions or ())
        found: dict[_Key, MetricDatumBase] = {}
        for datum in self._all():
            if datum.filter(namespace, metric_name, wanted):
                found.setdefault(_key_of(datum), datum)
        return list(found.values())

    def _all(self) -> list[MetricDatumBase]:
        return [*self._metrics.backend.get_all_metrics(), *self._metrics.measured()]


def _of(data: Iterable[MetricDatumBase], key: _Key, unit: str | None) -> list[MetricDatumBase]:
    """Return the values of one metric, in one unit if it is named."""
    named = (datum for datum in data if datum.name == key[1] and unit in (None, datum.unit))
    return [datum for datum in named if _key_of(datum) == key]


def _periods(
    data: Iterable[MetricDatumBase],
    period: int,
    start: datetime,
    end: datetime,
    statistics: Sequence[str],
) -> list[Statistics]:
    """Return the periods that have values, oldest first; each begins at a multiple of itself."""
    first = _begin(start, period)
    found: defaultdict[datetime, list[MetricDatumBase]] = defaultdict(list)
    for datum in data:
        begin = _begin(_utc(datum.timestamp), period)
        if first <= begin < end:
            found[begin].append(datum)
    periods = []
    for begin in sorted(found):
        one = Statistics(list(statistics), begin, found[begin][0].unit)
        one.metric_data = found[begin]
        periods.append(one)
    return periods


def _begin(moment: datetime, period: int) -> datetime:
    return datetime.fromtimestamp(math.floor(moment.timestamp() / period) * period, UTC)


def _check(statistics: Collection[str], error: type[Exception]) -> None:
    for statistic in statistics:
        if statistic not in _KNOWN:
            raise error(
                f"{statistic} is not known here, nor is any percentile. Known are "
                f"{', '.join(_KNOWN)}."
            )


def _key(namespace: str, name: str, dimensions: Iterable[Mapping[str, str]]) -> _Key:
    return namespace, name, frozenset((one["Name"], one["Value"]) for one in dimensions)


def _key_of(datum: MetricDatumBase) -> _Key:
    named = frozenset((str(one.name), str(one.value)) for one in datum.dimensions)
    return datum.namespace, datum.name, named


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
