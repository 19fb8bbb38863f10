"""The capacity for which an execution's launches ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.job import Capacity
from orchestrator import dynamodb
from tests.integration.attempts import APPLICATION, CAPACITY, HOST, SPOT, SUCCESS, WAITING, mortal
from tests.integration.aws import throttled

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines, Start

    Handler = Callable[..., Any]

FLOWS = pytest.mark.parametrize("handler", WAITING.values(), ids=WAITING)
PROVIDERS = {"SPOT": "FARGATE_SPOT", "ON_DEMAND": "FARGATE"}


def asked(call: dict[str, Any]) -> str:
    """Return the capacity that a RunTask asks for."""
    if call.get("launchType") == "FARGATE":
        assert "capacityProviderStrategy" not in call
        return "ON_DEMAND"
    assert call["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT"}]
    assert "launchType" not in call
    return "SPOT"


def logged(lines: Lines, message: str) -> list[str]:
    """Return the capacities that lines with a message tell."""
    told = [vars(line) for line in lines.records if line.getMessage() == message]
    return [
        str(fields.get("capacity") or (fields.get("retry") or fields["relaunch"])["capacity"])
        for fields in told
    ]


@FLOWS
@pytest.mark.parametrize(
    ("wanted", "course"),
    [
        (Capacity.SPOT_THEN_ON_DEMAND, ["SPOT", "ON_DEMAND", "ON_DEMAND"]),
        (Capacity.SPOT, ["SPOT", "SPOT", "SPOT"]),
        (Capacity.ON_DEMAND, ["ON_DEMAND", "ON_DEMAND", "ON_DEMAND"]),
    ],
)
def test_interruption(  # noqa: PLR0913, PLR0917 - fixtures
    durable: Start,
    attempts: Attempts,
    lines: Lines,
    handler: Handler,
    wanted: Capacity,
    course: list[str],
) -> None:
    """Work that was interrupted on Spot, then lost, is on demand from then on if it may be."""
    execution = durable(handler, {"maxAttempts": 3, "capacity": wanted})
    attempts.end(1, SPOT)
    attempts.end(2, HOST)
    attempts.end(3, SUCCESS)
    assert execution.result()["attempt"] == 3
    assert [asked(call) for call in attempts.run_task_calls()] == course
    entries = attempts.aws.record().attempts
    assert [entry["capacity"] for entry in entries] == [PROVIDERS[name] for name in course]
    assert logged(lines, "Task started") == course
    assert logged(lines, "Retrying") == course[:2]


def test_spot_twice(durable: Start, attempts: Attempts) -> None:
    """Work that wants Spot alone stays there, however often it is interrupted."""
    execution = durable(WAITING["eventbridge"], {"maxAttempts": 3, "capacity": Capacity.SPOT})
    attempts.end(1, SPOT)
    attempts.end(2, SPOT)
    attempts.end(3, SUCCESS)
    assert execution.result()["attempt"] == 3
    assert [asked(call) for call in attempts.run_task_calls()] == ["SPOT"] * 3


@FLOWS
def test_no_room(
    aws: Aws,
    durable: Start,
    attempts: Attempts,
    lines: Lines,
    handler: Handler,
) -> None:
    """A launch that finds no room on Spot is followed by one on demand, of the same attempt."""
    aws.refuse(*[CAPACITY] * 2)
    execution = durable(handler, {"maxAttempts": 1, "capacity": Capacity.SPOT_THEN_ON_DEMAND})
    attempts.end(1, SUCCESS)
    assert execution.result()["attempt"] == 1
    assert [asked(call) for call in attempts.run_task_calls()] == ["SPOT", "ON_DEMAND", "ON_DEMAND"]
    assert logged(lines, "Launching again") == ["SPOT", "ON_DEMAND"]
    held = [(item["launch"], item["capacity"]) for item in attempts.history]
    assert list(dict.fromkeys(held)) == [(1, "SPOT"), (2, "ON_DEMAND"), (3, "ON_DEMAND")]


def test_no_room_for_nobody(aws: Aws, durable: Start, lines: Lines) -> None:
    """DynamoDB: the attempt's launches leave Spot too, and the record has the last capacity."""
    aws.refuse(CAPACITY)
    durable(dynamodb.handler, {"capacity": Capacity.SPOT_THEN_ON_DEMAND}).result()
    assert [asked(call) for call in aws.calls["RunTask"]] == ["SPOT", "ON_DEMAND"]
    assert (aws.item()["launch"], aws.item()["capacity"]) == (2, "ON_DEMAND")
    assert logged(lines, "Task started") == ["ON_DEMAND"]
    aws.exit(0)
    aws.report()
    assert [entry["capacity"] for entry in aws.record().attempts] == ["FARGATE"]


def test_no_room_anywhere(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """An attempt that never had a task says on which capacity it was refused last."""
    aws.refuse(*[CAPACITY] * 30)
    durable(WAITING["eventbridge"], {"maxAttempts": 1, "capacity": Capacity.SPOT}).error()
    assert {asked(call) for call in attempts.run_task_calls()} == {"SPOT"}
    assert [entry["capacity"] for entry in aws.record().attempts] == ["FARGATE_SPOT"]


@FLOWS
def test_launch_without_an_answer(
    aws: Aws,
    durable: Start,
    attempts: Attempts,
    handler: Handler,
) -> None:
    """A launch that was not answered is repeated as it was, on the same capacity."""
    aws.answer_with("ecs.RunTask", *throttled(9))
    execution = durable(handler, {"maxAttempts": 1, "capacity": Capacity.SPOT_THEN_ON_DEMAND})
    attempts.end(1, SUCCESS)
    execution.result()
    assert {asked(call) for call in aws.calls["RunTask"]} == {"SPOT"}
    assert len({call["clientToken"] for call in aws.calls["RunTask"]}) == 1
    assert len({str(sorted(call.items())) for call in aws.calls["RunTask"]}) == 1


@FLOWS
@pytest.mark.parametrize("operation", ["dynamodb.UpdateItem", "ecs.RunTask"])
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_death(  # noqa: PLR0913, PLR0917 - fixtures
    aws: Aws,
    durable: Start,
    attempts: Attempts,
    handler: Handler,
    operation: str,
    number: int,
    *,
    after: bool,
) -> None:
    """A launch has one capacity, wherever a function dies, and the record shows the last one's."""
    aws.refuse(CAPACITY)
    attempts.die(operation, number, after=after)
    execution = durable(
        mortal()(handler), {"maxAttempts": 3, "capacity": Capacity.SPOT_THEN_ON_DEMAND}
    )
    attempts.end(1, HOST)
    attempts.end(2, APPLICATION)
    execution.error()
    by_token: dict[str, set[str]] = {}
    for call in aws.calls["RunTask"]:
        by_token.setdefault(call["clientToken"], set()).add(asked(call))
    assert list(by_token.values()) == [{"SPOT"}, {"ON_DEMAND"}, {"ON_DEMAND"}]
    assert aws.item()["capacity"] == "ON_DEMAND"
