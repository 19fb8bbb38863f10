"""Looks at a task, with durable waits between them, until it has ended."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.waits import (
    WaitForConditionConfig,
    WaitForConditionDecision,
)

from adapters import clock, ecs
from adapters.errors import AwsBusyError, AwsRefusedError
from core.outcome import LearnedBy, Missing, TimedOut, so_far, stop_reason
from core.start import has_last_word, unstarted, untold
from orchestrator.returns import POLL_STATE
from orchestrator.steps import numbered

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python import DurableContext
    from aws_durable_execution_sdk_python.types import WaitForConditionCheckContext

    from core.launch import Started
    from core.outcome import Outcome
    from core.polling import PollState
    from core.work import Work
    from orchestrator.execution import Execution


def since(started: Started) -> int:
    """Return when a task's attempt began, in epoch seconds."""
    return int(datetime.fromisoformat(started.begun_at).timestamp())


def until_ended(
    context: DurableContext, name: str, execution: Execution, started: Started, first: PollState
) -> Outcome:
    """Look at a task until it has ended, in an operation called `name`.

    Args:
        context: the execution's durable context.
        name: name of the operation.
        execution: the task's execution.
        started: the task.
        first: the state before the first look.
    """
    state = context.wait_for_condition(
        Check(execution, started),
        WaitForConditionConfig(
            wait_strategy=functools.partial(next_check, execution.work),
            initial_state=first,
            serdes=POLL_STATE,
        ),
        name=numbered(name, execution),
    )
    if state.outcome is None:
        raise AssertionError("`next_check` goes on until there is an outcome")
    return state.outcome


@dataclass(frozen=True, slots=True)
class Check:
    """One look at the task; it never raises an error, because that would end the wait for good."""

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
            if after.stopped_at is None and (after.is_refused or self._is_overdue(elapsed)):
                # Nothing is known of the task, so no other may be started in its place.
                after = after.ended(Missing(task_arn=self.started.task_arn, detail=str(error)))
        if after.outcome is None and after.is_given_up(self._timeout):
            after = after.ended(replace(untold(self._timeout), task_arn=self.started.task_arn))
        if after.outcome:
            after = after.ended(after.outcome.learned(LearnedBy.CHECK, clock.now()))
        if after.status != before.status:
            context.logger.info("Task status: %s → %s", before.status or "requested", after.status)
        return after

    def _next_state(self, before: PollState, elapsed: int) -> PollState:
        execution, started, work = self.execution, self.started, self.execution.work
        task = ecs.describe_task(execution.settings.cluster_arn, started.task_arn)
        if task is None:
            after = before.missed(elapsed)
        else:
            after = before.seen(task, started.container, elapsed, work.start_timeout_seconds)
        if after.is_gone:
            return after.ended(execution.end_of_forgotten(started.task_arn))
        if after.outcome:
            return after
        if after.stopped_at is None:
            return self._in_time(after)
        if task and after.is_given_up(self._timeout):
            return after.ended(so_far(untold(self._timeout), task))
        return after

    def _in_time(self, state: PollState) -> PollState:
        """Stop a task whose time is over, or that has not begun in time."""
        execution, started = self.execution, self.started
        if self._is_overdue(state.elapsed):
            ending = execution.stop(started, TimedOut())
            return state.stopped() if has_last_word(ending) else state.ended(ending)
        if state.is_unstarted:
            reason = stop_reason(unstarted(execution.work.start_timeout_seconds))
            ecs.stop_task(execution.settings.cluster_arn, started.task_arn, reason)
            return state.stopped()
        return state

    def _is_overdue(self, elapsed: int) -> bool:
        return elapsed >= self._timeout

    @property
    def _timeout(self) -> int:
        return self.execution.work.timeout_seconds


def next_check(work: Work, state: PollState, checks: int) -> WaitForConditionDecision:
    """Return the decision: stop at an outcome, else wait, but not past the next limit."""
    if state.outcome:
        return WaitForConditionDecision.stop_polling()
    delay = state.delay(checks, work.poll_seconds, work.timeout_seconds)
    return WaitForConditionDecision.continue_waiting(Duration.from_seconds(delay))
