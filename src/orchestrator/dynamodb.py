"""DynamoDB flow, fire and forget: record, start, record, return; the worker reports the end."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python import StepError

from core.flow import Flow
from core.launch import Started
from core.outcome import Outcome
from core.record import Record, Status
from core.retry import LAUNCH_STEP_TRIES
from orchestrator.execution import Execution
from orchestrator.handlers import durable_handler
from orchestrator.launches import Try, launch
from orchestrator.returns import LAUNCHED, NOTHING, RECORD
from orchestrator.steps import conclude, run_step

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python import DurableContext
    from aws_durable_execution_sdk_python.types import StepContext


def run(payload: object, context: DurableContext) -> dict[str, Any]:
    """Start one task and return without waiting for it.

    Any durable handler may call this, once in an execution.

    Args:
        payload: the flow's fields, which `core.work.parse` reads; docs/payload.md lists them.
        context: the execution's durable context.

    Returns:
        executionId, taskArn, flow, attempt and status RUNNING; the record holds the rest.

    Raises:
        InvalidPayloadError: the payload was refused; nothing was started.
        TaskFailedError: the task could not be started.
    """
    execution = Execution.begin(payload, context, Flow.DYNAMODB)
    context.logger.info("Task starting")
    execution, started = launch(context, "run-task", Try(execution), _launch)
    if isinstance(started, Outcome):
        return conclude(context, "close-record", execution, started)
    record, task = started
    _store(context, execution, record, task.task_arn)
    context.logger.info("Returning", extra={"taskArn": task.task_arn})
    return {**execution.facts, "taskArn": task.task_arn, "status": Status.RUNNING.value}


# Lambda's entry point: `Handler` of the function in template.yaml names it.
handler = durable_handler(run)


def _launch(context: DurableContext, name: str, this: Try) -> tuple[Record, Started] | Outcome:
    """Store the record, then start the task: two steps, so that the history shows both ends."""
    record = run_step(context, "create-record", partial(_create, this), RECORD, LAUNCH_STEP_TRIES)
    start = partial(_start, this.execution, record)
    task = run_step(context, name, start, LAUNCHED, LAUNCH_STEP_TRIES)
    return task if isinstance(task, Outcome) else (record, task)


def _create(this: Try, step: StepContext) -> Record:
    # An interrupted try may have started the task, and the task may have a result already, which
    # may be too large for a step.
    created = this.create_record(step)
    return replace(created, result=None, result_uri=None, stray_uri=None, progress=None)


def _start(execution: Execution, record: Record, step: StepContext) -> Started | Outcome:
    # Only the table knows the result of an interrupted try of this step.
    task = execution.run_task(execution.stored() or record)
    if isinstance(task, Outcome):
        return task
    step.logger.info("Task started", extra={"taskArn": task, "capacity": record.capacity})
    return Started.of(record, task)


def _store(context: DurableContext, execution: Execution, record: Record, task_arn: str) -> None:
    """Store the task's ARN; the end of the task is reported without it too."""
    try:
        run_step(context, "store-task", lambda _: execution.store_task(record, task_arn), NOTHING)
    except StepError as error:
        context.logger.warning(
            "Task not recorded", extra={"taskArn": task_arn, "reason": error.message}
        )
