"""The reconciler's rule: one look at an open record decides what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from core.correlation import family
from core.done import Done
from core.outcome import Missing, Outcome, Succeeded
from core.record import Record, Standing
from core.verdict import ENDED_BADLY
from core.visibility import BETWEEN_LOOKS, EVENT_GRACE, UNKNOWN_WHEN_YOUNG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.correlation import Correlation

# A task that still runs so long after a stop will not stop: ECS may show a task without a process
# as running for ever.
_DEAF = timedelta(hours=1)


class Sight(Protocol):
    """One look at an open record; it makes a call to AWS only when the answer is needed."""

    @property
    def record(self) -> Record:
        """The record, read before its task was looked at."""

    @property
    def now(self) -> datetime:
        """The moment of the look."""

    @property
    def is_known(self) -> bool:
        """Whether ECS knows the record's task."""

    @property
    def end(self) -> Outcome | None:
        """The end of the task, as ECS shows it; None if there is none, or ECS does not know it."""

    @property
    def starts_by(self) -> datetime | None:
        """The moment by which the task has to begin; None where no limit holds."""

    def silent_from(self, record: Record) -> datetime | None:
        """Return the moment by which the worker has to report progress; None where no limit holds.

        Args:
            record: the record, with the worker's last report.
        """

    @property
    def fresh(self) -> Record | None:
        """The record, read again; None where it is gone. Takes a GetItem."""

    @property
    def execution(self) -> str | None:
        """The execution's status; None where Lambda does not know it. A GetDurableExecution."""

    @property
    def launched(self) -> str | None:
        """The ARN of a task that bears the attempt's name. Takes a ListTasks."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing is to be done.

    Attributes:
        why: the reason.
    """

    why: Done


@dataclass(frozen=True, slots=True)
class Complete:
    """The end of the task is to be reported, as its event would have.

    Attributes:
        record: the record as last read; the writes depend on it.
        outcome: the end.
    """

    record: Record
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class CloseAfterSuccess:
    """The record of an execution that has succeeded, or is forgotten, is to be closed.

    Attributes:
        record: as last read.
        outcome: the task's outcome, for the record.
    """

    record: Record
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Abandon:
    """The execution has ended badly: the task is to be stopped, the record to be closed.

    Attributes:
        status: the execution's, one of `core.verdict.ENDED_BADLY`.
    """

    status: str


@dataclass(frozen=True, slots=True)
class StopOverdue:
    """The task is past its deadline, and is to be stopped; its end then closes the record."""


@dataclass(frozen=True, slots=True)
class StopUnstarted:
    """The task has not begun in time, and is to be stopped; its end then says whether it began.

    Attributes:
        seconds: the limit of its start.
    """

    seconds: int


@dataclass(frozen=True, slots=True)
class StopSilent:
    """The worker has reported nothing for too long: its task is to be stopped.

    Attributes:
        seconds: the limit of its silence.
    """

    seconds: int


