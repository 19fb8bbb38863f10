"""Makes each execution's misfortunes happen, at the seams of the local system."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from dataclasses import replace
from itertools import starmap
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python_testing.token import CallbackToken

from local.ecs.mishaps import FailedBeside, FailedStart, HangingStart, UnseenExit
from local.gateway import Kill, Refuse, execution_of
from tests.e2e.user import id_of
from tests.faults.history import History
from tests.faults.scenario import HOUR, Point
from tests.faults.strikes import Beside, throttle
from tests.faults.turns import THE_SDKS
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.ecs.mishaps import Mishap
    from local.ecs.task import Task
    from local.gateway import Call
    from local.gateway.seams import Fault
    from local.system import System
    from tests.faults.scenario import End, Scenario

# AWS's seconds: beyond the reconciler's grace, and beyond STOPPED.
_LATE, _AFTER_STOPPED = 900, 60
# Longer than ECS shows a stopped task.
_PAUSE = 1.25 * HOUR
# What is not tried again by us has to come through. Each refused checkpoint fails an invocation, of
# which the local runner takes five in a row; the worker's client waits ever longer, in real time.
_REFUSALS = 3
_DELAYS: dict[str, list[float]] = {"none": [], "doubled": [0, 0], "late": [_LATE]}
_ROLES = {
    "ecs_events.task_state.handler": "task-state",
    "ecs_events.execution_status.handler": "status",
    "ecs_events.reconciler.handler": "reconciler",
}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TASK = re.compile(r"\b[0-9a-f]{32}\b")
_CALLBACK = re.compile(r"/durable-execution-callbacks/(?P<id>[^/]+)/\w+ ")
_MISHAPS: dict[End, Mishap] = {
    "failed to start": FailedStart("CannotPullContainerError: manifest unknown"),
    "hangs": HangingStart(),
    # This passes, so that whoever believes it would do the work once more.
    "done before a failed start": FailedBeside("CannotPullContainerError: i/o timeout"),
    "never told as ended": UnseenExit(),
}


class Plan:
    """Knows the executions by their ids, and counts the calls that are made for them.

    Attributes:
        calls: that were made for each execution, in order, as points.
        tasks: of each execution, which ECS forgets after a while.
        struck: the points at which something did happen.
        history: of the records.
        due: when the last of the late events comes, by the system's clock.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._known = threading.Condition()
        self._scenarios: dict[str, tuple[Scenario, str]] = {}
        self._active: set[str] = set()
        self._ended: set[str] = set()
        self._paused: dict[str, float] = {}
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._refused: Counter[tuple[str, str]] = Counter()
        self._by_task: dict[str, str] = {}
        self.history = History(system)
        self.due = 0.0
        self.calls: dict[str, list[Point]] = {}
        self.struck: set[tuple[str, Point]] = set()
        self.tasks: dict[str, list[Task]] = {}
        self._roles = {
            name: _ROLES.get(function.configuration.handler, "orchestrator")
            for name, function in system.functions.items()
        }
        system.seams.plan = self.fault
        system.seams.delays = self.delays

    def add(self, arn: str, scenario: Scenario) -> None:
        """Let a scenario's misfortunes happen to an execution that was just started."""
        execution_id = id_of(arn)
        with self._known:
            self._scenarios[execution_id] = scenario, arn
            self._active.add(execution_id)
            self.calls[execution_id], self.tasks[execution_id] = [], []
            self._known.notify_all()

    def done(self, arn: str) -> None:
        """Let nothing more happen to an execution."""
        with self._known:
            self._active.discard(id_of(arn))

    def unfinished(self, execution_id: str) -> Iterator[str]:
        """Yield what is not over of an execution, in words, as far as this can be told at once."""
        if execution_id not in self._ended:
            yield "the execution has told of no end"
        if "open" in (record := self.history.latest(execution_id)):
            yield f"the record was last seen open: {record}"
        for task in self.tasks[execution_id]:
            if task.ended_for is None:
                yield f"{task.arn} is {task.status}"

    def fault(self, call: Call, asked: str) -> Fault | None:
        """Say what goes wrong with a call."""
        if call.number == 0:
            return None
        # Each execution counts the call, whichever of them it goes wrong for.
        points = {key: self._counted(key, call) for key in self._concerned(call, asked)}
        struck = list(starmap(self._strike_at, points.items()))
        fault = next(filter(None, struck), None) or self._refusal(call, points)
        if call.operation not in {"PutItem", "UpdateItem"} or len(points) != 1:
            return fault
        [execution_id] = points
        return Beside(fault, around=lambda: self.history.noting(execution_id))

    def _concerned(self, call: Call, asked: str) -> list[str]:
        """Return the executions that a call is made for: a list of tasks or records is for all."""
        if call.execution_id:
            return [call.execution_id]
        # The sweep through the table is for none of them; it dies in test_promises.
        if self._roles.get(call.caller) != "reconciler" or call.operation == "Scan":
            return []
        with self._known:
            named = [key for key in self._named(asked) if key in self._scenarios]
            return list(dict.fromkeys(named)) or list(self._active)

    def _named(self, asked: str) -> Iterator[str]:
        """Yield what a request may name: a record, an execution, by its callback, by its task."""
        if callback := _CALLBACK.search(asked):
            yield id_of(CallbackToken.from_str(callback["id"]).execution_arn)
        yield from _UUID.findall(asked)
        yield from (self._by_task.get(task, "") for task in _TASK.findall(asked))

    def _counted(self, execution_id: str, call: Call) -> Point:
        role = self._roles.get(call.caller, "worker")
        self._scenario(execution_id)
        with self._known:
            key = (execution_id, role, call.operation)
            self._counts[key] += 1
            point = Point(role, call.operation, self._counts[key], "before")
            self.calls[execution_id].append(point)
        return point

    def _strike_at(self, execution_id: str, reached: Point) -> Fault | None:
        scenario, arn = self._scenario(execution_id)
        for point in scenario.points:
            if replace(point, when=reached.when) == reached:
                self.struck.add((scenario.flow, point))
                return self._strike(point, arn)
        if reached.role == "orchestrator" and execution_id in self._paused:
            clock, until = self._system.clock, self._paused.pop(execution_id)
            return Beside(before=lambda: clock.sleep(max(until - clock.passed, 0)))
        return None

    def _refusal(self, call: Call, points: Mapping[str, Point]) -> Refuse | None:
        """Refuse every second call, by chance, if it is for an execution that has no luck."""
        for execution_id, point in points.items():
            scenario, _ = self._scenario(execution_id)
            if scenario.throttled:
                unlucky = self._is_unlucky(execution_id, scenario, point)
                return throttle(call.service) if unlucky else None
        return None

    def _is_unlucky(self, execution_id: str, scenario: Scenario, point: Point) -> bool:
        """Toss a coin for the call itself, so that no order of threads changes its side."""
        unlucky = random.Random(f"{scenario}/{point}").random() < 0.5  # noqa: S311 - no secret
        if not unlucky or (point.operation not in THE_SDKS and point.role != "worker"):
            return unlucky
        with self._known:
            self._refused[execution_id, point.role] += 1
            return self._refused[execution_id, point.role] <= _REFUSALS

    def delays(self, event: dict[str, Any]) -> list[float]:
        """Say when an event is delivered; what a task's events tell also ends the task."""
        delays = self._delays(event["detail"])
        with self._known:
            self.due = max([self.due, *(self._system.clock.passed + delay for delay in delays)])
        return delays

    def _delays(self, detail: dict[str, Any]) -> list[float]:
        execution_id = execution_of(detail.get("startedBy"))
        if execution_id is None:
            return self._status_delays(detail)
        scenario, _ = self._scenario(execution_id)
        self._end(execution_id, scenario, detail)
        last = detail["lastStatus"]
        if scenario.events == "STOPPED only":
            return [0] if last == "STOPPED" else []
        if scenario.events == "reordered":
            return [_AFTER_STOPPED] if last == "DEPROVISIONING" else [0]
        return _DELAYS.get(scenario.events, [0])

    def _status_delays(self, detail: dict[str, Any]) -> list[float]:
        arn = detail.get("durableExecutionArn")
        # Nobody has to be told of the beginning.
        if arn is None or detail["status"] == "RUNNING":
            return [0]
        execution_id = id_of(arn)
        scenario, _ = self._scenario(execution_id)
        self._ended.add(execution_id)
        return _DELAYS.get(scenario.events, [0])

    def _end(self, execution_id: str, scenario: Scenario, detail: dict[str, Any]) -> None:
        """Do to a task what its scenario's end asks for."""
        task = self._system.tasks.get(detail["taskArn"])
        if task is None:
            return
        if detail["version"] == 1:
            self.tasks[execution_id].append(task)
            self._by_task[task.arn.rpartition("/")[2]] = execution_id
        is_first = detail["startedBy"].endswith("/1")
        is_lost = is_first or not scenario.is_tried_again
        if detail["lastStatus"] == "PROVISIONING" and is_lost and scenario.end in _MISHAPS:
            task.mishap = _MISHAPS[scenario.end]
        if detail["lastStatus"] != "RUNNING" or detail["desiredStatus"] != "RUNNING":
            return
        if scenario.end == "SIGKILL":
            task.kill_container()
        if scenario.end == "Spot" and is_first:
            task.interrupt()
        if scenario.end == "stopped":
            task.stop("No longer wanted")

    def _strike(self, point: Point, arn: str) -> Fault:
        death = Kill(after=point.when != "before")
        if point.when == "pause":
            self._paused[id_of(arn)] = self._system.clock.passed + _PAUSE
        if not point.stops:
            return death
        client = self._system.account.client("lambda")
        return Beside(
            death if point.when == "stop and die" else None,
            before=lambda: client.stop_durable_execution(DurableExecutionArn=arn),
        )

    def _scenario(self, execution_id: str) -> tuple[Scenario, str]:
        """An execution may make its first call before its start has been answered."""
        with self._known:
            known = self._known.wait_for(lambda: execution_id in self._scenarios, PATIENCE)
            assert known, f"nobody started {execution_id} within {PATIENCE} s"
            return self._scenarios[execution_id]
