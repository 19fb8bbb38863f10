from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.correlation import Correlation
from core.flow import Flow
from core.outcome import Cancelled
from core.record import Status
from tests.integration.aws import CLUSTER, JOB, STACK, throttled

if TYPE_CHECKING:
    from core.record import Record
    from tests.integration.aws import Aws
    from tests.integration.repairs.scene import Scene

pytestmark = pytest.mark.usefixtures("executions")


def closed(scene: Scene, flow: Flow = Flow.EVENTBRIDGE) -> Record:
    """Store a closed record without a task."""
    return scene.begin(flow, status=Status.FAILED, is_open=False, expires_at=2_000_000_000)


@pytest.mark.parametrize("flow", Flow)
def test_closed_record(scene: Scene, flow: Flow) -> None:
    """A task whose record was closed without it is stopped as ours, and the record stays."""
    record = closed(scene, flow)
    task_arn = scene.launch(record)
    assert scene.reconcile() == {"stopped: orphan": 1}
    assert isinstance(scene.outcome(task_arn), Cancelled)
    assert scene.stored(record) == record
    assert scene.reconcile() == {}


def test_closed_record_of_the_task(scene: Scene) -> None:
    """A task that runs on although its own record was closed is stopped as an orphan."""
    record = scene.put(replace(scene.running(), is_open=False, status=Status.COMPLETED))
    assert scene.reconcile() == {"stopped: orphan": 1}
    assert scene.stops() == [record.task_arn]


def test_older_attempt(scene: Scene) -> None:
    """A task of an attempt that is over is stopped; the present attempt's goes on."""
    record = scene.running(attempt=2)
    orphan = scene.launch(record, attempt=1)
    assert scene.reconcile() == {"running": 1, "stopped: orphan": 1}
    assert scene.stops() == [orphan]
    assert scene.stored(record) == record


def test_second_task(scene: Scene) -> None:
    """A second task of the same attempt is stopped; the one that the record names goes on."""
    record = scene.running()
    orphan = scene.launch(record)
    assert scene.reconcile() == {"running": 1, "stopped: orphan": 1}
    assert scene.stops() == [orphan]


def test_task_between_runtask_and_record(scene: Scene) -> None:
    """A task whose ARN is still to be stored is not an orphan."""
    record = scene.begin()
    scene.launch(record)
    scene.reconcile()
    assert scene.stops() == []
    assert scene.stored(record).is_open


def test_left_alone(scene: Scene) -> None:
    """A task that is not certainly the stack's own is not touched."""
    record = closed(scene)
    name = Correlation(STACK, record.execution_id, 1).started_by
    scene.aws.run_task()
    scene.aws.run_task("ecs-svc/1234567890123456789")
    scene.aws.run_task(f"{name}/more")
    scene.aws.run_task(f"{STACK}/unknown/1")
    scene.launch(record, stack=f"{STACK}-two")
    scene.launch(record, stack=STACK.removesuffix("-demo"))
    scene.forge(record)
    assert scene.reconcile() == {}
    assert scene.stops() == []


def test_family_of_the_job(scene: Scene) -> None:
    """An orphan is of the family that its record's job names, whichever that is."""
    record = closed(scene)
    task_arn = scene.forge(scene.put(replace(record, job=replace(JOB, family="foreign"))))
    assert scene.reconcile() == {"stopped: orphan": 1}
    assert scene.stops() == [task_arn]


@pytest.mark.parametrize("is_open", [True, False])
def test_record_that_cannot_be_read(scene: Scene, *, is_open: bool) -> None:
    """A task whose record nobody can read is an orphan by its name, once that record is closed."""
    record = closed(scene)
    scene.put(record, job=None, open="OPEN" if is_open else None)
    tasks = {scene.launch(record), scene.forge(record)}
    scene.reconcile()
    assert set(scene.stops()) == (set() if is_open else tasks)


def test_many(aws: Aws, scene: Scene) -> None:
    """All orphans are stopped in one run, those that had ended before are not."""
    record = closed(scene)
    orphans = {scene.launch(record) for _ in range(5)}
    scene.end(scene.launch(record))
    assert scene.reconcile() == {"stopped: orphan": 5}
    assert set(scene.stops()) == orphans
    assert all(call["cluster"] == CLUSTER for call in aws.calls["ListTasks"])
    assert not any("family" in call for call in aws.calls["ListTasks"])


def test_one_that_cannot_be_stopped(aws: Aws, scene: Scene) -> None:
    """An orphan that cannot be stopped does not keep the others running."""
    record = closed(scene)
    for _ in range(3):
        scene.launch(record)
    aws.answer_with("ecs.StopTask", *throttled(1))
    assert scene.reconcile() == {"not settled": 1, "stopped: orphan": 2}
    assert scene.reconcile() == {"stopped: orphan": 1}


def test_no_time(scene: Scene) -> None:
    """Orphans that there is no time for are left for the next run."""
    record = closed(scene)
    for _ in range(3):
        scene.launch(record)
    assert scene.reconcile(240_000, 1_000) == {"stopped: orphan": 1, "left for the next run": 1}
    assert scene.reconcile() == {"stopped: orphan": 2}


def test_no_time_for_records(scene: Scene) -> None:
    """Orphans have their turn although there is no time for all records."""
    scene.running()
    scene.launch(closed(scene))
    assert scene.reconcile(60_000) == {"left for the next run": 1, "stopped: orphan": 1}
