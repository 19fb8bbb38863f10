"""The durable steps that the flows share; each flow names its own operations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from aws_durable_execution_sdk_python import StepError
from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy

from adapters.errors import AwsBusyError
from core.conclusion import Conclusion
from core.retry import STEP_TRIES
from core.verdict import unclosed
from orchestrator.errors import TaskFailedError
from orchestrator.returns import BOOLEAN, CONCLUSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_durable_execution_sdk_python import DurableContext
    from aws_durable_execution_sdk_python.serdes import SerDes
    from aws_durable_execution_sdk_python.types import StepContext

    from core.outcome import Outcome
    from orchestrator.execution import Execution


T = TypeVar("T")


def run_step(
    context: DurableContext,
    name: str,
    body: Callable[[StepContext], T],
    returns: SerDes[T],
    tries: int = STEP_TRIES,
) -> T:
    """Run `body` in a durable step called `name`.

    Args:
        context: the execution's durable context.
        name: name of the operation; executions in flight are replayed by it.
        body: the step's work; it may be interrupted anywhere and repeated.
        returns: the serialiser of its value.
        tries: number of tries at errors that pass. The SDK's default tries six times at any error.

    Raises:
        StepError: the last try failed, or another one cannot help.
    """
    strategy = RetryStrategyConfig(
        max_attempts=tries,
        initial_delay=Duration.from_seconds(2),
        max_delay=Duration.from_minutes(1),
        retryable_error_types=[AwsBusyError],
    )
    config = StepConfig(retry_strategy=create_retry_strategy(strategy), serdes=returns)
    return context.step(body, name, config)


class Ending(NamedTuple):
    """The end of an attempt.

    Attributes:
        outcome: the outcome of its task.
        result: the container's result; None if it is still to be read.
        result_uri: the S3 address of that result; None if it is still to be read.
        is_closed: whether the record is closed by the function that reported the end.
    """

    outcome: Outcome
    result: Any = None
    result_uri: str | None = None
    is_closed: bool = False


def run_attempts(
    context: DurableContext,
    name: str,
    execution: Execution,
    attempt: Callable[[DurableContext, Execution], tuple[Execution, Ending]],
) -> tuple[Execution, Ending]:
    """Run attempts until an outcome is final, with a step and a wait called `name` in between.

    Args:
        context: the execution's durable context.
        name: name of the operations between two attempts.
        execution: the execution, with its first attempt.
        attempt: runs one attempt; returns the execution with its last launch, and how it ended.

    Returns:
        The execution with its last attempt, and how that ended.
    """
    while True:
        execution, ending = attempt(context, execution)
        delay = execution.retry_delay(ending.outcome)
        if delay is None or not _back_off(context, name, execution, ending.outcome):
            return execution, ending
        retry = {"kind": ending.outcome.kind, "delaySeconds": delay, "attempt": execution.attempt}
        retry |= {"capacity": execution.launch.capacity}
        context.logger.warning("Retrying", extra={"retry": retry})
        context.wait(Duration.from_seconds(delay), numbered(name, execution))
        execution = execution.next_attempt(ending.outcome)


def _back_off(context: DurableContext, name: str, execution: Execution, outcome: Outcome) -> bool:
    try:
        backed_off = run_step(
            context, numbered(name, execution), lambda _: execution.back_off(outcome), BOOLEAN
        )
    except StepError as error:
        # Without this write, the record cannot tell the next attempt from the last one.
        context.logger.warning("Not retried", extra={"reason": error.message})
        return False
    if not backed_off:
        context.logger.warning(
            "Not retried", extra={"reason": "The record is closed, or has a result"}
        )
    return backed_off


def numbered(name: str, execution: Execution) -> str:
    """Return an operation's name in the present attempt: the first has no number."""
    return name if execution.attempt == 1 else f"{name}-{execution.attempt}"


def conclude(
    context: DurableContext, name: str, execution: Execution, outcome: Outcome
) -> dict[str, Any]:
    """Close the record in a step called `name`, then `finish`."""
    try:
        conclusion = run_step(context, name, lambda _: execution.close(outcome), CONCLUSION)
    except StepError as error:
        context.logger.warning("Record left open", extra={"reason": error.message})
        conclusion = Conclusion(unclosed(execution.launch.flow, outcome, error.message))
    return finish(context, execution, conclusion)


def finish(context: DurableContext, execution: Execution, conclusion: Conclusion) -> dict[str, Any]:
    """Return the execution's result, and log it.

    Raises:
        TaskFailedError: the task did not succeed.
    """
    outcome = conclusion.outcome
    if not outcome.succeeded:
        error = TaskFailedError.of(conclusion, execution.facts)
        context.logger.error("Task failed", extra={"error": json.loads(error.data or "{}")})
        raise error
    final = {
        **execution.facts,
        "taskArn": outcome.task_arn,
        "outcome": outcome.kind,
        "exitCode": outcome.exit_code,
        "startedAt": outcome.started_at,
        "stoppedAt": outcome.stopped_at,
        "result": conclusion.result,
        "resultUri": conclusion.result_uri,
    }
    context.logger.info("Final result", extra={"final": final})
    return final
