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
IN_RECORD = f"{HANDED_OVER}: it is in the record's `result`, and too large for an error"


def handed_over(record: Record, outcome: Outcome) -> object:
    """Return what a container had handed over that was stopped, or lost from sight, after that.

    Returns:
        The value; None if there is none, and for another end.
    """
    return decoded(record.result) if isinstance(outcome, (TimedOut, Missing)) else None


def may_follow(record: Record, outcome: Outcome) -> bool:
    """Whether a timeout's container may have handed over a result since the record was read."""
    return isinstance(outcome, TimedOut) and record.flow.takes_result and record.result is None


def told(record: Record, outcome: Outcome, where: str = IN_RESULT) -> Outcome:
    """Say in a timeout's detail, once, that there is a result, and where; another end stays."""
    if handed_over(record, outcome) is None or HANDED_OVER in outcome.detail:
        return outcome
    joint = "; "
    before = outcome.detail[: MAX_DETAIL - len(joint) - len(where)]
    return replace(outcome, detail=joint.join(filter(None, (before, where))))
