"""The events of the local system, in order; the demo and the tests wait for them."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.gateway import Call

T = TypeVar("T")

# More entries than some thousand executions write.
_MOST = 100_000
# A waiting thread rests this many times as long as it looked, and at most so many seconds.
_RESTS, _LONGEST_REST = 4, 0.1


@dataclass(frozen=True, slots=True)
class Line:
    """A log line.

    Attributes:
        source: the function's name, or the ARN of the task; in process the family of the task.
        text: the line, without its end.
        execution_id: id of the execution that it was logged for, where that is known.
    """

    source: str
    text: str
    execution_id: str | None = None


@dataclass(frozen=True, slots=True)
class TaskChange:
    """A task's new state, as its event shows it.

    Attributes:
        task_arn: the task's ARN.
        status: `lastStatus`.
        started_by: `startedBy` of RunTask.
        version: the event's version.
    """

    task_arn: str
    status: str
    started_by: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request for tasks, as ECS received it.

    Attributes:
        json: RunTask's parameters, as compact text.
    """

    json: str

    @property
    def parameters(self) -> dict[str, Any]:
        """RunTask's parameters."""
        return dict(json.loads(self.json))


@dataclass(frozen=True, slots=True)
class Invocation:
    """An invocation that has ended.

    Attributes:
        function: the function's name.
        request_id: the invocation's id.
        error: Lambda's FunctionError; None for a success.
    """

    function: str
    request_id: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event that a target has taken.

    Attributes:
        target: the target's ARN.
        json: the event, as compact text.
    """

    target: str
    json: str

    @property
    def event(self) -> dict[str, Any]:
        """The event."""
        return dict(json.loads(self.json))


# A `Call` is an entry itself: a call of a function or a worker to AWS.
Entry: TypeAlias = "Line | TaskChange | Request | Invocation | Delivery | Call"
E = TypeVar("E", bound=Entry)


class Journal:
    """A list that only grows, on which threads may wait, and that drops its oldest entries.

    Args:
        most: number of entries that it keeps.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._entries: deque[Entry] = deque(maxlen=most)
        self._written = 0
        self._changed = threading.Condition()

    @property
    def count(self) -> int:
        """The number of entries that were written."""
        with self._changed:
            return self._written

    def write(self, entry: Entry) -> None:
        """Append an entry."""
        with self._changed:
            self._entries.append(entry)
            self._written += 1
            self._changed.notify_all()

    def entries(self, kind: type[E]) -> list[E]:
        """Return the entries of one kind."""
        return [entry for entry in self.all() if isinstance(entry, kind)]

    def all(self) -> list[Entry]:
        """Return the entries that are not forgotten."""
        with self._changed:
            return list(self._entries)

    def after(self, count: int) -> list[Entry]:
        """Return the entries that follow the first `count`.

        Raises:
            LookupError: some of them are forgotten.
        """
        with self._changed:
            following = self._written - count
            if following > len(self._entries):
                forgotten = f"Of {following} entries that follow the first {count}"
                raise LookupError(f"{forgotten}, the journal keeps the last {len(self._entries)}.")
            newest_first = islice(reversed(self._entries), max(following, 0))
            return list(newest_first)[::-1]

    def wait_for(self, condition: Callable[[], T], timeout: float) -> T:
        """Wait until a condition holds, looking again at each entry and ten times a second.

        A longer look is followed by a longer rest. Otherwise many waiting threads, or one with long
        looks, would slow down the system that they wait for.

        Returns:
            The condition's last value: falsy if it never held within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            seen, began = self.count, time.monotonic()
            held, ended = condition(), time.monotonic()
            if held or ended >= deadline:
                return held
            # The rest is in proportion to the look, so that waiting threads leave the system time.
            time.sleep(min(_RESTS * (ended - began), _LONGEST_REST))
            # Events outside of this process leave no entry.
            self._wait_for_more_than(seen, _LONGEST_REST)

    def _wait_for_more_than(self, count: int, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._written > count, seconds)
