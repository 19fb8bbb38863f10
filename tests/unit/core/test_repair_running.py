"""Repairs of records whose task runs, or is about to; times are minutes before the look."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.done import Done
from core.flow import Flow
from core.repair import (
    Abandon,
    Complete,
    Leave,
    Repair,
    StopOverdue,
    StopSilent,
    StopUnstarted,
    decide,
    once_stopped,
)
from tests.unit.core.sights import (
    BADLY,
    FAILED,
    NO_END,
    NOW,
    OTHER,
    Row,
    Sight,
    ago,
    ended,
    known,
    pending,
    rows,
    running,
    silent,
)

RUNNING: list[Row] = [
    *(
        ("all is well", known(running(flow=flow), execution=status), Leave(Done.RUNNING))
        for flow in Flow
        for status in [*NO_END, "SUCCEEDED"]
    ),
    *(
        (
            "nobody waits for the task any more",
            known(running(flow=flow), execution=status),
            Abandon(status),
        )
        for flow in Flow
        for status in BADLY
    ),
    *(
        (
            "the execution's own timeout comes first",
            known(running(flow=flow, deadline=ago(1.9)), execution="RUNNING"),
            Leave(Done.RUNNING),
        )
        for flow in Flow
    ),
    *(
        (
            "it is past its deadline, and runs no longer for what Lambda does not say",
            known(running(flow=flow, deadline=ago(2))),
            StopOverdue(),
        )
        for flow in Flow
    ),
]


LIMITED = {"start_timeout_seconds": 900}
STARTING: list[Row] = [
    *(
        (
            "it may still start",
            pending(running(flow=flow, **LIMITED), limit, execution="RUNNING"),
            Leave(Done.RUNNING),
        )
        for flow in Flow
        for limit in (-1, 0, 1.9)
    ),
    *(
        (
            "nobody keeps its limit, or not in time",
            pending(running(flow=flow, **LIMITED), 2, execution=status),
            StopUnstarted(900),
        )
        for flow in Flow
        for status in [*NO_END, "SUCCEEDED"]
    ),
    *(
        (
            "nobody waits for it either",
            pending(running(flow=flow, **LIMITED), 2, execution=status),
            Abandon(status),
        )
        for flow in Flow
        for status in BADLY
    ),
    *(
        (
            "its attempt is over too",
            pending(running(flow=flow, deadline=ago(2), **LIMITED), 2),
            StopOverdue(),
        )
        for flow in Flow
    ),
    (
        "another version's record sets no limit",
        pending(running(), 60, execution="RUNNING"),
        Leave(Done.RUNNING),
    ),
    (
        "it has ended meanwhile",
        replace(ended(running(**LIMITED), FAILED), starts_by=NOW - timedelta(hours=1)),
        Complete(running(**LIMITED), FAILED),
    ),
]


# A report is due 10 minutes after the task's start, and waited for 2 minutes more.
BEATING = {"heartbeat_seconds": 600}
SILENT: list[Row] = [
    *(
        (
            "it may still report, or the report is on its way",
            Sight(
                running(flow=flow, **BEATING),
                is_known=True,
                started=NOW - timedelta(minutes=minutes),
                answers={"execution": "RUNNING"},
            ),
            Leave(Done.RUNNING),
        )
        for flow in Flow
        for minutes in (9, 10, 11.9)
    ),
    *(
        (
            "it has reported since the record was read",
            silent(
                running(flow=flow, **BEATING),
                60,
                fresh=running(flow=flow, **BEATING, progress={"at": ago(minutes)}),
                execution="RUNNING",
            ),
            Leave(Done.RUNNING),
        )
        for flow in Flow
        for minutes in (-0.9, 0, 11.9)
    ),
    (
        "what it has reported since is old",
        silent(
            running(**BEATING),
            60,
            fresh=running(**BEATING, progress={"at": ago(12)}),
            execution="RUNNING",
        ),
        StopSilent(600),
    ),
    *(
        (
            "the record has moved on, or is gone",
            silent(running(**BEATING), 60, fresh=fresh, execution="RUNNING"),
            Leave(Done.MOVED_ON),
        )
        for fresh in (
            running(**BEATING, is_open=False),
            running(**BEATING, attempt=2),
            running(**BEATING, task_arn=OTHER),
            None,
        )
    ),
    *(
        (
            "nobody else would stop it",
            silent(running(flow=flow, **BEATING), 12, execution=status),
            StopSilent(600),
        )
        for flow in Flow
        for status in [*NO_END, "SUCCEEDED"]
    ),
    *(
        (
            "nobody waits for it either",
            silent(running(flow=flow, **BEATING), 12, execution=status),
            Abandon(status),
        )
        for flow in Flow
        for status in BADLY
    ),
    (
        "its attempt is over too",
        silent(running(deadline=ago(2), **BEATING), 12),
        StopOverdue(),
    ),
    (
        "nobody has set a limit",
        silent(running(), 60, execution="RUNNING"),
        Leave(Done.RUNNING),
    ),
    (
        "it has ended meanwhile",
        replace(ended(running(**BEATING), FAILED), started=NOW - timedelta(hours=1)),
        Complete(running(**BEATING), FAILED),
    ),
]


STOPPED: list[Row] = [
    (
        "its end is on its way, so nobody is asked",
        known(running(deadline=ago(59))),
        Leave(Done.STOPPED_OVERDUE),
    ),
    *(
        (
            "it does not hear, and nobody waits for it",
            known(running(flow=flow, deadline=ago(60)), execution=status),
            Abandon(status),
        )
        for flow in Flow
        for status in BADLY
    ),
    *(
        (
            "its execution may still decide",
            known(running(flow=flow, deadline=ago(60)), execution=status),
            Leave(Done.STOPPED_OVERDUE),
        )
        for flow in Flow
        for status in [*NO_END, "SUCCEEDED"]
    ),
]


@rows(RUNNING)
def test_running(sight: Sight, repair: Repair) -> None:
    """A running task is left alone unless it is overdue, or its execution has ended badly."""
    assert decide(sight) == repair


@rows(STARTING)
def test_starting(sight: Sight, repair: Repair) -> None:
    """A task that has not begun in its record's time is stopped, a grace later."""
    assert decide(sight) == repair


@rows(SILENT)
def test_silent(sight: Sight, repair: Repair) -> None:
    """A task whose worker is silent for too long is stopped, a grace later."""
    assert decide(sight) == repair


@rows(STOPPED)
def test_stopped(sight: Sight, repair: Repair) -> None:
    """A task that runs on for an hour after its deadline does not keep its record open."""
    assert once_stopped(sight) == repair
