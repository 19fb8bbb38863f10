"""Mishaps of tasks: each is a value that its task carries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FailedStart:
    """The task ends before its main container runs.

    Attributes:
        reason: the task's `stoppedReason`.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class HangingStart:
    """The task stays PENDING until it is asked to stop."""


@dataclass(frozen=True, slots=True)
class FailedBeside:
    """A container that starts after the main one cannot start, once the main one has exited.

    ECS then says that the whole task has failed to start.

    Attributes:
        reason: the task's `stoppedReason`, and the container's own.
        name: the container's name.
    """

    reason: str
    name: str = "guard"


@dataclass(frozen=True, slots=True)
class UnseenExit:
    """The main container exits, and the task stays RUNNING until it is asked to stop.

    Its exit code is never known.
    """


@dataclass(frozen=True, slots=True)
class EndedBeside:
    """An essential container beside the main one exits, which ends the task: SIGTERM follows.

    Attributes:
        code: the container's exit code.
        seconds: how long it runs, in AWS's seconds.
        name: the container's name.
    """

    code: int
    seconds: float = 0
    name: str = "watchdog"


Mishap = FailedStart | HangingStart | FailedBeside | UnseenExit | EndedBeside
