from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3

from core.record import Status
from orchestrator.eventbridge import handler
from tests.integration.aws import error

if TYPE_CHECKING:
    import pytest

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
    assert 1 + len(execution.ended.get_all_operations()) == 3


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
    assert 1 + len(execution.ended.get_all_operations()) <= 5


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

    aws.at("ecs.RunTask", end_at_once, after=True)
    assert durable(handler, {}).result()["outcome"] == "Succeeded"
    assert done == [{"done": "callback succeeded"}]
    assert "StopTask" not in aws.calls
    assert aws.record().status is Status.COMPLETED


def test_timeout_of_a_running_task(aws: Aws, durable: Start) -> None:
    """A callback that times out stops the task and fails the execution as TimedOut."""
    execution = durable(handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    aws.task().advance("RUNNING")
    execution.time_out(record)
    _, data = execution.error()
    assert (data["kind"], data["taskArn"]) == ("TimedOut", aws.record().task_arn)
    assert aws.calls["StopTask"][0]["reason"].startswith("durable-task/TimedOut")
    assert (aws.record().status, aws.record().is_open) == (Status.FAILED, False)


def test_timeout_of_an_ended_task(aws: Aws, durable: Start) -> None:
    """A callback that times out because its event was lost still ends as the task did."""
    execution = durable(handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    aws.rewrite("SET #result = :result", result='"done"')
    aws.exit(0)
    execution.time_out(record)
    result = execution.result()
    assert (result["outcome"], result["result"]) == ("Succeeded", "done")
    assert "StopTask" not in aws.calls
    assert aws.record().status is Status.COMPLETED


def test_timeout_of_a_forgotten_task(aws: Aws, durable: Start) -> None:
    """A callback that times out over a task that ECS has forgotten ends as Missing."""
    execution = durable(handler, {})
    record = aws.wait_for_record(lambda record: record.task_arn)
    aws.forget()
    execution.time_out(record)
    assert execution.error()[1]["kind"] == "Missing"
    assert (aws.record().status, aws.record().is_open) == (Status.FAILED, False)


def test_timeout_of_a_task_that_cannot_be_stopped(aws: Aws, durable: Start) -> None:
    """A late task that may not be stopped is reported as still running."""
    aws.answer_with("ecs.StopTask", error("AccessDeniedException"))
    execution = durable(handler, {})
    execution.time_out(aws.wait_for_record(lambda record: record.task_arn))
    _, data = execution.error()
    assert data["kind"] == "TimedOut"
    assert "may still run" in data["detail"]


def test_answer_by_hand(aws: Aws, durable: Start) -> None:
    """A callback that a person answers stops the task: the answer is not believed."""
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
    output = printed.out + printed.err + "".join(repr(vars(line)) for line in lines.records)
    assert record.callback_id
    assert record.callback_id not in output


def test_longest_request(aws: Aws, durable: Start) -> None:
    """A message that only the tenth attempt's request has no room for is refused at once."""
    longest = "x" * 9_000
    for attempts in (10, 1):
        _, data = durable(handler, {"message": longest, "maxAttempts": attempts}).error()
        room = int(data["expected"].removeprefix("at most ").partition(" ")[0]) - len('""')
        if attempts == 10:
            of_ten = room
    # Its number has one digit more, and stands in RESULT_URI too.
    assert room == of_ten + 2
    durable(handler, {"message": "x" * room, "maxAttempts": 10}).error()
    assert "RunTask" not in aws.calls
