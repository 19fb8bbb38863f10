"""The record: one item per execution, fenced by attempt.

`status` is for people; `open` is for machines: it is there from creation until nothing more can
happen to the execution or its task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from core import reported
from core.capacity import LaunchCapacity  # noqa: TC001 - msgspec reads the fields' types
from core.data import is_result_of
from core.flow import Flow
from core.job import Job
from core.outcome import Missing, from_dict

if TYPE_CHECKING:
    from core.outcome import Outcome

# The fields in which two reports of one end agree, whoever learned it and when.
SAME_END = ("kind", "taskArn", "detail")
OPEN = "OPEN"
OPEN_INDEX = "open-index"


class Status(StrEnum):
    """The state of the work, for people."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    BACKOFF = "BACKOFF"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


ENDED = frozenset({Status.COMPLETED, Status.FAILED})

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.RUNNING, Status.BACKOFF, *ENDED}),
    Status.RUNNING: frozenset({Status.BACKOFF, *ENDED}),
    # COMPLETED follows where a container has written BACKOFF over its own status.
    Status.BACKOFF: frozenset({Status.PENDING, *ENDED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
}


def barriers(flow: Flow, target: Status) -> list[Status]:
    """Return the statuses of an open record from which `target` may not be entered.

    In a flow whose worker reports its end, the status is that report, and the record stays open. In
    the other flows no status bars a write, for any worker may write it: attempt, launch and task
    fence the writes.
    """
    if not flow.worker_reports_end:
        return []
    return [
        status for status in Status if status is not target and target not in TRANSITIONS[status]
    ]


def _is_believed(flow: Flow, status: Status) -> bool:
    """Whether an open record's status is believed: an end only where the worker reports it."""
    return flow.worker_reports_end or status not in ENDED


class UnreadableRecordError(Exception):
    """A column that only the stack can write holds a value that the stack does not write.

    Attributes:
        execution_id: its key.
        execution_arn: ARN of its execution; None where it names none, for example where a worker
            made the item up.
        is_open: whether something can still happen to it.
        attempt: number of its attempt; 1 where it names none.
    """

    def __init__(self, item: Mapping[str, Any], reason: str) -> None:
        self.execution_id, arn = str(item["executionId"]), item.get("executionArn")
        self.execution_arn = arn if isinstance(arn, str) else None
        self.is_open = "open" in item
        attempt = _whole(item.get("attempt"))
        self.attempt = attempt if isinstance(attempt, int) and attempt > 0 else 1
        super().__init__(f"The record {self.execution_id!r} cannot be read: {reason}")


class UnknownFlowError(UnreadableRecordError):
    """The flow of a record is one that only another version of the stack knows."""


class Standing(StrEnum):
    """The meaning of a task's news for a record."""

    CURRENT = "current"
    STALE_ATTEMPT = "stale attempt"
    OTHER_TASK = "other task"
    CLOSED = "record closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as stored; None where an attribute is absent.

    Attributes:
        launch: number of the attempt's RunTask request, from 1; 0 between two attempts.
        capacity: the capacity that this launch asks for; between two attempts, that of the last.
        job: what runs, the same in each attempt.
        ticket: the attempt's ticket, a condition of its worker's writes; absent where the stack
            takes none.
        result: the container's result, as JSON text.
        result_uri: the S3 address that the container names for its result, below its attempt's own
            prefix.
        stray_uri: the address that it names instead, if that is not below the prefix.
        progress: the worker's last report, see `core.reported.progress`.
        last_outcome: the last ended task's outcome in `Outcome.to_dict` form.
        error: why the execution failed: kind, summary, detail, exitCode, advice, taskArn, attempt
            and the evidence; in an open record, its worker's words.
        begun_at: when the current attempt began, ISO 8601 UTC; its launches share it.
        deadline: when the current attempt is overdue, ISO 8601 UTC; its launches share it.
        heartbeat_seconds: how long its worker may report no progress; absent for no limit.
        start_timeout_seconds: how long a container may take to begin, from ECS's `createdAt`;
            absent in a record of a version that sets no limit.
        attempts: those that have ended, oldest first; see `core.attempts`.
        missing_since: when ECS was first found not to know the task, ISO 8601 UTC.
        expires_at: when DynamoDB may delete the item, epoch seconds; set at the close.
    """

    execution_id: str
    execution_arn: str
    flow: Flow
    status: Status
    is_open: bool
    attempt: int
    launch: int
    job: Job
    begun_at: str
    deadline: str
    created_at: str
    updated_at: str
    capacity: LaunchCapacity | None = None
    start_timeout_seconds: int | None = None
    heartbeat_seconds: int | None = None
    task_arn: str | None = None
    callback_id: str | None = None
    trace_header: str | None = None
    ticket: str | None = None
    result: str | None = None
    result_uri: str | None = None
    stray_uri: str | None = None
    progress: Mapping[str, Any] | None = None
    last_outcome: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    attempts: tuple[Mapping[str, Any], ...] = ()
    missing_since: str | None = None
    expires_at: int | None = None

    @property
    def is_backing_off(self) -> bool:
        """Whether its attempt has not begun; `status` says so too, but workers may write that."""
        return self.launch == 0

    @property
    def is_handed_over(self) -> bool:
        """Whether the container has written a result, or the address of one."""
        return (self.result, self.result_uri, self.stray_uri) != (None, None, None)

    def standing(self, attempt: int, task_arn: str) -> Standing:
        """Judge news of the task `task_arn` that claims to be `attempt` of this execution.

        A record without a task ARN takes any: its task may end before RunTask's answer arrived.
        """
        if attempt != self.attempt:
            return Standing.STALE_ATTEMPT
        if self.task_arn not in (None, task_arn):
            return Standing.OTHER_TASK
        return Standing.CURRENT if self.is_open else Standing.CLOSED

    def end_of(self, task_arn: str | None) -> Outcome | None:
        """Return the end that was reported for a task; None without one, or for another task's."""
        last = self.last_outcome
        outcome = from_dict(last) if last else None
        return outcome if outcome and outcome.task_arn == task_arn else None

    def says(self, end: Outcome) -> bool:
        """Whether the record holds this end, whoever learned it."""
        last, told = self.last_outcome or {}, end.to_dict()
        return all(name in last and last[name] == told[name] for name in SAME_END)

    def knows(self, end: Outcome) -> bool:
        """Whether this end of its task, or one that stands for it, was reported already."""
        known = self.end_of(end.task_arn)
        if not self.flow.has_callback and isinstance(known, Missing):
            # A stored Missing wakes nobody here; an outcome that ECS learns later replaces it.
            return isinstance(end, Missing)
        return known is not None

    def to_item(self) -> dict[str, Any]:
        """Return the item's attributes as plain values, without absent ones."""
        item = {name: getattr(self, field) for field, name in _ATTRIBUTES.items()}
        item |= {"open": OPEN if self.is_open else None, "job": self.job.to_dict()}
        return {name: value for name, value in item.items() if value not in (None, ())}

    @classmethod
    def from_item(cls, item: Mapping[str, Any], bucket: str = "") -> Record:
        """Read an item's plain values; columns that workers may write can hold any value.

        Args:
            item: the values by column.
            bucket: the data bucket; an address in another bucket is no attempt's own.

        Raises:
            UnknownFlowError: the flow is another version's.
            UnreadableRecordError: another column holds a value that the stack does not write.
        """
        flow = item.get("flow")
        if isinstance(flow, str) and flow not in list(Flow):
            raise UnknownFlowError(item, f"only another version knows the flow {flow!r}")
        fields = {field: _whole(item.get(name)) for field, name in _ATTRIBUTES.items()}
        fields["attempts"] = _entries(item.get("attempts"))
        try:
            fields |= {**_reported(item, Flow(item["flow"]), bucket), "is_open": "open" in item}
            fields["job"] = Job.from_dict(fields["job"])
            record = msgspec.convert(fields, cls)
            _check(record)
        except (msgspec.ValidationError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UnreadableRecordError(item, f"{type(error).__name__}: {error}") from error
        return record


_ATTRIBUTES: Mapping[str, str] = {
    "execution_id": "executionId",
    "execution_arn": "executionArn",
    "flow": "flow",
    "status": "status",
    "attempt": "attempt",
    "launch": "launch",
    "capacity": "capacity",
    "job": "job",
    "begun_at": "begunAt",
    "deadline": "deadline",
    "start_timeout_seconds": "startTimeoutSeconds",
    "heartbeat_seconds": "heartbeatSeconds",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "task_arn": "taskArn",
    "callback_id": "callbackId",
    "trace_header": "traceHeader",
    "ticket": "ticket",
    "result": "result",
    "result_uri": "resultUri",
    "progress": "progress",
    "last_outcome": "lastOutcome",
    "error": "error",
    "attempts": "attempts",
    "missing_since": "missingSince",
    "expires_at": "expiresAt",
}


def _reported(item: Mapping[str, Any], flow: Flow, bucket: str) -> dict[str, Any]:
    """Read the columns that workers may write, as far as the record's flow takes them."""
    error = item.get("error")
    if "open" in item:
        # Only a worker can have written the error of an open record.
        error = reported.words(error) if flow.worker_reports_end and "error" in item else None
    elif error is not None and not isinstance(error, Mapping):
        error = reported.words(error)
    ticket = reported.ticket(item.get("ticket"))
    read = {"status": _status(item, flow), "error": error, "ticket": ticket}
    if not flow.takes_result:
        return {**read, "result": None, "result_uri": None, "progress": None}
    uri = reported.uri(item.get("resultUri"))
    is_own = uri is not None and _is_own(item, uri, bucket, ticket)
    return {
        **read,
        "result": reported.text(item.get("result")),
        "result_uri": uri if is_own else None,
        "stray_uri": None if is_own else uri,
        "progress": reported.progress(item.get("progress")),
    }


def _is_own(item: Mapping[str, Any], uri: str, bucket: str, ticket: str | None) -> bool:
    """Whether an address is below the prefix that the present attempt's container got."""
    if ticket is None and "open" in item:
        # The container of an attempt without a ticket got no prefix.
        return False
    return is_result_of(uri, bucket, item["executionId"], _whole(item["attempt"]), ticket)


def _status(item: Mapping[str, Any], flow: Flow) -> Status:
    """Return where the work stands, whatever a container has written over it."""
    if item.get("status") not in list(Status):
        return Status.RUNNING
    status = Status(item["status"])
    is_believed = "open" not in item or _is_believed(flow, status)
    return status if is_believed else Status.RUNNING


def _entries(value: object) -> list[dict[str, Any]]:
    """Return the entries of attempts, whichever version wrote them."""
    found = value if isinstance(value, (list, tuple)) else ()
    maps = (entry for entry in found if isinstance(entry, Mapping))
    return [{str(name): _whole(fact) for name, fact in entry.items()} for entry in maps]


def _whole(value: object) -> object:
    """Return DynamoDB's whole numbers as Python's, those of a map or a list too."""
    if isinstance(value, Mapping):
        return {name: _whole(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_whole(part) for part in value]
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value


def _check(record: Record) -> None:
    """Raise an error for values of the right type that the stack does not write."""
    moments = (record.begun_at, record.deadline, record.created_at, record.updated_at)
    for moment in (*moments, record.missing_since):
        if moment is not None and datetime.fromisoformat(moment).tzinfo is None:
            raise ValueError(f"{moment} has no time zone")
    record.end_of(None)
    is_waited_for = record.flow.has_callback and record.is_open
    if is_waited_for and not record.is_backing_off and not record.callback_id:
        raise ValueError("callbackId is missing")
