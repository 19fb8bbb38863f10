"""The scenarios, made from the calls of clean runs, so that a new call is covered too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice, product
from typing import TYPE_CHECKING

from tests.faults.scenario import ENDS, EVENTS, FLOWS, Point, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.e2e.user import Flow
    from tests.faults.scenario import End, Events
    from tests.faults.stage import Stage

# The calls that were made for each scenario.
Calls = Mapping[Scenario, list[Point]]
_SEEDS, _FEW_SEEDS = range(5), range(2)
_CLEAN_RUNS = 2
# How often a scenario may run to come to its crash point.
CHANCES = 10
# How the status function hears of an execution's end, beside once and at once.
_HEARD: tuple[Events, ...] = ("doubled", "late")
# No other task follows the one that hangs.
_NEVER_WORKS = ("dynamodb", "hangs")
# Which tasks end well, or after nobody waits any more.
_NEVER_ANSWERED: tuple[End, ...] = ("exit 0", "done before a failed start", "never told as ended")
_HEARD_OR_NOT: tuple[Events, ...] = ("as they are", "none")
# Points at which a stopped execution leaves something behind: before a task is started, after.
_STOPS = (
    Point("orchestrator", "RunTask", 1, "stop"),
    Point("orchestrator", "UpdateItem", 1, "stop"),
)
# Nobody comes back to a task that was started here.
_CUT_OFF = Point("orchestrator", "RunTask", 1, "stop and die")
# ECS has forgotten the token of the launch, and a task that ended soon.
_PAUSED = Point("orchestrator", "RunTask", 1, "pause")
_ENDS_OF_PAUSED: tuple[End, ...] = (
    *("exit 0", "failed to start", "Spot"),
    *("hangs", "never told as ended"),
)
# Ends that are seldom and take long: each call meets one of them, not all.
_RARE: tuple[End, ...] = ("hangs", "done before a failed start", "never told as ended")
# Each is stopped by its execution, which then hears of the start, or of the work.
_STOPPED_BY_US: tuple[End, ...] = ("never told as ended", "hangs")
_COMMON = tuple(end for end in ENDS if end not in _RARE)


class Catalogue:
    """All scenarios.

    Attributes:
        points: where a flow's handlers and its worker can die, by flow, each with a clean scenario
            that comes there.
        retries: where they can die only in an execution whose first task is lost, or comes to a
            rare end; but for the many checkpoints of polling: one is as good as the next.
        repairs: scenarios in which the reconciler dies at one of the calls that it repairs with.
        farewells: scenarios in which the status function dies after the execution was stopped.
    """

    def __init__(self, stage: Stage) -> None:
        clean = {flow: _always(stage, flow, ENDS[:2]) for flow in FLOWS}
        lost = {flow: _always(stage, flow, ["Spot"]) for flow in FLOWS}
        rare = _seldom(stage)
        self._unheard = [Scenario(flow, end, "none") for flow, end in product(FLOWS, ENDS)]
        self._stopped = [
            Scenario(flow, "exit 0", points=(s,)) for flow, s in product(FLOWS, _STOPS)
        ]
        self._left = [replace(scenario, events="none") for scenario in self._stopped]
        self.points = {flow: _points(clean[flow], "reconciler") for flow in FLOWS}
        self.retries = {
            flow: {
                point: scenario
                for point, scenario in _points({**rare[flow], **lost[flow]}, "reconciler").items()
                if point not in self.points[flow]
                and (flow, point.operation) != ("polling", "CheckpointDurableExecution")
            }
            for flow in FLOWS
        }
        self.repairs = list(_deaths(stage.calls([*self._unheard, *self._left]), "reconciler"))
        self.farewells = list(_deaths(stage.calls(self._stopped), "status"))

    def all(self) -> Iterator[Scenario]:
        """Yield every scenario once."""
        yield from (Scenario(*which) for which in product(FLOWS, ENDS, EVENTS))
        for flow in FLOWS:
            for number, point in enumerate(self.points[flow]):
                yield from _deaths_at(flow, point, _pairs(point))
                mixed = _from(number, list(product(_RARE, EVENTS)))
                deaths = (Scenario(flow, *pair, (point,)) for pair in mixed)
                # Some points are beyond all rare ends.
                yield from islice(filter(_is_reached, deaths), 1)
            for point, scenario in self.retries[flow].items():
                ends = _STOPPED_BY_US if scenario.end in _STOPPED_BY_US else (scenario.end,)
                yield from _deaths_at(flow, point, list(product(ends, EVENTS)))
        yield from self.repairs
        for number, scenario in enumerate(self.repairs):
            # Dead twice, or what was repaired hears of it after all.
            yield _twice(scenario) if number // 2 % 2 else replace(scenario, events="late")
        yield from map(_twice, self.farewells)
        for number, scenario in enumerate(self.farewells):
            yield scenario
            yield replace(scenario, end=ENDS[1:][number % len(ENDS[1:])])
            yield from (replace(scenario, events=events) for events in _HEARD)
        for which in product(FLOWS, _ENDS_OF_PAUSED, _HEARD_OR_NOT):
            yield Scenario(*which, (_PAUSED,))
        yield from self._throttled()

    def _throttled(self) -> Iterator[Scenario]:
        for flow, end in product(FLOWS, ENDS):
            for seed in _FEW_SEEDS if end in _RARE else _SEEDS:
                yield Scenario(flow, end, throttled=True, seed=seed)
        for repaired in (*self._unheard, *self._stopped, *self._left):
            yield from (replace(repaired, throttled=True, seed=seed) for seed in _FEW_SEEDS)

    def certain(self, flow: Flow, point: Point) -> Scenario:
        """Return a scenario that comes to a crash point."""
        clean = {**self.points[flow], **self.retries[flow]}
        return replace(clean[point], points=(point,))

    def is_certain(self, stage: Stage, flow: Flow, point: Point) -> bool:
        """Whether clean runs come to a crash point still: it may have been the load of a moment."""
        clean = {**self.points[flow], **self.retries[flow]}[point]
        made = replace(point, when="before")
        return all(made in stage.calls([clean])[clean] for _ in range(_CLEAN_RUNS))

    def sample(self) -> Iterator[Scenario]:
        """Yield a crash after each call and each fault of events once, in turn with each end.

        Before a call all is as it was after the one before it.
        """
        for flow in FLOWS:
            mixed = list(product(ENDS, EVENTS))
            for number, point in enumerate(filter(_is_after, self.points[flow])):
                turns = (Scenario(flow, *turn, (point,)) for turn in _from(number, mixed))
                yield next(filter(_is_reached, turns))
            for number, point in enumerate(filter(_is_after, self.retries[flow])):
                end = self.retries[flow][point].end
                yield Scenario(flow, end, EVENTS[number % len(EVENTS)], (point,))
            yield from (Scenario(flow, "exit 0", events) for events in EVENTS)
            yield from (Scenario(flow, end, throttled=True) for end in ("exit 0", *_RARE))
            yield Scenario(flow, "exit 0", points=(_CUT_OFF,))
            yield Scenario(flow, "failed to start", "none", (_PAUSED,))
        # Another flow and end each time.
        yield from (each[n % len(each)] for n, each in enumerate(self.others().values()))

    def sampled(self) -> set[tuple[Flow, Point]]:
        """Return the crash points of flows that a sample comes to, each with its flow."""
        each = {flow: (*self.points[flow], *self.retries[flow]) for flow in FLOWS}
        return {(flow, point) for flow in FLOWS for point in filter(_is_after, each[flow])}

    def others(self) -> dict[Point, list[Scenario]]:
        """Return where the reconciler and the status function die in a sample, with scenarios."""
        by_point: dict[Point, list[Scenario]] = {}
        for scenario in (*self.repairs, *self.farewells):
            if _is_after(scenario.points[-1]):
                by_point.setdefault(scenario.points[-1], []).append(scenario)
        return by_point


def _is_after(point: Point) -> bool:
    return point.when == "after"


def _pairs(point: Point) -> list[tuple[End, Events]]:
    """Return each end with each fault of events after a call that is new, else all of them once.

    Before a call all is as it was after the one before it.
    """
    if point.number == 1 and point.when == "after":
        return list(product(_COMMON, EVENTS))
    turn = (point.number + (point.when == "after")) % len(EVENTS)
    return list(zip(_COMMON, (*EVENTS[turn:], *EVENTS[:turn]), strict=True))


def _from(number: int, mixed: Sequence[tuple[End, Events]]) -> Sequence[tuple[End, Events]]:
    """Return all pairs, from one on that is another end and another fault of events each time."""
    start = 7 * number % len(mixed)
    return [*mixed[start:], *mixed[:start]]


def _deaths_at(flow: Flow, point: Point, pairs: Sequence[tuple[End, Events]]) -> Iterator[Scenario]:
    ends = list(dict.fromkeys(end for end, _ in pairs))
    deaths = [Scenario(flow, *pair, (point,)) for pair in pairs]
    deaths += [Scenario(flow, end, points=(point, _next(point))) for end in ends[:2]]
    yield from filter(_is_reached, deaths)
    if point.when == "before":
        yield from _stops_at(flow, replace(point, when="stop"), ends)
        if point.role == "orchestrator" and point.number == 1:
            yield from _stops_at(flow, replace(point, when="stop and die"), ends)


def _stops_at(flow: Flow, point: Point, ends: Sequence[End]) -> Iterator[Scenario]:
    """Yield the least and the most that goes wrong else, of what comes to the point."""
    stops = [Scenario(flow, *pair, (point,)) for pair in product(ends, _HEARD_OR_NOT)]
    reached = list(filter(_is_reached, stops))
    yield from dict.fromkeys((reached[0], reached[-1]))


def _is_reached(scenario: Scenario) -> bool:
    """Whether somebody may come to its first point, who has to hear of something or to start."""
    point, flow, end = scenario.points[0], scenario.flow, scenario.end
    is_unheard = point.role in {"task-state", "status"} and scenario.events == "none"
    is_small = point.operation in {"PutObject", "GetObject"} and not scenario.is_large
    if is_unheard or is_small:
        return False
    if point.role == "worker" and (end == "failed to start" or (flow, end) == _NEVER_WORKS):
        return False
    # Nobody reads the log of what succeeds, in the end.
    if point.role == "status" or point.operation == "GetLogEvents":
        return not scenario.succeeds
    if point.operation == "SendDurableExecutionCallbackSuccess":
        return scenario.succeeds
    if point.operation == "SendDurableExecutionCallbackFailure":
        return end not in _NEVER_ANSWERED
    return True


def _next(point: Point) -> Point:
    """The same again: the call that the first crash makes necessary."""
    return replace(point, number=point.number + 1)


def _twice(scenario: Scenario) -> Scenario:
    return replace(scenario, points=(*scenario.points, _next(scenario.points[-1])))


def _always(stage: Stage, flow: Flow, ends: Sequence[End]) -> Calls:
    """Return the calls that are made whoever is faster, an execution or an event.

    How many checkpoints there are depends on time: nothing else may take any of it.
    """
    scenarios = [Scenario(flow, end) for end in ends]
    first, *others = [stage.calls(scenarios, side_by_side=1) for _ in range(_CLEAN_RUNS)]
    return {s: [p for p in first[s] if all(p in run[s] for run in others)] for s in scenarios}


def _seldom(stage: Stage) -> dict[Flow, Calls]:
    """Return the calls that are made in each run of the rare ends; they may take long."""
    scenarios = [Scenario(flow, end) for flow, end in product(FLOWS, _RARE)]
    first, *others = [stage.calls(scenarios) for _ in range(_CLEAN_RUNS)]
    always = {s: [p for p in first[s] if all(p in run[s] for run in others)] for s in scenarios}
    # How many checkpoints there are depends on time, of which they take each other's.
    return {
        flow: {
            scenario: [p for p in points if p.operation != "CheckpointDurableExecution"]
            for scenario, points in always.items()
            if scenario.flow == flow
        }
        for flow in FLOWS
    }


def _points(calls: Calls, other: str) -> dict[Point, Scenario]:
    """Return the places before and after each call of these scenarios but for one role's."""
    made = {point: scenario for scenario, points in calls.items() for point in points}
    # A look that finds nothing new is as good as the next one.
    first = [p for p in made if p.operation != "DescribeTasks" or p.number == 1]
    own = sorted(point for point in first if point.role != other)
    return {replace(p, when=when): made[p] for p in own for when in ("before", "after")}


def _deaths(calls: Calls, role: str) -> Iterator[Scenario]:
    """Yield each scenario with a death of one role before and after each kind of call it makes."""
    for scenario, points in calls.items():
        for point in sorted({replace(p, number=1) for p in points if p.role == role}):
            for when in ("before", "after"):
                yield replace(scenario, points=(*scenario.points, replace(point, when=when)))
