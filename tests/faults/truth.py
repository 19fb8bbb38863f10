"""The end of a task, read from ECS's facts without the tested code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.faults.scenario import Scenario

_OURS = "durable-task/"
# The template's name of the container that does the work.
_MAIN = "worker"


class Truth(NamedTuple):
    """The end of a task.

    Attributes:
        kind: as the outcome's name.
    """

    kind: str
    exit_code: int | None


def truth(task: Mapping[str, Any]) -> Truth:
    """Return how a stopped task ended."""
    [main] = [each for each in task["containers"] if each["name"] == _MAIN]
    code, reason = main.get("exitCode"), task["stoppedReason"]
    if task["stopCode"] == "UserInitiated":
        kind = _stopped(reason, has_begun="startedAt" in task or code is not None)
    elif task["stopCode"] == "SpotInterruption":
        kind = "SpotInterrupted"
    elif code is None:
        kind = {"TaskFailedToStart": "FailedToStart"}.get(task["stopCode"], "InfrastructureLost")
    else:
        # It has run, whatever could not start beside it.
        kind = "Succeeded" if code == 0 else "ApplicationFailed"
    return Truth(kind, code)


def _stopped(reason: str, *, has_begun: bool) -> str:
    if not reason.startswith(_OURS):
        return "StoppedByUser"
    kind = reason.removeprefix(_OURS).partition(":")[0]
    if kind in {"TimedOut", "FailedToStart"}:
        # ECS's last word decides, not the moment at which somebody had enough.
        return "TimedOut" if has_begun else "FailedToStart"
    return kind


def expected(scenario: Scenario) -> Truth:
    """Return how the last task ends if nobody stops anything and no worker dies."""
    if scenario.is_tried_again:
        # The next task starts, and its capacity stays.
        return Truth("Succeeded", 0)
    return {
        "exit 0": Truth("Succeeded", 0),
        "exit 3": Truth("ApplicationFailed", 3),
        "SIGKILL": Truth("ApplicationFailed", 137),
        "failed to start": Truth("FailedToStart", None),
        "Spot": Truth("SpotInterrupted", 143),
        "stopped": Truth("StoppedByUser", 143),
        "hangs": Truth("FailedToStart", None),
        "done before a failed start": Truth("Succeeded", 0),
        "never told as ended": Truth("TimedOut", None),
    }[scenario.end]
