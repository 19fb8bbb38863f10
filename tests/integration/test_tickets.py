from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchestrator import dynamodb, eventbridge, polling
from tests.integration.attempts import SPOT, SUCCESS, WAITING, mortal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Start

HANDLERS = {**WAITING, "dynamodb": dynamodb.handler}
# The place where a launch is cut off: of a first call, which is refused, and of a second one.
CUTS = [
    f"{when} {call}"
    for when in ("before", "after")
    for call in ("dynamodb.PutItem 1", "ecs.RunTask 1", "ecs.RunTask 2")
]


def ticket(call: dict[str, Any]) -> str | None:
    """Return the ticket that a RunTask request tells its container."""
    [container] = call["overrides"]["containerOverrides"]
    told = {pair["name"]: pair["value"] for pair in container["environment"]}
    return told.get("EXECUTION_TICKET")


def test_a_ticket_for_each_attempt(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """Each attempt has a ticket of its own, and between two attempts there is none."""
    execution = durable(eventbridge.handler, {})
    first = aws.wait_for_record(lambda record: record.task_arn).ticket
    attempts.end(1, SPOT)
    attempts.task(2)
    second = aws.record().ticket
    attempts.end(2, SUCCESS)
    execution.result()
    assert [ticket(call) for call in attempts.run_task_calls()] == [first, second]
    assert len({first, second, None}) == 3
    between = [item for item in attempts.history if item["status"] == "BACKOFF"]
    assert [item.get("ticket") for item in between] == [None] * len(between) != []


@pytest.mark.parametrize("flow", HANDLERS)
def test_closed_record_has_none(aws: Aws, durable: Start, attempts: Attempts, flow: str) -> None:
    """The close takes the ticket away, after which the record takes no worker's writes."""
    execution = durable(HANDLERS[flow], {})
    attempts.end(1, SUCCESS)
    execution.result()
    item = aws.item()
    assert ("open" in item, "ticket" in item) == (False, False)


def test_polling_has_none(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """The polling flow's container has no record to write to, and so no ticket."""
    execution = durable(polling.handler, {})
    attempts.end(1, SUCCESS)
    execution.result()
    assert [ticket(call) for call in attempts.run_task_calls()] == [None]
    assert not [item for item in attempts.history if "ticket" in item]
    assert len(aws.items()) == 1


@pytest.mark.parametrize("handler", [dynamodb.handler, eventbridge.handler])
@pytest.mark.parametrize("cut", CUTS)
def test_launch_that_is_tried_twice(
    aws: Aws, durable: Start, attempts: Attempts, handler: Callable[..., Any], cut: str
) -> None:
    """A launch that is interrupted and repeated gives its container the record's ticket."""
    when, operation, number = cut.split()
    aws.refuse("Capacity is unavailable at this time.")
    attempts.die(operation, int(number), after=when == "after")
    execution = durable(mortal()(handler), {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    attempts.end(1, SUCCESS)
    execution.result()
    assert attempts.faults == 1
    assert {ticket(call) for call in aws.calls["RunTask"]} == {record.ticket}
    assert record.ticket