@dataclass(frozen=True, slots=True)
class NoteMissing:
    """The record is to say since when ECS has not known the task."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """The record is to name a task that was started and never recorded.

    Attributes:
        task_arn: the task.
    """

    task_arn: str


Repair = (
    Leave
    | Complete
    | CloseAfterSuccess
    | Abandon
    | StopOverdue
    | StopUnstarted
    | StopSilent
    | NoteMissing
    | Adopt
)


def decide(sight: Sight) -> Repair:
    """Return what to do about an open record."""
    if sight.end:
        return _ended(sight, sight.end)
    if _ago(sight, sight.record.deadline) >= EVENT_GRACE:
        # A stop comes before a call to Lambda: without an answer, the task would run on, billed.
        if sight.is_known:
            return StopOverdue()
        if _is_launched(sight.record) and sight.launched:
            return Adopt(sight.launched)
    if (status := sight.execution) and status in ENDED_BADLY:
        return Abandon(status)
    if sight.is_known:
        return _alive(sight)
    return _unknown(sight) if sight.record.task_arn else _launching(sight)


def once_reported(sight: Sight, record: Record) -> Repair:
    """Return what to do about a record that is open after a report of its task's end.

    Its execution closes it, unless the execution is over.

    Args:
        sight: the look.
        record: as last read.
    """
    if (status := sight.execution) and status in ENDED_BADLY:
        return Abandon(status)
    reported = record.end_of(record.task_arn)
    if sight.execution == "SUCCEEDED" and reported:
        return CloseAfterSuccess(record, reported)
    return Leave(Done.REPORTED_BEFORE)


def once_stopped(sight: Sight) -> Repair:
    """Return what else to do about an overdue task that was asked to stop."""
    is_deaf = _ago(sight, sight.record.deadline) >= _DEAF
    if is_deaf and (status := sight.execution) and status in ENDED_BADLY:
        return Abandon(status)
    return Leave(Done.STOPPED_OVERDUE)


def is_orphan(task: Mapping[str, Any], name: Correlation, record: Record | None) -> bool:
    """Whether nobody waits any more for a task that runs.

    Args:
        task: as DescribeTasks shows it.
        name: the task's `startedBy`.
        record: the record of that name; None where there is none, so that the task may not be ours.
    """
    if record is None or family(task) != record.job.family:
        return False
    return record.standing(name.attempt, task["taskArn"]) is not Standing.CURRENT


def _ended(sight: Sight, end: Outcome) -> Repair:
    """Decide about a task that has ended."""
    record = sight.record
    # A task that never ran may have no moment of its end.
    if _ago(sight, end.stopped_at or record.updated_at) < EVENT_GRACE:
        return Leave(Done.ENDED_JUST_NOW)
    # Read again now that the end is known: the worker may have written since the first look.
    fresh = _still_current(sight)
    if fresh is None:
        return Leave(Done.MOVED_ON)
    return once_reported(sight, fresh) if fresh.knows(end) else Complete(fresh, end)


def _alive(sight: Sight) -> Repair:
    """Decide about a task that ECS knows and that has not ended."""
    seconds, limit = sight.record.start_timeout_seconds, sight.starts_by
    # A polling execution keeps the limit itself, if it can.
    if seconds is not None and _is_past(sight, limit):
        return StopUnstarted(seconds)
    if _is_past(sight, sight.silent_from(sight.record)):
        return _silent(sight)
    return Leave(Done.RUNNING)


def _silent(sight: Sight) -> Repair:
    """Decide about a worker that has reported nothing for too long, by the first look."""
    # Read again at the last moment: a report may have come since the first look.
    fresh = _still_current(sight)
    if fresh is None:
        return Leave(Done.MOVED_ON)
    seconds = fresh.heartbeat_seconds
    if seconds is not None and _is_past(sight, sight.silent_from(fresh)):
        return StopSilent(seconds)
    return Leave(Done.RUNNING)


def _is_launched(record: Record) -> bool:
    """Whether there may be a task that the record does not name."""
    return record.task_arn is None and not record.is_backing_off


def _unknown(sight: Sight) -> Repair:
    """Decide about a task that ECS does not know: too young, ended and forgotten, or gone."""
    record = sight.record
    if sight.execution == "SUCCEEDED" and record.flow.is_awaited:
        # The end was reported, and the function that reported it died before it wrote the record.
        answered = Succeeded(task_arn=record.task_arn, exit_code=0)
        return CloseAfterSuccess(record, record.end_of(record.task_arn) or answered)
    return _gone(sight)


def _launching(sight: Sight) -> Repair:
    """Decide about a record without a task: RunTask is about to be called, or got no answer."""
    record = sight.record
    # An execution that has succeeded launches nothing more.
    is_over = sight.execution == "SUCCEEDED"
    is_young = _ago(sight, record.updated_at) < EVENT_GRACE
    if not is_over and (record.is_backing_off or is_young):
        return Leave(Done.ABOUT_TO_START)
    if sight.launched:
        return Adopt(sight.launched)
    return _gone(sight) if is_over else Leave(Done.NO_TASK)


def _gone(sight: Sight) -> Repair:
    """Decide about a task that AWS no longer shows: it is gone after two looks, minutes apart."""
    record = sight.record
    if record.missing_since is None:
        is_young = _ago(sight, record.updated_at) < UNKNOWN_WHEN_YOUNG
        return Leave(Done.YOUNG) if is_young else NoteMissing()
    if _ago(sight, record.missing_since) < BETWEEN_LOOKS:
        return Leave(Done.MISSING)
    reported = record.end_of(record.task_arn)
    if sight.execution == "SUCCEEDED" and record.flow.is_awaited:
        return CloseAfterSuccess(record, reported or Missing(task_arn=record.task_arn))
    if reported and sight.execution is None:
        # Nobody else closes it: Lambda has forgotten the execution that would have.
        return CloseAfterSuccess(record, reported)
    if reported:
        return Leave(Done.REPORTED_BEFORE)
    return Complete(record, Missing(task_arn=record.task_arn))


def _still_current(sight: Sight) -> Record | None:
    """Return the record, read again; None if it is no longer about the look's task."""
    fresh, seen = sight.fresh, sight.record
    standing = fresh and fresh.standing(seen.attempt, seen.task_arn or "")
    return fresh if standing is Standing.CURRENT else None


def _is_past(sight: Sight, limit: datetime | None) -> bool:
    """Whether a limit holds, and passed at least as long ago as an event may take."""
    return limit is not None and sight.now - limit >= EVENT_GRACE


def _ago(sight: Sight, moment: str) -> timedelta:
    """Return how long ago an ISO 8601 moment was; negative for the future."""
    return sight.now - datetime.fromisoformat(moment)
