"""The faults of one execution, and the line that repeats them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from tests.e2e.user import Flow

End = Literal[
    "exit 0",
    "exit 3",
    "SIGKILL",
    "failed to start",
    "Spot",
    "stopped",
    "hangs",
    "done before a failed start",
    "never told as ended",
]
Events = Literal["as they are", "none", "doubled", "reordered", "late", "STOPPED only"]
When = Literal["before", "after", "stop", "stop and die", "pause"]

FLOWS: tuple[Flow, ...] = get_args(Flow)
ENDS: tuple[End, ...] = get_args(End)
EVENTS: tuple[Events, ...] = get_args(Events)
# In AWS's seconds.
MINUTE, HOUR = 60, 3600
# Characters of an input that becomes an object; with the longer ones a result does too.
_SHORT, LONG = 4_500, 5_000
# How long a start that hangs may take, and work whose end nobody hears of.
START_LIMIT, TIME_LIMIT = 8 * MINUTE, 20 * MINUTE
WHENS: tuple[When, ...] = get_args(When)
_Word = TypeVar("_Word", bound=str)


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A call at which something happens.

    Attributes:
        role: who calls: orchestrator, task-state, status, reconciler or worker.
        operation: what is called.
        number: which call of this operation by this role in the execution, from 1.
        when: the caller dies before or after it, or the execution is stopped at it; its caller may
            die with it, once it is served. Or the caller dies after it, and the execution pauses:
            for longer than ECS remembers an ended task, it is not carried on.
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
        """Read what `str` wrote.

        Raises:
            ValueError: says what is wrong with it.
        """
        role, operation, number, when = _parts(text, ":", "ROLE:OPERATION:NUMBER:WHEN")
        return cls(role, operation, int(number), _one_of(WHENS, when))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One execution and its misfortunes.

    Attributes:
        points: at which calls something happens.
        end: what becomes of the first task: its container ends by itself, by the kernel, by Spot
            or a person; or its start fails, or hangs, or fails for a container beside the main one
            that was done by then; or ECS never tells that its container has ended.
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
        """Read what `str` wrote.

        Raises:
            ValueError: says what is wrong with it.
        """
        shape = "FLOW/END/EVENTS/POINT+POINT or -/throttled SEED or -"
        flow, end, events, points, throttled = _parts(text, "/", shape)
        is_throttled = throttled != "-"
        return cls(
            _one_of(FLOWS, flow),
            _one_of(ENDS, end),
            _one_of(EVENTS, events),
            tuple(map(Point.read, points.split("+"))) if points != "-" else (),
            is_throttled,
            int(throttled.removeprefix("throttled ")) if is_throttled else 0,
        )

    @property
    def is_tried_again(self) -> bool:
        """Whether the first task is lost, and another one does the work."""
        return self.end in {"Spot", "hangs"} and self.flow != "dynamodb"

    @property
    def succeeds(self) -> bool:
        """Whether the last task does its work, and ECS says so."""
        return self.is_tried_again or self.end in {"exit 0", "done before a failed start"}

    @property
    def seconds(self) -> int:
        """The longest time from a task's request to its end, if no watching function dies."""
        if self.end == "hangs" and self._start_is_limited:
            return START_LIMIT
        return TIME_LIMIT if self.end in {"hangs", "never told as ended"} else self._works_for

    @property
    def may_time_out(self) -> bool:
        """Whether an attempt may come to its time limit before anybody has ended its task."""
        return self.end == "never told as ended" or (
            self.end == "hangs" and not self._start_is_limited
        )

    @property
    def is_large(self) -> bool:
        """Whether the input goes through S3, and the result, where one is taken."""
        return self.events in {"as they are", "none", "doubled"}

    @property
    def payload(self) -> dict[str, Any]:
        """The payload that the durable function is invoked with."""
        payload: dict[str, Any] = {"message": "faults", "processingTime": self._works_for}
        if self.is_large:
            # Polling's worker has no place for a result that is too large.
            payload["input"] = "x" * (_SHORT if self.flow == "polling" else LONG)
        if self.end == "exit 3":
            payload["simulate"] = {"exitCode": 3}
        if self.end == "hangs" and self._start_is_limited:
            payload["startTimeoutSeconds"] = START_LIMIT
        if self.may_time_out:
            payload["timeoutSeconds"] = TIME_LIMIT
        if self.flow == "polling":
            payload["pollSeconds"] = 30
        return payload

    @property
    def _start_is_limited(self) -> bool:
        """Whether a start has a limit of its own, and not only the one of the whole attempt."""
        return self.events in {"as they are", "doubled", "STOPPED only"}

    @property
    def _works_for(self) -> int:
        if self.events == "none" and any(point.stops for point in self.points):
            # Long enough for the reconciler to find that nobody waits for it.
            return 15 * MINUTE
        # Long enough for what ends it to come first.
        return 5 * MINUTE if self.end in {"SIGKILL", "Spot", "stopped"} else 0


def _parts(text: str, separator: str, shape: str) -> list[str]:
    parts = text.split(separator)
    if len(parts) != shape.count(separator) + 1:
        raise ValueError(f"{text!r} has not the shape {shape}.")
    return parts


def _one_of(words: tuple[_Word, ...], text: str) -> _Word:
    for word in words:
        if word == text:
            return word
    raise ValueError(f"{text!r} is none of {', '.join(words)}.")
