"""Repairs of records whose task has ended; times are minutes before the look."""

from __future__ import annotations

from dataclasses import replace

from core.done import Done
from core.flow import Flow
from core.outcome import FailedToStart, Succeeded
from core.repair import Abandon, CloseAfterSuccess, Complete, Leave, Repair, decide
from tests.unit.core.sights import (
    AWAITED,
    BADLY,
    BEFORE,
    FAILED,
    LOST,
    NO_END,
    OTHER,
    TASK,
    Row,
    Sight,
    ago,
    ended,
    launching,
    reported,
    rows,
    running,
)

DONE = Succeeded(task_arn=TASK, exit_code=0, stopped_at=ago(2))
NEVER_RAN = FailedToStart(task_arn=TASK)
AGAIN = running(result='"done"')

ENDED: list[Row] = [
    (
        "an end of this moment is its event's to report",
        ended(running(), replace(DONE, stopped_at=ago(1.9))),
        Leave(Done.ENDED_JUST_NOW),
    ),
    (
        "an end without a moment is as old as the last write",
        ended(running(updated_at=ago(1.9)), NEVER_RAN),
        Leave(Done.ENDED_JUST_NOW),
    ),
    (
        "its event is late",
        ended(running(updated_at=ago(2)), NEVER_RAN),
        Complete(running(updated_at=ago(2)), NEVER_RAN),
    ),
    (
        "a result may have come after the first look",
        ended(running(), DONE, fresh=AGAIN),
        Complete(AGAIN, DONE),
    ),
    ("nobody waits any more", ended(running(), DONE, fresh=None), Leave(Done.MOVED_ON)),
    (
        "its event was faster",
        ended(running(), DONE, fresh=running(is_open=False)),
        Leave(Done.MOVED_ON),
    ),
    (
        "the next attempt has begun",
        ended(running(), DONE, fresh=launching(attempt=2)),
        Leave(Done.MOVED_ON),
    ),
    (
        "another launch's task was adopted",
        ended(running(), DONE, fresh=running(task_arn=OTHER)),
        Leave(Done.MOVED_ON),
    ),
    (
        "another task's end says nothing of this one's",
        ended(reported(BEFORE), DONE),
        Complete(reported(BEFORE), DONE),
    ),
    (
        "a missing task that nobody was told of was there after all",
        ended(reported(LOST, flow=Flow.POLLING), DONE),
        Complete(reported(LOST, flow=Flow.POLLING), DONE),
    ),
    (
        "its event was in time after all, and its execution will close the record",
        ended(running(), FAILED, fresh=reported(FAILED), execution="RUNNING"),
        Leave(Done.REPORTED_BEFORE),
    ),
    (
        "its event was in time after all, and its execution has died since",
        ended(running(), FAILED, fresh=reported(FAILED), execution="STOPPED"),
        Abandon("STOPPED"),
    ),
    (
        "a record that is closed says what was reported after the first look",
        ended(running(), DONE, fresh=reported(FAILED), execution="SUCCEEDED"),
        CloseAfterSuccess(reported(FAILED), FAILED),
    ),
    (
        "a callback that was answered as missing stays so",
        ended(reported(LOST), DONE, execution="RUNNING"),
        Leave(Done.REPORTED_BEFORE),
    ),
]


STILL_OPEN: list[Row] = [
    *(
        (
            "an execution that was told closes its record itself",
            ended(reported(FAILED, flow=flow), FAILED, execution=status),
            Leave(Done.REPORTED_BEFORE),
        )
        for flow in AWAITED
        for status in NO_END
    ),
    *(
        (
            "it died before it could",
            ended(reported(FAILED, flow=flow), FAILED, execution=status),
            Abandon(status),
        )
        for flow in AWAITED
        for status in BADLY
    ),
    *(
        (
            "its handler expected the failure, and the record says what was told",
            ended(reported(FAILED, flow=flow), DONE, execution="SUCCEEDED"),
            CloseAfterSuccess(reported(FAILED, flow=flow), FAILED),
        )
        for flow in AWAITED
    ),
]


@rows(ENDED)
def test_ended(sight: Sight, repair: Repair) -> None:
    """An end that its event has not reported in time is reported, as the record is by then."""
    assert decide(sight) == repair


@rows(STILL_OPEN)
def test_open_after_a_report(sight: Sight, repair: Repair) -> None:
    """A record that is open after a report is closed once its execution is over."""
    assert decide(sight) == repair
