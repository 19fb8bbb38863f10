"""A task as ECS shows it: its states, its end, its events."""

from __future__ import annotations

import threading
import uuid
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from local.ecs.detail import described
from local.exits import KILLED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from local.ecs.mishaps import Mishap


class State(NamedTuple):
    """One of Fargate's states.

    Attributes:
        seconds: how long it lasts if it takes time of its own, in AWS's seconds: rounded medians of
            the published events of six tasks.
        moments: members that say when it began.
        is_told: whether there is an event about it; events skip states that last no time.
    """

    seconds: float = 0
    moments: tuple[str, ...] = ()
    is_told: bool = False


# From creation to RUNNING 28 s, from the container's exit to STOPPED 23 s.
STATES = {
    "PROVISIONING": State(10, is_told=True),
    "PENDING": State(18, ("connectivityAt", "pullStartedAt"), is_told=True),
    "ACTIVATING": State(0, ("pullStoppedAt",)),
    "RUNNING": State(0, ("startedAt",), is_told=True),
    "DEACTIVATING": State(0, ("executionStoppedAt",)),
    "STOPPING": State(5),
    "DEPROVISIONING": State(18, ("stoppingAt",), is_told=True),
    "STOPPED": State(0, ("stoppedAt",), is_told=True),
}
_ORDER = list(STATES)
_EXITED = "Essential container in task exited"
_INTERRUPTED = "Your Spot Task was interrupted."
_OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"


class Time(Protocol):
    """A clock of AWS's time."""

    @property
    def passed(self) -> float:
        """Seconds since some moment."""

    def now(self) -> datetime:
        """Return the present moment, later than the one before."""


