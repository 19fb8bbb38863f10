"""`classify`: how a task ended, from the shape that task events and DescribeTasks share."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.moment import timestamp
from core.outcome.beside import NEVER_RAN, NOT_LOOKED_AT, OUT_OF_MEMORY, SIGKILL, SIGTERM, ended_by
from core.outcome.causes import is_transient
from core.outcome.kinds import (
    MAX_DETAIL,
    MOMENTS,
    NOT_FETCHED,
    STOPPED_BY_US,
    ApplicationFailed,
    Cancelled,
    FailedToStart,
    InfrastructureLost,
    Missing,
    Outcome,
    OutOfMemory,
    SpotInterrupted,
    StoppedByUser,
    Succeeded,
    TimedOut,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.outcome.beside import OtherContainer

# The stop codes of a task that its own containers have ended.
_ENDED_BY_ITSELF = ("EssentialContainerExited", "TaskFailedToStart")
# Only within a sentence: the name of an image may hold the word.
_SPOT = re.compile(r"(?<![\w./-])spot(?: \w+){0,4} interrupt", re.IGNORECASE)
# A StopTask with exactly ECS's words counts as an interruption.
_SPOT_SENTENCE = "Your Spot Task was interrupted"
# A retired platform, or an instance that is gone; their stop codes are not documented.
_HOST_LOST = re.compile(
    r"maintenance on the underlying infrastructure"
    r"|^host ec2 \(instance .{0,60}\) (?:stopped|terminated)",
    re.IGNORECASE,
)
# A stop interrupts the pull of an image, and ECS then says that the pull failed.
_BROKEN_OFF = re.compile(r"context cancell?ed", re.IGNORECASE)
# Exit codes of a container without a process: those of the runtime, which could not start it, and
# that of the agent, which did not try.
_NO_PROCESS = (125, 126, 127, 128, SIGTERM)
_ENDING = ("DEPROVISIONING", "STOPPED")


def is_ending(task: Mapping[str, Any]) -> bool:
    """Whether a task's containers are gone, so that `classify` may say how it ended."""
    return task.get("lastStatus") in _ENDING


def stop_reason(ending: Outcome) -> str:
    """Return StopTask's reason, in which `classify` recognises our own stop and its outcome."""
    return f"{STOPPED_BY_US}{ending.kind}: {ending.detail or ending.summary}"


def classify(task: Mapping[str, Any], container: str) -> Outcome | None:
    """Return how a task ended.

    Args:
        task: an event's `detail` or an element of DescribeTasks' `tasks`.
        container: name of the main container; others decide only why it did not start or go on.

    Returns:
        The outcome; None while the task is not over, or ECS may add a reason.
    """
    main = _main(task, container)
    code = main.get("exitCode")
    if not _is_over(task, code):
        return None
    other = ended_by(task.get("containers") or (), container)
    kind = _kind(task, main, other)
    if not _may_be_others(task, main, kind):
        other = None
    told = [task.get("stoppedReason"), main.get("reason")]
    told += [other.sentence + _ended_the_task(kind), other.reason] if other else []
    facts: dict[str, Any] = {
        "task_arn": task.get("taskArn"),
        "exit_code": None if code is None else int(code),
        **_life(task),
        "detail": "; ".join(filter(None, told))[:MAX_DETAIL],
        "ended_by": other,
    }
    if kind is FailedToStart:
        failed = FailedToStart(**facts)
        passes = code == NOT_FETCHED or is_transient(failed.reasons)
        return replace(failed, transient=passes)
    return kind(**facts)


def has_begun(task: Mapping[str, Any], container: str) -> bool:
    """Whether the main container runs or has run, as far as ECS shows."""
    return not _never_began(task, _main(task, container))


def so_far(ending: Outcome, task: Mapping[str, Any]) -> Outcome:
    """Return the end of a task that we stop, with the facts that ECS has shown of it."""
    return replace(ending, task_arn=task.get("taskArn"), **_life(task))


