"""The start of a task's container: its environment, its credentials, its log driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.gateway import execution_of
from local.iam.authority import Session
from local.journal import Line
from local.proxies import without_proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.ecs.container import Container, ContainerHost
    from local.ecs.program import Program
    from local.surroundings import Surroundings


def start_container(
    detail: Mapping[str, Any],
    definition: Mapping[str, Any],
    program: Program,
    surroundings: Surroundings,
    host: ContainerHost,
) -> Container:
    """Start a container of a task.

    Args:
        detail: the task.
        definition: properties of the task's definition.
        program: the program that runs in it.
        surroundings: the surroundings in which it starts.
        host: the host that starts it.

    Raises:
        CannotStartError: its command cannot be run.
        OSError: the system has ended.
    """
    stack = surroundings.stack
    caller = surroundings.callers.new(detail["group"], stack.role(definition.get("TaskRoleArn")))
    caller.session = detail["taskArn"].rpartition("/")[2]
    caller.begin(execution_of(detail.get("startedBy")))
    environment = {
        **program.environment,
        **surroundings.variables,
        **caller.credentials,
        **without_proxy(program.environment),
    }
    log = _driver(detail, definition, program.container, surroundings)
    return host.container(environment, caller, log, program)


def log_stream(
    detail: Mapping[str, Any], definition: Mapping[str, Any], container: str
) -> tuple[str, str] | None:
    """Return the log group and stream of a task's container; None if its log is not kept."""
    [named] = (c for c in definition["ContainerDefinitions"] if c["Name"] == container)
    options = named.get("LogConfiguration", {}).get("Options", {})
    if "awslogs-group" not in options:
        return None
    task = detail["taskArn"].rpartition("/")[2]
    return options["awslogs-group"], f"{options['awslogs-stream-prefix']}/{container}/{task}"


def _driver(
    detail: Mapping[str, Any],
    definition: Mapping[str, Any],
    container: str,
    surroundings: Surroundings,
) -> Callable[[str], None]:
    arn = detail["taskArn"]
    place = log_stream(detail, definition, container)
    if place is None:
        return lambda text: surroundings.journal.write(Line(arn, text))
    role = surroundings.stack.role(definition.get("ExecutionRoleArn"))
    return surroundings.writer(Session(role, arn.rpartition("/")[2]), *place, arn)
