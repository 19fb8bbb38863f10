"""Results that containers have left in S3: their own places are handed on, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.data import result_prefix
from core.handover import IN_S3
from core.record import Record, Status
from orchestrator import dynamodb
from orchestrator.eventbridge import handler
from tests.integration.attempts import SPOT, SUCCESS
from tests.integration.aws import ENVIRONMENT

if TYPE_CHECKING:
    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines, Start

BUCKET = ENVIRONMENT["DATA_BUCKET"]


def own(record: Record) -> str:
    """Return a place of a result below the one that the present attempt's container is told."""
    prefix = result_prefix(BUCKET, record.execution_id, record.attempt, record.ticket or "")
    return f"{prefix}result.json"


def leave(aws: Aws, uri: object) -> None:
    """Write a result's place into the only record, as a worker does."""
    aws.rewrite("SET resultUri = :uri", uri=uri)


def running(aws: Aws) -> Record:
    """Wait for the only task to be recorded; return the record."""
    return aws.wait_for_record(lambda record: record.task_arn)


@pytest.mark.parametrize("has_event", [True, False])
def test_place(aws: Aws, durable: Start, has_event: bool) -> None:
    """EventBridge: a success has its result's address, whether its event comes or not."""
    execution = durable(handler, {})
    record = running(aws)
    leave(aws, own(record))
    aws.exit(0)
    reads = len(aws.calls.get("GetItem", ()))
    if has_event:
        assert aws.report() == {"done": "callback succeeded"}
        # The record is read once, as for any other end.
        assert len(aws.calls["GetItem"]) - reads == 1
    else:
        execution.time_out(record)
    result = execution.result()
    assert (result["result"], result["resultUri"]) == (None, own(record))
    item = aws.item()
    assert (item["status"], item["resultUri"]) == ("COMPLETED", own(record))
    if has_event:
        names = {operation.name for operation in execution.ended.get_all_operations()}
        assert names == {"task-end", "launch-task"}


def test_place_and_result(aws: Aws, durable: Start) -> None:
    """EventBridge: a result and an address of more are handed on side by side."""
    execution = durable(handler, {})
    record = running(aws)
    aws.rewrite("SET #result = :result, resultUri = :uri", result="7", uri=own(record))
    aws.exit(0)
    aws.report()
    result = execution.result()
    assert (result["result"], result["resultUri"]) == (7, own(record))


@pytest.mark.parametrize("has_event", [True, False])
@pytest.mark.parametrize("uri", ["s3://elsewhere/key", "", ["s3://x/y"], "x" * 300_000], ids=str)
def test_place_that_is_not_its_own(aws: Aws, durable: Start, uri: object, has_event: bool) -> None:
    """EventBridge: a success whose result lies elsewhere fails, whether its event comes or not."""
    execution = durable(handler, {})
    record = running(aws)
    leave(aws, uri)
    aws.exit(0)
    if has_event:
        assert aws.report() == {"done": "callback failed"}
    else:
        execution.time_out(record)
    message, data = execution.error()
    assert (data["kind"], data["exitCode"]) == ("ApplicationFailed", 0)
    assert "RESULT_URI" in message
    assert "resultUri" not in data
    assert (aws.record().status, aws.record().is_open) == (Status.FAILED, False)


@pytest.mark.parametrize("said", [None, Status.COMPLETED])
def test_place_for_nobody(aws: Aws, durable: Start, said: Status | None) -> None:
    """DynamoDB: the address of a result stays in the record."""
    durable(dynamodb.handler, {}).result()
    place = own(aws.record())
    leave(aws, place)
    if said:
        aws.rewrite("SET #status = :status", status=said)
    aws.exit(0)
    assert aws.report() == {"done": "record closed COMPLETED"}
    assert (aws.item()["resultUri"], aws.record().result_uri) == (place, place)


@pytest.mark.parametrize("said", [None, Status.COMPLETED])
def test_place_that_is_nobodys(aws: Aws, durable: Start, lines: Lines, said: Status | None) -> None:
    """DynamoDB: a record whose result lies elsewhere is FAILED, whatever its worker has said."""
    durable(dynamodb.handler, {}).result()
    leave(aws, own(aws.record()).replace("/1-", "/2-"))
    if said:
        aws.rewrite("SET #status = :status", status=said)
    aws.exit(0)
    assert aws.report() == {"done": "record closed FAILED"}
    error = aws.record().error or {}
    assert (error["kind"], error["exitCode"]) == ("ApplicationFailed", 0)
    assert "RESULT_URI" in error["detail"]
    assert lines.messages.count("Task failed") == 1


def test_attempt_before(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """An attempt's result address and progress are gone before the next attempt begins."""
    execution = durable(handler, {"maxAttempts": 2})
    attempts.task(1)
    first = own(aws.record())
    aws.rewrite("SET resultUri = :uri, progress = :p", uri=first, p={"percent": 99})
    attempts.end(1, SPOT)
    attempts.task(2)
    assert {"resultUri", "progress"}.isdisjoint(aws.item())
    second = own(aws.record())
    assert second != first
    leave(aws, second)
    attempts.end(2, SUCCESS)
    assert execution.result()["resultUri"] == second


def test_late_place_of_the_attempt_before(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """An address of an earlier attempt is never taken for the next one's."""
    execution = durable(handler, {"maxAttempts": 2})
    attempts.task(1)
    first = own(aws.record())
    attempts.end(1, SPOT)
    attempts.task(2)
    leave(aws, first)
    attempts.end(2, SUCCESS)
    _, data = execution.error()
    assert (data["kind"], data["attempt"]) == ("ApplicationFailed", 2)


def test_timeout(aws: Aws, durable: Start) -> None:
    """A timeout after a result was left in S3 has its address in error, record and detail."""
    execution = durable(handler, {})
    record = running(aws)
    aws.task().advance("RUNNING")
    leave(aws, own(record))
    execution.time_out(record)
    _, data = execution.error()
    assert (data["kind"], data["resultUri"], data["detail"]) == ("TimedOut", own(record), IN_S3)
    assert aws.item()["resultUri"] == own(record)


def test_place_of_this_moment(aws: Aws, durable: Start) -> None:
    """An address that is handed over while the record is closed is in the error and its detail."""
    execution = durable(handler, {})
    record = running(aws)
    aws.task().advance("RUNNING")
    places = [own(record)]

    def work() -> None:
        if places:
            leave(aws, places.pop())

    aws.at("dynamodb.UpdateItem", work)
    execution.time_out(record)
    _, data = execution.error()
    assert (data["resultUri"], data["detail"]) == (own(record), IN_S3)
    assert not aws.record().is_open
