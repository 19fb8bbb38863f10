"""What all share that close a record without its execution: how, and what is told of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters import executions
from adapters.logs import evidence
from adapters.records import RecordFullError
from adapters.telemetry import logger
from core.outcome import ApplicationFailed, from_dict, reclassified
from core.record import Status
from core.reported import reworded
from core.write import Write

if TYPE_CHECKING:
    from adapters.records import Records
    from adapters.settings import Settings
    from core.evidence import Evidence
    from core.outcome import Outcome
    from core.record import Record


class NotSettledError(Exception):
    """An end cannot be finished yet: its event has to come again."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The close of an open record; whoever closes it as failed tells so, in one line.

    Attributes:
        record: open, and read consistently.
        is_told: whether the execution has told of its failure already.
    """

    settings: Settings
    records: Records
    record: Record
    is_told: bool = False

    def close(self, status: Status, outcome: Outcome) -> Write:
        """Close the record as COMPLETED or FAILED.

        Raises:
            AwsBusyError, AwsRefusedError: the record could not be written.
        """
        found = (
            evidence(self.settings, self.record.job, outcome) if status is Status.FAILED else None
        )
        try:
            write = self.records.close(self.record, status, outcome, found)
        except RecordFullError as error:
            # Where an execution has waited, it has taken the result, or had no use for one.
            if status is Status.COMPLETED and not self.record.flow.is_awaited:
                status = Status.FAILED
                if outcome.succeeded:
                    outcome = reclassified(outcome, ApplicationFailed, str(error))
                found = evidence(self.settings, self.record.job, outcome)
            write = self.records.close_without_result(self.record, status, outcome, found)
        if write is Write.WRITTEN and status is Status.FAILED and not self.is_told:
            self._tell(outcome, found)
        return write

    def _tell(self, outcome: Outcome, found: Evidence | None) -> None:
        record = self.record
        # A worker's own words, where it has left any, are the record's too.
        error = reworded({**outcome.to_dict(), "attempt": record.attempt}, record.error)
        error |= found.to_dict() if found else {}
        logger.error("Task failed", extra={"executionId": record.execution_id, "error": error})


def told_failure(record: Record) -> Outcome | None:
    """Return how a failed execution itself says that its task ended.

    Returns:
        None where it could not say: its own code had no part in its end.

    Raises:
        AwsBusyError, AwsRefusedError: Lambda did not answer.
    """
    data = executions.error_data(record.execution_arn)
    try:
        error = json.loads(data or "")
        # An error of the user's own may have a kind too.
        is_ours = error["executionId"] == record.execution_id
        told = from_dict(error)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return told if is_ours and not told.succeeded else None
