"""Execution-status function: the target of the rule on ends of durable executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent, event_source

from adapters.records import Records
from adapters.settings import Settings
from adapters.telemetry import logger, tracer
from core.correlation import execution_id
from core.done import Done
from core.outcome import LearnedBy
from core.record import UnknownFlowError
from core.verdict import ENDED_BADLY
from ecs_events.abandonment import Abandonment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@event_source(data_class=EventBridgeEvent)
def handler(event: EventBridgeEvent, _context: LambdaContext) -> dict[str, Any]:
    """Stop the task that an ended execution has left: no code of the execution runs any more.

    Args:
        event: a `Durable Execution Status Change` event, delivered at least once.
        _context: Lambda's context.

    Returns:
        `done`: the word for what was done, or why nothing was.

    Raises:
        AwsBusyError, AwsRefusedError, NotSettledError: Lambda has to deliver the event again.
    """
    done = _settle(event.detail)
    arn, status = event.detail["durableExecutionArn"], event.detail["status"]
    logger.info("Execution event", extra={"executionArn": arn, "status": status, "done": done})
    return {"done": done}


def _settle(detail: Mapping[str, Any]) -> Done:
    settings = Settings.load()
    arn, status = detail["durableExecutionArn"], detail["status"]
    if status not in ENDED_BADLY:
        return Done.HARMLESS_STATUS
    key = execution_id(arn)
    logger.set_correlation_id(key)
    tracer.put_annotation("executionId", key)
    records = Records.of(settings)
    try:
        record = records.get(key)
    except UnknownFlowError:
        # The reconciler closes the record if no other version does.
        return Done.OTHER_VERSION
    # The rule sends the events of other functions' executions too.
    if record is None or record.execution_arn != arn:
        return Done.NO_RECORD
    if not record.is_open:
        return Done.RECORD_CLOSED
    return Abandonment(settings, records, record, status, LearnedBy.EVENT).settle()
