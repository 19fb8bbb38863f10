"""What is done about an open record, row by row; times are minutes before the look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.correlation import Correlation
from core.done import Done
from core.flow import Flow
from core.moment import timestamp
from core.outcome import ApplicationFailed, FailedToStart, Missing, Outcome, Succeeded
from core.record import Record, Status
from core.repair import (
    Abandon,
    Adopt,
    CloseAfterSuccess,
    Complete,
    Leave,
    NoteMissing,
    Repair,
    StopOverdue,
    StopUnstarted,
    decide,
    is_orphan,
    once_stopped,
)
from tests.values import job, record

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TASK, OTHER = "arn:aws:ecs:…:task/c/one", "arn:aws:ecs:…:task/c/other"
AWAITED = [flow for flow in Flow if flow.is_awaited]
# None is an execution that Lambda does not know, the last one a status to come.
NO_END = [None, "RUNNING", "PAUSED", "PAUSING", "INVENTED"]
BADLY = ["FAILED", "STOPPED", "TIMED_OUT"]


def ago(minutes: float) -> str:
    """Return a moment before the look."""
    return timestamp(NOW - timedelta(minutes=minutes))


def launching(**changes: Any) -> Record:
    """Return a record whose task is not known, written an hour ago; its attempt may take two."""
    times = {"begun_at": ago(60), "created_at": ago(60), "updated_at": ago(60)}
    return record(**{"deadline": ago(-60), **times, **changes})


def running(**changes: Any) -> Record:
    """Return a record whose task is known."""
    return launching(**{"task_arn": TASK, "status": Status.RUNNING, **changes})


def reported(end: Outcome, **changes: Any) -> Record:
    """Return a record to which an end of its task was reported."""
    return running(last_outcome=end.to_dict(), **changes)


@dataclass(frozen=True)
class Sight:
    """What a look finds; a test that gives no answer to a call says that it is not made."""

    record: Record
    end: Outcome | None = None
    is_known: bool = False
    starts_by: datetime | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    now: datetime = NOW

    @property
    def fresh(self) -> Record | None:
        """The record, read again."""
        answer: Record | None = self.answers["fresh"]
        return answer

    @property
    def execution(self) -> str | None:
        """The execution's status."""
        answer: str | None = self.answers["execution"]
        return answer

    @property
    def launched(self) -> str | None:
        """The task that bears the attempt's name."""
        answer: str | None = self.answers["launched"]
        return answer


def unknown(found: Record, **answers: Any) -> Sight:
    """Return a look at a record whose task ECS does not know, or that has none."""
    return Sight(found, answers=answers)


def known(found: Record, **answers: Any) -> Sight:
    """Return a look at a record whose task runs."""
    return Sight(found, is_known=True, answers=answers)


def pending(found: Record, limit: float, **answers: Any) -> Sight:
    """Return a look at a record whose task should have begun so many minutes ago."""
    return Sight(found, is_known=True, starts_by=NOW - timedelta(minutes=limit), answers=answers)


def ended(found: Record, end: Outcome, **answers: Any) -> Sight:
    """Return a look at a record whose task has ended."""
    return Sight(found, end, is_known=True, answers={"fresh": found, **answers})


DONE = Succeeded(task_arn=TASK, exit_code=0, stopped_at=ago(2))
FAILED = ApplicationFailed(task_arn=TASK, exit_code=3, stopped_at=ago(2))
NEVER_RAN = FailedToStart(task_arn=TASK)
LOST = Missing(task_arn=TASK)
BEFORE = ApplicationFailed(task_arn=OTHER, exit_code=3)
AGAIN = running(result='"done"')
GONE = {"missing_since": ago(2)}

Row = tuple[str, Sight, Repair]

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


def rows(table: Iterable[Row]) -> pytest.MarkDecorator:
    """Return the rows as a test's parameters."""
    named = [pytest.param(sight, repair, id=why) for why, sight, repair in table]
    return pytest.mark.parametrize(("sight", "repair"), named)


@rows(ENDED)
def test_ended(sight: Sight, repair: Repair) -> None:
    """An end that its event has not reported in time is reported, as the record is by then."""
    assert decide(sight) == repair


@rows(STILL_OPEN)
def test_open_after_a_report(sight: Sight, repair: Repair) -> None:
    """A record that is open after a report is closed once its execution is over."""
    assert decide(sight) == repair


@rows(RUNNING)
def test_running(sight: Sight, repair: Repair) -> None:
    """A running task is left alone unless it is overdue, or its execution has ended badly."""
    assert decide(sight) == repair


@rows(STARTING)
def test_starting(sight: Sight, repair: Repair) -> None:
    """A task that has not begun in its record's time is stopped, a grace later."""
    assert decide(sight) == repair


@rows(STOPPED)
def test_stopped(sight: Sight, repair: Repair) -> None:
    """A task that runs on for an hour after its deadline does not keep its record open."""
    assert once_stopped(sight) == repair


@rows(UNKNOWN)
def test_unknown(sight: Sight, repair: Repair) -> None:
    """A task that ECS does not know has vanished only if two looks miss it."""
    assert decide(sight) == repair


@rows(LAUNCHING)
def test_launching(sight: Sight, repair: Repair) -> None:
    """A record without a task is its execution's, unless that is over or its launch was cut off."""
    assert decide(sight) == repair


CLOSED = {"is_open": False}
OURS = job().family


@pytest.mark.parametrize(
    ("found", "attempt", "family", "expected"),
    [
        pytest.param(running(), 1, OURS, False, id="its record follows it"),
        pytest.param(launching(), 1, OURS, False, id="its ARN is still to be stored"),
        pytest.param(running(**CLOSED), 1, OURS, True, id="its record is closed"),
        pytest.param(launching(**CLOSED), 1, OURS, True, id="closed without it"),
        pytest.param(running(attempt=2), 1, OURS, True, id="of an attempt that is over"),
        pytest.param(running(task_arn=OTHER), 1, OURS, True, id="a second task"),
        pytest.param(running(**CLOSED), 1, "forged", False, id="of a family that is not ours"),
        pytest.param(None, 1, OURS, False, id="of nobody's name"),
    ],
)
def test_orphan(found: Record | None, attempt: int, family: str, *, expected: bool) -> None:
    """A task is an orphan if its record is there, is of its family, and does not wait for it."""
    definition = f"arn:aws:ecs:us-east-1:123456789012:task-definition/{family}:7"
    task = {"taskArn": TASK, "taskDefinitionArn": definition}
    assert is_orphan(task, Correlation("demo", "one", attempt), found) is expected
