"""How a task ended, told from ECS's words alone: not by the code that is tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.faults.scenario import Scenario

_BY_STOP_CODE = {"SpotInterruption": "SpotInterrupted", "TaskFailedToStart": "FailedToStart"}
_OURS = "durable-task/"


class Truth(NamedTuple):
    """The end of a task.

    Attributes:
        kind: as the outcome's name.
    """

    kind: str
    exit_code: int | None


def truth(task: Mapping[str, Any]) -> Truth:
    """Return how a stopped task ended."""
    code = task["containers"][0].get("exitCode")
    stop_code, reason = task["stopCode"], task["stoppedReason"]
    if stop_code == "UserInitiated":
        by_us = reason.startswith(_OURS)
        kind = reason.removeprefix(_OURS).partition(":")[0] if by_us else "StoppedByUser"
    elif stop_code in _BY_STOP_CODE:
        kind = _BY_STOP_CODE[stop_code]
    else:
        kind = "Succeeded" if code == 0 else "ApplicationFailed"
    return Truth(kind, code)


def expected(scenario: Scenario) -> Truth:
    """Return how the last task ends if nobody stops anything and no worker dies."""
    if scenario.end == "Spot" and scenario.flow != "dynamodb":
        # It is tried again, and the next task's capacity stays.
        return Truth("Succeeded", 0)
    return {
        "exit 0": Truth("Succeeded", 0),
        "exit 3": Truth("ApplicationFailed", 3),
        "SIGKILL": Truth("ApplicationFailed", 137),
        "failed to start": Truth("FailedToStart", None),
        "Spot": Truth("SpotInterrupted", 143),
        "stopped": Truth("StoppedByUser", 143),
    }[scenario.end]
