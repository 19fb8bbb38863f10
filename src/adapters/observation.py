"""Metrics and traces of what a write to the record has made true, told by its writer alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters import traces
from adapters.metrics import emit
from adapters.telemetry import logger
from core import trace
from core.metrics import Metric, Sample, of_close, of_end

if TYPE_CHECKING:
    from core.outcome import Outcome
    from core.record import Record


def task_started(record: Record) -> None:
    """Count a task that its record has just got."""
    emit([Sample(Metric.TASKS_STARTED, flow=record.flow)], **_about(record))


def launch_refused(record: Record) -> None:
    """Count the launch before the one that was just prepared: it came to no task."""
    emit([Sample(Metric.LAUNCHES_REFUSED, flow=record.flow)], **_about(record))


def attempt_ended(record: Record, outcome: Outcome) -> None:
    """Count an attempt that has just ended, and send its segment.

    An attempt that had not begun has no end.
    """
    if record.is_backing_off:
        return
    about = _about(record)
    emit(of_end(record, outcome), **about)
    segment = trace.segment(record, outcome)
    refusal = traces.send(segment) if segment else None
    if refusal:
        emit([Sample(Metric.SEGMENTS_REFUSED)], **about)
        logger.warning("Segment not taken by X-Ray", extra={**about, "reason": refusal})


def record_closed(record: Record, outcome: Outcome, *, is_failure: bool) -> None:
    """Count a record that was just closed, with the end of its last attempt."""
    emit(of_close(record, is_failure=is_failure), **_about(record))
    attempt_ended(record, outcome)


def event_missed(record: Record) -> None:
    """Count a repair that an event should have made."""
    emit([Sample(Metric.EVENTS_MISSED)], **_about(record))


def _about(record: Record) -> dict[str, object]:
    return {"executionId": record.execution_id, "attempt": record.attempt}
