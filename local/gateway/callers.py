"""Who calls: each process has an access key of its own, and so is known by its signature."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

# Of whoever is none of the system's own processes: a user. moto takes any secret.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


class Caller:
    """A process that calls AWS, and what it is doing just now.

    Attributes:
        name: the function's, or the group of a task: `family:<family>`.
        access_key: AWS_ACCESS_KEY_ID of its environment.
        execution_id: of the execution that it works for; None if that is not known.
        kill: ends it at once.
        is_dead: whether nothing that it still asks for may be answered.
    """

    def __init__(self, name: str, access_key: str) -> None:
        self.name, self.access_key = name, access_key
        self.execution_id: str | None = None
        self.kill: Callable[[], None] = lambda: None
        self.is_dead = False
        self._lock = threading.Lock()
        self._calls = 0

    @property
    def credentials(self) -> dict[str, str]:
        """The variables by which it is known."""
        return {**CREDENTIALS, "AWS_ACCESS_KEY_ID": self.access_key}

    def begin(self, execution_id: str | None) -> None:
        """Start counting the calls of a new piece of work."""
        with self._lock:
            self.execution_id, self._calls = execution_id, 0

    def count(self) -> int:
        """Return the number of the call that begins: 1 for the first one."""
        with self._lock:
            self._calls += 1
            return self._calls


def execution_of(started_by: str | None) -> str | None:
    """Return the id of the execution that a task's `startedBy` names; None if it names none."""
    _, _, rest = (started_by or "").partition("/")
    return rest.partition("/")[0] or None


class Callers:
    """All callers by their access keys, each for as long as its sandbox or container is known."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._by_key: WeakValueDictionary[str, Caller] = WeakValueDictionary()

    def new(self, name: str) -> Caller:
        """Return a caller with an access key that nobody else has."""
        caller = Caller(name, f"LOCAL{next(self._numbers):011d}")
        self._by_key[caller.access_key] = caller
        return caller

    def get(self, access_key: str) -> Caller | None:
        """Return the caller with that access key; None for a person's."""
        return self._by_key.get(access_key)
