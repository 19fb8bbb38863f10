"""The records table: every write is conditional on the attempt that it speaks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from adapters import clock
from adapters.clients import client
from adapters.errors import AwsRefusedError, aws_errors
from adapters.strays import STRAY
from adapters.telemetry import logger
from adapters.updates import (
    Update,
    conditional,
    ended,
    error_of,
    open_to,
    ours_of,
    plain,
    serialized,
)
from core.attempts import entries
from core.handover import may_follow
from core.moment import timestamp
from core.record import OPEN, OPEN_INDEX, Record, Status, UnreadableRecordError
from core.reported import COLUMNS, EMPTIED
from core.write import Write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from boto3.dynamodb.conditions import ConditionBase

    from adapters.settings import Settings
    from core.evidence import Evidence
    from core.outcome import Outcome

_REFUSED = "ConditionalCheckFailedException"
# The size of the item is all that can be wrong with these updates.
_INVALID = "ValidationException"


class RecordFullError(AwsRefusedError):
    """The item (400 KB) has no room left beside what workers have written into it."""


class RecordConflictError(Exception):
    """Another execution holds the record's key."""


@dataclass(frozen=True, slots=True)
class Records:
    """The table of records.

    Every method raises AwsBusyError or AwsRefusedError where DynamoDB did not answer. A refused
    write reads the record, to tell one that holds what was to be written from one that moved on.

    Attributes:
        table: its name.
        retention: how long a record is kept after its close.
        bucket: the data bucket, where workers leave large results.
    """

    table: str
    retention: timedelta
    bucket: str

    @classmethod
    def of(cls, settings: Settings) -> Records:
        """Return the stack's."""
        return cls(settings.table_name, settings.retention, settings.data_bucket)

    def get(self, execution_id: str) -> Record | None:
        """Read a record consistently; None where there is none.

        Raises:
            UnreadableRecordError: somebody has spoilt it.
        """
        with aws_errors():
            answer = client("dynamodb").get_item(
                TableName=self.table,
                Key=serialized({"executionId": execution_id}),
                ConsistentRead=True,
            )
        if "Item" not in answer:
            return None
        return Record.from_item(plain(answer["Item"]), self.bucket)

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

        The launches of an attempt share its begin and its deadline.

        Returns:
            The record as it stands: prepared by this or an earlier try, or closed meanwhile.

        Raises:
            RecordConflictError: another execution holds the key.
        """
        item = record.to_item()
        names = {"status", "launch", "capacity", "callbackId"}
        if record.launch == 1:
            names |= {"begunAt", "deadline"}
        changes = {name: item[name] for name in item if name in names}
        # An attempt has one ticket, whichever try of whichever launch has drawn it.
        defaults = {name: item[name] for name in item if name == "ticket"}
        due = Attr("launch").lt(record.launch) & Attr("taskArn").not_exists()
        ours = ours_of(record, None) & open_to(record, Status.PENDING)
        update = _stamped(Update(changes, defaults), timestamp(clock.now()))
        self._write_anyway(record.execution_id, update, ours & due)
        return self._earlier(record)

    def back_off(self, record: Record, outcome: Outcome) -> Write:
        """End an attempt of which another follows: from here on, its news changes nothing.

        What the failed attempt has left goes too: its result would refuse the next one's.
        """
        changes = {"status": Status.BACKOFF, "attempt": record.attempt + 1, "launch": 0}
        changes |= {"lastOutcome": outcome.to_dict(), "attempts": entries(record, outcome)}
        removed = ["taskArn", "callbackId", "missingSince", "ticket", "error"]
        removed += ["result", "resultUri", "progress"]
        ours = ours_of(record, outcome.task_arn) & open_to(record, Status.BACKOFF)
        return self._update(
            record,
            Update(changes, removed=removed),
            ours,
            lambda stored: stored.is_open and stored.attempt == record.attempt + 1,
        )

    def started(self, record: Record, task_arn: str) -> Write:
        """Store the attempt's task ARN, and RUNNING unless the worker has already reported its end.

        MOVED_ON means that nobody waits for the task any more.
        """
        ours = ours_of(record, task_arn)
        is_known = Attr("taskArn").exists() & Attr("status").eq(Status.RUNNING)
        running = {"taskArn": task_arn, "status": Status.RUNNING}
        # An end that was faster than RunTask's answer keeps its status; the ARN still belongs in.
        is_left = Attr("open").exists() & Attr("taskArn").not_exists()
        stamp = timestamp(clock.now())
        for changes, condition in (
            (running, ours & open_to(record, Status.RUNNING) & ~is_known),
            ({"taskArn": task_arn}, ours & is_left),
        ):
            update = _stamped(Update(changes), stamp)
            if self._write_anyway(record.execution_id, update, condition, is_marked=True):
                return Write.WRITTEN
        return self._found(record, lambda stored: stored.task_arn == task_arn, stamp)

    def missed(self, record: Record) -> Write:
        """Store since when ECS has not known the attempt's task.

        `updatedAt` stays, here and in `found_again`: the work is where it was.
        """
        update = Update({"missingSince": timestamp(clock.now())})
        news = Attr("missingSince").not_exists()
        return self._note(record, update, news, lambda stored: stored.missing_since is not None)

    def found_again(self, record: Record) -> Write:
        """Store that ECS knows the task that it did not know."""
        update, news = Update({}, removed=["missingSince"]), Attr("missingSince").exists()
        return self._note(record, update, news, lambda stored: stored.missing_since is None)

    def report(self, record: Record, outcome: Outcome) -> Write:
        """Store how the attempt's task ended, and leave the record open for who decides."""
        told = outcome.to_dict()
        news = Attr("lastOutcome").not_exists() | Attr("lastOutcome").ne(told)
        ours = ours_of(record, outcome.task_arn) & Attr("open").exists() & news
        return self._update(
            record,
            Update(ended(outcome)),
            ours,
            lambda stored: _is_at(stored, record) and stored.last_outcome == told,
        )

    def close(
        self, record: Record, status: Status, outcome: Outcome, evidence: Evidence | None = None
    ) -> Write:
        """End the record as COMPLETED or FAILED: nothing more can happen to it.

        The words of an error that the worker has reported are kept: it knows more than its exit
        code. WRITTEN is for the one alone who has closed it, and so logs why, even if the reply was
        lost.

        Raises:
            RecordFullError: only `close_without_result` can close it.
        """
        ours = ours_of(record, outcome.task_arn)
        is_overruled = record.stray_uri is not None and outcome.task_arn is not None
        # A worker's COMPLETED bars no failure once it was found to have no result of its own.
        ours &= Attr("open").exists() if is_overruled else open_to(record, status)
        if record.task_arn is None and outcome.task_arn is None:
            # A close without a task must not overlook one that was started meanwhile.
            ours &= Attr("taskArn").not_exists()
        if status is Status.FAILED and record.flow.worker_reports_end and record.error is None:
            # What the worker has reported since is to be read first.
            ours &= Attr("error").not_exists()
        if may_follow(record, outcome):
            # A result that was handed over since is not overlooked either; a NULL is none.
            for name in ("result", "resultUri"):
                ours &= Attr(name).not_exists() | Attr(name).attribute_type("NULL")
        return self._end(record, outcome, self._closing(record, status, outcome, evidence), ours)

    def close_without_result(
        self,
        record: Record,
        status: Status,
        outcome: Outcome,
        evidence: Evidence | None = None,
    ) -> Write:
        """End the record in place of whatever has been written as its result."""
        closing = self._closing(record, status, outcome, evidence)
        removed = [name for name in closing.removed if name != "result"]
        removed += ["progress"] if record.result_uri else ["progress", "resultUri"]
        removed = list(dict.fromkeys(removed))
        update = Update({"result": "null", **closing.changes}, removed=removed)
        ours = ours_of(record, outcome.task_arn) & Attr("open").exists()
        return self._end(record, outcome, update, ours)

    def close_unreadable(self, unreadable: UnreadableRecordError, outcome: Outcome) -> Write:
        """Close as FAILED a record of which only the execution's ARN can be read."""
        changes = self._closed(Status.FAILED, outcome) | {"error": outcome.to_dict()}
        changes["updatedAt"] = timestamp(clock.now())
        same = Attr("executionArn").eq(unreadable.execution_arn) & Attr("open").exists()
        update = Update(changes, removed=["open", "ticket"])
        if self._write_anyway(unreadable.execution_id, update, same):
            return Write.WRITTEN
        return self._closed_unread(unreadable.execution_id, unreadable.execution_arn)

    def expire_stray(self, key: str) -> Write:
        """Empty an item that no launch has made, and let it expire; MOVED_ON if it is a record."""
        update = Update({"expiresAt": self._expiry()}, removed=COLUMNS)
        if self._write(key, update, Attr("executionId").exists() & STRAY):
            return Write.WRITTEN
        return self._closed_unread(key, None)

    def _closed(self, status: Status, outcome: Outcome) -> dict[str, Any]:
        return ended(outcome) | {"status": status, "expiresAt": self._expiry()}

    def _closing(
        self, record: Record, status: Status, outcome: Outcome, evidence: Evidence | None
    ) -> Update:
        changes = self._closed(status, outcome)
        if attempts := entries(record, outcome):
            changes["attempts"] = attempts
        if status is Status.FAILED:
            changes["error"] = error_of(record, outcome, evidence)
        # Nobody has asked for these, whoever wrote them.
        unasked = [] if record.flow.takes_result else ["result", "resultUri", "progress"]
        unasked += ["error"] if status is Status.COMPLETED else []
        return Update(changes, removed=["open", "ticket", *unasked])

    def _end(
        self, record: Record, outcome: Outcome, update: Update, condition: ConditionBase
    ) -> Write:
        if record.is_backing_off:
            # A close between two attempts may not overlook one that has begun meanwhile.
            condition &= Attr("launch").eq(record.launch)
        told, status = outcome.to_dict(), update.changes["status"]
        stamp = timestamp(clock.now())
        if self._write(record.execution_id, _stamped(update, stamp), condition):
            return Write.WRITTEN
        return self._found(
            record,
            lambda stored: (
                not stored.is_open
                and (stored.attempt, stored.status) == (record.attempt, status)
                and stored.last_outcome == told
            ),
            stamp,
        )

    def _note(
        self,
        record: Record,
        update: Update,
        news: ConditionBase,
        holds: Callable[[Record], bool],
    ) -> Write:
        ours = ours_of(record, record.task_arn) & Attr("open").exists() & news
        if self._write_anyway(record.execution_id, update, ours, is_marked=True):
            return Write.WRITTEN
        return self._found(record, lambda stored: _is_at(stored, record) and holds(stored))

    def _update(
        self,
        record: Record,
        update: Update,
        condition: ConditionBase,
        holds: Callable[[Record], bool],
    ) -> Write:
        stamp = timestamp(clock.now())
        if self._write_anyway(record.execution_id, _stamped(update, stamp), condition):
            return Write.WRITTEN
        return self._found(record, holds, stamp)

    def _found(
        self, record: Record, holds: Callable[[Record], bool], stamp: str | None = None
    ) -> Write:
        """Return what a refused write has found in its place."""
        stored = self.get(record.execution_id)
        if stored is None or stored.execution_arn != record.execution_arn or not holds(stored):
            return Write.MOVED_ON
        # The reply to a first try of this very call may have been lost.
        return Write.WRITTEN if stored.updated_at == stamp else Write.ALREADY

    def _closed_unread(self, execution_id: str, execution_arn: str | None) -> Write:
        """Return what a refused write has found in place of an item that could not be read."""
        try:
            self.get(execution_id)
        except UnreadableRecordError as error:
            if not error.is_open and error.execution_arn == execution_arn:
                return Write.ALREADY
        return Write.MOVED_ON

    def _earlier(self, record: Record) -> Record:
        try:
            stored = self.get(record.execution_id)
        except UnreadableRecordError as error:
            if error.execution_arn == record.execution_arn:
                raise
            stored = None
        if stored is None or stored.execution_arn != record.execution_arn:
            raise RecordConflictError(
                f"The record {record.execution_id!r} belongs to another execution."
            )
        return stored

    def _write_anyway(
        self,
        execution_id: str,
        update: Update,
        condition: ConditionBase,
        *,
        is_marked: bool = False,
    ) -> bool:
        """Write; what workers have written gives way where it leaves no room.

        Where that is marked, it may have been the result of the attempt: no success without it.
        """
        try:
            return self._write(execution_id, update, condition)
        except RecordFullError as error:
            logger.warning("Record full: worker's columns emptied", extra={"reason": str(error)})
            mark = {"resultUri": EMPTIED} if is_marked else {}
            room = Update(mark, removed=[name for name in COLUMNS if name not in mark])
            return self._write(execution_id, room, condition) and self._write(
                execution_id, update, condition
            )

    def _write(self, execution_id: str, update: Update, condition: ConditionBase) -> bool:
        """Write; False where refused."""
        try:
            with aws_errors():
                client("dynamodb").update_item(
                    TableName=self.table,
                    Key=serialized({"executionId": execution_id}),
                    **update.parameters(condition),
                )
        except AwsRefusedError as error:
            if error.code == _REFUSED:
                return False
            if error.code == _INVALID:
                left = "What the container has written leaves no room in the item (400 KB)"
                raise RecordFullError(left, error.code) from error
            raise
        return True

    def _expiry(self) -> int:
        return int((clock.now() + self.retention).timestamp())


def _stamped(update: Update, moment: str) -> Update:
    return replace(update, changes={**update.changes, "updatedAt": moment})


def _is_at(stored: Record, record: Record) -> bool:
    """Whether a stored record is open, and of the attempt that another speaks for."""
    return stored.is_open and stored.attempt == record.attempt
