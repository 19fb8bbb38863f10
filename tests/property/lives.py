"""The ways in which a task ends, and what ECS shows on the way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from core.outcome import NOT_FETCHED, Cancelled, TimedOut, stop_reason
from local.ecs.detail import new_detail, told
from local.ecs.state import TaskState
from tests.integration.aws import CLUSTER, ENVIRONMENT, TEMPLATE, Time

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKER = ENVIRONMENT["CONTAINER_NAME"]
[_DEFINITION] = TEMPLATE.of_type("AWS::ECS::TaskDefinition").values()
EXIT_CODES = st.sampled_from([0, 1, 137, 143]) | st.integers(0, 255)


@dataclass(frozen=True, slots=True)
class Ending:
    """One end of a task, and what ECS says of it.

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
    kind = {0: "Succeeded", NOT_FETCHED: "FailedToStart"}.get(code, "ApplicationFailed")
    return Ending(kind, "EssentialContainerExited", code, "Essential container in task exited")


def _by_stop_code(kind: str, stop_code: str | None, reason: str) -> st.SearchStrategy[Ending]:
    """A cause that ECS names, whatever the container's exit looks like."""
    codes = st.none() | EXIT_CODES
    return codes.map(lambda code: Ending(kind, stop_code, code, stopped_reason=reason))


EXITS = EXIT_CODES.map(exited)
# The reason of a kill for memory may be slower than its exit code, which is 137 then.
DEATHS = st.builds(
    partial(Ending, "OutOfMemory", "EssentialContainerExited", 137),
    reason=st.just("OutOfMemoryError: Container killed due to memory usage"),
    late_reason=st.booleans(),
)
CAUSES = st.one_of(
    st.just(Ending("InfrastructureLost", "EssentialContainerExited")),
    st.just(
        Ending("FailedToStart", "TaskFailedToStart", stopped_reason="CannotPullContainerError")
    ),
    _by_stop_code("StoppedByUser", "UserInitiated", "Task stopped by user"),
    _by_stop_code("TimedOut", "UserInitiated", stop_reason(TimedOut())),
    _by_stop_code("Cancelled", "UserInitiated", stop_reason(Cancelled())),
    _by_stop_code("SpotInterrupted", "SpotInterruption", "Your Spot Task was interrupted."),
    _by_stop_code("SpotInterrupted", None, "Your Spot Task was interrupted."),
    _by_stop_code("InfrastructureLost", "InfrastructureHealth", "Host failed"),
    st.just(Ending("InfrastructureLost", "InventedTomorrow", 1, "Who knows")),
    st.just(Ending("Missing", "InventedTomorrow", 0, "Who knows")),
)
# In equal parts, which `one_of` would not give: the container's own end, the kernel's, ECS's.
ENDINGS = st.sampled_from([EXITS, DEATHS, CAUSES]).flatmap(lambda ending: ending)
SUCCESS = exited(0)


def new_task(started_by: str | None = None) -> TaskState:
    """Return a task that was just started."""
    time = Time()
    request = {"cluster": CLUSTER, "startedBy": started_by}
    return TaskState(new_detail(TEMPLATE, _DEFINITION, request, time.now()), WORKER, time)


def life(ending: Ending, task: TaskState | None = None) -> list[dict[str, Any]]:
    """Return the task as each of its states shows it, in order, as if there were an event of each.

    Why it is to stop is told first of a task that still runs: the Spot warning looks like that.
    """
    events = list(_moved(task or new_task(), ending))
    return [{**event, "version": version} for version, event in enumerate(events, 1)]


def _moved(task: TaskState, ending: Ending) -> Iterator[dict[str, Any]]:
    """Move a task through its life, and yield what each state shows."""
    yield told(task.detail)
    yield from _to("RUNNING", task)
    task.end(ending.stop_code, ending.stopped_reason)
    yield told(task.detail)
    if ending.exit_code is not None:
        task.exit(ending.exit_code)
    if not ending.late_reason:
        task.explain(ending.reason)
    yield from _to("DEPROVISIONING", task)
    task.explain(ending.reason)
    yield from _to("STOPPED", task)


def _to(status: str, task: TaskState) -> Iterator[dict[str, Any]]:
    while task.status != status:
        task.enter(str(task.following))
        yield told(task.detail)
