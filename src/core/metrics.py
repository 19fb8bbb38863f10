"""The stack's own metrics: what is counted, and the samples of an attempt's end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from core.flow import Flow
from core.outcome import FailedToStart, LearnedBy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.outcome import Outcome
    from core.record import Record

COUNT, SECONDS = "Count", "Seconds"
FLOW, OUTCOME = "flow", "outcome"


class _Kind(NamedTuple):
    name: str
    unit: str = COUNT
    dimensions: tuple[str, ...] = (FLOW,)


class Metric(Enum):
    """A metric of the stack, in CloudWatch under the stack's name; docs/operations.md lists them.

    Each run of the reconciler emits the gauges. Everything else is counted once, by the write that
    makes it true.
    """

    TASKS_STARTED = _Kind("TasksStarted")
    LAUNCHES_REFUSED = _Kind("LaunchesRefused")
    ATTEMPTS_ENDED = _Kind("AttemptsEnded", dimensions=(FLOW, OUTCOME))
    ATTEMPTS_PER_EXECUTION = _Kind("AttemptsPerExecution")
    START_SECONDS = _Kind("StartSeconds", SECONDS)
    RUN_SECONDS = _Kind("RunSeconds", SECONDS)
    ANSWER_SECONDS = _Kind("AnswerSeconds", SECONDS)
    LEARNED_BY_EVENT = _Kind("LearnedByEvent")
    LEARNED_BY_CHECK = _Kind("LearnedByCheck")
    LEARNED_BY_RECONCILER = _Kind("LearnedByReconciler")
    EXECUTIONS_FAILED = _Kind("ExecutionsFailed", dimensions=())
    EVENTS_MISSED = _Kind("EventsMissed", dimensions=())
    OPEN_RECORDS = _Kind("OpenRecords")
    OLDEST_OVERDUE_SECONDS = _Kind("OldestOverdueSeconds", SECONDS, ())
    SEGMENTS_REFUSED = _Kind("SegmentsRefused", dimensions=())


# Only this version's words count: there is no metric for another version's.
_LEARNED: Mapping[str | None, Metric] = {
    LearnedBy.EVENT: Metric.LEARNED_BY_EVENT,
    LearnedBy.CHECK: Metric.LEARNED_BY_CHECK,
    LearnedBy.RECONCILER: Metric.LEARNED_BY_RECONCILER,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric.

    Attributes:
        value: the value in the metric's unit.
        flow: the flow, for a metric with this dimension.
        outcome: the kind of an end, for a metric with this dimension.
    """

    metric: Metric
    value: float = 1
    flow: Flow | None = None
    outcome: str | None = None

    @property
    def dimensions(self) -> Mapping[str, str]:
        """The sample's dimensions by name."""
        values = {FLOW: self.flow and self.flow.value, OUTCOME: self.outcome}
        return {name: values[name] or "" for name in self.metric.value.dimensions}


def of_end(record: Record, outcome: Outcome) -> Iterator[Sample]:
    """Yield the samples of an attempt's end.

    Args:
        record: the attempt's record.
        outcome: how the attempt ended, with who learned it and when.
    """
    flow = record.flow
    yield Sample(Metric.ATTEMPTS_ENDED, 1, flow, outcome.kind)
    if outcome.task_arn is None and isinstance(outcome, FailedToStart):
        yield Sample(Metric.LAUNCHES_REFUSED, 1, flow)
    if by := _LEARNED.get(outcome.learned_by):
        yield Sample(by, 1, flow)
    spans = (
        (Metric.START_SECONDS, record.begun_at, outcome.started_at),
        (Metric.RUN_SECONDS, outcome.started_at, outcome.stopped_at),
        (Metric.ANSWER_SECONDS, outcome.stopped_at, outcome.learned_at),
    )
    for metric, begin, end in spans:
        if begin and end:
            yield Sample(metric, _between(begin, end), flow)


def of_close(record: Record, *, is_failure: bool) -> Iterator[Sample]:
    """Yield the samples of a record's close, beside those of its last attempt's end.

    Args:
        record: the record that is closed.
        is_failure: whether its execution has failed, and nobody stopped it.
    """
    begun = record.attempt - record.is_backing_off
    yield Sample(Metric.ATTEMPTS_PER_EXECUTION, begun, record.flow)
    if is_failure:
        yield Sample(Metric.EXECUTIONS_FAILED)


@dataclass
class Gauges:
    """The open records as one run of the reconciler sees them.

    Attributes:
        open: number of open records by flow.
        overdue: seconds since the deadline of the longest overdue record; 0 for none.
    """

    open: Counter[Flow] = field(default_factory=Counter)
    overdue: float = 0

    def see(self, record: Record, now: datetime) -> None:
        """Add an open record."""
        self.open[record.flow] += 1
        if not record.is_backing_off:
            late = now - datetime.fromisoformat(record.deadline)
            self.overdue = max(self.overdue, late.total_seconds())

    def samples(self) -> Iterator[Sample]:
        """Yield the samples of the gauges, for each flow."""
        for flow in Flow:
            yield Sample(Metric.OPEN_RECORDS, self.open[flow], flow)
        yield Sample(Metric.OLDEST_OVERDUE_SECONDS, self.overdue)


def _between(begin: str, end: str) -> float:
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
    # The clocks of ECS and Lambda differ a little.
    return max(seconds, 0.0)
