"""The result that a container has left in its record before it timed out, or was lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.answer import decoded
from core.outcome import Missing, Outcome, TimedOut
from core.outcome.kinds import HANDED_OVER, MAX_DETAIL

if TYPE_CHECKING:
    from core.record import Record

IN_RESULT = f"{HANDED_OVER}: it is in `result`"
IN_S3 = f"{HANDED_OVER}: it is at `resultUri`"
IN_RECORD = f"{HANDED_OVER}: it is in the record's `result`, and too large for an error"


def handed_over(record: Record, outcome: Outcome) -> object:
    """Return what a container had handed over that was stopped, or lost from sight, after that.

    Returns:
        The value; None if there is none, and for another end.
    """
    return decoded(record.result) if _is_late(outcome) else None


def handed_over_at(record: Record, outcome: Outcome) -> str | None:
    """Return where such a container had left its result in S3; None where it had not said."""
    return record.result_uri if _is_late(outcome) else None


def may_follow(record: Record, outcome: Outcome) -> bool:
    """Whether a timeout's container may have handed over a result since the record was read."""
    takes_one = record.flow.takes_result and not record.is_handed_over
    return isinstance(outcome, TimedOut) and takes_one


def told(record: Record, outcome: Outcome, where: str = IN_RESULT) -> Outcome:
    """Say in a timeout's detail, once, that there is a result, and where; another end stays."""
    is_here = handed_over(record, outcome) is not None
    if not is_here and handed_over_at(record, outcome) is None:
        return outcome
    if HANDED_OVER in outcome.detail:
        return outcome
    where = where if is_here else IN_S3
    joint = "; "
    before = outcome.detail[: MAX_DETAIL - len(joint) - len(where)]
    return replace(outcome, detail=joint.join(filter(None, (before, where))))


def _is_late(outcome: Outcome) -> bool:
    """Whether a container may have finished its work before this end."""
    return isinstance(outcome, (TimedOut, Missing))