def _life(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task's moments and its capacity as an outcome has them."""
    moments = {moment: _iso(task.get(name)) for moment, name in MOMENTS.items()}
    # STOPPED comes some 20 s after the containers' end.
    if ended := task.get("executionStoppedAt"):
        moments["stopped_at"] = _iso(ended)
    return {**moments, "capacity": task.get("capacityProviderName") or task.get("launchType")}


def _main(task: Mapping[str, Any], container: str) -> Mapping[str, Any]:
    named = (c for c in task.get("containers") or () if c.get("name") == container)
    return next(named, {})


def _is_over(task: Mapping[str, Any], code: int | None) -> bool:
    if task.get("lastStatus") == "STOPPED":
        return True
    # DEPROVISIONING has the exit code some 20 s before STOPPED. A killed container's reason
    # (out of memory) may still be on its way then, so those two codes wait for STOPPED.
    return (
        task.get("lastStatus") == "DEPROVISIONING"
        and task.get("stopCode") == "EssentialContainerExited"
        and code not in (None, SIGKILL, SIGTERM)
    )


def _kind(
    task: Mapping[str, Any], main: Mapping[str, Any], other: OtherContainer | None
) -> type[Outcome]:
    """Return the kind that follows from stop code, exit codes and reasons."""
    stop_code, reason = task.get("stopCode"), task.get("stoppedReason") or ""
    code = main.get("exitCode")
    if _never_ran(task, main):
        return FailedToStart
    if stop_code == "UserInitiated":
        return _stopped(task, main)
    is_own = stop_code is None or stop_code in _ENDED_BY_ITSELF
    # Work that ran to its end is done, whatever became of the containers beside it.
    if not (stop_code and is_own and code == 0) and (lost := _lost(reason)):
        return lost
    return _by_exit(task, main, other) if is_own else _by_aws(stop_code, code)


def _lost(reason: str) -> type[Outcome] | None:
    """Return the kind of a task whose capacity AWS took away, by its reason; None for others."""
    if _SPOT.search(reason):
        return SpotInterrupted
    return InfrastructureLost if _HOST_LOST.search(reason) else None


def _by_aws(stop_code: str | None, code: int | None) -> type[Outcome]:
    """Return the kind of a task that AWS itself stopped."""
    if stop_code not in _STOP_CODES and code == 0:
        # Work that may be done is not repeated. Without ECS's word it is no success either.
        return Missing
    return _STOP_CODES.get(stop_code, InfrastructureLost)


def _stopped(task: Mapping[str, Any], main: Mapping[str, Any]) -> type[Outcome]:
    """Return the kind of a task that a StopTask ended; our own has the kind in its reason."""
    reason = task.get("stoppedReason") or ""
    for ours in (TimedOut, FailedToStart):
        if reason.startswith(STOPPED_BY_US + ours.__name__):
            # Work that has never begun did not take too long.
            return FailedToStart if _never_began(task, main) else TimedOut
    if reason.startswith(STOPPED_BY_US + Cancelled.__name__):
        return Cancelled
    if reason.startswith(_SPOT_SENTENCE):
        return SpotInterrupted
    return InfrastructureLost if _HOST_LOST.search(reason) else StoppedByUser


def _never_ran(task: Mapping[str, Any], main: Mapping[str, Any]) -> bool:
    """Whether ECS says that the main container itself did not run."""
    code, reason = main.get("exitCode"), main.get("reason") or ""
    if NOT_LOOKED_AT.match(reason) and _never_began(task, main):
        return True
    if not NEVER_RAN.match(reason) or code not in (None, *_NO_PROCESS):
        return False
    return not (
        _BROKEN_OFF.search(reason) and task.get("stopCode") not in (None, *_ENDED_BY_ITSELF)
    )


def _never_began(task: Mapping[str, Any], main: Mapping[str, Any]) -> bool:
    """Whether the main container has never run, as far as ECS shows."""
    # The task has started once all its containers have.
    is_running = main.get("lastStatus") == "RUNNING"
    return not is_running and task.get("startedAt") is None and main.get("exitCode") is None


# The kinds of AWS's own stops, whatever the container's exit code.
_STOP_CODES: Mapping[str | None, type[Outcome]] = {
    # The task belongs to no service: AWS itself has stopped it.
    "ServiceSchedulerInitiated": InfrastructureLost,
    "SpotInterruption": SpotInterrupted,
    "TerminationNotice": InfrastructureLost,
    "InfrastructureHealth": InfrastructureLost,
}


def _by_exit(
    task: Mapping[str, Any], main: Mapping[str, Any], other: OtherContainer | None
) -> type[Outcome]:
    """Return the kind that follows from the main container's own end."""
    code = main.get("exitCode")
    if code is None and task.get("stopCode") == "TaskFailedToStart":
        return FailedToStart
    if other and other.exit_code and _never_began(task, main):
        # The main container waited in vain for the other one.
        return FailedToStart
    # The reason beats the code: a container killed for memory has been seen with exit code 0.
    if OUT_OF_MEMORY.search(main.get("reason") or ""):
        return OutOfMemory
    if code is None:
        return InfrastructureLost
    if code == NOT_FETCHED:
        return FailedToStart
    return Succeeded if int(code) == 0 else ApplicationFailed


def _may_be_others(task: Mapping[str, Any], main: Mapping[str, Any], kind: type[Outcome]) -> bool:
    """Whether another container can have caused the main container's end."""
    if task.get("stopCode") not in (None, *_ENDED_BY_ITSELF):
        return False
    if kind in (FailedToStart, InfrastructureLost):
        return main.get("exitCode") != NOT_FETCHED
    return kind is ApplicationFailed and main.get("exitCode") in (SIGKILL, SIGTERM)


def _ended_the_task(kind: type[Outcome]) -> str:
    return "" if kind is FailedToStart else " and ended the task"


def _iso(moment: str | datetime | None) -> str | None:
    return timestamp(moment) if isinstance(moment, datetime) else moment
