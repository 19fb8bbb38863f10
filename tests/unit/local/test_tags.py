from __future__ import annotations

from typing import Any

import pytest

from local.ecs.tags import check_tags, tags_of
from local.errors import ApiError

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
        ({"tags": [{"key": "urgent"}]}, {}, {"urgent": ""}),
        ({"enableECSManagedTags": True}, {}, {"aws:ecs:clusterName": "mine"}),
        ({"enableECSManagedTags": False}, {}, {}),
    ],
    ids=[
        "none",
        "nothing",
        "definition",
        "not asked",
        "own",
        "both",
        "no value",
        "managed",
        "not managed",
    ],
)
def test_tags(
    request_says: dict[str, Any], definition: dict[str, Any], expected: dict[str, str]
) -> None:
    """A task has the tags that its request asks for, and the request's own win."""
    request = {"cluster": "arn:aws:ecs:us-east-1:123456789012:cluster/mine", **request_says}
    found = tags_of(request, definition)
    assert {tag["key"]: tag["value"] for tag in found} == expected
    assert len(found) == len(expected)


def tag(key: str, value: str = "") -> dict[str, str]:
    """Return a tag as a request gives it."""
    return {"key": key, "value": value}


@pytest.mark.parametrize(
    ("tags", "complaint"),
    [
        ([tag(str(number)) for number in range(51)], "50"),
        ([tag("team", "red"), tag("team", "blue")], "Duplicate"),
        ([tag("k" * 129)], "128"),
        ([tag("")], "128"),
        ([tag("team", "v" * 257)], "256"),
        ([tag("AWS:team")], "aws:"),
    ],
    ids=["too many", "one key twice", "long key", "no key", "long value", "AWS's own"],
)
def test_refused_tags(tags: list[dict[str, str]], complaint: str) -> None:
    """A request is refused for tags that ECS does not take."""
    with pytest.raises(ApiError, match=complaint):
        check_tags({"tags": tags})


def test_accepted_tags() -> None:
    """Fifty tags of the greatest lengths pass, and so do none."""
    check_tags({"tags": [tag(f"{number:0>128}", "v" * 256) for number in range(50)]})
    check_tags({})
