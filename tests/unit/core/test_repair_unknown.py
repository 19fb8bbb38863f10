"""Repairs of records whose task ECS does not know; times are minutes before the look."""

from __future__ import annotations

from core.done import Done
from core.flow import Flow
from core.outcome import Missing, Succeeded
from core.record import Status
from core.repair import (
    Abandon,
    Adopt,
    CloseAfterSuccess,
    Complete,
    Leave,
    NoteMissing,
    Repair,
    decide,
)
from tests.unit.core.sights import (
    AWAITED,
    BADLY,
    BEFORE,
    FAILED,
    GONE,
    LOST,
    NO_END,
    TASK,
    Row,
    Sight,
    ago,
    launching,
    reported,
    rows,
    running,
    unknown,
)

UNKNOWN: list[Row] = [
    *(
        ("the task cannot be stopped", unknown(running(), execution=status), Abandon(status))
        for status in BADLY
    ),
    (
        "ECS may not know it yet",
        unknown(running(updated_at=ago(9.9)), execution="RUNNING"),
        Leave(Done.YOUNG),
    ),
    (
        "ECS should know it by now",
        unknown(running(updated_at=ago(10)), execution="RUNNING"),
        NoteMissing(),
    ),
    (
        "one look is none",
        unknown(running(missing_since=ago(1.9)), execution="RUNNING"),
        Leave(Done.MISSING),
    ),
    *(
        (
            "two looks have missed it",
            unknown(running(flow=flow, **GONE), execution=status),
            Complete(running(flow=flow, **GONE), LOST),
        )
        for flow in Flow
        for status in NO_END
    ),
    *(
        (
            "an end that was reported is kept, although ECS has forgotten it",
            unknown(reported(FAILED, flow=flow, **GONE), execution="RUNNING"),
            Leave(Done.REPORTED_BEFORE),
        )
        for flow in AWAITED
    ),
    (
        "the attempt before it ended, this one has vanished",
        unknown(reported(BEFORE, **GONE), execution="RUNNING"),
        Complete(reported(BEFORE, **GONE), LOST),
    ),
    (
        "nobody waits for this flow's task",
        unknown(running(flow=Flow.DYNAMODB, **GONE), execution="SUCCEEDED"),
        Complete(running(flow=Flow.DYNAMODB, **GONE), LOST),
    ),
    *(
        (
            "an execution that awaits its task has heard of its success",
            unknown(running(flow=flow), execution="SUCCEEDED"),
            CloseAfterSuccess(running(flow=flow), Succeeded(task_arn=TASK, exit_code=0)),
        )
        for flow in AWAITED
    ),
    *(
        (
            "its handler expected the failure",
            unknown(reported(FAILED, flow=flow), execution="SUCCEEDED"),
            CloseAfterSuccess(reported(FAILED, flow=flow), FAILED),
        )
        for flow in AWAITED
    ),
]


BACKING_OFF = launching(status=Status.BACKOFF, attempt=2, launch=0)

LAUNCHING: list[Row] = [
    *(
        (
            "no task will come any more",
            unknown(found, execution=status),
            Abandon(status),
        )
        for found in (launching(), launching(updated_at=ago(0)), BACKING_OFF)
        for status in BADLY
    ),
    *(
        (
            "RunTask may be under way",
            unknown(launching(updated_at=ago(1.9)), execution=status),
            Leave(Done.ABOUT_TO_START),
        )
        for status in NO_END
    ),
    *(
        (
            "between two attempts, however long",
            unknown(BACKING_OFF, execution=status),
            Leave(Done.ABOUT_TO_START),
        )
        for status in NO_END
    ),
    *(
        (
            "RunTask's answer was lost",
            unknown(launching(flow=flow, updated_at=ago(2)), execution=status, launched=TASK),
            Adopt(TASK),
        )
        for flow in Flow
        for status in [*NO_END, "SUCCEEDED"]
    ),
    *(
        (
            "it is overdue by now, so nobody is asked whether it is wanted",
            unknown(launching(flow=flow, deadline=ago(2)), launched=TASK),
            Adopt(TASK),
        )
        for flow in Flow
    ),
    *(
        (
            "it is overdue, but there is none",
            unknown(launching(deadline=ago(2)), launched=None, execution=status),
            Abandon(status),
        )
        for status in BADLY
    ),
    *(
        (
            "its execution will launch it",
            unknown(launching(**GONE), execution=status, launched=None),
            Leave(Done.NO_TASK),
        )
        for status in NO_END
    ),
    *(
        (
            "an execution that has succeeded launches nothing",
            unknown(found, execution="SUCCEEDED", launched=None),
            NoteMissing(),
        )
        for found in (*(launching(flow=flow) for flow in Flow), BACKING_OFF)
    ),
    (
        "but ListTasks may lag behind",
        unknown(launching(updated_at=ago(0)), execution="SUCCEEDED", launched=None),
        Leave(Done.YOUNG),
    ),
    *(
        (
            "its handler went on without a task",
            unknown(launching(flow=flow, **GONE), execution="SUCCEEDED", launched=None),
            CloseAfterSuccess(launching(flow=flow, **GONE), Missing()),
        )
        for flow in AWAITED
    ),
    (
        "nobody has heard of this flow's task",
        unknown(launching(flow=Flow.DYNAMODB, **GONE), execution="SUCCEEDED", launched=None),
        Complete(launching(flow=Flow.DYNAMODB, **GONE), Missing()),
    ),
]


@rows(UNKNOWN)
def test_unknown(sight: Sight, repair: Repair) -> None:
    """A task that ECS does not know is gone only if two looks miss it."""
    assert decide(sight) == repair


@rows(LAUNCHING)
def test_launching(sight: Sight, repair: Repair) -> None:
    """A record without a task is left to its execution, unless that is over or its launch died."""
    assert decide(sight) == repair
