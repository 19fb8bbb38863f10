"""The values of metrics that moto's CloudWatch keeps."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from moto.cloudwatch.models import MetricDatum, cloudwatch_backends

from local.metrics import emf
from local.metrics.emf import Datum

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from moto.cloudwatch.models import CloudWatchBackend

    from local.stack import Stack

# The values of some thousand executions. A system that stays up drops the oldest ones.
_MOST = 50_000
LAMBDA, SQS = "AWS/Lambda", "AWS/SQS"
COUNT = "Count"


class Gauge(NamedTuple):
    """A metric of AWS's own that is measured at each request for it.

    Attributes:
        measure: returns the present number.
    """

    namespace: str
    name: str
    unit: str
    dimensions: Mapping[str, str]
    measure: Callable[[], float]


class Metrics:
    """Takes values, and gives them to moto.

    Args:
        stack: the stack of the metrics.
        now: returns the date.
        most: number of values that it keeps.

    Attributes:
        gauges: AWS's own metrics that are measured at each request.
    """

    def __init__(self, stack: Stack, now: Callable[[], datetime], most: int = _MOST) -> None:
        self._place, self._now, self._most = (stack.account, stack.region), now, most
        self._lock = threading.Lock()
        self.gauges: list[Gauge] = []

    @property
    def backend(self) -> CloudWatchBackend:
        """Moto's CloudWatch of the stack's account and Region."""
        account, region = self._place
        return cloudwatch_backends[account][region]

    def take(self, line: str) -> None:
        """Take the metrics in a function's log line, if there are any."""
        self.put(*emf.data(line))

    def invoked(self, function: str, began: datetime, *, failed: bool) -> None:
        """Count an invocation that has ended, at the moment of its begin, as Lambda does."""
        counts = {"Invocations": 1, "Errors": int(failed), "Throttles": 0}
        named = {"FunctionName": function}
        self.put(*(Datum(LAMBDA, name, n, COUNT, named, began) for name, n in counts.items()))

    def put(self, *data: Datum) -> None:
        """Keep values."""
        with self._lock:
            kept = self.backend.metric_data
            kept.extend(map(_kept, data))
            if len(kept) > self._most:
                # Many are dropped at once: dropping one moves all the others.
                del kept[: -self._most * 9 // 10]

    def measured(self) -> list[MetricDatum]:
        """Return the present values of all gauges."""
        now = self._now()
        return [
            _kept(Datum(g.namespace, g.name, g.measure(), g.unit, g.dimensions, now))
            for g in self.gauges
        ]


def _kept(datum: Datum) -> MetricDatum:
    dimensions = [{"Name": name, "Value": value} for name, value in datum.dimensions.items()]
    return MetricDatum(
        datum.namespace, datum.name, datum.value, dimensions, datum.moment, datum.unit
    )
