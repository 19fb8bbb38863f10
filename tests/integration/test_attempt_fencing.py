from __future__ import annotations

import threading
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from adapters import telemetry
from core.record import Status
from orchestrator.execution import Execution
from tests.integration.attempts import APPLICATION, SPOT, SUCCESS, WAITING
from tests.integration.aws import ENVIRONMENT
from worker import report
from worker.assignment import Assignment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Start

    Handler = Callable[..., Any]

FLOWS = pytest.mark.parametrize("handler", WAITING.values(), ids=WAITING)


@FLOWS
def test_statuses(aws: Aws, durable: Start, attempts: Attempts, handler: Handler) -> None:
    """The record goes through both attempts in order, and ends with the second."""
    execution = durable(handler, {})
    attempts.end(1, SPOT)
    attempts.end(2, SUCCESS)
    execution.result()
    assert not aws.record().is_open
    assert attempts.statuses() == [
        ("PENDING", 1),
        ("RUNNING", 1),
        ("BACKOFF", 2),
        ("PENDING", 2),
        ("RUNNING", 2),
        ("COMPLETED", 2),
    ]


def test_nothing_of_the_first_attempt(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """The second attempt has task, callback, begin, deadline and result of its own, or none yet."""
    execution = durable(WAITING["eventbridge"], {})
    attempts.task(1)
    aws.rewrite("SET #error = :error", error="half done")
    lost = attempts.end(1, SPOT, result='"half"')
    found = attempts.end(2, SUCCESS, result='"whole"')
    assert execution.result()["result"] == "whole"
    by_status = {(item["status"], item["attempt"]): item for item in attempts.history}
    first, between = by_status["RUNNING", 1], by_status["BACKOFF", 2]
    begun, last = by_status["PENDING", 2], aws.item()
    assert first["callbackId"]
    assert not {"taskArn", "callbackId", "result", "error"} & between.keys()
    assert (between["launch"], between["lastOutcome"]["taskArn"]) == (0, lost)
    assert not {"taskArn", "result"} & begun.keys()
    assert begun["callbackId"] != first["callbackId"]
    assert begun["begunAt"] > first["begunAt"]
    assert begun["deadline"] > first["deadline"]
    assert (last["taskArn"], last["result"]) == (found, '"whole"')
    assert last["lastOutcome"]["kind"] == "Succeeded"
    assert "error" not in last


@FLOWS
def test_late_events(aws: Aws, durable: Start, attempts: Attempts, handler: Handler) -> None:
    """The first attempt's events, late or doubled, change nothing in the second."""
    execution = durable(handler, {})
    lost = attempts.end(1, SPOT)
    attempts.task(2)
    before = aws.item()
    told = aws.event(lost)
    success = {"stopCode": "EssentialContainerExited", "version": 7}
    [container] = told["detail"]["containers"]
    said = {**success, "containers": [{**container, "exitCode": 0}]}
    for changes in ({"version": 5}, {}, {}, said):
        event = {**told, "detail": {**told["detail"], **changes}}
        assert aws.deliver(event) == {"done": "ignored: stale attempt"}
    assert aws.item() == before
    attempts.end(2, APPLICATION)
    assert execution.error()[1]["exitCode"] == 3


@FLOWS
def test_event_between_attempts(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """An event of the first attempt that comes while the second is waited for changes nothing."""
    answers: list[dict[str, Any]] = []

    def deliver() -> None:
        before = aws.item()
        answers.append(aws.report())
        assert aws.item() == before

    attempts.on("BACKOFF", deliver)
    execution = durable(handler, {})
    attempts.end(1, SPOT)
    attempts.end(2, SUCCESS)
    assert execution.result()["attempt"] == 2
    assert answers == [{"done": "ignored: stale attempt"}]


def test_worker_of_the_first_attempt(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """A worker that outlives its attempt can write nothing into the next one."""
    report._table.cache_clear()  # noqa: SLF001 - a new account, a new client
    execution = durable(WAITING["eventbridge"], {})
    attempts.task(1)
    first = aws.record().ticket
    attempts.end(1, SPOT)
    attempts.task(2)
    before = aws.item()
    told = (before["executionId"], "eventbridge", 1, "hi", 0, ENVIRONMENT["TABLE_NAME"])
    old, new = (Assignment(*told, ticket) for ticket in (first, before["ticket"]))
    late = [
        partial(report.result, old, '"late"'),
        partial(report.failure, old, ValueError("late"), 1),
    ]
    for write in late:
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            write()
    assert aws.item() == before
    report.result(new, '"own"')
    attempts.end(2, SUCCESS)
    assert execution.result()["result"] == "own"


@FLOWS
def test_closed_between_attempts(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """A record that is closed between two attempts gets no second task, and ends as Cancelled."""
    attempts.on(
        "BACKOFF", lambda: aws.rewrite("SET #status = :failed REMOVE #open", failed="FAILED")
    )
    execution = durable(handler, {})
    attempts.end(1, SPOT)
    _, data = execution.error()
    assert (data["kind"], data["taskArn"]) == ("Cancelled", None)
    assert len(attempts.run_task_calls()) == 1
    assert aws.record().status is Status.FAILED


@FLOWS
def test_outdated_launch(aws: Aws, durable: Start, attempts: Attempts, handler: Handler) -> None:
    """The first attempt's launch, run again by an outdated invocation, leaves the second alone."""
    again: list[Any] = []

    def launch() -> None:
        own = SimpleNamespace(durable_execution_arn=aws.record().execution_arn)
        context: Any = SimpleNamespace(execution_context=own, set_logger=lambda _: None)
        outdated = Execution.begin({}, context, aws.record().flow)
        again.append((outdated.launch_task(telemetry.logger), aws.record().task_arn))

    attempts.on("BACKOFF", launch)
    execution = durable(handler, {})
    lost = attempts.end(1, SPOT)
    found = attempts.end(2, SUCCESS)
    assert execution.result()["taskArn"] == found != lost
    [(outcome, task_arn)] = again
    assert (outcome.kind, task_arn) == ("Cancelled", None)
    assert len(attempts.run_task_calls()) == 2


@FLOWS
def test_closed_before_the_next_attempt(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """A record that is closed when its task ends gets no further attempt, nor the old task."""
    aws.at(
        "dynamodb.UpdateItem",
        lambda: aws.rewrite("SET #status = :failed REMOVE #open", failed="FAILED"),
        2,
        spare=threading.current_thread(),
    )
    execution = durable(handler, {"processingTime": 0, "timeoutSeconds": 2})
    attempts.end(1, SPOT)
    _, data = execution.error()
    assert data["attempt"] == 1
    assert len(attempts.run_task_calls()) == 1


def test_forgotten_task_of_the_second_attempt(
    aws: Aws, durable: Start, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that ECS has forgotten did not end as the attempt before it did."""
    attempts.share_clock(monkeypatch)
    execution = durable(WAITING["polling"], {})
    attempts.end(1, SPOT)
    second = attempts.task(2)
    looks = aws.calls["DescribeTasks"]
    aws.wait(lambda: [look["tasks"] for look in looks].count([second]) > 1)
    aws.forget(second)
    _, data = execution.error()
    assert (data["kind"], data["taskArn"], data["attempt"]) == ("Missing", second, 2)
    assert len(attempts.run_task_calls()) == 2
