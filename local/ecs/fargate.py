"""Fargate: containers that can run here are processes of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.ecs.detail import event
from local.ecs.mishaps import FailedStart
from local.ecs.part import Part
from local.ecs.program import WORKER_IMAGE, main_name, programs
from local.ecs.roles import refusal
from local.ecs.start import start_container
from local.ecs.task import Task
from local.journal import TaskChange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.ecs.container import Container, ContainerHost
    from local.ecs.program import Program
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
        overrides, image = detail["overrides"], self._surroundings.stack.parameters[WORKER_IMAGE]
        parts = {
            program.container: self._part(detail, definition, program)
            for program in programs(definition, overrides, image)
            if program.can_run
        }
        refused = refusal(detail, definition, parts, self._surroundings)
        main = parts.pop(main_name(definition, overrides))
        clock = self._surroundings.clock
        task = Task(detail, main, self._changed, clock, beside=list(parts.values()))
        if refused:
            task.mishap = FailedStart(refused)
        return task

    def _part(
        self, detail: Mapping[str, Any], definition: Mapping[str, Any], program: Program
    ) -> Part:
        def start() -> Container:
            return start_container(detail, definition, program, self._surroundings, self._host)

        return Part(program, start)

    def _changed(self, detail: dict[str, Any]) -> None:
        arn, started_by = detail["taskArn"], detail.get("startedBy")
        change = TaskChange(arn, detail["lastStatus"], started_by, detail["version"])
        self._surroundings.journal.write(change)
        self._publish(event(detail, self._surroundings.stack))
