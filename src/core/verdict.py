"""The meaning of a task's end for its execution and its record, decided here alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.answer import MAX_ANSWER_BYTES, Answer
from core.outcome import (
    ApplicationFailed,
    Cancelled,
    FailedToStart,
    Missing,
    TimedOut,
    reclassified,
)
from core.outcome.kinds import STOPPED_BY_US
from core.record import ENDED, Status
from core.reported import EMPTIED

if TYPE_CHECKING:
    from core.flow import Flow
    from core.outcome import Outcome
    from core.record import Record

# Statuses of an execution that has ended badly. SUCCEEDED is no reason to stop a task: an execution
# of the DynamoDB flow succeeds while its task runs.
ENDED_BADLY = frozenset({"FAILED", "STOPPED", "TIMED_OUT"})
_SHOWN = 300


class Verdict(NamedTuple):
    """The meaning of an end.

    Attributes:
        status: COMPLETED or FAILED, which the record is closed with.
        outcome: how the task ended, for the execution, its caller and the record.
        is_reported: whether the execution itself reports and logs a failure, now or before; another
            function that closes the record then logs nothing.
        is_wanted: whether somebody has stopped the execution.
    """

    status: Status
    outcome: Outcome
    is_reported: bool = False
    is_wanted: bool = False

    @property
    def is_logged(self) -> bool:
        """Whether the function that closes the record logs a failure."""
        return self.status is Status.FAILED and not self.is_reported


def verdict(
    record: Record,
    outcome: Outcome,
    execution: str | None = None,
    reported: Outcome | None = None,
) -> Verdict:
    """Judge the end of a record's task.

    Args:
        record: the open record, with the worker's writes.
        outcome: how the task ended, as ECS shows it.
        execution: the execution's status, where its end is known; None while it may go on.
        reported: the failure that the execution itself reports.
    """
    outcome = _with_own_result(record, witnessed(record, outcome))
    if execution in ENDED_BADLY:
        return _in_vain(record, outcome, str(execution), reported)
    if reported:
        # The execution's own last step says so, and its code logs it.
        return Verdict(Status.FAILED, reported, is_reported=True)
    if not record.flow.is_awaited:
        return _by_worker(record, outcome)
    if execution is None:
        taken = _taken(record, outcome)
        return Verdict(_status(taken), taken, is_reported=True)
    # A handler of the user's own may succeed although its task has failed, or never began.
    return Verdict(_status(outcome), outcome)


def witnessed(record: Record, outcome: Outcome) -> Outcome:
    """Return the end, corrected where a result in the record proves that the work has begun.

    ECS may show neither a start nor an exit code of a container that has run. A failed start would
    be retried, so it becomes another end. Every other end stays.
    """
    is_begun = record.flow.takes_result and record.is_handed_over
    if not isinstance(outcome, FailedToStart) or outcome.task_arn is None or not is_begun:
        return outcome
    if outcome.exit_code is not None:
        return reclassified(outcome, ApplicationFailed, outcome.detail)
    is_ours = outcome.detail.startswith(STOPPED_BY_US)
    return reclassified(outcome, TimedOut if is_ours else Missing, outcome.detail)


def without_room(record: Record, judged: Verdict, reason: str) -> Verdict:
    """Judge again where the item has no room beside the worker's writes.

    An execution that waits has the result already, or has no use for one.
    """
    if judged.status is Status.FAILED or record.flow.is_awaited:
        return judged
    outcome = judged.outcome
    if outcome.succeeded:
        outcome = reclassified(outcome, ApplicationFailed, reason)
    return judged._replace(status=Status.FAILED, outcome=outcome)


def unclosed(flow: Flow, outcome: Outcome, reason: str | None) -> Outcome:
    """Return the outcome that an execution reports if its record could not be closed.

    A failure stays: the caller needs it more than the reason why the record is open. A success
    without its result is no success.
    """
    if not outcome.succeeded or not flow.takes_result:
        return outcome
    detail = f"The task succeeded, but its record, which holds the result, was not closed: {reason}"
    return reclassified(outcome, Missing, detail)


def _in_vain(record: Record, outcome: Outcome, execution: str, reported: Outcome | None) -> Verdict:
    """Judge an end that comes after its execution has ended badly."""
    if _has_completed(record):
        # A worker that has reported its end has the last word: its work is done.
        return Verdict(Status.COMPLETED, outcome, is_reported=reported is not None)
    if reported:
        # The task of a launch that was given up may have been started all the same.
        return Verdict(Status.FAILED, reported, is_reported=True)
    if outcome.succeeded:
        detail = f"The task succeeded, but its execution is {execution}"
        outcome = reclassified(outcome, Cancelled, detail)
    return Verdict(Status.FAILED, outcome, is_wanted=execution == "STOPPED")


def _by_worker(record: Record, outcome: Outcome) -> Verdict:
    """Judge an end for which no execution waits: by the worker's status, else by the task's end."""
    status = _status(outcome)
    if _has_completed(record):
        status = Status.COMPLETED
    elif record.status in ENDED:
        status = Status.FAILED
    if status is Status.FAILED and outcome.succeeded:
        outcome = reclassified(outcome, ApplicationFailed, "The container reported a failure")
    return Verdict(status, outcome)


def _has_completed(record: Record) -> bool:
    """Whether the worker has reported COMPLETED, with a result of its own if any."""
    return record.status is Status.COMPLETED and record.stray_uri is None


def _with_own_result(record: Record, outcome: Outcome) -> Outcome:
    """Return the end; a success whose result is not below the attempt's prefix is a failure."""
    if not outcome.succeeded or record.stray_uri is None:
        return outcome
    named = record.stray_uri if len(record.stray_uri) <= _SHOWN else f"{record.stray_uri[:_SHOWN]}…"
    detail = (
        f"Its `resultUri` is {named!r}, which does not lie below the attempt's own RESULT_URI: "
        "it may belong to another task"
    )
    if record.stray_uri == EMPTIED:
        detail = "The container's writes left no room in the item (400 KB), and were emptied"
    return reclassified(outcome, ApplicationFailed, detail)


def _taken(record: Record, outcome: Outcome) -> Outcome:
    """Return the end; a success whose result does not fit into an answer is a failure."""
    answer = Answer.of(outcome, record.result, record.result_uri)
    size = len(answer.text()) if outcome.succeeded else 0
    if size <= MAX_ANSWER_BYTES:
        return outcome
    detail = (
        f"Its result makes an answer of {size} bytes, at most {MAX_ANSWER_BYTES} are taken: "
        "store it in S3 below RESULT_URI, and hand over its address as `resultUri`"
    )
    return reclassified(outcome, ApplicationFailed, detail)


def _status(outcome: Outcome) -> Status:
    return Status.COMPLETED if outcome.succeeded else Status.FAILED
