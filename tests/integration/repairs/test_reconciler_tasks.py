from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from core.flow import Flow
from core.handover import IN_RESULT
from core.moment import timestamp
from core.outcome import ApplicationFailed, Cancelled, Missing, SpotInterrupted, TimedOut
from core.record import Record, Status
from core.write import Write
from ecs_events.closing import NotSettledError
from tests.integration.aws import PromptTask, error, throttled
from tests.integration.repairs.scene import HOUR, LATER, MINUTE

if TYPE_CHECKING:
    from datetime import timedelta

    from tests.integration.aws import Aws
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene

EACH_FLOW = pytest.mark.parametrize("flow", Flow)
ENDED_BADLY = pytest.mark.parametrize("status", ["FAILED", "STOPPED", "TIMED_OUT"])
NOT_GONE = pytest.mark.parametrize("status", [None, "RUNNING", "PAUSED", "PAUSING", "DELETING"])


def ago(span: timedelta) -> str:
    """Return a moment of the past as records keep it."""
    return timestamp(datetime.now(UTC) - span)


def forgotten(scene: Scene, flow: Flow = Flow.EVENTBRIDGE) -> Record:
    """Store an hour-old record whose task ECS does not know."""
    record = scene.running(flow)
    scene.aws.forget(record.task_arn)
    return record


@EACH_FLOW
@NOT_GONE
def test_running(scene: Scene, executions: Executions, flow: Flow, status: str | None) -> None:
    """A running task is left alone, also where its execution is unknown or pauses."""
    record = scene.running(flow)
    executions.set(record, status)
    assert scene.reconcile() == {"running": 1}
    assert scene.stored(record) == record
    assert scene.stops() == []


def test_fire_and_forget(scene: Scene, executions: Executions) -> None:
    """The DynamoDB flow's execution has succeeded long ago, while its task runs."""
    record = scene.running(Flow.DYNAMODB)
    executions.set(record, "SUCCEEDED")
    assert scene.reconcile() == {"running": 1}
    assert scene.stored(record) == record
    assert scene.stops() == []


@EACH_FLOW
@ENDED_BADLY
@pytest.mark.parametrize("stored", [True, False], ids=["stored", "by name"])
def test_ended_execution(
    scene: Scene, executions: Executions, flow: Flow, status: str, stored: bool
) -> None:  # fmt: skip
    """An execution that ended without a report leaves neither a task nor an open record."""
    record = scene.running(flow) if stored else scene.begin(flow)
    task_arn = record.task_arn or scene.launch(record)
    executions.set(record, status)
    assert scene.reconcile() == {f"abandoned: execution {status}": 1}
    assert isinstance(scene.outcome(task_arn), Cancelled)
    found = scene.stored(record)
    assert (found.status, found.is_open, found.task_arn) == (Status.FAILED, False, task_arn)
    assert (found.error or {})["detail"] == f"The execution is {status}"
    assert scene.reconcile() == {}


@EACH_FLOW
@ENDED_BADLY
def test_ended_execution_of_a_forgotten_task(
    scene: Scene, executions: Executions, flow: Flow, status: str
) -> None:
    """An execution that ended badly leaves no open record, even if ECS has forgotten its task."""
    record = forgotten(scene, flow)
    executions.set(record, status)
    scene.reconcile()
    assert (scene.stored(record).status, scene.stored(record).is_open) == (Status.FAILED, False)


def test_ended_execution_of_work_that_was_done(scene: Scene, executions: Executions) -> None:
    """Work that was done stays done, although its execution failed and its event was lost."""
    begun = scene.begin(Flow.DYNAMODB)
    scene.end(scene.launch(begun))
    record = scene.put(replace(begun, status=Status.COMPLETED, result='"done"'))
    executions.set(record, "FAILED")
    scene.reconcile()
    found = scene.stored(record)
    assert (found.status, found.is_open, found.result) == (Status.COMPLETED, False, '"done"')


