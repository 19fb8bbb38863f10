from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local.events import DeliveryError
from local.gateway import Kill, Refuse
from local.metrics import Datum
from local.stack.stack import PROJECT
from local.system import System
from tests.alarms import raised
from tests.e2e.user import User, id_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.user import Flow

NOT_ALLOWED = Refuse("AccessDeniedException", "Nobody has granted that")
# More than the alarm on the reconciler's silence looks back on, whenever a period begins.
SILENCE = timedelta(minutes=26)


class Watch:
    """A system whose alarms are watched from its start on.

    Attributes:
        system: that it is.
        user: somebody who uses it.
    """

    def __init__(self, system: System) -> None:
        self.system, self.user = system, User(system)
        self._since = system.clock.now()

    def raised(self) -> set[str]:
        """Return the alarms that have been in ALARM until now."""
        return raised(self.system, self._since, self.system.clock.now())

    def expect(self, *alarms: str) -> None:
        """Wait until alarms have shown themselves, and see that no other has."""
        self.user.wait(lambda: self.raised() >= {*alarms})
        assert self.raised() == {*alarms}

    def reconcile(self) -> dict[str, Any]:
        """Let the reconciler run once; return Lambda's answer."""
        return dict(
            self.user.durable.invoke(FunctionName=f"{self.user.stack}-reconciler-function:live")
        )

    def passed(self, span: timedelta) -> bool:
        """Whether so much of AWS's time has passed since the start."""
        return self.system.clock.now() >= self._since + span


@contextmanager
def watched(durable_scale: float = 1) -> Iterator[Watch]:
    """Provide a system on the threads of this process; events, waits and schedules are fast."""
    scale = max(100, durable_scale)
    with System(time_scale=scale, durable_scale=durable_scale, in_process=True) as system:
        yield Watch(system)


def test_none() -> None:
    """Two hundred executions of all flows that end well raise no alarm."""
    with watched() as watch:
        flows: tuple[Flow, ...] = ("polling", "dynamodb", "eventbridge", "eventbridge")
        arns = [watch.user.start(flow, processingTime=0) for _ in range(50) for flow in flows]
        for arn in arns:
            assert watch.user.closed(arn)["status"] == "COMPLETED"
        watch.user.wait(lambda: watch.system.is_idle)
        assert "FunctionError" not in watch.reconcile()
        watch.expect()


def test_undelivered_events() -> None:
    """An event that its function may not be given raises the alarm on undelivered events."""
    with watched() as watch:

        def refuse(*_: object) -> None:
            raise DeliveryError("NO_PERMISSIONS", "Not allowed", is_transient=False)

        deliver, watch.system.deliveries.deliver = watch.system.deliveries.deliver, refuse
        watch.system.bus.publish(stopped(watch.system, "of-nobody"))
        watch.system.deliveries.deliver = deliver
        watch.expect("undelivered-events")


def test_unprocessed_events() -> None:
    """An event on which its function fails three times raises the alarm on unprocessed events."""
    with watched() as watch:
        refused = {
            "operation": "GetItem",
            "caller": f"{watch.system.stack.name}-task-state-function",
        }
        watch.system.seams.inject(NOT_ALLOWED, times=100, **refused)
        watch.system.bus.publish(stopped(watch.system, "of-nobody"))
        watch.expect("unprocessed-events")


@pytest.mark.parametrize("flow", ["polling", "dynamodb", "eventbridge"])
def test_executions_failed(flow: Flow) -> None:
    """A task that fails for good raises the alarm on failed executions, in each flow."""
    with watched() as watch:
        arn = watch.user.start(flow, processingTime=0, simulate={"exitCode": 3})
        assert watch.user.closed(arn)["status"] == "FAILED"
        watch.expect("executions-failed")


def test_stopped_executions() -> None:
    """An execution that somebody stops raises no alarm."""
    with watched() as watch:
        arn = watch.user.start("eventbridge", processingTime=600)
        watch.user.wait(lambda: watch.user.tasks(arn))
        watch.user.durable.stop_durable_execution(DurableExecutionArn=arn)
        assert watch.user.closed(arn)["status"] == "FAILED"
        watch.user.wait(lambda: watch.system.is_idle)
        watch.expect()


