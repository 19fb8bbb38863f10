"""Runs scenarios in processes, and gathers what came of them."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from bench.measurement import apart
from tests.faults.catalogue import CHANCES
from tests.faults.stage import SIDE_BY_SIDE, stage

if TYPE_CHECKING:
    from local.iam.authority import Grant
    from tests.faults.scenario import Point, Scenario


class Result(NamedTuple):
    """The results of some scenarios.

    Attributes:
        run: how many there were.
        wrong: how many of them ended wrongly, and calls that no role allows.
        struck: flows and points at which something did happen.
        used: grants of the template that something was allowed by.
    """

    run: int = 0
    wrong: int = 0
    struck: frozenset[tuple[str, Point]] = frozenset()
    used: frozenset[Grant] = frozenset()

    def __or__(self, other: Result) -> Result:
        """Return what came of these and others."""
        run, wrong = self.run + other.run, self.wrong + other.wrong
        return Result(run, wrong, self.struck | other.struck, self.used | other.used)


def run(scenarios: list[Scenario], side_by_side: int = SIDE_BY_SIDE) -> Result:
    """Run scenarios side by side on one system; say which of them end wrongly."""
    with stage() as running:
        ended = running.run(scenarios, side_by_side=side_by_side)
        wrong = [told("; ".join(found), s) for s, found in ended if found]
        authority = running.system.authority
        wrong += authority.refused()
        say(*wrong)
        struck, used = frozenset(running.plan.struck), frozenset(authority.used)
        return Result(len(scenarios), len(wrong), struck, used)


def run_parts(scenarios: list[Scenario]) -> Result:
    """Run each part in a process of its own: threads share one core."""
    # Each waits for a part of its time.
    processes = (os.cpu_count() or 1) + 1
    with ThreadPoolExecutor(processes) as pool:
        ended = pool.map(_run_part, (scenarios[n::processes] for n in range(processes)))
        result = reduce(or_, ended)
    # Who is faster, an execution or an event, decides whether some of the calls are made. The clean
    # runs, in which they were seen, had the system for themselves.
    for chance in range(CHANCES):
        if never := missed(scenarios, result):
            again = _run_part([each[chance % len(each)] for each in never], side_by_side=1)
            result |= again._replace(run=0)
    return result


def _run_part(scenarios: list[Scenario], side_by_side: int = SIDE_BY_SIDE) -> Result:
    try:
        return apart(run, scenarios, side_by_side)
    except BrokenProcessPool:
        # A process that died has not run what it was given.
        return Result(len(scenarios), len(scenarios))


def missed(scenarios: list[Scenario], result: Result) -> list[list[Scenario]]:
    """Return the scenarios of each point that nobody ever came to."""
    places: defaultdict[tuple[str, Point], list[Scenario]] = defaultdict(list)
    for scenario in scenarios:
        if scenario.points:
            places[scenario.flow, scenario.points[0]].append(scenario)
    return [places[place] for place in sorted(places.keys() - result.struck)]


def told(found: str, scenario: Scenario) -> str:
    """Return the lines about a scenario that ended wrongly."""
    return f"{found}\n  make faults ONLY='{scenario}'"


def say(*lines: str) -> None:
    """Print lines at once: several processes do."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
