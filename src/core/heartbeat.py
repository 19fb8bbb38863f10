"""Heartbeats: the moment by which a worker has to report progress again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from core import reported
from core.outcome import TimedOut
from core.outcome.kinds import SILENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.record import Record

# A worker's clock may be ahead of ours.
CLOCKS_DIFFER = timedelta(minutes=1)


def silent_from(task: Mapping[str, Any], record: Record, now: datetime) -> datetime | None:
    """Return the moment by which the worker of a running task has to report progress again.

    The time counts from the last report, or from the task's start before the first one. Clocks
    differ, so a report up to a minute ahead counts as one of this moment. A report further ahead
    does not count: it could keep its task alive for ever.

    Args:
        task: the task, as DescribeTasks shows it.
        record: the record of its attempt.
        now: the moment of the look.

    Returns:
        The moment; None where no limit holds: nobody has set one, the task has not started, or it
        is to stop.
    """
    started, seconds = task.get("startedAt"), record.heartbeat_seconds
    if seconds is None or not isinstance(started, datetime):
        return None
    if task.get("desiredStatus") != "RUNNING":
        return None
    told = reported.moment((record.progress or {}).get("at"))
    is_life = told and told <= now + CLOCKS_DIFFER
    last = max(started, min(told, now)) if told and is_life else started
    return last + timedelta(seconds=seconds)


def silent(seconds: int) -> TimedOut:
    """Return the end of a task that is stopped because its worker reported nothing for so long."""
    return TimedOut(detail=f"{SILENT} for {seconds} s")
