"""Runs scenarios side by side on one local system, and looks at what they leave."""

from __future__ import annotations

import json
import math
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from core.trace import TraceHeader
from local.system import System
from local.xray import Traces
from tests.e2e.user import User, id_of
from tests.faults.invariants import End, violations
from tests.faults.lines import Lines
from tests.faults.plan import Plan
from tests.faults.scenario import LONG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.faults.scenario import Point, Scenario

_SCALE = 300
SIDE_BY_SIDE = 18
# Hours of AWS's time, which waits for a slow machine: more than all that may go wrong here takes.
_LONGEST_HOURS = 20


class Stage:
    """A local system on threads of this process.

    Attributes:
        system: that it is.
        plan: makes what goes wrong happen.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self.plan, self._lines = Plan(system), Lines(system.journal)
        self._user = User(system)

    def run(
        self,
        scenarios: Iterable[Scenario],
        halfway: Callable[[], object] = lambda: None,
        side_by_side: int = SIDE_BY_SIDE,
    ) -> Iterator[tuple[Scenario, list[str]]]:
        """Yield each scenario, in any order, with what is wrong once its last event has come.

        Args:
            scenarios: to run.
            halfway: is called when half of them have ended.
            side_by_side: how many run at a time.
        """
        mixed = list(scenarios)
        # Many that end the same run of the reconciler would keep each other from their own.
        random.Random(0).shuffle(mixed)  # noqa: S311 - no secret
        with ThreadPoolExecutor(side_by_side) as pool:
            running, ended = pool.map(self._run, mixed), []
            for number, end in enumerate(running):
                if number == len(mixed) // 2:
                    halfway()
                ended.append(end)
            assert wait(self.system, self._is_quiet), "the system does not come to rest"
            yield from zip(
                mixed, pool.map(self._judge, mixed, *zip(*ended, strict=True)), strict=True
            )

    def calls(
        self, scenarios: Iterable[Scenario], side_by_side: int = SIDE_BY_SIDE
    ) -> dict[Scenario, list[Point]]:
        """Run scenarios and return the calls that were made for each, in the order of the calls."""
        each = list(scenarios)
        with ThreadPoolExecutor(side_by_side) as pool:
            return dict(zip(each, pool.map(self._calls, each), strict=True))

    def _calls(self, scenario: Scenario) -> list[Point]:
        arn = self._start(scenario)
        wait(self.system, lambda: not self._unfinished(arn))
        # Who hears of the end last may find nothing left to do, and ask all the same.
        wait(self.system, lambda: self.system.is_idle)
        self.plan.done(arn)
        return list(dict.fromkeys(self.plan.calls[id_of(arn)]))

    def _run(self, scenario: Scenario) -> tuple[str, list[str]]:
        arn = self._start(scenario)
        # A late event may give somebody work again, right after it was over.
        over = wait(self.system, lambda: not self._unfinished(arn))
        unfinished = [] if over else self._unfinished(arn) or ["it was over only then"]
        self.plan.done(arn)
        self._lines.follow()
        return arn, unfinished

    def _is_quiet(self) -> bool:
        """Whether the last of the late events has come, and everybody is done with it."""
        return self.system.clock.passed > self.plan.due and self.system.is_idle

    def _judge(self, scenario: Scenario, arn: str, unfinished: list[str]) -> list[str]:
        found = [f"after {_LONGEST_HOURS} hours of AWS's time {what}" for what in unfinished]
        try:
            return [*found, *self._found(scenario, arn)]
        except Exception as error:  # noqa: BLE001 - what no check expects is wrong too
            return [*found, f"{type(error).__name__} in the checks: {error}"]

    def _found(self, scenario: Scenario, arn: str) -> list[str]:
        key = id_of(arn)
        end = End.of(self._user, arn, self.plan.tasks[key])
        found = [*violations(scenario, end), *self.plan.history.illegal(key)]
        return [*found, *self._lines.wrong(scenario, key, end, self._segments(end))]

    def _segments(self, end: End) -> list[dict[str, Any]]:
        """Return the attempts' segments in an execution's trace."""
        header = TraceHeader.parse(end.record.get("traceHeader"))
        if header is None:
            return []
        xray = self._user.client("xray")
        traces = xray.batch_get_traces(TraceIds=[header.root])["Traces"]
        sent = [json.loads(each["Document"]) for trace in traces for each in trace["Segments"]]
        return [segment for segment in sent if segment.get("origin") == "AWS::ECS::Fargate"]

    def _start(self, scenario: Scenario) -> str:
        arn = self._user.start(scenario.flow, **scenario.payload)
        self.plan.add(arn, scenario)
        return arn

    def _unfinished(self, arn: str) -> list[str]:
        """Return what goes on of an execution, in words; late events may still come."""
        key = id_of(arn)
        # What works for it may start a task or write a record yet.
        working = [n for n, f in self.system.functions.items() if f.works_for(key)]
        return [*(f"{name} works for it" for name in working), *self.plan.unfinished(key)]


def wait(system: System, condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds; False if it does not for very long in AWS's time."""
    last = system.clock.passed + _LONGEST_HOURS * 3600

    def look() -> str:
        if condition():
            return "held"
        return "late" if system.clock.passed > last else ""

    return system.journal.wait_for(look, math.inf) == "held"


@contextmanager
def stage() -> Iterator[Stage]:
    """Provide a stage, and take it down."""
    with fast_system() as system:
        yield Stage(system)


@contextmanager
def fast_system() -> Iterator[System]:
    """Provide a system in which all of AWS's time passes alike, and fast."""
    # Many executions side by side have the one reconciler killed again and again: that is no outage
    # of an hour, after which ECS forgets.
    with (
        patch("local.ecs.service._SHOWN_SECONDS", 36_000),
        # Traces are looked at when all scenarios have ended.
        patch("local.system.Traces", partial(Traces, most=2**30)),
        System(time_scale=_SCALE, durable_scale=_SCALE, in_process=True) as system,
        # All functions share what one of them has read: each launch reads, as in a new process.
        patch("adapters.networks.KEPT", timedelta()),
        # A result that has a long input in it goes through S3.
        patch("worker.report.MAX_RESULT_BYTES", LONG),
    ):
        yield system
