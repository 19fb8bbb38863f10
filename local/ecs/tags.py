"""The tags of a task, for people and for the bill: ECS tells them where they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PROPAGATED = "TASK_DEFINITION"
_MANAGED = "aws:ecs:clusterName"


def tags_of(request: Mapping[str, Any], definition: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the tags of a new task: its definition's, the request's over them, and ECS's own.

    Args:
        request: RunTask's parameters.
        definition: properties of the AWS::ECS::TaskDefinition.
    """
    found: dict[str, str] = {}
    if request.get("propagateTags") == PROPAGATED:
        found |= {tag["Key"]: tag["Value"] for tag in definition.get("Tags", ())}
    found |= {tag["key"]: tag["value"] for tag in request.get("tags", ())}
    if request.get("enableECSManagedTags"):
        found[_MANAGED] = request["cluster"].rpartition("/")[2]
    return [{"key": key, "value": value} for key, value in found.items()]
