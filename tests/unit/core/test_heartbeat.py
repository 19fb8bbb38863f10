from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.heartbeat import silent, silent_from
from core.outcome import FailedToStart, TimedOut, classify, stop_reason
from tests.unit.core.tasks import WORKER, container, stopped
from tests.values import record

STARTED = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = STARTED + timedelta(hours=1)
RUNNING: dict[str, Any] = {"desiredStatus": "RUNNING", "startedAt": STARTED}


def at(minutes: float, task: dict[str, Any] | None = None, **changes: Any) -> float | None:
    """Return how many minutes after the start a report is due, one having come so late."""
    told = {"at": (STARTED + timedelta(minutes=minutes)).isoformat()}
    found = record(**{"heartbeat_seconds": 600, "progress": told, **changes})
    due = silent_from(task or RUNNING, found, NOW)
    return (due - STARTED) / timedelta(minutes=1) if due else None


def test_no_report_yet() -> None:
    """The first report is due so long after the task has started."""
    assert at(0, progress=None) == 10
    assert at(0, progress={"percent": 7}) == 10


def test_last_report() -> None:
    """Each report is due so long after the one before it."""
    assert at(30) == 40
    assert at(60) == 70


def test_report_of_another_time() -> None:
    """A report from more than a minute ahead, or from before the start, moves no limit."""
    assert at(61.1) == 10
    assert at(-5) == 10


def test_clock_that_is_ahead() -> None:
    """A report whose clock is less than a minute ahead counts as one of this moment."""
    assert at(60.1) == at(61) == 70


@pytest.mark.parametrize("moment", ["soon", "", "2026-03-02T09:30:00", 7, None, ["x"]])
def test_no_time(moment: object) -> None:
    """A report that names no moment is none."""
    assert at(0, progress={"at": moment}) == 10


@pytest.mark.parametrize(
    "task",
    [
        {"desiredStatus": "RUNNING"},
        {"desiredStatus": "RUNNING", "startedAt": None},
        {**RUNNING, "desiredStatus": "STOPPED"},
    ],
)
def test_no_limit(task: dict[str, Any]) -> None:
    """A task that has not started has another limit, and one that is to stop has none."""
    assert at(0, task) is None


def test_nobody_asked() -> None:
    """A worker that nobody asked to report may be silent for as long as it likes."""
    assert at(0, heartbeat_seconds=None) is None


def test_end() -> None:
    """A task that was stopped for its silence has timed out, with advice of its own."""
    reason = stop_reason(silent(600))
    end = classify(stopped(container(143), stopCode="UserInitiated", stoppedReason=reason), WORKER)
    assert isinstance(end, TimedOut)
    assert "no progress for 600 s" in end.detail
    assert "heartbeatSeconds" in end.advice
    assert not isinstance(end, FailedToStart)
