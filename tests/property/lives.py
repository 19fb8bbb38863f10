"""A model of a task's life: the ways to end, and the states that ECS reports on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from core.outcome import Cancelled, TimedOut, stop_reason

WORKER = "worker"
TASK_ARN = "arn:aws:ecs:us-east-1:123456789012:task/demo-cluster/0f9de17a6465404e8b1b2356dc13c2f8"
BEFORE = ["PROVISIONING", "PENDING", "ACTIVATING", "RUNNING"]
AFTER = ["DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"]
SIGNALLED = (137, 143)
EXIT_CODES = st.sampled_from([0, 1, *SIGNALLED]) | st.integers(0, 255)


@dataclass(frozen=True, slots=True)
class Ending:
    """What happened to a task, and what ECS says of it.

    Attributes:
        kind: the outcome that this is, whatever order its events come in.
        late_reason: the container's reason is told with STOPPED and not before.
    """

    kind: str
    stop_code: str | None
    exit_code: int | None = None
    stopped_reason: str | None = None
    reason: str | None = None
    late_reason: bool = False


def exited(code: int) -> Ending:
    """The container's own end."""
    kind = "ApplicationFailed" if code else "Succeeded"
    return Ending(kind, "EssentialContainerExited", code, "Essential container in task exited")


def _out_of_memory(*, late: bool) -> Ending:
    """A kill for memory: its reason may be slower than its exit code, which is 137 then."""
    reason = "OutOfMemoryError: Container killed due to memory usage"
    return Ending("OutOfMemory", "EssentialContainerExited", 137, reason=reason, late_reason=late)


def _by_stop_code(kind: str, stop_code: str | None, reason: str) -> st.SearchStrategy[Ending]:
    """A cause that ECS names, whatever the container's exit looks like."""
    codes = st.none() | EXIT_CODES
    return codes.map(lambda code: Ending(kind, stop_code, code, stopped_reason=reason))


EXITS = EXIT_CODES.map(exited)
DEATHS = st.booleans().map(lambda late: _out_of_memory(late=late))
CAUSES = st.one_of(
    st.just(Ending("InfrastructureLost", "EssentialContainerExited")),
    _by_stop_code("FailedToStart", "TaskFailedToStart", "CannotPullContainerError"),
    _by_stop_code("StoppedByUser", "UserInitiated", "Task stopped by user"),
    _by_stop_code("TimedOut", "UserInitiated", stop_reason(TimedOut())),
    _by_stop_code("Cancelled", "UserInitiated", stop_reason(Cancelled())),
    _by_stop_code("SpotInterrupted", "SpotInterruption", "Your Spot Task was interrupted."),
    _by_stop_code("SpotInterrupted", None, "Your Spot Task was interrupted."),
    _by_stop_code("InfrastructureLost", "InfrastructureHealth", "Host failed"),
    _by_stop_code("InfrastructureLost", "InventedTomorrow", "Who knows"),
)
# In equal parts, which `one_of` would not give: the container's own end, the kernel's, ECS's.
ENDINGS = st.sampled_from([EXITS, DEATHS, CAUSES]).flatmap(lambda ending: ending)
SUCCESS = exited(0)


def life(ending: Ending) -> list[dict[str, Any]]:
    """Return the task as each of its events shows it, in the order in which ECS sends them.

    Why it is to stop is told first of a task that still runs: the Spot warning looks like that.
    """
    cause = {"stopCode": ending.stop_code, "stoppedReason": ending.stopped_reason}
    running: dict[str, Any] = {"desiredStatus": "RUNNING"}
    stopping = {"desiredStatus": "STOPPED", **cause}
    alive: dict[str, Any] = {"name": WORKER, "lastStatus": "RUNNING"}
    events = [{"lastStatus": state, **running, "containers": [alive]} for state in BEFORE]
    events += [{"lastStatus": "RUNNING", **stopping, "containers": [alive]}]
    events += [
        {"lastStatus": state, **stopping, "containers": [_dead(ending, state)]} for state in AFTER
    ]
    return [
        _present({"taskArn": TASK_ARN, "version": version, **event})
        for version, event in enumerate(events, 1)
    ]


def _dead(ending: Ending, state: str) -> dict[str, Any]:
    silent = ending.late_reason and state != "STOPPED"
    reason = None if silent else ending.reason
    fields = {"lastStatus": "STOPPED", "exitCode": ending.exit_code, "reason": reason}
    return _present({"name": WORKER, **fields})


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
