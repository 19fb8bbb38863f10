"""The result that a container left in its record before it timed out or was lost."""

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
    """Return the result that a container handed over before it was stopped or lost.

    Returns:
        The value; None where there is none, and for any other end.
    """
    return decoded(record.result) if _is_late(outcome) else None


def handed_over_at(record: Record, outcome: Outcome) -> str | None:
    """Return the S3 address of such a result; None where the container named none."""
    return record.result_uri if _is_late(outcome) else None


def may_follow(record: Record, outcome: Outcome) -> bool:
    """Whether a timeout's container may have handed over a result since the record was read."""
    takes_one = record.flow.takes_result and not record.is_handed_over
    return isinstance(outcome, TimedOut) and takes_one


def told(record: Record, outcome: Outcome, where: str = IN_RESULT) -> Outcome:
    """Return the end; the detail of one with a late result says, once, where the result is."""
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
