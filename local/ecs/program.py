"""The programs of a task's containers, by its definition and a request's overrides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.ecs.refusal import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The template's parameter for the image that src/worker/ makes.
WORKER_IMAGE = "WorkerImage"
_GRACE = 30


@dataclass(frozen=True, slots=True)
class Program:
    """The program of a container.

    Attributes:
        container: the container's name.
        is_worker: whether it is the image of src/worker/, which brings a command of its own.
        entry_point: the words that every command follows.
        command: the words that a request may replace.
        is_essential: whether the task ends with it.
        grace: seconds from SIGTERM to SIGKILL, in AWS's time.
        environment: variables by name.
    """

    container: str
    is_worker: bool
    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    is_essential: bool
    grace: float
    environment: Mapping[str, str]

    @property
    def words(self) -> tuple[str, ...]:
        """The program and its arguments; none if they are the image's own."""
        return (*self.entry_point, *self.command)

    @property
    def can_run(self) -> bool:
        """Whether this machine can run it: it has the worker's image and no other."""
        return self.is_worker or bool(self.words)


def main_name(definition: Mapping[str, Any], overrides: Mapping[str, Any]) -> str:
    """Return the name of the main container: that of the first override, or the first one.

    Args:
        definition: properties of the AWS::ECS::TaskDefinition.
        overrides: RunTask's overrides.
    """
    named = [told["name"] for told in overrides.get("containerOverrides", ())]
    return str(named[0] if named else definition["ContainerDefinitions"][0]["Name"])


def check_main(definition: Mapping[str, Any], overrides: Mapping[str, Any], image: str) -> None:
    """Let a request pass if its main container can run here.

    Args:
        definition: properties of the AWS::ECS::TaskDefinition.
        overrides: RunTask's overrides.
        image: the worker's.

    Raises:
        ApiError: the container's image is not here, and it has no command.
    """
    name = main_name(definition, overrides)
    main = next(p for p in programs(definition, overrides, image) if p.container == name)
    if not main.can_run:
        raise invalid(
            f"The container {name} of {definition['Family']} cannot run here: no image does but "
            "the worker's, and it has no command. Give it a Command in its definition, or send one."
        )


def programs(
    definition: Mapping[str, Any], overrides: Mapping[str, Any], image: str
) -> Iterator[Program]:
    """Yield the program of each container of a definition; see `check_main`."""
    for container in definition["ContainerDefinitions"]:
        name = container["Name"]
        environment = {p["Name"]: str(p["Value"]) for p in container.get("Environment", ())}
        command = container.get("Command", ())
        for told in overrides.get("containerOverrides", ()):
            if told["name"] == name:
                command = told.get("command") or command
                environment |= {pair["name"]: pair["value"] for pair in told.get("environment", ())}
        yield Program(
            container=name,
            is_worker=container["Image"] == image,
            entry_point=tuple(container.get("EntryPoint", ())),
            command=tuple(command),
            is_essential=container.get("Essential", True),
            grace=container.get("StopTimeout", _GRACE),
            environment=environment,
        )