@EACH_FLOW
def test_overdue(aws: Aws, scene: Scene, executions: Executions, flow: Flow) -> None:
    """A task past its deadline is stopped, and its end is reported as TimedOut."""
    record = scene.running(flow, deadline=ago(LATER))
    if flow is Flow.DYNAMODB:
        executions.set(record, "SUCCEEDED")
    assert scene.reconcile() == {"stopped: overdue": 1}
    assert isinstance(scene.outcome(record.task_arn), TimedOut)
    aws.report(record.task_arn)
    assert (scene.stored(record).last_outcome or {})["kind"] == "TimedOut"
    if flow is Flow.DYNAMODB:
        found = scene.stored(record)
        assert (found.status, found.is_open) == (Status.FAILED, False)
        assert (found.error or {})["kind"] == "TimedOut"


@pytest.mark.parametrize("flow", [Flow.POLLING, Flow.DYNAMODB])
def test_overdue_with_a_result(scene: Scene, executions: Executions, flow: Flow) -> None:
    """A record that is closed after a timeout says that it has a result, where one is taken."""
    record = scene.running(flow, deadline=ago(LATER), result='"done"')
    executions.set(record, "SUCCEEDED" if flow is Flow.DYNAMODB else "STOPPED")
    assert scene.reconcile() == {"stopped: overdue": 1}
    for _ in range(3):
        scene.pass_time(LATER)
        scene.reconcile()
    found = scene.stored(record)
    assert (found.status, found.is_open) == (Status.FAILED, False)
    assert (found.error or {})["kind"] == "TimedOut"
    is_told = IN_RESULT in (found.error or {})["detail"]
    assert (is_told, found.result == '"done"') == (flow.takes_result, flow.takes_result)


def test_result_as_a_timeout_is_written_down(
    aws: Aws, scene: Scene, executions: Executions
) -> None:
    """A result that comes while its timeout is written is in the detail, when the event returns."""
    record = scene.running(Flow.DYNAMODB)
    executions.set(record, "SUCCEEDED")
    aws.task(record.task_arn).stop("durable-task/TimedOut: The deadline was today")
    results = ['"done"']

    def work() -> None:
        if results:
            scene.put(replace(scene.stored(record), result=results.pop()))

    aws.at("dynamodb.UpdateItem", work)
    with pytest.raises(NotSettledError):
        aws.report(record.task_arn)
    assert aws.report(record.task_arn) == {"done": "record closed FAILED"}
    found = scene.stored(record)
    assert (found.is_open, found.result) == (False, '"done"')
    assert IN_RESULT in (found.error or {})["detail"]


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_overdue_while_lambda_is_busy(aws: Aws, scene: Scene, flow: Flow) -> None:
    """A task past its deadline is stopped although Lambda does not show its execution."""
    record = scene.running(flow, deadline=ago(LATER), missing_since=ago(LATER))
    aws.answer_with("lambda.GetDurableExecution", *throttled(1))
    assert scene.reconcile() == {"stopped: overdue": 1}
    assert scene.stops() == [record.task_arn]
    assert scene.stored(record) == replace(record, missing_since=None)


@EACH_FLOW
@ENDED_BADLY
@pytest.mark.parametrize("is_heard", [True, False], ids=["event", "no event"])
def test_overdue_after_its_execution(
    scene: Scene, executions: Executions, flow: Flow, status: str, *, is_heard: bool
) -> None:
    """A task past its deadline whose execution has ended is stopped, and its end closes the record.

    Where the event of that end is lost, later looks close it.
    """
    record = scene.running(flow, deadline=ago(LATER))
    executions.set(record, status)
    assert scene.reconcile() == {"stopped: overdue": 1}
    assert scene.stored(record).is_open
    if is_heard:
        scene.aws.report(record.task_arn)
    for _ in range(2):
        scene.pass_time(LATER)
        scene.reconcile()
    found = scene.stored(record)
    assert (found.status, found.is_open, found.task_arn) == (Status.FAILED, False, record.task_arn)
    assert (found.error or {})["kind"] == (found.last_outcome or {})["kind"] == "TimedOut"
    assert scene.stops() == [record.task_arn]
    assert scene.reconcile() == {}


