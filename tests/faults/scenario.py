"""What goes wrong in one execution, and the line that makes it go wrong again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Flow = Literal["Sync", "Callback", "EventBridge"]
End = Literal["exit 0", "exit 3", "SIGKILL", "failed to start", "Spot", "stopped"]
Events = Literal["as they are", "none", "doubled", "reordered", "late", "STOPPED only"]
When = Literal["before", "after", "stop", "stop and die"]

FLOWS: tuple[Flow, ...] = get_args(Flow)
ENDS: tuple[End, ...] = get_args(End)
EVENTS: tuple[Events, ...] = get_args(Events)


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A call at which something happens.

    Attributes:
        role: who calls: orchestrator, task-state, status, reconciler or worker.
        operation: what is called.
        number: which call of this operation by this role in the execution, from 1.
        when: the caller dies before or after it, or the execution is stopped at it; its caller may
            die with it, once it is served.
    """

    role: str
    operation: str
    number: int
    when: When

    @property
    def stops(self) -> bool:
        """Whether the execution is stopped."""
        return self.when in {"stop", "stop and die"}

    def __str__(self) -> str:
        """Return the point as a word."""
        return f"{self.role}:{self.operation}:{self.number}:{self.when}"

    @classmethod
    def read(cls, text: str) -> Point:
        """Read what `str` wrote."""
        role, operation, number, when = text.split(":")
        if when not in get_args(When):
            raise ValueError(f"{when!r} is none of {get_args(When)}.")
        return cls(role, operation, int(number), when)  # type: ignore[arg-type] # checked above


@dataclass(frozen=True, slots=True)
class Scenario:
    """One execution and its misfortunes.

    Attributes:
        points: at which calls something happens.
        throttled: whether every second call, by a chance that the seed decides, is refused.
        seed: of that chance.
    """

    flow: Flow
    end: End
    events: Events = "as they are"
    points: tuple[Point, ...] = ()
    throttled: bool = False
    seed: int = 0

    def __str__(self) -> str:
        """Return the scenario as a line."""
        points = "+".join(map(str, self.points)) or "-"
        throttled = f"throttled {self.seed}" if self.throttled else "-"
        return f"{self.flow}/{self.end}/{self.events}/{points}/{throttled}"

    @classmethod
    def read(cls, text: str) -> Scenario:
        """Read what `str` wrote."""
        flow, end, events, points, throttled = text.split("/")
        read = tuple(map(Point.read, points.split("+"))) if points != "-" else ()
        seed = throttled.removeprefix("throttled ")
        is_throttled = throttled != "-"
        return cls(flow, end, events, read, is_throttled, int(seed) if is_throttled else 0)  # type: ignore[arg-type] # as str wrote them

    @property
    def payload(self) -> dict[str, object]:
        """What the durable function is invoked with."""
        payload: dict[str, object] = {"message": "faults", "processingTime": 0}
        if self.end == "exit 3":
            payload["simulate"] = {"exitCode": 3}
        if self.end in {"SIGKILL", "Spot", "stopped"}:
            # Long enough for what ends it to come first.
            payload["processingTime"] = 1
        if self.events == "none" and any(point.stops for point in self.points):
            # Long enough for the reconciler to find that nobody waits for it.
            payload["processingTime"] = 3
        if self.flow == "Sync":
            payload["pollSeconds"] = 10
        return payload
