from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from botocore.exceptions import EndpointConnectionError

from core.moment import timestamp
from core.record import Status
from orchestrator import dynamodb, eventbridge, polling
from tests.integration.aws import CLUSTER, ENVIRONMENT, STACK, error, hand, throttled

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines, Start

HANDLERS = pytest.mark.parametrize(
    "handler", [polling.handler, dynamodb.handler, eventbridge.handler], ids=["poll", "db", "eb"]
)
Handler: TypeAlias = "Callable[..., Any]"


@HANDLERS
def test_refused_by_capacity(aws: Aws, durable: Start, handler: Handler) -> None:
    """RunTask's lasting `failures[]` fail the execution with their reason, and close the record."""
    reason = "Capacity is unavailable at this time. Please try again later."
    aws.refuse(*[reason] * 10)
    message, data = durable(handler, {}).error()
    assert reason in message
    assert (data["kind"], data["transient"], data["taskArn"]) == ("FailedToStart", True, None)
    record = aws.record()
    assert (record.status, record.is_open) == (Status.FAILED, False)


@HANDLERS
def test_forbidden(aws: Aws, durable: Start, handler: Handler) -> None:
    """A RunTask that is forbidden is not tried again, and its error names AWS's code."""
    aws.answer_with("ecs.RunTask", error("AccessDeniedException"))
    _, data = durable(handler, {}).error()
    assert (data["kind"], data["transient"]) == ("FailedToStart", False)
    assert "AccessDeniedException" in data["detail"]
    assert len(aws.calls["RunTask"]) == 1


@HANDLERS
@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"processingTime": -1}, "processingTime"),
        ({"message": 5}, "message"),
        ({"message": "x" * 9_000}, "message"),
        ({"proccessingTime": 1}, "proccessingTime"),
        ([1], "payload"),
    ],
)
def test_bad_input(aws: Aws, durable: Start, handler: Handler, payload: object, field: str) -> None:
    """Bad input fails the execution by the field's name; there is no record and no task."""
    message, data = durable(handler, payload).error()
    assert message.startswith(f"{field}: expected ")
    assert data["field"] == field
    assert not aws.items()
    assert not aws.tasks()


def test_conflict_without_a_task(aws: Aws, durable: Start) -> None:
    """A request that differs from one that started no task is made again, with a new token."""
    aws.answer_with("ecs.RunTask", error("ConflictException", "differs", resourceIds=[]))
    result = durable(dynamodb.handler, {}).result()
    assert result["taskArn"] == aws.record().task_arn
    assert len({call["clientToken"] for call in aws.calls["RunTask"]}) == 2


def test_throttled_launch(aws: Aws, durable: Start, lines: Lines) -> None:
    """A throttled RunTask is repeated with the same token, and nothing is logged twice."""
    aws.answer_with("ecs.RunTask", *throttled(1))
    durable(dynamodb.handler, {}).result()
    tokens = [call["clientToken"] for call in aws.calls["RunTask"]]
    assert len(tokens) == 2
    assert len(set(tokens)) == 1
    assert lines.messages == [
        "Task starting",
        "Record created",
        "Task started",
        "Returning",
    ]


@pytest.mark.parametrize(
    "operation", ["dynamodb.PutItem", "dynamodb.UpdateItem"], ids=["create", "store"]
)
def test_lost_answer(
    aws: Aws, durable: Start, attempts: Attempts, lines: Lines, operation: str
) -> None:
    """A write that took effect but lost its answer is not a conflict with itself."""
    attempts.lose_answers(operation, 1)
    result = durable(dynamodb.handler, {}).result()
    assert result["taskArn"] == aws.record().task_arn
    assert aws.record().status is Status.RUNNING
    assert "StopTask" not in aws.calls
    assert "Returning" in lines.messages


def test_conflict(aws: Aws, durable: Start) -> None:
    """A token that already started a task gives that task, not a failure."""
    known = f"arn:aws:ecs:us-east-1:123456789012:task/{CLUSTER.rpartition('/')[2]}/known"
    aws.answer_with(
        "ecs.RunTask",
        error("ConflictException", "differs", resourceIds=[known]),
    )
    assert durable(dynamodb.handler, {}).result()["taskArn"] == known