@pytest.mark.parametrize("flow", [Flow.POLLING, Flow.EVENTBRIDGE])
def test_overdue_after_its_execution_said_why(
    scene: Scene, executions: Executions, flow: Flow
) -> None:
    """A failed execution's report of its task stays, although the task ran out of time."""
    record = scene.running(flow, deadline=ago(LATER))
    said = {**Missing(detail="checks were refused").to_dict(), "executionId": record.execution_id}
    executions.set(record, "FAILED", Error={"ErrorData": json.dumps(said)})
    for _ in range(3):
        scene.reconcile()
        scene.pass_time(LATER)
    found = scene.stored(record)
    assert (found.status, found.is_open) == (Status.FAILED, False)
    assert (found.error or {})["kind"] == "Missing"
    assert isinstance(scene.outcome(record.task_arn), TimedOut)


@EACH_FLOW
@ENDED_BADLY
def test_overdue_and_deaf(
    monkeypatch: pytest.MonkeyPatch,
    scene: Scene,
    executions: Executions,
    flow: Flow,
    status: str,
) -> None:
    """A task that runs on for an hour after its deadline does not keep its record open."""
    record = scene.running(flow, deadline=ago(HOUR))
    executions.set(record, status)
    monkeypatch.setattr(PromptTask, "stop", lambda _task, _reason: None)
    # While it is shown as running, each look asks for its stop.
    assert scene.reconcile() == {f"abandoned: execution {status}": 1, "stopped: orphan": 1}
    found = scene.stored(record)
    assert (found.status, found.is_open) == (Status.FAILED, False)


@EACH_FLOW
@pytest.mark.parametrize("status", ["RUNNING", "STOPPED"])
@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_overdue_and_not_stopped(
    scene: Scene, executions: Executions, flow: Flow, status: str, code: str
) -> None:
    """A task past its deadline that ECS does not stop stays in its record until it is stopped."""
    record = scene.running(flow, deadline=ago(LATER))
    executions.set(record, status)
    scene.aws.answer_with("ecs.StopTask", error(code))
    assert scene.reconcile() == {"not settled": 1}
    assert scene.stored(record) == record
    assert scene.reconcile() == {"stopped: overdue": 1}
    assert isinstance(scene.outcome(record.task_arn), TimedOut)


def test_overdue_by_a_moment(scene: Scene, executions: Executions) -> None:
    """A deadline that has just passed is left to the execution's own timeout."""
    record = scene.running(deadline=ago(MINUTE))
    assert scene.reconcile() == {"running": 1}
    assert scene.stops() == []
    assert executions.asked == [record.execution_id]


@EACH_FLOW
@pytest.mark.usefixtures("executions")
def test_missing(scene: Scene, flow: Flow) -> None:
    """A task that ECS does not know on two looks has ended as Missing."""
    record = forgotten(scene, flow)
    assert scene.reconcile() == {"missing: first look": 1}
    assert scene.stored(record).last_outcome is None
    scene.pass_time(LATER)
    scene.reconcile()
    found = scene.stored(record)
    assert (found.last_outcome or {})["kind"] == "Missing"
    assert found.is_open is (flow is not Flow.DYNAMODB)
    assert found.status is (Status.FAILED if flow is Flow.DYNAMODB else Status.RUNNING)


def test_missing_is_answered(scene: Scene, executions: Executions) -> None:
    """The callback of a missing task is answered as failed, once."""
    record = forgotten(scene)
    for _ in range(4):
        scene.reconcile()
        scene.pass_time(LATER)
    assert executions.answer(record).outcome.kind == "Missing"


def test_missing_work_that_was_done(scene: Scene, executions: Executions) -> None:
    """A DynamoDB worker's own report of its end counts, although its task is gone."""
    record = forgotten(scene, Flow.DYNAMODB)
    executions.set(record, "SUCCEEDED")
    scene.put(replace(record, status=Status.COMPLETED, result='"done"'))
    scene.reconcile()
    scene.pass_time(LATER)
    scene.reconcile()
    found = scene.stored(record)
    assert (found.status, found.is_open, found.result) == (Status.COMPLETED, False, '"done"')


