"""The tasks of the stack's cluster."""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from local.ecs.capacity import NO_ROOM, ON_DEMAND, check_strategy, provider
from local.ecs.detail import new_detail
from local.ecs.program import WORKER_IMAGE, check_main
from local.ecs.refusal import invalid
from local.ecs.size import check_size
from local.ecs.state import TaskState
from local.ecs.tags import check_tags, tags_of
from local.ecs.tokens import Launched, Tokens
from local.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.ecs.mishaps import Mishap
    from local.ecs.state import Time
    from local.stack import Stack

T = TypeVar("T", bound=TaskState)

# ECS shows a stopped task for at least an hour.
_SHOWN_SECONDS = 3600


class Tasks(Generic[T]):
    """Starts tasks and keeps them.

    Args:
        stack: the stack of the cluster.
        time: the tasks' clock.
        new: makes a task from its first detail and the properties of its definition.

    Attributes:
        clusters: the clusters in which tasks may run, by name, each with its capacity providers.
        definitions: properties of the task definitions, by family.
        refusals: failures with which the next new requests are answered, instead of a task.
        full: number of the next new requests that find no capacity, by capacity: `FARGATE`,
            `FARGATE_SPOT`.
        mishaps: mishaps of the next tasks, one each.
    """

    def __init__(
        self, stack: Stack, time: Time, new: Callable[[dict[str, Any], Mapping[str, Any]], T]
    ) -> None:
        self._stack, self._time, self._new = stack, time, new
        self._worker_image = stack.parameters.get(WORKER_IMAGE, "")
        definitions = stack.of_type("AWS::ECS::TaskDefinition").values()
        self.definitions = {definition["Family"]: definition for definition in definitions}
        clusters = stack.of_type("AWS::ECS::Cluster").values()
        self.clusters = {c["ClusterName"]: c.get("CapacityProviders", ()) for c in clusters}
        self.refusals: deque[dict[str, str]] = deque()
        self.full: Counter[str] = Counter()
        self.mishaps: deque[Mishap] = deque()
        self._lock = threading.Lock()
        self._tasks: dict[str, T] = {}
        self._tokens: Tokens[T] = Tokens(time)

    def run(self, request: Mapping[str, Any]) -> Launched[T]:
        """Start tasks, or return the earlier result of the same request.

        Raises:
            ApiError: another request used the client token; the stack has no such family or
                revision; an override is for a container that the definition does not have; the
                main container has nothing to run; or there is no such size, capacity or tag.
        """
        key = (request.get("cluster", ""), request.get("clientToken", ""))
        asked = json.dumps(request, sort_keys=True)
        with self._lock:
            if key[1] and (earlier := self._tokens.earlier(key, asked)):
                return earlier
            for old in list(takewhile(self._is_forgotten, self._tasks)):
                del self._tasks[old]
            launched = self._launch(request)
            self._tasks |= {_id(task.arn): task for task in launched.tasks}
            if key[1]:
                self._tokens.keep(key, asked, launched)
        for task in launched.tasks:
            task.begin()
        return launched

    def get(self, arn_or_id: str) -> T | None:
        """Return a task by its ARN or id; None if ECS does not know it, or has forgotten it."""
        wanted = _id(arn_or_id)
        with self._lock:
            is_known = wanted in self._tasks and not self._is_forgotten(wanted)
            return self._tasks[wanted] if is_known else None

    def all(self) -> list[T]:
        """Return the tasks that ECS shows, oldest first."""
        with self._lock:
            return [task for key, task in self._tasks.items() if not self._is_forgotten(key)]

    def forget(self, task: T) -> None:
        """Forget a task, as ECS does an hour after its end."""
        with self._lock:
            del self._tasks[_id(task.arn)]

    def _is_forgotten(self, key: str) -> bool:
        return (self._tasks[key].ended_for or 0) > _SHOWN_SECONDS

    def _launch(self, request: Mapping[str, Any]) -> Launched[T]:
        definition = self._definition(request["taskDefinition"])
        known = {container["Name"] for container in definition["ContainerDefinitions"]}
        for override in request.get("overrides", {}).get("containerOverrides", ()):
            if override.get("name") not in known:
                problem = f"Override for container named {override.get('name')} is not a container"
                raise invalid(f"{problem} in the TaskDefinition.")
        check_strategy(request, self.clusters[request["cluster"].rpartition("/")[2]])
        check_size(definition, request.get("overrides", {}))
        check_main(definition, request.get("overrides", {}), self._worker_image)
        check_tags(request)
        if failure := self._failure(request):
            return Launched(failures=[failure])
        return Launched([self._task(definition, request) for _ in range(request.get("count", 1))])

    def _failure(self, request: Mapping[str, Any]) -> dict[str, str] | None:
        """Return why a request gets no task; None if it gets one."""
        capacity = provider(request) or ON_DEMAND
        if self.full[capacity]:
            self.full[capacity] -= 1
            return {"reason": NO_ROOM}
        return self.refusals.popleft() if self.refusals else None

    def _definition(self, name: str) -> Mapping[str, Any]:
        family, _, revision = name.rpartition("/")[2].partition(":")
        if family not in self.definitions or revision not in {"", "1"}:
            raise ApiError("ClientException", "TaskDefinition not found.")
        found: Mapping[str, Any] = self.definitions[family]
        return found

    def _task(self, definition: Mapping[str, Any], request: Mapping[str, Any]) -> T:
        detail = new_detail(self._stack, definition, request, self._time.now())
        task = self._new(detail, definition)
        task.tags = tags_of(request, definition)
        task.mishap = self.mishaps.popleft() if self.mishaps else task.mishap
        return task


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]
