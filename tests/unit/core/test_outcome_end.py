from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from core.outcome import (
    NOT_FETCHED,
    FailedToStart,
    Outcome,
    OutOfMemory,
    Succeeded,
    TimedOut,
    classify,
    so_far,
)
from tests.unit.core.tasks import OUT_OF_MEMORY, TASK_ARN, WORKER, container, stopped

BEFORE_THE_END = [
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
]


def outcome_of(task: dict[str, Any]) -> Outcome:
    """Classify a task that is over."""
    outcome = classify(task, WORKER)
    assert outcome is not None
    return outcome


@pytest.mark.parametrize("status", [*BEFORE_THE_END, "InventedTomorrow", None])
def test_not_over(status: str | None) -> None:
    """Before DEPROVISIONING nothing is an end, whatever else the task shows already."""
    assert classify(stopped(container(0), lastStatus=status), WORKER) is None


def test_nothing_known() -> None:
    """A task without any field is not over."""
    assert classify({}, WORKER) is None


def test_spot_warning() -> None:
    """`desiredStatus` is never an end: after the Spot warning the task may still finish."""
    warned = stopped(
        container(None, lastStatus="RUNNING"),
        lastStatus="RUNNING",
        stopCode="SpotInterruption",
        stoppedReason="Your Spot Task was interrupted.",
    )
    assert classify(warned, WORKER) is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, "Succeeded"),
        (1, "ApplicationFailed"),
        (136, "ApplicationFailed"),
        (138, "ApplicationFailed"),
        (142, "ApplicationFailed"),
        (144, "ApplicationFailed"),
    ],
)
def test_early_end(code: int, expected: str) -> None:
    """DEPROVISIONING is an end where the main container's own exit caused it."""
    assert outcome_of(stopped(container(code), lastStatus="DEPROVISIONING")).kind == expected


@pytest.mark.parametrize("status", ["DEPROVISIONING", "STOPPED"])
def test_container_without_its_code(status: str) -> None:
    """A container that could not fetch its code was not started, for a reason that may pass."""
    outcome = outcome_of(stopped(container(NOT_FETCHED), lastStatus=status))
    assert isinstance(outcome, FailedToStart)
    assert outcome.transient


@pytest.mark.parametrize(
    ("stop_code", "reason", "expected"),
    [
        ("UserInitiated", "Task stopped by user", "StoppedByUser"),
        ("UserInitiated", "durable-task/TimedOut: late", "TimedOut"),
        ("SpotInterruption", "Your Spot Task was interrupted.", "SpotInterrupted"),
    ],
)
def test_stop_of_a_container_without_its_code(stop_code: str, reason: str, expected: str) -> None:
    """A stop is a stop, whether or not the container had its code by then."""
    task = stopped(container(NOT_FETCHED), stopCode=stop_code, stoppedReason=reason)
    assert outcome_of(task).kind == expected


@pytest.mark.parametrize("code", [137, 143, None])
def test_early_end_of_a_kill(code: int | None) -> None:
    """A kill, or an exit without a code, waits for STOPPED, which may have its reason."""
    early = stopped(container(code), lastStatus="DEPROVISIONING")
    assert classify(early, WORKER) is None
    assert classify(early | {"lastStatus": "STOPPED"}, WORKER)


def test_kill_for_memory() -> None:
    """A kill whose reason comes only with STOPPED still has the right kind."""
    early = stopped(container(137), lastStatus="DEPROVISIONING")
    late = stopped(container(137, reason=OUT_OF_MEMORY))
    assert classify(early, WORKER) is None
    assert isinstance(outcome_of(late), OutOfMemory)


def test_early_exit_with_reason() -> None:
    """A reason that is there at DEPROVISIONING counts there too."""
    early = stopped(container(0, reason=OUT_OF_MEMORY), lastStatus="DEPROVISIONING")
    assert isinstance(outcome_of(early), OutOfMemory)


@pytest.mark.parametrize(
    "stop_code",
    ["UserInitiated", "SpotInterruption", "TaskFailedToStart", "InventedTomorrow", None],
)
def test_other_stop_codes_wait(stop_code: str | None) -> None:
    """Every other cause waits for STOPPED, exit code or not."""
    early = stopped(container(0), lastStatus="DEPROVISIONING", stopCode=stop_code)
    assert classify(early, WORKER) is None


def test_early_end_of_a_sidecar() -> None:
    """A sidecar's exit at DEPROVISIONING is not the main container's."""
    sidecar = container(0, name="log-router")
    early = stopped(sidecar, container(None), lastStatus="DEPROVISIONING")
    assert classify(early, WORKER) is None


