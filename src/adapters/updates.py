"""DynamoDB's expressions: the changes of the records' writes, and their conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, ConditionExpressionBuilder
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from core.record import SAME_END, barriers
from core.reported import reworded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boto3.dynamodb.conditions import ConditionBase

    from core.evidence import Evidence
    from core.outcome import Outcome
    from core.record import Record, Status

_ERROR_FIELDS = ("kind", "summary", "detail", "exitCode", "endedBy", "advice", "taskArn")


@dataclass(frozen=True, slots=True)
class Update:
    """The changes that an update makes.

    Attributes:
        changes: values by attribute.
        defaults: values by attribute, for attributes that have none yet.
        removed: attributes to remove.
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


def ours_of(record: Record, task_arn: str | None) -> ConditionBase:
    """Return the condition that a record is of this execution and attempt, and no other task."""
    same_attempt = Attr("executionArn").eq(record.execution_arn) & Attr("attempt").eq(
        record.attempt
    )
    if task_arn is None:
        return same_attempt
    return same_attempt & (Attr("taskArn").not_exists() | Attr("taskArn").eq(task_arn))


def open_to(record: Record, status: Status) -> ConditionBase:
    """Return the condition that a record is open, with a status that `status` may follow."""
    barred = barriers(record.flow, status)
    is_open = Attr("open").exists()
    return is_open & ~Attr("status").is_in(barred) if barred else is_open


def is_news(outcome: Outcome) -> ConditionBase:
    """Return the condition that a record does not hold this end yet, whoever learned it."""
    told = outcome.to_dict()
    others = [Attr(f"lastOutcome.{name}").ne(told[name]) for name in SAME_END]
    return reduce(or_, others, Attr("lastOutcome").not_exists())


def ended(outcome: Outcome) -> dict[str, Any]:
    """Return a record's changes at the end of its task."""
    changes: dict[str, Any] = {"lastOutcome": outcome.to_dict()}
    return changes | ({"taskArn": outcome.task_arn} if outcome.task_arn else {})


def error_of(record: Record, outcome: Outcome, evidence: Evidence | None) -> dict[str, Any]:
    """Return a failed execution's error for its record, in its worker's words if there are any."""
    fields = outcome.to_dict()
    error = {name: fields[name] for name in _ERROR_FIELDS} | {"attempt": record.attempt}
    return reworded(error, record.error) | (evidence.to_dict() if evidence else {})


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
    """Return plain values in DynamoDB's types."""
    return {name: TypeSerializer().serialize(value) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's values as plain ones."""
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
