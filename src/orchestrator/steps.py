"""The durable steps that the flows share; each flow names its own operations."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from aws_durable_execution_sdk_python import StepError
from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy
from aws_durable_execution_sdk_python.serdes import SerDes, SerDesContext

from adapters.errors import AwsBusyError
from core.launch import Started
from core.outcome import Missing, Outcome, from_dict, reclassified
from orchestrator.errors import TaskFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_durable_execution_sdk_python import DurableContext
    from aws_durable_execution_sdk_python.retries import RetryDecision

    from orchestrator.execution import Execution


class OutcomeSerDes(SerDes[Any]):
    """Lets a step return a plain value, an outcome or a started task."""

    def serialize(self, value: object, _: SerDesContext) -> str:
        """Write JSON, as small as can be: Lambda keeps at most 256 KiB for a step."""
        plain = value.to_dict() if isinstance(value, Outcome) else value
        return json.dumps(plain, separators=(",", ":"))

    def deserialize(self, data: str, _: SerDesContext) -> object:
        """Read JSON; an object with a kind is an outcome, a list a started task."""
        value = json.loads(data)
        if isinstance(value, list):
            return Started(*value)
        return from_dict(value) if isinstance(value, dict) and "kind" in value else value


def _strategy(max_attempts: int) -> Callable[[Exception, int], RetryDecision]:
    """Only what may pass is tried again; the SDK's default would repeat every error six times."""
    return create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=max_attempts,
            initial_delay=Duration.from_seconds(2),
            max_delay=Duration.from_minutes(1),
            retryable_error_types=[AwsBusyError],
        )
    )


STEP = StepConfig(retry_strategy=_strategy(10), serdes=OutcomeSerDes())
# For the steps of a launch, which is begun again as a whole, after longer waits.
RECORD_STEP: StepConfig = StepConfig(retry_strategy=_strategy(3))
LAUNCH_STEP = StepConfig(retry_strategy=_strategy(3), serdes=OutcomeSerDes())


class Ending(NamedTuple):
    """How an attempt ended.

    Attributes:
        outcome: of its task.
        result: what the container handed over; None if it is still to be read.
        is_recorded: whether whoever reported the end closes the record.
    """

    outcome: Outcome
    result: Any = None
    is_recorded: bool = False


def run_attempts(
    context: DurableContext,
    name: str,
    execution: Execution,
    attempt: Callable[[Execution], Ending],
) -> tuple[Execution, Ending]:
    """Try until an outcome is final, with a step and a wait called `name` between two attempts.

    Returns:
        The execution with its last attempt, and how that ended.
    """
    while True:
        ending = attempt(execution)
        delay = execution.retry_delay(ending.outcome)
        if delay is None or not _back_off(context, name, execution, ending.outcome):
            return execution, ending
        retry = {"kind": ending.outcome.kind, "delaySeconds": delay, "attempt": execution.attempt}
        context.logger.warning("Retrying", extra={"retry": retry})
        context.wait(Duration.from_seconds(delay), numbered(name, execution))
        execution = execution.next_attempt()


def _back_off(context: DurableContext, name: str, execution: Execution, outcome: Outcome) -> bool:
    try:
        backed_off: bool = context.step(
            lambda _: execution.back_off(outcome), numbered(name, execution), STEP
        )
    except StepError as error:
        # An attempt that the record does not know of could not be told from the last one.
        context.logger.warning("Not retried", extra={"reason": error.message})
        return False
    if not backed_off:
        context.logger.warning("Not retried", extra={"reason": "The record was closed"})
    return backed_off


def numbered(name: str, execution: Execution) -> str:
    """Return an operation's name in the present attempt: the first has no number."""
    return name if execution.attempt == 1 else f"{name}-{execution.attempt}"


def stop(
    context: DurableContext, name: str, execution: Execution, task_arn: str, ending: Outcome
) -> Outcome:
    """Stop the task in a step called `name`.

    Returns:
        `ending`, or the task's own end if that came first.
    """
    try:
        return context.step(
            lambda _: execution.stop(task_arn, ending), numbered(name, execution), STEP
        )
    except StepError as error:
        detail = f"The task could not be stopped and may still run: {error.message}"
        return replace(ending, task_arn=task_arn, detail=detail)


def conclude(
    context: DurableContext, name: str, execution: Execution, outcome: Outcome
) -> dict[str, Any]:
    """Close the record in a step called `name`, then `finish`."""
    try:
        closing = context.step(lambda _: execution.close(outcome), name, STEP)
    except StepError as error:
        # A failure is worth more to the caller than why it could not be written down; a success
        # without its result is none.
        context.logger.warning("Record left open", extra={"reason": error.message})
        known = _without_result(execution, outcome, error.message)
        closing = {"outcome": known.to_dict(), "result": None}
    outcome = from_dict(closing["outcome"])
    return finish(context, execution, outcome, closing["result"], closing.get("evidence"))


def _without_result(execution: Execution, outcome: Outcome, reason: str | None) -> Outcome:
    """Return what may be said of an end whose record could not be closed."""
    if not outcome.succeeded or not execution.launch.flow.takes_result:
        return outcome
    detail = f"The task succeeded, but its record, which holds the result, was not closed: {reason}"
    return reclassified(outcome, Missing, detail)


def finish(
    context: DurableContext,
    execution: Execution,
    outcome: Outcome,
    result: object,
    evidence: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the execution's result, and log it.

    Args:
        context: the execution's durable context.
        execution: what was to be done.
        outcome: how its task ended.
        result: what the container handed over.
        evidence: what is left of a task that failed.

    Raises:
        TaskFailedError: the task did not succeed.
    """
    if not outcome.succeeded:
        error = TaskFailedError.of(outcome, {**execution.facts, **(evidence or {})})
        context.logger.error("Task failed", extra={"error": json.loads(error.data or "{}")})
        raise error
    final = {
        **execution.facts,
        "taskArn": outcome.task_arn,
        "outcome": outcome.kind,
        "exitCode": outcome.exit_code,
        "startedAt": outcome.started_at,
        "stoppedAt": outcome.stopped_at,
        "result": result,
    }
    context.logger.info("Final result", extra={"final": final})
    return final
