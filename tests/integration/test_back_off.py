from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.records import Records
from core.outcome import SpotInterrupted
from core.record import Status
from core.write import Write
from tests.property.test_records import BUCKET, TABLE, new_record

if TYPE_CHECKING:
    from tests.integration.aws import Aws

TASK = "arn:task/one"


def test_back_off(aws: Aws) -> None:  # noqa: ARG001 - the tables
    """A back-off moves the record to the next attempt, and the last one's news changes nothing."""
    records, record = Records(TABLE, timedelta(days=30), BUCKET), new_record(attempt=1)
    records.create(record)
    assert records.started(record, TASK).holds
    assert records.back_off(record, SpotInterrupted(task_arn=TASK)) is Write.WRITTEN
    stored = records.get(record.execution_id)
    assert stored
    assert (stored.attempt, stored.launch, stored.status) == (2, 0, Status.BACKOFF)
    assert stored.task_arn is None
    assert records.started(record, TASK) is Write.MOVED_ON
