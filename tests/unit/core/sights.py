"""Records, and looks at them, of which the tables of repairs are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.flow import Flow
from core.heartbeat import silent_from
from core.moment import timestamp
from core.outcome import ApplicationFailed, Missing, Outcome
from core.record import Record, Status
from core.repair import Repair
from tests.values import record

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TASK, OTHER = "arn:aws:ecs:…:task/c/one", "arn:aws:ecs:…:task/c/other"
AWAITED = [flow for flow in Flow if flow.is_awaited]
# An execution that Lambda does not know has no status; INVENTED is one to come.
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
    """The findings of a look; a test that gives no answer to a call says that it is not made."""

    record: Record
    end: Outcome | None = None
    is_known: bool = False
    starts_by: datetime | None = None
    started: datetime | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    now: datetime = NOW

    def silent_from(self, record: Record) -> datetime | None:
        """Return the moment by which the worker has to report progress again."""
        task = {"desiredStatus": "RUNNING", "startedAt": self.started}
        return silent_from(task, record, self.now)

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


def silent(found: Record, minutes: float, **answers: Any) -> Sight:
    """Return a look at a record whose task has run for so many minutes; nothing is new in it."""
    started = NOW - timedelta(minutes=minutes)
    return Sight(found, is_known=True, started=started, answers={"fresh": found, **answers})


def ended(found: Record, end: Outcome, **answers: Any) -> Sight:
    """Return a look at a record whose task has ended."""
    return Sight(found, end, is_known=True, answers={"fresh": found, **answers})


FAILED = ApplicationFailed(task_arn=TASK, exit_code=3, stopped_at=ago(2))
LOST = Missing(task_arn=TASK)
BEFORE = ApplicationFailed(task_arn=OTHER, exit_code=3)
GONE = {"missing_since": ago(2)}

Row = tuple[str, Sight, Repair]


def rows(table: Iterable[Row]) -> pytest.MarkDecorator:
    """Return the rows as a test's parameters."""
    named = [pytest.param(sight, repair, id=why) for why, sight, repair in table]
    return pytest.mark.parametrize(("sight", "repair"), named)
