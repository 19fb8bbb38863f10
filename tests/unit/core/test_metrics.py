from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from core.done import Done
from core.flow import Flow
from core.metrics import Gauges, Metric, Sample, of_close, of_end
from core.outcome import Cancelled, FailedToStart, Outcome, Succeeded
from tests.unit.core.test_trace import LIFE
from tests.values import record

RECORD = record(begun_at="2026-03-02T09:14:30.000Z")
DONE = Succeeded(exit_code=0, **LIFE)
FLOW = Flow.EVENTBRIDGE


def counted(outcome: Outcome) -> dict[str, float]:
    """Return what the end of an attempt adds, by the metrics' names."""
    return {sample.metric.value.name: sample.value for sample in of_end(RECORD, outcome)}


def test_end() -> None:
    """The end of an attempt is counted by its kind and by who learned it, with how long it took."""
    assert list(of_end(RECORD, DONE)) == [
        Sample(Metric.ATTEMPTS_ENDED, 1, FLOW, "Succeeded"),
        Sample(Metric.LEARNED_BY_EVENT, 1, FLOW),
        Sample(Metric.START_SECONDS, 30, FLOW),
        Sample(Metric.RUN_SECONDS, 10, FLOW),
        Sample(Metric.ANSWER_SECONDS, 1.5, FLOW),
    ]


@pytest.mark.parametrize(
    ("learned_by", "name"),
    [
        ("event", "LearnedByEvent"),
        ("check", "LearnedByCheck"),
        ("reconciler", "LearnedByReconciler"),
    ],
)
def test_learned(learned_by: str, name: str) -> None:
    """An end is counted for the one who learned it."""
    found = counted(replace(DONE, learned_by=learned_by))
    assert [metric for metric in found if metric.startswith("Learned")] == [name]


@pytest.mark.parametrize("learned_by", [None, "oracle"])
def test_learned_by_nobody_known(learned_by: str | None) -> None:
    """An end whose `learnedBy` is another version's word is counted for no party."""
    assert not any(
        name.startswith("Learned") for name in counted(replace(DONE, learned_by=learned_by))
    )


@pytest.mark.parametrize(
    ("outcome", "refused"),
    [
        (FailedToStart(detail="no room"), True),
        (FailedToStart(task_arn="arn:task"), False),
        (Cancelled(), False),
    ],
)
def test_refused_launch(outcome: Outcome, *, refused: bool) -> None:
    """An attempt whose last launch started no task counts one more refused launch."""
    assert ("LaunchesRefused" in counted(outcome)) is refused


@pytest.mark.parametrize(
    ("unknown", "left"),
    [
        ({"started_at": None}, {"AnswerSeconds"}),
        ({"stopped_at": None}, {"StartSeconds"}),
        ({"learned_at": None}, {"StartSeconds", "RunSeconds"}),
    ],
)
def test_times_that_are_not_told(unknown: dict[str, Any], left: set[str]) -> None:
    """A duration is counted only where both of its moments are known."""
    found = counted(replace(DONE, **unknown))
    assert {name for name in found if name.endswith("Seconds")} == left


def test_clocks_that_differ() -> None:
    """A duration is never negative, although the clocks of ECS and Lambda differ."""
    assert counted(replace(DONE, learned_at="2026-03-02T09:15:09.000Z"))["AnswerSeconds"] == 0


def test_close() -> None:
    """The close of a record counts its execution's attempts, and a failure."""
    closed = replace(RECORD, attempt=3)
    attempts = Sample(Metric.ATTEMPTS_PER_EXECUTION, 3, FLOW)
    assert list(of_close(closed, is_failure=False)) == [attempts]
    assert list(of_close(closed, is_failure=True)) == [attempts, Sample(Metric.EXECUTIONS_FAILED)]


def test_close_between_attempts() -> None:
    """An attempt that has not begun does not count among an execution's attempts."""
    between = replace(RECORD, attempt=3, launch=0)
    assert list(of_close(between, is_failure=False)) == [
        Sample(Metric.ATTEMPTS_PER_EXECUTION, 2, FLOW)
    ]


def test_dimensions() -> None:
    """A sample has the dimensions of its metric, and no others."""
    assert Sample(Metric.ATTEMPTS_ENDED, 1, FLOW, "Succeeded").dimensions == {
        "flow": "eventbridge",
        "outcome": "Succeeded",
    }
    assert Sample(Metric.TASKS_STARTED, flow=FLOW, outcome="Succeeded").dimensions == {
        "flow": "eventbridge"
    }
    assert Sample(Metric.EXECUTIONS_FAILED, flow=FLOW).dimensions == {}


def seen(now: str, *records: Any) -> dict[tuple[str, ...], float]:
    """Return what a run tells of these open records."""
    gauges = Gauges()
    for each in records:
        gauges.see(each, datetime.fromisoformat(now))
    samples = gauges.samples()
    return {(s.metric.value.name, *s.dimensions.values()): s.value for s in samples}


def test_gauges() -> None:
    """A run emits the number of open records by flow, and the time of the longest overdue one."""
    late = record(deadline="2026-03-02T10:00:00.000Z")
    later = record(flow=Flow.POLLING, deadline="2026-03-02T09:59:00.000Z")
    young = record(deadline="2026-03-02T11:00:00.000Z")
    assert seen("2026-03-02T10:05:00+00:00", late, later, young) == {
        ("OpenRecords", "polling"): 1,
        ("OpenRecords", "dynamodb"): 0,
        ("OpenRecords", "eventbridge"): 2,
        ("OldestOverdueSeconds",): 360,
    }


@pytest.mark.parametrize(
    "on_time",
    [
        [],
        [record(deadline="2026-03-02T11:00:00.000Z")],
        # Its deadline is that of the attempt before.
        [record(deadline="2026-03-02T09:00:00.000Z", launch=0)],
    ],
)
def test_nothing_overdue(on_time: list[Any]) -> None:
    """A run that finds nothing overdue emits 0 seconds."""
    assert seen("2026-03-02T10:05:00+00:00", *on_time)["OldestOverdueSeconds",] == 0


@pytest.mark.parametrize(
    ("done", "missed"),
    [
        (Done.CALLBACK_SUCCEEDED, True),
        (Done.CLOSED_FAILED, True),
        (Done.ABANDONED_TIMED_OUT, True),
        (Done.STOPPED_OVERDUE, False),
        (Done.STOPPED_ORPHAN, False),
        (Done.CLOSED_AFTER_SUCCESS, False),
        (Done.RUNNING, False),
    ],
)
def test_missed_events(done: Done, *, missed: bool) -> None:
    """A repair counts as a missed event where an event should have made it before."""
    assert done.is_in_place_of_event is missed