def test_reconciler_silent() -> None:
    """A schedule that is switched off raises the alarm on the reconciler's silence."""
    with watched(durable_scale=300) as watch:
        events = watch.system.account.client("events")
        for rule in events.list_rules()["Rules"]:
            if "ScheduleExpression" in rule:
                events.disable_rule(Name=rule["Name"])
        watch.user.wait(lambda: watch.passed(SILENCE))
        watch.expect("reconciler-silent")


def test_reconciler_heard() -> None:
    """A schedule that runs raises no alarm, for longer than the one on silence looks back on."""
    with watched(durable_scale=100) as watch:
        watch.user.wait(lambda: watch.passed(SILENCE))
        watch.expect()


def test_reconciler_failing() -> None:
    """One run of the reconciler that fails raises no alarm, two raise that on failing runs."""
    with watched() as watch:
        caller = f"{watch.system.stack.name}-reconciler-function"

        def fail() -> set[str]:
            watch.system.seams.inject(NOT_ALLOWED, operation="Query", caller=caller)
            # A run by the schedule may be faster, and fail instead.
            watch.reconcile()
            return watch.raised()

        assert fail() == set()
        # A quarter of an hour may end between two failures.
        watch.user.wait(fail)
        watch.expect("reconciler-failing")


def test_events_missed() -> None:
    """The end of a task whose event is lost raises the alarm on missed events."""
    with watched(durable_scale=100) as watch:
        lost = "ECS Task State Change"
        watch.system.seams.delays = lambda told: [] if told["detail-type"] == lost else [0]
        arn = watch.user.start("eventbridge", processingTime=0)
        assert watch.user.result(arn)["outcome"] == "Succeeded"
        watch.expect("events-missed")


def test_records_overdue() -> None:
    """A task that nobody can stop raises the alarm on overdue records."""
    with watched() as watch:
        arn = watch.user.start("dynamodb", processingTime=600)
        watch.user.wait(lambda: watch.user.record(arn).get("status") == "RUNNING")
        watch.system.seams.inject(NOT_ALLOWED, times=1_000, operation="StopTask")
        long_ago = (datetime.now(UTC) - timedelta(minutes=40)).isoformat(timespec="milliseconds")
        watch.user.client("dynamodb").update_item(
            TableName=watch.user.outputs["CallbackTableName"],
            Key={"executionId": {"S": id_of(arn)}},
            UpdateExpression="SET deadline = :ago",
            ExpressionAttributeValues={":ago": {"S": long_ago}},
        )
        watch.expect("records-overdue")


def test_functions_throttled() -> None:
    """A throttle, which is counted here by hand, raises the alarm on throttled functions."""
    with watched() as watch:
        named = {"FunctionName": f"{watch.system.stack.name}-status-function"}
        now = watch.system.clock.now()
        watch.system.metrics.put(Datum("AWS/Lambda", "Throttles", 1, "Count", named, now))
        watch.expect("functions-throttled")


def test_functions_failing() -> None:
    """Invocations of a durable function that fail raise an alarm if they are more than two."""
    with watched(durable_scale=10) as watch:

        def die_twice() -> None:
            watch.system.seams.inject(Kill(), times=2, operation="CheckpointDurableExecution")
            arn = watch.user.start("eventbridge", processingTime=0)
            assert watch.user.result(arn)["outcome"] == "Succeeded"
            watch.user.wait(lambda: watch.system.is_idle)

        die_twice()
        watch.expect()
        # A quarter of an hour may end between two failures, and has three of six all the same.
        die_twice()
        die_twice()
        watch.expect("functions-failing")


def test_executions_near_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many running executions as the quota allows raise the alarm on the limit."""
    monkeypatch.setattr("local.metrics.gauges._MOST_RUNNING", 1)
    with watched() as watch:
        watch.user.start("eventbridge", processingTime=600)
        watch.expect("executions-near-limit")


def stopped(system: System, execution_id: str) -> dict[str, Any]:
    """The event of a task that has ended, of an execution that has no record."""
    example = json.loads((PROJECT / "events" / "task-state" / "exit-0.json").read_text())
    told = {"startedBy": f"{system.stack.name}/{execution_id}/1"}
    cluster = system.stack.arn("Cluster")
    return {**example, "detail": {**example["detail"], **told, "clusterArn": cluster}}
