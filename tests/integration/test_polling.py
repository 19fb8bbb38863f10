from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.record import Status
from orchestrator.polling import handler
from tests.integration.aws import error, throttled

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines, Start


def through(aws: Aws, *statuses: str) -> list[Callable[[], None]]:
    """Steps of `Aws.script` that move the only task."""

    def to(status: str) -> Callable[[], None]:
        return lambda: aws.task().advance(status)

    return [to(status) for status in statuses]


@pytest.fixture
def looks(aws: Aws, attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The moments at which the task is looked at, by the clock of a runner that skips waits."""
    clock = attempts.share_clock(monkeypatch)
    moments: list[float] = []
    aws.at("ecs.DescribeTasks", lambda: moments.append(clock()))
    return moments


def test_success(aws: Aws, durable: Start) -> None:
    """A task that exits with 0 ends the execution with the documented result."""
    aws.script(*through(aws, "PROVISIONING", "RUNNING"), lambda: aws.exit(0))
    result = durable(handler, {"message": "hi", "processingTime": 1}).result()
    record = aws.record()
    task = aws.event()["detail"]
    assert result == {
        "executionId": record.execution_id,
        "taskArn": record.task_arn,
        "flow": "polling",
        "attempt": 1,
        "outcome": "Succeeded",
        "exitCode": 0,
        "startedAt": task["startedAt"],
        "stoppedAt": task["executionStoppedAt"],
        "result": None,
        "resultUri": None,
    }
    assert (record.status, record.is_open) == (Status.COMPLETED, False)
    assert record.expires_at is not None
    told = ("createdAt", "pullStartedAt", "pullStoppedAt", "startedAt", "stoppingAt")
    life = {**{name: task[name] for name in told}, "capacity": "FARGATE"}
    assert (record.last_outcome or {}).items() >= life.items()


def test_log_lines(aws: Aws, durable: Start, lines: Lines) -> None:
    """Each line that a user expects stands once, although every look replays the handler."""
    aws.script(
        *through(aws, "PROVISIONING", "PROVISIONING", "PENDING", "RUNNING", "RUNNING"),
        lambda: aws.exit(0),
    )
    durable(handler, {}).result()
    assert lines.messages == [
        "Task starting",
        "Record created",
        "Task started",
        "Waiting for the task to end",
        "Task status: requested → PROVISIONING",
        "Task status: PROVISIONING → PENDING",
        "Task status: PENDING → RUNNING",
        "Task status: RUNNING → STOPPED",
        "Final result",
    ]
    created = lines.records[1]
    assert vars(created)["executionId"] == aws.record().execution_id


def test_failure(aws: Aws, durable: Start) -> None:
    """A task that exits with 3 fails the execution with kind, code, reason, ARN and advice."""
    aws.script(lambda: aws.exit(3))
    message, data = durable(handler, {}).error()
    record = aws.record()
    assert "exited with code 3" in message
    assert (data["kind"], data["exitCode"]) == ("ApplicationFailed", 3)
    assert data["taskArn"] == record.task_arn
    assert data["detail"] == "Essential container in task exited"
    assert data["advice"]
    assert record.status is Status.FAILED
    shared = ("kind", "summary", "detail", "exitCode", "advice", "taskArn", "attempt", "logStream")
    assert {name: data[name] for name in shared}.items() <= dict(record.error or {}).items()


def test_deprovisioning_is_enough(aws: Aws, durable: Start) -> None:
    """The exit code at DEPROVISIONING ends the wait, some 20 s before STOPPED would."""
    aws.script(*through(aws, "RUNNING"), lambda: aws.exit(0, status="DEPROVISIONING"))
    assert durable(handler, {}).result()["outcome"] == "Succeeded"


def test_throttled_look(aws: Aws, durable: Start) -> None:
    """A look that ECS throttles is taken again later; the wait goes on."""
    aws.answer_with("ecs.DescribeTasks", *throttled(3))
    aws.script(*through(aws, *["RUNNING"] * 4), lambda: aws.exit(0))
    assert durable(handler, {}).result()["outcome"] == "Succeeded"


def test_refused_look(aws: Aws, durable: Start, looks: list[float]) -> None:
    """Looks that are forbidden for a few minutes, as after a deployment, end nothing."""
    aws.answer_with("ecs.DescribeTasks", *[error("AccessDeniedException")] * 4)
    aws.script(*through(aws, *["RUNNING"] * 5), lambda: aws.exit(0))
    assert durable(handler, {"pollSeconds": 90}).result()["outcome"] == "Succeeded"
    assert looks[3] - looks[0] >= 270


@pytest.mark.parametrize("timeout", [40_000, 300])
def test_refused_looks(aws: Aws, durable: Start, looks: list[float], timeout: int) -> None:
    """Looks that stay forbidden, or are at the deadline, end it as Missing in ECS's own words."""
    # Nothing is known of the task then, so nothing is started in its place.
    aws.answer_with("ecs.DescribeTasks", *[error("AccessDeniedException")] * 20)
    payload = {"timeoutSeconds": timeout, "maxAttempts": 2, "pollSeconds": 100}
    _, data = durable(handler, payload).error()
    assert min(timeout - 100, 600) <= looks[-1] - looks[0] <= min(timeout + 5, 720)
    assert (data["kind"], data["taskArn"]) == ("Missing", aws.record().task_arn)
    assert "AccessDeniedException" in data["detail"]
    assert len(aws.tasks()) == 1


def test_forgotten_task_with_stored_outcome(
    aws: Aws, durable: Start, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that ECS has forgotten ended as the task-state function has stored it."""
    attempts.share_clock(monkeypatch)
    ended: dict[str, Any] = {}

    def store() -> None:
        aws.exit(7)
        ended.update(aws.report())
        aws.forget()

    aws.script(*through(aws, "RUNNING"), store)
    _, data = durable(handler, {}).error()
    assert ended == {"done": "outcome stored"}
    assert (data["kind"], data["exitCode"]) == ("ApplicationFailed", 7)


@pytest.mark.parametrize("interval", [30, 3_000])
def test_forgotten_task(aws: Aws, durable: Start, looks: list[float], interval: int) -> None:
    """A task that ECS has forgotten is Missing, after two minutes however far apart looks are."""
    aws.script(*through(aws, "RUNNING"), aws.forget)
    _, data = durable(handler, {"pollSeconds": interval}).error()
    assert data["kind"] == "Missing"
    assert 120 <= looks[-1] - looks[1] <= 155


def test_unknown_for_a_moment(
    aws: Aws, durable: Start, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that ECS does not know for a moment, though it was seen before, is not gone."""
    attempts.share_clock(monkeypatch)
    aws.script(*through(aws, "RUNNING"), *[lambda: None] * 5, lambda: aws.exit(0))
    unknown = {"tasks": [], "failures": [{"reason": "MISSING"}]}
    looks = iter([False, True, True, True, True])
    aws.answer("ecs.DescribeTasks", lambda **_: unknown if next(looks, False) else None)
    assert durable(handler, {}).result()["outcome"] == "Succeeded"


@pytest.mark.usefixtures("looks")
def test_timeout(aws: Aws, durable: Start) -> None:
    """A task that outlasts timeoutSeconds is stopped, and the execution fails as TimedOut."""
    aws.script(*through(aws, "RUNNING"))
    payload = {"processingTime": 1, "timeoutSeconds": 60, "pollSeconds": 10}
    _, data = durable(handler, payload).error()
    assert (data["kind"], data["taskArn"]) == ("TimedOut", aws.record().task_arn)
    (stop,) = aws.calls["StopTask"]
    assert stop["reason"].startswith("durable-task/TimedOut")
