from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.flow import Flow
from core.outcome import FailedToStart, TimedOut
from core.record import Status
from local.ecs.state import TaskState
from orchestrator import eventbridge
from tests.integration.attempts import SUCCESS
from tests.integration.aws import PromptTask, throttled
from tests.integration.repairs.scene import LATER
from tests.values import as_ecs_tells

if TYPE_CHECKING:
    from tests.integration.attempts import Attempts
    from tests.integration.aws import Aws
    from tests.integration.conftest import Start
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene

EACH_FLOW = pytest.mark.parametrize("flow", Flow)
STOPPED = {"stopped: not started": 1}
# Part of an hour that each task has waited.
LIMIT = 1_800


@EACH_FLOW
def test_never_started(aws: Aws, scene: Scene, executions: Executions, flow: Flow) -> None:
    """A task that does not start is stopped, and its end is reported as a start that failed."""
    record = scene.starting(flow, LIMIT)
    if flow is Flow.DYNAMODB:
        executions.set(record, "SUCCEEDED")
    assert scene.reconcile() == STOPPED
    assert scene.stored(record) == record
    outcome = scene.outcome(record.task_arn)
    assert isinstance(outcome, FailedToStart)
    assert outcome.transient
    assert f"had not started {LIMIT} s after ECS took the task" in outcome.detail
    aws.report(record.task_arn)
    if flow.has_callback:
        assert as_ecs_tells(executions.answer(record).outcome) == outcome
    found = scene.stored(record)
    assert (found.last_outcome or {})["kind"] == "FailedToStart"
    assert found.is_open is flow.is_awaited
    assert found.status is (Status.RUNNING if flow.is_awaited else Status.FAILED)


@EACH_FLOW
@pytest.mark.parametrize("seconds", [3_600 - 60, 3_600 + 60, None], ids=["grace", "time", "none"])
@pytest.mark.usefixtures("executions")
def test_start_with_time_left(scene: Scene, flow: Flow, seconds: int | None) -> None:
    """A start is left alone in its time and two minutes more, and where a record sets no limit."""
    record = scene.starting(flow, seconds)
    assert scene.reconcile() == {"running": 1}
    assert scene.stored(record) == record
    assert scene.stops() == []


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_started_late(scene: Scene, flow: Flow) -> None:
    """A task that runs is left alone, however late it started."""
    record = scene.starting(flow, LIMIT)
    scene.aws.task(record.task_arn).advance("RUNNING")
    assert scene.reconcile() == {"running": 1}
    assert scene.stops() == []


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_started_at_the_last_moment(aws: Aws, scene: Scene, flow: Flow) -> None:
    """A task that started while it was stopped has timed out: its work is not repeated."""
    record = scene.starting(flow, LIMIT)
    aws.at("ecs.StopTask", lambda: aws.task().advance("RUNNING"))
    assert scene.reconcile() == STOPPED
    aws.report(record.task_arn)
    assert (scene.stored(record).last_outcome or {})["kind"] == "TimedOut"


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_stop_that_is_throttled(aws: Aws, scene: Scene, flow: Flow) -> None:
    """A start that ECS was too busy to stop is stopped by the next run."""
    record = scene.starting(flow, LIMIT)
    aws.answer_with("ecs.StopTask", *throttled(1))
    assert scene.reconcile() == {"not settled": 1}
    assert scene.stored(record) == record
    assert scene.reconcile() == STOPPED
    assert isinstance(scene.outcome(record.task_arn), FailedToStart)


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_stop_that_takes_time(scene: Scene, monkeypatch: pytest.MonkeyPatch, flow: Flow) -> None:
    """A start that was stopped, by a run that died perhaps, is not stopped again."""
    monkeypatch.setattr(PromptTask, "stop", TaskState.stop)
    record = scene.starting(flow, LIMIT)
    assert scene.reconcile() == STOPPED
    scene.pass_time(LATER)
    assert scene.reconcile() == {"running": 1}
    assert scene.stops() == [record.task_arn]


def test_next_attempt(aws: Aws, scene: Scene, durable: Start, attempts: Attempts) -> None:
    """An execution whose task did not start in its time starts another."""
    execution = durable(eventbridge.handler, {"startTimeoutSeconds": 60})
    first = attempts.task(1)
    scene.pass_time(LATER)
    assert scene.reconcile() == STOPPED
    assert aws.report(first) == {"done": "callback failed"}
    second = attempts.end(2, SUCCESS)
    result = execution.result()
    assert (result["attempt"], result["taskArn"]) == (2, second)
    assert [entry["kind"] for entry in aws.record().attempts] == ["FailedToStart", "Succeeded"]


def test_no_next_attempt(aws: Aws, scene: Scene, durable: Start, attempts: Attempts) -> None:
    """An execution whose task started at the last moment starts no other."""
    aws.at("ecs.StopTask", lambda: aws.task().advance("RUNNING"))
    execution = durable(eventbridge.handler, {"startTimeoutSeconds": 60})
    first = attempts.task(1)
    scene.pass_time(LATER)
    assert scene.reconcile() == STOPPED
    aws.report(first)
    _, data = execution.error()
    assert (data["kind"], data["attempt"]) == (TimedOut.__name__, 1)
    assert "had not started 60 s after" in data["detail"]
    assert len(attempts.run_task_calls()) == 1
