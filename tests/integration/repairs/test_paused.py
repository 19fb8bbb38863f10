"""Executions that somebody has paused: their callbacks close, and they say nothing about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from adapters.errors import AwsBusyError
from core.flow import Flow
from core.record import Status
from ecs_events.closing import NotSettledError
from orchestrator import eventbridge
from tests.integration.aws import throttled
from tests.integration.repairs.scene import HOUR, LATER

if TYPE_CHECKING:
    from core.record import Record
    from tests.integration.aws import Aws
    from tests.integration.conftest import Durable, Lines, Start
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene

LEFT_ALONE = "left alone: paused"
EACH_STATUS = pytest.mark.parametrize("status", ["PAUSED", "PAUSING"])
EACH_CODE = pytest.mark.parametrize("code", [0, 3])
EACH_MEMORY = pytest.mark.parametrize("known", [True, False], ids=["known", "forgotten"])


@pytest.fixture
def paused(aws: Aws, durable: Start) -> Durable:
    """A paused EventBridge execution whose task runs."""
    execution = durable(eventbridge.handler, {"timeoutSeconds": 7_200})
    aws.wait_for_record(lambda record: record.task_arn)
    aws.task().advance("RUNNING")
    boto3.client("lambda").pause_durable_execution(DurableExecutionArn=execution.arn)
    return execution


def resume(execution: Durable) -> None:
    """Let a paused execution go on."""
    boto3.client("lambda").resume_durable_execution(DurableExecutionArn=execution.arn)


def rest(scene: Scene, *, known: bool) -> None:
    """Let the pause last on, through several runs of the reconciler, and past ECS's memory."""
    if not known:
        scene.aws.forget()
    for _ in range(3):
        scene.pass_time(LATER)
        counted = scene.reconcile()
        assert "not settled" not in counted
    scene.pass_time(HOUR)
    assert scene.aws.record().is_open


def closed(scene: Scene) -> Record:
    """Let the reconciler run; return the record, which is closed by then at the latest."""
    scene.pass_time(LATER)
    scene.reconcile()
    record = scene.aws.record()
    assert not record.is_open
    assert scene.reconcile() == {}
    return record


def test_answer_in_a_pause(aws: Aws, paused: Durable) -> None:
    """The end of a paused execution's task is reported as ever, and counts after the resume."""
    aws.exit(0)
    assert aws.report() == {"done": "callback succeeded"}
    resume(paused)
    assert paused.result()["outcome"] == "Succeeded"
    assert aws.record().status is Status.COMPLETED


@EACH_CODE
@EACH_MEMORY
def test_answer_that_was_not_written_down(
    aws: Aws, scene: Scene, paused: Durable, code: int, known: bool
) -> None:
    """An answer whose write was lost in a pause is the execution's end and its record's."""
    aws.rewrite("SET #result = :result", result='"done"')
    aws.exit(code)
    aws.answer_with("dynamodb.UpdateItem", *throttled(1))
    with pytest.raises(AwsBusyError):
        aws.report()
    assert aws.report() == {"done": LEFT_ALONE}
    rest(scene, known=known)
    resume(paused)
    if code:
        assert paused.error()[1]["exitCode"] == code
    else:
        assert paused.result()["result"] == "done"
    record = closed(scene)
    assert record.status is (Status.FAILED if code else Status.COMPLETED)
    assert (record.last_outcome or {})["exitCode"] == code
    assert record.result == '"done"'


@EACH_CODE
@EACH_MEMORY
def test_timeout_of_an_ended_task(
    aws: Aws, scene: Scene, paused: Durable, code: int, known: bool
) -> None:
    """A task that ended in a pause, after its callback had timed out, ends as it did."""
    aws.rewrite("SET #result = :result", result='"done"')
    paused.time_out(aws.record())
    aws.exit(code)
    assert aws.report() == {"done": LEFT_ALONE}
    rest(scene, known=known)
    resume(paused)
    if code:
        assert paused.error()[1]["exitCode"] == code
    else:
        assert paused.result()["result"] == "done"
    assert closed(scene).status is (Status.FAILED if code else Status.COMPLETED)


def test_timeout_of_a_running_task(aws: Aws, scene: Scene, paused: Durable) -> None:
    """A task that outlasts its timeout in a pause is stopped, and its execution says so later."""
    paused.time_out(aws.record())
    scene.pass_time(3 * HOUR)
    assert scene.reconcile() == {"stopped: overdue": 1}
    assert aws.report() == {"done": LEFT_ALONE}
    rest(scene, known=True)
    resume(paused)
    assert paused.error()[1]["kind"] == "TimedOut"
    assert closed(scene).status is Status.FAILED


def test_timeout_of_a_forgotten_task(aws: Aws, scene: Scene, paused: Durable) -> None:
    """A task whose end nobody has heard of in a pause is missing, and its execution says so."""
    paused.time_out(aws.record())
    aws.exit(0)
    rest(scene, known=False)
    assert aws.record().last_outcome is None
    resume(paused)
    assert paused.error()[1]["kind"] == "Missing"
    assert closed(scene).status is Status.FAILED


