from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from adapters.clients import client
from adapters.settings import Settings
from core.evidence import MAX_BYTES
from core.flow import Flow
from orchestrator import dynamodb, eventbridge, polling
from tests.field import CASES
from tests.integration.aws import ENVIRONMENT, hand

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines, Start


_EVIDENCE = {
    *("kind", "exitCode", "detail", "taskArn", "attempt", "advice"),
    *("logGroup", "logStream", "consoleLink", "logTail"),
}
EACH_FLOW = pytest.mark.parametrize(
    "handler", [polling.handler, dynamodb.handler, eventbridge.handler], ids=list(Flow)
)


def log(
    aws: Aws, count: int, container: str = ENVIRONMENT["CONTAINER_NAME"], line: str = "line"
) -> None:
    """Let a container of the only task, the main one by default, have logged so many lines."""
    logs, group = hand("logs"), ENVIRONMENT["TASK_LOG_GROUP"]
    [arn] = aws.tasks()
    prefix = ENVIRONMENT["TASK_LOG_PREFIX"]
    stream = f"{prefix}/{container}/{arn.rpartition('/')[2]}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int(time.time() * 1000)
    events = [{"timestamp": now + n, "message": f"{line} {n}"} for n in range(count)]
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
    """The record and the task-state function's line carry the last lines in the DynamoDB flow."""
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


def end_by_watchdog(aws: Aws) -> None:
    """Let another container log and end the only task."""
    log(aws, 5)
    log(aws, 30, "watchdog", "bark")
    task = aws.task()
    task.come_to(CASES["a watchdog beside the work ended the task"].task)
    task.advance("STOPPED")


@EACH_FLOW
def test_other_container(aws: Aws, durable: Start, handler: Callable[..., Any]) -> None:
    """Error and record name the other container that ended the task, with its last lines."""
    execution = durable(handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    end_by_watchdog(aws)
    aws.report()
    if handler is dynamodb.handler:
        execution.result()
    else:
        _, data = execution.error()
        assert data.items() >= dict(aws.record().error or {}).items()
    error = dict(aws.record().error or {})
    assert error["endedBy"] == {"name": "watchdog", "exitCode": 1, "reason": ""}
    assert error["otherLogStream"] == error["logStream"].replace("/worker/", "/watchdog/")
    assert error["otherLogTail"] == [f"bark {n}" for n in range(10, 30)]
    assert error["logTail"] == [f"line {n}" for n in range(5)]


def test_other_container_of_a_long_line(aws: Aws, durable: Start) -> None:
    """Lines of two containers stay within the room of one, and each has its last ones."""
    execution = durable(polling.handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    for container in ("worker", "watchdog"):
        log(aws, 20, container, "\U0001f600" * 2_000)
    aws.task().come_to(CASES["a watchdog beside the work ended the task"].task)
    aws.task().advance("STOPPED")
    _, data = execution.error()
    tails = data["logTail"], data["otherLogTail"]
    assert all(tails)
    assert sum(len(line.encode()) for tail in tails for line in tail) <= MAX_BYTES


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_unreadable_log_of_the_other(aws: Aws, durable: Start, code: str) -> None:
    """Lines of another container that cannot be read are left out; its stream is named."""

    def refuse(params: dict[str, Any], **_: object) -> None:
        if "watchdog" in params["body"].decode():
            raise client("logs").exceptions.ClientError({"Error": {"Code": code}}, "GetLogEvents")

    aws.on("before-call", "logs.GetLogEvents", refuse)
    execution = durable(polling.handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    end_by_watchdog(aws)
    _, data = execution.error()
    assert (len(data["logTail"]), data["otherLogTail"]) == (5, [])
    assert "/watchdog/" in data["otherLogStream"]


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


def test_no_tail_of_the_other(aws: Aws, durable: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """With LogTail=no no other container's log is read either, and its stream is named."""
    monkeypatch.setenv("LOG_TAIL", "no")
    Settings.load.cache_clear()
    asked: list[None] = []
    aws.at("logs.GetLogEvents", lambda: asked.append(None))
    execution = durable(polling.handler, {})
    aws.wait_for_record(lambda record: record.task_arn)
    end_by_watchdog(aws)
    _, data = execution.error()
    assert "/watchdog/" in data["otherLogStream"]
    assert not data.keys() & {"logTail", "otherLogTail"}
    assert not asked


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
