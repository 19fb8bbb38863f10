from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.record import Status
from orchestrator import dynamodb
from tests.field import CASES, Case
from tests.integration.repairs.scene import LATER

if TYPE_CHECKING:
    from tests.integration.aws import Aws
    from tests.integration.conftest import Start
    from tests.integration.repairs.scene import Scene


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_lost_events(aws: Aws, scene: Scene, durable: Start, case: Case) -> None:
    """A record whose task's events were all lost is closed as the task ended, its result kept."""
    durable(dynamodb.handler, {}).result()
    if case.succeeded:
        aws.rewrite("SET #result = :result", result='{"answer": 42}')
    scene.pass_time(-LATER)
    aws.task().come_to(case.task)
    aws.task().advance("STOPPED")
    scene.pass_time(LATER)
    status = Status.COMPLETED if case.succeeded else Status.FAILED
    assert scene.reconcile() == {f"record closed {status}": 1}
    record = aws.record()
    assert (record.status, record.is_open) == (status, False)
    assert (record.last_outcome or {})["kind"] == case.kind
    if case.succeeded:
        assert record.result == '{"answer": 42}'
    else:
        error = record.error or {}
        assert [word for word in case.names if word not in error["advice"]] == []
