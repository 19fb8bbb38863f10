from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.counts import astray, wrong
from tests.faults.invariants import End
from tests.faults.scenario import Point, Scenario

SCENARIO = Scenario("eventbridge", "Spot")
KILLED = replace(SCENARIO, points=(Point("task-state", "UpdateItem", 1, "after"),))
ENTRIES = [
    {"attempt": 1, "kind": "SpotInterrupted", "taskArn": "arn:1", "learnedBy": "event"},
    {"attempt": 2, "kind": "Succeeded", "taskArn": "arn:2", "learnedBy": "reconciler"},
]
END = End({}, {"attempt": 2, "status": "COMPLETED", "attempts": ENTRIES}, [], [])


def line(name: str, value: float = 1, **dimensions: str) -> dict[str, Any]:
    """Return a line with one metric in CloudWatch's embedded format."""
    directive = {"Dimensions": [[*dimensions]], "Metrics": [{"Name": name}]}
    return {"_aws": {"CloudWatchMetrics": [directive]}, **dimensions, name: [value]}


LINES = [
    line("TasksStarted"),
    line("AttemptsEnded", outcome="SpotInterrupted"),
    line("LearnedByEvent"),
    line("TasksStarted"),
    line("AttemptsPerExecution", 2),
    line("AttemptsEnded", outcome="Succeeded"),
    line("LearnedByReconciler"),
]


def test_all_counted() -> None:
    """Metrics that say what the record says are right."""
    assert list(wrong(SCENARIO, END, LINES)) == []


@pytest.mark.parametrize("lost", range(len(LINES)))
def test_lost_count(lost: int) -> None:
    """A count that is missing is wrong, but where a function has died."""
    rest = [each for number, each in enumerate(LINES) if number != lost]
    assert len(list(wrong(SCENARIO, END, rest))) == 1
    assert list(wrong(KILLED, END, rest)) == []


@pytest.mark.parametrize("scenario", [SCENARIO, KILLED])
@pytest.mark.parametrize("doubled", LINES)
def test_doubled_count(doubled: dict[str, Any], scenario: Scenario) -> None:
    """A count that is doubled is wrong, whoever has died."""
    assert len(list(wrong(scenario, END, [*LINES, doubled]))) == 1


@pytest.mark.parametrize(
    "unknown", [line("AttemptsEnded", outcome="TimedOut"), line("LearnedByCheck")]
)
def test_unknown_count(unknown: dict[str, Any]) -> None:
    """A count of an end that the record does not know is wrong."""
    assert len(list(wrong(SCENARIO, END, [*LINES, unknown]))) == 1


def test_failure() -> None:
    """A record that is closed FAILED counts as a failure, once."""
    failed = replace(END, record={**END.record, "status": "FAILED"})
    assert list(wrong(SCENARIO, failed, LINES)) == ["ExecutionsFailed  is 0, the record says 1"]
    assert list(wrong(SCENARIO, failed, [*LINES, line("ExecutionsFailed")])) == []
    stopped = replace(SCENARIO, points=(Point("orchestrator", "RunTask", 1, "stop"),))
    assert list(wrong(stopped, failed, LINES)) == []


def test_open_record() -> None:
    """A record that is open is not held to its counts."""
    assert list(wrong(SCENARIO, replace(END, record={**END.record, "open": "OPEN"}), [])) == []


def segment(attempt: int) -> dict[str, Any]:
    """Return an attempt's segment."""
    return {"annotations": {"attempt": attempt}}


SEGMENTS = [segment(1), segment(2)]


def test_all_traced() -> None:
    """A trace that has one segment for each attempt is right."""
    assert list(astray(SCENARIO, END, SEGMENTS, LINES)) == []


@pytest.mark.parametrize("scenario", [SCENARIO, KILLED])
@pytest.mark.parametrize("more", [1, 2, 3])
def test_segment_too_many(scenario: Scenario, more: int) -> None:
    """A second segment of an attempt is wrong, and one of an attempt that never was."""
    assert len(list(astray(scenario, END, [*SEGMENTS, segment(more)], LINES))) == 1


def test_segment_that_is_missing() -> None:
    """An attempt without a segment is wrong, but where a function has died or X-Ray refused it."""
    assert len(list(astray(SCENARIO, END, SEGMENTS[:1], LINES))) == 1
    assert list(astray(KILLED, END, SEGMENTS[:1], LINES)) == []
    assert list(astray(SCENARIO, END, SEGMENTS[:1], [*LINES, line("SegmentsRefused")])) == []
    assert len(list(astray(SCENARIO, END, [], [*LINES, line("SegmentsRefused")]))) == 1
