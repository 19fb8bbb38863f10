"""Makes each execution's misfortunes happen, at the seams of the local system."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from local.gateway import Kill, Refuse, execution_of
from tests.faults.scenario import Point

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from local.ecs.task import Task
    from local.gateway import Call, Caller
    from local.gateway.seams import Fault
    from local.system import System
    from tests.faults.scenario import Scenario

_PATIENCE = 20
# AWS's seconds: beyond the reconciler's grace, and beyond STOPPED.
_LATE, _AFTER_STOPPED = 900, 60
_REASON = "CannotPullContainerError: manifest unknown"


class Stop:
    """The execution is stopped at a call, which is served all the same."""

    def __init__(self, stop: Callable[[], object]) -> None:
        self._stop = stop

    def apply(self, serve: Callable[[], Response], caller: Caller | None) -> Response:  # noqa: ARG002 - the protocol's
        """Stop, then answer."""
        self._stop()
        return serve()


class Plan:
    """Knows the executions by their ids, and counts their calls.

    Attributes:
        calls: that each execution has made, in order, as points.
        tasks: of each execution, which ECS forgets after a while.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._known = threading.Condition()
        self._scenarios: dict[str, tuple[Scenario, str]] = {}
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._chance: dict[str, random.Random] = {}
        self.calls: dict[str, list[Point]] = {}
        self.tasks: dict[str, list[Task]] = {}
        outputs = system.stack.outputs
        self._roles = {outputs["TaskStateFunctionArn"].split(":")[6]: "task-state"}
        for name, function in system.functions.items():
            if function.configuration.execution_timeout is not None:
                self._roles[name] = "orchestrator"
            elif "reconciler" in function.configuration.handler:
                self._roles[name] = "reconciler"
            elif "status" in function.configuration.handler:
                self._roles[name] = "status"
        system.seams.plan = self.fault
        system.seams.deliveries = self.deliveries

    def add(self, arn: str, scenario: Scenario) -> None:
        """Let a scenario's misfortunes happen to an execution that was just started."""
        execution_id = arn.rpartition("/")[2]
        with self._known:
            self._scenarios[execution_id] = scenario, arn
            self._chance[execution_id] = random.Random(scenario.seed)  # noqa: S311 - no secret
            self.calls[execution_id], self.tasks[execution_id] = [], []
            self._known.notify_all()

    def fault(self, call: Call) -> Fault | None:
        """Say what goes wrong with a call."""
        if call.execution_id is None or call.number == 0:
            return None
        scenario, arn = self._scenario(call.execution_id)
        role = self._roles.get(call.caller, "worker")
        with self._known:
            key = (call.execution_id, role, call.operation)
            self._counts[key] += 1
            number = self._counts[key]
            self.calls[call.execution_id].append(Point(role, call.operation, number, "before"))
            unlucky = scenario.throttled and self._chance[call.execution_id].random() < 0.5
        if unlucky and role != "worker":
            return Refuse()
        for point in scenario.points:
            if (point.role, point.operation, point.number) == (role, call.operation, number):
                return self._strike(point, arn)
        return None

    def deliveries(self, event: dict[str, Any]) -> list[float]:
        """Say when an event is delivered; what a task's events tell also ends the task."""
        detail = event["detail"]
        execution_id = execution_of(detail.get("startedBy"))
        if execution_id is None:
            return [0]
        scenario, _ = self._scenario(execution_id)
        self._end(execution_id, scenario, detail)
        last = detail["lastStatus"]
        by_mode: dict[str, list[float]] = {
            "none": [],
            "doubled": [0, 0],
            "reordered": [_AFTER_STOPPED] if last == "DEPROVISIONING" else [0],
            "late": [_LATE],
            "STOPPED only": [0] if last == "STOPPED" else [],
        }
        return by_mode.get(scenario.events, [0])

    def _end(self, execution_id: str, scenario: Scenario, detail: dict[str, Any]) -> None:
        """Do to a task what its scenario's end asks for."""
        task = self._system.tasks.get(detail["taskArn"])
        if task is None:
            return
        if detail["version"] == 1:
            self.tasks[execution_id].append(task)
        if scenario.end == "failed to start" and detail["lastStatus"] == "PROVISIONING":
            task.failure = _REASON
        if detail["lastStatus"] != "RUNNING" or detail["desiredStatus"] != "RUNNING":
            return
        if scenario.end == "SIGKILL":
            task.kill_container()
        if scenario.end == "Spot" and detail["startedBy"].endswith("/1"):
            task.interrupt()
        if scenario.end == "stopped":
            task.stop("No longer wanted")

    def _strike(self, point: Point, arn: str) -> Fault:
        if point.when == "stop":
            client = self._system.account.client("lambda")
            return Stop(lambda: client.stop_durable_execution(DurableExecutionArn=arn))
        return Kill(after=point.when == "after")

    def _scenario(self, execution_id: str) -> tuple[Scenario, str]:
        """An execution may make its first call before its start has been answered."""
        with self._known:
            known = self._known.wait_for(lambda: execution_id in self._scenarios, _PATIENCE)
            assert known, f"nobody started {execution_id}"
            return self._scenarios[execution_id]
