from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from core.outcome import Cancelled
from core.record import Status
from orchestrator import dynamodb, eventbridge, polling
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.aws import Aws
    from tests.integration.conftest import Durable, Start
    from tests.integration.repairs.scene import Scene

WAITING = pytest.mark.parametrize(
    "handler", [polling.handler, eventbridge.handler], ids=["polling", "eventbridge"]
)


def start(aws: Aws, scene: Scene, operation: str, begin: Callable[[], Durable]) -> list[str]:
    """Start an execution that is stopped right before its first call of an operation.

    Returns:
        What the event of its end came to, once it has come.
    """
    begun: Future[str] = Future()
    done: list[str] = []

    def stop() -> None:
        if not done:
            done.append("not yet")
            arn = begun.result(PATIENCE)
            boto3.client("lambda").stop_durable_execution(DurableExecutionArn=arn)
            done[0] = scene.tell(arn, "STOPPED")

    aws.at(operation, stop)
    begun.set_result(begin().arn)
    return done


def assert_undone(aws: Aws, scene: Scene) -> None:
    """No task runs, and the record is closed."""
    assert all(isinstance(scene.outcome(task), Cancelled) for task in aws.tasks())
    assert (aws.record().status, aws.record().is_open) == (Status.FAILED, False)
    assert scene.reconcile() == {}


@WAITING
def test_record_after_the_event(
    aws: Aws, scene: Scene, durable: Start, handler: Callable[..., Any]
) -> None:
    """A launch that goes on after its execution's end was told is undone by the reconciler."""
    done = start(aws, scene, "dynamodb.PutItem", lambda: durable(handler, {}))
    aws.wait_for_record(lambda record: record.task_arn)
    assert done == ["ignored: no record"]
    assert scene.reconcile() == {"abandoned: execution STOPPED": 1}
    assert len(aws.tasks()) == 1
    assert_undone(aws, scene)


@WAITING
def test_task_after_the_close(
    aws: Aws, scene: Scene, durable: Start, handler: Callable[..., Any]
) -> None:
    """A task that starts after its record was closed is stopped by its own launch."""
    done = start(aws, scene, "ecs.RunTask", lambda: durable(handler, {}))
    aws.wait(lambda: scene.stops() and scene.outcome(scene.stops()[0]))
    assert done == ["abandoned: execution STOPPED"]
    assert len(aws.tasks()) == 1
    assert_undone(aws, scene)


def test_record_after_the_event_dynamodb(aws: Aws, scene: Scene, durable: Start) -> None:
    """A DynamoDB launch that is stopped as it writes its record ends there, and is closed."""
    done = start(aws, scene, "dynamodb.PutItem", lambda: durable(dynamodb.handler, {}))
    aws.wait_for_record(lambda record: record.is_open)
    assert done == ["ignored: no record"]
    assert scene.reconcile() == {"abandoned: execution STOPPED": 1}
    assert_undone(aws, scene)


def test_task_after_the_close_dynamodb(aws: Aws, scene: Scene, durable: Start) -> None:
    """A DynamoDB launch that is stopped as it starts its task ends there: the task is stopped."""
    done = start(aws, scene, "ecs.RunTask", lambda: durable(dynamodb.handler, {}))
    aws.wait(aws.tasks)
    assert done == ["abandoned: execution STOPPED"]
    assert scene.reconcile() == {"stopped: orphan": 1}
    assert_undone(aws, scene)
