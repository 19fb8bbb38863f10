from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.integration.attempts import CAPACITY, SPOT, SUCCESS, WAITING, mortal

if TYPE_CHECKING:
    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Start

Call: TypeAlias = tuple[str, int]
# What the orchestrator calls between the end of the first task and the start of the second.
BETWEEN_ATTEMPTS = [
    pytest.param(("dynamodb.GetItem", 1), id="read before the back-off"),
    pytest.param(("dynamodb.UpdateItem", 2), id="back-off"),
    pytest.param(("dynamodb.UpdateItem", 3), id="preparation"),
    pytest.param(("dynamodb.GetItem", 2), id="read after the preparation"),
    pytest.param(("ecs.RunTask", 2), id="RunTask"),
    pytest.param(("dynamodb.UpdateItem", 4), id="storing the task"),
]
# The same between a launch that was refused and the next one.
BETWEEN_LAUNCHES = [
    pytest.param(("ecs.RunTask", 1), id="refused RunTask"),
    pytest.param(("dynamodb.UpdateItem", 1), id="preparation"),
    pytest.param(("dynamodb.GetItem", 1), id="read after the preparation"),
    pytest.param(("ecs.RunTask", 2), id="RunTask"),
    pytest.param(("dynamodb.UpdateItem", 2), id="storing the task"),
]
WHEN = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])


def second_attempt(durable: Start, attempts: Attempts, flow: str) -> None:
    """Run an execution whose second attempt succeeds, and see that nothing was repeated."""
    execution = durable(mortal()(WAITING[flow]), {})
    attempts.end(1, SPOT)
    task = attempts.end(2, SUCCESS)
    result = execution.result()
    assert (result["attempt"], result["taskArn"]) == (2, task)
    assert len(attempts.aws.tasks()) == 2
    assert len(attempts.run_task_calls()) == 2
    assert attempts.faults == 1
    statuses = ["PENDING", "RUNNING", "BACKOFF", "PENDING", "RUNNING", "COMPLETED"]
    assert [status for status, _ in attempts.statuses()] == statuses
    assert "StopTask" not in attempts.aws.calls
    kept = [(entry["attempt"], entry["kind"]) for entry in attempts.aws.record().attempts]
    assert kept == [(1, "SpotInterrupted"), (2, "Succeeded")]


@WHEN
@pytest.mark.parametrize("call", BETWEEN_ATTEMPTS)
def test_death_between_attempts(
    durable: Start, attempts: Attempts, call: Call, *, after: bool
) -> None:
    """A function that dies between two attempts goes on, with one back-off and one task."""
    attempts.die(*call, after=after)
    second_attempt(durable, attempts, "eventbridge")


@WHEN
@pytest.mark.parametrize(
    "call", [("dynamodb.UpdateItem", 2), ("ecs.RunTask", 2)], ids=["back-off", "RunTask"]
)
def test_death_of_the_polling_flow(
    durable: Start, attempts: Attempts, call: Call, *, after: bool
) -> None:
    """A polling function that dies between two attempts goes on just as well."""
    attempts.die(*call, after=after)
    second_attempt(durable, attempts, "polling")


@pytest.mark.parametrize("call", BETWEEN_ATTEMPTS)
def test_lost_answer_between_attempts(durable: Start, attempts: Attempts, call: Call) -> None:
    """A call whose answer was lost is repeated without effect."""
    attempts.lose_answers(*call)
    second_attempt(durable, attempts, "eventbridge")


@WHEN
@pytest.mark.parametrize("call", BETWEEN_LAUNCHES)
def test_death_between_launches(
    aws: Aws, durable: Start, attempts: Attempts, call: Call, *, after: bool
) -> None:
    """A function that dies between two launches asks again for no more than one task."""
    aws.refuse(CAPACITY)
    attempts.die(*call, after=after)
    execution = durable(mortal()(WAITING["eventbridge"]), {})
    task = attempts.end(1, SUCCESS)
    result = execution.result()
    assert (result["attempt"], result["taskArn"]) == (1, task)
    assert attempts.faults == 1
    assert aws.tasks() == [task]
    assert aws.record().launch == 2


@pytest.mark.parametrize("call", BETWEEN_LAUNCHES)
def test_lost_answer_between_launches(
    aws: Aws, durable: Start, attempts: Attempts, call: Call
) -> None:
    """A refusal or a write whose answer was lost is asked for again, with the same result."""
    aws.refuse(CAPACITY)
    attempts.lose_answers(*call)
    execution = durable(WAITING["eventbridge"], {})
    task = attempts.end(1, SUCCESS)
    assert execution.result()["taskArn"] == task
    assert aws.tasks() == [task]
    assert aws.record().launch == 2
