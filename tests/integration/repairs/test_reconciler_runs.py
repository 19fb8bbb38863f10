from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.errors import AwsBusyError
from core.flow import Flow
from core.record import Status
from ecs_events import reconciliation
from tests.integration.aws import error, throttled

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
    monkeypatch.setattr("adapters.clock.sleep", pauses.append)
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
    """The reconciler's work is counted, returned, and logged in one line."""
    scene.running()
    scene.running(Flow.POLLING)
    scene.begin()
    scene.ended(Flow.DYNAMODB, 0)
    scene.ended(Flow.EVENTBRIDGE, 3)
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
    """A run that has no time for another record leaves the rest to the next one, and says so."""
    unknown(scene, 150)
    looks = [240_000] * (1 + 100 + 60)
    assert scene.reconcile(*looks, 59_000) == {
        "missing: first look": 60,
        "left for the next run": 1,
    }
    assert len(set(executions.asked)) == 60


@pytest.mark.usefixtures("executions")
def test_no_time_to_read(aws: Aws, scene: Scene) -> None:
    """A run does not read records that it has no time for."""
    unknown(scene, 5)
    assert scene.reconcile(240_000, 240_000, 240_000, 59_000) == {"left for the next run": 1}
    assert len(aws.calls["GetItem"]) == 2


@pytest.mark.usefixtures("executions")
def test_counts_of_a_run_that_breaks_off(aws: Aws, scene: Scene, lines: Lines) -> None:
    """Repairs are counted although the run could not list the tasks that may be orphans."""
    scene.ended(Flow.EVENTBRIDGE, 3)
    aws.answer_with("ecs.ListTasks", *throttled(1))
    with pytest.raises(AwsBusyError):
        scene.reconcile()
    [line] = [vars(line) for line in lines.records if line.getMessage() == "Reconciled"]
    assert line["done"] == {"callback failed": 1}


def test_never_time_enough(
    scene: Scene, executions: Executions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each record has its turn in one of the runs, although no run has time for all."""
    monkeypatch.setattr(reconciliation, "_BATCH", 4)
    records = [scene.running() for _ in range(8)]
    # By chance, a half has its turn at each run.
    looks = [240_000] * (1 + 4 + 4)
    for _ in range(30):
        scene.reconcile(*looks, 59_000)
    assert {record.execution_id for record in records} == set(executions.asked)


@pytest.mark.parametrize(
    "operation", ["lambda.GetDurableExecution", "ecs.ListTasks", "dynamodb.UpdateItem"]
)
@pytest.mark.usefixtures("executions")
def test_one_that_cannot_be_settled(aws: Aws, scene: Scene, lines: Lines, operation: str) -> None:
    """A record that cannot be settled is named in a warning, and the others are settled."""
    records = [scene.begin() for _ in range(3)]
    for record in records:
        scene.launch(record)
    aws.answer_with(operation, *throttled(1))
    assert scene.reconcile() == {"adopted": 2, "not settled": 1}
    [warning] = [vars(line) for line in lines.records if line.getMessage() == "Not settled"]
    assert warning["executionId"] in {record.execution_id for record in records}
    assert scene.reconcile() == {"adopted": 1, "running": 2}


@pytest.mark.usefixtures("executions")
def test_one_that_cannot_be_read(aws: Aws, scene: Scene) -> None:
    """A record whose read fails does not keep the others waiting."""
    for _ in range(3):
        scene.running()
    aws.answer_with("dynamodb.GetItem", *throttled(1))
    assert scene.reconcile() == {"running": 2, "not settled": 1}


# Attributes that nobody can make sense of, and the state of the task that they are read for.
SPOILT: dict[str, tuple[Any, str]] = {
    "attempt": ("many", "running"),
    "job": ({"container": "worker"}, "running"),
    "flow": (None, "running"),
    "deadline": ("tomorrow", "running"),
    "callbackId": (None, "ended"),
    "lastOutcome": ({"kind": 7}, "ended"),
}


@pytest.mark.parametrize("name", SPOILT)
@pytest.mark.usefixtures("executions")
def test_one_that_makes_no_sense(scene: Scene, lines: Lines, name: str) -> None:
    """A record that somebody has spoilt is named in a warning at each run, and harms no other."""
    value, task = SPOILT[name]
    spoilt = scene.running() if task == "running" else scene.ended(Flow.EVENTBRIDGE, 0)
    scene.put(spoilt, **{name: value})
    scene.running()
    for _ in range(3):
        assert scene.reconcile() == {"running": 1, "not settled": 1}
    warned = [vars(line) for line in lines.records if line.getMessage() == "Not settled"]
    assert [line["executionId"] for line in warned] == [spoilt.execution_id] * 3


@pytest.mark.usefixtures("executions")
def test_one_that_ecs_refuses(aws: Aws, scene: Scene, lines: Lines) -> None:
    """A record with a malformed ARN, for which ECS refuses a whole batch, harms no other."""
    spoilt = scene.running(task_arn="none")
    scene.put(spoilt, taskArn="none")
    for _ in range(2):
        scene.running()

    refusal = error("InvalidParameterException", "taskId is invalid")
    aws.answer(
        "ecs.DescribeTasks", lambda params, **_: refusal if b'"none"' in params["body"] else None
    )
    done = scene.reconcile()
    assert (done["running"], done["not settled"]) == (2, 1)
    [warned] = [vars(line) for line in lines.records if line.getMessage() == "Not settled"]
    assert warned["executionId"] == spoilt.execution_id
    assert len(aws.calls["DescribeTasks"]) >= 4


def test_busy_batch(aws: Aws, scene: Scene, executions: Executions, lines: Lines) -> None:
    """Tasks that ECS is too busy to show are left for the next run, and orphans are stopped."""
    records = [scene.ended(Flow.EVENTBRIDGE, 0) for _ in range(2)]
    orphan = scene.launch(scene.begin(status=Status.FAILED, is_open=False))
    aws.answer_with("ecs.DescribeTasks", *throttled(1))
    assert scene.reconcile() == {"not settled": 2, "stopped: orphan": 1}
    assert scene.stops() == [orphan]
    warned = [vars(line) for line in lines.records if line.getMessage() == "Not settled"]
    assert {line["executionId"] for line in warned} == {r.execution_id for r in records}
    scene.reconcile()
    assert all(executions.answer(record).outcome.succeeded for record in records)


@pytest.mark.parametrize("operation", ["dynamodb.Query", "ecs.ListTasks"])
def test_no_list(aws: Aws, scene: Scene, executions: Executions, operation: str) -> None:
    """A list that cannot be read is an error, which the next run recovers from."""
    record = scene.ended(Flow.EVENTBRIDGE, 0)
    aws.answer_with(operation, *throttled(1))
    with pytest.raises(AwsBusyError):
        scene.reconcile()
    scene.reconcile()
    assert executions.answer(record).outcome.succeeded


def test_all_that_is_open(scene: Scene, executions: Executions) -> None:
    """No record stays open after two runs past all graces, once its execution is over."""
    records = [scene.begin(flow) for flow in Flow] + [scene.running(flow) for flow in Flow]
    records += [scene.ended(flow, code) for flow in Flow for code in (0, 3)]
    for record in records:
        executions.set(record, "STOPPED")
    scene.reconcile()
    scene.reconcile()
    assert list(scene.records.open()) == []
    assert all(scene.outcome(task) for task in scene.aws.tasks())
