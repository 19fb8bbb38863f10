"""Which scenarios there are: made from the calls of clean runs, so that a new call is covered."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from tests.faults.scenario import ENDS, EVENTS, FLOWS, Point, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.scenario import Flow
    from tests.faults.stage import Stage

_SEEDS = range(5)


class Catalogue:
    """All scenarios.

    Attributes:
        points: where each flow's handlers and worker can die, by flow.
    """

    def __init__(self, stage: Stage) -> None:
        self.points = {flow: _points(stage, flow) for flow in FLOWS}

    def all(self) -> Iterator[Scenario]:
        """Yield every scenario once."""
        for flow, end, events in product(FLOWS, ENDS, EVENTS):
            yield Scenario(flow, end, events)
        for flow in FLOWS:
            for point in self.points[flow]:
                yield from _crashes(flow, point)
                if point.when == "before":
                    yield Scenario(flow, "exit 0", points=(replace(point, when="stop"),))
                yield Scenario(flow, "exit 0", points=(point, _next(point)))
                yield Scenario(flow, "exit 3", points=(point, _next(point)))
        for flow, end, seed in product(FLOWS, ENDS, _SEEDS):
            yield Scenario(flow, end, throttled=True, seed=seed)

    def sample(self) -> Iterator[Scenario]:
        """Yield each crash point and each fault of events once, in turn with each end."""
        for flow in FLOWS:
            for number, point in enumerate(self.points[flow]):
                end, events = ENDS[number % len(ENDS)], EVENTS[number % len(EVENTS)]
                yield Scenario(flow, end, events, (point,))
            yield from (Scenario(flow, "exit 0", events) for events in EVENTS)
            yield Scenario(flow, "exit 0", throttled=True)


def _crashes(flow: Flow, point: Point) -> Iterator[Scenario]:
    for end in ENDS:
        yield Scenario(flow, end, points=(point,))
        yield Scenario(flow, end, "none", (point,))
    for events in EVENTS:
        if events not in {"as they are", "none"}:
            yield Scenario(flow, "exit 0", events, (point,))


def _next(point: Point) -> Point:
    """The same again: the call that the first crash makes necessary."""
    return replace(point, number=point.number + 1)


def _points(stage: Stage, flow: Flow) -> list[Point]:
    """Return the places before and after each call of a success and of a failure."""
    made: dict[Point, None] = {}
    for end in ENDS[:2]:
        made |= dict.fromkeys(stage.calls(Scenario(flow, end)))
    # A look that finds nothing new is as good as the next one.
    first = [point for point in made if point.operation != "DescribeTasks" or point.number == 1]
    return [replace(point, when=when) for point in sorted(first) for when in ("before", "after")]
