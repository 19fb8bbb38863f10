"""Polling flow: look at the task, suspend, look again, until it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.flow import Flow
from core.outcome import Outcome
from core.polling import PollState
from orchestrator.execution import Execution
from orchestrator.handlers import durable_handler
from orchestrator.launches import launch_in_one_step
from orchestrator.looks import since, until_ended
from orchestrator.steps import Ending, conclude, run_attempts

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python import DurableContext


def run(payload: object, context: DurableContext) -> dict[str, Any]:
    """Run one task and return how it ended.

    Any durable handler may call this, once in an execution.

    Args:
        payload: the flow's fields, which `core.work.parse` reads; docs/payload.md lists them.
        context: the execution's durable context.

    Returns:
        executionId, taskArn, flow, attempt, outcome, exitCode, startedAt, stoppedAt; `result`
        and `resultUri` are null: this flow's container knows no record to write them to.

    Raises:
        InvalidPayloadError: the payload was refused; nothing was started.
        TaskFailedError: the task failed, was stopped or never ran.
    """
    execution = Execution.begin(payload, context, Flow.POLLING)
    context.logger.info("Task starting")
    execution, ending = run_attempts(context, "back-off", execution, _attempt)
    return conclude(context, "close-record", execution, ending.outcome)


# Lambda's entry point: `Handler` of the function in template.yaml names it.
handler = durable_handler(run)


def _attempt(context: DurableContext, execution: Execution) -> tuple[Execution, Ending]:
    """Start one task and look at it until it has ended."""
    execution, task = launch_in_one_step(context, "launch-task", execution)
    if isinstance(task, Outcome):
        return execution, Ending(task)
    # The limit of the start is known before any look has shown the task.
    first = PollState(since(task), starts_by=execution.work.start_timeout_seconds)
    return execution, Ending(until_ended(context, "task-end", execution, task, first))
