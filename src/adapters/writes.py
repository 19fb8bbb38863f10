"""The records' writes: what they ask for, and what they say of an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from core.record import barriers
from core.reported import reworded

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase

    from core.evidence import Evidence
    from core.outcome import Outcome
    from core.record import Record, Status

_ERROR_FIELDS = ("kind", "summary", "detail", "exitCode", "advice", "taskArn")


def ours_of(record: Record, task_arn: str | None) -> ConditionBase:
    """Ask that a record is still of this execution and attempt, and of no other task."""
    same_attempt = Attr("executionArn").eq(record.execution_arn) & Attr("attempt").eq(
        record.attempt
    )
    if task_arn is None:
        return same_attempt
    return same_attempt & (Attr("taskArn").not_exists() | Attr("taskArn").eq(task_arn))


def open_to(record: Record, status: Status) -> ConditionBase:
    """Ask that a record is open, and where `status` may follow."""
    barred = barriers(record.flow, status)
    is_open = Attr("open").exists()
    return is_open & ~Attr("status").is_in(barred) if barred else is_open


def ended(outcome: Outcome) -> dict[str, Any]:
    """Return what a record says of the end of its task."""
    changes: dict[str, Any] = {"lastOutcome": outcome.to_dict()}
    return changes | ({"taskArn": outcome.task_arn} if outcome.task_arn else {})


def error_of(record: Record, outcome: Outcome, evidence: Evidence | None) -> dict[str, Any]:
    """Return why an execution failed, as its record says it: in its worker's words, if any."""
    fields = outcome.to_dict()
    error = {name: fields[name] for name in _ERROR_FIELDS} | {"attempt": record.attempt}
    return reworded(error, record.error) | (evidence.to_dict() if evidence else {})
