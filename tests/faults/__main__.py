"""`make faults`: run every scenario, and say which ones end wrongly and how to run them again."""

from __future__ import annotations

import argparse
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
from tests.faults import grants
from tests.faults.catalogue import CHANCES, Catalogue
from tests.faults.scenario import Point, Scenario
from tests.faults.stage import stage

if TYPE_CHECKING:
    from local.iam.authority import Grant

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


def main() -> int:
    """Run what the command line asks for; return 0 if nothing was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--only", action="append", type=_scenario, help="a scenario, as a violation names it"
    )
    faults: list[str] = []
    if scenarios := parser.parse_args().only:
        result = _run(scenarios)
    else:
        with stage() as running:
            scenarios = list(Catalogue(running).all())
        result = _run_parts(scenarios)
        faults += grants.wrong(result.used)
    # Nothing is known of a point that nobody ever came to.
    never = "nobody came to this point in any scenario"
    faults += [_told(never, missed[0]) for missed in _missed(scenarios, result)]
    _print(*faults)
    wrong = result.wrong + len(faults)
    _print(f"{result.run} scenarios, {wrong} violations")
    return 1 if wrong or not result.run else 0


def _run(scenarios: list[Scenario]) -> Result:
    with stage() as running:
        wrong = [_told("; ".join(found), s) for s, found in running.run(scenarios) if found]
        authority = running.system.authority
        wrong += authority.refused()
        _print(*wrong)
        struck, used = frozenset(running.plan.struck), frozenset(authority.used)
        return Result(len(scenarios), len(wrong), struck, used)


def _run_parts(scenarios: list[Scenario]) -> Result:
    """Run each part in a process of its own: threads share one core, and moto slows down."""
    # Each waits for a part of its time.
    processes = (os.cpu_count() or 1) + 1
    with ThreadPoolExecutor(processes) as pool:
        ended = pool.map(_run_part, (scenarios[n::processes] for n in range(processes)))
        result = reduce(or_, ended)
    # Who is faster, an execution or an event, decides whether some of the calls are made.
    for first in range(0, CHANCES, _AT_ONCE):
        if missed := _missed(scenarios, result):
            others = (islice(cycle(each), first, first + _AT_ONCE) for each in missed)
            result |= _run_part(list(chain.from_iterable(others)))
    return result


def _run_part(scenarios: list[Scenario]) -> Result:
    try:
        return apart(_run, scenarios)
    except BrokenProcessPool:
        # A process that died has not run what it was given.
        return Result(len(scenarios), len(scenarios))


def _missed(scenarios: list[Scenario], result: Result) -> list[list[Scenario]]:
    """Return the scenarios of each point that nobody ever came to."""
    places: defaultdict[tuple[str, Point], list[Scenario]] = defaultdict(list)
    for scenario in scenarios:
        if scenario.points:
            places[scenario.flow, scenario.points[0]].append(scenario)
    return [places[place] for place in sorted(places.keys() - result.struck)]


def _told(found: str, scenario: Scenario) -> str:
    return f"{found}\n  make faults ONLY='{scenario}'"


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _scenario(text: str) -> Scenario:
    try:
        return Scenario.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
