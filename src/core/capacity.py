"""The capacity that a launch asks for: on demand, Spot, or Spot until Spot has failed."""

from __future__ import annotations

from enum import StrEnum

from core.job import Capacity
from core.outcome import NO_CAPACITY, FailedToStart, Outcome, SpotInterrupted, cause_of


class LaunchCapacity(StrEnum):
    """The capacity that one launch asks for."""

    ON_DEMAND = "ON_DEMAND"
    SPOT = "SPOT"

    @property
    def provider(self) -> str:
        """ECS's name of the capacity, as an outcome has it."""
        return "FARGATE" if self is LaunchCapacity.ON_DEMAND else "FARGATE_SPOT"


def first(wanted: Capacity) -> LaunchCapacity:
    """Return the capacity that an execution's first launch asks for."""
    if wanted is Capacity.ON_DEMAND:
        return LaunchCapacity.ON_DEMAND
    return LaunchCapacity.SPOT


def following(wanted: Capacity, last: LaunchCapacity, outcome: Outcome) -> LaunchCapacity:
    """Return the capacity that the next launch asks for, of this attempt or of another.

    A request without an answer has not ended: it is repeated unchanged.

    Args:
        wanted: the job's capacity.
        last: the capacity that the last launch asked for.
        outcome: the last launch's outcome: the end of its task, or the refusal of one.
    """
    if wanted is Capacity.SPOT_THEN_ON_DEMAND and _was_refused(outcome):
        return LaunchCapacity.ON_DEMAND
    return last


def _was_refused(outcome: Outcome) -> bool:
    """Whether there was no capacity, or Spot has taken it back."""
    if isinstance(outcome, FailedToStart):
        return cause_of(outcome.reasons) is NO_CAPACITY
    return isinstance(outcome, SpotInterrupted)
