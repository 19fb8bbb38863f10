"""Executions of several attempts: how tasks end, what ECS remembers, where a function dies."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from aws_durable_execution_sdk_python_testing import runner
from aws_durable_execution_sdk_python_testing.clock import SkipClock
from botocore.exceptions import ReadTimeoutError

from adapters import clock
from core.flow import Flow
from local.ecs.state import TaskState
from orchestrator import eventbridge, polling
from tests.integration.aws import ENDPOINT, DiedError, die

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from tests.integration.aws import Aws

WAITING = {"polling": polling.handler, "eventbridge": eventbridge.handler}
CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different zone."
_NEVER = datetime.max.replace(tzinfo=UTC)
Ending: TypeAlias = "Callable[[TaskState], object]"


def ran(end: Callable[..., object], *arguments: object) -> Ending:
    """Return an end that comes while the container runs."""

    def ending(task: TaskState) -> None:
        task.advance("RUNNING")
        end(task, *arguments)

    return ending


SUCCESS, APPLICATION = ran(TaskState.exit, 0), ran(TaskState.exit, 3)
OUT_OF_MEMORY, SPOT = ran(TaskState.run_out_of_memory), ran(TaskState.interrupt)
HOST = ran(TaskState.end, "InfrastructureHealth", "The host failed.")
NO_NETWORK: Ending = partial(
    TaskState.fail, reason="Timeout waiting for network interface provisioning to complete."
)
NO_IMAGE: Ending = partial(TaskState.fail, reason="CannotPullContainerError: pull access denied")


@contextmanager
def mortal() -> Iterator[None]:
    """Let a handler's death be an invocation's, not the test runner's."""
    try:
        yield
    except DiedError as death:
        raise RuntimeError("The function died") from death


@dataclass
class Attempts:
    """Watches an execution's attempts, and moves their tasks.

    Attributes:
        history: the record after each write of the orchestrator that changed it.
        faults: how often the orchestrator died or lost an answer.
    """

    aws: Aws
    history: list[dict[str, Any]] = field(default_factory=list)
    _keeping: threading.Lock = field(default_factory=threading.Lock)
    faults: int = 0
    _moves: deque[Callable[[], object]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        """Stand before the clients' calls."""
        self.aws.at("ecs.DescribeTasks", self._move)
        for operation in ("PutItem", "UpdateItem"):
            self.aws.at(f"dynamodb.{operation}", self._written, after=True)

    @property
    def together(self) -> list[str]:
        """Tasks that were started while the one before was not over."""
        tasks = [task.detail for task in self.aws.ecs.all()]
        ends = [task.get("executionStoppedAt") or task.get("stoppedAt", _NEVER) for task in tasks]
        following = zip(tasks[1:], ends, strict=False)
        return [task["taskArn"] for task, end in following if task["createdAt"] < end]

    def _move(self) -> None:
        while self._moves:
            self._moves.popleft()()

    def _written(self) -> None:
        # A try that was cut off may still be on its way: what is read first is kept first.
        with self._keeping:
            for item in self.aws.items():
                item.pop("updatedAt")
                if item not in self.history[-1:]:
                    self.history.append(item)

    def task(self, attempt: int) -> str:
        """Wait until an attempt's task is recorded; return its ARN."""
        started = self.aws.wait_for_record(
            lambda r: not r.is_open or (r.attempt == attempt and r.task_arn)
        )
        assert started.attempt == attempt, f"the last attempt was the {started.attempt}th"
        assert started.task_arn, "the record was closed without a task"
        return started.task_arn

    def end(self, attempt: int, ending: Ending, result: str | None = None) -> str:
        """Wait for an attempt's task, end it and deliver the event; return its ARN."""
        arn = self.task(attempt)
        if result is not None:
            self.aws.rewrite("SET #result = :result", result=result)
        task = self.aws.task(arn)
        self._moves.extend([partial(ending, task), partial(task.advance, "STOPPED")])
        # While ECS is asked about it, or at once where nobody asks.
        if self.aws.record().flow is Flow.POLLING:
            self.aws.wait(lambda: task.status == "STOPPED")
        self._move()
        self.aws.report(arn)
        return arn

    def run_task_calls(self) -> list[dict[str, Any]]:
        """Return what RunTask was asked for, a repeated request once."""
        calls = {call["clientToken"]: call for call in self.aws.calls["RunTask"]}
        return list(calls.values())

    def statuses(self) -> list[tuple[str, int]]:
        """Return the record's statuses, each with its attempt, in order and without repeats."""
        statuses = ((item["status"], int(item["attempt"])) for item in self.history)
        return [status for status, _ in groupby(statuses)]

    def die(self, operation: str, number: int, *, after: bool) -> None:
        """Let the orchestrator die before or after its n-th call of an operation."""
        self._at(operation, die, number, after=after)

    def lose_answers(self, operation: str, *numbers: int) -> None:
        """Let the orchestrator's n-th calls take effect, and their answers be lost."""
        self._at(operation, _lose, *numbers, after=True)

    def share_clock(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
        """Let the functions read the test runner's clock, which skips waits; return it."""
        shared = SkipClock()
        monkeypatch.setattr(runner, "SkipClock", lambda: shared)
        monkeypatch.setattr(clock, "now", shared.now)
        return lambda: shared.now().timestamp()

    def on(self, status: str, hook: Callable[[], object]) -> None:
        """Do something once, right after the record came to a status."""
        hooks = iter([hook])

        def written() -> None:
            if self.aws.item()["status"] == status:
                next(hooks, lambda: None)()

        self.aws.at("dynamodb.UpdateItem", written, after=True)

    def _at(self, operation: str, fault: Callable[[], None], *numbers: int, after: bool) -> None:
        def counted() -> None:
            self.faults += 1
            fault()

        # The task-state function runs on the test's own thread.
        self.aws.at(operation, counted, *numbers, after=after, spare=threading.current_thread())


def _lose() -> None:
    raise ReadTimeoutError(endpoint_url=ENDPOINT)
