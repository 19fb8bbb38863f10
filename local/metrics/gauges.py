"""AWS's own gauges, as far as alarms of the template name them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from moto.sqs.models import sqs_backends

from local.metrics.kept import LAMBDA, SQS, Gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.stack import Stack

# Lambda's default quota of executions that run at once, in most Regions.
_MOST_RUNNING = 5_000_000


def queues(stack: Stack) -> Iterator[Gauge]:
    """Yield the number of messages that can be received, for each of the stack's queues."""
    for properties in stack.of_type("AWS::SQS::Queue").values():
        name = properties["QueueName"]
        yield Gauge(
            SQS,
            "ApproximateNumberOfMessagesVisible",
            "Count",
            {"QueueName": name},
            partial(_visible, stack, name),
        )


def running(count: Callable[[], int]) -> Gauge:
    """Return the share of Lambda's quota that running executions take, in percent."""
    return Gauge(
        LAMBDA,
        "ApproximateRunningDurableExecutionsUtilization",
        "Percent",
        {},
        lambda: 100 * count() / _MOST_RUNNING,
    )


def _visible(stack: Stack, name: str) -> int:
    queue = sqs_backends[stack.account][stack.region].queues.get(name)
    return queue.approximate_number_of_messages if queue else 0
