"""The store of executions while the local system runs."""

from __future__ import annotations

import heapq
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python_testing.execution import ExecutionStatus
from aws_durable_execution_sdk_python_testing.stores.memory import InMemoryExecutionStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aws_durable_execution_sdk_python_testing.execution import Execution


FAILED = (ExecutionStatus.FAILED, ExecutionStatus.STOPPED, ExecutionStatus.TIMED_OUT)


def status_of(execution: Execution) -> ExecutionStatus:
    """Return an execution's status, even while it is ending."""
    return execution.close_status or ExecutionStatus.RUNNING


class Store(InMemoryExecutionStore):
    """The runner's store; every change of an execution's status passes here.

    An execution is forgotten when its retention period after its end is over.

    Args:
        tell: called with each execution whose status has changed.
        now: returns the time in AWS.
    """

    def __init__(self, tell: Callable[[Execution], None], now: Callable[[], datetime]) -> None:
        super().__init__()
        self._tell, self._now = tell, now
        self._published: dict[str, ExecutionStatus] = {}
        self._ended: list[tuple[datetime, str]] = []
        self._telling = threading.Lock()

    def __contains__(self, arn: str) -> bool:
        """Whether an execution is known and not forgotten."""
        with self._lock:
            return arn in self._store

    def save(self, execution: Execution) -> None:
        """Keep an execution."""
        self._forget()
        super().save(execution)
        self._look_at(execution)

    def update(self, execution: Execution) -> None:
        """Keep a changed execution."""
        super().update(execution)
        self._look_at(execution)

    def _look_at(self, execution: Execution) -> None:
        arn, status = execution.durable_execution_arn, status_of(execution)
        with self._telling:
            is_news = self._published.get(arn) is not status
            self._published[arn] = status
            if is_news and status is not ExecutionStatus.RUNNING:
                days = timedelta(days=execution.start_input.execution_retention_period_days)
                heapq.heappush(self._ended, (self._now() + days, arn))
        if is_news:
            self._tell(execution)

    def _forget(self) -> None:
        with self._telling:
            while self._ended and self._ended[0][0] <= self._now():
                _, arn = heapq.heappop(self._ended)
                del self._published[arn]
                with self._lock:
                    del self._store[arn]
