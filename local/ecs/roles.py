"""The grants of a task's two roles that ECS needs before the container starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.ecs.start import log_stream
from local.iam import Access
from local.iam.authority import DeniedError, Service, Session
from local.iam.requests import log_stream as stream_arn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.surroundings import Surroundings

_ECS = "ecs-tasks.amazonaws.com"
_ROLES = ("TaskRoleArn", "ExecutionRoleArn")


def refusal(
    detail: Mapping[str, Any],
    definition: Mapping[str, Any],
    containers: Iterable[str],
    surroundings: Surroundings,
) -> str | None:
    """Return ECS's reason why a task's roles do not let it start; None if they do.

    Args:
        detail: the new task.
        definition: properties of its definition.
        containers: names of the containers that would start.
        surroundings: the surroundings in which it would start.
    """
    authority, task = surroundings.authority, detail["taskArn"]
    for role in (definition[name] for name in _ROLES if name in definition):
        try:
            authority.check(Service(_ECS, task), Access("sts:AssumeRole", role))
        except DeniedError as error:
            return (
                f"ECS was unable to assume the role '{role}' that was provided for this task. "
                f"AccessDenied: {error}"
            )
    driver = surroundings.stack.role(definition.get("ExecutionRoleArn"))
    streams = filter(None, (log_stream(detail, definition, name) for name in containers))
    try:
        for group, stream in streams:
            written = Access("logs:CreateLogStream", stream_arn(group, stream, authority.place))
            authority.check(Session(driver, task.rpartition("/")[2]), written)
    except DeniedError as error:
        return (
            "ResourceInitializationError: failed to validate logger args: failed to create "
            f"Cloudwatch log stream: AccessDeniedException: {error}"
        )
    return None