def two_hours_older(item: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return DynamoDB's item with these moments put back."""
    moments = {name: datetime.fromisoformat(item[name]["S"]) for name in names}
    return item | {n: {"S": timestamp(m - timedelta(hours=2))} for n, m in moments.items()}


def test_cut_off_after_the_token_expired(aws: Aws, durable: Start) -> None:
    """A launch resumed long after finds its task by `startedBy` instead of starting a second."""
    started: list[str] = []

    def earlier_try(**_: object) -> None:
        if started:
            return
        (item,) = (call["Item"] for call in aws.calls["PutItem"])
        hand("dynamodb").put_item(
            TableName=ENVIRONMENT["TABLE_NAME"], Item=two_hours_older(item, "begunAt", "deadline")
        )
        started.append(aws.run_task(f"{STACK}/{item['executionId']['S']}/1"))

    aws.at("dynamodb.PutItem", earlier_try)
    task_arn = durable(dynamodb.handler, {}).result()["taskArn"]
    assert started == aws.tasks() == [task_arn]


def test_cut_off_until_ecs_forgot(aws: Aws, durable: Start) -> None:
    """A launch resumed after ECS may have forgotten its task starts no second one, and says why."""
    earlier: list[dict[str, Any]] = []

    def earlier_try(**_: object) -> None:
        if earlier:
            return
        (item,) = (call["Item"] for call in aws.calls["PutItem"])
        earlier.append(two_hours_older(item, "begunAt", "deadline", "updatedAt"))
        hand("dynamodb").put_item(TableName=ENVIRONMENT["TABLE_NAME"], Item=earlier[0])

    aws.at("dynamodb.PutItem", earlier_try)
    message, data = durable(polling.handler, {}).error()
    assert "not known" in message
    assert (data["kind"], data["taskArn"]) == ("Missing", None)
    assert earlier[0]["updatedAt"]["S"] in data["detail"]
    assert not aws.tasks()
    assert aws.record().status is Status.FAILED


def test_record_of_another_execution(aws: Aws, durable: Start) -> None:
    """A record that another execution holds stops the launch and stays as it is."""
    durable(dynamodb.handler, {}).result()
    before = aws.item() | {"executionArn": "arn:other"}
    aws.rewrite("SET executionArn = :other", other="arn:other")
    _, data = durable(dynamodb.handler, {}).error()
    assert "belongs to another execution" in data["detail"]
    assert aws.item() == before
    assert len(aws.tasks()) == 1


def test_record_closed_during_the_launch(aws: Aws, durable: Start) -> None:
    """A task whose record was closed while it was being started is stopped again."""

    def close(**_: object) -> None:
        aws.rewrite("SET #status = :failed REMOVE #open", failed="FAILED")

    aws.at("ecs.RunTask", close)
    durable(dynamodb.handler, {}).result()
    (stop,) = aws.calls["StopTask"]
    assert stop["reason"].startswith("durable-task/Cancelled")


def test_request(aws: Aws, durable: Start) -> None:
    """RunTask carries the correlation, the token and the container's whole assignment."""
    durable(dynamodb.handler, {"message": "hi", "processingTime": 3}).result()
    (call,) = aws.calls["RunTask"]
    record, bucket = aws.record(), ENVIRONMENT["DATA_BUCKET"]
    assert call["startedBy"] == f"{STACK}/{record.execution_id}/1"
    (container,) = call["overrides"]["containerOverrides"]
    assert {pair["name"]: pair["value"] for pair in container["environment"]} == {
        "EXECUTION_ID": record.execution_id,
        "EXECUTION_FLOW": "dynamodb",
        "EXECUTION_ATTEMPT": "1",
        "MESSAGE": "hi",
        "PROCESSING_TIME": "3",
        "RECORD_TABLE": ENVIRONMENT["TABLE_NAME"],
        "EXECUTION_TICKET": record.ticket,
        "RESULT_URI": f"s3://{bucket}/results/{record.execution_id}/1-{record.ticket}/",
    }


def test_record_precedes_the_task(aws: Aws, durable: Start) -> None:
    """The record exists when RunTask is called, open and without a task."""
    seen = []
    aws.at("ecs.RunTask", lambda **_: seen.append(aws.record()))
    durable(dynamodb.handler, {}).result()
    assert [(r.status, r.is_open, r.task_arn) for r in seen] == [(Status.PENDING, True, None)]
    assert aws.tasks() == [aws.record().task_arn]


def test_cut_off_until_the_end_of_the_task(aws: Aws, durable: Start) -> None:
    """A launch that is resumed when its task has ended, and is forgotten, starts no other."""
    task_arn = f"arn:aws:ecs:us-east-1:123456789012:task/{CLUSTER.rpartition('/')[2]}/ended"

    def end_meanwhile(**_: object) -> None:
        # What an earlier try started has ended, and its event has closed the record.
        if "taskArn" not in aws.item():
            aws.rewrite(
                "SET #status = :done, #taskArn = :arn REMOVE #open", done="COMPLETED", arn=task_arn
            )

    aws.at("dynamodb.PutItem", end_meanwhile, after=True)
    assert durable(dynamodb.handler, {}).result()["taskArn"] == task_arn
    assert "RunTask" not in aws.calls
    assert not aws.tasks()


def test_late_launch(aws: Aws, durable: Start) -> None:
    """A launch that comes to its turn after the attempt's deadline starts no task."""
    aws.at(
        "dynamodb.PutItem",
        lambda: aws.rewrite("SET #deadline = :then", then="2026-01-01T00:00:00.000Z"),
        after=True,
    )
    _, data = durable(dynamodb.handler, {}).error()
    assert (data["kind"], data["transient"]) == ("FailedToStart", False)
    assert "2026-01-01" in data["detail"]
    assert not aws.tasks()
    assert not aws.record().is_open


def test_task_that_cannot_be_recorded(aws: Aws, durable: Start, lines: Lines) -> None:
    """A DynamoDB task whose ARN could not be stored goes on, and its end is reported."""
    aws.answer_with("dynamodb.UpdateItem", *throttled(10))
    result = durable(dynamodb.handler, {}).result()
    assert result["status"] == "RUNNING"
    assert "Task not recorded" in lines.messages
    assert (aws.record().task_arn, aws.record().is_open) == (None, True)
    aws.exit(0)
    assert aws.report() == {"done": "record closed COMPLETED"}
    assert aws.record().task_arn == result["taskArn"]


@pytest.mark.parametrize("handler", [polling.handler, dynamodb.handler], ids=["poll", "db"])
def test_no_connection(aws: Aws, durable: Start, handler: Handler) -> None:
    """A launch is repeated while ECS cannot be reached, and starts one task."""
    down = iter([True] * 2)

    def unreachable(**_: object) -> None:
        if next(down, False):
            raise EndpointConnectionError(endpoint_url="https://127.0.0.1")

    aws.at("ecs.RunTask", unreachable)
    aws.script(lambda: aws.exit(0))
    durable(handler, {}).result()
    assert len(aws.tasks()) == 1
