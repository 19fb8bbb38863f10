from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from core.flow import Flow
from core.moment import timestamp
from core.record import Status
from tests.integration.aws import JOB, error, throttled
from tests.integration.repairs.scene import LATER

if TYPE_CHECKING:
    from tests.integration.aws import Aws
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene

EACH_FLOW = pytest.mark.parametrize("flow", Flow)
NOT_GONE = pytest.mark.parametrize("status", [None, "RUNNING", "PAUSED", "PAUSING", "DELETING"])


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_adopted(scene: Scene, flow: Flow) -> None:
    """A task whose launch was cut off is found by its `startedBy`, and followed from then on."""
    record = scene.begin(flow)
    task_arn = scene.launch(record)
    assert scene.reconcile() == {"adopted": 1}
    assert scene.stored(record) == replace(
        record, task_arn=task_arn, status=Status.RUNNING, updated_at=scene.stored(record).updated_at
    )
    assert scene.reconcile() == {"running": 1}


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_overdue_while_lambda_is_busy(aws: Aws, scene: Scene, flow: Flow) -> None:
    """A task that no record names is found and stopped after its deadline, whatever Lambda says."""
    overdue = timestamp(datetime.now(UTC) - LATER)
    task_arn = scene.launch(record := scene.begin(flow, deadline=overdue))
    aws.answer_with("lambda.GetDurableExecution", *throttled(2))
    assert scene.reconcile() == {"adopted": 1}
    assert scene.stored(record).task_arn == task_arn
    assert scene.reconcile() == {"stopped: overdue": 1}
    assert scene.stops() == [task_arn]


def test_adopted_after_its_end(scene: Scene, executions: Executions) -> None:
    """A task whose launch was cut off is found although it has ended, and its end is reported."""
    record = scene.begin()
    scene.end(scene.launch(record), 3)
    assert scene.reconcile() == {"adopted": 1}
    assert scene.reconcile() == {"callback failed": 1}
    assert executions.answer(record).outcome.exit_code == 3


def test_second_attempt_is_adopted(scene: Scene, executions: Executions) -> None:
    """A task of an earlier attempt is not taken for the present one's."""
    record = scene.begin(attempt=2)
    scene.end(scene.launch(record, attempt=1), 3)
    assert scene.reconcile() == {"no task": 1}
    task_arn = scene.launch(record)
    assert scene.reconcile() == {"adopted": 1}
    assert scene.stored(record).task_arn == task_arn
    assert not executions.answers


@EACH_FLOW
@NOT_GONE
def test_without_a_task(
    scene: Scene, executions: Executions, flow: Flow, status: str | None
) -> None:
    """A record without a task that can be found is left to its execution until that is over."""
    record = scene.begin(flow)
    executions.set(record, status)
    assert scene.reconcile() == {"no task": 1}
    assert scene.stored(record) == record


@pytest.mark.parametrize("written", [Status.PENDING, Status.COMPLETED])
def test_forgotten_before_it_was_recorded(
    scene: Scene, executions: Executions, written: Status
) -> None:
    """A record whose task was neither stored nor found again is closed too."""
    record = scene.begin(Flow.DYNAMODB, status=written)
    executions.set(record, "SUCCEEDED")
    assert scene.reconcile() == {"missing: first look": 1}
    assert scene.stored(record).is_open
    scene.pass_time(LATER)
    ended = Status.FAILED if written is Status.PENDING else written
    assert scene.reconcile() == {f"record closed {ended}": 1}
    stored = scene.stored(record)
    assert (stored.status, stored.is_open) == (ended, False)
    assert (stored.last_outcome or {})["kind"] == "Missing"


@pytest.mark.usefixtures("executions")
def test_stopped_tasks_are_not_listed(scene: Scene) -> None:
    """Tasks that run are found by `startedBy`, although ECS lists no stopped ones by it."""
    absent, present = scene.begin(), scene.begin()
    task_arn = scene.launch(present)
    refusal = error("InvalidParameterException", "startedBy must be the only filter")

    def refuse(params: dict[str, Any], **_: object) -> dict[str, Any] | None:
        asked = json.loads(params["body"])
        return refusal if {"startedBy", "desiredStatus"} <= asked.keys() else None

    scene.aws.answer("ecs.ListTasks", refuse)
    assert scene.reconcile() == {"adopted": 1, "no task": 1}
    assert scene.stored(present).task_arn == task_arn
    assert scene.stored(absent) == absent