MOMENTS: dict[str, Any] = {
    "createdAt": "2026-03-02T09:14:32.1Z",
    "pullStartedAt": "2026-03-02T09:14:50.5Z",
    "pullStoppedAt": "2026-03-02T09:14:58.75Z",
    "startedAt": "2026-03-02T09:15:00.25Z",
    "executionStoppedAt": "2026-03-02T09:15:10Z",
    "stoppingAt": "2026-03-02T09:15:10.8Z",
    "stoppedAt": "2026-03-02T09:15:33.1Z",
}


def test_facts() -> None:
    """An outcome has the task, its exit code, its moments and its capacity."""
    task = stopped(container(0), **MOMENTS, launchType="FARGATE")
    assert outcome_of(task) == Succeeded(
        task_arn=TASK_ARN,
        exit_code=0,
        created_at="2026-03-02T09:14:32.1Z",
        pull_started_at="2026-03-02T09:14:50.5Z",
        pull_stopped_at="2026-03-02T09:14:58.75Z",
        started_at="2026-03-02T09:15:00.25Z",
        stopping_at="2026-03-02T09:15:10.8Z",
        stopped_at="2026-03-02T09:15:10Z",
        capacity="FARGATE",
        detail="Essential container in task exited",
    )


def test_facts_of_describe_tasks() -> None:
    """Moments that boto3 gives as datetimes, in any zone, become ISO 8601 in UTC."""
    berlin = timezone(timedelta(hours=1))
    told = {name: datetime.fromisoformat(text) for name, text in MOMENTS.items()}
    shown = {name: moment.astimezone(berlin) for name, moment in told.items()}
    shown["executionStoppedAt"] += timedelta(microseconds=123_456)
    assert outcome_of(stopped(container(0), **shown)) == Succeeded(
        task_arn=TASK_ARN,
        exit_code=0,
        created_at="2026-03-02T09:14:32.100Z",
        pull_started_at="2026-03-02T09:14:50.500Z",
        pull_stopped_at="2026-03-02T09:14:58.750Z",
        started_at="2026-03-02T09:15:00.250Z",
        stopping_at="2026-03-02T09:15:10.800Z",
        stopped_at="2026-03-02T09:15:10.123Z",
        detail="Essential container in task exited",
    )


@pytest.mark.parametrize(
    ("shown", "capacity"),
    [
        ({"launchType": "FARGATE"}, "FARGATE"),
        ({"launchType": "FARGATE", "capacityProviderName": "FARGATE_SPOT"}, "FARGATE_SPOT"),
        ({"capacityProviderName": "ours"}, "ours"),
        ({}, None),
    ],
)
def test_capacity(shown: dict[str, str], capacity: str | None) -> None:
    """A task's capacity is its provider where it has one, else its launch type."""
    assert outcome_of(stopped(container(0), **shown)).capacity == capacity


def test_so_far() -> None:
    """A stop of ours has the facts that ECS has shown before it, and no end that is not there."""
    running = {name: MOMENTS[name] for name in ("createdAt", "pullStartedAt", "startedAt")}
    task = {"taskArn": TASK_ARN, "lastStatus": "RUNNING", "launchType": "FARGATE", **running}
    assert so_far(TimedOut(detail="late"), task) == TimedOut(
        task_arn=TASK_ARN,
        created_at=MOMENTS["createdAt"],
        pull_started_at=MOMENTS["pullStartedAt"],
        started_at=MOMENTS["startedAt"],
        capacity="FARGATE",
        detail="late",
    )


def test_never_ran() -> None:
    """Containers that never ran have no start; the task's stop stands for their end."""
    outcome = outcome_of(stopped(stopCode="TaskFailedToStart", stoppedAt="2026-03-02T09:15:33Z"))
    assert (outcome.started_at, outcome.stopped_at) == (None, "2026-03-02T09:15:33Z")


def test_decimal_exit_code() -> None:
    """An exit code from DynamoDB becomes a plain integer."""
    outcome = outcome_of(stopped(container(Decimal(3))))  # type: ignore[arg-type]  # as stored
    assert (type(outcome.exit_code), outcome.exit_code) == (int, 3)


@pytest.mark.parametrize(
    ("stopped_reason", "reason", "detail"),
    [
        ("Task stopped", "OOM", "Task stopped; OOM"),
        ("Task stopped", None, "Task stopped"),
        (None, "OOM", "OOM"),
        (None, None, ""),
        ("x" * 2_000, "OOM", "x" * 1_000),
    ],
)
def test_detail(stopped_reason: str | None, reason: str | None, detail: str) -> None:
    """The detail has ECS's reasons for task and container, at most 1,000 characters."""
    task = stopped(container(1, reason=reason), stoppedReason=stopped_reason)
    assert outcome_of(task).detail == detail
