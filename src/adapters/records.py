"""The records table: every write is conditional on the attempt that it speaks for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from adapters import clock, observation
from adapters.errors import AwsBusyError, AwsRefusedError
from adapters.strays import STRAY
from adapters.table import Reply, Table
from adapters.updates import (
    Update,
    ended,
    error_of,
    is_news,
    open_to,
    ours_of,
)
from core.attempts import entries
from core.handover import may_follow
from core.moment import timestamp
from core.record import Record, Status, UnreadableRecordError
from core.reported import COLUMNS
from core.write import Write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from boto3.dynamodb.conditions import ConditionBase

    from adapters.settings import Settings
    from core.evidence import Evidence
    from core.outcome import Outcome

    # Makes an update of the execution's item under a condition.
    _TableWrite = Callable[[str, Update, ConditionBase], Reply]


class RecordConflictError(Exception):
    """Another execution holds the record's key."""


@dataclass(frozen=True, slots=True)
class Records:
    """The table of records.

    Every method raises AwsBusyError or AwsRefusedError where DynamoDB did not answer. After a
    refused write, the record is read: it holds the same change already, or it has moved on.

    Attributes:
        table: the table's name.
        retention: how long a record is kept after its close.
        bucket: the data bucket, where workers leave large results.
    """

    table: str
    retention: timedelta
    bucket: str

    @classmethod
    def of(cls, settings: Settings) -> Records:
        """Return the stack's table of records."""
        return cls(settings.table_name, settings.retention, settings.data_bucket)

    def get(self, execution_id: str) -> Record | None:
        """Read a record consistently; None where there is none.

        Raises:
            UnreadableRecordError: somebody has spoilt the record.
        """
        item = self._table.item(execution_id)
        return Record.from_item(item, self.bucket) if item else None

    def open(self) -> Iterator[str]:
        """Return the execution ids of the open records, oldest first; the index may lag behind."""
        return self._table.open()

    def create(self, record: Record) -> Record:
        """Store a new record, or return the one that an earlier try of this call stored.

        Raises:
            RecordConflictError: another execution holds the key.
        """
        is_new = self._table.create(record.to_item(), Attr("executionId").not_exists())
        return record if is_new else self._earlier(record)

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
        # An attempt has one ticket, whichever try of whichever launch drew it.
        defaults = {name: item[name] for name in item if name == "ticket"}
        due = Attr("launch").lt(record.launch) & Attr("taskArn").not_exists()
        ours = ours_of(record, None) & open_to(record, Status.PENDING)
        update = _stamped(Update(changes, defaults))

        def is_own() -> bool:
            # Only the execution itself prepares its launches.
            stored, moment = self._earlier(record), update.changes["updatedAt"]
            return bool((stored.launch, stored.updated_at) == (record.launch, moment))

        key, condition = record.execution_id, ours & due
        is_made = _is_made(lambda: self._table.write_anyway(key, update, condition), is_own)
        if is_made and record.launch > 1:
            observation.launch_refused(record)
        return self._earlier(record)

    def back_off(self, record: Record, outcome: Outcome) -> Write:
        """End an attempt that another one follows: from here on, its news changes nothing.

        Its result is removed too: it would make the next attempt's result be refused.
        """
        changes = {"status": Status.BACKOFF, "attempt": record.attempt + 1, "launch": 0}
        changes |= {"lastOutcome": outcome.to_dict(), "attempts": entries(record, outcome)}
        removed = ["taskArn", "callbackId", "missingSince", "ticket", "error"]
        removed += ["result", "resultUri", "progress"]
        ours = ours_of(record, outcome.task_arn) & open_to(record, Status.BACKOFF)
        write = self._write(
            record,
            Update(changes, removed=removed),
            ours,
            lambda stored: stored.is_open and stored.attempt == record.attempt + 1,
            self._table.write_anyway,
        )
        if write is Write.WRITTEN:
            observation.attempt_ended(record, outcome)
        return write

    def started(self, record: Record, task_arn: str) -> Write:
        """Store the attempt's task ARN, and RUNNING unless the worker has already reported its end.

        MOVED_ON means that nothing waits for the task any more.
        """
        ours = ours_of(record, task_arn) & Attr("open").exists()
        to_run = ours & open_to(record, Status.RUNNING)
        named = Update({"taskArn": task_arn})
        running = Update({**named.changes, "status": Status.RUNNING})
        # An end that came before RunTask's answer keeps its status; the ARN is still written.
        for update, condition in ((running, to_run), (named, ours)):
            if self._names_task(record, _stamped(update), condition, self._table.write_marked):
                return Write.WRITTEN
        # An ARN that came with the news of its end keeps that status too.
        is_new = Attr("taskArn").exists() & Attr("status").ne(Status.RUNNING)
        if self._makes(record, _stamped(running), to_run & is_new, self._table.write_marked):
            return Write.WRITTEN
        return self._found(record, lambda stored: stored.task_arn == task_arn)

    def missed(self, record: Record) -> Write:
        """Store since when ECS has not known the attempt's task.

        `updatedAt` stays, here and in `found_again`: the work itself has not moved.
        """
        update = Update({"missingSince": timestamp(clock.now())})
        news = Attr("missingSince").not_exists()
        return self._note(record, update, news, lambda stored: stored.missing_since is not None)

    def found_again(self, record: Record) -> Write:
        """Store that ECS knows the task that it did not know."""
        update, news = Update({}, removed=["missingSince"]), Attr("missingSince").exists()
        return self._note(record, update, news, lambda stored: stored.missing_since is None)

    def report(self, record: Record, outcome: Outcome) -> Write:
        """Store how the attempt's task ended; the record stays open for the execution to decide.

        Raises:
            RecordFullError: only the result of a success could make room, and it may be asked for.
        """
        ours = ours_of(record, outcome.task_arn) & Attr("open").exists() & is_news(outcome)
        is_needed = outcome.succeeded and record.flow.takes_result
        return self._write(
            record,
            Update(ended(outcome)),
            ours,
            lambda stored: _is_at(stored, record) and stored.says(outcome),
            self._table.write if is_needed else self._table.write_anyway,
        )

    def close(
        self,
        record: Record,
        status: Status,
        outcome: Outcome,
        evidence: Evidence | None = None,
        *,
        is_wanted: bool = False,
    ) -> Write:
        """End the record as COMPLETED or FAILED: nothing more can happen to it.

        The words of the worker's own error are kept: the worker knows more than its exit code.
        Only the caller that has closed the record gets WRITTEN, even if DynamoDB's reply was lost.
        So one caller logs the failure.

        Args:
            record: the open record, read consistently.
            status: the last status.
            outcome: how its last task ended.
            evidence: the evidence of a task that failed.
            is_wanted: whether somebody has stopped the execution, so that its failure is no news.

        Raises:
            RecordFullError: only `close_without_result` can close it.
        """
        ours = ours_of(record, outcome.task_arn)
        is_overruled = record.stray_uri is not None and outcome.task_arn is not None
        # A worker's COMPLETED is no barrier to a failure if its result is not its own.
        ours &= Attr("open").exists() if is_overruled else open_to(record, status)
        if record.task_arn is None and outcome.task_arn is None:
            # A close without a task must not overlook a task that was started meanwhile.
            ours &= Attr("taskArn").not_exists()
        if status is Status.FAILED and record.flow.worker_reports_end and record.error is None:
            # A report of the worker since then has to be read first.
            ours &= Attr("error").not_exists()
        if may_follow(record, outcome):
            # A result that was handed over since then counts too; a NULL is no result.
            for name in ("result", "resultUri"):
                ours &= Attr(name).not_exists() | Attr(name).attribute_type("NULL")
        update = self._closing(record, status, outcome, evidence)
        return self._end(record, outcome, update, ours, is_wanted=is_wanted)

    def close_without_result(
        self,
        record: Record,
        status: Status,
        outcome: Outcome,
        evidence: Evidence | None = None,
        *,
        is_wanted: bool = False,
    ) -> Write:
        """Close the record, with an empty result in place of whatever was written as one."""
        closing = self._closing(record, status, outcome, evidence)
        removed = [name for name in closing.removed if name != "result"]
        removed += ["progress"] if record.result_uri else ["progress", "resultUri"]
        removed = list(dict.fromkeys(removed))
        update = Update({"result": "null", **closing.changes}, removed=removed)
        ours = ours_of(record, outcome.task_arn) & Attr("open").exists()
        return self._end(record, outcome, update, ours, is_wanted=is_wanted)

    def close_unreadable(
        self, unreadable: UnreadableRecordError, outcome: Outcome, *, is_wanted: bool = False
    ) -> Write:
        """Close as FAILED a record of which only the execution's ARN can be read; see `close`."""
        changes = self._closed(Status.FAILED, outcome) | {"error": outcome.to_dict()}
        update = _stamped(Update(changes, removed=["open", "ticket"]))
        key, arn = unreadable.execution_id, unreadable.execution_arn
        same = Attr("executionArn").eq(arn) & Attr("open").exists()

        def is_own() -> bool:
            item, moment = self._table.item(key) or {}, update.changes["updatedAt"]
            is_closed = item.get("executionArn") == arn and "open" not in item
            return bool(is_closed and item.get("updatedAt") == moment)

        if _is_made(lambda: self._table.write_anyway(key, update, same), is_own):
            if not is_wanted:
                observation.unreadable_closed(unreadable)
            return Write.WRITTEN
        return self._closed_unread(key, arn)

    def expire_stray(self, key: str) -> Write:
        """Empty an item that no launch has made, and let it expire; MOVED_ON for a record."""
        update = Update({"expiresAt": self._expiry()}, removed=COLUMNS)
        if self._table.write(key, update, Attr("executionId").exists() & STRAY) is Reply.MADE:
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
        # The flow does not ask for these columns, whoever wrote them.
        unasked = [] if record.flow.takes_result else ["result", "resultUri", "progress"]
        unasked += ["error"] if status is Status.COMPLETED else []
        return Update(changes, removed=["open", "ticket", *unasked])

    def _end(
        self,
        record: Record,
        outcome: Outcome,
        update: Update,
        condition: ConditionBase,
        *,
        is_wanted: bool,
    ) -> Write:
        if record.is_backing_off:
            # A close between two attempts must not overlook an attempt that has begun meanwhile.
            condition &= Attr("launch").eq(record.launch)
        status = update.changes["status"]
        write = self._write(
            record,
            update,
            condition,
            lambda stored: (
                not stored.is_open
                and (stored.attempt, stored.status) == (record.attempt, status)
                and stored.says(outcome)
            ),
            self._table.write,
        )
        if write is Write.WRITTEN:
            is_failure = status is Status.FAILED and not is_wanted
            observation.record_closed(record, outcome, is_failure=is_failure)
        return write

    def _note(
        self,
        record: Record,
        update: Update,
        news: ConditionBase,
        holds: Callable[[Record], bool],
    ) -> Write:
        ours = ours_of(record, record.task_arn) & Attr("open").exists() & news
        if self._table.write_marked(record.execution_id, update, ours) is Reply.MADE:
            return Write.WRITTEN
        return self._found(record, lambda stored: _is_at(stored, record) and holds(stored))

    def _write(
        self,
        record: Record,
        update: Update,
        condition: ConditionBase,
        holds: Callable[[Record], bool],
        write: _TableWrite,
    ) -> Write:
        """Make a write with a moment of its own, and count the task that it gives to a record.

        Args:
            record: the record as it was before.
            update: the changes.
            condition: the condition of the write.
            holds: whether a stored record holds these changes.
            write: the table's method.
        """
        update = _stamped(update)
        may_name = record.task_arn is None and "taskArn" in update.changes
        if may_name and self._names_task(record, update, condition, write):
            return Write.WRITTEN
        if self._makes(record, update, condition, write):
            return Write.WRITTEN
        return self._found(record, holds)

    def _names_task(
        self, record: Record, update: Update, condition: ConditionBase, write: _TableWrite
    ) -> bool:
        """Whether a write was made and is the first that names the attempt's task, which counts it.

        The condition ensures that it is the first. If the reply was lost, nothing shows it later.
        """
        is_made = self._makes(record, update, condition & Attr("taskArn").not_exists(), write)
        if is_made:
            observation.task_started(record)
        return is_made

    def _makes(
        self, record: Record, update: Update, condition: ConditionBase, write: _TableWrite
    ) -> bool:
        """Whether a write with a moment of its own was made, by this try or an unanswered one."""
        key = record.execution_id
        return _is_made(
            lambda: write(key, update, condition),
            lambda: _is_from(update, record, self.get(key)),
        )

    def _found(self, record: Record, holds: Callable[[Record], bool]) -> Write:
        """Return the result of a refused write, by the record as it is stored.

        Args:
            record: the record as it was before.
            holds: whether the stored record holds the changes.
        """
        stored = self.get(record.execution_id)
        if stored is None or stored.execution_arn != record.execution_arn or not holds(stored):
            return Write.MOVED_ON
        return Write.ALREADY

    def _closed_unread(self, execution_id: str, execution_arn: str | None) -> Write:
        """Return the result of a refused write to an item that could not be read."""
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

    @property
    def _table(self) -> Table:
        return Table(self.table)

    def _expiry(self) -> int:
        return int((clock.now() + self.retention).timestamp())