class TaskState:
    """A task that its caller moves from state to state.

    Attributes:
        arn: the task's ARN.
        tags: the task's tags, which its events do not show.
        mishap: the task's mishap; None if there is none.
    """

    def __init__(
        self,
        detail: dict[str, Any],
        main: str,
        time: Time,
        on_change: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> None:
        """Take a new task.

        Args:
            detail: the new task, in its first state.
            main: name of the main container.
            time: the clock for its moments.
            on_change: called for each state that has an event.
        """
        self.arn: str = detail["taskArn"]
        self.tags: list[dict[str, str]] = []
        self.mishap: Mishap | None = None
        self._detail, self._main = detail, main
        self._time, self._on_change = time, on_change
        self._lock = threading.RLock()
        self._ended: float | None = None

    @property
    def status(self) -> str:
        """The present state."""
        return str(self._detail["lastStatus"])

    @property
    def detail(self) -> dict[str, Any]:
        """The task as an event would show it at present; moments are datetimes."""
        with self._lock:
            containers = [dict(container) for container in self._detail["containers"]]
            return {**self._detail, "containers": containers}

    @property
    def ended_for(self) -> float | None:
        """AWS's seconds since it was STOPPED; None before."""
        return None if self._ended is None else self._time.passed - self._ended

    def describe(self) -> dict[str, Any]:
        """Return the task as DescribeTasks shows it."""
        with self._lock:
            return described(self._detail)

    def shows(self, wanted: Mapping[str, str]) -> bool:
        """Whether DescribeTasks shows the task with these values."""
        with self._lock:
            return wanted.items() <= self._detail.items()

    def begin(self) -> None:
        """Begin, once RunTask has accepted it."""

    @property
    def following(self) -> str | None:
        """The state that comes next; None after the last one."""
        with self._lock:
            is_to_stop = self._detail["desiredStatus"] == "STOPPED"
            if is_to_stop and _ORDER.index(self.status) < _ORDER.index("RUNNING"):
                return "STOPPING"
            return dict(pairwise(_ORDER)).get(self.status)

    def advance(self, status: str) -> None:
        """Go on to a state, through the states in between."""
        while self.status != status and (following := self.following):
            self.enter(following)

    def enter(self, status: str) -> None:
        """Enter a state, now."""
        with self._lock:
            state = STATES[status]
            moments = dict.fromkeys(("updatedAt", *state.moments), self._time.now())
            self._detail |= {"lastStatus": status, **moments}
            if status == "RUNNING":
                for container in self._detail["containers"]:
                    container["lastStatus"] = "RUNNING"
            if status == "STOPPING":
                for container in self._detail["containers"]:
                    container["lastStatus"] = "STOPPED"
            if status == "STOPPED":
                self._ended = self._time.passed
            if state.is_told:
                self._change()

    def tell(self) -> None:
        """Send an event that shows the task as it is."""
        with self._lock:
            self._on_change(self.detail)

    def begin_container(self) -> None:
        """Let the main container run, also while other containers have not started."""
        with self._lock:
            self._container["lastStatus"] = "RUNNING"

    def add_container(self, name: str) -> None:
        """Show a container beside the main one, and before it: ECS's list has no order."""
        with self._lock:
            main, containers = self._container, self._detail["containers"]
            arn = f"{main['containerArn'].rpartition('/')[0]}/{uuid.uuid4()}"
            other = {**main, "name": name, "containerArn": arn, "lastStatus": "PENDING"}
            self._detail["containers"] = [other, *containers]

    def exit(self, code: int, reason: str | None = None) -> None:
        """Let the main container exit, which ends the task if nothing else has ended it."""
        with self._lock:
            self._container["exitCode"] = code
            self.explain(reason)
            if self._detail["desiredStatus"] == "RUNNING":
                self.end("EssentialContainerExited", _EXITED)

    def exit_before(self, other: str, reason: str, code: int) -> None:
        """Let the main container exit and another one fail to start, which ends the task.

        Args:
            other: the other container's name.
            reason: why it does not start.
            code: the main container's exit code.
        """
        with self._lock:
            self._container.update({"exitCode": code, "lastStatus": "STOPPED"})
            if self._detail["desiredStatus"] == "RUNNING":
                self._named(other)["reason"] = reason
                self.fail(reason)

    def exit_beside(self, other: str, code: int, *, is_essential: bool = True) -> None:
        """Let another container exit, which ends the task if that container is essential."""
        with self._lock:
            self._named(other).update({"exitCode": code, "lastStatus": "STOPPED"})
            if is_essential and self._detail["desiredStatus"] == "RUNNING":
                self.end("EssentialContainerExited", _EXITED)

    def explain(self, reason: str | None) -> None:
        """Add a reason of the main container's end, if there is more than a code."""
        with self._lock:
            self._container.update({} if reason is None else {"reason": reason})

    def run_out_of_memory(self) -> None:
        """Kill the container as the kernel does when there is no memory left."""
        self.explain(_OUT_OF_MEMORY)
        self.kill_container()

    def kill_container(self) -> None:
        """Send SIGKILL to the container, if it runs."""
        self.exit(KILLED)

    def stop(self, reason: str) -> None:
        """Ask the task to stop, as StopTask does; a task that is stopping stays as it is."""
        with self._lock:
            if self._detail["desiredStatus"] == "RUNNING":
                self.end("UserInitiated", reason)

    def fail(self, reason: str) -> None:
        """Let the task end before its container has started."""
        self.end("TaskFailedToStart", reason)

    def interrupt(self) -> None:
        """Take its Spot capacity away: an event warns."""
        with self._lock:
            if self._detail["desiredStatus"] == "RUNNING":
                self.end("SpotInterruption", _INTERRUPTED)
                self._detail["updatedAt"] = self._time.now()
                self._change()

    def end(self, code: str | None, reason: str | None) -> None:
        """Have the task stop from now on, for a reason that ECS shows if it is known."""
        with self._lock:
            told = {"stopCode": code, "stoppedReason": reason}
            self._detail["desiredStatus"] = "STOPPED"
            self._detail |= {name: value for name, value in told.items() if value is not None}

    def _change(self) -> None:
        self._detail["version"] += 1
        self.tell()

    @property
    def _container(self) -> dict[str, Any]:
        return self._named(self._main)

    def _named(self, name: str) -> dict[str, Any]:
        return next(c for c in self._detail["containers"] if c["name"] == name)
