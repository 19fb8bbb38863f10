"""What happened, in order: the local system writes it, the demo and the tests wait for it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        kind: what sort of thing: "line", "task", "invocation", "delivery" or "call".
        source: the function or task that it happened to, the target of a delivery, the caller.
        facts: the rest, by name.
    """

    kind: str
    source: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Journal:
    """An append-only list that threads may wait on."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._changed = threading.Condition()

    def write(self, kind: str, source: str, **facts: object) -> None:
        """Append an entry."""
        with self._changed:
            self._entries.append(Entry(kind, source, facts))
            self._changed.notify_all()

    def entries(self, kind: str) -> list[Entry]:
        """Return the entries of one kind."""
        return [entry for entry in self.after(0) if entry.kind == kind]

    def after(self, count: int) -> list[Entry]:
        """Return the entries that follow the first `count`."""
        with self._changed:
            return self._entries[count:]

    def wait_for(self, condition: Callable[[], T], timeout: float) -> T:
        """Wait until a condition holds, looking again at each entry and ten times a second.

        Returns:
            What the condition gave last: falsy if it never held within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not (held := condition()) and (left := deadline - time.monotonic()) > 0:
            with self._changed:
                # What happens outside of this process leaves no entry.
                self._changed.wait(min(left, 0.1))
        return held
