"""Starting a task's main container: its environment, its credentials, its log driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.gateway import execution_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.ecs.container import Container
    from local.hosts import Host
    from local.surroundings import Surroundings


def start_container(
    detail: Mapping[str, Any], main: Mapping[str, Any], surroundings: Surroundings, host: Host
) -> Container:
    """Start a container.

    Args:
        detail: the task.
        main: the container's definition.
        surroundings: where it starts.
        host: what starts it.
    """
    caller = surroundings.callers.new(detail["group"])
    caller.begin(execution_of(detail.get("startedBy")))
    given = _environment(main, detail["overrides"])
    environment = {**given, **surroundings.variables, **caller.credentials}
    return host.container(environment, caller, _log(detail["taskArn"], main, surroundings))


def _environment(main: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, str]:
    """Return the definition's variables, those of the overrides over them."""
    given = {pair["Name"]: str(pair["Value"]) for pair in main.get("Environment", ())}
    for container in overrides.get("containerOverrides", ()):
        if container["name"] == main["Name"]:
            given |= {pair["name"]: pair["value"] for pair in container.get("environment", ())}
    return given


def _log(arn: str, main: Mapping[str, Any], surroundings: Surroundings) -> Callable[[str], None]:
    """Return what takes the container's lines."""
    options = main["LogConfiguration"]["Options"]
    stream = f"{options['awslogs-stream-prefix']}/{main['Name']}/{arn.rpartition('/')[2]}"

    def line(text: str) -> None:
        surroundings.logs.write(options["awslogs-group"], stream, text)
        surroundings.journal.write("line", arn, text=text)

    return line
