"""Messages of the queue of failed executions, and which executions may have left them.

A message does not name its execution. Its `RequestID` may be the last part of the execution's ARN,
which AWS does not document. Otherwise executions with the same payload are listed: one of them may
have left the message.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from scripts.redrive.messages import attribute, sent, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Number of executions whose payloads are compared with a message's.
COMPARED = 10
_LONGEST_REASON = 300


class Letter(NamedTuple):
    """A message of the queue.

    Attributes:
        request_id: the invocation's id; "" if Lambda does not name it.
        reason: Lambda's reason for the message.
    """

    message_id: str
    payload: str
    request_id: str
    reason: str
    sent: datetime

    @classmethod
    def of(cls, message: dict[str, Any]) -> Letter:
        """Read a message with any content."""
        return cls(
            message["MessageId"],
            message["Body"],
            attribute(message, "RequestID"),
            attribute(message, "ErrorMessage"),
            sent(message),
        )


class Ended(NamedTuple):
    """An execution that has ended badly."""

    arn: str
    status: str
    at: datetime

    @classmethod
    def of(cls, execution: Mapping[str, Any]) -> Ended:
        """Read Lambda's description of an execution that is over."""
        arn, status = execution["DurableExecutionArn"], execution["Status"]
        return cls(arn, status, execution["EndTimestamp"])

    @property
    def id(self) -> str:
        """The last part of its ARN, which is the key of its record too."""
        return self.arn.rpartition("/")[2]


class Memory(Protocol):
    """Facts about executions that Lambda and the table remember."""

    def ended(self) -> Sequence[Ended]:
        """Return the executions that have ended badly, the newest of each function."""

    def of_record(self, execution_id: str) -> Ended | None:
        """Return the execution that has a record under this id."""

    def payload(self, execution: Ended) -> str | None:
        """Return an execution's payload; None if Lambda has forgotten it."""


class Finding(NamedTuple):
    """The executions that may have left a message.

    Attributes:
        is_sure: whether the only execution is the right one, by its id.
    """

    executions: Sequence[Ended]
    is_sure: bool = False


def find(letter: Letter, memory: Memory) -> Finding:
    """Return the execution with a message's id, else the executions with its payload."""
    by_id = {execution.id: execution for execution in memory.ended()}
    if named := by_id.get(letter.request_id) or memory.of_record(letter.request_id):
        return Finding([named], is_sure=True)
    nearest = sorted(by_id.values(), key=lambda execution: abs(execution.at - letter.sent))
    wanted = _read(letter.payload)
    return Finding([one for one in nearest[:COMPARED] if _read(memory.payload(one)) == wanted])


def line(letter: Letter, finding: Finding | None) -> str:
    """Return a message's line; `finding` is None if its executions cannot be looked up."""
    reason = shown(letter.reason)[:_LONGEST_REASON] or "Lambda gives no reason"
    return f"{letter.message_id} of {_iso(letter.sent)}: {_which(finding)}: {reason}"


def _which(finding: Finding | None) -> str:
    if finding is None:
        return "not looked up"
    found = [f"{one.arn} {one.status} at {_iso(one.at)}" for one in finding.executions]
    if finding.is_sure:
        return found[0]
    if found:
        return f"by its payload one of {len(found)}, or one that never began: {', '.join(found)}"
    return "no execution with its payload is known, it may never have begun"


def _read(payload: str | None) -> object:
    """Return a payload's JSON value; a text that is no JSON gives a value that equals no JSON."""
    try:
        return json.loads(payload or "")
    except (ValueError, RecursionError):
        return object() if payload is None else (payload,)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
