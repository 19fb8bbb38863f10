"""The attributes of an item that a request to DynamoDB names, as `dynamodb:Attributes` has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ITEMS = ("Item", "Key")
_EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
# Parameters older than expressions name attributes in other places.
OUTDATED = frozenset(
    {
        "AttributeUpdates",
        "AttributesToGet",
        "ConditionalOperator",
        "Expected",
        "KeyConditions",
        "QueryFilter",
        "ScanFilter",
    }
)
# A name that is neither a value, nor a function, nor a part of an attribute.
_NAME = re.compile(r"(?<![.:#\w])#?[A-Za-z_0-9]*+(?<=\w)(?!\s*\()")
_WORDS = frozenset({"ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET"})


def named(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the top-level attributes that a request names, in any parameter."""
    items = (name for place in _ITEMS for name in parameters.get(place, ()))
    return tuple(sorted({*items, *_in_expressions(parameters)}))


def _in_expressions(parameters: Mapping[str, Any]) -> Iterator[str]:
    names = parameters.get("ExpressionAttributeNames", {})
    for place in _EXPRESSIONS:
        for found in _NAME.findall(parameters.get(place, "")):
            if found.startswith("#"):
                yield names.get(found, found)
            elif found.upper() not in _WORDS and not found[0].isdigit():
                yield found
