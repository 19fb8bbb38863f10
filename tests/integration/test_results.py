from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from aws_durable_execution_sdk_python_testing.runner import StepOperation
from botocore.exceptions import ClientError

from adapters.errors import AwsBusyError
from core.answer import MAX_ANSWER_BYTES
from core.record import Status
from orchestrator import dynamodb, polling
from orchestrator.eventbridge import handler
from tests.integration.aws import error, throttled
from worker.report import MAX_RESULT_BYTES, encoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.aws import Aws
    from tests.integration.conftest import Start


def test_result_of_any_text(aws: Aws, durable: Start) -> None:
    """The largest result fits into a step, whatever it is made of."""
    worst = encoded('"' * (MAX_RESULT_BYTES // 2 - 1))
    execution = durable(handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result=worst)
    aws.exit(0)
    execution.time_out(record)
    assert execution.result()["result"] == json.loads(worst)
    [close] = [o for o in execution.ended.operations if o.name == "close-record"]
    assert isinstance(close, StepOperation)
    assert 0 < len(close.result or "") <= 262_144


@pytest.mark.parametrize("has_event", [True, False])
def test_result_that_is_no_json(aws: Aws, durable: Start, has_event: bool) -> None:
    """A result that is no JSON is handed over as text, whether its task's event comes or not."""
    execution = durable(handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result="plain text")
    aws.exit(0)
    if has_event:
        assert aws.report() == {"done": "callback succeeded"}
    else:
        execution.time_out(record)
    assert execution.result()["result"] == "plain text"


def test_result_that_is_no_text(aws: Aws, durable: Start) -> None:
    """A result that was stored as DynamoDB's own types is handed over as JSON."""
    execution = durable(handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result={"rows": [1, 2]})
    aws.exit(0)
    assert aws.report() == {"done": "callback succeeded"}
    assert execution.result()["result"] == {"rows": [1, 2]}


@pytest.mark.parametrize("flow", [dynamodb.handler, handler], ids=["dynamodb", "eventbridge"])
def test_result_without_room_for_the_task(
    aws: Aws, durable: Start, flow: Callable[..., Any]
) -> None:
    """A result that leaves no room for its task's ARN is emptied, and its work no success."""

    def fill() -> None:
        # Whatever else is in the item, it is full to some fifty bytes.
        for length in range(409_600, 400_000, -50):
            with suppress(ClientError):
                return aws.rewrite("SET #result = :result", result="x" * length)
        raise AssertionError("the item takes no result of this size")

    aws.at("dynamodb.UpdateItem", fill, 1)
    execution = durable(flow, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(0)
    aws.report()
    if flow is handler:
        assert "no room" in execution.error()[1]["detail"]
    record = aws.record()
    assert (record.status, record.result) == (Status.FAILED, None)
    assert "no room" in (record.error or {})["detail"]


def test_nothing_handed_over_to_polling(aws: Aws, durable: Start) -> None:
    """Polling: exit 0 of a container that wrote nothing is a success whose result is null."""
    aws.script(lambda: aws.exit(0))
    result = durable(polling.handler, {}).result()
    assert (result["outcome"], result["result"]) == ("Succeeded", None)
    record = aws.record()
    assert (record.status, record.is_open, record.result) == (Status.COMPLETED, False, None)


@pytest.mark.parametrize("has_event", [True, False])
def test_nothing_handed_over(aws: Aws, durable: Start, has_event: bool) -> None:
    """EventBridge: exit 0 of a container that wrote nothing is a success whose result is null."""
    execution = durable(handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(0)
    if has_event:
        assert aws.report() == {"done": "callback succeeded"}
    else:
        execution.time_out(record)
    result = execution.result()
    assert (result["outcome"], result["result"]) == ("Succeeded", None)
    stored = aws.record()
    assert (stored.status, stored.is_open, stored.result) == (Status.COMPLETED, False, None)


def test_nothing_handed_over_to_nobody(aws: Aws, durable: Start) -> None:
    """DynamoDB: exit 0 of a container that wrote nothing completes a record without a result."""
    durable(dynamodb.handler, {}).result()
    aws.exit(0)
    assert aws.report() == {"done": "record closed COMPLETED"}
    record = aws.record()
    assert (record.status, record.is_open, record.result) == (Status.COMPLETED, False, None)


def test_result_of_a_record_that_cannot_be_closed(aws: Aws, durable: Start) -> None:
    """A success whose record cannot be closed is no success: null would look like a result."""
    execution = durable(handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result='"done"')
    aws.exit(0)
    aws.answer_with("dynamodb.UpdateItem", error("AccessDeniedException"))
    execution.time_out(record)
    _, data = execution.error()
    assert (data["kind"], data["exitCode"]) == ("Missing", 0)
    assert data["detail"].startswith("The task succeeded, but its record")


def test_result_too_large(aws: Aws, durable: Start) -> None:
    """A result that no callback takes fails the execution at once, with its size."""
    execution = durable(handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result="x" * (MAX_ANSWER_BYTES + 1))
    aws.exit(0)
    assert aws.report() == {"done": "callback failed"}
    message, data = execution.error()
    assert "at most 262144" in message
    assert (data["kind"], data["exitCode"]) == ("ApplicationFailed", 0)
    assert (aws.record().status, aws.record().is_open) == (Status.FAILED, False)


def test_result_too_large_without_an_event(aws: Aws, durable: Start) -> None:
    """A result too large is refused too if the end of its task was found without an event."""
    execution = durable(handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result="x" * (MAX_ANSWER_BYTES + 1))
    aws.exit(0)
    execution.time_out(record)
    _, data = execution.error()
    assert (data["kind"], data["exitCode"]) == ("ApplicationFailed", 0)
    assert (aws.record().status, aws.record().is_open) == (Status.FAILED, False)


def test_result_too_large_told_twice(aws: Aws, durable: Start) -> None:
    """An event that comes again after its write was lost still says why the execution failed."""
    execution = durable(handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result="x" * (MAX_ANSWER_BYTES + 1))
    aws.exit(0)
    # The report's write, and all ten tries of the orchestrator's closing step.
    aws.answer_with("dynamodb.UpdateItem", *throttled(11))
    with pytest.raises(AwsBusyError):
        aws.report()
    assert execution.error()[1]["kind"] == "ApplicationFailed"
    assert aws.record().is_open
    assert aws.report() == {"done": "execution is FAILED"}
    assert (aws.record().error or {})["kind"] == "ApplicationFailed"
