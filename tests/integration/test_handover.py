"""Results of tasks that ECS never showed as ended in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_durable_execution_sdk_python_testing.runner import StepOperation

from core.answer import MAX_ANSWER_BYTES
from core.handover import IN_RECORD, IN_RESULT
from core.record import Status
from orchestrator import polling
from orchestrator.eventbridge import handler
from tests.integration.attempts import SPOT, mortal
from worker.report import MAX_RESULT_BYTES, encoded

if TYPE_CHECKING:
    from core.record import Record
    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Durable, Lines, Start


def running(aws: Aws) -> Record:
    """Let the only task run; return its record."""
    aws.wait_for_record(lambda record: record.task_arn)
    aws.task().advance("RUNNING")
    return aws.record()


def hand_over(aws: Aws, result: object) -> None:
    """Write a result as a worker does whose task then hangs."""
    aws.rewrite("SET #result = :result", result=result)


def late(aws: Aws, execution: Durable, result: object = None) -> dict[str, Any]:
    """Let the execution's wait be over; return its error's data."""
    record = running(aws)
    if result is not None:
        hand_over(aws, result)
    execution.time_out(record)
    return execution.error()[1]


def test_timeout(aws: Aws, durable: Start, lines: Lines) -> None:
    """A timeout after the work was handed over has the result in error, record and log line."""
    execution = durable(handler, {})
    data = late(aws, execution, '{"answer":42.5}')
    assert (data["kind"], data["result"]) == ("TimedOut", {"answer": 42.5})
    assert data["detail"] == IN_RESULT
    assert IN_RESULT in execution.error()[0]
    record = aws.record()
    assert (record.status, record.is_open, record.result) == (
        Status.FAILED,
        False,
        '{"answer":42.5}',
    )
    assert (record.error or {})["detail"] == IN_RESULT
    [line] = [r for r in lines.records if r.getMessage() == "Task failed"]
    assert line.__dict__["error"] == data


def test_timeout_without_a_result(aws: Aws, durable: Start) -> None:
    """A timeout whose container has handed nothing over has no result in its error."""
    data = late(aws, durable(handler, {}))
    assert (data["kind"], data["detail"]) == ("TimedOut", "")
    assert "result" not in data


@pytest.mark.parametrize(
    ("written", "result"),
    [("plain text", "plain text"), ({"rows": [1, 2]}, {"rows": [1, 2]}), (0, 0), ("{", "{")],
    ids=str,
)
def test_any_value(aws: Aws, durable: Start, written: object, result: object) -> None:
    """A result of any form is handed over."""
    assert late(aws, durable(handler, {}), written)["result"] == result


def test_stopped_by_the_reconciler(aws: Aws, durable: Start) -> None:
    """A late task that the reconciler has stopped hands its result over by its event."""
    execution = durable(handler, {})
    running(aws)
    hand_over(aws, '"done"')
    aws.task().stop("durable-task/TimedOut: The deadline was today")
    assert aws.report() == {"done": "callback failed"}
    _, data = execution.error()
    assert (data["kind"], data["result"]) == ("TimedOut", "done")
    assert data["detail"].endswith(IN_RESULT)
    error = aws.record().error or {}
    assert (error["detail"], aws.record().result) == (data["detail"], '"done"')


@pytest.mark.parametrize("character", ["x", '"'])
def test_largest_result_of_a_worker(aws: Aws, durable: Start, character: str) -> None:
    """The largest result that a worker hands over fits into error and step, or is not in them."""
    size = MAX_RESULT_BYTES if character == "x" else MAX_RESULT_BYTES // 2
    execution = durable(handler, {})
    data = late(aws, execution, encoded(character * (size - 2)))
    assert data["result"] == character * (size - 2)
    assert len((execution.ended.error and execution.ended.error.data) or "") <= MAX_ANSWER_BYTES
    [close] = [o for o in execution.ended.operations if o.name == "close-record"]
    assert isinstance(close, StepOperation)
    assert 0 < len(close.result or "") <= MAX_ANSWER_BYTES


def test_result_too_large(aws: Aws, durable: Start) -> None:
    """A result that no error holds stays in the record, and the detail says that it is there."""
    written = "x" * MAX_ANSWER_BYTES
    data = late(aws, durable(handler, {}), written)
    assert (data["kind"], data["detail"]) == ("TimedOut", IN_RECORD)
    assert "result" not in data
    record = aws.record()
    assert (record.is_open, record.result) == (False, written)
    assert (record.error or {})["detail"] == IN_RECORD


def test_attempt_before(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """A result that an earlier attempt has handed over is in no later attempt's error."""
    execution = durable(handler, {"maxAttempts": 2})
    attempts.end(1, SPOT, '"of the first"')
    aws.task(attempts.task(2)).advance("RUNNING")
    execution.time_out(aws.record())
    _, data = execution.error()
    assert (data["kind"], data["attempt"]) == ("TimedOut", 2)
    assert "result" not in data
    assert "result" not in aws.item()


def test_polling_takes_none(
    aws: Aws, durable: Start, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flow that takes no result hands none over, whoever has written one into the record."""
    attempts.share_clock(monkeypatch)
    execution = durable(polling.handler, {"processingTime": 0, "timeoutSeconds": 60})
    data = late(aws, execution, '"forged"')
    assert data["kind"] == "TimedOut"
    assert "result" not in data
    assert data["detail"] == ""


@pytest.mark.parametrize("after", [False, True])
def test_death_at_the_close(aws: Aws, durable: Start, attempts: Attempts, *, after: bool) -> None:
    """A function that dies at the close hands the same result over when it is run again."""
    # The first write stores the task.
    attempts.die("dynamodb.UpdateItem", 2, after=after)
    data = late(aws, durable(mortal()(handler), {}), '"done"')
    assert attempts.faults == 1
    assert (data["result"], data["detail"]) == ("done", IN_RESULT)
    assert (aws.record().error or {})["detail"] == IN_RESULT


def test_result_of_this_moment(aws: Aws, durable: Start) -> None:
    """A result that is handed over while the record is closed is in the error and its detail."""
    execution = durable(handler, {})
    record = running(aws)
    results = ['"just now"']

    def work() -> None:
        if results:
            hand_over(aws, results.pop())

    aws.at("dynamodb.UpdateItem", work)
    execution.time_out(record)
    _, data = execution.error()
    assert (data["result"], data["detail"]) == ("just now", IN_RESULT)
    assert (aws.record().error or {})["detail"] == IN_RESULT
    assert not aws.record().is_open


def test_result_that_is_none(aws: Aws, durable: Start) -> None:
    """A container that has written DynamoDB's NULL keeps no record open."""
    execution = durable(handler, {})
    record = running(aws)
    aws.rewrite("SET #result = :result", result=None)
    execution.time_out(record)
    assert "result" not in execution.error()[1]
    assert not aws.record().is_open
