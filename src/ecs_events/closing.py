"""The close of a record by another function than its execution: its write and its log line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters import executions, observation
from adapters.logs import evidence
from adapters.table import RecordFullError
from adapters.telemetry import logger
from core.handover import told
from core.outcome import from_dict
from core.record import Status
from core.reported import reworded
from core.verdict import without_room
from core.write import Write

if TYPE_CHECKING:
    from adapters.records import Records
    from adapters.settings import Settings
    from core.evidence import Evidence
    from core.outcome import Outcome
    from core.record import Record
    from core.verdict import Verdict


class NotSettledError(Exception):
    """An end cannot be settled yet: its event has to be delivered again."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The close of an open record.

    Attributes:
        record: the open record, read consistently.
    """

    settings: Settings
    records: Records
    record: Record

    def close(self, judged: Verdict) -> Write:
        """Close the record, and log its failure in one line if no other function does.

        Raises:
            AwsBusyError, AwsRefusedError: the record could not be written.
        """
        found, outcome = self._evidence(judged), told(self.record, judged.outcome)
        try:
            write = self.records.close(
                self.record, judged.status, outcome, found, is_wanted=judged.is_wanted
            )
        except RecordFullError as error:
            judged = without_room(self.record, judged, str(error))
            outcome, found = judged.outcome, found or self._evidence(judged)
            write = self.records.close_without_result(
                self.record, judged.status, outcome, found, is_wanted=judged.is_wanted
            )
        if write is not Write.WRITTEN:
            return write
        if judged.is_logged:
            self._log(outcome, found)
        observation.trace_attempt(self.record, outcome)
        return write

    def _evidence(self, judged: Verdict) -> Evidence | None:
        if judged.status is not Status.FAILED:
            return None
        return evidence(self.settings, self.record.job, judged.outcome)

    def _log(self, outcome: Outcome, found: Evidence | None) -> None:
        record = self.record
        # The worker's own words, if there are any, replace ours, as in the record.
        error = reworded({**outcome.to_dict(), "attempt": record.attempt}, record.error)
        error |= found.to_dict() if found else {}
        logger.error("Task failed", extra={"executionId": record.execution_id, "error": error})


def reported_failure(record: Record) -> Outcome | None:
    """Return the outcome of its task that a failed execution itself reports.

    Returns:
        None where its own code had no part in its end.

    Raises:
        AwsBusyError, AwsRefusedError: Lambda did not answer.
    """
    data = executions.error_data(record.execution_arn)
    try:
        error = json.loads(data or "")
        # An error of the user's own handler may have a kind too.
        is_ours = error["executionId"] == record.execution_id
        reported = from_dict(error)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return reported if is_ours and not reported.succeeded else None
