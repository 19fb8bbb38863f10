from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.record import Status
from orchestrator import eventbridge
from tests.field import CASES, Case
from tests.integration.attempts import WAITING
from tests.integration.aws import PromptTask

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.ecs.state import TaskState
    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Start

    Handler = Callable[..., Any]

FLOWS = pytest.mark.parametrize("handler", WAITING.values(), ids=WAITING)
DONE = {name: case for name, case in CASES.items() if case.succeeded}
FAILED = {name: case for name, case in CASES.items() if not case.succeeded}


def end_each(attempts: Attempts, case: Case, result: str | None = None) -> None:
    """Let as many tasks as should be started end as the case's did."""

    def come_to(task: TaskState) -> None:
        assert isinstance(task, PromptTask)
        task.come_to(case.task)

    for attempt in range(1, case.tasks + 1):
        attempts.end(attempt, come_to, result)


@FLOWS
@pytest.mark.parametrize("case", DONE.values(), ids=list(DONE))
def test_work_that_is_done(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler, case: Case
) -> None:
    """Finished work runs once, and what it has handed over is returned."""
    execution = durable(handler, {})
    is_handed_over = handler is eventbridge.handler
    end_each(attempts, case, '{"answer": 42}' if is_handed_over else None)
    result = execution.result()
    assert (result["outcome"], result["attempt"]) == ("Succeeded", 1)
    assert result["result"] == ({"answer": 42} if is_handed_over else None)
    assert len(attempts.run_task_calls()) == 1
    assert (aws.record().status, aws.record().is_open) == (Status.COMPLETED, False)


@FLOWS
@pytest.mark.parametrize("case", FAILED.values(), ids=list(FAILED))
def test_failure(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler, case: Case
) -> None:
    """An execution whose tasks all end like this starts another one only where it may help."""
    execution = durable(handler, {})
    end_each(attempts, case)
    message, data = execution.error()
    assert (data["kind"], data["attempt"]) == (case.kind, case.tasks)
    assert len(attempts.run_task_calls()) == case.tasks
    assert [word for word in case.names if word not in data["advice"]] == []
    assert data["advice"] in message
    assert (aws.record().error or {})["advice"] == data["advice"]


def test_result_without_an_end(aws: Aws, durable: Start) -> None:
    """A result whose task ECS never showed as ended is handed over in the timeout's error."""
    execution = durable(eventbridge.handler, {"processingTime": 0, "timeoutSeconds": 3})
    record = aws.wait_for_record(lambda record: record.task_arn)
    aws.task().advance("RUNNING")
    aws.rewrite("SET #result = :result", result='{"answer": 42}')
    execution.time_out(record)
    message, data = execution.error()
    assert (data["kind"], data["result"]) == ("TimedOut", {"answer": 42})
    assert "result" in data["detail"]
    assert data["detail"] in message
