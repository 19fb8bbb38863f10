from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from adapters.errors import AwsBusyError
from core.record import Flow, Status
from ecs_events import reconciliation
from tests.integration.aws import throttled
from tests.integration.repairs.scene import TABLE

if TYPE_CHECKING:
    from core.record import Record
    from tests.integration.aws import Aws
    from tests.integration.conftest import Lines
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene


def unknown(scene: Scene, count: int) -> list[Record]:
    """Store records whose tasks ECS does not know."""
    arn = "arn:aws:ecs:us-east-1:123456789012:task/c"
    return [
        scene.begin(task_arn=f"{arn}/{number}", status=Status.RUNNING) for number in range(count)
    ]


@pytest.mark.usefixtures("executions")
def test_batches(aws: Aws, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """DescribeTasks is asked for at most 100 tasks at a time, with a pause between two times."""
    pauses: list[float] = []
    monkeypatch.setattr(reconciliation.time, "sleep", pauses.append)
    unknown(scene, 205)
    assert scene.reconcile() == {"missing: first look": 205}
    assert [len(call["tasks"]) for call in aws.calls["DescribeTasks"]] == [100, 100, 5]
    assert len(pauses) >= 2


@pytest.mark.usefixtures("executions")
def test_nothing_to_do(aws: Aws, scene: Scene, lines: Lines) -> None:
    """A run that finds nothing open asks for no task, and says so in one line."""
    assert scene.reconcile() == {}
    assert "DescribeTasks" not in aws.calls
    assert lines.messages == ["Reconciled"]


@pytest.mark.usefixtures("executions")
def test_counts(scene: Scene, lines: Lines) -> None:
    """What was done is counted, returned, and logged in one line."""
    scene.running(), scene.running(Flow.POLLING), scene.begin()
    scene.ended(Flow.DYNAMODB, 0), scene.ended(Flow.EVENTBRIDGE, 3)
    expected = {
        "running": 2,
        "no task": 1,
        "record closed COMPLETED": 1,
        "callback failed": 1,
    }
    assert scene.reconcile() == expected
    [line] = [vars(line) for line in lines.records if line.getMessage() == "Reconciled"]
    assert line["done"] == expected


def test_no_time(scene: Scene, executions: Executions) -> None:
    """A run that has no time for another batch leaves the rest to the next one, and says so."""
    unknown(scene, 150)
    assert scene.reconcile(240_000, 59_000) == {"missing: first look": 100, "left for the next run": 1}
    assert len(set(executions.asked)) == 100


@pytest.mark.xfail(strict=True, reason="each run begins with the oldest records")
def test_never_time_enough(
    scene: Scene, executions: Executions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no run has time for all, each record still has its turn in one of them."""
    monkeypatch.setattr(reconciliation, "_BATCH", 4)
    records = [scene.running() for _ in range(8)]
    for _ in range(12):
        scene.reconcile(240_000, 59_000)
    assert {record.execution_id for record in records} == set(executions.asked)


@pytest.mark.parametrize(
    "operation", ["lambda.GetDurableExecution", "lambda.SendDurableExecutionCallbackSuccess"]
)
@pytest.mark.usefixtures("executions")
def test_one_that_cannot_be_settled(
    aws: Aws, scene: Scene, lines: Lines, operation: str
) -> None:
    """A record that cannot be settled is named in a warning, and the others are settled."""
    ...
