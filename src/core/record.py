"""The record: one item per execution, fenced by attempt.

`status` is for people; `open` is for machines: it is there from creation until nothing more can
happen to the execution or its task.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.outcome import from_dict

if TYPE_CHECKING:
    from core.outcome import Outcome

OPEN = "OPEN"
OPEN_INDEX = "open-index"


class Flow(StrEnum):
    """How an execution learns the end of its task."""

    POLLING = "polling"
    DYNAMODB = "dynamodb"
    EVENTBRIDGE = "eventbridge"


class Status(StrEnum):
    """Where the work stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    BACKOFF = "BACKOFF"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


ENDED = frozenset({Status.COMPLETED, Status.FAILED})

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.RUNNING, Status.BACKOFF, *ENDED}),
    Status.RUNNING: frozenset({Status.BACKOFF, *ENDED}),
    # What is completed here is one whose container has written BACKOFF over its own status.
    Status.BACKOFF: frozenset({Status.PENDING, *ENDED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
}


def barriers(flow: Flow, target: Status) -> list[Status]:
    """Return the statuses of an open record that `target` may not be entered from.

    In the DynamoDB flow the worker reports its end as the status of a record that stays open. In
    the others nothing that workers may write bars anything: attempt, launch and task fence them.
    """
    if flow is not Flow.DYNAMODB:
        return []
    return [
        status
        for status in Status
        if status is not target and target not in TRANSITIONS[status]
    ]


def _is_believed(flow: Flow, status: Status) -> bool:
    """Whether an open record can be where its status says: at an end only if its worker reports."""
    return flow is Flow.DYNAMODB or status not in ENDED


class Standing(StrEnum):
    """What a task's news means for a record."""

    CURRENT = "current"
    STALE_ATTEMPT = "stale attempt"
    OTHER_TASK = "other task"
    CLOSED = "record closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as stored; None where an attribute is absent.

    Attributes:
        launch: which RunTask request of the attempt, from 1; 0 between two attempts.
        result: what the container handed over, as JSON text.
        last_outcome: the last ended task's outcome in `Outcome.to_dict` form.
        error: why the execution failed: kind, summary, detail, exitCode, advice, taskArn, attempt
            and the evidence; a worker's own may hold less.
        deadline: when the current attempt is overdue, ISO 8601 UTC.
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
    message: str
    processing_time: int
    deadline: str
    created_at: str
    updated_at: str
    task_arn: str | None = None
    callback_id: str | None = None
    trace_header: str | None = None
    result: str | None = None
    last_outcome: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    missing_since: str | None = None
    expires_at: int | None = None

    @property
    def is_backing_off(self) -> bool:
        """Whether its attempt has not begun; `status` says so too, but workers may write that."""
        return self.launch == 0

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
        """Return the end that was reported for a task; None if none was, or only another task's."""
        last = self.last_outcome
        return from_dict(last) if last and last["taskArn"] == task_arn else None

    def to_item(self) -> dict[str, Any]:
        """The item's attributes as plain values, absent ones left out."""
        item = {name: getattr(self, field) for field, name in _ATTRIBUTES.items()}
        item["open"] = OPEN if self.is_open else None
        return {name: value for name, value in item.items() if value is not None}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Record:
        """Read an item's plain values."""
        fields: dict[str, Any] = {field: item.get(name) for field, name in _ATTRIBUTES.items()}
        for number in ("attempt", "launch", "processing_time", "expires_at"):
            if fields[number] is not None:
                fields[number] = int(fields[number])
        flow = Flow(item["flow"])
        fields |= {"flow": flow, "status": _status(item, flow)}
        error = _mapping(item["error"]) if "error" in item else None
        fields |= {"result": _text(item.get("result")), "error": error}
        fields["updated_at"] = _moment(item.get("updatedAt")) or item["createdAt"]
        return cls(**fields, is_open="open" in item)


_ATTRIBUTES: Mapping[str, str] = {
    "execution_id": "executionId",
    "execution_arn": "executionArn",
    "flow": "flow",
    "status": "status",
    "attempt": "attempt",
    "launch": "launch",
    "message": "message",
    "processing_time": "processingTime",
    "deadline": "deadline",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "task_arn": "taskArn",
    "callback_id": "callbackId",
    "trace_header": "traceHeader",
    "result": "result",
    "last_outcome": "lastOutcome",
    "error": "error",
    "missing_since": "missingSince",
    "expires_at": "expiresAt",
}


def _status(item: Mapping[str, Any], flow: Flow) -> Status:
    """Return where the work stands, whatever a container has written over it."""
    if item.get("status") not in list(Status):
        return Status.RUNNING
    status = Status(item["status"])
    return status if "open" not in item or _is_believed(flow, status) else Status.RUNNING


def _text(value: object) -> str | None:
    """Return a value as JSON text, of whatever DynamoDB type a container has stored it."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, set):
        return sorted(map(_plain, value), key=str)
    # boto3 wraps DynamoDB's binary values.
    binary = getattr(value, "value", value)
    return binary.decode(errors="replace") if isinstance(binary, bytes) else str(value)


def _mapping(error: object) -> Mapping[str, Any]:
    """Return an error as the record's other writers have it; a container may store just words."""
    if isinstance(error, Mapping):
        return error
    return {} if error is None else {"summary": _text(error)}


def _moment(value: object) -> str | None:
    """Return a moment with a time zone; None for whatever else a container has stored."""
    try:
        return str(value) if datetime.fromisoformat(str(value)).tzinfo else None
    except ValueError:
        return None