@pytest.mark.usefixtures("executions")
def test_missing_and_ended_after_all(aws: Aws, scene: Scene) -> None:
    """An end that ECS shows after all replaces Missing in the polling flow."""
    record = scene.running(Flow.POLLING)
    for _ in range(2):
        aws.answer_with("ecs.DescribeTasks", {"tasks": [], "failures": [{"reason": "MISSING"}]})
        scene.reconcile()
        scene.pass_time(LATER)
    assert (scene.stored(record).last_outcome or {})["kind"] == "Missing"
    scene.end(record.task_arn, 0)
    assert aws.report(record.task_arn) == {"done": "outcome stored"}
    assert (scene.stored(record).last_outcome or {})["kind"] == "Succeeded"


def test_missing_and_known_again(aws: Aws, scene: Scene, executions: Executions) -> None:
    """A task that was seen again between two looks begins to be missing anew."""
    record = scene.running()
    unknown = {"tasks": [], "failures": [{"reason": "MISSING"}]}
    aws.answer_with("ecs.DescribeTasks", unknown)
    assert scene.reconcile() == {"missing: first look": 1}
    scene.pass_time(LATER)
    assert scene.reconcile() == {"running": 1}
    assert scene.stored(record).missing_since is None
    aws.answer_with("ecs.DescribeTasks", unknown)
    assert scene.reconcile() == {"missing: first look": 1}
    assert not executions.answers


def test_missing_in_the_same_moment(scene: Scene, executions: Executions) -> None:
    """A schedule that fires twice looks once: two looks lie apart."""
    record = forgotten(scene)
    for _ in range(2):
        assert scene.reconcile() == {"missing: first look": 1}
    assert scene.stored(record).missing_since
    assert not executions.answers


def test_young(scene: Scene, executions: Executions) -> None:
    """A task that was just started may be unknown to ECS for minutes."""
    record = forgotten(scene)
    record = scene.put(replace(record, created_at=ago(LATER), updated_at=ago(LATER)))
    for _ in range(2):
        assert scene.reconcile() == {"young": 1}
    assert scene.stored(record) == record
    assert not executions.answers


def test_young_attempt(scene: Scene, executions: Executions) -> None:
    """A later attempt's task is as young as its launch, however old the execution is."""
    record = forgotten(scene)
    scene.put(replace(record, attempt=2, updated_at=ago(MINUTE)))
    assert scene.reconcile() == {"young": 1}
    assert not executions.answers


def test_missing_attempt(scene: Scene, executions: Executions) -> None:
    """A missing task of an attempt says nothing about the next attempt's."""
    record = forgotten(scene)
    scene.reconcile()
    outcome = SpotInterrupted(task_arn=record.task_arn)
    assert scene.records.back_off(record, outcome) is Write.WRITTEN
    assert scene.stored(record).missing_since is None
    assert not executions.answers


def test_missing_task_of_a_later_attempt(scene: Scene, executions: Executions) -> None:
    """A missing task does not end as the attempt before it did."""
    before = SpotInterrupted(task_arn="arn:aws:ecs:us-east-1:123456789012:task/c/before")
    record = scene.put(replace(forgotten(scene), attempt=2, last_outcome=before.to_dict()))
    scene.reconcile()
    scene.pass_time(LATER)
    scene.reconcile()
    assert executions.answer(record).outcome.kind == "Missing"


@pytest.mark.parametrize("flow", [Flow.POLLING, Flow.EVENTBRIDGE])
def test_forgotten_after_its_end(scene: Scene, executions: Executions, flow: Flow) -> None:
    """An end that was reported is not overwritten because ECS has forgotten the task."""
    record = forgotten(scene, flow)
    outcome = ApplicationFailed(task_arn=record.task_arn, exit_code=3)
    scene.records.report(record, outcome)
    for _ in range(3):
        scene.reconcile()
        scene.pass_time(HOUR)
    assert scene.stored(record).last_outcome == {**outcome.to_dict(), "exitCode": 3}
    assert scene.stored(record).is_open
    assert not executions.answers
