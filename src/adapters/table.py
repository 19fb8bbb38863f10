"""The records table in DynamoDB's terms: items, and the writes that change them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from adapters.clients import client
from adapters.errors import AwsRefusedError, aws_errors
from adapters.telemetry import logger
from adapters.updates import Update, conditional, plain, serialized
from core.record import OPEN, OPEN_INDEX
from core.reported import COLUMNS, EMPTIED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from boto3.dynamodb.conditions import ConditionBase

_REFUSED = "ConditionalCheckFailedException"
# Only the item's size can be wrong with these updates.
_INVALID = "ValidationException"


class Reply(Enum):
    """DynamoDB's reply to a conditional write."""

    MADE = "written"
    REFUSED = "the condition does not hold"
    REFUSED_AGAIN = "the condition does not hold, or no longer: an earlier try was unanswered"


class RecordFullError(AwsRefusedError):
    """The item (400 KB) has no room left beside the workers' writes."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose items have `executionId` as their key.

    Every method raises AwsBusyError or AwsRefusedError where DynamoDB did not answer.
    """

    name: str

    def item(self, execution_id: str) -> dict[str, Any] | None:
        """Read an item's plain values consistently; None where there is none."""
        with aws_errors():
            answer = client("dynamodb").get_item(
                TableName=self.name,
                Key=serialized({"executionId": execution_id}),
                ConsistentRead=True,
            )
        return plain(answer["Item"]) if "Item" in answer else None

    def open(self) -> Iterator[str]:
        """Yield the keys of the open items, oldest first; the index may lag behind."""
        pages = (
            client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.name,
                IndexName=OPEN_INDEX,
                KeyConditionExpression="#open = :open",
                ProjectionExpression="executionId",
                ExpressionAttributeNames={"#open": "open"},
                ExpressionAttributeValues=serialized({":open": OPEN}),
            )
        )
        with aws_errors():
            for page in pages:
                yield from (str(plain(item)["executionId"]) for item in page["Items"])

    def create(self, item: Mapping[str, Any], condition: ConditionBase) -> bool:
        """Store a new item; return False where the condition does not hold."""
        try:
            with aws_errors():
                client("dynamodb").put_item(
                    TableName=self.name, Item=serialized(item), **conditional(condition)
                )
        except AwsRefusedError as error:
            if error.code != _REFUSED:
                raise
            return False
        return True

    def write_anyway(self, execution_id: str, update: Update, condition: ConditionBase) -> Reply:
        """Write as `write` does; empty the workers' columns first where they leave no room."""
        return self._write_anyway(execution_id, update, condition, {})

    def write_marked(self, execution_id: str, update: Update, condition: ConditionBase) -> Reply:
        """Write as `write_anyway` does, and mark the record whose columns were emptied.

        They may have held the attempt's result, without which there is no success.
        """
        return self._write_anyway(execution_id, update, condition, {"resultUri": EMPTIED})

    def _write_anyway(
        self,
        execution_id: str,
        update: Update,
        condition: ConditionBase,
        mark: Mapping[str, str],
    ) -> Reply:
        try:
            return self.write(execution_id, update, condition)
        except RecordFullError as error:
            logger.warning("Record full: worker's columns emptied", extra={"reason": str(error)})
            room = Update(mark, removed=[name for name in COLUMNS if name not in mark])
            if self.write(execution_id, room, condition) is not Reply.MADE:
                return Reply.REFUSED
            return self.write(execution_id, update, condition)

    def write(self, execution_id: str, update: Update, condition: ConditionBase) -> Reply:
        """Write, if the condition holds.

        Raises:
            RecordFullError: the item is full.
        """
        try:
            with aws_errors():
                client("dynamodb").update_item(
                    TableName=self.name,
                    Key=serialized({"executionId": execution_id}),
                    **update.parameters(condition),
                )
        except AwsRefusedError as error:
            if error.code == _REFUSED:
                return Reply.REFUSED_AGAIN if error.is_retry else Reply.REFUSED
            if error.code == _INVALID:
                left = "The container's writes leave no room in the item (400 KB)"
                raise RecordFullError(left, error.code) from error
            raise
        return Reply.MADE
