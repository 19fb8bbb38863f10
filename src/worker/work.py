"""The work itself: replace `work` with your own function."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.assignment import Assignment


def work(assignment: Assignment) -> object:
    """Do the work, and return a result: any JSON value.

    `assignment.input` is the payload's `input`, parsed. `report.progress(percent, message)`, from
    `worker`, writes into the record how far the work is. A result of more than 256,000 bytes goes
    to S3 by itself; files go below `assignment.result_uri`.

    An exception makes the container exit with code 1; its text is in the log, and in the DynamoDB
    flow the record's error. SIGTERM raises SystemExit in here: a `finally` has the task
    definition's stopTimeout to clean up.
    """
    # The demo's work takes as long as the payload says.
    time.sleep(assignment.processing_time)
    result = {
        "message": f"Processed: {assignment.message}",
        "processingTime": assignment.processing_time,
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return result if assignment.input is None else {**result, "input": assignment.input}
