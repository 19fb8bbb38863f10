"""The tasks of the stack's cluster."""

from __future__ import annotations

import json
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from local.ecs.detail import event, new_detail
from local.ecs.start import start_container
from local.ecs.task import Task
from local.ecs.tokens import Launched, Tokens
from local.errors import ApiError
from local.journal import TaskChange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.ecs.container import Container
    from local.hosts import Host
    from local.surroundings import Surroundings

# ECS shows a stopped task for at least an hour.
_SHOWN_SECONDS = 3600


class Tasks:
    """Starts tasks, keeps them, and publishes each change of state as an event.

    Attributes:
        clusters: names of the clusters in which tasks may run.
        refusals: failures that the next new requests are answered with, instead of a task.
        failed_starts: `stoppedReason` of the next tasks, which end before their containers run.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        host: Host,
        publish: Callable[[dict[str, Any]], None],
    ) -> None:
        self._surroundings, self._host, self._publish = surroundings, host, publish
        stack = surroundings.stack
        definitions = stack.of_type("AWS::ECS::TaskDefinition").values()
        self._definitions = {definition["Family"]: definition for definition in definitions}
        self.clusters = {c["ClusterName"] for c in stack.of_type("AWS::ECS::Cluster").values()}
        self.refusals: deque[dict[str, str]] = deque()
        self.failed_starts: deque[str] = deque()
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}
        self._tokens = Tokens(surroundings.clock)

    def run(self, request: Mapping[str, Any]) -> Launched:
        """Start tasks, or return what the same request came to before.

        Raises:
            ApiError: another request used the client token; the stack has no such family or
                revision; or an override is for a container that the definition does not have.
        """
        key = (request.get("cluster", ""), request.get("clientToken", ""))
        asked = json.dumps(request, sort_keys=True)
        with self._lock:
            if key[1] and (earlier := self._tokens.earlier(key, asked)):
                return earlier
            launched = self._launch(request)
            self._tasks |= {task.arn: task for task in launched.tasks}
            if key[1]:
                self._tokens.keep(key, asked, launched)
        for task in launched.tasks:
            threading.Thread(target=task.live, daemon=True).start()
        return launched

    def get(self, arn_or_id: str) -> Task | None:
        """Return a task by its ARN or id; None if ECS does not know it, or no longer."""
        wanted = arn_or_id.rpartition("/")[2]
        return next((task for task in self.all() if task.arn.endswith(f"/{wanted}")), None)

    def all(self) -> list[Task]:
        """Return the tasks that ECS shows, oldest first."""
        with self._lock:
            return [t for t in self._tasks.values() if (t.ended_for or 0) <= _SHOWN_SECONDS]

    def close(self) -> None:
        """End all workers."""
        for task in self.all():
            task.kill()

    def _launch(self, request: Mapping[str, Any]) -> Launched:
        definition = self._definition(request["taskDefinition"])
        known = {container["Name"] for container in definition["ContainerDefinitions"]}
        for override in request.get("overrides", {}).get("containerOverrides", ()):
            if override.get("name") not in known:
                problem = f"Override for container named {override.get('name')} is not a container"
                raise invalid(f"{problem} in the TaskDefinition.")
        if self.refusals:
            return Launched(failures=[self.refusals.popleft()])
        return Launched([self._new(definition, request) for _ in range(request.get("count", 1))])

    def _definition(self, name: str) -> Mapping[str, Any]:
        family, _, revision = name.rpartition("/")[2].partition(":")
        if family not in self._definitions or revision not in {"", "1"}:
            raise ApiError("ClientException", "TaskDefinition not found.")
        found: Mapping[str, Any] = self._definitions[family]
        return found

    def _new(self, definition: Mapping[str, Any], request: Mapping[str, Any]) -> Task:
        detail = new_detail(
            self._surroundings.stack, definition, request, self._surroundings.clock.now()
        )
        main = definition["ContainerDefinitions"][0]

        def start() -> Container:
            return start_container(detail, main, self._surroundings, self._host)

        task = Task(detail, main, start, self._changed, self._surroundings.clock)
        task.tags = request.get("tags", [])
        task.failure = self.failed_starts.popleft() if self.failed_starts else None
        return task

    def _changed(self, detail: dict[str, Any]) -> None:
        arn, started_by = detail["taskArn"], detail.get("startedBy")
        change = TaskChange(arn, detail["lastStatus"], started_by, detail["version"])
        self._surroundings.journal.write(change)
        self._publish(event(detail, self._surroundings.stack))


def invalid(message: str) -> ApiError:
    """Return the error for a parameter that ECS does not take."""
    return ApiError("InvalidParameterException", message)
