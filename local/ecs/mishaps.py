"""What goes wrong with a task, as a value that the task carries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FailedStart:
    """The task ends before its main container runs.

    Attributes:
        reason: the task's `stoppedReason`.
    """

    reason: str


Mishap = FailedStart
