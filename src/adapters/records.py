"""The records table: every write is conditional on the attempt that it speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, ConditionExpressionBuilder
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from adapters.clients import client
from adapters.errors import AwsRefusedError, aws_errors
from core.record import Record, Status, sources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boto3.dynamodb.conditions import ConditionBase

    from core.outcome import Outcome

_REFUSED = "ConditionalCheckFailedException"
_ERROR_FIELDS = ("kind", "summary", "detail", "exitCode", "advice")


class RecordConflictError(Exception):
    """Another execution holds the record's key."""


@dataclass(frozen=True, slots=True)
class Records:
    """The table of records.

    Every method raises AwsBusyError or AwsRefusedError where DynamoDB did not answer. A write
    returns False where the record has moved on, and True where it already says what was to be
    written: the reply to a first try may have been lost.

    Attributes:
        table: its name.
        retention: how long a record is kept after its close.
    """

    table: str
    retention: timedelta

    def get(self, execution_id: str) -> Record | None:
        """Read a record consistently; None where there is none."""
        with aws_errors():
            answer = client("dynamodb").get_item(
                TableName=self.table,
                Key=_serialized({"executionId": execution_id}),
                ConsistentRead=True,
            )
        return Record.from_item(_plain(answer["Item"])) if "Item" in answer else None

    def create(self, record: Record) -> Record:
        """Store a new record, or return the one that an earlier try of this call stored.

        Raises:
            RecordConflictError: another execution holds the key.
        """
        condition = _expression(Attr("executionId").not_exists())
        try:
            with aws_errors():
                client("dynamodb").put_item(
                    TableName=self.table, Item=_serialized(record.to_item()), **condition
                )
        except AwsRefusedError as error:
            if error.code != _REFUSED:
                raise
            return self._earlier(record)
        return record

    def started(self, record: Record, task_arn: str) -> bool:
        """Store the attempt's task ARN, and RUNNING unless the worker has already told its end.

        False means that nobody waits for the task any more.
        """
        ours = _ours(record, task_arn) & Attr("open").exists()
        running = {"taskArn": task_arn, "status": Status.RUNNING}
        if self._update(record, running, ours & _before(Status.RUNNING)):
            return True
        # An end that was faster than RunTask's answer keeps its status; the ARN still belongs in.
        if self._update(record, {"taskArn": task_arn}, ours):
            return True
        stored = self.get(record.execution_id)
        return stored is not None and stored.task_arn == task_arn

    def report(self, record: Record, outcome: Outcome) -> bool:
        """Store how the attempt's task ended, and leave the record open for who decides."""
        ours = _ours(record, outcome.task_arn) & Attr("open").exists()
        return self._update(record, _told(outcome), ours)

    def close(self, record: Record, status: Status, outcome: Outcome) -> bool:
        """End the record as COMPLETED or FAILED: nothing more can happen to it.

        An error that the worker has written itself is kept: it knows more than its exit code.
        """
        ours = _ours(record, outcome.task_arn) & Attr("open").exists() & _before(status)
        changes = _told(outcome) | {"status": status, "expiresAt": self._expiry()}
        defaults = {} if status is Status.COMPLETED else {"error": _error(outcome)}
        if self._update(record, changes, ours, defaults=defaults, remove="open"):
            return True
        stored = self.get(record.execution_id)
        return stored is not None and not stored.is_open and stored.status is status

    def _earlier(self, record: Record) -> Record:
        stored = self.get(record.execution_id)
        if stored is None or stored.execution_arn != record.execution_arn:
            raise RecordConflictError(
                f"The record {record.execution_id!r} belongs to another execution."
            )
        return stored

    def _update(
        self,
        record: Record,
        changes: Mapping[str, Any],
        condition: ConditionBase,
        *,
        defaults: Mapping[str, Any] | None = None,
        remove: str | None = None,
    ) -> bool:
        """Write `changes`, and `defaults` where nothing stands; False where refused."""
        expression = _expression(condition)
        names, values = (
            expression["ExpressionAttributeNames"],
            expression["ExpressionAttributeValues"],
        )
        assignments = []
        for name, value in {
            **changes,
            **(defaults or {}),
            "updatedAt": timestamp(datetime.now(UTC)),
        }.items():
            names[f"#{name}"], values[f":{name}"] = name, TypeSerializer().serialize(value)
            kept = f"if_not_exists(#{name}, :{name})" if name in (defaults or {}) else f":{name}"
            assignments.append(f"#{name} = {kept}")
        update = f"SET {', '.join(assignments)}"
        if remove:
            names[f"#{remove}"] = remove
            update += f" REMOVE #{remove}"
        try:
            with aws_errors():
                client("dynamodb").update_item(
                    TableName=self.table,
                    Key=_serialized({"executionId": record.execution_id}),
                    UpdateExpression=update,
                    **expression,
                )
        except AwsRefusedError as error:
            if error.code == _REFUSED:
                return False
            raise
        return True

    def _expiry(self) -> int:
        return int((datetime.now(UTC) + self.retention).timestamp())


def timestamp(moment: datetime) -> str:
    """Return a moment as records keep it: ISO 8601, UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ours(record: Record, task_arn: str | None) -> ConditionBase:
    same_attempt = Attr("executionArn").eq(record.execution_arn) & Attr("attempt").eq(
        record.attempt
    )
    if task_arn is None:
        return same_attempt
    return same_attempt & (Attr("taskArn").not_exists() | Attr("taskArn").eq(task_arn))


def _before(status: Status) -> ConditionBase:
    return Attr("status").is_in([*sources(status), status])


def _told(outcome: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {"lastOutcome": outcome.to_dict()}
    return told | ({"taskArn": outcome.task_arn} if outcome.task_arn else {})


def _error(outcome: Outcome) -> dict[str, Any]:
    told = outcome.to_dict()
    return {name: told[name] for name in _ERROR_FIELDS}


def _expression(condition: ConditionBase) -> dict[str, Any]:
    built = ConditionExpressionBuilder().build_expression(condition)
    expression = {
        "ConditionExpression": built.condition_expression,
        "ExpressionAttributeNames": dict(built.attribute_name_placeholders),
    }
    # DynamoDB refuses an empty map of values.
    if values := _serialized(built.attribute_value_placeholders):
        expression["ExpressionAttributeValues"] = values
    return expression


def _serialized(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: TypeSerializer().serialize(value) for name, value in values.items()}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
