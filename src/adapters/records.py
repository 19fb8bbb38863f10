"""The records table: every write is conditional on the attempt that it speaks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from adapters import clock
from adapters.clients import client
from adapters.errors import AwsRefusedError, aws_errors
from adapters.updates import Update, conditional, plain, serialized
from core.record import OPEN, OPEN_INDEX, Record, Status, barriers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from boto3.dynamodb.conditions import ConditionBase

    from core.evidence import Evidence
    from core.outcome import Outcome

_REFUSED = "ConditionalCheckFailedException"
_ERROR_FIELDS = ("kind", "summary", "detail", "exitCode", "advice", "taskArn")


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
                Key=serialized({"executionId": execution_id}),
                ConsistentRead=True,
            )
        return Record.from_item(plain(answer["Item"])) if "Item" in answer else None

    def open(self) -> Iterator[str]:
        """Yield the execution ids of the open records, oldest first; the index may lag behind."""
        pages = (
            client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.table,
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

    def create(self, record: Record) -> Record:
        """Store a new record, or return the one that an earlier try of this call stored.

        Raises:
            RecordConflictError: another execution holds the key.
        """
        condition = conditional(Attr("executionId").not_exists())
        try:
            with aws_errors():
                client("dynamodb").put_item(
                    TableName=self.table, Item=serialized(record.to_item()), **condition
                )
        except AwsRefusedError as error:
            if error.code != _REFUSED:
                raise
            return self._earlier(record)
        return record

    def prepare(self, record: Record) -> Record:
        """Store a further launch or attempt before its task exists.

        The launches of an attempt share its deadline.

        Returns:
            The record as it stands: prepared by this or an earlier try, or closed meanwhile.

        Raises:
            RecordConflictError: another execution holds the key.
        """
        item = record.to_item()
        names = {"status", "launch", "callbackId"} | ({"deadline"} if record.launch == 1 else set())
        changes = {name: item[name] for name in item if name in names}
        due = Attr("status").eq(Status.BACKOFF) | Attr("launch").lt(record.launch)
        ours = _ours(record, None) & _open_to(record, Status.PENDING)
        self._update(record, Update(changes), ours & due)
        return self._earlier(record)

    def back_off(self, record: Record, outcome: Outcome) -> bool:
        """End an attempt of which another follows: from here on, its news changes nothing.

        A result that the failed attempt has left goes too, for it would refuse the next one's.
        """
        changes = {"status": Status.BACKOFF, "attempt": record.attempt + 1, "launch": 1}
        changes["lastOutcome"] = outcome.to_dict()
        removed = ["taskArn", "callbackId", "result", "missingSince"]
        ours = _ours(record, outcome.task_arn) & _open_to(record, Status.BACKOFF)
        if self._update(record, Update(changes, removed=removed), ours):
            return True
        stored = self.get(record.execution_id)
        return stored is not None and stored.is_open and stored.attempt == record.attempt + 1

    def started(self, record: Record, task_arn: str) -> bool:
        """Store the attempt's task ARN, and RUNNING unless the worker has already reported its end.

        False means that nobody waits for the task any more.
        """
        ours = _ours(record, task_arn)
        running = {"taskArn": task_arn, "status": Status.RUNNING}
        if self._update(record, Update(running), ours & _open_to(record, Status.RUNNING)):
            return True
        # An end that was faster than RunTask's answer keeps its status; the ARN still belongs in.
        if self._update(record, Update({"taskArn": task_arn}), ours & Attr("open").exists()):
            return True
        stored = self.get(record.execution_id)
        return stored is not None and stored.task_arn == task_arn

    def missed(self, record: Record, *, is_missing: bool) -> None:
        """Store since when ECS has not known the attempt's task, or that it knows it again.

        `updatedAt` stays: the work is where it was.
        """
        since = Update({"missingSince": timestamp(clock.now())})
        update = since if is_missing else Update({}, removed=["missingSince"])
        self._write(record, update, _ours(record, record.task_arn) & Attr("open").exists())

    def report(self, record: Record, outcome: Outcome) -> bool:
        """Store how the attempt's task ended, and leave the record open for who decides."""
        ours = _ours(record, outcome.task_arn) & Attr("open").exists()
        return self._update(record, Update(_ended(outcome)), ours)

    def close(
        self, record: Record, status: Status, outcome: Outcome, evidence: Evidence | None = None
    ) -> bool:
        """End the record as COMPLETED or FAILED: nothing more can happen to it.

        An error that the worker has written itself keeps its words: it knows more than its exit
        code.
        """
        ours = _ours(record, outcome.task_arn) & _open_to(record, status)
        if record.task_arn is None and outcome.task_arn is None:
            # Whoever closes without a task must not overlook one that was started meanwhile.
            ours &= Attr("taskArn").not_exists()
        changes = _ended(outcome) | {"status": status, "expiresAt": self._expiry()}
        defaults: dict[str, Any] = {}
        if status is Status.FAILED:
            error = _error(record, outcome, evidence)
            # What the worker has written itself is completed; what it may still write is kept.
            completed = {"error": {**error, **record.error}} if record.error else {}
            changes, defaults = {**changes, **completed}, {} if completed else {"error": error}
        if self._update(record, Update(changes, defaults, ["open"]), ours):
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

    def _update(self, record: Record, update: Update, condition: ConditionBase) -> bool:
        stamped = {**update.changes, "updatedAt": timestamp(clock.now())}
        return self._write(record, replace(update, changes=stamped), condition)

    def _write(self, record: Record, update: Update, condition: ConditionBase) -> bool:
        """Write; False where refused."""
        try:
            with aws_errors():
                client("dynamodb").update_item(
                    TableName=self.table,
                    Key=serialized({"executionId": record.execution_id}),
                    **update.parameters(condition),
                )
        except AwsRefusedError as error:
            if error.code == _REFUSED:
                return False
            raise
        return True

    def _expiry(self) -> int:
        return int((clock.now() + self.retention).timestamp())


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


def _open_to(record: Record, status: Status) -> ConditionBase:
    barred = barriers(record.flow, status)
    is_open = Attr("open").exists()
    return is_open & ~Attr("status").is_in(barred) if barred else is_open


def _ended(outcome: Outcome) -> dict[str, Any]:
    changes: dict[str, Any] = {"lastOutcome": outcome.to_dict()}
    return changes | ({"taskArn": outcome.task_arn} if outcome.task_arn else {})


def _error(record: Record, outcome: Outcome, evidence: Evidence | None) -> dict[str, Any]:
    fields = outcome.to_dict()
    error = {name: fields[name] for name in _ERROR_FIELDS} | {"attempt": record.attempt}
    return error | (evidence.to_dict() if evidence else {})
