"""The tags of a task, for people and for the bill: ECS shows them on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.ecs.refusal import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

PROPAGATED = "TASK_DEFINITION"
_MANAGED = "aws:ecs:clusterName"
_MOST, _LONGEST_KEY, _LONGEST_VALUE = 50, 128, 256


def tags_of(request: Mapping[str, Any], definition: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the tags of a new task: its definition's, the request's over them, and ECS's own.

    Args:
        request: RunTask's parameters.
        definition: properties of the AWS::ECS::TaskDefinition.
    """
    found: dict[str, str] = {}
    if request.get("propagateTags") == PROPAGATED:
        found |= {tag["Key"]: tag["Value"] for tag in definition.get("Tags", ())}
    found |= {tag["key"]: tag.get("value", "") for tag in request.get("tags", ())}
    if request.get("enableECSManagedTags"):
        found[_MANAGED] = request["cluster"].rpartition("/")[2]
    return [{"key": key, "value": value} for key, value in found.items()]


def check_tags(request: Mapping[str, Any]) -> None:
    """Let a request pass if ECS takes its tags.

    Args:
        request: RunTask's parameters.

    Raises:
        ApiError: there are too many, two have one key, or one is too long or AWS's own.
    """
    tags = request.get("tags", ())
    keys = [tag["key"] for tag in tags]
    if len(keys) > _MOST:
        raise invalid(f"There may be {_MOST} tags at most")
    if len(set(keys)) < len(keys):
        raise invalid("Duplicate tag keys found")
    for tag in tags:
        key, value = tag["key"], tag.get("value", "")
        if not 1 <= len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            raise invalid(f"Tag {key} is too long: {_LONGEST_KEY} and {_LONGEST_VALUE} characters")
        if key.lower().startswith("aws:"):
            raise invalid(f"Tag {key} begins with aws:, which is AWS's own")
