"""Where executions are kept while the local system runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python_testing.execution import ExecutionStatus
from aws_durable_execution_sdk_python_testing.stores.memory import InMemoryExecutionStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_durable_execution_sdk_python_testing.execution import Execution


FAILED = (ExecutionStatus.FAILED, ExecutionStatus.STOPPED, ExecutionStatus.TIMED_OUT)


def status_of(execution: Execution) -> ExecutionStatus:
    """Return an execution's status, at any moment of its end too."""
    return execution.close_status or ExecutionStatus.RUNNING


class Store(InMemoryExecutionStore):
    """The runner's store; whatever changes an execution's status passes here."""

    def __init__(self, tell: Callable[[Execution], None]) -> None:
        super().__init__()
        self._tell = tell
        self._published: dict[str, ExecutionStatus] = {}
        self._telling = threading.Lock()

    def save(self, execution: Execution) -> None:
        """Keep an execution."""
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
        if is_news:
            self._tell(execution)
