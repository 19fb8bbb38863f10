"""Runs scenarios in processes, and gathers what came of them."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import reduce
from itertools import chain, cycle, islice
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from bench.measurement import apart
from tests.faults.catalogue import CHANCES
from tests.faults.stage import stage

if TYPE_CHECKING:
    from local.iam.authority import Grant
    from tests.faults.scenario import Point, Scenario

# Chances of a point that are taken side by side.
_AT_ONCE = 5


class Result(NamedTuple):
    """What came of some scenarios.

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


def run(scenarios: list[Scenario]) -> Result:
    """Run scenarios side by side on one system; say which of them end wrongly."""
    with stage() as running:
        wrong = [told("; ".join(found), s) for s, found in running.run(scenarios) if found]
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
    # Who is faster, an execution or an event, decides whether some of the calls are made.
    for first in range(0, CHANCES, _AT_ONCE):
        if never := missed(scenarios, result):
            others = (islice(cycle(each), first, first + _AT_ONCE) for each in never)
            again = _run_part(list(chain.from_iterable(others)))
            result |= again._replace(run=0)
    return result


def _run_part(scenarios: list[Scenario]) -> Result:
    try:
        return apart(run, scenarios)
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
