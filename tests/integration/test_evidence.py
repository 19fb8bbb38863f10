from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from adapters.clients import client
from adapters.settings import Settings
from orchestrator import dynamodb, polling
from tests.integration.aws import ENVIRONMENT, hand

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines, Start


_EVIDENCE = {
    *("kind", "exitCode", "detail", "taskArn", "attempt", "advice"),
    *("logGroup", "logStream", "consoleLink", "logTail"),
}


def log(aws: Aws, count: int) -> None:
    """Let the only task's container have logged so many lines."""
    logs, group = hand("logs"), ENVIRONMENT["TASK_LOG_GROUP"]
    [arn] = aws.tasks()
    prefix, container = ENVIRONMENT["TASK_LOG_PREFIX"], ENVIRONMENT["CONTAINER_NAME"]
    stream = f"{prefix}/{container}/{arn.rpartition('/')[2]}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int(time.time() * 1000)
    events = [{"timestamp": now + n, "message": f"line {n}"} for n in range(count)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def fail(aws: Aws) -> None:
    """Let the only task log and exit with 3."""
    log(aws, 30)
    aws.exit(3)


def test_execution_tells(aws: Aws, durable: Start, lines: Lines) -> None:
    """The execution's error, its record and one log line carry the container's last lines."""
    aws.script(lambda: fail(aws))
    _, data = durable(polling.handler, {}).error()
    assert data["logTail"] == [f"line {n}" for n in range(10, 30)]
    assert data["logGroup"] == ENVIRONMENT["TASK_LOG_GROUP"]
    assert data["logStream"].endswith(data["taskArn"].rpartition("/")[2])
    assert data["taskArn"].rpartition("/")[2] in data["consoleLink"]
    error: dict[str, Any] = dict(aws.record().error or {})
    assert data["attempt"] == 1
    assert error == {name: data[name] for name in error}
    assert error.keys() >= _EVIDENCE
    [line] = [r for r in lines.records if r.getMessage() == "Task failed"]
    assert line.__dict__["error"] == data


def test_record_tells(aws: Aws, durable: Start, lines: Lines) -> None:
    """In the DynamoDB flow the record and the task-state function's line carry them."""
    durable(dynamodb.handler, {}).result()
    fail(aws)
    aws.report()
    error = dict(aws.record().error or {})
    assert error["logTail"][-1] == "line 29"
    assert error["kind"] == "ApplicationFailed"
    [line] = [r for r in lines.records if r.getMessage() == "Task failed"]
    assert error == {name: line.__dict__["error"][name] for name in error}
    assert error.keys() >= _EVIDENCE


def test_workers_words_stay(aws: Aws, durable: Start) -> None:
    """An error that the worker wrote keeps its summary and is completed by the evidence."""
    durable(dynamodb.handler, {}).result()
    written = {"kind": "ApplicationFailed", "summary": "ValueError: no"}
    aws.rewrite("SET #status = :status, #error = :error", status="FAILED", error=written)
    fail(aws)
    aws.report()
    error = dict(aws.record().error or {})
    assert error["summary"] == "ValueError: no"
    assert error["logTail"][-1] == "line 29"
    assert error["exitCode"] == 3


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_unreadable_log(aws: Aws, durable: Start, code: str) -> None:
    """Lines that cannot be read are no reason to fail: the error comes without them."""

    def refuse(**_: object) -> None:
        raise client("logs").exceptions.ClientError({"Error": {"Code": code}}, "GetLogEvents")

    aws.on("before-send", "logs.GetLogEvents", refuse)
    aws.script(lambda: aws.exit(3))
    _, data = durable(polling.handler, {}).error()
    assert (data["exitCode"], data["logTail"]) == (3, [])
    assert data["logStream"]


@pytest.mark.parametrize("handler", [dynamodb.handler, polling.handler])
def test_no_tail(
    aws: Aws, durable: Start, monkeypatch: pytest.MonkeyPatch, handler: Callable[..., Any]
) -> None:
    """With LogTail=no the container's log is not read, and the error has all but its lines."""
    monkeypatch.setenv("LOG_TAIL", "no")
    Settings.load.cache_clear()
    asked: list[None] = []
    aws.at("logs.GetLogEvents", lambda: asked.append(None))
    execution = durable(handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    fail(aws)
    aws.report()
    if handler is polling.handler:
        assert "logTail" not in execution.error()[1]
    else:
        execution.result()
    assert dict(aws.record().error or {}).keys() >= _EVIDENCE - {"logTail"}
    assert "logTail" not in (aws.record().error or {})
    assert not asked
