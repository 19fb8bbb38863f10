"""Every state that records have been in, and whether one may follow another."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer
from moto.dynamodb.models import dynamodb_backends

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.system import System


# Written down once more: the product's own table cannot show that it is wrong.
_NEXT = {
    "PENDING": {"RUNNING", "BACKOFF", "COMPLETED", "FAILED"},
    "RUNNING": {"BACKOFF", "COMPLETED", "FAILED"},
    "BACKOFF": {"PENDING", "FAILED"},
    "COMPLETED": set(),
    "FAILED": set(),
}


class History:
    """The states of the records, one for each write."""

    def __init__(self, system: System) -> None:
        stack, self._alone = system.stack, system.seams.alone
        self._backend = dynamodb_backends[stack.account][stack.region]
        self._table = stack.outputs["CallbackTableName"]
        self._states: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._looking = threading.Lock()
        self._writing: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def note(self, execution_id: str) -> None:
        """Look at a record that may just have been written."""
        # One look after the other: an older state may not be kept as the latest.
        with self._looking:
            with self._alone:
                item = self._backend.get_item(self._table, {"executionId": {"S": execution_id}})
                if item is None:
                    return
                attributes = item.to_json()["Attributes"].items()
            state = {name: TypeDeserializer().deserialize(value) for name, value in attributes}
            if state not in self._states[execution_id][-1:]:
                self._states[execution_id].append(state)

    @contextmanager
    def noting(self, execution_id: str) -> Iterator[None]:
        """Look at a record after a write, and before the next one.

        The writer may be dead by then, and what follows it may be faster than the look.
        """
        with self._looking:
            writing = self._writing[execution_id]
        with writing:
            yield
            self.note(execution_id)

    def latest(self, execution_id: str) -> Mapping[str, Any]:
        """Return a record as it was last seen; empty if it never was."""
        return next(reversed(self._states.get(execution_id, ())), {})

    def illegal(self, execution_id: str) -> list[str]:
        """Return what a record may not have done, in words."""
        states = self._states[execution_id]
        return [fault for before, after in pairwise(states) for fault in _faults(before, after)]


def _faults(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    was, now = before["status"], after["status"]
    if now != was and now not in _NEXT[was]:
        yield f"the record went from {was} to {now}"
    if "open" not in before:
        changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        yield f"the closed record changed: {', '.join(sorted(changed))}"
    if ("open" in after) is ("expiresAt" in after):
        yield "the record expires before its close, or never"
    is_next = after["attempt"] == before["attempt"] + 1 and now == "BACKOFF"
    if after["attempt"] != before["attempt"] and not is_next:
        yield f"the record went from attempt {before['attempt']} to {after['attempt']} as {now}"
    for name in ("taskArn", "result", "resultUri"):
        if not is_next and name in before and after.get(name) != before[name]:
            yield f"the record's {name} changed"
