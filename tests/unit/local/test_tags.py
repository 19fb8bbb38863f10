from __future__ import annotations

from typing import Any

import pytest

from local.ecs.tags import tags_of

DEFINITION = {"Tags": [{"Key": "team", "Value": "blue"}, {"Key": "cost", "Value": "42"}]}
PROPAGATED = {"propagateTags": "TASK_DEFINITION"}


@pytest.mark.parametrize(
    ("request_says", "definition", "expected"),
    [
        ({}, DEFINITION, {}),
        (PROPAGATED, {}, {}),
        (PROPAGATED, DEFINITION, {"team": "blue", "cost": "42"}),
        ({"propagateTags": "NONE"}, DEFINITION, {}),
        ({"tags": [{"key": "team", "value": "red"}]}, DEFINITION, {"team": "red"}),
        (
            {**PROPAGATED, "tags": [{"key": "team", "value": "red"}]},
            DEFINITION,
            {"team": "red", "cost": "42"},
        ),
        ({"enableECSManagedTags": True}, {}, {"aws:ecs:clusterName": "mine"}),
        ({"enableECSManagedTags": False}, {}, {}),
    ],
    ids=["none", "nothing", "definition", "not asked", "own", "both", "managed", "not managed"],
)
def test_tags(
    request_says: dict[str, Any], definition: dict[str, Any], expected: dict[str, str]
) -> None:
    """A task has the tags that its request asks for, and the request's own win."""
    request = {"cluster": "arn:aws:ecs:us-east-1:123456789012:cluster/mine", **request_says}
    found = tags_of(request, definition)
    assert {tag["key"]: tag["value"] for tag in found} == expected
    assert len(found) == len(expected)
