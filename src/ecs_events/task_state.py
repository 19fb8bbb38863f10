"""Task-state function: the target of the rule on ECS task state changes."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent, event_source
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

from adapters import clock
from adapters.clients import client
from adapters.records import Records
from adapters.settings import TaskStateSettings
from adapters.telemetry import logger, tracer
from core.correlation import Correlation, family
from core.done import Done
from core.outcome import LearnedBy, classify, is_ending
from core.record import Standing, UnknownFlowError
from ecs_events.completion import Completion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from core.outcome import Outcome
    from core.record import Record

# Longer than EventBridge and Lambda together retry the delivery of an event; a test compares.
REMEMBERED = timedelta(days=2)
_IGNORED = {
    Standing.STALE_ATTEMPT: Done.STALE_ATTEMPT,
    Standing.OTHER_TASK: Done.OTHER_TASK,
    Standing.CLOSED: Done.RECORD_CLOSED,
}


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@event_source(data_class=EventBridgeEvent)
def handler(event: EventBridgeEvent, context: LambdaContext) -> dict[str, Any]:
    """Report the end of a task to its execution, or to its record.

    Args:
        event: an `ECS Task State Change` event, delivered at least once and in any order.
        context: Lambda's context.

    Returns:
        `done`: the word for what was done, or why nothing was.

    Raises:
        NotSettledError, AwsBusyError, AwsRefusedError: Lambda has to deliver the event again.
    """
    task = event.detail
    completion = _completion(task)
    if isinstance(completion, Done):
        done: str = completion
    else:
        key = {"taskArn": task["taskArn"], "version": task["version"]}
        once, idempotency = _once()
        idempotency.register_lambda_context(context)
        done = once(_event_key=key, completion=completion)
    seen = {name: task.get(name) for name in ("taskArn", "lastStatus", "version", "stopCode")}
    logger.info("Task event", extra={**seen, "done": done})
    return {"done": done}


def _completion(task: Mapping[str, Any]) -> Completion | Done:
    """Return the completion that the event makes possible, or the reason why there is none."""
    settings = TaskStateSettings.load()
    correlation = Correlation.parse(task.get("startedBy"))
    if correlation is None or correlation.stack != settings.stack_name:
        return Done.STRANGER
    logger.set_correlation_id(correlation.execution_id)
    tracer.put_annotation("executionId", correlation.execution_id)
    if task["clusterArn"] != settings.cluster_arn:
        return Done.OTHER_PLACE
    # The check comes before the read of the record: most events of a task are not its end.
    if not is_ending(task):
        return Done.NOT_OVER
    records = Records.of(settings)
    try:
        record = records.get(correlation.execution_id)
    except UnknownFlowError:
        return Done.OTHER_VERSION
    if record is None:
        return Done.NO_RECORD
    outcome = _end(task, correlation.attempt, record)
    return outcome if isinstance(outcome, Done) else Completion(settings, records, record, outcome)


def _end(task: Mapping[str, Any], attempt: int, record: Record) -> Outcome | Done:
    """Return the end of a record's task, or the reason why the event shows none."""
    if family(task) != record.job.family:
        return Done.OTHER_PLACE
    outcome = classify(task, record.job.container)
    if outcome is None:
        return Done.NOT_OVER
    outcome = outcome.learned(LearnedBy.EVENT, clock.now())
    standing = record.standing(attempt, task["taskArn"])
    return outcome if standing is Standing.CURRENT else _IGNORED[standing]


@cache
def _once() -> tuple[Callable[..., str], IdempotencyConfig]:
    """Return a `_complete` that runs once for each event, however often it is delivered."""
    table = TaskStateSettings.load().idempotency_table
    config = IdempotencyConfig(expires_after_seconds=int(REMEMBERED.total_seconds()))
    once = idempotent_function(
        _complete,
        data_keyword_argument="_event_key",
        config=config,
        persistence_store=DynamoDBPersistenceLayer(table, boto3_client=client("dynamodb")),
    )
    return once, config


def _complete(*, _event_key: dict[str, Any], completion: Completion) -> Done:
    """Report the end; the decorator recognises a repeated event by `_event_key`."""
    return completion.complete()
