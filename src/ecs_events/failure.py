"""What completion and abandonment share: telling a failure, and having it come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.telemetry import logger

if TYPE_CHECKING:
    from core.evidence import Evidence
    from core.outcome import Outcome
    from core.record import Record


class NotSettledError(Exception):
    """An end cannot be finished yet: its event has to come again."""


def log_failure(record: Record, outcome: Outcome, evidence: Evidence | None) -> None:
    """Log a failed task's cause and evidence, where no execution is left to do so."""
    left = evidence.to_dict() if evidence else {}
    error = {**outcome.to_dict(), "attempt": record.attempt, **left}
    logger.error("Task failed", extra={"executionId": record.execution_id, "error": error})
