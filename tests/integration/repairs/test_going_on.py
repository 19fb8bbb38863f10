"""Executions of somebody's own handler, which goes on after its task has ended."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from adapters.errors import AwsBusyError
from adapters.table import RecordFullError
from core.flow import Flow
from core.record import Status
from orchestrator.eventbridge import run
from orchestrator.handlers import durable_handler
from tests.integration.aws import throttled
from tests.integration.conftest import values
from tests.integration.repairs.scene import HOUR, LATER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_durable_execution_sdk_python import DurableContext

    from core.record import Record
    from tests.integration.aws import Aws
    from tests.integration.conftest import Counted, Start
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene

GOES_ON = "left alone: execution goes on"
# Set, it lets the handler's own step end.
_GO = threading.Event()


@durable_handler
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    """Run a task, then a long step of its own; fail after it if the payload says so."""
    task = run({}, context)
    context.step(lambda _: _GO.wait(60), "long")
    if event.get("fails"):
        raise RuntimeError("A later step failed")
    return task


@pytest.fixture
def go() -> Iterator[threading.Event]:
    """The end of the handler's long step."""
    _GO.clear()
    yield _GO
    _GO.set()


@pytest.mark.parametrize("known", [True, False], ids=["known", "forgotten"])
@pytest.mark.usefixtures("go")
def test_unwritten_end(aws: Aws, scene: Scene, durable: Start, *, known: bool) -> None:
    """A success that was answered but not written is stored by the event's retry, and kept."""
    durable(handler, {})
    end_unwritten(aws)
    if not known:
        aws.forget()
    for _ in range(3):
        scene.pass_time(LATER)
        assert "not settled" not in scene.reconcile()
    record = aws.record()
    assert record.is_open
    assert (record.last_outcome or {})["startedAt"]


@pytest.mark.parametrize("fails", [False, True])
def test_end_of_own_steps(
    aws: Aws, scene: Scene, durable: Start, go: threading.Event, *, fails: bool
) -> None:
    """The record says at last how the execution ended, and that its task has succeeded."""
    execution = durable(handler, {"fails": fails})
    end_unwritten(aws)
    aws.forget()
    go.set()
    assert bool(execution.ended.error) is fails
    scene.pass_time(HOUR)
    scene.reconcile()
    record, last = aws.record(), aws.record().last_outcome or {}
    assert record.status is (Status.FAILED if fails else Status.COMPLETED)
    assert not record.is_open
    assert last["startedAt"]
    assert last["kind"] == ("Cancelled" if fails else "Succeeded")
    assert ("The task succeeded" in (last["detail"] or "")) is fails


def end_unwritten(aws: Aws) -> None:
    """End the task; its event answers the callback, cannot write, and comes again."""
    aws.wait_for_record(lambda record: record.task_arn)
    aws.exit(0)
    aws.answer_with("dynamodb.UpdateItem", *throttled(1))
    with pytest.raises(AwsBusyError):
        aws.report()
    assert aws.report() == {"done": GOES_ON}


@pytest.fixture
def interrupted(scene: Scene, executions: Executions) -> Record:
    """A record of an execution that goes on: its task's end was answered, and is stored."""
    record = scene.ended(Flow.EVENTBRIDGE, 0)
    executions.answers[record.callback_id or ""] = None
    assert scene.aws.report(record.task_arn) == {"done": GOES_ON}
    return record


@pytest.mark.parametrize("known", [True, False], ids=["known", "forgotten"])
def test_forgotten_execution(
    scene: Scene, executions: Executions, interrupted: Record, *, known: bool
) -> None:
    """The record closes as its task ended once Lambda has forgotten the execution."""
    executions.set(interrupted, None)
    if not known:
        scene.aws.forget(interrupted.task_arn)
    done: Counter[str] = Counter()
    for _ in range(3):
        scene.pass_time(HOUR)
        done.update(scene.reconcile())
    assert done["execution is forgotten"] == 1
    assert scene.stored(interrupted).status is Status.COMPLETED


def test_next_event(scene: Scene, executions: Executions, interrupted: Record) -> None:
    """The task's next event closes the record if the execution has succeeded meanwhile."""
    executions.set(interrupted, "SUCCEEDED")
    event = scene.aws.event(interrupted.task_arn)
    event["detail"]["version"] += 1
    assert scene.aws.deliver(event) == {"done": "callback was answered before"}
    assert scene.stored(interrupted).status is Status.COMPLETED


def test_lost_event(scene: Scene, executions: Executions, counted: Counted) -> None:
    """An end that the reconciler alone has learned counts as a missed event."""
    record = scene.ended(Flow.EVENTBRIDGE, 0)
    executions.answers[record.callback_id or ""] = None
    scene.pass_time(LATER)
    assert scene.reconcile() == {GOES_ON: 1}
    assert values(counted, "EventsMissed") == [1]


def test_spoilt_result(scene: Scene, executions: Executions, interrupted: Record) -> None:
    """A stored success stays one, whatever address of a result somebody writes after it."""
    scene.aws.rewrite("SET resultUri = :uri", uri="s3://another/result")
    event = scene.aws.event(interrupted.task_arn)
    event["detail"]["version"] += 1
    assert scene.aws.deliver(event) == {"done": "reported before"}
    assert (scene.stored(interrupted).last_outcome or {})["kind"] == "Succeeded"
    scene.aws.rewrite("SET resultUri = :none", none=None)
    executions.set(interrupted, "SUCCEEDED")
    scene.pass_time(LATER)
    scene.reconcile()
    assert scene.stored(interrupted).status is Status.COMPLETED


@pytest.mark.parametrize("status", ["RUNNING", "PAUSED"])
def test_result_without_room(scene: Scene, executions: Executions, status: str) -> None:
    """An end for which the result leaves no room is not stored: the result may be asked for yet."""
    record = scene.ended(Flow.EVENTBRIDGE, 0)
    result = json.dumps("r" * 200_000)
    scene.aws.rewrite("SET #result = :result", result=result)
    fill(scene.aws)
    executions.answers[record.callback_id or ""] = None
    executions.set(record, status)
    with pytest.raises(RecordFullError):
        scene.aws.report(record.task_arn)
    stored = scene.stored(record)
    assert stored.is_open
    assert (stored.result, stored.last_outcome) == (result, None)


def fill(aws: Aws) -> None:
    """Fill the rest of the record with progress, to some fifty bytes."""
    for length in range(209_600, 200_000, -50):
        with suppress(ClientError):
            return aws.rewrite("SET #progress = :text", text="x" * length)
    raise AssertionError("the item takes no progress of this size")
