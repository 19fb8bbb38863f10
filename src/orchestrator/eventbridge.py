"""EventBridge flow: a durable callback, answered by the task-state function when the task ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python import (
    CallbackExternalError,
    CallbackTimeoutError,
    StepError,
)
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration

from adapters import clock
from core.answer import Answer
from core.conclusion import Conclusion
from core.flow import Flow
from core.outcome import Cancelled, Outcome, TimedOut
from core.polling import PollState
from core.start import has_last_word
from orchestrator.execution import Execution
from orchestrator.handlers import durable_handler
from orchestrator.launches import launch_in_one_step
from orchestrator.looks import since, until_ended
from orchestrator.returns import OUTCOME
from orchestrator.steps import Ending, conclude, finish, numbered, run_attempts, run_step

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python import DurableContext
    from aws_durable_execution_sdk_python.context import Callback

    from core.launch import Started


def run(payload: object, context: DurableContext) -> dict[str, Any]:
    """Run one task and return how it ended.

    Any durable handler may call this, once in an execution.

    Args:
        payload: the flow's fields, which `core.work.parse` reads; docs/payload.md lists them.
        context: the execution's durable context.

    Returns:
        executionId, taskArn, flow, attempt, outcome, exitCode, startedAt, stoppedAt, result,
        resultUri.

    Raises:
        InvalidPayloadError: the payload was refused; nothing was started.
        TaskFailedError: the task failed, was stopped or never ran.
    """
    execution = Execution.begin(payload, context, Flow.EVENTBRIDGE)
    context.logger.info("Task starting")
    execution, ending = run_attempts(context, "back-off", execution, _attempt)
    if ending.is_closed:
        conclusion = Conclusion(ending.outcome, ending.result, result_uri=ending.result_uri)
        return finish(context, execution, conclusion)
    return conclude(context, "close-record", execution, ending.outcome)


# Lambda's entry point: `Handler` of the function in template.yaml names it.
handler = durable_handler(run)


def _attempt(context: DurableContext, execution: Execution) -> tuple[Execution, Ending]:
    """Start one task and suspend until its end is reported."""
    timeout = CallbackConfig(timeout=Duration.from_seconds(execution.work.timeout_seconds))
    callback: Callback[str] = context.create_callback(numbered("task-end", execution), timeout)
    callback_id = callback.callback_id
    execution, task = launch_in_one_step(context, "launch-task", execution, callback_id)
    if isinstance(task, Outcome):
        return execution, Ending(task)
    answer = _wait(callback)
    if isinstance(answer, Outcome):
        return execution, Ending(_stop(context, execution, task, answer))
    # The task-state function closes the record of a success: no step, no operation for it.
    is_closed = answer.outcome.succeeded
    return execution, Ending(answer.outcome, answer.result, answer.result_uri, is_closed)


def _wait(callback: Callback[str]) -> Answer | Outcome:
    """Suspend until the callback is closed; return the stack's answer, or the outcome instead."""
    try:
        text = callback.result()
    except CallbackTimeoutError:
        return TimedOut()
    except CallbackExternalError as error:
        text = error.data
    return Answer.read(text) or Cancelled(detail="The callback was answered by hand")


def _stop(context: DurableContext, execution: Execution, task: Started, ending: Outcome) -> Outcome:
    """Stop the task; return `ending`, or the task's own end as ECS shows it.

    ECS has the last word on a task that was not seen to run: only ECS knows whether it ran.
    """
    try:
        stopped = run_step(
            context,
            numbered("stop-task", execution),
            lambda _: execution.stop(task, ending),
            OUTCOME,
        )
    except StepError as error:
        detail = f"The task could not be stopped and may still run: {error.message}"
        return replace(ending, task_arn=task.task_arn, detail=detail)
    if not has_last_word(stopped):
        return stopped
    # Only the first look reads this state; each later one reads the state of the look before it.
    asked = PollState(begun := since(task), stopped_at=int(clock.now().timestamp()) - begun)
    return until_ended(context, "task-stopped", execution, task, asked)
