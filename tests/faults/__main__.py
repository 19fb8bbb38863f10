"""`make faults`: run every scenario, and say which ones end wrongly and how to run them again."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from local.iam.authority import Grant
from tests.faults import grants
from tests.faults.catalogue import CHANCES, Catalogue
from tests.faults.scenario import Scenario
from tests.faults.stage import stage

_SUMMARY = "{} scenarios, {} violations\n"
# How a process tells the one that has started it what happened, a line each.
_STRUCK, _USED = "struck ", "used "


class Result(NamedTuple):
    """What came of some scenarios.

    Attributes:
        run: how many there were.
        wrong: how many of them ended wrongly.
        struck: flows and points at which something did happen, as words.
        used: grants of the template that something was allowed by, as words.
    """

    run: int = 0
    wrong: int = 0
    struck: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()

    def __add__(self, other: object) -> Result:
        """Return what came of both."""
        if not isinstance(other, Result):
            return NotImplemented
        return Result(
            self.run + other.run,
            self.wrong + other.wrong,
            self.struck | other.struck,
            self.used | other.used,
        )


def main() -> int:
    """Run what the command line asks for; return 0 if nothing was violated."""
    options = _options()
    if options.only:
        return _tell(_with_missed(options.only, _run(options.only)))
    if options.read:
        result = _run([Scenario.read(line.rstrip("\n")) for line in sys.stdin])
        sys.stdout.write("".join(f"{_STRUCK}{place}\n" for place in result.struck))
        sys.stdout.write("".join(f"{_USED}{grant}\n" for grant in result.used))
        return _tell(result)
    with stage() as running:
        scenarios = list(Catalogue(running).all())
    return _run_parts(scenarios, options.processes)


def _run(scenarios: list[Scenario]) -> Result:
    wrong = 0
    with stage() as running:
        for scenario, found in running.run(scenarios):
            if found:
                wrong += 1
                _print("; ".join(found), scenario)
        for refused in running.refused:
            wrong += 1
            sys.stdout.write(f"{refused}\n")
        struck = frozenset(f"{flow}/{point}" for flow, point in running.struck)
        used = frozenset(map(" ".join, running.used))
    return Result(len(scenarios), wrong, struck, used)


def _run_parts(scenarios: list[Scenario], processes: int) -> int:
    """Run each part in a process of its own: threads share one core, and moto slows down."""
    with ThreadPoolExecutor(processes) as pool:
        ended = pool.map(_run_part, (scenarios[n::processes] for n in range(processes)))
        result = sum(ended, Result())
    # Who is faster, an execution or an event, decides whether some of the calls are made.
    for chance in range(CHANCES):
        if missed := _missed(scenarios, result, chance):
            again = _run_part(missed)
            result += again._replace(run=0)
    return _tell(_with_grants(_with_missed(scenarios, result)))


def _missed(scenarios: list[Scenario], result: Result, chance: int = 0) -> list[Scenario]:
    """Return a scenario for each point that nobody ever came to, another one at each chance."""
    places: defaultdict[str, list[Scenario]] = defaultdict(list)
    for scenario in scenarios:
        if scenario.points:
            places[f"{scenario.flow}/{scenario.points[0]}"].append(scenario)
    missed = sorted(places.keys() - result.struck)
    return [places[place][chance % len(places[place])] for place in missed]


def _with_missed(scenarios: list[Scenario], result: Result) -> Result:
    """Count points that nobody ever came to as violations: nothing is known of them."""
    missed = _missed(scenarios, result)
    for scenario in missed:
        _print("nobody came to this point in any scenario", scenario)
    return result._replace(wrong=result.wrong + len(missed))


def _with_grants(result: Result) -> Result:
    """Count grants that nobody has used and no reason is given for as violations."""
    faults = list(grants.wrong({Grant(*words.split()) for words in result.used}))
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    return result._replace(wrong=result.wrong + len(faults))


def _run_part(scenarios: list[Scenario]) -> Result:
    lines = "".join(f"{scenario}\n" for scenario in scenarios)
    command = [sys.executable, "-m", "tests.faults", "--read"]
    completed = subprocess.run(command, input=lines, stdout=subprocess.PIPE, text=True, check=False)
    *printed, last = completed.stdout.splitlines() or [""]
    summary = re.fullmatch(_SUMMARY.format(r"(\d+)", r"(\d+)"), f"{last}\n")
    told = {
        word: frozenset(line.removeprefix(word) for line in printed if line.startswith(word))
        for word in (_STRUCK, _USED)
    }
    sys.stdout.write("".join(f"{p}\n" for p in printed if not p.startswith((_STRUCK, _USED))))
    sys.stdout.flush()
    # A process that died has not run what it was given.
    wrong = int(summary[2]) if summary else len(scenarios)
    return Result(len(scenarios), wrong, told[_STRUCK], told[_USED])


def _print(found: str, scenario: Scenario) -> None:
    sys.stdout.write(f"{found}\n  make faults ONLY='{scenario}'\n")
    sys.stdout.flush()


def _tell(result: Result) -> int:
    sys.stdout.write(_SUMMARY.format(result.run, result.wrong))
    return 1 if result.wrong or not result.run else 0


def _scenario(text: str) -> Scenario:
    try:
        return Scenario.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--only", action="append", type=_scenario, help="a scenario, as a violation names it"
    )
    # Each waits for a part of its time.
    processes = (os.cpu_count() or 1) + 1
    parser.add_argument("--processes", type=int, default=processes, help="side by side")
    parser.add_argument("--read", action="store_true", help="read scenarios, a line each")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
