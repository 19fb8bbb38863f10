from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest

from core.flow import Flow
from core.record import Status
from ecs_events.closing import NotSettledError
from tests.integration.aws import DiedError, die, throttled
from tests.integration.repairs.scene import LATER

if TYPE_CHECKING:
    from core.record import Record
    from tests.integration.aws import Aws
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene


class Point(NamedTuple):
    """A call that is made for a task's end."""

    flow: Flow
    code: int
    operation: str


SUCCEED, FAIL = (f"lambda.SendDurableExecutionCallback{end}" for end in ("Success", "Failure"))
ANSWERS = [Point(Flow.EVENTBRIDGE, 0, SUCCEED), Point(Flow.EVENTBRIDGE, 3, FAIL)]
WRITES = [Point(flow, code, "dynamodb.UpdateItem") for flow in Flow for code in (0, 3)]
READS = [
    Point(Flow.EVENTBRIDGE, 0, operation)
    for operation in ("dynamodb.Query", "dynamodb.GetItem", "ecs.DescribeTasks", "ecs.ListTasks")
]


def named(point: Point) -> str:
    """Return a point's name among the tests."""
    return "-".join(map(str, point))


EACH_EFFECT = pytest.mark.parametrize("point", [*ANSWERS, *WRITES], ids=named)
EACH_CALL = pytest.mark.parametrize("point", [*ANSWERS, *WRITES, *READS], ids=named)


def deliver(aws: Aws, record: Record) -> None:
    """Deliver the event of a task's end; one that is not settled comes again anyway."""
    with suppress(NotSettledError):
        aws.report(record.task_arn)


def assert_settled(scene: Scene, executions: Executions, record: Record, code: int) -> None:
    """The execution ends as its task, if it waits for it, and the reconciler closes the rest."""
    if record.flow is Flow.EVENTBRIDGE:
        assert executions.answer(record).outcome.exit_code == code
    if record.flow is not Flow.DYNAMODB:
        executions.set(record, "FAILED" if code else "SUCCEEDED")
    for _ in range(2):
        scene.reconcile()
        scene.pass_time(LATER)
    stored = scene.stored(record)
    assert (stored.status, stored.is_open) == (Status.FAILED if code else Status.COMPLETED, False)
    assert (stored.last_outcome or {})["exitCode"] == code
    assert stored.result == record.result


@EACH_EFFECT
def test_look_within_an_event(aws: Aws, scene: Scene, executions: Executions, point: Point) -> None:
    """The reconciler may report an end while its event is being handled."""
    record = scene.ended(point.flow, point.code)
    looks: list[dict[str, int]] = []

    def look() -> None:
        if not looks:
            looks.append({})
            looks[0] = scene.reconcile()

    aws.at(point.operation, look)
    deliver(aws, record)
    assert looks[0]
    deliver(aws, record)
    assert_settled(scene, executions, record, point.code)


@EACH_EFFECT
def test_event_within_a_look(aws: Aws, scene: Scene, executions: Executions, point: Point) -> None:
    """An event may be handled while the reconciler reports the same end."""
    record = scene.ended(point.flow, point.code)
    events: list[None] = []

    def happen() -> None:
        if not events:
            events.append(None)
            deliver(aws, record)

    aws.at(point.operation, happen)
    scene.reconcile()
    assert events
    deliver(aws, record)
    assert_settled(scene, executions, record, point.code)


def test_report_of_a_dead_execution(aws: Aws, scene: Scene, executions: Executions) -> None:
    """An end that its event reports within a look closes the record of a dead execution."""
    record = scene.ended(Flow.POLLING, 3)
    executions.set(record, "STOPPED")
    events: list[None] = []

    def happen() -> None:
        if not events:
            events.append(None)
            deliver(aws, record)

    aws.at("dynamodb.UpdateItem", happen)
    assert scene.reconcile() == {"abandoned: execution STOPPED": 1}
    stored = scene.stored(record)
    assert (stored.status, stored.is_open) == (Status.FAILED, False)
    assert (stored.error or {})["exitCode"] == 3


@EACH_CALL
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_death(scene: Scene, executions: Executions, point: Point, *, after: bool) -> None:
    """The next runs settle the rest, wherever the reconciler dies."""
    record = scene.ended(point.flow, point.code)
    scene.aws.at(point.operation, die, 1, after=after)
    with pytest.raises(DiedError):
        scene.reconcile()
    scene.reconcile()
    assert_settled(scene, executions, record, point.code)


@EACH_EFFECT
def test_throttled_effect(aws: Aws, scene: Scene, executions: Executions, point: Point) -> None:
    """An end that a throttle keeps from being reported is reported by a later run."""
    record = scene.ended(point.flow, point.code)
    aws.answer_with(point.operation, *throttled(1))
    assert scene.reconcile() == {"not settled": 1}
    scene.reconcile()
    assert_settled(scene, executions, record, point.code)
