from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from adapters import clock
from core.flow import Flow
from core.moment import timestamp
from core.outcome import TimedOut
from core.record import Status
from local.ecs.state import TaskState
from orchestrator import dynamodb, eventbridge
from tests.integration.aws import PromptTask, throttled
from tests.integration.repairs.scene import HOUR, LATER, MINUTE
from tests.values import as_ecs_tells

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.record import Record
    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Start
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene

TOLD = [flow for flow in Flow if flow.takes_result]
EACH_FLOW = pytest.mark.parametrize("flow", TOLD)
STOPPED = {"stopped: no progress": 1}
# Each task has run for an hour.
LIMIT = 600


def silent(scene: Scene, flow: Flow, ago: timedelta | None = None, **changes: Any) -> Record:
    """Store a record of a running task whose worker has reported so long ago; None for never."""
    told = None if ago is None else {"percent": 50, "at": timestamp(clock.now() - ago)}
    return scene.running(flow, **{"heartbeat_seconds": LIMIT, "progress": told, **changes})


@EACH_FLOW
@pytest.mark.parametrize("ago", [None, 15 * MINUTE, -15 * MINUTE], ids=["never", "once", "future"])
def test_silence(
    aws: Aws, scene: Scene, executions: Executions, flow: Flow, ago: timedelta | None
) -> None:
    """A task whose worker reports no progress is stopped, and has timed out."""
    record = silent(scene, flow, ago)
    if flow is Flow.DYNAMODB:
        executions.set(record, "SUCCEEDED")
    assert scene.reconcile() == STOPPED
    outcome = scene.outcome(record.task_arn)
    assert isinstance(outcome, TimedOut)
    assert f"no progress for {LIMIT} s" in outcome.detail
    aws.report(record.task_arn)
    found = scene.stored(record)
    assert (found.last_outcome or {})["kind"] == "TimedOut"
    if flow.has_callback:
        assert as_ecs_tells(executions.answer(record).outcome) == outcome
    else:
        assert (found.status, found.is_open) == (Status.FAILED, False)
        assert "heartbeatSeconds" in (found.error or {})["advice"]


@EACH_FLOW
@pytest.mark.parametrize(
    "ago", [timedelta(), 9 * MINUTE, 11 * MINUTE], ids=["now", "time", "grace"]
)
@pytest.mark.usefixtures("executions")
def test_report_in_time(scene: Scene, flow: Flow, ago: timedelta) -> None:
    """A task whose worker reports is left alone, in its time and two minutes more."""
    record = silent(scene, flow, ago)
    assert scene.reconcile() == {"running": 1}
    assert scene.stops() == []
    assert scene.stored(record) == record


@pytest.mark.parametrize("flow", Flow)
@pytest.mark.usefixtures("executions")
def test_no_limit(scene: Scene, flow: Flow) -> None:
    """A task of which nobody has asked for progress may be silent."""
    silent(scene, flow, HOUR, heartbeat_seconds=None)
    assert scene.reconcile() == {"running": 1}
    assert scene.stops() == []


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_task_that_has_not_started(scene: Scene, flow: Flow) -> None:
    """A task that has not started is not silent yet."""
    record = scene.starting(flow, None)
    scene.put(record, heartbeatSeconds=LIMIT)
    assert scene.reconcile() == {"running": 1}
    assert scene.stops() == []


@EACH_FLOW
def test_report_during_the_look(aws: Aws, scene: Scene, executions: Executions, flow: Flow) -> None:
    """A report that comes after the record was read, even just before the stop, counts."""
    record = silent(scene, flow)
    if flow is Flow.DYNAMODB:
        executions.set(record, "SUCCEEDED")
    report = {"percent": 50, "at": timestamp(clock.now())}
    aws.at("lambda.GetDurableExecution", lambda: scene.put(record, progress=report), after=True)
    assert scene.reconcile() == {"running": 1}
    assert scene.stops() == []


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_stop_that_is_throttled(aws: Aws, scene: Scene, flow: Flow) -> None:
    """A silent task that ECS was too busy to stop is stopped by the next run."""
    silent(scene, flow)
    aws.answer_with("ecs.StopTask", *throttled(1))
    assert scene.reconcile() == {"not settled": 1}
    assert scene.reconcile() == STOPPED


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_stop_that_takes_time(scene: Scene, monkeypatch: pytest.MonkeyPatch, flow: Flow) -> None:
    """A silent task that was stopped, by a run that died perhaps, is not stopped again."""
    monkeypatch.setattr(PromptTask, "stop", TaskState.stop)
    record = silent(scene, flow)
    assert scene.reconcile() == STOPPED
    scene.pass_time(LATER)
    assert scene.reconcile() == {"running": 1}
    assert scene.stops() == [record.task_arn]


def test_result_of_a_silent_worker(aws: Aws, scene: Scene, executions: Executions) -> None:
    """A silent task that had completed its work before it was stopped stays COMPLETED."""
    record = silent(scene, Flow.DYNAMODB, result='"done"')
    scene.put(record, status="COMPLETED", result='"done"')
    executions.set(record, "SUCCEEDED")
    assert scene.reconcile() == STOPPED
    assert aws.report(record.task_arn) == {"done": "record closed COMPLETED"}
    found = scene.stored(record)
    assert (found.status, found.result) == (Status.COMPLETED, '"done"')


@pytest.mark.parametrize("handler", [dynamodb.handler, eventbridge.handler], ids=["db", "eb"])
def test_execution(
    aws: Aws, scene: Scene, durable: Start, attempts: Attempts, handler: Callable[..., Any]
) -> None:
    """A payload's limit is kept from the first report on, and the execution tells why it ended."""
    execution = durable(handler, {"heartbeatSeconds": 300})
    task = attempts.task(1)
    if handler is dynamodb.handler:
        execution.result()
    assert aws.record().heartbeat_seconds == 300
    aws.task(task).advance("RUNNING")
    for percent in (10, 20):
        scene.pass_time(6 * MINUTE)
        told = {"percent": percent, "at": timestamp(clock.now())}
        aws.rewrite("SET #progress = :progress", progress=told)
        scene.pass_time(6 * MINUTE)
        assert scene.reconcile() == {"running": 1}
    scene.pass_time(MINUTE)
    assert scene.reconcile() == STOPPED
    aws.report(task)
    if handler is eventbridge.handler:
        _, failure = execution.error()
        assert (failure["kind"], failure["attempt"]) == ("TimedOut", 1)
        assert "no progress for 300 s" in failure["detail"]
    found = aws.record()
    assert (found.status, found.is_open) == (Status.FAILED, False)
    assert (found.error or {})["kind"] == "TimedOut"
    assert "no progress for 300 s" in (found.error or {})["detail"]
    assert scene.stops() == [task]
    assert len(attempts.run_task_calls()) == 1
