"""The requests of executions to moto, recorded to be repeated for other executions."""

from __future__ import annotations

import json
import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from local.gateway import Call
    from local.system import System

# The successful requests that moto answers; its protocol has the parameters as JSON.
_SERVICE = "dynamodb"


@dataclass(frozen=True, slots=True)
class MotoRequest:
    """A request to moto.

    Attributes:
        caller: the function that made it, or the task's group.
        operation: the operation, as in the service's model.
        parameters: the parameters, as JSON text.
    """

    caller: str
    operation: str
    parameters: str


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests of an execution to moto, in order.

    Attributes:
        made: the requests.
        keys: the values of the tables' keys in them.
    """

    made: tuple[MotoRequest, ...]
    keys: frozenset[str]

    def anew(self) -> tuple[MotoRequest, ...]:
        """Return the same requests for a new execution."""
        fresh = {key: _like(key) for key in self.keys}
        return tuple(
            MotoRequest(request.caller, request.operation, _replaced(request.parameters, fresh))
            for request in self.made
        )


@dataclass
class Recorder:
    """Records the requests of functions and workers to moto; a plan for `local.gateway.Seams`."""

    system: System
    _made: defaultdict[str, list[MotoRequest]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, call: Call, asked: str) -> None:
        """Record a call, without a fault."""
        if call.number and is_motos(call):
            _, _, body = asked.partition(" ")
            with self._lock:
                made = self._made[call.execution_id or ""]
                made.append(MotoRequest(call.caller, call.operation, body))

    def requests(self) -> list[Requests]:
        """Return the requests of each execution; the reconciler's belong to none or to another."""
        tables = self.system.stack.of_type("AWS::DynamoDB::Table").values()
        hashes = {table["TableName"]: table["KeySchema"][0]["AttributeName"] for table in tables}
        return [
            Requests(tuple(made), frozenset(_keys(made, hashes)))
            for execution_id, made in self._made.items()
            if execution_id
        ]


def is_motos(call: Call) -> bool:
    """Whether moto answers a call."""
    return call.service == _SERVICE


def _keys(made: Iterable[MotoRequest], hashes: Mapping[str, str]) -> Iterator[str]:
    for request in made:
        parameters = json.loads(request.parameters)
        named = parameters.get("Key") or parameters.get("Item") or {}
        if key := named.get(hashes[parameters["TableName"]]):
            yield str(key["S"])


def _like(key: str) -> str:
    """Return a new key of the same length."""
    fresh = str(uuid.uuid4())
    return fresh if len(key) == len(fresh) else f"{key[: -len(fresh)]}{fresh}"


def _replaced(text: str, fresh: Mapping[str, str]) -> str:
    for old, new in fresh.items():
        text = text.replace(old, new)
    return text
