"""The durable steps that the flows share; each flow names its own operations."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python import StepError
from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy
from aws_durable_execution_sdk_python.serdes import SerDes, SerDesContext

from adapters.errors import AwsBusyError
from core.outcome import FailedToStart, Outcome, from_dict
from orchestrator.errors import TaskFailedError

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python import DurableContext

    from orchestrator.execution import Execution


class OutcomeSerDes(SerDes[Any]):
    """Lets a step return a plain value or an outcome."""

    def serialize(self, value: str | Outcome | None, serdes_context: SerDesContext) -> str:  # noqa: ARG002
        """Write JSON."""
        return json.dumps(value.to_dict() if isinstance(value, Outcome) else value)

    def deserialize(self, data: str, serdes_context: SerDesContext) -> str | Outcome | None:  # noqa: ARG002
        """Read JSON; an object is an outcome."""
        value = json.loads(data)
        return from_dict(value) if isinstance(value, dict) else value


# Only what may pass is tried again; the SDK's default would repeat every error six times.
RETRY = create_retry_strategy(
    RetryStrategyConfig(
        max_attempts=10,
        initial_delay=Duration.from_seconds(2),
        max_delay=Duration.from_minutes(1),
        retryable_error_types=[AwsBusyError],
    )
)
RETRIED = StepConfig(retry_strategy=RETRY, serdes=OutcomeSerDes())


def launch(
    context: DurableContext, name: str, execution: Execution, callback_id: str | None = None
) -> str | Outcome:
    """Record and start the execution's task in one step called `name`.

    Returns:
        The task's ARN, or the outcome of having none.
    """
    try:
        return context.step(
            lambda step: execution.launch_task(step.logger, callback_id), name, RETRIED
        )
    except StepError as error:
        return not_started(error)


def not_started(error: StepError) -> FailedToStart:
    """Return the outcome of a step that was to start the task and failed for good."""
    busy = error.error_type.endswith(AwsBusyError.__name__)
    name = error.error_type.rpartition(".")[2]
    return FailedToStart(detail=f"{name}: {error.message}", transient=busy)


def stop(
    context: DurableContext, name: str, execution: Execution, task_arn: str, ending: Outcome
) -> Outcome:
    """Stop the task in a step called `name`.

    Returns:
        `ending`, or the task's own end if that came first.
    """
    try:
        return context.step(lambda _: execution.stop(task_arn, ending), name, RETRIED)
    except StepError as error:
        detail = f"The task could not be stopped and may still run: {error.message}"
        return replace(ending, task_arn=task_arn, detail=detail)


def settle(
    context: DurableContext, name: str, execution: Execution, outcome: Outcome
) -> dict[str, Any]:
    """Close the record in a step called `name`, then `finish`."""
    try:
        result = context.step(lambda _: execution.close(outcome), name, RETRIED)
    except StepError as error:
        # How the task ended is worth more to the caller than why it could not be written down.
        context.logger.warning("Record left open", extra={"reason": error.message})
        result = None
    return finish(context, execution, outcome, result)


def finish(
    context: DurableContext, execution: Execution, outcome: Outcome, result: str | None
) -> dict[str, Any]:
    """Return the execution's result, and log it.

    Args:
        context: the execution's durable context.
        execution: what was to be done.
        outcome: how its task ended.
        result: what the container handed over, as JSON text.

    Raises:
        TaskFailedError: the task did not succeed.
    """
    if not outcome.succeeded:
        error = TaskFailedError.of(outcome, execution.facts)
        context.logger.error("Task failed", extra={"error": json.loads(error.data or "{}")})
        raise error
    final = {
        **execution.facts,
        "taskArn": outcome.task_arn,
        "outcome": outcome.kind,
        "exitCode": outcome.exit_code,
        "startedAt": outcome.started_at,
        "stoppedAt": outcome.stopped_at,
        "result": None if result is None else json.loads(result),
    }
    context.logger.info("Final result", extra={"final": final})
    return final
