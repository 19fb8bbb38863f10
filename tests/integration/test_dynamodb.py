from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from aws_durable_execution_sdk_python_testing.runner import StepOperation
from botocore.exceptions import ClientError

from core.record import Status
from orchestrator.dynamodb import handler
from tests.integration.attempts import CAPACITY
from tests.integration.aws import throttled

if TYPE_CHECKING:
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines, Start


def test_returns_at_once(aws: Aws, durable: Start) -> None:
    """The execution ends while the task still runs, with what finds its record."""
    execution = durable(handler, {})
    result = execution.result()
    record = aws.record()
    assert result == {
        "executionId": record.execution_id,
        "taskArn": record.task_arn,
        "flow": "dynamodb",
        "attempt": 1,
        "status": "RUNNING",
    }
    assert (record.status, record.is_open) == (Status.RUNNING, True)
    assert 1 + len(execution.ended.get_all_operations()) == 4


def test_log_lines(aws: Aws, durable: Start, lines: Lines) -> None:
    """Each line that a user expects is logged once."""
    durable(handler, {}).result()
    assert lines.messages == ["Task starting", "Record created", "Task started", "Returning"]
    assert vars(lines.records[1])["executionId"] == aws.record().execution_id


def test_log_lines_of_replays(aws: Aws, durable: Start, lines: Lines) -> None:
    """Each line stands once, although every wait for room replays the handler."""
    aws.refuse(CAPACITY, CAPACITY)
    durable(handler, {}).result()
    again = ["Launching again"] * 2
    assert lines.messages == [
        *("Task starting", "Record created", *again, "Task started", "Returning")
    ]


def test_result_before_the_second_launch(aws: Aws, durable: Start) -> None:
    """A result that is there before the launch is known stays out of the step that reads it."""
    large = "x" * 100_000

    def report() -> None:
        if not aws.record().result:
            aws.rewrite("SET #status = :done, #result = :result", done="COMPLETED", result=large)

    aws.at("ecs.RunTask", report)
    # All tries of the first launch's step: nobody knows whether it took effect.
    aws.answer_with("ecs.RunTask", *throttled(3))
    execution = durable(handler, {})
    assert execution.result()["status"] == "RUNNING"
    steps = [o for o in execution.ended.operations if o.name == "create-record"]
    assert len(steps) == 2
    assert all(isinstance(o, StepOperation) and large not in (o.result or "") for o in steps)
    assert aws.record().result == large


def test_worker_faster_than_the_launch(aws: Aws, durable: Start) -> None:
    """A worker that reports before its ARN is stored keeps its COMPLETED and its result."""

    def report(**_: object) -> None:
        aws.rewrite("SET #status = :done, #result = :result", done="COMPLETED", result='"r"')

    aws.at("ecs.RunTask", report, after=True)
    task_arn = durable(handler, {}).result()["taskArn"]
    record = aws.record()
    assert (record.status, record.result, record.task_arn) == (Status.COMPLETED, '"r"', task_arn)
    assert "StopTask" not in aws.calls


@pytest.mark.parametrize(
    ("written", "exit_code", "status"),
    [
        (None, 0, Status.COMPLETED),
        (None, 137, Status.FAILED),
        ("COMPLETED", 0, Status.COMPLETED),
        ("COMPLETED", 1, Status.COMPLETED),
        ("FAILED", 0, Status.FAILED),
        ("FAILED", 3, Status.FAILED),
    ],
)
def test_close(
    aws: Aws, durable: Start, written: str | None, exit_code: int, status: Status
) -> None:
    """The end of the task closes the record with the worker's status, else with the task's end."""
    durable(handler, {}).result()
    if written:
        aws.rewrite("SET #status = :written", written=written)
    aws.exit(exit_code)
    assert aws.report() == {"done": f"record closed {status}"}
    record = aws.record()
    assert (record.status, record.is_open) == (status, False)
    assert record.last_outcome is not None
    assert record.last_outcome["exitCode"] == exit_code
    assert record.expires_at is not None


def test_dead_worker(aws: Aws, durable: Start) -> None:
    """A killed worker's record is FAILED and names kind, exit code and advice."""
    durable(handler, {}).result()
    aws.exit(137)
    aws.report()
    error = aws.record().error
    assert error is not None
    assert (error["kind"], error["exitCode"]) == ("ApplicationFailed", 137)
    assert "SIGKILL" in error["advice"]


def test_error_of_the_worker_is_kept(aws: Aws, durable: Start) -> None:
    """The worker's own words about its failure are kept, and completed by ECS's."""
    durable(handler, {}).result()
    written = {"kind": "ApplicationFailed", "summary": "ValueError: bad row 17"}
    aws.rewrite("SET #status = :failed, #error = :error", failed="FAILED", error=written)
    aws.exit(1)
    aws.report()
    error = dict(aws.record().error or {})
    assert written.items() <= error.items()
    assert (error["exitCode"], error["logStream"].partition("/")[0]) == (1, "worker")


@pytest.mark.parametrize("written", [{"summary": "disk full"}, {}, None])
def test_failure_that_exits_well(
    aws: Aws, durable: Start, lines: Lines, written: dict[str, str] | None
) -> None:
    """A container that reports a failure and exits with 0 has failed, with evidence and advice."""
    durable(handler, {}).result()
    aws.rewrite("SET #status = :failed, #error = :error", failed="FAILED", error=written)
    aws.exit(0)
    aws.report()
    error = dict(aws.record().error or {})
    assert (error["kind"], error["exitCode"]) == ("ApplicationFailed", 0)
    assert (written or {}).items() <= error.items()
    assert error["logStream"]
    [told] = [vars(line)["error"] for line in lines.records if line.getMessage() == "Task failed"]
    assert error.items() <= told.items()


@pytest.mark.parametrize(("status", "code"), [("COMPLETED", 0), ("RUNNING", 0), ("RUNNING", 3)])
def test_no_room_for_the_end(
    aws: Aws, durable: Start, lines: Lines, status: str, code: int
) -> None:
    """A record that its container has filled up is closed as a failure that says why."""
    durable(handler, {}).result()
    for size in range(410_000, 400_000, -100):
        with suppress(ClientError):
            aws.rewrite("SET #result = :big, #status = :status", big="x" * size, status=status)
            break
    aws.exit(code)
    aws.report()
    record = aws.record()
    assert (record.status, record.is_open, record.result) == (Status.FAILED, False, "null")
    error = dict(record.error or {})
    assert (error["kind"], error["exitCode"]) == ("ApplicationFailed", code)
    assert ("container in task exited" if code else "leave no room") in error["detail"]
    assert lines.messages.count("Task failed") == 1


def test_error_in_words_is_kept(aws: Aws, durable: Start) -> None:
    """An error that an image of the user's own has written as text is kept as the summary."""
    durable(handler, {}).result()
    aws.rewrite("SET #status = :status, #error = :error", status="FAILED", error="disk full")
    aws.exit(3)
    assert aws.report() == {"done": "record closed FAILED"}
    record = aws.record()
    error = record.error or {}
    assert (error["kind"], error["summary"], error["exitCode"]) == (
        "ApplicationFailed",
        "disk full",
        3,
    )
    assert not record.is_open
