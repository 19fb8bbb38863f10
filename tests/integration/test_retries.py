from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from core.answer import Answer
from core.flow import Flow
from core.outcome import NOT_FETCHED, Missing
from core.outcome.kinds import MOMENTS
from core.record import Status
from local.ecs.state import TaskState
from orchestrator import dynamodb
from tests.integration.attempts import (
    APPLICATION,
    HOST,
    NO_IMAGE,
    NO_NETWORK,
    OUT_OF_MEMORY,
    SPOT,
    SUCCESS,
    WAITING,
    ran,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.attempts import Attempts, Ending
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines, Start

    Handler = Callable[..., Any]

FLOWS = pytest.mark.parametrize("handler", WAITING.values(), ids=WAITING)
EAGER = {"maxAttempts": 10, "retryOn": ["ApplicationFailed", "OutOfMemory"]}


@FLOWS
@pytest.mark.parametrize("loss", [SPOT, HOST, NO_NETWORK], ids=["Spot", "host", "start"])
def test_loss_then_success(
    durable: Start, attempts: Attempts, handler: Handler, loss: Ending
) -> None:
    """A task that its capacity took is replaced; number and task of the success are returned."""
    execution = durable(handler, {})
    lost = attempts.end(1, loss)
    found = attempts.end(2, SUCCESS)
    result = execution.result()
    assert lost != found
    assert (result["outcome"], result["attempt"], result["taskArn"]) == ("Succeeded", 2, found)
    assert len(attempts.run_task_calls()) == 2


@FLOWS
def test_two_failed_starts_then_success(
    durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """The default is three attempts: the third one's success is the execution's."""
    execution = durable(handler, {})
    attempts.end(1, NO_NETWORK)
    attempts.end(2, NO_NETWORK)
    found = attempts.end(3, SUCCESS)
    result = execution.result()
    assert (result["outcome"], result["attempt"], result["taskArn"]) == ("Succeeded", 3, found)


@FLOWS
def test_container_without_its_code(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """A container that could not fetch its code has not begun its work: another attempt follows."""
    execution = durable(handler, {})
    attempts.end(1, ran(TaskState.exit, NOT_FETCHED))
    found = attempts.end(2, SUCCESS)
    result = execution.result()
    assert (result["outcome"], result["attempt"], result["taskArn"]) == ("Succeeded", 2, found)
    record = aws.wait_for_record(lambda record: not record.is_open)
    assert [(entry["kind"], entry["exitCode"]) for entry in record.attempts] == [
        ("FailedToStart", NOT_FETCHED),
        ("Succeeded", 0),
    ]


@FLOWS
def test_container_that_never_gets_its_code(
    durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """A container that could not fetch its code in any attempt is reported as not started."""
    execution = durable(handler, {"maxAttempts": 2})
    for attempt in (1, 2):
        attempts.end(attempt, ran(TaskState.exit, NOT_FETCHED))
    message, data = execution.error()
    assert "did not get its code" in message
    told = (data["kind"], data["transient"], data["exitCode"], data["attempt"])
    assert told == ("FailedToStart", True, NOT_FETCHED, 2)
    assert len(attempts.run_task_calls()) == 2


@FLOWS
def test_what_is_kept_of_attempts(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler
) -> None:
    """The record keeps of each attempt how it ended, its task, and the task's times."""
    execution = durable(handler, {})
    tasks = [attempts.end(1, SPOT), attempts.end(2, NO_NETWORK), attempts.end(3, SUCCESS)]
    execution.result()
    told = [
        {"attempt": 1, "kind": "SpotInterrupted"},
        {"attempt": 2, "kind": "FailedToStart"},
        {"attempt": 3, "kind": "Succeeded", "exitCode": 0},
    ]
    record = aws.wait_for_record(lambda record: not record.is_open)
    learned = ("learnedBy", "learnedAt")
    kept = [{n: v for n, v in entry.items() if n not in learned} for entry in record.attempts]
    assert kept == [{**facts, **life(aws, task)} for facts, task in zip(told, tasks, strict=True)]
    by = "event" if record.flow.has_callback else "check"
    assert [entry["learnedBy"] for entry in record.attempts] == [by] * 3
    assert all(entry["learnedAt"] >= entry["stoppedAt"] for entry in record.attempts)


def life(aws: Aws, task: str) -> dict[str, Any]:
    """Return what ECS tells of a task beside how it ended, as a record keeps it."""
    detail = aws.event(task)["detail"]
    times = {name: detail[name] for name in MOMENTS.values() if name in detail}
    times["stoppedAt"] = detail.get("executionStoppedAt", detail["stoppedAt"])
    return {"taskArn": task, "capacity": "FARGATE", **times}


@FLOWS
@pytest.mark.parametrize("written", ["COMPLETED", "BACKOFF", "DONE"])
def test_status_that_a_container_wrote(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler, written: str
) -> None:
    """A status that a container writes without being asked to changes no end."""
    execution = durable(handler, {"maxAttempts": 2})
    for attempt, ending in enumerate([SPOT, APPLICATION], 1):
        attempts.task(attempt)
        aws.rewrite("SET #status = :status", status=written)
        attempts.end(attempt, ending)
    _, data = execution.error()
    assert (data["kind"], data["attempt"]) == ("ApplicationFailed", 2)
    record = aws.record()
    assert (record.status, record.is_open, record.attempt) == (Status.FAILED, False, 2)
    assert (record.error or {})["kind"] == "ApplicationFailed"


@FLOWS
@pytest.mark.parametrize("written", ["FAILED", "BACKOFF", "DONE"])
def test_success_of_a_container_that_wrote_its_status(
    aws: Aws, durable: Start, attempts: Attempts, handler: Handler, written: str
) -> None:
    """A status that a container wrote neither changes a success nor keeps the record open."""
    execution = durable(handler, {})
    attempts.task(1)
    aws.rewrite("SET #status = :status", status=written)
    attempts.end(1, SUCCESS)
    assert execution.result()["outcome"] == "Succeeded"
    record = aws.wait_for_record(lambda record: not record.is_open)
    assert (record.status, record.attempt) == (Status.COMPLETED, 1)


@FLOWS
def test_attempts_run_out(aws: Aws, durable: Start, attempts: Attempts, handler: Handler) -> None:
    """Without an attempt left the execution fails as its last one did, and so does the record."""
    execution = durable(handler, {"maxAttempts": 2})
    attempts.end(1, NO_NETWORK)
    last = attempts.end(2, SPOT)
    message, data = execution.error()
    assert "Spot" in message
    assert (data["kind"], data["taskArn"], data["attempt"]) == ("SpotInterrupted", last, 2)
    assert data["detail"] == "Your Spot Task was interrupted."
    record = aws.record()
    assert (record.status, record.is_open, record.attempt) == (Status.FAILED, False, 2)
    assert record.task_arn == last
    assert record.error is not None
    assert record.error["kind"] == "SpotInterrupted"
    assert len(attempts.run_task_calls()) == 2


@FLOWS
def test_single_attempt(durable: Start, attempts: Attempts, handler: Handler) -> None:
    """With `maxAttempts` 1 nothing is tried again."""
    execution = durable(handler, {"maxAttempts": 1})
    attempts.end(1, SPOT)
    assert execution.error()[1]["attempt"] == 1
    assert len(attempts.run_task_calls()) == 1


@FLOWS
@pytest.mark.parametrize(
    ("ending", "kind"),
    [(APPLICATION, "ApplicationFailed"), (OUT_OF_MEMORY, "OutOfMemory")],
    ids=["exit code", "memory"],
)
def test_failure_of_the_application(
    durable: Start, attempts: Attempts, handler: Handler, ending: Ending, kind: str
) -> None:
    """The application's own failure is final, although the payload names the other kind."""
    others = {"ApplicationFailed", "OutOfMemory"} - {kind}
    execution = durable(handler, {"retryOn": list(others)})
    task = attempts.end(1, ending)
    _, data = execution.error()
    assert (data["kind"], data["attempt"], data["taskArn"]) == (kind, 1, task)
    assert len(attempts.run_task_calls()) == 1


@FLOWS
@pytest.mark.parametrize(
    ("ending", "kind"),
    [(APPLICATION, "ApplicationFailed"), (OUT_OF_MEMORY, "OutOfMemory")],
    ids=["exit code", "memory"],
)
def test_retry_on_demand(
    durable: Start, attempts: Attempts, handler: Handler, ending: Ending, kind: str
) -> None:
    """The application's own failure is tried again where the payload names its kind."""
    execution = durable(handler, {"retryOn": [kind]})
    attempts.end(1, ending)
    attempts.end(2, SUCCESS)
    assert execution.result()["attempt"] == 2


@FLOWS
def test_retry_of_an_exit_code(durable: Start, attempts: Attempts, handler: Handler) -> None:
    """An exit code that the payload names is tried again; another one is final."""
    execution = durable(handler, {"retryOn": [75, "OutOfMemory"]})
    attempts.end(1, ran(TaskState.exit, 75))
    last = attempts.end(2, APPLICATION)
    _, data = execution.error()
    told = (data["kind"], data["exitCode"], data["attempt"], data["taskArn"])
    assert told == ("ApplicationFailed", 3, 2, last)
    assert len(attempts.run_task_calls()) == 2


@FLOWS
def test_success_after_an_exit_code(durable: Start, attempts: Attempts, handler: Handler) -> None:
    """Work that exits with a code that the payload names is done once it succeeds."""
    execution = durable(handler, {"retryOn": [75]})
    attempts.end(1, ran(TaskState.exit, 75))
    found = attempts.end(2, SUCCESS)
    result = execution.result()
    assert (result["outcome"], result["attempt"], result["taskArn"]) == ("Succeeded", 2, found)


def stopped(reason: str) -> Ending:
    """Return an end by StopTask, which the container answers with exit code 75."""

    def ending(task: TaskState) -> None:
        task.advance("RUNNING")
        task.stop(reason)
        task.exit(75)

    return ending


@FLOWS
@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("durable-task/TimedOut: late", "TimedOut"),
        ("durable-task/Cancelled: left", "Cancelled"),
        ("Task stopped by user", "StoppedByUser"),
    ],
    ids=["timeout", "cancelled", "user"],
)
def test_stop_with_an_exit_code(
    durable: Start, attempts: Attempts, handler: Handler, reason: str, kind: str
) -> None:
    """A stop is final although the payload names the exit code with which the container ended."""
    execution = durable(handler, {"retryOn": [75]})
    attempts.end(1, stopped(reason))
    _, data = execution.error()
    assert (data["kind"], data["exitCode"], data["attempt"]) == (kind, 75, 1)
    assert len(attempts.run_task_calls()) == 1


@FLOWS
@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        (ran(TaskState.stop, "durable-task/TimedOut: late"), "TimedOut"),
        (partial(TaskState.stop, reason="durable-task/Cancelled: left"), "Cancelled"),
        (partial(TaskState.stop, reason="Task stopped by user"), "StoppedByUser"),
        (NO_IMAGE, "FailedToStart"),
    ],
    ids=["timeout", "cancelled", "user", "image"],
)
def test_final(
    durable: Start, attempts: Attempts, handler: Handler, ending: Ending, kind: str
) -> None:
    """An end that was decided, or would happen again, is final, whatever the payload asks for."""
    execution = durable(handler, EAGER)
    attempts.end(1, ending)
    _, data = execution.error()
    assert (data["kind"], data["attempt"]) == (kind, 1)
    assert len(attempts.run_task_calls()) == 1


