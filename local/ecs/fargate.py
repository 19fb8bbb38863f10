"""Fargate: each task's main container runs on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.ecs.detail import event
from local.ecs.mishaps import FailedStart
from local.ecs.roles import refusal
from local.ecs.start import start_container
from local.ecs.task import Task
from local.journal import TaskChange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.ecs.container import Container, ContainerHost
    from local.surroundings import Surroundings


class Fargate:
    """Makes tasks that live by the clock, and publishes each change of state as an event."""

    def __init__(
        self,
        surroundings: Surroundings,
        host: ContainerHost,
        publish: Callable[[dict[str, Any]], None],
    ) -> None:
        self._surroundings, self._host, self._publish = surroundings, host, publish

    def task(self, detail: dict[str, Any], definition: Mapping[str, Any]) -> Task:
        """Make a task from its first detail and the properties of its definition."""

        def start() -> Container:
            return start_container(detail, definition, self._surroundings, self._host)

        main = definition["ContainerDefinitions"][0]
        task = Task(detail, main, start, self._changed, self._surroundings.clock)
        if refused := refusal(detail, definition, self._surroundings):
            task.mishap = FailedStart(refused)
        return task

    def _changed(self, detail: dict[str, Any]) -> None:
        arn, started_by = detail["taskArn"], detail.get("startedBy")
        change = TaskChange(arn, detail["lastStatus"], started_by, detail["version"])
        self._surroundings.journal.write(change)
        self._publish(event(detail, self._surroundings.stack))