def _stamped(update: Update) -> Update:
    """Return the update with its moment, by which a write is recognised."""
    return replace(update, changes={**update.changes, "updatedAt": timestamp(clock.now())})


def _is_made(write: Callable[[], Reply], is_own: Callable[[], bool]) -> bool:
    """Whether a write was made, by its answered try or by one without an answer.

    Nobody else counts what an unanswered write has changed: its repetition finds it done.

    Args:
        write: the write.
        is_own: whether the stored item is as this write left it.

    Raises:
        AwsBusyError: DynamoDB did not answer, and the write was not made.
    """
    try:
        reply = write()
    except AwsBusyError:
        with suppress(AwsRefusedError, UnreadableRecordError):
            if is_own():
                return True
        raise
    return reply is Reply.MADE or (reply is Reply.REFUSED_AGAIN and is_own())


def _is_from(update: Update, record: Record, stored: Record | None) -> bool:
    """Whether a stored record is as this write of `record` left it, and not another one."""
    if stored is None or stored.execution_arn != record.execution_arn:
        return False
    last = update.changes.get("lastOutcome", record.last_outcome)
    return (stored.updated_at, stored.last_outcome) == (update.changes["updatedAt"], last)


def _is_at(stored: Record, record: Record) -> bool:
    """Whether a stored record is open, and of the same attempt as another."""
    return stored.is_open and stored.attempt == record.attempt
