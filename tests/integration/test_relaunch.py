from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from core.record import Status
from tests.integration.attempts import CAPACITY, SPOT, SUCCESS, WAITING
from tests.integration.aws import STACK, error, throttled

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines, Start

    Handler = Callable[..., Any]

FLOWS = pytest.mark.parametrize("handler", WAITING.values(), ids=WAITING)


@FLOWS
def test_no_room_at_first(aws: Aws, durable: Start, attempts: Attempts, handler: Handler) -> None:
    """A refused launch is repeated as a new one of the same attempt, after a durable wait."""
    aws.refuse(*[CAPACITY] * 2)
    execution = durable(handler, {"maxAttempts": 1})
    attempts.task(1)
    assert aws.record().launch == 3
    attempts.end(1, SUCCESS)
    assert execution.result()["attempt"] == 1
    calls = attempts.run_task_calls()
    assert {call["startedBy"] for call in calls} == {f"{STACK}/{aws.record().execution_id}/1"}
    assert len({call["clientToken"] for call in calls}) == 3
    waits = [o for o in execution.ended.operations if o.operation_type.value == "WAIT"]
    assert len(waits) == 2


@FLOWS
def test_launches_share_the_begin(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """The record keeps an attempt's begin and deadline, however often its task is launched."""
    aws.refuse(*[CAPACITY] * 2)
    execution = durable(handler, {"timeoutSeconds": 600})
    attempts.end(1, SUCCESS)
    execution.result()
    [(begun, deadline)] = {(item["begunAt"], item["deadline"]) for item in attempts.history}
    assert begun == aws.item()["createdAt"]
    span = datetime.fromisoformat(deadline) - datetime.fromisoformat(begun)
    assert span.total_seconds() == 600


@FLOWS
def test_no_room_at_all(aws: Aws, durable: Start, attempts: Attempts, handler: Handler) -> None:
    """Ten refusals fail the execution with their reason, and use up no second attempt."""
    aws.refuse(*[CAPACITY] * 30)
    _, data = durable(handler, {"maxAttempts": 3}).error()
    assert (data["kind"], data["detail"]) == ("FailedToStart", CAPACITY)
    assert (data["attempt"], data["taskArn"], data["transient"]) == (1, None, True)
    assert len(attempts.run_task_calls()) == 10
    record = aws.record()
    assert (record.status, record.is_open, record.launch) == (Status.FAILED, False, 10)


@FLOWS
def test_launches_end_with_the_timeout(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """Launches whose waits would outlast the attempt's timeout are not waited for."""
    aws.refuse(*[CAPACITY] * 30)
    _, data = durable(handler, {"processingTime": 0, "timeoutSeconds": 1}).error()
    assert data["kind"] == "FailedToStart"
    assert len(attempts.run_task_calls()) == 1


def test_launches_are_part_of_the_attempt(
    aws: Aws, durable: Start, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Launches and looks together take no longer than the attempt's timeout."""
    clock = attempts.share_clock(monkeypatch)
    moments: list[float] = []
    for operation in ("ecs.RunTask", "ecs.StopTask"):
        aws.at(operation, lambda: moments.append(clock()))
    aws.refuse(*[CAPACITY] * 9)
    aws.script(lambda: aws.task().advance("RUNNING"))
    _, data = durable(WAITING["polling"], {"timeoutSeconds": 3_000}).error()
    assert data["kind"] == "TimedOut"
    assert len(moments) == 11
    assert moments[-2] - moments[0] > 60
    assert 2_990 <= moments[-1] - moments[0] <= 3_010


@FLOWS
@pytest.mark.parametrize(
    "answer",
    [
        {"tasks": [], "failures": [{"reason": "Blocked", "detail": "account on hold"}]},
        error("ClusterNotFoundException"),
    ],
    ids=["failure", "error"],
)
def test_lasting_refusal(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler, answer: dict[str, Any]
) -> None:
    """A refusal that would come again is not asked for again."""
    aws.answer_with("ecs.RunTask", answer)
    _, data = durable(handler, {}).error()
    assert (data["kind"], data["transient"]) == ("FailedToStart", False)
    assert len(attempts.run_task_calls()) == 1


@FLOWS
def test_quota_told_by_an_error(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """A quota that ECS reports as an error, not in `failures[]`, costs time and no execution."""
    quota = "You've reached the limit on the number of vCPUs you can run concurrently"
    aws.answer_with("ecs.RunTask", error("ClientException", quota))
    execution = durable(handler, {})
    attempts.end(1, SUCCESS)
    assert execution.result()["attempt"] == 1
    assert len(aws.tasks()) == 1


@FLOWS
def test_every_launch_is_its_own(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """Each attempt has a `startedBy` of its own and each launch a client token of its own."""
    aws.refuse(CAPACITY)
    execution = durable(handler, {})
    attempts.end(1, SPOT)
    attempts.end(2, SUCCESS)
    assert execution.result()["attempt"] == 2
    calls = attempts.run_task_calls()
    key = f"{STACK}/{aws.record().execution_id}"
    assert [call["startedBy"] for call in calls] == [f"{key}/1", f"{key}/1", f"{key}/2"]
    assert len({call["clientToken"] for call in calls}) == 3
    environments = [call["overrides"]["containerOverrides"][0]["environment"] for call in calls]
    numbers = [pair["value"] for each in environments for pair in each if "ATTEMPT" in pair["name"]]
    assert numbers == ["1", "1", "2"]


def test_second_attempt_counts_its_launches_anew(
    aws: Aws, durable: Start, attempts: Attempts
) -> None:
    """A refusal in the second attempt is that attempt's first."""
    execution = durable(WAITING["eventbridge"], {})
    attempts.on("BACKOFF", lambda: aws.refuse(CAPACITY))
    attempts.end(1, SPOT)
    attempts.end(2, SUCCESS)
    assert execution.result()["attempt"] == 2
    assert aws.record().launch == 2


@FLOWS
def test_log_lines(
    aws: Aws, durable: Start, attempts: Attempts, lines: Lines, handler: Handler
) -> None:
    """Each refusal is logged once, although every wait replays the handler from its beginning."""
    aws.refuse(*[CAPACITY] * 3)
    execution = durable(handler, {})
    attempts.end(1, SUCCESS)
    execution.result()
    own = [line for line in lines.messages if not line.startswith(("Task status", "Task event"))]
    assert own == [
        *("Task starting", "Record created"),
        *["Launching again"] * 3,
        *("Task started", "Waiting for the task to end", "Final result"),
    ]
    relaunches = [vars(line)["relaunch"] for line in lines.records if "again" in line.getMessage()]
    assert [each["launch"] for each in relaunches] == [1, 2, 3]
    assert {each["reason"] for each in relaunches} == {CAPACITY}


@FLOWS
def test_answers_lost_for_good(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """A task that was started although no answer ever came is adopted, not doubled."""
    attempts.lose_answers("ecs.RunTask", *range(1, 11))
    execution = durable(handler, {})
    attempts.end(1, SUCCESS)
    assert execution.result()["attempt"] == 1
    assert len(aws.tasks()) == 1


@FLOWS
def test_task_that_could_not_be_recorded(
    aws: Aws, durable: Start, attempts: Attempts, lines: Lines, handler: Handler
) -> None:
    """A task whose ARN could not be stored is found again, neither doubled nor logged twice."""
    aws.answer_with("dynamodb.UpdateItem", *throttled(10))
    execution = durable(handler, {})
    attempts.end(1, SUCCESS)
    assert execution.result()["attempt"] == 1
    assert len(aws.tasks()) == 1
    assert lines.messages.count("Task started") == 1
