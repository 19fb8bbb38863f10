"""DynamoDB flow, fire and forget: record, start, record again, return; the worker tells the end."""

from __future__ import annotations

from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepError, durable_execution
from aws_durable_execution_sdk_python.config import StepConfig

from adapters.telemetry import logger, tracer
from core.outcome import Outcome
from core.record import Flow, Record, Status
from orchestrator.execution import Execution
from orchestrator.steps import RETRIED, RETRY, not_started, settle


@tracer.capture_lambda_handler(capture_response=False)
@durable_execution
@logger.inject_lambda_context
def handler(event: object, context: DurableContext) -> dict[str, Any]:
    """Start one task and return without waiting for it.

    Args:
        event: the payload; see `core.request.Work`.
        context: the execution's durable context.

    Returns:
        executionId, taskArn, flow, attempt and status RUNNING; the record tells the rest.

    Raises:
        InvalidPayloadError: the payload was refused; nothing was started.
        TaskFailedError: the task could not be started.
        StepError: the task runs, but its ARN could not be recorded.
    """
    execution = Execution.begin(event, context, Flow.DYNAMODB)
    context.logger.info("Task starting")
    try:
        record = Record.from_item(
            context.step(
                lambda step: execution.create_record(step.logger).to_item(),
                "create-record",
                StepConfig(retry_strategy=RETRY),
            )
        )
        task = context.step(
            lambda step: execution.run_task(step.logger, record), "run-task", RETRIED
        )
    except StepError as error:
        task = not_started(error)
    if isinstance(task, Outcome):
        return settle(context, "close-record", execution, task)
    context.step(lambda _: execution.store_task(record, task), "store-task", RETRIED)
    context.logger.info("Returning", extra={"taskArn": task})
    return {**execution.facts, "taskArn": task, "status": Status.RUNNING.value}
