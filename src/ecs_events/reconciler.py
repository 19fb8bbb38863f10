"""Reconciler: runs on a schedule, and repairs what missed events have left undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters import observation
from adapters.records import Records
from adapters.settings import Settings
from adapters.telemetry import logger, tracer
from ecs_events.reconciliation import Reconciliation
from ecs_events.sweep import sweep
from ecs_events.tally import Tally

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from core.done import Done


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(_event: dict[str, Any], context: LambdaContext) -> dict[Done, int]:
    """Look at every open record and every running task once, and at a part of all records.

    Args:
        _event: the schedule's event; nothing in it matters.
        context: Lambda's context.

    Returns:
        The number of times by word for what was done.

    Raises:
        AwsBusyError, AwsRefusedError: a list could not be read; the next run starts afresh.
    """
    settings = Settings.load()
    records = Records.of(settings)

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1_000

    tally = Tally(seconds_left)
    try:
        Reconciliation(settings, records, tally).run()
        sweep(records, tally)
    finally:
        # The repairs of a run that broke off count too.
        observation.run_over(tally.gauges)
        logger.info("Reconciled", extra={"done": dict(tally.done)})
    return dict(tally.done)
