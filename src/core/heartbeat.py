"""Progress as a sign of life: by when a worker has to have given another."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from core import reported
from core.outcome import TimedOut
from core.outcome.kinds import SILENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.record import Record

# A worker's clock may be ahead of the one that looks.
CLOCKS_DIFFER = timedelta(minutes=1)


def silent_from(task: Mapping[str, Any], record: Record, now: datetime) -> datetime | None:
    """Return by when the worker of a running task has to have reported progress again.

    It is counted from its last report, or from the task's start while there is none. A report from
    the next minute is one of this moment, for clocks differ. One of a later time is none: it would
    keep its task alive for as long as it likes.

    Args:
        task: as DescribeTasks shows it.
        record: of its attempt.
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
    """Return the end for which a task is stopped whose worker reported nothing for so long."""
    return TimedOut(detail=f"{SILENT} for {seconds} s")
