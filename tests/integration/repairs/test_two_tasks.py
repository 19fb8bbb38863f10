from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.flow import Flow
from core.record import Status

if TYPE_CHECKING:
    from tests.integration.aws import Aws
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene


@pytest.mark.parametrize("flow", [Flow.DYNAMODB, Flow.EVENTBRIDGE])
def test_same_version(aws: Aws, scene: Scene, executions: Executions, flow: Flow) -> None:
    """The ends of two tasks are both reported, although their events have the same version."""
    records = [scene.ended(flow, 0) for _ in range(2)]
    for record in records:
        aws.report(record.task_arn)
    assert [scene.stored(record).status for record in records] == [Status.COMPLETED] * 2
    assert len(executions.answers) == (2 if flow is Flow.EVENTBRIDGE else 0)
