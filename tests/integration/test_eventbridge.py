from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest
from aws_durable_execution_sdk_python_testing.runner import StepOperation

from adapters.errors import AwsBusyError
from core.answer import MAX_ANSWER_BYTES
from core.record import Status
from orchestrator.eventbridge import handler
from tests.integration.aws import error, throttled
from worker.report import MAX_RESULT_BYTES, encoded

if TYPE_CHECKING:
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines, Start


def test_success(aws: Aws, durable: Start) -> None:
    """The event of exit 0 ends the execution with the worker's result, and closes the record."""
    execution = durable(handler, {"message": "hi"})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result='{"answer":42.5}')
    aws.exit(0)
    assert aws.report() == {"done": "callback succeeded"}
    result = execution.result()
    assert (result["outcome"], result["exitCode"]) == ("Succeeded", 0)
    assert result["result"] == {"answer": 42.5}
    record = aws.record()
    assert (record.status, record.is_open) == (Status.COMPLETED, False)


def test_operations(aws: Aws, durable: Start) -> None:
    """A success takes three durable operations: execution, callback, launch."""
    execution = durable(handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(0)
    aws.report()
    assert execution.operations() == 3


def test_failure(aws: Aws, durable: Start) -> None:
    """The event of a kill fails the execution with exit code 137, and the record with it."""
    execution = durable(handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(137)
    assert aws.report() == {"done": "callback failed"}
    message, data = execution.error()
    assert "137" in message
    assert (data["kind"], data["exitCode"], data["flow"]) == (
        "ApplicationFailed",
        137,
        "eventbridge",
    )
    assert data["taskArn"] == aws.record().task_arn
    assert (aws.record().status, aws.record().is_open) == (Status.FAILED, False)
    assert execution.operations() <= 5


def test_log_lines(aws: Aws, durable: Start, lines: Lines) -> None:
    """Each line that a user expects stands once, although the answer replays the handler."""
    execution = durable(handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(0)
    aws.report()
    execution.result()
    assert [message for message in lines.messages if message != "Task event"] == [
        "Task starting",
        "Record created",
        "Task started",
        "Waiting for the task to end",
        "Final result",
    ]


def test_early_event(aws: Aws, durable: Start) -> None:
    """An event delivered before RunTask has answered completes the execution."""
    done = []

    def end_at_once(**_: object) -> None:
        aws.exit(0)
        done.append(aws.report())

    aws.after("ecs.RunTask", end_at_once)
    assert durable(handler, {}).result()["outcome"] == "Succeeded"
    assert done == [{"done": "callback succeeded"}]
    assert "StopTask" not in aws.calls
    assert aws.record().status is Status.COMPLETED


def test_timeout_of_a_running_task(aws: Aws, durable: Start) -> None:
    """A callback that times out stops the task and fails the execution as TimedOut."""
    execution = durable(handler, {"processingTime": 0, "timeoutSeconds": 1})
    _, data = execution.error()
    assert (data["kind"], data["taskArn"]) == ("TimedOut", aws.record().task_arn)
    assert aws.calls["StopTask"][0]["reason"].startswith("durable-task/TimedOut")
    assert (aws.record().status, aws.record().is_open) == (Status.FAILED, False)


def test_timeout_of_an_ended_task(aws: Aws, durable: Start) -> None:
    """A callback that times out because its event was lost still ends as the task did."""
    execution = durable(handler, {"processingTime": 0, "timeoutSeconds": 2})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result='"done"')
    aws.exit(0)
    result = execution.result()
    assert (result["outcome"], result["result"]) == ("Succeeded", "done")
    assert "StopTask" not in aws.calls
    assert aws.record().status is Status.COMPLETED


def test_result_of_any_text(aws: Aws, durable: Start) -> None:
    """The largest result fits into a step, whatever it is made of."""
    worst = encoded('"' * (MAX_RESULT_BYTES // 2 - 1))
    execution = durable(handler, {"processingTime": 0, "timeoutSeconds": 2})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result=worst)
    aws.exit(0)
    assert execution.result()["result"] == json.loads(worst)
    [close] = [o for o in execution.ended.operations if o.name == "close-record"]
    assert isinstance(close, StepOperation)
    assert 0 < len(close.result or "") <= 262_144


def test_timeout_of_a_forgotten_task(aws: Aws, durable: Start) -> None:
    """A callback that times out over a task that ECS has forgotten ends as Missing."""
    execution = durable(handler, {"processingTime": 0, "timeoutSeconds": 1})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.forget()
    aws.answer_with("ecs.StopTask", error("InvalidParameterException", "task not found"))
    assert execution.error()[1]["kind"] == "Missing"
    assert (aws.record().status, aws.record().is_open) == (Status.FAILED, False)


def test_timeout_of_a_task_that_cannot_be_stopped(aws: Aws, durable: Start) -> None:
    """A late task that may not be stopped is told to be running still."""
    aws.answer_with("ecs.StopTask", error("AccessDeniedException"))
    _, data = durable(handler, {"processingTime": 0, "timeoutSeconds": 1}).error()
    assert data["kind"] == "TimedOut"
    assert "may still run" in data["detail"]


def test_answer_by_hand(aws: Aws, durable: Start) -> None:
    """A callback that a person answers stops the task: its end is not taken on trust."""
    execution = durable(handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    boto3.client("lambda").send_durable_execution_callback_success(
        CallbackId=record.callback_id, Result=json.dumps({"looks": "fine"})
    )
    _, data = execution.error()
    assert (data["kind"], data["detail"]) == ("Cancelled", "The callback was answered by hand")
    assert aws.calls["StopTask"]


def test_no_callback_id_in_the_log(
    aws: Aws, durable: Start, capsys: pytest.CaptureFixture[str], lines: Lines
) -> None:
    """No line of any function carries a callback id."""
    execution = durable(handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(1)
    aws.report()
    execution.error()
    printed = capsys.readouterr()
    told = printed.out + printed.err + "".join(repr(vars(line)) for line in lines.records)
    assert record.callback_id
    assert record.callback_id not in told


@pytest.mark.parametrize("has_event", [True, False])
def test_result_that_is_no_json(aws: Aws, durable: Start, has_event: bool) -> None:  # noqa: FBT001
    """A result that is no JSON is handed over as text, whether its task's event comes or not."""
    execution = durable(handler, {"processingTime": 0, "timeoutSeconds": 600 if has_event else 2})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result="plain text")
    aws.exit(0)
    if has_event:
        assert aws.report() == {"done": "callback succeeded"}
    assert execution.result()["result"] == "plain text"


def test_result_that_is_no_text(aws: Aws, durable: Start) -> None:
    """A result that was stored as DynamoDB's own types is handed over as JSON."""
    execution = durable(handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result={"rows": [1, 2]})
    aws.exit(0)
    assert aws.report() == {"done": "callback succeeded"}
    assert execution.result()["result"] == {"rows": [1, 2]}


def test_result_that_cannot_be_read(aws: Aws, durable: Start) -> None:
    """A success whose record cannot be reached is none without its result: null would be one."""
    execution = durable(handler, {"processingTime": 0, "timeoutSeconds": 2})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result='"done"')
    aws.exit(0)
    aws.answer_with("dynamodb.UpdateItem", error("AccessDeniedException"))
    _, data = execution.error()
    assert (data["kind"], data["exitCode"]) == ("Missing", 0)
    assert data["detail"].startswith("The task succeeded, and its result could not be read")


def test_result_too_large_without_an_event(aws: Aws, durable: Start) -> None:
    """Nor does it pass where the end of its task was found without an event."""
    execution = durable(handler, {"processingTime": 0, "timeoutSeconds": 2})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result="x" * (MAX_ANSWER_BYTES + 1))
    aws.exit(0)
    _, data = execution.error()
    assert (data["kind"], data["exitCode"]) == ("ApplicationFailed", 0)
    assert (aws.record().status, aws.record().is_open) == (Status.FAILED, False)


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


def test_longest_request(aws: Aws, durable: Start) -> None:
    """A message that only the tenth attempt's request has no room for is refused at once."""
    longest = "x" * 9_000
    for attempts in (10, 1):
        _, data = durable(handler, {"message": longest, "maxAttempts": attempts}).error()
        room = int(data["expected"].removeprefix("at most ").partition(" ")[0]) - len('""')
        if attempts == 10:
            of_ten = room
    # Its number has one digit more.
    assert room == of_ten + 1
    durable(handler, {"message": "x" * room, "maxAttempts": 10}).error()
    assert "RunTask" not in aws.calls