@pytest.mark.usefixtures("executions")
def test_pace(aws: Aws, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reconciler pauses between two searches for tasks: ListTasks has a shared quota."""
    order: list[str] = []
    monkeypatch.setattr("adapters.clock.sleep", lambda _: order.append("pause"))
    aws.at("ecs.ListTasks", lambda: order.append("look"))
    for _ in range(3):
        scene.begin()
    assert scene.reconcile() == {"no task": 3}
    looks = "".join("p" if what == "pause" else "l" for what in order)
    assert looks.startswith("pll" * 3)


@EACH_FLOW
@NOT_GONE
def test_about_to_start(
    aws: Aws, scene: Scene, executions: Executions, flow: Flow, status: str | None
) -> None:
    """A launch that has just begun is left alone, and ECS is not asked for its task."""
    record = scene.begin(flow, updated_at=timestamp(datetime.now(UTC)))
    scene.launch(record)
    executions.set(record, status)
    assert scene.reconcile() == {"about to start": 1}
    assert scene.stored(record) == record
    assert [call for call in aws.calls["ListTasks"] if "startedBy" in call] == []


@pytest.mark.parametrize("flow", [Flow.POLLING, Flow.EVENTBRIDGE])
@NOT_GONE
def test_backing_off(scene: Scene, executions: Executions, flow: Flow, status: str | None) -> None:
    """A record between two attempts waits for its execution, however long."""
    record = scene.between(flow)
    executions.set(record, status)
    assert scene.reconcile() == {"about to start": 1}
    scene.pass_time(LATER)
    assert scene.reconcile() == {"about to start": 1}
    assert scene.stored(record).status is Status.BACKOFF


@pytest.mark.parametrize("flow", [Flow.POLLING, Flow.EVENTBRIDGE])
@pytest.mark.parametrize("was", [Status.PENDING, Status.BACKOFF])
def test_succeeded_without_a_task(
    scene: Scene, executions: Executions, flow: Flow, was: Status
) -> None:
    """A record whose execution succeeded without a task says that there was none."""
    record = scene.begin(flow) if was is Status.PENDING else scene.between(flow)
    executions.set(record, "SUCCEEDED")
    assert scene.reconcile() == {"missing: first look": 1}
    scene.pass_time(LATER)
    assert scene.reconcile() == {"closed: execution succeeded": 1}
    found = scene.stored(record)
    assert (found.status, found.is_open) == (Status.FAILED, False)
    assert (found.error or {})["kind"] == "Missing"
    assert not executions.answers


@EACH_FLOW
@pytest.mark.parametrize("status", ["FAILED", "STOPPED", "TIMED_OUT"])
@pytest.mark.parametrize("was", [Status.PENDING, Status.BACKOFF])
def test_execution_is_over(
    scene: Scene, executions: Executions, flow: Flow, status: str, was: Status
) -> None:
    """A record that can get no task any more is closed at once."""
    record = scene.begin(flow, status=was, updated_at=timestamp(datetime.now(UTC)))
    executions.set(record, status)
    assert scene.reconcile() == {f"abandoned: execution {status}": 1}
    found = scene.stored(record)
    assert (found.status, found.is_open) == (Status.FAILED, False)
    assert (found.error or {})["kind"] == "Cancelled"


@pytest.mark.usefixtures("executions")
def test_forged_task(scene: Scene) -> None:
    """A task of another family that bears our `startedBy` is not adopted; ours beside it is."""
    record = scene.begin()
    scene.forge(record)
    assert scene.reconcile() == {"no task": 1}
    task_arn = scene.launch(record)
    assert scene.reconcile() == {"adopted": 1}
    assert scene.stored(record).task_arn == task_arn


@pytest.mark.usefixtures("executions")
def test_family_of_the_job(scene: Scene) -> None:
    """A task is adopted if it is of the family that the record's own job names."""
    record = scene.begin(job=replace(JOB, family="foreign"))
    scene.launch(record)
    assert scene.reconcile() == {"no task": 1}
    task_arn = scene.forge(record)
    assert scene.reconcile() == {"adopted": 1}
    assert scene.stored(record).task_arn == task_arn
