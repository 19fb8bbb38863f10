"""DynamoDB's expressions, from plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import ConditionExpressionBuilder
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boto3.dynamodb.conditions import ConditionBase


@dataclass(frozen=True, slots=True)
class Update:
    """What an update changes.

    Attributes:
        changes: values by attribute.
        defaults: values of attributes that keep what they have.
        removed: attributes that go.
    """

    changes: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    removed: Sequence[str] = ()

    def parameters(self, condition: ConditionBase) -> dict[str, Any]:
        """Return UpdateItem's expressions with their names and values."""
        expression = conditional(condition)
        names: dict[str, str] = expression["ExpressionAttributeNames"]
        values: dict[str, Any] = expression.setdefault("ExpressionAttributeValues", {})
        given = {**self.changes, **self.defaults}
        names |= {f"#{name}": name for name in (*given, *self.removed)}
        values |= {f":{name}": value for name, value in serialized(given).items()}
        expression["UpdateExpression"] = self._text()
        return expression

    def _text(self) -> str:
        assignments = [f"#{name} = :{name}" for name in self.changes]
        assignments += [f"#{name} = if_not_exists(#{name}, :{name})" for name in self.defaults]
        removals = [f"#{name}" for name in self.removed]
        clauses = {"SET": assignments, "REMOVE": removals}
        return " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)


def conditional(condition: ConditionBase) -> dict[str, Any]:
    """Return the parameters of a conditional write."""
    built = ConditionExpressionBuilder().build_expression(condition)
    expression = {
        "ConditionExpression": built.condition_expression,
        "ExpressionAttributeNames": dict(built.attribute_name_placeholders),
    }
    # DynamoDB refuses an empty map of values.
    if values := serialized(built.attribute_value_placeholders):
        expression["ExpressionAttributeValues"] = values
    return expression


def serialized(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values as DynamoDB takes them."""
    return {name: TypeSerializer().serialize(value) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's values as plain ones."""
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
