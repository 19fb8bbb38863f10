from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ConnectTimeoutError

from adapters import clock
from adapters.errors import AwsBusyError
from core.flow import Flow
from core.moment import timestamp
from tests.integration.aws import throttled
from tests.integration.conftest import values
from tests.integration.repairs.scene import HOUR, MINUTE

if TYPE_CHECKING:
    from tests.integration.aws import Aws
    from tests.integration.conftest import Counted
    from tests.integration.repairs.executions import Executions
    from tests.integration.repairs.scene import Scene

EACH_FLOW = pytest.mark.parametrize("flow", Flow)


@EACH_FLOW
def test_missed_event(aws: Aws, scene: Scene, counted: Counted, flow: Flow) -> None:
    """An end that the reconciler reports counts as a missed event, one that an event did not."""
    aws.report(scene.ended(flow, 3).task_arn)
    assert values(counted, "EventsMissed") == []
    scene.ended(flow, 3)
    scene.reconcile()
    scene.reconcile()
    assert values(counted, "EventsMissed") == [1]


def test_learned_by_the_reconciler(scene: Scene, counted: Counted) -> None:
    """An end that the reconciler has learned is counted for it."""
    scene.ended(Flow.DYNAMODB, 0)
    scene.reconcile()
    assert values(counted, "LearnedByReconciler", flow="dynamodb") == [1]
    assert values(counted, "LearnedByEvent") == []


def test_execution_that_ended_unheard(
    scene: Scene, executions: Executions, counted: Counted
) -> None:
    """An execution whose end no event reported counts as a missed event and as a failure."""
    executions.set(scene.running(), "TIMED_OUT")
    scene.reconcile()
    assert values(counted, "EventsMissed") == [1]
    assert values(counted, "ExecutionsFailed") == [1]
    assert values(counted, "AttemptsEnded", outcome="Cancelled") == [1]


@pytest.mark.parametrize(("minutes", "missed"), [(1, []), (2, [1])])
def test_execution_that_ended_just_now(
    scene: Scene, executions: Executions, counted: Counted, minutes: int, missed: list[float]
) -> None:
    """An execution whose end's event may still be on its way counts as no missed event."""
    executions.set(scene.running(), "STOPPED", EndTimestamp=clock.now() - minutes * MINUTE)
    assert scene.reconcile() == {"abandoned: execution STOPPED": 1}
    assert values(counted, "EventsMissed") == missed


def test_execution_whose_end_lambda_does_not_tell(
    aws: Aws, scene: Scene, executions: Executions, counted: Counted
) -> None:
    """A repair counts as a missed event where Lambda does not answer when its execution ended."""

    def lose() -> None:
        raise ConnectTimeoutError(endpoint_url="https://lambda")

    executions.set(scene.running(), "STOPPED", EndTimestamp=clock.now())
    aws.at("lambda.GetDurableExecution", lose, 2)
    assert scene.reconcile() == {"abandoned: execution STOPPED": 1}
    assert values(counted, "EventsMissed") == [1]


@pytest.mark.parametrize(("status", "failures"), [("STOPPED", []), ("TIMED_OUT", [1])])
def test_execution_that_somebody_stopped(
    scene: Scene, counted: Counted, status: str, failures: list[float]
) -> None:
    """An execution that somebody has stopped counts as no failure; its attempt has ended."""
    scene.tell(scene.running(), status)
    assert values(counted, "ExecutionsFailed") == failures
    assert values(counted, "AttemptsEnded", outcome="Cancelled") == [1]
    assert values(counted, "LearnedByEvent") == [1]


@pytest.mark.parametrize(("status", "failures"), [("STOPPED", []), ("TIMED_OUT", [1])])
def test_record_that_nobody_can_read(
    scene: Scene, executions: Executions, counted: Counted, status: str, failures: list[float]
) -> None:
    """A record that is closed unread counts as a failure once, unless somebody wanted the end."""
    record = scene.running()
    scene.put(record, deadline="soon")
    executions.set(record, status)
    for _ in range(2):
        scene.reconcile()
    assert values(counted, "ExecutionsFailed") == failures


def test_own_repairs(scene: Scene, counted: Counted) -> None:
    """A stop that is the reconciler's own to make counts as no missed event."""
    scene.running(deadline=timestamp(clock.now() - 10 * MINUTE))
    scene.reconcile()
    assert values(counted, "EventsMissed") == []


def test_gauges(scene: Scene, counted: Counted) -> None:
    """Each run emits the open records by flow, and the time of the longest overdue one."""
    for flow in (Flow.POLLING, Flow.EVENTBRIDGE, Flow.EVENTBRIDGE):
        scene.running(flow)
    scene.reconcile()
    assert values(counted, "OpenRecords", flow="eventbridge") == [2]
    assert values(counted, "OpenRecords", flow="polling") == [1]
    assert values(counted, "OpenRecords", flow="dynamodb") == [0]
    assert values(counted, "OldestOverdueSeconds") == [0]
    scene.pass_time(HOUR + 3 * MINUTE)
    scene.reconcile()
    [_, overdue] = values(counted, "OldestOverdueSeconds")
    assert timedelta(minutes=3) <= timedelta(seconds=overdue) < timedelta(minutes=4)


def test_gauges_of_a_run_that_breaks_off(aws: Aws, scene: Scene, counted: Counted) -> None:
    """A run that breaks off emits the gauges that it has seen until then."""
    scene.running()
    aws.answer_with("ecs.ListTasks", *throttled(1))
    with pytest.raises(AwsBusyError):
        scene.reconcile()
    assert values(counted, "OpenRecords", flow="eventbridge") == [1]
