"""The start of a task: the limit for it, and ECS's last word on whether it began."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.outcome import FailedToStart, Outcome, TimedOut, has_begun
from core.outcome.kinds import UNSEEN_START

if TYPE_CHECKING:
    from collections.abc import Mapping

# Most starts take a minute. Those that wait for room, addresses or a large image take more.
DEFAULT_START_SECONDS = 1_800
# ECS needs some 30 s to stop a task that has not begun.
LAST_WORD_SECONDS = 120


def starts_by(task: Mapping[str, Any], container: str, seconds: int | None) -> datetime | None:
    """Return the moment by which a task's main container has to begin.

    Args:
        task: the task, as DescribeTasks shows it.
        container: name of the main container.
        seconds: how long it may take from ECS's `createdAt`; None where nobody has set a limit.

    Returns:
        The moment; None where no limit holds: the container has begun, or the task is to stop.
    """
    created = task.get("createdAt")
    if seconds is None or not isinstance(created, datetime):
        return None
    if task.get("desiredStatus") != "RUNNING" or has_begun(task, container):
        return None
    return created + timedelta(seconds=seconds)


def unstarted(seconds: int) -> FailedToStart:
    """Return the end of a task that is stopped because it has not begun in so many seconds.

    The end is the reason of the stop, not yet the outcome: the container may begin meanwhile.
    """
    detail = f"The container had not started {seconds} s after ECS took the task"
    return FailedToStart(detail=detail, transient=True)


def last_word_seconds(timeout: int) -> int:
    """Return for how long ECS is asked about a task that was stopped before it was seen to run.

    Args:
        timeout: seconds that the attempt may take; the last word does not take longer.
    """
    return min(timeout, LAST_WORD_SECONDS)


def has_last_word(ending: Outcome) -> bool:
    """Whether a task was stopped for its timeout, and ECS has yet to say if it ever began."""
    is_over = ending.exit_code is not None
    return isinstance(ending, TimedOut) and ending.started_at is None and not is_over


def untold(timeout: int) -> TimedOut:
    """Return the outcome of a stopped task if ECS does not say whether it ever began."""
    seconds = last_word_seconds(timeout)
    return TimedOut(detail=f"{UNSEEN_START}; in {seconds} s ECS has not shown how it ended")