@FLOWS
def test_overdue_task(
    aws: Aws,
    durable: Start,
    attempts: Attempts,
    handler: Handler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A task that outlasts `timeoutSeconds` is stopped, and nothing is started in its place."""
    attempts.share_clock(monkeypatch)
    aws.at("ecs.RunTask", lambda: aws.task().advance("RUNNING"), after=True)
    execution = durable(handler, EAGER | {"processingTime": 0, "timeoutSeconds": 60})
    execution.time_out(aws.wait_for_record(lambda record: record.task_arn))
    _, data = execution.error()
    assert (data["kind"], data["attempt"]) == ("TimedOut", 1)
    assert data["createdAt"] == aws.event()["detail"]["createdAt"]
    assert len(attempts.run_task_calls()) == 1


def test_forgotten_task(
    aws: Aws, durable: Start, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that ECS has forgotten may have done its work: nothing is started in its place."""
    attempts.share_clock(monkeypatch)
    aws.script(lambda: aws.task().advance("RUNNING"), aws.forget)
    _, data = durable(WAITING["polling"], EAGER).error()
    assert (data["kind"], data["attempt"]) == ("Missing", 1)
    assert len(attempts.run_task_calls()) == 1


def test_task_told_to_be_missing(durable: Start, attempts: Attempts, aws: Aws) -> None:
    """No other task is started where the callback tells that the first one is missing."""
    execution = durable(WAITING["eventbridge"], EAGER)
    answer = Answer(Missing(task_arn=attempts.task(1))).text()
    boto3.client("lambda").send_durable_execution_callback_failure(
        CallbackId=aws.record().callback_id, Error={"ErrorData": answer}
    )
    assert execution.error()[1]["kind"] == "Missing"
    assert len(attempts.run_task_calls()) == 1


def test_dynamodb_flow(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """An interrupted task for which nobody waits ends its record: there is one attempt."""
    durable(dynamodb.handler, {}).result()
    attempts.end(1, SPOT)
    record = aws.record()
    assert (record.flow, record.status, record.attempt) == (Flow.DYNAMODB, Status.FAILED, 1)
    assert len(attempts.run_task_calls()) == 1


def test_dynamodb_flow_without_its_code(aws: Aws, durable: Start, attempts: Attempts) -> None:
    """A container without its code ends its record as not started if nobody waits for it."""
    durable(dynamodb.handler, {}).result()
    attempts.end(1, ran(TaskState.exit, NOT_FETCHED))
    record = aws.record()
    assert (record.status, record.is_open) == (Status.FAILED, False)
    assert record.error is not None
    assert (record.error["kind"], record.error["exitCode"]) == ("FailedToStart", NOT_FETCHED)


@FLOWS
def test_log_lines(durable: Start, attempts: Attempts, lines: Lines, handler: Handler) -> None:
    """Each line stands once, although every wait replays the handler from its beginning."""
    execution = durable(handler, {})
    attempts.end(1, SPOT)
    attempts.end(2, NO_NETWORK)
    attempts.end(3, SUCCESS)
    execution.result()
    own = [line for line in lines.messages if not line.startswith(("Task status", "Task event"))]
    started = ["Task started", "Waiting for the task to end"]
    assert own == [
        *("Task starting", "Record created"),
        *(*started, "Retrying"),
        *(*started, "Retrying"),
        *(*started, "Final result"),
    ]
    retries = [vars(line)["retry"] for line in lines.records if line.getMessage() == "Retrying"]
    assert [(retry["attempt"], retry["kind"]) for retry in retries] == [
        (1, "SpotInterrupted"),
        (2, "FailedToStart"),
    ]
    assert all(1 <= retry["delaySeconds"] <= 60 for retry in retries)
