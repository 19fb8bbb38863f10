"""Pauses of executions: Lambda's operations for them, which the runner offers only to tests."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python_testing.web.routes import Route
from aws_durable_execution_sdk_python_testing.worker.status import InvocationState
from typing_extensions import override

from local.durable.store import status_of
from local.errors import ApiError

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python_testing.execution import Execution
    from aws_durable_execution_sdk_python_testing.executor import Executor

# If the handler runs on for longer, the execution is PAUSING when the request is answered.
_AWAITED_SECONDS = 1


@dataclass(frozen=True)
class PauseRoute(Route):
    """POST /2025-12-01/durable-executions/{arn}/pause, or …/resume."""

    arn: str
    verb: str

    @classmethod
    @override
    def is_match(cls, route: Route, method: str) -> bool:
        paths = (["2025-12-01", "durable-executions", "*", verb] for verb in ("pause", "resume"))
        return method == "POST" and any(map(route.matches_pattern, paths))

    @classmethod
    @override
    def from_route(cls, route: Route) -> PauseRoute:
        return cls(route.raw_path, route.segments, *route.segments[2:])

    def apply(self, executor: Executor) -> None:
        """Pause or resume the execution; a repeated call changes nothing.

        Raises:
            ApiError: the execution is over.
        """
        execution = executor.get_execution(self.arn)
        if execution.is_complete:
            over = f"The execution is {status_of(execution).value}"
            raise ApiError("ResourceConflictException", over, HTTPStatus.CONFLICT)
        if self.verb == "resume":
            executor.resume_execution(self.arn)
            return
        with suppress(TimeoutError):
            executor.pause_execution(self.arn, _AWAITED_SECONDS)


def shown_status(execution: Execution, executor: Executor) -> str:
    """Return the status of an execution, paused ones included."""
    if not execution.is_paused or execution.is_complete:
        return status_of(execution).value
    gate = executor._invocation_gate(execution.durable_execution_arn)  # noqa: SLF001 - nothing else says whether the handler runs
    return "PAUSING" if gate is InvocationState.INVOKING else "PAUSED"