def test_next_attempt(aws: Aws, scene: Scene, paused: Durable) -> None:
    """A loss that a paused execution was told of is followed by another attempt at the resume."""
    aws.task().advance("RUNNING")
    aws.task().interrupt()
    aws.task().advance("STOPPED")
    aws.answer_with("dynamodb.UpdateItem", *throttled(1))
    with pytest.raises(AwsBusyError):
        aws.report()
    assert aws.report() == {"done": LEFT_ALONE}
    rest(scene, known=True)
    resume(paused)
    second = aws.wait_for_record(lambda record: record.attempt == 2 and record.task_arn)
    aws.exit(0, second.task_arn)
    aws.report(second.task_arn)
    assert paused.result()["attempt"] == 2
    assert closed(scene).status is Status.COMPLETED


@EACH_STATUS
@EACH_CODE
def test_quietly(
    scene: Scene, executions: Executions, lines: Lines, status: str, code: int
) -> None:
    """A pause costs no event a second try, no queue a message and no run a warning."""
    record = scene.ended(Flow.EVENTBRIDGE, code)
    executions.set(record, status)
    assert scene.aws.report(record.task_arn) == {"done": LEFT_ALONE}
    assert scene.reconcile() == {"reported before": 1}
    unheard = scene.ended(Flow.EVENTBRIDGE, code)
    executions.set(unheard, status)
    assert scene.reconcile() == {"reported before": 1, LEFT_ALONE: 1}
    for stored in map(scene.stored, (record, unheard)):
        assert (stored.is_open, stored.status) == (True, Status.RUNNING)
    assert {line.levelname for line in lines.records} == {"INFO"}


@pytest.mark.parametrize("end", ["SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT"])
@EACH_CODE
@EACH_MEMORY
def test_end_after_a_pause(
    scene: Scene, executions: Executions, end: str, code: int, known: bool
) -> None:
    """The reconciler closes a record that a paused execution has left open, however it ended."""
    record = scene.ended(Flow.EVENTBRIDGE, code)
    executions.set(record, "PAUSED")
    scene.aws.report(record.task_arn)
    if not known:
        scene.aws.forget(record.task_arn)
    executions.set(record, end)
    scene.pass_time(LATER)
    scene.reconcile()
    stored = scene.stored(record)
    has_succeeded = end == "SUCCEEDED" and code == 0
    assert not stored.is_open
    assert stored.status is (Status.COMPLETED if has_succeeded else Status.FAILED)
    assert stored.task_arn == record.task_arn
    assert (stored.last_outcome or {})["exitCode"] == code


@pytest.mark.parametrize("flow", Flow)
@EACH_STATUS
def test_running_task(scene: Scene, executions: Executions, flow: Flow, status: str) -> None:
    """A paused execution keeps its task."""
    record = scene.running(flow)
    executions.set(record, status)
    assert scene.reconcile() == {"running": 1}
    assert scene.stored(record) == record
    assert not scene.stops()


@pytest.mark.parametrize("status", ["DELETING", "RESUMING", "INVENTED"])
@EACH_CODE
def test_status_that_is_not_known(
    aws: Aws, scene: Scene, executions: Executions, status: str, code: int
) -> None:
    """A status that is not known is no end: what it means for a closed callback is asked again."""
    record = scene.ended(Flow.EVENTBRIDGE, code)
    executions.set(record, status)
    with pytest.raises(NotSettledError, match=status):
        aws.report(record.task_arn)
    assert scene.reconcile() == {"not settled": 1}
    assert scene.stored(record) == record


@EACH_CODE
@EACH_MEMORY
def test_execution_that_lambda_has_forgotten(
    scene: Scene, executions: Executions, code: int, known: bool
) -> None:
    """The record of an execution that Lambda has forgotten is closed as its task has ended."""
    record = scene.ended(Flow.EVENTBRIDGE, code)
    executions.set(record, None)
    if known:
        assert scene.aws.report(record.task_arn) == {"done": "execution is forgotten"}
    else:
        scene.aws.forget()
        for _ in range(3):
            scene.pass_time(LATER)
            assert "not settled" not in scene.reconcile()
    stored = scene.stored(record)
    assert not stored.is_open
    assert stored.status is (Status.COMPLETED if known and code == 0 else Status.FAILED)
    assert scene.reconcile() == {}


@pytest.mark.parametrize("status", ["PAUSED", "PAUSING", "DELETING", "INVENTED"])
@pytest.mark.parametrize("flow", Flow)
def test_no_end(scene: Scene, executions: Executions, flow: Flow, status: str) -> None:
    """A record is not closed, nor its task stopped, for a status that is no end."""
    kept: list[Any] = [scene.running(flow), scene.between(flow), scene.begin(flow)]
    for record in kept:
        executions.set(record, status)
    scene.reconcile()
    assert [scene.stored(record) for record in kept] == kept
    assert not scene.stops()
