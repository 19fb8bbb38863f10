"""Starting a task's main container: its environment, its credentials, its log driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.gateway import execution_of
from local.iam.authority import Session
from local.proxies import without_proxy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.ecs.container import Container, ContainerHost
    from local.surroundings import Surroundings


def start_container(
    detail: Mapping[str, Any],
    definition: Mapping[str, Any],
    surroundings: Surroundings,
    host: ContainerHost,
) -> Container:
    """Start a task's main container.

    Args:
        detail: the task.
        definition: properties of the task's definition.
        surroundings: where it starts.
        host: what starts it.
    """
    main, stack = definition["ContainerDefinitions"][0], surroundings.stack
    arn = detail["taskArn"]
    caller = surroundings.callers.new(detail["group"], stack.role(definition.get("TaskRoleArn")))
    caller.session = session = arn.rpartition("/")[2]
    caller.begin(execution_of(detail.get("startedBy")))
    given = _environment(main, detail["overrides"])
    environment = {
        **given,
        **surroundings.variables,
        **caller.credentials,
        **without_proxy(given),
    }
    driver = Session(stack.role(definition.get("ExecutionRoleArn")), session)
    log = surroundings.writer(driver, *log_stream(detail, main), arn)
    return host.container(environment, caller, log, _command(main, detail["overrides"]))


def log_stream(detail: Mapping[str, Any], main: Mapping[str, Any]) -> tuple[str, str]:
    """Return the log group and the stream of a task's main container."""
    options, task = main["LogConfiguration"]["Options"], detail["taskArn"].rpartition("/")[2]
    stream = f"{options['awslogs-stream-prefix']}/{main['Name']}/{task}"
    return options["awslogs-group"], stream


def _command(main: Mapping[str, Any], overrides: Mapping[str, Any]) -> list[str]:
    """Return the command: the entry point stays, and what follows is the overrides' if they say."""
    command = main.get("Command", [])
    for container in overrides.get("containerOverrides", ()):
        if container["name"] == main["Name"]:
            command = container.get("command") or command
    return [*main.get("EntryPoint", []), *command]


def _environment(main: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, str]:
    """Return the definition's variables, those of the overrides over them."""
    given = {pair["Name"]: str(pair["Value"]) for pair in main.get("Environment", ())}
    for container in overrides.get("containerOverrides", ()):
        if container["name"] == main["Name"]:
            given |= {pair["name"]: pair["value"] for pair in container.get("environment", ())}
    return given
