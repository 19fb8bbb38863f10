"""Polling flow: look at the task, suspend, look again, until it has ended."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.waits import (
    WaitForConditionConfig,
    WaitForConditionDecision,
)

from adapters import clock, ecs
from adapters.errors import AwsBusyError, AwsRefusedError
from core.flow import Flow
from core.outcome import Missing, Outcome, TimedOut
from core.polling import FIRST_DELAY, PollState
from orchestrator.execution import Execution
from orchestrator.handlers import durable_handler
from orchestrator.launches import launch_in_one_step
from orchestrator.returns import POLL_STATE
from orchestrator.steps import Ending, conclude, numbered, run_attempts

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python import DurableContext
    from aws_durable_execution_sdk_python.types import WaitForConditionCheckContext

    from core.launch import Started
    from core.payload import Work


def run(payload: object, context: DurableContext) -> dict[str, Any]:
    """Run one task and return how it ended.

    Any durable handler may call this, once in an execution.

    Args:
        payload: the flow's fields, which `core.payload.parse` reads; the README lists them.
        context: the execution's durable context.

    Returns:
        executionId, taskArn, flow, attempt, outcome, exitCode, startedAt, stoppedAt; `result`
        is null, because this flow's container is told no record to write one to.

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


def _attempt(context: DurableContext, execution: Execution) -> Ending:
    """Start one task and look at it until it has ended."""
    task = launch_in_one_step(context, "launch-task", execution)
    if isinstance(task, Outcome):
        return Ending(task)
    since = int(datetime.fromisoformat(task.begun_at).timestamp())
    state = context.wait_for_condition(
        Check(execution, task),
        WaitForConditionConfig(
            wait_strategy=functools.partial(next_check, execution.work),
            initial_state=PollState(since),
            serdes=POLL_STATE,
        ),
        name=numbered("task-end", execution),
    )
    if state.outcome is None:
        raise AssertionError("`next_check` goes on until there is an outcome")
    return Ending(state.outcome)


@dataclass(frozen=True, slots=True)
class Check:
    """One look at the task; it never raises, because that would end the wait for good."""

    execution: Execution
    started: Started

    def __call__(self, before: PollState, context: WaitForConditionCheckContext) -> PollState:
        """Return the next state, and log a change of status once."""
        elapsed = int(clock.now().timestamp()) - before.since
        try:
            after = self._next_state(before, elapsed)
        except AwsBusyError:
            after = before.throttled(elapsed)
        except AwsRefusedError as error:
            after = before.refused(elapsed)
            if after.is_refused or self._is_overdue(elapsed):
                # Nothing is known of the task, so nothing may be started in its place.
                after = after.ended(Missing(task_arn=self.started.task_arn, detail=str(error)))
        if after.status != before.status:
            context.logger.info("Task status: %s → %s", before.status or "requested", after.status)
        return after

    def _next_state(self, before: PollState, elapsed: int) -> PollState:
        execution, started = self.execution, self.started
        task = ecs.describe_task(execution.settings.cluster_arn, started.task_arn)
        if task is None:
            after = before.missed(elapsed)
        else:
            after = before.seen(task, started.container, elapsed)
        if after.is_gone:
            return after.ended(execution.end_of_forgotten(started.task_arn))
        if after.outcome is None and self._is_overdue(elapsed):
            return after.ended(execution.stop(started, TimedOut()))
        return after

    def _is_overdue(self, elapsed: int) -> bool:
        return elapsed >= self.execution.work.timeout_seconds


def next_check(work: Work, state: PollState, checks: int) -> WaitForConditionDecision:
    """Stop at an outcome; else wait, but not past the timeout."""
    if state.outcome:
        return WaitForConditionDecision.stop_polling()
    delay = state.delay(checks, work.poll_seconds)
    # Past the timeout only a StopTask that ECS was too busy for is left to do.
    left = max(work.timeout_seconds - state.elapsed, FIRST_DELAY)
    return WaitForConditionDecision.continue_waiting(Duration.from_seconds(min(delay, left)))
