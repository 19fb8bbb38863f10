"""Metrics and traces of a write to the record; only the writer that made the write emits them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from adapters import traces
from adapters.metrics import emit
from adapters.telemetry import logger
from core import trace
from core.metrics import Metric, Sample, of_close, of_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.metrics import Gauges
    from core.outcome import Outcome
    from core.record import Record, UnreadableRecordError


@contextmanager
def _harmless() -> Iterator[None]:
    """Log an error, and go on: the write is done, and its caller has to learn that."""
    try:
        yield
    except Exception:  # noqa: BLE001 - no error of a metric may hide a write that was made
        logger.exception("Not counted")


@_harmless()
def task_started(record: Record) -> None:
    """Count a task that was just written into its record."""
    emit([Sample(Metric.TASKS_STARTED, flow=record.flow)], **_about(record))


@_harmless()
def launch_refused(record: Record) -> None:
    """Count the launch before the one that was just prepared: it started no task."""
    emit([Sample(Metric.LAUNCHES_REFUSED, flow=record.flow)], **_about(record))


@_harmless()
def attempt_ended(record: Record, outcome: Outcome) -> None:
    """Count an attempt that has just ended; an attempt that had not begun has no end."""
    if not record.is_backing_off:
        emit(of_end(record, outcome), **_about(record))


@_harmless()
def trace_attempt(record: Record, outcome: Outcome) -> None:
    """Send the segment of an attempt that has just ended; this comes last, for it is a call."""
    if record.is_backing_off:
        return
    about, segment = _about(record), trace.segment(record, outcome)
    refusal = traces.send(segment) if segment else None
    if refusal:
        emit([Sample(Metric.SEGMENTS_REFUSED)], **about)
        logger.warning("Segment not taken by X-Ray", extra={**about, "reason": refusal})


@_harmless()
def record_closed(record: Record, outcome: Outcome, *, is_failure: bool) -> None:
    """Count a record that was just closed, with the end of its last attempt."""
    emit(of_close(record, is_failure=is_failure), **_about(record))
    attempt_ended(record, outcome)


@_harmless()
def unreadable_closed(unreadable: UnreadableRecordError) -> None:
    """Count a failed execution whose record cannot be read: nothing else of it can be counted."""
    about = {"executionId": unreadable.execution_id, "attempt": unreadable.attempt}
    emit([Sample(Metric.EXECUTIONS_FAILED)], **about)


@_harmless()
def event_missed(record: Record) -> None:
    """Count a repair that an event should have made."""
    emit([Sample(Metric.EVENTS_MISSED)], **_about(record))


@_harmless()
def run_over(gauges: Gauges) -> None:
    """Emit the gauges of a run of the reconciler."""
    emit(gauges.samples())


def _about(record: Record) -> dict[str, object]:
    return {"executionId": record.execution_id, "attempt": record.attempt}
