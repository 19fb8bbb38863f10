"""The tasks of the stack's cluster."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from local.ecs.detail import event, new_detail
from local.ecs.phases import Phases
from local.ecs.task import Task
from local.gateway import execution_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.ecs.container import Container
    from local.hosts import Host
    from local.surroundings import Surroundings


class TokenConflictError(Exception):
    """The client token was used for a request that differed.

    Attributes:
        task_arns: the tasks of that request.
    """

    def __init__(self, task_arns: list[str]) -> None:
        super().__init__("Parameters do not match the ones of the request with this client token.")
        self.task_arns = task_arns


class UnknownDefinitionError(Exception):
    """The stack has no such task definition."""


class Tasks:
    """Starts tasks, keeps them, and publishes each change of state as an event."""

    def __init__(
        self,
        surroundings: Surroundings,
        host: Host,
        publish: Callable[[dict[str, Any]], None],
    ) -> None:
        self._surroundings, self._host, self._publish = surroundings, host, publish
        definitions = surroundings.stack.of_type("AWS::ECS::TaskDefinition").values()
        self._definitions = {definition["Family"]: definition for definition in definitions}
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}
        self._tokens: dict[tuple[str, str], tuple[str, Task]] = {}

    def run(self, request: Mapping[str, Any]) -> Task:
        """Start a task, or return the one that the same request started before.

        Raises:
            TokenConflictError: another request used the client token.
            UnknownDefinitionError: the family is not one of the stack's.
        """
        key = (request.get("cluster", ""), request.get("clientToken", ""))
        asked = json.dumps(request, sort_keys=True)
        with self._lock:
            if key in self._tokens:
                earlier, task = self._tokens[key]
                if earlier != asked:
                    raise TokenConflictError([task.arn])
                return task
            task = self._new(request)
            self._tasks[task.arn] = task
            if key[1]:
                self._tokens[key] = (asked, task)
        threading.Thread(
            target=task.live, args=[Phases(), self._surroundings.clock], daemon=True
        ).start()
        return task

    def get(self, arn_or_id: str) -> Task | None:
        """Return a task by its ARN or id."""
        wanted = arn_or_id.rpartition("/")[2]
        return next((t for a, t in self._tasks.items() if a.endswith(f"/{wanted}")), None)

    def all(self) -> list[Task]:
        """Return all tasks, oldest first."""
        with self._lock:
            return list(self._tasks.values())

    def close(self) -> None:
        """End all workers."""
        for task in self.all():
            task.kill()

    def _new(self, request: Mapping[str, Any]) -> Task:
        family = request["taskDefinition"].rpartition("/")[2].partition(":")[0]
        definition = self._definitions.get(family)
        if definition is None:
            raise UnknownDefinitionError("TaskDefinition not found.")
        detail = new_detail(self._surroundings.stack, definition, request)
        main = definition["ContainerDefinitions"][0]
        given = _environment(main, request)
        return Task(detail, main, lambda: self._start(detail, main, given), self._changed)

    def _start(
        self, detail: Mapping[str, Any], main: Mapping[str, Any], given: Mapping[str, str]
    ) -> Container:
        surroundings = self._surroundings
        caller = surroundings.callers.new(detail["group"])
        caller.begin(execution_of(detail.get("startedBy")))
        environment = {**given, **surroundings.variables, **caller.credentials}
        return self._host.container(environment, caller, self._log(detail["taskArn"], main))

    def _log(self, arn: str, main: Mapping[str, Any]) -> Callable[[str], None]:
        """Return what takes the lines of a container, as its log driver does."""
        surroundings, options = self._surroundings, main["LogConfiguration"]["Options"]
        task_id = arn.rpartition("/")[2]
        stream = f"{options['awslogs-stream-prefix']}/{main['Name']}/{task_id}"

        def line(text: str) -> None:
            surroundings.logs.write(options["awslogs-group"], stream, text)
            surroundings.journal.write("line", arn, text=text)

        return line

    def _changed(self, detail: dict[str, Any]) -> None:
        surroundings = self._surroundings
        known = {name: detail.get(name) for name in ("lastStatus", "startedBy")}
        surroundings.journal.write("task", detail["taskArn"], **known)
        self._publish(event(detail, surroundings.stack))


def _environment(main: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, str]:
    """The task definition's variables, those of the overrides over them."""
    given = {pair["Name"]: str(pair["Value"]) for pair in main.get("Environment", ())}
    for container in request.get("overrides", {}).get("containerOverrides", ()):
        if container["name"] == main["Name"]:
            given |= {pair["name"]: pair["value"] for pair in container.get("environment", ())}
    return given
