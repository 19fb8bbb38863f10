"""`classify`: how a task ended, from the shape that task events and DescribeTasks share."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.moment import timestamp
from core.outcome.kinds import (
    MOMENTS,
    SIGKILL,
    SIGTERM,
    ApplicationFailed,
    Cancelled,
    FailedToStart,
    InfrastructureLost,
    Outcome,
    OutOfMemory,
    SpotInterrupted,
    StoppedByUser,
    Succeeded,
    TimedOut,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

# Begins the reason of every StopTask of ours, followed by the outcome that it stands for.
_STOPPED_BY_US = "durable-task/"

# How AWS says that it is too busy; ECS passes on the words of the services behind it.
TOO_BUSY = r"throttl|rate exceeded|too ?many ?requests|request ?limit ?exceeded"
_TRANSIENT = re.compile(
    # Room, network interfaces and disks that ECS waits for in vain.
    r"capacity is unavailable|reached the limit on the number of|insufficientfreeaddresses|\beni\b"
    r"|timeout waiting for (?:network interface|ephemeral ?storage)"
    r"|error while attempting to create network interface"
    # Whatever a registry or an API is too busy or too broken for.
    rf"|{TOO_BUSY}|serverexception"
    r"|internal ?(?:server ?)?error|(?:temporarily|service ?) ?unavailable|status code:? 5\d\d\b"
    # A network that lost or delayed an answer.
    r"|i/o timeout|handshake timeout|request timed out|client\.timeout|dockertimeouterror"
    r"|deadline exceeded|connection reset|\beof\b",
    re.IGNORECASE,
)
_SPOT = re.compile(r"\bspot\b.*\binterrupt", re.IGNORECASE)
# A retired platform or host; its stop code is not documented.
_MAINTENANCE = re.compile(r"maintenance on the underlying infrastructure", re.IGNORECASE)
_OUT_OF_MEMORY = re.compile(r"outofmemory|out of memory|\boom\b", re.IGNORECASE)
_MAX_DETAIL = 1_000
_ENDING = ("DEPROVISIONING", "STOPPED")


def is_transient(reason: str) -> bool:
    """Whether a start that failed for this reason may well succeed later."""
    return bool(_TRANSIENT.search(reason))


def is_ending(task: Mapping[str, Any]) -> bool:
    """Whether a task's containers are gone, so that `classify` may say how it ended."""
    return task.get("lastStatus") in _ENDING


def stop_reason(ending: Outcome) -> str:
    """Return StopTask's reason, from which `classify` tells our own stops by their outcome."""
    return f"{_STOPPED_BY_US}{ending.kind}: {ending.detail or ending.summary}"


def classify(task: Mapping[str, Any], container: str) -> Outcome | None:
    """Say how a task ended.

    Args:
        task: an event's `detail` or an element of DescribeTasks' `tasks`.
        container: name of the main container; sidecars have no say.

    Returns:
        The outcome, or None while the task is not over or may yet tell more.
    """
    main = _main(task, container)
    code, reason = main.get("exitCode"), main.get("reason") or ""
    if not _is_over(task, code):
        return None
    facts: dict[str, Any] = {
        "task_arn": task.get("taskArn"),
        "exit_code": None if code is None else int(code),
        **_life(task),
        "detail": "; ".join(filter(None, (task.get("stoppedReason"), reason)))[:_MAX_DETAIL],
    }
    by_stop_code = _by_stop_code(task, facts["detail"])
    if by_stop_code is FailedToStart:
        return FailedToStart(**facts, transient=is_transient(facts["detail"]))
    return (by_stop_code or _by_exit(code, reason))(**facts)


def so_far(ending: Outcome, task: Mapping[str, Any]) -> Outcome:
    """Return the end that a task comes to by our own stop, with what ECS tells of it before."""
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
    # DEPROVISIONING tells the exit some 20 s before STOPPED does. A killed container's reason
    # (out of memory) may still be on its way then, so those two codes wait for STOPPED.
    return (
        task.get("lastStatus") == "DEPROVISIONING"
        and task.get("stopCode") == "EssentialContainerExited"
        and code not in (None, SIGKILL, SIGTERM)
    )


def _by_stop_code(task: Mapping[str, Any], detail: str) -> type[Outcome] | None:
    """The type that the stop code alone decides; None leaves it to the exit."""
    stop_code, reason = task.get("stopCode"), task.get("stoppedReason") or ""
    if stop_code == "EssentialContainerExited":
        return None
    for ours in (TimedOut, Cancelled):
        if stop_code == "UserInitiated" and reason.startswith(_STOPPED_BY_US + ours.__name__):
            return ours
    if _MAINTENANCE.search(reason):
        return InfrastructureLost
    if stop_code is None:
        # Old events and some Spot interruptions carry no stop code.
        return SpotInterrupted if _SPOT.search(detail) else None
    # A stop code that is not known yet is not a success, whatever the exit code says.
    return _STOP_CODES.get(stop_code, InfrastructureLost)


_STOP_CODES: Mapping[str, type[Outcome]] = {
    "TaskFailedToStart": FailedToStart,
    "UserInitiated": StoppedByUser,
    # The task belongs to no service: AWS itself has stopped it.
    "ServiceSchedulerInitiated": InfrastructureLost,
    "SpotInterruption": SpotInterrupted,
    "TerminationNotice": InfrastructureLost,
    "InfrastructureHealth": InfrastructureLost,
}


def _by_exit(code: int | None, reason: str) -> type[Outcome]:
    # The reason beats the code: a container killed for memory has been seen with exit code 0.
    if _OUT_OF_MEMORY.search(reason):
        return OutOfMemory
    if code is None:
        return InfrastructureLost
    return Succeeded if int(code) == 0 else ApplicationFailed


def _iso(moment: str | datetime | None) -> str | None:
    return timestamp(moment) if isinstance(moment, datetime) else moment
